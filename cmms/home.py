"""The first page after log-in depends on what one does at the chosen site."""

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.views import View

# The first capability that the person has, and the first page of it that exists.
HOMES = [
    ("plan", ("planning", "work-orders")),
    ("execute", ("my-work",)),
    ("manage", ("performance",)),
    ("report", ("request-new", "requests")),
]
LAST_RESORT = ("work-orders", "assets", "search")


class Home(View):
    """Planning for a planner, My work for a technician, Performance for a manager, Report a problem for the rest."""

    def get(self, request: HttpRequest) -> HttpResponseRedirect:
        names = [
            name
            for capability, pages in HOMES
            if request.site is not None and request.user.can(capability, request.site)
            for name in pages
        ]
        for name in (*names, *LAST_RESORT):
            try:
                return HttpResponseRedirect(reverse(name))
            except NoReverseMatch:
                continue
        raise NoReverseMatch("There is no page to start on.")
