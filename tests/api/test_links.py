"""A stop, a failure and their work order name each other, whichever of them is sent last."""

from datetime import UTC, datetime

import pytest

from assets.models import Downtime, Failure
from tests.contracts.api import assert_problem, client_of
from workorders.models import WorkOrder
from workorders.raising import raise_order

STOPS, FAILURES, ORDERS = "/api/v1/downtimes/", "/api/v1/failures/", "/api/v1/work-orders/"
NINE = "2026-03-02T09:00:00+01:00"
TEN = "2026-03-02T10:00:00+01:00"


@pytest.fixture
def client(plant):
    return client_of(plant.planner)


@pytest.fixture
def order(plant) -> WorkOrder:
    return raise_order(asset=plant.filler, summary="Replace the clutch", by=plant.planner)


def stop(order, **more) -> dict:
    return {"asset": "M1", "start": NINE, "end": TEN, "external_id": "E-1", "work_order": order.pk, **more}


def test_a_stop_names_its_order_by_id_or_number(client, order):
    first = client.post(STOPS, stop(order))
    assert first.status_code == 201, first.content
    shown = {"id": order.pk, "number": order.number, "name": "Replace the clutch"}
    assert first.json()["work_order"] == shown
    again = client.post(STOPS, stop(order, work_order={"code": order.number}))
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    row = client.get(f"{ORDERS}{order.pk}/").json()
    assert row["downtime"]["id"] == first.json()["id"]


def test_a_stop_is_linked_and_unlinked_later(client, order):
    made = client.post(STOPS, stop(order, work_order=None)).json()
    address = f"{STOPS}{made['id']}/"
    assert client.patch(address, {"work_order": order.pk}).json()["work_order"]["id"] == order.pk
    assert client.patch(address, {"work_order": None}).json()["work_order"] is None
    assert WorkOrder.objects.get().downtime is None


def test_nothing_is_taken_from_another_stop_or_order(client, plant, order):
    client.post(STOPS, stop(order))
    later = {"start": "2026-03-03T09:00:00+01:00", "end": "2026-03-03T10:00:00+01:00", "external_id": "E-2"}
    assert_problem(client.post(STOPS, stop(order, **later)), 409, "linked_already", "work_order")
    other = raise_order(asset=plant.filler, summary="Look again", by=plant.planner)
    known = Downtime.objects.get()
    assert_problem(client.patch(f"{STOPS}{known.pk}/", {"work_order": other.pk}), 409, "linked_already", "work_order")
    assert WorkOrder.objects.get(downtime=known) == order


def test_an_order_of_another_asset_or_site_leaves_no_stop_behind(client, plant):
    elsewhere = raise_order(asset=plant.palletiser, summary="Look", by=plant.planner)
    assert_problem(client.post(STOPS, stop(elsewhere)), 422, "stop_of_other_asset", "work_order")
    foreign = raise_order(asset=plant.foreign, summary="Look", by=plant.stranger)
    assert_problem(client.post(STOPS, stop(foreign)), 400, "invalid", "work_order")
    assert not Downtime.objects.exists()


def test_in_a_bulk_each_stop_is_saved_with_its_order_or_not_at_all(client, plant, order):
    elsewhere = raise_order(asset=plant.palletiser, summary="Look", by=plant.planner)
    rows = [
        stop(order),
        stop(elsewhere, external_id="E-2"),
        {"asset": "M2", "start": NINE, "end": TEN, "external_id": "E-3"},
    ]
    body = client.post(f"{STOPS}bulk/", rows, format="json").json()
    assert [each["status"] for each in body["results"]] == ["created", "refused", "created"]
    assert body["results"][1]["errors"][0]["field"] == "work_order"
    assert set(Downtime.objects.values_list("external_id", flat=True)) == {"E-1", "E-3"}
    assert WorkOrder.objects.get(pk=order.pk).downtime.external_id == "E-1"


def test_a_failure_that_names_its_order_is_the_failure_of_that_order(client, plant, order):
    sent = {"asset": "M1", "occurred": NINE, "restored": TEN, "work_order": order.pk}
    made = client.post(FAILURES, sent).json()
    assert made["work_order"]["id"] == order.pk
    order.refresh_from_db()
    order.start(by=plant.technician, at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    order.complete(by=plant.technician, was_failure=True, at=datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert Failure.objects.get().pk == made["id"]  # not recorded a second time


def test_an_order_comes_with_its_people(client, plant):
    people = [{"person": "technician", "start": "2030-03-04T08:00:00+01:00", "duration": 3600}]
    answer = client.post(ORDERS, {"asset": "M1", "summary": "Grease", "external_id": "W-1", "assignments": people})
    assert answer.status_code == 201, answer.content
    there = answer.json()["assignments"]
    assert [(each["person"]["code"], each["duration"]) for each in there] == [("technician", 3600)]
    again = client.post(ORDERS, {"asset": "M1", "summary": "Grease", "external_id": "W-1", "assignments": people})
    assert (again.status_code, again.json()["assignments"]) == (200, there)
    address = f"{ORDERS}{answer.json()['id']}/"
    same = client.patch(address, {"assignments": people, "summary": "Grease it"})
    assert same.status_code == 200, same.content
    assert_problem(client.patch(address, {"assignments": []}), 422, "fixed", "assignments")
    assert client.get(address).json()["assignments"] == there


def test_an_order_that_cannot_have_its_people_is_not_raised(client, plant):
    people = [{"person": "requester"}]
    answer = client.post(ORDERS, {"asset": "M1", "summary": "Grease", "assignments": people})
    assert_problem(answer, 422, "person_cannot")
    assert not WorkOrder.objects.exists()
