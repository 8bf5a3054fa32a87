"""The formula of a figure with its numbers in it: whoever reckons after it gets the figure."""

import re

import pytest

from assets.models import Downtime, Failure
from kpis import explaining
from kpis.calculations import days, hours, in_weeks, inherent, read_off, unworked
from kpis.definitions import DEFINITIONS
from kpis.figures import periods
from kpis.work import between, place_of
from production.models import Count
from tests.kpis.test_inputs_work import history as history  # the fixture
from tests.kpis.test_work_database import BEGIN, END, NOW, at, order
from tests.kpis.test_work_database import broken as broken  # which that one needs
from workorders.states import State

SIGNS = str.maketrans({"÷": "/", "×": "*", "−": "-", "\u202f": "", "\xa0": ""})


def reckoned(sentence: str) -> float:
    """What the arithmetic of a sentence comes to: its last part, without what that is called."""
    arithmetic = re.split("[:;] ", sentence)[-1].partition(" = ")[0]
    return eval(re.sub("[^-+*/().0-9 ]", "", arithmetic.translate(SIGNS)))


@pytest.fixture
def varied(history):
    """The same with a repair of the labeller that took as long in no part, and with more of its pieces scrapped."""
    plant = history
    stop = Downtime.objects.create(asset=plant.labeller, start=at(100), end=at(117), reason=plant.breakdown)
    failure = Failure.objects.create(asset=plant.labeller, occurred=stop.start, restored=stop.end, downtime=stop)
    row = order(plant.labeller, at(102), State.CLOSED, failure=failure, completed_at=at(116), closed_at=at(118))
    row.labour.create(person=plant.technician, start=at(107), end=at(114))
    Count.objects.create(asset=plant.labeller, start=at(60), end=at(70), good=5000, scrap=900, ideal_cycle=5)
    return plant


@pytest.mark.parametrize("key", DEFINITIONS)
def test_every_sentence_comes_to_the_value_of_its_figure(varied, key):
    plant, told = varied, {}
    for asset in (None, plant.line, plant.filler, plant.labeller):
        for start, end in ((BEGIN, END), (at(12), at(500)), (at(1), at(26))):
            question = {"site": plant.berlin, "start": start, "end": end, "scope": "leaves", "now": NOW}
            (found,) = periods([asset], **question)
            figure = found.figure(DEFINITIONS[key])
            sentence = explaining.sentence(figure)
            if figure.value:
                told[sentence] = figure.value
                assert reckoned(sentence) == pytest.approx(figure.value, rel=0.01, abs=1e-4), sentence
    assert len(set(told.values())) > 1, "One value may be right by chance"
    assert all(len(re.findall(r"\d+\.?\d*", sentence.translate(SIGNS))) > 1 for sentence in told), "not a count alone"


@pytest.mark.parametrize("number", [1, 2, 5, 10, 11, 12, 71, 101])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_quantile_says_which_value_it_is_or_between_which_two_it_lies(number, share):
    values = [3600.0 * (each * each + 1) for each in range(number)]
    found = between(values[::-1], share)
    sums = {"n": number, "low": found.low, "high": found.high}
    words = read_off(share, "n", "low", "high", hours)(sums)
    place, part = place_of(number, share)
    assert (values[place], bool(part)) == (found.low, found.high != found.low)
    assert words.startswith(f"between no. {place + 1} and {place + 2}" if part else f"no. {place + 1} of {number}")
    assert reckoned(words) == pytest.approx(found.value / 3600)


def test_quantiles_read_like_this():
    middle = read_off(0.5, "n", "low", "high", days)
    assert middle({"n": 5, "low": 4, "high": 4}) == "no. 3 of 5 in order: 4 d"
    assert middle({"n": 4, "low": 4.5, "high": 5}) == (
        "between no. 2 and 3 of 4 in order: 4.50 d + 0.5 × (5 d − 4.50 d)"
    )  # fmt: skip
    assert middle({"n": 0}) == "nothing to put in order"


def test_inherent_availability_shows_both_means_before_their_quotient():
    sums = {"operating_time": 164 * 3600, "failures": 2, "active_repair_time_in_schedule": 5400}
    assert inherent(sums | {"failures_with_labour": 1}) == (
        "MTBF = 164.00 h ÷ 2 = 82.00 h; MART = 1.50 h ÷ 1 = 1.50 h; 82.00 h ÷ (82.00 h + 1.50 h)"
    )  # fmt: skip
    assert inherent(sums | {"failures_with_labour": 0}) == "MTBF = 164.00 h ÷ 2; MART = 1.50 h ÷ 0"


def test_what_is_not_known_is_not_nought():
    assert unworked("estimated", "left")({"estimated": 7200}) == in_weeks("left")({"weekly_capacity": 1}) == "not known"
