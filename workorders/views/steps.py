"""Answering the steps of an order, one after the other, with large targets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.attachments import attach
from core.errors import DomainError
from core.kit.form_views import ActionPage, FormPage
from core.kit.views import ObjectPage
from workorders import editing
from workorders.answers import answer, answer_checks, applying, said
from workorders.forms.orders import StepForm
from workorders.models import Step, WorkOrder
from workorders.raising import decline_follow_up, proposed_summary, raise_follow_up
from workorders.states import Outcome, State
from workorders.views.order import ORDERS

WORKED_ON = (State.IN_PROGRESS, State.ON_HOLD)


@dataclass
class StepLine:
    """One step as the page shows it."""

    step: Step
    said: str
    last: Step | None = None  # the same reading the last time
    proposed: str = ""  # the follow-up that a failed step proposes
    error: str = ""
    typed: dict | None = None

    @property
    def undecided(self) -> bool:
        return self.step.outcome == Outcome.FAIL and not self.step.follow_up_id and not self.step.no_follow_up


def step_context(order: WorkOrder, user, *, error: tuple[int, str, dict] | None = None) -> dict:
    """What the list of steps needs."""
    steps = applying(order.steps.select_related("answered_by", "photo", "follow_up"))
    last = last_readings(order, steps)
    lines = [StepLine(step, said(step), last.get(step.text)) for step in steps]
    for line in lines:
        if line.undecided:
            line.proposed = proposed_summary(line.step)
        if error and line.step.pk == error[0]:
            line.error, line.typed = error[1], error[2]
    return {
        "order": order,
        "lines": lines,
        "answered": sum(bool(line.said) for line in lines),
        "may_answer": order.state in WORKED_ON and user.can("execute", order.site_id),
        "may_write": order.state in editing.BEFORE_START and editing.may_edit(order, user),
        "checks": sum(not step.outcome and step.kind in ("check", "pass") for step in steps),
    }


def last_readings(order: WorkOrder, steps: list[Step]) -> dict[str, Step]:
    """Instruction → the newest reading that it gave on another order of the same asset."""
    asked = [step.text for step in steps if step.kind == "number"]
    if not asked:
        return {}
    rows = Step.objects.filter(order__asset=order.asset_id, text__in=asked, number__isnull=False)
    return {step.text: step for step in rows.exclude(order=order).order_by("text", "-answered_at").distinct("text")}


class StepAction(ObjectPage):
    """Something that is posted about the steps: answers with the list of steps, or goes back to it."""

    model = WorkOrder
    http_method_names = ["post"]

    def rows(self):
        return super().rows().select_related("site", "asset")

    def may_object(self, user, obj):
        return user.can("execute", obj.site)

    @property
    def step(self) -> Step:
        return get_object_or_404(Step.objects.select_related("order__site"), order=self.object, pk=self.kwargs["step"])

    def do(self) -> str:
        """Call the verb; answer with a sentence, or "" where the list says it all."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        error, status = None, 200
        try:
            sentence = self.do()
        except DomainError as refused:
            sentence, status = "", 422
            error = (self.kwargs.get("step", 0), refused.message, request.POST.dict())
        if request.htmx:
            self.object.refresh_from_db()
            context = step_context(self.object, request.user, error=error)
            return render(request, "workorders/_steps.html", context, status=status)
        if error:
            messages.error(request, error[1])
        elif sentence:
            messages.success(request, sentence)
        return HttpResponseRedirect(f"{self.object.get_absolute_url()}#steps")


def moment(text: str) -> datetime | None:
    """The moment that the page wrote down; None if there is none."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None


class AnswerStep(StepAction):
    """One answer; `seen` is the moment of the answer that the page showed."""

    def do(self) -> str:
        sent, step = self.request.POST, self.step
        with transaction.atomic():
            photo = step.photo
            if upload := self.request.FILES.get("photo"):
                photo = attach(self.object, upload, by=self.request.user, site=self.object.site, tell=False)
            answer(
                step,
                by=self.request.user,
                outcome=sent.get("outcome", ""),
                number=sent.get("number") or None,
                text=sent.get("text", ""),
                photo=photo,
                seen=moment(sent.get("seen", "")),
            )
        return ""


class AnswerChecks(StepAction):
    """All open checks are OK."""

    def do(self) -> str:
        answer_checks(self.object, by=self.request.user)
        return ""


class DecideFollowUp(StepAction):
    """A failed step gets its follow-up order, or a word why none is needed."""

    def do(self) -> str:
        sent = self.request.POST
        if sent.get("decision") == "none":
            decline_follow_up(self.step, by=self.request.user, why=sent.get("why", ""))
            return ""
        raised = raise_follow_up(self.step, by=self.request.user, summary=sent.get("summary", ""))
        return _("%(order)s is raised.") % {"order": raised}


class AddStep(FormPage):
    """One more step for an order."""

    model, form_class = WorkOrder, StepForm
    title = gettext_lazy("Add a step")
    submit = gettext_lazy("Add")
    parent = ORDERS

    def may_object(self, user, obj):
        return editing.may_edit(obj, user)

    def form(self, data=None):
        # The page is about the order, the form about a new step.
        return StepForm(data, user=self.request.user, site=self.object.site)

    @property
    def version(self) -> str:
        return str(self.object.version)

    def save(self, form):
        editing.add_step(self.object, form.cleaned_data, by=self.request.user)
        return self.object


class RemoveStep(ActionPage):
    """Take a step out before the work begins."""

    model = WorkOrder
    title = gettext_lazy("Remove step")
    submit = gettext_lazy("Remove")
    icon = "trash"
    tone = "stop"
    parent = ORDERS

    @property
    def step(self) -> Step:
        return get_object_or_404(Step.objects.select_related("order__site"), order=self.object, pk=self.kwargs["step"])

    @property
    def sentence(self):
        return self.step.text

    def may_object(self, user, obj):
        return editing.may_edit(obj, user)

    def do(self, obj):
        editing.remove_step(self.step, by=self.request.user)
        return _("The step is removed.")
