"""Stops, failures and the lists behind them over the REST API."""

from datetime import UTC, datetime, timedelta

import pytest

from assets import failures, stops
from assets.models import AssetKind, Downtime, DowntimeReason, Failure, FailureCode
from assets.stops import StopEntry
from core.models import Event
from tests.contracts.api import ApiContract, assert_problem, client_of

NINE = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
RECORDERS = frozenset({"technician", "planner", "administrator"})


def record(plant, asset, hour: int, **said) -> Downtime:
    by = plant.stranger if asset == plant.foreign else plant.technician
    entry = StopEntry(asset, NINE + hour * HOUR, NINE + (hour + 1) * HOUR, **said)
    return stops.record_stop(entry, by=by, source="api").row


class TestDowntimes(ApiContract):
    resource = "downtimes"
    filters = {
        "asset": "M2", "ancestor": "M1", "reason": "breakdown", "planned": "true", "open": "true",
        "is_failure": "true", "since": "2026-03-02T12:00:00Z", "until": "2026-03-02T09:00:00Z", "source": "operator",
    }  # fmt: skip
    create = {"asset": "m1", "start": "2026-03-02T09:00:00+01:00", "end": "2026-03-02T10:00:00+01:00",
              "reason": {"code": "breakdown"}, "is_failure": True, "external_id": "E-1"}  # fmt: skip
    change = {"note": "Sensor 4"}
    may_write = RECORDERS

    def rows(self, plant):
        if not Downtime.objects.exists():
            record(plant, plant.filler, 0, reason=plant.breakdown, is_failure=True)
            record(plant, plant.filler, 2, reason=plant.lunch)
            record(plant, plant.labeller, 3)
            stops.open_stop(plant.labeller, by=plant.technician, at=NINE + 5 * HOUR)
        return list(Downtime.objects.filter(asset__site=plant.berlin))

    def more(self, plant):
        record(plant, plant.palletiser, Downtime.objects.count())

    def foreign(self, plant):
        return record(plant, plant.foreign, 0)


def test_a_stop_is_answered_with_the_names_of_the_design(plant):
    client = client_of(plant.technician)
    row = client.post("/api/v1/downtimes/", TestDowntimes.create).json()
    assert row["asset"] == {"id": plant.filler.pk, "code": "M1", "name": "Filler"}
    assert row["reason"] == {"id": plant.breakdown.pk, "code": "breakdown", "name": "Breakdown"}
    assert row["start"] == "2026-03-02T08:00:00+00:00"
    assert (row["planned"], row["is_failure"], row["source"], row["external_id"]) == (False, True, "api", "E-1")
    failure = client.get("/api/v1/failures/").json()["results"][0]
    assert (failure["occurred"], failure["restored"]) == (row["start"], row["end"])
    assert failure["downtime"] == {"id": row["id"], "start": row["start"], "end": row["end"]}


def test_the_same_stop_sent_twice_is_unchanged(plant):
    client = client_of(plant.technician)
    first = client.post("/api/v1/downtimes/", TestDowntimes.create)
    second = client.post("/api/v1/downtimes/", TestDowntimes.create)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    other = client.post("/api/v1/downtimes/", {**TestDowntimes.create, "end": "2026-03-02T11:00:00+01:00"})
    assert_problem(other, 409, "recorded_differently", "external_id")
    assert Downtime.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"end": "2026-03-02T08:00:00+01:00"}, 422, "end_before_start", "end"),
        ({"start": "2999-01-01T00:00:00Z", "end": None}, 400, "invalid", "start"),
        ({"start": "2150-01-01T00:00:00Z", "end": None}, 422, "in_the_future", "start"),
        ({"start": "2019-01-01T00:00:00Z"}, 422, "before_commissioning", "start"),
        ({"reason": "nothing"}, 400, "invalid", "reason"),
        ({"asset": "X1"}, 400, "invalid", "asset"),
        ({"source": "import"}, 400, "invalid", "source"),
        ({"planned_end": "2026-03-02T10:00:00+01:00"}, 422, "planned_end_of_unplanned", "planned_end"),
    ],
)
def test_a_stop_that_cannot_have_been_is_refused_at_its_field(plant, wrong, status, code, field):
    answer = client_of(plant.technician).post("/api/v1/downtimes/", {**TestDowntimes.create, **wrong})
    body = assert_problem(answer, status, code)
    assert field in [error["field"] for error in body["errors"]]
    assert not Downtime.objects.exists()
    assert not Event.objects.filter(verb__startswith="downtime").exists()


def test_a_stop_is_opened_and_closed_by_a_verb(plant):
    client = client_of(plant.technician)
    opened = client.post("/api/v1/downtimes/", {"asset": "M1", "start": "2026-03-02T08:00:00Z"}).json()
    again = client.post("/api/v1/downtimes/", {"asset": "M1", "start": "2026-03-02T09:00:00Z"})
    assert_problem(again, 409, "already_down", "end")
    closed = client.post(
        f"/api/v1/downtimes/{opened['id']}/closure/", {"end": "2026-03-02T10:00:00Z", "reason": "breakdown"}
    ).json()
    assert (closed["end"], closed["reason"]["code"]) == ("2026-03-02T10:00:00+00:00", "breakdown")
    assert_problem(client.post(f"/api/v1/downtimes/{opened['id']}/closure/", {}), 409, "not_down")


def test_who_recorded_a_stop_stays(plant):
    client = client_of(plant.technician)
    row = client.post("/api/v1/downtimes/", TestDowntimes.create).json()
    address = f"/api/v1/downtimes/{row['id']}/"
    assert_problem(client.patch(address, {"source": "plc"}), 422, "source_is_fixed", "source")
    assert_problem(client.patch(address, {"external_id": "E-2"}), 422, "source_is_fixed", "external_id")
    assert client.patch(address, {"is_failure": False}).json()["is_failure"] is False
    assert not Failure.objects.exists()
    assert client.delete(address).status_code == 204
    assert not Downtime.objects.exists()


def test_stops_in_bulk_have_a_result_each(plant, django_assert_max_num_queries):
    client = client_of(plant.technician)
    good = [
        {"asset": "M1", "start": f"2026-03-02T08:{n:02}:00Z", "end": f"2026-03-02T08:{n:02}:30Z", "external_id": str(n),
         "source": "plc" if n % 2 else "api"}
        for n in range(60)
    ]  # fmt: skip
    bad = [
        {"asset": "M1", "start": "2026-03-02T08:00:00Z", "end": "2026-03-02T07:00:00Z"},
        {"asset": "X1", "start": "2026-03-02T08:00:00Z"},
        {"asset": "M1"},
    ]
    with django_assert_max_num_queries(40):
        body = client.post("/api/v1/downtimes/bulk/", good + bad).json()
    assert (body["created"], body["unchanged"], body["refused"]) == (60, 0, 3)
    assert [row["errors"][0]["field"] for row in body["results"][60:]] == ["end", "asset", "start"]
    again = client.post("/api/v1/downtimes/bulk/", good).json()
    assert (again["created"], again["unchanged"]) == (0, 60)
    assert Downtime.objects.count() == 60


def test_one_who_may_not_record_gets_refusals_in_bulk(plant):
    rows = [TestDowntimes.create]
    body = client_of(plant.requester).post("/api/v1/downtimes/bulk/", rows).json()
    assert (body["refused"], body["results"][0]["errors"][0]["code"]) == (1, "not_allowed")
    assert not Downtime.objects.exists()


class TestFailures(ApiContract):
    resource = "failures"
    filters = {
        "asset": "M2", "ancestor": "M1", "problem": "leak", "detection": "maintenance", "restored": "false",
        "since": "2026-03-02T10:00:00Z", "until": "2026-03-02T10:00:00Z",
    }  # fmt: skip
    create = {"asset": "M1", "occurred": "2026-03-02T09:00:00+01:00", "component": "Valve 7", "external_id": "F-1"}
    change = {"restored": "2026-03-04T09:00:00+01:00"}
    may_write = RECORDERS

    def rows(self, plant):
        if not Failure.objects.exists():
            leak = FailureCode.objects.create(list="problem", code="leak", name="Leak")
            for hour, said in enumerate(
                ({"problem": leak}, {"detection": "maintenance"}, {"restored": NINE + 9 * HOUR}, {})
            ):
                asset = plant.labeller if hour == 3 else plant.filler
                failures.record_failure(asset, by=plant.planner, occurred=NINE + hour * HOUR, **said)
        return list(Failure.objects.filter(asset__site=plant.berlin))

    def more(self, plant):
        failures.record_failure(plant.palletiser, by=plant.planner, occurred=NINE + Failure.objects.count() * HOUR)

    def foreign(self, plant):
        return failures.record_failure(plant.foreign, by=plant.stranger, occurred=NINE)[0]


def test_of_equal_codes_the_one_for_the_kind_of_the_asset_is_meant(plant):
    packer = AssetKind.objects.create(code="packer", name="Packer")
    for kind in (None, packer, plant.filler.kind):
        FailureCode.objects.create(list="cause", code="wear", name=f"Wear {kind}", kind=kind)
    client = client_of(plant.technician)
    row = client.post("/api/v1/failures/", {**TestFailures.create, "cause": "wear"})
    assert row.json()["cause"]["name"] == "Wear Filler"
    row = client.post("/api/v1/failures/", {**TestFailures.create, "asset": "M2", "cause": "wear"})
    assert row.json()["cause"]["name"] == "Wear None"
    answer = client.post("/api/v1/failures/", {**TestFailures.create, "problem": "wear"})
    assert_problem(answer, 400, "invalid", "problem")


def test_the_same_failure_sent_twice_is_unchanged(plant):
    client = client_of(plant.technician)
    assert client.post("/api/v1/failures/", TestFailures.create).status_code == 201
    assert client.post("/api/v1/failures/", TestFailures.create).status_code == 200
    assert Failure.objects.count() == 1


class TestReasons(ApiContract):
    resource = "downtime-reasons"
    filters = {"code": "lunch", "planned": "true", "active": "false"}
    create = {"site": "berlin", "code": "no-bottles", "name": "No bottles"}
    change = {"name": "Something else"}
    may_write = frozenset({"administrator"})

    def rows(self, plant):
        DowntimeReason.objects.get_or_create(site=plant.berlin, code="old", name="Old", active=False)
        return list(DowntimeReason.objects.filter(site=plant.berlin))

    def more(self, plant):
        DowntimeReason.objects.create(site=plant.berlin, code=f"r{DowntimeReason.objects.count()}", name="More")

    def foreign(self, plant):
        return DowntimeReason.objects.create(site=plant.chicago, code="breakdown", name="Breakdown")


def test_a_reason_that_was_used_stays(plant):
    record(plant, plant.filler, 0, reason=plant.breakdown)
    client = client_of(plant.administrator)
    assert_problem(client.delete(f"/api/v1/downtime-reasons/{plant.breakdown.pk}/"), 422, "in_use")
    assert client.delete(f"/api/v1/downtime-reasons/{plant.setup.pk}/").status_code == 204
    assert_problem(
        client.patch(f"/api/v1/downtime-reasons/{plant.breakdown.pk}/", {"excluded": True}),
        422, "excluded_unplanned", "excluded",
    )  # fmt: skip


class TestKinds(ApiContract):
    resource = "asset-kinds"
    filters = {"code": "k1"}
    create = {"code": "capper", "name": "Capper"}
    change = {"name": "Something else"}
    may_write = frozenset({"administrator"})
    shared = True

    def rows(self, plant):
        return [AssetKind.objects.get_or_create(code=f"k{n}", name=f"Kind {n}")[0] for n in range(4)]

    def more(self, plant):
        AssetKind.objects.create(code=f"m{AssetKind.objects.count()}", name="More")


class TestFailureCodes(ApiContract):
    resource = "failure-codes"
    filters = {"list": "cause", "code": "c1"}
    create = {"list": "remedy", "code": "glued", "name": "Glued"}
    change = {"name": "Something else"}
    may_write = frozenset({"administrator"})
    shared = True

    def rows(self, plant):
        return [
            FailureCode.objects.get_or_create(list="cause" if n % 2 else "problem", code=f"c{n}", name=f"Code {n}")[0]
            for n in range(4)
        ]

    def more(self, plant):
        FailureCode.objects.create(list="cause", code=f"m{FailureCode.objects.count()}", name="More")
