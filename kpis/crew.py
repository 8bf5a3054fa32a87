"""The arithmetic of a crew's hours: a backlog in weeks of them, and how much of what is paid goes into work. Pure.

A capacity is stated in hours of a week and holds from a day on, until the next one does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from kpis.backlog import Backlog
from kpis.formulas import HOUR, Result, Status
from kpis.intervals import Span
from kpis.margin import holding
from kpis.work import Labour, Lack

WEEK = 7 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Weekly:
    """Hours of a week, from a day on: those for orders, and those paid where they are known."""

    since: date
    net: float
    paid: float | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """The hours of a crew in a window: for orders in the week of its end, paid in all of it (s).

    `known` says for how much of the window's `whole` (s) paid hours are known.
    """

    net: float | None = None  # s a week
    paid: float = 0.0
    known: float = 0.0
    whole: float = 0.0


def paid(part: Span, rate: Weekly) -> float:
    """Paid seconds of a part of a week; 0 where they are not known."""
    return (rate.paid or 0.0) * HOUR * part.seconds / WEEK


def crew(rates: Sequence[Weekly], window: Span, begins: Callable[[date], datetime]) -> Crew:
    """What the rates make of the window."""
    found = list(holding(rates, window, begins))
    return Crew(
        net=found[-1][1].net * HOUR if found else None,
        paid=sum(paid(*each) for each in found),
        known=sum(part.seconds for part, rate in found if rate.paid is not None),
        whole=window.seconds,
    )


@dataclass(frozen=True, slots=True)
class Load:
    """Open orders beside what the crew of the site can work in a week."""

    backlog: Backlog = field(default_factory=Backlog)
    crew: Crew = field(default_factory=Crew)

    def inputs(self) -> dict[str, float]:
        capacity = {} if self.crew.net is None else {"weekly_capacity": self.crew.net}
        return self.backlog.inputs() | capacity

    def weeks(self, threshold: float = 0.0) -> Result:
        return self._weeks(self.backlog.hours(threshold))

    def ready_weeks(self, threshold: float = 0.0) -> Result:
        return self._weeks(self.backlog.ready_hours(threshold))

    def _weeks(self, hours: Result) -> Result:
        if hours.value is None:
            return hours
        if not self.crew.net:
            return Result(None, Status.NO_DATA, Lack.NO_CAPACITY, coverage=hours.coverage)
        return Result(hours.value * HOUR / self.crew.net, hours.status, hours.reason, coverage=hours.coverage)


@dataclass(frozen=True, slots=True)
class Wrench:
    """Labour on orders beside the hours that the crew is paid for; both of the whole site."""

    labour: Labour = field(default_factory=Labour)
    crew: Crew = field(default_factory=Crew)
    of_site: bool = False

    def inputs(self) -> dict[str, float]:
        return {"labour": self.labour.total, "paid_labour": self.crew.paid}

    def time(self) -> Result:
        if not self.of_site:
            return Result(None, Status.UNDEFINED, Lack.PAID_BY_SITE)
        if not self.crew.known:
            return Result(None, Status.NO_DATA, Lack.NO_PAID_HOURS)
        if self.crew.known < self.crew.whole:
            return Result(None, Status.NO_DATA, Lack.PAID_HOURS_LATER)
        if not self.labour.total:
            return Result(None, Status.NO_DATA, Lack.NO_LABOUR, coverage=0.0)
        return Result(self.labour.total / self.crew.paid, Status.OK)
