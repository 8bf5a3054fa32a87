"""What was reported before: by how much stored days changed when they were computed again, when and why.

Around the replacement of stored facts the former sums are kept aside (`remember`) and compared with the new ones
(`note`). Only what differs becomes a row, so computing everything again leaves no trace where nothing was wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from kpis.axis import ProductionDays
from kpis.facts.live import FRACTIONS, NUMBERS
from kpis.facts.question import Ranges, columns, literal
from kpis.facts.statement import seconds

OF_DAY = (*NUMBERS, *FRACTIONS)
OF_EVENTS = {
    "events": "NOT found",
    "items": "items * (NOT found)::int",
    "found": "found",
    "restored": "NOT found AND restored IS NOT NULL",
    "restoration": f"CASE WHEN found THEN 0 ELSE coalesce({seconds('restored')} - {seconds('occurred')}, 0) END",
    "open_events": "open AND NOT found",
}
SUMS = (*OF_DAY, *OF_EVENTS)
FORMER = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS kpis_former (
        asset_id bigint, day date, {", ".join(f"{name} float8" for name in SUMS)}) ON COMMIT DELETE ROWS;
    DELETE FROM kpis_former"""


@dataclass(frozen=True, slots=True)
class Cause:
    """A record whose change reaches an asset from `lo` to before `hi`; named as events name it."""

    asset_id: int
    lo: int
    hi: int
    source: str
    source_id: int | None


def remember(days: ProductionDays, replaced: Ranges, events: Ranges) -> None:
    """Keep the stored sums of the days in `replaced` and of the failure events that begin in `events`."""
    with connection.cursor() as cursor:
        cursor.execute(FORMER)
        cursor.execute(f"INSERT INTO kpis_former {_stored()}", _parameters(days, replaced, events))


def note(days: ProductionDays, replaced: Ranges, events: Ranges, causes: Sequence[Cause]) -> int:
    """Write a revision of every day whose sums are no longer what `remember` kept; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH delta AS (
                SELECT asset_id, day, {", ".join(f"sum({name}) AS {name}" for name in SUMS)} FROM (
                    {_stored()}
                    UNION ALL
                    SELECT asset_id, day, {", ".join(f"-{name}" for name in SUMS)} FROM kpis_former
                ) both_ GROUP BY asset_id, day
                HAVING {" OR ".join(f"abs(sum({name})) > 1e-6" for name in SUMS)}
            ), cause AS MATERIALIZED (
                SELECT * FROM unnest(%(c_asset)s::bigint[], %(c_lo)s::bigint[], %(c_hi)s::bigint[],
                    %(c_source)s::text[], %(c_id)s::bigint[]) WITH ORDINALITY
                    AS c(asset_id, lo, hi, source, source_id, no)
            ), why AS (
                SELECT asset_id, day, count(DISTINCT (source, source_id))::int AS sources,
                    (array_agg(source ORDER BY far, no))[1] AS source,
                    (array_agg(source_id ORDER BY far, no))[1] AS source_id
                FROM (
                    SELECT d.asset_id, d.day, c.source, c.source_id, c.no,
                        NOT (c.lo < (%(borders)s::bigint[])[n + 1] AND c.hi > (%(borders)s::bigint[])[n]) AS far
                    FROM delta d CROSS JOIN LATERAL (SELECT d.day - %(first_day)s::date + 1 AS n) position
                        JOIN cause c USING (asset_id)
                ) each_ GROUP BY asset_id, day
            )
            INSERT INTO kpis_dayrevision (asset_id, day, at, source, source_id, sources, {", ".join(SUMS)})
            SELECT asset_id, day, %(at)s, coalesce(source, ''), source_id, coalesce(sources, 0), {", ".join(SUMS)}
            FROM delta LEFT JOIN why USING (asset_id, day)
            """,
            _parameters(days, replaced, events)
            | {
                "at": timezone.now(),
                "c_asset": literal(cause.asset_id for cause in causes),
                "c_lo": literal(cause.lo for cause in causes),
                "c_hi": literal(cause.hi for cause in causes),
                "c_source": [cause.source for cause in causes],
                "c_id": [cause.source_id for cause in causes],
            },
        )
        return cursor.rowcount


def _stored() -> str:
    """Stored sums of the spans by asset and day; those of failure events in rows of their own."""
    return f"""
        SELECT f.asset_id, f.day, {", ".join(f"f.{name}::float8 AS {name}" for name in OF_DAY)},
            {", ".join(f"0::float8 AS {name}" for name in OF_EVENTS)}
        FROM unnest(%(d_asset)s::bigint[], %(d_first)s::date[], %(d_past)s::date[]) AS w(asset_id, first, past)
            JOIN kpis_assetday f ON f.asset_id = w.asset_id AND f.day >= w.first AND f.day < w.past
        UNION ALL
        SELECT e.asset_id, %(first_day)s::date + width_bucket({seconds("e.occurred")}, %(borders)s::bigint[]) - 1,
            {", ".join("0::float8" for _ in OF_DAY)},
            {", ".join(f"({rule})::int::float8" for rule in OF_EVENTS.values())}
        FROM unnest(%(e_asset)s::bigint[], %(e_lo)s::bigint[], %(e_hi)s::bigint[]) AS w(asset_id, lo, hi)
            JOIN kpis_failureevent e ON e.asset_id = w.asset_id
                AND e.occurred >= to_timestamp(w.lo) AND e.occurred < to_timestamp(w.hi)"""


def _parameters(days: ProductionDays, replaced: Ranges, events: Ranges) -> dict:
    rows = [(asset_id, days.within(lo, hi)) for asset_id, spans in replaced.items() for lo, hi in spans]
    return {
        "d_asset": literal(asset_id for asset_id, _ in rows),
        "d_first": literal(first for _, (first, _) in rows),
        "d_past": literal(past for _, (_, past) in rows),
        "borders": literal(days.borders),
        "first_day": days.first,
        **columns("e", events),
    }
