"""One order: what it is about, what can be done with it, and each move of its life cycle."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.kit.badges import Action
from core.kit.form_views import ActionPage
from core.kit.present import when_text
from core.kit.views import DetailPage
from core.talk import AddComment, AddFiles
from workorders import editing, lifecycle
from workorders.forms.moves import asks, move_form
from workorders.lifecycle import Move
from workorders.models import WorkOrder
from workorders.states import Priority, State
from workorders.tables import OVERDUE
from workorders.timekeeping import with_doubts

ORDERS = (gettext_lazy("Work orders"), reverse_lazy("work-orders"))


@dataclass(frozen=True)
class Button:
    """A move as a button: a link to its form, or a press that does it."""

    move: Move
    url: str
    asks: bool


def buttons_for(order: WorkOrder, user) -> list[Button]:
    """The moves this person may make now, the one that leads on first."""
    found = [
        Button(move, reverse("work-order-move", args=[order.pk, move.noun]), asks(move, order))
        for move in lifecycle.moves_for(order, user)
    ]
    usual = usual_move(order, user)
    return sorted(found, key=lambda button: button.move.verb == usual, reverse=True)


def usual_move(order: WorkOrder, user) -> str | None:
    """The verb that leads on towards a closed order, for this person: planners plan first, technicians start."""
    plans = user.can("plan", order.site_id)
    return {
        State.DRAFT: "approve",
        State.APPROVED: "plan" if plans else "start",
        State.PLANNED: "schedule" if plans else "start",
        State.SCHEDULED: "start",
        State.IN_PROGRESS: "complete",
        State.ON_HOLD: "resume",
        State.COMPLETED: "verify",
    }.get(order.state)


class OrderPage(DetailPage):
    model = WorkOrder
    template_name = "workorders/order.html"
    parent = ORDERS

    def rows(self):
        return super().rows().select_related(
            "site", "asset", "owner", "reported_by", "job_plan", "downtime__asset", "downtime__reason",
            "failure__problem", "follow_up_of", "occurrence__plan", "request",
        )  # fmt: skip

    def page_title(self):
        return str(self.object)

    def badges(self):
        order = self.object
        urgent = order.priority_badge if order.priority <= Priority.HIGH else None
        return [badge for badge in (order.badge, urgent, OVERDUE if order.is_overdue else None) if badge]

    def answer(self):
        order, words = self.object, []
        since = when_text(order.state_since, relative=False)
        if order.state == State.ON_HOLD:
            words.append(_("%(reason)s since %(since)s.") % {"reason": order.get_hold_reason_display(), "since": since})
        if order.state == State.CLOSED and order.completed_at and order.closed_at:
            done, closed = (when_text(at, relative=False) for at in (order.completed_at, order.closed_at))
            words.append(_("Completed %(done)s, closed %(closed)s.") % {"done": done, "closed": closed})
        if order.state == State.CANCELLED:
            words.append(_("Cancelled %(when)s.") % {"when": since})
        if order.state_note:
            words.append(f"“{order.state_note}”")
        if order.badge.next_step:
            who = order.owner or _("Nobody in particular")
            words.append(
                _("%(who)s has the ball since %(since)s: %(step)s.")
                % {"who": who, "since": since, "step": order.badge.next_step}
            )
        return " ".join(words)

    def actions(self):
        order = self.object
        if order.is_open and editing.may_edit(order, self.request.user):
            return [Action(_("Edit"), reverse("work-order-edit", args=[order.pk]), "pencil")]
        return []

    def context(self):
        buttons = buttons_for(self.object, self.request.user)
        usual = usual_move(self.object, self.request.user)
        first = [button for button in buttons if button.move.verb == usual]
        return {**super().context(), "first": first, "others": buttons[len(first) :]}


class MovePage(ActionPage):
    """A move of the life cycle: its form if it asks for something, then the verb."""

    model = WorkOrder
    parent = ORDERS

    def rows(self):
        return super().rows().select_related("site", "asset", "downtime__asset", "reported_by", "owner")

    @cached_property
    def move(self) -> Move:
        try:
            return lifecycle.by_noun(self.kwargs["noun"])
        except StopIteration:
            raise Http404(self.kwargs["noun"]) from None

    def may_object(self, user, obj):
        return self.move.allowed_to(user, obj)

    @property
    def form_class(self):
        return move_form(self.move, self.object) if self.move.needs else None

    @property
    def template_name(self):
        return f"workorders/{self.move.verb}.html" if self.move.verb in ("hold", "complete") else "generic/action.html"

    @property
    def sentence(self):
        return self.move.hint or self.object.summary

    @property
    def submit(self):
        return self.move.label

    @property
    def icon(self):
        return self.move.icon

    @property
    def tone(self):
        return self.move.tone or "primary"

    def page_title(self):
        return f"{self.move.label}: {self.object.code}"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.object.state not in self.move.sources:
            return self.too_late(request)
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # A form that no longer fits would only hide that somebody else was faster.
        if self.object.state not in self.move.sources and self.move.needs:
            return self.too_late(request)
        return super().post(request, *args, **kwargs)

    def too_late(self, request: HttpRequest) -> HttpResponse:
        words = {"order": self.object.code, "state": str(self.object.badge.label).lower(), "verb": self.move.label}
        messages.error(request, _("%(order)s is %(state)s; “%(verb)s” is not possible now.") % words)
        return HttpResponseRedirect(self.object.get_absolute_url())

    def do(self, obj, **cleaned):
        getattr(obj, self.move.verb)(by=self.request.user, **cleaned)
        sentence = _("%(order)s is %(state)s.") % {"order": obj.code, "state": str(obj.badge.label).lower()}
        clock = obj.labour.filter(person=self.request.user, end=None).first()
        return with_doubts(clock, sentence) if clock else sentence


class CommentOrder(AddComment):
    model = WorkOrder


class AddFileToOrder(AddFiles):
    model = WorkOrder
