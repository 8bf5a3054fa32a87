"""Which order a recorded stop or failure belongs to, said from the side of the stop or failure."""

from django.db import transaction
from django.utils.translation import gettext as _

from assets.models import Downtime, Failure
from core.errors import Conflict, DomainError
from people.models import User
from workorders.editing import edit
from workorders.locking import locked
from workorders.models import WorkOrder


@transaction.atomic
def link(name: str, row: Downtime | Failure, order: WorkOrder | None, *, by: User | None) -> None:
    """The order is about the row; `name` is "downtime" or "failure". None: no order is any more.

    Nothing is taken from another: Conflict while the row has another order, or the order another row. Said twice
    changes nothing, even when the order is closed by now.
    """
    others = row.work_orders.exclude(pk=order.pk if order else None).order_by("pk")
    try:
        if order is None:
            for other in others:
                edit(other, {name: None}, by=by)
            return
        order = locked(order)
        linked = getattr(order, f"{name}_id")
        if linked == row.pk:
            return
        if linked or others:
            taken = order if linked else others[0]
            raise Conflict(_("%(order)s is linked already.") % {"order": taken.code}, code="linked_already")
        edit(order, {name: row}, by=by)
    except DomainError as error:
        error.field = "work_order"
        raise
