"""Due instants of calendar triggers: tables for the cases that surprise, properties for the rest."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given
from hypothesis import strategies as st

from workorders.recurrence import (
    LONGEST,
    NTH,
    UNITS,
    Due,
    Trigger,
    TriggerError,
    due_after,
    due_after_completion,
    dues_after,
    dues_until,
    first_due,
    interval_at,
    preview,
)
from workorders.trigger_words import sentence

BERLIN = ZoneInfo("Europe/Berlin")
CHICAGO = ZoneInfo("America/Chicago")
APIA = ZoneInfo("Pacific/Apia")


def local_days(trigger: Trigger, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    since = datetime.combine(trigger.start, time.min, zone)
    found = dues_after(trigger, zone, since - timedelta(microseconds=1))
    return [next(found).astimezone(zone).date().isoformat() for _ in range(count)]


@pytest.mark.parametrize(
    ("trigger", "days"),
    [
        (Trigger(date(2026, 1, 5), every=10, unit="day"), ["2026-01-05", "2026-01-15", "2026-01-25"]),
        (Trigger(date(2026, 1, 7), unit="week"), ["2026-01-07", "2026-01-14", "2026-01-21"]),
        (
            Trigger(date(2026, 1, 7), every=2, unit="week", weekdays=(0, 3)),
            ["2026-01-08", "2026-01-19", "2026-01-22", "2026-02-02"],
        ),
        (
            Trigger(date(2026, 1, 31), unit="month"),
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"],
        ),
        (Trigger(date(2027, 12, 30), every=2, unit="month"), ["2027-12-30", "2028-02-29", "2028-04-30"]),
        (
            Trigger(date(2026, 1, 15), unit="month", last_day=True),
            ["2026-01-31", "2026-02-28", "2026-03-31"],
        ),
        (
            Trigger(date(2026, 1, 1), unit="month", weekdays=(1,), nth=2),
            ["2026-01-13", "2026-02-10", "2026-03-10"],
        ),
        (
            Trigger(date(2026, 1, 20), every=3, unit="month", weekdays=(4,), nth=-1),
            ["2026-01-30", "2026-04-24", "2026-07-31"],
        ),
        (
            Trigger(date(2024, 2, 29), unit="year"),
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        ),
        (Trigger(date(2026, 4, 30), every=5, unit="year"), ["2026-04-30", "2031-04-30", "2036-04-30"]),
        (Trigger(date(2026, 3, 10), unit="year", weekdays=(1,), nth=1), ["2027-03-02", "2028-03-07"]),
        (Trigger(date(2026, 2, 1), unit="year", last_day=True), ["2026-02-28", "2027-02-28", "2028-02-29"]),
        (
            Trigger(date(2026, 1, 1), rule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
            ["2026-01-30", "2026-02-27", "2026-03-31"],
        ),
        (Trigger(date(2026, 1, 31), rule="RRULE:FREQ=MONTHLY"), ["2026-01-31", "2026-02-28", "2026-03-31"]),
        (
            Trigger(date(2026, 1, 2), rule="FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR"),
            ["2026-01-02", "2026-01-05", "2026-01-06"],
        ),
        (
            Trigger(date(2026, 4, 22), rule="FREQ=WEEKLY;BYDAY=WE;BYMONTH=4,10"),
            ["2026-04-22", "2026-04-29", "2026-10-07"],
        ),
        (Trigger(date(2024, 2, 29), rule="FREQ=YEARLY"), ["2024-02-29", "2025-02-28", "2026-02-28"]),
        (
            Trigger(date(2026, 1, 10), rule="FREQ=YEARLY;BYMONTH=2,8"),
            ["2026-02-10", "2026-08-10", "2027-02-10"],
        ),
        (
            Trigger(date(2026, 1, 31), unit="month", floating=True),
            ["2026-02-28", "2026-03-28", "2026-04-28"],
        ),
    ],
    ids=lambda value: sentence(value) if isinstance(value, Trigger) else "",
)
def test_a_trigger_names_these_days(trigger, days):
    assert local_days(trigger, len(days)) == days


@pytest.mark.parametrize(
    ("trigger", "zone", "moments"),
    [
        pytest.param(
            Trigger(date(2026, 3, 28), at=time(2, 30), unit="day"),
            BERLIN,
            ["2026-03-28 02:30 +0100", "2026-03-29 03:30 +0200", "2026-03-30 02:30 +0200"],
            id="skipped time moves forward",
        ),
        pytest.param(
            Trigger(date(2026, 10, 24), at=time(2, 30), unit="day"),
            BERLIN,
            ["2026-10-24 02:30 +0200", "2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"],
            id="repeated time is the first",
        ),
        pytest.param(
            Trigger(date(2026, 3, 8), at=time(2), unit="week"),
            CHICAGO,
            ["2026-03-08 03:00 -0500", "2026-03-15 02:00 -0500"],
            id="the other site changes on another day",
        ),
        pytest.param(
            Trigger(date(2011, 12, 29), at=time(8), unit="day"),
            APIA,
            ["2011-12-29 08:00 -1000", "2011-12-31 08:00 +1400", "2012-01-01 08:00 +1400"],
            id="a day that a country left out falls due once",
        ),
    ],
)
def test_clock_changes(trigger, zone, moments):
    since = datetime.combine(trigger.start, time.min, zone)
    found = dues_after(trigger, zone, since - timedelta(microseconds=1))

    assert [next(found).astimezone(zone).strftime("%Y-%m-%d %H:%M %z") for _ in moments] == moments


def test_a_clock_change_between_two_dues_makes_the_week_an_hour_shorter():
    trigger = Trigger(date(2026, 3, 23), unit="week")

    first, second = dues_until(
        trigger, BERLIN, after=datetime(2026, 3, 22, tzinfo=UTC), until=datetime(2026, 4, 1, tzinfo=UTC)
    )

    assert second - first == timedelta(days=7, hours=-1)


def test_the_same_rule_falls_due_hours_apart_at_two_sites():
    trigger = Trigger(date(2026, 6, 1), at=time(6), unit="day")
    since = datetime(2026, 6, 1, tzinfo=UTC)

    assert first_due(trigger, BERLIN, since) == datetime(2026, 6, 1, 4, tzinfo=UTC)
    assert first_due(trigger, CHICAGO, since) == datetime(2026, 6, 1, 11, tzinfo=UTC)


def test_a_plan_that_takes_effect_late_does_not_make_up_for_earlier_days():
    trigger = Trigger(date(2021, 3, 1), every=5, unit="year")

    assert first_due(trigger, BERLIN, datetime(2026, 3, 2, tzinfo=UTC)) == datetime(2031, 3, 1, 7, tzinfo=UTC)
    assert first_due(trigger, BERLIN, datetime(2026, 2, 2, tzinfo=UTC)) == datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_a_floating_trigger_begins_at_its_start_or_at_once():
    trigger = Trigger(date(2026, 6, 1), every=2, unit="week", floating=True)
    late = datetime(2026, 6, 9, 12, tzinfo=UTC)

    assert first_due(trigger, BERLIN, datetime(2026, 5, 1, tzinfo=UTC)) == datetime(2026, 6, 1, 6, tzinfo=UTC)
    assert first_due(trigger, BERLIN, late) == late


def test_a_floating_trigger_counts_from_the_local_day_of_completion():
    trigger = Trigger(date(2026, 1, 1), unit="month", floating=True)
    still_the_31st_in_chicago = datetime(2026, 2, 1, 5, 30, tzinfo=UTC)

    assert due_after_completion(trigger, CHICAGO, still_the_31st_in_chicago) == datetime(2026, 2, 28, 14, tzinfo=UTC)
    assert due_after_completion(trigger, BERLIN, still_the_31st_in_chicago) == datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_a_rule_ends_with_its_last_day_included():
    trigger = Trigger(date(2026, 1, 1), rule="FREQ=WEEKLY;UNTIL=20260115")
    last = datetime(2026, 1, 15, 7, tzinfo=UTC)

    assert due_after(trigger, BERLIN, datetime(2026, 1, 8, 7, tzinfo=UTC)) == last
    assert due_after(trigger, BERLIN, last) is None
    assert interval_at(trigger, BERLIN, last) == timedelta(days=7)


def test_the_interval_is_the_time_to_the_next_due_instant():
    trigger = Trigger(date(2026, 1, 5), unit="week", weekdays=(0, 3))

    assert interval_at(trigger, BERLIN, datetime(2026, 1, 5, 7, tzinfo=UTC)) == timedelta(days=3)
    assert interval_at(trigger, BERLIN, datetime(2026, 1, 8, 7, tzinfo=UTC)) == timedelta(days=4)


def test_a_preview_covers_twelve_months_of_the_site():
    trigger = Trigger(date(2026, 1, 31), unit="month")

    found = preview(trigger, BERLIN, since=datetime(2026, 1, 31, tzinfo=BERLIN))

    assert len(found) == 12
    assert found[0] == Due(1, datetime(2026, 1, 31, 7, tzinfo=UTC))
    assert found[-1] == Due(12, datetime(2026, 12, 31, 7, tzinfo=UTC))


def test_a_floating_preview_says_what_it_assumes():
    trigger = Trigger(date(2026, 1, 1), every=6, unit="month", floating=True)

    assert preview(trigger, BERLIN, since=datetime(2025, 12, 1, tzinfo=UTC), first_sequence=4) == [
        Due(4, datetime(2026, 1, 1, 7, tzinfo=UTC)),
        Due(5, datetime(2026, 7, 1, 6, tzinfo=UTC), assumed=True),
    ]


def test_a_preview_of_a_running_plan_begins_with_its_next_instant():
    trigger = Trigger(date(2026, 1, 1), unit="month")
    forecast = datetime(2026, 5, 1, 6, tzinfo=UTC)

    found = preview(trigger, BERLIN, since=datetime(2026, 3, 20, tzinfo=UTC), months=3, first=forecast)

    assert [due.due for due in found] == [forecast, datetime(2026, 6, 1, 6, tzinfo=UTC)]


def test_nothing_falls_due_before_a_start_beyond_the_preview():
    trigger = Trigger(date(2028, 1, 1))

    assert preview(trigger, BERLIN, since=datetime(2026, 1, 1, tzinfo=UTC)) == []


# --- Refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"unit": "hour"}, {"unit"}),
        ({"every": 0}, {"every"}),
        ({"unit": "year", "every": 51}, {"every"}),
        ({"unit": "week", "weekdays": (7,)}, {"weekdays"}),
        ({"unit": "week", "weekdays": (1, 1)}, {"weekdays"}),
        ({"unit": "day", "weekdays": (1,)}, {"weekdays"}),
        ({"unit": "month", "weekdays": (1,)}, {"nth"}),
        ({"unit": "month", "nth": 2}, {"weekdays"}),
        ({"unit": "month", "nth": 2, "weekdays": (1, 2)}, {"weekdays"}),
        ({"unit": "month", "nth": 5, "weekdays": (1,)}, {"nth"}),
        ({"unit": "week", "nth": 1, "weekdays": (1,)}, {"nth"}),
        ({"unit": "week", "last_day": True}, {"last_day"}),
        ({"unit": "month", "last_day": True, "weekdays": (1,), "nth": 1}, {"last_day"}),
        ({"every": 0, "last_day": True, "unit": "day"}, {"every", "last_day"}),
        ({"floating": True, "weekdays": (1,), "unit": "week"}, {"weekdays"}),
        ({"floating": True, "last_day": True}, {"last_day"}),
        ({"floating": True, "rule": "FREQ=DAILY"}, {"rule"}),
        ({"start": date(1899, 12, 31)}, {"start"}),
        ({"start": datetime(2026, 1, 1, tzinfo=UTC)}, {"start"}),
        ({"at": time(8, tzinfo=UTC)}, {"start"}),
        ({"rule": "every monday"}, {"rule"}),
        ({"rule": "FREQ=HOURLY"}, {"rule"}),
        ({"rule": "INTERVAL=2"}, {"rule"}),
        ({"rule": "FREQ=DAILY;FREQ=WEEKLY"}, {"rule"}),
        ({"rule": "FREQ=DAILY;COUNT=5"}, {"rule"}),
        ({"rule": "FREQ=DAILY;BYHOUR=6"}, {"rule"}),
        ({"rule": "FREQ=DAILY;DTSTART=20260101"}, {"rule"}),
        ({"rule": "FREQ=DAILY;INTERVAL=0"}, {"rule"}),
        ({"rule": "FREQ=YEARLY;INTERVAL=51"}, {"rule"}),
        ({"rule": "FREQ=DAILY;UNTIL=20270101T000000Z"}, {"rule"}),
        ({"rule": "FREQ=DAILY;UNTIL=99991231"}, {"rule"}),
        ({"rule": "FREQ=DAILY;UNTIL=20251231"}, {"rule"}),
        ({"rule": "FREQ=YEARLY;UNTIL=20260601"}, {"rule"}),
        ({"rule": "FREQ=WEEKLY;BYDAY=XX"}, {"rule"}),
        ({"rule": "FREQ=MONTHLY;BYMONTHDAY=40"}, {"rule"}),
        ({"rule": "FREQ=DAILY;BYMONTHDAY=30"}, {"rule"}),
        ({"rule": "FREQ=DAILY;INTERVAL=7;BYDAY=MO"}, {"rule"}),
        ({"rule": "FREQ=WEEKLY;BYMONTH=13"}, {"rule"}),
        ({"rule": "FREQ=WEEKLY;BYMONTH=-1"}, {"rule"}),
        ({"rule": "FREQ=WEEKLY;BYSETPOS=9"}, {"rule"}),
        ({"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, {"rule"}),
        ({"rule": "FREQ=DAILY\nEXDATE:20260101"}, {"rule"}),
        ({"rule": "FREQ=DAILY", "last_day": True}, {"rule"}),
        ({"rule": "FREQ=YEARLY;BYMONTH=2,8", "start": date(2026, 1, 31)}, {"rule"}),
    ],
)
def test_a_trigger_that_cannot_be_planned_names_the_field(fields, named):
    with pytest.raises(TriggerError) as refused:
        Trigger(**{"start": date(2026, 1, 1), **fields})

    assert set(refused.value.errors) == named


def test_a_naive_moment_is_an_error():
    with pytest.raises(ValueError, match="no time zone"):
        due_after(Trigger(date(2026, 1, 1)), BERLIN, datetime(2026, 1, 1))  # noqa: DTZ001


# --- In words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (Trigger(date(2026, 1, 5), unit="day"), "every day at 08:00"),
        (Trigger(date(2026, 1, 5), every=10, unit="day", at=time(22, 30)), "every 10 days at 22:30"),
        (Trigger(date(2026, 1, 5), unit="week"), "every week on Monday at 08:00"),
        (
            Trigger(date(2026, 1, 5), every=2, unit="week", weekdays=(3, 0)),
            "every 2 weeks on Monday and Thursday at 08:00",
        ),
        (
            Trigger(date(2026, 1, 5), unit="week", weekdays=(0, 2, 4)),
            "every week on Monday, Wednesday and Friday at 08:00",
        ),
        (Trigger(date(2026, 1, 15)), "every month on day 15 at 08:00"),
        (
            Trigger(date(2026, 1, 31), every=3),
            "every 3 months on day 31 or the last of a shorter month at 08:00",
        ),
        (Trigger(date(2026, 1, 1), last_day=True), "every month on the last day at 08:00"),
        (Trigger(date(2026, 1, 1), weekdays=(1,), nth=2), "every month on the 2nd Tuesday at 08:00"),
        (Trigger(date(2026, 3, 14), unit="year"), "every year on 14 March at 08:00"),
        (
            Trigger(date(2024, 2, 29), unit="year"),
            "every year on 29 February, or the 28th in a common year at 08:00",
        ),
        (
            Trigger(date(2026, 3, 1), every=2, unit="year", weekdays=(4,), nth=-1),
            "every 2 years on the last Friday of March at 08:00",
        ),
        (
            Trigger(date(2026, 2, 1), unit="year", last_day=True),
            "every year on the last day of February at 08:00",
        ),
        (
            Trigger(date(2026, 1, 5), every=6, unit="week", floating=True),
            "6 weeks after each completion, first on 5 Jan 2026",
        ),
        (Trigger(date(2026, 1, 5), rule="FREQ=DAILY"), "by the rule FREQ=DAILY at 08:00"),
    ],
)
def test_a_trigger_is_said_in_words(trigger, words):
    assert sentence(trigger) == words


# --- Properties --------------------------------------------------------------------------------

zones = st.sampled_from([BERLIN, CHICAGO, APIA, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")])
moments = st.datetimes(datetime(2005, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def triggers(draw, floating=None):
    unit = draw(st.sampled_from(UNITS))
    fields = {
        "start": draw(st.dates(date(2000, 1, 1), date(2030, 12, 31))),
        "at": draw(st.times()).replace(second=0, microsecond=0),
        "every": draw(st.integers(1, min(LONGEST[unit], 15))),
        "unit": unit,
        "floating": draw(floating) if floating is not None else False,
    }
    if fields["floating"]:
        return Trigger(**fields)
    if unit == "week":
        fields["weekdays"] = tuple(draw(st.sets(st.integers(0, 6))))
    elif unit in ("month", "year"):
        match draw(st.sampled_from(["day", "nth", "last"])):
            case "nth":
                fields |= {"nth": draw(st.sampled_from(NTH)), "weekdays": (draw(st.integers(0, 6)),)}
            case "last":
                fields["last_day"] = True
    return Trigger(**fields)


def longest_gap(trigger: Trigger) -> timedelta:
    """An interval's longest length: months of 31 days, a week's worth of shift for nth weekdays, clocks."""
    days = {"day": 1, "week": 7, "month": 31, "year": 366}[trigger.unit] * trigger.every
    return timedelta(days=days + (7 if trigger.weekdays else 0) + 2)


def shortest_gap(trigger: Trigger) -> timedelta:
    """An interval's shortest length; Apia's missing day can halve the time between two days."""
    if trigger.unit == "week" and trigger.weekdays:
        return timedelta(0)
    days = {"day": 1, "week": 7, "month": 28, "year": 365}[trigger.unit] * trigger.every
    return timedelta(days=days - (7 if trigger.nth else 0) - 3 if trigger.unit in ("month", "year") else days - 1)


@given(triggers(floating=st.booleans()), zones, moments)
def test_dues_rise_and_keep_within_the_bounds_of_the_interval(trigger, zone, moment):
    found = dues_after(trigger, zone, moment)
    run = [next(found) for _ in range(6)]

    assert run[0] > moment
    for earlier, later in pairwise(run):
        assert timedelta(0) < later - earlier <= longest_gap(trigger)
        assert later - earlier >= shortest_gap(trigger)


@given(triggers(), zones, moments)
def test_where_one_begins_to_ask_does_not_change_the_answer(trigger, zone, moment):
    assume(moment.date() < trigger.start + timedelta(days=365 * 5))
    before_start = datetime.combine(trigger.start, time.min, UTC) - timedelta(days=3)
    limit = moment + longest_gap(trigger)

    from_the_start = dues_until(trigger, zone, after=before_start, until=limit)

    assert dues_until(trigger, zone, after=moment, until=limit) == [due for due in from_the_start if due > moment]


@given(triggers(), zones, moments)
def test_every_due_instant_shows_the_wall_clock_time_unless_the_clock_skips_it(trigger, zone, moment):
    due = due_after(trigger, zone, moment)
    local = due.astimezone(zone)
    nominal = local.replace(hour=trigger.at.hour, minute=trigger.at.minute, fold=0)
    exists = nominal.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == nominal.replace(tzinfo=None)

    if exists and zone is not APIA:
        assert (local.hour, local.minute, local.fold) == (trigger.at.hour, trigger.at.minute, 0)


@given(triggers(), zones, moments, st.integers(1, 12))
def test_the_preview_is_what_going_from_one_occurrence_to_the_next_gives(trigger, zone, moment, months):
    until = (moment.astimezone(zone).replace(tzinfo=None) + relativedelta(months=months)).replace(tzinfo=zone)
    walked, due = [], first_due(trigger, zone, moment)
    while due is not None and due <= until:
        walked.append(due)
        due = due_after(trigger, zone, due)

    shown = preview(trigger, zone, since=moment, months=months)

    assert [due.due for due in shown] == walked
    assert [due.sequence for due in shown] == list(range(1, len(walked) + 1))


@given(triggers(floating=st.just(True)), zones, moments)
def test_a_floating_due_day_is_the_day_of_completion_plus_the_interval(trigger, zone, completed):
    assume(zone is not APIA)
    interval = relativedelta(**{f"{trigger.unit}s": trigger.every})

    due = due_after_completion(trigger, zone, completed)

    assert due.astimezone(zone).date() == completed.astimezone(zone).date() + interval


@given(triggers().filter(lambda t: t.unit == "month" and not t.weekdays), zones, moments)
def test_month_ends_leave_no_month_out(trigger, zone, moment):
    assume(zone is not APIA)
    found = dues_after(trigger, zone, moment)
    run = [next(found).astimezone(zone) for _ in range(8)]
    months = [due.year * 12 + due.month for due in run]

    assert {later - earlier for earlier, later in pairwise(months)} == {trigger.every}
