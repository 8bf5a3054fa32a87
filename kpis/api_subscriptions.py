"""Who gets the weekly report by e-mail, in the REST API: one's own subscriptions."""

from assets.serializers import AssetReference
from core.api.resource import Adds, Removes, Resource
from core.api.serializers import RowSerializer
from core.serializers import SiteReference
from kpis import reporting
from kpis.filters import SubscriptionFilter
from kpis.models import Counts, ReportSubscription


class SubscriptionSerializer(RowSerializer):
    """The report of each week of a site, or of an asset, by e-mail to the caller. `scope` says what counts for the
    asset: its machines (*leaves*), or itself with what stops it (*asset*)."""

    site = SiteReference()
    asset = AssetReference(required=False, allow_null=True)

    class Meta:
        model = ReportSubscription
        fields = ["id", "site", "asset", "scope", "created"]
        read_only_fields = ["created"]


class ReportSubscriptions(Adds, Removes, Resource):
    """The caller's weekly reports by e-mail. Asking for one twice answers the first."""

    model = ReportSubscription
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    orderings = ("created",)
    default_ordering = "-created"

    def add(self, data):
        return reporting.subscribe(
            data["site"], data.get("asset"), scope=data.get("scope", Counts.LEAVES), by=self.request.user
        )

    def remove(self, row):
        reporting.unsubscribe(row, by=self.request.user)
