"""What figures rested on before a moment: calendars, placements, service lives and reported records as of then."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from assets.models import Asset
from core.models import Site
from kpis.facts.ranges import literal
from kpis.models.former import PLAN, FormerRow

MOST = 300  # changes looked at
RECORDS = (
    "assets_downtime", "assets_failure", "production_count", "assets_downtimereason", "assets_redundancygroup",
    "core_site",
)  # fmt: skip
OF_PLAN = "kind IN ('{}')".format("', '".join(PLAN))


@contextmanager
def before(moment: datetime) -> Iterator[None]:
    """Every query inside finds assets, placements, calendars and records as they were before the moment.

    Only the columns on which figures depend are there; nothing may be written.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path')")
        (path,) = cursor.fetchone()
        set_locally = "SELECT set_config('search_path', %s, true), set_config('kpis.before', %s, true)"
        cursor.execute(set_locally, [f"kpis_former, {path}", moment.isoformat()])
        yield  # an error ends the savepoint, and the settings with it
        cursor.execute(set_locally, [path, ""])


class Moment(NamedTuple):
    """A change; figures followed it at once, and `settled` is when all that it reaches did."""

    at: datetime
    settled: datetime
    source: str
    source_id: int


def moments(site: Site, subject: Asset | None, start: datetime, end: datetime, now: datetime) -> list[Moment]:
    """Changes that may reach a figure of the subject (None: the site) in [start, end), the newest first.

    What follows of many assets from one change, as of a limit of the site, is one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {AROUND if subject else ""}
            SELECT DISTINCT at, coalesce(settled, %(now)s), source, CASE WHEN source LIKE 'kpis.%%'
                THEN min(source_id) OVER (PARTITION BY at, settled, source) ELSE source_id END AS source_id
            FROM kpis_formerrow f LEFT JOIN kpis_settledchange USING (site_id, at)
            WHERE {OF_PLAN} AND site_id = %(site)s
                AND (start IS NULL OR start < %(end)s) AND ("end" IS NULL OR "end" > %(start)s)
                {"AND (asset_id IS NULL OR asset_id IN (SELECT id FROM around))" if subject else ""}
            ORDER BY at DESC, source, source_id LIMIT {MOST}
            """,
            {"site": site.pk, "subject": subject and subject.pk, "start": start, "end": end, "now": now},
        )
        return [Moment(*row) for row in cursor.fetchall()]


def of_records(
    site: Site, asset_ids: Sequence[int], spans: Sequence[tuple[datetime, datetime]], now: datetime
) -> list[Moment]:
    """Changes of records of these assets, and of the site's settings for them, that share time with the spans."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT at, coalesce(settled, %(now)s), source, source_id
            FROM kpis_formerrow f JOIN unnest(%(los)s::timestamptz[], %(his)s::timestamptz[]) AS w(lo, hi)
                ON (start IS NULL OR start < hi) AND ("end" IS NULL OR "end" >= lo)
                LEFT JOIN kpis_settledchange USING (site_id, at)
            WHERE kind IN ({", ".join(f"'{kind}'" for kind in RECORDS)})
                AND (asset_id = ANY(%(assets)s::bigint[]) OR (asset_id IS NULL AND site_id = %(site)s))
            ORDER BY at DESC, source, source_id LIMIT {MOST}
            """,
            {
                "site": site.pk,
                "assets": literal(asset_ids),
                "los": [lo for lo, _ in spans],
                "his": [hi for _, hi in spans],
                "now": now,
            },
        )
        return [Moment(*row) for row in cursor.fetchall()]


# What ever stood below the subject, and above it or them, by former placements as well.
AROUND = """
WITH RECURSIVE placed AS MATERIALIZED (
    SELECT asset_id, ("row"->>'parent_id')::bigint AS parent_id FROM kpis_formerrow
    WHERE kind = 'assets_placement' AND site_id = %(site)s AND "row" IS NOT NULL
), below(id) AS (
    SELECT %(subject)s::bigint
    UNION
    SELECT p.asset_id FROM below, LATERAL (
        SELECT asset_id FROM assets_placement WHERE parent_id = below.id
        UNION ALL SELECT asset_id FROM placed WHERE parent_id = below.id) p
), around(id) AS (
    SELECT id FROM below
    UNION
    SELECT p.parent_id FROM around, LATERAL (
        SELECT parent_id FROM assets_placement WHERE asset_id = around.id
        UNION ALL SELECT parent_id FROM placed WHERE asset_id = around.id) p WHERE p.parent_id IS NOT NULL
)"""


def observed(asset_ids: Sequence[int], moment: datetime | None) -> set[int]:
    """The assets of which anything was recorded before the moment, or is today."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.asset_id FROM unnest(%(assets)s::bigint[]) AS m(asset_id) WHERE coalesce(
                (SELECT (f."row"->>'observed')::boolean FROM kpis_formerrow f
                    WHERE f.kind = 'kpis_factstate' AND f.row_id = m.asset_id AND f.at >= %(moment)s
                    ORDER BY f.at, f.id LIMIT 1),
                (SELECT s.observed OR NULL FROM kpis_factstate s WHERE s.asset_id = m.asset_id),
                EXISTS (SELECT FROM assets_downtime r WHERE r.asset_id = m.asset_id)
                    OR EXISTS (SELECT FROM assets_failure r WHERE r.asset_id = m.asset_id)
                    OR EXISTS (SELECT FROM production_count r WHERE r.asset_id = m.asset_id))
            """,
            {"assets": literal(asset_ids), "moment": moment or "infinity"},
        )
        return {asset_id for (asset_id,) in cursor.fetchall()}


def settle(site: Site) -> None:
    """What changed until now was worked off: figures that come from it are reported from now on.

    What another worker is just opening again it settles itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kpis_settledchange SET settled = statement_timestamp() WHERE id IN (
                SELECT id FROM kpis_settledchange WHERE settled IS NULL AND site_id = %s ORDER BY id
                FOR UPDATE SKIP LOCKED)
            """,
            [site.pk],
        )


def site_before(site: Site, moment: datetime) -> Site:
    """The site with the setting about overruns that it had before the moment."""
    row = FormerRow.objects.filter(kind="core_site", row_id=site.pk, at__gte=moment).order_by("at", "id").first()
    if row is None:
        return site
    then = copy(site)
    then.overrun_is_unplanned = row.row["overrun_is_unplanned"]
    return then
