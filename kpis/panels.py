"""The tab that assets get from this app; found by itself at start."""

from dataclasses import replace

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from core.comments import comments_of
from core.events import history
from core.kit.panels import Panel, register
from core.snapshot import one_snapshot
from kpis import charts, counting, figures, windows
from kpis.cutting import cut
from kpis.definitions import DEFINITIONS
from kpis.facts.members import Scope
from kpis.present import agreed_for, tiles


@register("assets.Asset")
class AssetPerformance(Panel):
    """The asset's figures of the last 30 days beside those of the 30 before, and where the time went; of a line those
    of its machines, or with `?scope=asset` its own."""

    slug, label, icon, order = "performance", _("Performance"), "chart-histogram", 10
    template = "kpis/panels/performance.html"

    @one_snapshot()
    def context(self, request, obj):
        now = timezone.now()
        window = windows.asked(obj.site, QueryDict(), now=now)
        former = window.moved(-1)
        two = [(former.start, former.end), (window.start, window.end)]
        by = cut(obj.site, window.start, window.end, window.by, asset=obj)
        line = counting.is_line(obj)
        scope = counting.scope_asked(request.GET.get("scope"), line=line)
        (before, whole), trend = figures.together([([obj], two), ([obj], by)], site=obj.site, scope=scope, now=now)
        _steps, reasons = figures.losses([whole])
        _of_lost, of_stops = counting.of_losses(whole)
        itself = {"scope": str(Scope.ASSET)}
        kept, other = (itself, {}) if scope is Scope.ASSET else ({}, itself)
        here = {"tab": self.slug, **other}
        more_url = f"{reverse('performance')}?{urlencode({'asset': obj.pk, **kept})}"
        stops = charts.judged(charts.stops(reasons, of=of_stops), whole.figure(DEFINITIONS["availability"]))
        pictures = [*charts.trends(trend, site=obj.site, by=window.by)[:1], stops]
        return {
            "window": window,
            "counted": counting.counted(
                whole, scope, line=line, other=f"{obj.get_absolute_url()}?{urlencode(here)}" if line else ""
            ),
            "tiles": tiles(whole, before, agreed=agreed_for(whole, scope), scope=scope),
            "charts": [
                replace(each, files=more_url, file=slugify(charts.file_name(each.key, obj, window)))
                for each in pictures
            ],
            "more_url": more_url,
            "reliability_url": f"{reverse('reliability')}?asset={obj.pk}",
        }


@register("kpis.Target")
class Decisions(Panel):
    """What was decided about the figure; the latest stands beside it on the Performance page."""

    slug, label, icon, order = "decisions", _("Decisions"), "gavel", 0
    template = "kpis/panels/decisions.html"

    def count(self, obj, user):
        return comments_of(obj).count() or None

    def context(self, request, obj):
        may = request.user.can("manage", obj.site)
        return {
            "comments": comments_of(obj),
            "comment_url": reverse("target-decide", args=[obj.pk]) if may else "",
        }


@register("kpis.Finding")
@register("kpis.LabourCapacity")
@register("kpis.NetMargin")
@register("kpis.Target")
class History(Panel):
    slug, label, icon, order = "history", _("History"), "history", 90
    template = "components/timeline.html"

    def context(self, request, obj):
        return {"events": list(history(obj)[:100])}


@register("kpis.Finding")
class Talk(Panel):
    """What people found out about it."""

    slug, label, icon, order = "comments", _("Comments"), "message", 0
    template = "components/comments.html"

    def count(self, obj, user):
        return comments_of(obj).count() or None

    def context(self, request, obj):
        may = request.user.can("report", obj.site)
        return {
            "comments": comments_of(obj),
            "comment_url": reverse("finding-comment", args=[obj.pk]) if may else "",
        }
