"""How the list of targets is narrowed, on the page, in the API and in exports."""

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.filters import RowFilter
from core.kit.forms import Day, SearchSelect
from core.models import Site
from kpis.definitions import DEFINITIONS
from kpis.models import Target


class TargetFilter(django_filters.FilterSet):
    """`on`: targets that hold on that day."""

    definition = django_filters.ChoiceFilter(
        label=_("Figure"), choices=lambda: [(key, each.name) for key, each in DEFINITIONS.items()]
    )
    asset = RowFilter(Asset, label=_("Asset"), widget=SearchSelect)
    site = RowFilter(Site, label=_("Site"))
    on = django_filters.DateFilter(label=_("Holds on"), method="by_day", widget=Day)

    class Meta:
        model = Target
        fields: list[str] = []

    def by_day(self, rows, name, value):
        return rows.filter(Q(valid_to=None) | Q(valid_to__gt=value), valid_from__lte=value)
