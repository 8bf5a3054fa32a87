"""My work: what a technician has to do, in the order in which to do it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.utils import timezone

from core.models import Site
from people.models import User
from workorders.models import Assignment, Labour, WorkOrder
from workorders.states import State
from workorders.timekeeping import running

MOST = 200  # open orders of one person; more is a planning problem
MOST_READY = 8
SOON = timedelta(days=7)
BEFORE_ONE = [state for state in State if state not in (State.DRAFT, State.CLOSED, State.CANCELLED)]


@dataclass
class MyWork:
    """One person's work at one site. Every order stands in one list only."""

    clocks: list[Labour] = field(default_factory=list)  # running now, on any order
    working: list[WorkOrder] = field(default_factory=list)  # in progress
    late: list[WorkOrder] = field(default_factory=list)  # not begun, though due or meant to start earlier
    today: list[WorkOrder] = field(default_factory=list)
    soon: list[WorkOrder] = field(default_factory=list)  # within a week
    later: list[WorkOrder] = field(default_factory=list)
    waiting: list[WorkOrder] = field(default_factory=list)  # on hold
    to_verify: list[WorkOrder] = field(default_factory=list)
    ready: list[WorkOrder] = field(default_factory=list)  # nobody has it; may be taken


def my_work(user: User, site: Site, *, now: datetime | None = None) -> MyWork:
    """What this person has at this site, in a constant number of queries. Orders carry `my_start`."""
    now = now or timezone.now()
    today = site.local(now).date()
    mine = MyWork(clocks=list(running(user)))
    own = Prefetch("assignments", Assignment.objects.filter(person=user).order_by("start"), to_attr="my_assignments")
    # Each way by its own index; with OR every open order of the site would be looked at.
    owned = WorkOrder.objects.filter(owner=user).order_by().values("pk")
    ids = user.assignments.order_by().values("order").union(owned)
    rows = WorkOrder.objects.at(site).filter(pk__in=ids, state__in=BEFORE_ONE)
    for order in rows.select_related("asset", "site").prefetch_related(own).order_by("priority", "pk")[:MOST]:
        order.my_start = next((each.start for each in order.my_assignments if each.start), None)
        list_of(mine, order, user, now, today).append(order)
    for orders in (mine.late, mine.today, mine.soon, mine.later):
        orders.sort(key=lambda order: order.my_start or order.due_to or now)
    mine.ready = list(
        WorkOrder.objects.at(site)
        .filter(~Exists(Assignment.objects.filter(order=OuterRef("pk"))), state__in=[State.APPROVED, State.PLANNED])
        .filter(Q(owner=None) | ~Q(owner=user))
        .select_related("asset", "site")
        .order_by("priority", F("due_to").asc(nulls_last=True), "pk")[:MOST_READY]
    )
    return mine


def list_of(mine: MyWork, order: WorkOrder, user: User, now: datetime, today) -> list[WorkOrder]:
    """The list to which an order belongs."""
    if order.state == State.COMPLETED:
        # Whoever only worked on it is done; whoever has the ball looks at it.
        return mine.to_verify if order.owner_id == user.pk else []
    if order.state == State.ON_HOLD:
        return mine.waiting
    if order.state == State.IN_PROGRESS:
        return mine.working
    day = order.site.local(order.my_start).date() if order.my_start else None
    due = order.site.local(order.due_to).date() if order.due_to else None
    if (order.due_to and order.due_to < now) or (day and day < today):
        return mine.late
    first = min((each for each in (day, due) if each), default=None)
    if first is None:
        return mine.later
    if first == today:
        return mine.today
    return mine.soon if first <= today + SOON else mine.later
