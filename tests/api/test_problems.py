"""Every error is a problem, in the same shape, with a code and the field."""

import json
import logging

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, OperationalError
from django.http import Http404
from rest_framework import exceptions

from assets.models import Asset
from core.api.problems import flat, problem_of
from core.errors import Conflict, NotAllowed, Refused
from tests.contracts.api import assert_problem, client_of

ASSETS = "/api/v1/assets/"


@pytest.fixture
def client(plant):
    return client_of(plant.planner)


def test_an_address_that_leads_nowhere(client):
    body = assert_problem(client.get("/api/v1/nowhere/"), 404, "not_found")
    assert body["detail"] == "There is no such address."
    body = assert_problem(client.post("/api/v1/assets", {}), 404, "not_found")
    assert body["detail"] == "There is no such address. Addresses end with a slash."
    assert_problem(client.get(f"{ASSETS}99999999999999999999/"), 404, "not_found")
    assert_problem(client.get(f"{ASSETS}abc/"), 404, "not_found")


def test_a_method_that_does_not_exist(client, plant):
    answer = client.put(f"{ASSETS}{plant.filler.pk}/", {})
    assert_problem(answer, 405, "method_not_allowed")
    assert_problem(client.options(ASSETS), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "parse_error"),
        ("NaN", "parse_error"),
        ('{"a": Infinity}', "parse_error"),
        ("[" * 100_000, "parse_error"),
    ],
)
def test_a_body_that_cannot_be_read(client, body, code):
    assert_problem(client.post(ASSETS, body, content_type="application/json"), 400, code)


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null"])
def test_a_body_that_is_no_object(client, body):
    assert_problem(client.post(ASSETS, body, content_type="application/json"), 400, "invalid")


def test_a_body_of_another_type(client):
    answer = client.post(ASSETS, "<asset/>", content_type="application/xml")
    assert_problem(answer, 415, "unsupported_media_type")


def test_an_answer_of_another_type(client):
    assert_problem(client.get(ASSETS, headers={"Accept": "application/xml"}), 406, "not_acceptable")


def test_errors_name_their_fields(client):
    sent = {"site": "nowhere", "code": "x" * 41, "criticality": "Z", "downtime_cost": "much", "colour": 1}
    body = assert_problem(client.post(ASSETS, sent), 400, "invalid")
    found = {(error["field"], error["code"]) for error in body["errors"]}
    assert found == {
        ("site", "does_not_exist"),
        ("code", "max_length"),
        ("name", "required"),
        ("criticality", "invalid_choice"),
        ("downtime_cost", "invalid"),
        ("colour", "unknown_field"),
    }
    assert not Asset.objects.filter(code="x" * 41).exists()


def test_a_name_that_is_only_answered_is_refused_instead_of_dropped(client, plant):
    sent = {"site": "berlin", "code": "M9", "name": "New", "archived_at": "2026-01-01T00:00:00Z"}
    assert_problem(client.post(ASSETS, sent), 400, "invalid", "archived_at")
    address = f"{ASSETS}{plant.filler.pk}/"
    row = client.get(address).json()
    assert_problem(client.patch(address, {"version": row["version"] + 1}), 400, "invalid", "version")
    assert client.get(address).json() == row


def test_a_row_may_be_sent_back_as_it_was_read(client, plant):
    address = f"{ASSETS}{plant.filler.pk}/"
    row = client.get(address).json()
    answer = client.patch(address, row | {"name": "Renamed"})
    assert answer.status_code == 200, answer.content
    assert answer.json() == row | {"name": "Renamed", "version": row["version"] + 1}


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_characters_that_cannot_be_kept_are_refused(client, text):
    sent = json.dumps({"site": "berlin", "code": "M9", "name": text})
    assert_problem(client.post(ASSETS, sent, content_type="application/json"), 400, "invalid", "name")


@pytest.mark.parametrize(
    ("error", "status", "code", "field"),
    [
        (Refused("no", code="because", field="start"), 422, "because", "start"),
        (Conflict("late", code="gone"), 409, "gone", None),
        (NotAllowed("not you"), 403, "not_allowed", None),
        (ModelError({"name": ["too long"]}), 400, "invalid", "name"),
        (exceptions.ValidationError({"a": [{"b": ["c"]}]}), 400, "invalid", "a.0.b"),
        (exceptions.Throttled(wait=7), 429, "throttled", None),
        (Http404(), 404, "not_found", None),
        (RequestDataTooBig(), 413, "too_large", None),
        (SuspiciousOperation(), 400, "suspicious", None),
        (IntegrityError("secret detail"), 409, "constraint", None),
        (ZeroDivisionError("secret detail"), 500, "server_error", None),
    ],
)
def test_what_went_wrong_becomes_a_problem(error, status, code, field):
    answer = problem_of(error)
    assert (answer.status_code, answer.data["status"], answer.data["code"]) == (status, status, code)
    assert answer.content_type == "application/problem+json"
    assert "secret" not in str(answer.data)
    if field:
        assert [each["field"] for each in answer.data["errors"]] == [field]


def test_paths_into_nested_input_are_written_with_dots():
    detail = exceptions.ValidationError(
        {"weekly": [{}, {"start": ["Bad."]}], "non_field_errors": ["All wrong."], "site": {"code": ["Gone."]}}
    ).detail
    assert [(error["field"], error["message"]) for error in flat(detail)] == [
        ("weekly.1.start", "Bad."),
        (None, "All wrong."),
        ("site.code", "Gone."),
    ]


def test_an_error_that_nobody_foresaw_shows_no_trace_but_is_logged(client, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("core.api.shapes.Shape.texts", broken)
    client.raise_request_exception = False
    body = assert_problem(client.get(ASSETS), 500, "server_error")
    assert "secret" not in str(body)
    assert "ZeroDivisionError: secret detail" in caplog.text


def test_a_lost_database_is_503_with_a_time_to_try_again(client, monkeypatch, caplog):
    def lost(*args, **kwargs):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("core.api.shapes.Shape.texts", lost)
    logging.getLogger("core.outage").setLevel(logging.ERROR)
    answer = client.get(ASSETS)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert (answer["Retry-After"], answer.json()["code"]) == ("10", "unavailable")


def test_a_failed_write_leaves_nothing_behind(plant, client, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError

    before = Asset.objects.count()
    monkeypatch.setattr("core.api.shapes.Shape.texts", broken)
    client.raise_request_exception = False
    assert_problem(client.post(ASSETS, {"site": "berlin", "code": "M9", "name": "Nine"}), 500)
    assert Asset.objects.count() == before
