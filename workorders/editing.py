"""Correcting what an order says, while it is open."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from assets.checks import check_in_use, check_row, check_version
from core.changes import apply
from core.errors import Conflict, NotAllowed, Refused
from core.events import record
from people.models import User
from workorders.locking import locked
from workorders.models import WorkOrder
from workorders.preparation import add_steps, use_job_plan
from workorders.raising import check_facts, set_priority
from workorders.states import OPEN_STATES, State

EDITABLE = (
    "summary", "description", "kind", "asset", "consequence", "likelihood", "priority", "priority_reason",
    "due_from", "due_to", "estimate_minutes", "job_plan", "downtime", "failure", "owner",
)  # fmt: skip
BEFORE_START = (State.DRAFT, State.APPROVED, State.PLANNED, State.SCHEDULED)


@transaction.atomic
def edit(order: WorkOrder, changes: Mapping[str, Any], *, by: User, version: int | None = None) -> WorkOrder:
    """Change fields of EDITABLE. A planner edits any open order, a technician the draft that he raised.

    The priority follows criticality, consequence and likelihood, unless one is given with its reason.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise ValueError(f"Not fields of an order that may be edited: {', '.join(unknown)}")
    _may_edit(order, by)
    order = locked(order)
    check_version(order, version)
    if order.state not in OPEN_STATES:
        raise Conflict(
            _("%(order)s is %(state)s and can no longer be edited.")
            % {"order": order.code, "state": order.get_state_display().lower()},
            code="wrong_state",
        )
    changes = dict(changes)
    plan = changes.pop("job_plan", order.job_plan)
    wanted = changes.pop("priority", None)
    overridden = bool(order.priority_reason)
    changed = apply(order, changes)
    if "asset" in changed:
        _check_move(order)
    if plan != order.job_plan:
        changed["job_plan"] = [order.job_plan_id, plan.pk if plan else None]
        _change_plan(order, plan)
    check_facts(order)
    before = order.priority
    if wanted is None and overridden and order.priority_reason:
        wanted = order.priority
    set_priority(order, wanted)
    if order.priority != before:
        changed["priority"] = [before, order.priority]
    if not changed:
        return order
    check_row(order)
    order.version += 1
    order.save()
    record(
        "work_order.edited", order, by=by, site=order.site,
        summary=f"{order.code}: {', '.join(name.replace('_', ' ') for name in changed)} changed", changes=changed,
    )  # fmt: skip
    return order


@transaction.atomic
def write_steps(order: WorkOrder, templates: list[dict], *, by: User) -> WorkOrder:
    """Replace the steps of an order that has not begun."""
    _may_edit(order, by)
    order = locked(order)
    _check_not_begun(order)
    order.steps.all().delete()
    add_steps(order, templates)
    _tell_of_steps(order, by)
    return order


@transaction.atomic
def add_step(order: WorkOrder, template: dict, *, by: User):
    """One more step at the end of an open order."""
    _may_edit(order, by)
    order = locked(order)
    if order.state not in OPEN_STATES:
        raise Conflict(_("%(order)s takes no more steps.") % {"order": order.code}, code="wrong_state")
    step = add_steps(order, [template])[0]
    step.full_clean(exclude=["order"])
    _tell_of_steps(order, by)
    return step


@transaction.atomic
def remove_step(step, *, by: User) -> None:
    """Take an unanswered step out of an order that has not begun."""
    _may_edit(step.order, by)
    order = locked(step.order)
    _check_not_begun(order)
    order.steps.filter(depends_on=step.position).update(depends_on=None, depends_outcome="")
    if not order.steps.filter(pk=step.pk).delete()[0]:
        raise Conflict(_("This step was removed in the meantime."), code="removed")
    _tell_of_steps(order, by)


def may_edit(order: WorkOrder, user: User) -> bool:
    """Whether this person edits this order: planners any, technicians the draft that they raised."""
    if user.can("plan", order.site_id):
        return True
    own_draft = order.state == State.DRAFT and order.reported_by_id == user.pk
    return own_draft and user.can("execute", order.site_id)


def _may_edit(order: WorkOrder, by: User | None) -> None:
    if by is not None and not may_edit(order, by):
        raise NotAllowed(_("Planners edit orders; you may edit a draft that you raised."))


def _check_not_begun(order: WorkOrder) -> None:
    if order.state not in BEFORE_START:
        raise Conflict(_("Work on %(order)s has begun; its steps stay.") % {"order": order.code}, code="wrong_state")


def _check_move(order: WorkOrder) -> None:
    """Another asset may be named until work begins, at the same site."""
    if order.asset.site_id != order.site_id:
        raise Refused(_("This site has no such asset."), code="unknown_asset", field="asset")
    if order.state not in BEFORE_START:
        raise Refused(_("Work has begun; the asset stays."), code="work_begun", field="asset")
    if order.occurrence_id:
        raise Refused(_("A plan's order stays on its asset."), code="order_of_plan", field="asset")
    check_in_use(order.asset)


def _change_plan(order: WorkOrder, plan) -> None:
    if order.state not in BEFORE_START:
        raise Refused(_("Work has begun; the job plan stays."), code="work_begun", field="job_plan")
    if plan is None:
        order.job_plan = None
    else:
        use_job_plan(order, plan)


def _tell_of_steps(order: WorkOrder, by: User | None) -> None:
    record("work_order.steps_written", order, by=by, site=order.site, summary=f"{order.code}: steps changed")
