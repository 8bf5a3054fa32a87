"""Plain records of a plant, as the oracle, timelines and explanations take them: no row, no query."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from kpis.intervals import (
    Calendar,
    Span,
)

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)


class Class(IntEnum):
    """How a stop's time counts; where classes overlap the lower number wins."""

    UNPLANNED = 0
    EXCLUDED = 1  # planned, taken out of planned production
    COUNTED = 2  # planned, but a loss of planned production (setup, changeover)


@dataclass(frozen=True, slots=True)
class Stop:
    """A recorded stop; open while `end` is None."""

    id: int
    asset: int
    start: datetime
    end: datetime | None
    planned: bool = False
    excluded: bool = False
    planned_end: datetime | None = None
    reason: int | None = None
    loss: str = "unclassified"


@dataclass(frozen=True, slots=True)
class Failure:
    """A recorded failure; `stop` is the stop it is linked to, else it belongs to any stop during which it occurred."""

    id: int
    asset: int
    occurred: datetime
    restored: datetime | None = None
    stop: int | None = None
    found: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """Pieces made in a span, at an ideal cycle in seconds per piece."""

    asset: int
    span: Span
    good: float
    scrap: float
    rework: float
    ideal_cycle: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an asset stood during a span; a member of a group stops its parent through the group alone."""

    asset: int
    parent: int | None
    stops_parent: bool = False
    group: int | None = None
    valid: Span = field(default=Span(BEGINNING, END))


@dataclass(frozen=True, slots=True)
class Group:
    """Members of which `needed` must be up, or their parent is down."""

    id: int
    parent: int
    needed: int


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that is known about the assets of one site."""

    now: datetime
    zone: ZoneInfo
    stops: Sequence[Stop] = ()
    failures: Sequence[Failure] = ()
    counts: Sequence[Count] = ()
    placements: Sequence[Placement] = ()
    groups: Sequence[Group] = ()
    calendars: dict[int | None, Sequence[Calendar]] = field(default_factory=dict)  # by asset; None is the site
    lives: dict[int, Span] = field(default_factory=dict)
    short_stops: dict[int, float] = field(default_factory=dict)  # seconds below which a stop is short
    overrun_is_unplanned: bool = True
    merge_gap: timedelta = timedelta(0)  # after a failure, in which another is a further item of it
    day_start: time = time.min
    count_silence_days: int | None = None  # for which an asset with counts may be silent
    stop_silence_days: int | None = None  # the same without counts
    silence_days: dict[int, int] = field(default_factory=dict)  # of one asset; 0 is for ever

    def life(self, asset: int) -> Span:
        life = self.lives.get(asset, Span(BEGINNING, END))
        return Span(life.start, max(life.start, min(life.end, self.now)))
