"""What pages and API ask for beside a figure's question: targets, findings, margins, and costs of replacing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.kit.forms import Day, Form, ReasonForm, SearchSelect
from kpis.definitions import DEFINITIONS
from kpis.models import Counts, Target
from kpis.studying import Costs
from people.models import User

UNITS = {"share": "%"}


def figures() -> list[tuple[str, str]]:
    """The figures to choose from, each with the unit in which its target is typed."""
    return [(key, f"{each.name} ({UNITS.get(each.unit, each.unit)})") for key, each in DEFINITIONS.items()]


class TargetForm(Form):
    asset = forms.ModelChoiceField(
        label=_("For"), queryset=Asset.objects.filter(archived_at=None), required=False, widget=SearchSelect,
        help_text=_("A line or machine. Empty: the whole site."),
    )  # fmt: skip
    scope = forms.ChoiceField(
        label=_("Counts"), choices=Counts.choices, required=False,
        help_text=_("Of a line: its machines, or the line with its own stops and those of what stops it."),
    )  # fmt: skip
    definition = forms.ChoiceField(label=_("Figure"), choices=figures)
    value = forms.FloatField(label=_("Target"), min_value=0, help_text=_("In the unit of the figure; 92 means 92 %."))
    watch = forms.FloatField(
        label=_("Near the target up to"), min_value=0, required=False,
        help_text=_("A little worse than the target: until there it is amber, beyond it red."),
    )  # fmt: skip
    owner = forms.ModelChoiceField(
        label=_("Owner"), queryset=User.objects.filter(is_active=True), help_text=_("Who answers for it.")
    )
    valid_from = forms.DateField(label=_("Valid from"), widget=Day)
    valid_to = forms.DateField(
        label=_("Valid to"), required=False, widget=Day, help_text=_("The last day on which it holds. Empty: for good.")
    )

    def __init__(self, *args, site, target: Target | None = None, **options):
        super().__init__(*args, **options)
        self.fields["owner"].queryset = User.objects.filter(is_active=True).with_role_at([site])
        self.fields["asset"].queryset = Asset.objects.filter(archived_at=None, site=site)
        if target is not None:
            del self.fields["asset"], self.fields["scope"], self.fields["definition"]
        self.target = target

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        key = self.target.definition if self.target else found.get("definition")
        definition = DEFINITIONS.get(key)
        if definition is not None and definition.unit == "share":
            for name in ("value", "watch"):
                if found.get(name) is not None:
                    if found[name] > 100:
                        raise ValidationError({name: _("At most 100 %.")})
                    found[name] /= 100
        if "scope" in self.fields:
            found["scope"] = found.get("scope") or Counts.LEAVES
        if found.get("valid_to"):
            found["valid_to"] += timedelta(days=1)
        return found


def initial_of(target: Target) -> dict[str, Any]:
    """A target as the form shows it."""
    share = DEFINITIONS[target.definition].unit == "share" if target.definition in DEFINITIONS else False
    shown = {name: getattr(target, name) for name in ("value", "watch", "owner", "valid_from", "valid_to")}
    if share:
        shown |= {name: None if shown[name] is None else round(shown[name] * 100, 10) for name in ("value", "watch")}
    if shown["valid_to"]:
        shown["valid_to"] -= timedelta(days=1)
    return shown


class FindingForm(Form):
    owner = forms.ModelChoiceField(
        label=_("Owner"), queryset=User.objects.filter(is_active=True), required=False,
        help_text=_("Who looks into it."),
    )  # fmt: skip
    due = forms.DateField(label=_("Due"), required=False, widget=Day)

    def __init__(self, *args, site, **options):
        super().__init__(*args, **options)
        self.fields["owner"].queryset = User.objects.filter(is_active=True).with_role_at([site])


class AcceptForm(ReasonForm):
    """Why it is right so, and until when it need not be raised again."""

    until = forms.DateField(
        label=_("Accepted until"), widget=Day, help_text=_("Is it so still on the day after, it is raised again.")
    )


class CostForm(forms.Form):
    """What replacing costs, planned and after a failure; both or neither."""

    planned = forms.DecimalField(
        label=_("Cost when planned"), required=False, min_value=Decimal("0.01"), max_digits=14, decimal_places=2
    )
    unplanned = forms.DecimalField(
        label=_("Cost after a failure"), required=False, min_value=Decimal("0.01"), max_digits=14, decimal_places=2
    )
    present = forms.DecimalField(
        label=_("Present interval, operating hours"),
        required=False, min_value=Decimal(1), max_digits=9, decimal_places=1,
    )  # fmt: skip

    def clean(self) -> dict:
        given = super().clean()
        for name, other in (("planned", "unplanned"), ("unplanned", "planned")):
            if given.get(name) is None and given.get(other) is not None and name not in self.errors:
                self.add_error(name, _("Give both costs."))
        return given

    @property
    def costs(self) -> Costs | None:
        """The costs where they were given and make sense."""
        if not self.is_valid() or self.cleaned_data["planned"] is None:
            return None
        return Costs(**self.cleaned_data)


class NetMarginForm(Form):
    amount = forms.DecimalField(label=_("Net margin of a year"), max_digits=14, decimal_places=2)
    valid_from = forms.DateField(label=_("Valid from"), widget=Day, help_text=_("The first day on which it holds."))

    def __init__(self, *args, currency: str, **options):
        super().__init__(*args, **options)
        self.fields["amount"].help_text = _(
            "Of the whole site, in %(currency)s: what remains of sales after all costs. It may be below zero."
        ) % {"currency": currency}


class LabourCapacityForm(Form):
    net = forms.DecimalField(
        label=_("Hours a week for orders"), max_digits=8, decimal_places=1,
        help_text=_("Of the whole crew, without meetings, training and absence."),
    )  # fmt: skip
    paid = forms.DecimalField(
        label=_("Paid hours a week"), max_digits=8, decimal_places=1, required=False,
        help_text=_("All that the crew is paid for; wrench time is told of them."),
    )  # fmt: skip
    valid_from = forms.DateField(label=_("Valid from"), widget=Day, help_text=_("The first day on which it holds."))
