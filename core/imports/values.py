"""From a cell to a value: text, numbers, days, truth and choices, each with the reason why not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from core.imports.dates import FORMATS, NotADate, as_reading, instant, read
from core.models import Site

POINT, COMMA = "point", "comma"
_GROUPS = "\u00a0\u202f '’"  # signs that only group digits, whatever the decimal sign
_TRUE = {"1", "true", "yes", "y", "x", "t", "on", "ja", "j", "wahr"}
_FALSE = {"0", "false", "no", "n", "f", "off", "nein", "falsch", "-"}


class BadValue(ValueError):
    """The cell does not hold what its column needs; the message is for people."""


@dataclass
class Note:
    """Something to know about a value that was taken all the same."""

    text: str = ""


def text(cell: Any, *, longest: int = 0) -> str:
    """The cell as text, without the blanks around it."""
    if isinstance(cell, datetime):
        written = cell.isoformat(sep=" ", timespec="minutes")
    else:
        written = "" if cell is None else str(cell).strip()
    if "\0" in written:
        raise BadValue(_("holds a character that is no text"))
    if longest and len(written) > longest:
        raise BadValue(_("longer than %(longest)d characters") % {"longest": longest})
    return written


def number(cell: Any, *, decimal: str) -> Decimal:
    """A number with the decimal sign that was named; the other sign may only group thousands."""
    if isinstance(cell, bool | date):
        raise BadValue(_("not a number"))
    if isinstance(cell, int | float):
        return _finite(Decimal(str(cell)))
    written = str(cell).strip()
    for sign in _GROUPS:
        written = written.replace(sign, "")
    mark, grouping = (",", ".") if decimal == COMMA else (".", ",")
    whole, _sign, fraction = written.partition(mark)
    if grouping in fraction:
        raise BadValue(_("not a number with a decimal %(sign)s") % {"sign": _sign_name(decimal)})
    if grouping in whole:
        if not re.fullmatch(rf"[+-]?\d{{1,3}}(?:{re.escape(grouping)}\d{{3}})+", whole):
            raise BadValue(_("not a number with a decimal %(sign)s") % {"sign": _sign_name(decimal)})
        whole = whole.replace(grouping, "")
    plain = f"{whole}.{fraction}" if fraction else whole
    if not re.fullmatch(r"[+-]?\d*\.?\d*(?:[eE][+-]?\d{1,2})?", plain):
        raise BadValue(_("not a number"))
    try:
        return _finite(Decimal(plain))
    except InvalidOperation:
        raise BadValue(_("not a number")) from None


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) >= Decimal("1e15"):
        raise BadValue(_("not a number of a sensible size"))
    return value


def _sign_name(decimal: str) -> str:
    return _("comma") if decimal == COMMA else _("point")


def decimal_signs(cells: Iterable[Any]) -> list[str]:
    """The decimal signs with which all the cells are numbers; one of them, if they cannot be mistaken."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]

    def fits(decimal: str) -> bool:
        try:
            for each in texts:
                number(each, decimal=decimal)
        except BadValue:
            return False
        return True

    possible = [decimal for decimal in (POINT, COMMA) if fits(decimal)]
    if len(possible) == 2 and not any("," in each or "." in each for each in texts):
        return possible[:1]  # whole numbers read the same either way
    return possible


def truth(cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    written = str(cell).strip().casefold()
    if written in _TRUE:
        return True
    if written in _FALSE:
        return False
    raise BadValue(_("neither yes nor no"))


def moment(cell: Any, *, site: Site, date_format: str, note: Note) -> datetime:
    """The instant of a day or time on the site's clock; a day without a time is the start of its production day."""
    if isinstance(cell, date):
        reading = as_reading(cell)
    elif not isinstance(cell, str):
        raise BadValue(_("not a date"))
    else:
        try:
            reading = read(cell, FORMATS[date_format])
        except NotADate as error:
            raise BadValue(str(error)) from None
    if not 1900 <= reading.local.year <= 2200:
        raise BadValue(_("the year is not between 1900 and 2200"))
    if reading.offset is not None:
        return reading.local.replace(tzinfo=UTC) - reading.offset
    if not reading.has_time:
        return site.day_begins(reading.local.date())
    try:
        found, twice = instant(reading.local, site.zone)
    except NotADate as error:
        raise BadValue(str(error)) from None
    if twice:
        note.text = _("this time came twice when the clocks changed; the first was taken")
    return found


def choice(cell: Any, *, choices: Mapping[str, Any], chosen: Mapping[str, str]) -> str:
    """A key of `choices`: as a person said for this value, or the value is itself a key or its label."""
    written = text(cell)
    if written in chosen:
        return chosen[written]
    found = same_choice(written, choices)
    if found is None:
        raise BadValue(_("not one of %(choices)s") % {"choices": ", ".join(str(each) for each in choices.values())})
    return found


def same_choice(written: str, choices: Mapping[str, Any]) -> str | None:
    """The key that the text names by itself, if any."""
    folded = written.casefold()
    for key, label in choices.items():
        if folded in (str(key).casefold(), str(label).casefold()):
            return key
    return None
