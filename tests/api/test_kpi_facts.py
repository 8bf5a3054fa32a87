"""Figures by shift, and the day facts as CSV and Parquet for other systems."""

import csv
import io
import tempfile
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

import pytest
from arro3.io import read_parquet
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.models import Asset, Downtime, Failure
from kpis import exporting, figures
from kpis.computing import compute_site
from production.models import Count, OperatingCalendar, WeeklySlot
from tests import plant as world
from tests.contracts.api import assert_problem, client_of

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
SHIFTS = ((time(6), time(14)), (time(14), time(22)), (time(22), time(6)))


@pytest.fixture
def shifts(plant):
    """Three shifts a day; the filler was down for two hours of the late one, and failed."""
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Shifts", valid_from="2026-01-01")
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=calendar, weekday=day, start=start, end=end) for day in range(7) for start, end in SHIFTS
    )
    Downtime.objects.create(asset=plant.filler, start=MONDAY + 15 * HOUR, end=MONDAY + 17 * HOUR)
    Failure.objects.create(asset=plant.filler, occurred=MONDAY + 15 * HOUR, restored=MONDAY + 17 * HOUR)
    compute_site(plant.berlin)
    return plant


def figures_of(plant, **question) -> list[dict]:
    question = {"asset": "M1", "definition": "availability", "by": "shift"} | question
    return client_of(plant.manager).get("/api/v1/kpis/", question).json()


def test_figures_by_shift(shifts):
    rows = figures_of(shifts, **{"from": "2026-03-02T06:00:00+01:00", "to": "2026-03-03T06:00:00+01:00"})

    assert [(row["from"][11:16], row["to"][11:16], row["value"]) for row in rows] == [
        ("06:00", "14:00", 1.0),
        ("14:00", "22:00", 0.75),
        ("22:00", "06:00", 1.0),
    ]


def test_a_machine_with_hours_of_its_own_has_its_own_shifts(shifts):
    own = OperatingCalendar.objects.create(
        site=shifts.berlin, asset=shifts.filler, name="Days", valid_from="2026-01-01"
    )
    WeeklySlot.objects.create(calendar=own, weekday=0, start=time(8), end=time(16))

    rows = figures_of(shifts, **{"from": "2026-03-02", "to": "2026-03-04"})

    assert [row["from"][:16] for row in rows] == ["2026-03-02T00:00", "2026-03-02T08:00"]
    assert [row["value"] for row in rows] == [None, pytest.approx(7 / 8)]
    assert rows[0]["status"] == "undefined"


def test_each_of_several_machines_has_its_own_shifts(shifts):
    Downtime.objects.create(asset=shifts.labeller, start=MONDAY + 9 * HOUR, end=MONDAY + 12 * HOUR)
    Downtime.objects.create(asset=shifts.palletiser, start=MONDAY + 7 * HOUR, end=MONDAY + 20 * HOUR)
    for asset in (shifts.filler, shifts.labeller):
        own = OperatingCalendar.objects.create(site=shifts.berlin, asset=asset, name="Days", valid_from="2026-01-01")
        WeeklySlot.objects.create(calendar=own, weekday=0, start=time(8), end=time(16))
    window = {"from": "2026-03-02T06:00:00+01:00", "to": "2026-03-03T06:00:00+01:00"}
    window |= {"definition": "availability,mtbf,backlog_hours"}
    alone = {code: figures_of(shifts, asset=code, **window) for code in ("L1", "M1", "M2", "M3")}

    for codes in permutations(alone, 3):
        together = figures_of(shifts, asset=",".join(codes), **window)
        assert without_moment(together) == without_moment(row for code in codes for row in alone[code])

    starts = {code: sorted({row["from"][11:16] for row in rows}) for code, rows in alone.items()}
    thrice = ["06:00", "14:00", "22:00"]
    assert starts == {"L1": thrice, "M1": ["06:00", "08:00"], "M2": ["06:00", "08:00"], "M3": thrice}


def without_moment(rows) -> list[dict]:
    return [row | {"computed_at": ""} for row in rows]


def test_machines_with_shifts_alike_are_read_together(shifts):
    question = {"site": shifts.berlin, "start": MONDAY, "end": MONDAY + 48 * HOUR, "by": "shift"}
    own = OperatingCalendar.objects.create(
        site=shifts.berlin, asset=shifts.labeller, name="Days", valid_from="2026-01-01"
    )
    WeeklySlot.objects.create(calendar=own, weekday=0, start=time(8), end=time(16))
    compute_site(shifts.berlin)

    def asked(*assets: Asset) -> int:
        with CaptureQueriesContext(connection) as queries:
            figures.read(assets, definitions=["availability"], **question)
        return len(queries)

    alone = asked(shifts.filler)

    assert asked(shifts.filler, shifts.palletiser) == alone
    assert asked(shifts.filler, shifts.labeller, shifts.palletiser) == alone + 1  # who stands where, of other buckets


def test_on_the_day_of_a_clock_change_a_shift_is_shorter_and_nothing_is_lost(shifts):
    rows = figures_of(
        shifts, definition="mtbf", **{"from": "2026-03-28T22:00:00+01:00", "to": "2026-03-29T14:00:00+02:00"}
    )

    assert [row["inputs"]["scheduled_time"] / 3600 for row in rows] == [7, 8]


def test_without_a_calendar_there_are_no_shifts(plant):
    answer = client_of(plant.manager).get(
        "/api/v1/kpis/", {"asset": "M1", "by": "shift", "from": "2026-03-02", "to": "2026-03-03"}
    )

    assert_problem(answer, 422, "no_shifts", "by")


# --- The facts as CSV ------------------------------------------------------------------------------


def facts(caller, **question) -> list[dict]:
    answer = caller.get("/api/v1/kpis/facts/", {"from": "2026-03-02", "to": "2026-03-05"} | question)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_sums_of_the_file_are_those_of_the_figures(shifts, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 2)
    caller = client_of(shifts.manager, scope="read")

    rows = facts(caller, site="berlin")

    assert len(rows) == 3 * Asset.objects.filter(site=shifts.berlin).count()
    filler = [row for row in rows if row["asset"] == "M1"]
    assert [(row["day"], row["unplanned_downtime"], row["failures"]) for row in filler] == [
        ("2026-03-02", "7200", "1"),
        ("2026-03-03", "0", "0"),
        ("2026-03-04", "0", "0"),
    ]
    figure = figures_of(shifts, by="total", **{"from": "2026-03-02", "to": "2026-03-05"})[0]
    operating, planned = (
        sum(float(row[name]) for row in filler) for name in ("operating_time", "planned_production_time")
    )
    assert operating / planned == pytest.approx(figure["value"])


def test_an_asset_without_records_is_not_said_to_run(shifts):
    rows = facts(client_of(shifts.manager), asset="M3")

    assert {(row["known"], row["operating_time"]) for row in rows} == {("0", "0")}


def test_a_spreadsheet_may_ask_for_csv_and_an_error_is_a_problem(shifts):
    caller = client_of(shifts.manager)

    assert (
        caller.get("/api/v1/kpis/facts/?asset=M1&from=2026-03-02&to=2026-03-03", HTTP_ACCEPT="text/csv").status_code
        == 200
    )
    assert_problem(caller.get("/api/v1/kpis/facts/?asset=M1&from=2026-03-02"), 422, field="to")


def test_another_site_does_not_exist(shifts):
    for whose in ({"asset": shifts.foreign.pk}, {"site": "chicago"}):
        answer = client_of(shifts.manager).get(
            "/api/v1/kpis/facts/", {"from": "2026-03-02", "to": "2026-03-03"} | whose
        )
        assert_problem(answer, 404)


def test_too_many_days_are_refused(shifts, monkeypatch):
    monkeypatch.setattr(exporting, "MOST", 5)

    answer = client_of(shifts.manager).get(
        "/api/v1/kpis/facts/", {"site": "berlin", "from": "2026-03-02", "to": "2026-03-05"}
    )

    assert_problem(answer, 422, "too_many", "to")


def test_days_of_today_are_there_up_to_now(shifts):
    today = shifts.berlin.production_day(timezone.now())
    rows = facts(client_of(shifts.manager), asset="M1", **{"from": f"{today}", "to": f"{today + timedelta(days=1)}"})

    assert [row["day"] for row in rows] == [f"{today}"]


# --- Figures formed from the facts alone -----------------------------------------------------------

WEEK = {"from": "2026-03-02", "to": "2026-03-09"}


@pytest.fixture
def mixed(shifts):
    """The filler stopped, failed and has no counts; the labeller has counts of two days, one over the end of the week;
    the palletiser made nothing in its only hour of counts; of others only a stop, a count before the week, or nothing
    is known, and one retired in the week.
    """
    berlin, line = shifts.berlin, shifts.line
    Failure.objects.create(asset=shifts.labeller, occurred=MONDAY + 60 * HOUR, restored=MONDAY + 61 * HOUR)
    Downtime.objects.create(asset=shifts.labeller, start=MONDAY + 60 * HOUR, end=MONDAY + 63 * HOUR)
    stopped, before, retired, _unknown = (world.asset(berlin, f"N{number}", parent=line) for number in range(4))
    Downtime.objects.create(asset=stopped, start=MONDAY + 30 * HOUR, end=MONDAY + 50 * HOUR)
    Asset.objects.filter(pk=retired.pk).update(retired=MONDAY + 90 * HOUR)
    for whose, start, length, good, scrap in (
        (shifts.labeller, 30, 10, 9_000, 500), (shifts.labeller, 160, 20, 30_000, 0), (shifts.palletiser, 40, 1, 0, 0),
        (before, -60, 5, 4_000, 100), (retired, 80, 8, 7_000, 0),
    ):  # fmt: skip
        begin = MONDAY + start * HOUR
        Count.objects.create(asset=whose, start=begin, end=begin + length * HOUR, good=good, scrap=scrap, ideal_cycle=2)
    return shifts


def summed(rows, name: str) -> float:
    return sum(float(row[name] or 0) for row in rows)


@pytest.mark.parametrize("computed", [True, False])
@pytest.mark.parametrize("read", ["csv", "parquet"])
def test_oee_availability_and_mtbf_of_a_site_follow_from_the_file_alone(mixed, monkeypatch, computed, read):
    if computed:
        compute_site(mixed.berlin)
    monkeypatch.setattr(exporting, "CHUNK", 3)
    caller = client_of(mixed.manager)
    keys = "oee,availability,mtbf,teep,performance,quality,quality_by_pieces"
    found = caller.get("/api/v1/kpis/", {"site": "berlin", "definition": keys} | WEEK).json()
    figure = {row["definition"]: row["value"] for row in found}

    rows = {"csv": facts, "parquet": parquet}[read](caller, site="berlin", **WEEK)

    machines = [row for row in rows if row["asset"] != "L1"]
    counted = [row for row in machines if int(row["counted"])]
    assert {row["asset"] for row in counted} == {"M2", "M3", "N2"}
    planned = summed(counted, "planned_production_time")
    assert {
        "oee": summed(counted, "ideal_time_of_good") / planned,
        "teep": summed(counted, "ideal_time_of_good") / summed(counted, "calendar_time"),
        "performance": summed(counted, "ideal_time") / summed(counted, "operating_time"),
        "quality": summed(counted, "ideal_time_of_good") / summed(counted, "ideal_time"),
        "quality_by_pieces": summed(counted, "good")
        / sum(summed(counted, name) for name in ("good", "scrap", "rework")),
        "availability": summed(machines, "operating_time") / summed(machines, "planned_production_time"),
        "mtbf": summed(machines, "operating_time") / 3600 / summed(machines, "failures"),
    } == pytest.approx(figure)
    assert planned < summed(machines, "planned_production_time")


def test_pieces_are_told_only_of_days_with_counts_and_give_oee_of_each(mixed):
    caller = client_of(mixed.manager)
    question = {"asset": "M1,M2,M3,N1", "definition": "oee", "by": "day"} | WEEK
    figure = {(row["asset"]["code"], row["from"][:10]): row for row in caller.get("/api/v1/kpis/", question).json()}

    rows = facts(caller, asset="M1,M2,M3,N1", **WEEK)

    assert len(rows) == len(figure) == 4 * 7
    for row in rows:
        day = figure[row["asset"], row["day"]]
        empty = {row[name] == "" for name in exporting.COUNTED}
        assert empty == {day["status"] == "no data"}, row
        if day["status"] != "no data":
            made = float(row["ideal_time_of_good"])
            assert made / float(row["planned_production_time"]) == pytest.approx(day["value"])
    told = {(row["asset"], row["day"]) for row in rows if row["good"]}
    assert told == {("M2", "2026-03-03"), ("M2", "2026-03-08"), ("M3", "2026-03-03")}
    assert {row["good"] for row in rows if row["asset"] == "M3"} == {"", "0"}


def test_a_file_costs_the_same_number_of_queries_however_many_machines_count(mixed):
    compute_site(mixed.berlin)
    caller = client_of(mixed.manager)

    def asked_for() -> int:
        with CaptureQueriesContext(connection) as queries:
            facts(caller, site="berlin", **WEEK)
        return len(queries)

    asked_for()
    few = asked_for()
    for number in range(10):
        machine = world.asset(mixed.berlin, f"S{number}", parent=mixed.line)
        Count.objects.create(asset=machine, start=MONDAY, end=MONDAY + HOUR, good=number, ideal_cycle=2)
    compute_site(mixed.berlin)
    assert asked_for() == few


# --- The facts as Parquet --------------------------------------------------------------------------


def parquet(caller, **question) -> list[dict]:
    answer = caller.get(
        "/api/v1/kpis/facts/", {"from": "2026-03-02", "to": "2026-03-05", "format": "parquet"} | question
    )
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    assert answer["Content-Disposition"] == 'attachment; filename="facts-berlin.parquet"'
    body = b"".join(answer.streaming_content)
    assert int(answer["Content-Length"]) == len(body)
    table = read_parquet(io.BytesIO(body)).read_all()
    return [{name: table[name][row].as_py() for name in table.column_names} for row in range(table.num_rows)]


def test_parquet_has_the_rows_of_the_csv_with_types(shifts, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 2)
    monkeypatch.setattr(exporting, "ROW_GROUP", 4)
    caller = client_of(shifts.manager, scope="read")

    found, expected = parquet(caller, site="berlin"), facts(caller, site="berlin")

    assert len(found) == len(expected) == 3 * Asset.objects.filter(site=shifts.berlin).count()
    assert [
        {
            name: datetime.fromisoformat(text) if name == "computed_at"
            else date.fromisoformat(text) if name == "day"
            else text if name in ("site", "asset") else float(text) if text else None
            for name, text in row.items()
        }
        for row in expected
    ] == found  # fmt: skip
    (day,) = [row for row in found if (row["asset"], str(row["day"])) == ("M1", "2026-03-02")]
    assert (day["known"], day["unplanned_downtime"], day["failures"]) == (1, 7200.0, 1.0)


def test_a_code_with_everything_that_csv_must_quote_arrives_whole(shifts):
    code = 'M1 "new",\nä'
    Asset.objects.filter(pk=shifts.filler.pk).update(code=code)

    assert {row["asset"] for row in parquet(client_of(shifts.manager), asset=shifts.filler.pk)} == {code}


def test_what_is_refused_is_a_problem_in_parquet_too(shifts, monkeypatch):
    caller = client_of(shifts.manager)
    asked = "/api/v1/kpis/facts/?format=parquet&from=2026-03-02&to=2026-03-05"

    assert_problem(caller.get(f"{asked}&asset={shifts.foreign.pk}"), 404)
    assert_problem(caller.get(f"{asked}&asset=M1&colour=red"), 422, "unknown", "colour")
    monkeypatch.setattr(exporting, "MOST", 2)
    assert_problem(caller.get(f"{asked}&asset=M1"), 422, "too_many", "to")


def test_the_file_is_gone_from_the_disk_when_it_has_been_read(shifts, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    answer = client_of(shifts.manager).get("/api/v1/kpis/facts/?format=parquet&asset=M1&from=2026-03-02&to=2026-03-05")
    there = list(tmp_path.iterdir())
    answer.close()

    assert (len(there), list(tmp_path.iterdir())) == (1, [])


def test_rows_are_on_the_disk_while_later_ones_are_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(exporting, "ROW_GROUP", 10_000)
    sizes = []

    def pieces():
        yield (",".join(exporting.COLUMNS) + "\r\n").encode()
        for number in range(100_000):
            sums = ",".join(str(number + place / 100) for place in range(len(exporting.SUMS)))
            yield f"berlin,M1,2026-03-02,1,1,{sums},2026-03-02T05:00:00+00:00\r\n".encode()
            sizes.append(next(tmp_path.iterdir()).stat().st_size)

    with exporting.as_parquet(pieces()) as file:
        assert sum(batch.num_rows for batch in read_parquet(file.name)) == 100_000
    assert sizes[0] == 0 < sizes[50_000] < sizes[99_000]
