"""The same POST sent twice is done once, also when both come at the same moment."""

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from assets.models import Asset
from core.api import idempotency
from core.models import Event, IdempotencyRecord, JobRun
from core.tasks import forget_idempotency_records
from tests.contracts.api import assert_problem, client_of
from tests.together import together

ASSETS = "/api/v1/assets/"
NEW = {"site": "berlin", "code": "M9", "name": "Nine"}
KEY = {"Idempotency-Key": "2f1c"}


def test_a_refused_request_keeps_nothing_and_the_corrected_one_may_use_the_key(plant):
    client = client_of(plant.planner)
    assert_problem(client.post(ASSETS, {**NEW, "code": "M1"}, headers=KEY), 422, "code_taken")
    assert not IdempotencyRecord.objects.exists()
    assert client.post(ASSETS, NEW, headers=KEY).status_code == 201


def test_keys_belong_to_their_user_and_their_address(plant):
    assert client_of(plant.planner).post(ASSETS, NEW, headers=KEY).status_code == 201
    answer = client_of(plant.administrator).post(ASSETS, {**NEW, "code": "M10"}, headers=KEY)
    assert answer.status_code == 201
    moved = client_of(plant.planner).post(f"{ASSETS}{plant.labeller.pk}/archive/", {}, headers=KEY)
    assert moved.status_code == 200
    assert IdempotencyRecord.objects.count() == 3


@pytest.mark.parametrize("key", ["", "x" * 201, "ünï"])
def test_a_key_that_is_none_is_refused(plant, key):
    before = Asset.objects.count()
    answer = client_of(plant.planner).post(ASSETS, NEW, headers={"Idempotency-Key": key})
    assert_problem(answer, 400, "idempotency_key_invalid")
    assert Asset.objects.count() == before


def test_a_verb_sent_twice_is_done_once(plant):
    client = client_of(plant.planner)
    address = f"{ASSETS}{plant.labeller.pk}/archive/"
    first, second = client.post(address, headers=KEY), client.post(address, headers=KEY)
    assert (first.status_code, first.content) == (second.status_code, second.content) == (200, first.content)
    assert Event.objects.filter(verb="asset.archived").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_twin_of_a_running_request_is_asked_to_come_again(transactional_db, plant):
    client = client_of(plant.planner)
    with transaction.atomic():
        lock = idempotency.Claim.__new__(idempotency.Claim)
        lock.identity = {"user": plant.planner, "path": ASSETS, "key": KEY["Idempotency-Key"]}
        assert lock._lock()
        [answer] = together(lambda: (client.post(ASSETS, NEW, headers=KEY), connection.close())[0])
    assert_problem(answer, 409, "idempotency_in_flight")
    assert answer["Retry-After"] == "1"
    assert not Asset.objects.filter(code="M9").exists()
    assert client.post(ASSETS, NEW, headers=KEY).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_the_work_once(transactional_db, plant):
    clients = [client_of(plant.planner) for _twin in range(2)]
    answers = together(*(lambda client=client: client.post(ASSETS, NEW, headers=KEY) for client in clients))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses in ([201, 201], [201, 409])
    assert Asset.objects.filter(code="M9").count() == 1
    for answer in answers:
        if answer.status_code == 409:
            assert_problem(answer, 409, "idempotency_in_flight")


def test_kept_answers_are_forgotten_after_a_week(plant):
    client = client_of(plant.planner)
    client.post(ASSETS, NEW, headers=KEY)
    client.post(ASSETS, {**NEW, "code": "M10"}, headers={"Idempotency-Key": "other"})
    old = timezone.now() - timedelta(days=7, minutes=1)
    IdempotencyRecord.objects.filter(key="2f1c").update(created=old)
    assert forget_idempotency_records() == "1 answers forgotten"
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["other"]
    run = JobRun.objects.get()
    assert (run.name, run.rows, run.error) == ("core.forget_idempotency_records", 1, "")


def test_the_kept_answer_is_the_answer(plant):
    answer = client_of(plant.planner).post(ASSETS, NEW, headers=KEY)
    kept = IdempotencyRecord.objects.get()
    assert (kept.status, json.loads(kept.body), kept.headers["ETag"]) == (201, answer.json(), answer["ETag"])
