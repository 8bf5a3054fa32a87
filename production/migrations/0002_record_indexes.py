import django.db.models.deletion
from django.db import migrations, models

# The index of the foreign key alone is the beginning of the one on asset and start.


class Migration(migrations.Migration):
    dependencies = [("assets", "0006_record_indexes"), ("production", "0001_calendars_counts")]

    operations = [
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
        ),
        migrations.AddIndex(
            model_name="count", index=models.Index(fields=["asset", "entered_at"], name="count_entered")
        ),
    ]
