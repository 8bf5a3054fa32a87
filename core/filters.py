"""Filters that pages and the REST API share. A FilterSet only narrows: without parameters it changes nothing."""

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field

from core.kit.forms import Day
from core.models import Event, Site
from core.querysets import id_of


class RowField(forms.ModelChoiceField):
    """A row by its id or its code; only rows that the caller may see exist."""

    default_error_messages = {"ambiguous": _("Several sites have this code; give the id.")}

    def __init__(self, *args, code: str = "code", **kwargs):
        self.code = code
        super().__init__(*args, **kwargs)

    def to_python(self, value):
        if value in self.empty_values:
            return None
        text = str(value)
        if "\x00" in text:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        key = {"pk": pk} if (pk := id_of(text)) else {self.code: text}
        found = list(self.queryset.filter(**key)[:2])
        if not found:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value})
        if len(found) > 1:
            raise ValidationError(self.error_messages["ambiguous"], code="ambiguous")
        return found[0]


@extend_schema_field({"type": "string", "description": "id or code"})
class RowFilter(django_filters.ModelChoiceFilter):
    """Narrow to the rows that refer to one row of `model`, named by id or code."""

    field_class = RowField

    def __init__(self, model: type[Model], **kwargs):
        super().__init__(queryset=lambda request: rows_for(model, request), **kwargs)


def rows_for(model: type[Model], request) -> QuerySet:
    """The rows of a model that the caller may see; on a page, those of the chosen site."""
    rows = model._default_manager.all()
    if hasattr(rows, "visible_to"):
        rows = rows.visible_to(request.user) if request is not None else rows.none()
    site = getattr(request, "site", None)
    return rows.at(site) if site is not None and hasattr(rows, "at") else rows


class EventFilter(django_filters.FilterSet):
    site = RowFilter(Site, label=_("Site"))
    since = django_filters.IsoDateTimeFilter(label=_("From"), field_name="at", lookup_expr="gte", widget=Day)
    until = django_filters.IsoDateTimeFilter(label=_("Before"), field_name="at", lookup_expr="lt", widget=Day)

    class Meta:
        model = Event
        fields = ["object_type", "object_id", "verb"]
