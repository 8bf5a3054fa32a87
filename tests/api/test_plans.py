"""Job plans, preventive plans and occurrences over the REST API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.contracts.api import ApiContract, assert_problem, client_of
from tests.workorders.planned import job_plan, upcoming
from workorders.models import JobPlan, PlanOccurrence, PreventivePlan, WorkOrder

PLANNERS = frozenset({"planner", "administrator"})
DAY = 86_400
TRIGGER = {"kind": "calendar", "start": "2030-01-07T06:00:00+01:00", "fixed": True, "every": 2, "unit": "week"}


class TestJobPlans(ApiContract):
    resource = "job-plans"
    filters = {"search": "oil", "archived": "true", "site": "berlin"}
    search = "oil"
    create = {"site": "berlin", "code": "belt", "title": "Belt", "estimate": 1800, "steps": [{"text": "Look"}]}
    change = {"title": "Renamed"}
    may_write = PLANNERS

    def rows(self, plant):
        if not JobPlan.objects.filter(site=plant.berlin).exists():
            for code in ("oil", "filter", "belts"):
                job_plan(plant.berlin, code)
            job_plan(plant.berlin, "old", archived_at=timezone.now())
        return list(JobPlan.objects.filter(site=plant.berlin))

    def more(self, plant):
        job_plan(plant.berlin, f"more-{JobPlan.objects.count()}")

    def foreign(self, plant):
        return job_plan(plant.chicago, "oil")

    def test_each_filter_narrows(self, plant, reader):
        self.filters = {name: value for name, value in self.filters.items() if name != "site"}
        super().test_each_filter_narrows(plant, reader)


class TestPreventivePlans(ApiContract):
    resource = "preventive-plans"
    filters = {"search": "grease", "active": "false", "asset": "M3", "job_plan": "oil"}
    search = "grease"
    create = {"job_plan": "lubricate", "assets": ["M1", {"code": "M2"}], "trigger": TRIGGER, "lead_time": 2 * DAY}
    change = {"name": "Renamed"}
    may_write = PLANNERS

    def rows(self, plant):
        if not PreventivePlan.objects.filter(site=plant.berlin).exists():
            shared, oil = job_plan(plant.berlin), job_plan(plant.berlin, "oil")
            upcoming(plant.berlin, [plant.filler], job_plan=shared, name="Grease")
            upcoming(plant.berlin, [plant.labeller], job_plan=oil, name="Oil")
            upcoming(plant.berlin, [plant.palletiser], job_plan=shared, name="Belts")
            upcoming(plant.berlin, [plant.filler, plant.labeller], job_plan=shared, name="Rest", active=False)
        return list(PreventivePlan.objects.filter(site=plant.berlin))

    def new(self, plant):
        if not JobPlan.objects.filter(site=plant.berlin, code="lubricate").exists():
            job_plan(plant.berlin)
        return dict(self.create)

    def more(self, plant):
        upcoming(plant.berlin, [plant.filler], name=f"More {PreventivePlan.objects.count()}")

    def foreign(self, plant):
        return upcoming(plant.chicago, [plant.foreign], name="Grease")


class TestOccurrences(ApiContract):
    resource = "occurrences"
    filters = {"asset": "M2", "state": "skipped", "due_to": "2100-01-01T00:00:00Z"}

    def rows(self, plant):
        if not PlanOccurrence.objects.filter(plan__site=plant.berlin).exists():
            upcoming(plant.berlin, [plant.filler, plant.labeller])
            PlanOccurrence.objects.filter(asset=plant.filler, sequence=2).update(state="skipped", reason="Holiday")
        return list(PlanOccurrence.objects.filter(plan__site=plant.berlin))

    def more(self, plant):
        upcoming(plant.berlin, [plant.palletiser], name=f"More {PreventivePlan.objects.count()}")

    def foreign(self, plant):
        plan = upcoming(plant.chicago, [plant.foreign])
        return plan.occurrences.first()

    def test_each_filter_narrows(self, plant, reader):
        middle = sorted(row.due for row in self.rows(plant))[3]
        self.filters = {**self.filters, "due_to": middle.isoformat().replace("+00:00", "Z")}
        super().test_each_filter_narrows(plant, reader)


# --- Preventive plans --------------------------------------------------------------------------


@pytest.fixture
def planner(plant):
    return client_of(plant.planner)


def sent(**changes) -> dict:
    return {"job_plan": "lubricate", "assets": ["M1"], "trigger": TRIGGER, **changes}


def test_a_plan_is_answered_with_the_names_of_the_design(plant, planner):
    template = job_plan(plant.berlin)

    answer = planner.post("/api/v1/preventive-plans/", sent(lead_time=2 * DAY, horizon=90 * DAY, open_policy="allow"))

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["job_plan"] == {"id": template.pk, "code": "lubricate", "name": "Lubricate"}
    assert body["assets"] == [{"id": plant.filler.pk, "code": "M1", "name": "Filler"}]
    assert body["trigger"] == {
        "kind": "calendar", "rule": "", "start": "2030-01-07T05:00:00+00:00", "time": "06:00:00", "fixed": True,
        "floating": False, "every": 2, "unit": "week", "weekdays": [], "nth": None, "last_day": False,
    }  # fmt: skip
    assert (body["name"], body["lead_time"], body["horizon"], body["open_policy"]) == (
        "Lubricate", 2 * DAY, 90 * DAY, "allow",
    )  # fmt: skip
    assert body["next_due"] == "2030-01-07T05:00:00+00:00"
    assert body["site"]["code"] == "berlin"


def test_a_start_is_put_on_the_clock_of_the_site(plant, planner):
    job_plan(plant.berlin)

    answer = planner.post("/api/v1/preventive-plans/", sent(trigger={**TRIGGER, "start": "2030-01-06T23:30:00-05:00"}))

    plan = PreventivePlan.objects.get(pk=answer.json()["id"])
    assert (plan.start.isoformat(), plan.due_time.isoformat()) == ("2030-01-07", "05:30:00")


def test_a_plain_day_takes_the_time_of_day(plant, planner):
    job_plan(plant.berlin)
    trigger = {"start": "2030-01-31", "time": "22:00", "floating": True, "every": 1, "unit": "month"}

    answer = planner.post("/api/v1/preventive-plans/", sent(trigger=trigger))

    assert answer.json()["trigger"]["start"] == "2030-01-31T21:00:00+00:00"
    assert (answer.json()["trigger"]["fixed"], answer.json()["trigger"]["floating"]) == (False, True)


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"assets": []}, 422, "assets"),
        ({"assets": ["M9"]}, 400, "assets"),
        ({"assets": ["X1"]}, 400, "assets"),
        ({"lead_time": 3600}, 400, "lead_time"),
        ({"lead_time": -DAY}, 400, "lead_time"),
        ({"horizon": 5000 * DAY}, 422, "horizon"),
        ({"trigger": {**TRIGGER, "every": 0}}, 400, "trigger.every"),
        ({"trigger": {**TRIGGER, "unit": "hour"}}, 400, "trigger.unit"),
        ({"trigger": {**TRIGGER, "kind": "meter"}}, 400, "trigger.kind"),
        ({"trigger": {**TRIGGER, "floating": True}}, 422, "trigger.floating"),
        ({"trigger": {**TRIGGER, "rule": "FREQ=HOURLY"}}, 422, "trigger.rule"),
        ({"trigger": {**TRIGGER, "last_day": True}}, 422, "trigger.last_day"),
        ({"trigger": {**TRIGGER, "start": "2030-01-07T06:00:00"}}, 400, "trigger.start"),
        ({"trigger": {"unit": "week"}}, 400, "trigger.start"),
        ({"trigger": {**TRIGGER, "colour": "red"}}, 400, "trigger.colour"),
    ],
)
def test_a_plan_that_makes_no_sense_names_the_field(plant, planner, changes, status, field):
    job_plan(plant.berlin)

    assert_problem(planner.post("/api/v1/preventive-plans/", sent(**changes)), status, field=field)

    assert PreventivePlan.objects.count() == 0


def test_only_what_is_sent_of_a_trigger_changes(plant, planner):
    plan = upcoming(plant.berlin, [plant.filler])

    answer = planner.patch(f"/api/v1/preventive-plans/{plan.pk}/", {"trigger": {"every": 3}, "active": False})

    assert answer.status_code == 200, answer.content
    assert (answer.json()["trigger"]["every"], answer.json()["trigger"]["unit"]) == (3, "week")
    assert (answer.json()["active"], answer.json()["next_due"]) == (False, None)


def test_generation_answers_what_it_did(plant, planner):
    plan = upcoming(plant.berlin, [plant.filler, plant.labeller])
    address = f"/api/v1/preventive-plans/{plan.pk}/generation/"
    until = (timezone.now() + timedelta(days=2)).isoformat()

    assert planner.post(address, {}).json() == {"orders": 0, "missed": 0, "fact": "nothing was due"}
    assert planner.post(address, {"until": until}).json() == {"orders": 2, "missed": 0, "fact": "2 orders generated"}
    assert planner.post(address, {"until": until}).json()["orders"] == 0

    orders = planner.get(f"/api/v1/occurrences/?plan={plan.pk}&state=generated").json()["results"]
    assert [row["work_order"]["number"] for row in orders] == [1, 2]


def test_a_technician_does_not_generate(plant):
    plan = upcoming(plant.berlin, [plant.filler])
    until = (timezone.now() + timedelta(days=2)).isoformat()

    answer = client_of(plant.technician).post(f"/api/v1/preventive-plans/{plan.pk}/generation/", {"until": until})

    assert_problem(answer, 403)
    assert WorkOrder.objects.count() == 0


def test_the_year_of_a_plan_and_of_one_that_nobody_has_saved(plant, planner):
    plan = upcoming(plant.berlin, [plant.filler, plant.labeller])

    saved = planner.get(f"/api/v1/preventive-plans/{plan.pk}/preview/").json()
    trigger = {"start": f"{plan.start}", "time": "06:00", "every": 1, "unit": "week"}
    body = sent(assets=["M1", "M2"], trigger=trigger, name="Lubrication", lead_time=2 * DAY, open_policy="allow")
    unsaved = planner.post("/api/v1/preventive-plans/preview/", body).json()

    assert saved == unsaved
    assert saved["sentence"] == f"every week on {plan.start:%A} at 06:00"
    assert len(saved["months"]) == 13
    assert saved["orders"] in (104, 106)
    assert saved["working_time"] == saved["orders"] * 1800
    assert PreventivePlan.objects.count() == 1


def test_a_preview_of_nonsense_names_the_field(plant, planner):
    job_plan(plant.berlin)

    answer = planner.post("/api/v1/preventive-plans/preview/", sent(trigger={**TRIGGER, "last_day": True}))

    assert_problem(answer, 422, "trigger", "trigger.last_day")


def test_an_occurrence_is_skipped_with_its_reason_once(plant, planner):
    plan = upcoming(plant.berlin, [plant.filler])
    address = f"/api/v1/occurrences/{plan.occurrences.order_by('due').first().pk}/skip/"

    assert_problem(planner.post(address, {}), 400, field="reason")
    assert_problem(client_of(plant.technician).post(address, {"reason": "No time"}), 403)
    answer = planner.post(address, {"reason": "Line is rebuilt"})
    assert (answer.json()["state"], answer.json()["reason"]) == ("skipped", "Line is rebuilt")
    assert answer.json()["interval"] == 7 * DAY
    assert_problem(planner.post(address, {"reason": "Again"}), 409, "not_ahead")


# --- Job plans ---------------------------------------------------------------------------------


def test_a_job_plan_with_its_steps(plant, planner):
    steps = [
        {"text": "Oil temperature", "kind": "number", "unit": "°C", "low": 20, "high": 70},
        {"text": "Change the filter", "depends_on": 1, "depends_outcome": "fail"},
    ]

    answer = planner.post(
        "/api/v1/job-plans/", {"site": "berlin", "code": "oil", "title": "Oil", "estimate": 900, "steps": steps}
    )

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["estimate"], body["revision"]) == (900, 1)
    assert [step["position"] for step in body["steps"]] == [1, 2]
    assert (body["steps"][0]["low"], body["steps"][0]["unit"], body["steps"][1]["depends_on"]) == (20, "°C", 1)

    changed = planner.patch(f"/api/v1/job-plans/{body['id']}/", {"steps": [{"text": "Only this"}]}).json()
    assert ([step["text"] for step in changed["steps"]], changed["revision"]) == (["Only this"], 2)


def test_a_job_plan_with_a_wrong_step_is_refused(plant, planner):
    wrong = {"site": "berlin", "code": "oil", "title": "Oil", "steps": [{"text": "Read", "low": 1}]}

    assert_problem(planner.post("/api/v1/job-plans/", wrong), 422, "step", "steps")
    assert_problem(planner.post("/api/v1/job-plans/", {**wrong, "estimate": 30}), 400, field="estimate")
    assert JobPlan.objects.count() == 0
