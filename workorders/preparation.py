"""Getting an order ready: its steps, its estimate, and who is to do it when."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict, NotAllowed, Refused
from core.events import record
from people.directory import people_who
from people.models import User
from people.permissions import require
from workorders.locking import locked
from workorders.states import OPEN_STATES, State

LONGEST = 24 * 60  # minutes of one assignment; longer work is split


# --- Part of the moves "plan" and "schedule" -----------------------------------------------------------


def adopt_plan(order, *, by, at: datetime, inputs: dict) -> dict:
    """Copy the steps of the chosen job plan behind those that are there, and take its estimate if none is given."""
    plan = inputs.get("job_plan")
    if plan and plan.pk != order.job_plan_id:
        use_job_plan(order, plan)
    if inputs.get("estimate_minutes"):
        order.estimate_minutes = inputs["estimate_minutes"]
    if not order.estimate_minutes and order.job_plan_id:
        order.estimate_minutes = order.job_plan.estimate_minutes
    return {"job_plan": order.job_plan_id, "estimate_minutes": order.estimate_minutes}


def give_to(order, *, by, at: datetime, inputs: dict) -> dict:
    """Assign the person named with the move, if one is."""
    if person := inputs.get("person"):
        start, minutes = inputs.get("start"), inputs.get("minutes")
        if start is None:
            raise Refused(_("Say when the work is to start."), code="start_missing", field="start")
        add_assignment(order, person=person, start=start, minutes=minutes)
    return {"assigned": [str(each.person) for each in order.assignments.select_related("person")]}


def use_job_plan(order, plan) -> None:
    """Make this the order's job plan (unsaved) and add its steps."""
    if plan.site_id != order.site_id:
        raise Refused(_("This site has no such job plan."), code="unknown_job_plan", field="job_plan")
    if plan.archived_at:
        raise Refused(_("This job plan is archived."), code="job_plan_archived", field="job_plan")
    order.job_plan = plan
    add_steps(order, [step.template() for step in plan.steps.all()])


def add_steps(order, templates: list[dict]) -> list:
    """Add steps behind those that are there; conditions among the new ones keep pointing at each other."""
    last = order.steps.aggregate(last=Max("position"))["last"] or 0
    positions = {template.get("position", place): last + place for place, template in enumerate(templates, 1)}
    steps = []
    for place, template in enumerate(templates, 1):
        fields = template | {"position": last + place}
        if fields.get("depends_on") is not None:
            fields["depends_on"] = positions.get(fields["depends_on"])
        steps.append(order.steps.model(order=order, **fields))
    return order.steps.model.objects.bulk_create(steps)


# --- Assignments -----------------------------------------------------------------------------------------


@transaction.atomic
def assign(order, *, person: User, by: User, start: datetime | None = None, minutes: int | None = None):
    """Put a person on an order, perhaps from a moment on; may be said again for others, or for another day.

    Planners assign anybody who can do work at the site; a technician may take an order for himself.
    """
    order = _open_order(order, by, person)
    assignment = add_assignment(order, person=person, start=start, minutes=minutes)
    _note(order, by, "assigned", f"{order.code}: assigned to {person}", assignment)
    return assignment


@transaction.atomic
def reassign(
    assignment, *, by: User, person: User | None = None, start: datetime | None = None, minutes: int | None = None
):
    """Move an assignment to another person, start or length; what is not given stays."""
    person = person or assignment.person
    order = _open_order(assignment.order, by, person)
    assignment = order.assignments.select_for_update().select_related("person").filter(pk=assignment.pk).first()
    if assignment is None:
        raise Conflict(_("This assignment was removed in the meantime."), code="removed")
    was = _facts(assignment)
    assignment.person, assignment.start = person, start or assignment.start
    assignment.minutes = minutes or assignment.minutes
    _check(order, assignment)
    assignment.save()
    _note(order, by, "reassigned", f"{order.code}: assigned to {person}", assignment, was=was)
    return assignment


@transaction.atomic
def unassign(assignment, *, by: User) -> None:
    """Take a person off an order. A scheduled order keeps at least one."""
    order = _open_order(assignment.order, by, assignment.person)
    others = order.assignments.exclude(pk=assignment.pk).filter(start__isnull=False)
    if order.state == State.SCHEDULED and not others.exists():
        raise Refused(
            _("A scheduled order needs somebody; move it to another person or day instead."),
            code="assignment_missing",
            field="person",
        )
    facts, key = _facts(assignment), assignment.pk
    if not order.assignments.filter(pk=key).delete()[0]:
        raise Conflict(_("This assignment was removed in the meantime."), code="removed")
    record(
        "work_order.unassigned", order, by=by, site=order.site, summary=(
            f"{order.code}: {assignment.person} is no longer assigned"
        ), **facts,
    )  # fmt: skip
    _pass_on(order, by)


def add_assignment(order, *, person: User, start: datetime | None, minutes: int | None):
    """Check and write an assignment without an event, for a verb that tells of it itself."""
    assignment = order.assignments.model(
        order=order, person=person, start=start, minutes=minutes or order.estimate_minutes
    )
    _check(order, assignment)
    assignment.save()
    return assignment


def _check(order, assignment) -> None:
    if not people_who("execute", order.site_id).filter(pk=assignment.person_id).exists():
        raise Refused(
            _("%(person)s does no work at this site.") % {"person": assignment.person},
            code="person_cannot", field="person",
        )  # fmt: skip
    if assignment.start is not None and timezone.is_naive(assignment.start):
        raise Refused(_("Give the time with its offset from UTC."), code="naive_time", field="start")
    if assignment.minutes is not None and not 1 <= assignment.minutes <= LONGEST:
        raise Refused(
            _("An assignment lasts 1 to %(most)d minutes; split longer work.") % {"most": LONGEST},
            code="minutes_out_of_range",
            field="minutes",
        )
    same = order.assignments.filter(person=assignment.person_id, start=assignment.start).exclude(pk=assignment.pk)
    if same.exists():
        raise Conflict(
            _("%(person)s is assigned to this order already.") % {"person": assignment.person},
            code="assigned_already", field="person",
        )  # fmt: skip


def _open_order(order, by: User, person: User):
    """The order, locked, if this person may assign and work is still to be done."""
    if by is not None and not by.can("plan", order.site_id):
        require(by, "execute", order.site_id)
        if person != by:
            raise NotAllowed(_("Planners assign others; you may take an order for yourself."))
    order = locked(order)
    if order.state not in OPEN_STATES:
        raise Conflict(
            _("%(order)s is %(state)s; nobody can be assigned any more.")
            % {"order": order.code, "state": order.get_state_display().lower()},
            code="wrong_state",
        )
    return order


def _note(order, by, past: str, summary: str, assignment, **more) -> None:
    record(f"work_order.{past}", order, by=by, site=order.site, summary=summary, **_facts(assignment), **more)
    _pass_on(order, by)


def _pass_on(order, by) -> None:
    """While an order is scheduled, the person assigned first has the ball."""
    if order.state != State.SCHEDULED:
        return
    first = order.assignments.order_by("start", "pk").values_list("person", flat=True).first()
    if first != order.owner_id:
        type(order).objects.filter(pk=order.pk).update(owner=first)


def _facts(assignment) -> dict:
    return {
        "person": assignment.person_id,
        "start": assignment.start.isoformat() if assignment.start else None,
        "minutes": assignment.minutes,
    }
