"""The tabs of this app on its own pages. Upper apps hang theirs beside them."""

from django.utils.translation import gettext_lazy as _

from assets import states
from assets.criticality import SCORES, Scores, assess
from assets.models import Asset, Downtime, Failure
from assets.tables import DowntimeTable, FailureTable
from core.events import history
from core.kit.changes import changes_of
from core.kit.panels import Panel, register
from core.kit.present import when
from core.models import Event

NEWEST = 100  # rows in a tab; the list shows them all


class Stops(DowntimeTable):
    asset = None
    default_sort = "-start"


class Failures(FailureTable):
    asset = None
    default_sort = "-occurred"


@register("assets.Asset")
class AssetOverview(Panel):
    slug, label, icon, order = "overview", _("Overview"), "info-circle", 0
    template = "assets/panels/overview.html"

    def context(self, request, obj):
        below = Asset.objects.filter(parent=obj, archived_at=None).with_state().order_by("code")
        verdict = assess(Scores(*(getattr(obj, name) for name in SCORES)))
        placements = list(obj.placements.select_related("parent").order_by("-valid"))
        return {
            "below": [(child, states.state_of(child), states.criticality_of(child)) for child in below],
            "scores": [(Asset._meta.get_field(name).verbose_name, getattr(obj, name)) for name in SCORES],
            "scored": verdict is not None,
            "chosen": verdict is not None and verdict.criticality != obj.criticality,
            "verdict": verdict,
            "former_costs": list(obj.former_hourly_costs.order_by("-until")),
            "places": [(place.parent, place.valid.lower, place.valid.upper) for place in placements],
            "groups": obj.redundancy_groups.prefetch_related("members"),
            "may_edit": request.user.can("edit", obj.site),
        }


@register("assets.Asset")
class AssetStops(Panel):
    slug, label, icon, order = "stops", _("Stops"), "player-pause", 20
    template = "assets/panels/stops.html"

    def context(self, request, obj):
        rows = Downtime.objects.visible_to(request.user).filter(asset=obj).select_related("asset", "reason")
        return {
            "table": Stops(rows.with_lasted(), request.GET, user=request.user),
            "may_record": request.user.can("record", obj.site) and not obj.archived_at,
        }


@register("assets.Asset")
class AssetFailures(Panel):
    slug, label, icon, order = "failures", _("Failures"), "alert-octagon", 25
    template = "assets/panels/failures.html"

    def context(self, request, obj):
        rows = Failure.objects.visible_to(request.user).filter(asset=obj)
        rows = rows.select_related("asset", "problem", "cause", "remedy").with_lasted()
        return {
            "table": Failures(rows, request.GET, user=request.user),
            "may_record": request.user.can("record", obj.site) and not obj.archived_at,
        }


@register("assets.Asset")
class AssetHistory(Panel):
    """What happened to the asset, its stops and its failures."""

    slug, label, icon, order = "history", _("History"), "history", 90
    template = "assets/panels/changes.html"

    def context(self, request, obj):
        stops = obj.downtimes.order_by("-start").values_list("pk", flat=True)[:NEWEST]
        failed = obj.failures.order_by("-occurred").values_list("pk", flat=True)[:NEWEST]
        found = []
        for kind, ids in (("asset", [obj.pk]), ("downtime", list(stops)), ("failure", list(failed))):
            events = Event.objects.filter(object_type=f"assets.{kind}", object_id__in=ids).select_related("actor")
            found += events.order_by("-at", "-id")[:NEWEST]
        newest = sorted(found, key=lambda event: (event.at, event.pk), reverse=True)[:NEWEST]
        return {"events": changes_of(newest)}


@register("assets.Downtime")
class DowntimeOverview(Panel):
    slug, label, icon, order = "overview", _("Overview"), "info-circle", 0
    template = "assets/panels/pairs.html"

    def context(self, request, obj):
        failures = list(obj.failures.select_related("problem"))
        return {
            "pairs": [
                (_("Asset"), obj.asset, obj.asset.get_absolute_url()),
                (_("Reason"), obj.reason, ""),
                (_("Start"), when(obj.start, relative=False), ""),
                (_("End"), when(obj.end, relative=False) if obj.end else _("still down"), ""),
                (_("Planned end"), when(obj.planned_end, relative=False) if obj.planned_end else None, ""),
                *((_("Failure"), failure.problem or _("recorded"), failure.get_absolute_url()) for failure in failures),
                (_("Note"), obj.note, ""),
                *entered(obj),
            ]
        }


@register("assets.Failure")
class FailureOverview(Panel):
    slug, label, icon, order = "overview", _("Overview"), "info-circle", 0
    template = "assets/panels/pairs.html"

    def context(self, request, obj):
        return {
            "pairs": [
                (_("Asset"), obj.asset, obj.asset.get_absolute_url()),
                (_("Failed item"), obj.component, ""),
                (_("Occurred"), when(obj.occurred, relative=False), ""),
                (_("Restored"), when(obj.restored, relative=False) if obj.restored else _("not yet"), ""),
                (_("Problem"), obj.problem, ""),
                (_("Cause"), obj.cause, ""),
                (_("Remedy"), obj.remedy, ""),
                (_("Detection"), obj.get_detection_display(), ""),
                (_("Stop"), obj.downtime and when(obj.downtime.start, relative=False),
                 obj.downtime and obj.downtime.get_absolute_url()),
                (_("Note"), obj.note, ""),
                *entered(obj),
            ]
        }  # fmt: skip


def entered(row: Downtime | Failure) -> list[tuple]:
    """Who said so, and when."""
    return [
        (_("Source"), row.get_source_display(), ""),
        (_("External id"), row.external_id, ""),
        (_("Entered"), when(row.entered_at, relative=False), ""),
        (_("Entered by"), row.entered_by, ""),
    ]


class RowHistory(Panel):
    """What happened to the row."""

    slug, label, icon, order = "history", _("History"), "history", 90
    template = "assets/panels/changes.html"

    def context(self, request, obj):
        return {"events": changes_of(list(history(obj)[:NEWEST]))}


register("assets.Downtime")(RowHistory)
register("assets.Failure")(type("FailureHistory", (RowHistory,), {}))
