"""Assets over the REST API."""

from datetime import UTC, datetime

from assets.models import Asset
from tests import plant as world
from tests.contracts.api import ApiContract, assert_problem, client_of


class TestAssets(ApiContract):
    resource = "assets"
    create = {"site": "berlin", "code": "M9", "name": "Capper", "parent": {"code": "l1"}, "commissioned": "2024-03-01"}
    change = {"name": "Renamed"}
    may_write = frozenset({"planner", "administrator"})

    def rows(self, plant):
        return [plant.line, plant.filler, plant.labeller, plant.palletiser]

    def more(self, plant):
        world.asset(plant.berlin, f"N{Asset.objects.count()}")

    def foreign(self, plant):
        return plant.foreign


def test_an_asset_is_answered_with_its_references(plant):
    row = client_of(plant.technician).get(f"/api/v1/assets/{plant.filler.pk}/").json()
    assert row["site"] == {"id": plant.berlin.pk, "code": "berlin", "name": "Bottling Berlin"}
    assert row["parent"] == {"id": plant.line.pk, "code": "L1", "name": "Line 1"}
    assert row["kind"] == {"id": plant.filler.kind_id, "code": "filler", "name": "Filler"}
    assert (row["redundancy_group"], row["criticality"], row["stops_parent"]) == (None, "A", True)
    assert row["commissioned"] == "2020-01-01T00:00:00+00:00"


def test_a_plain_date_means_the_start_of_that_production_day_at_the_site(plant):
    client = client_of(plant.stranger)  # Chicago's production day starts at six
    row = client.post("/api/v1/assets/", {"site": "chicago", "code": "X2", "name": "Two", "commissioned": "2024-07-01"})
    assert row.status_code == 201, row.content
    assert Asset.objects.get(code="X2").commissioned == datetime(2024, 7, 1, 11, tzinfo=UTC)


def test_a_moment_without_its_offset_is_refused_at_the_field(plant):
    client = client_of(plant.planner)
    sent = {"site": "berlin", "code": "M9", "name": "Nine", "commissioned": "2024-07-01T06:00:00"}
    body = assert_problem(client.post("/api/v1/assets/", sent), 400, "invalid")
    assert body["errors"] == [
        {
            "field": "commissioned",
            "code": "offset_required",
            "message": "Give the moment with its offset, for example 2026-03-01T06:00:00+01:00.",
        }
    ]
    assert not Asset.objects.filter(code="M9").exists()


def test_a_parent_of_another_site_does_not_exist(plant):
    client = client_of(plant.planner)
    for parent in (plant.foreign.pk, {"code": "X1"}, "X1", {"code": "X1", "site": "chicago"}, 10**18):
        sent = {"site": "berlin", "code": "M9", "name": "Nine", "parent": parent}
        body = assert_problem(client.post("/api/v1/assets/", sent), 400, "invalid")
        assert [(error["field"], error["code"]) for error in body["errors"]] == [("parent", "does_not_exist")]


def test_equal_codes_of_two_sites_are_told_apart_by_the_site_of_the_row(plant):
    world.person("both", plant.berlin, "planner").memberships.create(site=plant.chicago, role="planner")
    world.asset(plant.chicago, "L1", "Line 1 in Chicago")
    client = client_of(type(plant.planner).objects.get(username="both"))
    row = client.post("/api/v1/assets/", {"site": "chicago", "code": "X7", "name": "Seven", "parent": {"code": "L1"}})
    assert row.json()["parent"]["name"] == "Line 1 in Chicago"


def test_a_code_that_the_site_has_already_is_a_refusal_at_the_field(plant):
    client = client_of(plant.planner)
    before = Asset.objects.count()
    answer = client.post("/api/v1/assets/", {"site": "berlin", "code": "m1", "name": "Again"})
    assert_problem(answer, 422, "code_taken", "code")
    assert Asset.objects.count() == before


def test_an_asset_moves_with_a_verb_and_keeps_its_etag_honest(plant):
    client = client_of(plant.planner)
    address = f"/api/v1/assets/{plant.labeller.pk}/"
    etag = client.get(address)["ETag"]
    moved = client.post(f"{address}placement/", {"parent": None}, headers={"If-Match": etag})
    assert moved.status_code == 200, moved.content
    assert moved.json()["parent"] is None
    assert_problem(
        client.post(f"{address}placement/", {"parent": "L1"}, headers={"If-Match": etag}), 412, "changed_meanwhile"
    )
    plant.labeller.refresh_from_db()
    assert plant.labeller.parent is None


def test_an_asset_is_archived_once_and_comes_back(plant):
    client = client_of(plant.planner)
    address = f"/api/v1/assets/{plant.palletiser.pk}/"
    assert client.post(f"{address}archive/").json()["archived_at"] is not None
    assert_problem(client.post(f"{address}archive/"), 409, "already_archived")
    assert client.post(f"{address}restoration/").json()["archived_at"] is None


def test_an_asset_stays_at_its_site(plant):
    world.person("both", plant.berlin, "planner").memberships.create(site=plant.chicago, role="planner")
    client = client_of(type(plant.planner).objects.get(username="both"))
    answer = client.patch(f"/api/v1/assets/{plant.filler.pk}/", {"site": "chicago"})
    assert_problem(answer, 422, "site_is_fixed", "site")
