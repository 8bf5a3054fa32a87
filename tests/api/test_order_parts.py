"""What belongs to an order over the REST API: steps, clocks, files, and that other sites see none of it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.attachments import attach
from core.models import Attachment, Comment, Event
from tests.contracts.api import assert_problem, client_of
from tests.workorders.orders import order, step
from workorders.lifecycle import MOVES
from workorders.models import WorkOrder
from workorders.states import State

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
ORDERS = "/api/v1/work-orders/"


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_every_line_of_the_life_cycle_is_an_address(plant):
    row = order(plant, State.CANCELLED)
    client = client_of(plant.administrator)
    why = {"reason": "It was sold"}
    inputs = {"hold": {"reason": "parts"}, "return": {"question": "?"}, "cancellation": why, "reopening": why}
    before = WorkOrder.objects.filter(pk=row.pk).values().get()
    for move in MOVES.values():
        assert_problem(client.post(f"{ORDERS}{row.pk}/{move.noun}/", inputs.get(move.noun, {})), 409, "wrong_state")
    assert WorkOrder.objects.filter(pk=row.pk).values().get() == before


def test_a_role_without_the_verb_is_refused_and_nothing_changes(plant):
    row = order(plant, State.DRAFT)
    for name in ("requester", "technician", "manager"):
        assert_problem(client_of(getattr(plant, name)).post(f"{ORDERS}{row.pk}/approval/"), 403, "not_allowed")
    row.refresh_from_db()
    events = Event.objects.filter(object_type="workorders.workorder")
    assert (row.state, events.count()) == ("draft", 0)


def test_a_completion_with_the_state_of_yesterday_is_refused(plant):
    row = order(plant, State.IN_PROGRESS)
    client = client_of(plant.technician)
    etag = client.get(f"{ORDERS}{row.pk}/")["ETag"]
    WorkOrder.objects.filter(pk=row.pk).update(completion_note="Somebody wrote this")
    answer = client.post(f"{ORDERS}{row.pk}/completion/", {"was_failure": False}, headers={"If-Match": etag})
    assert_problem(answer, 412, "changed_meanwhile")
    row.refresh_from_db()
    assert row.state == "in_progress"


def test_steps_are_added_and_removed_until_work_begins_and_answered_then(plant):
    row = order(plant, State.APPROVED)
    planner, technician = client_of(plant.planner), client_of(plant.technician)
    address = f"{ORDERS}{row.pk}/"
    pressure = planner.post(f"{address}steps/", {"text": "Pressure", "kind": "number", "high": 8}).json()["steps"][1]
    extra = planner.post(f"{address}steps/", {"text": "Too much"}).json()["steps"][2]
    assert len(planner.delete(f"{address}steps/{extra['id']}/").json()["steps"]) == 2
    technician.post(f"{address}start/")
    assert_problem(planner.delete(f"{address}steps/{pressure['id']}/"), 409, "wrong_state")
    answer = f"{address}steps/{pressure['id']}/answer/"
    assert_problem(technician.post(answer, {"outcome": "ok"}), 422, "unknown_outcome", "outcome")
    answered = technician.post(answer, {"number": 9.25, "seen": None}).json()["steps"][1]
    assert (answered["number"], answered["outcome"], answered["answered_by"]["code"]) == (9.25, "fail", "technician")
    assert_problem(technician.post(answer, {"number": 7, "seen": None}), 409, "answered_meanwhile")
    again = technician.post(answer, {"number": 7, "seen": answered["answered_at"]}).json()["steps"][1]
    assert (again["number"], again["outcome"]) == (7, "ok")
    assert_problem(technician.post(f"{address}steps/999999/answer/", {"outcome": "ok"}), 404)


def test_a_photo_step_takes_a_file_of_its_own_order(plant):
    row, other = order(plant, State.IN_PROGRESS), order(plant, State.IN_PROGRESS)
    asked = step(row, "photo")
    mine, foreign = (
        attach(each, SimpleUploadedFile("guard.png", PNG), by=plant.technician, site=plant.berlin)
        for each in (row, other)
    )
    client = client_of(plant.technician)
    answer = f"{ORDERS}{row.pk}/steps/{asked.pk}/answer/"
    assert_problem(client.post(answer, {"photo": foreign.pk}), 422, "unknown_file", "photo")
    found = client.post(answer, {"photo": mine.pk}).json()["steps"][1]
    assert (found["outcome"], found["photo"]) == ("ok", {"id": mine.pk, "name": "guard.png"})


def test_a_clock_is_started_and_stopped(plant):
    row = order(plant, State.IN_PROGRESS)
    client = client_of(plant.technician)
    clock = f"{ORDERS}{row.pk}/clock/"
    assert client.post(clock).json()["labour"][-1]["end"] is None
    assert_problem(client.post(clock), 409, "clock_runs")
    assert client.delete(clock).json()["labour"][-1]["end"] is not None
    assert_problem(client.delete(clock), 409, "no_clock")
    assert_problem(client_of(plant.requester).post(clock), 403, "not_allowed")


def test_a_file_is_served_sealed_and_taken_away_by_those_who_may(plant):
    row = order(plant)
    technician = client_of(plant.technician)
    attachments = f"{ORDERS}{row.pk}/attachments/"
    sent = technician.post(attachments, {"file": SimpleUploadedFile("guard.png", PNG)}, format="multipart")
    file = f"{attachments}{sent.json()['id']}/"
    served = client_of(plant.requester).get(file)
    assert (served.getvalue(), served["X-Content-Type-Options"]) == (PNG, "nosniff")
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    bad = SimpleUploadedFile("page.png", b"<script>")
    assert_problem(technician.post(attachments, {"file": bad}, format="multipart"), 422, "file_type", "file")
    assert_problem(client_of(plant.requester).delete(file), 403, "not_allowed")
    assert technician.delete(file).status_code == 204
    assert_problem(technician.get(file), 404)
    assert Attachment.objects.count() == 1


def test_parts_of_an_order_of_another_site_do_not_exist(plant):
    row = order(plant, State.IN_PROGRESS)
    asked = step(row)
    kept = attach(row, SimpleUploadedFile("a.png", PNG), by=plant.technician, site=plant.berlin)
    stranger = client_of(plant.stranger)
    labour, assignment = row.labour.get().pk, row.assignments.get().pk
    parts = {
        "get": ["comments", "attachments", f"attachments/{kept.pk}"],
        "post": ["comments", "steps", f"steps/{asked.pk}/answer", f"steps/{asked.pk}/follow-up", "labour", "clock",
                 "assignments", *(move.noun for move in MOVES.values())],
        "patch": [f"labour/{labour}", f"assignments/{assignment}"],
        "delete": [f"steps/{asked.pk}", f"labour/{labour}", f"assignments/{assignment}", f"attachments/{kept.pk}",
                   "clock"],
    }  # fmt: skip
    for method, names in parts.items():
        for name in names:
            assert_problem(getattr(stranger, method)(f"{ORDERS}{row.pk}/{name}/", {}), 404)
    assert (row.steps.count(), row.labour.count(), row.assignments.count()) == (2, 1, 1)
    assert (Attachment.objects.filter(removed_at=None).count(), Comment.objects.count()) == (1, 0)
    row.refresh_from_db()
    assert (row.state, row.version) == ("in_progress", 1)


def test_a_file_of_another_order_is_not_found_on_this_one(plant):
    one, other = order(plant), order(plant)
    file = attach(other, SimpleUploadedFile("a.png", PNG), by=plant.technician, site=plant.berlin)
    assert_problem(client_of(plant.technician).get(f"{ORDERS}{one.pk}/attachments/{file.pk}/"), 404)
