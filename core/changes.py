"""What a verb changed, old → new, in a form that an event can keep."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import models


def plain(value: Any) -> Any:
    """The value as JSON keeps it: instants and dates as ISO 8601, decimals as text, rows by id."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, models.Model):
        return value.pk
    return value


def differences(row: models.Model, wanted: Mapping[str, Any]) -> dict[str, list]:
    """Field → [old, new] of the fields of `wanted` that differ from the row; references by id."""
    found = {}
    for name, new in wanted.items():
        field = row._meta.get_field(name)
        old = getattr(row, field.attname if field.many_to_one else name)
        new_value = new.pk if isinstance(new, models.Model) else new
        if old != new_value:
            found[name] = [plain(old), plain(new_value)]
    return found


def apply(row: models.Model, wanted: Mapping[str, Any]) -> dict[str, list]:
    """Set the fields that differ (without saving); answers what changed, as `differences` does."""
    changed = differences(row, wanted)
    for name in changed:
        setattr(row, name, wanted[name])
    return changed
