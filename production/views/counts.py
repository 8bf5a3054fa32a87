"""Pages of counts: what assets made."""

from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

from assets.views.happened import asset_asked, may_record
from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import ReasonForm, make_form
from core.kit.present import when_text
from core.kit.views import ListPage
from production import counting
from production.counting import CountEntry
from production.filters import CountPageFilter
from production.forms import CountCorrectionForm, CountForm
from production.models import Count
from production.tables import CountTable

FIELDS = ("product", "start", "end", "good", "scrap", "rework", "ideal_cycle")


class CountList(ListPage):
    model, table, filterset = Count, CountTable, CountPageFilter
    title = _("Production")
    export_name = "counts"

    def rows(self):
        return super().rows().select_related("asset")

    def answer(self):
        """How far the counts reach; what is old says so."""
        if self.request.site is None:
            return ""
        newest = Count.objects.visible_to(self.request.user).at(self.request.site).order_by("-start", "-id").first()
        return _("Counted until %(end)s.") % {"end": when_text(newest.end, relative=False)} if newest else ""

    def actions(self):
        if self.request.site and self.request.user.can("record", self.request.site):
            return [Action(_("Record a count"), reverse("count-new"), "plus", tone="primary")]
        return []


class NewCount(FormPage):
    model, form_class = Count, CountForm
    title = _("Record a count")
    parent = (_("Production"), reverse_lazy("counts"))

    def may(self, user):
        return self.request.site is not None and user.can("record", self.request.site)

    def initial(self):
        """What the asset made last goes on: product, speed, and from where the last count ended."""
        initial = super().initial()
        asset = asset_asked(self.request)
        last = Count.objects.filter(asset=asset).order_by("-end").first() if asset else None
        return {"product": last.product, "start": last.end, **initial} if last else initial

    def save(self, form):
        return counting.record_count(CountEntry(**form.cleaned_data), by=self.request.user).row

    def success_url(self, obj):
        return self.back(reverse("counts"))


class CorrectCount(FormPage):
    model, form_class = Count, CountCorrectionForm
    title = _("Correct a count")
    submit = _("Correct")
    template_name = "production/count_form.html"
    parent = (_("Production"), reverse_lazy("counts"))
    done = _("The count is corrected; its history keeps what was said before.")

    def rows(self):
        return super().rows().select_related("asset__site")

    def may_object(self, user, obj):
        return may_record(user, obj)

    def crumbs(self):
        return [self.parent]

    def form(self, data=None):
        initial = {name: getattr(self.object, name) for name in FIELDS} | {"asset": self.object.asset_id}
        return make_form(self.form_class, self.request, data, initial=initial)

    def save(self, form):
        changes = dict(form.cleaned_data)
        why = changes.pop("why")
        return counting.correct(self.object, changes, why=why, by=self.request.user, version=int(self.version))

    def success_url(self, obj):
        return self.back(reverse("counts"))


class RemoveCount(ActionPage):
    model, form_class = Count, ReasonForm
    title = _("Remove a count")
    sentence = _("For a count that never was; the history of the asset keeps it.")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    def may_object(self, user, obj):
        return may_record(user, obj)

    def do(self, obj, *, reason):
        counting.remove(obj, by=self.request.user, why=reason)
        return _("The count is removed.")

    def success_url(self):
        return reverse("counts")
