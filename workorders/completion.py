"""Finishing an order: clocks stop, the machine runs again, the failure is reported, labour gets its price."""

from datetime import datetime

from django.utils.translation import gettext as _

from assets import failures, stops
from assets.models import Failure, Source
from core.errors import Refused
from workorders.states import Kind
from workorders.timekeeping import close_clocks, price_labour

DETECTIONS = {
    Kind.PREVENTIVE: Failure.Detection.MAINTENANCE,
    Kind.INSPECTION: Failure.Detection.MAINTENANCE,
    Kind.CONDITION: Failure.Detection.MONITORING,
}


def finish(order, *, by, at: datetime, inputs: dict) -> dict:
    """Stop the clocks, end the stop if the machine runs again, link or record the failure, price the labour."""
    if order.started_at and at < order.started_at:
        raise Refused(_("The work ends before it starts."), code="end_before_start", field="at")
    close_clocks(order, at)
    order.completed_at = at
    order.state_note = order.hold_reason = ""
    order.completion_note = (inputs.get("note") or order.completion_note).strip()
    if inputs.get("was_failure") is not None:
        order.was_failure = inputs["was_failure"]
    _bring_back(order, by=by, at=at, machine_runs=inputs.get("machine_runs"))
    codes = {name: inputs[name] for name in ("problem", "cause", "remedy") if inputs.get(name)}
    _report_failure(order, by=by, at=at, codes=codes)
    price_labour(order)
    return {"was_failure": order.was_failure, "failure": order.failure_id, "note": order.completion_note}


def take_up_again(order, *, by, at: datetime, inputs: dict) -> dict:
    """Back to work; the event keeps when it was completed and closed before."""
    former = {
        "completed_at": order.completed_at.isoformat() if order.completed_at else None,
        "closed_at": order.closed_at.isoformat() if order.closed_at else None,
    }
    order.completed_at = order.closed_at = None
    order.state_note = (inputs.get("question") or inputs.get("reason") or "").strip()
    return {**former, "reason": order.state_note}


def close(order, *, by, at: datetime, inputs: dict) -> dict:
    """The work was looked at and is good."""
    order.closed_at = at
    order.state_note = ""
    return {}


def _bring_back(order, *, by, at: datetime, machine_runs: bool | None) -> None:
    """End the stop that this order was about, if the machine runs again."""
    stop = order.downtime
    if stop is None or stop.end is not None:
        return
    if machine_runs is None:
        raise Refused(
            _("%(code)s is recorded as down; say whether it runs again.") % {"code": stop.asset.code},
            code="machine_runs_unanswered",
            field="machine_runs",
        )
    if machine_runs:
        order.downtime = stops.close_stop(stop.asset, by=by, at=at)


def _report_failure(order, *, by, at: datetime, codes: dict) -> None:
    """Link the failure that is known already, or record it; one failure never becomes two."""
    known = order.failure or (order.downtime.failures.first() if order.downtime else None)
    if not order.was_failure:
        if known is not None and order.was_failure is False:
            raise Refused(
                _("Its stop is recorded as a failure; correct the stop first, or answer yes."),
                code="failure_recorded",
                field="was_failure",
            )
        if codes:
            raise Refused(
                _("Failure codes belong to a failure; say that it was one."), code="no_failure", field="was_failure"
            )
        return
    stop = order.downtime
    down = stop is not None and stop.end is None
    if known is None:
        known, _new = failures.record_failure(
            order.asset,
            occurred=stop.start if stop else order.reported_at,
            restored=None if down else stop.end if stop else at,
            detection=DETECTIONS.get(order.kind, Failure.Detection.OPERATION),
            downtime=stop,
            by=by,
            source=Source.WORK_ORDER,
            **codes,
        )
    else:
        changes = dict(codes)
        if known.restored is None and not down:
            changes["restored"] = at
        if changes:
            known = failures.correct(known, changes, by=by)
    order.failure = known
