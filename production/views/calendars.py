"""Pages of operating calendars: which there are, what one says, who follows it, and the form."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, DomainError, NotAllowed
from core.kit.badges import Action, Badge
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import make_form
from core.kit.views import DetailPage, ListPage
from production import agreeing
from production.filters import CalendarFilter
from production.forms import CalendarForm, ExceptionRows
from production.models import OperatingCalendar
from production.slot_text import write_slots
from production.tables import CalendarTable


class CalendarPageFilter(CalendarFilter):
    """Without what only programs ask for."""

    site = None


def state_of(calendar: OperatingCalendar) -> Badge:
    """Whether it holds today."""
    today = calendar.site.local(timezone.now()).date()
    if calendar.valid_from > today:
        return Badge(_("Not yet valid"), "watch", "calendar-time")
    if calendar.valid_to and calendar.valid_to <= today:
        return Badge(_("Over"), "idle", "calendar-off")
    return Badge(_("Holds today"), "ok", "calendar-check")


class CalendarList(ListPage):
    model, table, filterset = OperatingCalendar, CalendarTable, CalendarPageFilter
    title = _("Operating calendars")
    export_name = "operating-calendars"

    def rows(self):
        return super().rows().select_related("asset", "site").prefetch_related("weekly", "exceptions__slots")

    def answer(self):
        return _("What has no calendar follows what it stands in, then the site, else it runs around the clock.")

    def actions(self):
        if self.request.site and self.request.user.can("edit", self.request.site):
            return [Action(_("New calendar"), reverse("operating-calendar-new"), "plus", tone="primary")]
        return []


class CalendarPage(DetailPage):
    model = OperatingCalendar
    parent = (_("Operating calendars"), reverse_lazy("operating-calendars"))

    def rows(self):
        return super().rows().select_related("asset", "site").prefetch_related("weekly", "exceptions__slots")

    def badges(self):
        return [state_of(self.object)]

    def answer(self):
        if self.object.asset:
            return _("For %(asset)s and everything in it without a calendar of its own.") % {"asset": self.object.asset}
        return _("For everything at %(site)s without a calendar of its own.") % {"site": self.object.site.name}

    def actions(self):
        if not self.request.user.can("edit", self.object.site):
            return []
        key = [self.object.pk]
        return [
            Action(_("Edit"), reverse("operating-calendar-edit", args=key), "pencil"),
            Action(_("Remove"), reverse("operating-calendar-remove", args=key), "trash"),
        ]


class CalendarFormPage(FormPage):
    """A new calendar, or another agreement in place of one."""

    model, form_class = OperatingCalendar, CalendarForm
    template_name = "production/calendar_form.html"
    parent = (_("Operating calendars"), reverse_lazy("operating-calendars"))

    def rows(self):
        return super().rows().select_related("asset", "site").prefetch_related("weekly", "exceptions__slots")

    def page_title(self):
        return _("Edit calendar") if self.object else _("New calendar")

    @property
    def lead(self):
        if self.object is None:
            return ""
        return _("A change holds for past days too, and their figures change with it. To keep the past, end this"
                 " calendar and agree on a new one from a later day.")  # fmt: skip

    def may(self, user):
        return self.object is not None or (self.request.site is not None and user.can("edit", self.request.site))

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def form(self, data=None):
        if self.object:
            initial = CalendarForm.initial_of(agreeing.agreement_of(self.object))
        else:
            today = self.request.site.local(timezone.now()).date()
            initial = {"valid_from": today - timedelta(days=today.weekday()), **self.initial()}
        return make_form(self.form_class, self.request, data, initial=initial, editing=self.object is not None)

    def exception_rows(self, data=None):
        initial = []
        if self.object:
            agreement = agreeing.agreement_of(self.object)
            initial = [
                {"date": day, "name": agreement.exception_names.get(day, ""), "slots": write_slots(slots)}
                for day, slots in sorted(agreement.pattern.exceptions.items())
            ]
        return ExceptionRows(data, initial=initial, prefix="exceptions")

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        return self.draw(form=self.form(), exceptions=self.exception_rows(), back=self.back(self.way_back()))

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        form, exceptions = self.form(request.POST), self.exception_rows(request.POST)
        status = 422
        if form.is_valid() & exceptions.is_valid():
            try:
                calendar = self.agree(form, form.agreement(exceptions))
            except NotAllowed as error:
                raise PermissionDenied(error.message) from error
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
                status = 409 if isinstance(error, Conflict) else 422
            else:
                messages.success(request, _("%(name)s is agreed.") % {"name": calendar})
                return HttpResponseRedirect(calendar.get_absolute_url())
        return self.draw(form=form, exceptions=exceptions, back=self.back(self.way_back()), status=status)

    def agree(self, form: CalendarForm, agreement: agreeing.Agreement) -> OperatingCalendar:
        if self.object:
            return agreeing.change(self.object, agreement, by=self.request.user, version=int(self.version))
        return agreeing.agree(self.request.site, form.cleaned_data["asset"], agreement, by=self.request.user)


class RemoveCalendar(ActionPage):
    model = OperatingCalendar
    title = _("Remove calendar")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    @property
    def sentence(self):
        return _("%(name)s holds no longer, not for past days either; what is above it takes its place.") % {
            "name": self.object
        }

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def do(self, obj):
        agreeing.remove(obj, by=self.request.user)
        return _("%(name)s is removed.") % {"name": obj}

    def success_url(self):
        return reverse("operating-calendars")
