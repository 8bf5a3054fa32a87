"""Former records: triggers keep what a row was before it changed, and views show the tables as they were.

A view of `kpis_former` bears the name of its table, so that with this schema first in the search path every question
is answered as it would have been before the moment of the setting `kpis.before`. Views have only the columns that
figures depend on; a migration that alters one of these drops and creates its view.

Statement-level with transition tables, as the triggers that mark: whatever the path of a change was.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

# What is kept of each table.
COLUMNS = {
    "assets_asset": "id site_id level commissioned retired short_stop_seconds",
    "assets_placement": "id asset_id parent_id stops_parent redundancy_group_id valid",
    "production_operatingcalendar": "id site_id asset_id valid_from valid_to",
    "production_weeklyslot": "id calendar_id weekday start end",
    "production_calendarexception": "id calendar_id date",
    "production_exceptionslot": "id exception_id start end",
    "assets_downtime": "id asset_id start end planned planned_end reason_id",
    "assets_failure": "id asset_id occurred restored detection downtime_id",
    "production_count": "id asset_id start end good scrap rework ideal_cycle",
    "assets_downtimereason": "id excluded loss_class",
    "assets_redundancygroup": "id parent_id needed",
}
# Changes of these move scheduled time, or who counts; of the others, revised days tell.
PLAN = [
    "assets_asset",
    "assets_placement",
    "kpis_factstate",
    "production_operatingcalendar",
    "production_weeklyslot",
    "production_calendarexception",
    "production_exceptionslot",
]
# A former row of these is of the asset that the former row names, and is sought by it.
OF_ASSET = ["assets_placement", "assets_downtime", "assets_failure", "production_count"]


def columns(table: str, row: str) -> str:
    return ", ".join(f'{row}."{name}"' for name in COLUMNS[table].split())


def kept(table: str, row: str) -> str:
    return "jsonb_build_object({})".format(", ".join(f"'{name}', {row}.\"{name}\"" for name in COLUMNS[table].split()))


# Nothing was reported before facts were stored: a plant that is being loaded leaves no former rows.
REPORTED = "EXISTS (SELECT FROM kpis_factstate s WHERE s.asset_id = {asset} AND s.through IS NOT NULL)"
REPORTED_SITE = """EXISTS (
    SELECT FROM kpis_factstate s JOIN assets_asset a ON a.id = s.asset_id
    WHERE a.site_id = {site} AND s.through IS NOT NULL)"""

# Whether a record of this time was in a production day that had been reported: the running one has not.
REPORTED_RECORD = """EXISTS (
    SELECT FROM kpis_factstate s JOIN assets_asset a ON a.id = s.asset_id JOIN core_site t ON t.id = a.site_id
    WHERE s.asset_id = {asset} AND {start} < ((s.through + 1) + t.day_start) AT TIME ZONE t.time_zone)"""

# For the changed row, as it was (`r`) and is (`n`): whose it is, the time it is about, and its name in events.
# Of an asset's whereabouts that is where both differ.
PLACE = "r.asset_id, r.parent_id, r.stops_parent, r.redundancy_group_id"
MOVED = f"""CASE WHEN ({PLACE}) IS NOT DISTINCT FROM ({PLACE.replace("r.", "n.")}) AND r.valid <> n.valid
    THEN range_merge((multirange(r.valid) + multirange(n.valid)) - (multirange(r.valid) * multirange(n.valid)))
    ELSE range_merge(r.valid, n.valid) END"""


def record(source: str, start: str, end: str) -> str:
    """A record of one asset."""
    first = f"least(r.{start}, n.{start})"
    past = f"""nullif(greatest(coalesce(r.{end}, 'infinity'), coalesce(n.{end}, 'infinity')), 'infinity')"""
    reported = REPORTED_RECORD.format(asset="r.asset_id", start=first)
    return f"""
        SELECT a.site_id, r.asset_id, {first}, {past}, '{source}', r.id
        FROM assets_asset a WHERE a.id = r.asset_id AND {reported}"""


CALENDAR = """
    SELECT c.site_id, c.asset_id, c.valid_from - interval '1 day' AS first, c.valid_to + interval '1 day' AS past,
        'production.operatingcalendar' AS source, c.id AS source_id"""
OF = {
    "assets_asset": f"""
        SELECT n.site_id, r.id AS asset_id, NULL::timestamptz AS first, NULL::timestamptz AS past,
            'assets.asset' AS source, r.id AS source_id
        WHERE n.site_id = ANY(ARRAY(  -- once a statement, which may be a bulk load
            SELECT t.id FROM core_site t WHERE {REPORTED_SITE.format(site="t.id")}
                AND t.id IN (SELECT site_id FROM {{rows}})))""",
    "assets_placement": f"""
        SELECT a.site_id, r.asset_id, lower(moved), upper(moved), 'assets.asset', r.asset_id
        FROM assets_asset a, LATERAL (SELECT {MOVED} AS moved) span
        WHERE a.id = r.asset_id AND ({REPORTED.format(asset="r.asset_id")}
            OR {REPORTED.format(asset="r.parent_id")} OR {REPORTED.format(asset="n.parent_id")})""",
    "production_operatingcalendar": f"""
        SELECT n.site_id, n.asset_id, least(r.valid_from, n.valid_from) - interval '1 day',
            nullif(greatest(coalesce(r.valid_to, 'infinity'), coalesce(n.valid_to, 'infinity')), 'infinity')
                + interval '1 day', 'production.operatingcalendar', r.id
        WHERE {REPORTED_SITE.format(site="n.site_id")}""",
    "production_weeklyslot": f"""{CALENDAR}
        FROM production_operatingcalendar c WHERE c.id = n.calendar_id AND {REPORTED_SITE.format(site="c.site_id")}""",
    "production_calendarexception": f"""
        SELECT c.site_id, c.asset_id, r.date - interval '1 day', r.date + interval '2 days',
            'production.operatingcalendar', c.id
        FROM production_operatingcalendar c WHERE c.id = n.calendar_id AND {REPORTED_SITE.format(site="c.site_id")}""",
    "production_exceptionslot": f"""
        SELECT c.site_id, c.asset_id, e.date - interval '1 day', e.date + interval '2 days',
            'production.operatingcalendar', c.id
        FROM production_calendarexception e JOIN production_operatingcalendar c ON c.id = e.calendar_id
        WHERE e.id = n.exception_id AND {REPORTED_SITE.format(site="c.site_id")}""",
    "assets_downtime": record("assets.downtime", "start", '"end"'),
    "assets_failure": record("assets.failure", "occurred", "restored"),
    "production_count": record("production.count", "start", '"end"'),
    "assets_downtimereason": f"""
        SELECT n.site_id, NULL::bigint, NULL::timestamptz, NULL::timestamptz, 'assets.downtimereason', r.id
        WHERE {REPORTED_SITE.format(site="n.site_id")}""",
    "assets_redundancygroup": f"""
        SELECT a.site_id, r.parent_id, NULL::timestamptz, NULL::timestamptz, 'assets.asset', r.parent_id
        FROM assets_asset a WHERE a.id = r.parent_id AND {REPORTED.format(asset="r.parent_id")}""",
}

INTO = """INSERT INTO kpis_formerrow
    (kind, row_id, "row", site_id, asset_id, start, "end", source, source_id)"""


RECORDS = ["assets_downtime", "assets_failure", "production_count"]
RECORDED = " OR ".join(f"EXISTS (SELECT FROM {each} x WHERE x.asset_id = {{asset}}{{but_{each}}})" for each in RECORDS)


def recorded(asset: str, **but: str) -> str:
    """Whether anything is recorded of the asset, in a table but for some rows."""
    return f"({RECORDED})".format(asset=asset, **{f"but_{each}": but.get(each, "") for each in RECORDS})


def observing(table: str, old: str | None, new: str | None) -> str:
    """Keeps whether anything had been recorded of assets whose first record came, or whose last one went.

    Scheduled time counts from then on, or no more, in every figure of the past. Where facts are stored of the asset,
    its state tells (`OBSERVED`).
    """
    if table not in RECORDS:
        return ""
    touched = " UNION ".join(f"SELECT DISTINCT asset_id FROM {each}" for each in dict.fromkeys((old, new)) if each)
    others = {table: f" AND x.id NOT IN (SELECT id FROM {new})"} if new else {}
    before = f"EXISTS (SELECT FROM {old} x WHERE x.asset_id = t.asset_id) OR " if old else ""
    return f"""{INTO}
        SELECT 'kpis_factstate', t.asset_id, jsonb_build_object('observed', had), a.site_id, t.asset_id, NULL::timestamptz,
            NULL::timestamptz, 'kpis.factstate', t.asset_id
        FROM ({touched}) t JOIN kpis_factstate s ON s.asset_id = t.asset_id AND NOT s.observed AND s.through IS NOT NULL
        JOIN assets_asset a ON a.id = t.asset_id
        CROSS JOIN LATERAL (SELECT {before}{recorded("t.asset_id", **others)} AS had, {recorded("t.asset_id")} AS has) o
        WHERE had <> has;
        """


def keeping(table: str) -> str:
    """A function that keeps former rows of the table, and a trigger for each operation; an inserted one was not."""
    statements = []
    for operation, old, new in (
        ("INSERT", "after", "after"),
        ("UPDATE", "before", "after"),
        ("DELETE", "before", "before"),
    ):
        name = f"kpis_keep_{table}_{operation.lower()}"
        others = f"JOIN {new} n ON n.id = r.id" if operation == "UPDATE" else "CROSS JOIN LATERAL (SELECT r.*) n"
        tables = [f"{'OLD' if each == 'before' else 'NEW'} TABLE AS {each}" for each in dict.fromkeys((old, new))]
        row = "NULL" if operation == "INSERT" else kept(table, "r")
        differs = (
            f"WHERE ({columns(table, 'r')}) IS DISTINCT FROM ({columns(table, 'n')})" if operation == "UPDATE" else ""
        )
        statements.append(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n{INTO}\n"
            f"SELECT '{table}', r.id, {row}, o.* FROM {old} r {others}\n"
            f"CROSS JOIN LATERAL ({OF[table].replace('{rows}', new)}) o {differs};\n"
            f"{observing(table, old if operation != 'INSERT' else None, new if operation != 'DELETE' else None)}"
            f"RETURN NULL; END $$;\n"
            f"CREATE TRIGGER {name} AFTER {operation} ON {table} REFERENCING {' '.join(tables)}\n"
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}();"
        )
    return "\n".join(statements)


def no_longer_keeping(table: str) -> str:
    return "\n".join(
        f"DROP TRIGGER kpis_keep_{table}_{operation} ON {table}; DROP FUNCTION kpis_keep_{table}_{operation}();"
        for operation in ("insert", "update", "delete")
    )


def view(table: str) -> str:
    """The table before the moment: rows that have not changed since, and the others as they were."""
    since = f"f.kind = '{table}' AND f.at >= current_setting('kpis.before')::timestamptz"
    former = (
        columns(table, "was").replace('was."asset_id"', "f.asset_id") if table in OF_ASSET else columns(table, "was")
    )
    return f"""
    CREATE VIEW kpis_former.{table} AS
    SELECT {columns(table, "r")} FROM {table} r
    WHERE NOT EXISTS (SELECT FROM kpis_formerrow f WHERE f.row_id = r.id AND {since})
    UNION ALL
    SELECT {former}
    FROM kpis_formerrow f, LATERAL jsonb_populate_record(NULL::{table}, f."row") was
    WHERE {since} AND f."row" IS NOT NULL AND NOT EXISTS (
        SELECT FROM kpis_formerrow e WHERE e.row_id = f.row_id AND (e.at, e.id) < (f.at, f.id) AND {since.replace("f.", "e.")})"""


# Whether anything is recorded of an asset, or of what stops it, decides whether its scheduled time counts.
OBSERVED = f"""
CREATE FUNCTION kpis_keep_observed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{INTO}
SELECT 'kpis_factstate', a.id, jsonb_build_object('observed', OLD.observed), a.site_id, a.id, NULL, NULL,
    'kpis.factstate', a.id
FROM assets_asset a WHERE a.id = OLD.asset_id AND NOT {recorded("OLD.asset_id")};
RETURN NULL; END $$;
CREATE TRIGGER kpis_keep_observed AFTER UPDATE OF observed ON kpis_factstate FOR EACH ROW
WHEN (OLD.observed <> NEW.observed AND OLD.through IS NOT NULL) EXECUTE FUNCTION kpis_keep_observed()
"""

# Whether an overrun of a planned stop is unplanned is a setting of the site.
SITES = f"""
CREATE FUNCTION kpis_keep_site() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{INTO}
SELECT 'core_site', OLD.id, jsonb_build_object('overrun_is_unplanned', OLD.overrun_is_unplanned), OLD.id, NULL, NULL,
    NULL, 'core.site', OLD.id WHERE {REPORTED_SITE.format(site="OLD.id")};
RETURN NULL; END $$;
CREATE TRIGGER kpis_keep_site AFTER UPDATE OF overrun_is_unplanned ON core_site FOR EACH ROW
WHEN (OLD.overrun_is_unplanned <> NEW.overrun_is_unplanned) EXECUTE FUNCTION kpis_keep_site()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kpis", "0013_facts_know_their_run"),
        ("assets", "0002_former_hourly_costs"),
        ("production", "0001_calendars_counts"),
        ("core", "0005_imports"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=Now(), verbose_name="changed")),
                ("settled", models.DateTimeField(null=True, verbose_name="worked off")),
                ("kind", models.CharField(max_length=40)),
                ("row_id", models.BigIntegerField()),
                ("row", models.JSONField(null=True)),
                ("start", models.DateTimeField(null=True, verbose_name="from")),
                ("end", models.DateTimeField(null=True, verbose_name="to")),
                ("source", models.CharField(max_length=60)),
                ("source_id", models.BigIntegerField()),
                (
                    "asset",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="assets.asset",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.site",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "row_id", "at"], name="former_row_of_row"),
                    models.Index(fields=["kind", "asset", "at"], name="former_row_of_asset"),
                    models.Index(condition=models.Q(kind__in=PLAN), fields=["site", "at"], name="former_row_of_plan"),
                    models.Index(condition=models.Q(settled=None), fields=["site"], name="former_row_unsettled"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PublishedWork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.DateField(verbose_name="first production day")),
                ("past", models.DateField(verbose_name="day after the last")),
                ("records", models.CharField(max_length=20)),
                ("figures", models.JSONField()),
                ("rows", models.JSONField()),
                ("at", models.DateTimeField(verbose_name="reported")),
                (
                    "asset",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="assets.asset"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.site"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["site", "asset", "first", "past", "records"],
                        nulls_distinct=False,
                        name="published_work_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="dayrevision",
            name="changed",
            field=models.DateTimeField(null=True, verbose_name="changed"),
        ),
        migrations.RunSQL("CREATE SCHEMA kpis_former", "DROP SCHEMA kpis_former"),
        *(migrations.RunSQL(view(table), f"DROP VIEW kpis_former.{table}") for table in COLUMNS),
        *(migrations.RunSQL(keeping(table), no_longer_keeping(table)) for table in COLUMNS),
        migrations.RunSQL(SITES, "DROP TRIGGER kpis_keep_site ON core_site; DROP FUNCTION kpis_keep_site()"),
        migrations.RunSQL(
            OBSERVED, "DROP TRIGGER kpis_keep_observed ON kpis_factstate; DROP FUNCTION kpis_keep_observed()"
        ),
    ]
