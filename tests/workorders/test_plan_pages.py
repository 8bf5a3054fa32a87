"""Pages of preventive plans and job plans, through the front door."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import JobRun
from tests.workorders.planned import job_plan, story, upcoming
from workorders.models import JobPlan, OccurrenceState, PreventivePlan, WorkOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(plant) -> PreventivePlan:
    return upcoming(plant.berlin, [plant.filler, plant.labeller])


@pytest.fixture
def planner(client, plant):
    client.force_login(plant.planner)
    return client


def typed(plant, template: JobPlan, **changes) -> dict:
    """A filled form of a plan."""
    return {
        "name": "Grease the bearings", "job_plan": template.pk, "assets": [plant.filler.pk], "basis": "fixed",
        "pattern": "weekdays", "every": 2, "unit": "week", "weekdays": [0, 3], "nth": "", "nth_weekday": "", "rule": "",
        "start": timezone.localdate() + timedelta(days=1), "due_time": "06:00", "lead_days": 3, "horizon_days": 90,
        "open_policy": "wait", **changes,
    }  # fmt: skip


def pages(plan: PreventivePlan) -> list[str]:
    return [
        reverse("preventive-plans"),
        reverse("preventive-runs"),
        reverse("preventive-plan", args=[plan.pk]),
        *(f"{reverse('preventive-plan', args=[plan.pk])}?tab={tab}" for tab in ("past", "assets", "year", "history")),
        reverse("job-plans"),
        reverse("job-plan", args=[plan.job_plan_id]),
        f"{reverse('job-plan', args=[plan.job_plan_id])}?tab=plans",
    ]


def planner_pages(plan: PreventivePlan) -> list[str]:
    occurrence = plan.occurrences.first()
    return [
        reverse("preventive-plan-new"),
        reverse("preventive-plan-edit", args=[plan.pk]),
        reverse("preventive-plan-generation", args=[plan.pk]),
        reverse("occurrence-skip", args=[occurrence.pk]),
        reverse("job-plan-new"),
        reverse("job-plan-edit", args=[plan.job_plan_id]),
    ]


def test_everybody_at_the_site_may_read_and_a_planner_may_open_the_forms(client, plant, plan):
    for who in (plant.requester, plant.technician, plant.manager):
        client.force_login(who)
        assert [client.get(page).status_code for page in pages(plan)] == [200] * 10
        # Skipping and forms need the capability; generating asks for it when it is posted.
        assert client.get(reverse("preventive-plan-edit", args=[plan.pk])).status_code == 403
    client.force_login(plant.planner)
    assert [client.get(page).status_code for page in pages(plan) + planner_pages(plan)] == [200] * 16


def test_a_plan_of_another_site_does_not_exist(client, plant, plan):
    client.force_login(plant.stranger)
    for page in [*pages(plan)[2:7], *pages(plan)[8:], *planner_pages(plan)[1:4], planner_pages(plan)[5]]:
        assert client.get(page).status_code == 404
    for name in ("pause", "resume", "generation"):
        assert client.post(reverse(f"preventive-plan-{name}", args=[plan.pk])).status_code == 404
    assert plan.name not in client.get(reverse("preventive-plans")).content.decode()


def test_an_anonymous_visitor_is_sent_to_the_log_in(client, plan):
    for page in pages(plan) + planner_pages(plan):
        assert client.get(page).status_code == 302


def test_the_form_makes_a_plan(planner, plant):
    template = job_plan(plant.berlin)

    answer = planner.post(reverse("preventive-plan-new"), typed(plant, template))

    plan = PreventivePlan.objects.get()
    assert answer.headers["Location"] == reverse("preventive-plan", args=[plan.pk])
    assert (plan.every, plan.unit, plan.weekdays, plan.nth, plan.rule) == (2, "week", [0, 3], None, "")
    assert plan.occurrences.filter(state="forecast").exists()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"pattern": "interval", "unit": "month", "every": 3}, ("month", 3, [], None, False, "")),
        ({"pattern": "nth", "unit": "month", "nth": 2, "nth_weekday": 1}, ("month", 2, [1], 2, False, "")),
        ({"pattern": "last_day", "unit": "month", "every": 1}, ("month", 1, [], None, True, "")),
        ({"pattern": "rule", "rule": "freq=weekly"}, ("week", 2, [], None, False, "FREQ=WEEKLY")),
    ],
)
def test_only_the_fields_of_the_chosen_pattern_count(planner, plant, changes, kept):
    planner.post(reverse("preventive-plan-new"), typed(plant, job_plan(plant.berlin), **changes))

    plan = PreventivePlan.objects.get()
    assert (plan.unit, plan.every, plan.weekdays, plan.nth, plan.last_day_of_month, plan.rule) == kept


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"assets": []}, "A plan needs at least one asset."),
        ({"weekdays": []}, "Choose at least one day."),
        ({"pattern": "interval", "every": 0}, "Give a whole number from 1 to 2600."),
        ({"pattern": "last_day"}, "The last day of the month needs months or years as unit."),
        ({"pattern": "rule", "rule": "FREQ=HOURLY"}, "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY."),
        ({"pattern": "rule"}, "Write the rule."),
        ({"basis": "floating"}, "A floating plan counts from completion and cannot keep to a certain day."),
        ({"start": ""}, "Say on which day it is due first."),
        ({"horizon_days": 5000}, "Ensure this value is less than or equal to 1100."),
    ],
)
def test_a_wrong_entry_is_pointed_at_and_kept(planner, plant, changes, message):
    answer = planner.post(reverse("preventive-plan-new"), typed(plant, job_plan(plant.berlin), **changes))

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert "Grease the bearings" in answer.content.decode()
    assert PreventivePlan.objects.count() == 0


def test_assets_and_job_plans_of_another_site_cannot_be_chosen(planner, plant):
    foreign = typed(plant, job_plan(plant.chicago), assets=[plant.foreign.pk])

    assert planner.post(reverse("preventive-plan-new"), foreign).status_code == 422
    assert PreventivePlan.objects.count() == 0


def test_the_year_is_shown_before_anything_is_saved(planner, plant):
    template = job_plan(plant.berlin)

    answer = planner.post(
        reverse("preventive-plan-preview"), typed(plant, template, assets=[plant.filler.pk, plant.labeller.pk])
    )

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Every 2 weeks on Monday and Thursday at 06:00" in page
    assert page.count('scope="row"') == 13
    assert PreventivePlan.objects.count() == 0


def test_the_year_says_what_is_missing(planner, plant):
    answer = planner.post(reverse("preventive-plan-preview"), typed(plant, job_plan(plant.berlin), weekdays=[]))

    assert "Choose at least one day." in answer.content.decode()


def test_without_scripts_the_year_is_a_button_that_saves_nothing(planner, plant):
    answer = planner.post(reverse("preventive-plan-new"), typed(plant, job_plan(plant.berlin), preview="1"))

    assert "Every 2 weeks on Monday and Thursday at 06:00" in answer.content.decode()
    assert PreventivePlan.objects.count() == 0


def test_an_edit_is_shown_beside_the_plan_as_it_is(planner, plant, plan):
    wanted = typed(plant, plan.job_plan, pattern="interval", unit="month", every=1)

    page = planner.post(reverse("preventive-plan-preview", args=[plan.pk]), wanted).content.decode()

    assert "As it is now" in page
    plan.refresh_from_db()
    assert plan.unit == "week"


def test_the_form_of_a_plan_shows_and_changes_it(planner, plant, plan):
    address = reverse("preventive-plan-edit", args=[plan.pk])
    form = planner.get(address).context["form"]
    assert (form["pattern"].value(), sorted(form["assets"].value())) == (
        "interval",
        sorted([plant.filler.pk, plant.labeller.pk]),
    )

    planner.post(address, typed(plant, plan.job_plan, name="Grease", version=plan.version))

    plan.refresh_from_db()
    assert (plan.name, plan.weekdays, list(plan.assets.all())) == ("Grease", [0, 3], [plant.filler])


def test_a_lost_update_is_refused(planner, plant, plan):
    answer = planner.post(
        reverse("preventive-plan-edit", args=[plan.pk]), typed(plant, plan.job_plan, version=plan.version - 1)
    )

    assert answer.status_code == 409
    plan.refresh_from_db()
    assert plan.name == "Lubricate"


def test_pausing_and_resuming_by_button(planner, plan):
    planner.post(reverse("preventive-plan-pause", args=[plan.pk]))
    plan.refresh_from_db()
    assert (plan.active, story(plan)) == (False, [])

    planner.post(reverse("preventive-plan-resume", args=[plan.pk]))
    plan.refresh_from_db()
    assert plan.active
    assert plan.occurrences.filter(state="forecast").exists()


def test_generating_one_plan_until_a_day(planner, plant, plan):
    first = plan.occurrences.order_by("due").first()
    day = plan.site.local(first.due).date()

    planner.post(reverse("preventive-plan-generation", args=[plan.pk]), {"until": day})

    assert set(WorkOrder.objects.values_list("asset__code", flat=True)) == {"M1", "M2"}
    run = JobRun.objects.get()
    assert (run.fact, run.started_by) == ("Lubricate: 2 orders generated", plant.planner)
    assert "Lubricate: 2 orders generated" in planner.get(reverse("preventive-runs")).content.decode()


def test_generating_when_nothing_is_due_says_when_it_will_be(planner, plan):
    answer = planner.post(reverse("preventive-plan-generation", args=[plan.pk]), {"until": ""}, follow=True)

    assert "Nothing is due yet; the next occurrence is due" in answer.content.decode()
    assert WorkOrder.objects.count() == 0


def test_generating_all_plans_of_the_site(planner, plan):
    plan.plan_assets.update(ready_at=timezone.now())

    planner.post(reverse("preventive-generation"))

    assert JobRun.objects.get().site == plan.site


def test_only_planners_generate_pause_and_skip(client, plant, plan):
    client.force_login(plant.technician)
    occurrence = plan.occurrences.first()

    for address in (
        reverse("preventive-generation"),
        reverse("preventive-plan-generation", args=[plan.pk]),
        reverse("preventive-plan-pause", args=[plan.pk]),
        reverse("occurrence-skip", args=[occurrence.pk]),
    ):
        assert client.post(address, {"reason": "No time"}).status_code == 403
    assert WorkOrder.objects.count() == 0
    plan.refresh_from_db()
    occurrence.refresh_from_db()
    assert (plan.active, occurrence.state) == (True, OccurrenceState.FORECAST)


def test_skipping_asks_for_a_reason(planner, plan):
    occurrence = plan.occurrences.order_by("due").first()
    address = reverse("occurrence-skip", args=[occurrence.pk])

    assert planner.post(address, {"reason": " "}).status_code == 422
    planner.post(address, {"reason": "Line is rebuilt"})

    occurrence.refresh_from_db()
    assert (occurrence.state, occurrence.reason) == ("skipped", "Line is rebuilt")


def test_the_lists_take_as_many_queries_for_many_plans_as_for_few(planner, plant, plan):
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert planner.get(address).status_code == 200
        return len(captured)

    addresses = pages(plan)[:3] + pages(plan)[7:8]
    planner.get(addresses[0])  # the first visit also opens the session
    few = [queries(address) for address in addresses]
    for number in range(6):
        upcoming(plant.berlin, [plant.palletiser], name=f"Plan {number}")
        job_plan(plant.berlin, f"job-{number}")

    assert [queries(address) for address in addresses] == few


# --- Job plans ---------------------------------------------------------------------------------


def rows(*steps: dict, initial: int = 0) -> dict:
    """The steps' part of a filled form."""
    found = {"steps-TOTAL_FORMS": len(steps), "steps-INITIAL_FORMS": initial}
    for number, step in enumerate(steps):
        found |= {
            f"steps-{number}-{name}": value for name, value in {"kind": "check", "required": "on", **step}.items()
        }
    return found


def test_the_form_writes_a_job_plan_with_its_steps_in_the_chosen_order(planner, plant):
    steps = rows(
        {"text": "Change the filter", "ORDER": 2, "depends_on": 1, "depends_outcome": "fail"},
        {"text": "Pressure", "kind": "number", "unit": "bar", "low": "2", "high": "6.5", "ORDER": 1},
        {"text": "State", "kind": "choice", "choices": "good; worn", "ORDER": 3},
        {"text": "Not wanted", "ORDER": 4, "DELETE": "on"},
        {"text": "", "ORDER": ""},
    )

    answer = planner.post(
        reverse("job-plan-new"), {"code": "filter", "title": "Filter", "estimate_minutes": 20, **steps}
    )

    made = JobPlan.objects.get()
    assert answer.headers["Location"] == reverse("job-plan", args=[made.pk])
    assert list(made.steps.values_list("position", "text", "depends_on", "choices")) == [
        (1, "Pressure", None, []),
        (2, "Change the filter", 1, []),
        (3, "State", None, ["good", "worn"]),
    ]


def test_a_wrong_step_is_pointed_at_and_nothing_is_saved(planner, plant):
    steps = rows({"text": "Pressure", "kind": "number", "low": "7", "high": "2", "ORDER": 1})

    answer = planner.post(reverse("job-plan-new"), {"code": "filter", "title": "Filter", **steps})

    assert answer.status_code == 422
    assert "The upper limit lies below the lower one." in answer.content.decode()
    assert JobPlan.objects.count() == 0


def test_the_form_of_a_job_plan_shows_its_steps_and_changes_them(planner, plant):
    made = job_plan(plant.berlin, steps=3)
    address = reverse("job-plan-edit", args=[made.pk])
    assert "Step 3" in planner.get(address).content.decode()

    kept = rows(
        {"text": "Step 1", "ORDER": 2}, {"text": "Step 2", "ORDER": 1}, {"text": "Step 3", "DELETE": "on"}, initial=3
    )
    planner.post(address, {"code": "lubricate", "title": "Lubricate", "version": made.version, **kept})

    assert list(made.steps.values_list("text", flat=True)) == ["Step 2", "Step 1"]


def test_a_job_plan_in_use_says_so_when_it_is_to_be_archived(planner, plan):
    answer = planner.post(reverse("job-plan-archive", args=[plan.job_plan_id]), follow=True)

    assert "still uses it" in answer.content.decode()
    plan.job_plan.refresh_from_db()
    assert plan.job_plan.archived_at is None


def test_an_asset_shows_the_plans_that_look_after_it(planner, plant, plan):
    page = planner.get(f"{plant.filler.get_absolute_url()}?tab=preventive").content.decode()

    assert plan.name in page
