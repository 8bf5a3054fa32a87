"""Forms of operating calendars and counts."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from assets.forms.happened import WHY
from assets.models import Asset
from core.kit.forms import Form, SearchSelect
from production.agreeing import Agreement
from production.slot_text import read_slots, write_slots
from production.timetable import Pattern

SLOTS_HINT = _("For example 06:00–14:00, 22:00–06:00. A shift that ends on the next day belongs to the day it starts.")


class SlotsField(forms.CharField):
    """A line of slots."""

    def __init__(self, **options):
        super().__init__(required=False, max_length=200, **options)

    def to_python(self, value):
        return read_slots(super().to_python(value) or "")


class CalendarForm(Form):
    """A calendar's name, dates and week; its exceptions are rows of their own."""

    asset = forms.ModelChoiceField(
        label=_("For"), queryset=Asset.objects.filter(archived_at=None), required=False, widget=SearchSelect,
        help_text=_("An asset and everything in it that has no calendar of its own. Empty: the whole site."),
    )  # fmt: skip
    name = forms.CharField(label=_("Name"), max_length=80)
    valid_from = forms.DateField(label=_("Valid from"))
    valid_to = forms.DateField(
        label=_("Valid to"), required=False, help_text=_("The first day on which it no longer holds. Empty: for good.")
    )

    def __init__(self, *args, editing: bool = False, **options):
        super().__init__(*args, **options)
        for weekday, label in WEEKDAYS.items():
            self.fields[f"day_{weekday}"] = SlotsField(label=label)
        self.fields["day_0"].help_text = SLOTS_HINT
        if editing:
            del self.fields["asset"]

    @property
    def head(self) -> list:
        """Fields above the week."""
        return [self[name] for name in self.fields if not name.startswith("day_")]

    @property
    def week(self) -> list:
        """The seven lines of the week."""
        return [self[f"day_{weekday}"] for weekday in WEEKDAYS]

    def agreement(self, exceptions: "ExceptionRows") -> Agreement:
        """What was typed, as an agreement."""
        weekly = {day: tuple(slots) for day in WEEKDAYS if (slots := sorted(self.cleaned_data[f"day_{day}"]))}
        rows = exceptions.agreed
        pattern = Pattern(
            self.cleaned_data["valid_from"],
            self.cleaned_data["valid_to"],
            weekly,
            {row["date"]: tuple(sorted(row["slots"])) for row in rows},
        )
        return Agreement(self.cleaned_data["name"], pattern, {row["date"]: row["name"] for row in rows if row["name"]})

    @staticmethod
    def initial_of(agreement: Agreement) -> dict:
        """The agreement as the form shows it."""
        pattern = agreement.pattern
        week = {f"day_{day}": write_slots(slots) for day, slots in pattern.weekly.items()}
        return {"name": agreement.name, "valid_from": pattern.valid_from, "valid_to": pattern.valid_to, **week}


class ExceptionForm(Form):
    """A date on which the week does not hold."""

    date = forms.DateField(label=_("Date"), required=False)
    name = forms.CharField(label=_("Name"), max_length=80, required=False)
    slots = SlotsField(label=_("Runs from – to"), help_text=_("Empty: closed."))

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("date") and (cleaned.get("name") or cleaned.get("slots")):
            raise ValidationError({"date": _("On which date?")})
        return cleaned


class BaseExceptionRows(forms.BaseFormSet):
    """The exceptions of a calendar; a row without a date is no exception."""

    @property
    def agreed(self) -> list[dict]:
        """The rows that name a date."""
        return [form.cleaned_data for form in self.forms if form.cleaned_data.get("date")]

    def clean(self):
        seen = set()
        for form in self.forms:
            day = form.cleaned_data.get("date") if hasattr(form, "cleaned_data") else None
            if day and day in seen:
                form.add_error("date", _("This date is given twice."))
            seen.add(day)


ExceptionRows = forms.formset_factory(ExceptionForm, formset=BaseExceptionRows, extra=2, max_num=400)


class CountForm(Form):
    """What an asset made."""

    asset = forms.ModelChoiceField(
        label=_("Asset"), queryset=Asset.objects.filter(archived_at=None), widget=SearchSelect
    )
    product = forms.CharField(label=_("Product"), max_length=80, required=False)
    start = forms.DateTimeField(label=_("From"))
    end = forms.DateTimeField(label=_("To"))
    good = forms.DecimalField(label=_("Good"), min_value=0, initial=0, help_text=_("Right the first time."))
    scrap = forms.DecimalField(label=_("Scrap"), min_value=0, initial=0)
    rework = forms.DecimalField(label=_("Rework"), min_value=0, initial=0)
    ideal_cycle = forms.DecimalField(
        label=_("Ideal cycle time"), required=False, max_digits=12, decimal_places=6,
        help_text=_("Seconds per piece. Empty: as in the last count of this product."),
    )  # fmt: skip


class CountCorrectionForm(CountForm):
    """What was counted wrongly."""

    why = WHY

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["ideal_cycle"].required = True
        self.fields["ideal_cycle"].help_text = _("Seconds per piece.")
        self.fields["asset"].queryset = self.reachable(Asset.objects.all())
