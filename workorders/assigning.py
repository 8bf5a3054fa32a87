"""The planner's shortcuts: many orders in one go, each by the same verbs and rules as a single one."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import Conflict, DomainError
from people.models import User
from workorders.models import WorkOrder
from workorders.preparation import assign, reassign
from workorders.states import State

USUAL_MINUTES = 60  # of an order without an estimate


def assign_many(orders: Iterable[WorkOrder], *, by: User, person: User) -> str:
    """Put a person on each order; answers with a sentence that names what was left as it is."""

    def give(order: WorkOrder) -> None:
        assign(order, person=person, by=by)

    done, left = _each(orders, give)
    said = ngettext("%(count)d order assigned to %(person)s.", "%(count)d orders assigned to %(person)s.", done) % {
        "count": done,
        "person": person,
    }
    return _with_rest(said, left)


def schedule_many(orders: Iterable[WorkOrder], *, by: User, person: User, start: datetime) -> str:
    """Give a person the orders one after the other, the most urgent first, each as long as its estimate."""
    orders = sorted(orders, key=urgency)
    moment = start

    def place(order: WorkOrder) -> None:
        nonlocal moment
        schedule_one(order, by=by, person=person, start=moment)
        moment += timedelta(minutes=order.estimate_minutes or USUAL_MINUTES)

    done, left = _each(orders, place)
    said = ngettext("%(count)d order scheduled for %(person)s.", "%(count)d orders scheduled for %(person)s.", done) % {
        "count": done,
        "person": person,
    }
    return _with_rest(said, left)


def urgency(order: WorkOrder) -> tuple:
    """What to sort by to have the most urgent first: priority, then the nearest due moment."""
    return order.priority, order.due_to.timestamp() if order.due_to else float("inf"), order.pk


@transaction.atomic
def schedule_one(order: WorkOrder, *, by: User, person: User, start: datetime, minutes: int | None = None) -> None:
    """Place an order in the week: the person gets it at that time, and the order moves on to *scheduled* if it may.

    An approved order that has steps and an estimate is planned with it; one without stays approved, with a person
    and a time. A draft is refused: it waits for its approval.
    """
    if order.state == State.APPROVED and order.estimate_minutes and (order.job_plan_id or order.steps.exists()):
        order.plan(by=by)
    unplaced = order.assignments.filter(person=person, start=None).first()
    if order.state == State.PLANNED:
        if unplaced:
            reassign(unplaced, by=by, start=start, minutes=minutes)
            order.schedule(by=by)
        else:
            order.schedule(by=by, person=person, start=start, minutes=minutes)
    elif order.state == State.DRAFT:
        raise Conflict(
            _("%(order)s is a draft; approve it first.") % {"order": order.code}, code="wrong_state", field="start"
        )
    elif unplaced:
        reassign(unplaced, by=by, start=start, minutes=minutes)
    else:
        assign(order, person=person, by=by, start=start, minutes=minutes)


def _each(orders: Iterable[WorkOrder], do: Callable[[WorkOrder], None]) -> tuple[int, list[str]]:
    """(How many were done, why each of the others was not)."""
    done, left = 0, []
    for order in orders:
        try:
            do(order)
        except DomainError as error:
            left.append(error.message)
        else:
            done += 1
    return done, left


def _with_rest(said: str, left: list[str]) -> str:
    if not left:
        return said
    rest = ngettext("%(count)d left as it is: %(why)s", "%(count)d left as they are: %(why)s", len(left))
    return f"{said} {rest % {'count': len(left), 'why': ' '.join(left[:3])}}"
