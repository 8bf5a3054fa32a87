"""The table behind every chart as a file: the same figures as the picture, unrounded, a gap as a gap."""

import csv
import io
import re
from datetime import time, timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from assets.models import Asset, DowntimeReason
from kpis.formulas import Reason, mtbf_bounds
from kpis.reasons import REASONS
from production.models import Count, OperatingCalendar, WeeklySlot
from tests.kpis.test_figures import history as history  # the fixture
from tests.kpis.test_studying import now as now  # the fixtures
from tests.kpis.test_studying import worn as worn

WEEK = {"from": "2026-03-02", "to": "2026-03-08"}


@pytest.fixture
def file_of(client, plant):
    """The rows of a chart's file, as CSV or as a sheet, for the manager."""
    client.force_login(plant.manager)

    def asked(chart: str, format: str = "csv", page: str = "performance", **query) -> list:
        answer = client.get(reverse(page), {"chart": chart, "format": format, **query})
        assert answer.status_code == 200
        asked.name = answer["Content-Disposition"].split('"')[1]
        if format == "xlsx":
            return [list(row) for row in load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)]
        return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    return asked


def test_the_trend_has_whole_dates_full_precision_and_gaps(file_of, plant, history):
    head, *rows = file_of("availability-oee", asset=plant.filler.pk, compare="none", **WEEK)
    assert file_of.name == "availability-oee-m1-2026-03-02-2026-03-08.csv"
    statuses = ["Availability, status", "OEE, status"]
    assert head == ["Availability and OEE", "Availability, %", "OEE, %", *statuses]
    of = {row[0]: row[1:] for row in rows}
    assert float(of["2026-03-02"][0]) == 100 * (20 / 23)
    assert float(of["2026-03-02"][1]) == pytest.approx(60_000 / (23 * 36), abs=1e-12)
    assert of["2026-03-02"][2:] == ["ok", "ok"]
    assert of["2026-03-03"] == [
        "100.0",
        "",
        "ok",
        "no data: No production counts were reported.",
    ]  # nothing was counted: no OEE, not one of 0


def test_a_sheet_has_numbers_dates_and_empty_cells(file_of, plant, history):
    head, *rows = file_of("availability-oee", "xlsx", asset=plant.filler.pk, compare="none", **WEEK)
    assert file_of.name == "availability-oee-m1-2026-03-02-2026-03-08.xlsx"
    assert head[:3] == ["Availability and OEE", "Availability, %", "OEE, %"]
    of = {str(row[0].date()): row[1:] for row in rows}
    assert of["2026-03-02"] == [pytest.approx(100 * 20 / 23), pytest.approx(60_000 / (23 * 36)), "ok", "ok"]
    assert of["2026-03-03"] == [100, None, "ok", "no data: No production counts were reported."]


def test_what_the_window_is_compared_with_stands_beside_it(file_of, plant, history):
    head, *rows = file_of("availability-oee", asset=plant.filler.pk, **{"from": "2026-03-16", "to": "2026-03-29"})
    assert head[1:5] == ["Availability, %", "OEE, %", "Availability, before, %", "OEE, before, %"]
    of = {row[0]: row[1:] for row in rows}
    available, oee, available_before, oee_before = of["2026-03-16"][:4]
    assert (float(available), oee, float(available_before)) == (100, "", 100 * (20 / 23))
    assert float(oee_before) == pytest.approx(60_000 / (23 * 36))


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_an_mtbf_stands_between_the_ends_of_its_interval(file_of, plant, history, format):
    head, *rows = file_of("mtbf", format, asset=plant.filler.pk, compare="none", **WEEK)
    ends = ["MTBF, 90 % interval, lower, h", "MTBF, 90 % interval, upper, h"]
    assert head == ["MTBF", "MTBF, h", *ends, "MTBF, status"]
    of = {str(row[0])[:10]: row[1:] for row in rows}
    bounds = mtbf_bounds(20, 1)
    assert [float(value) for value in of["2026-03-02"][:3]] == pytest.approx([20, bounds.lower, bounds.upper])
    nothing = {"csv": "", "xlsx": None}[format]
    value, lower, upper, status = of["2026-03-03"]
    assert (value, upper) == (nothing, nothing)
    assert float(lower) == pytest.approx(mtbf_bounds(24, 0).lower), (
        "Without a failure the one-sided bound is all that is known"
    )
    assert status == "undefined: No failure occurred in this window. The lower end is a one-sided bound."


def test_a_day_without_failure_is_undefined_and_not_without_data(client, file_of, plant, history):
    _head, *rows = file_of("mtbf", asset=plant.filler.pk, compare="none", **WEEK)
    of = {row[0]: row for row in rows}
    assert (of["2026-03-02"][1], of["2026-03-02"][-1]) == ("20.0", "ok")
    assert (of["2026-03-03"][1], of["2026-03-03"][-1]) == (
        "", "undefined: No failure occurred in this window. The lower end is a one-sided bound.",
    )  # fmt: skip
    page = client.get(reverse("performance"), {"asset": plant.filler.pk, "part": "more", **WEEK}).content.decode()
    assert (
        '<span class="chart-why">No failure occurred in this window. The lower end is a one-sided bound.</span>' in page
    )


def test_tiles_rows_and_explanation_say_what_an_mtbf_without_failures_is_above(client, plant, history):
    client.force_login(plant.manager)
    asked = {"from": "2026-03-09", "to": "2026-03-15"}
    said = "No failure occurred in this window. At least 73.0\u202fh with 90 % confidence."
    answer = client.get(reverse("performance"), asked | {"asset": plant.line.pk, "part": "more"})
    (tile,) = (each for each in answer.context["tiles"] if each.label == "MTBF")
    assert (tile.value, tile.missing, tile.note) == (None, "undefined", said)
    assert f'title="{said}"' in answer.content.decode(), "In the rows of what is below too"
    figure = client.get(
        reverse("figure"), {"definition": "mtbf", "asset": plant.filler.pk, "from": "2026-03-09", "to": "2026-03-16"}
    ).content.decode()
    assert "<dt>One-sided 90 % lower bound</dt>" in figure
    assert "90 % interval" not in figure
    assert "unbounded" not in figure


def test_shifts_are_named_by_the_hour_at_which_they_begin(file_of, plant, history):
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Shifts", valid_from="2026-01-01")
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=calendar, weekday=day, start=time(start), end=time((start + 12) % 24))
        for day in range(7)
        for start in (6, 18)
    )
    asked = {"from": "2026-03-02T06:00:00+01:00", "to": "2026-03-02T18:00:00+01:00"}
    _head, *rows = file_of("availability-oee", asset=plant.filler.pk, compare="none", **asked)
    assert file_of.name == "availability-oee-m1-2026-03-02-0600-2026-03-02-1800.csv"
    assert rows[-1][0] == "2026-03-02T06:00:00+01:00"
    assert float(rows[-1][1]) == 100 * (9 / 12)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_no_name_of_a_reason_is_run_as_a_formula(file_of, plant, history, format):
    DowntimeReason.objects.filter(pk=plant.breakdown.pk).update(name="=HYPERLINK(0)")
    _head, *rows = file_of("stops", format, asset=plant.filler.pk, **WEEK)
    assert (
        rows == {"csv": [["'=HYPERLINK(0)", "3.0", "100.0", "ok"]], "xlsx": [["=HYPERLINK(0)", 3, 100, "ok"]]}[format]
    )


def test_a_site_without_records_has_files_without_numbers(file_of, plant):
    for row in file_of("availability-oee", compare="none", **WEEK)[1:]:
        assert row[1:3] == ["", ""]
        assert all(said.startswith("no data: ") for said in row[3:])
    assert file_of("losses", **WEEK) == [["Where planned time went", "h", "Where planned time went, status"]]


@pytest.mark.parametrize(
    ("fault", "mark", "why"),
    [
        ("fast", "suspect", REASONS[Reason.FASTER_THAN_IDEAL]),
        ("silent", "partial", REASONS[Reason.LOW_COVERAGE]),
    ],
)
def test_losses_that_rest_on_doubtful_records_are_marked_on_the_page_and_in_their_file(
    client, file_of, plant, history, fault, mark, why
):
    if fault == "fast":
        Count.objects.update(ideal_cycle=10)
    else:
        Asset.objects.filter(pk=plant.filler.pk).update(silence_days=1)
    head, *rows = file_of("losses", asset=plant.filler.pk, **WEEK)
    assert head[-1] == "Where planned time went, status"
    assert {row[-1] for row in rows} == {f"{mark}: {why}"}
    answer = client.get(reverse("performance"), {"asset": plant.filler.pk, **WEEK})
    (losses,) = (each for each in answer.context["charts"] if each.key == "losses")
    assert str(losses.mark) == mark.capitalize()
    assert losses.note.endswith(str(why))
    caption = answer.content.decode().split("Where planned time went")[1].split("</figcaption>")[0]
    assert mark.capitalize() in caption


def test_losses_that_are_missing_say_why(client, plant, history):
    Count.objects.all().delete()
    client.force_login(plant.manager)
    answer = client.get(reverse("performance"), {"asset": plant.filler.pk, **WEEK})
    losses, stops = answer.context["charts"]
    assert (losses.empty, losses.note, losses.mark) == (True, REASONS[Reason.NO_COUNTS], None)
    assert (stops.note, stops.mark, [str(each) for each in stops.words[1][1]]) == ("", None, ["ok"])


@pytest.mark.parametrize(
    ("page", "keys"),
    [
        ("/performance/?asset={pk}&window=30d&part=more", ["availability-oee", "stops", "mtbf"]),
        ("/performance/reliability/?asset={pk}", ["failures", "lives"]),
        ("/performance/reliability/?kind=filler", ["failures", "actors", "lives"]),
        ("/assets/{pk}/?tab=performance", ["availability-oee", "stops"]),
    ],
)
def test_every_chart_offers_its_files_and_they_open(client, worn, page, keys):
    client.force_login(worn.manager)
    text = client.get(page.format(pk=worn.filler.pk)).content.decode()
    found = [unescape(url) for url in re.findall(r'<a class="chart-tool" href="([^"]+)" download>', text)]
    assert {f"chart={key}&format={format}" for key in keys for format in ("csv", "xlsx")} <= {
        url[url.index("chart=") :] for url in found
    }
    for url in found:
        answer = client.get(url)
        assert (answer.status_code, answer["Content-Disposition"].split(";")[0]) == (200, "attachment")


@pytest.mark.parametrize("page", ["/performance/?asset={pk}&window=30d&part=more", "/assets/{pk}/?tab=performance"])
def test_a_picture_is_named_as_its_table(client, worn, page):
    client.force_login(worn.manager)
    text = client.get(page.format(pk=worn.filler.pk)).content.decode()
    pictures = sorted(re.findall(r'data-file="([^"]+)"', text))
    tables = [unescape(url) for url in re.findall(r'href="([^"]+format=csv)"', text)]
    assert not any("part=" in url for url in tables)
    today = worn.berlin.production_day(timezone.now())
    assert pictures[0] == f"availability-oee-m1-{today - timedelta(days=30)}-{today - timedelta(days=1)}"
    assert [f'attachment; filename="{name}.csv"' for name in pictures] == sorted(
        client.get(url)["Content-Disposition"] for url in tables
    )


def test_a_picture_without_data_offers_no_file(client, plant):
    client.force_login(plant.manager)
    assert "chart-tool" not in client.get(reverse("performance"), WEEK).content.decode()


@pytest.mark.parametrize("page", ["performance", "reliability"])
def test_a_file_of_another_site_does_not_exist(client, plant, page):
    client.force_login(plant.manager)
    query = {"asset": plant.foreign.pk, "chart": "stops", "format": "csv"}
    assert client.get(reverse(page), query).status_code == 404


@pytest.mark.parametrize(
    "query", ["chart=nothing&format=csv", "chart=stops&format=pdf", "chart=stops", "chart=&format=csv"]
)
@pytest.mark.parametrize("page", ["performance", "reliability"])
def test_another_chart_or_format_does_not_exist(client, plant, page, query):
    client.force_login(plant.manager)
    assert client.get(f"{reverse(page)}?{query}").status_code == 404
