"""What an hour down cost before: rows for the past, left behind by whatever changes the price of today."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# A price that nobody entered before leaves nothing behind: the first one holds for the past as well, and so does its
# correction on the same day. Of several changes on one day the first tells what held before.
KEEP = """
CREATE FUNCTION assets_keep_hourly_cost() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO assets_formerhourlycost (asset_id, until, amount, version)
SELECT b.id, d.today, b.downtime_cost, 1
FROM before b JOIN after a ON a.id = b.id JOIN core_site s ON s.id = a.site_id
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE s.time_zone - s.day_start::interval)::date AS today) d
WHERE a.downtime_cost IS DISTINCT FROM b.downtime_cost AND (
    EXISTS (SELECT FROM assets_formerhourlycost f WHERE f.asset_id = b.id)
    OR b.downtime_cost IS NOT NULL AND (b.created AT TIME ZONE s.time_zone - s.day_start::interval)::date < d.today
        AND NOT EXISTS (
            SELECT FROM core_event e WHERE e.object_type = 'assets.asset' AND e.object_id = b.id
                AND (e.at AT TIME ZONE s.time_zone - s.day_start::interval)::date = d.today
                AND e.data -> 'changes' -> 'downtime_cost' -> 0 = 'null'
        )
)
ON CONFLICT (asset_id, until) DO NOTHING;
RETURN NULL; END $$;
CREATE TRIGGER assets_keep_hourly_cost AFTER UPDATE ON assets_asset
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION assets_keep_hourly_cost();
"""
FORGET = "DROP TRIGGER assets_keep_hourly_cost ON assets_asset; DROP FUNCTION assets_keep_hourly_cost();"


class Migration(migrations.Migration):
    dependencies = [("assets", "0001_tree_stops_failures")]

    operations = [
        migrations.CreateModel(
            name="FormerHourlyCost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "until",
                    models.DateField(help_text="The first day on which it no longer held.", verbose_name="until"),
                ),
                (
                    "amount",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Empty: none was known.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cost of one hour down",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_hourly_costs",
                        to="assets.asset",
                        verbose_name="asset",
                    ),
                ),
            ],
            options={
                "verbose_name": "former hourly cost",
                "ordering": ["asset", "until"],
                "constraints": [
                    models.UniqueConstraint(fields=("asset", "until"), name="former_hourly_cost_once_a_day")
                ],
            },
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
