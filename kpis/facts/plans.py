"""Which calendar an asset follows when: its own, else its nearest ancestor's, else the site's, else none (24/7)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.axis import ALWAYS, FAR, Axis, axis
from kpis.facts.held import seconds
from kpis.facts.ranges import literal
from kpis.intervals import Calendar

# A calendar is inherited as placed, also outside the life of the assets above.
PLACED = f"""(
    SELECT asset_id, parent_id,
        CASE WHEN isfinite(lower(valid)) THEN {seconds("lower(valid)")} ELSE -%(far)s END AS since,
        CASE WHEN isfinite(upper(valid)) THEN {seconds("upper(valid)")} ELSE %(far)s END AS until
    FROM assets_placement WHERE parent_id IS NOT NULL
)"""

FEW = 100  # assets of a site
AROUND = 172_800  # s before and after what is asked for: axes know a little more

Owners = tuple[int, ...]  # assets with calendars, nearest first; after them comes the site


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span in which the chain of calendar owners stays the same; `shift` makes the asset's axis continuous."""

    start: int
    end: int
    owners: Owners
    shift: int


class Plans:
    """Scheduled time of the assets of one site, as far as `first` to `last` (seconds since 1970) are concerned.

    One query for the calendars and, where assets have calendars of their own, one for who inherits them.
    """

    def __init__(self, site: Site, asset_ids: list[int], first: int, last: int):
        self.site = site
        self.first, self.last = first - AROUND, last + AROUND
        self.calendars = calendars_of(site)
        self._axes: dict[Owners, Axis] = {}
        self._stretches: dict[tuple, tuple[Stretch, ...]] = {}
        self._like: dict[tuple, tuple[Stretch, ...]] = {}
        chains = self._inherited(asset_ids) if any(owner is not None for owner in self.calendars) else {}
        self.following = dict.fromkeys(asset_ids, self._following(()))
        self.following |= {asset_id: self._following(tuple(links)) for asset_id, links in chains.items()}

    def axis(self, owners: Owners) -> Axis:
        """The axis of a chain of owners, computed once."""
        if owners not in self._axes:
            chain = [*(self.calendars[owner] for owner in owners), self.calendars.get(None, [])]
            self._axes[owners] = axis(chain, self.first, self.last, self.site.zone) if any(chain) else ALWAYS
        return self._axes[owners]

    def stretches(self, asset_id: int) -> tuple[Stretch, ...]:
        """The asset's chains of owners over time, without gap from the far past to the far future."""
        return self.following[asset_id]

    def _following(self, links: tuple[tuple[int, int, int, int], ...]) -> tuple[Stretch, ...]:
        """The same of every asset with these links to the owners above it."""
        if links not in self._stretches:
            self._stretches[links] = tuple(self._stretch(links))
        return self._stretches[links]

    def _stretch(self, links: tuple[tuple[int, int, int, int], ...]):
        """Cut time where an owner comes or goes; links are (depth, owner, from, to)."""
        borders = sorted({-FAR, FAR, *(moment for link in links for moment in link[2:] if -FAR < moment < FAR)})
        reached = None
        for start, end in pairwise(borders):
            owners = tuple(owner for _, owner, since, until in sorted(links) if since <= start and end <= until)
            line = self.axis(owners)
            shift = 0 if reached is None else reached - line.at(start)
            yield Stretch(start, end, owners, shift)
            reached = shift + line.at(end)

    def like(self, stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
        """The first stretches asked for by which as much is scheduled in any span: calendars alike have one axis."""
        hours = tuple((each.start, each.end, id(self.axis(each.owners))) for each in stretches)
        return self._like.setdefault(hours, stretches)

    def at(self, stretches: tuple[Stretch, ...], moment: int) -> int:
        """Scheduled seconds before the instant by an asset's stretches, counted from an arbitrary origin."""
        for each in stretches:
            if moment < each.end:
                break
        return each.shift + self.axis(each.owners).at(moment)

    def between(self, stretches: tuple[Stretch, ...], start: int, end: int) -> int:
        """Scheduled seconds in [start, end) by an asset's stretches."""
        return sum(
            self.axis(each.owners).between(max(start, each.start), min(end, each.end))
            for each in stretches
            if each.start < end and each.end > start
        )

    def _inherited(self, asset_ids: list[int]) -> dict[int, list[tuple[int, int, int, int]]]:
        """For each asset the owners above it (or itself) with depth and the span in which it stood below them.

        Looked for from the assets up; of much of a site from the owners down, as most assets have few above them.
        """
        owners = [owner for owner in self.calendars if owner is not None]
        most = len(asset_ids) > FEW and len(asset_ids) > Asset.objects.filter(site=self.site).count() / 4
        with connection.cursor() as cursor:
            parameters = {"far": FAR, "assets": literal(asset_ids), "owners": literal(owners)}
            cursor.execute(DOWN if most else UP, parameters)
            chains = defaultdict(list)
            for asset_id, *link in cursor.fetchall():
                chains[asset_id].append(tuple(link))
        return chains


UP = f"""
WITH RECURSIVE up(asset_id, above, depth, since, until) AS (
    SELECT id, id, 0, -%(far)s::bigint, %(far)s::bigint FROM unnest(%(assets)s::bigint[]) AS id
    UNION ALL
    SELECT u.asset_id, v.parent_id, u.depth + 1, greatest(u.since, v.since), least(u.until, v.until)
    FROM up u CROSS JOIN LATERAL (SELECT * FROM {PLACED} v WHERE v.asset_id = u.above OFFSET 0) v
    WHERE v.since < u.until AND v.until > u.since
) SELECT asset_id, depth, above, since, until FROM up WHERE above = ANY(%(owners)s::bigint[])
"""

DOWN = f"""
WITH RECURSIVE down(asset_id, owner, depth, since, until) AS (
    SELECT id, id, 0, -%(far)s::bigint, %(far)s::bigint FROM unnest(%(owners)s::bigint[]) AS id
    UNION ALL
    SELECT v.asset_id, d.owner, d.depth + 1, greatest(d.since, v.since), least(d.until, v.until)
    FROM down d JOIN {PLACED} v ON v.parent_id = d.asset_id AND v.since < d.until AND v.until > d.since
) SELECT asset_id, depth, owner, since, until FROM down WHERE asset_id = ANY(%(assets)s::bigint[])
"""

CALENDARS = """
SELECT c.id, c.asset_id, c.valid_from, c.valid_to, s.weekday, NULL::date, s.start, s."end"
FROM production_operatingcalendar c LEFT JOIN production_weeklyslot s ON s.calendar_id = c.id
WHERE c.site_id = %(site)s
UNION ALL
SELECT c.id, c.asset_id, c.valid_from, c.valid_to, NULL, e.date, s.start, s."end"
FROM production_operatingcalendar c JOIN production_calendarexception e ON e.calendar_id = c.id
    LEFT JOIN production_exceptionslot s ON s.exception_id = e.id
WHERE c.site_id = %(site)s
"""


def calendars_of(site: Site) -> dict[int | None, list[Calendar]]:
    """The site's calendars by owner; None is the site itself."""
    calendars: dict[int, tuple] = {}
    weekly: dict[int, dict[int, list]] = defaultdict(lambda: defaultdict(list))
    exceptions: dict[int, dict[date, list]] = defaultdict(lambda: defaultdict(list))
    with connection.cursor() as cursor:
        cursor.execute(CALENDARS, {"site": site.pk})
        for pk, owner, since, until, weekday, day, start, end in cursor.fetchall():
            calendars[pk] = owner, since, until or date.max
            slots = [] if start is None else [(start, end)]
            if day is not None:
                exceptions[pk][day] += slots
            elif weekday is not None:
                weekly[pk][weekday] += slots
    found: dict[int | None, list[Calendar]] = defaultdict(list)
    for pk, (owner, since, until) in calendars.items():
        found[owner].append(
            Calendar(
                weekly={weekday: tuple(slots) for weekday, slots in weekly[pk].items()},
                exceptions={day: tuple(slots) for day, slots in exceptions[pk].items()},
                valid_from=since,
                valid_to=until,
            )
        )
    return dict(found)
