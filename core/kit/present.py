"""How single facts look: a badge, a duration, a moment, a figure. Python twins of the template tags.

"No data" is said as such: a missing value is a grey word, never 0.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core.kit import icons
from core.kit.badges import TONES

MINUTE, HOUR, DAY = 60, 3600, 86_400


def no_data() -> SafeString:
    return format_html('<span class="no-data">{}</span>', _("no data"))


def badge(state: Any, *, large: bool = False) -> SafeString:
    """Icon, word and colour of an object with `label`, `tone` and `icon`; "" for None."""
    if state is None or state == "":
        return SafeString("")
    label = getattr(state, "label", state)
    tone = getattr(state, "tone", "idle")
    if tone not in TONES:
        raise ValueError(f"{tone!r} is not a tone; use one of {', '.join(TONES)}")
    icon = getattr(state, "icon", "")
    picture = icons.svg(icon) if icon else SafeString('<span class="state-dot"></span>')
    return format_html('<span class="state state-{}{}">{}{}</span>', tone, " state-lg" if large else "", picture, label)


def seconds(value: Any) -> float | int | None:
    """Seconds of a number or a timedelta; None stays None."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def duration_text(value: float | timedelta | Decimal | None) -> str:
    """The two largest parts of a duration: "2 d 4 h", "3 h 20 min", "45 s"."""
    if value is None:
        return _("no data")
    whole = round(float(seconds(value)))
    sign, whole = ("−" if whole < 0 else ""), abs(whole)
    if whole < MINUTE:
        return f"{sign}{whole} s"
    if whole < HOUR:
        parts = [(whole // MINUTE, "min"), (whole % MINUTE, "s")]
    elif whole < DAY:
        minutes = round(whole / MINUTE)
        parts = [(minutes // 60, "h"), (minutes % 60, "min")]
    else:
        hours = round(whole / HOUR)
        parts = [(hours // 24, "d"), (hours % 24, "h")]
    return sign + " ".join(f"{number}\u00a0{unit}" for number, unit in parts if number)


def duration(value: float | timedelta | Decimal | None) -> SafeString:
    if value is None:
        return no_data()
    return format_html('<span class="num">{}</span>', duration_text(value))


def when_text(moment: datetime | date, *, relative: bool = True, now: datetime | None = None) -> str:
    """A moment on the active clock, as short as it can be said without doubt.

    Within a day and `relative`: "12 min ago", "in 3 h". Today: "today 14:05". Else the date, with the year
    if it is not this one.
    """
    now = timezone.localtime(now)
    if not isinstance(moment, datetime):
        if moment == now.date():
            return _("today")
        return date_text(moment, "MONTH_DAY_FORMAT" if moment.year == now.year else "DATE_FORMAT")
    local = timezone.localtime(moment)
    # In UTC: two readings of one zone subtract as wall clock and lose the hour of a clock change.
    away = moment.timestamp() - now.timestamp()
    if relative and abs(away) < MINUTE:
        return _("just now")
    if relative and abs(away) < DAY:
        span = (
            ngettext("%(n)s min", "%(n)s min", int(abs(away) // MINUTE)) % {"n": int(abs(away) // MINUTE)}
            if abs(away) < HOUR
            else _("%(n)s h") % {"n": int(abs(away) // HOUR)}
        )
        return (_("%(span)s ago") if away < 0 else _("in %(span)s")) % {"span": span}
    clock = formats.date_format(local, "TIME_FORMAT")
    days = (local.date() - now.date()).days
    if days in (-1, 0, 1):
        day = {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}[days]
    else:
        day = formats.date_format(local, "MONTH_DAY_FORMAT" if local.year == now.year else "DATE_FORMAT")
    return f"{day} {clock}"


def when(moment: datetime | date | None, *, relative: bool = True) -> SafeString:
    """A <time> that shows the short text and tells the exact one, with its zone, on hover."""
    if moment is None:
        return no_data()
    if isinstance(moment, datetime):
        local = timezone.localtime(moment)
        exact = f"{formats.date_format(local, 'DATETIME_FORMAT')} ({local:%Z})"
        return format_html(
            '<time class="num" datetime="{}" title="{}">{}</time>',
            local.isoformat(timespec="seconds"),
            exact,
            when_text(moment, relative=relative),
        )
    return format_html(
        '<time class="num" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        formats.date_format(moment, "DATE_FORMAT"),
        when_text(moment),
    )


def number_text(value: Any, digits: int | None = None) -> str:
    """A number in the person's locale; without `digits` as many as it has, at most two."""
    if digits is None:
        digits = 0 if value == int(value) else 2 if isinstance(value, (float, Decimal)) and abs(value) < 10 else 1
    exact = Decimal(str(value))
    if marks := _marks(get_language()):  # a page has hundreds of numbers
        return f"{exact:z,.{digits}f}".translate(marks)
    rounded = round(exact, digits)
    return formats.number_format(rounded, digits, use_l10n=True, force_grouping=True).replace("-", "−")


@lru_cache
def _marks(language: str) -> dict[int, str] | None:
    """What a language writes for the signs of a number; None where it groups digits otherwise than by threes."""
    if formats.get_format("NUMBER_GROUPING", language) != 3:
        return None
    decimal, thousand = (formats.get_format(f"{name}_SEPARATOR", language) for name in ("DECIMAL", "THOUSAND"))
    return str.maketrans({",": thousand, ".": decimal, "-": "−"})


def date_text(day: date, form: str = "DATE_FORMAT") -> str:
    """A day, not an instant, in the person's locale; charts and their tables have the same days again and again."""
    return _date(day, form, get_language())


@lru_cache(maxsize=2000)
def _date(day: date, form: str, _language: str) -> str:
    return formats.date_format(day, form)


def figure(value: Any, unit: Any = "", *, digits: int | None = None) -> SafeString:
    """A number with its unit; None is said as "no data"."""
    if value is None:
        return no_data()
    if unit:
        return format_html(
            '<span class="num">{}<span class="unit">\u202f{}</span></span>', number_text(value, digits), unit
        )
    return SafeString(f'<span class="num">{number_text(value, digits)}</span>')
