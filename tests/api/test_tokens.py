"""Bearer tokens: how they are made, what they open, and that their secrets are kept nowhere."""

import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.errors import NotAllowed, Refused
from core.models import Event
from people import authentication, tokens
from people.models import Token
from tests.contracts.api import assert_problem, client_of, client_with

SITES = "/api/v1/sites/"


def printed(*words, **options) -> str:
    out = StringIO()
    call_command("token", *words, stdout=out, **options)
    return out.getvalue()


def test_the_command_prints_a_token_that_reads_only_unless_told_otherwise(plant):
    secret = printed("planner")
    assert secret.endswith("\n")
    assert client_with(secret.strip()).get(SITES).status_code == 200
    token = Token.objects.get()
    assert (token.user, token.scope, token.expires - token.created) == (plant.planner, "read", timedelta(days=365))


def test_the_command_takes_scope_days_and_what_it_is_for(plant):
    printed("planner", "--scope", "write", "--days", "7", "--name", "MES")
    token = Token.objects.get()
    assert (token.scope, token.expires - token.created, token.name) == ("write", timedelta(days=7), "MES")


@pytest.mark.parametrize(
    ("words", "said"),
    [(["nobody"], "There is no user 'nobody'."), (["planner", "--days", "0"], "A token lasts from 1 to 3650 days.")],
)
def test_the_command_says_what_is_wrong_and_makes_nothing(plant, words, said):
    with pytest.raises(CommandError, match=said):
        printed(*words)
    assert not Token.objects.exists()


def test_only_the_hash_of_a_secret_is_kept(plant):
    token, secret = tokens.issue(plant.planner, by=plant.planner)
    assert token.digest == Token.digest_of(secret)
    assert len(secret) > 40
    row = Token.objects.filter(pk=token.pk).values().get()
    assert secret not in str(row)
    event = Event.objects.get(verb="token.issued")
    assert secret not in str([event.summary, event.data])


def test_nobody_makes_tokens_for_others(plant):
    with pytest.raises(NotAllowed):
        tokens.issue(plant.planner, by=plant.administrator)
    with pytest.raises(Refused, match="not active"):
        plant.planner.is_active = False
        tokens.issue(plant.planner, by=None)
    assert not Token.objects.exists()


@pytest.mark.parametrize("state", ["expired", "revoked", "inactive", "wrong"])
def test_a_token_that_does_not_hold_opens_nothing(plant, state):
    token, secret = tokens.issue(plant.planner, by=None)
    match state:
        case "expired":
            Token.objects.update(expires=timezone.now())
        case "revoked":
            tokens.revoke(token, by=plant.planner)
        case "inactive":
            type(plant.planner).objects.filter(pk=plant.planner.pk).update(is_active=False)
        case "wrong":
            secret += "x"
    answer = client_with(secret).get(SITES)
    assert_problem(answer, 401, "bad_token")
    assert answer["WWW-Authenticate"] == 'Bearer realm="Tandem"'


def test_the_last_use_is_kept_to_within_a_few_minutes(plant, django_assert_num_queries):
    token, secret = tokens.issue(plant.planner, by=None)
    before = timezone.now()
    client = client_with(secret)
    client.get(SITES)
    token.refresh_from_db()
    first = token.last_used
    assert before <= first <= timezone.now()
    with django_assert_num_queries(1):  # no write in between
        tokens.find(secret)
    Token.objects.update(last_used=before - timedelta(minutes=6))
    client.get(SITES)
    token.refresh_from_db()
    assert token.last_used >= first


def test_many_wrong_tokens_from_one_address_are_made_to_wait(plant):
    client = client_with("tandem_guess")
    for _attempt in range(authentication.MOST_FAILURES):
        assert_problem(client.get(SITES), 401, "bad_token")
    answer = client.get(SITES)
    assert_problem(answer, 429, "throttled")
    assert answer["Retry-After"] == "300"
    assert client_of(plant.planner).get(SITES).status_code == 200  # a right one never waits


def test_no_log_holds_a_token(plant, caplog):
    caplog.set_level(logging.DEBUG)
    _token, secret = tokens.issue(plant.planner, by=None)
    client_with(secret).get(SITES)
    client_with(secret).get(f"{SITES}999999/")
    client_with(f"{secret}wrong").get(SITES)
    client_with(secret).post("/api/v1/tokens/", {"name": "x", "scope": "write"})
    assert "tandem_" not in caplog.text.replace("tandem_session", "")


def test_a_session_calls_the_api_too_but_writes_only_with_its_csrf_token(plant):
    client = client_of()
    client.handler.enforce_csrf_checks = True
    client.force_login(plant.planner)
    assert client.get(SITES).status_code == 200
    assert_problem(client.post("/api/v1/tokens/", {}), 403, "permission_denied")
    assert not Token.objects.exists()
    client.cookies["tandem_csrf_8000"] = "a" * 32
    assert client.post("/api/v1/tokens/", {}, headers={"X-CSRFToken": "a" * 32}).status_code == 201


def test_a_token_does_no_more_than_its_user(plant):
    _token, secret = tokens.issue(plant.requester, by=None, scope="write")
    answer = client_with(secret).post("/api/v1/assets/", {"site": "berlin", "code": "Z", "name": "Z"})
    assert_problem(answer, 403, "not_allowed")
