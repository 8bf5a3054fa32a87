"""What a planner types to write a job plan: its heading, and its steps in the order of work."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from core.kit.forms import Form, ModelForm
from workorders.jobplans import MOST_STEPS, check_step
from workorders.models import JobPlan, JobPlanStep, StepKind
from workorders.states import Outcome

SPARE_ROWS = 3  # empty rows for those who work without scripts


class JobPlanForm(ModelForm):
    class Meta:
        model = JobPlan
        fields = ["code", "title", "description", "estimate_minutes"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"estimate_minutes": _("Working time of one person.")}

    def _post_clean(self) -> None:
        """The verb checks the job plan; the form only reads."""


class StepForm(Form):
    """One step; a row without an instruction is left out."""

    text = forms.CharField(label=_("Instruction"), max_length=300, required=False)
    kind = forms.ChoiceField(label=_("Asks for"), choices=StepKind.choices, initial=StepKind.CHECK)
    required = forms.BooleanField(label=_("Required"), required=False, initial=True)
    unit = forms.CharField(label=_("Unit"), max_length=20, required=False)
    low = forms.DecimalField(label=_("Lower limit"), max_digits=14, decimal_places=4, required=False)
    high = forms.DecimalField(label=_("Upper limit"), max_digits=14, decimal_places=4, required=False)
    choices = forms.CharField(
        label=_("Choices"), required=False, help_text=_("Separated by semicolons, such as good; worn; broken.")
    )
    depends_on = forms.IntegerField(label=_("Only after step no."), min_value=1, required=False)
    depends_outcome = forms.ChoiceField(label=_("came out as"), choices=[("", "–"), *Outcome.choices], required=False)

    def clean_choices(self) -> list[str]:
        return [word for word in (part.strip() for part in re.split(r"[;\n]", self.cleaned_data["choices"])) if word]

    @property
    def is_filled(self) -> bool:
        """Whether the row says what is to be done, or has an error that must not be lost."""
        return bool(self.errors) or bool((self.cleaned_data.get("text") or "").strip())

    @property
    def place(self) -> int | None:
        return getattr(self, "cleaned_data", {}).get("ORDER")


class Steps(forms.BaseFormSet):
    """The steps in the order that was chosen; errors stand at their fields, by the number the step will have."""

    def __init__(self, *args, user=None, site=None, **options):
        super().__init__(*args, **options)

    def clean(self):
        for position, form in enumerate(self.kept, start=1):
            if form.errors:
                continue
            for field, problem in check_step(position, JobPlanStep(**form_fields(form), position=position)).items():
                form.add_error(field, problem)

    @property
    def kept(self) -> list[StepForm]:
        """The rows that stay, in their order."""
        rows = [form for form in self.forms if not self._should_delete_form(form) and form.is_filled]
        return sorted(rows, key=lambda form: (form.place is None, form.place or 0))

    @property
    def wanted(self) -> list[dict]:
        """The steps as the verb reads them."""
        return [form_fields(form) for form in self.kept]


def form_fields(form: StepForm) -> dict:
    names = ("text", "kind", "required", "unit", "low", "high", "choices", "depends_on", "depends_outcome")
    return {name: form.cleaned_data.get(name) for name in names}


StepFormSet = forms.formset_factory(
    StepForm,
    formset=Steps,
    extra=SPARE_ROWS,
    can_order=True,
    can_delete=True,
    max_num=MOST_STEPS + SPARE_ROWS,
    absolute_max=MOST_STEPS + 50,
    validate_max=False,
)


def shown(job_plan: JobPlan) -> list[dict]:
    """The steps of a job plan as the rows show them."""
    found = []
    for step in job_plan.steps.all():
        row = step.template() | {"choices": "; ".join(step.choices)}
        row.pop("position")
        found.append(row)
    return found
