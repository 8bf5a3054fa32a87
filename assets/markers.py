"""Marks beside assets in the tree: this app's own, and those that upper apps add.

@markers.register
def open_orders(site, user) -> dict[int, Badge]:
    \"\"\"Asset id → what to show, in one query.\"\"\"
"""

from collections import defaultdict
from collections.abc import Callable

from core.kit.badges import Badge
from core.models import Site

Marker = Callable[[Site, object], dict[int, Badge]]
REGISTRY: list[Marker] = []


def register(marker: Marker) -> Marker:
    """Add a function that answers asset id → badge for a site and a user, in one query."""
    REGISTRY.append(marker)
    return marker


def of(site: Site, user) -> dict[int, list[Badge]]:
    """Asset id → all its marks; as many queries as markers."""
    found: dict[int, list[Badge]] = defaultdict(list)
    for marker in REGISTRY:
        for asset_id, badge in marker(site, user).items():
            found[asset_id].append(badge)
    return found
