"""Triggers that mark every site when stops, failures or counts are emptied by TRUNCATE, which deletes no single row."""

from django.db import migrations

TABLES = {
    "assets_downtime": "assets.downtime",
    "assets_failure": "assets.failure",
    "production_count": "production.count",
}

FUNCTION = """
CREATE FUNCTION kpis_mark_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO kpis_changedday (reach, site_id, source) SELECT 'site', id, TG_ARGV[0] FROM core_site;
RETURN NULL; END $$
"""


def trigger(table: str) -> migrations.RunSQL:
    name = f"kpis_mark_{table}_truncate"
    return migrations.RunSQL(
        f"CREATE TRIGGER {name} AFTER TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION kpis_mark_emptied('{TABLES[table]}')",
        f"DROP TRIGGER {name} ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("kpis", "0009_stopped_span"),
        ("core", "0005_imports"),
    ]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION kpis_mark_emptied()"),
        *(trigger(table) for table in TABLES),
    ]
