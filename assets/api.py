"""Assets in the REST API."""

from assets import tree
from assets.filters import AssetFilter
from assets.models import Asset
from assets.serializers import AssetSerializer, PlacementInput
from core.api.resource import Adds, Changes, Resource, verb
from core.errors import Refused


class Assets(Adds, Changes, Resource):
    """Areas, lines, machines and components of the caller's sites."""

    model = Asset
    serializer_class = AssetSerializer
    filterset_class = AssetFilter
    orderings = ("code", "name", "criticality", "commissioned", "created")
    default_ordering = "code"

    def add(self, data):
        return tree.create(data.pop("site"), data, by=self.request.user)

    def change(self, asset, data):
        if data.pop("site", asset.site) != asset.site:
            raise Refused("An asset stays at its site.", code="site_is_fixed", field="site")
        tree.edit(asset, data, by=self.request.user)

    def lock(self, asset):
        tree.locked_site(asset.site)  # first the site, as every change of the tree does
        super().lock(asset)

    @verb("placement", PlacementInput)
    def placement(self, asset, data):
        """Move the asset, with all below it, from a moment on; what happened before stays where it happened."""
        tree.move(asset, data.pop("parent"), by=self.request.user, **data)

    @verb("archive")
    def archive(self, asset, data):
        """Take the asset and all below it out of sight; its history stays."""
        tree.archive(asset, by=self.request.user)

    @verb("restoration")
    def restoration(self, asset, data):
        """Bring back an archived asset and what was archived with it."""
        tree.restore(asset, by=self.request.user)
