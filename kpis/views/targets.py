"""Pages of targets: what key figures are to reach, who answers for it, what was decided."""

from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import make_form
from core.kit.views import DetailPage, ListPage
from core.talk import AddComment
from kpis import targets
from kpis.definitions import DEFINITIONS
from kpis.filters import TargetFilter
from kpis.forms import TargetForm, initial_of
from kpis.models import Counts, Target
from kpis.tables import TargetTable, name_of, shown

PERFORMANCE = (_("Performance"), reverse_lazy("performance"))
TARGETS = (_("Targets"), reverse_lazy("targets"))


class TargetList(ListPage):
    model, table, filterset = Target, TargetTable, TargetFilter
    title = _("Targets")
    parent = PERFORMANCE
    export_name = "targets"

    def rows(self):
        return super().rows().select_related("asset", "owner", "site")

    def actions(self):
        if self.request.site and self.request.user.can("manage", self.request.site):
            return [Action(_("New target"), reverse("target-new"), "plus", tone="primary")]
        return []


class TargetPage(DetailPage):
    """One target, with the decisions about its figure and what happened to it."""

    model = Target
    parent = TARGETS

    def rows(self):
        return super().rows().select_related("asset", "owner", "site")

    def page_title(self):
        whose = targets.whose(self.object) if self.object.asset else self.object.site.name
        return f"{name_of(self.object)} · {whose}"

    def answer(self):
        return _now("Target %(value)s; %(owner)s answers for it.") % {
            "value": shown(self.object, self.object.value), "owner": self.object.owner,
        }  # fmt: skip

    def facts(self):
        last = self.object.valid_to
        return [
            (_("Counts"), self.object.get_scope_display() if self.object.asset else _("the machines of the site")),
            (_("Near it up to"), shown(self.object, self.object.watch) or None),
            (_("Valid from"), self.object.valid_from),
            (_("Valid to"), last and last - timedelta(days=1)),
        ]

    def actions(self):
        target = self.object
        own = {"scope": target.scope} if target.scope == Counts.ASSET else {}
        query = urlencode({"asset": target.asset_id, **own} if target.asset_id else {})
        found = [Action(_("Performance"), f"{reverse('performance')}?{query}", "chart-histogram")]
        if self.request.user.can("manage", self.object.site):
            key = [self.object.pk]
            found += [
                Action(_("Edit"), reverse("target-edit", args=key), "pencil"),
                Action(_("Remove"), reverse("target-remove", args=key), "trash"),
            ]
        return found


class TargetFormPage(FormPage):
    """A new target, or a change of one."""

    model, form_class = Target, TargetForm
    parent = TARGETS

    def rows(self):
        return super().rows().select_related("asset", "owner", "site")

    def page_title(self):
        return _("Edit target") if self.object else _("New target")

    def may(self, user):
        return self.object is not None or (self.request.site is not None and user.can("manage", self.request.site))

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def form(self, data=None):
        site = self.object.site if self.object else self.request.site
        initial = initial_of(self.object) if self.object else self.initial() | {"owner": self.request.user.pk}
        if not self.object:
            initial.setdefault("valid_from", site.production_day(timezone.now()).replace(day=1))
        return make_form(TargetForm, self.request, data, initial=initial, site=site, target=self.object)

    def save(self, form):
        fields = dict(form.cleaned_data)
        if self.object:
            return targets.change_target(self.object, fields, by=self.request.user, version=int(self.version))
        return targets.set_target(self.request.site, fields.pop("asset"), fields, by=self.request.user)


class RemoveTarget(ActionPage):
    model = Target
    title = _("Remove a target")
    sentence = _("A target that was agreed and no longer holds is better ended: edit its last day.")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def do(self, obj):
        targets.remove_target(obj, by=self.request.user)
        return _now("The target of %(figure)s is removed.") % {"figure": DEFINITIONS[obj.definition].name}

    def success_url(self):
        return reverse("targets")


class Decide(AddComment):
    """Note a decision about the figure."""

    model = Target

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def add(self):
        targets.decide(self.object, self.request.POST.get("body", ""), by=self.request.user)
        return _now("The decision is noted.")
