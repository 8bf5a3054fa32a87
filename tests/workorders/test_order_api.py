"""Work orders and requests over the REST API: from the wish to closed, by verbs that the table of moves names."""

from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from assets import stops
from core.events import history
from tests.contracts.api import ApiContract, assert_problem, client_of
from workorders.editing import write_steps
from workorders.lifecycle import MOVES
from workorders.models import Request, WorkOrder
from workorders.preparation import assign
from workorders.raising import raise_order
from workorders.reporting import report

ORDERS = "/api/v1/work-orders/"
REQUESTS = "/api/v1/requests/"


def ago(**time) -> str:
    return (timezone.now() - timedelta(**time)).isoformat()


class TestWorkOrders(ApiContract):
    resource = "work-orders"
    filters = {"asset": "M1", "ancestor": "M2", "unassigned": "false", "state": "planned", "number": 2}
    search = "M3"
    create = {"asset": "M1", "summary": "Grease the bearing", "estimate": 1800, "steps": [{"text": "Grease"}]}
    change = {"summary": "Grease both bearings"}
    may_write = frozenset({"planner", "administrator"})

    def test_only_those_who_may_create_do(self, plant, role="technician"):
        answer = self.created(client_of(plant.technician), plant)
        assert (answer.status_code, answer.json()["state"]) == (201, "draft")
        assert_problem(self.created(client_of(plant.manager), plant), 403, "not_allowed")
        assert WorkOrder.objects.count() == 1

    def rows(self, plant):
        orders = [
            raise_order(asset=asset, summary=f"Look at {asset.code}", by=plant.planner, estimate_minutes=30)
            for asset in (plant.filler, plant.labeller, plant.palletiser, plant.line)
        ]
        write_steps(orders[3], [{"text": "Look"}], by=plant.planner)
        orders[3].refresh_from_db()
        orders[3].plan(by=plant.planner)
        assign(orders[2], person=plant.technician, by=plant.planner)
        return orders

    def more(self, plant):
        raise_order(asset=plant.filler, summary="One more", by=plant.planner)

    def foreign(self, plant):
        return raise_order(asset=plant.foreign, summary="Look at X1", by=plant.stranger)


class TestRequests(ApiContract):
    resource = "requests"
    filters = {"asset": "M2", "is_down": "true"}
    search = "Rattle"
    create = {"asset": "M1", "summary": "It squeals", "is_down": False}
    may_write = frozenset({"requester", "technician", "planner", "manager", "administrator"})

    def rows(self, plant):
        rattle = report(plant.labeller, "Rattle", by=plant.requester, is_down=True)
        return [report(plant.filler, f"Noise {number}", by=plant.requester) for number in range(3)] + [rattle]

    def more(self, plant):
        report(plant.labeller, "Another noise", by=plant.technician)

    def foreign(self, plant):
        return report(plant.foreign, "Noise there", by=plant.stranger)


def act(client, order_id: int, noun: str, body: dict | None = None, status: int = 200) -> dict:
    answer = client.post(f"{ORDERS}{order_id}/{noun}/", body or {})
    assert answer.status_code == status, answer.content
    return answer.json()


def test_an_order_goes_from_the_wish_to_closed_and_its_failure_and_cost_are_there(plant):
    technician, planner = client_of(plant.technician), client_of(plant.planner)
    began = ago(hours=2)
    ended = (datetime.fromisoformat(began) + timedelta(hours=1)).isoformat()
    stop = stops.open_stop(plant.filler, by=plant.technician, at=timezone.now() - timedelta(hours=3))
    made = planner.post(
        ORDERS,
        {
            "asset": {"code": "M1"}, "summary": "Replace the drive", "downtime": stop.pk, "estimate": 5400,
            "steps": [{"text": "Lock out"}, {"kind": "number", "text": "Current", "unit": "A", "low": 1, "high": 4}],
        },
    )  # fmt: skip
    assert made.status_code == 201, made.content
    order = made.json()
    assert (order["state"], order["number"], order["estimate"], order["site"]["code"]) == (
        "approved",
        1,
        5400,
        "berlin",
    )
    assert [(step["position"], step["kind"], step["text"]) for step in order["steps"]] == [
        (1, "check", "Lock out"),
        (2, "number", "Current"),
    ]
    pk = order["id"]
    assert act(planner, pk, "plan")["state"] == "planned"
    scheduled = act(planner, pk, "schedule", {"person": "technician", "start": ago(hours=-1), "duration": 3600})
    assert scheduled["assignments"][0]["duration"] == 3600
    assert scheduled["owner"]["code"] == "technician"
    assert act(technician, pk, "start", {"at": began})["started_at"] is not None
    act(technician, pk, f"steps/{order['steps'][0]['id']}/answer", {"outcome": "ok"})
    answered = act(technician, pk, f"steps/{order['steps'][1]['id']}/answer", {"number": 3.2})
    assert [(step["outcome"], step["number"]) for step in answered["steps"]] == [("ok", None), ("ok", 3.2)]
    refused = technician.post(f"{ORDERS}{pk}/completion/", {"was_failure": True})
    assert_problem(refused, 422, "machine_runs_unanswered", "machine_runs")
    done = act(
        technician,
        pk,
        "completion",
        {"was_failure": True, "machine_runs": True, "note": "New belt", "at": ended},
    )
    assert (done["state"], done["was_failure"], done["labour"][0]["person"]["code"]) == (
        "completed",
        True,
        "technician",
    )
    assert done["failure"]["occurred"] == done["downtime"]["start"]
    assert done["cost"] == 40
    closed = act(planner, pk, "verification")
    assert (closed["state"], closed["owner"]) == ("closed", None)
    link = {"id": pk, "number": 1, "name": "Replace the drive"}
    assert planner.get(f"/api/v1/downtimes/{stop.pk}/").json()["work_order"] == link
    assert planner.get(f"/api/v1/failures/{done['failure']['id']}/").json()["work_order"] == link
    verbs = [event.verb for event in history(WorkOrder.objects.get(pk=pk)) if event.verb.startswith("work_order.")]
    assert verbs[0] == "work_order.verified"
    assert_problem(planner.post(f"{ORDERS}{pk}/verification/"), 409, "wrong_state")


def test_every_move_of_the_table_has_its_address(plant):
    order = raise_order(asset=plant.filler, summary="Look", by=plant.planner)
    client = client_of(plant.requester)
    for move in MOVES.values():
        answer = client.post(f"{ORDERS}{order.pk}/{move.noun}/", {"reason": "other", "question": "Why?"})
        assert answer.status_code in (400, 403), (move.noun, answer.content)
    order.refresh_from_db()
    assert order.state == "approved"


def test_the_second_of_two_who_press_gets_a_clear_answer(plant):
    order = raise_order(asset=plant.filler, summary="Look", by=plant.planner)
    client = client_of(plant.technician)
    act(client, order.pk, "start")
    body = assert_problem(client.post(f"{ORDERS}{order.pk}/start/"), 409, "wrong_state")
    assert "in progress" in body["detail"]


def test_an_order_that_its_source_sent_before_is_not_raised_again(plant):
    client = client_of(plant.planner)
    sent = {"asset": "M1", "summary": "From the ERP", "external_id": "4711"}
    first, second = client.post(ORDERS, sent), client.post(ORDERS, sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert_problem(client.post(ORDERS, {**sent, "summary": "Other"}), 409, "recorded_differently", "external_id")
    assert WorkOrder.objects.count() == 1


def test_labour_assignments_and_steps_are_written_through_their_order(plant):
    client = client_of(plant.planner)
    pk = client.post(ORDERS, {"asset": "M1", "summary": "Look"}).json()["id"]
    order = act(client, pk, "assignments", {"person": "technician", "start": ago(hours=-2), "duration": 1800})
    part = f"{ORDERS}{pk}/assignments/{order['assignments'][0]['id']}/"
    assert client.patch(part, {"duration": 3600}).json()["assignments"][0]["duration"] == 3600
    assert client.delete(part).json()["assignments"] == []
    assert_problem(client.delete(part), 404)
    assert_problem(
        client.post(f"{ORDERS}{pk}/assignments/", {"person": "technician", "duration": 90}), 400, "invalid", "duration"
    )
    steps = client.patch(f"{ORDERS}{pk}/", {"steps": [{"text": "One"}, {"text": "Two"}]}).json()["steps"]
    assert [(step["position"], step["text"]) for step in steps] == [(1, "One"), (2, "Two")]
    act(client_of(plant.technician), pk, "start")
    entry = {"person": "technician", "start": ago(hours=5), "end": ago(hours=4)}
    labour = act(client, pk, "labour", entry)["labour"]
    assert [each["person"]["code"] for each in labour] == ["technician", "technician"]
    one = f"{ORDERS}{pk}/labour/{labour[0]['id']}/"
    assert client.patch(one, {"note": "with the electrician"}).json()["labour"][0]["note"] == "with the electrician"
    assert len(client.delete(one).json()["labour"]) == 1


def test_a_failed_step_gets_its_follow_up_order(plant):
    technician = client_of(plant.technician)
    sent = {"asset": "M1", "summary": "Inspect", "kind": "inspection", "steps": [{"text": "Belt", "kind": "pass"}]}
    order = client_of(plant.planner).post(ORDERS, sent).json()
    step = f"steps/{order['steps'][0]['id']}"
    act(technician, order["id"], "start", {"at": ago(minutes=5)})
    act(technician, order["id"], f"{step}/answer", {"outcome": "fail", "text": "worn"})
    assert_problem(technician.post(f"{ORDERS}{order['id']}/completion/"), 422, "follow_up_undecided", "steps")
    after = act(technician, order["id"], f"{step}/follow-up", {"summary": "Replace the belt"})
    follow_up = after["steps"][0]["follow_up"]
    assert follow_up["name"] == "Replace the belt"
    assert technician.get(f"{ORDERS}{follow_up['id']}/").json()["follow_up_of"]["number"] == order["number"]


def test_comments_and_files_belong_to_their_order(plant, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    client, stranger = client_of(plant.technician), client_of(plant.stranger)
    order = raise_order(asset=plant.filler, summary="Look", by=plant.planner)
    address = f"{ORDERS}{order.pk}/"
    said = client.post(f"{address}comments/", {"body": "Needs a crane"})
    assert (said.status_code, said.json()["author"]["code"]) == (201, "technician")
    assert client.get(f"{address}comments/").json() == [said.json()]
    upload = SimpleUploadedFile("photo.txt", b"what was seen", content_type="text/plain")
    kept = client.post(f"{address}attachments/", {"file": upload}, format="multipart")
    assert (kept.status_code, kept.json()["name"], kept.json()["size"]) == (201, "photo.txt", 13)
    file = client.get(f"{address}attachments/{kept.json()['id']}/")
    assert (b"".join(file.streaming_content), file["Content-Type"]) == (b"what was seen", "text/plain")
    assert file["Content-Disposition"] == 'attachment; filename="photo.txt"'
    bad = SimpleUploadedFile("page.html", b"<script>", content_type="text/html")
    assert_problem(client.post(f"{address}attachments/", {"file": bad}, format="multipart"), 422, "file_type", "file")
    for part in ("comments/", "attachments/", f"attachments/{kept.json()['id']}/"):
        assert_problem(stranger.get(address + part), 404)


def test_a_request_becomes_an_order_or_is_answered(plant):
    requester, planner = client_of(plant.requester), client_of(plant.planner)
    one = requester.post(REQUESTS, {"asset": "M1", "summary": "It leaks"}).json()
    assert_problem(requester.post(f"{REQUESTS}{one['id']}/acceptance/"), 403, "not_allowed")
    accepted = planner.post(f"{REQUESTS}{one['id']}/acceptance/", {"kind": "corrective"}).json()
    assert (accepted["state"], accepted["work_order"]["name"]) == ("accepted", "It leaks")
    assert_problem(planner.post(f"{REQUESTS}{one['id']}/refusal/", {"answer": "no"}), 409, "answered_already")
    other = requester.post(REQUESTS, {"asset": "M1", "summary": "It hums"}).json()
    declined = planner.post(f"{REQUESTS}{other['id']}/refusal/", {"answer": "It may hum."}).json()
    assert (declined["state"], declined["answer"]) == ("declined", "It may hum.")
    assert Request.objects.filter(state="new").count() == 0


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        ({"asset": "X1"}, "asset", "does_not_exist"),
        ({"estimate": 100}, "estimate", "whole_minutes"),
        ({"due_to": "2026-03-01T06:00:00"}, "due_to", "offset_required"),
        ({"steps": [{"kind": "dance", "text": "x"}]}, "steps.0.kind", "invalid_choice"),
        ({"steps": [{"kind": "check"}]}, "steps.0.text", "required"),
        ({"state": "closed"}, "state", "read_only"),  # it follows from the verbs
    ],
)
def test_bad_input_is_named_at_its_field(plant, sent, field, code):
    answer = client_of(plant.planner).post(ORDERS, {"asset": "M1", "summary": "Look", **sent})
    body = assert_problem(answer, 400, "invalid", field)
    assert [error["code"] for error in body["errors"]] == [code]
    assert not WorkOrder.objects.exists()
