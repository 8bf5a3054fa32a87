"""How assets are found by typing."""

from django.utils.translation import gettext_lazy as _

from core.kit.lookups import Lookup, register

register(
    Lookup(
        "assets.Asset",
        ("code", "name"),
        label=_("Assets"),
        icon="building-factory-2",
        detail=lambda asset: asset.parent.name if asset.parent else asset.site.name,
        related=("parent", "site"),
        order=10,  # the machine is what most people look for; its orders hang on its page
    )
)
