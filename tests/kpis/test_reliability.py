"""Trends, jack-knife and bad actors, by published cases and by properties."""

import csv
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from kpis.formulas import mtbf_bounds
from kpis.reliability import (
    Actor,
    CrowAmsaa,
    History,
    JackKnife,
    Lack,
    Laplace,
    NotEnough,
    Problem,
    Quadrant,
    Verdict,
    bad_actors,
    crow_amsaa,
    failures_of,
    jack_knife,
    laplace,
)
from tests.data import reference_file, reference_json
from tests.kpis.reliability_cases import NIST, PROBLEMS, RELIAWIKI


def grown(*histories: History) -> CrowAmsaa:
    growth = crow_amsaa(histories)
    assert isinstance(growth, CrowAmsaa)
    return growth


def trend_of(*histories: History) -> Laplace:
    test = laplace(histories)
    assert isinstance(test, Laplace)
    return test


# --- Cases -------------------------------------------------------------------------------------


def test_the_nist_system_gets_better_slowly_enough_for_laplace_to_say_nothing():
    test, growth = trend_of(NIST), grown(NIST)
    assert (round(test.u, 4), round(test.p, 5), test.verdict) == (-1.3269, 0.18453, Verdict.NO_TREND)
    assert (growth.statistic, growth.degrees) == (pytest.approx(37.2281, abs=5e-5), 20)
    assert (growth.upper_tail, growth.p) == (pytest.approx(0.01099, abs=5e-6), pytest.approx(0.02197, abs=5e-6))
    assert (round(growth.beta, 5), round(growth.scale, 6), round(growth.unbiased, 5)) == (0.53723, 0.196658, 0.48351)
    assert (growth.mtbf, round(growth.instantaneous, 4)) == (150.0, 279.2106)
    assert growth.instantaneous_unbiased == pytest.approx(310.234, abs=5e-4)
    assert growth.expected(500) == pytest.approx(1.67, abs=5e-3)
    bounds = [growth.beta * chi2.ppf(side, 20) / 20 for side in (0.05, 0.95)]
    assert [growth.bounds.lower, growth.bounds.upper] == pytest.approx(bounds)
    assert growth.cumulative(1500) == pytest.approx(10)
    assert growth.instantaneous == pytest.approx(1500 ** (1 - growth.beta) / (growth.scale * growth.beta))


def test_a_record_that_a_failure_ended():
    test, growth = trend_of(RELIAWIKI), grown(RELIAWIKI)
    assert (round(test.u, 4), round(test.p, 5), test.verdict) == (-2.7832, 0.00538, Verdict.BETTER)
    assert (round(growth.statistic, 4), growth.degrees) == (71.6367, 42)
    assert (round(growth.beta, 5), round(growth.scale, 6), round(growth.unbiased, 5)) == (0.61421, 0.423942, 0.55837)
    assert (round(growth.instantaneous, 3), round(growth.instantaneous_unbiased, 4)) == (45.883, 50.4713)
    ended = History(NIST.failures, 1478, ended_by_failure=True)
    assert (round(trend_of(ended).u, 3), round(grown(ended).beta, 4)) == (-1.911, 0.5415)


@pytest.mark.parametrize(
    ("name", "ours"), [("nist_8_4_5_2_and_trend_tests", NIST), ("reliawiki_crow_amsaa", RELIAWIKI)]
)
def test_our_table_and_the_reference_file_agree(name, ours):
    case = reference_json("reliability_cases_with_answers.json")[name]
    assert ours.failures == tuple(case["input"]["failure_times_h"])
    answers, growth, test = case["computed"], grown(ours), trend_of(ours)
    assert ours.ended_by_failure == (answers["truncation"] == "failure")
    assert [test.u, test.p] == pytest.approx(list(answers["laplace"].values()), abs=6e-5)
    mil = answers["mil_hdbk_189_test"]
    assert [growth.statistic, growth.degrees, growth.upper_tail, growth.p] == pytest.approx(
        list(mil.values()), abs=6e-5
    )
    crow = answers["crow_amsaa"]
    assert growth.beta == pytest.approx(crow["beta_mle"], abs=5e-6)
    assert growth.scale == pytest.approx(crow["lambda_mle"], abs=5e-7)
    assert growth.unbiased == pytest.approx(crow["beta_unbiased"], abs=5e-6)
    assert growth.mtbf == pytest.approx(crow["mtbf_cumulative_at_T"], abs=5e-5)
    assert growth.instantaneous == pytest.approx(crow["mtbf_instantaneous_at_T_mle"], abs=5e-5)
    assert growth.instantaneous_unbiased == pytest.approx(crow["mtbf_instantaneous_at_T_unbiased"], abs=5e-4)
    if published := case.get("published"):
        assert (round(growth.beta, 4), round(growth.scale, 4)) == (published["beta"], published["lambda"])


def test_the_valve_seats_of_a_fleet():
    with reference_file("valve_seat.csv").open() as file:
        rows = [(row["id"], float(row["time"]), row["status"] == "1") for row in csv.DictReader(file)]
    histories = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        *replaced, (_, end, last) = group
        assert not last
        histories.append(History(tuple(time for _, time, _ in replaced), end))
    answers = reference_json("reliability_cases_with_answers.json")["nelson_valve_seat"]
    growth = grown(*histories)
    assert (len(histories), growth.failures, growth.time) == (41, 48, 25363) == (
        answers["engines"], answers["replacements"], answers["total_engine_days"]
    )  # fmt: skip
    assert growth.mtbf == pytest.approx(528.3958, abs=5e-5) == pytest.approx(answers["fleet"]["mtbf"], abs=5e-5)
    bounds = mtbf_bounds(growth.time, growth.failures)
    assert [bounds.lower, bounds.upper] == pytest.approx([415.42, 681.7962], abs=5e-5)
    # Known from the literature on these data: replacements come faster towards the end.
    assert growth.beta > 1
    assert trend_of(*histories).u > 1.96
    assert growth.scale is None


def test_jack_knife_limits_part_the_often_from_the_long():
    found = jack_knife(PROBLEMS)
    assert isinstance(found, JackKnife)
    assert (found.often, found.long) == (pytest.approx(16.8), pytest.approx(101 / 84))
    assert {each.name: found.quadrant(each) for each in found.problems} == {
        "hydraulic": Quadrant.CHRONIC,
        "belt": Quadrant.CHRONIC,
        "electric": Quadrant.ACUTE,
        "bearing": Quadrant.ACUTE,
        "sensor": Quadrant.QUIET,
    }
    assert [each.name for each in found.problems] == ["electric", "bearing", "hydraulic", "belt", "sensor"]


def test_bad_actors_are_those_that_first_make_up_four_fifths():
    found = bad_actors([("b", 30), ("a", 50), ("idle", 0), ("d", 5), ("c", 15)])
    assert found == (
        Actor("a", 50, 0.5, 0.5, True),
        Actor("b", 30, 0.3, 0.8, True),
        Actor("c", 15, 0.15, 0.95, False),
        Actor("d", 5, 0.05, 1.0, False),
    )
    assert bad_actors([]) == bad_actors([("idle", 0)]) == ()


# --- What is not enough ------------------------------------------------------------------------


def test_below_its_minimum_a_statistic_says_what_is_missing():
    few = [History((1, 2), 10), History((), 10)]
    assert laplace(few) == crow_amsaa(few) == NotEnough(Lack.FAILURES, 2, 3)
    assert laplace([]) == NotEnough(Lack.FAILURES, 0, 3)
    assert isinstance(laplace([*few, History((4,), 10)]), Laplace)
    assert crow_amsaa([History((0, 4, 5), 10)]) == NotEnough(Lack.OPERATING_TIME, 0, 1)
    assert laplace([History((0, 0, 0), 0)]) == NotEnough(Lack.OPERATING_TIME, 0, 1)
    assert crow_amsaa([History((7, 7, 7), 7)]) == NotEnough(Lack.AGES, 1, 2)
    assert jack_knife([Problem("only", 5, 9), Problem("none", 0, 0)]) == NotEnough(Lack.FAILURES, 5, 2)


def test_a_failure_outside_its_history_is_refused():
    for failures in [(11,), (-1,)]:
        with pytest.raises(ValueError, match="outside"):
            History(failures, 10)


# --- Properties --------------------------------------------------------------------------------


@st.composite
def history(draw, least: int = 3) -> History:
    end = draw(st.floats(10, 1e6))
    shares = draw(st.lists(st.floats(0.001, 0.999), min_size=least, max_size=20))
    return History(tuple(end * share for share in shares), end)


@given(history(), st.floats(0.01, 1000))
def test_a_trend_does_not_depend_on_the_unit_of_time(one, factor):
    other = History(tuple(time * factor for time in one.failures), one.end * factor)
    assert trend_of(other).u == pytest.approx(trend_of(one).u, rel=1e-6, abs=1e-9)
    assert grown(other).beta == pytest.approx(grown(one).beta)
    assert grown(other).instantaneous == pytest.approx(factor * grown(one).instantaneous)
    assert grown(other).next_failure(0.5) == pytest.approx(factor * grown(one).next_failure(0.5))


@given(st.lists(history(least=1), min_size=3, max_size=5), st.randoms())
def test_a_trend_does_not_depend_on_the_order(many, chance):
    mixed = [History(tuple(chance.sample(each.failures, len(each.failures))), each.end) for each in many]
    chance.shuffle(mixed)
    assert trend_of(*mixed).u == pytest.approx(trend_of(*many).u, rel=1e-6, abs=1e-9)
    assert grown(*mixed).beta == pytest.approx(grown(*many).beta)
    assert failures_of(mixed) == failures_of(many)


@given(history())
def test_a_history_run_backwards_has_the_opposite_trend(one):
    backwards = History(tuple(one.end - time for time in one.failures), one.end)
    assert trend_of(backwards).u == pytest.approx(-trend_of(one).u, rel=1e-6, abs=1e-9)


@given(history())
def test_growth_explains_exactly_the_failures_that_occurred_and_its_interval_holds_it(one):
    growth = grown(one)
    assert growth.cumulative(one.end) == pytest.approx(len(one.failures))
    assert growth.bounds.lower < growth.beta < growth.bounds.upper
    assert growth.unbiased < growth.beta
    assert growth.upper_tail == pytest.approx(chi2.sf(growth.statistic, growth.degrees))
    # With the median number of hours more, half a failure's worth of chance is used up.
    more = growth.next_failure(0.5)
    assert growth.expected(more) == pytest.approx(0.693147, rel=1e-4)


@given(st.lists(st.tuples(st.text(max_size=3), st.floats(0, 1e6)), max_size=12))
def test_bad_actors_run_up_to_the_whole(values):
    found = bad_actors(values)
    assert sum(each.share for each in found) == pytest.approx(1 if found else 0)
    assert [each.value for each in found] == sorted((value for _, value in values if value > 0), reverse=True)
    assert sum(each.value for each in found if each.vital) >= 0.8 * sum(each.value for each in found) * (1 - 1e-9)
