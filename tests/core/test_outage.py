"""PostgreSQL or Redis cannot be reached: 503, a plain page, and when to come back."""

import socket
import time

import kombu.exceptions
import pytest
import redis.exceptions
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from cmms.celery import app
from cmms.local.process import free_port
from core.tasks import carry_out_import
from tests.plant import PASSWORD

REFUSED = OperationalError("connection refused")


def raising(error: Exception):
    def lost(*args, **kwargs):
        raise error

    return lost


@pytest.fixture
def browser(plant) -> Client:
    """A logged-in planner who gets the answer, not the exception behind it."""
    client = Client(raise_request_exception=False)
    client.login(username="planner", password=PASSWORD)
    return client


def assert_unavailable(response) -> None:
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert "Nothing was saved and nothing is lost." in response.content.decode()
    assert "refused" not in response.content.decode()


def test_the_page_needs_no_database_and_tries_again_by_itself():
    text = render_to_string("503.html")
    assert "Nothing was saved and nothing is lost." in text
    assert "retry.js" in text


@pytest.mark.parametrize(
    "place",
    [
        "django.contrib.sessions.backends.cached_db.SessionStore.load",
        "django.contrib.auth.middleware.get_user",
        "core.middleware.SiteMiddleware.chosen",
        "workorders.views.plans.Plans.rows",
    ],
)
def test_a_lost_database_is_said_wherever_a_page_misses_it_first(browser, monkeypatch, place):
    monkeypatch.setattr(place, raising(REFUSED))
    assert_unavailable(browser.get(reverse("preventive-plans")))


def test_a_lost_cache_is_said_on_every_page(browser, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port()}/1"}}
    assert_unavailable(browser.get(reverse("preventive-plans")))
    assert_unavailable(browser.post(reverse("login"), {"username": "planner", "password": PASSWORD}))


def test_a_cache_whose_disk_is_full_is_an_outage(plant, monkeypatch):
    stranger = Client(raise_request_exception=False)
    full = redis.exceptions.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")
    monkeypatch.setattr("django.core.cache.backends.redis.RedisCache.incr", raising(full))
    assert_unavailable(stranger.post(reverse("login"), {"username": "planner", "password": "wrong"}))


def test_a_mistake_of_ours_is_still_a_mistake(browser, monkeypatch):
    monkeypatch.setattr("core.middleware.SiteMiddleware.chosen", raising(KeyError("secret")))
    response = browser.get(reverse("preventive-plans"))
    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()
    assert "secret" not in response.content.decode()


@pytest.mark.timeout(60)
def test_a_broker_that_hangs_holds_nobody_for_long():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        begun = time.monotonic()
        with (
            app.connection_for_write(url) as broker,
            pytest.raises(kombu.exceptions.OperationalError),
        ):
            carry_out_import.apply_async([1], connection=broker)
    assert time.monotonic() - begun < 20
    assert app.conf.task_ignore_result  # Celery would wait for the store of results as well, for minutes


def test_a_job_that_cannot_be_queued_is_an_outage_too(browser, monkeypatch):
    error = kombu.exceptions.OperationalError("refused")
    monkeypatch.setattr("workorders.views.plans.GenerateAll.post", raising(error))
    assert_unavailable(browser.post(reverse("preventive-generation")))
