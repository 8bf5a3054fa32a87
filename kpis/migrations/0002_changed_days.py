"""Triggers that mark what has to be computed again, and the indexes that find long records of a short window.

Statement-level with transition tables: one marking statement for a bulk write of any size, in the same
transaction, whether it came from a page, the API, an import or plain SQL.
"""

from django.db import migrations

# More rows of one asset in one statement than this are a bulk load; then their hull is one mark.
BULK = 50


def changed(columns: str) -> str:
    """Rows of an UPDATE that differ in a column which facts depend on, as they were and as they are."""
    return (
        f"(SELECT {columns} FROM before EXCEPT SELECT {columns} FROM after)"
        f" UNION ALL (SELECT {columns} FROM after EXCEPT SELECT {columns} FROM before)"
    )


def triggers(table: str, columns: str, mark: str, operations: str = "INSERT UPDATE DELETE") -> str:
    """A function that runs `mark` over the changed rows, named `changed`, and a trigger for each operation."""
    sources = {
        "INSERT": (f"SELECT {columns} FROM after", "NEW TABLE AS after"),
        "UPDATE": (changed(columns), "OLD TABLE AS before NEW TABLE AS after"),
        "DELETE": (f"SELECT {columns} FROM before", "OLD TABLE AS before"),
    }
    statements = []
    for operation in operations.split():
        rows, tables = sources[operation]
        name = f"kpis_mark_{table}_{operation.lower()}"
        statements.append(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
            f"WITH changed AS ({rows})\n{mark};\nRETURN NULL; END $$;\n"
            f"CREATE TRIGGER {name} AFTER {operation} ON {table} REFERENCING {tables}\n"
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}();"
        )
    return "\n".join(statements)


def drop(table: str, operations: str = "INSERT UPDATE DELETE") -> str:
    return "\n".join(
        f"DROP TRIGGER kpis_mark_{table}_{operation.lower()} ON {table};"
        f"DROP FUNCTION kpis_mark_{table}_{operation.lower()}();"
        for operation in operations.split()
    )


def marks(source: str, rows: str) -> str:
    """Marks of the asset's own periods: `rows` yields source_id, asset_id, first, past; an unknown border is infinite.

    `source` with `source_id` names the record that changed, as events name it.
    """
    return f"""
    , period AS ({rows})
    , loaded AS (SELECT asset_id FROM period GROUP BY asset_id HAVING count(*) > {BULK})
    INSERT INTO kpis_changedday (reach, asset_id, start, "end", source, source_id)
    SELECT 'asset', asset_id, nullif(first, '-infinity'), nullif(past, 'infinity'), '{source}', source_id
    FROM period WHERE asset_id NOT IN (SELECT asset_id FROM loaded)
    UNION ALL
    SELECT 'asset', asset_id, nullif(min(first), '-infinity'), nullif(max(past), 'infinity'), '{source}', NULL
    FROM period JOIN loaded USING (asset_id) GROUP BY asset_id
    """


STOPS = triggers(
    "assets_downtime",
    'id, asset_id, start, "end", planned, planned_end, reason_id',
    marks(
        "assets.downtime",
        """SELECT id AS source_id, asset_id, start AS first, coalesce("end", 'infinity') AS past FROM changed""",
    ),
)

# A failure without an end lasts as long as the stop around it, and at the parents as long as its stop.
FAILURES = triggers(
    "assets_failure",
    "id, asset_id, occurred, restored, detection, downtime_id",
    marks(
        "assets.failure",
        """
    SELECT f.id AS source_id, f.asset_id, f.occurred AS first,
        greatest(f.occurred, f.restored, (
            SELECT max(coalesce(d."end", 'infinity')) FROM assets_downtime d
            WHERE d.asset_id = f.asset_id AND (d.id = f.downtime_id
                OR (d.start <= f.occurred AND (d."end" IS NULL OR d."end" > f.occurred)))
        )) AS past
    FROM changed f""",
    ),
)

COUNTS = triggers(
    "production_count",
    'id, asset_id, start, "end", good, scrap, rework, ideal_cycle',
    marks("production.count", 'SELECT id AS source_id, asset_id, start AS first, "end" AS past FROM changed'),
)

# A move changes the facts of the parent, and the calendars that everything below the asset inherits.
PLACEMENTS = triggers(
    "assets_placement",
    "id, asset_id, parent_id, stops_parent, redundancy_group_id, valid",
    """
    INSERT INTO kpis_changedday (reach, asset_id, start, "end", source, source_id)
    SELECT 'asset', parent_id, nullif(lower(valid), '-infinity'), nullif(upper(valid), 'infinity'), 'assets.asset',
        asset_id
    FROM changed WHERE parent_id IS NOT NULL
    UNION ALL
    SELECT 'below', asset_id, nullif(lower(valid), '-infinity'), nullif(upper(valid), 'infinity'), 'assets.asset',
        asset_id
    FROM changed
    """,
)

ASSETS = triggers(
    "assets_asset",
    "id, site_id, commissioned, retired, short_stop_seconds",
    "INSERT INTO kpis_changedday (reach, asset_id, source, source_id)"
    " SELECT DISTINCT 'asset', id, 'assets.asset', id FROM changed",
    "UPDATE",
)

GROUPS = triggers(
    "assets_redundancygroup",
    "id, parent_id, needed",
    "INSERT INTO kpis_changedday (reach, asset_id, source, source_id)"
    " SELECT DISTINCT 'asset', parent_id, 'assets.asset', parent_id FROM changed",
    "UPDATE DELETE",
)

REASONS = triggers(
    "assets_downtimereason",
    "id, excluded, loss_class",
    marks(
        "assets.downtimereason",
        """
    SELECT d.reason_id AS source_id, d.asset_id, d.start AS first, coalesce(d."end", 'infinity') AS past
    FROM assets_downtime d WHERE d.reason_id IN (SELECT id FROM changed)""",
    ),
    "UPDATE",
)

SITES = triggers(
    "core_site",
    "id, time_zone, day_start, overrun_is_unplanned",
    "INSERT INTO kpis_changedday (reach, site_id, source, source_id)"
    " SELECT DISTINCT 'site', id, 'core.site', id FROM changed",
    "UPDATE",
)


def calendar_marks(rows: str) -> str:
    """Marks for all assets under a calendar; `rows` yields source_id, site_id, asset_id and local dates first, past.

    A day on each side covers night shifts and zones.
    """
    return f"""
    , period AS ({rows})
    INSERT INTO kpis_changedday (reach, site_id, asset_id, start, "end", source, source_id)
    SELECT CASE WHEN asset_id IS NULL THEN 'site' ELSE 'below' END, site_id, asset_id,
        min(first) - interval '1 day', nullif(max(coalesce(past, 'infinity')) + interval '1 day', 'infinity'),
        'production.operatingcalendar', source_id
    FROM period GROUP BY site_id, asset_id, source_id
    """


CALENDARS = triggers(
    "production_operatingcalendar",
    "id, site_id, asset_id, valid_from, valid_to",
    calendar_marks("SELECT id AS source_id, site_id, asset_id, valid_from AS first, valid_to AS past FROM changed"),
)

WEEKLY = triggers(
    "production_weeklyslot",
    'id, calendar_id, weekday, start, "end"',
    calendar_marks("""
    SELECT c.id AS source_id, c.site_id, c.asset_id, c.valid_from AS first, c.valid_to AS past
    FROM changed JOIN production_operatingcalendar c ON c.id = changed.calendar_id"""),
)

EXCEPTIONS = triggers(
    "production_calendarexception",
    "id, calendar_id, date",
    calendar_marks("""
    SELECT c.id AS source_id, c.site_id, c.asset_id, changed.date AS first, changed.date + 1 AS past
    FROM changed JOIN production_operatingcalendar c ON c.id = changed.calendar_id"""),
)

EXCEPTION_SLOTS = triggers(
    "production_exceptionslot",
    'id, exception_id, start, "end"',
    calendar_marks("""
    SELECT c.id AS source_id, c.site_id, c.asset_id, e.date AS first, e.date + 1 AS past
    FROM changed JOIN production_calendarexception e ON e.id = changed.exception_id
    JOIN production_operatingcalendar c ON c.id = e.calendar_id"""),
)

# Facts of a day look for records that began up to a day before it, and for the few that last longer apart.
LONG_STOPS = (
    "CREATE INDEX kpis_long_downtime ON assets_downtime (asset_id, start)"
    ' WHERE "end" IS NULL OR "end" - start > interval \'24 hours\''
)
LONG_COUNTS = (
    "CREATE INDEX kpis_long_count ON production_count (asset_id, start) WHERE \"end\" - start > interval '24 hours'"
)


class Migration(migrations.Migration):
    dependencies = [
        ("kpis", "0001_facts"),
        ("assets", "0001_tree_stops_failures"),
        ("production", "0001_calendars_counts"),
    ]

    operations = [
        migrations.RunSQL(STOPS, drop("assets_downtime")),
        migrations.RunSQL(FAILURES, drop("assets_failure")),
        migrations.RunSQL(COUNTS, drop("production_count")),
        migrations.RunSQL(PLACEMENTS, drop("assets_placement")),
        migrations.RunSQL(ASSETS, drop("assets_asset", "UPDATE")),
        migrations.RunSQL(GROUPS, drop("assets_redundancygroup", "UPDATE DELETE")),
        migrations.RunSQL(REASONS, drop("assets_downtimereason", "UPDATE")),
        migrations.RunSQL(SITES, drop("core_site", "UPDATE")),
        migrations.RunSQL(CALENDARS, drop("production_operatingcalendar")),
        migrations.RunSQL(WEEKLY, drop("production_weeklyslot")),
        migrations.RunSQL(EXCEPTIONS, drop("production_calendarexception")),
        migrations.RunSQL(EXCEPTION_SLOTS, drop("production_exceptionslot")),
        migrations.RunSQL(LONG_STOPS, "DROP INDEX kpis_long_downtime"),
        migrations.RunSQL(LONG_COUNTS, "DROP INDEX kpis_long_count"),
    ]
