"""A site's present: what of its production days is over, and where its records begin."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from core.models import Site
from kpis.axis import EVER, epoch
from kpis.facts.held import REACHING
from kpis.facts.ranges import literal
from kpis.intervals import DAY, day_begins, production_date


@dataclass(frozen=True, slots=True)
class Clock:
    """A site's present: now, and the instant up to which its production days are over."""

    site: Site
    now: int
    yesterday: date
    frontier: int

    @classmethod
    def of(cls, site: Site, now: datetime | None = None) -> "Clock":
        moment = now or timezone.now()
        today = production_date(moment, site.zone, site.day_start)
        return cls(site, epoch(moment), today - DAY, epoch(day_begins(today, site.zone, site.day_start)))

    def after(self, through: date | None) -> int:
        """The instant at which the day after `through` begins."""
        return EVER if through is None else epoch(day_begins(through + DAY, self.site.zone, self.site.day_start))


def beginning(site: Site, assets: Collection[int] | None = None) -> int | None:
    """Before everything that is recorded or stored of the site, or of these assets and what can stop them; None without
    anything."""
    if assets is None:
        asked, among, parameters = "", "assets_asset a WHERE a.site_id = %(site)s", {"site": site.pk}
    else:
        asked, among, parameters = f"WITH RECURSIVE {REACHING}", "down a", {"assets": literal(assets)}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {asked}
            SELECT floor(date_part('epoch', min(least(d.start, f.occurred, c.start, e.occurred,
                k.day - interval '1 day'))))::bigint
            FROM (SELECT a.id FROM {among}) a
            LEFT JOIN LATERAL (SELECT min(start) AS start FROM assets_downtime WHERE asset_id = a.id) d ON true
            LEFT JOIN LATERAL (SELECT min(occurred) AS occurred FROM assets_failure WHERE asset_id = a.id) f ON true
            LEFT JOIN LATERAL (SELECT min(start) AS start FROM production_count WHERE asset_id = a.id) c ON true
            LEFT JOIN LATERAL (SELECT min(occurred) AS occurred FROM kpis_failureevent WHERE asset_id = a.id) e ON true
            LEFT JOIN LATERAL (SELECT min(day) AS day FROM kpis_assetday WHERE asset_id = a.id) k ON true
            """,
            parameters,
        )
        return cursor.fetchone()[0]
