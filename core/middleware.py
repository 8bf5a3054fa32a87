"""What happens around every request: log-in, the chosen site and its clock."""

from django.contrib.auth.middleware import LoginRequiredMiddleware as DjangoLoginRequired
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRefresh

from core.models import Site

SITE_KEY = "site"  # in the session


class ReadableMiddleware:
    """Answers 400 to a page whose address holds a NUL: PostgreSQL keeps none, so no row can be meant. The API names
    the parameter by itself.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        texts = (text for name, values in request.GET.lists() for text in (name, *values))
        if not request.path.startswith("/api/v1/") and any("\x00" in text for text in texts):
            return HttpResponse(render_to_string("400.html"), status=400)
        return self.get_response(request)


class LoginRequiredMiddleware(DjangoLoginRequired):
    """Every page needs a log-in unless its view says otherwise; the REST API answers for itself.

    Where a part of a page is asked for, the page loads again and leads to the log-in, which would else stand in it.
    """

    def process_view(self, request, view_func, view_args, view_kwargs):
        if request.path.startswith("/api/v1/"):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request, view_func):
        return HttpResponseClientRefresh() if request.htmx else super().handle_no_permission(request, view_func)


class PartsMiddleware:
    """Tells caches that htmx may get a part of the page: Back would else show what was fetched last, a bare part."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response


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
