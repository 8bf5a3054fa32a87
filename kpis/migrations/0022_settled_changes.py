"""When changes were worked off is kept once for the rows of a moment, not with each: a run wrote all of them again."""

import django.db.models.deletion
from django.db import migrations, models

# Rows that come later, as of silences found, bear the moment of the change that caused them: it is open again. One that
# is open still is left alone, so that workers do not wait for each other.
NOTED = """
CREATE FUNCTION kpis_note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF EXISTS (SELECT FROM after) THEN
    INSERT INTO kpis_settledchange (site_id, at) SELECT DISTINCT site_id, at FROM after ORDER BY 1, 2
        ON CONFLICT (site_id, at) DO NOTHING;
    UPDATE kpis_settledchange SET settled = NULL WHERE id IN (
        SELECT s.id FROM kpis_settledchange s JOIN (SELECT DISTINCT site_id, at FROM after) a USING (site_id, at)
        WHERE s.settled IS NOT NULL ORDER BY s.id FOR UPDATE OF s);
END IF;
RETURN NULL; END $$;
CREATE TRIGGER kpis_note_change AFTER INSERT ON kpis_formerrow REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION kpis_note_change();
"""
NO_LONGER = "DROP TRIGGER kpis_note_change ON kpis_formerrow; DROP FUNCTION kpis_note_change();"

# The last of a moment's rows; none while one is open.
KEPT = """
INSERT INTO kpis_settledchange (site_id, at, settled)
SELECT site_id, at, CASE WHEN bool_and(settled IS NOT NULL) THEN max(settled) END FROM kpis_formerrow GROUP BY 1, 2
"""
BACK = """
UPDATE kpis_formerrow f SET settled = s.settled FROM kpis_settledchange s WHERE s.site_id = f.site_id AND s.at = f.at
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_merge_gap_oee_profile"),
        ("kpis", "0021_one_mark_of_a_change"),
    ]

    operations = [
        migrations.CreateModel(
            name="SettledChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="changed")),
                ("settled", models.DateTimeField(null=True, verbose_name="worked off")),
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
                "constraints": [models.UniqueConstraint(fields=["site", "at"], name="settled_change_once")],
                "indexes": [
                    models.Index(condition=models.Q(settled=None), fields=["site"], name="settled_change_open"),
                ],
            },
        ),
        migrations.RunSQL(KEPT, BACK),
        migrations.RemoveIndex(model_name="formerrow", name="former_row_unsettled"),
        migrations.RemoveField(model_name="formerrow", name="settled"),
        migrations.RunSQL(NOTED, NO_LONGER),
    ]
