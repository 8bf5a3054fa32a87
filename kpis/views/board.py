"""The wall board: one look from across the shop floor, that keeps itself up to date."""

from django.urls import reverse
from django.utils.translation import gettext_lazy

from kpis import boarding
from kpis.views.performance import Performance


class Board(Performance):
    """The site, or with `?asset=` what stands below an asset, as it is now; without menu, for a screen on the wall."""

    template_name = "kpis/board.html"
    title = gettext_lazy("Wall board")

    @property
    def theme(self) -> str:
        """Dark, unless this browser was told to be light."""
        return "light" if self.request.COOKIES.get("tandem_theme") == "light" else "dark"

    def crumbs(self) -> list[tuple]:
        return []

    def actions(self) -> list:
        return []

    def context(self) -> dict:
        if self.site is None:
            return {"board": None}
        query = f"?asset={self.asset.pk}" if self.asset else ""
        return {
            "board": boarding.board(self.site, self.asset, self.request.user, now=self.now),
            "site": self.site,
            "performance_url": reverse("performance") + query,
        }
