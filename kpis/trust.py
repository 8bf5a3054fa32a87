"""How far a figure may be trusted: a grade from what is known of its records, and what would raise it most.

Pure. Each part scores 0 to 1; the grade comes from their geometric mean, so that a part near 0 cannot hide behind
the others. A part that does not apply to the figure is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, log

from kpis.formulas import Facts, Status, mtbf, mtbf_by_items
from kpis.supposing import Supposed

FRESH = timedelta(days=3)  # after which a running plant's silence counts
SILENT = timedelta(days=30)  # after which nothing current is known
LEAST = 0.01  # a score is not lower, or the mean would lose the others
HALF = 0.5  # a part that is worth no more leaves no grade better than C
GRADES = ((0.9, "A"), (0.75, "B"), (0.5, "C"), (0.0, "D"))


class Part(StrEnum):
    """What a grade is made of."""

    COVERAGE = "coverage"  # share of planned time whose state is known, of work of the records that tell what it needs
    FRESHNESS = "freshness"  # how long ago anything was entered, of a window that reaches today
    TIMELINESS = "timeliness"  # share of stops, of work of orders or failures, entered within a day
    CLASSIFICATION = "classification"  # share of unplanned stops and corrective orders that are said to be something
    RESTORATION = "restoration"  # share of failures with a restoration time, where one is due
    PLAUSIBILITY = "plausibility"  # nothing impossible, nothing left open


class Of(StrEnum):
    """What the records are that a part of a figure of work is about."""

    ORDERS = "orders"
    REPORTS = "reports"  # of which orders are raised
    LABOUR = "labour"
    REQUESTS = "requests"
    COSTS = "costs"
    FAILURES = "failures"
    STOPS = "stops"
    ESTIMATES = "estimates"
    PRICES = "prices"  # of labour
    PROBLEMS = "problems"  # that closed orders name
    WEEKS = "weeks"  # that are agreed
    VALUES = "values"  # of replacement


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the records behind a figure: stops of the window and of what can stop its assets."""

    stops: int = 0
    late: int = 0  # entered more than a day after they began
    unplanned: int = 0
    unclassified: int = 0  # unplanned, with neither a reason nor a failure
    orders: int = 0  # corrective orders of no stop and no failure
    unsaid: int = 0  # of which nobody said whether it was a failure
    stale: int = 0  # open for more than a week
    last_entry: datetime | None = None  # of any record of these assets


@dataclass(frozen=True, slots=True)
class Judged:
    """Some records of one kind: `wrong` of the `whole`."""

    of: Of
    wrong: int = 0
    whole: int = 0


@dataclass(frozen=True, slots=True)
class WorkEvidence:
    """What is known of the records behind a figure of work; None or no records where a part does not apply."""

    entered: Of  # what was entered last
    last_entry: datetime | None = None
    late: Judged | None = None  # entered or completed more than a day after the fact
    unsaid: Judged | None = None  # of which nobody said what they were
    unrestored: Judged | None = None  # without a restoration time, where one is due
    left: tuple[Judged, ...] = ()  # open for longer than can be


@dataclass(frozen=True, slots=True)
class Score:
    """One part: 1 is perfect; `wrong` of `whole` records are to blame, where they can be counted, and of work what they
    are."""

    part: Part
    value: float
    wrong: int = 0
    whole: int = 0
    of: Of | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """The grade with its parts; `first` is the part that would raise it most, None when nothing is wrong."""

    grade: str
    value: float
    scores: tuple[Score, ...]
    first: Score | None


def trust(scores: Sequence[Score]) -> Trust:
    """The grade of some scores."""
    value = _mean(scores)
    wanting = [each for each in scores if each.value < 1]
    first = max(
        wanting, key=lambda each: _mean([replace(s, value=1.0) if s is each else s for s in scores]), default=None
    )
    grade = next(grade for least, grade in GRADES if value >= least)
    if any(each.value <= HALF for each in scores):
        grade = max(grade, "C")
    return Trust(grade, value, tuple(scores), first)


def _mean(scores: Sequence[Score]) -> float:
    if not scores:
        return 1.0
    return exp(sum(log(max(each.value, LEAST)) for each in scores) / len(scores))


def scores(
    facts: Facts, evidence: Evidence, *, status: Status | str, of_restoration: bool, now: datetime, end: datetime
) -> list[Score]:
    """What applies to a figure of these facts; `of_restoration` for MTTR."""
    found = [Score(Part.COVERAGE, facts.coverage)]
    if end >= now - FRESH:
        found.append(Score(Part.FRESHNESS, freshness(evidence.last_entry, now)))
    if evidence.stops:
        found.append(_share(Part.TIMELINESS, evidence.late, evidence.stops))
    if whole := evidence.unplanned + evidence.orders:
        found.append(_share(Part.CLASSIFICATION, evidence.unclassified + evidence.unsaid, whole))
    due = facts.events - facts.open_events
    if of_restoration and due:
        found.append(_share(Part.RESTORATION, facts.missing_restorations, due))
    found.append(Score(Part.PLAUSIBILITY, plausibility(evidence, status), evidence.stale, evidence.stops))
    return found


def scores_of_work(
    coverage: float | None, told: Of, evidence: WorkEvidence, *, status: Status | str, now: datetime, end: datetime
) -> list[Score]:
    """What applies to a figure of work; `coverage` is None where there is nothing that its records could fail to tell,
    and `told` what it is mostly a share of.

    Plausibility is halved by a suspect value, and by each kind of record that was left open.
    """
    found = [] if coverage is None else [Score(Part.COVERAGE, coverage, of=told)]
    if end >= now - FRESH:
        found.append(Score(Part.FRESHNESS, freshness(evidence.last_entry, now), of=evidence.entered))
    for part, judged in (
        (Part.TIMELINESS, evidence.late),
        (Part.CLASSIFICATION, evidence.unsaid),
        (Part.RESTORATION, evidence.unrestored),
    ):
        if judged and judged.whole:
            found.append(_share(part, judged.wrong, judged.whole, judged.of))
    left = [each for each in evidence.left if each.wrong]
    value = HALF ** ((status == Status.SUSPECT) + len(left))
    most = max(left, key=lambda each: each.wrong, default=None)
    found.append(Score(Part.PLAUSIBILITY, value, *((most.wrong, most.whole, most.of) if most else ())))
    return found


def _share(part: Part, wrong: int, whole: int, of: Of | None = None) -> Score:
    return Score(part, 1 - wrong / whole, wrong, whole, of)


def freshness(last_entry: datetime | None, now: datetime) -> float:
    """1 up to three days after the last entry, falling to 0 at thirty."""
    if last_entry is None:
        return 0.0
    return 1 - min(1.0, max(0.0, (now - last_entry - FRESH) / (SILENT - FRESH)))


def plausibility(evidence: Evidence, status: Status | str) -> float:
    """Halved by what cannot be, and by stops that were left open."""
    return (0.5 if status == Status.SUSPECT else 1.0) * (0.5 if evidence.stale else 1.0)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """MTBF (hours) if `unclassified` stops and so many `orders` were failures, beside what it is.

    `at_least` where they were too many to see which of them would be a further item of another failure.
    """

    unclassified: int
    value: float
    orders: int = 0
    at_least: bool = False


def sensitivity(
    facts: Facts, supposed: Supposed, *, by_items: bool = False, at_least: bool = False
) -> Sensitivity | None:
    """How much an MTBF hangs on stops and orders of which nobody said whether they were failures; None where it does
    not."""
    if not (supposed.items if by_items else supposed.events):
        return None
    then = replace(facts, events=facts.events + supposed.events, items=facts.items + supposed.items)
    value = (mtbf_by_items if by_items else mtbf)(then).value
    return None if value is None else Sensitivity(supposed.stops, value, supposed.orders, at_least)
