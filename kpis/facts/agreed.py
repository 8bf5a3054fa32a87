"""The weeks of a site whose schedule was agreed, as windows want them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.models import Site
from workorders.models import AgreedWeek
from workorders.week import midnight

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Agreed:
    """An agreed week: [start, end) on the site's clock, and the instant at which its last production day begins."""

    id: int
    monday: date
    start: datetime
    end: datetime
    last_day: datetime


def agreed_in(site: Site, start: datetime, end: datetime) -> list[Agreed]:
    """The agreed weeks that reach into [start, end), the first one first; one query."""
    first, last = site.local(start).date() - 2 * WEEK, site.local(end).date() + WEEK
    rows = AgreedWeek.objects.filter(site=site, monday__gte=first, monday__lte=last).order_by("monday")
    found = [
        Agreed(pk, monday, midnight(site, monday), midnight(site, monday + WEEK), last_day_of(site, monday))
        for pk, monday in rows.values_list("pk", "monday")
    ]
    return [each for each in found if each.start < end and each.end > start]


def last_day_of(site: Site, monday: date) -> datetime:
    """The instant by which a week belongs to a window."""
    return site.day_begins(monday + timedelta(days=6))


def over_in(site: Site, start: datetime, end: datetime, now: datetime) -> int:
    """How many weeks belong to [start, end) and are over, agreed or not."""
    day = site.local(start).date()
    monday = day - timedelta(days=day.weekday()) - WEEK
    number = 0
    while (last_day := last_day_of(site, monday)) < end and midnight(site, monday + WEEK) <= now:
        number += last_day >= start
        monday += WEEK
    return number
