"""What happens around every request: log-in, the chosen site and its clock, and a lost database."""

import logging

import redis.exceptions
from django.contrib.auth.middleware import LoginRequiredMiddleware as DjangoLoginRequired
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from core.models import Site

log = logging.getLogger(__name__)
RETRY_AFTER = 10  # seconds
SITE_KEY = "site"  # in the session


class OutageMiddleware:
    """Answers 503 with a plain page (or problem+json) while PostgreSQL or Redis cannot be reached."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (
            OperationalError,
            InterfaceError,
            redis.exceptions.ConnectionError,
            redis.exceptions.TimeoutError,
        ) as error:
            return unavailable(request, error)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(
            error,
            (
                OperationalError,
                InterfaceError,
                redis.exceptions.ConnectionError,
                redis.exceptions.TimeoutError,
            ),
        ):
            return unavailable(request, error)
        return None


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
            },
            status=503,
            content_type="application/problem+json",
        )
    else:
        response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


class LoginRequiredMiddleware(DjangoLoginRequired):
    """Every page needs a log-in unless its view says otherwise; the REST API answers for itself."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        if request.path.startswith("/api/v1/"):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)


class SiteMiddleware:
    """Sets `request.sites` (all the user may see) and `request.site` (the chosen one), and the site's clock.

    The choice is kept in the session; `?site=CODE` changes it. Without any site `request.site` is None.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.sites = SimpleLazyObject(lambda: list(Site.objects.visible_to(request.user)))
        request.site = None
        if request.user.is_authenticated and not request.path.startswith("/api/v1/"):
            choose_site(request, self.chosen(request))
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def chosen(self, request: HttpRequest) -> Site | None:
        wanted = request.GET.get("site") or request.session.get(SITE_KEY)
        return next((site for site in request.sites if site.code == wanted), None) or next(iter(request.sites), None)


def choose_site(request: HttpRequest, site: Site | None) -> None:
    """From here on, and for the next pages, the request is about this site and on its clock."""
    request.site = site
    if site is None:
        return
    timezone.activate(site.zone)
    if request.session.get(SITE_KEY) != site.code:
        request.session[SITE_KEY] = site.code
