"""The arithmetic of a site's net margin, and of what stops take of it. Pure, as `kpis.work`.

A net margin is agreed per calendar year and holds from a day on, until the next one does. A window is given its share
of each year by time, so that a year has exactly its amount, leap or not, and a day on which the clock changes a
little less or more than its neighbours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import zip_longest
from typing import Protocol, TypeVar

from kpis.backlog import Stood
from kpis.formulas import Result, Status
from kpis.intervals import Span
from kpis.work import Lack


class Dated(Protocol):
    """What holds from a day on."""

    @property
    def since(self) -> date: ...


Rate = TypeVar("Rate", bound=Dated)


@dataclass(frozen=True, slots=True)
class Yearly:
    """What a whole year brings, from a day on."""

    since: date
    amount: float


@dataclass(frozen=True, slots=True)
class Earned:
    """The net margin of a window, and for how much of the window (s) one is known."""

    amount: float = 0.0
    known: float = 0.0
    whole: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """What a calendar year's margin gives to a part of a window, of which `year` (s) is its length."""

    span: Span
    amount: float
    yearly: float
    year: float


def holding(rates: Iterable[Rate], window: Span, begins: Callable[[date], datetime]) -> Iterator[tuple[Span, Rate]]:
    """The window by what holds in it, each rate until the next one does; `begins` is the instant at which a day begins
    at the site."""
    ordered = sorted(rates, key=lambda rate: rate.since)
    for rate, after in zip_longest(ordered, ordered[1:]):
        start = max(window.start, begins(rate.since))
        end = window.end if after is None else min(window.end, begins(after.since))
        if start < end:
            yield Span(start, end), rate


def years(window: Span, begins: Callable[[date], datetime]) -> Iterator[tuple[Span, float]]:
    """The window by calendar year, with the length of the whole year (s)."""
    for year in range(window.start.year - 1, window.end.year + 2):
        first, past = begins(date(year, 1, 1)), begins(date(year + 1, 1, 1))
        lo, hi = max(window.start, first), min(window.end, past)
        if lo < hi:
            yield Span(lo, hi), (past - first).total_seconds()


def shares(rates: Sequence[Yearly], window: Span, begins: Callable[[date], datetime]) -> Iterator[Share]:
    """The window by margin and calendar year."""
    for held, rate in holding(rates, window, begins):
        for part, whole in years(held, begins):
            yield Share(part, rate.amount * part.seconds / whole, rate.amount, whole)


def earned(rates: Sequence[Yearly], window: Span, begins: Callable[[date], datetime]) -> Earned:
    """The net margin of the window."""
    found = list(shares(rates, window, begins))
    known = sum(each.span.seconds for each in found)
    return Earned(sum(each.amount for each in found), known, window.seconds)


def years_in(start: datetime, end: datetime, begins: Callable[[date], datetime]) -> float:
    """How many calendar years [start, end) is, each by its own time: a whole one is 1, leap or not."""
    return sum(part.seconds / whole for part, whole in years(Span(start, end), begins)) if start < end else 0.0


@dataclass(frozen=True, slots=True)
class Lens:
    """What stops cost, seen through what the site earns in the same window."""

    stood: Stood = field(default_factory=Stood)
    earned: Earned = field(default_factory=Earned)

    def inputs(self) -> dict[str, float]:
        return {**self.stood.inputs(), "net_margin": self.earned.amount}

    def share(self, threshold: float = 0.0) -> Result:
        cost = self.stood.cost(threshold)
        if cost.value is None:
            return cost
        if not self.earned.known:
            return Result(None, Status.NO_DATA, Lack.NO_MARGIN)
        if self.earned.known < self.earned.whole:
            return Result(None, Status.NO_DATA, Lack.MARGIN_LATER)
        if self.earned.amount <= 0:
            return Result(None, Status.UNDEFINED, Lack.NO_PROFIT)
        return Result(cost.value / self.earned.amount, cost.status, cost.reason, coverage=cost.coverage)
