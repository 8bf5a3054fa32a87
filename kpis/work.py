"""The arithmetic of work management: from what was due, worked, asked for and spent to a value or a reason.

Pure, as `kpis.formulas`: no database, no settings, no display. What each figure means is in docs/kpi.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from kpis.formulas import Reason, Result, Status

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
