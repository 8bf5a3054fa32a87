"""Operating calendars and counts over the REST API."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from production import agreeing, counting
from production.agreeing import Agreement
from production.counting import CountEntry
from production.models import Count, OperatingCalendar
from production.timetable import Pattern
from tests.contracts.api import ApiContract, assert_problem, client_of

NINE = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIGHTS = {
    "asset": "L1",
    "name": "Nights",
    "valid_from": "2026-01-01",
    "weekly": [{"weekday": 0, "start": "22:00", "end": "06:00"}, {"weekday": 5, "start": "06:00", "end": "24:00"}],
    "exceptions": [
        {"date": "2026-12-24", "name": "Christmas", "intervals": []},
        {"date": "2026-12-28", "intervals": [{"start": "08:00", "end": "12:00"}]},
    ],
}


def agree(plant, asset=None, name="Shifts", since=date(2026, 1, 1), until=None):
    site = asset.site if asset else plant.berlin
    by = plant.stranger if site == plant.chicago else plant.planner
    return agreeing.agree(site, asset, Agreement(name, Pattern(since, until), {}), by=by)


class TestCalendars(ApiContract):
    resource = "operating-calendars"
    filters = {"asset": "M1", "on": "2025-06-01"}
    create = NIGHTS
    change = {"name": "Other shifts"}
    may_write = frozenset({"planner", "administrator"})

    def rows(self, plant):
        if not OperatingCalendar.objects.exists():
            agree(plant, None, "Site", since=date(2025, 1, 1), until=date(2026, 1, 1))
            for asset in (plant.filler, plant.labeller, plant.palletiser):
                agree(plant, asset, f"Shifts of {asset.code}")
        return list(OperatingCalendar.objects.filter(site=plant.berlin))

    def more(self, plant):
        year = 2027 + OperatingCalendar.objects.count()
        agree(plant, None, f"Site {year}", since=date(year, 1, 1), until=date(year + 1, 1, 1))

    def foreign(self, plant):
        return agree(plant, plant.foreign)


def test_a_calendar_is_answered_with_its_week_and_its_exceptions(plant):
    row = client_of(plant.planner).post("/api/v1/operating-calendars/", NIGHTS).json()
    assert (row["asset"]["code"], row["site"]["code"], row["valid_to"]) == ("L1", "berlin", None)
    assert row["weekly"] == [
        {"weekday": 0, "start": "22:00:00", "end": "06:00:00"},
        {"weekday": 5, "start": "06:00:00", "end": "00:00:00"},
    ]
    assert row["exceptions"] == [
        {"date": "2026-12-24", "name": "Christmas", "intervals": []},
        {"date": "2026-12-28", "name": "", "intervals": [{"start": "08:00:00", "end": "12:00:00"}]},
    ]


def test_a_change_of_one_part_leaves_the_others(plant):
    client = client_of(plant.planner)
    row = client.post("/api/v1/operating-calendars/", NIGHTS).json()
    address = f"/api/v1/operating-calendars/{row['id']}/"
    changed = client.patch(address, {"weekly": [{"weekday": 1, "start": "06:00", "end": "14:00"}]}).json()
    assert changed["weekly"] == [{"weekday": 1, "start": "06:00:00", "end": "14:00:00"}]
    assert (changed["exceptions"], changed["name"], changed["version"]) == (row["exceptions"], "Nights", 2)
    assert_problem(client.patch(address, {"asset": "M1"}), 422, "owner_is_fixed", "asset")
    assert client.delete(address).status_code == 204
    assert not OperatingCalendar.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"valid_to": "2026-01-01"}, 422, "end_before_start", "valid_to"),
        ({"asset": None}, 422, "required", "site"),
        ({"asset": "X1"}, 400, "invalid", "asset"),
        ({"weekly": [{"weekday": 7, "start": "06:00", "end": "14:00"}]}, 400, "invalid", "weekly.0.weekday"),
        ({"weekly": [{"weekday": 0, "start": "6 o'clock", "end": "14:00"}]}, 400, "invalid", "weekly.0.start"),
        ({"weekly": [{"weekday": 0, "start": "06:00", "end": "14:00"}] * 2}, 422, "slots_overlap", "weekly"),
        ({"exceptions": [{"date": "2025-12-24", "intervals": []}]}, 422, "exception_outside", "exceptions"),
        ({"exceptions": [{"date": "2026-12-24", "intervals": []}] * 2}, 422, "exception_twice", "exceptions"),
    ],
)
def test_an_impossible_calendar_is_refused_at_its_field(plant, wrong, status, code, field):
    answer = client_of(plant.planner).post("/api/v1/operating-calendars/", {**NIGHTS, **wrong})
    body = assert_problem(answer, status, code)
    assert field in [error["field"] for error in body["errors"]]
    assert not OperatingCalendar.objects.exists()


def test_two_calendars_of_one_owner_do_not_hold_on_the_same_day(plant):
    client = client_of(plant.planner)
    client.post("/api/v1/operating-calendars/", NIGHTS)
    assert_problem(client.post("/api/v1/operating-calendars/", NIGHTS), 422, "calendar_overlaps", "valid_from")
    assert OperatingCalendar.objects.count() == 1


def count(plant, asset, hour: int, **said) -> Count:
    by = plant.stranger if asset == plant.foreign else plant.technician
    entry = CountEntry(asset, NINE + hour * HOUR, NINE + (hour + 1) * HOUR, good=100, ideal_cycle=Decimal(1), **said)
    return counting.record_count(entry, by=by, source="api").row


class TestCounts(ApiContract):
    resource = "counts"
    filters = {
        "asset": "M2", "ancestor": "M1", "product": "cola", "since": "2026-03-02T11:00:00Z",
        "until": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    create = {"asset": "m1", "start": "2026-03-02T09:00:00+01:00", "end": "2026-03-02T10:00:00+01:00",
              "product": "Cola", "good": 3400, "scrap": 12, "ideal_cycle": 1.05, "external_id": "C-1"}  # fmt: skip
    change = {"scrap": 20}
    may_write = frozenset({"technician", "planner", "administrator"})

    def rows(self, plant):
        if not Count.objects.exists():
            count(plant, plant.filler, 0, product="Cola")
            count(plant, plant.filler, 1)
            count(plant, plant.labeller, 2)
            count(plant, plant.labeller, 3)
        return list(Count.objects.filter(asset__site=plant.berlin))

    def more(self, plant):
        count(plant, plant.palletiser, Count.objects.count())

    def foreign(self, plant):
        return count(plant, plant.foreign, 0)


def test_a_count_is_answered_with_numbers_and_sent_twice_unchanged(plant):
    client = client_of(plant.technician)
    first = client.post("/api/v1/counts/", TestCounts.create)
    row = first.json()
    assert (row["good"], row["scrap"], row["rework"], row["ideal_cycle"]) == (3400, 12, 0, 1.05)
    again = client.post("/api/v1/counts/", TestCounts.create)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, row)
    assert_problem(
        client.post("/api/v1/counts/", {**TestCounts.create, "good": 1}), 409, "recorded_differently", "external_id"
    )
    assert Count.objects.count() == 1


def test_counts_in_bulk_have_a_result_each(plant, django_assert_max_num_queries):
    good = [
        {"asset": "M1", "start": f"2026-03-02T08:{n:02}:00Z", "end": f"2026-03-02T08:{n:02}:59Z", "good": n,
         "ideal_cycle": 1, "external_id": str(n)}
        for n in range(60)
    ]  # fmt: skip
    bad = [{**good[0], "external_id": "x", "scrap": -1}, {**good[0], "asset": "X1"}]
    client = client_of(plant.technician)
    with django_assert_max_num_queries(30):
        body = client.post("/api/v1/counts/bulk/", good + bad).json()
    assert (body["created"], body["refused"]) == (60, 2)
    assert [row["errors"][0]["field"] for row in body["results"][60:]] == ["scrap", "asset"]
    assert client.post("/api/v1/counts/bulk/", good).json()["unchanged"] == 60
    assert Count.objects.count() == 60
