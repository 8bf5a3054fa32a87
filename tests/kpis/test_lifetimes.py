"""Weibull lives, replacing in advance and the next failure: worked cases, another program, and properties."""

import csv
from itertools import pairwise
from math import inf, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import CensoredData, chi2, weibull_min

from kpis.lifetimes import (
    Advice,
    Life,
    Likelihood,
    Model,
    NextFailure,
    Replacement,
    Weibull,
    cost_rate,
    failed_shares,
    next_failure,
    replacement,
    weibull,
)
from kpis.reliability import History, Lack, NotEnough, crow_amsaa
from tests.data import reference_file
from tests.kpis.reliability_cases import LIVES, NIST


def fitted(lives) -> Weibull:
    found = weibull(lives)
    assert isinstance(found, Weibull)
    return found


def likelihood(lives, beta: float, eta: float) -> float:
    """By scipy, life by life."""
    failed = [each.age for each in lives if each.failed]
    others = [each.age for each in lives if not each.failed]
    return weibull_min.logpdf(failed, beta, scale=eta).sum() + weibull_min.logsf(others, beta, scale=eta).sum()


# --- Cases -------------------------------------------------------------------------------------


def test_five_failures_and_three_suspensions():
    found = fitted(LIVES)
    assert (round(found.beta, 4), round(found.eta, 2), found.failures, found.censored) == (3.1363, 1005.15, 5, 3)
    assert (round(found.mttf, 1), round(found.b10, 1)) == (899.4, 490.5)
    assert [found.beta_bounds.lower, found.beta_bounds.upper] == pytest.approx([1.593, 5.314], abs=5e-4)
    assert found.p_constant == pytest.approx(0.0113, abs=5e-5)
    assert not found.constant_rate_possible
    assert found.remaining(600, 0.5) == pytest.approx(369.0, abs=0.05)
    assert found.remaining(600, 0.2) == pytest.approx(163.1, abs=0.05)
    assert found.mean_remaining(600) == pytest.approx(398.2, abs=0.05)
    assert found.failing_within(600, 200) == pytest.approx(0.252, abs=5e-4)


def test_the_bias_of_few_failures_is_taken_out():
    """Simulated bias of the maximum-likelihood β without censoring: 5 failures +46 %, 10 +16 %, 20 +8 %."""
    for failures, bias in [(5, 1.46), (10, 1.16), (20, 1.08)]:
        found = fitted([Life(100.0 + each, True) for each in range(failures)])
        assert found.beta / found.beta_less_biased == pytest.approx(bias, abs=0.02)


def test_the_share_that_failed_without_any_distribution():
    """By hand: of 8 one is suspended at 300, so 1 of 7 fails at 410, 1 of 6 at 620, after 700 1 of 4, and so on."""
    assert failed_shares(LIVES) == [
        (410, pytest.approx(1 / 7)), (620, pytest.approx(2 / 7)), (790, pytest.approx(1 - 5 / 7 * 3 / 4)),
        (905, pytest.approx(1 - 5 / 7 * 2 / 4)), (1130, pytest.approx(1 - 5 / 7 * 1 / 4)),
    ]  # fmt: skip
    assert failed_shares([Life(5, True), Life(5, True), Life(9, False)]) == [(5, pytest.approx(2 / 3))]
    assert failed_shares([]) == []


def test_ages_beyond_all_sense_have_an_answer():
    steep = fitted([Life(100.0 + each / 100, True) for each in range(9)])
    assert steep.surviving(1e10) == 0
    assert cost_rate(steep, 1e10, planned=1, unplanned=5) == pytest.approx(5 / steep.mttf)
    assert cost_rate(steep, 0.01, planned=1, unplanned=5) == pytest.approx(100)


def test_replacing_in_advance_pays_where_a_failure_costs_more():
    lives = fitted(LIVES)
    dear = replacement(lives, planned=1000, unplanned=8000, present=600)
    assert (dear.advice, round(dear.age, 1), round(dear.rate, 3)) == (Advice.REPLACE, 425.4, 3.479)
    assert (round(dear.run_to_failure, 3), round(dear.saving, 3)) == (8.895, 0.609)
    assert (round(dear.flat_from), round(dear.flat_to)) == (369, 488)
    assert dear.present == pytest.approx(cost_rate(lives, 600, planned=1000, unplanned=8000))
    assert dear.saving_on_present == pytest.approx(1 - dear.rate / dear.present)
    cheap = replacement(lives, planned=1000, unplanned=1500)
    assert (round(cheap.age, 1), round(cheap.saving, 3)) == (1019.8, 0.035)
    assert (cheap.present, cheap.saving_on_present) == (None, None)
    none = replacement(lives, planned=1000, unplanned=900)
    assert none == Replacement(Advice.FAILURE_IS_CHEAPER, 900 / lives.mttf)
    assert none.saving is None
    assert replacement(lives, planned=1000, unplanned=1000).advice is Advice.FAILURE_IS_CHEAPER


def test_without_proof_of_ageing_there_is_no_advice():
    even = fitted([Life(age, True) for age in (10, 60, 120, 200, 330, 500)])
    assert even.constant_rate_possible
    assert replacement(even, planned=1, unplanned=100).advice is Advice.UNCERTAIN
    infant = fitted([Life(age, True) for age in (0.1, 0.2, 0.5, 2, 9, 40, 200, 1000, 4000)])
    assert infant.beta_bounds.upper < 1
    assert replacement(infant, planned=1, unplanned=100).advice is Advice.RUN_TO_FAILURE


def test_the_minimum_is_found_where_the_cost_rate_is_flat_to_the_right():
    """A bounded minimiser ends at the far end of this curve, hours beyond every life."""
    lives = fitted(LIVES)
    found = replacement(lives, planned=1000, unplanned=8000)
    for age in (1, 100, 0.9 * found.age, 1.1 * found.age, 2000, 8613):
        assert cost_rate(lives, age, planned=1000, unplanned=8000) > found.rate
    # Barely dearer than planned work: an age at which next to nothing is left is no advice.
    assert replacement(lives, planned=1000, unplanned=1000.001).advice is Advice.RUN_TO_FAILURE
    assert replacement(lives, planned=1000, unplanned=1010).flat_to is None


def test_the_valve_seats_by_another_program():
    with reference_file("valve_seat.csv").open() as file:
        rows = [(row["id"], float(row["time"]), row["status"] == "1") for row in csv.DictReader(file)]
    lives = [
        Life(age, failed)
        for before, (engine, time, failed) in pairwise([("", 0.0, False), *rows])
        if (age := time - (before[1] if before[0] == engine else 0)) > 0
    ]
    assert (len(lives), sum(each.failed for each in lives)) == (87, 46)  # two seats were replaced on one day, twice
    same_as_scipy(lives)


def test_a_censored_sample_by_another_program():
    same_as_scipy(LIVES)
    same_as_scipy([Life(100.0 + each, each % 3 != 0) for each in range(1, 40)])


def same_as_scipy(lives):
    found = fitted(lives)
    sample = CensoredData(
        uncensored=[each.age for each in lives if each.failed], right=[each.age for each in lives if not each.failed]
    )
    beta, _, eta = weibull_min.fit(sample, floc=0)
    assert [found.beta, found.eta] == pytest.approx([beta, eta], rel=1e-3)
    assert likelihood(lives, found.beta, found.eta) >= likelihood(lives, beta, eta) - 1e-9
    assert found.mttf == pytest.approx(weibull_min.mean(found.beta, scale=found.eta))
    assert found.b10 == pytest.approx(weibull_min.ppf(0.1, found.beta, scale=found.eta))
    # The intervals by definition: the best likelihood with β, or with B10, held there is just tolerable.
    least = likelihood(lives, found.beta, found.eta) - chi2.ppf(0.9, 1) / 2

    def best(eta_of):
        """The likelihood at the best of ln η or β, the other given by it."""
        return -minimize_scalar(lambda x: -likelihood(lives, *eta_of(x)), bracket=(0.9, 1.1)).fun

    for beta in (found.beta_bounds.lower, found.beta_bounds.upper):
        at_shape = best(lambda x, beta=beta: (beta, found.eta * max(x, 1e-3)))
        assert at_shape == pytest.approx(least, abs=1e-4)
    for age in (found.b10_bounds.lower, found.b10_bounds.upper):

        def through(x, age=age):
            shape = found.beta * max(x, 1e-3)
            return shape, age / (-log(0.9)) ** (1 / shape)

        assert best(through) == pytest.approx(least, abs=1e-4)


# --- What is not enough ------------------------------------------------------------------------


def test_below_its_minimum_a_distribution_says_what_is_missing():
    assert weibull([]) == NotEnough(Lack.FAILURES, 0, 5)
    assert weibull([Life(9, True)] * 4 + [Life(5, False)] * 9) == NotEnough(Lack.FAILURES, 4, 5)
    assert weibull([Life(9, True)] * 7 + [Life(5, False)] * 9) == NotEnough(Lack.AGES, 1, 2)


def test_a_life_without_length_is_refused():
    for age in (0, -1, inf):
        with pytest.raises(ValueError, match="says nothing"):
            Life(age, True)


# --- The next failure --------------------------------------------------------------------------


def test_the_next_failure_rests_on_the_strongest_thing_known():
    worse = History((500, 800, 900, 960, 980, 990), 1000)
    growth = crow_amsaa([worse])
    assert next_failure(worse, 10, fitted(LIVES)) == NextFailure(
        Model.TREND, growth.next_failure(0.1), growth.next_failure(0.5), growth.next_failure(0.9)
    )
    ageing = next_failure(History((), 600), 600, fitted(LIVES))
    assert (ageing.model, round(ageing.p50, 1)) == (Model.AGEING, 369.0)
    assert ageing.p10 < ageing.p50 < ageing.p90
    constant = next_failure(NIST, None, fitted(LIVES))
    assert (constant.model, constant.p50) == (Model.CONSTANT, pytest.approx(150 * log(2)))
    even = fitted([Life(age, True) for age in (10, 60, 120, 200, 330, 500)])
    assert next_failure(NIST, 22, even).model is Model.CONSTANT
    assert next_failure(History((), 600), None, fitted(LIVES)) == NotEnough(Lack.FAILURES, 0, 1)
    assert next_failure(History((), 600), 600, weibull([])) == NotEnough(Lack.FAILURES, 0, 1)


# --- Properties --------------------------------------------------------------------------------

ages = st.floats(1, 1e5)
samples = st.tuples(
    st.lists(ages, min_size=5, max_size=15, unique_by=lambda age: round(log(age), 2)), st.lists(ages, max_size=10)
).map(lambda pair: [*(Life(age, True) for age in pair[0]), *(Life(age, False) for age in pair[1])])


@given(samples, st.floats(0.01, 100))
@settings(deadline=None)
def test_a_longer_hour_shortens_all_lives_alike(lives, factor):
    one, other = fitted(lives), fitted([Life(each.age * factor, each.failed) for each in lives])
    assert [other.beta, other.p_constant] == pytest.approx([one.beta, one.p_constant], rel=1e-6, abs=1e-9)
    assert [other.eta, other.b10, other.mttf] == pytest.approx([factor * x for x in (one.eta, one.b10, one.mttf)])
    assert other.b10_bounds.lower == pytest.approx(factor * one.b10_bounds.lower, rel=1e-4)
    assert other.b10_bounds.upper == pytest.approx(factor * one.b10_bounds.upper, rel=1e-4)


@given(samples, st.randoms())
@settings(deadline=None)
def test_the_order_of_lives_changes_nothing(lives, chance):
    assert fitted(chance.sample(lives, len(lives))) == fitted(lives)


@given(samples, st.floats(0.8, 1.25), st.floats(0.8, 1.25))
@settings(deadline=None)
def test_nothing_nearby_is_more_likely(lives, shape, scale):
    found = fitted(lives)
    best = likelihood(lives, found.beta, found.eta)
    assert best >= likelihood(lives, found.beta * shape, found.eta * scale) - 1e-7
    assert abs(Likelihood(lives).slope(found.beta)) < 1e-6
    assert found.beta_bounds.lower < found.beta < found.beta_bounds.upper
    assert found.b10_bounds.lower < found.b10 < found.b10_bounds.upper


@given(samples, st.floats(1, 1e5), st.floats(0.05, 0.95))
@settings(deadline=None)
def test_what_remains_is_what_the_distribution_leaves(lives, age, share):
    found = fitted(lives)
    if not found.surviving(age) > 0.01:
        return
    assert found.failing_within(age, found.remaining(age, share)) == pytest.approx(share, rel=1e-6)
    assert found.surviving(found.quantile(share)) == pytest.approx(1 - share, rel=1e-6)


@given(samples, st.floats(1.5, 50), st.floats(0.2, 5))
@settings(deadline=None)
def test_no_other_age_of_replacement_costs_less(lives, unplanned, factor):
    found = fitted(lives)
    advice = replacement(found, planned=1, unplanned=unplanned)
    if advice.age is None:
        return
    assert cost_rate(found, advice.age * factor, planned=1, unplanned=unplanned) >= advice.rate * (1 - 1e-9)
    assert 0 <= advice.saving < 1
    assert advice.flat_from < advice.age < (advice.flat_to or inf)
