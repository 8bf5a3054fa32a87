"""Marks in the asset tree: how much work is open on each asset."""

from django.db.models import Count
from django.utils.translation import ngettext

from assets import markers
from core.kit.badges import Badge
from core.models import Site
from workorders.models import WorkOrder


@markers.register
def open_work(site: Site, user) -> dict[int, Badge]:
    """Asset id → the number of its open orders, in one query."""
    rows = WorkOrder.objects.visible_to(user).at(site).open().order_by().values("asset").annotate(orders=Count("pk"))
    return {
        row["asset"]: Badge(
            ngettext("%(n)d open order", "%(n)d open orders", row["orders"]) % {"n": row["orders"]},
            "watch",
            "clipboard-list",
        )
        for row in rows
    }
