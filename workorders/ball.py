"""Who has the ball: the person who owns the next step after a move. None means any of those who may."""

from core.events import history
from people.directory import people_who
from people.models import User


def actor(order, by: User | None) -> User | None:
    """whoever made the move"""
    return by


def nobody(order, by: User | None) -> None:
    """nobody: nothing is left to do"""


def planner(order, by: User | None) -> User | None:
    """the planner who last dealt with the order, else any planner"""
    planners = people_who("plan", order.site_id)
    if by is not None and by.can("plan", order.site_id):
        return by
    if order.owner_id and (owner := planners.filter(pk=order.owner_id).first()):
        return owner
    last = history(order).filter(actor__in=planners).first() if order.pk else None
    if last:
        return last.actor
    only = planners[:2]
    return only[0] if len(only) == 1 else None


def first_assigned(order, by: User | None) -> User | None:
    """the person assigned first"""
    assignment = order.assignments.select_related("person").order_by("start", "pk").first()
    return assignment.person if assignment else None


def last_worker(order, by: User | None) -> User | None:
    """the technician who worked on it last"""
    labour = order.labour.select_related("person").order_by("-start", "-pk").first()
    return labour.person if labour else first_assigned(order, by)


def checker(order, by: User | None) -> User | None:
    """the person who reported the problem, else the planner"""
    request = getattr(order, "request", None)
    reporter = request.reported_by if request else None
    if reporter is not None and reporter.can("report", order.site_id):
        return reporter
    return planner(order, None)
