"""Job plans, preventive plans and their occurrences in the REST API."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from core.api.resource import Adds, Changes, Resource, verb
from core.errors import Refused
from core.models import Site
from workorders import generation, jobplans, planning, previews
from workorders.models import JobPlan, PlanOccurrence, PreventivePlan
from workorders.plan_filters import OccurrenceFilter, SiteJobPlanFilter, SitePlanFilter
from workorders.plan_serializers import (
    PATHS,
    GenerationInput,
    GenerationResult,
    JobPlanSerializer,
    OccurrenceSerializer,
    PlanSerializer,
    PreviewResult,
    SkipInput,
)
from workorders.trigger_words import sentence


class JobPlans(Adds, Changes, Resource):
    """Templates of work with their steps."""

    model = JobPlan
    serializer_class = JobPlanSerializer
    filterset_class = SiteJobPlanFilter
    orderings = ("code", "title")
    default_ordering = "code"

    def add(self, data):
        return jobplans.create(data.pop("site"), by=self.request.user, **data)

    def change(self, job_plan, data):
        if data.pop("site", job_plan.site) != job_plan.site:
            raise Refused("A job plan stays at its site.", code="site_is_fixed", field="site")
        jobplans.change(job_plan, by=self.request.user, **data)

    @verb("archive")
    def archive(self, job_plan, data):
        """It can no longer be chosen; orders that copied its steps keep them."""
        jobplans.archive(job_plan, by=self.request.user)

    @verb("restoration")
    def restoration(self, job_plan, data):
        """It can be chosen again."""
        jobplans.restore(job_plan, by=self.request.user)


class PreventivePlans(Adds, Changes, Resource):
    """What is done to which assets, and when."""

    model = PreventivePlan
    serializer_class = PlanSerializer
    filterset_class = SitePlanFilter
    orderings = ("name", "created")
    default_ordering = "name"

    def get_queryset(self):
        return super().get_queryset().select_related("site", "job_plan")

    def add(self, data):
        job_plan, assets = data["job_plan"], data.pop("assets")
        fields = {"name": job_plan.title, **fields_of(data, job_plan.site)}
        active = fields.pop("active", True)
        with as_sent():
            plan = planning.create_plan(job_plan.site, by=self.request.user, assets=assets, **fields)
            return plan if active else planning.pause(plan, by=self.request.user)

    def change(self, plan, data):
        assets = data.pop("assets", None)
        with as_sent():
            planning.change_plan(plan, by=self.request.user, assets=assets, **fields_of(data, plan.site))

    @extend_schema(request=GenerationInput, responses=GenerationResult)
    @action(detail=True, methods=["post"], filterset_class=None)
    def generation(self, request, *args, **kwargs):
        """Raise the orders of this plan that are due."""
        plan = self.row_to_change()
        until = self.read(GenerationInput).get("until")
        outcome = generation.run(plan.site, plan=plan, until=until, by=request.user)
        return Response({"orders": outcome.orders, "missed": outcome.missed, "fact": str(outcome)})

    @extend_schema(responses=PreviewResult)
    @action(detail=True, filterset_class=None)
    def preview(self, request, *args, **kwargs):
        """The next twelve months of this plan."""
        return Response(answered(previews.of_plan(self.get_object())))

    @extend_schema(request=PlanSerializer, responses=PreviewResult)
    @action(detail=False, methods=["post"], url_path="preview", filterset_class=None)
    def preview_unsaved(self, request, *args, **kwargs):
        """The next twelve months of a plan that is not saved."""
        data = self.read(PlanSerializer)
        site, count = data["job_plan"].site, len(set(data["assets"]))
        minutes = data["job_plan"].estimate_minutes
        with as_sent():
            fields = fields_of({name: value for name, value in data.items() if name != "assets"}, site)
            trigger = planning.trigger_of(PreventivePlan(site=site, **fields))
        return Response(answered(previews.of_trigger(trigger, site, assets=count, minutes_each=minutes)))


class Occurrences(Resource):
    """Due moments of plans, and what became of them."""

    model = PlanOccurrence
    serializer_class = OccurrenceSerializer
    filterset_class = OccurrenceFilter
    orderings = ("due",)
    default_ordering = "due"

    @verb("skip", SkipInput)
    def skip(self, occurrence, data):
        """Leave out one occurrence that lies ahead."""
        planning.skip(occurrence, by=self.request.user, **data)


def fields_of(data: dict[str, Any], site: Site) -> dict[str, Any]:
    """The plan's fields from what was sent: the basis as one word, the start on the site's clock."""
    fields = dict(data)
    fields.pop("kind", None)
    fixed, floating = fields.pop("fixed", None), fields.pop("floating", None)
    if fixed is not None and fixed == floating:
        raise Refused("A plan is either fixed or floating.", code="basis", field="trigger.floating")
    if fixed is not None or floating is not None:
        fields["basis"] = "floating" if floating or fixed is False else "fixed"
    start = fields.get("start")
    if isinstance(start, datetime):
        local = site.local(start)
        fields["start"] = local.date()
        fields.setdefault("due_time", local.time().replace(second=0, microsecond=0))
    return fields


@contextmanager
def as_sent() -> Iterator[None]:
    """Names a refused field by its path in what the caller sent."""
    try:
        yield
    except Refused as error:
        error.field = PATHS.get(error.field, error.field)
        raise


def answered(preview: previews.Preview) -> dict[str, Any]:
    months = [
        {"month": f"{month.begins:%Y-%m}", "orders": month.orders, "working_time": month.seconds}
        for month in preview.months
    ]
    dues = [{"due": due.due, "assets": due.assets, "assumed": due.assumed} for due in preview.dues]
    return {
        "sentence": sentence(preview.trigger),
        "orders": preview.orders,
        "working_time": preview.seconds,
        "months": months,
        "dues": dues,
    }
