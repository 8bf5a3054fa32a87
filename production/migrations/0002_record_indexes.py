import django.db.models.deletion
from django.db import migrations, models

INDEX = "production_count_asset_id_f017de9a"  # the beginning of the one on asset and start


class Migration(migrations.Migration):
    dependencies = [("assets", "0006_record_indexes"), ("production", "0001_calendars_counts")]

    operations = [  # the new one first: to drop one locks out readers until the end
        migrations.AddIndex(
            model_name="count", index=models.Index(fields=["asset", "entered_at"], name="count_entered")
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="count",
                    name="asset",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="counts",
                        to="assets.asset",
                        verbose_name="asset",
                    ),
                )
            ],
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX IF EXISTS {INDEX}", f"CREATE INDEX {INDEX} ON production_count (asset_id)"
                )
            ],
        ),
    ]
