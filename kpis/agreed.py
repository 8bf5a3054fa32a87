"""The arithmetic of agreed weeks: how much of what was promised was done, and how much work came in between. Pure.

A week that was agreed counts in the window in which its last day begins, once it is over. Durations are seconds.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from kpis.formulas import Result, Status
from kpis.intervals import Span
from kpis.work import Lack, lacking, told


@dataclass(frozen=True, slots=True)
class Week:
    """A week whose schedule was agreed: the promised `orders`, and when its last day began."""

    span: Span
    last_day: datetime
    orders: Collection[int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was promised in a window, and done in its week; agreed `weeks` of those that were `over`."""

    orders: int = 0
    done: int = 0
    weeks: int = 0
    over: int = 0

    def inputs(self) -> dict[str, float]:
        return {
            "agreed_orders": self.orders,
            "kept_orders": self.done,
            "agreed_weeks": self.weeks,
            "ended_weeks": self.over,
        }

    def compliance(self, threshold: float = 0.0) -> Result:
        """Schedule compliance; its coverage is the share of weeks that were agreed."""
        if not self.over:
            return lacking(Lack.NO_WEEK_OVER)
        if not self.weeks:
            return lacking(Lack.NOT_AGREED, asked=self.over)
        if not self.orders:
            return lacking(Lack.NOTHING_PROMISED)
        return told(self.done / self.orders, threshold, self.weeks, self.over)


@dataclass(frozen=True, slots=True)
class BreakIn:
    """Labour of a window: `total`, in `agreed` weeks, and of that on orders that were not agreed for their week."""

    total: float = 0.0
    agreed: float = 0.0
    broken_in: float = 0.0

    def inputs(self) -> dict[str, float]:
        return {"labour": self.total, "labour_in_agreed_weeks": self.agreed, "break_in_labour": self.broken_in}

    def share(self, threshold: float = 0.0) -> Result:
        """Break-in share of the labour in agreed weeks; its coverage is the share of all labour that these hold."""
        if not self.total:
            return Result(None, Status.NO_DATA, Lack.NO_LABOUR)
        if not self.agreed:
            return lacking(Lack.NOT_AGREED, asked=self.total)
        return told(self.broken_in / self.agreed, threshold, self.agreed, self.total)


def is_kept(week: Week, completed: datetime | None) -> bool:
    """Whether an order that was completed at this moment was done in its week."""
    return completed is not None and week.span.covers(completed)


def kept(weeks: Iterable[Week], completed: dict[int, datetime], window: Span, now: datetime, *, over: int) -> Kept:
    """The promises of a window: `completed` by order, `over` of all weeks, agreed or not."""
    here = [week for week in weeks if window.covers(week.last_day) and week.span.end <= now]
    done = sum(is_kept(week, completed.get(order)) for week in here for order in week.orders)
    return Kept(sum(len(week.orders) for week in here), done, len(here), over)


def break_in(entries: Iterable[tuple[int, Span]], weeks: Collection[Week], window: Span) -> BreakIn:
    """Labour by order, cut to the window."""
    total = agreed = broken_in = 0.0
    for order, entry in entries:
        total += overlap(entry, window)
        for week in weeks:
            seconds = overlap(entry, window, week.span)
            agreed += seconds
            broken_in += seconds * (order not in week.orders)
    return BreakIn(total, agreed, broken_in)


def overlap(*spans: Span) -> float:
    """Seconds that lie in all of them."""
    start, end = max(span.start for span in spans), min(span.end for span in spans)
    return max(0.0, (end - start).total_seconds())
