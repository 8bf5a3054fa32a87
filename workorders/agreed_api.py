"""Agreed weeks in the REST API: what was frozen, by whom and when."""

import django_filters
from django.db.models import Case, DateTimeField, F, Func, Q, When
from django.utils.translation import gettext_lazy as _
from rest_framework.serializers import BooleanField

from core.api.fields import Computed, Minutes
from core.api.resource import Adds, Removes, Resource
from core.api.serializers import RowSerializer
from core.filters import RowFilter
from core.kit.forms import Day
from core.models import Site
from core.serializers import PersonReference, SiteReference
from workorders.agreeing import DONE, agree, withdraw
from workorders.models import AgreedOrder, AgreedWeek
from workorders.serializers import OrderReference


def _midnight(days: int) -> Func:
    """The instant at which the day so many after the Monday of the week begins at the site."""
    parts = F("week__monday"), F("week__site__time_zone")
    joined = f" + {days})::timestamp AT TIME ZONE "
    return Func(*parts, template="((%(expressions)s)", arg_joiner=joined, output_field=DateTimeField())


DONE_IN_WEEK = Q(
    order__state__in=DONE, order__completed_at__gte=_midnight(0), order__completed_at__lt=_midnight(7)
)  # in SQL what `workorders.agreeing.done_in` says


class AgreedOrderSerializer(RowSerializer):
    """An order that is to be completed in the week, with what was planned for it there."""

    order = OrderReference(read_only=True)
    duration = Minutes(source="minutes", read_only=True, allow_null=True)
    done = Computed(
        lambda: Case(When(DONE_IN_WEEK, then=True), default=False),
        shape=BooleanField(help_text=_("whether the work was completed in the week")),
    )

    class Meta:
        model = AgreedOrder
        fields = ["order", "duration", "done"]


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
