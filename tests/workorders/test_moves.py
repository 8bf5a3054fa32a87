"""What each move checks, writes and passes on."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from assets.models import Downtime, Failure, FailureCode
from core.errors import Conflict, Refused
from core.events import history
from tests.plant import person
from tests.workorders.orders import order, spent, step
from workorders.models import JobPlan, WorkOrder
from workorders.raising import raise_order
from workorders.states import Kind, State


def refused(code: str, verb, /, **inputs) -> Refused:
    """The verb is refused with this code, and the order stays as it is."""
    row = verb.__self__
    before = WorkOrder.objects.filter(pk=row.pk).values().get()
    labour = list(row.labour.values())
    with pytest.raises(Refused) as caught:
        verb(**inputs)
    assert caught.value.code == code
    assert WorkOrder.objects.filter(pk=row.pk).values().get() == before
    assert list(row.labour.values()) == labour
    assert (row.state, row.version) == (before["state"], before["version"])
    return caught.value


def test_approval_needs_a_reason_for_an_overridden_priority(plant):
    row = order(plant, State.DRAFT, priority=4)
    assert refused("priority_reason", row.approve, by=plant.planner).field == "priority_reason"


def test_planning_takes_the_steps_and_the_estimate_of_the_job_plan(plant):
    job_plan = JobPlan.objects.create(site=plant.berlin, code="bearing", title="Bearing", estimate_minutes=45)
    job_plan.steps.create(position=1, text="Lock out")
    job_plan.steps.create(position=2, text="Play", kind="number", high="0.5", depends_on=1, depends_outcome="ok")
    row = order(plant, State.APPROVED, estimate_minutes=None)
    row.plan(by=plant.planner, job_plan=job_plan)
    assert (row.job_plan, row.estimate_minutes) == (job_plan, 45)
    assert [(each.position, each.text, each.depends_on) for each in row.steps.all()] == [
        (1, "Check for play", None),
        (2, "Lock out", None),
        (3, "Play", 2),
    ]


def test_planning_is_refused_without_steps_or_without_an_estimate(plant):
    row = order(plant, State.APPROVED, estimate_minutes=None)
    refused("estimate_missing", row.plan, by=plant.planner)
    row.steps.all().delete()
    refused("steps_missing", row.plan, by=plant.planner, estimate_minutes=30)


def test_a_job_plan_of_another_site_is_refused(plant):
    foreign = JobPlan.objects.create(site=plant.chicago, code="x", title="X", estimate_minutes=5)
    refused("unknown_job_plan", order(plant, State.APPROVED).plan, by=plant.planner, job_plan=foreign)


def test_scheduling_assigns_the_person_named_and_gives_him_the_ball(plant):
    row = order(plant, State.PLANNED)
    row.assignments.all().delete()
    refused("assignment_missing", row.schedule, by=plant.planner)
    start = timezone.now() + timedelta(days=1)
    row.schedule(by=plant.planner, person=plant.technician, start=start)
    assert row.owner == plant.technician
    assert list(row.assignments.values_list("person", "start", "minutes")) == [(plant.technician.pk, start, 60)]


@pytest.mark.parametrize("name", ["requester", "manager", "stranger"])
def test_somebody_who_does_no_work_at_the_site_cannot_be_scheduled(plant, name):
    row = order(plant, State.PLANNED)
    refused("person_cannot", row.schedule, by=plant.planner, person=getattr(plant, name), start=timezone.now())


def test_an_assignment_without_a_start_does_not_make_an_order_scheduled(plant):
    row = order(plant, State.PLANNED)
    row.assignments.update(start=None)
    refused("assignment_missing", row.schedule, by=plant.planner)


def test_starting_runs_the_clock_and_takes_an_order_that_nobody_has(plant):
    row = order(plant, State.APPROVED)
    row.assignments.all().delete()
    moment = timezone.now() - timedelta(minutes=5)
    row.start(by=plant.technician, at=moment)
    assert (row.started_at, row.state_since, row.owner) == (moment, moment, plant.technician)
    assert list(row.labour.values_list("person", "start", "end")) == [(plant.technician.pk, moment, None)]
    assert list(row.assignments.values_list("person", flat=True)) == [plant.technician.pk]


def test_an_archived_asset_is_not_worked_on(plant):
    row = order(plant, State.APPROVED)
    plant.filler.archived_at = timezone.now()
    plant.filler.save()
    refused("asset_archived", row.start, by=plant.technician)


def test_a_move_in_the_future_or_without_a_time_zone_is_refused(plant):
    row = order(plant, State.APPROVED)
    refused("in_the_future", row.start, by=plant.technician, at=timezone.now() + timedelta(hours=1))
    refused("naive_time", row.start, by=plant.technician, at=timezone.now().replace(tzinfo=None))


def test_holding_stops_every_clock_and_says_what_it_waits_for(plant):
    row = order(plant, State.APPROVED)
    row.start(by=plant.technician, at=timezone.now() - timedelta(minutes=30))
    refused("reason_missing", row.hold, by=plant.technician, reason="")
    refused("reason_missing", row.hold, by=plant.technician, reason="weather")
    assert refused("note_missing", row.hold, by=plant.technician, reason="other").field == "note"
    row.hold(by=plant.technician, reason="parts", note="Bearing 6204")
    assert (row.hold_reason, row.state_note) == ("parts", "Bearing 6204")
    assert not row.labour.filter(end=None).exists()
    row.resume(by=plant.technician)
    assert (row.state, row.hold_reason, row.state_note) == ("in_progress", "", "")
    assert row.labour.filter(end=None).count() == 1


def test_the_planner_has_the_ball_while_an_order_is_on_hold_and_the_worker_after_resuming(plant):
    row = order(plant, State.IN_PROGRESS, owner=plant.technician)
    row.hold(by=plant.technician, reason="parts")
    assert row.owner == plant.planner or row.owner is None
    row.resume(by=plant.technician)
    assert row.owner == plant.technician


def test_completion_closes_the_clock_and_prices_the_labour_at_the_rate_of_its_day(plant):
    row = order(plant, State.APPROVED)
    start = timezone.now() - timedelta(minutes=90)
    row.start(by=plant.technician, at=start)
    plant.technician.hourly_rate = Decimal(99)
    plant.technician.save()
    row.complete(by=plant.technician, at=start + timedelta(minutes=50), was_failure=False, note=" Greased it. ")
    assert (row.completed_at, row.completion_note) == (start + timedelta(minutes=50), "Greased it.")
    assert list(row.labour.values_list("end", flat=True)) == [start + timedelta(minutes=50)]
    assert spent(row) == [("labour", "33.33")]


def test_labour_of_somebody_without_a_rate_costs_nothing_rather_than_zero(plant):
    plant.technician.hourly_rate = None
    plant.technician.save()
    row = order(plant, State.APPROVED)
    row.start(by=plant.technician, at=timezone.now() - timedelta(minutes=90))
    row.complete(by=plant.technician, was_failure=False)
    assert spent(row) == []


def test_completion_is_refused_while_a_required_step_is_open(plant):
    row = order(plant, State.IN_PROGRESS)
    step(row, text="Torque the bolts")
    error = refused("steps_unanswered", row.complete, by=plant.technician, was_failure=False)
    assert "2. Torque the bolts" in error.message
    row.steps.update(required=False)
    row.complete(by=plant.technician, was_failure=False)
    assert row.state == "completed"


def test_a_conditional_step_is_required_only_when_its_condition_holds(plant):
    row = order(plant, State.IN_PROGRESS)
    row.steps.update(outcome="flag")
    step(row, depends_on=1, depends_outcome="fail")
    step(row, depends_on=2, depends_outcome="ok")
    row.complete(by=plant.technician, was_failure=False)
    assert row.state == "completed"


def test_completion_is_refused_without_labour(plant):
    row = order(plant, State.IN_PROGRESS)
    row.labour.all().delete()
    refused("labour_missing", row.complete, by=plant.technician, was_failure=False)


def test_a_corrective_order_says_whether_it_was_a_failure_and_a_preventive_one_need_not(plant):
    refused("failure_unanswered", order(plant, State.IN_PROGRESS).complete, by=plant.technician)
    preventive = order(plant, State.IN_PROGRESS, kind=Kind.PREVENTIVE)
    preventive.complete(by=plant.technician)
    assert (preventive.state, preventive.was_failure) == ("completed", None)


def test_a_failure_is_reported_with_the_completion(plant):
    problem = FailureCode.objects.create(list="problem", code="leak", name="Leak")
    row = order(plant, State.IN_PROGRESS)
    row.complete(by=plant.technician, was_failure=True, problem=problem)
    failure = Failure.objects.get()
    assert row.failure == failure
    assert (failure.asset, failure.occurred, failure.restored) == (plant.filler, row.reported_at, row.completed_at)
    assert (failure.problem, failure.source, failure.detection) == (problem, "work_order", "operation")


def test_a_failure_found_in_preventive_work_is_marked_as_such(plant):
    row = order(plant, State.IN_PROGRESS, kind=Kind.PREVENTIVE)
    row.complete(by=plant.technician, was_failure=True)
    assert row.failure.detection == "maintenance"


def test_completing_ends_the_stop_when_the_machine_runs_again(plant):
    since = timezone.now() - timedelta(hours=3)
    stop = Downtime.objects.create(asset=plant.filler, start=since)
    row = order(plant, State.IN_PROGRESS, downtime=stop)
    refused("machine_runs_unanswered", row.complete, by=plant.technician, was_failure=True)
    assert Failure.objects.count() == 0
    row.complete(by=plant.technician, was_failure=True, machine_runs=True)
    stop.refresh_from_db()
    assert stop.end == row.completed_at
    assert (row.failure.occurred, row.failure.restored, row.failure.downtime) == (since, stop.end, stop)


def test_a_machine_that_stays_down_keeps_its_stop_and_its_failure_open(plant):
    stop = Downtime.objects.create(asset=plant.filler, start=timezone.now() - timedelta(hours=3))
    row = order(plant, State.IN_PROGRESS, downtime=stop)
    row.complete(by=plant.technician, was_failure=True, machine_runs=False)
    stop.refresh_from_db()
    assert (stop.end, row.failure.restored) == (None, None)


def test_the_failure_of_the_stop_is_linked_and_not_recorded_twice(plant):
    stop = Downtime.objects.create(
        asset=plant.filler, start=timezone.now() - timedelta(hours=3), end=timezone.now() - timedelta(hours=1)
    )
    failure = Failure.objects.create(asset=plant.filler, occurred=stop.start, restored=stop.end, downtime=stop)
    row = order(plant, State.IN_PROGRESS, downtime=stop)
    refused("failure_recorded", row.complete, by=plant.technician, was_failure=False)
    row.complete(by=plant.technician, was_failure=True)
    assert (Failure.objects.get(), row.failure) == (failure, failure)


def test_the_requester_who_reported_it_has_the_ball_after_completion(plant):
    row = order(plant, State.IN_PROGRESS)
    plant.berlin.requests.create(
        asset=plant.filler, summary="It squeaks", reported_by=plant.requester, work_order=row, state="accepted"
    )
    row.complete(by=plant.technician, was_failure=False)
    assert row.owner == plant.requester
    row.verify(by=plant.requester)
    assert (row.state, row.owner, row.closed_at) == ("closed", None, row.state_since)


def test_sending_back_asks_a_question_and_returns_the_ball_to_who_worked_on_it(plant):
    row = order(plant, State.COMPLETED)
    refused("reason_missing", row.send_back, by=plant.planner, question="  ")
    row.send_back(by=plant.requester, question="Is the guard back on?")
    assert (row.state, row.state_note, row.owner) == ("in_progress", "Is the guard back on?", plant.technician)
    assert row.completed_at is None


def test_reopening_keeps_the_first_completion_in_the_history(plant):
    row = order(plant, State.CLOSED)
    completed, closed = row.completed_at, row.closed_at
    row.reopen(by=plant.planner, reason="It leaks again")
    assert (row.state, row.completed_at, row.closed_at) == ("in_progress", None, None)
    event = history(row).first()
    assert event.data["completed_at"] == completed.isoformat()
    assert event.data["closed_at"] == closed.isoformat()
    assert event.data["reason"] == "It leaks again"


def test_cancelling_needs_a_reason_and_what_was_worked_still_costs(plant):
    row = order(plant, State.IN_PROGRESS)
    refused("reason_missing", row.cancel, by=plant.planner, reason="")
    row.cancel(by=plant.planner, reason="The machine is sold")
    assert (row.state, row.state_note, row.owner) == ("cancelled", "The machine is sold", None)
    assert spent(row) == [("labour", "40.00")]


def test_completion_before_the_start_is_refused(plant):
    row = order(plant, State.IN_PROGRESS)
    refused(
        "end_before_start", row.complete, by=plant.technician, was_failure=False,
        at=row.started_at - timedelta(minutes=1),
    )  # fmt: skip


def test_an_order_seen_before_somebody_else_changed_it_is_refused_with_what_happened(plant):
    mine = order(plant, State.DRAFT)
    theirs = WorkOrder.objects.get(pk=mine.pk)
    theirs.approve(by=plant.planner)
    with pytest.raises(Conflict) as caught:
        mine.approve(by=plant.administrator)
    assert caught.value.code == "changed_meanwhile"
    assert "approved (Planner" in caught.value.message
    assert history(mine).count() == 1


def test_the_only_planner_of_a_site_gets_the_ball(plant):
    plant.administrator.memberships.all().delete()
    row = raise_order(asset=plant.filler, summary="Noise", by=plant.technician)
    assert (row.state, row.owner) == ("draft", plant.planner)
    person("second", plant.berlin, "planner")
    assert raise_order(asset=plant.filler, summary="Noise again", by=plant.technician).owner is None
