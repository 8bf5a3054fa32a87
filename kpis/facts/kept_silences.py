"""What is kept of silences when those of reported days change, for what was reported (`kpis.facts.former_silences`).

A silence is no record of its own. It changes with a record that comes late or goes, or with how long an asset may be
silent, so what was silent is kept with that cause, from the moment on from which figures followed it (of another limit
from when it was worked off).
"""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from core.models import Site
from kpis.facts.held import seconds
from kpis.facts.ranges import literal, minus, within
from kpis.intervals import day_begins
from kpis.silence import EVER, Silence

KIND = "kpis_silence"
FOUND_AGAIN = "kpis.silence"  # the source where no single record is known to be the cause, as of another limit


class Replaced(NamedTuple):
    """Reported days of an asset, `first` to before `past`, within which other days are silent now; and the spans of
    days that were."""

    asset_id: int
    first: int
    past: int
    former: list[tuple[int, int]]


def replaced(asset_id: int, former: Sequence[Silence], today: Sequence[Silence], reported: int) -> Replaced | None:
    """What changed of the days up to the last `reported` one; None where nothing did."""
    one, other = (
        [(each.since, min(each.until or reported + 1, reported + 1)) for each in found if each.since <= reported]
        for found in (former, today)
    )
    days = [*minus(one, other), *minus(other, one)]
    if not days:
        return None
    first, past = min(lo for lo, _ in days), max(hi for _, hi in days)
    return Replaced(asset_id, first, past, within(one, first, past))


def keep(site: Site, rows: Sequence[Replaced], *, causes: bool) -> None:
    """Keep what was replaced, each from the change on that is nearest to the days, where `causes` are kept aside
    (`revisions`)."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO kpis_formerrow (at, kind, row_id, "row", site_id, asset_id, start, "end", source, source_id)
            SELECT coalesce(c.at, statement_timestamp()), '{KIND}', w.asset_id, w.kept::jsonb, %(site)s, w.asset_id,
                w.start, w.past, CASE WHEN c.source_id IS NULL THEN '{FOUND_AGAIN}' ELSE c.source END,
                coalesce(c.source_id, w.asset_id)
            FROM unnest(%(asset)s::bigint[], %(kept)s::text[], %(start)s::timestamptz[], %(past)s::timestamptz[])
                AS w(asset_id, kept, start, past)
            LEFT JOIN LATERAL ({CAUSE if causes else NO_CAUSE}) c ON true
            """,
            {
                "site": site.pk,
                "asset": literal(each.asset_id for each in rows),
                "kept": [json.dumps(each[1:]) for each in rows],
                "start": [_begins(site, each.first) for each in rows],
                "past": [_begins(site, each.past) for each in rows],
            },
        )


CAUSE = f"""SELECT at, source, source_id FROM kpis_cause c WHERE c.asset_id = w.asset_id
    ORDER BY greatest(0, c.lo - {seconds("w.past")}, {seconds("w.start")} - c.hi), at, no LIMIT 1"""
NO_CAUSE = "SELECT NULL::timestamptz AS at, NULL::text AS source, NULL::bigint AS source_id"


def _begins(site: Site, day: int) -> datetime | None:
    """None for since ever."""
    return None if day == EVER else day_begins(date.fromordinal(day), site.zone, site.day_start)
