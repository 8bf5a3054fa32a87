"""The week at the site's clock, and one person's work in the order in which to do it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from tests.workorders.orders import order
from workorders.mine import my_work
from workorders.models import WorkOrder
from workorders.states import State
from workorders.week import midnight, monday_of, week_of

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Berlin


def placed(plant, start: datetime, state: str = State.SCHEDULED, **fields) -> WorkOrder:
    made = order(plant, state, **fields)
    made.assignments.update(start=start)
    return made


@pytest.mark.parametrize(
    ("monday", "hours"),
    [(date(2026, 3, 2), 168), (date(2026, 3, 23), 167), (date(2026, 10, 19), 169)],
)
def test_a_week_is_as_long_as_its_clock_changes_make_it(plant, monday, hours):
    assert midnight(plant.berlin, monday + timedelta(days=7)) - midnight(plant.berlin, monday) == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["", "soon", "2026-W99", "9999-W52", "0001-W01", "٢٠٢٦-W10"])
def test_a_name_that_is_no_week_shows_the_current_one(plant, client, name):
    today = date(2026, 3, 4)
    assert monday_of(name, today) == date(2026, 3, 2)
    client.force_login(plant.planner)
    assert client.get(reverse("planning"), {"week": name}).status_code == 200


def test_work_around_a_clock_change_stands_on_its_local_day(plant):
    # In Berlin the clock went forward on 29 March 2026 at 01:00 UTC: that Sunday ended at 22:00 UTC.
    last = placed(plant, datetime(2026, 3, 29, 21, 59, tzinfo=UTC))
    following = placed(plant, datetime(2026, 3, 29, 22, 0, tzinfo=UTC))
    before = placed(plant, datetime(2026, 3, 28, 22, 59, tzinfo=UTC))
    line = next(each for each in week_of(plant.berlin, date(2026, 3, 23)).lines if each.person == plant.technician)
    assert [[each.order for each in cell.assignments] for cell in line.cells][5:] == [[before], [last]]
    line = next(each for each in week_of(plant.berlin, date(2026, 3, 30)).lines if each.person == plant.technician)
    assert [each.order for each in line.cells[0].assignments] == [following]


def test_the_week_shows_technicians_and_whoever_else_has_work(plant):
    row = placed(plant, NOW)
    week = week_of(plant.berlin, date(2026, 3, 2))
    assert [line.person for line in week.lines] == [plant.technician]
    assert (week.count, week.minutes, week.name, week.previous, week.next) == (
        1, 60, "2026-W10", "2026-W09", "2026-W11",
    )  # fmt: skip
    row.assignments.update(person=plant.planner)
    assert [line.person for line in week_of(plant.berlin, date(2026, 3, 2)).lines] == [
        plant.technician, plant.planner,
    ]  # fmt: skip


def test_the_backlog_is_what_has_no_time_yet_the_most_urgent_first(plant):
    placed(plant, NOW)
    without_time, nobody = order(plant, State.PLANNED, priority=3), order(plant, State.APPROVED, priority=1)
    without_time.assignments.update(start=None)
    nobody.assignments.all().delete()
    order(plant, State.CLOSED).assignments.all().delete()
    assert week_of(plant.berlin, date(2026, 3, 2)).backlog == [nobody, without_time]
    assert week_of(plant.chicago, date(2026, 3, 2)).backlog == []


@pytest.mark.parametrize(
    ("name", "monday"),
    [
        ("2026-W01", date(2025, 12, 29)),
        ("2020-W53", date(2020, 12, 28)),
        ("2026-W53", date(2026, 12, 28)),
        ("2025-W53", date(2026, 3, 2)),
        ("0000-W01", date(2026, 3, 2)),
        ("rubbish", date(2026, 3, 2)),
        ("", date(2026, 3, 2)),
    ],
)
def test_a_week_is_named_by_iso_and_nonsense_is_this_week(name, monday):
    assert monday_of(name, date(2026, 3, 4)) == monday


def test_the_planning_page_assigns_and_moves_by_form(plant, client):
    row = order(plant, State.PLANNED)
    row.assignments.all().delete()
    client.force_login(plant.planner)
    new = reverse("assignment-new", args=[row.pk])
    page = client.get(new, {"person": plant.technician.pk, "day": "2026-03-29"}).content.decode()
    assert 'value="2026-03-29T08:00"' in page
    client.post(new, {"person": plant.technician.pk, "start": "2026-03-29T08:00", "minutes": 45})
    made = row.assignments.get()
    assert (made.start, made.minutes) == (datetime(2026, 3, 29, 6, tzinfo=UTC), 45)
    moved = {"person": plant.planner.pk, "start": "2026-03-30T08:00", "minutes": 45}
    client.post(reverse("assignment", args=[row.pk, made.pk]), moved)
    made.refresh_from_db()
    row.refresh_from_db()
    assert (made.person, made.start, row.owner) == (plant.planner, datetime(2026, 3, 30, 6, tzinfo=UTC), plant.planner)


def test_a_local_time_that_the_clock_skips_is_refused_at_its_field(plant, client):
    row = order(plant, State.PLANNED)
    client.force_login(plant.planner)
    sent = {"person": plant.technician.pk, "start": "2026-03-29T02:30", "minutes": 45}
    answer = client.post(reverse("assignment-new", args=[row.pk]), sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["start"])
    assert row.assignments.count() == 1


def test_my_work_stands_in_the_order_in_which_to_do_it(plant):
    hour = timedelta(hours=1)
    working = placed(plant, NOW - hour, State.IN_PROGRESS)
    waiting = placed(plant, NOW, State.ON_HOLD)
    overdue = placed(plant, NOW + hour, due_to=NOW - hour)
    yesterday = placed(plant, NOW - 24 * hour)
    second, first = placed(plant, NOW + 2 * hour), placed(plant, NOW - hour)
    soon, later = placed(plant, NOW + 48 * hour), placed(plant, NOW + 480 * hour)
    placed(plant, NOW, State.CLOSED)
    free = order(plant, State.APPROVED)
    free.assignments.all().delete()
    verify = order(plant, State.COMPLETED, owner=plant.technician)
    order(plant, State.COMPLETED, owner=plant.planner)
    mine = my_work(plant.technician, plant.berlin, now=NOW)
    assert {name: getattr(mine, name) for name in ("working", "waiting", "late", "today", "soon", "later")} == {
        "working": [working],
        "waiting": [waiting],
        "late": [yesterday, overdue],
        "today": [first, second],
        "soon": [soon],
        "later": [later],
    }
    assert (mine.ready, mine.to_verify) == ([free], [verify])


def test_today_is_the_day_at_the_site(plant):
    late_evening = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)  # 00:30 on Thursday in Berlin
    row = placed(plant, datetime(2026, 3, 5, 7, tzinfo=UTC))
    assert my_work(plant.technician, plant.berlin, now=late_evening).today == [row]


def test_a_running_clock_is_shown_until_it_stops(plant):
    row = order(plant, State.SCHEDULED)
    row.start(by=plant.technician)
    assert [clock.order for clock in my_work(plant.technician, plant.berlin).clocks] == [row]
    row.complete(by=plant.technician, was_failure=False)
    assert my_work(plant.technician, plant.berlin).clocks == []
