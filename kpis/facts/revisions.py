"""What was reported before: by how much stored days changed when they were computed again, when and why.

While stored facts are replaced, what goes and what comes is kept aside: sums of the former are taken off, those of
the new added, by the statements that delete and insert. Only what does not come to nothing becomes a row (`note`),
so computing everything again leaves no trace where nothing was wrong.
"""

from django.db import connection
from django.utils import timezone

from kpis.axis import ProductionDays
from kpis.facts.held import seconds
from kpis.facts.live import COUNTING, FRACTIONS, NUMBERS
from kpis.facts.question import without_loops
from kpis.facts.ranges import literal

OF_DAY = (*NUMBERS, *FRACTIONS)
OF_EVENTS = {
    "events": f"({COUNTING})::int",
    "items": f"items * ({COUNTING})::int",
    "found": "found::int",
    "restored": f"({COUNTING} AND restored IS NOT NULL)::int",
    "restoration": f"CASE WHEN {COUNTING} THEN coalesce({seconds('restored')} - {seconds('occurred')}, 0) ELSE 0 END",
    "open_events": f"(open AND {COUNTING})::int",
}
SUMS = (*OF_DAY, *OF_EVENTS)
DIFFERS = [f"abs(sum({name})) > 1e-6" if name in FRACTIONS else f"sum({name}) <> 0" for name in SUMS]

# The causes name the records whose change reaches an asset from `lo` to before `hi`, as events name them.
ASIDE = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS kpis_delta (asset_id bigint, day date,
        {", ".join(f"{name} {'float8' if name in FRACTIONS else 'int'}" for name in SUMS)})
        ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS kpis_cause (
        no bigint, asset_id bigint, lo bigint, hi bigint, at timestamptz, source text, source_id bigint)
        ON COMMIT DELETE ROWS;
    DELETE FROM kpis_delta; DELETE FROM kpis_cause"""


def kept(rows: str, sign: str = "") -> str:
    """Keeps rows of `kpis_assetday` aside, with a minus the former ones."""
    return f"""INSERT INTO kpis_delta (asset_id, day, {", ".join(OF_DAY)})
        SELECT asset_id, day, {", ".join(f"{sign}{name}" for name in OF_DAY)} FROM {rows}"""


def kept_events(rows: str, sign: str = "") -> str:
    """Keeps rows of `kpis_failureevent` aside, by the production day on which they begin."""
    return f"""INSERT INTO kpis_delta (asset_id, day, {", ".join(OF_EVENTS)})
        SELECT asset_id, %(first_day)s::date + width_bucket({seconds("occurred")}, %(days)s::bigint[]) - 1,
            {", ".join(f"{sign}({rule})" for rule in OF_EVENTS.values())} FROM {rows}"""


COMING = f", kept_days AS ({kept('stored_days')}\n), kept_events AS ({kept_events('stored_events')}\n)"


def begin() -> None:
    """Keep aside, in this transaction, what is replaced from now on."""
    with connection.cursor() as cursor:
        cursor.execute(ASIDE)


def note(days: ProductionDays) -> int:
    """Write a revision of every day whose sums are no longer what they were; how many there were.

    What was kept of the days is forgotten then; the causes are not.
    """
    with without_loops() as cursor:
        cursor.execute(
            f"""
            WITH delta AS MATERIALIZED (
                SELECT asset_id, day, {", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in SUMS)}
                FROM kpis_delta GROUP BY asset_id, day
                HAVING {" OR ".join(DIFFERS)}
            ), tally AS (
                SELECT asset_id, count(DISTINCT (source, source_id))::int AS sources, min(at) AS changed
                FROM kpis_cause GROUP BY asset_id
            ), why AS (
                SELECT DISTINCT ON (d.asset_id, d.day) d.asset_id, d.day, c.source, c.source_id
                FROM delta d JOIN kpis_cause c USING (asset_id)
                    CROSS JOIN LATERAL (SELECT d.day - %(first_day)s::date + 1 AS n) position
                ORDER BY d.asset_id, d.day,
                    NOT (c.lo < (%(borders)s::bigint[])[n + 1] AND c.hi > (%(borders)s::bigint[])[n]), c.no
            )
            INSERT INTO kpis_dayrevision
                (asset_id, day, changed, at, source, source_id, sources, {", ".join(SUMS)})
            SELECT asset_id, day, changed, %(at)s, coalesce(source, ''), source_id, coalesce(sources, 0),
                {", ".join(SUMS)}
            FROM delta LEFT JOIN why USING (asset_id, day) LEFT JOIN tally USING (asset_id)
            """,
            {"at": timezone.now(), "borders": literal(days.borders), "first_day": days.first},
        )
        noted = cursor.rowcount
        cursor.execute("TRUNCATE kpis_delta")
        return noted
