"""What maintenance costs for each piece made, and beside what it would cost to replace the assets."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from assets.models import Asset
from core.models import Site
from kpis import computing
from kpis.backlog import Spent
from kpis.definitions import DEFINITIONS
from kpis.formulas import Reason, Status
from kpis.margin import years_in
from kpis.present import digits_of_price, said
from kpis.spending import Output, UnitCost, Upkeep, Worth
from kpis.work import Lack
from production.models import Count
from tests import plant as world
from tests.contracts.api import client_of
from tests.kpis.test_prices import moved
from tests.kpis.test_work_database import BEGIN, DAY, HOUR, NOW, order, read

PER_UNIT, OF_VALUE = "maintenance_cost_per_unit", "maintenance_cost_of_replacement_value"
MARCH = {"start": BEGIN, "end": BEGIN + 30 * DAY - HOUR}  # 719 hours: the clock goes forward
YEARS = 719 / 8760  # of 2026
SPENT = Spent(parts=600, external=300, undivided=100, recorded=True)


# --- The arithmetic ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "value", "status", "reason"),
    [
        (UnitCost(SPENT, Output(40_000, 1)), 0.025, Status.OK, Reason.NONE),
        (UnitCost(Spent(recorded=True), Output(40_000, 1)), 0, Status.OK, Reason.NONE),
        (UnitCost(SPENT, Output()), None, Status.NO_DATA, Reason.NO_COUNTS),
        (UnitCost(SPENT, Output(0, 2)), None, Status.UNDEFINED, Reason.NOTHING_MADE),
        (UnitCost(Spent(), Output(40_000, 1)), None, Status.NO_DATA, Lack.NO_ORDERS),
        (UnitCost(Spent(worked=9, recorded=True), Output(9, 1)), None, Status.NO_DATA, Lack.NO_PRICES),
    ],
)
def test_the_cost_of_a_piece_or_the_reason_why_there_is_none(known, value, status, reason):
    found = known.per_unit()
    assert (found.value, found.status, found.reason) == (value, status, reason)


def test_labour_without_a_price_makes_it_partial():
    half = Spent(labour=100, worked=7200, priced=3600, recorded=True)
    found = UnitCost(half, Output(1000, 1)).per_unit(0.8)
    assert (found.value, found.status, found.coverage) == (0.1, Status.PARTIAL, 0.5)
    found = Upkeep(half, Worth(1000, 500, 1, 2, 2)).share_of_a_year(0.8)
    assert (found.value, found.status, found.reason, found.coverage) == (0.2, Status.PARTIAL, Lack.FEW_KNOWN, 0.5)


@pytest.mark.parametrize(
    ("known", "value", "status", "reason", "coverage"),
    [
        # 1,000 in a quarter of a year on assets worth 100,000: 4 % a year
        (Upkeep(SPENT, Worth(100_000, 25_000, 1, 3, 3)), 0.04, Status.OK, Reason.NONE, 1),
        (Upkeep(SPENT, Worth(100_000, 25_000, 1, 4, 3)), 0.04, Status.PARTIAL, Lack.FEW_REPLACEMENT_VALUES, 0.75),
        (Upkeep(SPENT, Worth(100_000, 25_000, 1, 10, 9)), 0.04, Status.OK, Reason.NONE, 0.9),
        (Upkeep(SPENT, Worth()), None, Status.NO_DATA, Lack.NO_REPLACEMENT_VALUE, 0),
        (Upkeep(SPENT, Worth(0, 0, 1, 1, 1)), None, Status.UNDEFINED, Lack.WORTH_NOTHING, None),
        (Upkeep(Spent(), Worth(100_000, 25_000, 1, 3, 3)), None, Status.NO_DATA, Lack.NO_ORDERS, None),
    ],
)
def test_the_share_of_the_replacement_value_or_the_reason_why_there_is_none(known, value, status, reason, coverage):
    found = known.share_of_a_year(0.8)
    assert (found.value, found.status, found.reason, found.coverage) == (value, status, reason, coverage)


def test_a_calendar_year_is_one_year_leap_or_not_and_whatever_the_clock_does():
    berlin = Site(time_zone="Europe/Berlin", day_start=time(0))
    for year in (2026, 2028):
        start, end = berlin.day_begins(date(year, 1, 1)), berlin.day_begins(date(year + 1, 1, 1))
        assert years_in(start, end, berlin.day_begins) == pytest.approx(1)
    start, end = berlin.day_begins(date(2026, 12, 31)), berlin.day_begins(date(2028, 1, 2))
    assert years_in(start, end, berlin.day_begins) == pytest.approx(1 / 365 + 1 + 1 / 366)
    assert years_in(start, start, berlin.day_begins) == 0


@pytest.mark.parametrize(
    ("value", "digits"),
    [(None, 2), (0, 2), (1234.5, 2), (1.5, 2), (0.5, 3), (0.00321, 5), (0.0000000001, 8), (-0.025, 4)],
)
def test_a_piece_that_costs_next_to_nothing_keeps_its_places(value, digits):
    assert digits_of_price(value) == digits


# --- Out of the database -------------------------------------------------------------------------


@pytest.fixture
def costly(plant):
    """Parts in March: 600 on the filler, 300 on the labeller, 100 on the line itself, 50 on a valve of the filler."""
    valve = world.asset(plant.berlin, "M1-V", "Valve", parent=plant.filler, level="component")
    for asset, amount in ((plant.filler, 600), (plant.labeller, 300), (plant.line, 100), (valve, 50)):
        spend(asset, amount)
    spend(plant.filler, 5000, BEGIN - DAY)  # in February
    return valve


def spend(asset, amount, at=BEGIN + 5 * DAY) -> None:
    order(asset, at - DAY).costs.create(source="parts", amount=amount, at=at)


def count(asset, good, *, scrap=0, at=BEGIN + 3 * DAY) -> None:
    Count.objects.create(asset=asset, start=at, end=at + HOUR, good=good, scrap=scrap, rework=0, ideal_cycle=1)


def worth(plant, **values) -> None:
    for name, amount in values.items():
        Asset.objects.filter(pk=getattr(plant, name).pk).update(replacement_value=amount)


def figure(subject, key, **options):
    (found,) = read(subject, key, **MARCH | options)
    return found


SCOPES = pytest.mark.parametrize("scope", ["asset", "leaves", "subtree"])


@SCOPES
@pytest.mark.parametrize("stored", [False, True], ids=["from records", "from stored days"])
def test_all_pieces_count_good_or_not(plant, costly, scope, stored):
    count(plant.filler, 1900, scrap=100)
    count(plant.filler, 9999, at=BEGIN - 2 * DAY)
    if stored:
        computing.compute_due(now=NOW)
    found = figure(plant.filler, PER_UNIT, scope=scope)
    assert (found.value, found.unit, found.status) == (650 / 2000, "EUR/unit", "ok")
    assert (found.inputs["maintenance_cost"], found.inputs["pieces"], found.inputs["counting_assets"]) == (650, 2000, 1)


@SCOPES
def test_a_line_that_counts_speaks_for_its_machines(plant, costly, scope):
    worth(plant, line=50_000)
    for machine in (plant.filler, plant.labeller):
        count(machine, 2000)
    for whose in (plant.line, plant.berlin):
        _, found = read(whose, OF_VALUE, PER_UNIT, **MARCH, scope=scope)
        assert (found.inputs["pieces"], found.inputs["counting_assets"]) == (4000, 2)
    count(plant.line, 1900, at=BEGIN + 2 * DAY)
    for whose in (plant.line, plant.berlin):
        _, found = read(whose, OF_VALUE, PER_UNIT, **MARCH, scope=scope)
        assert (found.value, found.inputs["pieces"], found.inputs["counting_assets"]) == (1050 / 1900, 1900, 1)
    assert figure(plant.filler, PER_UNIT, scope=scope).value == 650 / 2000


def test_before_its_first_count_a_line_has_that_of_its_machines(plant, costly):
    count(plant.filler, 2000, at=BEGIN + DAY)
    count(plant.filler, 2000, at=BEGIN + 9 * DAY)
    count(plant.line, 1500, at=BEGIN + 9 * DAY)
    assert figure(plant.line, PER_UNIT).inputs["pieces"] == 2000 + 1500
    days = read(plant.line, PER_UNIT, **MARCH, by="day")
    assert {n: each.inputs["pieces"] for n, each in enumerate(days) if each.inputs["pieces"]} == {1: 2000, 9: 1500}
    assert days[5].reason_code == "no_counts"


def test_a_machine_counts_for_the_line_in_which_it_stood(plant, costly):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    count(other, 700, at=BEGIN + DAY)
    count(plant.filler, 2000, at=BEGIN + DAY)
    count(plant.filler, 2000, at=BEGIN + 9 * DAY)
    moved(plant.filler, other, BEGIN + 8 * DAY)
    assert figure(plant.line, PER_UNIT).inputs["pieces"] == 2000
    assert figure(other, PER_UNIT).inputs["pieces"] == 700
    assert figure(plant.berlin, PER_UNIT).inputs["pieces"] == 2700


def test_without_counts_or_orders_it_says_so(plant, costly):
    assert figure(plant.filler, PER_UNIT).reason_code == "no_counts"
    count(plant.palletiser, 10)
    assert figure(plant.palletiser, PER_UNIT).reason_code == "no_orders"


@SCOPES
def test_a_month_is_scaled_to_a_year(plant, costly, scope):
    worth(plant, line=50_000)
    for whose in (plant.line, plant.berlin):
        found = figure(whose, OF_VALUE, scope=scope)
        assert found.value == pytest.approx(1050 / 50_000 / YEARS)
        assert (found.unit, found.status, found.coverage) == ("share", "ok", 1)
        assert found.inputs["replacement_value"] == 50_000
        assert found.inputs["replacement_value_years"] == pytest.approx(50_000 * YEARS)


@SCOPES
def test_the_value_of_a_line_holds_for_its_machines_and_is_not_added_to_theirs(plant, costly, scope):
    worth(plant, line=50_000, filler=30_000, labeller=10_000)
    found = figure(plant.line, OF_VALUE, scope=scope)
    assert (found.inputs["replacement_value"], found.inputs["valued_assets"]) == (50_000, 1)
    assert (found.inputs["machines"], found.inputs["valued_machines"]) == (3, 3)
    found = figure(plant.filler, OF_VALUE, scope=scope)
    assert found.value == pytest.approx(650 / 30_000 / YEARS)
    found = figure(plant.palletiser, OF_VALUE, scope=scope)
    assert (found.value, found.reason_code) == (None, "no_replacement_value")


@SCOPES
def test_machines_without_a_value_are_left_out_with_what_was_spent_on_them_and_counted(plant, costly, scope):
    worth(plant, filler=30_000, palletiser=20_000)
    for whose in (plant.line, plant.berlin):
        found = figure(whose, OF_VALUE, scope=scope)
        # The line's own orders are about what stands below it.
        assert found.value == pytest.approx(750 / 50_000 / YEARS)
        assert (found.status, found.reason_code, found.coverage) == (
            "partial", "few_replacement_values", pytest.approx(2 / 3),
        )  # fmt: skip
        assert (found.inputs["machines"], found.inputs["valued_machines"]) == (3, 2)
        assert (found.inputs["maintenance_cost"], found.inputs["left_out_cost"]) == (750, 300)


def test_another_line_without_any_value_is_left_out_as_a_whole(plant, costly):
    worth(plant, line=50_000)
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    machine = world.asset(plant.berlin, "M9", "Mixer", parent=other)
    for asset in (other, machine):
        spend(asset, 1000)
    found = figure(plant.berlin, OF_VALUE)
    assert (found.inputs["maintenance_cost"], found.inputs["left_out_cost"]) == (1050, 2000)
    assert (found.inputs["valued_machines"], found.inputs["machines"]) == (3, 4)
    assert figure(other, OF_VALUE).reason_code == "no_replacement_value"


def test_a_value_counts_for_the_time_in_service_and_in_the_line(plant, costly):
    worth(plant, filler=30_000, labeller=10_000, palletiser=20_000)
    Asset.objects.filter(pk=plant.palletiser.pk).update(commissioned=BEGIN + 10 * DAY)
    Asset.objects.filter(pk=plant.labeller.pk).update(retired=BEGIN + 12 * HOUR)
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    moved(plant.filler, other, BEGIN + 4 * DAY)  # the day before its parts came
    hours = 719
    line, second = figure(plant.line, OF_VALUE), figure(other, OF_VALUE)
    wanted = 30_000 * 96 + 10_000 * 12 + 20_000 * (hours - 240)
    assert line.inputs["replacement_value_years"] == pytest.approx(wanted / 8760)
    assert line.inputs["maintenance_cost"] == 300 + 100
    assert second.inputs["replacement_value_years"] == pytest.approx(30_000 * (hours - 96) / 8760)
    assert second.inputs["maintenance_cost"] == 600 + 50


@SCOPES
def test_a_machine_that_was_retired_before_is_not_missed(plant, costly, scope):
    worth(plant, filler=30_000, palletiser=20_000)
    Asset.objects.filter(pk=plant.labeller.pk).update(retired=BEGIN - DAY)
    found = figure(plant.line, OF_VALUE, scope=scope)
    assert (found.inputs["machines"], found.inputs["valued_machines"], found.status) == (2, 2, "ok")


def test_a_window_that_is_not_over_is_scaled_by_what_has_passed(plant, costly):
    worth(plant, line=50_000)
    found = figure(plant.line, OF_VALUE, end=BEGIN + 50 * DAY)
    passed = (NOW - BEGIN) / timedelta(hours=1)
    assert found.value == pytest.approx(1050 / (50_000 * passed / 8760))
    days = read(plant.line, OF_VALUE, start=BEGIN + 48 * DAY, end=BEGIN + 50 * DAY, by="day")
    assert {each.reason_code for each in days} == {"not_begun"}


def test_a_value_of_nought_divides_nothing(plant, costly):
    worth(plant, line=0)
    assert figure(plant.line, OF_VALUE).reason_code == "worth_nothing"


# --- Doors ---------------------------------------------------------------------------------------

WINDOW = {"from": "2026-03-02", "to": "2026-04-01"}


def test_the_api_tells_both_with_their_inputs_and_records(plant, costly):
    worth(plant, line=50_000, filler=30_000)
    count(plant.line, 2000)
    caller = client_of(plant.technician)
    query = {"asset": "L1", "definition": f"{PER_UNIT},{OF_VALUE}"} | WINDOW
    rows = caller.get("/api/v1/kpis/", query).json()
    assert [(row["value"], row["unit"]) for row in rows] == [
        (1050 / 2000, "EUR/unit"), (pytest.approx(1050 / 50_000 / YEARS), "share"),
    ]  # fmt: skip
    why = [caller.get("/api/v1/kpis/explanation/", query | {"definition": key}).json() for key in (PER_UNIT, OF_VALUE)]
    assert why[0]["calculation"] == "1\u202f050.00 ÷ 2\u202f000"
    first = why[0]["records"][0]
    assert (first["asset"], first["numbers"]) == ("L1", {"pieces": 2000})
    values = [(each["asset"], each["numbers"]["amount"], each["counts"]) for each in why[1]["records"][:2]]
    assert values == [("L1", 50_000, True), ("M1", 30_000, False)]
    for each in why:
        spent = [row for row in each["records"] if row["kind"] == "work_order"]
        assert sum(row["numbers"]["amount"] for row in spent if row["counts"]) == 1050


def test_the_explanation_names_what_was_left_out(client, plant, costly):
    worth(plant, filler=30_000)
    for machine in (plant.filler, plant.labeller):
        count(machine, 2000)
    client.force_login(plant.technician)
    query = {"asset": "L1", "scope": "leaves"} | WINDOW
    page = client.get(reverse("figure"), query | {"definition": OF_VALUE}).content.decode()
    for words in (
        "2 of 3 machines have no replacement value, of their own or of their line; they are left out with the 300.00"
        " spent on them.", "Parts, without a replacement value", "Too few of its machines have a replacement value",
        "30\u202f000.00",
    ):  # fmt: skip
        assert words in page
    page = client.get(reverse("figure"), query | {"definition": PER_UNIT}).content.decode()
    for words in ("The counts of 2 assets are added up.", "0.262", "pieces made, good or not", "4\u202f000"):
        assert words in page


def test_performance_and_the_weekly_report_show_both(client, plant, costly):
    worth(plant, line=50_000)
    count(plant.line, 2000)
    client.force_login(plant.manager)
    page = client.get(reverse("performance"), {"asset": plant.line.pk, "from": "2026-03-02", "to": "2026-03-31"})
    text = page.content.decode()
    for words in ("Maintenance cost per unit produced", "0.525", "of 2\u202f000 pieces",
                  "Maintenance cost of a year as share of replacement value", "25.6",
                  "of 50\u202f000\u202fEUR; 3 of 3 machines"):  # fmt: skip
        assert words in text
    report = client.get(reverse("report"), {"asset": plant.line.pk, "week": "2026-W10"}).content.decode()
    assert "0.525\u202fEUR/unit" in report


def test_the_number_of_queries_does_not_grow(plant, costly, django_assert_max_num_queries):
    def queries() -> int:
        with django_assert_max_num_queries(60) as asked:
            read(plant.berlin, PER_UNIT, OF_VALUE, **MARCH, by="week")
        return len(asked)

    worth(plant, line=50_000)
    count(plant.line, 2000)
    few = queries()
    for number in range(8):
        line = world.asset(plant.berlin, f"L9{number}", level="line")
        machine = world.asset(plant.berlin, f"M9{number}", parent=line, replacement_value=1000)
        spend(machine, 10)
        count(line, 5)
    assert queries() == few


def test_it_reads_as_money_for_each_piece(plant, costly):
    count(plant.filler, 200_000)
    assert said(figure(plant.filler, PER_UNIT)) == "0.00325\u202fEUR/unit"
    assert DEFINITIONS[PER_UNIT].better == DEFINITIONS[OF_VALUE].better == "lower"
