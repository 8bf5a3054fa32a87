"""Forms in Tandem's look: field templates, local instants, search boxes for long lists, rows of one's own sites."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.querysets import id_of


class Renderer(TemplatesSetting):
    """Draws every form of the project from `templates/components/`."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
    formset_template_name = "components/formset.html"


class DateTimeLocal(forms.DateTimeInput):
    """The browser's own picker of day and time, on the active clock (the chosen site's)."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        if hasattr(value, "tzinfo"):
            if value.tzinfo:
                value = timezone.localtime(value)
            return value.strftime("%Y-%m-%dT%H:%M:%S" if value.second else "%Y-%m-%dT%H:%M")
        return value or None


class Day(forms.DateInput):
    """The browser's own date picker."""

    input_type = "date"

    def __init__(self, attrs: dict | None = None):
        super().__init__(attrs, format="%Y-%m-%d")


class Clock(forms.TimeInput):
    """The browser's own time picker."""

    input_type = "time"

    def __init__(self, attrs: dict | None = None):
        super().__init__(attrs, format="%H:%M")


class SearchSelect(forms.Select):
    """A select for long lists: typing searches on the server (`core.kit.lookups` names the model's fields).

    Without JavaScript it is a plain select of the first rows.
    """

    template_name = "components/search_select.html"
    first_rows = 50

    def get_context(self, name: str, value: Any, attrs: dict | None) -> dict:
        context = super().get_context(name, value, attrs)
        context["widget"]["url"] = reverse("lookup", args=[self.choices.queryset.model._meta.label_lower])
        return context

    def optgroups(self, name: str, value: list[str], attrs: dict | None = None) -> list:
        field = self.choices.field
        rows, chosen = offered(field, self.choices.queryset, value, self.first_rows)
        options = [] if field.required and chosen else [("", "")]
        options += [(field.prepare_value(row), field.label_from_instance(row)) for row in rows]
        return [
            (None, [self.create_option(name, key, label, str(key) in chosen or (not key and not chosen), place)], place)
            for place, (key, label) in enumerate(options)
        ]


class SearchMany(forms.SelectMultiple):
    """Several rows of a long list: each chosen one is a chip, and a search box adds another.

    Without JavaScript it is a plain multiple select of the first rows.
    """

    template_name = "components/search_many.html"
    first_rows = 50

    def get_context(self, name: str, value: Any, attrs: dict | None) -> dict:
        context = super().get_context(name, value, attrs)
        context["widget"]["url"] = reverse("lookup", args=[self.choices.queryset.model._meta.label_lower])
        return context

    def optgroups(self, name: str, value: list[str], attrs: dict | None = None) -> list:
        field = self.choices.field
        rows, chosen = offered(field, self.choices.queryset, value, self.first_rows)
        return [
            (None, [self.create_option(name, row.pk, field.label_from_instance(row), str(row.pk) in chosen, n)], n)
            for n, row in enumerate(rows)
        ]


DASHES = BLANK_CHOICE_DASH[0][1]


def offered(field: forms.ModelChoiceField, rows: QuerySet, value: list, first_rows: int) -> tuple[list, set[str]]:
    """The first rows and the chosen ones, and the keys of the chosen.

    A value may be anything, because it comes from the address as well: what is no row is not chosen, and a code
    stands for its row where the field knows codes.
    """
    found = list(rows.all()[:first_rows])
    keys = {str(field.prepare_value(row)) for row in found}
    asked = {str(each) for each in value if each}
    chosen, missing = asked & keys, sorted(asked - keys)
    if isinstance(field, forms.ModelMultipleChoiceField):
        more = list(rows.filter(pk__in=numbers)) if (numbers := [pk for pk in map(id_of, missing) if pk]) else []
    else:
        more = [row for key in missing if (row := _row(field, key)) is not None]
    fresh = [row for row in more if str(field.prepare_value(row)) not in keys]
    return found + fresh, chosen | {str(field.prepare_value(row)) for row in more}


def _row(field: forms.ModelChoiceField, key: str):
    try:
        return field.to_python(key)
    except ValidationError:
        return None


NATIVE_PICKERS = {
    forms.DateTimeInput: DateTimeLocal,
    forms.DateInput: Day,
    forms.TimeInput: Clock,
}


def say_nothing_chosen(field: forms.Field) -> None:
    """A word instead of Django's row of dashes where nothing is chosen yet."""
    word = _("Choose …") if field.required else _("none chosen")
    if getattr(field, "empty_label", None) == DASHES:
        field.empty_label = word
    elif isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        field.choices = [(key, word if label == DASHES else label) for key, label in field.choices]


class KitForm:
    """Mixin of every form: native pickers, and only rows of the user's own sites to choose from.

    A form is made for somebody: `user`, and `site` where one is chosen.
    """

    def __init__(self, *args: Any, user=None, site=None, **options: Any):
        super().__init__(*args, **options)
        self.user = user
        self.site = site
        for field in self.fields.values():
            if picker := NATIVE_PICKERS.get(type(field.widget)):
                field.widget = picker(attrs=field.widget.attrs)
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = self.reachable(field.queryset)
            if type(field.widget) is forms.Select:
                say_nothing_chosen(field)

    def reachable(self, rows: QuerySet) -> QuerySet:
        """What may be chosen: rows visible to the user, at the site if the rows belong to one."""
        if self.user is not None and hasattr(rows, "visible_to"):
            rows = rows.visible_to(self.user)
        if self.site is not None and hasattr(rows, "at"):
            rows = rows.at(self.site)
        return rows


class Form(KitForm, forms.Form):
    """A form that belongs to no single model."""


class ModelForm(KitForm, forms.ModelForm):
    """A form for one row of a model."""


class ReasonForm(Form):
    """Asks why, for a verb that needs a reason."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why; it stays in the history.")},
    )


def make_form(form_class: type[forms.Form], request: HttpRequest, data=None, **options: Any) -> forms.BaseForm:
    """The form, made for the user and the chosen site if it asks for them."""
    if issubclass(form_class, KitForm):
        options |= {"user": request.user, "site": getattr(request, "site", None)}
    return form_class(data, request.FILES if data is not None else None, **options)
