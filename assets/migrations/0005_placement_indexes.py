from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assets", "0004_silence_days")]

    operations = [
        migrations.RemoveConstraint(model_name="placement", name="placement_one_at_a_time"),
        migrations.RemoveIndex(model_name="placement", name="placement_of_parent"),
        migrations.AddConstraint(
            model_name="placement",
            constraint=ExclusionConstraint(
                expressions=[
                    (
                        models.ExpressionWrapper(
                            models.F("asset_id") + models.Value(0), output_field=models.BigIntegerField()
                        ),
                        "=",
                    ),
                    ("valid", "&&"),
                ],
                name="placement_one_at_a_time",
            ),
        ),
    ]
