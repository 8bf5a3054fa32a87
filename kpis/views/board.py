"""The wall board: one look from across the shop floor, that keeps itself up to date."""

from functools import cached_property
from urllib.parse import urlencode

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from core.models import Site
from core.snapshot import one_snapshot
from kpis import boarding, counting
from kpis.facts.members import Scope
from kpis.views.asked import Asked


class Board(Asked):
    """The site (`?of=` its code), or with `?asset=` what stands below an asset, as it is now; for a screen on the wall.
    With `?scope=asset` the figures are those of a line itself.

    It leaves the chosen site as it is: a board that refreshes itself must not take other windows of this browser along.
    """

    template_name = "kpis/board.html"
    title = gettext_lazy("Wall board")
    route = "performance-board"

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        if self.site is not None:
            timezone.activate(self.site.zone)
        return self.draw()

    @cached_property
    def site(self) -> Site | None:
        wanted = self.request.GET.get("of", "")
        if self.asset or not wanted:
            return super().site
        return get_object_or_404(Site.objects.visible_to(self.request.user), code__iexact=wanted)

    @cached_property
    def is_line(self) -> bool:
        return counting.is_line(self.asset)

    @property
    def theme(self) -> str:
        """Dark, unless this browser was told to be light."""
        return "light" if self.request.COOKIES.get("tandem_theme") == "light" else "dark"

    def crumbs(self) -> list[tuple]:
        return []

    def context(self) -> dict:
        if self.site is None:
            return {"board": None}
        query = {"asset": self.asset.pk} if self.asset else {"site": self.site.code}
        itself = {"scope": str(Scope.ASSET)}
        kept, other = (itself, {}) if self.scope is Scope.ASSET else ({}, itself)
        return {
            "board": boarding.board(
                self.site,
                self.asset,
                self.request.user,
                now=self.now,
                scope=self.scope,
                line=self.is_line,
                other=f"{reverse('performance-board')}?{urlencode(query | other)}" if self.is_line else "",
            ),
            "site": self.site,
            "performance_url": f"{reverse('performance')}?{urlencode(query | kept)}",
        }
