"""Reliability beyond the mean: whether failures come faster or slower, and which problems and assets matter.

Pure: no database, no settings, no display. Times are operating hours. A statistic that needs more than there is
answers `NotEnough`, never a number. Sources: MIL-HDBK-189C (Crow-AMSAA), the NIST handbook 8.2.3, and Knights'
jack-knife diagram. Lives and their Weibull distribution are in `kpis.lifetimes`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import erfc, log, sqrt

from kpis.formulas import CONFIDENCE, Bounds, chi_square_quantile

TREND_FROM = 3  # failures
SIGNIFICANT = 1.96  # |U| beyond which chance alone would reach in 5 % of cases
VITAL = 0.8  # share of the whole that the bad actors make up


class Lack(StrEnum):
    """What a statistic misses."""

    FAILURES = "failures"
    AGES = "ages"  # different ages at failure
    OPERATING_TIME = "operating_time"  # a failure before the asset had operated at all


@dataclass(frozen=True, slots=True)
class NotEnough:
    """No answer: `found` of what is lacking, where `needed` would be enough."""

    lack: Lack
    found: int
    needed: int


class Verdict(StrEnum):
    """How failures follow each other as operating time goes on."""

    BETTER = "better"
    WORSE = "worse"
    NO_TREND = "no_trend"


@dataclass(frozen=True, slots=True)
class History:
    """Failures of one asset as operating hours since the beginning of its records, observed until `end`.

    The record ends at a moment of its own, as "now" does; `ended_by_failure` says that the last failure ended it.
    """

    failures: tuple[float, ...]
    end: float
    ended_by_failure: bool = False

    def __post_init__(self) -> None:
        if any(not 0 <= each <= self.end for each in self.failures):
            raise ValueError("A failure lies outside the history.")

    @property
    def free(self) -> tuple[float, ...]:
        """Failures whose place was left to chance: all but one that ended the record."""
        return tuple(sorted(self.failures))[: -1 if self.ended_by_failure else None]


def failures_of(histories: Iterable[History]) -> int:
    return sum(len(each.failures) for each in histories)


# --- Trend -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Laplace:
    """Laplace's test: `u` is standard normal when failures come at a constant rate, positive when ever faster."""

    u: float
    p: float  # two-sided: how often chance alone gives so much
    failures: int

    @property
    def verdict(self) -> Verdict:
        if abs(self.u) <= SIGNIFICANT:
            return Verdict.NO_TREND
        return Verdict.WORSE if self.u > 0 else Verdict.BETTER


def laplace(histories: Sequence[History]) -> Laplace | NotEnough:
    """U = Σ(tᵢ − T/2) / √(Σ T²/12), each asset against the middle of its own history."""
    if lacking := _few(histories):
        return lacking
    away = sum(time - each.end / 2 for each in histories for time in each.free)
    spread = sum(len(each.free) * each.end**2 / 12 for each in histories)
    if not spread:
        return NotEnough(Lack.OPERATING_TIME, 0, 1)
    u = away / sqrt(spread)
    return Laplace(u, erfc(abs(u) / sqrt(2)), failures_of(histories))


@dataclass(frozen=True, slots=True)
class CrowAmsaa:
    """Power-law growth of the failures of assets: of each, n·(t/T)^β in t operating hours.

    `beta` above 1 is getting worse. Several assets share β; each has its own number of failures.
    """

    beta: float
    unbiased: float  # β without the bias of few failures
    bounds: Bounds  # of β
    histories: tuple[History, ...]
    statistic: float  # of the MIL-HDBK-189 test; χ² with `degrees` when failures come at a constant rate
    degrees: int

    @property
    def failures(self) -> int:
        return failures_of(self.histories)

    @property
    def time(self) -> float:
        """Operating hours of all."""
        return sum(each.end for each in self.histories)

    @property
    def scale(self) -> float | None:
        """λ of the law λ·t^β; None for several assets, which have one each."""
        if len(self.histories) != 1:
            return None
        (only,) = self.histories
        return float(len(only.failures) / only.end**self.beta)

    @property
    def mtbf(self) -> float:
        """Over all of the time, as if there were no trend."""
        return self.time / self.failures

    @property
    def instantaneous(self) -> float:
        """MTBF as it is now: T / (n·β), which is T^(1−β) / (λ·β)."""
        return self.mtbf / self.beta

    @property
    def instantaneous_unbiased(self) -> float:
        return self.mtbf / self.unbiased

    @property
    def upper_tail(self) -> float:
        """How often a constant rate gives a statistic this large; small means getting better."""
        from scipy.special import gammaincc  # noqa: PLC0415  scipy costs memory that most processes never need

        return float(gammaincc(self.degrees / 2, self.statistic / 2))

    @property
    def p(self) -> float:
        """Two-sided probability that a constant rate departs so far."""
        return 2 * min(self.upper_tail, 1 - self.upper_tail)

    def cumulative(self, time: float) -> float:
        """Failures expected of one asset until it has operated so long; for a single history."""
        (only,) = self.histories
        return float(len(only.failures) * (time / only.end) ** self.beta)

    def expected(self, more: float) -> float:
        """Failures expected while every asset operates so many hours more."""
        return float(
            sum(
                len(each.failures) * ((1 + more / each.end) ** self.beta - 1)
                for each in self.histories
                if each.failures
            )
        )

    def next_failure(self, probability: float) -> float:
        """Operating hours from now before which the next failure comes with this probability; for a single history."""
        (only,) = self.histories
        share = 1 - log(1 - probability) / len(only.failures)
        return float(only.end * (share ** (1 / self.beta) - 1))


def crow_amsaa(histories: Sequence[History], confidence: float = CONFIDENCE) -> CrowAmsaa | NotEnough:
    """The power law by maximum likelihood: β = n / Σ ln(T/tᵢ), its interval, and the MIL-HDBK-189 test."""
    if lacking := _few(histories):
        return lacking
    if any(time <= 0 for each in histories for time in each.free):
        return NotEnough(Lack.OPERATING_TIME, 0, 1)
    number = failures_of(histories)
    free = sum(len(each.free) for each in histories)
    logs = sum(log(each.end / time) for each in histories for time in each.free)
    if logs <= 0:
        return NotEnough(Lack.AGES, 1, 2)
    beta = number / logs
    tail = (1 - confidence) / 2
    around = [chi_square_quantile(side, 2 * free) / (2 * logs) for side in (tail, 1 - tail)]
    return CrowAmsaa(
        beta=beta,
        unbiased=(free - 1) / logs,
        bounds=Bounds(confidence, around[0], around[1]),
        histories=tuple(histories),
        statistic=2 * logs,
        degrees=2 * free,
    )


def _few(histories: Sequence[History]) -> NotEnough | None:
    found = failures_of(histories)
    return NotEnough(Lack.FAILURES, found, TREND_FROM) if found < TREND_FROM else None


# --- Jack-knife --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One cause of failures: how often it came, and the hours until restoration they took together."""

    name: str
    failures: int
    hours: float

    @property
    def mean(self) -> float:
        return self.hours / self.failures


class Quadrant(StrEnum):
    """Often, long, both or neither, measured at the limits."""

    QUIET = "quiet"
    CHRONIC = "chronic"  # often
    ACUTE = "acute"  # long
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class JackKnife:
    """Problems by frequency and mean duration with the limits that part them."""

    problems: tuple[Problem, ...]  # the most hours first
    often: float  # failures of a problem on average
    long: float  # hours of a failure on average

    def quadrant(self, problem: Problem) -> Quadrant:
        chronic, acute = problem.failures > self.often, problem.mean > self.long
        if chronic and acute:
            return Quadrant.BOTH
        return Quadrant.CHRONIC if chronic else Quadrant.ACUTE if acute else Quadrant.QUIET


def jack_knife(problems: Iterable[Problem]) -> JackKnife | NotEnough:
    """Knights' limits: N / Q failures of a problem and D / N hours of a failure, of Q problems in all."""
    known = sorted(
        (each for each in problems if each.failures > 0), key=lambda each: (-each.hours, -each.failures, each.name)
    )
    if len(known) < 2:
        return NotEnough(Lack.FAILURES, sum(each.failures for each in known), 2)
    number = sum(each.failures for each in known)
    return JackKnife(tuple(known), number / len(known), sum(each.hours for each in known) / number)


# --- Bad actors --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Actor:
    """One contributor with its part of the whole and the running part down to it."""

    name: str
    value: float
    share: float
    running: float
    vital: bool  # among the few that make up most


def bad_actors(values: Iterable[tuple[str, float]]) -> tuple[Actor, ...]:
    """Contributors from the largest down; *vital* are those that together first reach 80 %. Zeros are left out."""
    known = sorted(((name, value) for name, value in values if value > 0), key=lambda pair: (-pair[1], pair[0]))
    whole = sum(value for _, value in known)
    found: list[Actor] = []
    running = 0.0
    for name, value in known:
        vital = running < VITAL * whole
        running += value
        found.append(Actor(name, value, value / whole, running / whole, vital))
    return tuple(found)
