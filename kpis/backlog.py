"""The arithmetic of orders that wait, of orders that came back, and of money. Pure, as `kpis.work`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kpis.formulas import HOUR, Reason, Result, Status
from kpis.intervals import Span
from kpis.work import REWORK, Between, Lack, between, lacking, told

DAY = 24 * HOUR

# --- Orders that wait ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order from its creation until its work ended or it was cancelled; durations in seconds."""

    created: datetime
    ended: datetime | None = None
    estimate: float | None = None  # labour
    worked: float = 0.0  # labour until the moment that is asked about
    ready: bool = False  # it could be scheduled now


@dataclass(frozen=True, slots=True)
class Backlog:
    """Orders open at one moment. What is left of an order is its estimate less what was worked, never below 0."""

    orders: int = 0
    seconds: float = 0.0  # labour that is left
    unestimated: int = 0
    ready_orders: int = 0
    ready_seconds: float = 0.0
    ready_unestimated: int = 0
    estimated: float = 0.0  # labour that was estimated
    ready_estimated: float = 0.0
    ready_known: bool = True  # states of the past are not kept
    median_age: Between | None = None  # s
    ninth_decile_age: Between | None = None  # s; nine of ten are younger
    recorded: bool = False  # any order had been raised here by then

    def inputs(self) -> dict[str, float]:
        found: dict[str, float] = {
            "open_orders": self.orders,
            "open_labour": self.seconds,
            "unestimated_orders": self.unestimated,
            "estimated_labour": self.estimated,
        }
        if self.ready_known:
            found |= {
                "ready_orders": self.ready_orders,
                "ready_labour": self.ready_seconds,
                "unestimated_ready_orders": self.ready_unestimated,
                "estimated_ready_labour": self.ready_estimated,
            }
        return found

    def neighbours(self, age: Between | None) -> dict[str, float]:
        """The ages between which a quantile of them lies, days; twice the same where it is one of them."""
        return {} if age is None else {"age_below_days": age.low / DAY, "age_above_days": age.high / DAY}

    def hours(self, threshold: float = 0.0) -> Result:
        return self._left(self.seconds, self.orders, self.unestimated, threshold)

    def ready_hours(self, threshold: float = 0.0) -> Result:
        if not self.ready_known:
            return Result(None, Status.NO_DATA, Lack.READY_NOT_RECORDED)
        return self._left(self.ready_seconds, self.ready_orders, self.ready_unestimated, threshold)

    def age(self, age: Between | None) -> Result:
        """A quantile of the ages, days."""
        if age is None:
            if not self.recorded:
                return Result(None, Status.NO_DATA, Lack.NO_ORDERS)
            return Result(None, Status.UNDEFINED, Lack.NOTHING_OPEN)
        return Result(age.value / DAY, Status.OK)

    def _left(self, seconds: float, orders: int, unestimated: int, threshold: float) -> Result:
        if not self.recorded:
            return Result(None, Status.NO_DATA, Lack.NO_ORDERS)
        if orders and orders == unestimated:
            return lacking(Lack.NO_ESTIMATES, asked=orders)
        return told(seconds / HOUR, threshold, orders - unestimated, orders)


def backlog(orders: Iterable[Waiting], moment: datetime, *, ready_known: bool = True) -> Backlog:
    """The orders that were open just before the moment."""
    every = list(orders)
    waiting = [each for each in every if each.created < moment and (each.ended is None or each.ended >= moment)]
    ready = [each for each in waiting if each.ready and ready_known]
    ages = [(moment - each.created).total_seconds() for each in waiting]
    return Backlog(
        orders=len(waiting),
        seconds=sum(map(left, waiting)),
        unestimated=sum(each.estimate is None for each in waiting),
        ready_orders=len(ready),
        ready_seconds=sum(map(left, ready)),
        ready_unestimated=sum(each.estimate is None for each in ready),
        estimated=sum(each.estimate or 0.0 for each in waiting),
        ready_estimated=sum(each.estimate or 0.0 for each in ready),
        ready_known=ready_known,
        median_age=between(ages, 0.5) if ages else None,
        ninth_decile_age=between(ages, 0.9) if ages else None,
        recorded=any(each.created < moment for each in every),
    )


def left(order: Waiting) -> float:
    """Labour that is left of an order, s; 0 where nobody has estimated it."""
    return 0.0 if order.estimate is None else max(0.0, order.estimate - order.worked)


# --- Orders that came back -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finished:
    """A closed order: what it was about, when it was reported, when its work ended, when it was closed."""

    asset: int
    problem: int | None
    reported: datetime
    ended: datetime
    closed: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """Orders closed in a window: those that name a problem, and those of them that are rework."""

    orders: int = 0
    with_problem: int = 0
    rework: int = 0

    def inputs(self) -> dict[str, float]:
        return {"closed_orders": self.orders, "with_problem": self.with_problem, "rework_orders": self.rework}

    def rework_share(self) -> Result:
        if not self.orders:
            return lacking(Lack.NOTHING_CLOSED)
        if not self.with_problem:
            return lacking(Lack.NO_PROBLEMS, asked=self.orders)
        return Result(self.rework / self.orders, Status.OK)


def closed(orders: Iterable[Finished], window: Span) -> Closed:
    """Of the orders closed in the window, those reported within 30 days after the same problem had been dealt with."""
    every = list(orders)
    inside = [each for each in every if window.covers(each.closed)]
    return Closed(
        orders=len(inside),
        with_problem=sum(each.problem is not None for each in inside),
        rework=sum(any(is_rework(each, former) for former in every) for each in inside),
    )


def is_rework(order: Finished, former: Finished) -> bool:
    """Whether the order had to be raised because the former one did not last."""
    same = order.problem is not None and (order.asset, order.problem) == (former.asset, former.problem)
    return same and order is not former and former.ended <= order.reported <= former.ended + REWORK


# --- Money ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spent:
    """Money of a window by source, at the price of its day, and the labour it should hold (s)."""

    labour: float = 0.0
    parts: float = 0.0
    external: float = 0.0
    undivided: float = 0.0
    worked: float = 0.0
    priced: float = 0.0  # of the labour worked
    recorded: bool = False  # any order had been raised here by then

    @property
    def total(self) -> float:
        return self.labour + self.parts + self.external + self.undivided

    def inputs(self) -> dict[str, float]:
        return {
            "labour_cost": self.labour,
            "parts_cost": self.parts,
            "external_cost": self.external,
            "undivided_cost": self.undivided,
            "labour": self.worked,
            "priced_labour": self.priced,
        }

    def cost(self, threshold: float = 0.0) -> Result:
        if not self.recorded:
            return Result(None, Status.NO_DATA, Lack.NO_ORDERS)
        if self.worked and not self.priced and not self.total:
            return lacking(Lack.NO_PRICES, asked=1)
        return told(self.total, threshold, self.priced, self.worked)


@dataclass(frozen=True, slots=True)
class Stood:
    """Stops of the assets that have an hourly cost: Σ hours × cost, and how much of their time is known (s)."""

    seconds: float = 0.0
    amount: float = 0.0
    assets: int = 0  # with an hourly cost
    recorded: int = 0  # of those, with any record
    scheduled: float = 0.0
    unobserved: float = 0.0
    calendar: float = 0.0  # in service

    def inputs(self) -> dict[str, float]:
        return {"priced_downtime": self.seconds, "downtime_cost": self.amount, "priced_assets": self.assets}

    def cost(self, threshold: float = 0.0) -> Result:
        if not self.assets:
            return Result(None, Status.NO_DATA, Lack.NO_HOURLY_COST)
        if not self.calendar and not self.recorded:
            return Result(None, Status.UNDEFINED, Reason.NOT_IN_SERVICE)
        if not self.recorded:
            return Result(None, Status.NO_DATA, Reason.NO_RECORDS, coverage=0.0)
        return told(self.amount, threshold, self.scheduled, self.scheduled + self.unobserved)


def stood(stops: Iterable[tuple[float, float]]) -> float:
    """What stops of (seconds, cost of an hour) amount to."""
    return sum(seconds / HOUR * cost for seconds, cost in stops)
