"""The pictures of the Reliability page: what they draw, and the table behind each."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from kpis import charts_reliability as charts
from kpis.facts.lives import Record
from kpis.lifetimes import weibull
from kpis.reliability import Actor, NotEnough, jack_knife
from kpis.trending import trend
from tests.kpis.reliability_cases import LIVES, PROBLEMS


def study(*records: Record, **found):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return SimpleNamespace(records=records, trend=trend(records), recent=at, **found)


def drawn(chart) -> list[dict]:
    json.dumps(chart.option, allow_nan=False)
    return chart.option["series"]


def test_failures_of_one_asset_stand_beside_the_curve_that_explains_them():
    chart = charts.failures(study(Record(1, (10.0, 20.0, 30.0, 40.0), True)))
    steps, curve = drawn(chart)
    assert steps["data"] == [[0, 0], [10, 1], [30, 2], [60, 3], [100, 3]]
    assert curve["data"][0] == [0, 0]
    assert curve["data"][-1] == [100, pytest.approx(3)]
    assert [row[:3] for row in chart.rows] == [[1, 10, 1], [2, 30, 2], [3, 60, 3]]


def test_of_several_assets_the_mean_of_those_still_observed_is_drawn():
    chart = charts.failures(study(Record(1, (10.0, 10.0), True), Record(2, (30.0, 70.0), True)))
    (steps,) = drawn(chart)
    assert steps["data"] == [[0, 0], [10, 0.5], [30, 1.5], [100, 1.5]]
    assert chart.head[-1] == "Failures of one so far, mean"


def test_without_failures_there_is_nothing_to_draw():
    assert charts.failures(study(Record(1, (10.0,), True))).empty
    assert charts.lives(study(distribution=NotEnough("failures", 0, 5), lives=[])).empty
    assert charts.jack_knife(study(knife=NotEnough("failures", 0, 2))) is None
    assert charts.actors(study(actors=())) is None


def test_moments_are_drawn_as_they_were():
    (steps,) = drawn(charts.failures(study(Record(1, (10 / 3, 1.0), True), Record(2, (20.0,), True))))
    assert steps["data"][1] == [10 / 3, 0.5]


def test_thousands_of_failures_are_thinned_to_what_can_be_told_apart():
    chart = charts.failures(study(Record(1, (1.0,) * 5001, True)))
    assert len(chart.rows) == 200
    assert chart.rows[-1][:3] == [5000, 5000, 5000]


def test_lives_stand_beside_their_distribution():
    chart = charts.lives(study(distribution=weibull(LIVES), lives=LIVES))
    seen, curve = drawn(chart)
    assert seen["data"][0] == [410, pytest.approx(100 / 7, abs=1e-3)]
    assert curve["data"][0] == [0, 0]
    assert len(chart.rows) == 5


def test_problems_are_parted_by_limits_and_equal_hours():
    chart = charts.jack_knife(study(knife=jack_knife(PROBLEMS), without_problem=1))
    points, often, long, *equal = drawn(chart)
    assert {point["name"] for point in points["data"]} == {each.name for each in PROBLEMS}
    assert often["data"] == [[16.8, 0.1], [16.8, 100]]
    assert [y for _, y in long["data"]] == [pytest.approx(1.2024, abs=1e-3)] * 2
    assert [line["name"] for line in equal] == ["1 h", "10 h", "100 h", "1000 h"]
    assert points["labelLayout"] == {"hideOverlap": True}
    assert chart.rows[0][0] == "electric (long)"
    assert "1 failure has no problem" in chart.note


def test_the_many_small_actors_are_put_together_and_stand_last():
    many = tuple(Actor(f"A{number}", 1, 0.05, 0.05 * number, True) for number in range(20))
    chart = charts.actors(study(actors=many))
    assert chart.rows[0] == ["A0", 1, 5]
    assert chart.rows[-1] == ["All others", 5, 100]
    assert len(chart.rows) == 16
