"""Performance: what the plant, a line or a machine achieved in a window, and where the rest went."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_htmx.http import HttpResponseClientRefresh

from core.kit.badges import Action
from core.kit.present import number_text
from kpis import below, charts, counting, figures, money, windows
from kpis.cutting import cut
from kpis.definitions import DEFINITIONS
from kpis.facts.members import Scope
from kpis.present import TILES, WORK_TILES, agreed_for, said, tiles, work_answer
from kpis.views.asked import Asked
from kpis.views.report import mail_action

MORE = "more"  # the part of the page that is read once the rest is seen


class Performance(Asked):
    """Figures and losses; then, fetched by the page itself, how the figures went, and what is below."""

    template_name = "kpis/performance.html"
    title = gettext_lazy("Performance")
    route = "performance"

    def draw(self, template=None, *, status=200, **extra):
        if self.fetched:
            if self.site is None:
                return HttpResponseClientRefresh()
            return render(self.request, "kpis/_performance_more.html", {"page": self, **self.more()})
        return super().draw(template, status=status, **extra)

    @property
    def fetched(self) -> bool:
        """Whether the page fetches its own part."""
        return bool(self.request.htmx) and self.request.GET.get("part") == MORE

    def no_such_site(self) -> HttpResponse:
        if self.fetched:
            return HttpResponseClientRefresh()  # the user's roles have changed: what is there is another site's
        return super().no_such_site()

    @property
    def at_once(self) -> bool:
        """Whether the page comes in one: to whoever asked for a part as for a page, or for all that is below."""
        return self.request.GET.get("part") == MORE or self.request.GET.get("below") == "all"

    def with_chart(self, key: str) -> dict:
        return self.context() if self.site is None or key in charts.OF_LOSSES else self.more()

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

    def context(self) -> dict:
        if self.site is None:
            return {"window": None}
        parts = [self.headlines(), *([self.more()] if self.at_once else [])]
        return {key: value for part in parts for key, value in part.items()} | {
            **self.picker(),
            "at_once": self.at_once,
            "more_url": self.url(part=MORE),
            "more_titles": charts.coming(below=bool(self.children) if self.asset else self.right_below.exists()),
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
        of_lost, of_stops = counting.of_losses(whole)
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
            "charts": [
                charts.judged(
                    charts.losses(lost, profile=self.site.get_oee_profile_display(), of=of_lost),
                    whole.figure(DEFINITIONS["oee"]),
                ),
                charts.judged(charts.stops(reasons, of=of_stops), whole.figure(DEFINITIONS["availability"])),
            ],
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
