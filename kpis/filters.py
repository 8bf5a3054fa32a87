"""How lists of targets, findings, margins and subscriptions are narrowed, on pages, in the API and in exports."""

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assets.filters import YesNo
from assets.models import Asset
from core.filters import RowFilter
from core.kit.forms import Day, SearchSelect
from core.models import Site
from kpis.definitions import DEFINITIONS
from kpis.models import (
    Counts,
    Finding,
    FindingKind,
    FindingState,
    KeptReport,
    LabourCapacity,
    NetMargin,
    ReportSubscription,
    Target,
)
from people.models import User


class TargetFilter(django_filters.FilterSet):
    """`on`: targets that hold on that day."""

    definition = django_filters.ChoiceFilter(
        label=_("Figure"), choices=lambda: [(key, each.name) for key, each in DEFINITIONS.items()]
    )
    asset = RowFilter(Asset, label=_("Asset"), widget=SearchSelect)
    scope = django_filters.ChoiceFilter(label=_("Counts"), choices=Counts.choices)
    site = RowFilter(Site, label=_("Site"))
    on = django_filters.DateFilter(label=_("Holds on"), method="by_day", widget=Day)

    class Meta:
        model = Target
        fields: list[str] = []

    def by_day(self, rows, name, value):
        return rows.filter(Q(valid_to=None) | Q(valid_to__gt=value), valid_from__lte=value)


class FindingFilter(django_filters.FilterSet):
    """`ownerless`: findings that nobody looks into."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=FindingState.choices)
    kind = django_filters.ChoiceFilter(label=_("Finding"), choices=FindingKind.choices)
    asset = RowFilter(Asset, label=_("Asset"), widget=SearchSelect)
    owner = RowFilter(User, code="username", label=_("Owner"))
    ownerless = YesNo(label=_("Without an owner"), field_name="owner", lookup_expr="isnull")
    site = RowFilter(Site, label=_("Site"))

    class Meta:
        model = Finding
        fields: list[str] = []


class DatedFilter(django_filters.FilterSet):
    """`until`: what begins on that day or before."""

    site = RowFilter(Site, label=_("Site"))
    until = django_filters.DateFilter(label=_("Begins until"), field_name="valid_from", lookup_expr="lte", widget=Day)


class NetMarginFilter(DatedFilter):
    class Meta:
        model = NetMargin
        fields: list[str] = []


class LabourCapacityFilter(DatedFilter):
    class Meta:
        model = LabourCapacity
        fields: list[str] = []


class SubscriptionFilter(django_filters.FilterSet):
    site = RowFilter(Site, label=_("Site"))
    asset = RowFilter(Asset, label=_("Asset"))
    scope = django_filters.ChoiceFilter(label=_("Counts"), choices=Counts.choices)

    class Meta:
        model = ReportSubscription
        fields: list[str] = []


class KeptReportFilter(django_filters.FilterSet):
    site = RowFilter(Site, label=_("Site"))
    asset = RowFilter(Asset, label=_("Asset"))
    monday = django_filters.DateFilter(label=_("Week from"), widget=Day)

    class Meta:
        model = KeptReport
        fields: list[str] = []
