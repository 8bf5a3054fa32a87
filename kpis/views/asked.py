"""What pages of figures are asked about: a site or an asset, a window, and what counts; the address is the question."""

from functools import cached_property
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.models import Asset, Level
from core.kit.charting import ChartPage
from core.kit.views import go_to_site_of
from core.middleware import choose_site
from core.models import Site
from core.querysets import id_of
from core.snapshot import one_snapshot
from kpis import charts, counting, figures, windows
from kpis.cutting import BY
from kpis.facts.members import Scope

KNOWN = {"scope": (Scope.LEAVES, Scope.ASSET), "compare": tuple(windows.COMPARISONS), "by": BY}  # words of the address
KEPT = ("asset", "scope", "window", "from", "to", "compare", "below")  # of the address, from one window to the next


class Asked(ChartPage):
    """A page about the site or, with `?asset=`, about everything below an asset, in a window that it lets choose."""

    route: str  # name of its address

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        if request.GET.get("site") and self.named_site is None:
            return self.no_such_site()
        if self.asset:
            go_to_site_of(self.asset, request)
        elif self.named_site:
            choose_site(request, self.named_site)
        return super().get(request, *args, **kwargs)

    @cached_property
    def named_site(self) -> Site | None:
        """The site that the address names by code or id, if it is one of the user's, and that of the asset."""
        text = self.request.GET.get("site", "").strip()
        sites = [self.asset.site] if self.asset else self.request.sites
        by_code = (site for site in sites if site.code.casefold() == text.casefold())
        return next(by_code, None) or next((site for site in sites if site.pk == id_of(text)), None)

    def no_such_site(self) -> HttpResponse:
        """Never the figures of another site than the address names."""
        raise Http404(_("There is no such site."))

    @cached_property
    def asset(self) -> Asset | None:
        wanted = self.request.GET.get("asset", "")
        if not wanted:
            return None
        rows = Asset.objects.visible_to(self.request.user).select_related("site", "parent")
        return get_object_or_404(rows, pk=id_of(wanted))

    @cached_property
    def site(self):
        return self.asset.site if self.asset else self.request.site

    @cached_property
    def window(self) -> windows.Window:
        return windows.asked(self.site, self.request.GET, now=self.now, asset=self.asset)

    @cached_property
    def is_line(self) -> bool:
        """Whether machines stand below the asset, so that it may be asked for by itself or for them."""
        return self.asset is not None and any(each.level != Level.COMPONENT for each in self.children)

    @cached_property
    def scope(self) -> Scope:
        """What counts: an asset's machines, each by itself, or the asset with what stops it."""
        return counting.scope_asked(self.request.GET.get("scope"), line=self.is_line)

    @cached_property
    def compared(self) -> str:
        """What the window is compared with."""
        return windows.comparison(self.request.GET)

    @cached_property
    def wrong(self) -> dict[str, str]:
        """Words of the address that mean nothing here, by parameter: what there is, and what is shown instead."""
        found = {name: known for name, known in KNOWN.items() if self.request.GET.get(name, "") not in ("", *known)}
        said = {name: _("Choose one of %(known)s.") % {"known": ", ".join(known)} for name, known in found.items()}
        instead = self.instead() if found and self.site else {}
        for name in found.keys() & instead.keys():
            said[name] += " " + _("Shown instead: %(word)s.") % {"word": instead[name]}
        return said

    def instead(self) -> dict[str, str]:
        """What is shown, by the parameter that chooses it."""
        return {"scope": self.scope, "compare": self.compared, "by": self.window.by}

    @cached_property
    def former(self) -> windows.Window | None:
        return self.window.compared(self.compared, now=self.now)

    @cached_property
    def now(self):
        return timezone.now()

    def page_title(self) -> str:
        return (
            f"{self.asset.code} · {self.asset.name}" if self.asset else self.site.name if self.site else str(self.title)
        )

    def crumbs(self) -> list[tuple]:
        if self.asset is None:
            return []
        above = Asset.objects.filter(pk__in=self.asset.path.strip("/").split("/")).exclude(pk=self.asset.pk)
        links = [(f"{each.code} · {each.name}", self.url(asset=each.pk)) for each in above.order_by("path")]
        return [(self.site.name, self.url(asset=None)), *links]

    def file_name(self, chart) -> str:
        return charts.file_name(chart.key, self.asset or self.site, self.window)

    def url(self, *, page: str = "", **changes) -> str:
        """This page's address with another asset or window, or that of another page about them."""
        keep = {key: value for key, value in self.request.GET.items() if key in KEPT and key not in self.wrong}
        if any(self.request.GET.get(key) for key in ("from_time", "to_time")):
            keep |= self.window.query  # instants, so that a link means the same wherever it is opened
        if page or "asset" in changes:
            keep = {key: value for key, value in keep.items() if key not in ("below", "scope")}
        query = {key: value for key, value in (keep | changes).items() if value not in (None, "")}
        if "asset" not in query and self.site:  # whoever is sent the address may have looked at another site
            query = {"site": self.site.code} | query
        return f"{reverse(page or self.route)}?{urlencode(query)}"

    def url_of(self, asset: Asset) -> str:
        """This page's address of one of many assets."""
        return f"{self._urls}asset={asset.pk}"

    @cached_property
    def _urls(self) -> str:
        return f"{self.url(asset=None)}&"

    def counted(self, whole: figures.Period) -> counting.Counted | None:
        """What the figures count, and the address of the other way."""
        other = self.url(scope=None if self.scope is Scope.ASSET else Scope.ASSET) if self.is_line else ""
        return counting.counted(whole, self.scope, line=self.is_line, other=other)

    def picker(self) -> dict:
        """What the window picker needs."""
        return {
            "asset": self.asset,
            "scope": str(self.scope),
            "window": self.window,
            "wrong": [(name, self.request.GET[name], said) for name, said in self.wrong.items()],
            "picker": self._picker(),
            "earlier": self.at(self.window.moved(-1)),
            "later": self._later(),
            "exact": "" if self.request.GET.get("from") and not self.window.error else self.at(self.window),
        }

    def at(self, window: windows.Window) -> str:
        """This page in another window."""
        return self.url(**{"window": None, **window.query})

    def _picker(self) -> dict:
        """The windows and comparisons to choose from, each with its address."""
        named = {"from": None, "to": None}
        return {
            "groups": [
                (group, [(name, label, self.url(window=name, **named)) for name, label in choices])
                for group, choices in windows.GROUPS
            ],
            "comparisons": [
                (name, label, self.url(compare=None if name == windows.FORMER else name))
                for name, label in windows.COMPARISONS.items()
            ],
            "how": self.compared,
        }

    def _later(self) -> str:
        after = self.window.moved(1)
        return self.at(after) if after.start <= self.now else ""

    @property
    def right_below(self) -> QuerySet[Asset]:
        return Asset.objects.filter(site=self.site, parent=self.asset, archived_at=None).order_by("code")

    @cached_property
    def children(self) -> list[Asset]:
        """The assets right below."""
        rows = list(self.right_below.only("code", "name", "level", "site"))  # of hundreds a few are shown
        for row in rows:
            row.site = self.site
        return rows
