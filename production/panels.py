"""Tabs about production: counts and the calendar on an asset's page, week and followers on a calendar's."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.events import history
from core.kit.changes import changes_of
from core.kit.panels import Panel, register
from production.calendars import effective_calendar, effective_calendars, next_year, pattern_of
from production.models import Count, OperatingCalendar
from production.slot_text import write_slots
from production.tables import CountTable
from production.timetable import clock_notes
from production.week import week_of

MOST_FOLLOWERS = 200


class Counts(CountTable):
    asset = None
    default_sort = "-start"


@register("assets.Asset")
class CountsOfAsset(Panel):
    slug, label, icon, order = "counts", _("Counts"), "packages", 40
    template = "production/panels/counts.html"

    def context(self, request, obj):
        rows = Count.objects.visible_to(request.user).filter(asset=obj).select_related("asset")
        return {
            "table": Counts(rows, request.GET, user=request.user),
            "may_record": request.user.can("record", obj.site) and not obj.archived_at,
        }


@register("assets.Asset")
class CalendarOfAsset(Panel):
    """Which calendar holds for the asset, and why."""

    slug, label, icon, order = "calendar", _("Calendar"), "calendar-time", 45
    template = "production/panels/asset_calendar.html"

    def context(self, request, obj):
        holding = effective_calendar(obj)
        owner = Asset.objects.filter(pk=holding.owner_id).first() if holding.why == "ancestor" else None
        own = OperatingCalendar.objects.filter(asset=obj).order_by("-valid_from")
        calendar = holding.calendar
        return {
            "holding": holding,
            "owner": owner,
            "own": own,
            "lines": week_of(pattern_of(calendar)) if calendar else [],
            "may_edit": request.user.can("edit", obj.site) and not obj.archived_at,
        }


@register("production.OperatingCalendar")
class CalendarWeek(Panel):
    slug, label, icon, order = "week", _("Week"), "calendar-week", 0
    template = "production/panels/week.html"

    def context(self, request, obj):
        pattern = pattern_of(obj)
        first, last = next_year(obj.site)
        today = obj.site.local(timezone.now()).date()
        exceptions = [
            (exception, write_slots(pattern.exceptions[exception.date]), exception.date < today)
            for exception in obj.exceptions.all()
        ]
        return {
            "lines": week_of(pattern),
            "exceptions": exceptions,
            "notes": clock_notes(pattern, obj.site.zone, max(first, obj.valid_from), last),
        }


@register("production.OperatingCalendar")
class CalendarFollowers(Panel):
    """The assets for which it holds, and those below that have another."""

    slug, label, icon, order = "followers", _("Who follows it"), "binary-tree", 20
    template = "production/panels/followers.html"

    def context(self, request, obj):
        rows = Asset.objects.at(obj.site).filter(archived_at=None).select_related("site").order_by("path")
        if obj.asset:
            rows = rows.under(obj.asset)
        assets = list(rows[:MOST_FOLLOWERS])
        holding = effective_calendars(assets)
        return {
            "followers": [(asset, holding[asset.pk]) for asset in assets],
            "calendar": obj,
            "more": len(assets) == MOST_FOLLOWERS,
        }


@register("production.OperatingCalendar")
class CalendarHistory(Panel):
    slug, label, icon, order = "history", _("History"), "history", 90
    template = "assets/panels/changes.html"

    def context(self, request, obj):
        return {"events": changes_of(list(history(obj)[:100]))}
