"""Agreed weeks in the REST API: what was frozen, by whom and when."""

import django_filters
from django.utils.translation import gettext_lazy as _

from core.api.fields import Minutes
from core.api.resource import Adds, Removes, Resource
from core.api.serializers import RowSerializer
from core.filters import RowFilter
from core.kit.forms import Day
from core.models import Site
from core.serializers import PersonReference, SiteReference
from workorders.agreeing import agree, withdraw
from workorders.models import AgreedOrder, AgreedWeek
from workorders.serializers import OrderReference


class AgreedOrderSerializer(RowSerializer):
    """An order that is to be completed in the week, with what was planned for it there."""

    order = OrderReference(read_only=True)
    duration = Minutes(source="minutes", read_only=True, allow_null=True)

    class Meta:
        model = AgreedOrder
        fields = ["order", "duration"]


class AgreedWeekSerializer(RowSerializer):
    """The schedule of a site's week as it was frozen."""

    site = SiteReference()
    agreed_by = PersonReference(read_only=True, allow_null=True)
    orders = AgreedOrderSerializer(many=True, read_only=True)

    class Meta:
        model = AgreedWeek
        fields = ["id", "site", "monday", "agreed_at", "agreed_by", "orders"]
        read_only_fields = ["agreed_at"]


class AgreedWeekFilter(django_filters.FilterSet):
    site = RowFilter(Site, label=_("Site"))
    monday = django_filters.DateFilter(label=_("Monday of the week"), widget=Day)

    class Meta:
        model = AgreedWeek
        fields: list[str] = []


class AgreedWeeks(Adds, Removes, Resource):
    """Weeks whose schedule was agreed. POST freezes what is scheduled in the week now, until its Monday is over again
    and again; DELETE takes it back until then."""

    model = AgreedWeek
    serializer_class = AgreedWeekSerializer
    filterset_class = AgreedWeekFilter
    orderings = ("monday",)
    default_ordering = "-monday"
    list_without = ("orders",)

    def add(self, data):
        return agree(data["site"], data["monday"], by=self.request.user)

    def remove(self, row):
        withdraw(row, by=self.request.user)
