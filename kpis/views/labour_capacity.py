"""Pages of the labour capacity: the hours a week that the crew of a site has, from when on."""

from django.urls import reverse_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from kpis import labour_capacity
from kpis.forms import LabourCapacityForm
from kpis.models import LabourCapacity
from kpis.tables import LabourCapacityTable, hours_of_week
from kpis.views.dated import DatedFormPage, DatedList, DatedPage, RemoveDated

CAPACITY = (_("Labour capacity"), reverse_lazy("labour-capacities"))


class LabourCapacityList(DatedList):
    model, table, route = LabourCapacity, LabourCapacityTable, "labour-capacity"
    title = _("Labour capacity")
    new = _("New labour capacity")
    export_name = "labour-capacity"

    def answer(self):
        return _("What the whole crew can work in a week. Backlog is told in such weeks, wrench time of paid hours.")


class LabourCapacityPage(DatedPage):
    model, route = LabourCapacity, "labour-capacity"
    parent = CAPACITY

    def page_title(self):
        return _now("Labour capacity of %(site)s") % {"site": self.object.site.name}

    def facts(self):
        return [
            (_("Hours a week for orders"), hours_of_week(self.object.net)),
            (_("Paid hours a week"), hours_of_week(self.object.paid)),
            (_("Valid from"), self.object.valid_from),
        ]


class LabourCapacityFormPage(DatedFormPage):
    model, form_class, verbs = LabourCapacity, LabourCapacityForm, labour_capacity.VERBS
    parent = CAPACITY
    lead = _("It holds until the day from which another one does. A changed capacity changes past figures as well.")

    def page_title(self):
        return _("Edit labour capacity") if self.object else _("New labour capacity")


class RemoveLabourCapacity(RemoveDated):
    model, verbs, list_route = LabourCapacity, labour_capacity.VERBS, "labour-capacities"
    title = _("Remove a labour capacity")
    sentence = _("The one before it holds on. A capacity that no longer holds is better followed by a new one.")
    done = gettext_noop("The labour capacity is removed.")
