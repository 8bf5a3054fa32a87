"""The planner's shortcuts: many orders in one go, each by the same verbs and rules as a single one."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.utils.translation import ngettext

from core.errors import DomainError
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
    """Give a person the orders one after the other from a moment on, each as long as its estimate."""
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


def schedule_one(order: WorkOrder, *, by: User, person: User, start: datetime, minutes: int | None = None) -> None:
    """Place an order in the week: schedule what is planned, add a person and a time to what is scheduled already."""
    unplaced = order.assignments.filter(person=person, start=None).first()
    if order.state in (State.SCHEDULED, State.IN_PROGRESS, State.ON_HOLD):
        if unplaced:
            reassign(unplaced, by=by, start=start, minutes=minutes)
        else:
            assign(order, person=person, by=by, start=start, minutes=minutes)
        return
    if unplaced and order.state == State.PLANNED:
        reassign(unplaced, by=by, start=start, minutes=minutes)
        order.schedule(by=by)
        return
    order.schedule(by=by, person=person, start=start, minutes=minutes)


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
