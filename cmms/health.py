"""`GET /healthz`: the state of web, database, broker, worker and beat, for probes and for people."""

import select
import time
from dataclasses import dataclass

import psycopg2
import psycopg2.extensions
import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

from cmms import pulse

PATH = "/healthz"
PATIENCE = 0.9  # seconds for the database and for the broker each, so that an answer takes less than two


class HealthMiddleware:
    """Answers the probe before anything else: without log-in, session, redirect to https, or a known host name.

    200 when every part is up, else 503 with the same content.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path != PATH:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        report = examine()
        headers = {"Cache-Control": "no-store"}
        response = JsonResponse(report.as_dict(), status=200 if report.healthy else 503, headers=headers)
        response._has_been_logged = True  # the probe's reader acts on trouble; a line every few seconds helps nobody
        return response


@dataclass(frozen=True)
class Report:
    """What is up; `ages` are seconds since the last sign of life of worker and beat."""

    database: bool
    broker: bool
    ages: dict[str, float | None]

    @property
    def parts(self) -> dict[str, bool]:
        alive = {part: age is not None for part, age in self.ages.items()}
        return {"web": True, "database": self.database, "broker": self.broker, **alive}

    @property
    def healthy(self) -> bool:
        return all(self.parts.values())

    def as_dict(self) -> dict:
        return {
            "status": "ok" if self.healthy else "trouble",
            **{part: "up" if up else "down" for part, up in self.parts.items()},
            "seconds_since": {part: age if age is None else round(age, 1) for part, age in self.ages.items()},
        }


def examine() -> Report:
    """Ask everything now. A worker or beat whose signs of life cannot be read counts as down."""
    broker = broker_answers()
    ages = dict.fromkeys(pulse.PARTS)
    if broker:
        try:
            ages = pulse.ages()
        except redis.exceptions.RedisError:
            broker = False
    return Report(database=database_answers(), broker=broker, ages=ages)


def broker_answers() -> bool:
    client = redis.Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_connect_timeout=PATIENCE / 2,
        socket_timeout=PATIENCE / 2,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        return bool(client.ping())
    except redis.exceptions.RedisError:
        return False
    finally:
        client.close()


def database_answers() -> bool:
    """A connection of its own, asynchronous: a server that hangs must not hang the probe."""
    end = time.monotonic() + PATIENCE
    probe = None
    try:
        parameters = connection.get_connection_params() | {"application_name": "tandem healthz"}
        for name in ("cursor_factory", "context", "connect_timeout"):
            parameters.pop(name, None)
        probe = psycopg2.connect(**parameters, async_=True)
        if not _finished(probe, end):
            return False
        cursor = probe.cursor()
        cursor.execute("SELECT 1")
        return _finished(probe, end) and cursor.fetchone() == (1,)
    except psycopg2.Error:
        return False
    finally:
        if probe is not None:
            probe.close()


def _finished(probe: psycopg2.extensions.connection, end: float) -> bool:
    while (state := probe.poll()) != psycopg2.extensions.POLL_OK:
        left = end - time.monotonic()
        if left <= 0:
            return False
        if state == psycopg2.extensions.POLL_READ:
            select.select([probe], [], [], left)
        else:
            select.select([], [probe], [], left)
    return True
