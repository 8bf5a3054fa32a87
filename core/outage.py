"""What callers get while PostgreSQL or Redis cannot be reached: 503 and when to return, as a page or problem+json."""

import logging
import sys

import kombu.exceptions
import redis.exceptions
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

log = logging.getLogger(__name__)
RETRY_AFTER = 10  # seconds
OUTAGES = (
    OperationalError,
    InterfaceError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.ResponseError,  # it takes nothing: its disk or its memory is full
    kombu.exceptions.OperationalError,  # a job could not be queued
)


class OutageMiddleware:
    """Turns a lost server into a 503 where a view met it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unavailable(request, error) if isinstance(error, OUTAGES) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: what nobody has caught. Sessions and log-ins are read by middleware, of which no other
    middleware sees the exceptions, so that a lost server arrives here too."""
    error = sys.exc_info()[1]
    return unavailable(request, error) if isinstance(error, OUTAGES) else defaults.server_error(request)


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("503 for %s: %s", request.path, type(error).__name__)
    if request.path.startswith("/api/"):
        response = JsonResponse(
            {
                "type": "about:blank",
                "title": "Service unavailable",
                "status": 503,
                "code": "unavailable",
                "detail": f"Try again in {RETRY_AFTER} seconds; nothing was saved.",
                "errors": [],
            },
            status=503,
            content_type="application/problem+json",
        )
    else:
        response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response
