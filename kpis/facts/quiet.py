"""Which assets of a site something was recorded of, so that all others need not be computed."""

from django.db import connection

from core.models import Site
from kpis.axis import EVER
from kpis.facts.held import touching

STIRRED = f"""
WITH RECURSIVE span AS MATERIALIZED (
    SELECT id AS asset_id, %(lo)s::bigint AS lo, %(hi)s::bigint AS hi, %(ever)s::bigint AS since
    FROM assets_asset WHERE site_id = %(site)s
), stirred(asset_id) AS (
    SELECT asset_id FROM (
        SELECT asset_id FROM ({touching("assets_downtime", "r.id")}) stop
        UNION ALL
        SELECT asset_id FROM ({touching("production_count", "r.id")}) made
        UNION ALL
        SELECT w.asset_id FROM span w CROSS JOIN LATERAL (
            SELECT FROM assets_failure f WHERE f.asset_id = w.asset_id
                AND f.occurred >= to_timestamp(w.lo) AND f.occurred < to_timestamp(w.hi) OFFSET 0
        ) failed
    ) recorded
    UNION
    SELECT p.parent_id FROM stirred s JOIN assets_placement p ON p.asset_id = s.asset_id WHERE p.parent_id IS NOT NULL
) SELECT asset_id FROM stirred
"""


def stirred(site: Site, lo: int, hi: int) -> set[int]:
    """Assets of which a stop, a count or a failure touches [lo, hi), and all that one of them ever stood below."""
    with connection.cursor() as cursor:
        cursor.execute(STIRRED, {"site": site.pk, "lo": lo, "hi": hi, "ever": EVER})
        return {asset_id for (asset_id,) in cursor.fetchall()}
