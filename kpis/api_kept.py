"""Weekly reports as they were sent, in the REST API."""

from rest_framework import serializers

from assets.serializers import AssetReference
from core.api.resource import Resource
from core.api.serializers import RowSerializer
from core.serializers import SiteReference
from kpis.filters import KeptReportFilter
from kpis.models import KeptReport


class KeptReportSerializer(RowSerializer):
    """The report of one week as it was sent in one language. In `contents` each of `rows` has the words that were sent
    and, as `stated`, the figure unrounded with the version of its definition."""

    site = SiteReference(read_only=True)
    asset = AssetReference(read_only=True, allow_null=True)
    contents = serializers.DictField(read_only=True)

    class Meta:
        model = KeptReport
        fields = ["id", "site", "asset", "scope", "monday", "language", "made", "copies", "contents"]
        read_only_fields = ["scope", "monday", "language", "made", "copies"]


class SentReports(Resource):
    """Weekly reports as they were sent: what was known then, by the definitions of then. Lists leave `contents` out."""

    model = KeptReport
    serializer_class = KeptReportSerializer
    filterset_class = KeptReportFilter
    orderings = ("made", "monday")
    default_ordering = "-made"
    list_without = ("contents",)
