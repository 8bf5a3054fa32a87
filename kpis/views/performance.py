"""Performance: what the plant, a line or a machine achieved in a window, and where the rest went."""

from functools import cached_property
from urllib.parse import urlencode

from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assets.models import Asset, Level
from core.kit.badges import Action
from core.kit.charting import ChartPage
from core.kit.present import number_text
from core.kit.views import go_to_site_of
from core.querysets import id_of
from core.snapshot import one_snapshot
from kpis import below, charts, counting, figures, money, windows
from kpis.cutting import cut
from kpis.definitions import DEFINITIONS
from kpis.facts.members import Scope
from kpis.present import TILES, WORK_TILES, agreed_for, said, tiles, work_answer
from kpis.views.report import mail_action

KEPT = ("asset", "scope", "window", "from", "to", "compare", "below")  # of the address, from one window to the next
MORE = "more"  # the part of the page that is read once the rest is seen


class Performance(ChartPage):
    """One page for the site and, with `?asset=`, for everything below an asset; the address is the question."""

    template_name = "kpis/performance.html"
    title = gettext_lazy("Performance")
    route = "performance"

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        if self.asset:
            go_to_site_of(self.asset, request)
        if self.site and request.htmx and request.GET.get("part") == MORE:
            return render(request, "kpis/_performance_more.html", {"page": self, **self.more()})
        return super().get(request, *args, **kwargs)

    @property
    def at_once(self) -> bool:
        """Whether the page comes in one: to whoever asked for a part as for a page, or for all that is below."""
        return self.request.GET.get("part") == MORE or self.request.GET.get("below") == "all"

    def with_chart(self, key: str) -> dict:
        return self.context() if self.site is None or key in charts.OF_LOSSES else self.more()

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
    def former(self) -> windows.Window | None:
        return self.window.compared(self.compared, now=self.now)

    @cached_property
    def now(self):
        return timezone.now()

    def page_title(self) -> str:
        return (
            f"{self.asset.code} · {self.asset.name}"
            if self.asset
            else self.site.name
            if self.site
            else _("Performance")
        )

    def crumbs(self) -> list[tuple]:
        if self.asset is None:
            return []
        above = Asset.objects.filter(pk__in=self.asset.path.strip("/").split("/")).exclude(pk=self.asset.pk)
        links = [(f"{each.code} · {each.name}", self.url(asset=each.pk)) for each in above.order_by("path")]
        return [(self.site.name, self.url(asset=None)), *links]

    def actions(self) -> list[Action]:
        if self.site is None:
            return []
        query = f"?asset={self.asset.pk}" if self.asset else ""
        scoped = f"{query}&scope={self.scope}" if self.scope is Scope.ASSET else query
        return [
            Action(_("Timeline"), self.url(page="performance-timeline"), "timeline"),
            Action(_("Reliability"), reverse("reliability") + query, "activity"),
            Action(_("Weekly report"), reverse("report") + scoped, "report"),
            Action(_("Wall board"), reverse("performance-board") + (scoped or f"?of={self.site.code}"), "device-tv"),
        ]

    def file_name(self, chart) -> str:
        return charts.file_name(chart.key, self.asset or self.site, self.window)

    def url(self, *, page: str = "", **changes) -> str:
        """This page's address with another asset or window, or that of another page about them."""
        keep = {key: value for key, value in self.request.GET.items() if key in KEPT}
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

    def context(self) -> dict:
        if self.site is None:
            return {"window": None}
        parts = [self.headlines(), *([self.more()] if self.at_once else [])]
        return {key: value for part in parts for key, value in part.items()} | {
            **self.picker(),
            "at_once": self.at_once,
            "more_url": self.url(part=MORE),
            "more_titles": charts.coming(below=self.asset is None or self.is_line),
        }

    def headlines(self) -> dict:
        """The figures, and where the time went: what the page begins with."""
        former = self.former
        ((before, (whole,)),) = figures.beside(
            [([self.asset], [(former.start, former.end)] if former else [], [(self.window.start, self.window.end)])],
            site=self.site, scope=self.scope, now=self.now,
        )  # fmt: skip
        before = before[0] if before else None
        lost, reasons = figures.losses([whole])
        beside = {"agreed": agreed_for(whole, self.scope), "compared": self.compared, "scope": self.scope}
        spent = money.money(whole, month=money.month_of(self.site, self.window.last), url=self.url)
        of_money = money.OF_STOPS if self.scope is Scope.ASSET else money.TILES
        figures.expect([whole, *([before] if before else [])], [DEFINITIONS[key] for key in (*WORK_TILES, *of_money)])
        return {
            "compared": former,
            "compared_url": former and self.at(former),
            "counted": self.counted(whole),
            "tiles": tiles(whole, before, **beside),
            "answer": self._answer([whole.figure(DEFINITIONS[key]) for key in TILES], lost[:-1] or reasons),
            "work_tiles": tiles(whole, before, WORK_TILES, **beside),
            "work_answer": work_answer(whole),
            "money_tiles": tiles(whole, before, of_money, **beside),
            "money": spent,
            "charts": [charts.losses(lost, profile=self.site.get_oee_profile_display()), charts.stops(reasons)],
            "mail_actions": mail_action(self.site, self.asset, self.request.user, self.scope),
        }

    def more(self) -> dict:
        """How the figures went, and what is below."""
        trends = [
            cut(self.site, each.start, each.end, self.window.by, asset=self.asset) if each else []
            for each in (self.window.compared_trend(self.compared, now=self.now), self.window.trend)
        ]
        now = [(self.window.start, self.window.end)]
        (former, trend), *others = figures.beside(
            [([self.asset], *trends), *([(self.children, [], now)] if self.children else [])],
            site=self.site, scope=self.scope, now=self.now,
        )  # fmt: skip
        periods = others[0][1] if others else []
        word = _("a year before") if self.compared == windows.YEAR else _("before")
        rows = below.rows(periods, scope=self.scope, url=self.url_of, everything=self.request.GET.get("below") == "all")
        return {
            "trends": list(charts.trends(trend, site=self.site, by=self.window.by, former=former, compared=word)),
            "actors": below.actors(periods, url=self.url_of),
            "below": rows,
            "all_below": len(periods) if len(rows) < len(periods) else 0,
            "all_below_url": f"{self.url(below='all')}#below-title",
        }

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

    def _answer(self, whole: list[figures.Figure], losses: list[tuple]) -> str:
        """The headlines in words, and where most of the time was lost; `losses` are (name, seconds, …)."""
        known = [figure for figure in whole if figure.value is not None]
        if not known:
            return _("Nothing was recorded in this window, so there is no figure to show.")
        parts = [f"{figure.definition.name} {said(figure)}" for figure in known]
        missing = len(whole) - len(known)
        if missing:
            parts.append(ngettext("%(n)d figure has no value", "%(n)d figures have no value", missing) % {"n": missing})
        words = [", ".join(parts) + "."]
        name, seconds, *_rest = max(losses, key=lambda loss: loss[1], default=("", 0))
        if round(seconds) > 0:
            hours = number_text(seconds / charts.HOUR, 1)
            words.append(_("Largest loss: %(name)s, %(hours)s h.") % {"name": name, "hours": hours})
        return " ".join(words)

    @cached_property
    def children(self) -> list[Asset]:
        """The assets right below."""
        rows = Asset.objects.filter(site=self.site, parent=self.asset, archived_at=None).order_by("code")
        rows = list(rows.only("code", "name", "level", "site"))  # of hundreds a few are shown
        for row in rows:
            row.site = self.site
        return rows
