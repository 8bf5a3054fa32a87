import django.db.models.deletion
from django.db import migrations, models
from django.db.models.expressions import CombinedExpression, F, RawSQL
from django.db.models.functions import Greatest
from django.db.models.lookups import GreaterThan

# Labour and costs are sought by site and time. Who writes a row names the order alone; the rest is done here, so that it
# is right for rows of every path, and stays so if an order changes hands.
SITE = """
CREATE FUNCTION workorders_set_site() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
NEW.site_id := (SELECT site_id FROM workorders_workorder WHERE id = NEW.order_id);
RETURN NEW; END $$;
CREATE FUNCTION workorders_hand_on_site() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
UPDATE workorders_labour SET site_id = NEW.site_id WHERE order_id = NEW.id;
UPDATE workorders_cost SET site_id = NEW.site_id WHERE order_id = NEW.id;
RETURN NULL; END $$;
CREATE TRIGGER workorders_set_site BEFORE INSERT OR UPDATE OF order_id, site_id ON workorders_labour
    FOR EACH ROW EXECUTE FUNCTION workorders_set_site();
CREATE TRIGGER workorders_set_site BEFORE INSERT OR UPDATE OF order_id, site_id ON workorders_cost
    FOR EACH ROW EXECUTE FUNCTION workorders_set_site();
CREATE TRIGGER workorders_hand_on_site AFTER UPDATE OF site_id ON workorders_workorder
    FOR EACH ROW WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id) EXECUTE FUNCTION workorders_hand_on_site();
UPDATE workorders_labour SET site_id = site_id;
UPDATE workorders_cost SET site_id = site_id;
SET CONSTRAINTS ALL IMMEDIATE;
"""
FORGET = """
DROP TRIGGER workorders_hand_on_site ON workorders_workorder;
DROP TRIGGER workorders_set_site ON workorders_cost;
DROP TRIGGER workorders_set_site ON workorders_labour;
DROP FUNCTION workorders_hand_on_site();
DROP FUNCTION workorders_set_site();
"""


def site(**kwargs):
    return models.ForeignKey(
        blank=True,
        db_index=False,
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="core.site",
        **kwargs,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0006_record_indexes"),
        ("core", "0007_silence_days"),
        ("workorders", "0005_names_of_plans"),
    ]

    operations = [
        migrations.AddField("labour", "site", site(null=True)),
        migrations.AddField("cost", "site", site(null=True)),
        migrations.RunSQL(SITE, FORGET),
        migrations.AlterField("labour", "site", site()),
        migrations.AlterField("cost", "site", site()),
        migrations.AddIndex("labour", models.Index(fields=["site", "start"], name="labour_of_site")),
        migrations.AddIndex(
            "labour",
            models.Index(
                fields=["site", "start"],
                name="labour_long",
                condition=models.Q(end=None)
                | models.Q(
                    GreaterThan(
                        CombinedExpression(F("end"), "-", F("start")),
                        RawSQL("interval '24 hours'", (), output_field=models.DurationField()),
                    )
                ),
            ),
        ),
        migrations.AddIndex("cost", models.Index(fields=["site", "at"], name="cost_of_site")),
        migrations.AddIndex("request", models.Index(fields=["site", "reported_at"], name="request_of_site")),
        migrations.AddIndex(
            "workorder",
            models.Index(F("site"), Greatest("state_since", "completed_at", "closed_at"), name="order_by_end"),
        ),
        # What is indexed is not known to the planner before.
        migrations.RunSQL("ANALYZE workorders_workorder, workorders_labour, workorders_cost", ""),
    ]
