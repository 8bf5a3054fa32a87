import django.contrib.postgres.constraints
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kpis", "0014_former_records"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="reportsubscription",
            name="report_subscription_once",
        ),
        migrations.RemoveConstraint(
            model_name="target",
            name="target_one_at_a_time",
        ),
        migrations.AddField(
            model_name="reportsubscription",
            name="scope",
            field=models.CharField(
                choices=[("leaves", "its machines, each by itself"), ("asset", "itself, with what stops it")],
                default="leaves",
                max_length=6,
                verbose_name="counts",
            ),
        ),
        migrations.AddField(
            model_name="target",
            name="scope",
            field=models.CharField(
                choices=[("leaves", "its machines, each by itself"), ("asset", "itself, with what stops it")],
                default="leaves",
                max_length=6,
                verbose_name="counts",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportsubscription",
            constraint=models.UniqueConstraint(
                fields=("user", "site", "asset", "scope"), name="report_subscription_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="reportsubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scope", "leaves"), models.Q(("asset__isnull", False), ("scope", "asset")), _connector="OR"
                ),
                name="report_scope_of_an_asset",
            ),
        ),
        migrations.AddConstraint(
            model_name="target",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scope", "leaves"), models.Q(("asset__isnull", False), ("scope", "asset")), _connector="OR"
                ),
                name="target_scope_of_an_asset",
            ),
        ),
        migrations.AddConstraint(
            model_name="target",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("site", "="),
                    (
                        django.db.models.functions.comparison.Coalesce(
                            "asset", models.Value(0, output_field=models.BigIntegerField())
                        ),
                        "=",
                    ),
                    ("scope", "="),
                    ("definition", "="),
                    (models.Func("valid_from", "valid_to", function="daterange"), "&&"),
                ],
                name="target_one_at_a_time",
            ),
        ),
    ]
