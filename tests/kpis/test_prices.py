"""What an hour down cost when it was down: former prices in the cost of downtime."""

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse

from assets.models import Asset, Downtime, Placement
from kpis.definitions import DEFINITIONS
from kpis.figures import periods
from kpis.money import ranking
from tests import plant as world
from tests.kpis.test_money import hourly
from tests.kpis.test_work_database import BEGIN, DAY, HOUR, NOW, read
from tests.kpis.test_work_database import broken as broken  # the fixture

# The filler was down for 10 hours on 2 March, for 4 on 4 March.
MONTH = {"start": BEGIN, "end": BEGIN + 30 * DAY - HOUR}
THIRD = date(2026, 3, 3)


def costs(subject, **options) -> list[float | None]:
    return [figure.value for figure in read(subject, "downtime_cost", **MONTH | options)]


def before(asset: Asset, amount, until: date = THIRD) -> None:
    asset.former_hourly_costs.create(until=until, amount=amount)


def moved(asset: Asset, to: Asset | None, at) -> None:
    """From then on the asset stands below another."""
    former = Placement.objects.get(asset=asset, valid__upper_inf=True)
    former.valid = DateTimeTZRange(former.valid.lower, at)
    former.save()
    Placement.objects.create(asset=asset, parent=to, stops_parent=True, valid=DateTimeTZRange(at, None))


@pytest.mark.parametrize("scope", ["asset", "leaves", "subtree"])
def test_each_stop_costs_what_an_hour_cost_then(plant, broken, scope):
    hourly(plant, filler=100)
    before(plant.filler, 50)
    for subject in (plant.filler, plant.berlin):
        assert costs(subject, scope=scope) == [10 * 50 + 4 * 100]
    assert costs(plant.filler, scope=scope, by="day", end=BEGIN + 3 * DAY) == [500, 0, 400]


def test_of_several_prices_each_holds_until_the_next(plant, broken):
    hourly(plant, filler=100)
    before(plant.filler, 50, THIRD)
    before(plant.filler, 7, THIRD + timedelta(days=2))
    before(plant.filler, 1, date(2020, 1, 1))
    assert costs(plant.filler) == [10 * 50 + 4 * 7]


def test_a_stop_over_the_day_of_the_change_has_both_prices(plant):
    hourly(plant, labeller=20)
    before(plant.labeller, 10)
    Downtime.objects.create(asset=plant.labeller, start=BEGIN + 22 * HOUR, end=BEGIN + 26 * HOUR)
    assert costs(plant.labeller) == [2 * 10 + 2 * 20]


def test_a_price_that_ended_counts_for_its_time_only(plant, broken):
    before(plant.filler, 50)
    (figure,) = read(plant.filler, "downtime_cost", **MONTH)
    assert (figure.value, figure.inputs["priced_downtime"], figure.inputs["priced_assets"]) == (500, 10 * 3600, 1)
    (later,) = read(plant.filler, "downtime_cost", start=BEGIN + 2 * DAY, end=BEGIN + 4 * DAY)
    assert (later.value, later.reason_code) == (None, "no_hourly_cost")


def test_a_span_without_a_price_between_two_costs_nothing(plant, broken):
    hourly(plant, filler=100)
    before(plant.filler, 50, date(2026, 3, 1))
    before(plant.filler, None, THIRD)
    assert costs(plant.filler) == [4 * 100]


def test_what_stands_below_a_priced_line_is_charged_by_itself_once_the_line_is_not(plant, broken):
    hourly(plant, filler=50)
    before(plant.line, 35)
    assert costs(plant.berlin) == [10 * 35 + 4 * 50]
    assert costs(plant.line) == [10 * 35 + 4 * 50]
    assert costs(plant.filler) == [14 * 50]


def test_an_asset_of_two_prices_is_one_asset_and_one_row_of_the_ranking(plant, broken):
    hourly(plant, filler=100, labeller=1)
    before(plant.filler, 50)
    (figure,) = read(plant.berlin, "downtime_cost", **MONTH)
    assert figure.inputs["priced_assets"] == 2
    (whole,) = periods(None, site=plant.berlin, now=NOW, **MONTH)
    assert [(each.asset.code, each.value) for each in ranking(whole)] == [("M1", 900), ("M2", None)]


def test_what_moves_away_from_a_priced_line_is_charged_by_itself_from_then_on(plant, broken):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    hourly(plant, line=35, filler=50)
    moved(plant.filler, other, BEGIN + DAY)
    assert [costs(each) for each in (plant.line, other, plant.filler)] == [[10 * 35], [4 * 50], [14 * 50]]
    assert costs(plant.berlin) == [10 * 35 + 4 * 50]
    assert costs(plant.berlin, by="day", end=BEGIN + 3 * DAY) == [350, 0, 200]


def test_what_moves_to_a_priced_line_is_charged_by_itself_until_then(plant, broken):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    hourly(plant, filler=50)
    Asset.objects.filter(pk=other.pk).update(downtime_cost=35)
    moved(plant.filler, other, BEGIN + DAY)
    assert [costs(each) for each in (plant.line, other, plant.filler)] == [[10 * 50], [4 * 35], [14 * 50]]
    assert costs(plant.berlin) == [10 * 50 + 4 * 35]


def test_what_stands_below_a_line_is_charged_by_itself_until_the_line_has_a_price(plant, broken):
    hourly(plant, line=35, filler=50)
    before(plant.line, None)
    assert costs(plant.berlin) == costs(plant.line) == [10 * 50 + 4 * 35]


def test_what_moves_between_priced_lines_is_charged_to_each_in_turn(plant, broken):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    hourly(plant, line=35, filler=50, labeller=20)
    Asset.objects.filter(pk=other.pk).update(downtime_cost=10)
    moved(plant.labeller, other, BEGIN - DAY)
    moved(plant.labeller, plant.line, BEGIN + DAY)
    moved(plant.filler, other, BEGIN + DAY)
    for hours in (2, 62):  # for an hour, while the filler runs
        Downtime.objects.create(
            asset=plant.labeller, start=BEGIN + hours * HOUR, end=BEGIN + (hours + 1) * HOUR, reason=plant.breakdown
        )
    assert costs(plant.line) == [(10 + 1) * 35]
    assert costs(other) == [(1 + 4) * 10]
    assert costs(plant.berlin) == [(10 + 1) * 35 + (1 + 4) * 10]


def test_a_price_that_ended_as_the_asset_came_is_none_of_the_line(plant, broken):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    before(plant.filler, 50)
    moved(plant.filler, other, BEGIN + DAY)
    (figure,) = read(other, "downtime_cost", **MONTH)
    assert (figure.value, figure.inputs["priced_assets"], figure.reason_code) == (None, 0, "no_hourly_cost")


def test_a_price_that_began_as_the_asset_left_is_none_of_the_line(plant, broken):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    hourly(plant, filler=50)
    before(plant.filler, None)
    moved(plant.filler, other, BEGIN + DAY)
    (figure,) = read(plant.line, "downtime_cost", **MONTH)
    assert (figure.value, figure.inputs["priced_assets"], figure.reason_code) == (None, 0, "no_hourly_cost")


def test_an_asset_below_another_has_its_own_cost_when_both_are_asked_for(plant, broken):
    hourly(plant, line=35, filler=50)
    found = periods([plant.line, plant.filler], site=plant.berlin, now=NOW, **MONTH)
    assert [each.figure(DEFINITIONS["downtime_cost"]).value for each in found] == [14 * 35, 14 * 50]


def test_the_cost_is_known_for_the_part_of_the_priced_assets_that_has_records(plant, broken):
    hourly(plant, filler=50, labeller=40, palletiser=20)
    (figure,) = read(plant.berlin, "downtime_cost", **MONTH)
    assert (figure.value, figure.status, figure.coverage) == (14 * 50, "partial", pytest.approx(1 / 3))


def test_a_day_has_the_assets_that_had_a_price_on_it(plant, broken):
    before(plant.filler, 50)
    days = read(plant.berlin, "downtime_cost", **MONTH | {"by": "day", "end": BEGIN + 3 * DAY})
    assert [(each.value, each.inputs["priced_assets"]) for each in days] == [(500, 1), (None, 0), (None, 0)]
    assert days[1].reason_code == "no_hourly_cost"


def test_the_ranking_of_a_day_has_the_assets_that_had_a_price_on_it(plant, broken):
    hourly(plant, filler=50, labeller=1)
    before(plant.labeller, 3, THIRD)
    before(plant.filler, None, THIRD + timedelta(days=1))
    before(plant.filler, 50, THIRD)
    days = periods(None, site=plant.berlin, now=NOW, **MONTH | {"by": "day", "end": BEGIN + 3 * DAY})
    ranked = [[(each.asset.code, each.value, each.inputs["priced_assets"]) for each in ranking(day)] for day in days]
    assert ranked == [[("M1", 500, 1), ("M2", None, 1)], [("M2", None, 1)], [("M1", 200, 1), ("M2", None, 1)]]


def test_the_ranking_of_each_of_several_assets_has_its_own_only(plant, broken):
    hourly(plant, filler=50, labeller=20)
    found = periods([plant.filler, plant.line], site=plant.berlin, now=NOW, **MONTH)
    ranked = [[each.asset.code for each in ranking(period)] for period in found]
    assert ranked == [[], ["M1", "M2"]]


def test_the_explanation_names_each_price_with_its_time(client, plant, broken):
    hourly(plant, filler=100)
    before(plant.filler, 50)
    client.force_login(plant.manager)
    query = {"asset": "M1", "definition": "downtime_cost", "from": "2026-03-02", "to": "2026-04-01"}
    why = client.get("/api/v1/kpis/explanation/", query).json()
    assert [(each["numbers"]["amount"], each["remark"]) for each in why["records"]] == [
        (50, "cost of one hour down, until 3 Mar 2026"), (100, "cost of one hour down"),
    ]  # fmt: skip
    later = client.get("/api/v1/kpis/explanation/", query | {"from": "2026-03-03"}).json()
    assert [each["numbers"]["amount"] for each in later["records"]] == [100]


def test_the_page_shows_what_is_no_longer_priced(client, plant, broken):
    before(plant.filler, 50)
    client.force_login(plant.manager)
    page = client.get(reverse("performance"), {"from": "2026-03-02", "to": "2026-03-31"}).content.decode()
    assert "Stops cost 500" in page
