"""What must hold for a move of a work order. Each guard raises Refused with what to do about it.

The first line of a guard's docstring stands in docs/life-cycle.md.
"""

from django.utils.translation import gettext as _

from core.errors import Refused
from workorders.answers import applicable
from workorders.priority import judge_order
from workorders.states import HoldReason, Kind, Priority

ASKS_FOR_FAILURE = (Kind.CORRECTIVE,)


def has_priority(order) -> None:
    """a priority; one that differs from the computed one says why"""
    if order.priority not in Priority.values:
        raise Refused(_("Give the order a priority first."), code="priority_missing", field="priority")
    if order.priority != judge_order(order).priority and not order.priority_reason:
        raise Refused(
            _("Say why the priority differs from the computed one."), code="priority_reason", field="priority_reason"
        )


def has_steps(order) -> None:
    """a job plan or steps"""
    if not order.job_plan_id and not order.steps.exists():
        raise Refused(_("Choose a job plan, or write at least one step."), code="steps_missing", field="job_plan")


def has_estimate(order) -> None:
    """an estimate"""
    if not order.estimate_minutes:
        raise Refused(_("Estimate how many minutes the work takes."), code="estimate_missing", field="estimate_minutes")


def has_assignment(order) -> None:
    """at least one person assigned, with a start"""
    if not order.assignments.filter(start__isnull=False).exists():
        raise Refused(_("Assign somebody, with a start."), code="assignment_missing", field="person")


def asset_in_use(order) -> None:
    """an asset that is not archived"""
    if order.asset.archived_at:
        raise Refused(_("%(code)s is archived; restore it first.") % {"code": order.asset.code}, code="asset_archived")


def has_hold_reason(order) -> None:
    """a reason: parts, access, permit, skill or other; *other* says what it is"""
    if order.hold_reason not in HoldReason.values:
        raise Refused(_("Say what the work waits for."), code="reason_missing", field="reason")
    if order.hold_reason == HoldReason.OTHER and not order.state_note:
        raise Refused(_("Say in a few words what the work waits for."), code="note_missing", field="note")


def says_why(order) -> None:
    """it says why"""
    if not order.state_note:
        raise Refused(_("Say why; it stays in the history."), code="reason_missing", field="reason")


def required_steps_answered(order) -> None:
    """every required step that applies is answered"""
    missing = [step for step in applicable(order) if step.required and not step.outcome]
    if missing:
        raise Refused(
            _("Answer the required steps first: %(steps)s.")
            % {"steps": ", ".join(f"{step.position}. {step.text}" for step in missing)},
            code="steps_unanswered",
            field="steps",
        )


def failed_steps_decided(order) -> None:
    """every failed step has its follow-up order, or says why none is needed"""
    open_ended = [
        step
        for step in applicable(order)
        if step.outcome == step.Outcome.FAIL and not step.follow_up_id and not step.no_follow_up
    ]
    if open_ended:
        raise Refused(
            _("Raise a follow-up order for what failed, or say why none is needed: %(steps)s.")
            % {"steps": ", ".join(f"{step.position}. {step.text}" for step in open_ended)},
            code="follow_up_undecided",
            field="steps",
        )


def has_labour(order) -> None:
    """labour is recorded; the clock between start and completion counts"""
    if not order.labour.filter(end__isnull=False).exists():
        raise Refused(_("Record the time that the work took."), code="labour_missing", field="labour")


def failure_reported(order) -> None:
    """a corrective order says whether it was a failure, and a failure has its report"""
    if order.kind in ASKS_FOR_FAILURE and order.was_failure is None:
        raise Refused(_("Say whether it was a failure."), code="failure_unanswered", field="was_failure")
    if order.was_failure and not order.failure_id:
        raise Refused(_("Report the failure."), code="failure_missing", field="was_failure")
