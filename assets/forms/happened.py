"""Forms of stops and failures."""

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assets import states
from assets.models import Asset, Downtime, DowntimeReason, Failure, FailureCode
from core.kit.forms import Form, SearchSelect
from core.kit.present import when_text

AS_REASON, PLANNED, UNPLANNED = "", "true", "false"
PLANNED_CHOICES = [(AS_REASON, _("As the reason says")), (PLANNED, _("Planned")), (UNPLANNED, _("Unplanned"))]
WHY = forms.CharField(
    label=_("Why this is corrected"), required=False, max_length=300, help_text=_("It stays in the history.")
)


class ReasonField(forms.ModelChoiceField):
    """A reason from the site's list; those of one kind of asset say so."""

    def label_from_instance(self, reason: DowntimeReason) -> str:
        return f"{reason.name} ({reason.kind})" if reason.kind_id else reason.name


class CodeField(forms.ModelChoiceField):
    """A failure code; those of one kind of asset say so."""

    def label_from_instance(self, code: FailureCode) -> str:
        return f"{code.name} ({code.kind})" if code.kind_id else code.name


class StopFields(Form):
    """What is said about a stop; `asset` narrows the reasons to those of its kind."""

    reason = ReasonField(
        label=_("Reason"), queryset=DowntimeReason.objects.filter(active=True).select_related("kind"), required=False
    )
    planned = forms.TypedChoiceField(
        label=_("Planned"), choices=PLANNED_CHOICES, required=False, empty_value=None,
        coerce=lambda value: value == PLANNED,
    )  # fmt: skip
    planned_end = forms.DateTimeField(
        label=_("Planned end"), required=False, help_text=_("Only for a planned stop; what lasts longer is unplanned.")
    )
    is_failure = forms.BooleanField(
        label=_("It was a failure"), required=False,
        help_text=_("The asset lost a function. MTBF counts failures, not stops."),
    )  # fmt: skip
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, *args, asset: Asset | None = None, **options):
        super().__init__(*args, **options)
        if asset is not None:
            field = self.fields["reason"]
            field.queryset = DowntimeReason.objects.for_asset(asset).select_related("kind").most_used_first(asset)


class DownForm(StopFields):
    """The asset is down: since when, and why."""

    at = forms.DateTimeField(label=_("Since"), required=False, help_text=_("Empty: since now."))
    field_order = ["at", "reason", "is_failure", "planned", "planned_end", "note"]


class BackForm(Form):
    """The asset is back: since when."""

    at = forms.DateTimeField(label=_("Since"), required=False, help_text=_("Empty: since now."))
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def clean_note(self) -> str | None:
        return self.cleaned_data["note"] or None


class StopForm(StopFields):
    """A stop that is entered later."""

    asset = forms.ModelChoiceField(
        label=_("Asset"), queryset=Asset.objects.filter(archived_at=None), widget=SearchSelect
    )
    start = forms.DateTimeField(label=_("Start"))
    end = forms.DateTimeField(label=_("End"), required=False, help_text=_("Empty: it is still down."))
    field_order = ["asset", "start", "end", "reason", "is_failure", "planned", "planned_end", "note"]


class StopCorrectionForm(StopForm):
    """What was said wrongly about a stop."""

    why = WHY

    def __init__(self, *args, stop: Downtime, **options):
        super().__init__(*args, asset=stop.asset, **options)
        self.stop = stop
        self.fields["asset"].queryset = self.reachable(Asset.objects.all())
        offered = DowntimeReason.objects.for_asset(stop.asset).values("pk")
        rows = DowntimeReason.objects.filter(Q(pk__in=offered) | Q(pk=stop.reason_id)).select_related("kind")
        self.fields["reason"].queryset = rows.most_used_first(stop.asset)

    @staticmethod
    def initial_of(stop: Downtime) -> dict:
        """The stop as the form shows it."""
        as_reason = stop.reason is not None and stop.reason.planned == stop.planned
        return {
            "asset": stop.asset_id, "start": stop.start, "end": stop.end, "reason": stop.reason_id, "note": stop.note,
            "planned": AS_REASON if as_reason else PLANNED if stop.planned else UNPLANNED,
            "planned_end": stop.planned_end, "is_failure": stop.failures.exists(),
        }  # fmt: skip


class FailureForm(Form):
    """A failure of an asset."""

    asset = forms.ModelChoiceField(
        label=_("Asset"), queryset=Asset.objects.filter(archived_at=None), widget=SearchSelect
    )
    occurred = forms.DateTimeField(label=_("Occurred"))
    restored = forms.DateTimeField(label=_("Restored"), required=False, help_text=_("Empty: not yet."))
    component = forms.CharField(label=_("Failed item"), max_length=120, required=False)
    problem = CodeField(label=_("Problem"), queryset=FailureCode.objects.filter(list="problem"), required=False)
    cause = CodeField(label=_("Cause"), queryset=FailureCode.objects.filter(list="cause"), required=False)
    remedy = CodeField(label=_("Remedy"), queryset=FailureCode.objects.filter(list="remedy"), required=False)
    detection = forms.ChoiceField(label=_("Detection"), choices=Failure.Detection.choices)
    downtime = forms.ModelChoiceField(
        label=_("Stop"), queryset=Downtime.objects.none(), required=False, help_text=_("The stop that it caused.")
    )
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args, asset: Asset | None = None, **options):
        super().__init__(*args, **options)
        for name in ("problem", "cause", "remedy"):
            field = self.fields[name]
            field.queryset = field.queryset.select_related("kind")
            if asset is not None:
                field.queryset = field.queryset.for_kind(asset.kind)
        if asset is None:
            del self.fields["downtime"]
            return
        stops = Downtime.objects.filter(asset=asset).order_by("-start")
        self.fields["downtime"].queryset = stops
        self.fields["downtime"].choices = [("", "–"), *((stop.pk, span(stop)) for stop in stops[:100])]


def span(stop: Downtime) -> str:
    """A stop by its times, for a list of stops of one asset."""
    until = when_text(stop.end, relative=False) if stop.end else states.kind_of_open(stop)
    return f"{when_text(stop.start, relative=False)} – {until}"


class FailureCorrectionForm(FailureForm):
    """What was said wrongly about a failure."""

    why = WHY
