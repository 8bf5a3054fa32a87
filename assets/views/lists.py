"""Pages of the lists that people choose from: reasons for stops, failure codes, kinds of assets."""

from django.db.models import Count
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

from assets import lists
from assets.filters import FailureCodeFilter, ReasonFilter
from assets.forms.lists import FailureCodeForm, KindForm, ReasonForm
from assets.models import AssetKind, DowntimeReason, FailureCode
from assets.tables import FailureCodeTable, KindTable, ReasonTable
from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.views import ListPage

SETTINGS = (_("Settings"), reverse_lazy("settings"))


class ReasonPageFilter(ReasonFilter):
    """Without what only programs ask for."""

    site = code = None


class FailureCodePageFilter(FailureCodeFilter):
    """Without what only programs ask for."""

    code = None


class Listed:
    """What the pages of these lists share: who may, and how a row is saved."""

    def may(self, user):
        return bool(user.sites_where("administer"))


class ReasonList(ListPage):
    model, table, filterset = DowntimeReason, ReasonTable, ReasonPageFilter
    title = _("Reasons for stops")
    parent = SETTINGS
    export_name = "downtime-reasons"

    def rows(self):
        return super().rows().select_related("kind")

    def may(self, user):
        return self.request.site is not None and user.can("administer", self.request.site)

    def actions(self):
        return [Action(_("New reason"), reverse("downtime-reason-new"), "plus", tone="primary")]


class ReasonPage(FormPage):
    """A new reason, or a change of one."""

    model, form_class = DowntimeReason, ReasonForm
    parent = (_("Reasons for stops"), reverse_lazy("downtime-reasons"))
    lead = _(
        "A change of “excluded” or of the loss class holds for past stops as well, and their figures change with it;"
        " “planned” is said of each stop, so that a change of it holds from now on."
    )
    template_name = "assets/list_form.html"

    def crumbs(self):
        return [self.parent]

    def page_title(self):
        return self.object.name if self.object else _("New reason")

    def may(self, user):
        return self.request.site is not None and user.can("administer", self.request.site)

    def may_object(self, user, obj):
        return user.can("administer", obj.site)

    def context(self):
        return {"remove_url": reverse("downtime-reason-remove", args=[self.object.pk]) if self.object else ""}

    def save(self, form):
        if self.object is None:
            return lists.add_reason(self.request.site, form.cleaned_data, by=self.request.user)
        return lists.change_reason(self.object, form.cleaned_data, by=self.request.user)

    def success_url(self, obj):
        return self.back(reverse("downtime-reasons"))


class RemoveReason(ActionPage):
    model = DowntimeReason
    title = _("Remove a reason")
    sentence = _("A reason that was used stays; put it out of use instead.")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    def may_object(self, user, obj):
        return user.can("administer", obj.site)

    def do(self, obj):
        lists.remove_reason(obj, by=self.request.user)
        return _("“%(name)s” is removed.") % {"name": obj}

    def success_url(self):
        return reverse("downtime-reasons")


class SharedPage(Listed, FormPage):
    """A new entry of a list that all sites share, or a change of one."""

    template_name = "assets/list_form.html"
    lead = _("All sites share this list.")
    list_name: str
    remove_name: str

    def crumbs(self):
        return [self.parent]

    def page_title(self):
        return str(self.object) if self.object else self.title

    def context(self):
        return {"remove_url": reverse(self.remove_name, args=[self.object.pk]) if self.object else ""}

    def save(self, form):
        row = self.model.objects.get(pk=self.object.pk) if self.object else self.model()
        return lists.keep_shared(row, form.cleaned_data, by=self.request.user)

    def success_url(self, obj):
        return self.back(reverse(self.list_name))


class RemoveShared(Listed, ActionPage):
    submit = _("Remove")
    icon = "trash"
    tone = "stop"
    sentence = _("An entry that was used stays.")
    list_name: str

    def do(self, obj):
        lists.remove_shared(obj, by=self.request.user)
        return _("“%(name)s” is removed.") % {"name": obj}

    def success_url(self):
        return reverse(self.list_name)


class KindList(Listed, ListPage):
    model, table = AssetKind, KindTable
    title = _("Kinds of assets")
    parent = SETTINGS
    export_name = "asset-kinds"

    def rows(self):
        return super().rows().annotate(asset_count=Count("assets"))

    def actions(self):
        return [Action(_("New kind"), reverse("asset-kind-new"), "plus", tone="primary")]


class KindPage(SharedPage):
    model, form_class = AssetKind, KindForm
    title = _("New kind of assets")
    parent = (_("Kinds of assets"), reverse_lazy("asset-kinds"))
    list_name, remove_name = "asset-kinds", "asset-kind-remove"


class RemoveKind(RemoveShared):
    model = AssetKind
    title = _("Remove a kind")
    list_name = "asset-kinds"


class FailureCodeList(Listed, ListPage):
    model, table, filterset = FailureCode, FailureCodeTable, FailureCodePageFilter
    title = _("Failure codes")
    parent = SETTINGS
    export_name = "failure-codes"

    def rows(self):
        return super().rows().select_related("kind")

    def actions(self):
        return [Action(_("New code"), reverse("failure-code-new"), "plus", tone="primary")]


class FailureCodePage(SharedPage):
    model, form_class = FailureCode, FailureCodeForm
    title = _("New failure code")
    parent = (_("Failure codes"), reverse_lazy("failure-codes"))
    list_name, remove_name = "failure-codes", "failure-code-remove"


class RemoveFailureCode(RemoveShared):
    model = FailureCode
    title = _("Remove a failure code")
    list_name = "failure-codes"
