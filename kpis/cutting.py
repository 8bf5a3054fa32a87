"""How a window is cut into buckets."""

from datetime import date, datetime, timedelta
from itertools import pairwise

from django.utils.translation import gettext as _

from assets.models import Asset
from core.errors import Refused
from core.models import Site
from kpis.facts.plans import calendars_of
from kpis.intervals import on_the_clock, slots_of

DAY = timedelta(days=1)
BY = ("total", "day", "week", "month", "shift")
LONGEST = 3660  # days of one window


def cut(
    site: Site, start: datetime, end: datetime, by: str, *, asset: Asset | None = None
) -> list[tuple[datetime, datetime]]:
    """Buckets of [start, end): production days, ISO weeks or calendar months of them, shifts, or all of it.

    A shift lasts until the next one begins, so that nothing between two falls out; shifts are those of the calendar
    that the asset follows today, of a site those of its own.
    """
    if by not in BY:
        raise Refused(f"by must be one of {', '.join(BY)}.", code="invalid", field="by")
    if end <= start:
        raise Refused("The window ends before it begins.", code="invalid", field="to")
    if end - start > LONGEST * DAY:
        raise Refused("A window may be ten years long at most.", code="too_long", field="from")
    if by == "total":
        return [(start, end)]
    if by == "shift":
        return list(pairwise([start, *shift_starts(site, asset, start, end), end]))
    day, last = site.production_day(start), site.production_day(end - timedelta(microseconds=1))
    borders: list[date] = []
    while day <= last:
        if not borders or by == "day" or (by == "week" and day.weekday() == 0) or (by == "month" and day.day == 1):
            borders.append(day)
        day += DAY
    edges = [start, *(site.day_begins(border) for border in borders[1:]), end]
    return list(pairwise(edges))


def shift_starts(site: Site, asset: Asset | None, start: datetime, end: datetime) -> list[datetime]:
    """When shifts begin inside (start, end), in order; refused where no calendar says so."""
    calendars = calendars_of(site)
    chain = [int(part) for part in reversed(asset.path.strip("/").split("/")) if part] if asset else []
    owners = [calendars[owner] for owner in (*chain, None) if owner in calendars]
    if not owners:
        raise Refused(_("No operating calendar says when shifts begin."), code="no_shifts", field="by")
    day, last = site.local(start).date() - DAY, site.local(end).date()
    found = set()
    while day <= last:
        found |= {on_the_clock(day, opens, site.zone) for opens, _closes in slots_of(owners, day)}
        day += DAY
    return sorted(moment for moment in found if start < moment < end)
