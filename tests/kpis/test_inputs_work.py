"""The inputs of a figure of work as CSV: the file alone, summed as a spreadsheet would, gives the figure."""

import csv
import io
from datetime import date
from random import Random
from statistics import median

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse

from assets.models import Asset, Downtime, FormerHourlyCost, Placement
from kpis import inputs_work
from kpis.definitions import DEFINITIONS, WORK
from kpis.figures import periods
from kpis.models import LabourCapacity, NetMargin
from kpis.work import quantile
from production.models import Count, OperatingCalendar
from tests import plant as world
from tests.contracts.api import assert_problem, client_of
from tests.kpis.test_inputs import text_of
from tests.kpis.test_work_database import BEGIN, DAY, END, HOUR, NOW, at, order, write_history
from tests.kpis.test_work_database import broken as broken  # the fixture

KEYS = [definition.key for definition in WORK]
MARCH = {"from": "2026-03-02", "to": "2026-04-01"}


def spreadsheet(text: str) -> dict[str, float | None]:
    """Every figure whose columns the file has, by nothing but sums, means and quantiles of columns."""
    rows = list(csv.DictReader(io.StringIO(text)))

    def column(name: str, kind: str = "") -> list[float]:
        return [float(row[name]) for row in rows if row.get(name) and (not kind or row["kind"] == kind)]

    def product(*names: str) -> float:
        found = 0.0
        for row in rows:
            if all(row.get(name) for name in names):
                part = 1.0
                for name in names:
                    part *= float(row[name])
                found += part
        return found

    def ratio(one: float, other: float) -> float | None:
        return one / other if other else None

    def mean_hours(name: str) -> float | None:
        return ratio(sum(column(name)) / 3600, len(column(name)))

    compliance = ratio(sum(column("in_time")), sum(column("counts")))
    interval = sum(column("late_interval_days"))
    ages, down = column("seconds"), column("seconds", "failure")
    stopped = product("seconds", "hourly_cost") / 3600
    mart = ratio(sum(column("active_repair_scheduled")) / 3600, len(column("active_repair_scheduled")))
    failures = sum(row["kind"] == "failure" for row in rows)
    mtbf = ratio(sum(column("seconds", "operating")) / 3600, failures)
    return {
        "preventive_compliance": compliance,
        "preventive_compliance_on_time": compliance,
        "preventive_compliance_ten_percent": compliance,
        "scheduled_maintenance_critical": ratio(sum(column("days_late")) + interval, interval),
        "planned_work_share": ratio(product("seconds", "planned"), sum(column("seconds"))),
        "emergency_work_share": ratio(product("seconds", "emergency"), sum(column("seconds"))),
        "schedule_compliance": ratio(sum(column("kept")), len(rows)),
        "break_in_share": ratio(sum(column("break_in")), sum(column("agreed"))),
        "wrench_time": ratio(sum(column("seconds", "labour")), sum(column("paid"))),
        "backlog_weeks": ratio(sum(column("left")), sum(column("weekly"))),
        "ready_backlog_weeks": ratio(product("left", "ready"), sum(column("weekly"))),
        "backlog_hours": sum(column("left")) / 3600,
        "ready_backlog_hours": product("left", "ready") / 3600,
        "open_order_age_median": median(ages) / 86_400 if ages else None,
        "open_order_age_p90": quantile(ages, 0.9) / 86_400 if ages else None,
        "mtta": ratio(product("seconds", "counts") / 3600, sum(column("counts"))),
        "rework_share": ratio(sum(column("rework")), len(rows)),
        "maintenance_cost": sum(column("amount")),
        "maintenance_cost_per_unit": ratio(sum(column("amount")), sum(column("pieces"))),
        "maintenance_cost_of_replacement_value": ratio(sum(column("amount")), product("value", "years")),
        "downtime_cost": stopped,
        "downtime_cost_of_margin": ratio(stopped, sum(column("amount", "net margin"))),
        "mttr_detect": mean_hours("detection"),
        "mttr_wait": mean_hours("waiting"),
        "mart": mean_hours("active_repair"),
        "mttr_hand_back": mean_hours("hand_back"),
        "mrt": mean_hours("repair"),
        "restoration_median": median(down) / 3600 if down else None,
        "restoration_p90": quantile(down, 0.9) / 3600 if down else None,
        "mttr_scheduled": mean_hours("scheduled"),
        "inherent_availability": None if mtbf is None or mart is None else ratio(mtbf, mtbf + mart),
    }


@pytest.fixture
def history(plant, broken):
    """Work of weeks with stops, prices that changed, a margin that changed, a calendar, and a labeller that moved."""
    write_history(plant, Random(5))
    for asset, first, last in ((plant.filler, 70, 75), (plant.labeller, 80, 90), (plant.labeller, 400, 410)):
        Downtime.objects.create(asset=asset, start=at(first), end=at(last), reason=plant.breakdown)
    Downtime.objects.create(asset=plant.filler, start=at(73), end=at(77), planned=True, reason=plant.lunch)
    Asset.objects.filter(pk=plant.filler.pk).update(downtime_cost=100)
    Asset.objects.filter(pk=plant.labeller.pk).update(downtime_cost=30)
    FormerHourlyCost.objects.create(asset=plant.filler, amount=50, until=BEGIN.date() + 3 * DAY)
    for day, amount in ((date(2025, 1, 1), 100_000), (date(2026, 3, 10), 200_000)):
        NetMargin.objects.create(site=plant.berlin, valid_from=day, amount=amount)
    for day, net, paid in ((date(2025, 1, 1), 40, 60), (date(2026, 3, 10), 50, 70)):
        LabourCapacity.objects.create(site=plant.berlin, valid_from=day, net=net, paid=paid)
    Asset.objects.filter(pk=plant.filler.pk).update(replacement_value=90_000)
    Asset.objects.filter(pk=plant.labeller.pk).update(replacement_value=40_000)
    for asset in (plant.filler, plant.labeller):
        Count.objects.create(asset=asset, start=at(2), end=at(20), good=5000, scrap=100, ideal_cycle=5)
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Day", valid_from=date(2020, 1, 1))
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start="06:00", end="22:00")
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    moved = at(300)
    Placement.objects.filter(asset=plant.labeller).update(valid=DateTimeTZRange(world.OPENED, moved))
    Placement.objects.create(asset=plant.labeller, parent=other, valid=DateTimeTZRange(moved, None))
    return plant


@pytest.mark.parametrize("key", KEYS)
def test_the_file_alone_gives_the_figure(history, key):
    plant, known = history, 0
    for asset in (None, plant.line, plant.filler, plant.labeller):
        for scope in ("leaves", "asset"):
            for start, end in ((BEGIN, END), (at(12), at(500)), (at(1), at(26))):
                question = {"site": plant.berlin, "start": start, "end": end, "scope": scope, "now": NOW}
                (found,) = periods([asset], **question)
                figure = found.figure(DEFINITIONS[key])
                if figure.value is None:
                    continue
                known += bool(figure.value)
                text = text_of(plant.berlin, asset, key, start, end, scope, NOW)
                summed = spreadsheet(text)[key]
                assert summed == pytest.approx(figure.value, rel=1e-9, abs=1e-9), (asset, scope, start, text)
    assert known > 1, "Figures of nothing say nothing"


@pytest.mark.parametrize("key", KEYS)
def test_without_records_or_before_it_begins_the_file_has_its_head_alone(plant, key):
    for start, end in ((BEGIN, BEGIN + DAY), (NOW + DAY, NOW + 2 * DAY)):
        text = text_of(plant.berlin, plant.palletiser, key, start, end, "leaves", NOW)
        (head, *rows) = text.splitlines()
        assert head == ",".join(inputs_work.columns_of(DEFINITIONS[key]))
        assert rows == []


def test_page_and_api_offer_the_same_file(history, client):
    plant = history
    client.force_login(plant.manager)
    question = {"asset": plant.filler.pk, "definition": "mart", "scope": "leaves"} | MARCH
    page = client.get(reverse("figure"), question).content.decode()
    assert f'href="{reverse("figure-inputs")}?asset={plant.filler.pk}&amp;definition=mart' in page
    of_page = client.get(reverse("figure-inputs"), question)
    answer = client_of(plant.manager, scope="read").get("/api/v1/kpis/inputs/", question)
    assert of_page["Content-Disposition"] == 'attachment; filename="mart-m1-2026-03-02.csv"'
    text = answer.getvalue()
    assert text == of_page.getvalue()
    row = next(csv.DictReader(io.StringIO(text.decode())))
    assert (row["kind"], row["seconds"], row["active_repair"], row["from"]) == (
        "failure", str(10 * 3600), str(4 * 3600), "2026-03-02T10:00:00+01:00",
    )  # fmt: skip


def test_a_text_that_a_spreadsheet_would_run_is_harmless(plant):
    order(plant.filler, at(1), summary="=HYPERLINK(1)")
    text = text_of(plant.berlin, plant.filler, "backlog_hours", BEGIN, BEGIN + 9 * HOUR, "leaves", NOW)
    assert next(csv.DictReader(io.StringIO(text)))["label"] == "'=HYPERLINK(1)"


def test_too_many_records_are_a_problem_that_names_the_parameter(history, client, monkeypatch):
    plant = history
    monkeypatch.setattr(inputs_work, "MOST", 1)
    question = {"asset": "M1", "definition": "planned_work_share"} | MARCH
    answer = client_of(plant.manager, scope="read").get("/api/v1/kpis/inputs/", question)
    body = assert_problem(answer, 422, "too_many", "from")
    assert "ask for a shorter window" in body["errors"][0]["message"]
    client.force_login(plant.manager)
    page = client.get(reverse("figure-inputs"), question, follow=True)
    assert "ask for a shorter window" in page.content.decode()


def test_work_of_another_site_has_no_file(plant, client):
    client.force_login(plant.manager)
    question = {"asset": plant.foreign.pk, "definition": "mtta"} | MARCH
    assert client.get(reverse("figure-inputs"), question).status_code == 404
    assert client.get("/api/v1/kpis/inputs/", question).status_code == 404
