"""A calendar's week as a picture: bars on seven lines of 24 hours."""

from dataclasses import dataclass
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR

from production.timetable import Pattern

WIDTH, ROW = 1440, 60  # one unit is a minute; a line is as high as an hour is wide


@dataclass(frozen=True)
class Bar:
    """Scheduled time on one line, in units of the picture."""

    x: int
    y: int
    width: int
    label: str


@dataclass(frozen=True)
class Line:
    """One weekday: its bars, and its slots in words."""

    name: Any
    baseline: int
    bars: list[Bar]
    words: str


def week_of(pattern: Pattern) -> list[Line]:
    """Seven lines from Monday; a night shift goes on at the beginning of the next line."""
    bars: dict[int, list[Bar]] = {weekday: [] for weekday in range(7)}
    for weekday in range(7):
        for slot in sorted(pattern.weekly.get(weekday, ())):
            start, end = slot.minutes
            bars[weekday].append(Bar(start, _top(weekday), min(end, WIDTH) - start, str(slot)))
            if end > WIDTH:
                following = (weekday + 1) % 7
                bars[following].append(Bar(0, _top(following), end - WIDTH, str(slot)))
    return [
        Line(
            WEEKDAYS_ABBR[weekday],
            weekday * ROW + 39,
            bars[weekday],
            ", ".join(str(slot) for slot in sorted(pattern.weekly.get(weekday, ()))),
        )
        for weekday in range(7)
    ]


def _top(weekday: int) -> int:
    return weekday * ROW + 10
