import django.db.models.deletion
from django.db import migrations, models

# What ends at a moment that lies ahead, by table: the columns of a coming change, of the rows `after` that say so.
COMING = {
    "assets_downtime": """SELECT asset_id, start, "end", "end", 'assets.downtime', id FROM {rows} WHERE "end" > now()""",
    "production_count": """SELECT asset_id, start, "end", "end", 'production.count', id FROM {rows} WHERE "end" > now()""",
    "assets_asset": """SELECT id, retired, retired + interval '1 second', retired, 'assets.asset', id FROM {rows}
        WHERE retired > now()""",
    "assets_placement": """SELECT parent_id, upper(valid), upper(valid) + interval '1 second', upper(valid), 'assets.asset',
        asset_id FROM {rows} WHERE parent_id IS NOT NULL AND upper(valid) > now() AND isfinite(upper(valid))""",
}
INTO = 'INSERT INTO kpis_comingchange (asset_id, start, "end", due, source, source_id)'


# Of those that ended before this, what is stored may still take them for something that goes on.
MARK = """
INSERT INTO kpis_changedday (reach, asset_id, start, "end", source, source_id)
SELECT 'asset', asset_id, start, "end", 'production.count', id FROM production_count
WHERE "end" > entered_at AND "end" <= now();
"""


def create(table: str, rows: str) -> str:
    name = f"kpis_coming_{table}"
    triggers = "".join(
        f"CREATE TRIGGER {name}_{operation.lower()} AFTER {operation} ON {table} REFERENCING NEW TABLE AS after\n"
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}();\n"
        for operation in ("INSERT", "UPDATE")
    )
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{INTO} {rows.format(rows="after")};
RETURN NULL; END $$;
{triggers}
{INTO} {rows.format(rows=table)};
"""


def drop(table: str) -> str:
    name = f"kpis_coming_{table}"
    return f"DROP TRIGGER {name}_insert ON {table}; DROP TRIGGER {name}_update ON {table}; DROP FUNCTION {name}();"


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0006_record_indexes"),
        ("production", "0002_record_indexes"),
        ("kpis", "0019_former_silences"),
    ]

    operations = [
        migrations.CreateModel(
            name="ComingChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField(verbose_name="from")),
                ("end", models.DateTimeField(verbose_name="to")),
                ("due", models.DateTimeField(verbose_name="due")),
                ("source", models.CharField(max_length=60)),
                ("source_id", models.BigIntegerField()),
                (
                    "asset",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="assets.asset",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["due"], name="coming_change_due")]},
        ),
        *(migrations.RunSQL(create(table, rows), drop(table)) for table, rows in COMING.items()),
        migrations.RunSQL(MARK, ""),
    ]
