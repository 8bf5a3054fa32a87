"""Answering the steps of an order, and deciding what follows from a failed one.

`applicable` is what the pages and the guards agree on: a conditional step counts only when the step it depends on
came out as asked.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_moment
from core.attachments import IMAGES
from core.errors import Conflict, Refused
from core.events import record
from people.models import User
from people.permissions import require
from workorders.locking import locked
from workorders.states import Outcome, State

OK, FLAG, FAIL, SKIPPED = Outcome

MOST_DIGITS = Decimal(10) ** 10  # a reading has at most ten digits before the point
ANSWER_LENGTH = 1000


def applicable(order) -> list:
    """The steps that are asked, in order: all but the conditional ones whose condition does not hold."""
    return applying(order.steps.all())


def applying(steps: Iterable) -> list:
    """As `applicable`, for steps that were read already."""
    asked: dict[int, Any] = {}
    for step in sorted(steps, key=lambda each: each.position):
        before = asked.get(step.depends_on)
        if step.depends_on is None or (before is not None and before.outcome == step.depends_outcome):
            asked[step.position] = step
    return list(asked.values())


@transaction.atomic
def answer(
    step,
    *,
    by: User,
    outcome: str = "",
    number: Decimal | str | None = None,
    text: str = "",
    photo=None,
    at: datetime | None = None,
    seen: datetime | str | None = "any",
):
    """Answer a step, or take the answer back with nothing but the defaults.

    `outcome` is asked for by checks and passes; a reading outside of its limits fails, unless it is called a flag.
    `text` is the answer of text and choice steps and a remark elsewhere. `seen` is the `answered_at` that the caller
    saw: Conflict if somebody else has answered since.
    """
    require(by, "execute", step.order.site_id)
    order = locked(step.order)
    if order.state not in (State.IN_PROGRESS, State.ON_HOLD):
        raise Conflict(
            _("%(order)s is %(state)s; steps are answered while it is in progress.")
            % {"order": order.code, "state": order.get_state_display().lower()},
            code="wrong_state",
        )
    step = order.steps.select_for_update().filter(pk=step.pk).first()
    if step is None:
        raise Conflict(_("This step was removed in the meantime."), code="removed")
    if seen != "any" and seen != step.answered_at:
        raise Conflict(
            _("%(person)s has answered this step in the meantime.") % {"person": step.answered_by or "?"},
            code="answered_meanwhile",
        )
    at = at or timezone.now()
    check_moment(at, field="at")
    was = said(step)
    text = text.strip()
    if len(text) > ANSWER_LENGTH:
        raise Refused(_("Write at most %(most)d characters.") % {"most": ANSWER_LENGTH}, code="too_long", field="text")
    step.outcome, step.number, step.answer, step.photo = READERS[step.kind](step, outcome, number, text, photo)
    answered = bool(step.outcome)
    step.answered_by, step.answered_at = (by, at) if answered else (None, None)
    if step.outcome != FAIL:
        step.no_follow_up = ""
    step.save()
    now = said(step)
    # First answers stand in the step itself; the history keeps what was doubtful or changed.
    if (was and was != now) or step.outcome in (FLAG, FAIL):
        record(
            "work_order.step_answered", order, by=by, site=order.site,
            summary=f"{order.code}: step {step.position} {step.text}: {now or 'answer taken back'}"
            + (f" (was {was})" if was and was != now else ""),
            step=step.pk, position=step.position, was=was, now=now,
        )  # fmt: skip
    return step


@transaction.atomic
def answer_checks(order, *, by: User, at: datetime | None = None) -> int:
    """Answer every open check and pass step with OK in one go; readings, texts and photos stay to be answered."""
    require(by, "execute", order.site_id)
    order = locked(order)
    checks = [step for step in applicable(order) if not step.outcome and step.kind in ("check", "pass")]
    for step in checks:
        answer(step, by=by, outcome=OK, at=at)
    return len(checks)


def said(step) -> str:
    """The answer as a short text; empty while there is none."""
    if not step.outcome:
        return ""
    words = [step.get_outcome_display() if step.outcome != OK or not (step.answer or step.number is not None) else ""]
    if step.number is not None:
        words.insert(0, f"{step.number.normalize():f} {step.unit}".strip())
    if step.answer:
        words.append(step.answer)
    return ", ".join(str(word) for word in words if word)


# --- What each kind of step accepts: (step, outcome, number, text, photo) → the same, checked ------------


def _check(step, outcome, number, text, photo) -> tuple:
    return _outcome(step, outcome, {OK, FAIL}), None, text, photo


def _pass(step, outcome, number, text, photo) -> tuple:
    return _outcome(step, outcome, {OK, FLAG, FAIL}), None, text, photo


def _number(step, outcome, number, text, photo) -> tuple:
    if number is None or number == "":
        return _outcome(step, outcome, set()), None, text, photo
    try:
        number = Decimal(str(number).strip().replace(",", "."))
    except InvalidOperation:
        raise Refused(_("Enter a number."), code="not_a_number", field="number") from None
    if not number.is_finite() or abs(number) >= MOST_DIGITS:
        raise Refused(_("Enter a number."), code="not_a_number", field="number")
    number = number.quantize(Decimal("0.0001"))
    too_low = step.low is not None and number < step.low
    if too_low or (step.high is not None and number > step.high):
        return (FLAG if outcome == FLAG else FAIL), number, text, photo
    return (outcome if outcome in (FLAG, FAIL) else OK), number, text, photo


def _choice(step, outcome, number, text, photo) -> tuple:
    if text and text not in step.choices:
        raise Refused(_("Choose one of the answers."), code="unknown_choice", field="text")
    return _given(step, outcome, bool(text)), None, text, photo


def _text(step, outcome, number, text, photo) -> tuple:
    return _given(step, outcome, bool(text)), None, text, photo


def _photo(step, outcome, number, text, photo) -> tuple:
    if photo is not None and photo.content_type not in IMAGES:
        raise Refused(_("Add a picture."), code="not_a_picture", field="photo")
    return _given(step, outcome, photo is not None), None, text, photo


def _given(step, outcome: str, given: bool) -> str:
    if not given:
        return _outcome(step, outcome, set())
    return outcome if outcome in (FLAG, FAIL) else OK


def _outcome(step, outcome: str, allowed: set[str]) -> str:
    if outcome == SKIPPED and step.required:
        raise Refused(_("This step is required."), code="step_required", field="outcome")
    if outcome and outcome not in allowed | {SKIPPED}:
        raise Refused(_("This is no answer to this step."), code="unknown_outcome", field="outcome")
    return outcome


READERS = {
    "check": _check, "pass": _pass, "number": _number, "choice": _choice, "text": _text, "photo": _photo,
}  # fmt: skip
