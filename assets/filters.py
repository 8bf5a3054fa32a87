"""How lists of assets and of what happened to them are narrowed, on pages, in the API and in exports."""

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field

from assets.models import (
    Asset,
    AssetKind,
    Criticality,
    Downtime,
    DowntimeReason,
    Failure,
    FailureCode,
    FormerHourlyCost,
    Level,
    Source,
)
from core.filters import RowField, RowFilter
from core.kit import lookups
from core.kit.forms import Day, SearchSelect
from core.models import Site

ANY = _("any")
PLANNED = [("true", _("Planned")), ("false", _("Unplanned"))]
YES_NO = [("true", _("Yes")), ("false", _("No"))]


@extend_schema_field({"type": "boolean"})
class YesNo(django_filters.TypedChoiceFilter):
    """A truth with its own words: `choices` of "true" and "false"."""

    def __init__(self, *, choices=YES_NO, **options):
        super().__init__(
            choices=[("", ANY), *choices], coerce=lambda value: value == "true", empty_value=None, **options
        )


class CodeOf(django_filters.ModelChoiceFilter):
    """An entry of one list of failure codes, by id or code."""

    field_class = RowField

    def __init__(self, listed: str, **options):
        super().__init__(queryset=FailureCode.objects.filter(list=listed), **options)


def below(rows, asset: Asset, path: str = ""):
    """The rows whose asset (found at `path`) is this one or stands below it."""
    return rows.filter(**{f"{path}path__startswith": asset.path})


class FormerHourlyCostFilter(django_filters.FilterSet):
    site = RowFilter(Site, label=_("Site"), field_name="asset__site")
    asset = RowFilter(Asset, label=_("Asset"))

    class Meta:
        model = FormerHourlyCost
        fields: list[str] = []


class AssetFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(label=_("Code or name"), method="by_text")
    ancestor = RowFilter(Asset, label=_("Line or area"), method="by_ancestor", widget=SearchSelect)
    parent = RowFilter(Asset, label=_("Stands in"), widget=SearchSelect)
    kind = RowFilter(AssetKind, label=_("Kind"))
    level = django_filters.ChoiceFilter(label=_("Level"), choices=Level.choices, empty_label=ANY)
    criticality = django_filters.MultipleChoiceFilter(
        label=_("Criticality"), choices=[(each, each) for each in Criticality.values], distinct=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    down = YesNo(label=_("State"), choices=[("true", _("Down")), ("false", _("Not down"))], method="by_state")
    archived = YesNo(label=_("Archived"), method="by_archive")
    site = RowFilter(Site, label=_("Site"))
    code = django_filters.CharFilter(label=_("Code"), lookup_expr="iexact")
    external_id = django_filters.CharFilter(label=_("External id"))

    class Meta:
        model = Asset
        fields: list[str] = []

    def by_text(self, rows, name, value):
        return lookups.of("assets.Asset").find(rows, value)

    def by_ancestor(self, rows, name, value):
        return below(rows, value)

    def by_state(self, rows, name, value):
        down = Exists(Downtime.objects.open().filter(asset=OuterRef("pk")))
        return rows.filter(down if value else ~down)

    def by_archive(self, rows, name, value):
        return rows.filter(archived_at__isnull=not value)


class AssetPageFilter(AssetFilter):
    """Without what only programs ask for."""

    parent = site = code = external_id = None


class HappenedFilter(django_filters.FilterSet):
    """What happened to assets: where, and in which time."""

    asset = RowFilter(Asset, label=_("Asset"), widget=SearchSelect)
    ancestor = RowFilter(Asset, label=_("Line or area"), method="by_ancestor", widget=SearchSelect)
    since = django_filters.IsoDateTimeFilter(label=_("From"), method="by_since", widget=Day)
    until = django_filters.IsoDateTimeFilter(label=_("Before"), method="by_until", widget=Day)
    source = django_filters.ChoiceFilter(label=_("Source"), choices=Source.choices, empty_label=ANY)
    site = RowFilter(Site, label=_("Site"), field_name="asset__site")
    external_id = django_filters.CharFilter(label=_("External id"))

    def by_ancestor(self, rows, name, value):
        return below(rows, value, "asset__")


class DowntimeFilter(HappenedFilter):
    """`since` and `until`: stops that share time with [since, until)."""

    reason = RowFilter(DowntimeReason, label=_("Reason"))
    without_reason = YesNo(label=_("Without a reason"), field_name="reason", lookup_expr="isnull")
    planned = YesNo(label=_("Planned"), choices=PLANNED)
    open = YesNo(
        label=_("State"), choices=[("true", _("Still down")), ("false", _("Over"))], field_name="end",
        lookup_expr="isnull",
    )  # fmt: skip
    is_failure = YesNo(label=_("Failure"), method="by_failure")

    class Meta:
        model = Downtime
        fields: list[str] = []

    def by_since(self, rows, name, value):
        return rows.filter(Q(end=None) | Q(end__gt=value))

    def by_until(self, rows, name, value):
        return rows.filter(start__lt=value)

    def by_failure(self, rows, name, value):
        failed = Exists(Failure.objects.filter(downtime=OuterRef("pk")))
        return rows.filter(failed if value else ~failed)


class DowntimePageFilter(DowntimeFilter):
    """Without what only programs ask for."""

    site = external_id = None


class FailureFilter(HappenedFilter):
    """`since` and `until`: failures that occurred in [since, until)."""

    problem = CodeOf("problem", label=_("Problem"))
    cause = CodeOf("cause", label=_("Cause"))
    remedy = CodeOf("remedy", label=_("Remedy"))
    detection = django_filters.ChoiceFilter(label=_("Detection"), choices=Failure.Detection.choices, empty_label=ANY)
    restored = YesNo(label=_("Restored"), lookup_expr="isnull", exclude=True)

    class Meta:
        model = Failure
        fields: list[str] = []

    def by_since(self, rows, name, value):
        return rows.filter(occurred__gte=value)

    def by_until(self, rows, name, value):
        return rows.filter(occurred__lt=value)


class FailurePageFilter(FailureFilter):
    """Without what only programs ask for."""

    site = external_id = None


class ReasonFilter(django_filters.FilterSet):
    site = RowFilter(Site, label=_("Site"))
    kind = RowFilter(AssetKind, label=_("Kind"))
    planned = YesNo(label=_("Planned"), choices=PLANNED)
    active = YesNo(label=_("In use"))

    class Meta:
        model = DowntimeReason
        fields = ["code"]


class FailureCodeFilter(django_filters.FilterSet):
    list = django_filters.ChoiceFilter(label=_("List"), choices=FailureCode.List.choices, empty_label=ANY)
    kind = RowFilter(AssetKind, label=_("Kind"))

    class Meta:
        model = FailureCode
        fields = ["code"]


class KindFilter(django_filters.FilterSet):
    class Meta:
        model = AssetKind
        fields = ["code"]
