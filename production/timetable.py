"""The arithmetic of operating calendars: a weekly pattern becomes instants. Pure, without a database.

A slot is local wall clock of the day on which it starts; an end at or before its start lies on the next day,
so 22:00–06:00 is a night shift and 00:00–00:00 (written "24:00" by people) a whole day. At a clock change the
rule is that of the production day: a time that the clock skips moves forward by the jump, of a time that comes
twice the first counts. A slot that shrinks to nothing by this has no time on that day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

Interval = tuple[datetime, datetime]  # half-open, UTC
DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Slot:
    """Scheduled time from `start` to `end`, local wall clock."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}–{'24:00' if self.end == time(0) else f'{self.end:%H:%M}'}"

    @property
    def minutes(self) -> tuple[int, int]:
        """Start and end in minutes of the day on which it starts; an end on the next day is above 1440."""
        start, end = (self.start.hour * 60 + self.start.minute, self.end.hour * 60 + self.end.minute)
        return start, end if end > start else end + 1440

    @property
    def nominal(self) -> timedelta:
        """How long it lasts on a day without a clock change."""
        start, end = self.minutes
        return timedelta(minutes=end - start)

    def on(self, day: date, zone: ZoneInfo) -> Interval:
        """The instants of the slot that starts on the day; empty if the clock skips it."""
        start = instant(day, self.start, zone)
        end = instant(day if self.end > self.start else day + DAY, self.end, zone)
        return start, max(start, end)


@dataclass(frozen=True)
class Pattern:
    """A calendar as data: slots per weekday (0 is Monday), exceptions by date, valid from a date to before another."""

    valid_from: date
    valid_to: date | None = None
    weekly: Mapping[int, Sequence[Slot]] = field(default_factory=dict)
    exceptions: Mapping[date, Sequence[Slot]] = field(default_factory=dict)

    def slots_on(self, day: date) -> Sequence[Slot]:
        """The slots that start on the day."""
        if day < self.valid_from or (self.valid_to and day >= self.valid_to):
            return ()
        return self.exceptions[day] if day in self.exceptions else self.weekly.get(day.weekday(), ())

    def dated(self, first: date, last: date, zone: ZoneInfo) -> list[tuple[date, datetime, datetime]]:
        """(day, start, end) of every slot that starts on a day of [first, last), in order."""
        found = []
        day = first
        while day < last:
            for slot in sorted(self.slots_on(day)):
                start, end = slot.on(day, zone)
                if end > start:
                    found.append((day, start, end))
            day += DAY
        return found


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a local wall-clock time."""
    return datetime.combine(day, at.replace(tzinfo=None)).replace(tzinfo=zone).astimezone(UTC)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The union, in order, of intervals that may overlap or touch."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def clipped(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """The parts inside [start, end)."""
    return [(max(a, start), min(b, end)) for a, b in intervals if a < end and b > start]


def length(intervals: Iterable[Interval]) -> timedelta:
    return sum((end - start for start, end in intervals), timedelta())


@dataclass(frozen=True)
class Clash:
    """Two slots of a week that share time: (weekday, slot) and (weekday, slot)."""

    first: tuple[int, Slot]
    second: tuple[int, Slot]


def weekly_clash(weekly: Mapping[int, Sequence[Slot]]) -> Clash | None:
    """The first two slots of the repeating week that share time; a Sunday night shift reaches into Monday."""
    lined = sorted(
        (weekday * 1440 + slot.minutes[0], weekday * 1440 + slot.minutes[1], weekday, slot)
        for weekday, slots in weekly.items()
        for slot in slots
    )
    if not lined:
        return None
    first = lined[0]
    around = [*lined, (first[0] + 7 * 1440, first[1] + 7 * 1440, first[2], first[3])]
    for before, after in pairwise(around):
        if after[0] < before[1] and before is not after:
            return Clash((before[2], before[3]), (after[2], after[3]))
    return None


@dataclass(frozen=True)
class ClockNote:
    """What a change of the clock does to a slot: it lasts `actual` instead of its nominal time."""

    day: date
    slot: Slot
    actual: timedelta
    moved: tuple[time, time] | None  # a start or end that does not exist that day, and the one that is taken


def clock_notes(pattern: Pattern, zone: ZoneInfo, first: date, last: date) -> list[ClockNote]:
    """The slots starting in [first, last) whose length a change of the clock alters, or whose times it skips."""
    found = []
    for day in changing_days(zone, first, last):
        for start_day in (day - DAY, day):
            if not first <= start_day < last:
                continue
            for slot in sorted(pattern.slots_on(start_day)):
                start, end = slot.on(start_day, zone)
                moved = skipped(start_day, slot.start, zone) or skipped(
                    start_day if slot.end > slot.start else start_day + DAY, slot.end, zone
                )
                if end - start != slot.nominal or moved:
                    found.append(ClockNote(start_day, slot, end - start, moved))
    return found


def changing_days(zone: ZoneInfo, first: date, last: date) -> list[date]:
    """The local days of [first, last] that do not have 24 hours."""
    days = []
    day = first
    while day <= last:
        if instant(day + DAY, time(0), zone) - instant(day, time(0), zone) != DAY:
            days.append(day)
        day += DAY
    return days


def skipped(day: date, at: time, zone: ZoneInfo) -> tuple[time, time] | None:
    """The time and the one that is taken instead, if the clock skips it on that day."""
    taken = instant(day, at, zone).astimezone(zone).replace(tzinfo=None)
    return (at, taken.time()) if taken != datetime.combine(day, at) else None
