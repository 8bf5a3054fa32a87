"""Targets of key figures in the REST API."""

from rest_framework import serializers

from assets.serializers import AssetReference
from core.api.resource import Adds, Changes, Removes, Resource
from core.api.serializers import RowSerializer
from core.errors import Refused
from core.serializers import PersonReference, SiteReference
from kpis import targets
from kpis.filters import TargetFilter
from kpis.models import Target


class TargetSerializer(RowSerializer):
    """What a figure is to reach, in its unit (a share, or hours), for a site or an asset. `scope` says what counts for
    the asset: its machines (*leaves*), or itself with what stops it (*asset*)."""

    site = SiteReference(required=False, help_text="The asset's, unless sent; needed without an asset.")
    asset = AssetReference(required=False, allow_null=True)
    owner = PersonReference()
    definition = serializers.CharField(max_length=40)

    class Meta:
        model = Target
        fields = [
            "id", "site", "asset", "scope", "definition", "value", "watch", "owner", "valid_from", "valid_to",
            "version",
        ]  # fmt: skip
        read_only_fields = ["version"]


class Targets(Adds, Changes, Removes, Resource):
    """Targets of key figures. `on` asks for those that hold on a day."""

    model = Target
    serializer_class = TargetSerializer
    filterset_class = TargetFilter
    orderings = ("definition", "valid_from")
    default_ordering = "definition"

    def add(self, data):
        asset = data.pop("asset", None)
        site = data.pop("site", asset.site if asset else None)
        if site is None:
            raise Refused("Name the asset or the site that the target is for.", code="required", field="site")
        return targets.set_target(site, asset, data, by=self.request.user)

    def change(self, target, data):
        for name in ("site", "asset", "scope"):
            if data.pop(name, getattr(target, name)) != getattr(target, name):
                raise Refused("A target stays with its site, asset and scope.", code="owner_is_fixed", field=name)
        targets.change_target(target, data, by=self.request.user)

    def remove(self, target):
        targets.remove_target(target, by=self.request.user)
