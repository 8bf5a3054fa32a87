"""The first page after log-in depends on what one does at the chosen site."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.kit.badges import Action
from core.kit.views import Page

# The first capability that the person has, and the first page of it that exists.
HOMES = [
    ("plan", ("planning", "work-orders")),
    ("execute", ("my-work",)),
    ("manage", ("performance",)),
    ("report", ("request-new", "requests")),
]
LAST_RESORT = ("work-orders", "assets", "search")


class Home(Page):
    """Planning for a planner, My work for a technician, Performance for a manager, Report a problem for the rest.

    Whoever has no site yet is told so; a superuser opens the first one from here.
    """

    title = gettext_lazy("Welcome")
    template_name = "cmms/welcome.html"

    def actions(self) -> list[Action]:
        if self.request.user.is_superuser:
            return [Action(_("Open a site"), reverse("site-new"), "plus", tone="primary")]
        return []

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.site is None:
            return self.draw()
        names = [name for capability, pages in HOMES if request.user.can(capability, request.site) for name in pages]
        for name in (*names, *LAST_RESORT):
            try:
                return HttpResponseRedirect(reverse(name))
            except NoReverseMatch:
                continue
        raise NoReverseMatch("There is no page to start on.")
