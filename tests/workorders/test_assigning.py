"""Who does it and when: assigned, split, moved and taken off."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from tests.plant import person
from tests.workorders.orders import order
from workorders.assigning import assign_many, schedule_many, schedule_one
from workorders.models import WorkOrder
from workorders.preparation import assign, reassign, unassign
from workorders.states import State

DAY = timedelta(days=1)


@pytest.fixture
def row(plant):
    made = order(plant, State.PLANNED)
    made.assignments.all().delete()
    return made


def test_an_order_is_split_over_people_and_days(plant, row):
    mate = person("mate", plant.berlin, "technician")
    start = timezone.now() + DAY
    assign(row, person=plant.technician, by=plant.planner, start=start, minutes=90)
    assign(row, person=plant.technician, by=plant.planner, start=start + DAY)
    assign(row, person=mate, by=plant.planner, start=start)
    assert sorted(row.assignments.values_list("person__username", "minutes")) == [
        ("mate", 60), ("technician", 60), ("technician", 90),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="assigned to this order already"):
        assign(row, person=mate, by=plant.planner, start=start)
    assert row.assignments.count() == 3


def test_a_technician_takes_an_order_for_himself_and_for_nobody_else(plant, row):
    mate = person("mate", plant.berlin, "technician")
    with pytest.raises(NotAllowed):
        assign(row, person=mate, by=plant.technician)
    for name in ("requester", "manager", "stranger"):
        with pytest.raises(NotAllowed):
            assign(row, person=plant.technician, by=getattr(plant, name))
    assert row.assignments.count() == 0
    assign(row, person=plant.technician, by=plant.technician)
    assert row.assignments.get().person == plant.technician


@pytest.mark.parametrize("minutes", [1441, -5])
def test_an_assignment_lasts_at_most_a_day(plant, row, minutes):
    with pytest.raises(Refused):
        assign(row, person=plant.technician, by=plant.planner, minutes=minutes)
    assert row.assignments.count() == 0


def test_a_moved_assignment_passes_the_ball_of_a_scheduled_order(plant, row):
    mate = person("mate", plant.berlin, "technician")
    start = timezone.now() + DAY
    row.schedule(by=plant.planner, person=plant.technician, start=start)
    moved = reassign(row.assignments.get(), by=plant.planner, person=mate, start=start + DAY)
    row.refresh_from_db()
    assert (moved.person, moved.start, row.owner) == (mate, start + DAY, mate)
    event = history(row).first()
    assert (event.verb, event.data["was"]["person"]) == ("work_order.reassigned", plant.technician.pk)


def test_a_scheduled_order_keeps_somebody(plant, row):
    row.schedule(by=plant.planner, person=plant.technician, start=timezone.now() + DAY)
    with pytest.raises(Refused, match="needs somebody"):
        unassign(row.assignments.get(), by=plant.planner)
    assert row.assignments.count() == 1
    mate = person("mate", plant.berlin, "technician")
    second = assign(row, person=mate, by=plant.planner, start=timezone.now() + DAY)
    unassign(second, by=plant.planner)
    assert row.assignments.get().person == plant.technician


@pytest.mark.parametrize("state", [State.COMPLETED, State.CLOSED, State.CANCELLED])
def test_nobody_is_assigned_to_what_is_finished(plant, state):
    finished = order(plant, state)
    with pytest.raises(Conflict):
        assign(finished, person=plant.planner, by=plant.planner)
    assert finished.assignments.count() == 1


def test_many_orders_are_assigned_at_once_and_the_answer_counts_them(plant):
    rows = [order(plant, State.PLANNED) for _ in range(3)]
    closed = order(plant, State.CLOSED)
    for each in rows[1:]:
        each.assignments.all().delete()
    said = assign_many(WorkOrder.objects.all(), by=plant.planner, person=plant.technician)
    assert said == "3 orders assigned to Technician. 1 left as it is: #4 is closed; nobody can be assigned any more."
    assert [each.assignments.count() for each in (*rows, closed)] == [2, 1, 1, 1]


def test_many_orders_are_scheduled_one_after_the_other(plant):
    rows = [order(plant, State.PLANNED), order(plant, State.PLANNED), order(plant, State.DRAFT)]
    for each in rows:
        each.assignments.all().delete()
    start = timezone.now() + DAY
    said = schedule_many(WorkOrder.objects.order_by("pk"), by=plant.planner, person=plant.technician, start=start)
    assert said.startswith("2 orders scheduled for Technician. 1 left as it is: #3 is a draft; approve it first.")
    for each in rows:
        each.refresh_from_db()
    assert [each.state for each in rows] == ["scheduled", "scheduled", "draft"]
    assert [each.assignments.get().start for each in rows[:2]] == [start, start + timedelta(minutes=60)]
    assert rows[2].assignments.count() == 0


def test_an_approved_order_is_planned_on_the_way_to_the_week_if_it_has_steps_and_an_estimate(plant):
    start = timezone.now() + DAY
    ready, bare = order(plant, State.APPROVED), order(plant, State.APPROVED, estimate_minutes=None)
    for each in (ready, bare):
        each.assignments.all().delete()
        schedule_one(each, by=plant.planner, person=plant.technician, start=start)
        each.refresh_from_db()
    assert (ready.state, bare.state) == ("scheduled", "approved")
    assert [each.assignments.get().start for each in (ready, bare)] == [start, start]


def test_a_person_who_has_an_order_without_a_time_gets_the_time_and_no_second_assignment(plant, row):
    assign(row, person=plant.technician, by=plant.planner)
    start = timezone.now() + DAY
    schedule_one(row, by=plant.planner, person=plant.technician, start=start)
    assert list(row.assignments.values_list("person", "start")) == [(plant.technician.pk, start)]
    assert WorkOrder.objects.get(pk=row.pk).state == "scheduled"
