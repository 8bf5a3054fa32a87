"""Time worked: clocks, corrections, overlaps and their price."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from tests.plant import person
from tests.workorders.orders import order, spent
from workorders.models import Labour
from workorders.states import State
from workorders.timekeeping import (
    correct_labour,
    overlapping,
    price,
    record_labour,
    remove_labour,
    running,
    start_clock,
    stop_clock,
)

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("rate", "worked", "amount"),
    [
        ("40", timedelta(minutes=90), "60.00"),
        ("40", timedelta(minutes=1), "0.67"),
        ("33.33", timedelta(seconds=1), "0.01"),
        ("9.99", timedelta(hours=24), "239.76"),
        ("0", timedelta(hours=1), "0.00"),
        ("1", timedelta(seconds=18), "0.01"),  # half a cent goes up
    ],
)
def test_a_price_is_exact_to_the_cent(rate, worked, amount):
    assert price(Decimal(rate), worked) == Decimal(amount)


def test_two_people_have_two_clocks_on_one_order(plant):
    row = order(plant, State.APPROVED)
    row.start(by=plant.technician)
    mate = person("mate", plant.berlin, "technician")
    start_clock(row, by=mate)
    with pytest.raises(Conflict, match="running already"):
        start_clock(row, by=mate)
    assert [labour.order for labour in running(mate)] == [row]
    stop_clock(row, by=mate)
    with pytest.raises(Conflict, match="not running"):
        stop_clock(row, by=mate)
    assert (running(mate).count(), running(plant.technician).count()) == (0, 1)
    assert [event.verb for event in history(row)][:2] == ["work_order.clock_stopped", "work_order.clock_started"]


@pytest.mark.parametrize("state", [State.APPROVED, State.ON_HOLD, State.COMPLETED, State.CLOSED])
def test_no_clock_starts_while_the_order_is_not_in_progress(plant, state):
    row = order(plant, state)
    before = row.labour.count()
    with pytest.raises(Conflict):
        start_clock(row, by=plant.technician)
    assert row.labour.count() == before


def test_time_without_a_clock_is_entered_by_hand(plant):
    row = order(plant, State.IN_PROGRESS)
    now = timezone.now()
    made = record_labour(
        row, person=plant.technician, start=now - 5 * HOUR, end=now - 4 * HOUR, by=plant.technician, note="Stripped it"
    )
    assert (made.hourly_rate, made.note) == (40, "Stripped it")
    assert row.labour.count() == 2


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (-1, -2, "end_before_start"),
        (-1, -1, "end_before_start"),
        (-1, 1, "in_the_future"),
        (1, 2, "in_the_future"),
        (-30, -1, "too_long"),
        (-1.5, -0.5, "counted_twice"),
    ],
)
def test_impossible_time_is_refused(plant, start, end, code):
    row = order(plant, State.IN_PROGRESS)  # its labour is from two hours ago to one hour ago
    now = timezone.now()
    with pytest.raises(Refused) as caught:
        record_labour(row, person=plant.technician, start=now + start * HOUR, end=now + end * HOUR, by=plant.technician)
    assert caught.value.code == code
    assert row.labour.count() == 1


def test_technicians_enter_their_own_time_and_planners_that_of_others(plant):
    row = order(plant, State.IN_PROGRESS)
    mate = person("mate", plant.berlin, "technician")
    now = timezone.now()
    times = {"start": now - 4 * HOUR, "end": now - 3 * HOUR}
    for by in (mate, plant.requester, plant.manager, plant.stranger):
        with pytest.raises(NotAllowed):
            record_labour(row, person=plant.technician, by=by, **times)
    with pytest.raises(Refused, match="does no work"):
        record_labour(row, person=plant.stranger, by=plant.planner, **times)
    assert row.labour.count() == 1
    record_labour(row, person=mate, by=plant.planner, **times)
    assert row.labour.count() == 2


def test_a_correction_after_completion_changes_the_cost(plant):
    row = order(plant, State.IN_PROGRESS)
    row.complete(by=plant.technician, was_failure=False)
    assert spent(row) == [("labour", "40.00")]
    labour = row.labour.get()
    correct_labour(labour, start=labour.start, end=labour.start + HOUR / 2, by=plant.technician)
    assert spent(row) == [("labour", "20.00")]
    event = history(row).first()
    assert event.verb == "work_order.labour_corrected"
    assert event.data["was"]["end"] == labour.end.isoformat()


def test_a_forgotten_clock_is_corrected_while_it_runs_and_a_finished_one_needs_its_end(plant):
    row = order(plant, State.APPROVED)
    row.start(by=plant.technician)
    clock = row.labour.get()
    earlier = clock.start - HOUR
    assert correct_labour(clock, start=earlier, end=None, by=plant.technician).start == earlier
    stop_clock(row, by=plant.technician)
    with pytest.raises(Refused, match="end of the work"):
        correct_labour(clock, start=earlier, end=None, by=plant.technician)
    clock.refresh_from_db()
    assert clock.end is not None


def test_a_closed_order_is_corrected_by_a_planner_only(plant):
    row = order(plant, State.CLOSED)
    labour = row.labour.get()
    with pytest.raises(Conflict):
        correct_labour(labour, start=labour.start, end=labour.end - HOUR / 2, by=plant.technician)
    correct_labour(labour, start=labour.start, end=labour.end - HOUR / 2, by=plant.planner)
    assert spent(row) == [("labour", "20.00")]


def test_time_is_taken_back_but_a_completed_order_keeps_some(plant):
    row = order(plant, State.IN_PROGRESS)
    remove_labour(row.labour.get(), by=plant.technician)
    assert row.labour.count() == 0
    done = order(plant, State.COMPLETED)
    with pytest.raises(Refused, match="needs some time"):
        remove_labour(done.labour.get(), by=plant.technician)
    assert done.labour.count() == 1


def test_time_on_two_orders_at_once_is_shown_and_not_refused(plant):
    one, two = order(plant, State.IN_PROGRESS), order(plant, State.APPROVED)
    two.start(by=plant.technician, at=timezone.now() - HOUR * 1.5)
    assert [each.order for each in overlapping(two.labour.get())] == [one]
    assert [each.order for each in overlapping(one.labour.get())] == [two]
    apart = record_labour(
        one, person=plant.planner, start=timezone.now() - 5 * HOUR, end=timezone.now() - 4 * HOUR, by=plant.planner
    )
    assert list(overlapping(apart)) == []


def test_an_entry_that_ends_where_the_next_begins_does_not_overlap(plant):
    row = order(plant, State.IN_PROGRESS)
    first = row.labour.get()
    second = record_labour(row, person=plant.technician, start=first.end, end=first.end + HOUR / 2, by=plant.technician)
    assert list(overlapping(second)) == []
    assert Labour.objects.count() == 2
