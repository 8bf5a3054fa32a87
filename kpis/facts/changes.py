"""What has to be computed again: the marks that triggers leave, and the work of clearing them.

A mark is taken and cleared in the transaction that computes what it asks for, so a worker killed half-way leaves it
for the next. Marks written meanwhile stay for the next round.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from core.models import JobRun, Site
from kpis.axis import EVER, FAR, NEVER, instant
from kpis.facts import former, revisions
from kpis.facts.clock import Clock
from kpis.facts.held import seconds
from kpis.facts.question import calculating, reaching_counts, without_loops
from kpis.facts.ranges import Ranges, grouped, literal
from kpis.facts.silences import OF_SITE, UNSETTLED
from kpis.facts.store import BEHIND, CHUNK, lock, reaching, rewrite
from kpis.models import Occasion

DAY = 86400
BATCH = 5000  # marks of one transaction
WHOLE = 730  # days of an asset, as which longer spans count
MOST = CHUNK * WHOLE  # asset-days of one statement, as when everything is computed

START = f"CASE WHEN m.start IS NULL OR NOT isfinite(m.start) THEN {EVER} ELSE {seconds('m.start')} END"
END = f"""CASE WHEN m."end" IS NULL OR NOT isfinite(m."end") THEN {NEVER}
    ELSE greatest(ceil(date_part('epoch', m."end"))::bigint, {START} + 1) END"""


class Due(NamedTuple):
    """What is to be done at a site: assets have fallen behind, marks have to be spread first."""

    behind: bool = True
    spread: bool = True


def due(clocks: Iterable[Clock]) -> dict[int, Due]:
    """The sites with an asset that has fallen behind or with marks."""
    sites = [(clock.site.pk, clock.yesterday) for clock in clocks]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH site AS (SELECT * FROM unnest(%(sites)s::bigint[], %(days)s::date[]) AS s(id, yesterday))
            SELECT site_id, bool_or(behind), bool_or(wide) FROM (
                SELECT a.site_id, true AS behind, false AS wide
                FROM site JOIN assets_asset a ON a.site_id = site.id {OF_SITE}
                    LEFT JOIN kpis_factstate s ON s.asset_id = a.id
                WHERE {BEHIND.format(yesterday="site.yesterday")} OR {UNSETTLED}
                UNION ALL
                SELECT coalesce(m.site_id, a.site_id), false, m.reach <> 'asset'
                FROM kpis_changedday m LEFT JOIN assets_asset a ON a.id = m.asset_id
            ) each_ WHERE site_id IN (SELECT id FROM site) GROUP BY site_id
            """,
            {"sites": literal(site for site, _ in sites), "days": literal(day for _, day in sites)},
        )
        return {site: Due(*what) for site, *what in cursor.fetchall()}


def come(now: datetime) -> None:
    """Mark what ended by now, as its record had said beforehand."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH come AS (DELETE FROM kpis_comingchange WHERE due <= %(now)s RETURNING *)
            INSERT INTO kpis_changedday (reach, asset_id, start, "end", at, source, source_id)
            SELECT 'asset', asset_id, start, "end", due, source, source_id FROM come
            """,
            {"now": now},
        )


def refresh(site: Site, *, now: datetime | None = None, batch: int = BATCH, run: JobRun | None = None) -> int:
    """Compute the marked days of the site's stored facts again; the number of asset-days written."""
    clock = Clock.of(site, now)
    written, marks = 0, batch
    while marks == batch:
        with calculating():
            revisions.begin()
            marks, spans = _claim(clock, batch)
            states = lock(clock, spans) if spans else {}
            for part in portions(spans, clock.frontier):
                some = {asset_id: states[asset_id] for asset_id in part if asset_id in states}
                written += rewrite(clock, reaching(part, some), some, Occasion.CHANGED, run)
    former.settle(site)
    return written


def portions(spans: Ranges, end: int) -> Iterator[Ranges]:
    """The spans, up to `end`, in portions of at most `MOST` asset-days."""
    portion: Ranges = {}
    days = 0
    for asset_id in sorted(spans):
        more = sum(min(WHOLE, max(0, min(hi, end) - lo) // DAY + 2) for lo, hi in spans[asset_id])
        if portion and days + more > MOST:
            yield portion
            portion, days = {}, 0
        portion[asset_id] = spans[asset_id]
        days += more
    if portion:
        yield portion


def spread(site: Site) -> None:
    """Turn marks of a whole site or of everything below an asset into marks of their assets."""
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH RECURSIVE claimed AS (
                    DELETE FROM kpis_changedday WHERE id IN (
                        SELECT m.id FROM kpis_changedday m LEFT JOIN assets_asset a ON a.id = m.asset_id
                        WHERE m.reach <> 'asset' AND coalesce(m.site_id, a.site_id) = %(site)s
                        ORDER BY m.id LIMIT 100 FOR UPDATE OF m SKIP LOCKED)
                    RETURNING reach, site_id, asset_id, start, "end", at, source, source_id
                ), mark AS (
                    SELECT reach, site_id, asset_id AS top, start, "end", min(at) AS at, source, source_id
                    FROM claimed GROUP BY 1, 2, 3, 4, 5, 7, 8
                ), {BELOW.format(source="(SELECT * FROM mark WHERE reach = 'below')")}
                INSERT INTO kpis_changedday (reach, asset_id, start, "end", at, source, source_id)
                SELECT 'asset', asset_id, start, "end", min(at), source, source_id FROM (
                    SELECT asset_id, start, "end", at, source, source_id FROM below
                    UNION ALL
                    SELECT a.id, m.start, m."end", m.at, m.source, m.source_id
                    FROM mark m JOIN assets_asset a ON a.site_id = m.site_id
                    WHERE m.reach = 'site'
                ) each_ GROUP BY asset_id, start, "end", source, source_id
                RETURNING 1
                """,
                {"site": site.pk},
            )
            if not cursor.rowcount:
                return


# Everything that stood below an asset at any time of a mark.
BELOW = """below(asset_id, start, "end", at, source, source_id) AS (
    SELECT m.top, m.start, m."end", m.at, m.source, m.source_id FROM {source} m
    UNION
    SELECT p.asset_id, b.start, b."end", b.at, b.source, b.source_id
    FROM below b JOIN assets_placement p ON p.parent_id = b.asset_id AND p.valid && tstzrange(b.start, b."end")
)"""


# When they were written is nothing to a reader, and would only keep marks apart.
MARK_BELOW = """(
    SELECT top, start, "end", NULL::timestamptz AS at, source, source_id FROM mark WHERE reach = 'below'
)"""


def discard(site: Site) -> None:
    """Drop marks of assets for which, as for the parents they reach, nothing is stored yet: nothing can be stale.

    So a plant that was just loaded is computed once. States that another worker holds count as stored.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE fresh AS (
                SELECT s.asset_id FROM kpis_factstate s JOIN assets_asset a ON a.id = s.asset_id
                WHERE a.site_id = %(site)s AND s.through IS NULL FOR UPDATE OF s SKIP LOCKED
            ), up(asset_id, above) AS (
                SELECT asset_id, asset_id FROM fresh
                UNION
                SELECT u.asset_id, p.parent_id FROM up u CROSS JOIN {STANDING.format(asset="u.above")} p
            )
            DELETE FROM kpis_changedday WHERE reach = 'asset' AND asset_id IN (
                SELECT asset_id FROM up GROUP BY asset_id
                HAVING bool_and(above IN (SELECT asset_id FROM fresh)))
            """,
            {"site": site.pk, "far": FAR},
        )


def pending(clock: Clock, limit: int) -> Ranges | None:
    """The spans of every asset of the site that wait to be computed again; None when there are more marks than that.

    Reads only, so that a figure can leave these days out of what is stored; also what has come since the last run.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE mark AS MATERIALIZED (
                SELECT m.*, m.asset_id AS top FROM (
                    SELECT reach, site_id, asset_id, start, "end", source, source_id FROM kpis_changedday
                    UNION ALL
                    SELECT 'asset', NULL, asset_id, start, "end", source, source_id FROM kpis_comingchange
                    WHERE due <= %(now)s
                ) m LEFT JOIN assets_asset a ON a.id = m.asset_id
                WHERE coalesce(m.site_id, a.site_id) = %(site)s LIMIT %(limit)s
            ), {BELOW.format(source=MARK_BELOW)}
            SELECT (SELECT count(*) FROM mark), asset_id, {START}, {END} FROM (
                SELECT asset_id, start, "end" FROM mark WHERE reach = 'asset'
                UNION ALL SELECT asset_id, start, "end" FROM below
                UNION ALL SELECT a.id, mark.start, mark."end" FROM mark JOIN assets_asset a ON a.site_id = mark.site_id
                WHERE mark.reach = 'site'
            ) m
            """,
            {"site": clock.site.pk, "limit": limit + 1, "now": instant(clock.now)},
        )
        rows = cursor.fetchall()
    if rows and rows[0][0] > limit:
        return None
    return reaching_counts(_reached([row[1:] for row in rows])) if rows else {}


def _reached(rows: Sequence[tuple[int, int, int]]) -> Ranges:
    """What changes of (asset, from, to) reach."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE mark(asset_id, lo, hi, id, at, source, source_id) AS (
                SELECT *, 0, now(), '', 0 FROM unnest(%(assets)s::bigint[], %(los)s::bigint[], %(his)s::bigint[])
            ), {REACHED}
            SELECT asset_id, lower(part), upper(part) FROM spans
            """,
            {
                "assets": literal(row[0] for row in rows),
                "los": literal(row[1] for row in rows),
                "his": literal(row[2] for row in rows),
                "far": FAR,
            },
        )
        return grouped(cursor.fetchall())


# Where an asset stood so that it could stop its parent. With OFFSET 0 it is sought by index, also where loops are not
# allowed: the placements of all sites would be read for each batch.
STANDING = f"""LATERAL (
    SELECT parent_id,
        CASE WHEN isfinite(lower(valid)) THEN {seconds("lower(valid)")} ELSE -%(far)s END AS since,
        CASE WHEN isfinite(upper(valid)) THEN {seconds("upper(valid)")} ELSE %(far)s END AS until
    FROM assets_placement WHERE asset_id = {{asset}} AND parent_id IS NOT NULL
        AND (stops_parent OR redundancy_group_id IS NOT NULL) OFFSET 0
)"""


# What marks reach: their asset, and the parents that it can stop, while it stood there; disjoint spans by asset.
# Counts that cross the borders of the spans change with them (`reaching_counts`): a count is split over days by
# operating time, so a stop on one of its days changes its share of the others.
REACHED = f"""up(origin, asset_id, since, until) AS (
    SELECT DISTINCT asset_id, asset_id, -%(far)s::bigint, %(far)s::bigint FROM mark
    UNION
    SELECT u.origin, p.parent_id, greatest(u.since, p.since), least(u.until, p.until)
    FROM up u CROSS JOIN {STANDING.format(asset="u.asset_id")} p
    WHERE p.since < u.until AND p.until > u.since
), reached AS MATERIALIZED (
    SELECT up.asset_id, greatest(lo, since) AS lo, least(hi, until) AS hi, id, at, source, source_id
    FROM mark JOIN up ON up.origin = mark.asset_id AND since < hi AND until > lo
), spans AS (
    SELECT asset_id, unnest(range_agg(int8range(lo, hi))) AS part FROM reached GROUP BY asset_id
)"""


# The record of a mark, or those of the bulk load that it is of, that end after the moment of a run.
GOING_ON = " UNION ALL ".join(
    f"""
    SELECT id, start, "end" FROM {table} WHERE mark.source = '{source}' AND id = mark.source_id
        AND asset_id = mark.asset_id AND "end" > to_timestamp(%(now)s)
    UNION ALL
    SELECT id, start, "end" FROM {table} WHERE mark.source = '{source}' AND mark.source_id IS NULL
        AND asset_id = mark.asset_id AND start >= to_timestamp(mark.lo) AND "end" > to_timestamp(%(now)s)"""
    for table, source in (("assets_downtime", "assets.downtime"), ("production_count", "production.count"))
)


def _claim(clock: Clock, batch: int) -> tuple[int, Ranges]:
    """Take marks of the site that no other worker holds: how many, and what they reach.

    Each is kept aside as a cause of the revisions to come. Of a record that ends after the moment of this run it comes
    again at that end, as here it still goes on.
    """
    with without_loops() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE mark AS (
                DELETE FROM kpis_changedday m WHERE id = ANY(ARRAY(
                    SELECT m.id FROM kpis_changedday m JOIN assets_asset a ON a.id = m.asset_id
                    WHERE m.reach = 'asset' AND a.site_id = %(site)s
                    ORDER BY m.asset_id, m.id LIMIT %(batch)s FOR UPDATE OF m SKIP LOCKED))
                RETURNING m.id, m.asset_id, {START} AS lo, {END} AS hi, m.at, m.source, m.source_id
            ), {REACHED}, causes AS (
                INSERT INTO kpis_cause (asset_id, lo, hi, no, at, source, source_id) SELECT * FROM reached
            ), coming AS (
                INSERT INTO kpis_comingchange (asset_id, start, "end", due, source, source_id)
                SELECT DISTINCT asset_id, r.start, r."end", r."end", source, r.id
                FROM mark CROSS JOIN LATERAL ({GOING_ON} OFFSET 0) r WHERE hi > %(now)s
            )
            SELECT asset_id, lower(part), upper(part), (SELECT count(*) FROM mark) FROM spans
            """,
            {"site": clock.site.pk, "batch": batch, "far": FAR, "now": clock.now},
        )
        rows = cursor.fetchall()
    return rows[0][3] if rows else 0, grouped(row[:3] for row in rows)
