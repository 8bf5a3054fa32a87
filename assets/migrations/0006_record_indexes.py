import django.db.models.deletion
from django.db import migrations, models

# The index of the foreign key alone is the beginning of the one on asset and start. It is dropped by its name: to alter
# the field would drop every index on that column, also the one that allows a single open stop.


def without_index(model, table, related, index):
    """The foreign key to the asset without an index of its own."""
    field = models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related,
        to="assets.asset",
        verbose_name="asset",
    )
    return migrations.SeparateDatabaseAndState(
        state_operations=[migrations.AlterField(model_name=model, name="asset", field=field)],
        database_operations=[
            migrations.RunSQL(f"DROP INDEX IF EXISTS {index}", f"CREATE INDEX {index} ON {table} (asset_id)")
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("assets", "0005_placement_indexes")]

    operations = [  # new ones first: to drop one locks out readers until the end
        migrations.AddIndex(
            model_name="downtime", index=models.Index(fields=["asset", "entered_at"], name="downtime_entered")
        ),
        migrations.AddIndex(
            model_name="failure", index=models.Index(fields=["asset", "entered_at"], name="failure_entered")
        ),
        without_index("downtime", "assets_downtime", "downtimes", "assets_downtime_asset_id_b7af5d85"),
        without_index("failure", "assets_failure", "failures", "assets_failure_asset_id_f5882700"),
    ]
