import django.db.models.deletion
from django.db import migrations, models

# The index of the foreign key alone is the beginning of the one on asset and start.


class Migration(migrations.Migration):
    dependencies = [("assets", "0005_placement_indexes")]

    operations = [
        migrations.AlterField(
            model_name="downtime",
            name="asset",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="downtimes",
                to="assets.asset",
                verbose_name="asset",
            ),
        ),
        migrations.AlterField(
            model_name="failure",
            name="asset",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="failures",
                to="assets.asset",
                verbose_name="asset",
            ),
        ),
        migrations.AddIndex(
            model_name="downtime", index=models.Index(fields=["asset", "entered_at"], name="downtime_entered")
        ),
        migrations.AddIndex(
            model_name="failure", index=models.Index(fields=["asset", "entered_at"], name="failure_entered")
        ),
    ]
