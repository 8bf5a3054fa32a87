"""Plans over their life: made, changed, paused, skipped, and what becomes of their orders."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone

from assets import tree
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from tests.workorders.planned import MONDAY, job_plan, story, upcoming, weekly
from tests.workorders.test_generation import complete
from workorders import planning
from workorders.generation import Outcome, generate
from workorders.models import PlanAsset, PlanOccurrence, PreventivePlan, WorkOrder

pytestmark = pytest.mark.django_db

BEFORE = MONDAY - timedelta(days=3)
WEEK = timedelta(days=7)
DAY = timedelta(days=1)


def days(plan: PreventivePlan, state: str = "forecast") -> list[str]:
    return [day for _number, day, found in story(plan) if found == state]


# --- Making ------------------------------------------------------------------------------------


def test_a_new_plan_has_its_forecast_up_to_the_horizon(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, by=plant.planner)

    assert story(plan) == [
        (1, "06-01", "forecast"),
        (2, "06-08", "forecast"),
        (3, "06-15", "forecast"),
        (4, "06-22", "forecast"),
    ]
    pair = PlanAsset.objects.get()
    assert (pair.next_due, pair.ready_at, pair.next_sequence) == (MONDAY, MONDAY, 5)
    assert [event.summary for event in history(plan)] == ["Planned “Lubricate”"]


def test_a_plan_whose_next_occurrence_lies_beyond_the_horizon_still_shows_it(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, start=date(2030, 6, 1))

    assert story(plan) == [(1, "06-01", "forecast")]
    assert f"{PlanAsset.objects.get().next_due:%Y}" == "2030"


def test_a_start_in_the_past_is_not_made_up_for(plant):
    plan = weekly(plant.berlin, [plant.filler], now=MONDAY + 2 * DAY)

    assert days(plan)[0] == "06-08"
    assert generate(now=MONDAY + 2 * DAY) == Outcome()


def test_what_falls_due_on_the_day_a_plan_is_made_counts(plant):
    plan = weekly(plant.berlin, [plant.filler], now=MONDAY + timedelta(hours=5))

    assert days(plan)[0] == "06-01"
    assert generate(now=MONDAY + timedelta(hours=5)) == Outcome(orders=1)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": "  "}, "required", "name"),
        ({"every": 0}, "trigger", "every"),
        ({"rule": "FREQ=HOURLY"}, "trigger", "rule"),
        ({"unit": "day", "last_day_of_month": True}, "trigger", "last_day_of_month"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(plant, fields, code, field):
    with pytest.raises(Refused) as refused:
        weekly(plant.berlin, [plant.filler], now=BEFORE, **fields)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert PreventivePlan.objects.count() == 0


def test_a_plan_without_assets_is_refused(plant):
    with pytest.raises(Refused) as refused:
        weekly(plant.berlin, [], now=BEFORE)

    assert refused.value.code == "plan_without_assets"
    assert PreventivePlan.objects.count() == 0


def test_an_asset_named_twice_is_planned_once(plant):
    plan = weekly(plant.berlin, [plant.filler, plant.filler], now=BEFORE)

    planning.change_plan(plan, by=plant.planner, assets=[plant.labeller, plant.filler, plant.labeller], now=BEFORE)

    assert sorted(plan.assets.values_list("code", flat=True)) == ["M1", "M2"]


def test_assets_and_job_plan_must_belong_to_the_site(plant):
    with pytest.raises(Refused) as foreign_asset:
        weekly(plant.berlin, [plant.filler, plant.foreign], now=BEFORE)
    with pytest.raises(Refused) as foreign_job_plan:
        weekly(plant.berlin, [plant.filler], now=BEFORE, job_plan=job_plan(plant.chicago))

    assert (foreign_asset.value.code, foreign_asset.value.field) == ("other_site", "assets")
    assert (foreign_job_plan.value.code, foreign_job_plan.value.field) == ("other_site", "job_plan")
    assert PreventivePlan.objects.count() == 0


def test_an_asset_out_of_use_cannot_be_planned_for(plant):
    plant.filler.archived_at = BEFORE
    plant.filler.save()

    with pytest.raises(Refused) as refused:
        weekly(plant.berlin, [plant.filler], now=BEFORE)

    assert refused.value.code == "asset_not_in_use"


def test_an_archived_job_plan_cannot_be_planned_with(plant):
    archived = job_plan(plant.berlin, archived_at=BEFORE)

    with pytest.raises(Refused) as refused:
        weekly(plant.berlin, [plant.filler], now=BEFORE, job_plan=archived)

    assert refused.value.code == "job_plan_archived"


@pytest.mark.parametrize("who", ["requester", "technician", "manager", "stranger"])
def test_only_planners_and_administrators_of_the_site_make_plans(plant, who):
    with pytest.raises(NotAllowed):
        weekly(plant.berlin, [plant.filler], now=BEFORE, by=getattr(plant, who))

    assert PreventivePlan.objects.count() == 0


# --- Changing ----------------------------------------------------------------------------------


def test_a_new_trigger_replans_the_future_only(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)
    complete(WorkOrder.objects.get(), at=MONDAY + DAY)
    generate(now=MONDAY + WEEK)

    plan = planning.change_plan(plan, by=plant.planner, unit="day", every=10, now=MONDAY + WEEK + DAY)

    assert story(plan) == [
        (1, "06-01", "done"),
        (2, "06-08", "generated"),
        (3, "06-11", "forecast"),
        (4, "06-21", "forecast"),
        (5, "07-01", "forecast"),
    ]
    assert PlanAsset.objects.get().next_sequence == 6
    assert history(plan)[0].data["changes"] == {"unit": ["week", "day"], "every": [1, 10]}


def test_a_new_trigger_keeps_what_is_overdue_and_what_was_skipped(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    skipped = PlanOccurrence.objects.get(sequence=4)
    planning.skip(skipped, by=plant.planner, reason="Holiday", now=BEFORE)

    planning.change_plan(plan, by=plant.planner, due_time=time(6), lead_days=1, now=MONDAY + timedelta(hours=2))

    assert story(plan) == [
        (1, "06-01", "forecast"),
        (5, "06-08", "forecast"),
        (6, "06-15", "forecast"),
        (4, "06-22", "skipped"),
        (7, "06-29", "forecast"),
    ]
    assert generate(now=MONDAY + timedelta(hours=2)) == Outcome(orders=1)


def test_changing_only_the_name_leaves_every_occurrence_alone(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    before = list(PlanOccurrence.objects.order_by("pk").values_list("pk", flat=True))

    plan = planning.change_plan(plan, by=plant.planner, name="Grease", now=BEFORE)

    assert list(PlanOccurrence.objects.order_by("pk").values_list("pk", flat=True)) == before
    assert (plan.name, plan.version) == ("Grease", 2)


def test_a_change_to_what_is_already_there_leaves_no_trace(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)

    planning.change_plan(plan, by=plant.planner, name="Lubricate", assets=[plant.filler])

    assert history(plan).count() == 1


def test_assets_come_and_go_and_history_stays(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)

    planning.change_plan(plan, by=plant.planner, assets=[plant.labeller], now=MONDAY + DAY)

    assert story(plan, plant.filler) == [(1, "06-01", "generated")]
    assert story(plan, plant.labeller)[0] == (1, "06-08", "forecast")

    planning.change_plan(plan, by=plant.planner, assets=[plant.labeller, plant.filler], now=MONDAY + DAY)

    assert story(plan, plant.filler)[:2] == [(1, "06-01", "generated"), (2, "06-08", "forecast")]


def test_the_last_asset_cannot_be_taken_out(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)

    with pytest.raises(Refused):
        planning.change_plan(plan, by=plant.planner, assets=[])

    assert list(plan.assets.all()) == [plant.filler]


def test_a_refused_change_changes_nothing(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    before = story(plan)

    with pytest.raises(Refused):
        planning.change_plan(plan, by=plant.planner, assets=[plant.labeller], every=0)
    with pytest.raises(NotAllowed):
        planning.change_plan(plan, by=plant.technician, name="Mine")

    plan.refresh_from_db()
    assert (plan.name, plan.every, plan.version) == ("Lubricate", 1, 1)
    assert story(plan) == before


def test_a_paused_plan_rests_and_resumes_from_the_day_it_is_resumed(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)

    plan = planning.pause(plan, by=plant.planner, now=MONDAY + DAY)
    assert story(plan) == [(1, "06-01", "generated")]
    assert generate(now=MONDAY + 3 * WEEK) == Outcome()

    plan = planning.resume(plan, by=plant.planner, now=MONDAY + 3 * WEEK + DAY)
    assert days(plan)[0] == "06-29"


def test_pausing_an_overdue_plan_says_that_its_occurrence_was_missed(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)

    planning.pause(plan, by=plant.planner, now=MONDAY + DAY)

    assert story(plan) == [(1, "06-01", "missed")]
    assert PlanOccurrence.objects.get().reason == "The plan was paused before an order was generated."


def test_what_fell_due_for_an_asset_out_of_use_is_skipped(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    plant.filler.archived_at = BEFORE
    plant.filler.save()

    assert generate(now=MONDAY) == Outcome()

    assert story(plan) == [(1, "06-01", "skipped")]
    assert PlanOccurrence.objects.get().reason == "The asset is no longer in use."


def test_an_asset_taken_out_of_use_and_back_stops_and_restarts_its_forecast(plant):
    plan = weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    plant.filler.archived_at = BEFORE
    plant.filler.save()
    planning.asset_use_changed([plant.filler.pk], now=BEFORE)
    assert story(plan, plant.filler) == []

    plant.filler.archived_at = None
    plant.filler.save()
    planning.asset_use_changed([plant.filler.pk], now=MONDAY + DAY)

    assert story(plan, plant.filler)[0] == (1, "06-08", "forecast")
    assert story(plan, plant.labeller)[0] == (1, "06-01", "forecast")


# --- Skipping ----------------------------------------------------------------------------------


def test_skipping_leaves_out_one_occurrence_with_its_reason(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)

    planning.skip(PlanOccurrence.objects.get(sequence=1), by=plant.planner, reason="Line is rebuilt", now=BEFORE)

    assert story(plan)[:2] == [(1, "06-01", "skipped"), (2, "06-08", "forecast")]
    assert PlanAsset.objects.get().next_due == MONDAY + WEEK
    assert history(plan)[0].summary == "Skipped the occurrence of 2026-06-01: Line is rebuilt"
    assert generate(now=MONDAY) == Outcome()


def test_a_skip_needs_a_reason_a_planner_and_an_occurrence_that_lies_ahead(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)
    generated, ahead = PlanOccurrence.objects.order_by("sequence")[:2]

    with pytest.raises(Refused) as without_reason:
        planning.skip(ahead, by=plant.planner, reason=" ")
    with pytest.raises(NotAllowed):
        planning.skip(ahead, by=plant.technician, reason="No time")
    with pytest.raises(Conflict) as too_late:
        planning.skip(generated, by=plant.planner, reason="No time")

    assert without_reason.value.field == "reason"
    assert too_late.value.code == "generated"
    assert story(plan)[:2] == [(1, "06-01", "generated"), (2, "06-08", "forecast")]


def test_an_occurrence_is_skipped_once(plant):
    weekly(plant.berlin, [plant.filler], now=BEFORE)
    occurrence = PlanOccurrence.objects.get(sequence=1)
    planning.skip(occurrence, by=plant.planner, reason="First", now=BEFORE)

    with pytest.raises(Conflict) as second:
        planning.skip(occurrence, by=plant.planner, reason="Second", now=BEFORE)

    assert second.value.message == "This occurrence is skipped already."
    assert PlanOccurrence.objects.get(sequence=1).reason == "First"


# --- The fate of orders ------------------------------------------------------------------------


def test_a_completed_order_makes_its_occurrence_done(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)

    complete(WorkOrder.objects.get(), at=MONDAY + DAY)

    occurrence = PlanOccurrence.objects.get(sequence=1)
    assert (occurrence.state, occurrence.done_at) == ("done", MONDAY + DAY)
    assert PlanAsset.objects.get(plan=plan).last_done == MONDAY + DAY


def test_a_cancelled_order_makes_its_occurrence_skipped_for_the_same_reason(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)
    order = WorkOrder.objects.get()
    order.state, order.state_note = "cancelled", "Machine is sold"
    order.save()

    planning.order_cancelled(order)

    occurrence = PlanOccurrence.objects.get(sequence=1)
    assert (occurrence.state, occurrence.reason) == ("skipped", "Machine is sold")
    assert generate(plan=plan, now=MONDAY + WEEK) == Outcome(orders=1)


def test_work_sent_back_waits_again_and_holds_up_the_next_order(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)
    order = WorkOrder.objects.get()
    complete(order, at=MONDAY + DAY)
    order.state, order.completed_at = "in_progress", None
    order.save()

    planning.order_sent_back(order)

    assert story(plan)[0] == (1, "06-01", "generated")
    assert PlanAsset.objects.get().last_done is None
    assert generate(now=MONDAY + WEEK) == Outcome(missed=1)


def test_an_order_without_a_plan_concerns_no_plan(plant):
    order = WorkOrder.objects.create(site=plant.berlin, asset=plant.filler, number=1, summary="Leak")

    planning.order_completed(order)
    planning.order_cancelled(order)
    planning.order_sent_back(order)

    assert PlanOccurrence.objects.count() == 0


# --- Floating ----------------------------------------------------------------------------------


def floating(plant, **fields) -> PreventivePlan:
    return weekly(plant.berlin, [plant.filler], now=BEFORE, basis="floating", **{"every": 2, **fields})


def test_a_floating_plan_waits_for_completion_and_counts_from_it(plant):
    plan = floating(plant)
    assert story(plan) == [(1, "06-01", "forecast")]

    assert generate(now=MONDAY) == Outcome(orders=1)
    assert generate(now=MONDAY + 5 * WEEK) == Outcome()

    complete(WorkOrder.objects.get(), at=datetime(2026, 7, 8, 12, tzinfo=UTC))
    assert story(plan) == [(1, "06-01", "done"), (2, "07-22", "forecast")]
    assert generate(now=datetime(2026, 7, 22, 4, tzinfo=UTC)) == Outcome(orders=1)


def test_a_cancelled_order_of_a_floating_plan_is_due_again_an_interval_later(plant):
    plan = floating(plant, start=date(2126, 6, 3))
    due = PlanOccurrence.objects.get().due
    generate(plan=plan, now=BEFORE, until=due)
    order = WorkOrder.objects.get()
    order.state, order.state_note = "cancelled", "No access"
    order.save()

    planning.order_cancelled(order)

    assert story(plan) == [(1, "06-03", "skipped"), (2, "06-17", "forecast")]


def test_skipping_moves_a_floating_plan_one_interval_on(plant):
    plan = floating(plant)

    planning.skip(PlanOccurrence.objects.get(), by=plant.planner, reason="Just overhauled", now=BEFORE)

    assert story(plan) == [(1, "06-01", "skipped"), (2, "06-15", "forecast")]


def test_work_sent_back_takes_away_what_was_counted_from_it(plant):
    plan = floating(plant)
    generate(now=MONDAY)
    order = WorkOrder.objects.get()
    complete(order, at=MONDAY + DAY)
    assert story(plan) == [(1, "06-01", "done"), (2, "06-16", "forecast")]
    order.state, order.completed_at = "in_progress", None
    order.save()

    planning.order_sent_back(order)
    assert story(plan) == [(1, "06-01", "generated")]

    complete(order, at=MONDAY + 3 * DAY)
    assert story(plan) == [(1, "06-01", "done"), (2, "06-18", "forecast")]


def test_a_new_interval_of_a_floating_plan_counts_from_the_last_completion(plant):
    plan = floating(plant)
    generate(now=MONDAY)
    complete(WorkOrder.objects.get(), at=MONDAY + DAY)

    planning.change_plan(plan, by=plant.planner, every=3, now=MONDAY + 2 * DAY)

    assert story(plan) == [(1, "06-01", "done"), (2, "06-23", "forecast")]


def test_a_floating_plan_that_becomes_fixed_follows_the_calendar(plant):
    plan = floating(plant)
    generate(now=MONDAY)
    complete(WorkOrder.objects.get(), at=MONDAY + 2 * DAY)

    planning.change_plan(plan, by=plant.planner, basis="fixed", every=1, now=MONDAY + 3 * DAY)

    assert story(plan)[:3] == [(1, "06-01", "done"), (2, "06-08", "forecast"), (3, "06-15", "forecast")]


# --- Through the front door --------------------------------------------------------------------


def raised_order(plant, **fields) -> WorkOrder:
    """An order of a weekly plan, in progress with its steps answered and labour booked."""
    weekly(plant.berlin, [plant.filler], now=BEFORE, **fields)
    generate(now=MONDAY)
    order = WorkOrder.objects.get()
    order.start(by=plant.technician)
    order.steps.update(outcome="ok")
    return order


def test_completing_an_order_by_its_verb_settles_the_occurrence(plant):
    order = raised_order(plant)

    order.complete(by=plant.technician, was_failure=False)

    occurrence = PlanOccurrence.objects.get(sequence=1)
    assert (occurrence.state, occurrence.done_at) == ("done", order.completed_at)


def test_sending_an_order_back_by_its_verb_reopens_the_occurrence(plant):
    order = raised_order(plant)
    order.complete(by=plant.technician, was_failure=False)

    order.send_back(by=plant.planner, question="Is it greased?")

    assert PlanOccurrence.objects.get(sequence=1).state == "generated"


def test_cancelling_an_order_by_its_verb_skips_the_occurrence(plant):
    order = raised_order(plant)

    order.cancel(by=plant.planner, reason="The line is sold")

    occurrence = PlanOccurrence.objects.get(sequence=1)
    assert (occurrence.state, occurrence.reason) == ("skipped", "The line is sold")


def test_archiving_and_restoring_an_asset_ends_and_resumes_its_forecast(plant, django_capture_on_commit_callbacks):
    plan = upcoming(plant.berlin, [plant.filler, plant.labeller])

    with django_capture_on_commit_callbacks(execute=True):
        tree.archive(plant.labeller, by=plant.planner)
    assert story(plan, plant.labeller) == []
    assert len(story(plan, plant.filler)) == 4
    assert PlanAsset.objects.get(asset=plant.labeller).ready_at is None

    with django_capture_on_commit_callbacks(execute=True):
        tree.restore(plant.labeller, by=plant.planner)
    assert PlanAsset.objects.get(asset=plant.labeller).next_due > timezone.now()


def test_setting_a_day_of_retirement_is_followed(plant, django_capture_on_commit_callbacks):
    upcoming(plant.berlin, [plant.filler])

    with django_capture_on_commit_callbacks(execute=True):
        tree.edit(plant.filler, {"retired": timezone.now() - DAY}, by=plant.planner)

    assert PlanAsset.objects.get().ready_at is None
