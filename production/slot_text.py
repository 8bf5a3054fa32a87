"""Slots as people type them: "06:00–14:00, 22–6", "0-24"; and back."""

import re
from collections.abc import Iterable
from datetime import time

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from production.timetable import Slot

_SLOT = re.compile(r"^\s*(\d{1,2})(?::?(\d{2}))?\s*[-–—]\s*(\d{1,2})(?::?(\d{2}))?\s*$")


def read_slots(text: str) -> list[Slot]:
    """The slots of a line, divided by commas; an empty line has none. ValidationError says which part is wrong."""
    return [_read_slot(part) for part in text.split(",") if part.strip()]


def _read_slot(part: str) -> Slot:
    found = _SLOT.match(part)
    if not found:
        raise ValidationError(
            _("“%(part)s” is not a time from and to, such as 06:00–14:00.") % {"part": part.strip()}, code="slot"
        )
    start_hour, start_minute, end_hour, end_minute = (int(group or 0) for group in found.groups())
    if end_hour == 24 and end_minute == 0:
        end_hour = 0
    try:
        return Slot(time(start_hour, start_minute), time(end_hour, end_minute))
    except ValueError:
        raise ValidationError(
            _("“%(part)s” names a time that no clock shows.") % {"part": part.strip()}, code="slot"
        ) from None


def write_slots(slots: Iterable[Slot]) -> str:
    """The slots as one line that `read_slots` understands."""
    return ", ".join(str(slot) for slot in sorted(slots))
