"""The hours a week that the crew of a site has: what a backlog and wrench time are measured by."""

from django.utils.translation import gettext as _

from core.errors import Refused
from kpis.dated import Verbs
from kpis.models import LabourCapacity


def described(capacity: LabourCapacity) -> str:
    """ "120.0 h a week, 160.0 h paid, from 2026-01-01"."""
    paid = "" if capacity.paid is None else f", {capacity.paid:,.1f} h paid"
    return f"{capacity.net:,.1f} h a week{paid}, from {capacity.valid_from}"


def _check(capacity: LabourCapacity) -> None:
    for name in ("net", "paid"):
        value = getattr(capacity, name)
        if value is not None and value <= 0:
            raise Refused(_("Give hours above zero."), code="out_of_range", field=name)
    if capacity.paid is not None and capacity.paid < capacity.net:
        raise Refused(
            _("Paid hours hold meetings, training and absence as well: they are not fewer than those for orders."),
            code="out_of_range", field="paid",
        )  # fmt: skip


VERBS = Verbs(LabourCapacity, "labour_capacity", ("net", "paid", "valid_from"), described, _check)
