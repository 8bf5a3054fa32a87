"""What is kept of silences when those of reported days change, for what was reported (`kpis.facts.former_silences`).

A silence is no record of its own. It changes with a record that comes late or goes, or with how long an asset may be
silent, so a former one is kept with that cause, from the moment on from which figures followed it.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from core.models import Site
from kpis.facts.ranges import literal, minus
from kpis.intervals import day_begins
from kpis.silence import EVER, Silence

KIND = "kpis_silence"
FOUND_AGAIN = "kpis.silence"  # the source where no record is the cause, but how long an asset may be silent


class Replaced(NamedTuple):
    """The silences of an asset that began after a day up to another, and the days in which others are silent now."""

    asset_id: int
    after: int
    through: int
    former: list[Silence]
    first: int
    past: int


def differing(former: Sequence[Silence], today: Sequence[Silence], reported: int) -> tuple[int, int] | None:
    """The first of the days up to the last `reported` one that are silent in one of both alone, and the day past the
    last of them."""
    one, other = (
        [(each.since, min(each.until or reported + 1, reported + 1)) for each in found if each.since <= reported]
        for found in (former, today)
    )
    days = [*minus(one, other), *minus(other, one)]
    return (min(lo for lo, _ in days), max(hi for _, hi in days)) if days else None


def keep(site: Site, rows: Sequence[Replaced], *, causes: bool) -> None:
    """Keep what was replaced, each from the first of its `causes` on, where these are kept aside (`revisions`)."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO kpis_formerrow (at, kind, row_id, "row", site_id, asset_id, start, "end", source, source_id)
            SELECT coalesce(c.at, statement_timestamp()), '{KIND}', w.asset_id, w.kept::jsonb, %(site)s, w.asset_id,
                w.start, w.past, coalesce(c.source, '{FOUND_AGAIN}'), coalesce(c.source_id, w.asset_id)
            FROM unnest(%(asset)s::bigint[], %(kept)s::text[], %(start)s::timestamptz[], %(past)s::timestamptz[])
                AS w(asset_id, kept, start, past)
            LEFT JOIN LATERAL ({CAUSE if causes else NO_CAUSE}) c ON true
            """,
            {
                "site": site.pk,
                "asset": literal(each.asset_id for each in rows),
                "kept": [json.dumps([each.after, each.through, each.former]) for each in rows],
                "start": [_begins(site, each.first) for each in rows],
                "past": [_begins(site, each.past) for each in rows],
            },
        )


CAUSE = """SELECT at, source, source_id FROM kpis_cause c WHERE c.asset_id = w.asset_id AND c.source_id IS NOT NULL
    ORDER BY at, no LIMIT 1"""
NO_CAUSE = "SELECT NULL::timestamptz AS at, NULL::text AS source, NULL::bigint AS source_id"


def _begins(site: Site, day: int) -> datetime | None:
    """None for since ever."""
    return None if day == EVER else day_begins(date.fromordinal(day), site.zone, site.day_start)
