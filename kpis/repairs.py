"""The arithmetic of the parts of MTTR: detect, wait, active repair, test and hand-back. Pure, as `kpis.formulas`.

For a restored failure event with a work order the four parts add up to its time to restoration. Where an order or
its labour is missing, what cannot be known is missing, and counted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from kpis.formulas import HOUR, Facts, Reason, Result, Status, mtbf, steady_state_availability
from kpis.intervals import Span, Spans, clip, seconds, union
from kpis.work import Lack, between, lacking, quantile, told


@dataclass(frozen=True, slots=True)
class Repair:
    """One failure event with what its work orders tell; `reported` is empty where it has none."""

    asset: int
    occurred: datetime
    restored: datetime | None = None
    open: bool = False
    reported: datetime | None = None
    work: Spans = ()  # time that anybody worked on it


@dataclass(frozen=True, slots=True)
class Parts:
    """Seconds of one repair; without labour only `detect` and the sum of the rest are known."""

    detect: float  # a
    rest: float  # b + c + d
    wait: float | None = None  # b
    active: float | None = None  # c
    hand_back: float | None = None  # d
    worked: Spans = ()  # when the active repair took place


def parts(repair: Repair) -> Parts | None:
    """How the time to restoration of a repair divides; None without an end or an order.

    It is detected when it is reported, or when somebody begins to work on it if that is earlier. It waits while
    nobody works on it, be it on hold or not, until the last work ends; work after the restoration does not count.
    """
    if repair.restored is None or repair.reported is None:
        return None
    down = Span(repair.occurred, repair.restored)
    worked = clip(repair.work, down)
    known = min([repair.reported, *(each.start for each in worked[:1])])
    known = min(max(known, down.start), down.end)
    detect, rest = (known - down.start).total_seconds(), (down.end - known).total_seconds()
    if not worked:
        return Parts(detect, rest)
    active, hand_back = seconds(worked), (down.end - worked[-1].end).total_seconds()
    return Parts(detect, rest, rest - active - hand_back, active, hand_back, worked)


@dataclass(frozen=True, slots=True)
class Repairs:
    """Failure events of one window with the sums of their parts, s."""

    events: int = 0
    open: int = 0
    restorations: tuple[float, ...] = ()  # of the restored ones
    scheduled: float = 0.0  # scheduled time in them
    with_order: int = 0  # of the restored ones
    with_labour: int = 0
    detect: float = 0.0  # of those with an order
    rest: float = 0.0
    wait: float = 0.0  # of those with labour
    active: float = 0.0
    hand_back: float = 0.0
    active_scheduled: float = 0.0  # scheduled time in active repair

    @property
    def restored(self) -> int:
        return len(self.restorations)

    def inputs(self) -> dict[str, float]:
        return {
            "failures": self.events,
            "restored_failures": self.restored,
            "open_failures": self.open,
            "restoration_time": sum(self.restorations),
            "restoration_time_in_schedule": self.scheduled,
            "failures_with_order": self.with_order,
            "failures_with_labour": self.with_labour,
            "detection_time": self.detect,
            "repair_time": self.rest,
            "waiting_time": self.wait,
            "active_repair_time": self.active,
            "hand_back_time": self.hand_back,
            "active_repair_time_in_schedule": self.active_scheduled,
        }

    def neighbours(self, share: float) -> dict[str, float]:
        """The times to restoration between which this quantile lies, s; twice the same where it is one of them."""
        if not self.restorations:
            return {}
        found = between(self.restorations, share)
        return {"restoration_below": found.low, "restoration_above": found.high}

    def restoration(self, share: float) -> Result:
        """The time to restoration, hours, that this share of the failures does not exceed."""
        return self._unrestored() or Result(quantile(self.restorations, share) / HOUR, Status.OK)

    def restoration_in_schedule(self) -> Result:
        """MTTR in scheduled hours: what production lost."""
        return self._unrestored() or Result(self.scheduled / self.restored / HOUR, Status.OK)

    def of_ordered(self, total: float, threshold: float = 0.0) -> Result:
        """Mean hours over the repairs with a work order."""
        if unknown := self._unrestored():
            return unknown
        if not self.with_order:
            return lacking(Lack.NO_FAILURE_ORDERS, asked=self.restored)
        return told(total / self.with_order / HOUR, threshold, self.with_order, self.restored)

    def of_worked(self, total: float, threshold: float = 0.0) -> Result:
        """Mean hours over the repairs with labour."""
        if unknown := self._unrestored():
            return unknown
        if not self.with_labour:
            lack = Lack.NO_FAILURE_LABOUR if self.with_order else Lack.NO_FAILURE_ORDERS
            return lacking(lack, asked=self.restored)
        return told(total / self.with_labour / HOUR, threshold, self.with_labour, self.restored)

    def inherent_availability(self, facts: Facts, threshold: float = 0.0) -> Result:
        """MTBF / (MTBF + MART), both in scheduled hours; `facts` are those of the same assets and window."""
        up = mtbf(facts, threshold=threshold)
        if up.value is None:
            return Result(None, up.status, up.reason)
        repair = self.of_worked(self.active_scheduled, threshold)
        if repair.value is None:
            return repair
        worse = up if up.status is not Status.OK else repair
        value = steady_state_availability(up.value, repair.value)
        return Result(value, worse.status, worse.reason, coverage=repair.coverage)

    def _unrestored(self) -> Result | None:
        if not self.events:
            return lacking(Reason.NO_FAILURES)
        if self.restorations:
            return None
        if self.events > self.open:
            return lacking(Reason.NO_RESTORATION_TIMES, asked=self.events)
        return lacking(Reason.NOT_RESTORED_YET)


def repairs(events: Iterable[Repair], scheduled: Callable[[Repair, Spans], float]) -> Repairs:
    """The failure events of a window; `scheduled` tells the scheduled seconds of a repair's asset in given spans."""
    every = list(events)
    restorations = []
    sums = dict.fromkeys(("scheduled", "detect", "rest", "wait", "active", "hand_back", "active_scheduled"), 0.0)
    with_order = with_labour = 0
    for each in every:
        if each.restored is None:
            continue
        restorations.append((each.restored - each.occurred).total_seconds())
        sums["scheduled"] += scheduled(each, union((Span(each.occurred, each.restored),)))
        found = parts(each)
        if found is None:
            continue
        with_order += 1
        sums["detect"] += found.detect
        sums["rest"] += found.rest
        if found.wait is not None and found.active is not None and found.hand_back is not None:
            with_labour += 1
            sums["wait"] += found.wait
            sums["active"] += found.active
            sums["hand_back"] += found.hand_back
            sums["active_scheduled"] += scheduled(each, found.worked)
    still = sum(each.open for each in every)
    return Repairs(len(every), still, tuple(restorations), with_order=with_order, with_labour=with_labour, **sums)
