"""Pages of net margins: what the site earns in a year, from when on."""

from datetime import date

from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import make_form
from core.kit.views import DetailPage, ListPage
from kpis import net_margins
from kpis.forms import NetMarginForm
from kpis.models import NetMargin
from kpis.tables import NetMarginTable, margin_text

PERFORMANCE = (_("Performance"), reverse_lazy("performance"))
MARGINS = (_("Net margin"), reverse_lazy("net-margins"))


class NetMarginList(ListPage):
    model, table = NetMargin, NetMarginTable
    title = _("Net margin")
    parent = PERFORMANCE
    export_name = "net-margins"

    def rows(self):
        return super().rows().select_related("site")

    def answer(self):
        return _("What the whole site earns in a calendar year; the cost of downtime is shown as a share of it.")

    def actions(self):
        if self.request.site and self.request.user.can("manage", self.request.site):
            return [Action(_("New net margin"), reverse("net-margin-new"), "plus", tone="primary")]
        return []


class NetMarginPage(DetailPage):
    """One margin and what happened to it."""

    model = NetMargin
    parent = MARGINS

    def rows(self):
        return super().rows().select_related("site")

    def page_title(self):
        return _now("Net margin of %(site)s") % {"site": self.object.site.name}

    def facts(self):
        return [(_("Net margin of a year"), margin_text(self.object)), (_("Valid from"), self.object.valid_from)]

    def actions(self):
        if not self.request.user.can("manage", self.object.site):
            return []
        key = [self.object.pk]
        return [
            Action(_("Edit"), reverse("net-margin-edit", args=key), "pencil"),
            Action(_("Remove"), reverse("net-margin-remove", args=key), "trash"),
        ]


class NetMarginFormPage(FormPage):
    """A new margin, or a change of one."""

    model, form_class = NetMargin, NetMarginForm
    parent = MARGINS
    lead = _("It holds until the day from which another one does. A changed margin changes past figures as well.")

    def rows(self):
        return super().rows().select_related("site")

    def page_title(self):
        return _("Edit net margin") if self.object else _("New net margin")

    def may(self, user):
        return self.object is not None or (self.request.site is not None and user.can("manage", self.request.site))

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def form(self, data=None):
        site = self.object.site if self.object else self.request.site
        if self.object:
            initial = {"amount": self.object.amount, "valid_from": self.object.valid_from}
        else:
            initial = {"valid_from": date(site.production_day(timezone.now()).year, 1, 1)}
        return make_form(NetMarginForm, self.request, data, initial=initial, currency=site.currency)

    def save(self, form):
        if self.object:
            return net_margins.change_net_margin(
                self.object, form.cleaned_data, by=self.request.user, version=int(self.version)
            )
        return net_margins.set_net_margin(self.request.site, form.cleaned_data, by=self.request.user)


class RemoveNetMargin(ActionPage):
    model = NetMargin
    title = _("Remove a net margin")
    sentence = _("The one before it holds on. A margin that no longer holds is better followed by a new one.")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def do(self, obj):
        net_margins.remove_net_margin(obj, by=self.request.user)
        return _now("The net margin is removed.")

    def success_url(self):
        return reverse("net-margins")
