"""The next twelve months of a plan: before it is saved, and as an edit would make them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.workorders.planned import MONDAY, weekly
from tests.workorders.test_generation import complete
from workorders import planning, previews
from workorders.generation import generate
from workorders.models import PlanOccurrence, WorkOrder
from workorders.recurrence import Trigger

pytestmark = pytest.mark.django_db

BEFORE = MONDAY - timedelta(days=3)
DAY = timedelta(days=1)


def test_a_new_trigger_is_shown_month_by_month_with_its_hours(plant):
    trigger = Trigger(date(2026, 6, 1), at=time(6), unit="week")

    shown = previews.of_trigger(trigger, plant.berlin, assets=3, minutes_each=20, now=BEFORE)

    assert [month.begins.isoformat()[:7] for month in shown.months][:2] == ["2026-05", "2026-06"]
    assert len(shown.months) == 13
    assert [month.orders for month in shown.months][:4] == [0, 15, 12, 15]
    assert shown.months[1].seconds == 15 * 20 * 60
    assert (shown.orders, shown.seconds) == (52 * 3, 52 * 3 * 20 * 60)
    assert not shown.not_made_up_for


def test_without_an_estimate_there_are_no_hours(plant):
    shown = previews.of_trigger(Trigger(date(2026, 6, 1)), plant.berlin, now=BEFORE)

    assert shown.seconds is None
    assert shown.months[1].seconds is None


def test_a_start_in_the_past_is_pointed_out(plant):
    shown = previews.of_trigger(Trigger(date(2026, 1, 5), unit="week"), plant.berlin, now=BEFORE)

    assert shown.not_made_up_for
    assert shown.dues[0].due == datetime(2026, 6, 1, 6, tzinfo=UTC)


def test_a_running_plan_goes_on_behind_what_was_generated(plant):
    plan = weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    generate(now=MONDAY)

    shown = previews.of_plan(plan, now=MONDAY + DAY)

    assert shown.dues[0] == previews.Due(MONDAY + 7 * DAY, 2, assumed=False)
    assert shown.minutes_each == 30


def test_what_fell_due_this_morning_and_waits_for_the_generator_is_shown(plant):
    plan = weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    noon = MONDAY + timedelta(hours=6)

    shown = previews.of_plan(plan, now=noon)

    assert shown.dues[:2] == [
        previews.Due(MONDAY, 2, assumed=False),
        previews.Due(MONDAY + 7 * DAY, 2, assumed=False),
    ]
    assert shown.dues == previews.of_trigger(plan.trigger, plant.berlin, assets=2, now=noon).dues


def test_an_edit_is_shown_as_it_will_be_written(plant):
    plan = weekly(plant.berlin, [plant.filler, plant.labeller], now=BEFORE)
    generate(now=MONDAY)
    edited = Trigger(date(2026, 6, 3), at=time(7), every=10, unit="day")
    wanted = [plant.labeller.pk, plant.palletiser.pk]

    shown = previews.of_plan(plan, trigger=edited, asset_ids=wanted, now=MONDAY + DAY)
    planning.change_plan(
        plan, by=plant.planner, assets=[plant.labeller, plant.palletiser], start=date(2026, 6, 3), due_time=time(7),
        every=10, unit="day", horizon_days=364, now=MONDAY + DAY,
    )  # fmt: skip

    written = PlanOccurrence.objects.filter(state="forecast").order_by("due").values_list("due", flat=True)
    assert [due.due for due in shown.dues for _each in range(due.assets)] == list(written)


def test_a_floating_plan_with_an_open_order_assumes_its_completion(plant):
    plan = weekly(plant.berlin, [plant.filler], now=BEFORE, basis="floating", every=2)
    generate(now=MONDAY)

    shown = previews.of_plan(plan, now=MONDAY + DAY)
    assert shown.dues[0] == previews.Due(MONDAY + 15 * DAY, 1, assumed=True)

    complete(WorkOrder.objects.get(), at=MONDAY + 3 * DAY)
    shown = previews.of_plan(plan, now=MONDAY + 3 * DAY)
    assert shown.dues[:2] == [
        previews.Due(MONDAY + 17 * DAY, 1, assumed=False),
        previews.Due(MONDAY + 31 * DAY, 1, assumed=True),
    ]


def test_a_preview_asks_as_many_questions_for_forty_assets_as_for_one(plant, django_assert_num_queries):
    plan = weekly(plant.berlin, [plant.filler, plant.labeller, plant.palletiser], now=BEFORE)
    generate(now=MONDAY)

    with django_assert_num_queries(3):
        previews.of_plan(plan, now=MONDAY)
