"""Holding an order while something that belongs to it changes."""

from core.errors import Conflict


def locked(order):
    """A fresh copy of the order, locked until the end of the transaction. Everything below an order waits for it."""
    rows = type(order).objects.select_related("site", "asset__site")
    found = rows.select_for_update(of=("self",)).filter(pk=order.pk).first()
    if found is None:
        raise Conflict("This order is gone.", code="gone")
    return found
