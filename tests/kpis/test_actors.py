"""Bad actors on the Performance page: what is right below, by lost hours and failures."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.html import escape

from assets.models import Asset, Downtime, Failure
from core.kit.badges import Badge
from core.kit.charts import Word
from kpis import below
from kpis.charts import Actor, actors, losses
from kpis.formulas import Reason
from kpis.reasons import REASONS
from tests import plant as world
from tests.kpis.test_figures import BEGIN, HOUR
from tests.kpis.test_figures import history as history  # the fixture

WEEK = {"from": "2026-03-02", "to": "2026-03-08"}


def test_the_largest_loss_stands_first_and_failures_beside_it():
    chart = actors([Actor("M1", 3600, 3, "/m1/"), Actor("M2", 0, 0, "/m2/"), Actor("M3", 7200, 0, "/m3/")])
    json.dumps(chart.option, allow_nan=False)
    assert chart.rows == [["M3", 2, 0], ["M1", 1, 3], ["M2", 0, 0]]
    bars, points = chart.option["series"]
    assert bars["data"][0] == {"value": 2, "url": "/m3/"}
    assert points["data"] == [0, 3, 0]
    assert list(chart.cells())[1] == ("M1", [(1, 1, None), (3, 0, None)])  # failures are whole numbers


def test_small_losses_are_drawn_as_large_as_they_are():
    chart = actors([Actor("M1", 150, 0), Actor("M2", 160, 0)])
    bars, _points = chart.option["series"]
    assert [each["value"] for each in bars["data"]] == [160 / 3600, 150 / 3600]
    assert "formatter" not in chart.option["tooltip"], "Tips round, as all others do"


def test_a_loss_of_less_than_a_second_is_one_and_what_floats_leave_is_none():
    chart = losses([("Scrap", 0.4), ("Rework", 1e-9), ("Good", 3599.6)])
    assert [row[0] for row in chart.rows] == ["Planned", "Scrap", "Good"]
    assert sum(row[1] for row in chart.rows[1:-1]) == pytest.approx(chart.rows[-1][1] - chart.rows[0][1])


def test_the_many_small_ones_are_put_together_and_stand_last():
    many = [Actor(f"M{number}", 3600 * (20 - number), 1, f"/{number}/") for number in range(20)]
    chart = actors(many, unknown=[Actor("U1", 0, 0), Actor("U2", 0, 0)])
    assert len(chart.rows) == 16 + 2
    assert chart.rows[15] == ["All others", 1 + 2 + 3 + 4 + 5, 5]
    assert chart.option["series"][0]["data"][-1]["url"] == ""
    assert "Of 2 nothing was ever recorded." in chart.note


def test_of_hundreds_the_many_small_ones_do_not_dwarf_the_others():
    many = [Actor(f"M{number}", 3600, 1) for number in range(100)]
    chart = actors(many)
    assert chart.rows[-1] == ["All others", 85, 85]
    assert len(chart.option["series"][0]["data"]) == len(chart.option["yAxis"]["data"]) == 15
    assert "85 others lost 85 h together." in chart.note


def test_of_nothing_known_there_is_no_picture_of_zeros():
    assert actors([], unknown=[Actor("U1", 0, 0)]).empty


def test_the_table_says_how_far_each_may_be_trusted_and_has_those_of_which_nothing_is_known():
    partial, nothing = Word("partial", badge=Badge("Partial")), Word("no data", "no data", "Nothing was recorded.")
    many = [
        Actor(f"M{number}", 3600 * (20 - number), 1, word=partial if number > 17 else Word("ok"))
        for number in range(20)
    ]
    chart = actors(many, unknown=[Actor("U1", 0, 0, word=nothing)])
    assert chart.file_head() == ["Asset", "Lost time, h", "Failures", "Lost time, status"]
    rows = list(chart.file_rows())
    assert rows[0] == ["M0", 20, 1, "ok"]
    assert rows[15] == ["All others", 15, 5, "partial"], "As the worst of them"
    assert rows[16] == ["U1", None, None, "no data: Nothing was recorded."]
    *_others, (_label, (lost, failed)) = chart.cells()
    assert (lost[2].missing, failed[2].missing) == ("no data", "no data")
    assert "U1" not in chart.option["yAxis"]["data"]


@pytest.fixture
def page(client, plant):
    client.force_login(plant.manager)
    return lambda **query: client.get(reverse("performance"), WEEK | {"part": "more"} | query)


def test_the_page_ranks_what_is_right_below(page, plant, history):
    spare = world.asset(plant.berlin, "M4", "Spare", parent=plant.line)
    Downtime.objects.create(asset=spare, start=BEGIN, end=BEGIN + 5 * HOUR, reason=plant.breakdown)
    old = world.asset(plant.berlin, "M0", "Old filler", parent=plant.line)
    Asset.objects.filter(pk=old.pk).update(retired=BEGIN - timedelta(days=1))
    chart = page(asset=plant.line.pk).context["actors"]
    assert chart.rows == [["M4", 5, 0], ["M1", 3, 1], ["M2", None, None], ["M3", None, None]]
    assert [str(each) for each in chart.words[1][1]][:3] == ["ok", "ok", f"no data: {REASONS[Reason.NO_RECORDS]}"]
    assert "Of 2 nothing was ever recorded." in chart.note  # M2 and M3; M0 was gone by then
    assert f"asset={plant.filler.pk}" in chart.option["series"][0]["data"][1]["url"]
    (whole,) = page().context["actors"].rows
    assert whole == ["L1", 8, 1]  # all machines of the line


def test_of_many_below_those_that_lost_most_time_are_shown_and_the_others_on_demand(page, plant, history, monkeypatch):
    monkeypatch.setattr(below, "MOST", 2)
    Downtime.objects.create(asset=plant.labeller, start=BEGIN, end=BEGIN + 5 * HOUR, reason=plant.breakdown)

    def rows(answer) -> list[str]:
        return [row["asset"].code for row in answer.context["below"]]

    few = page(asset=plant.line.pk)
    assert rows(few) == ["M2", "M1"]
    assert "The 2 with most unplanned downtime." in few.content.decode()
    everything = page(asset=plant.line.pk, below="all")
    assert rows(everything) == ["M1", "M2", "M3"]
    assert "with most unplanned downtime" not in everything.content.decode()
    assert escape(few.context["all_below_url"]) in few.content.decode()
    for another in (everything.context["earlier"], everything.context["picker"]["groups"][0][1][0][2]):
        assert "below=all" in another, "It is kept from window to window"
    assert all("below=all" not in row["url"] for row in everything.context["below"]), "but not below another asset"


def test_a_machine_has_nothing_below_to_rank(page, plant, history):
    assert "Bad actors" not in page(asset=plant.filler.pk).content.decode()


def test_planned_stops_and_failures_outside_the_window_do_not_count(page, plant, history):
    Downtime.objects.create(asset=plant.labeller, start=BEGIN, end=BEGIN + 9 * HOUR, planned=True, reason=plant.lunch)
    Failure.objects.create(asset=plant.filler, occurred=BEGIN - HOUR, restored=BEGIN)
    rows = page(asset=plant.line.pk).context["actors"].rows
    assert rows == [["M1", 3, 1], ["M2", 0, 0], ["M3", None, None]]


def test_the_ranking_is_a_file(page, plant, history):
    answer = page(asset=plant.line.pk, chart="actors", format="csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    nothing = f'"no data: {REASONS[Reason.NO_RECORDS]}"'
    assert lines == [
        'Asset,"Lost time, h",Failures,"Lost time, status"', "M1,3.0,1,ok", f"M2,,,{nothing}", f"M3,,,{nothing}",
    ]  # fmt: skip
