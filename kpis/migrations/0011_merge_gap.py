"""A site's merge gap of failures is among the settings whose change marks its days."""

from django.db import migrations

MARK = """
CREATE OR REPLACE FUNCTION kpis_mark_core_site_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
WITH changed AS (
    (SELECT {columns} FROM before EXCEPT SELECT {columns} FROM after)
    UNION ALL (SELECT {columns} FROM after EXCEPT SELECT {columns} FROM before)
)
INSERT INTO kpis_changedday (reach, site_id, source, source_id)
    SELECT DISTINCT 'site', id, 'core.site', id FROM changed;
RETURN NULL; END $$
"""
FORMER = "id, time_zone, day_start, overrun_is_unplanned"


class Migration(migrations.Migration):
    dependencies = [("kpis", "0010_mark_emptied_tables"), ("core", "0006_merge_gap_oee_profile")]

    operations = [
        migrations.RunSQL(MARK.format(columns=f"{FORMER}, failure_merge_gap"), MARK.format(columns=FORMER)),
    ]
