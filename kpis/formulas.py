"""The arithmetic of key figures: from additive facts to a value or a reason, never rounded, never both.

Pure: no database, no settings, no display. What each figure means is in docs/kpi.md. Durations are seconds,
MTBF and MTTR are hours, ratios are shares (0.95, not 95).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from math import log
from operator import add, attrgetter

HOUR = 3600.0
CONFIDENCE = 0.9
FEW_FAILURES = 5


class Status(StrEnum):
    """How far a figure may be trusted."""

    OK = "ok"
    UNDEFINED = "undefined"
    NO_DATA = "no data"
    PARTIAL = "partial"
    SUSPECT = "suspect"


class Reason(StrEnum):
    """Why a figure is not plainly `ok`; pages and API put the sentence to it."""

    NONE = ""
    NOT_BEGUN = "not_begun"
    NOT_IN_SERVICE = "not_in_service"
    NO_RECORDS = "no_records"
    NO_PLANNED_TIME = "no_planned_time"
    NO_OPERATING_TIME = "no_operating_time"
    NO_FAILURES = "no_failures"
    NO_RESTORATION_TIMES = "no_restoration_times"
    NOT_RESTORED_YET = "not_restored_yet"
    NO_COUNTS = "no_counts"
    NOTHING_MADE = "nothing_made"
    LOW_COVERAGE = "low_coverage"
    FASTER_THAN_IDEAL = "faster_than_ideal"
    COUNTED_WHILE_DOWN = "counted_while_down"
    NOTHING_DUE = "nothing_due"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A confidence interval; a side that the data cannot bound is None."""

    confidence: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """A value, or the reason why there is none. `partial` and `suspect` keep their value."""

    value: float | None
    status: Status
    reason: StrEnum = Reason.NONE
    bounds: Bounds | None = None
    coverage: float | None = None  # share of the rows asked for that tell what the figure needs; of work figures


@dataclass(slots=True, unsafe_hash=True)  # as frozen, in a fifth of the time: there are thousands
class Facts:
    """What happened to one asset, or to many, in a window: sums that may be added over days and assets.

    Never changed once made. The letters in the comments are those of the time model (docs/kpi.md).
    """

    calendar: float = 0.0  # CT, s
    scheduled: float = 0.0  # PT in which the asset's state is known, s
    unobserved: float = 0.0  # PT in which it is not, s; of assets without any record
    recorded: int = 0  # assets (or their days) of which any record exists
    planned_stop: float = 0.0  # PS, s
    down: float = 0.0  # UD, s
    off_schedule: float = 0.0  # XD, s
    stops: int = 0  # stops begun, those excluded from planned production apart
    events: int = 0  # failure events
    items: int = 0  # failed items of those events
    found: int = 0  # failure events found in maintenance, not among `events`
    restored: int = 0  # events with a restoration time
    restoration: float = 0.0  # their restoration times, s
    open_events: int = 0  # events whose asset is still down
    counts: int = 0  # parts of count records; only whether there are any matters
    good: float = 0.0  # pieces
    scrap: float = 0.0
    rework: float = 0.0
    ideal_good: float = 0.0  # pieces times their ideal cycle, s
    ideal_scrap: float = 0.0
    ideal_rework: float = 0.0
    doubtful: float = 0.0  # pieces counted while there was no operating time
    losses: Mapping[str, float] = field(default_factory=dict)  # UD by loss class, s

    def __add__(self, other: "Facts") -> "Facts":
        losses = dict(self.losses)
        for key, value in other.losses.items():
            losses[key] = losses.get(key, 0.0) + value
        return Facts(**dict(zip(SUMS, map(add, sums_of(self), sums_of(other)), strict=True)), losses=losses)

    @property
    def planned_production(self) -> float:
        """PPT = PT − PS."""
        return self.scheduled - self.planned_stop

    @property
    def operating(self) -> float:
        """OT = PPT − UD."""
        return self.planned_production - self.down

    @property
    def made(self) -> float:
        """Pieces, good or not."""
        return self.good + self.scrap + self.rework

    @property
    def ideal(self) -> float:
        """Seconds that all pieces would have taken at their ideal cycle: Σ c·N."""
        return self.ideal_good + self.ideal_scrap + self.ideal_rework

    @property
    def missing_restorations(self) -> int:
        """Events that are over but have no restoration time."""
        return self.events - self.restored - self.open_events

    @property
    def coverage(self) -> float:
        """Share of scheduled time whose state is known."""
        if not self.recorded:
            return 0.0
        asked = self.scheduled + self.unobserved
        return self.scheduled / asked if asked else 1.0


SUMS = tuple(each.name for each in fields(Facts) if each.name != "losses")
sums_of = attrgetter(*SUMS)
NO_FACTS = Facts()


def total(many: Iterable[Facts]) -> Facts:
    result = NO_FACTS
    for each in many:
        result += each
    return result


# --- Reliability and maintainability -----------------------------------------------------------


def mtbf(facts: Facts, *, threshold: float = 0.0, confidence: float = CONFIDENCE) -> Result:
    """Mean operating time between failure events, hours: ΣOT / events, with its confidence interval."""
    return _mean_time(facts, facts.events, threshold, confidence)


def mtbf_by_items(facts: Facts, *, threshold: float = 0.0, confidence: float = CONFIDENCE) -> Result:
    """As `mtbf`, each failed item counted as a failure of its own."""
    return _mean_time(facts, facts.items, threshold, confidence)


def _mean_time(facts: Facts, failures: int, threshold: float, confidence: float) -> Result:
    if unknown := _unknown(facts):
        return unknown
    operating = facts.operating / HOUR
    if operating <= 0:
        return Result(None, Status.UNDEFINED, Reason.NO_OPERATING_TIME)
    bounds = mtbf_bounds(operating, failures, confidence)
    if failures == 0:
        return Result(None, Status.UNDEFINED, Reason.NO_FAILURES, bounds)
    return _known(operating / failures, facts, threshold, bounds=bounds)


def mtbf_bounds(time: float, failures: int, confidence: float = CONFIDENCE) -> Bounds:
    """Interval of an MTBF in the unit of `time`, exponential, the window's end not being a failure.

    Two-sided; without a failure only the one-sided lower bound exists.
    """
    if failures == 0:
        return Bounds(confidence, time / -log(1 - confidence), None)
    tail = (1 - confidence) / 2
    return Bounds(
        confidence,
        2 * time / chi_square_quantile(1 - tail, 2 * failures + 2),
        2 * time / chi_square_quantile(tail, 2 * failures),
    )


def chi_square_quantile(probability: float, degrees: int) -> float:
    """The value that a chi-square variable stays below with this probability."""
    from scipy.special import gammaincinv  # noqa: PLC0415  scipy costs memory that most processes never need

    return 2.0 * float(gammaincinv(degrees / 2, probability))


def mttr(facts: Facts, *, threshold: float = 0.0) -> Result:
    """Mean time to restoration, clock hours, over events of the window that have been restored."""
    if unknown := _unknown(facts):
        return unknown
    if facts.events == 0:
        return Result(None, Status.UNDEFINED, Reason.NO_FAILURES)
    if facts.restored == 0:
        if facts.missing_restorations:
            return Result(None, Status.NO_DATA, Reason.NO_RESTORATION_TIMES)
        return Result(None, Status.UNDEFINED, Reason.NOT_RESTORED_YET)
    return _known(facts.restoration / facts.restored / HOUR, facts, threshold)


def availability(facts: Facts, *, threshold: float = 0.0) -> Result:
    """Operational availability: OT / PPT."""
    return _share_of_plan(facts, facts.operating, facts.planned_production, threshold)


def achieved_availability(facts: Facts, *, threshold: float = 0.0) -> Result:
    """(PT − all downtime) / PT: agreed maintenance and other planned stops count as well."""
    return _share_of_plan(facts, facts.operating, facts.scheduled, threshold)


def steady_state_availability(mean_up: float, mean_down: float) -> float:
    """Availability that a mean up time and a mean down time, in one unit, amount to in the long run."""
    return mean_up / (mean_up + mean_down)


def _share_of_plan(facts: Facts, part: float, whole: float, threshold: float) -> Result:
    if unknown := _unknown(facts):
        return unknown
    if whole <= 0:
        return Result(None, Status.UNDEFINED, Reason.NO_PLANNED_TIME)
    return _known(part / whole, facts, threshold)


# --- OEE ---------------------------------------------------------------------------------------


def oee(facts: Facts, *, threshold: float = 0.0) -> Result:
    """Overall equipment effectiveness: Σ c·G / PPT, which equals availability × performance × quality."""
    return _good_time(facts, facts.planned_production, threshold)


def teep(facts: Facts, *, threshold: float = 0.0) -> Result:
    """Total effective equipment performance: Σ c·G / CT."""
    return _good_time(facts, facts.calendar, threshold)


def _good_time(facts: Facts, whole: float, threshold: float) -> Result:
    if unknown := _unknown(facts):
        return unknown
    if facts.planned_production <= 0:
        return Result(None, Status.UNDEFINED, Reason.NO_PLANNED_TIME)
    if not facts.counts:
        return Result(None, Status.NO_DATA, Reason.NO_COUNTS)
    return _known(facts.ideal_good / whole, facts, threshold, doubt=_doubt(facts))


def oee_availability(facts: Facts, *, threshold: float = 0.0, in_performance: Collection[str] = ()) -> Result:
    """The availability that OEE is a product of: (OT + stops that are performance losses) / PPT."""
    if unknown := _unknown(facts):
        return unknown
    if facts.planned_production <= 0:
        return Result(None, Status.UNDEFINED, Reason.NO_PLANNED_TIME)
    if not facts.counts:
        return Result(None, Status.NO_DATA, Reason.NO_COUNTS)
    return _known(available(facts, in_performance) / facts.planned_production, facts, threshold)


def moved(facts: Facts, in_performance: Collection[str]) -> float:
    """Seconds of the stops whose loss classes are performance losses; nothing is read of `losses` without any."""
    return sum(facts.losses.get(loss, 0.0) for loss in in_performance)


def available(facts: Facts, in_performance: Collection[str]) -> float:
    """OT together with the stops that are performance losses, s."""
    return facts.operating + moved(facts, in_performance)


def performance(facts: Facts, *, threshold: float = 0.0, in_performance: Collection[str] = ()) -> Result:
    """Σ c·N / (OT + stops of the loss classes `in_performance`).

    When more was made than OT allows, the ideal cycle is too long or a count is wrong, and the figure says so.
    """
    if unknown := _unknown(facts):
        return unknown
    if facts.planned_production <= 0:
        return Result(None, Status.UNDEFINED, Reason.NO_PLANNED_TIME)
    if not facts.counts:
        return Result(None, Status.NO_DATA, Reason.NO_COUNTS)
    time = available(facts, in_performance)
    if time <= 0:
        return Result(None, Status.UNDEFINED, Reason.NO_OPERATING_TIME)
    return _known(facts.ideal / time, facts, threshold, doubt=_doubt(facts))


def quality(facts: Facts, *, threshold: float = 0.0) -> Result:
    """Σ c·G / Σ c·N: weighted by time, so that the product with performance holds over mixed products."""
    return _good_share(facts, facts.ideal_good, facts.ideal, threshold)


def quality_by_pieces(facts: Facts, *, threshold: float = 0.0) -> Result:
    """ΣG / ΣN."""
    return _good_share(facts, facts.good, facts.made, threshold)


def _good_share(facts: Facts, good: float, made: float, threshold: float) -> Result:
    if unknown := _unknown(facts):
        return unknown
    if facts.planned_production <= 0:
        return Result(None, Status.UNDEFINED, Reason.NO_PLANNED_TIME)
    if not facts.counts:
        return Result(None, Status.NO_DATA, Reason.NO_COUNTS)
    if made <= 0:
        return Result(None, Status.UNDEFINED, Reason.NOTHING_MADE)
    return _known(good / made, facts, threshold, doubt=_doubt(facts))


def _doubt(facts: Facts) -> Reason:
    if facts.ideal > facts.operating * (1 + 1e-9):
        return Reason.FASTER_THAN_IDEAL
    return Reason.COUNTED_WHILE_DOWN if facts.doubtful > 0 else Reason.NONE


@dataclass(frozen=True, slots=True)
class Loss:
    """One step of the waterfall from planned production time down to good time; seconds, negative is a gain."""

    key: str
    seconds: float


def waterfall(facts: Facts, in_performance: Collection[str] = ()) -> tuple[Loss, ...]:
    """Where planned production time went; with the last step, the good time, the steps add up to it.

    Losses of availability come first, then those of performance: stops `in_performance` and reduced speed.
    `reduced_speed` is what remains of operating time beside the pieces; negative when they were faster than ideal.
    """
    lost = sorted(facts.losses.items(), key=lambda loss: (loss[0] in in_performance, loss[0]))
    stops = tuple(Loss(key, value) for key, value in lost if value)
    return (
        *stops,
        Loss("reduced_speed", facts.operating - facts.ideal),
        Loss("scrap", facts.ideal_scrap),
        Loss("rework", facts.ideal_rework),
        Loss("good", facts.ideal_good),
    )


def unplanned(facts: Facts) -> tuple[Loss, ...]:
    """Where calendar time went that was no planned production time; with the `waterfall` it adds up to CT."""
    return (
        Loss("not_scheduled", facts.calendar - facts.scheduled - facts.unobserved),
        Loss("unknown", facts.unobserved),
        Loss("planned_stops", facts.planned_stop),
    )


# --- The same judgement for all ------------------------------------------------------------------


def _unknown(facts: Facts) -> Result | None:
    if facts.calendar <= 0:
        return Result(None, Status.UNDEFINED, Reason.NOT_IN_SERVICE)
    if not facts.recorded:
        return Result(None, Status.NO_DATA, Reason.NO_RECORDS)
    return None


def _known(
    value: float, facts: Facts, threshold: float, *, bounds: Bounds | None = None, doubt: Reason = Reason.NONE
) -> Result:
    if doubt:
        return Result(value, Status.SUSPECT, doubt, bounds)
    if facts.coverage < threshold:
        return Result(value, Status.PARTIAL, Reason.LOW_COVERAGE, bounds)
    return Result(value, Status.OK, Reason.NONE, bounds)
