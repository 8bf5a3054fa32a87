"""When the lines of the demo plant run: weekly patterns, holidays, a summer shutdown and a few extra Saturdays."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from cmms.demo.chance import stream
from cmms.demo.world import EARLY, Line, Pattern, SiteSpec


@dataclass(frozen=True)
class Shift:
    """One shift as instants; `day` is the local date on which it starts."""

    start: datetime
    end: datetime
    day: date

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class DayOff:
    """A date on which the pattern does not hold; with slots it is an extra shift instead."""

    day: date
    name: str
    slots: tuple[tuple[time, time], ...] = ()


def days(first: date, last: date) -> list[date]:
    """All dates from `first` to `last`, both included."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def pattern_days(line: Line, first: date, last: date) -> list[tuple[Pattern, date, date | None]]:
    """The patterns of a line with the dates [from, to) on which each holds; the last has no end."""
    length = (last - first).days
    begins = [first + timedelta(days=int(length * pattern.since)) for pattern in line.patterns]
    return list(zip(line.patterns, begins, [*begins[1:], None], strict=True))


def exceptions(line: Line, site: SiteSpec, first: date, last: date) -> dict[date, DayOff]:
    """Holidays, the week of the summer shutdown and extra Saturdays, up to half a year ahead."""
    chance = stream("exceptions", line.code)
    holidays = {(month, of_month): name for month, of_month, name in site.holidays}
    saturdays = any("5" in slot[0] for pattern in line.patterns for slot in pattern.slots)
    found: dict[date, DayOff] = {}
    for day in days(first, last + timedelta(days=180)):
        holiday = holidays.get((day.month, day.day))
        if site.code == "joliet" and day.month == 11 and day.weekday() == 3 and 22 <= day.day <= 28:
            holiday = "Thanksgiving"
        if holiday:
            found[day] = DayOff(day, holiday)
        elif day.month == 8 and day.weekday() < 6 and 10 <= (day - timedelta(days=day.weekday())).day <= 16:
            found[day] = DayOff(day, "Summer shutdown")
        elif day.weekday() == 5 and chance.random() < 0.08 and not saturdays:
            found[day] = DayOff(day, "Extra shift", (EARLY,))
    return found


def shifts(line: Line, site: SiteSpec, first: date, last: date) -> list[Shift]:
    """Every shift that starts on `first` to `last`, in order."""
    zone = ZoneInfo(site.time_zone)
    off = exceptions(line, site, first, last)
    found = []
    for pattern, begin, end in pattern_days(line, first, last):
        for day in days(begin, min(last, end - timedelta(days=1)) if end else last):
            slots = off[day].slots if day in off else [
                (start, stop) for weekdays, start, stop in pattern.slots if str(day.weekday()) in weekdays
            ]  # fmt: skip
            found += [Shift(*instants(day, start, stop, zone), day) for start, stop in slots]
    return sorted(found, key=lambda shift: shift.start)


def round_the_clock(first: date, last: date, zone: ZoneInfo) -> list[Shift]:
    """One shift a day, from 06:00 to 06:00: the clock of the utilities."""
    return [Shift(*instants(day, time(6), time(6), zone), day) for day in days(first, last)]


def instants(day: date, start: time, stop: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A local slot as instants; a stop at or before the start lies on the next day."""
    until = day if stop > start else day + timedelta(days=1)
    return (
        datetime.combine(day, start, zone).astimezone(UTC),
        datetime.combine(until, stop, zone).astimezone(UTC),
    )


class OperatingAxis:
    """Scheduled hours, counted over the gaps between shifts: where on the clock an operating hour lies."""

    def __init__(self, worked: list[Shift], until: datetime):
        self.shifts = [shift for shift in worked if shift.start < until]
        lengths = [(min(shift.end, until) - shift.start).total_seconds() / 3600 for shift in self.shifts]
        self.ends = list(accumulate(lengths))
        self.hours = self.ends[-1] if self.ends else 0.0

    def moment(self, hour: float) -> datetime:
        """The instant at which the axis reaches `hour`."""
        index = min(bisect_right(self.ends, hour), len(self.shifts) - 1)
        before = self.ends[index - 1] if index else 0.0
        return self.shifts[index].start + timedelta(hours=hour - before)
