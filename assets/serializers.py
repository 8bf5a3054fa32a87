"""What the REST API reads and answers about assets, their stops and failures, and the lists behind them."""

from django.db.models import Exists, Model, OuterRef, QuerySet
from rest_framework import serializers

from assets.models import (
    Asset,
    AssetKind,
    Downtime,
    DowntimeReason,
    Failure,
    FailureCode,
    FormerHourlyCost,
    RedundancyGroup,
    Source,
)
from core.api.fields import Instant, InstantOrDay, Reference, Told
from core.api.serializers import RowSerializer, Strict
from core.serializers import PersonReference, SiteReference

SENDERS = [(Source.API.value, Source.API.label), (Source.PLC.value, Source.PLC.label)]


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
            "replacement_value",
            "short_stop_seconds",
            "silence_days",
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


# --- Stops and failures --------------------------------------------------------------------------------


class CodeReference(Reference):
    """A failure code of one list, by id or code; of equal codes the one for the asset's kind is meant."""

    model = FailureCode
    select_related = ("kind",)

    def __init__(self, listed: str, **options):
        self.listed = listed
        super().__init__(within="asset", **options)

    @property
    def known_as(self) -> tuple:
        return *super().known_as, self.listed

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(list=self.listed)

    def settle(self, found: list[FailureCode], attrs: dict, instance: Model | None):
        if not isinstance(found, list):
            return found
        asset = attrs.get("asset") or (instance.asset if instance else None)
        kind = asset.kind_id if asset else None
        fitting = [code for code in found if code.kind_id == kind] + [code for code in found if code.kind_id is None]
        return (fitting or found)[0]


class FormerHourlyCostSerializer(RowSerializer):
    """What an hour of an asset down cost until a day, in the site's currency; null: none was known."""

    asset = AssetReference()

    class Meta:
        model = FormerHourlyCost
        fields = ["id", "asset", "until", "amount", "version"]
        read_only_fields = ["version"]


class DowntimeReference(Reference):
    """A stop, by id."""

    model = Downtime
    code = None
    parts = {"id": "pk", "start": "start", "end": "end"}


class DowntimeSerializer(RowSerializer):
    """A stop of an asset, [start, end); without an end it lasts. `is_failure`: it raises a failure."""

    asset = AssetReference()
    reason = Reference(DowntimeReason, within="asset", required=False, allow_null=True)
    is_failure = Told(lambda: Exists(Failure.objects.filter(downtime=OuterRef("pk"))), required=False)
    planned = serializers.BooleanField(required=False, help_text="As the reason says, unless sent.")
    source = serializers.ChoiceField(choices=SENDERS, required=False, help_text="api unless sent; stays as it is.")
    entered_by = PersonReference(read_only=True, allow_null=True)

    class Meta:
        model = Downtime
        fields = [
            "id",
            "asset",
            "start",
            "end",
            "planned",
            "planned_end",
            "reason",
            "is_failure",
            "note",
            "source",
            "external_id",
            "entered_at",
            "entered_by",
            "version",
        ]
        read_only_fields = ["entered_at", "version"]


class Closure(Strict):
    """The asset is back: since when (now unless sent), and why it was down."""

    end = Instant(required=False)
    reason = Reference(DowntimeReason, within="asset", required=False)
    note = serializers.CharField(max_length=300, required=False)


class FailureSerializer(RowSerializer):
    """A failure of an asset: when it occurred, when it was restored, and the codes that say what it was."""

    asset = AssetReference()
    problem = CodeReference("problem", required=False, allow_null=True)
    cause = CodeReference("cause", required=False, allow_null=True)
    remedy = CodeReference("remedy", required=False, allow_null=True)
    downtime = DowntimeReference(required=False, allow_null=True)
    source = serializers.ChoiceField(choices=SENDERS, required=False, help_text="api unless sent; stays as it is.")
    entered_by = PersonReference(read_only=True, allow_null=True)

    class Meta:
        model = Failure
        fields = [
            "id",
            "asset",
            "component",
            "occurred",
            "restored",
            "problem",
            "cause",
            "remedy",
            "detection",
            "downtime",
            "note",
            "source",
            "external_id",
            "entered_at",
            "entered_by",
            "version",
        ]
        read_only_fields = ["entered_at", "version"]


# --- Lists ---------------------------------------------------------------------------------------------


class AssetKindSerializer(RowSerializer):
    """A kind of assets; all sites share the list."""

    class Meta:
        model = AssetKind
        fields = ["id", "code", "name"]


class ReasonSerializer(RowSerializer):
    """A reason for stops at a site, for one kind of assets or (null) for all."""

    site = SiteReference()
    kind = Reference(AssetKind, required=False, allow_null=True)

    class Meta:
        model = DowntimeReason
        fields = ["id", "site", "code", "name", "kind", "planned", "excluded", "loss_class", "active"]


class FailureCodeSerializer(RowSerializer):
    """A problem, cause or remedy, for one kind of assets or (null) for all; all sites share the lists."""

    kind = Reference(AssetKind, required=False, allow_null=True)

    class Meta:
        model = FailureCode
        fields = ["id", "list", "code", "name", "kind"]
