"""The tabs of a preventive plan and of a job plan, and the plans on an asset's page."""

from django.utils.translation import gettext_lazy as _

from core.events import history
from core.kit.panels import Panel, register
from workorders import previews
from workorders.models import OccurrenceState, PlanAsset, PlanOccurrence, PreventivePlan
from workorders.plan_tables import ComingTable, PastTable, PlanAssetTable, PlansOfAsset, PlanTable

COMING = [OccurrenceState.FORECAST, OccurrenceState.GENERATED]
NEWEST = 100  # events in a tab


@register("workorders.PreventivePlan")
class Coming(Panel):
    slug, label, icon, order = "coming", _("Coming"), "calendar-event", 0
    template = "components/table.html"

    def context(self, request, obj):
        table = ComingTable(occurrences(obj).filter(state__in=COMING), request.GET, user=request.user)
        if not request.user.can("plan", obj.site):
            table.columns = {name: column for name, column in table.columns.items() if name != "skip"}
        return {"table": table}


@register("workorders.PreventivePlan")
class Past(Panel):
    slug, label, icon, order = "past", _("Past"), "history", 10
    template = "components/table.html"

    def context(self, request, obj):
        return {"table": PastTable(occurrences(obj).exclude(state__in=COMING), request.GET, user=request.user)}


@register("workorders.PreventivePlan")
class Assets(Panel):
    slug, label, icon, order = "assets", _("Assets"), "building-factory-2", 20
    template = "components/table.html"

    def count(self, obj, user):
        return obj.plan_assets.count()

    def context(self, request, obj):
        pairs = PlanAsset.objects.filter(plan=obj).select_related("asset")
        return {"table": PlanAssetTable(pairs, request.GET, user=request.user)}


@register("workorders.PreventivePlan")
class YearAhead(Panel):
    slug, label, icon, order = "year", _("Year ahead"), "calendar-stats", 30
    template = "workorders/plans/_preview.html"

    def applies(self, obj, user):
        return obj.active

    def context(self, request, obj):
        return {"preview": previews.of_plan(obj)}


@register("workorders.JobPlan")
class Steps(Panel):
    slug, label, icon, order = "steps", _("Steps"), "list-check", 0
    template = "workorders/job_plans/_steps.html"

    def count(self, obj, user):
        return obj.steps.count()

    def context(self, request, obj):
        return {"steps": obj.steps.all()}


@register("workorders.JobPlan")
class PlansOfJobPlan(Panel):
    slug, label, icon, order = "plans", _("Preventive plans"), "repeat", 10
    template = "components/table.html"

    def count(self, obj, user):
        return obj.preventive_plans.count()

    def context(self, request, obj):
        rows = PreventivePlan.objects.visible_to(request.user).filter(job_plan=obj).for_list()
        return {"table": PlanTable(rows, request.GET, user=request.user)}


@register("workorders.PreventivePlan")
@register("workorders.JobPlan")
class History(Panel):
    slug, label, icon, order = "history", _("History"), "timeline-event", 90
    template = "components/timeline.html"

    def context(self, request, obj):
        return {"events": history(obj)[:NEWEST]}


@register("assets.Asset")
class AssetPlans(Panel):
    slug, label, icon, order = "preventive", _("Preventive"), "repeat", 40
    template = "components/table.html"

    def context(self, request, obj):
        pairs = PlanAsset.objects.visible_to(request.user).filter(asset=obj).select_related("plan__site")
        return {"table": PlansOfAsset(pairs, request.GET, user=request.user)}


def occurrences(plan: PreventivePlan):
    return PlanOccurrence.objects.filter(plan=plan).select_related("asset", "plan", "work_order")
