"""Span algebra, production days and operating calendars."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.intervals import (
    Calendar,
    Span,
    at_least,
    clip,
    intersect,
    on_the_clock,
    production_date,
    production_day,
    production_days,
    schedule,
    seconds,
    span,
    subtract,
    union,
)

BERLIN = ZoneInfo("Europe/Berlin")
CHICAGO = ZoneInfo("America/Chicago")
MIDNIGHT = time(0)
NIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def s(start: float, end: float) -> Span:
    return Span(NIGHT + timedelta(seconds=start), NIGHT + timedelta(seconds=end))


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: s(pair[0], pair[0] + pair[1])))


def instants(items) -> set[int]:
    """The whole seconds that the spans cover: the definition against which the algebra is held."""
    return {
        second
        for each in items
        for second in range(int((each.start - NIGHT).total_seconds()), int((each.end - NIGHT).total_seconds()))
    }


def test_a_naive_local_or_reversed_span_is_refused():
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        Span(naive, NIGHT)
    with pytest.raises(ValueError, match="not in UTC"):
        Span(NIGHT.astimezone(BERLIN), NIGHT)
    with pytest.raises(ValueError, match="before it starts"):
        Span(NIGHT + timedelta(1), NIGHT)
    with pytest.raises(ValueError, match="no time zone"):
        span(naive, naive)


def test_a_span_of_local_times_is_as_long_as_it_really_lasts():
    spring = span(datetime(2026, 3, 28, 22, tzinfo=BERLIN), datetime(2026, 3, 29, 6, tzinfo=BERLIN))
    autumn = span(datetime(2026, 10, 24, 22, tzinfo=BERLIN), datetime(2026, 10, 25, 6, tzinfo=BERLIN))
    assert (spring.seconds, autumn.seconds) == (7 * 3600, 9 * 3600)
    assert span(NIGHT.astimezone(timezone(timedelta(hours=5))), NIGHT).seconds == 0


def test_touching_spans_join_and_empty_ones_vanish():
    assert union([s(0, 5), s(5, 9), s(20, 20)]) == (s(0, 9),)


@given(spans, spans)
def test_the_algebra_is_that_of_sets(one, other):
    assert instants(union(one, other)) == instants(one) | instants(other)
    assert instants(intersect(one, other)) == instants(one) & instants(other)
    assert instants(subtract(one, other)) == instants(one) - instants(other)
    assert instants(clip(one, s(5, 25))) == instants(one) & set(range(5, 25))
    assert seconds(one) == len(instants(one))


@given(spans)
def test_a_union_is_sorted_disjoint_and_does_not_touch(items):
    merged = union(items)
    assert all(left.end < right.start for left, right in pairwise(merged))
    assert union(merged) == merged


@given(st.lists(spans, max_size=5), st.integers(1, 5))
def test_at_least_counts_members_not_spans(members, number):
    expected = {second for second in range(60) if sum(second in instants(each) for each in members) >= number}
    assert instants(at_least(members, number)) == expected


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_production_day_has_23_24_or_25_hours(day, hours):
    assert production_day(day, BERLIN, MIDNIGHT).seconds == hours * 3600


@pytest.mark.parametrize("starts", [time(0), time(2, 30), time(6), time(22, 15)])
@pytest.mark.parametrize("zone", [BERLIN, CHICAGO, ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")])
def test_every_instant_lies_in_exactly_its_production_day(zone, starts):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment < datetime(2027, 1, 1, tzinfo=UTC):
        day = production_date(moment, zone, starts)
        assert production_day(day, zone, starts).covers(moment)
        moment += timedelta(minutes=607)


def test_the_production_days_of_a_window_follow_each_other_without_gap():
    window = Span(datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 4, 1, 3, tzinfo=UTC))
    days = list(production_days(window, BERLIN, time(6)))
    assert [day for day, _ in days] == [date(2026, 3, 27) + timedelta(n) for n in range(5)]
    assert all(one[1].end == other[1].start for one, other in pairwise(days))


def test_a_time_that_the_clock_skips_is_the_moment_of_the_jump():
    assert on_the_clock(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert on_the_clock(date(2026, 3, 29), time(3), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_of_a_time_that_comes_twice_the_first_counts():
    assert on_the_clock(date(2026, 10, 25), time(2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


EARLY_LATE_NIGHT = ((time(6), time(14)), (time(14), time(22)), (time(22), time(6)))


def scheduled(weekly, day: date, *, zone=BERLIN, **calendar) -> float:
    return seconds(schedule([[Calendar(weekly=weekly, **calendar)]], production_day(day, zone, MIDNIGHT), zone))


def test_three_shifts_cover_every_day_also_when_the_clock_changes():
    weekly = dict.fromkeys(range(7), EARLY_LATE_NIGHT)
    for day, hours in [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]:
        assert scheduled(weekly, day) == hours * 3600


def test_a_night_shift_reaches_into_the_next_day():
    friday_night = {4: ((time(22), time(6)),)}
    assert scheduled(friday_night, date(2026, 3, 6)) == 2 * 3600
    assert scheduled(friday_night, date(2026, 3, 7)) == 6 * 3600
    assert scheduled({5: ((time(22), time(6)),)}, date(2026, 3, 29)) == 5 * 3600  # the clock jumps at 02:00


def test_a_slot_in_the_skipped_hour_keeps_what_exists_of_it():
    assert scheduled({6: ((time(2, 15), time(2, 45)),)}, date(2026, 3, 29)) == 0
    assert scheduled({6: ((time(2, 30), time(3, 30)),)}, date(2026, 3, 29)) == 1800
    assert scheduled({6: ((time(2), time(3)),)}, date(2026, 10, 25)) == 2 * 3600


def test_a_slot_that_ends_where_it_starts_lasts_the_whole_day():
    assert scheduled({0: ((time(0), time(0)),)}, date(2026, 3, 2)) == 24 * 3600
    assert scheduled({0: ((time(6), time(6)),)}, date(2026, 3, 2)) == 18 * 3600


def test_an_exception_replaces_what_starts_on_its_date():
    weekly = dict.fromkeys(range(7), ((time(22), time(6)),))
    closed = {date(2026, 3, 4): ()}
    assert scheduled(weekly, date(2026, 3, 4), exceptions=closed) == 6 * 3600
    assert scheduled(weekly, date(2026, 3, 5), exceptions=closed) == 2 * 3600
    extra = {date(2026, 3, 4): ((time(8), time(12)),)}
    assert scheduled({}, date(2026, 3, 4), exceptions=extra) == 4 * 3600


def test_a_date_takes_the_nearest_owner_with_a_calendar_for_it_else_the_whole_day():
    machine = [Calendar(weekly={0: ((time(8), time(10)),)}, valid_from=date(2026, 3, 9), valid_to=date(2026, 3, 16))]
    line = [Calendar(weekly={0: ((time(8), time(16)),)}, valid_from=date(2026, 3, 2))]
    for day, hours in [(date(2026, 2, 23), 24), (date(2026, 3, 2), 8), (date(2026, 3, 9), 2), (date(2026, 3, 16), 8)]:
        window = production_day(day, BERLIN, MIDNIGHT)
        assert seconds(schedule([machine, line], window, BERLIN)) == hours * 3600


def test_a_night_shift_on_the_last_day_of_a_calendar_is_worked_to_its_end():
    calendar = Calendar(weekly={0: ((time(22), time(6)),)}, valid_to=date(2026, 3, 3))
    nothing = Calendar(valid_from=date(2026, 3, 3))
    tuesday = production_day(date(2026, 3, 3), BERLIN, MIDNIGHT)
    assert seconds(schedule([[calendar, nothing]], tuesday, BERLIN)) == 6 * 3600
