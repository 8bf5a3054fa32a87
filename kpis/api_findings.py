"""Findings in the REST API: read them, name an owner, accept them."""

from rest_framework import serializers

from assets.serializers import AssetReference
from core.api.resource import Changes, Resource, verb
from core.api.serializers import RowSerializer
from core.serializers import PersonReference, SiteReference
from kpis import findings
from kpis.filters import FindingFilter
from kpis.models import Finding


class FindingSerializer(RowSerializer):
    """A doubt about the records of an asset; `numbers` are what was seen last."""

    site = SiteReference(read_only=True)
    asset = AssetReference(read_only=True)
    owner = PersonReference(required=False, allow_null=True)

    class Meta:
        model = Finding
        fields = [
            "id", "site", "asset", "kind", "numbers", "state", "owner", "due", "found_at", "seen_at", "reason",
            "accepted_until", "settled_at", "version",
        ]  # fmt: skip
        read_only_fields = [
            "kind", "numbers", "state", "found_at", "seen_at", "reason", "accepted_until", "settled_at", "version",
        ]  # fmt: skip


class Acceptance(serializers.Serializer):
    """Why it is right so, and until which day it is not raised again."""

    reason = serializers.CharField(max_length=500)
    until = serializers.DateField()


class Findings(Changes, Resource):
    """Doubts about the records behind the figures. The nightly look raises and mends them."""

    model = Finding
    serializer_class = FindingSerializer
    filterset_class = FindingFilter
    orderings = ("found_at", "seen_at", "due")
    default_ordering = "-found_at"

    def change(self, finding, data):
        findings.change(finding, data, by=self.request.user)

    @verb("acceptance", Acceptance)
    def acceptance(self, finding, data):
        findings.accept(finding, by=self.request.user, **data)
