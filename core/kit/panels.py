"""The tabs of a detail page. An upper app registers a panel on a lower app's page; the page never knows it.

@panels.register("assets.Asset")
class WorkOrders(Panel):
    slug, label, icon, order = "work-orders", _("Work orders"), "clipboard-list", 30
    template = "workorders/panels/asset_orders.html"

    def context(self, request, obj):
        return {"orders": WorkOrder.objects.visible_to(request.user).filter(asset=obj)[:20]}
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db import models
from django.http import HttpRequest

from core.kit.badges import Action

REGISTRY: dict[str, list["Panel"]] = defaultdict(list)


class Panel:
    """One tab: who sees it, what it needs, which template draws it."""

    slug: str
    label: Any
    icon: str = ""
    order: int = 50
    template: str

    def applies(self, obj: models.Model, user) -> bool:
        """Whether this row has the tab, for this user."""
        return True

    def count(self, obj: models.Model, user) -> int | None:
        """A number beside the tab's name, or None."""
        return None

    def actions(self, obj: models.Model, user) -> list[Action]:
        """Buttons at the top of the page, whichever tab is open; they stand before the page's own."""
        return []

    def context(self, request: HttpRequest, obj: models.Model) -> dict:
        """What the template needs besides `object`."""
        return {}


def register(label: str) -> Callable[[type[Panel]], type[Panel]]:
    """Add a panel to the pages of a model, named by label ("assets.Asset")."""

    def add(panel: type[Panel]) -> type[Panel]:
        key = label.lower()
        if any(other.slug == panel.slug for other in REGISTRY[key]):
            raise ValueError(f"{label} already has a panel {panel.slug!r}")
        REGISTRY[key].append(panel())
        REGISTRY[key].sort(key=lambda each: (each.order, each.slug))
        return panel

    return add


def of(obj: models.Model, user) -> list[Panel]:
    """The panels of a row for a user, in order."""
    return [panel for panel in REGISTRY[obj._meta.label_lower] if panel.applies(obj, user)]
