"""Planning: the week as people × days, the backlog beside it, and assignments made by form."""

from datetime import datetime, time
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.errors import Refused
from core.kit.badges import Action
from core.kit.form_views import ActionPage
from core.kit.views import Page
from core.weeks import monday_named
from people.permissions import require
from workorders.agreeing import agree, agreement_of, last_call, withdraw
from workorders.assigning import schedule_one
from workorders.forms.moves import next_hour
from workorders.forms.orders import AssignmentForm
from workorders.models import AgreedWeek, Assignment, WorkOrder
from workorders.preparation import reassign, unassign
from workorders.views.lists import how_it_goes
from workorders.views.order import ORDERS
from workorders.week import Week, monday_of, said_hours, week_of

PLANNING = gettext_lazy("Planning")
USUAL_START = time(8)  # of a day that was chosen without an hour


class Planning(Page):
    title = PLANNING
    template_name = "workorders/week.html"

    def may(self, user):
        return self.request.site is None or user.can("plan", self.request.site)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.site is None:
            return self.draw(week=None)
        now = timezone.now()
        today = request.site.local(now).date()
        week = week_of(request.site, monday_of(request.GET.get("week", ""), today))
        return self.draw(
            week=week, today=today, answer=how_it_goes(WorkOrder.objects.at(request.site)), counted=counted(week),
            agreement=agreement_of(request.site, week.days[0], week.orders), may_agree=self.may_agree(week, now),
        )  # fmt: skip

    def may_agree(self, week: Week, now: datetime) -> bool:
        return self.request.user.can("plan", week.site) and now < last_call(week.site, week.days[0])

    def actions(self):
        if self.request.site is None:
            return []
        return [Action(_("New order"), reverse("work-order-new"), "plus", tone="primary")]


class AgreeWeek(Page):
    """Freeze what is scheduled in the week of the address, or take that back."""

    withdrawing = False

    def post(self, request: HttpRequest, week: str) -> HttpResponse:
        site, here = request.site, f"{reverse('planning')}?week={week}"
        if site is None or (monday := monday_named(week)) is None:
            raise Http404
        require(request.user, "plan", site)
        try:
            if self.withdrawing:
                withdraw(get_object_or_404(AgreedWeek, site=site, monday=monday), by=request.user)
                messages.success(request, _("The agreement is withdrawn."))
            else:
                agreed = agree(site, monday, by=request.user).orders.count()
                messages.success(
                    request, ngettext("%(n)d order is agreed.", "%(n)d orders are agreed.", agreed) % {"n": agreed}
                )
        except Refused as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(here)


def counted(week: Week) -> str:
    """How full the week is."""
    jobs = ngettext("%(n)d job", "%(n)d jobs", week.count) % {"n": week.count}
    return _("%(jobs)s, %(hours)s h planned") % {"jobs": jobs, "hours": said_hours(week.minutes)}


class AssignOrder(ActionPage):
    """Give an order to somebody at a time; `?person=` and `?day=` bring what was chosen in the week."""

    model, form_class = WorkOrder, AssignmentForm
    submit = gettext_lazy("Assign")
    icon = "user-plus"
    parent = ORDERS

    def rows(self):
        return super().rows().select_related("site", "asset")

    def may_object(self, user, obj):
        return user.can("plan", obj.site)

    def page_title(self):
        return _("Assign %(order)s") % {"order": self.object.code}

    @property
    def sentence(self):
        return f"{self.object.summary} · {self.object.asset}"

    def initial(self):
        start = next_hour()
        try:
            if day := parse_date(self.request.GET.get("day", "")):
                start = datetime.combine(day, USUAL_START, self.object.site.zone)
        except ValueError:  # 30 February
            pass
        return {
            "person": self.request.GET.get("person"), "start": start, "minutes": self.object.estimate_minutes,
        }  # fmt: skip

    def do(self, obj, *, person, start, minutes):
        schedule_one(obj, by=self.request.user, person=person, start=start, minutes=minutes)
        obj.refresh_from_db()
        return _("%(order)s is assigned to %(person)s; it is %(state)s.") % {
            "order": obj.code, "person": person, "state": str(obj.badge.label).lower(),
        }  # fmt: skip


class AssignmentAction(ActionPage):
    """About one assignment of an order."""

    model = WorkOrder
    parent = ORDERS

    def rows(self):
        return super().rows().select_related("site", "asset")

    def may_object(self, user, obj):
        return user.can("plan", obj.site) or self.assignment.person_id == user.pk

    @cached_property
    def assignment(self) -> Assignment:
        rows = Assignment.objects.select_related("person", "order__site")
        return get_object_or_404(rows, order=self.object, pk=self.kwargs["assignment"])


class MoveAssignment(AssignmentAction):
    """Another person, day or length."""

    form_class = AssignmentForm
    submit = gettext_lazy("Save")
    icon = "calendar-event"

    def page_title(self):
        return _("Move %(order)s") % {"order": self.object.code}

    @property
    def sentence(self):
        return f"{self.object.summary} · {self.object.asset}"

    def initial(self):
        return {
            "person": self.assignment.person_id, "start": self.assignment.start, "minutes": self.assignment.minutes,
        }  # fmt: skip

    def actions(self):
        return [
            Action(_("Take off"), reverse("assignment-remove", args=[self.object.pk, self.assignment.pk]), "user-minus")
        ]

    def do(self, obj, *, person, start, minutes):
        reassign(self.assignment, by=self.request.user, person=person, start=start, minutes=minutes)
        return _("%(order)s is assigned to %(person)s.") % {"order": obj.code, "person": person}


class RemoveAssignment(AssignmentAction):
    submit = gettext_lazy("Take off")
    icon = "user-minus"
    tone = "stop"

    def page_title(self):
        return _("Take %(person)s off %(order)s") % {"person": self.assignment.person, "order": self.object.code}

    @property
    def sentence(self):
        return self.object.summary

    def do(self, obj):
        unassign(self.assignment, by=self.request.user)
        return _("%(person)s is no longer assigned.") % {"person": self.assignment.person}
