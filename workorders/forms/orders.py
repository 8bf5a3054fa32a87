"""Raising and editing orders, their steps, and who is to do them."""

from django import forms
from django.forms.models import fields_for_model
from django.utils.translation import gettext_lazy as _

from core.kit.forms import Form, ModelForm, SearchSelect
from people.directory import people_who
from people.models import User
from workorders.forms.moves import next_hour
from workorders.models import Assignment, JobPlan, Step, WorkOrder
from workorders.priority import CONSEQUENCES, LIKELIHOODS
from workorders.states import Kind, Priority


def graded(words: dict) -> list[tuple[int, str]]:
    return [(grade, f"{grade} · {word}") for grade, word in words.items()]


class OrderForm(ModelForm):
    """What is to be done, where, how urgent it is and until when."""

    consequence = forms.TypedChoiceField(label=_("If nothing is done"), coerce=int, choices=graded(CONSEQUENCES))
    likelihood = forms.TypedChoiceField(label=_("How likely"), coerce=int, choices=graded(LIKELIHOODS))
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        coerce=int,
        required=False,
        empty_value=None,
        choices=[("", _("as computed")), *Priority.choices],
        help_text=_("Computed from the criticality of the asset, the consequence and how likely it is."),
    )

    class Meta:
        model = WorkOrder
        fields = [
            "asset", "summary", "kind", "description", "consequence", "likelihood", "priority", "priority_reason",
            "due_from", "due_to", "estimate_minutes", "job_plan",
        ]  # fmt: skip
        widgets = {"asset": SearchSelect, "description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        plans = JobPlan.objects.filter(archived_at=None)
        chosen = self.instance.job_plan_id
        self.fields["job_plan"].queryset = self.reachable(
            plans | JobPlan.objects.filter(pk=chosen) if chosen else plans
        )
        self.fields["asset"].queryset = self.fields["asset"].queryset.filter(archived_at=None)
        self.fields["kind"].initial = Kind.CORRECTIVE
        if self.instance.pk and not self.instance.priority_reason:
            self.initial["priority"] = ""
        if self.instance.pk and self.user is not None and not self.user.can("plan", self.instance.site_id):
            del self.fields["priority"], self.fields["priority_reason"]

    def _post_clean(self):
        """The verb checks the facts and writes them; the instance stays as it was read."""


class StepForm(ModelForm):
    """One step as its instruction asks it."""

    choices = forms.CharField(
        label=_("Choices"), required=False, help_text=_("For a choice: the answers, separated by commas.")
    )

    class Meta:
        model = Step
        fields = ["kind", "text", "required", "unit", "low", "high", "choices", "depends_on", "depends_outcome"]

    def clean_choices(self) -> list[str]:
        return [word.strip() for word in self.cleaned_data["choices"].split(",") if word.strip()]

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("kind") == "choice" and len(cleaned.get("choices") or []) < 2:
            self.add_error("choices", _("Give at least two answers."))
        low, high = cleaned.get("low"), cleaned.get("high")
        if low is not None and high is not None and low > high:
            self.add_error("high", _("The upper limit is below the lower one."))
        if (cleaned.get("depends_on") is None) != (not cleaned.get("depends_outcome")):
            self.add_error("depends_on", _("Give both the step and its outcome, or neither."))
        return cleaned

    def _post_clean(self):
        """The verb adds the step behind the others."""


class AssignmentForm(Form):
    """Who does it, from when, for how long."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"))
    start = fields_for_model(Assignment, ["start"])["start"]
    minutes = fields_for_model(Assignment, ["minutes"])["minutes"]

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["person"].queryset = people_who("execute", self.site) if self.site else User.objects.none()


class AssignForm(Form):
    """Who gets the chosen orders."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"))

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["person"].queryset = people_who("execute", self.site) if self.site else User.objects.none()


class ScheduleForm(AssignForm):
    """Who does the chosen orders, one after the other, from when."""

    start = forms.DateTimeField(label=_("Start of the first"), initial=next_hour)


class CorrectLabourForm(Form):
    """When somebody worked; a clock that runs has no end yet."""

    start = forms.DateTimeField(label=_("Start"))
    end = forms.DateTimeField(label=_("End"), required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class NewLabourForm(CorrectLabourForm):
    """Who worked when, without a clock."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"))
    end = forms.DateTimeField(label=_("End"))

    field_order = ("person", "start", "end", "note")

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        people = people_who("execute", self.site) if self.site else User.objects.none()
        if self.user is not None and self.site is not None and not self.user.can("plan", self.site):
            people = people.filter(pk=self.user.pk)
        self.fields["person"].queryset = people
        self.fields["person"].initial = self.user
