"""Scheduled time as a number line: how many scheduled seconds lie before an instant.

On this axis clip, merge and sum of stops are subtractions of integers, without a join of calendars. Pure;
instants are whole seconds since 1970, as the set-based SQL uses them.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import floor
from zoneinfo import ZoneInfo

from kpis.intervals import DAY, Calendar, Slots, Span, day_begins, days_of, on_the_clock, production_date

FAR = 9_000_000_000_000_000  # an instant beyond all others, for spans without an end
NEVER = 250_000_000_000  # an instant after all records that still is a date
EVER = -60_000_000_000  # an instant before all records that still is a date


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970; parts of a second are dropped, everywhere in the same way."""
    return floor(moment.timestamp())


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Axis:
    """Disjoint scheduled slots in order; `base[i] + min(t, ends[i])` is the scheduled time before t in or after slot i.

    Without slots (`always`) every second is scheduled.
    """

    starts: Sequence[int] = ()
    ends: Sequence[int] = ()
    base: Sequence[int] = ()
    always: bool = False

    def at(self, moment: int) -> int:
        """Scheduled seconds before the instant, counted from an arbitrary origin."""
        if self.always:
            return moment
        index = bisect_right(self.starts, moment) - 1
        return self.base[index] + min(moment, self.ends[index])

    def between(self, start: int, end: int) -> int:
        return self.at(end) - self.at(start) if end > start else 0

    def around(self, spans: Sequence[tuple[int, int]]) -> "Axis":
        """The same for instants of disjoint spans in order, ends included, with only the slots that these need."""
        if self.always:
            return self
        kept: list[int] = []
        for lo, hi in spans:
            first, last = bisect_right(self.starts, lo) - 1, bisect_right(self.starts, hi) - 1
            kept += range(max(first, kept[-1] + 1) if kept else first, last + 1)
        starts, ends, base = ([each[index] for index in kept] for each in (self.starts, self.ends, self.base))
        return Axis(starts, ends, base)


ALWAYS = Axis(always=True)


def axis(owners: Sequence[Sequence[Calendar]], first: int, last: int, zone: ZoneInfo) -> Axis:
    """The axis of a chain of calendar owners, nearest first, valid from `first` to `last`."""
    if not any(owners):
        return ALWAYS
    day = instant(first).astimezone(zone).date() - DAY  # a night shift of the day before may reach in
    days = (instant(last).astimezone(zone).date() - day).days + 1
    return _axis(day, days_of(owners, day, days), zone)


@lru_cache(maxsize=32)
def _axis(first: date, days: tuple[Slots, ...], zone: ZoneInfo) -> Axis:
    """The axis of days with these slots, from `first` on; calendars alike share it."""
    slots = _clocked(first, days, zone)
    # A slot of no length at the very beginning, so that every instant has one before it.
    starts, ends, base = [-FAR], [-FAR], [FAR]
    total = 0
    for start, end in sorted(slots):
        if start <= ends[-1]:
            grown = max(0, end - ends[-1])
            ends[-1] += grown
        else:
            starts.append(start)
            ends.append(end)
            base.append(total - start)
            grown = end - start
        total += grown
    return Axis(starts, ends, base)


def _clocked(day: date, days: Sequence[Slots], zone: ZoneInfo) -> list[tuple[int, int]]:
    """The slots as instants; whole days of one offset by plain addition, days of a clock change by the clock."""
    found: list[tuple[int, int]] = []
    for slots in days:
        midnight, plain = _midnight(day, zone)
        following, plain_following = _midnight(day + DAY, zone)
        for opens, closes in slots:
            over = closes <= opens
            start = midnight + _seconds(opens) if plain else epoch(on_the_clock(day, opens, zone))
            if over:
                stop = following + _seconds(closes) if plain_following else epoch(on_the_clock(day + DAY, closes, zone))
            else:
                stop = midnight + _seconds(closes) if plain else epoch(on_the_clock(day, closes, zone))
            if start < stop:
                found.append((start, stop))
        day += DAY
    return found


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


@lru_cache(maxsize=50_000)
def _midnight(day: date, zone: ZoneInfo) -> tuple[int, bool]:
    """When the date begins, and whether its clock runs through without a change."""
    begins = on_the_clock(day, time.min, zone)
    return epoch(begins), on_the_clock(day + DAY, time.min, zone) - begins == timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ProductionDays:
    """Borders of consecutive production days; day i is [borders[i], borders[i + 1]) and has the date first + i."""

    first: date
    borders: list[int]

    @classmethod
    def around(cls, start: int, end: int, zone: ZoneInfo, begins: time) -> "ProductionDays":
        """The production days that share time with [start, end)."""
        first = day = production_date(instant(start), zone, begins)
        borders = [epoch(day_begins(day, zone, begins))]
        while borders[-1] < end or len(borders) < 2:
            day += DAY
            borders.append(epoch(day_begins(day, zone, begins)))
        return cls(first, borders)

    def position(self, moment: int) -> int:
        """The position of the day that contains the instant."""
        return bisect_right(self.borders, moment) - 1

    def day(self, position: int) -> date:
        return self.first + position * DAY

    def begins(self, day: date) -> int:
        return self.borders[(day - self.first).days]

    def within(self, start: int, end: int) -> tuple[date, date]:
        """First and past date of the known days that share time with the span."""
        lo, hi = max(start, self.borders[0]), min(end, self.borders[-1])
        return (
            (self.first, self.first) if lo >= hi else (self.day(self.position(lo)), self.day(self.position(hi - 1) + 1))
        )

    def whole(self, start: int, end: int) -> tuple[int, int]:
        """The span widened to whole production days, as far as they are known."""
        last = min(len(self.borders) - 1, self.position(end - 1) + 1)
        return self.borders[max(0, self.position(start))], self.borders[last]


def span_of(start: int, end: int) -> Span:
    return Span(instant(start), instant(end))
