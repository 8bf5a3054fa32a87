"""How a window is cut into buckets."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from django.utils.translation import gettext as _

from assets.models import Asset
from core.errors import Refused
from core.models import Site
from kpis.facts.plans import calendars_of
from kpis.intervals import Calendar, on_the_clock, slots_of

DAY = timedelta(days=1)
BY = ("total", "day", "week", "month", "shift")
LONGEST = 3660  # days of one window

Bucket = tuple[datetime, datetime]
Calendars = Mapping[int | None, Sequence[Calendar]]  # by whose they are; None is the site


def cut(site: Site, start: datetime, end: datetime, by: str, *, asset: Asset | None = None) -> list[Bucket]:
    """Buckets of [start, end): production days, ISO weeks or calendar months of them, shifts, or all of it.

    A shift lasts until the next one begins, so that nothing between two falls out; shifts are those of the calendar
    that the asset follows today, of a site those of its own.
    """
    ((_, buckets),) = alike(site, [asset], start, end, by)
    return buckets


def alike(
    site: Site, subjects: Sequence[Asset | None], start: datetime, end: datetime, by: str
) -> list[tuple[list[int], list[Bucket]]]:
    """Buckets of [start, end), as `cut` makes them, with the places of the subjects to which they belong.

    By shift each subject is cut by its own; those whose shifts begin alike stand together.
    """
    if by not in BY:
        raise Refused(f"by must be one of {', '.join(BY)}.", code="invalid", field="by")
    refuse_wrong(start, end)
    if by != "shift":
        return [(list(range(len(subjects))), list(pairwise([start, *_borders(site, start, end, by), end])))]
    calendars = calendars_of(site)
    following = defaultdict(list)
    for place, asset in enumerate(subjects):
        following[_owners(calendars, asset)].append(place)
    together = defaultdict(list)
    for owners, places in following.items():
        together[tuple(_starts(site, calendars, owners, start, end))] += places
    return [(places, list(pairwise([start, *starts, end]))) for starts, places in together.items()]


def refuse_wrong(start: datetime, end: datetime) -> None:
    """Refuse a window that holds nothing, or too much."""
    if end <= start:
        raise Refused("The window ends before it begins.", code="invalid", field="to")
    if end - start > LONGEST * DAY:
        raise Refused("A window may be ten years long at most.", code="too_long", field="from")


def shift_starts(site: Site, asset: Asset | None, start: datetime, end: datetime) -> list[datetime]:
    """When shifts begin inside (start, end), in order; refused where no calendar says so."""
    calendars = calendars_of(site)
    return _starts(site, calendars, _owners(calendars, asset), start, end)


def _borders(site: Site, start: datetime, end: datetime, by: str) -> list[datetime]:
    """Where days, weeks or months begin inside the window."""
    if by == "total":
        return []
    day, last = site.production_day(start), site.production_day(end - timedelta(microseconds=1))
    borders: list[date] = []
    while day <= last:
        if not borders or by == "day" or (by == "week" and day.weekday() == 0) or (by == "month" and day.day == 1):
            borders.append(day)
        day += DAY
    return [site.day_begins(border) for border in borders[1:]]


def _owners(calendars: Calendars, asset: Asset | None) -> tuple[int | None, ...]:
    """Whose calendars the asset follows today, the nearest first; None is the site."""
    chain = [int(part) for part in reversed(asset.path.strip("/").split("/")) if part] if asset else []
    return tuple(owner for owner in (*chain, None) if owner in calendars)


def _starts(
    site: Site, calendars: Calendars, owners: Sequence[int | None], start: datetime, end: datetime
) -> list[datetime]:
    """When shifts of these owners begin inside (start, end), in order."""
    if not owners:
        raise Refused(_("No operating calendar says when shifts begin."), code="no_shifts", field="by")
    followed = [calendars[owner] for owner in owners]
    day, last = site.local(start).date() - DAY, site.local(end).date()
    found = set()
    while day <= last:
        found |= {on_the_clock(day, opens, site.zone) for opens, _closes in slots_of(followed, day)}
        day += DAY
    return sorted(moment for moment in found if start < moment < end)
