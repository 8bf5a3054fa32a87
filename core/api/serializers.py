"""Bases of all serializers: they read what callers send, and declare the shape that is answered."""

import copy
import json
from collections.abc import Callable

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from core.api.fields import Computed, Expressed, Instant, Json, Seconds, storable
from core.api.shapes import shape_of

ONLY_ANSWERED = _("This is answered only; it cannot be set here.")


class Strict(serializers.Serializer):
    """Refuses names that it does not know or only answers, and lets fields settle what depends on another field."""

    def to_internal_value(self, data):
        errors = {}
        if isinstance(data, dict):
            errors = {
                name if storable(name) else "?": [ErrorDetail("There is no field of this name.", code="unknown_field")]
                for name in data
                if name not in self.fields
            }
            errors |= {name: [ErrorDetail(ONLY_ANSWERED, code="read_only")] for name in self._only_answered(data)}
        try:
            attrs = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**errors, **error.detail}) from None
        for field in self._writable_fields:
            one = getattr(field, "child_relation", field)  # of a list of references, the single one
            if hasattr(one, "settle") and field.source in attrs:
                try:
                    sent = attrs[field.source]
                    settled = [
                        one.settle(each, attrs, self.instance) for each in (sent if one is not field else [sent])
                    ]
                    attrs[field.source] = settled if one is not field else settled[0]
                except ValidationError as error:
                    errors[field.field_name] = error.detail
        if errors:
            raise ValidationError(errors)
        return attrs

    def _only_answered(self, data: dict) -> list[str]:
        """The names that would be dropped in silence: a row that was read may be sent back, but not with another value.

        The rows inside of a row are not asked; a list of them is replaced as a whole, ids and all.
        """
        sent = [name for name, field in self.fields.items() if field.read_only and name in data]
        if self.parent is not None or not sent:
            return []
        texts = shape_of(type(self)).texts([self.instance.pk], self.context["request"].user) if self.instance else []
        answered = json.loads(texts[0]) if texts else {}
        return [name for name in sent if name not in answered or answered[name] != data[name]]


class RowSerializer(Strict, serializers.ModelSerializer):
    """Reads one row of a model. Uniqueness and other rules are the verb's and the database's business.

    An upper app may hang a field on a lower app's rows, in its module that is loaded at the start:
    `DowntimeSerializer.hang("work_order", OrderOf(…), write=link)`.
    """

    hung: dict[str, serializers.Field] = {}
    writers: dict[str, Callable[..., None]] = {}

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.hung, cls.writers = {}, {}

    @classmethod
    def hang(cls, name: str, field: Computed | Expressed, *, write: Callable[..., None] | None = None) -> None:
        """Add a field to the answers; callers may send it if there is `write(row, value, by=)`, for the saved row."""
        if name in cls.hung:
            raise ValueError(f"{cls.__name__} already has a field {name!r}")
        cls.hung[name] = field
        if write:
            cls.writers[name] = write

    def get_fields(self) -> dict[str, serializers.Field]:
        return {**super().get_fields(), **copy.deepcopy(self.hung)}

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Instant,
        models.DurationField: Seconds,
        models.JSONField: Json,
        ArrayField: serializers.ListField,
    }

    def get_validators(self) -> list:
        return []
