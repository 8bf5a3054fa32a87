"""Pages of what an hour of an asset down cost before."""

from functools import cached_property

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets import hourly_costs
from assets.forms.asset import FormerCostForm
from assets.models import Asset, FormerHourlyCost
from core.kit.badges import Action
from core.kit.form_views import ActionPage


def cost_of(page) -> FormerHourlyCost:
    """The row that the address names below its asset."""
    return get_object_or_404(page.object.former_hourly_costs.select_related("asset__site"), pk=page.kwargs["cost"])


class FormerCostPage(ActionPage):
    """What an hour down cost before: a further price, or a change of one."""

    model, form_class = Asset, FormerCostForm
    submit = _("Save")

    @cached_property
    def cost(self) -> FormerHourlyCost | None:
        return cost_of(self) if "cost" in self.kwargs else None

    def page_title(self):
        return _("Former cost of an hour down") if self.cost else _("New former cost of an hour down")

    @property
    def sentence(self):
        return _("Stops of %(asset)s before this day are counted at this price, those after it at the next one.") % {
            "asset": self.object
        }

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def initial(self):
        if self.cost:
            return {"amount": self.cost.amount, "until": self.cost.until, "version": self.cost.version}
        return {"until": self.object.site.production_day(timezone.now()).replace(month=1, day=1)}

    def actions(self):
        if not self.cost:
            return []
        return [Action(_("Remove"), reverse("former-cost-remove", args=[self.object.pk, self.cost.pk]), "trash")]

    def do(self, obj, *, amount, until, version):
        fields = {"amount": amount, "until": until}
        if self.cost:
            hourly_costs.change_former_cost(self.cost, fields, by=self.request.user, version=version)
        else:
            hourly_costs.add_former_cost(obj, fields, by=self.request.user)
        return _("The former cost is saved.")


class RemoveFormerCost(ActionPage):
    model = Asset
    title = _("Remove a former cost of an hour down")
    sentence = _("The price that came after it holds for its time as well.")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    @cached_property
    def cost(self) -> FormerHourlyCost:
        return cost_of(self)

    def may_object(self, user, obj):
        return user.can("edit", obj.site) and bool(self.cost)  # not found before it is asked about

    def do(self, obj):
        hourly_costs.remove_former_cost(self.cost, by=self.request.user)
        return _("The former cost is removed.")
