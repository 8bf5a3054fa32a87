"""Net margins and labour capacities of sites in the REST API."""

from typing import ClassVar

from rest_framework import serializers

from core.api.resource import Adds, Changes, Removes, Resource
from core.api.serializers import RowSerializer
from core.errors import Refused
from core.serializers import SiteReference
from kpis import labour_capacity, net_margins
from kpis.dated import Verbs
from kpis.filters import LabourCapacityFilter, NetMarginFilter
from kpis.models import LabourCapacity, NetMargin


class Dated(Adds, Changes, Removes, Resource):
    """What holds of sites from a day on; each row holds until the next one begins."""

    verbs: ClassVar[Verbs]
    orderings = ("valid_from",)
    default_ordering = "-valid_from"

    def add(self, data):
        return self.verbs.set(data.pop("site"), data, by=self.request.user)

    def change(self, row, data):
        if data.pop("site", row.site) != row.site:
            called = str(row._meta.verbose_name)
            raise Refused(f"A {called} stays with its site.", code="owner_is_fixed", field="site")
        self.verbs.change(row, data, by=self.request.user)

    def remove(self, row):
        self.verbs.remove(row, by=self.request.user)


class NetMarginSerializer(RowSerializer):
    """What a site earns in a whole calendar year, in its currency, from a day on."""

    site = SiteReference()
    amount = serializers.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        model = NetMargin
        fields = ["id", "site", "amount", "valid_from", "version"]
        read_only_fields = ["version"]


class NetMargins(Dated):
    """Net margins of sites; each holds until the next one begins."""

    model, verbs = NetMargin, net_margins.VERBS
    serializer_class = NetMarginSerializer
    filterset_class = NetMarginFilter


class LabourCapacitySerializer(RowSerializer):
    """Hours of a week that the crew of a site has for orders (`net`), and for which it is paid, from a day on."""

    site = SiteReference()
    net = serializers.DecimalField(max_digits=8, decimal_places=1)
    paid = serializers.DecimalField(max_digits=8, decimal_places=1, allow_null=True, required=False)

    class Meta:
        model = LabourCapacity
        fields = ["id", "site", "net", "paid", "valid_from", "version"]
        read_only_fields = ["version"]


class LabourCapacities(Dated):
    """Labour capacities of sites; each holds until the next one begins."""

    model, verbs = LabourCapacity, labour_capacity.VERBS
    serializer_class = LabourCapacitySerializer
    filterset_class = LabourCapacityFilter
