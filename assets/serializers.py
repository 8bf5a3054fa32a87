"""What the REST API reads and answers about assets."""

from rest_framework import serializers

from assets.models import Asset, AssetKind, RedundancyGroup
from core.api.fields import Instant, InstantOrDay, Reference
from core.api.serializers import RowSerializer, Strict
from core.serializers import SiteReference


class AssetReference(Reference):
    """An asset, by id or code; the code stands for itself in upper and lower case, as on its label."""

    model = Asset
    ignore_case = True
    select_related = ("site", "kind")


class RedundancyGroupReference(Reference):
    """A redundancy group, by id."""

    model = RedundancyGroup
    code = None
    parts = {"id": "pk", "name": "name"}


class AssetSerializer(RowSerializer):
    """An area, a line, a machine or a component, and its place in the site's tree."""

    site = SiteReference()
    parent = AssetReference(within="site", required=False, allow_null=True)
    kind = Reference(AssetKind, required=False, allow_null=True)
    redundancy_group = RedundancyGroupReference(required=False, allow_null=True)
    commissioned = InstantOrDay(within="site", required=False, allow_null=True)
    retired = InstantOrDay(within="site", required=False, allow_null=True)

    class Meta:
        model = Asset
        fields = [
            "id",
            "site",
            "code",
            "name",
            "level",
            "kind",
            "parent",
            "stops_parent",
            "redundancy_group",
            "criticality",
            "safety_score",
            "environment_score",
            "production_score",
            "quality_score",
            "cost_score",
            "criticality_reason",
            "manufacturer",
            "model",
            "serial_number",
            "description",
            "downtime_cost",
            "short_stop_seconds",
            "commissioned",
            "retired",
            "archived_at",
            "external_id",
            "created",
            "version",
        ]
        read_only_fields = ["archived_at", "created", "version"]


class PlacementInput(Strict):
    """Where an asset stands from a moment on; without a parent on top of the tree, without a moment from now on."""

    parent = AssetReference(allow_null=True, within="site")
    stops_parent = serializers.BooleanField(default=False)
    redundancy_group = RedundancyGroupReference(required=False, allow_null=True)
    at = Instant(required=False)
