"""Steps take the answers of their kind and no others."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core.attachments import attach
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from tests.workorders.orders import order, step
from workorders.answers import answer, answer_checks, applicable, said
from workorders.states import State

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
def row(plant):
    return order(plant, State.IN_PROGRESS)


@pytest.mark.parametrize(
    ("kind", "given", "outcome", "number", "text"),
    [
        ("check", {"outcome": "ok"}, "ok", None, ""),
        ("check", {"outcome": "fail", "text": "Guard missing"}, "fail", None, "Guard missing"),
        ("pass", {"outcome": "flag", "text": "Worn"}, "flag", None, "Worn"),
        ("number", {"number": "4.5"}, "ok", "4.5", ""),
        ("number", {"number": "2"}, "ok", "2", ""),
        ("number", {"number": "8"}, "ok", "8", ""),
        ("number", {"number": "1,9"}, "fail", "1.9", ""),
        ("number", {"number": "8.0001"}, "fail", "8.0001", ""),
        ("number", {"number": "9", "outcome": "flag"}, "flag", "9", ""),
        ("number", {"number": "9", "outcome": "ok"}, "fail", "9", ""),
        ("choice", {"text": "red"}, "ok", None, "red"),
        ("text", {"text": " Replaced the seal "}, "ok", None, "Replaced the seal"),
        ("text", {"text": "Seal broken", "outcome": "fail"}, "fail", None, "Seal broken"),
        ("text", {"text": ""}, "", None, ""),
    ],
)
def test_each_kind_of_step_takes_its_answer(plant, row, kind, given, outcome, number, text):
    asked = step(row, kind, low=2, high=8, unit="bar", choices=["red", "green"])
    answered = answer(asked, by=plant.technician, **given)
    answered.refresh_from_db()
    assert (answered.outcome, answered.answer) == (outcome, text)
    assert answered.number == (Decimal(number) if number else None)
    assert (answered.answered_by, bool(answered.answered_at)) == (plant.technician if outcome else None, bool(outcome))


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("check", {"outcome": "flag"}, "unknown_outcome"),
        ("check", {"outcome": "skipped"}, "step_required"),
        ("pass", {"outcome": "perhaps"}, "unknown_outcome"),
        ("number", {"number": "many"}, "not_a_number"),
        ("number", {"number": "NaN"}, "not_a_number"),
        ("number", {"number": "1e30"}, "not_a_number"),
        ("number", {"outcome": "ok"}, "unknown_outcome"),
        ("choice", {"text": "blue"}, "unknown_choice"),
        ("text", {"text": "x" * 1001}, "too_long"),
        ("text", {"outcome": "ok"}, "unknown_outcome"),
        ("photo", {"outcome": "ok"}, "unknown_outcome"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_refused(plant, row, kind, given, code):
    asked = step(row, kind, choices=["red"])
    with pytest.raises(Refused) as caught:
        answer(asked, by=plant.technician, **given)
    assert caught.value.code == code
    asked.refresh_from_db()
    assert (asked.outcome, asked.number, asked.answer, asked.answered_by) == ("", None, "", None)


def test_a_photo_step_takes_a_picture_and_nothing_else(plant, row, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    picture = attach(row, SimpleUploadedFile("a.png", PNG), by=plant.technician, site=plant.berlin)
    text = attach(row, SimpleUploadedFile("a.txt", b"hello"), by=plant.technician, site=plant.berlin)
    asked = step(row, "photo")
    with pytest.raises(Refused, match="picture"):
        answer(asked, by=plant.technician, photo=text)
    assert answer(asked, by=plant.technician, photo=picture).outcome == "ok"


def test_an_optional_step_may_be_left_out(plant, row):
    asked = step(row, "number", required=False)
    assert answer(asked, by=plant.technician, outcome="skipped").outcome == "skipped"


def test_steps_are_answered_only_while_the_order_is_worked_on(plant):
    for state in (State.APPROVED, State.COMPLETED, State.CLOSED, State.CANCELLED):
        asked = step(order(plant, state))
        with pytest.raises(Conflict):
            answer(asked, by=plant.technician, outcome="ok")
        asked.refresh_from_db()
        assert asked.outcome == ""


@pytest.mark.parametrize("name", ["requester", "manager", "stranger"])
def test_only_those_who_do_the_work_answer(plant, row, name):
    asked = step(row)
    with pytest.raises(NotAllowed):
        answer(asked, by=getattr(plant, name), outcome="ok")
    asked.refresh_from_db()
    assert asked.outcome == ""


def test_an_answer_that_somebody_else_gave_meanwhile_is_not_overwritten(plant, row):
    asked = step(row, "pass")
    answer(asked, by=plant.planner, outcome="fail", seen=None)
    with pytest.raises(Conflict, match="Planner has answered"):
        answer(asked, by=plant.technician, outcome="ok", seen=None)
    asked.refresh_from_db()
    assert asked.outcome == "fail"
    answer(asked, by=plant.technician, outcome="ok", seen=asked.answered_at)
    asked.refresh_from_db()
    assert asked.outcome == "ok"


def test_the_history_keeps_doubts_and_changed_answers_but_not_each_tick(plant, row):
    check, reading = step(row), step(row, "number", text="Pressure", high=8, unit="bar")
    answer(check, by=plant.technician, outcome="ok")
    answer(reading, by=plant.technician, number="9")
    answer(reading, by=plant.technician, number="7")
    assert [event.summary for event in history(row)] == [
        "#1: step 3 Pressure: 7 bar (was 9 bar, Fail)",
        "#1: step 3 Pressure: 9 bar, Fail",
    ]


def test_all_checks_at_once_leaves_readings_and_texts_open(plant, row):
    for kind in ("check", "pass", "number", "text"):
        step(row, kind)
    assert answer_checks(row, by=plant.technician) == 2
    assert [said(each) for each in row.steps.all()] == ["OK", "OK", "OK", "", ""]


def test_a_conditional_step_is_asked_only_after_the_outcome_it_waits_for(plant, row):
    second = step(row, "pass")
    third = step(row, depends_on=2, depends_outcome="fail")
    step(row, depends_on=3, depends_outcome="ok")
    assert [each.position for each in applicable(row)] == [1, 2]
    answer(second, by=plant.technician, outcome="fail")
    assert [each.position for each in applicable(row)] == [1, 2, 3]
    answer(third, by=plant.technician, outcome="ok")
    assert [each.position for each in applicable(row)] == [1, 2, 3, 4]
    answer(second, by=plant.technician, outcome="ok")
    assert [each.position for each in applicable(row)] == [1, 2]


def test_an_answer_in_the_future_is_refused(plant, row):
    asked = step(row)
    with pytest.raises(Refused):
        answer(asked, by=plant.technician, outcome="ok", at=timezone.now() + timedelta(hours=1))
    asked.refresh_from_db()
    assert asked.outcome == ""
