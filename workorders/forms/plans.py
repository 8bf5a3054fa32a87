"""What a planner types to make or change a preventive plan."""

from datetime import timedelta

from django import forms
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.kit.forms import Form, ModelForm, SearchMany, SearchSelect
from workorders.models import PlanAsset, PreventivePlan
from workorders.recurrence import NTH, Trigger, TriggerError
from workorders.trigger_words import nth_name

# How a plan keeps to the calendar, and which fields that leaves in force.
INTERVAL, ON_WEEKDAYS, ON_NTH, ON_LAST_DAY, BY_RULE = "interval", "weekdays", "nth", "last_day", "rule"
PATTERNS = [
    (INTERVAL, _("After so many days, weeks, months or years")),
    (ON_WEEKDAYS, _("On certain days of the week")),
    (ON_NTH, _("On the first, second … or last weekday of a month")),
    (ON_LAST_DAY, _("On the last day of a month")),
    (BY_RULE, _("By a recurrence rule (RFC 5545)")),
]
IN_FORCE = {
    INTERVAL: ["every", "unit"],
    ON_WEEKDAYS: ["every", "weekdays"],
    ON_NTH: ["every", "unit", "nth", "nth_weekday"],
    ON_LAST_DAY: ["every", "unit"],
    BY_RULE: ["rule"],
}
WHEN = (
    "basis", "pattern", "every", "unit", "weekdays", "nth", "nth_weekday", "rule", "start", "due_time",
)  # fmt: skip
# Field of Trigger → field of this form.
SHOWN_AT = {"at": "due_time", "last_day": "unit", "floating": "basis"}


class PlanForm(ModelForm):
    """A plan: what is done, to which assets, when, and how its orders come."""

    pattern = forms.ChoiceField(label=_("It falls due"), choices=PATTERNS, widget=forms.RadioSelect, initial=INTERVAL)
    assets = forms.ModelMultipleChoiceField(
        label=_("Assets"),
        queryset=Asset.objects.active(),
        widget=SearchMany,
        error_messages={"required": _("A plan needs at least one asset.")},
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        choices=list(WEEKDAYS.items()),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    nth = forms.TypedChoiceField(label=_("Which one"), coerce=int, empty_value=None, required=False)
    nth_weekday = forms.TypedChoiceField(
        label=_("Weekday"), choices=list(WEEKDAYS.items()), coerce=int, empty_value=None, required=False
    )

    class Meta:
        model = PreventivePlan
        fields = [
            "name", "job_plan", "assets", "basis", "pattern", "every", "unit", "weekdays", "nth", "nth_weekday", "rule",
            "start", "due_time", "lead_days", "horizon_days", "open_policy",
        ]  # fmt: skip
        widgets = {"job_plan": SearchSelect, "basis": forms.RadioSelect, "open_policy": forms.RadioSelect}
        help_texts = {
            "rule": _("For example FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1, the last working day of a month."),
            "due_time": _("On the clock of the site."),
        }

    def __init__(self, *args, user=None, site=None, **options):
        plan = options.get("instance")
        super().__init__(*args, user=user, site=plan.site if plan else site, **options)
        self.fields["nth"].choices = [(nth, nth_name(nth)) for nth in NTH]
        rows = self.fields["job_plan"].queryset.filter(archived_at=None)
        if plan:
            own = self.fields["job_plan"].queryset.filter(pk=plan.job_plan_id)
            self.fields["job_plan"].queryset = rows | own
            present = Asset.objects.filter(pk__in=PlanAsset.objects.filter(plan=plan).values("asset"))
            self.fields["assets"].queryset |= self.reachable(present)
            self.initial |= shown(plan)
        else:
            self.fields["job_plan"].queryset = rows
            self.initial.setdefault("start", timezone.localdate() + timedelta(days=1))
        self.fields["start"].error_messages["required"] = _("Say on which day it is due first.")

    @property
    def grouped(self) -> list[tuple[str, list]]:
        """The fields in the order and under the headings of the page."""
        what = [self["name"], self["job_plan"], self["assets"]]
        orders = [self["lead_days"], self["horizon_days"], self["open_policy"]]
        return [(_("What"), what), (_("When"), [self[name] for name in WHEN]), (_("Orders"), orders)]

    def clean(self):
        cleaned = super().clean()
        self.trigger = None
        if not any(name in self.errors for name in WHEN):
            cleaned |= self._in_force(cleaned)
            if "weekdays" not in self.errors:
                self.trigger = self._trigger(cleaned)
        return cleaned

    def _in_force(self, cleaned: dict) -> dict:
        """The fields of the model, without what the chosen pattern leaves out of force."""
        pattern = cleaned["pattern"]
        weekdays, nth = [], None
        if pattern == ON_WEEKDAYS:
            weekdays = cleaned["weekdays"]
            if not weekdays:
                self.add_error("weekdays", _("Choose at least one day."))
        elif pattern == ON_NTH:
            nth = cleaned["nth"]
            weekdays = [cleaned["nth_weekday"]] if cleaned["nth_weekday"] is not None else []
        return {
            "unit": "week" if pattern == ON_WEEKDAYS else cleaned["unit"],
            "weekdays": sorted(weekdays),
            "nth": nth,
            "last_day_of_month": pattern == ON_LAST_DAY,
            "rule": cleaned["rule"].strip().upper() if pattern == BY_RULE else "",
        }

    def _trigger(self, cleaned: dict) -> Trigger | None:
        floating = cleaned["basis"] == PreventivePlan.Basis.FLOATING
        if cleaned["pattern"] == BY_RULE and not cleaned["rule"]:
            self.add_error("rule", _("Write the rule."))
        elif floating and cleaned["pattern"] != INTERVAL:
            self.add_error("pattern", _("A floating plan counts from completion and cannot keep to a certain day."))
        else:
            try:
                return Trigger(
                    start=cleaned["start"],
                    at=cleaned["due_time"],
                    every=cleaned["every"],
                    unit=cleaned["unit"],
                    weekdays=tuple(cleaned["weekdays"]),
                    nth=cleaned["nth"],
                    last_day=cleaned["last_day_of_month"],
                    rule=cleaned["rule"],
                    floating=floating,
                )
            except TriggerError as error:
                for field, message in error.errors.items():
                    self.add_error(SHOWN_AT.get(field, field), message)
        return None

    def _post_clean(self) -> None:
        """The verb checks the plan; the form only reads."""

    @property
    def fields_of_plan(self) -> dict:
        """What was typed, by field of the plan."""
        extra = {"pattern", "nth_weekday", "assets"}
        return {name: value for name, value in self.cleaned_data.items() if name not in extra}


def shown(plan: PreventivePlan) -> dict:
    """What the form shows of a plan's trigger beyond the plan's own fields."""
    nth_weekday = plan.weekdays[0] if plan.nth is not None and plan.weekdays else None
    return {
        "pattern": pattern_of(plan),
        "assets": list(plan.assets.values_list("pk", flat=True)),
        "weekdays": plan.weekdays if plan.nth is None else [],
        "nth": plan.nth,
        "nth_weekday": nth_weekday,
    }


def pattern_of(plan: PreventivePlan) -> str:
    if plan.rule:
        return BY_RULE
    if plan.nth is not None:
        return ON_NTH
    if plan.last_day_of_month:
        return ON_LAST_DAY
    return ON_WEEKDAYS if plan.weekdays else INTERVAL


class SkipForm(Form):
    """Why an occurrence is left out."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why; it stays in the history.")},
    )


class UntilForm(Form):
    """How far ahead orders are wanted now."""

    until = forms.DateField(
        label=_("Also what falls due up to"),
        required=False,
        help_text=_("Leave it empty for what is due within the lead time."),
    )
