"""Operating calendars are agreed, changed and taken back here; events keep the former agreement whole.

Events: calendar.agreed {calendar}, calendar.changed {before, calendar}, calendar.removed {calendar}; each with
the calendar as data, so that figures of the days it held for can be worked out again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assets.checks import check_version
from assets.models import Asset
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from people.permissions import require
from production.calendars import pattern_of
from production.models import CalendarException, ExceptionSlot, OperatingCalendar, WeeklySlot
from production.timetable import Pattern, Slot, weekly_clash


@dataclass(frozen=True)
class Agreement:
    """A calendar as people agree on it: name, pattern with its dates, and a name for some of the exceptions."""

    name: str
    pattern: Pattern
    exception_names: Mapping[date, str]


@transaction.atomic
def agree(site: Site, asset: Asset | None, agreement: Agreement, *, by) -> OperatingCalendar:
    """A new calendar of the site, or of one asset and all below it that have none of their own.

    Refused at the field: no other calendar of the same owner may hold on the same day, slots of the week share
    no time, exceptions lie within the dates.
    """
    require(by, "edit", site)
    site = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    if asset is not None and asset.site_id != site.pk:
        raise Refused(_("This site has no such asset."), code="unknown_asset", field="asset")
    calendar = OperatingCalendar(site=site, asset=asset)
    _check(calendar, agreement)
    _write(calendar, agreement)
    summary = f"Calendar {calendar} agreed"
    record("calendar.agreed", calendar, by=by, site=site, summary=summary, calendar=described(calendar))
    return calendar


@transaction.atomic
def change(calendar: OperatingCalendar, agreement: Agreement, *, by, version: int | None = None) -> OperatingCalendar:
    """Another agreement in place of the former one, for all days the calendar holds, past ones too.

    To keep the past as it was, end this calendar and agree on a new one from a later day.
    """
    require(by, "edit", calendar.site)
    site = Site.objects.select_for_update(no_key=True).get(pk=calendar.site_id)
    calendar = _again(calendar)
    check_version(calendar, version)
    before = described(calendar)
    _check(calendar, agreement)
    if agreement_of(calendar) == agreement:
        return calendar
    calendar.version += 1
    _write(calendar, agreement)
    record(
        "calendar.changed", calendar, by=by, site=site, summary=f"Calendar {calendar} changed", before=before,
        calendar=described(calendar),
    )  # fmt: skip
    return calendar


@transaction.atomic
def remove(calendar: OperatingCalendar, *, by, version: int | None = None) -> None:
    """Take a calendar back; what is above it holds instead. The event keeps it whole."""
    require(by, "edit", calendar.site)
    site = Site.objects.select_for_update(no_key=True).get(pk=calendar.site_id)
    calendar = _again(calendar)
    check_version(calendar, version)
    record(
        "calendar.removed", calendar, by=by, site=site, summary=f"Calendar {calendar} removed",
        calendar=described(calendar),
    )  # fmt: skip
    calendar.delete()


def agreement_of(calendar: OperatingCalendar) -> Agreement:
    """The calendar as it is agreed now."""
    names = {exception.date: exception.name for exception in calendar.exceptions.all() if exception.name}
    return Agreement(calendar.name, pattern_of(calendar), names)


def described(calendar: OperatingCalendar) -> dict[str, Any]:
    """The calendar in the words of the REST API, for events."""
    return {
        "site": calendar.site_id,
        "asset": calendar.asset_id,
        "name": calendar.name,
        "valid_from": calendar.valid_from.isoformat(),
        "valid_to": calendar.valid_to.isoformat() if calendar.valid_to else None,
        "weekly": [
            {"weekday": slot.weekday, "start": f"{slot.start:%H:%M}", "end": f"{slot.end:%H:%M}"}
            for slot in calendar.weekly.all()
        ],
        "exceptions": [
            {
                "date": exception.date.isoformat(),
                "name": exception.name,
                "intervals": [
                    {"start": f"{slot.start:%H:%M}", "end": f"{slot.end:%H:%M}"} for slot in exception.slots.all()
                ],
            }
            for exception in calendar.exceptions.all()
        ],
    }


def _again(calendar: OperatingCalendar) -> OperatingCalendar:
    rows = OperatingCalendar.objects.prefetch_related("weekly", "exceptions__slots")
    try:
        return rows.get(pk=calendar.pk)
    except OperatingCalendar.DoesNotExist:
        raise Conflict(_("This calendar was removed in the meantime."), code="removed") from None


def _check(calendar: OperatingCalendar, agreement: Agreement) -> None:
    pattern = agreement.pattern
    if not agreement.name.strip():
        raise Refused(_("Give the calendar a name."), code="required", field="name")
    if pattern.valid_to and pattern.valid_to <= pattern.valid_from:
        raise Refused(_("The calendar ends before it begins to hold."), code="end_before_start", field="valid_to")
    others = OperatingCalendar.objects.filter(site=calendar.site, asset=calendar.asset).exclude(pk=calendar.pk)
    others = others.exclude(valid_to__lte=pattern.valid_from)
    if pattern.valid_to:
        others = others.filter(valid_from__lt=pattern.valid_to)
    if other := others.first():
        raise Refused(
            _("“%(name)s” holds from %(since)s already; end it first.")
            % {"name": other.name, "since": date_format(other.valid_from, "SHORT_DATE_FORMAT")},
            code="calendar_overlaps",
            field="valid_from",
        )
    if clash := weekly_clash(pattern.weekly):
        (day, slot), (other_day, other_slot) = clash.first, clash.second
        raise Refused(
            _("%(first)s and %(second)s share time.")
            % {"first": f"{WEEKDAYS[day]} {slot}", "second": f"{WEEKDAYS[other_day]} {other_slot}"},
            code="slots_overlap",
            field="weekly",
        )
    for day, slots in pattern.exceptions.items():
        if day < pattern.valid_from or (pattern.valid_to and day >= pattern.valid_to):
            raise Refused(
                _("The exception of %(day)s lies outside the time for which the calendar holds.")
                % {"day": date_format(day, "SHORT_DATE_FORMAT")},
                code="exception_outside",
                field="exceptions",
            )
        if _share_time(slots):
            raise Refused(
                _("The slots of the exception of %(day)s share time.") % {"day": date_format(day, "SHORT_DATE_FORMAT")},
                code="slots_overlap",
                field="exceptions",
            )


def _share_time(slots) -> bool:
    lined = sorted(slot.minutes for slot in slots)
    return any(after[0] < before[1] for before, after in pairwise(lined))


def _write(calendar: OperatingCalendar, agreement: Agreement) -> None:
    calendar.name = agreement.name.strip()
    calendar.valid_from, calendar.valid_to = agreement.pattern.valid_from, agreement.pattern.valid_to
    calendar.save()
    calendar.weekly.all().delete()
    calendar.exceptions.all().delete()
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=calendar, weekday=weekday, start=slot.start, end=slot.end)
        for weekday, slots in sorted(agreement.pattern.weekly.items())
        for slot in sorted(slots)
    )
    exceptions = CalendarException.objects.bulk_create(
        CalendarException(calendar=calendar, date=day, name=agreement.exception_names.get(day, ""))
        for day in sorted(agreement.pattern.exceptions)
    )
    ExceptionSlot.objects.bulk_create(
        ExceptionSlot(exception=exception, start=slot.start, end=slot.end)
        for exception in exceptions
        for slot in sorted(agreement.pattern.exceptions[exception.date])
    )
    calendar._prefetched_objects_cache = {}


def slots_of(weekly: list[tuple[int, Slot]]) -> dict[int, tuple[Slot, ...]]:
    """(weekday, slot) pairs as a pattern keeps them; the same slot twice is refused."""
    found: dict[int, tuple[Slot, ...]] = {}
    for weekday, slot in sorted(weekly):
        if slot in found.get(weekday, ()):
            raise Refused(
                _("%(slot)s is given twice.") % {"slot": f"{WEEKDAYS[weekday]} {slot}"},
                code="slots_overlap",
                field="weekly",
            )
        found[weekday] = (*found.get(weekday, ()), slot)
    return found


def exceptions_of(dated: list[tuple[date, str, list[Slot]]]) -> tuple[dict[date, tuple[Slot, ...]], dict[date, str]]:
    """(date, name, slots) triples as a pattern keeps them, and the names; a date that comes twice is refused."""
    slots: dict[date, tuple[Slot, ...]] = {}
    names: dict[date, str] = {}
    for day, name, intervals in dated:
        if day in slots:
            raise Refused(
                _("%(day)s is given twice.") % {"day": date_format(day, "SHORT_DATE_FORMAT")},
                code="exception_twice",
                field="exceptions",
            )
        slots[day] = tuple(sorted(intervals))
        if name.strip():
            names[day] = name.strip()
    return slots, names
