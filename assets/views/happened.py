"""Pages of what happens to assets: is down, is back, stops, failures, and their corrections."""

from functools import cached_property
from typing import Any

from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from assets import failures, states, stops
from assets.filters import DowntimePageFilter, FailurePageFilter
from assets.forms.happened import (
    BackForm,
    DownForm,
    FailureCorrectionForm,
    FailureForm,
    StopCorrectionForm,
    StopForm,
)
from assets.models import Asset, Downtime, DowntimeReason, Failure
from assets.stops import StopEntry
from assets.tables import DowntimeTable, FailureTable
from assets.views.asset import down_sentence
from core.errors import Refused
from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import ReasonForm, make_form
from core.kit.present import duration_text, when_text
from core.kit.views import DetailPage, ListPage
from core.querysets import id_of


def may_record(user, obj) -> bool:
    return user.can("record", obj.site)


# --- Is down, is back ----------------------------------------------------------------------------------


class IsDown(ActionPage):
    """One tap from the asset's page, or the form for more: since when, why, planned."""

    model, form_class = Asset, DownForm
    title = _("Is down")
    submit = _("Is down")
    icon = "player-pause"
    tone = "stop"

    @property
    def sentence(self):
        return _("%(asset)s does not run.") % {"asset": self.object}

    def may_object(self, user, obj):
        return may_record(user, obj)

    def form(self, data=None):
        return make_form(self.form_class, self.request, data, asset=self.object)

    def do(self, obj, *, is_failure, **said):
        stops.open_stop(obj, by=self.request.user, is_failure=is_failure or None, **said)
        return _("%(asset)s is down.") % {"asset": obj.code}


class IsBack(ActionPage):
    model, form_class = Asset, BackForm
    title = _("Is back")
    submit = _("Is back")
    icon = "player-play"

    @property
    def sentence(self):
        return _("%(asset)s runs again.") % {"asset": self.object}

    def may_object(self, user, obj):
        return may_record(user, obj)

    def do(self, obj, **said):
        stop = stops.close_stop(obj, by=self.request.user, **said)
        return _("%(asset)s is back after %(span)s.") % {
            "asset": obj.code, "span": duration_text(stop.end - stop.start),
        }  # fmt: skip


class GiveReason(ActionPage):
    """One tap on a reason for a stop that has none, or on "it was a failure"."""

    model = Downtime
    title = _("Why?")
    http_method_names = ["post"]

    def may_object(self, user, obj):
        return may_record(user, obj)

    def do(self, obj):
        given: dict[str, Any] = {}
        if key := self.request.POST.get("reason", ""):
            given["reason"] = DowntimeReason.objects.at(obj.site).filter(pk=id_of(key)).first()
            if given["reason"] is None:
                raise Refused(_("This site has no such reason."), code="unknown_reason", field="reason")
        failed = True if "failure" in self.request.POST else None
        stop = stops.correct(obj, given, is_failure=failed, by=self.request.user)
        return _("%(reason)s: noted.") % {"reason": stop.reason} if key else _("Noted as a failure.")

    def success_url(self):
        return self.back(self.object.asset.get_absolute_url())


# --- Stops ---------------------------------------------------------------------------------------------


class DowntimeList(ListPage):
    model, table, filterset = Downtime, DowntimeTable, DowntimePageFilter
    title = _("Downtime")
    export_name = "downtime"

    def rows(self):
        return super().rows().select_related("asset", "reason", "entered_by").with_lasted()

    def answer(self):
        return down_sentence(self.request.site, self.request.user) if self.request.site else ""

    def actions(self):
        if self.request.site and self.request.user.can("record", self.request.site):
            return [Action(_("Record a stop"), reverse("downtime-new"), "plus", tone="primary")]
        return []


class DowntimePage(DetailPage):
    model = Downtime
    parent = (_("Downtime"), reverse_lazy("downtimes"))

    def rows(self):
        return super().rows().select_related("asset__site", "reason", "entered_by").with_lasted()

    def page_title(self):
        return _("Stop of %(asset)s") % {"asset": self.object.asset.code}

    def badges(self):
        stop = self.object
        found = [states.kind_of_open(stop) if stop.end is None else states.kind_of_stop(stop)]
        return [*found, states.FAILED] if stop.failed else found

    def answer(self):
        stop = self.object
        words = {"start": when_text(stop.start, relative=False), "span": duration_text(stop.lasted)}
        if stop.end is None:
            return _("Down since %(start)s, for %(span)s so far.") % words
        return _("Down from %(start)s to %(end)s, for %(span)s.") % {
            **words, "end": when_text(stop.end, relative=False),
        }  # fmt: skip

    def actions(self):
        stop = self.object
        if not may_record(self.request.user, stop):
            return []
        found = []
        if stop.end is None:
            found.append(
                Action(
                    _("Is back"), reverse("asset-back", args=[stop.asset_id]), "player-play", tone="primary", post=True
                )
            )
        return [
            *found,
            Action(_("Correct"), reverse("downtime-edit", args=[stop.pk]), "pencil"),
            Action(_("Remove"), reverse("downtime-remove", args=[stop.pk]), "trash"),
        ]


class NewDowntime(FormPage):
    model, form_class = Downtime, StopForm
    title = _("Record a stop")
    parent = (_("Downtime"), reverse_lazy("downtimes"))

    def may(self, user):
        return self.request.site is not None and user.can("record", self.request.site)

    def form(self, data=None):
        asset = asset_asked(self.request)
        return make_form(self.form_class, self.request, data, asset=asset, initial=self.initial())

    def save(self, form):
        said = {**form.cleaned_data, "is_failure": form.cleaned_data["is_failure"] or None}
        return stops.record_stop(StopEntry(**said), by=self.request.user).row

    def success_url(self, obj):
        return self.back(obj.asset.get_absolute_url())


class CorrectDowntime(FormPage):
    model, form_class = Downtime, StopCorrectionForm
    title = _("Correct a stop")
    submit = _("Correct")
    parent = (_("Downtime"), reverse_lazy("downtimes"))
    done = _("The stop is corrected; its history keeps what was said before.")

    def rows(self):
        return super().rows().select_related("asset__site", "asset__kind", "reason")

    def may_object(self, user, obj):
        return may_record(user, obj)

    def form(self, data=None):
        initial = StopCorrectionForm.initial_of(self.object)
        return make_form(self.form_class, self.request, data, stop=self.object, initial=initial)

    def save(self, form):
        changes = dict(form.cleaned_data)
        why, failed = changes.pop("why"), changes.pop("is_failure")
        if changes["planned"] is None:
            changes["planned"] = changes["reason"].planned if changes["reason"] else False
        return stops.correct(
            self.object, changes, is_failure=failed, why=why, by=self.request.user, version=int(self.version)
        )


class RemoveDowntime(ActionPage):
    model, form_class = Downtime, ReasonForm
    title = _("Remove a stop")
    sentence = _("For a stop that never was. Its failure goes with it; the history of the asset keeps both.")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    def may_object(self, user, obj):
        return may_record(user, obj)

    def do(self, obj, *, reason):
        stops.remove(obj, by=self.request.user, why=reason)
        return _("The stop is removed.")

    def success_url(self):
        return self.object.asset.get_absolute_url()


# --- Failures ------------------------------------------------------------------------------------------


class FailureList(ListPage):
    model, table, filterset = Failure, FailureTable, FailurePageFilter
    title = _("Failures")
    export_name = "failures"

    def rows(self):
        return super().rows().select_related("asset", "problem", "cause", "remedy").with_lasted()

    def answer(self):
        if self.request.site is None:
            return ""
        rows = Failure.objects.visible_to(self.request.user).at(self.request.site)
        count = rows.filter(restored=None).count()
        if not count:
            return _("Nothing waits to be restored.")
        return ngettext("%(n)d failure is not restored.", "%(n)d failures are not restored.", count) % {"n": count}

    def actions(self):
        if self.request.site and self.request.user.can("record", self.request.site):
            return [Action(_("Record a failure"), reverse("failure-new"), "plus", tone="primary")]
        return []


class FailurePage(DetailPage):
    model = Failure
    parent = (_("Failures"), reverse_lazy("failures"))

    def rows(self):
        rows = super().rows().select_related("asset__site", "problem", "cause", "remedy", "downtime", "entered_by")
        return rows.with_lasted()

    def page_title(self):
        return _("Failure of %(asset)s") % {"asset": self.object.asset.code}

    def badges(self):
        return [] if self.object.restored else [states.NOT_RESTORED]

    def answer(self):
        failure = self.object
        words = {"occurred": when_text(failure.occurred, relative=False)}
        if failure.restored is None:
            return _("Occurred %(occurred)s, not restored yet.") % words
        return _("Occurred %(occurred)s, restored after %(span)s.") % {**words, "span": duration_text(failure.lasted)}

    def actions(self):
        if not may_record(self.request.user, self.object):
            return []
        return [
            Action(_("Correct"), reverse("failure-edit", args=[self.object.pk]), "pencil"),
            Action(_("Remove"), reverse("failure-remove", args=[self.object.pk]), "trash"),
        ]


class NewFailure(FormPage):
    model, form_class = Failure, FailureForm
    title = _("Record a failure")
    parent = (_("Failures"), reverse_lazy("failures"))

    def may(self, user):
        return self.request.site is not None and user.can("record", self.request.site)

    def form(self, data=None):
        asset = asset_asked(self.request)
        return make_form(self.form_class, self.request, data, asset=asset, initial=self.initial())

    def save(self, form):
        said = dict(form.cleaned_data)
        failure, _new = failures.record_failure(said.pop("asset"), by=self.request.user, **said)
        return failure


class CorrectFailure(FormPage):
    model, form_class = Failure, FailureCorrectionForm
    title = _("Correct a failure")
    submit = _("Correct")
    parent = (_("Failures"), reverse_lazy("failures"))
    done = _("The failure is corrected; its history keeps what was said before.")

    def rows(self):
        return super().rows().select_related("asset__site", "asset__kind")

    def may_object(self, user, obj):
        return may_record(user, obj)

    @cached_property
    def initial_values(self) -> dict:
        failure = self.object
        names = ("occurred", "restored", "component", "detection", "note")
        return {name: getattr(failure, name) for name in names} | {
            name: getattr(failure, f"{name}_id") for name in ("asset", "problem", "cause", "remedy", "downtime")
        }

    def form(self, data=None):
        form = make_form(self.form_class, self.request, data, asset=self.object.asset, initial=self.initial_values)
        form.fields["asset"].queryset = form.reachable(Asset.objects.all())
        return form

    def save(self, form):
        changes = dict(form.cleaned_data)
        why = changes.pop("why")
        return failures.correct(self.object, changes, why=why, by=self.request.user, version=int(self.version))


class RemoveFailure(ActionPage):
    model, form_class = Failure, ReasonForm
    title = _("Remove a failure")
    sentence = _("For a failure that was none. The stop, if there was one, stays; the history keeps the failure.")
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    def may_object(self, user, obj):
        return may_record(user, obj)

    def do(self, obj, *, reason):
        failures.remove(obj, by=self.request.user, why=reason)
        return _("The failure is removed.")

    def success_url(self):
        return self.object.asset.get_absolute_url()


def asset_asked(request) -> Asset | None:
    """The asset that the address names (`?asset=12`), so that the form offers what fits it."""
    pk = id_of(request.GET.get("asset", ""))
    return Asset.objects.visible_to(request.user).filter(pk=pk).first() if pk else None
