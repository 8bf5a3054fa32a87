"""Work orders and requests in the REST API. The verbs of the life cycle come from its table, `workorders.lifecycle`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action

from assets.models import Source
from core.api.discussion import Discussed
from core.api.resource import Adds, Changes, Resource, verb
from core.attachments import attachments_of
from core.errors import Refused
from workorders import answers, editing, preparation, raising, reporting, timekeeping
from workorders.filters import RequestFilter, WorkOrderFilter
from workorders.lifecycle import MOVES
from workorders.models import Request, WorkOrder
from workorders.moving import move
from workorders.serializers import (
    INPUTS,
    TEMPLATE,
    AcceptanceInput,
    AnswerInput,
    AssignmentSerializer,
    FollowUpInput,
    LabourSerializer,
    MomentInput,
    RefusalInput,
    RequestSerializer,
    StepSerializer,
    WorkOrderSerializer,
)

FIXED = ("reported_at", "external_id")


def part(kind: str, path: str = "", *, methods: tuple[str, ...] = ("post",), reads=None):
    """A sub-resource of an order that answers with the whole order: `work-orders/{id}/kind/…`."""

    def decorate(method):
        made = action(detail=True, methods=list(methods), url_path=f"{kind}{path}", filterset_class=None)(method)
        return extend_schema(request=reads, responses=WorkOrderSerializer)(made)

    return decorate


class WorkOrders(Discussed, Adds, Changes, Resource):
    """Jobs on assets, from the wish to the lesson learned."""

    model = WorkOrder
    serializer_class = WorkOrderSerializer
    filterset_class = WorkOrderFilter
    orderings = ("number", "priority", "due_to", "due_from", "created", "state_since", "completed_at")
    default_ordering = "-id"
    list_without = ("description", "steps", "labour", "costs", "completion_note")

    def add(self, data):
        data["steps"] = templates(data.get("steps", ()))
        assignments = data.pop("assignments", ())
        outcome = raising.raise_once(by=self.request.user, source=Source.API, **data)
        for each in assignments if outcome.status == "created" else ():
            preparation.assign(outcome.row, by=self.request.user, **each)
        return outcome

    def change(self, order, data):
        for name in FIXED:
            if data.pop(name, getattr(order, name)) != getattr(order, name):
                raise Refused("This stays as it was when the order was raised.", code="fixed", field=name)
        if not same_people(order, data.pop("assignments", None)):
            raise Refused("Put people on this order at assignments/.", code="fixed", field="assignments")
        steps = data.pop("steps", None)
        if data:
            editing.edit(order, data, by=self.request.user)
        if steps is not None:
            editing.write_steps(order, templates(steps), by=self.request.user)

    # --- Who is to do it

    @part("assignments", reads=AssignmentSerializer)
    def assignments(self, request, *args, **kwargs):
        """Put a person on the order."""
        order = self.row_to_change()
        preparation.assign(order, by=request.user, **self.read(AssignmentSerializer))
        return self.answer(order)

    @part("assignments", r"/(?P<assignment>[0-9]{1,18})", methods=("patch", "delete"), reads=AssignmentSerializer)
    def assignment(self, request, *args, assignment, **kwargs):
        """Move an assignment to another person, start or length, or take the person off the order."""
        order = self.row_to_change()
        row = one(order.assignments, assignment)
        if request.method == "DELETE":
            preparation.unassign(row, by=request.user)
        else:
            preparation.reassign(row, by=request.user, **self.read(AssignmentSerializer, instance=row, partial=True))
        return self.answer(order)

    # --- What was found

    @part("steps", reads=StepSerializer)
    def steps(self, request, *args, **kwargs):
        """Add a step behind the others."""
        order = self.row_to_change()
        editing.add_step(order, templates([self.read(StepSerializer)])[0], by=request.user)
        return self.answer(order)

    @part("steps", r"/(?P<step>[0-9]{1,18})", methods=("delete",))
    def step(self, request, *args, step, **kwargs):
        """Take a step out before the work begins."""
        order = self.row_to_change()
        editing.remove_step(one(order.steps, step), by=request.user)
        return self.answer(order)

    @part("steps", r"/(?P<step>[0-9]{1,18})/answer", reads=AnswerInput)
    def step_answer(self, request, *args, step, **kwargs):
        """Answer a step."""
        order = self.row_to_change()
        data = self.read(AnswerInput)
        if (photo := data.get("photo")) is not None:
            data["photo"] = attachments_of(order).filter(pk=photo).first()
            if data["photo"] is None:
                raise Refused("This order has no such file.", code="unknown_file", field="photo")
        answers.answer(one(order.steps, step), by=request.user, **data)
        return self.answer(order)

    @part("steps", r"/(?P<step>[0-9]{1,18})/follow-up", reads=FollowUpInput)
    def step_follow_up(self, request, *args, step, **kwargs):
        """Raise the follow-up order of a failed step, or say why none is needed."""
        order = self.row_to_change()
        data = self.read(FollowUpInput)
        if why := data.get("none_because"):
            raising.decline_follow_up(one(order.steps, step), by=request.user, why=why)
        else:
            raising.raise_follow_up(one(order.steps, step), by=request.user, summary=data.get("summary", ""))
        return self.answer(order)

    # --- How long it took

    @part("clock", methods=("post", "delete"), reads=MomentInput)
    def clock(self, request, *args, **kwargs):
        """POST starts the caller's clock on an order in progress, DELETE stops it."""
        order = self.row_to_change()
        data = self.read(MomentInput)
        if request.method == "DELETE":
            timekeeping.stop_clock(order, by=request.user, **data)
        else:
            timekeeping.start_clock(order, by=request.user, **data)
        return self.answer(order)

    @part("labour", reads=LabourSerializer)
    def labour(self, request, *args, **kwargs):
        """Enter time that somebody worked, oneself unless sent."""
        order = self.row_to_change()
        data = {"person": request.user, **self.read(LabourSerializer)}
        if data.get("end") is None:
            raise Refused("Give the end of the work.", code="end_missing", field="end")
        timekeeping.record_labour(order, by=request.user, **data)
        return self.answer(order)

    @part("labour", r"/(?P<entry>[0-9]{1,18})", methods=("patch", "delete"), reads=LabourSerializer)
    def labour_entry(self, request, *args, entry, **kwargs):
        """Correct an entry of time, or take it back."""
        order = self.row_to_change()
        row = one(order.labour, entry)
        if request.method == "DELETE":
            timekeeping.remove_labour(row, by=request.user)
            return self.answer(order)
        data = self.read(LabourSerializer, instance=row, partial=True)
        if data.pop("person", row.person) != row.person:
            raise Refused("An entry stays with its person.", code="fixed", field="person")
        start, end = data.get("start", row.start), data.get("end", row.end)
        timekeeping.correct_labour(row, start=start, end=end, note=data.get("note"), by=request.user)
        return self.answer(order)


def same_people(order: WorkOrder, sent: Sequence[Mapping] | None) -> bool:
    """Whether nothing was sent, or the assignments as they are."""
    there = list(order.assignments.values_list("person", "start", "minutes"))
    return sent is None or there == [(each["person"].pk, each.get("start"), each.get("minutes")) for each in sent]


def one(rows, pk: str):
    """The row of an order's parts with this id."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def templates(steps) -> list[dict[str, Any]]:
    """What the steps ask, without their answers, in the order in which they were sent."""
    return [
        {"position": place, **{name: step[name] for name in TEMPLATE if name in step}}
        for place, step in enumerate(steps, 1)
    ]


def mover(name: str):
    """The method behind one move of the life cycle."""

    def make(self, order: WorkOrder, data: Mapping[str, Any]) -> None:
        move(order, name, by=self.request.user, **data)

    make.__name__ = name
    make.__doc__ = f"{MOVES[name].label}: {MOVES[name].past.replace('_', ' ')}."
    return make


for each in MOVES.values():
    setattr(WorkOrders, each.verb, verb(each.noun, INPUTS[each.verb])(mover(each.verb)))


class Requests(Discussed, Adds, Resource):
    """Problems that people at the site reported."""

    model = Request
    serializer_class = RequestSerializer
    filterset_class = RequestFilter
    orderings = ("reported_at", "answered_at")
    default_ordering = "-reported_at"

    def add(self, data):
        return reporting.report(data.pop("asset"), data.pop("summary"), by=self.request.user, **data)

    @verb("acceptance", AcceptanceInput)
    def acceptance(self, request, data):
        """Make an order of it."""
        reporting.accept(request, by=self.request.user, **data)

    @verb("refusal", RefusalInput)
    def refusal(self, request, data):
        """No order comes of it, and why."""
        reporting.decline(request, by=self.request.user, **data)

    @verb("joining")
    def joining(self, request, data):
        """The same problem affects the caller as well."""
        reporting.join(request, by=self.request.user)
