"""Arithmetic of time: half-open spans of instants, production days, and weekly patterns on a local clock.

Pure: no database, no settings. Spans hold UTC instants, because a difference of two local times with the
same zone is a difference of wall clocks, which is an hour wrong over a clock change.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Spans = tuple["Span", ...]
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The instants from `start` up to, not including, `end`; both UTC. ValueError when naive, local or reversed."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.tzinfo is None:
                raise ValueError(f"{moment} has no time zone.")
            if moment.tzinfo is not UTC:
                raise ValueError(f"{moment} is not in UTC.")
        if self.end < self.start:
            raise ValueError(f"The span ends ({self.end}) before it starts ({self.start}).")

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / SECOND

    def covers(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def span(start: datetime, end: datetime) -> Span:
    """A span of two aware instants in any zone."""
    return Span(utc(start), utc(end))


def utc(moment: datetime) -> datetime:
    """The aware instant in UTC; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone.")
    return moment.astimezone(UTC)


# --- Algebra -----------------------------------------------------------------------------------


def union(*groups: Iterable[Span]) -> Spans:
    """Sorted, disjoint, non-touching and non-empty spans that cover the same instants."""
    merged: list[Span] = []
    for item in sorted(each for group in groups for each in group if each.start < each.end):
        if merged and item.start <= merged[-1].end:
            if item.end > merged[-1].end:
                merged[-1] = Span(merged[-1].start, item.end)
        else:
            merged.append(item)
    return tuple(merged)


def intersect(one: Iterable[Span], other: Iterable[Span]) -> Spans:
    """Instants in both."""
    left, right = union(one), union(other)
    shared: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i].start, right[j].start), min(left[i].end, right[j].end)
        if start < end:
            shared.append(Span(start, end))
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1
    return tuple(shared)


def subtract(one: Iterable[Span], other: Iterable[Span]) -> Spans:
    """Instants in the first and not in the second."""
    taken = union(other)
    left: list[Span] = []
    for item in union(one):
        start = item.start
        for hole in taken:
            if hole.end <= start:
                continue
            if hole.start >= item.end:
                break
            if hole.start > start:
                left.append(Span(start, hole.start))
            start = max(start, hole.end)
        if start < item.end:
            left.append(Span(start, item.end))
    return tuple(left)


def clip(spans: Iterable[Span], window: Span) -> Spans:
    """Instants inside the window."""
    return intersect(spans, (window,))


def seconds(spans: Iterable[Span]) -> float:
    """Length of the union: an instant covered twice counts once."""
    return sum((each.end - each.start for each in union(spans)), timedelta()) / SECOND


def at_least(members: Sequence[Iterable[Span]], number: int) -> Spans:
    """Instants covered by at least `number` of the members."""
    steps: list[tuple[datetime, int]] = []
    for member in members:
        for item in union(member):
            steps += [(item.start, 1), (item.end, -1)]
    steps.sort()
    covered: list[Span] = []
    depth = 0
    for index, (moment, step) in enumerate(steps):
        depth += step
        if depth >= number and index + 1 < len(steps):
            covered.append(Span(moment, steps[index + 1][0]))
    return union(covered)


# --- The local clock ---------------------------------------------------------------------------


def on_the_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant at which the local clock first shows `clock` on `day`, or has passed it where it jumps over it.

    A time that the clock skips in spring is the moment of the jump, so that a slot from 02:30 to 03:30 keeps
    its half hour; of a time that comes twice in autumn the first counts, so that the slot 02:00 to 03:00 lasts two.
    """
    local = datetime.combine(day, clock, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _jump_after(local.replace(fold=1).astimezone(UTC), moment, zone)


def _jump_after(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant in (before, after] at which the zone's offset changes."""
    offset = before.astimezone(zone).utcoffset()
    low, high = before, after
    while high - low > SECOND:
        middle = low + (high - low) // (2 * SECOND) * SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def day_begins(day: date, zone: ZoneInfo, starts: time) -> datetime:
    """The instant at which a production day begins, by the same rule as `core.models.Site.day_begins`."""
    return datetime.combine(day, starts, tzinfo=zone).astimezone(UTC)


def production_day(day: date, zone: ZoneInfo, starts: time) -> Span:
    """The production day: 24 hours, or 23 or 25 when the clock changes within it."""
    return Span(day_begins(day, zone, starts), day_begins(day + DAY, zone, starts))


def production_date(moment: datetime, zone: ZoneInfo, starts: time) -> date:
    """The date of the production day that contains the instant."""
    day = moment.astimezone(zone).date()
    return day if moment >= day_begins(day, zone, starts) else day - DAY


def production_days(window: Span, zone: ZoneInfo, starts: time) -> Iterator[tuple[date, Span]]:
    """The production days that share time with the window, whole."""
    day = production_date(window.start, zone, starts)
    while (whole := production_day(day, zone, starts)).start < window.end:
        yield day, whole
        day += DAY


# --- Operating calendars -----------------------------------------------------------------------

Slots = tuple[tuple[time, time], ...]  # wall clock; an end at or before the start lies on the next day


@dataclass(frozen=True, slots=True)
class Calendar:
    """A weekly pattern (weekday, Monday 0 → slots) with exceptions by date, from `valid_from` to before `valid_to`."""

    weekly: Mapping[int, Slots] = field(default_factory=dict)
    exceptions: Mapping[date, Slots] = field(default_factory=dict)
    valid_from: date = date.min
    valid_to: date = date.max

    def holds(self, day: date) -> bool:
        return self.valid_from <= day < self.valid_to

    def slots(self, day: date) -> Slots:
        """The slots that start on this date."""
        return self.exceptions[day] if day in self.exceptions else self.weekly.get(day.weekday(), ())


ALL_DAY: Slots = ((time.min, time.min),)


def slots_of(owners: Sequence[Sequence[Calendar]], day: date) -> Slots:
    """Slots that start on this date: those of the nearest owner with a calendar for the date, else the whole day."""
    for calendars in owners:
        for calendar in calendars:
            if calendar.holds(day):
                return calendar.slots(day)
    return ALL_DAY


def days_of(owners: Sequence[Sequence[Calendar]], first: date, number: int) -> tuple[Slots, ...]:
    """`slots_of` so many days from the first on; where one calendar holds all the time, by its week."""
    days = [first + count * DAY for count in range(number)]
    one = next((calendars[0] for calendars in owners if calendars), None)
    if one is None or one.valid_from > first or one.valid_to <= days[-1]:
        return tuple(slots_of(owners, day) for day in days)
    week = [one.weekly.get(day.weekday(), ()) for day in days[:7]]
    slots = (week * (number // 7 + 1))[:number]
    for day, others in one.exceptions.items():
        if first <= day <= days[-1]:
            slots[(day - first).days] = others
    return tuple(slots)


def schedule(owners: Sequence[Sequence[Calendar]], window: Span, zone: ZoneInfo) -> Spans:
    """Scheduled time inside the window, owners nearest first (the asset, its ancestors, the site).

    A slot belongs wholly to the calendar of the date on which it starts, so a night shift that begins on a
    calendar's last day is worked to its end.
    """
    return clip(_scheduled(lambda day: slots_of(owners, day), window, zone), window)


def _scheduled(slots: Callable[[date], Slots], window: Span, zone: ZoneInfo) -> Iterator[Span]:
    day = window.start.astimezone(zone).date() - DAY  # a night shift of the day before may reach in
    last = window.end.astimezone(zone).date()
    while day <= last:
        for start, end in slots(day):
            opens = on_the_clock(day, start, zone)
            closes = on_the_clock(day if end > start else day + DAY, end, zone)
            if opens < closes:
                yield Span(opens, closes)
        day += DAY
