"""Net margins of sites in the REST API."""

from rest_framework import serializers

from core.api.resource import Adds, Changes, Removes, Resource
from core.api.serializers import RowSerializer
from core.errors import Refused
from core.serializers import SiteReference
from kpis import net_margins
from kpis.filters import NetMarginFilter
from kpis.models import NetMargin


class NetMarginSerializer(RowSerializer):
    """What a site earns in a whole calendar year, in its currency, from a day on."""

    site = SiteReference()
    amount = serializers.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        model = NetMargin
        fields = ["id", "site", "amount", "valid_from", "version"]
        read_only_fields = ["version"]


class NetMargins(Adds, Changes, Removes, Resource):
    """Net margins of sites; each holds until the next one begins."""

    model = NetMargin
    serializer_class = NetMarginSerializer
    filterset_class = NetMarginFilter
    orderings = ("valid_from",)
    default_ordering = "-valid_from"

    def add(self, data):
        return net_margins.set_net_margin(data.pop("site"), data, by=self.request.user)

    def change(self, margin, data):
        if data.pop("site", margin.site) != margin.site:
            raise Refused("A net margin stays with its site.", code="owner_is_fixed", field="site")
        net_margins.change_net_margin(margin, data, by=self.request.user)

    def remove(self, margin):
        net_margins.remove_net_margin(margin, by=self.request.user)
