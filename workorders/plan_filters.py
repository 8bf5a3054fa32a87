"""Filters of plans, occurrences and job plans, for pages, exports and the REST API."""

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from assets.filters import YesNo
from assets.models import Asset
from core.filters import RowFilter
from core.models import Site
from workorders.models import JobPlan, OccurrenceState, PlanAsset, PlanOccurrence, PreventivePlan


class PlanFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(label=_("Name or job plan"), method="find")
    active = YesNo(label=_("In force"))
    asset = RowFilter(Asset, label=_("Asset"), method="of_asset")
    job_plan = RowFilter(JobPlan, label=_("Job plan"))

    class Meta:
        model = PreventivePlan
        fields = ["search", "active", "asset", "job_plan"]

    def find(self, rows: QuerySet, name: str, text: str) -> QuerySet:
        return rows.filter(
            Q(name__icontains=text) | Q(job_plan__title__icontains=text) | Q(job_plan__code__icontains=text)
        )

    def of_asset(self, rows: QuerySet, name: str, asset: Asset) -> QuerySet:
        return rows.filter(Exists(PlanAsset.objects.filter(plan=OuterRef("pk"), asset=asset)))


class SitePlanFilter(PlanFilter):
    """As the page's, for callers of the API, who see all their sites at once."""

    site = RowFilter(Site)

    class Meta(PlanFilter.Meta):
        fields = ["site", *PlanFilter.Meta.fields]


class OccurrenceFilter(django_filters.FilterSet):
    plan = django_filters.ModelChoiceFilter(queryset=lambda request: visible_plans(request))
    asset = RowFilter(Asset)
    site = RowFilter(Site, field_name="plan__site")
    state = django_filters.MultipleChoiceFilter(choices=OccurrenceState.choices)
    due_from = django_filters.IsoDateTimeFilter(field_name="due", lookup_expr="gte")
    due_to = django_filters.IsoDateTimeFilter(field_name="due", lookup_expr="lt")

    class Meta:
        model = PlanOccurrence
        fields = ["plan", "asset", "site", "state", "due_from", "due_to"]


def visible_plans(request) -> QuerySet:
    plans = PreventivePlan.objects
    return plans.visible_to(request.user) if request is not None else plans.none()


class JobPlanFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(label=_("Code or title"), method="find")
    archived = YesNo(label=_("Archived"), method="of_archive")

    class Meta:
        model = JobPlan
        fields = ["search", "archived"]

    def find(self, rows: QuerySet, name: str, text: str) -> QuerySet:
        return rows.filter(Q(code__icontains=text) | Q(title__icontains=text))

    def of_archive(self, rows: QuerySet, name: str, archived: bool) -> QuerySet:
        return rows.filter(archived_at__isnull=not archived)


class SiteJobPlanFilter(JobPlanFilter):
    """As the page's, for callers of the API, who see all their sites at once."""

    site = RowFilter(Site)

    class Meta(JobPlanFilter.Meta):
        fields = ["site", *JobPlanFilter.Meta.fields]
