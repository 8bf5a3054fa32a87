"""A trigger in words, in the reader's language."""

from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.formats import date_format, time_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from workorders.recurrence import Trigger, Unit


def sentence(trigger: Trigger) -> str:
    """The trigger in words: "every 2 weeks on Monday and Thursday at 08:00"."""
    at = {"at": time_format(trigger.at, "H:i")}
    if trigger.rule:
        return str(_("by the rule %(rule)s at %(at)s") % {"rule": trigger.rule, **at})
    if trigger.floating:
        words = {"interval": _counted(trigger), "start": date_format(trigger.start, "j M Y")}
        return str(_("%(interval)s after each completion, first on %(start)s") % words)
    words = {"every": _every(trigger), "on": _on(trigger), **at}
    if not words["on"]:
        return str(_("%(every)s at %(at)s") % words)
    return str(_("%(every)s on %(on)s at %(at)s") % words)


def full_sentence(trigger: Trigger) -> str:
    """The same with a capital and a full stop, standing alone."""
    words = sentence(trigger)
    return f"{words[:1].upper()}{words[1:]}."


def _every(trigger: Trigger) -> str:
    n = trigger.every
    words: dict[Unit, str] = {
        "day": ngettext("every day", "every %(n)d days", n),
        "week": ngettext("every week", "every %(n)d weeks", n),
        "month": ngettext("every month", "every %(n)d months", n),
        "year": ngettext("every year", "every %(n)d years", n),
    }
    return words[trigger.unit] % {"n": n}


def _counted(trigger: Trigger) -> str:
    n = trigger.every
    words: dict[Unit, str] = {
        "day": ngettext("%(n)d day", "%(n)d days", n),
        "week": ngettext("%(n)d week", "%(n)d weeks", n),
        "month": ngettext("%(n)d month", "%(n)d months", n),
        "year": ngettext("%(n)d year", "%(n)d years", n),
    }
    return words[trigger.unit] % {"n": n}


def _on(trigger: Trigger) -> str:
    start, month = trigger.start, str(MONTHS[trigger.start.month])
    yearly = trigger.unit == "year"
    if trigger.unit == "day":
        return ""
    if trigger.unit == "week":
        days = sorted(trigger.weekdays) or [start.weekday()]
        return str(get_text_list([str(WEEKDAYS[day]) for day in days], _("and")))
    if trigger.nth is not None:
        words = {"nth": nth_name(trigger.nth), "weekday": WEEKDAYS[trigger.weekdays[0]], "month": month}
        pattern = _("the %(nth)s %(weekday)s of %(month)s") if yearly else _("the %(nth)s %(weekday)s")
        return str(pattern % words)
    if trigger.last_day:
        return str(_("the last day of %(month)s") % {"month": month} if yearly else _("the last day"))
    if yearly and (start.month, start.day) == (2, 29):
        return str(_("29 February, or the 28th in a common year"))
    if yearly:
        return str(_("%(day)d %(month)s") % {"day": start.day, "month": month})
    if start.day > 28:
        return str(_("day %(day)d or the last of a shorter month") % {"day": start.day})
    return str(_("day %(day)d") % {"day": start.day})


def nth_name(nth: int) -> str:
    names = {
        1: pgettext("weekday of the month", "1st"),
        2: pgettext("weekday of the month", "2nd"),
        3: pgettext("weekday of the month", "3rd"),
        4: pgettext("weekday of the month", "4th"),
        -1: pgettext("weekday of the month", "last"),
    }
    return str(names[nth])
