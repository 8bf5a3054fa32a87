"""How lists of calendars and counts are narrowed, on pages, in the API and in exports."""

import django_filters
from django.utils.translation import gettext_lazy as _

from assets.filters import HappenedFilter
from assets.models import Asset
from core.filters import RowFilter
from core.kit.forms import Day, SearchSelect
from core.models import Site
from production.models import Count, OperatingCalendar


class CalendarFilter(django_filters.FilterSet):
    """`on`: calendars that hold on that day."""

    asset = RowFilter(Asset, label=_("Asset"), widget=SearchSelect)
    site = RowFilter(Site, label=_("Site"))
    on = django_filters.DateFilter(label=_("Holds on"), method="by_day", widget=Day)

    class Meta:
        model = OperatingCalendar
        fields: list[str] = []

    def by_day(self, rows, name, value):
        return rows.filter(valid_from__lte=value).exclude(valid_to__lte=value)


class CountFilter(HappenedFilter):
    """`since` and `until`: counts that share time with [since, until)."""

    product = django_filters.CharFilter(label=_("Product"), lookup_expr="iexact")

    class Meta:
        model = Count
        fields: list[str] = []

    def by_since(self, rows, name, value):
        return rows.filter(end__gt=value)

    def by_until(self, rows, name, value):
        return rows.filter(start__lt=value)


class CountPageFilter(CountFilter):
    """Without what only programs ask for."""

    site = external_id = None
