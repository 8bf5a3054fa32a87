"""What the REST API reads and answers about work orders and requests. Durations are seconds."""

from functools import partial

from django.db.models import DecimalField, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from rest_framework import serializers

from assets.models import Failure
from assets.serializers import AssetReference, CodeReference, DowntimeReference, DowntimeSerializer, FailureSerializer
from core.api.fields import Computed, Expressed, Instant, Minutes, Reference
from core.api.serializers import RowSerializer, Strict
from core.api.shapes import JsonObject
from core.models import Attachment
from core.serializers import PersonReference, SiteReference
from workorders.lifecycle import MOVES, Move
from workorders.linking import link
from workorders.models import Assignment, Cost, JobPlan, Labour, Request, Step, WorkOrder
from workorders.states import HoldReason, Kind, Outcome, Priority

TEMPLATE = (
    "position", "kind", "text", "required", "unit", "low", "high", "choices", "depends_on", "depends_outcome",
)  # fmt: skip


class OrderReference(Reference):
    """A work order, by id or by its number as code."""

    model = WorkOrder
    code = "number"
    parts = {"id": "pk", "number": "number", "name": "summary"}
    select_related = ("site",)


class JobPlanReference(Reference):
    """A job plan, by id or code."""

    model = JobPlan
    parts = {"id": "pk", "code": "code", "name": "title"}


class FailureReference(Reference):
    """A failure, by id."""

    code = None
    parts = {"id": "pk", "occurred": "occurred", "restored": "restored"}


class AssignmentSerializer(RowSerializer):
    """A person who is to work on an order, when and for how long."""

    person = PersonReference()
    duration = Minutes(source="minutes", required=False, allow_null=True)

    class Meta:
        model = Assignment
        fields = ["id", "person", "start", "duration"]


class LabourSerializer(RowSerializer):
    """Time that a person worked on an order; without an end the clock runs."""

    person = PersonReference(required=False)

    class Meta:
        model = Labour
        fields = ["id", "person", "start", "end", "note"]


class StepSerializer(RowSerializer):
    """One step of an order and its answer."""

    position = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    photo = Reference(Attachment, code=None, parts={"id": "pk", "name": "name"}, read_only=True, allow_null=True)
    follow_up = OrderReference(read_only=True, allow_null=True)
    answered_by = PersonReference(read_only=True, allow_null=True)

    class Meta:
        model = Step
        fields = [
            "id", *TEMPLATE, "outcome", "number", "answer", "photo", "answered_by", "answered_at", "follow_up",
            "no_follow_up",
        ]  # fmt: skip
        read_only_fields = ["outcome", "number", "answer", "answered_at", "no_follow_up"]


class CostSerializer(RowSerializer):
    """Money spent on an order, in the currency of its site."""

    class Meta:
        model = Cost
        fields = ["id", "source", "amount", "at", "note"]


def total_cost():
    """The sum of an order's costs."""
    sums = Cost.objects.filter(order=OuterRef("pk")).order_by().values("order").annotate(total=Sum("amount"))
    return Coalesce(Subquery(sums.values("total")), 0, output_field=DecimalField())


class WorkOrderSerializer(RowSerializer):
    """One job on one asset. `state` changes by verbs; `owner` has the next step."""

    site = SiteReference(read_only=True)
    asset = AssetReference()
    priority = serializers.ChoiceField(
        choices=Priority.choices, required=False, help_text="Computed unless sent; another one needs its reason."
    )
    estimate = Minutes(source="estimate_minutes", required=False, allow_null=True)
    job_plan = JobPlanReference(within="asset", required=False, allow_null=True)
    owner = PersonReference(required=False, allow_null=True)
    reported_by = PersonReference(read_only=True, allow_null=True)
    downtime = DowntimeReference(within="asset", required=False, allow_null=True)
    failure = FailureReference(Failure, within="asset", required=False, allow_null=True)
    follow_up_of = OrderReference(read_only=True, allow_null=True)
    assignments = AssignmentSerializer(many=True, required=False, help_text="With a new order only.")
    steps = StepSerializer(many=True, required=False, help_text="Before the work begins; PATCH replaces all of them.")
    labour = LabourSerializer(many=True, read_only=True)
    costs = CostSerializer(many=True, read_only=True)
    cost = Computed(total_cost, shape=serializers.FloatField())

    class Meta:
        model = WorkOrder
        fields = [
            "id", "number", "site", "asset", "kind", "state", "priority", "priority_reason", "consequence",
            "likelihood", "summary", "description", "due_from", "due_to", "estimate", "job_plan", "owner",
            "assignments", "steps", "labour", "cost", "costs", "was_failure", "failure", "downtime", "follow_up_of",
            "hold_reason", "state_note", "completion_note", "reported_by", "reported_at", "created", "state_since",
            "started_at", "completed_at", "closed_at", "source", "external_id", "version",
        ]  # fmt: skip
        read_only_fields = [
            "number", "state", "was_failure", "hold_reason", "state_note", "completion_note", "created", "state_since",
            "started_at", "completed_at", "closed_at", "source", "version",
        ]  # fmt: skip


# --- Verbs ---------------------------------------------------------------------------------------------


def input_of(move: Move) -> type[Strict]:
    """The serializer of what a move of the life cycle asks for; `at` is when it happened, now unless sent."""
    readers = {need.name: READERS.get((move.verb, need.name)) or READERS[need.name] for need in move.needs}
    fields = {}
    for need in move.needs:
        field = readers[need.name](required=need.required)
        fields[API_NAMES.get(need.name, need.name)] = field
    name = "".join(part.capitalize() for part in move.verb.split("_"))
    doc = f"What goes with “{move.verb.replace('_', ' ')}”."
    return type(f"{name}Input", (Strict,), {"__doc__": doc, **fields, "at": Instant(required=False)})


def text(most: int):
    def make(**options) -> serializers.CharField:
        return serializers.CharField(max_length=most, allow_blank=not options["required"], **options)

    return make


API_NAMES = {"estimate_minutes": "estimate", "minutes": "duration"}
READERS = {
    "job_plan": lambda **options: JobPlanReference(within="asset", **options),
    "estimate_minutes": lambda **options: Minutes(source="estimate_minutes", **options),
    "person": lambda **options: PersonReference(**options),
    "start": lambda **options: Instant(**options),
    "minutes": lambda **options: Minutes(source="minutes", **options),
    "reason": text(300),
    ("hold", "reason"): lambda **options: serializers.ChoiceField(choices=HoldReason.choices, **options),
    "note": text(4000),
    ("hold", "note"): text(300),
    "question": text(300),
    "was_failure": lambda **options: serializers.BooleanField(allow_null=True, **options),
    "machine_runs": lambda **options: serializers.BooleanField(allow_null=True, **options),
    "problem": lambda **options: CodeReference("problem", **options),
    "cause": lambda **options: CodeReference("cause", **options),
    "remedy": lambda **options: CodeReference("remedy", **options),
}
INPUTS = {verb: input_of(move) for verb, move in MOVES.items()}


class AnswerInput(Strict):
    """The answer to a step; an empty one takes the answer back."""

    outcome = serializers.ChoiceField(choices=Outcome.choices, required=False, allow_blank=True)
    number = serializers.DecimalField(max_digits=14, decimal_places=4, required=False, allow_null=True)
    text = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    photo = serializers.IntegerField(required=False, allow_null=True, help_text="Id of a file of this order.")
    at = Instant(required=False)
    seen = Instant(
        required=False,
        allow_null=True,
        help_text="The `answered_at` that the caller saw (null: none); 409 if somebody else has answered since.",
    )


class MomentInput(Strict):
    """When it happened; now unless sent."""

    at = Instant(required=False)


class FollowUpInput(Strict):
    """What becomes of a failed step: its follow-up order (with this summary), or why none is needed."""

    summary = serializers.CharField(max_length=200, required=False, allow_blank=True)
    none_because = serializers.CharField(max_length=200, required=False)


# --- Requests ------------------------------------------------------------------------------------------


class RequestSerializer(RowSerializer):
    """A problem that somebody at the site reported."""

    site = SiteReference(read_only=True)
    asset = AssetReference()
    work_order = OrderReference(read_only=True, allow_null=True)
    reported_by = PersonReference(read_only=True)

    class Meta:
        model = Request
        fields = [
            "id", "site", "asset", "summary", "description", "is_down", "state", "answer", "work_order",
            "reported_by", "reported_at", "answered_at", "version",
        ]  # fmt: skip
        read_only_fields = ["state", "answer", "reported_at", "answered_at", "version"]


class AcceptanceInput(Strict):
    """How a request becomes an order; what is not sent follows from the request."""

    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    summary = serializers.CharField(max_length=200, required=False)
    consequence = serializers.IntegerField(min_value=1, max_value=4, required=False)
    likelihood = serializers.IntegerField(min_value=1, max_value=4, required=False)
    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    priority_reason = serializers.CharField(max_length=300, required=False)
    due_to = Instant(required=False)
    answer = serializers.CharField(max_length=300, required=False)


class RefusalInput(Strict):
    """Why no order comes of a request; the reporter reads it."""

    answer = serializers.CharField(max_length=300)


# --- What stops and failures of lower apps say about their orders ----------------------------------------


class OrderOf(Expressed, OrderReference):
    """The order about a stop or a failure, at the same site; answered as the newest, null without one."""


def newest_order(name: str):
    """The newest order about a stop or a failure, as a reference; null without one."""
    orders = WorkOrder.objects.filter(**{name: OuterRef("pk")}).order_by("-pk")
    built = JsonObject({part: F(path) for part, path in OrderReference.parts.items()})
    return Subquery(orders.values_list(built)[:1])


for serializer, name in ((DowntimeSerializer, "downtime"), (FailureSerializer, "failure")):
    field = OrderOf(partial(newest_order, name), within="asset", required=False, allow_null=True)
    serializer.hang("work_order", field, write=partial(link, name))
