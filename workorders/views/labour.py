"""Clocks, and time entered or corrected by hand."""

from functools import cached_property

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.kit.form_views import ActionPage
from workorders import timekeeping
from workorders.forms.orders import CorrectLabourForm, NewLabourForm
from workorders.models import Labour, WorkOrder
from workorders.timekeeping import with_doubts
from workorders.views.order import ORDERS


class OrderAction(ActionPage):
    """A verb on an order by those who do the work."""

    model = WorkOrder
    parent = ORDERS

    def rows(self):
        return super().rows().select_related("site", "asset")

    def may_object(self, user, obj):
        return user.can("execute", obj.site)


class StartClock(OrderAction):
    title = submit = gettext_lazy("Start my clock")
    icon = "clock-play"

    def do(self, obj):
        return with_doubts(timekeeping.start_clock(obj, by=self.request.user), _("Your clock runs."))


class StopClock(OrderAction):
    title = submit = gettext_lazy("Stop my clock")
    icon = "clock-pause"

    def do(self, obj):
        timekeeping.stop_clock(obj, by=self.request.user)
        return _("Your clock is stopped; the order goes on.")


class NewLabour(OrderAction):
    title = gettext_lazy("Enter time")
    submit = gettext_lazy("Enter")
    icon = "clock-plus"
    form_class = NewLabourForm

    def do(self, obj, *, person, start, end, note):
        made = timekeeping.record_labour(obj, person=person, start=start, end=end, note=note, by=self.request.user)
        return with_doubts(made, _("The time is entered."))


class LabourAction(OrderAction):
    """About one entry of time on an order."""

    @cached_property
    def labour(self) -> Labour:
        rows = Labour.objects.select_related("person", "order__site")
        return get_object_or_404(rows, order=self.object, pk=self.kwargs["labour"])


class EditLabour(LabourAction):
    title = gettext_lazy("Correct time")
    submit = gettext_lazy("Save")
    icon = "clock-edit"
    form_class = CorrectLabourForm

    def initial(self):
        return {"start": self.labour.start, "end": self.labour.end, "note": self.labour.note}

    @property
    def sentence(self):
        return str(self.labour.person)

    def do(self, obj, *, start, end, note):
        made = timekeeping.correct_labour(self.labour, start=start, end=end, note=note, by=self.request.user)
        return with_doubts(made, _("The time is corrected."))


class RemoveLabour(LabourAction):
    title = gettext_lazy("Remove time")
    submit = gettext_lazy("Remove")
    icon = "trash"
    tone = "stop"

    @property
    def sentence(self):
        return str(self.labour)

    def do(self, obj):
        timekeeping.remove_labour(self.labour, by=self.request.user)
        return _("The time is removed.")
