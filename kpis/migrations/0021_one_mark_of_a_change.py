"""A changed record leaves one mark for what it was and is, where both share time: there were two of every edit."""

from django.db import migrations

BULK = 50  # more rows of one asset in one statement, as they were and as they are, are a bulk load

# What facts depend on, and the period that a row is about, by table.
RECORDS = {
    "assets_downtime": (
        "assets.downtime",
        'id, asset_id, start, "end", planned, planned_end, reason_id',
        """SELECT id AS source_id, asset_id, start AS first, coalesce("end", 'infinity') AS past FROM changed""",
    ),
    "assets_failure": (
        "assets.failure",
        "id, asset_id, occurred, restored, detection, downtime_id",
        """SELECT f.id AS source_id, f.asset_id, f.occurred AS first,
            greatest(f.occurred, f.restored, (
                SELECT max(coalesce(d."end", 'infinity')) FROM assets_downtime d
                WHERE d.asset_id = f.asset_id AND (d.id = f.downtime_id
                    OR (d.start <= f.occurred AND (d."end" IS NULL OR d."end" > f.occurred)))
            )) AS past
        FROM changed f""",
    ),
    "production_count": (
        "production.count",
        'id, asset_id, start, "end", good, scrap, rework, ideal_cycle',
        'SELECT id AS source_id, asset_id, start AS first, "end" AS past FROM changed',
    ),
}
EACH = "period AS ({rows})"
MERGED = """written AS ({rows}), period AS (
    SELECT source_id, asset_id, lower(span) AS first, upper(span) AS past FROM (
        SELECT source_id, asset_id, unnest(range_agg(tstzrange(first, past, '[]'))) AS span
        FROM written GROUP BY source_id, asset_id) each_
)"""


def mark(table: str, periods: str, bulk: int) -> str:
    source, columns, rows = RECORDS[table]
    return f"""
CREATE OR REPLACE FUNCTION kpis_mark_{table}_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
WITH changed AS (
    (SELECT {columns} FROM before EXCEPT SELECT {columns} FROM after)
    UNION ALL (SELECT {columns} FROM after EXCEPT SELECT {columns} FROM before)
), {periods.format(rows=rows)}
, loaded AS (SELECT asset_id FROM period GROUP BY asset_id HAVING count(*) > {bulk})
INSERT INTO kpis_changedday (reach, asset_id, start, "end", source, source_id)
SELECT 'asset', asset_id, nullif(first, '-infinity'), nullif(past, 'infinity'), '{source}', source_id
FROM period WHERE asset_id NOT IN (SELECT asset_id FROM loaded)
UNION ALL
SELECT 'asset', asset_id, nullif(min(first), '-infinity'), nullif(max(past), 'infinity'), '{source}', NULL
FROM period JOIN loaded USING (asset_id) GROUP BY asset_id;
RETURN NULL; END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kpis", "0020_coming_changes"),
    ]

    operations = [migrations.RunSQL(mark(table, MERGED, BULK // 2), mark(table, EACH, BULK)) for table in RECORDS]
