"""Triggers that mark every site when places or calendars are emptied by TRUNCATE, which deletes no single row."""

from django.db import migrations

TABLES = {
    "assets_placement": "assets.asset",
    "production_operatingcalendar": "production.operatingcalendar",
    "production_weeklyslot": "production.operatingcalendar",
    "production_calendarexception": "production.operatingcalendar",
    "production_exceptionslot": "production.operatingcalendar",
}


def trigger(table: str) -> migrations.RunSQL:
    name = f"kpis_mark_{table}_truncate"
    return migrations.RunSQL(
        f"CREATE TRIGGER {name} AFTER TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION kpis_mark_emptied('{TABLES[table]}')",
        f"DROP TRIGGER {name} ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("kpis", "0017_silences"),
    ]

    operations = [trigger(table) for table in TABLES]
