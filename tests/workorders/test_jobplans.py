"""Job plans: their steps, their revisions, and who may change them."""

from decimal import Decimal

import pytest

from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from tests.workorders.planned import MONDAY, job_plan, upcoming, weekly
from workorders import jobplans, planning
from workorders.generation import generate
from workorders.models import JobPlan, WorkOrder

pytestmark = pytest.mark.django_db

STEPS = [
    {"text": "Lock out and tag"},
    {"text": "Oil temperature", "kind": "number", "unit": "°C", "low": Decimal(20), "high": Decimal(70)},
    {"text": "Change the filter", "depends_on": 2, "depends_outcome": "fail"},
]


def test_a_job_plan_has_numbered_steps(plant):
    made = jobplans.create(plant.berlin, by=plant.planner, code="oil", title="Oil service", steps=STEPS)

    assert list(made.steps.values_list("position", "text", "kind", "depends_on")) == [
        (1, "Lock out and tag", "check", None),
        (2, "Oil temperature", "number", None),
        (3, "Change the filter", "check", 2),
    ]
    assert [event.verb for event in history(made)] == ["job_plan.created"]


def test_a_change_of_steps_is_a_new_revision_that_the_history_keeps(plant):
    made = jobplans.create(plant.berlin, by=plant.planner, code="oil", title="Oil service", steps=STEPS)

    changed = jobplans.change(made, by=plant.planner, steps=[STEPS[1], STEPS[0]], title="Oil")

    assert (changed.title, changed.revision, changed.version) == ("Oil", 2, 2)
    assert list(changed.steps.values_list("position", "text")) == [(1, "Oil temperature"), (2, "Lock out and tag")]
    changes = history(made)[0].data["changes"]
    assert changes["title"] == ["Oil service", "Oil"]
    assert [step["text"] for step in changes["steps"][0]] == [
        "Lock out and tag",
        "Oil temperature",
        "Change the filter",
    ]


def test_saving_the_same_again_is_no_revision(plant):
    made = jobplans.create(plant.berlin, by=plant.planner, code="oil", title="Oil service", steps=STEPS)
    same = [{name: value for name, value in step.template().items() if name != "position"} for step in made.steps.all()]

    again = jobplans.change(made, by=plant.planner, steps=same, title="Oil service")

    assert again.revision == 1
    assert history(made).count() == 1


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"text": " "}, "Step 1: Say what is to be done."),
        ({"text": "Read", "kind": "number", "low": 5, "high": 4}, "Step 1: The upper limit lies below the lower one."),
        ({"text": "Look", "high": 4}, "Step 1: Only a number has a unit and limits."),
        ({"text": "Choose", "kind": "choice", "choices": ["one"]}, "Step 1: Give at least two choices."),
        ({"text": "Look", "choices": ["a", "b"]}, "Step 1: Only a choice has choices."),
        (
            {"text": "Look", "depends_on": 1, "depends_outcome": "ok"},
            "Step 1: A step can depend on an earlier step only.",
        ),
        ({"text": "Look", "depends_outcome": "ok"}, "Step 1: Name the step and its outcome."),
        ({"text": "x" * 301}, "Step 1: Ensure this value has at most 300 characters (it has 301)."),
        ({"text": "Look", "kind": "dance"}, "Step 1: Value 'dance' is not a valid choice."),
    ],
)
def test_a_step_that_makes_no_sense_is_refused_with_its_number(plant, step, message):
    made = jobplans.create(plant.berlin, by=plant.planner, code="oil", title="Oil service", steps=STEPS)

    with pytest.raises(Refused) as refused:
        jobplans.change(made, by=plant.planner, steps=[step])

    assert (refused.value.message, refused.value.field) == (message, "steps")
    assert made.steps.count() == 3


def test_a_code_exists_once_per_site(plant):
    jobplans.create(plant.berlin, by=plant.planner, code="oil", title="Oil service")
    jobplans.create(plant.chicago, by=plant.stranger, code="oil", title="Oil service")

    with pytest.raises(Refused) as refused:
        jobplans.create(plant.berlin, by=plant.planner, code="oil", title="Another")

    assert refused.value.message == "This site already has a job plan with this code."
    assert JobPlan.objects.count() == 2


@pytest.mark.parametrize("who", ["requester", "technician", "manager", "stranger"])
def test_only_planners_and_administrators_of_the_site_write_job_plans(plant, who):
    made = job_plan(plant.berlin)
    actor = getattr(plant, who)

    with pytest.raises(NotAllowed):
        jobplans.create(plant.berlin, by=actor, code="x", title="X")
    for verb in (jobplans.archive, jobplans.restore, jobplans.change):
        with pytest.raises(NotAllowed):
            verb(made, by=actor)

    assert JobPlan.objects.get().archived_at is None


def test_a_job_plan_in_use_cannot_be_archived(plant):
    plan = upcoming(plant.berlin, [plant.filler])

    with pytest.raises(Refused) as refused:
        jobplans.archive(plan.job_plan, by=plant.planner)
    assert refused.value.code == "in_use"

    planning.pause(plan, by=plant.planner)
    archived = jobplans.archive(plan.job_plan, by=plant.planner)
    assert archived.archived_at is not None
    with pytest.raises(Conflict):
        jobplans.archive(archived, by=plant.planner)
    assert jobplans.restore(archived, by=plant.planner).archived_at is None
    with pytest.raises(Conflict):
        jobplans.restore(archived, by=plant.planner)


def test_a_plan_with_an_archived_job_plan_cannot_be_resumed(plant):
    plan = upcoming(plant.berlin, [plant.filler])
    planning.pause(plan, by=plant.planner)
    jobplans.archive(plan.job_plan, by=plant.planner)

    with pytest.raises(Refused) as refused:
        planning.resume(plan, by=plant.planner)

    assert refused.value.code == "job_plan_archived"
    plan.refresh_from_db()
    assert plan.active is False


def test_orders_keep_the_steps_they_copied(plant):
    made = jobplans.create(plant.berlin, by=plant.planner, code="oil", title="Oil service", steps=STEPS)
    weekly(plant.berlin, [plant.filler], now=MONDAY, job_plan=made)
    generate(now=MONDAY)
    order = WorkOrder.objects.get()

    jobplans.change(made, by=plant.planner, steps=STEPS[:1])

    assert [step.template() for step in order.steps.order_by("position")][1:] == [
        {
            "position": 2, "kind": "number", "text": "Oil temperature", "required": True, "unit": "°C", "low": 20,
            "high": 70, "choices": [], "depends_on": None, "depends_outcome": "",
        },
        {
            "position": 3, "kind": "check", "text": "Change the filter", "required": True, "unit": "", "low": None,
            "high": None, "choices": [], "depends_on": 2, "depends_outcome": "fail",
        },
    ]  # fmt: skip
