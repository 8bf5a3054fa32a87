"""How long things last: the Weibull distribution of lives, when to replace in advance, when the next failure comes.

Pure: no database, no settings, no display. Ages are operating hours. A life ends by a failure or is *censored*: it
was still going on, or was ended by something else. Weibull here has two parameters, β (shape) and η (the age that
63.2 % have failed by).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from math import exp, expm1, gamma, inf, log, log1p

from kpis.formulas import CONFIDENCE, Bounds, chi_square_quantile
from kpis.reliability import CrowAmsaa, History, Lack, Laplace, NotEnough, Verdict, crow_amsaa, laplace

WEIBULL_FROM = 5  # failures
FLAT = 0.02  # cost above the least that is as good as the least
NEVER = 30.0  # (t/η)^β beyond which next to nothing lives on
BEYOND = 600.0  # its logarithm that floats still hold
TINY = 1e-12  # (t/η)^β below which nothing has failed


@dataclass(frozen=True, slots=True)
class Life:
    """Operating hours from new (or as good as new) to a failure, or so far."""

    age: float
    failed: bool

    def __post_init__(self) -> None:
        if not 0 < self.age < inf:
            raise ValueError(f"A life of {self.age} hours says nothing.")


@dataclass(frozen=True, slots=True)
class Weibull:
    """A fitted distribution of lives with its likelihood-ratio intervals."""

    beta: float
    eta: float
    failures: int
    censored: int
    beta_bounds: Bounds
    b10_bounds: Bounds
    p_constant: float  # how often a constant rate (β = 1) would fit so much worse by chance

    @property
    def mttf(self) -> float:
        return self.eta * gamma(1 + 1 / self.beta)

    @property
    def b10(self) -> float:
        """The age that a tenth fails before."""
        return self.quantile(0.1)

    @property
    def beta_less_biased(self) -> float:
        """β as it would be without the bias of few failures (Ross 1996): 5 failures give 1.4 times too much."""
        lives = self.failures + self.censored
        return float(self.beta / (1 + 1.37 / (self.failures - 1.92) * (lives / self.failures) ** 0.5))

    @property
    def constant_rate_possible(self) -> bool:
        """Whether β = 1 (no ageing) lies within the interval of β."""
        lower, upper = self.beta_bounds.lower, self.beta_bounds.upper
        return lower is not None and upper is not None and lower <= 1 <= upper

    def quantile(self, share: float) -> float:
        """The age by which this share has failed."""
        return float(self.eta * (-log1p(-share)) ** (1 / self.beta))

    def surviving(self, age: float) -> float:
        return exp(-self.hazard_sum(age))

    def hazard_sum(self, age: float) -> float:
        """(t/η)^β, cut where nothing lives on any more."""
        return exp(min(BEYOND, self.beta * log(age / self.eta))) if age else 0.0

    def hazard(self, age: float) -> float:
        """Failures per hour of those that reached this age."""
        return float(self.beta / self.eta * (age / self.eta) ** (self.beta - 1))

    def remaining(self, age: float, probability: float) -> float:
        """Hours more before which one of this age fails with this probability."""
        return float(self.eta * (self.hazard_sum(age) - log1p(-probability)) ** (1 / self.beta)) - age

    def mean_remaining(self, age: float) -> float:
        """Hours more that one of this age lives on average."""
        from scipy.special import gammaincc  # noqa: PLC0415  scipy costs memory that most processes never need

        return self.mttf * float(gammaincc(1 / self.beta, self.hazard_sum(age))) / self.surviving(age)

    def failing_within(self, age: float, more: float) -> float:
        """Probability that one of this age fails within so many hours more."""
        return -expm1(self.hazard_sum(age) - self.hazard_sum(age + more))

    def lived(self, age: float) -> float:
        """Hours that one lives on average when it is replaced at this age at the latest: ∫ R."""
        from scipy.special import gammainc  # noqa: PLC0415  scipy costs memory that most processes never need

        gone = self.hazard_sum(age)
        return age if gone < TINY else self.mttf * float(gammainc(1 / self.beta, gone))


def weibull(lives: Sequence[Life], confidence: float = CONFIDENCE) -> Weibull | NotEnough:
    """Maximum likelihood with right censoring; from 5 failures of at least two different ages on."""
    likelihood = Likelihood(lives)
    failures = likelihood.failures
    if failures < WEIBULL_FROM:
        return NotEnough(Lack.FAILURES, failures, WEIBULL_FROM)
    if len(ages := {each.age for each in lives if each.failed}) < 2:
        return NotEnough(Lack.AGES, len(ages), 2)
    beta = likelihood.best()
    eta, top = likelihood.eta(beta), likelihood.profile(beta)
    allowed = chi_square_quantile(confidence, 1) / 2
    lower = _root(lambda tried: likelihood.profile(tried) - top + allowed, beta, above=False)
    upper = _root(lambda tried: likelihood.profile(tried) - top + allowed, beta, above=True)
    return Weibull(
        beta=beta,
        eta=eta,
        failures=failures,
        censored=len(lives) - failures,
        beta_bounds=Bounds(confidence, lower, upper),
        b10_bounds=Bounds(confidence, *_ages_by(0.1, likelihood, (lower, beta, upper), top - allowed)),
        p_constant=_beyond(2 * (top - likelihood.profile(1.0))),
    )


# --- Replacing in advance ------------------------------------------------------------------------


class Advice(StrEnum):
    """What the lives and the costs say about replacing in advance."""

    REPLACE = "replace"
    RUN_TO_FAILURE = "run_to_failure"  # new ones fail as often as old ones, or more often
    UNCERTAIN = "uncertain"  # β = 1 (no ageing) fits as well
    FAILURE_IS_CHEAPER = "failure_is_cheaper"


@dataclass(frozen=True, slots=True)
class Replacement:
    """When to replace in advance. Cost rates are money per operating hour; without advice to replace no age is given.

    Between `flat_from` and `flat_to` the cost rate is within 2 % of the least; None means without end.
    """

    advice: Advice
    run_to_failure: float  # cost rate
    age: float | None = None
    rate: float | None = None
    flat_from: float | None = None
    flat_to: float | None = None
    present: float | None = None  # cost rate of the present interval

    @property
    def saving(self) -> float | None:
        """Share of the cost of running to failure that replacing in advance saves."""
        return None if self.rate is None else 1 - self.rate / self.run_to_failure

    @property
    def saving_on_present(self) -> float | None:
        return None if self.rate is None or self.present is None else 1 - self.rate / self.present


def cost_rate(lives: Weibull, age: float, *, planned: float, unplanned: float) -> float:
    """Cost per operating hour when each is replaced at this age, or at its failure before."""
    alive = lives.surviving(age)
    return (planned * alive + unplanned * (1 - alive)) / lives.lived(age)


def replacement(lives: Weibull, *, planned: float, unplanned: float, present: float | None = None) -> Replacement:
    """The age of replacement with the least cost rate; `present` is today's interval in operating hours.

    It is the root of h(t)·∫R − F(t) = planned / (unplanned − planned), not the minimum of the cost rate: that is so
    flat to the right that a minimiser stops anywhere.
    """
    at_failure = unplanned / lives.mttf
    today = None if present is None else cost_rate(lives, present, planned=planned, unplanned=unplanned)
    if unplanned <= planned:
        return Replacement(Advice.FAILURE_IS_CHEAPER, at_failure, present=today)
    if lives.constant_rate_possible:
        return Replacement(Advice.UNCERTAIN, at_failure, present=today)
    ratio = planned / (unplanned - planned)

    def excess(age: float) -> float:
        return lives.hazard(age) * lives.lived(age) - (1 - lives.surviving(age)) - ratio

    last = lives.eta * NEVER ** (1 / lives.beta)
    if lives.beta <= 1 or excess(last) <= 0:
        return Replacement(Advice.RUN_TO_FAILURE, at_failure, present=today)
    age = _root(excess, last, above=False)
    rate = cost_rate(lives, age, planned=planned, unplanned=unplanned)

    def dearer(tried: float) -> float:
        return cost_rate(lives, tried, planned=planned, unplanned=unplanned) - rate * (1 + FLAT)

    return Replacement(
        Advice.REPLACE,
        at_failure,
        age=age,
        rate=rate,
        flat_from=_root(dearer, age, above=False),
        flat_to=_root(dearer, age, above=True) if dearer(last) > 0 else None,
        present=today,
    )


# --- The next failure ----------------------------------------------------------------------------

CHANCES = (0.1, 0.5, 0.9)


class Model(StrEnum):
    """What an estimate of the next failure rests on."""

    TREND = "trend"  # Crow-AMSAA: the rate changes as operating time goes on
    AGEING = "ageing"  # Weibull at the present age
    CONSTANT = "constant"  # failures at a constant rate


@dataclass(frozen=True, slots=True)
class NextFailure:
    """Operating hours from now before which the next failure comes with 10, 50 and 90 %."""

    model: Model
    p10: float
    p50: float
    p90: float


def next_failure(history: History, age: float | None, lives: Weibull | NotEnough) -> NextFailure | NotEnough:
    """When one asset fails next: by its trend if it has one, else by its age if that matters, else at a constant rate.

    `age` is operating time since the last failure, or since new; None where neither is known.
    """
    trend = laplace([history])
    if isinstance(trend, Laplace) and trend.verdict is not Verdict.NO_TREND:
        growth = crow_amsaa([history])
        if isinstance(growth, CrowAmsaa):
            return NextFailure(Model.TREND, *(growth.next_failure(chance) for chance in CHANCES))
    if age is not None and isinstance(lives, Weibull) and not lives.constant_rate_possible:
        return NextFailure(Model.AGEING, *(lives.remaining(age, chance) for chance in CHANCES))
    if not history.failures or not history.end:
        return NotEnough(Lack.FAILURES, 0, 1)
    mean = history.end / len(history.failures)
    return NextFailure(Model.CONSTANT, *(-mean * log1p(-chance) for chance in CHANCES))


# --- Arithmetic ----------------------------------------------------------------------------------


class Likelihood:
    """The likelihood of lives for a shape, with the scale that suits it best.

    Ages are divided by the oldest, so that their powers cannot overflow.
    """

    def __init__(self, lives: Sequence[Life]):
        self.unit = max((each.age for each in lives), default=1.0)
        self.logs = sorted(log(each.age / self.unit) for each in lives)
        failed = sorted(log(each.age / self.unit) for each in lives if each.failed)
        self.failures = len(failed)
        self.sum_of_failed = sum(failed)

    def slope(self, beta: float) -> float:
        """Σ x^β ln x / Σ x^β − 1/β − mean ln x of the failed: rises with β and is 0 at the best."""
        powers = [exp(beta * each) for each in self.logs]
        weighted = sum(power * each for power, each in zip(powers, self.logs, strict=True))
        return weighted / sum(powers) - 1 / beta - self.sum_of_failed / self.failures

    def best(self) -> float:
        return _root(self.slope, 1.0, above=self.slope(1.0) < 0)

    def eta(self, beta: float) -> float:
        return float(self.unit * self._mean(beta) ** (1 / beta))

    def profile(self, beta: float) -> float:
        """Log-likelihood at the best scale for this shape, but for a constant."""
        return self.failures * (log(beta) - log(self._mean(beta)) - 1) + (beta - 1) * self.sum_of_failed

    def _mean(self, beta: float) -> float:
        return sum(exp(beta * each) for each in self.logs) / self.failures


def failed_shares(lives: Sequence[Life]) -> list[tuple[float, float]]:
    """The share that failed by each age at which one did, whatever the distribution (Kaplan-Meier)."""
    living, alive = len(lives), 1.0
    found: list[tuple[float, float]] = []
    for age, group in groupby(sorted(lives, key=lambda each: each.age), key=lambda each: each.age):
        ended = [each.failed for each in group]
        if failures := sum(ended):
            alive *= 1 - failures / living
            found.append((age, 1 - alive))
        living -= len(ended)
    return found


def _ages_by(
    share: float, likelihood: Likelihood, betas: tuple[float, float, float], least: float
) -> tuple[float, float]:
    """The smallest and largest age by which `share` has failed, of all (β, η) whose likelihood is `least` or more.

    At a shape the likelihood falls by r·(u − 1 − ln u) when the scale is changed by a factor u^(−1/β), so the scales
    at the border are known, and only the shape is searched.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  scipy costs memory that most processes never need
    from scipy.special import lambertw  # noqa: PLC0415

    lower, best, upper = betas

    def age(beta: float, branch: int) -> float:
        spare = max(0.0, likelihood.profile(beta) - least) / likelihood.failures
        factor = -lambertw(-exp(-1 - spare), branch).real
        return float(log(likelihood.eta(beta)) + (log(-log1p(-share)) - log(factor)) / beta)

    def furthest(branch: int, sign: int) -> float:
        # The border is one curve around (β, η); on each side of its best shape it is searched by itself.
        spans = ((lower, best), (best, upper))
        found = [
            minimize_scalar(lambda beta: sign * age(beta, branch), bounds=span, method="bounded").fun for span in spans
        ]
        return exp(sign * min(found))

    return furthest(-1, 1), furthest(0, -1)


def _root(function: Callable[[float], float], start: float, *, above: bool) -> float:
    """Where the function becomes 0, above or below `start`."""
    from scipy.optimize import brentq  # noqa: PLC0415  scipy costs memory that most processes never need

    sign = function(start) > 0
    step = 2.0 if above else 0.5
    near, far = start, start * step
    while (function(far) > 0) == sign:
        near, far = far, far * step
    return float(brentq(function, min(near, far), max(near, far), xtol=1e-12 * far, rtol=1e-12))


def _beyond(statistic: float) -> float:
    """Probability that χ² with one degree of freedom exceeds the statistic."""
    from scipy.special import gammaincc  # noqa: PLC0415  scipy costs memory that most processes never need

    return float(gammaincc(0.5, max(0.0, statistic) / 2))
