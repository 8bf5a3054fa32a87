"""The arithmetic of work management: from what was due, worked, asked for and spent to a value or a reason.

Pure, as `kpis.formulas`: no database, no settings, no display. What each figure means is in docs/kpi.md. Each class
holds sums of one kind of record in one window; a function beside it makes them of plain records, and is what the
SQL of `kpis.facts.work` is held against. Durations are seconds, shares are shares (0.95, not 95).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum
from typing import NamedTuple

from kpis.formulas import HOUR, Reason, Result, Status
from kpis.intervals import Span

REWORK = timedelta(days=30)  # after the end of the work; the same problem within it is rework


class Lack(StrEnum):
    """Why a figure of work is not plainly `ok`; pages and API put the sentence to it."""

    NO_ORDERS = "no_orders"
    NO_LABOUR = "no_labour"
    NO_REQUESTS = "no_requests"
    NOT_ANSWERED_YET = "not_answered_yet"
    NO_ESTIMATES = "no_estimates"
    NO_CAPACITY = "no_capacity"
    NO_WEEK_OVER = "no_week_over"
    NOT_AGREED = "not_agreed"
    NOTHING_PROMISED = "nothing_promised"
    PAID_BY_SITE = "paid_by_site"
    NO_PAID_HOURS = "no_paid_hours"
    PAID_HOURS_LATER = "paid_hours_later"
    READY_NOT_RECORDED = "ready_not_recorded"
    NOTHING_OPEN = "nothing_open"
    NOTHING_CLOSED = "nothing_closed"
    NO_PROBLEMS = "no_problems"
    NO_PRICES = "no_prices"
    NO_HOURLY_COST = "no_hourly_cost"
    NO_MARGIN = "no_margin"
    MARGIN_LATER = "margin_later"
    NO_PROFIT = "no_profit"
    NO_FAILURE_ORDERS = "no_failure_orders"
    NO_FAILURE_LABOUR = "no_failure_labour"
    FEW_KNOWN = "few_known"
    NO_REPLACEMENT_VALUE = "no_replacement_value"
    FEW_REPLACEMENT_VALUES = "few_replacement_values"
    WORTH_NOTHING = "worth_nothing"


def told(value: float, threshold: float, known: float = 1, asked: float = 1) -> Result:
    """A value that rests on `known` of the rows `asked` for; below the threshold it is partial."""
    coverage = known / asked if asked else 1.0
    if coverage < threshold:
        return Result(value, Status.PARTIAL, Lack.FEW_KNOWN, coverage=coverage)
    return Result(value, Status.OK, coverage=coverage)


def lacking(reason: Reason | Lack, *, asked: float = 0) -> Result:
    """Undefined, or `no data` where something was asked for and none of it is known."""
    if asked:
        return Result(None, Status.NO_DATA, reason, coverage=0.0)
    return Result(None, Status.UNDEFINED, reason)


class Between(NamedTuple):
    """A quantile on the straight line between two neighbours, a `part` of the way from the lower to the higher one."""

    low: float
    high: float
    part: float

    @property
    def value(self) -> float:
        return self.low + (self.high - self.low) * self.part


def place_of(number: int, share: float) -> tuple[int, float]:
    """Where in so many values in order a quantile lies: after how many of them its lower neighbour comes, and which
    part of the way to the next value it is."""
    place = round(share * (number - 1), 9)  # 0.9 × 70 is a little less than 63
    return int(place), round(place - int(place), 9)


def between(values: Sequence[float], share: float) -> Between:
    """The value below which this share lies, by straight lines between neighbours; ValueError for none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("There is no quantile of nothing.")
    low, part = place_of(len(ordered), share)
    return Between(ordered[low], ordered[low + 1] if part else ordered[low], part)


def quantile(values: Sequence[float], share: float) -> float:
    return between(values, share).value


# --- Preventive work -----------------------------------------------------------------------------


class ComplianceRule(Enum):
    """What counts as done in time."""

    ON_OR_BEFORE_DUE = "on_or_before_due"
    TEN_PERCENT = "ten_percent"  # within due ± 10 % of the interval
    LATE_TEN_PERCENT = "late_ten_percent"  # early is fine, late by up to 10 % of the interval


@dataclass(frozen=True, slots=True)
class Due:
    """One occurrence of preventive work; `interval` in days."""

    due: date
    interval: float
    done: date | None = None
    skipped: bool = False  # with approval


@dataclass(frozen=True, slots=True)
class Compliance:
    """Occurrences due in a window: `compliant` of `judged`; `skipped` and still `pending` ones stand apart."""

    compliant: int
    judged: int
    skipped: int
    pending: int

    @property
    def result(self) -> Result:
        if not self.judged:
            return Result(None, Status.UNDEFINED, Reason.NOTHING_DUE)
        return Result(self.compliant / self.judged, Status.OK)


def tolerance(interval: float) -> float:
    """Days that the 10 % rule allows for an interval in days."""
    return interval / 10


def in_time(occurrence: Due, rule: ComplianceRule) -> bool:
    """Whether a done occurrence counts; False for one that is not done."""
    if occurrence.done is None:
        return False
    late = (occurrence.done - occurrence.due).days
    if rule is ComplianceRule.ON_OR_BEFORE_DUE:
        return late <= 0
    if rule is ComplianceRule.TEN_PERCENT:
        return abs(late) <= tolerance(occurrence.interval)
    return late <= tolerance(occurrence.interval)


def preventive_compliance(
    occurrences: Iterable[Due], today: date, rule: ComplianceRule = ComplianceRule.LATE_TEN_PERCENT
) -> Compliance:
    """Count occurrences by a rule; one not done is judged once its window has passed."""
    compliant = judged = skipped = pending = 0
    for each in occurrences:
        allowed = 0.0 if rule is ComplianceRule.ON_OR_BEFORE_DUE else tolerance(each.interval)
        if each.skipped:
            skipped += 1
        elif each.done is None and (today - each.due).days <= allowed:
            pending += 1
        else:
            judged += 1
            compliant += in_time(each, rule)
    return Compliance(compliant, judged, skipped, pending)


def scheduled_maintenance_critical(days_late: float, interval: float) -> float:
    """Scheduled maintenance critical, percent: (days late + interval) / interval × 100."""
    return (days_late + interval) / interval * 100


@dataclass(frozen=True, slots=True)
class Preventive:
    """What was due in a window, judged by each rule, and how late it was (days, beside the intervals)."""

    rules: Mapping[ComplianceRule, Compliance] = field(default_factory=dict)
    late: float = 0.0  # days that done and overdue occurrences were late; early ones 0
    interval: float = 0.0  # their intervals, days

    def inputs(self, rule: ComplianceRule = ComplianceRule.LATE_TEN_PERCENT) -> dict[str, float]:
        counted = self.rules.get(rule, Compliance(0, 0, 0, 0))
        return {
            "compliant": counted.compliant,
            "judged": counted.judged,
            "skipped": counted.skipped,
            "pending": counted.pending,
            "days_late": self.late,
            "interval_days": self.interval,
        }

    def compliance(self, rule: ComplianceRule) -> Result:
        return self.rules[rule].result if rule in self.rules else lacking(Reason.NOTHING_DUE)

    @property
    def critical(self) -> Result:
        """Scheduled maintenance critical as a share, formed from sums; 1.1 is late by a tenth of the interval."""
        if not self.interval:
            return lacking(Reason.NOTHING_DUE)
        return Result(scheduled_maintenance_critical(self.late, self.interval) / 100, Status.OK)


def preventive(occurrences: Iterable[Due], today: date) -> Preventive:
    """The occurrences of a window as they stand on a day."""
    every = list(occurrences)
    late = interval = 0.0
    for each in every:
        days = ((each.done or today) - each.due).days
        if not each.skipped and (each.done is not None or days > 0):
            late += max(0, days)
            interval += each.interval
    return Preventive({rule: preventive_compliance(every, today, rule) for rule in ComplianceRule}, late, interval)


# --- Labour --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Worked:
    """Time of one person on one order; `priced` when it has become a cost."""

    span: Span
    planned: bool = False
    emergency: bool = False
    priced: bool = False


@dataclass(frozen=True, slots=True)
class Labour:
    """Labour of a window, s; two people side by side count twice."""

    total: float = 0.0
    planned: float = 0.0  # on planned orders
    emergency: float = 0.0  # on orders of priority emergency
    priced: float = 0.0

    def inputs(self) -> dict[str, float]:
        return {"labour": self.total, "planned_labour": self.planned, "emergency_labour": self.emergency}

    def planned_share(self) -> Result:
        return self._share(self.planned)

    def emergency_share(self) -> Result:
        return self._share(self.emergency)

    def _share(self, part: float) -> Result:
        # Nobody recorded any time: that nobody worked is not known.
        return Result(part / self.total, Status.OK) if self.total else Result(None, Status.NO_DATA, Lack.NO_LABOUR)


def labour(entries: Iterable[Worked], window: Span) -> Labour:
    """What of these entries lies in the window."""
    sums = dict.fromkeys(("total", "planned", "emergency", "priced"), 0.0)
    for each in entries:
        start, end = max(each.span.start, window.start), min(each.span.end, window.end)
        seconds = max(0.0, (end - start).total_seconds())
        sums["total"] += seconds
        sums["planned"] += seconds * each.planned
        sums["emergency"] += seconds * each.emergency
        sums["priced"] += seconds * each.priced
    return Labour(**sums)


# --- Requests --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: when somebody reported, and when a planner answered it, if one did."""

    reported: datetime
    answered: datetime | None = None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests reported in a window; those declined or waiting are counted beside the accepted ones."""

    accepted: int = 0
    seconds: float = 0.0  # from report to acceptance, of the accepted ones
    declined: int = 0
    waiting: int = 0

    def inputs(self) -> dict[str, float]:
        return {
            "accepted_requests": self.accepted,
            "time_to_acknowledge": self.seconds,
            "declined_requests": self.declined,
            "waiting_requests": self.waiting,
        }

    def acknowledgement(self) -> Result:
        """Mean time to acknowledge, hours."""
        if self.accepted:
            return Result(self.seconds / self.accepted / HOUR, Status.OK)
        return lacking(Lack.NOT_ANSWERED_YET if self.waiting else Lack.NO_REQUESTS)


def requests(asked: Iterable[Asked], window: Span, now: datetime) -> Requests:
    """The requests that were reported in the window, as they stand now."""
    accepted = declined = waiting = 0
    seconds = 0.0
    for each in asked:
        if not window.covers(each.reported):
            continue
        if each.answered is None or each.answered > now:
            waiting += 1
        elif each.accepted:
            accepted += 1
            seconds += (each.answered - each.reported).total_seconds()
        else:
            declined += 1
    return Requests(accepted, seconds, declined, waiting)
