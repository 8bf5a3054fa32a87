"""Operating calendars as arithmetic: night shifts, whole days, exceptions, changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from production.timetable import ClockNote, Pattern, Slot, clock_notes, length, merged, weekly_clash

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
ALWAYS = date(2020, 1, 1)


def slot(text: str) -> Slot:
    start, end = text.split("-")
    return Slot(time.fromisoformat(start), time.fromisoformat(end))


def hours(pattern: Pattern, first: date, days: int = 1) -> float:
    dated = pattern.dated(first, first + timedelta(days=days), BERLIN)
    return length(merged((start, end) for _day, start, end in dated)) / timedelta(hours=1)


def daily(text: str) -> Pattern:
    return Pattern(ALWAYS, weekly={weekday: (slot(text),) for weekday in range(7)})


def test_a_slot_is_local_wall_clock():
    assert slot("06:00-14:00").on(MONDAY, BERLIN) == (
        datetime(2026, 3, 2, 5, tzinfo=UTC),
        datetime(2026, 3, 2, 13, tzinfo=UTC),
    )


def test_a_night_shift_ends_on_the_next_day():
    start, end = slot("22:00-06:00").on(MONDAY, BERLIN)
    assert (start, end) == (datetime(2026, 3, 2, 21, tzinfo=UTC), datetime(2026, 3, 3, 5, tzinfo=UTC))


def test_midnight_to_midnight_is_a_whole_day():
    assert str(slot("00:00-00:00")) == "00:00–24:00"
    assert hours(daily("00:00-00:00"), MONDAY, 7) == 168
    assert hours(daily("00:00-00:00"), date(2026, 3, 29)) == 23
    assert hours(daily("00:00-00:00"), date(2026, 10, 25)) == 25


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("22:00-06:00", date(2026, 3, 28), 7),  # the night in which the clock goes forward
        ("22:00-06:00", date(2026, 10, 24), 9),  # the night in which it goes back
        ("02:30-06:00", date(2026, 3, 29), 2.5),  # 02:30 does not exist and becomes 03:30
        ("00:00-02:30", date(2026, 3, 29), 2.5),  # likewise as an end: 00:00 to 03:30 summer time
        ("02:00-03:00", date(2026, 3, 29), 0),  # skipped as a whole
        ("02:30-03:15", date(2026, 3, 29), 0),
        ("02:30-06:00", date(2026, 10, 25), 4.5),  # 02:30 comes twice, the first counts
    ],
)
def test_the_clock_change_is_handled_as_for_the_production_day(text, day, expected):
    assert hours(daily(text), day) == expected


def test_shifts_that_meet_at_a_skipped_time_still_meet():
    pattern = Pattern(ALWAYS, weekly={6: (slot("00:00-02:30"), slot("02:30-10:00"))})
    dated = pattern.dated(date(2026, 3, 29), date(2026, 3, 30), BERLIN)
    assert dated[0][2] == dated[1][1]
    assert hours(pattern, date(2026, 3, 29)) == 9


def test_an_exception_replaces_what_starts_on_its_date():
    pattern = Pattern(
        ALWAYS,
        weekly={0: (slot("22:00-06:00"),), 1: (slot("22:00-06:00"),)},
        exceptions={MONDAY + timedelta(days=1): (slot("08:00-12:00"),), MONDAY + timedelta(days=7): ()},
    )
    assert hours(pattern, MONDAY) == 8, "Monday's night runs on into the exception's date"
    assert hours(pattern, MONDAY + timedelta(days=1)) == 4
    assert hours(pattern, MONDAY + timedelta(days=7)) == 0


def test_a_calendar_holds_from_its_first_day_to_before_its_last():
    pattern = Pattern(MONDAY, MONDAY + timedelta(days=2), weekly=daily("06:00-14:00").weekly)
    assert hours(pattern, MONDAY - timedelta(days=3), 10) == 16


@pytest.mark.parametrize(
    ("weekly", "clashes"),
    [
        ({0: ("06:00-14:00", "14:00-22:00")}, False),
        ({0: ("06:00-14:00", "13:59-22:00")}, True),
        ({0: ("22:00-06:00",), 1: ("06:00-14:00",)}, False),
        ({0: ("22:00-06:00",), 1: ("05:00-14:00",)}, True),
        ({6: ("22:00-06:00",), 0: ("05:59-14:00",)}, True),
        ({6: ("22:00-06:00",), 0: ("06:00-14:00",)}, False),
        ({0: ("00:00-00:00",)}, False),
        ({}, False),
    ],
)
def test_slots_of_a_week_share_no_time(weekly, clashes):
    slots = {weekday: tuple(slot(text) for text in texts) for weekday, texts in weekly.items()}
    assert (weekly_clash(slots) is not None) is clashes


def test_a_change_of_the_clock_is_said():
    pattern = Pattern(ALWAYS, weekly={5: (slot("22:00-06:00"),), 6: (slot("02:30-06:00"), slot("08:00-16:00"))})
    notes = clock_notes(pattern, BERLIN, date(2026, 3, 1), date(2026, 4, 30))
    assert notes == [
        ClockNote(date(2026, 3, 28), slot("22:00-06:00"), timedelta(hours=7), None),
        ClockNote(date(2026, 3, 29), slot("02:30-06:00"), timedelta(hours=2.5), (time(2, 30), time(3, 30))),
    ]
    assert clock_notes(pattern, ZoneInfo("UTC"), date(2026, 3, 1), date(2026, 4, 30)) == []
