"""The pages of work orders: who sees them, what they do, and that they cost the same for few and many rows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assets.models import Downtime
from core.attachments import attach
from core.models import Attachment, Comment
from tests.workorders.orders import order, step
from workorders.lifecycle import MOVES
from workorders.models import Request, WorkOrder
from workorders.raising import raise_order
from workorders.reporting import report
from workorders.states import Kind, State

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
HTMX = {"HX-Request": "true", "HX-Target": "steps"}


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def log_in(client):
    def as_(user):
        client.force_login(user)
        return client

    return as_


def address(name: str, *args) -> str:
    return reverse(name, args=args)


# --- Who sees what ------------------------------------------------------------------------------------


def test_every_page_opens_for_its_people_and_is_refused_to_the_others(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    request = report(plant.filler, "It drips", by=plant.requester)
    everybody = {"requester", "technician", "planner", "manager", "administrator"}
    workers = {"technician", "planner", "administrator"}
    planners = {"planner", "administrator"}
    pages = {
        address("work-orders"): everybody,
        address("work-order", row.pk): everybody,
        f"{address('work-order', row.pk)}?tab=talk": everybody,
        f"{address('work-order', row.pk)}?tab=history": everybody,
        address("my-work"): workers,
        address("work-order-new"): workers,
        address("work-order-move", row.pk, "hold"): workers,
        address("work-order-move", row.pk, "completion"): workers,
        address("labour-new", row.pk): workers,
        address("labour", row.pk, row.labour.get().pk): workers,
        address("planning"): planners,
        address("work-order-edit", row.pk): planners,
        address("work-order-move", row.pk, "cancellation"): planners,
        address("assignment-new", row.pk): planners,
        address("requests"): everybody,
        address("request-new"): everybody,
        address("request", request.pk): everybody,
        address("request-accept", request.pk): planners,
        address("request-decline", request.pk): planners,
        f"{address('open-work')}?asset={plant.filler.pk}": everybody,
        f"{address('asset', plant.filler.pk)}?tab=work": everybody,
    }
    for name in sorted(everybody):
        client = log_in(getattr(plant, name))
        found = {page: client.get(page).status_code for page in pages}
        assert found == {page: 200 if name in may else 403 for page, may in pages.items()}, name


def test_for_people_of_another_site_the_rows_do_not_exist(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    request = report(plant.filler, "It drips", by=plant.requester)
    file = attach(row, SimpleUploadedFile("a.png", PNG), by=plant.technician, site=plant.berlin)
    before = WorkOrder.objects.filter(pk=row.pk).values().get()
    client = log_in(plant.stranger)
    step_pk, labour_pk, assignment_pk = row.steps.get().pk, row.labour.get().pk, row.assignments.get().pk
    reading = [
        address("work-order", row.pk), address("work-order-edit", row.pk), address("labour-new", row.pk),
        address("labour", row.pk, labour_pk), address("assignment-new", row.pk),
        address("assignment", row.pk, assignment_pk), address("attachment", file.pk), address("request", request.pk),
        address("request-accept", request.pk), f"{address('open-work')}?asset={plant.filler.pk}",
    ]  # fmt: skip
    writing = [
        *(address("work-order-move", row.pk, move.noun) for move in MOVES.values()),
        address("work-order-comment", row.pk), address("work-order-file", row.pk),
        address("step-answer", row.pk, step_pk), address("step-checks", row.pk),
        address("step-follow-up", row.pk, step_pk), address("step-remove", row.pk, step_pk),
        address("clock-start", row.pk), address("clock-stop", row.pk),
        address("labour-remove", row.pk, labour_pk), address("assignment-remove", row.pk, assignment_pk),
        address("attachment-remove", file.pk), address("request-decline", request.pk),
        address("request-join", request.pk), address("request-comment", request.pk),
    ]  # fmt: skip
    assert {page: client.get(page).status_code for page in reading} == dict.fromkeys(reading, 404)
    assert {page: client.post(page, {"reason": "x"}).status_code for page in writing} == dict.fromkeys(writing, 404)
    assert WorkOrder.objects.filter(pk=row.pk).values().get() == before
    assert Comment.objects.count() == 0
    found = client.get(address("work-orders"), {"view": "all"}).content.decode()
    assert "Replace the bearing" not in found
    assert "Replace the bearing" not in client.get("/search/", {"q": "bearing"}).content.decode()
    assert "bearing" not in client.get(address("work-orders"), {"view": "all", "format": "csv"}).getvalue().decode()


def test_without_a_log_in_there_is_only_the_log_in_page(plant, client):
    row = order(plant)
    for page in (address("work-orders"), address("work-order", row.pk), address("my-work"), address("planning")):
        assert client.get(page)["Location"].startswith("/login/")


# --- Moves ----------------------------------------------------------------------------------------------


def test_a_routine_job_takes_three_presses(plant, log_in):
    row = order(plant, State.SCHEDULED, kind=Kind.PREVENTIVE)
    step(row)
    step(row, "pass")
    client = log_in(plant.technician)
    client.post(address("work-order-move", row.pk, "start"))
    client.post(address("step-checks", row.pk))
    client.post(address("work-order-move", row.pk, "completion"))
    row.refresh_from_db()
    assert (row.state, row.labour.count(), row.steps.filter(outcome="").count()) == ("completed", 1, 0)


def test_the_buttons_of_an_order_are_the_moves_of_the_life_cycle(plant, log_in):
    row = order(plant, State.COMPLETED)
    page = log_in(plant.planner).get(address("work-order", row.pk)).content.decode()
    for noun, there in (("verification", True), ("return", True), ("start", False), ("cancellation", False)):
        assert (f"/work-orders/{row.pk}/{noun}/" in page) is there, noun


def test_pressing_start_twice_says_who_was_faster(plant, log_in):
    row = order(plant, State.SCHEDULED)
    client = log_in(plant.technician)
    client.post(address("work-order-move", row.pk, "start"))
    page = client.post(address("work-order-move", row.pk, "start"), follow=True).content.decode()
    assert "is in progress (Technician" in page
    row.refresh_from_db()
    assert (row.version, row.labour.count()) == (2, 1)


def test_a_refused_completion_says_what_is_missing_and_keeps_what_was_typed(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    step(row, text="Torque the bolts")
    answer = log_in(plant.technician).post(
        address("work-order-move", row.pk, "completion"), {"was_failure": "no", "note": "Greased it"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Torque the bolts" in page
    assert "Greased it" in page
    row.refresh_from_db()
    assert (row.state, row.completion_note) == ("in_progress", "")


def test_a_corrective_order_is_not_completed_without_the_answer_about_the_failure(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    client = log_in(plant.technician)
    assert client.post(address("work-order-move", row.pk, "completion"), {}).status_code == 422
    row.refresh_from_db()
    assert row.state == "in_progress"
    client.post(address("work-order-move", row.pk, "completion"), {"was_failure": "no"})
    row.refresh_from_db()
    assert (row.state, row.was_failure) == ("completed", False)


def test_a_reason_chip_holds_the_order_with_one_press(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    client = log_in(plant.technician)
    assert client.post(address("work-order-move", row.pk, "hold"), {"reason": "other"}).status_code == 422
    client.post(address("work-order-move", row.pk, "hold"), {"reason": "access"})
    row.refresh_from_db()
    assert (row.state, row.hold_reason) == ("on_hold", "access")


def test_the_completion_asks_whether_a_machine_that_is_down_runs_again(plant, log_in):
    stop = Downtime.objects.create(asset=plant.filler, start=timezone.now() - timedelta(hours=3))
    row = order(plant, State.IN_PROGRESS, downtime=stop)
    client = log_in(plant.technician)
    assert "Does M1 run again?" in client.get(address("work-order", row.pk)).content.decode()
    client.post(address("work-order-move", row.pk, "completion"), {"was_failure": "yes", "machine_runs": "yes"})
    stop.refresh_from_db()
    row.refresh_from_db()
    assert (row.state, stop.end, row.failure.downtime) == ("completed", row.completed_at, stop)


def test_an_unknown_move_is_a_404(plant, log_in):
    assert log_in(plant.planner).post(address("work-order-move", order(plant).pk, "explosion")).status_code == 404


# --- Steps ----------------------------------------------------------------------------------------------


def test_a_step_is_answered_in_place_and_shows_what_follows(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    asked = step(row, "number", text="Pressure", unit="bar", low=2, high=8)
    url = address("step-answer", row.pk, asked.pk)
    answer = log_in(plant.technician).post(url, {"number": "9,5", "seen": ""}, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "9.5 bar, Fail" in page
    assert "Put right: Pressure (9.5 bar)" in page
    asked.refresh_from_db()
    assert (asked.number, asked.outcome) == (Decimal("9.5"), "fail")


def test_a_wrong_answer_is_refused_in_place_with_what_was_typed(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    asked = step(row, "number")
    url = address("step-answer", row.pk, asked.pk)
    answer = log_in(plant.technician).post(url, {"number": "many", "seen": ""}, headers=HTMX)
    page = answer.content.decode()
    assert (answer.status_code, "Enter a number." in page, 'value="many"' in page) == (422, True, True)
    asked.refresh_from_db()
    assert asked.outcome == ""


def test_without_javascript_an_answer_leads_back_to_the_steps(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    asked = step(row)
    answer = log_in(plant.technician).post(address("step-answer", row.pk, asked.pk), {"outcome": "ok", "seen": ""})
    assert answer["Location"] == f"/work-orders/{row.pk}/#steps"
    asked.refresh_from_db()
    assert asked.outcome == "ok"


def test_a_photo_answers_its_step_and_a_refused_one_is_not_kept(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    asked = step(row, "photo")
    client = log_in(plant.technician)
    url = address("step-answer", row.pk, asked.pk)
    client.post(url, {"photo": SimpleUploadedFile("notes.txt", b"words"), "seen": ""}, headers=HTMX)
    assert Attachment.objects.count() == 0
    client.post(url, {"photo": SimpleUploadedFile("guard.png", PNG), "seen": ""}, headers=HTMX)
    asked.refresh_from_db()
    assert (asked.outcome, asked.photo.name) == ("ok", "guard.png")


def test_a_failed_step_raises_its_follow_up_from_the_page(plant, log_in):
    row = order(plant, State.IN_PROGRESS)
    failed = step(row, "pass", outcome="fail")
    url = address("step-follow-up", row.pk, failed.pk)
    log_in(plant.technician).post(url, {"decision": "order", "summary": "New belt"}, headers=HTMX)
    failed.refresh_from_db()
    assert (failed.follow_up.summary, failed.follow_up.follow_up_of) == ("New belt", row)


def test_the_last_reading_of_the_same_step_stands_beside_the_new_one(plant, log_in):
    earlier = order(plant, State.CLOSED)
    step(earlier, "number", text="Pressure", unit="bar", number="4.3", outcome="ok", answered_at=timezone.now())
    row = order(plant, State.IN_PROGRESS)
    step(row, "number", text="Pressure", unit="bar")
    assert "last time 4.3 bar" in log_in(plant.technician).get(address("work-order", row.pk)).content.decode()


# --- Files and comments -----------------------------------------------------------------------------------


def test_a_file_is_served_sealed_and_under_its_name(plant, log_in):
    row = order(plant)
    client = log_in(plant.technician)
    client.post(address("work-order-file", row.pk), {"file": SimpleUploadedFile("a.txt", b"3 bar")})
    answer = client.get(address("attachment", Attachment.objects.get().pk))
    assert answer.getvalue() == b"3 bar"
    assert answer["Content-Disposition"] == 'attachment; filename="a.txt"'
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_picture_shows_itself_and_is_sealed_as_well(plant, log_in):
    file = attach(order(plant), SimpleUploadedFile("a.png", PNG), by=plant.technician, site=plant.berlin)
    answer = log_in(plant.requester).get(address("attachment", file.pk))
    assert answer["Content-Disposition"] == 'inline; filename="a.png"'
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_file_that_is_refused_leaves_nothing_and_says_why(plant, log_in):
    row = order(plant)
    page = log_in(plant.technician).post(
        address("work-order-file", row.pk), {"file": SimpleUploadedFile("a.html", b"<script>")}, follow=True
    )
    assert "not a file of an accepted type" in page.content.decode()
    assert Attachment.objects.count() == 0


def test_a_file_is_removed_by_its_author_or_a_planner_only(plant, log_in):
    file = attach(order(plant), SimpleUploadedFile("a.png", PNG), by=plant.technician, site=plant.berlin)
    url = address("attachment-remove", file.pk)
    assert log_in(plant.requester).post(url).status_code == 403
    assert log_in(plant.planner).post(url).status_code == 302
    assert log_in(plant.planner).get(address("attachment", file.pk)).status_code == 404


def test_a_comment_is_added_from_the_page(plant, log_in):
    row = order(plant)
    log_in(plant.requester).post(address("work-order-comment", row.pk), {"body": "Is it safe to run?"})
    assert Comment.objects.get().body == "Is it safe to run?"


# --- Raising, editing, requests ------------------------------------------------------------------------------


def test_an_order_is_raised_and_edited_by_form(plant, log_in):
    client = log_in(plant.planner)
    sent = {
        "asset": plant.filler.pk, "summary": "Leak at valve 7", "kind": "corrective", "consequence": 3, "likelihood": 3,
        "due_to": "2026-12-01T14:00",
    }  # fmt: skip
    client.post(address("work-order-new"), sent)
    made = WorkOrder.objects.get()
    assert (made.summary, made.priority, made.state) == ("Leak at valve 7", 1, "approved")
    assert made.due_to == datetime(2026, 12, 1, 13, tzinfo=UTC)
    edit = address("work-order-edit", made.pk)
    assert client.post(edit, {**sent, "summary": "Late", "version": 7}).status_code == 409
    assert client.post(edit, {**sent, "summary": "Flood", "version": 1}).status_code == 302
    made.refresh_from_db()
    assert (made.summary, made.version) == ("Flood", 2)


def test_an_override_without_its_reason_is_shown_at_the_field(plant, log_in):
    sent = {
        "asset": plant.filler.pk, "summary": "Leak", "kind": "corrective", "consequence": 2, "likelihood": 2,
        "priority": 1,
    }  # fmt: skip
    answer = log_in(plant.planner).post(address("work-order-new"), sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["priority_reason"])
    assert WorkOrder.objects.count() == 0


def test_a_requester_reports_follows_and_verifies(plant, log_in):
    client = log_in(plant.requester)
    sent = {"asset": plant.filler.pk, "summary": "It drips", "photo": SimpleUploadedFile("drip.png", PNG)}
    client.post(address("request-new"), sent)
    request = Request.objects.get()
    assert (request.summary, request.reported_by, Attachment.objects.count()) == ("It drips", plant.requester, 1)
    log_in(plant.planner).post(
        address("request-accept", request.pk),
        {"summary": "Seal the valve", "kind": "corrective", "consequence": 2, "likelihood": 2},
    )
    made = WorkOrder.objects.get()
    made.start(by=plant.technician, at=timezone.now())
    made.complete(by=plant.technician, was_failure=False)
    client = log_in(plant.requester)
    assert "Seal the valve" in client.get(address("request", request.pk)).content.decode()
    client.post(address("work-order-move", made.pk, "verification"))
    made.refresh_from_db()
    assert made.state == "closed"


def test_open_work_on_the_machine_is_shown_to_the_reporter(plant, log_in):
    order(plant, State.APPROVED)
    page = log_in(plant.requester).get(address("open-work"), {"asset": plant.filler.pk}).content.decode()
    assert "Known already on M1" in page
    assert "Replace the bearing" in page


def test_a_request_is_declined_with_an_answer(plant, log_in):
    request = report(plant.filler, "It drips", by=plant.requester)
    client = log_in(plant.planner)
    assert client.post(address("request-decline", request.pk), {"answer": ""}).status_code == 422
    client.post(address("request-decline", request.pk), {"answer": "That is condensation."})
    assert "That is condensation." in log_in(plant.requester).get(address("requests")).content.decode()


# --- Lists, search, bulk --------------------------------------------------------------------------------------


def test_the_list_narrows_by_each_filter(plant, log_in):
    now = timezone.now()
    late = order(plant, State.PLANNED, due_to=now - timedelta(days=1), summary="Late one")
    late.assignments.update(start=now - timedelta(hours=2))
    free = order(plant, State.APPROVED, asset=plant.labeller, summary="Free one", kind="inspection")
    free.assignments.all().delete()
    closed = order(plant, State.CLOSED, summary="Closed one")
    client = log_in(plant.planner)
    numbers = {late.pk: "late", free.pk: "free", closed.pk: "closed"}
    for question, expected in (
        ({}, {"late", "free"}),
        ({"view": "all"}, {"late", "free", "closed"}),
        ({"view": "overdue"}, {"late"}),
        ({"view": "unassigned"}, {"free"}),
        ({"state": "closed"}, {"closed"}),
        ({"kind": "inspection"}, {"free"}),
        ({"asset": plant.labeller.pk}, {"free"}),
        ({"ancestor": plant.line.pk}, {"late", "free"}),
        ({"assignee": plant.technician.pk}, {"late"}),
        ({"overdue": "true"}, {"late"}),
        ({"unassigned": "true"}, {"free"}),
        ({"late": "true"}, {"late"}),
        ({"late": "false"}, {"free"}),
        ({"search": "free"}, {"free"}),
        ({"search": f"#{late.number}"}, {"late"}),
        ({"search": "fre one"}, {"free"}),
    ):
        table = client.get(address("work-orders"), question).context["table"]
        assert {numbers[row.pk] for row in table.rows} == expected, question


def test_the_export_is_what_is_shown(plant, log_in):
    order(plant, State.APPROVED, summary="Shown")
    order(plant, State.CLOSED, summary="Hidden")
    text = log_in(plant.planner).get(address("work-orders"), {"format": "csv"}).getvalue().decode("utf-8-sig")
    assert ("Shown" in text, "Hidden" in text) == (True, False)


def test_orders_are_assigned_and_scheduled_in_bulk_by_planners_only(plant, log_in):
    rows = [order(plant, State.PLANNED) for _ in range(2)]
    WorkOrder.objects.get(pk=rows[0].pk).assignments.all().delete()
    sent = {
        "bulk": "schedule", "selected": [row.pk for row in rows], "confirmed": "1", "person": plant.planner.pk,
        "start": "2026-12-01T08:00",
    }  # fmt: skip
    assert log_in(plant.technician).post(address("work-orders"), sent).status_code == 403
    log_in(plant.planner).post(address("work-orders"), sent)
    starts = [row.assignments.get(person=plant.planner).start for row in rows]
    assert starts == [datetime(2026, 12, 1, 7, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC)]
    assert {row.state for row in WorkOrder.objects.all()} == {"scheduled"}


def test_an_order_is_found_by_number_and_by_a_misspelt_word(plant, log_in):
    row = order(plant, summary="Gearbox oil turns grey", number=4711)
    other = order(plant, summary="Light curtain reacts late")
    client = log_in(plant.technician)
    for text in (str(row.number), f"#{row.number}", "gearbx"):
        assert client.get("/search/", {"q": text})["Location"] == row.get_absolute_url(), text
    assert client.get("/search/", {"q": "curtain"})["Location"] == other.get_absolute_url()


def test_pages_take_a_constant_number_of_queries(plant, log_in):
    def fill():
        row = order(plant, State.IN_PROGRESS)
        row.labour.create(person=plant.technician, start=timezone.now() - timedelta(minutes=5))
        order(plant, State.SCHEDULED)
        raise_order(asset=plant.filler, summary="Free", by=plant.planner)
        report(plant.filler, "It drips", by=plant.requester)
        return row

    row = fill()
    step(row, "number", text="Pressure")
    client = log_in(plant.planner)
    pages = [
        address("work-orders"), address("my-work"), address("planning"), address("requests"),
        f"{address('asset', plant.filler.pk)}?tab=work", address("work-order", row.pk),
    ]  # fmt: skip
    few = {page: count(client, page) for page in pages}
    for _ in range(5):
        fill()
        step(row, "number", text="Pressure")
        row.assignments.create(person=plant.planner, start=timezone.now() + timedelta(hours=row.assignments.count()))
    many = {page: count(client, page) for page in pages}
    # A related row that was missing at first may cost its one query; more rows of a kind must not.
    assert {page: queries for page, queries in many.items() if queries > few[page] + 1} == {}
    assert max(few.values()) <= 40


def count(client, page: str) -> int:
    client.get(page)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200
    return len(queries)


def test_each_role_lands_on_its_own_page(plant, log_in):
    for name, page in (
        ("technician", "my-work"),
        ("planner", "planning"),
        ("requester", "request-new"),
        ("administrator", "planning"),
    ):
        assert log_in(getattr(plant, name)).get("/")["Location"] == reverse(page), name
