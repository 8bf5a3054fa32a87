"""The form of a move, built from what the life cycle says it needs."""

from collections.abc import Callable
from datetime import timedelta

from django import forms
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset, Failure, FailureCode
from core.kit.forms import Form
from people.directory import people_who
from workorders.guards import ASKS_FOR_FAILURE
from workorders.lifecycle import Move
from workorders.models import JobPlan, WorkOrder
from workorders.states import HoldReason

YES_NO = [("yes", _("Yes")), ("no", _("No"))]
SAY_WHY = {"required": _("Say why; it stays in the history.")}


class YesOrNo(forms.TypedChoiceField):
    """A question with no answer given beforehand; None while unanswered."""

    def __init__(self, **options):
        super().__init__(
            choices=YES_NO, coerce=lambda value: value == "yes", empty_value=None, widget=forms.RadioSelect, **options
        )


def move_form(move: Move, order: WorkOrder) -> type[Form]:
    """The form that asks for what a move needs on this order."""
    fields: dict[str, forms.Field] = {}
    for need in move.needs:
        field = BUILDERS[need.name](order, move)
        if field is not None:
            field.required = field.required or need.required
            fields[need.name] = field
    return type(f"{move.verb.title().replace('_', '')}Form", (Form,), fields)


def asks(move: Move, order: WorkOrder) -> bool:
    """Whether a single press is not enough: something has to be said, or chosen, first."""
    if move.verb in ("plan", "schedule"):
        return True
    return any(field.required for field in move_form(move, order).base_fields.values())


def codes_by_use(which: str, asset: Asset) -> QuerySet[FailureCode]:
    """The codes of one list for this kind of asset, those used most on such assets first."""
    alike = Failure.objects.filter(**{which: OuterRef("pk"), "asset__kind": asset.kind_id})
    used = alike.order_by().values(which).annotate(count=Count("pk")).values("count")
    codes = FailureCode.objects.filter(Q(kind=None) | Q(kind=asset.kind_id), list=which)
    return codes.annotate(used=Coalesce(Subquery(used), 0)).order_by("-used", "name")


# --- One builder per need: (order, move) → field, or None where there is nothing to ask ------------------


def _job_plan(order: WorkOrder, move: Move) -> forms.Field:
    return forms.ModelChoiceField(
        JobPlan.objects.filter(site=order.site_id, archived_at=None),
        label=_("Job plan"),
        required=False,
        initial=order.job_plan_id,
        help_text=_("Its steps are added to those of the order."),
    )


def _estimate(order: WorkOrder, move: Move) -> forms.Field:
    return forms.IntegerField(
        label=_("Estimated minutes"), min_value=1, max_value=60_000, required=False, initial=order.estimate_minutes
    )


def _assigned(order: WorkOrder) -> bool:
    return order.assignments.filter(start__isnull=False).exists()


def _person(order: WorkOrder, move: Move) -> forms.Field:
    people = people_who("execute", order.site_id)
    return forms.ModelChoiceField(people, label=_("Person"), required=not _assigned(order))


def _start(order: WorkOrder, move: Move) -> forms.Field:
    return forms.DateTimeField(label=_("Start"), required=False, initial=next_hour)


def _minutes(order: WorkOrder, move: Move) -> forms.Field:
    return forms.IntegerField(
        label=_("Minutes"), min_value=1, max_value=1440, required=False, initial=order.estimate_minutes
    )


def _reason(order: WorkOrder, move: Move) -> forms.Field:
    if move.verb == "hold":
        return forms.ChoiceField(
            label=_("What does it wait for?"), choices=HoldReason.choices, widget=forms.RadioSelect
        )
    return _words(_("Reason"))


def _question(order: WorkOrder, move: Move) -> forms.Field:
    return _words(_("Question"))


def _words(label) -> forms.Field:
    return forms.CharField(
        label=label, max_length=300, widget=forms.Textarea(attrs={"rows": 3}), error_messages=SAY_WHY
    )


def _note(order: WorkOrder, move: Move) -> forms.Field:
    completing = move.verb == "complete"
    return forms.CharField(
        label=_("What was done") if completing else _("Note"),
        max_length=4000 if completing else 300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        initial=order.completion_note if completing else "",
    )


def _was_failure(order: WorkOrder, move: Move) -> forms.Field:
    recorded = order.failure_id or (order.downtime_id and order.downtime.failures.exists())
    return YesOrNo(
        label=_("Was it a failure?"),
        required=order.kind in ASKS_FOR_FAILURE,
        initial="yes" if recorded else {True: "yes", False: "no"}.get(order.was_failure),
        help_text=_("The machine could not do what it should. Failures count in MTBF."),
    )


def _machine_runs(order: WorkOrder, move: Move) -> forms.Field | None:
    if not order.downtime_id or order.downtime.end is not None:
        return None
    return YesOrNo(label=_("Does %(code)s run again?") % {"code": order.downtime.asset.code}, required=True)


def _code(which: str, label) -> Callable[[WorkOrder, Move], forms.Field]:
    def build(order: WorkOrder, move: Move) -> forms.Field:
        return forms.ModelChoiceField(codes_by_use(which, order.asset), label=label, required=False)

    return build


BUILDERS: dict[str, Callable[[WorkOrder, Move], forms.Field | None]] = {
    "job_plan": _job_plan,
    "estimate_minutes": _estimate,
    "person": _person,
    "start": _start,
    "minutes": _minutes,
    "reason": _reason,
    "question": _question,
    "note": _note,
    "was_failure": _was_failure,
    "machine_runs": _machine_runs,
    "problem": _code("problem", _("Problem")),
    "cause": _code("cause", _("Cause")),
    "remedy": _code("remedy", _("Remedy")),
}


def next_hour():
    """The next full hour, as the first guess for a start."""
    return timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
