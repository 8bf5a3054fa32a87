"""Preventive orders from due occurrences: which, when, with what, and never twice."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import Event
from tests.workorders.planned import MONDAY, job_plan, story, weekly
from workorders import planning
from workorders.generation import Outcome, generate, sites_with_work
from workorders.models import NumberSeries, PlanAsset, PlanOccurrence, WorkOrder

pytestmark = pytest.mark.django_db

BEFORE = MONDAY - timedelta(days=3)
WEEK = timedelta(days=7)


def test_nothing_is_generated_before_its_time(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)

    assert generate(now=MONDAY - timedelta(seconds=1)) == Outcome()
    assert WorkOrder.objects.count() == 0
    assert story(plan)[0] == (1, "06-01", "forecast")


def test_a_due_occurrence_becomes_an_order_with_the_steps_of_its_job_plan(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, lead_days=2)

    assert generate(now=MONDAY - timedelta(days=2)) == Outcome(orders=1)

    order = WorkOrder.objects.get()
    assert (order.number, order.site, order.asset) == (1, plant.berlin, plant.filler)
    assert (order.kind, order.state, order.priority) == ("preventive", "approved", 2)
    assert (order.summary, order.estimate_minutes, order.job_plan) == ("Lubricate", 30, plan.job_plan)
    assert (order.due_from, order.due_to) == (MONDAY - timedelta(days=2), MONDAY)
    assert list(order.steps.values_list("position", "text", "kind", "outcome")) == [
        (1, "Step 1", "check", ""),
        (2, "Step 2", "check", ""),
    ]
    assert order.occurrence.state == "generated"
    assert order.occurrence.interval_days == 7


def test_the_order_carries_one_event_that_names_its_plan(plant):
    weekly(plant.berlin, [plant.filler], now=BEFORE)

    generate(now=MONDAY, by=plant.planner)

    event = Event.objects.get(verb="work_order.raised")
    assert event.object_id == WorkOrder.objects.get().pk
    assert event.object_type == "workorders.workorder"
    assert (event.actor, event.site, event.at) == (plant.planner, plant.berlin, MONDAY)
    assert event.summary == "Raised by the plan “Lubricate”"


def test_priority_follows_the_criticality_of_each_asset(plant):
    weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)

    generate(now=MONDAY)

    assert dict(WorkOrder.objects.values_list("asset__code", "priority")) == {"M1": 2, "M2": 3}


def test_running_again_changes_nothing(plant):
    plan = weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    generate(now=MONDAY)
    before = (story(plan), list(PlanAsset.objects.order_by("pk").values_list()))

    assert generate(now=MONDAY) == Outcome()

    assert (story(plan), list(PlanAsset.objects.order_by("pk").values_list())) == before
    assert WorkOrder.objects.count() == 2


def test_numbers_continue_the_series_of_each_site(plant):
    NumberSeries.objects.create(site=plant.berlin, last=41)
    weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    weekly(plant.chicago, [plant.foreign], now=BEFORE)

    generate(now=MONDAY + timedelta(days=1))

    assert list(WorkOrder.objects.at(plant.berlin).order_by("number").values_list("number", flat=True)) == [42, 43]
    assert WorkOrder.objects.at(plant.chicago).get().number == 1
    assert NumberSeries.objects.get(site=plant.berlin).last == 43


def test_each_site_keeps_its_own_clock(plant):
    weekly(plant.berlin, [plant.filler], now=BEFORE)
    weekly(plant.chicago, [plant.foreign], now=BEFORE)

    generate(now=MONDAY)

    assert [order.site for order in WorkOrder.objects.all()] == [plant.berlin]
    assert PlanAsset.objects.get(asset=plant.foreign).next_due == MONDAY + timedelta(hours=7)


def test_a_run_for_one_site_leaves_the_other_alone(plant):
    weekly(plant.berlin, [plant.filler], now=BEFORE)
    weekly(plant.chicago, [plant.foreign], now=BEFORE)
    later = MONDAY + timedelta(days=1)

    assert sites_with_work(later) == sorted([plant.berlin.pk, plant.chicago.pk])
    assert generate(site=plant.chicago, now=later) == Outcome(orders=1)
    assert sites_with_work(later) == [plant.berlin.pk]


def test_a_run_for_one_plan_leaves_the_others_alone(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    weekly(plant.berlin, [plant.labeller], now=BEFORE, name="Clean")

    assert generate(plan=plan, now=MONDAY) == Outcome(orders=1)
    assert WorkOrder.objects.get().asset == plant.filler


# --- Missed nights -----------------------------------------------------------------------------


def test_after_missed_nights_the_newest_becomes_the_order_and_the_older_ones_are_missed(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, unit="day")

    assert generate(now=MONDAY + timedelta(days=4, hours=1)) == Outcome(orders=1, missed=4)

    assert story(plan)[:6] == [
        (1, "06-01", "missed"),
        (2, "06-02", "missed"),
        (3, "06-03", "missed"),
        (4, "06-04", "missed"),
        (5, "06-05", "generated"),
        (6, "06-06", "forecast"),
    ]
    assert set(PlanOccurrence.objects.filter(state="missed").values_list("reason", flat=True)) == {
        "No order was generated in time; a later one makes good for it."
    }


def test_an_outage_longer_than_the_horizon_loses_no_occurrence(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, horizon_days=14)

    assert generate(now=MONDAY + 10 * WEEK) == Outcome(orders=1, missed=10)

    assert [row[0] for row in story(plan)] == list(range(1, 14))
    assert [row[2] for row in story(plan)] == ["missed"] * 10 + ["generated"] + ["forecast"] * 2


def test_a_clock_change_neither_doubles_nor_drops_a_night(plant):
    sunday = datetime(2026, 3, 29, tzinfo=UTC)
    plan = weekly(
        plant.berlin, [plant.filler], now=sunday - timedelta(days=2), open_policy="allow",
        start=date(2026, 3, 28), due_time=time(2, 30), unit="day",
    )  # fmt: skip

    for hour in range(-24, 49):
        generate(now=sunday + timedelta(hours=hour))

    dues = [plan.site.local(order.due_to) for order in WorkOrder.objects.order_by("due_to")]
    assert [f"{due:%d %H:%M %z}" for due in dues] == ["28 02:30 +0100", "29 03:30 +0200", "30 02:30 +0200"]


# --- While an order is open --------------------------------------------------------------------


def test_no_second_order_is_generated_while_one_is_open(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)
    generate(now=MONDAY)

    assert generate(now=MONDAY + WEEK) == Outcome(missed=1)

    assert story(plan)[:2] == [(1, "06-01", "generated"), (2, "06-08", "missed")]
    missed = PlanOccurrence.objects.get(state="missed")
    assert missed.reason == "The order before it was still open when it fell due."


def test_an_occurrence_waits_for_the_open_order_until_it_is_due(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, lead_days=3)
    generate(now=MONDAY)

    assert generate(now=MONDAY + WEEK - timedelta(days=1)) == Outcome()
    complete(WorkOrder.objects.get(), at=MONDAY + WEEK - timedelta(hours=20))
    assert generate(now=MONDAY + WEEK - timedelta(hours=19)) == Outcome(orders=1)

    assert story(plan)[:3] == [(1, "06-01", "done"), (2, "06-08", "generated"), (3, "06-15", "forecast")]


def test_a_long_lead_time_still_means_one_order_at_a_time(plant):
    weekly(plant.berlin, [plant.filler], now=BEFORE, lead_days=28)

    assert generate(now=MONDAY - timedelta(days=1)) == Outcome(orders=1)
    assert WorkOrder.objects.get().due_to == MONDAY


def test_a_plan_may_ask_for_another_order_while_one_is_open(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, open_policy="allow")
    generate(now=MONDAY)

    assert generate(now=MONDAY + WEEK) == Outcome(orders=1)

    assert [state for _number, _day, state in story(plan)[:2]] == ["generated", "generated"]
    assert WorkOrder.objects.open().count() == 2


def test_one_asset_waits_without_holding_up_the_others(plant):
    weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    generate(now=MONDAY)
    complete(WorkOrder.objects.get(asset=plant.labeller), at=MONDAY + timedelta(hours=3))

    assert generate(now=MONDAY + WEEK) == Outcome(orders=1, missed=1)
    assert set(WorkOrder.objects.filter(asset=plant.labeller).values_list("due_to", flat=True)) == {
        MONDAY,
        MONDAY + WEEK,
    }


# --- Asked for by a person ---------------------------------------------------------------------


def test_orders_can_be_asked_for_until_a_day(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, open_policy="allow")

    assert generate(plan=plan, now=BEFORE, until=MONDAY + 2 * WEEK) == Outcome(orders=3)
    assert generate(plan=plan, now=BEFORE, until=MONDAY + 2 * WEEK) == Outcome()


def test_asking_until_a_day_respects_an_open_order_and_comes_to_an_end(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE)

    assert generate(plan=plan, now=BEFORE, until=MONDAY + 2 * WEEK) == Outcome(orders=1)
    assert [state for _number, _day, state in story(plan)[:3]] == ["generated", "forecast", "forecast"]


# --- What stops --------------------------------------------------------------------------------


def test_an_archived_asset_gets_no_more_orders(plant):
    plan = weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    plant.filler.archived_at = BEFORE
    plant.filler.save()

    assert generate(now=MONDAY) == Outcome(orders=1)
    assert story(plan, plant.filler) == [(1, "06-01", "skipped")]
    assert PlanAsset.objects.get(asset=plant.filler).ready_at is None


def test_an_asset_retired_before_the_due_moment_gets_no_order(plant):
    weekly(plant.berlin, [plant.filler], now=BEFORE, lead_days=3)
    plant.filler.retired = MONDAY - timedelta(days=1)
    plant.filler.save()

    assert generate(now=MONDAY - timedelta(days=3)) == Outcome()


def test_a_rule_that_has_ended_leaves_nothing_ahead(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, rule="FREQ=WEEKLY;UNTIL=20260608")
    generate(now=MONDAY)
    complete(WorkOrder.objects.get(), at=MONDAY + timedelta(hours=1))

    assert generate(now=MONDAY + WEEK) == Outcome(orders=1)
    assert len(story(plan)) == 2
    assert PlanAsset.objects.get().ready_at is None


# --- Cost --------------------------------------------------------------------------------------


def test_a_chunk_takes_as_many_queries_for_ten_plans_as_for_one(plant):
    shared = job_plan(plant.berlin)
    NumberSeries.objects.create(site=plant.berlin)

    def queries(count: int, now: datetime) -> int:
        for number in range(count):
            weekly(plant.berlin, [plant.filler], now=now - timedelta(days=1), job_plan=shared, name=f"Plan {number}")
        with CaptureQueriesContext(connection) as captured:
            assert generate(now=now).orders == count
        WorkOrder.objects.update(state="closed", closed_at=now)
        return len(captured)

    few = queries(1, MONDAY)
    PlanAsset.objects.update(ready_at=None)
    assert queries(10, MONDAY + WEEK) == few


def test_a_run_with_nothing_due_asks_one_question(plant, django_assert_num_queries):
    weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)

    with django_assert_num_queries(1):
        assert generate(now=BEFORE) == Outcome()


def complete(order: WorkOrder, *, at: datetime) -> None:
    """What the life cycle does to the plan when the order is completed."""
    order.state, order.completed_at = "completed", at
    order.save()
    planning.order_completed(order)
