"""Pages of net margins: what the site earns in a year, from when on."""

from django.urls import reverse_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from kpis import net_margins
from kpis.forms import NetMarginForm
from kpis.models import NetMargin
from kpis.tables import NetMarginTable, margin_text
from kpis.views.dated import DatedFormPage, DatedList, DatedPage, RemoveDated

MARGINS = (_("Net margin"), reverse_lazy("net-margins"))


class NetMarginList(DatedList):
    model, table, route = NetMargin, NetMarginTable, "net-margin"
    title = _("Net margin")
    new = _("New net margin")
    export_name = "net-margins"

    def answer(self):
        return _("What the whole site earns in a calendar year; the cost of downtime is shown as a share of it.")


class NetMarginPage(DatedPage):
    model, route = NetMargin, "net-margin"
    parent = MARGINS

    def page_title(self):
        return _now("Net margin of %(site)s") % {"site": self.object.site.name}

    def facts(self):
        return [(_("Net margin of a year"), margin_text(self.object)), (_("Valid from"), self.object.valid_from)]


class NetMarginFormPage(DatedFormPage):
    model, form_class, verbs = NetMargin, NetMarginForm, net_margins.VERBS
    parent = MARGINS
    lead = _("It holds until the day from which another one does. A changed margin changes past figures as well.")

    def page_title(self):
        return _("Edit net margin") if self.object else _("New net margin")

    def options(self, site):
        return {"currency": site.currency}


class RemoveNetMargin(RemoveDated):
    model, verbs, list_route = NetMargin, net_margins.VERBS, "net-margins"
    title = _("Remove a net margin")
    sentence = _("The one before it holds on. A margin that no longer holds is better followed by a new one.")
    done = gettext_noop("The net margin is removed.")
