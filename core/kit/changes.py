"""What an event changed, as people read it: field, old, new."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from core.kit.present import when_text
from core.models import Event


@dataclass(frozen=True)
class Change:
    """One field of a row: what it was and what it is."""

    label: Any
    old: str
    new: str


def changes_of(events: list[Event]) -> list[tuple[Event, list[Change]]]:
    """Each event with its changes; rows that values refer to are named, in one query per kind of row."""
    named = _names(events)
    return [(event, [_change(event, name, pair, named) for name, pair in _pairs(event)]) for event in events]


def _pairs(event: Event) -> list[tuple[str, list]]:
    changes = event.data.get("changes") or {}
    return [(name, pair) for name, pair in changes.items() if isinstance(pair, list) and len(pair) == 2]


def _field(event: Event, name: str) -> models.Field | None:
    try:
        return apps.get_model(event.object_type)._meta.get_field(name)
    except (LookupError, FieldDoesNotExist):
        return None


def _names(events: list[Event]) -> dict[tuple[type, Any], str]:
    wanted: dict[type, set] = {}
    for event in events:
        for name, pair in _pairs(event):
            field = _field(event, name)
            if field is not None and field.many_to_one:
                wanted.setdefault(field.related_model, set()).update(value for value in pair if value is not None)
    return {
        (model, pk): str(row) for model, ids in wanted.items() for pk, row in model._base_manager.in_bulk(ids).items()
    }


def _change(event: Event, name: str, pair: list, named: dict) -> Change:
    field = _field(event, name)
    label = field.verbose_name if field is not None else name.replace("_", " ")
    old, new = (_said(value, field, named) for value in pair)
    return Change(label, old, new)


def _said(value: Any, field: models.Field | None, named: dict) -> str:
    if value is None or value == "":
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field is not None and field.many_to_one:
        return named.get((field.related_model, value), f"#{value}")
    if isinstance(field, models.DateTimeField) and (moment := parse_datetime(str(value))):
        return when_text(moment, relative=False)
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return str(value)
