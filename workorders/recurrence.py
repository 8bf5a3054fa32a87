"""When preventive work falls due: a calendar trigger and the instants it names.

Pure arithmetic, without a database. A rule speaks the wall clock of the site ("every Monday at 06:00"),
so the rules run on local times and only their results become instants (UTC). `dateutil.rrule` knows the
calendar; this module chooses the rule, and decides what the calendar leaves open:

- the 29th, 30th and 31st mean the last day of a shorter month, so that no month is left out;
- a local time that the clock skips moves forward by the length of the gap; one that comes twice is the first;
- *fixed* triggers ignore when the work was done, *floating* ones count from its completion.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil import rrule
from dateutil.relativedelta import relativedelta
from django.utils.translation import gettext as _  # type: ignore[import-untyped]

Unit = Literal["day", "week", "month", "year"]

UNITS: tuple[Unit, ...] = ("day", "week", "month", "year")
NTH = (1, 2, 3, 4, -1)  # -1 is the last; a fifth weekday would leave months out
LONGEST: dict[Unit, int] = {"day": 18_250, "week": 2_600, "month": 600, "year": 50}  # 50 years each

# Beyond this a rule counts as never due; twice the longest interval, and dateutil stops looking there.
_OUTLOOK = relativedelta(years=100)
# The calendar of Samoa left out a whole day in 2011; no clock has moved by more.
_LONGEST_GAP = timedelta(days=1)

_FREQUENCY: dict[str, Unit] = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAY_PARTS = {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYEASTER"}
# What each frequency may be narrowed by. dateutil looks for a rule that never matches until the year 9999;
# with these it either matches soon or gives up within a second.
_RULE_PARTS: dict[str, set[str]] = {
    "DAILY": {"BYDAY", "BYMONTH"},
    "WEEKLY": {"BYDAY", "BYMONTH"},
    "MONTHLY": {"BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"},
    "YEARLY": _DAY_PARTS | {"BYMONTH", "BYSETPOS"},
}
_LARGEST = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}


class TriggerError(ValueError):
    """A trigger that cannot be planned; `errors` maps each field to its reason."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Trigger:
    """A calendar rule on the site's wall clock, anchored at `start`, due at the time of day `at`.

    `weekdays` count from Monday = 0. `nth` asks for the nth of one weekday in its month (2nd Tuesday).
    A yearly trigger keeps the month of `start`. `rule` is RRULE text (RFC 5545) and replaces every, unit,
    weekdays, nth and last_day; an UNTIL that is a bare day includes that day. A floating trigger is first
    due at `start` and then every-units after the completion. Raises TriggerError with all reasons at once.
    """

    start: date
    at: time = time(8)
    every: int = 1
    unit: Unit = "month"
    weekdays: tuple[int, ...] = ()
    nth: int | None = None
    last_day: bool = False
    rule: str = ""
    floating: bool = False

    def __post_init__(self) -> None:
        if errors := _problems(self):
            raise TriggerError(errors)


@dataclass(frozen=True, slots=True)
class Due:
    """One occurrence to come; `assumed` when it counts on an earlier one being completed on its day."""

    sequence: int
    due: datetime
    assumed: bool = False


# --- Asking ------------------------------------------------------------------------------------


def first_due(trigger: Trigger, zone: ZoneInfo, since: datetime) -> datetime | None:
    """Where a plan begins that takes effect at `since`: what a rule named before that is not made up for.

    A floating trigger begins at its start, at once when that has passed. None when the rule has ended.
    """
    if trigger.floating:
        return max(_instant(datetime.combine(trigger.start, trigger.at), zone), since.astimezone(UTC))
    return due_after(trigger, zone, since - timedelta(microseconds=1))


@lru_cache(maxsize=16_384)
def due_after(trigger: Trigger, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """The first instant strictly after `moment`; for a floating trigger, as if completed at `moment`.

    Remembered, because the plans of a plant share few rules. None when the rule has ended.
    """
    return next(dues_after(trigger, zone, moment), None)


def due_after_completion(trigger: Trigger, zone: ZoneInfo, completed: datetime) -> datetime:
    """A floating trigger's next instant: the local day of completion plus the interval, at its time."""
    day = _local(completed, zone).date() + _interval(trigger)
    return _instant(datetime.combine(day, trigger.at), zone)


def dues_after(trigger: Trigger, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Instants in UTC, strictly rising, later than `moment`; those of a floating trigger never end."""
    last = moment.astimezone(UTC)
    if trigger.floating:
        while True:
            last = due_after_completion(trigger, zone, last)
            yield last
    after = _local(moment, zone) - _LONGEST_GAP
    begin = max(after, datetime.combine(trigger.start, trigger.at))
    for local in _rule(trigger, after).xafter(begin, inc=True):
        if (due := _instant(local, zone)) > last:
            last = due
            yield due


def dues_until(trigger: Trigger, zone: ZoneInfo, *, after: datetime, until: datetime) -> list[datetime]:
    """Every instant in `(after, until]`."""
    return list(takewhile(lambda due: due <= until, dues_after(trigger, zone, after)))


@lru_cache(maxsize=16_384)
def interval_at(trigger: Trigger, zone: ZoneInfo, due: datetime) -> timedelta:
    """Time from one due instant to the next, to which tolerances such as the 10 % rule refer.

    At the rule's end it is the time from the instant before.
    """
    if (following := due_after(trigger, zone, due)) is not None:
        return following - due.astimezone(UTC)
    before_start = _instant(datetime.combine(trigger.start, trigger.at), zone) - timedelta(microseconds=1)
    earlier = [moment for moment in dues_until(trigger, zone, after=before_start, until=due) if moment < due]
    return due.astimezone(UTC) - earlier[-1]


def preview(
    trigger: Trigger,
    zone: ZoneInfo,
    *,
    since: datetime,
    months: int = 12,
    first_sequence: int = 1,
    first: datetime | None = None,
) -> list[Due]:
    """What falls due within `months` of the local day of `since`, numbered from `first_sequence`.

    `first` is the next instant of a plan that runs already; a new plan begins where `first_due` says.
    A floating trigger is shown as if each occurrence were completed on its day.
    """
    until = _instant(_local(since, zone) + relativedelta(months=months), zone)
    begin = first or first_due(trigger, zone, since)
    if begin is None or begin > until:
        return []
    found = [begin, *dues_until(trigger, zone, after=begin, until=until)]
    return [Due(first_sequence + index, due, assumed=trigger.floating and index > 0) for index, due in enumerate(found)]


# --- The rules --------------------------------------------------------------------------------


def _rule(trigger: Trigger, after: datetime) -> rrule.rrule:
    """The rule on wall-clock times: complete behind `after`, not necessarily before it."""
    until = max(after, datetime.combine(trigger.start, trigger.at)) + _OUTLOOK
    if trigger.rule:
        return _written_rule(trigger, until)
    begin, interval = _anchor(trigger, after), trigger.every
    month_day = _month_day(trigger.start.day)
    if trigger.unit == "day":
        return rrule.rrule(rrule.DAILY, begin, interval, wkst=rrule.MO, until=until)
    if trigger.unit == "week":
        days = trigger.weekdays or (trigger.start.weekday(),)
        return rrule.rrule(rrule.WEEKLY, begin, interval, wkst=rrule.MO, until=until, byweekday=days)
    frequency: Literal[0, 1] = rrule.MONTHLY if trigger.unit == "month" else rrule.YEARLY
    month = trigger.start.month if trigger.unit == "year" else None
    if trigger.nth is not None:
        weekday = rrule.weekdays[trigger.weekdays[0]](trigger.nth)
        return rrule.rrule(frequency, begin, interval, wkst=rrule.MO, until=until, bymonth=month, byweekday=weekday)
    return rrule.rrule(
        frequency,
        begin,
        interval,
        wkst=rrule.MO,
        until=until,
        bymonth=month,
        bymonthday=-1 if trigger.last_day else month_day,
        bysetpos=-1,
    )


def _month_day(day: int) -> tuple[int, ...]:
    """The days of which the last one that exists is meant: 31 is the 28th in a common February."""
    return (day,) if day <= 28 else tuple(range(28, day + 1))


def _anchor(trigger: Trigger, after: datetime) -> datetime:
    """The start, or a later moment in the same phase, so that old plans need not count up from it."""
    start, every = trigger.start, trigger.every
    if after.date() <= start:
        return datetime.combine(start, trigger.at)
    passed = after.date() - start
    if trigger.unit in ("day", "week"):
        period = timedelta(days=every if trigger.unit == "day" else 7 * every)
        return datetime.combine(start + max(passed // period - 1, 0) * period, trigger.at)
    months = 12 * (after.year - start.year) + after.month - start.month
    period_months = every if trigger.unit == "month" else 12 * every
    periods = months // period_months - 1
    if periods <= 0:
        return datetime.combine(start, trigger.at)
    # The first of the month: the rule names its day itself, and a start on the 31st has none in April.
    return datetime.combine(start.replace(day=1) + relativedelta(months=periods * period_months), trigger.at)


def _written_rule(trigger: Trigger, until: datetime) -> rrule.rrule:
    parts = _rule_parts(trigger.rule)
    if len(parts.get("UNTIL", "")) == 8:
        parts["UNTIL"] += "T235959"
    parts.setdefault("UNTIL", f"{until:%Y%m%dT%H%M%S}")
    if trigger.start.day > 28 and parts["FREQ"] in ("MONTHLY", "YEARLY") and not _DAY_PARTS & set(parts):
        # Left to RFC 5545, the start's 31st would leave out every shorter month.
        if parts["FREQ"] == "YEARLY":
            parts.setdefault("BYMONTH", str(trigger.start.month))
        parts |= {"BYMONTHDAY": ",".join(map(str, _month_day(trigger.start.day))), "BYSETPOS": "-1"}
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    parsed = rrule.rrulestr(text, dtstart=datetime.combine(trigger.start, trigger.at))
    if not isinstance(parsed, rrule.rrule):
        raise ValueError(text)
    return parsed


def _rule_parts(rule: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in rule.removeprefix("RRULE:").split(";")]
    return {name: value for name, _equals, value in pairs}


def _interval(trigger: Trigger) -> relativedelta:
    match trigger.unit:
        case "day":
            return relativedelta(days=trigger.every)
        case "week":
            return relativedelta(weeks=trigger.every)
        case "month":
            return relativedelta(months=trigger.every)
        case "year":
            return relativedelta(years=trigger.every)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    # fold=0 reads a skipped time with the offset before the gap, which lands behind it, and a repeated
    # one as the first (PEP 495).
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


# --- Checking ----------------------------------------------------------------------------------


def _problems(trigger: Trigger) -> dict[str, str]:
    if trigger.at.tzinfo is not None or isinstance(trigger.start, datetime):
        return {"start": _("Give the start as a local day and time.")}
    if not 1900 <= trigger.start.year <= 2200:
        return {"start": _("Give a start between the years 1900 and 2200.")}
    if trigger.rule:
        return _rule_problems(trigger)
    if trigger.unit not in UNITS:
        return {"unit": _("Choose day, week, month or year.")}
    errors = {}
    if not 1 <= trigger.every <= LONGEST[trigger.unit]:
        errors["every"] = _("Give a whole number from 1 to %(longest)d.") % {"longest": LONGEST[trigger.unit]}
    if trigger.floating:
        for field in ("weekdays", "nth", "last_day"):
            if getattr(trigger, field):
                errors[field] = _("A floating plan counts from completion and cannot keep to a certain day.")
        return errors
    if any(day not in range(7) for day in trigger.weekdays):
        errors["weekdays"] = _("Weekdays are numbered from 0 (Monday) to 6 (Sunday).")
    elif len(set(trigger.weekdays)) < len(trigger.weekdays):
        errors["weekdays"] = _("Name each weekday once.")
    elif trigger.weekdays and trigger.unit == "day":
        errors["weekdays"] = _("To keep to weekdays, count in weeks.")
    elif trigger.weekdays and trigger.unit != "week" and trigger.nth is None:
        errors["nth"] = _("Say which one in the month is meant: first, second, third, fourth or last.")
    if trigger.nth is not None:
        if trigger.nth not in NTH:
            errors["nth"] = _("Choose first, second, third, fourth or last.")
        elif trigger.unit not in ("month", "year"):
            errors["nth"] = _("The nth weekday exists in a month or a year only.")
        elif len(trigger.weekdays) != 1:
            errors["weekdays"] = _("Name the one weekday that is meant.")
    if trigger.last_day:
        if trigger.unit not in ("month", "year"):
            errors["last_day"] = _("The last day of the month needs months or years as unit.")
        elif trigger.nth is not None or trigger.weekdays:
            errors["last_day"] = _("Choose either the last day or a weekday.")
    return errors


def _rule_problems(trigger: Trigger) -> dict[str, str]:
    if trigger.floating:
        return {"rule": _("A floating plan counts from completion and cannot follow a rule.")}
    if trigger.weekdays or trigger.nth is not None or trigger.last_day:
        return {"rule": _("Give either a rule or weekdays and days of the month.")}
    if not re.fullmatch(r"(RRULE:)?[A-Z]+=[-+0-9A-Z,]+(;[A-Z]+=[-+0-9A-Z,]+)*", trigger.rule):
        return {"rule": _("This is not one recurrence rule, such as FREQ=MONTHLY;BYDAY=1MO.")}
    parts = _rule_parts(trigger.rule)
    if len(parts) <= trigger.rule.count(";"):
        return {"rule": _("Each part may stand once.")}
    if (frequency := _FREQUENCY.get(parts.get("FREQ", ""))) is None:
        return {"rule": _("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.")}
    if "COUNT" in parts:
        return {"rule": _("COUNT has no meaning once a plan is edited; give UNTIL instead.")}
    narrowing = set(parts) - {"FREQ", "INTERVAL", "UNTIL", "WKST"}
    if unknown := sorted(narrowing - _RULE_PARTS[parts["FREQ"]]):
        words = {"part": unknown[0], "frequency": parts["FREQ"]}
        return {"rule": _("%(part)s is not allowed with %(frequency)s.") % words}
    for name, largest in _LARGEST.items():
        for number in filter(None, parts.get(name, "").split(",")):
            if not (re.fullmatch("[-+]?[0-9]+", number) and 1 <= abs(int(number)) <= largest):
                return {"rule": _("%(part)s counts from 1 to %(largest)d.") % {"part": name, "largest": largest}}
                return {"rule": _("%(part)s counts from 1 to %(largest)d.") % words}
    if "BYMONTH" in parts and "-" in parts["BYMONTH"]:
        return {"rule": _("BYMONTH counts from the beginning of the year.")}
    if "UNTIL" in parts and not re.fullmatch(r"2[0-2][0-9]{6}(T[0-9]{6})?", parts["UNTIL"]):
        return {"rule": _("Give UNTIL as a local day, or a local time without Z, before the year 2300.")}
    longest = LONGEST[frequency]
    if not (parts.get("INTERVAL", "1").isdecimal() and 1 <= int(parts.get("INTERVAL", "1")) <= longest):
        return {"rule": _("INTERVAL must be a whole number from 1 to %(longest)d.") % {"longest": longest}}
    if parts["FREQ"] == "DAILY" and narrowing and parts.get("INTERVAL", "1") != "1":
        return {"rule": _("Every so many days cannot keep to weekdays or months; count in weeks.")}
    several_months = frequency == "year" and "," in parts.get("BYMONTH", "")
    if trigger.start.day > 28 and several_months and not _DAY_PARTS & set(parts):
        return {"rule": _("Name the day with BYMONTHDAY; -1 is the last of a month.")}
    try:
        rule = _written_rule(trigger, datetime.combine(trigger.start, trigger.at) + _OUTLOOK)
        found = len(list(islice(rule, 2)))
    except (ValueError, TypeError, IndexError, OverflowError):
        return {"rule": _("This rule cannot be read.")}
    if found == 0:
        return {"rule": _("This rule never falls due.")}
    if found == 1:
        return {"rule": _("This rule falls due only once; that is a work order, not a plan.")}
    return {}
