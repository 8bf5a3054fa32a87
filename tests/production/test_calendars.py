"""Which calendar holds: one's own, an ancestor's, the site's, or none; by day and by place."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from assets import tree
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Event
from production import agreeing
from production.agreeing import Agreement
from production.calendars import effective_calendar, effective_calendars, scheduled_time
from production.models import OperatingCalendar
from production.timetable import Pattern, Slot, length
from tests import plant as world
from tests.together import together

MONDAY = date(2026, 3, 2)
EARLY = Slot(time(6), time(14))
NIGHT = Slot(time(22), time(6))
DAY = timedelta(days=1)


def weekdays(*slots: Slot, days=range(5)) -> dict[int, tuple[Slot, ...]]:
    return dict.fromkeys(days, slots)


def agreement(*slots: Slot, since=date(2026, 1, 1), until=None, name="Shifts", days=range(5), **more) -> Agreement:
    return Agreement(name, Pattern(since, until, weekdays(*slots, days=days), **more), {})


def hours(asset, start: datetime, end: datetime) -> float:
    return length(scheduled_time([asset], start, end)[asset.pk]) / timedelta(hours=1)


def at(day: date, hour: int = 0) -> datetime:
    """An instant of Berlin's winter."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 1)


def everything() -> list:
    """All that a refused verb must leave as it was."""
    calendars = OperatingCalendar.objects.order_by("pk")
    return [[agreeing.described(each) | {"version": each.version} for each in calendars], Event.objects.count()]


def test_without_any_calendar_an_asset_runs_around_the_clock(plant):
    holding = effective_calendar(plant.filler, MONDAY)
    assert (holding.calendar, holding.why) == (None, "none")
    assert hours(plant.filler, at(MONDAY), at(MONDAY + 7 * DAY)) == 168


def test_the_nearest_calendar_holds(plant):
    site = agreeing.agree(plant.berlin, None, agreement(EARLY), by=plant.planner)
    line = agreeing.agree(plant.berlin, plant.line, agreement(EARLY, NIGHT), by=plant.planner)
    own = agreeing.agree(plant.berlin, plant.labeller, agreement(NIGHT), by=plant.planner)
    loner = world.asset(plant.berlin, "Z1")
    held = effective_calendars([plant.line, plant.filler, plant.labeller, loner, plant.foreign], MONDAY)
    assert {pk: (holding.calendar, holding.owner_id, holding.why) for pk, holding in held.items()} == {
        plant.line.pk: (line, plant.line.pk, "own"),
        plant.filler.pk: (line, plant.line.pk, "ancestor"),
        plant.labeller.pk: (own, plant.labeller.pk, "own"),
        loner.pk: (site, None, "site"),
        plant.foreign.pk: (None, None, "none"),
    }


def test_outside_its_days_a_calendar_leaves_the_asset_to_what_is_above(plant):
    agreeing.agree(plant.berlin, None, agreement(EARLY), by=plant.planner)
    week = agreement(EARLY, NIGHT, since=MONDAY, until=MONDAY + 7 * DAY)
    agreeing.agree(plant.berlin, plant.filler, week, by=plant.planner)
    whys = [effective_calendar(plant.filler, MONDAY + n * DAY).why for n in (-1, 0, 6, 7)]
    assert whys == ["site", "own", "own", "site"]
    assert hours(plant.filler, at(MONDAY - 7 * DAY), at(MONDAY)) == 40
    assert hours(plant.filler, at(MONDAY), at(MONDAY + 7 * DAY)) == 80
    assert hours(plant.filler, at(MONDAY + 7 * DAY), at(MONDAY + 14 * DAY)) == 40


def test_a_night_shift_belongs_to_the_calendar_of_the_day_on_which_it_starts(plant):
    agreeing.agree(plant.berlin, None, agreement(NIGHT, until=MONDAY, days=range(7)), by=plant.planner)
    agreeing.agree(plant.berlin, None, agreement(EARLY, since=MONDAY), by=plant.planner)
    assert scheduled_time([plant.filler], at(MONDAY), at(MONDAY + DAY)) == {
        plant.filler.pk: [(at(MONDAY, 0), at(MONDAY, 14))]
    }


def test_the_window_cuts(plant):
    agreeing.agree(plant.berlin, None, agreement(NIGHT), by=plant.planner)
    assert scheduled_time([plant.filler], at(MONDAY, 23), at(MONDAY, 24 + 2))[plant.filler.pk] == [
        (at(MONDAY, 23), at(MONDAY, 26))
    ]
    assert scheduled_time([plant.filler], at(MONDAY + DAY, 1), at(MONDAY + DAY, 5))[plant.filler.pk] == [
        (at(MONDAY + DAY, 1), at(MONDAY + DAY, 5))
    ]


def test_a_moved_asset_follows_the_calendar_of_its_place_at_that_time(plant):
    second = world.asset(plant.berlin, "L2", level="line")
    agreeing.agree(plant.berlin, plant.line, agreement(EARLY), by=plant.planner)
    agreeing.agree(plant.berlin, second, agreement(NIGHT), by=plant.planner)
    tree.move(plant.filler, second, by=plant.planner, at=at(MONDAY, 10))
    assert scheduled_time([plant.filler], at(MONDAY), at(MONDAY + DAY))[plant.filler.pk] == [
        (at(MONDAY, 6), at(MONDAY, 10)),
        (at(MONDAY, 22), at(MONDAY, 24)),
    ]
    assert effective_calendar(plant.filler, MONDAY - DAY).owner_id == plant.line.pk
    assert effective_calendar(plant.filler, MONDAY).owner_id == second.pk


def test_many_assets_cost_a_constant_number_of_queries(plant, django_assert_num_queries):
    agreeing.agree(plant.berlin, plant.line, agreement(EARLY, exceptions={MONDAY: ()}), by=plant.planner)
    machines = [world.asset(plant.berlin, f"C{n}", parent=plant.filler) for n in range(25)]
    for some in (machines[:1], machines):
        with django_assert_num_queries(5):
            found = scheduled_time(some, at(MONDAY), at(MONDAY + 7 * DAY))
        assert {length(intervals) for intervals in found.values()} == {timedelta(hours=32)}
    with django_assert_num_queries(5):
        effective_calendars(machines, MONDAY)


# --- Agree, change, take back --------------------------------------------------------------------------


def test_an_agreement_is_kept_as_it_was_made(plant):
    made = Agreement(
        "Two shifts",
        Pattern(MONDAY, None, weekdays(EARLY, NIGHT), {MONDAY + DAY: (), MONDAY + 2 * DAY: (EARLY,)}),
        {MONDAY + DAY: "Stocktaking"},
    )
    calendar = agreeing.agree(plant.berlin, plant.line, made, by=plant.planner)
    assert agreeing.agreement_of(OperatingCalendar.objects.get(pk=calendar.pk)) == made
    event = history(calendar).get()
    assert event.verb == "calendar.agreed"
    assert event.data["calendar"]["exceptions"] == [
        {"date": "2026-03-03", "name": "Stocktaking", "intervals": []},
        {"date": "2026-03-04", "name": "", "intervals": [{"start": "06:00", "end": "14:00"}]},
    ]


def test_a_change_keeps_the_former_agreement_in_its_event(plant):
    calendar = agreeing.agree(plant.berlin, None, agreement(EARLY), by=plant.planner)
    agreeing.change(calendar, agreement(NIGHT, name="Nights"), by=plant.planner, version=1)
    calendar.refresh_from_db()
    assert (calendar.name, calendar.version) == ("Nights", 2)
    event = history(calendar).first()
    assert (event.verb, event.data["before"]["name"], event.data["calendar"]["name"]) == (
        "calendar.changed", "Shifts", "Nights",
    )  # fmt: skip
    before = everything()
    agreeing.change(calendar, agreement(NIGHT, name="Nights"), by=plant.planner)
    with pytest.raises(Conflict):
        agreeing.change(calendar, agreement(EARLY), by=plant.planner, version=1)
    assert everything() == before


def test_a_calendar_is_taken_back_and_its_event_keeps_it(plant):
    calendar = agreeing.agree(plant.berlin, plant.line, agreement(EARLY), by=plant.planner)
    agreeing.remove(calendar, by=plant.planner)
    assert effective_calendar(plant.filler, MONDAY).why == "none"
    assert Event.objects.get(verb="calendar.removed").data["calendar"]["weekly"][0] == {
        "weekday": 0, "start": "06:00", "end": "14:00",
    }  # fmt: skip
    with pytest.raises(Conflict):
        agreeing.remove(calendar, by=plant.planner)


def test_an_impossible_agreement_is_refused_at_its_field(plant):
    agreeing.agree(plant.berlin, None, agreement(EARLY, since=MONDAY, until=MONDAY + 7 * DAY), by=plant.planner)
    before = everything()
    for asset, made, code, field in (
        (None, agreement(NIGHT, since=MONDAY + 6 * DAY), "calendar_overlaps", "valid_from"),
        (None, agreement(NIGHT, since=MONDAY - DAY, until=MONDAY + DAY), "calendar_overlaps", "valid_from"),
        (plant.line, agreement(EARLY, since=MONDAY, until=MONDAY), "end_before_start", "valid_to"),
        (plant.line, agreement(EARLY, name=" "), "required", "name"),
        (plant.line, agreement(EARLY, Slot(time(13), time(20))), "slots_overlap", "weekly"),
        (plant.line, agreement(EARLY, since=MONDAY, exceptions={MONDAY - DAY: ()}), "exception_outside", "exceptions"),
        (plant.line, agreement(EARLY, exceptions={MONDAY: (EARLY, EARLY)}), "slots_overlap", "exceptions"),
        (plant.foreign, agreement(EARLY), "unknown_asset", "asset"),
    ):
        with pytest.raises(Refused) as refusal:
            agreeing.agree(plant.berlin, asset, made, by=plant.planner)
        assert (refusal.value.code, refusal.value.field) == (code, field)
    for who in (plant.technician, plant.manager, plant.requester, plant.stranger):
        with pytest.raises(NotAllowed):
            agreeing.agree(plant.berlin, plant.line, agreement(EARLY), by=who)
    assert everything() == before
    agreeing.agree(plant.berlin, None, agreement(NIGHT, since=MONDAY + 7 * DAY), by=plant.planner)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_agree_at_once_make_one_calendar():
    plant = world.build()
    results = together(
        lambda: agreeing.agree(plant.berlin, None, agreement(EARLY), by=plant.planner),
        lambda: agreeing.agree(plant.berlin, None, agreement(NIGHT), by=plant.administrator),
    )
    assert [error.code for error in results if isinstance(error, Refused)] == ["calendar_overlaps"]
    assert OperatingCalendar.objects.count() == 1
