"""Carrying out a move of the life cycle: once, with everything that belongs to it, or not at all."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_moment, said
from core.errors import Conflict, NotAllowed
from core.events import history, record
from people.models import User
from workorders.lifecycle import AFTER, MOVES, STATES, Move, moves_from
from workorders.states import State


class Moves:
    """The verbs of a work order. Each changes the state once, records one event and passes the ball on.

    Raises NotAllowed, Conflict (somebody was faster, or it is in another state) or Refused; then nothing changed.
    """

    def approve(self, *, by: User | None, at: datetime | None = None) -> None:
        move(self, "approve", by=by, at=at)

    def plan(self, *, by: User | None, at: datetime | None = None, job_plan=None, estimate_minutes=None) -> None:
        move(self, "plan", by=by, at=at, job_plan=job_plan, estimate_minutes=estimate_minutes)

    def schedule(self, *, by: User | None, at: datetime | None = None, person=None, start=None, minutes=None) -> None:
        move(self, "schedule", by=by, at=at, person=person, start=start, minutes=minutes)

    def start(self, *, by: User | None, at: datetime | None = None) -> None:
        move(self, "start", by=by, at=at)

    def hold(self, *, by: User | None, reason: str, note: str = "", at: datetime | None = None) -> None:
        move(self, "hold", by=by, at=at, reason=reason, note=note)

    def resume(self, *, by: User | None, at: datetime | None = None) -> None:
        move(self, "resume", by=by, at=at)

    def complete(
        self,
        *,
        by: User | None,
        at: datetime | None = None,
        was_failure: bool | None = None,
        problem=None,
        cause=None,
        remedy=None,
        machine_runs: bool | None = None,
        note: str = "",
    ) -> None:
        move(
            self, "complete", by=by, at=at, was_failure=was_failure, problem=problem, cause=cause, remedy=remedy,
            machine_runs=machine_runs, note=note,
        )  # fmt: skip

    def verify(self, *, by: User | None, at: datetime | None = None) -> None:
        move(self, "verify", by=by, at=at)

    def send_back(self, *, by: User | None, question: str, at: datetime | None = None) -> None:
        move(self, "send_back", by=by, at=at, question=question)

    def cancel(self, *, by: User | None, reason: str, at: datetime | None = None) -> None:
        move(self, "cancel", by=by, at=at, reason=reason)

    def reopen(self, *, by: User | None, reason: str, at: datetime | None = None) -> None:
        move(self, "reopen", by=by, at=at, reason=reason)


@transaction.atomic
def move(order, verb: str, *, by: User | None, at: datetime | None = None, **inputs) -> None:
    """Make a move of the table. `inputs` are what the move needs, by name; `by=None` is a background job.

    The order in hand must be the one that the actor saw: the update is bound to its version and to the states from
    which the move leaves, so that of two people who press at the same moment the second gets a Conflict.
    """
    step = MOVES[verb]
    if by is not None and not step.allowed_to(by, order):
        raise NotAllowed(_("Your role at this site does not include “%(verb)s”.") % {"verb": step.label})
    at = at or timezone.now()
    check_moment(at, field="at")
    rows = type(order).objects.filter(pk=order.pk, state__in=step.sources, version=order.version)
    closing = {"closed_at": at} if step.target == State.CLOSED else {}
    if not rows.update(state=step.target, state_since=at, version=F("version") + 1, **closing):
        raise _too_late(order, step)
    before = order.state
    row = type(order).objects.select_related("site", "asset", "owner", "downtime__asset__site").get(pk=order.pk)
    facts = step.work(row, by=by, at=at, inputs=inputs) if step.work else {}
    for guard in step.guards:
        guard(row)
    row.owner = step.next(row, by)
    row.save()
    record(
        step.event, row, by=by, site=row.site, summary=f"{row.code} {step.past.replace('_', ' ')}: {row.summary}",
        **{"from": before, "to": row.state}, **facts,
    )  # fmt: skip
    for follow in AFTER[verb]:
        follow(row)
    _take_over(order, row)


def _too_late(order, step: Move) -> Exception:
    """Why the update met no row: the order has moved on, or it stands where this move does not begin."""
    row = type(order).objects.select_related("site").filter(pk=order.pk).first()
    if row is None:
        return Conflict(_("This order is gone."), code="gone")
    words = {"order": row.code, "state": str(STATES[row.state].label).lower(), "verb": step.label}
    if last := history(row).first():
        words["state"] = _("%(state)s (%(person)s, %(moment)s)") % {
            "state": words["state"],
            "person": last.actor or _("a background job"),
            "moment": said(last.at, row.site),
        }
    if row.version != order.version:
        return Conflict(
            _("%(order)s was changed in the meantime: it is %(state)s. Nothing was done twice.") % words,
            code="changed_meanwhile",
        )
    words["possible"] = ", ".join(str(each.label) for each in moves_from(row.state)) or _("nothing more")
    return Conflict(
        _("%(order)s is %(state)s; “%(verb)s” is not possible now. Possible: %(possible)s.") % words,
        code="wrong_state",
    )


def _take_over(order, row) -> None:
    """Let the order in hand show what was saved."""
    for field in row._meta.concrete_fields:
        setattr(order, field.attname, getattr(row, field.attname))
    order._state.fields_cache.update(row._state.fields_cache)
    getattr(order, "_prefetched_objects_cache", {}).clear()
