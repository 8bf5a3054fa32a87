"""`GET /healthz` says what is up, quickly, whatever is down."""

import socket
import time

import pytest
from django.core.cache import cache
from django.db import connection

from cmms import pulse
from cmms.local.process import free_port

pytestmark = pytest.mark.usefixtures("own_cache")

ALL_UP = {"status": "ok", **dict.fromkeys(("web", "database", "broker", "worker", "beat"), "up")}


@pytest.fixture
def alive():
    """Worker and beat have just shown that they live."""
    for part in pulse.PARTS:
        cache.set(f"pulse:{part}", time.time(), 45)
    yield
    cache.delete_many([f"pulse:{part}" for part in pulse.PARTS])


@pytest.fixture
def silent_server():
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def wrong_port(monkeypatch):
    def use(port: int) -> None:
        monkeypatch.setitem(connection.settings_dict, "PORT", str(port))

    return use


def ask(client, **options) -> tuple[int, dict, float]:
    begun = time.monotonic()
    answer = client.get("/healthz", **options)
    assert "sessionid" not in answer.cookies
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json(), time.monotonic() - begun


def without_ages(report: dict) -> dict:
    return {name: value for name, value in report.items() if name != "seconds_since"}


@pytest.mark.django_db
def test_all_up(client, alive):
    status, report, _ = ask(client)
    assert (status, without_ages(report)) == (200, ALL_UP)
    assert all(0 <= age < 30 for age in report["seconds_since"].values())


@pytest.mark.django_db
def test_it_needs_no_known_host_name_and_no_https(client, alive, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert ask(client, headers={"host": "10.1.2.3"})[0] == 200


@pytest.mark.django_db
@pytest.mark.parametrize("part", pulse.PARTS)
def test_a_part_without_a_sign_of_life_is_down(client, alive, part):
    cache.delete(f"pulse:{part}")
    status, report, _ = ask(client)
    assert (status, without_ages(report)) == (503, {**ALL_UP, "status": "trouble", part: "down"})
    assert report["seconds_since"][part] is None


@pytest.mark.django_db
def test_without_broker_worker_and_beat_count_as_down(client, alive, settings):
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    status, report, _ = ask(client)
    down = {"status": "trouble", "broker": "down", "worker": "down", "beat": "down"}
    assert (status, without_ages(report)) == (503, {**ALL_UP, **down})


def test_without_database_the_rest_is_still_shown(client, alive, wrong_port):
    wrong_port(free_port())
    status, report, _ = ask(client)
    assert (status, without_ages(report)) == (503, {**ALL_UP, "status": "trouble", "database": "down"})


def test_servers_that_hang_do_not_hang_the_probe(client, alive, wrong_port, silent_server, settings):
    wrong_port(silent_server)
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{silent_server}/0"
    status, report, seconds = ask(client)
    assert (status, report["database"], report["broker"]) == (503, "down", "down")
    assert seconds < 2


def test_only_reading_is_allowed(client):
    answer = client.post("/healthz")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_signs_of_life_are_given_at_most_every_few_seconds(monkeypatch):
    monkeypatch.setattr(pulse, "_last", {})
    cache.delete("pulse:worker")
    pulse.worker_is_alive()
    first = cache.get("pulse:worker")
    pulse.worker_is_alive()
    assert cache.get("pulse:worker") == first
    assert time.time() - first < 30


def test_a_worker_that_leaves_says_so(monkeypatch):
    monkeypatch.setattr(pulse, "_last", {})
    pulse.worker_is_alive()
    pulse.worker_leaves()
    pulse.worker_is_alive()
    assert pulse.ages()["worker"] is None


def test_a_lost_cache_stops_neither_worker_nor_beat(monkeypatch, settings, caplog):
    monkeypatch.setattr(pulse, "_last", {})
    lost = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port()}/1"}
    settings.CACHES = {"default": lost}
    pulse.note("beat")
    assert "beat cannot show that it is alive: ConnectionError" in caplog.text
