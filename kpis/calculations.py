"""A formula with the numbers of one figure in it: words for the calculations of figures of work.

Each reads as arithmetic whose result is the value; what comes before the last colon or semicolon names its numbers.
"""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from core.kit.present import number_text
from kpis.work import place_of

Sums = Mapping[str, float]  # inputs by name
Words = Callable[[Sums], str]


def hours(seconds: float) -> str:
    return f"{number_text(seconds / 3600, 2)} h"


def money(amount: float) -> str:
    return number_text(amount, 2)


def number(value: float) -> str:
    return number_text(value, 0)


def days(value: float) -> str:
    """Whole days, or a part of them to two places."""
    return f"{number_text(value, 0 if value == int(value) else 2)} d"


def ratio(part: str, whole: str, shown: Callable[[float], str], of: Callable[[float], str] | None = None) -> Words:
    """One input over another."""
    return lambda sums: f"{shown(sums[part])} ÷ {(of or shown)(sums[whole])}"


def mean(part: str, of: str) -> Words:
    """The hours of one input over the number of another."""
    return ratio(part, of, hours, number)


def critical(sums: Sums) -> str:
    interval = days(sums["interval_days"])
    return f"({days(sums['days_late'])} + {interval}) ÷ {interval}"


def in_weeks(part: str) -> Words:
    """The hours of one input over those that the crew has in a week, as far as they are known."""

    def words(sums: Sums) -> str:
        known = [hours(sums[name]) for name in (part, "weekly_capacity") if name in sums]
        return " ÷ ".join(known) if part in sums else _("not known")

    return words


def unworked(estimated: str, left: str) -> Words:
    """The estimates of orders less what was worked of them; more than its estimate is not taken off an order."""

    def words(sums: Sums) -> str:
        if left not in sums:
            return _("not known")
        return _("%(estimated)s estimated − %(worked)s of it worked") % {
            "estimated": hours(sums[estimated]), "worked": hours(sums[estimated] - sums[left]),
        }  # fmt: skip

    return words


def added(*names: str) -> Words:
    return lambda sums: " + ".join(money(sums[name]) for name in names)


def charged(sums: Sums) -> str:
    """Hours down at what one of them cost, which may be a mean of several assets and prices."""
    seconds, cost = sums["priced_downtime"], sums["downtime_cost"]
    if not seconds:
        return hours(seconds)
    rate = money(cost / seconds * 3600)
    return _("%(hours)s × %(rate)s an hour on average") % {"hours": hours(seconds), "rate": rate}


def read_off(share: float, of: str, below: str, above: str, shown: Callable[[float], str]) -> Words:
    """A quantile: which of the values in order it is, or between which two of them it lies, and how far."""

    def words(sums: Sums) -> str:
        many = int(sums[of])
        if not many:
            return _("nothing to put in order")
        place, part = place_of(many, share)
        told = {"all": number(many), "place": number(place + 1), "next": number(place + 2)}
        told |= {"low": shown(sums[below]), "high": shown(sums[above]), "part": number_text(part, 1)}
        if not part:
            return _("no. %(place)s of %(all)s in order: %(low)s") % told
        return (
            _("between no. %(place)s and %(next)s of %(all)s in order: %(low)s + %(part)s × (%(high)s − %(low)s)")
            % told
        )

    return words


def inherent(sums: Sums) -> str:
    """MTBF and MART, each out of its inputs, and what they make."""
    parts = {
        "MTBF": ("operating_time", "failures"), "MART": ("active_repair_time_in_schedule", "failures_with_labour"),
    }  # fmt: skip
    words = {name: mean(*inputs)(sums) for name, inputs in parts.items()}
    if not all(sums[of] for _part, of in parts.values()):
        return "; ".join(f"{name} = {each}" for name, each in words.items())
    up, repair = (hours(sums[part] / sums[of]) for part, of in parts.values())
    return f"MTBF = {words['MTBF']} = {up}; MART = {words['MART']} = {repair}; {up} ÷ ({up} + {repair})"
