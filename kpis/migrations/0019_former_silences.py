from django.db import migrations, models

PLAN = [
    "assets_asset", "assets_placement", "kpis_factstate", "production_operatingcalendar", "production_weeklyslot",
    "production_calendarexception", "production_exceptionslot", "kpis_silence",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("kpis", "0018_mark_emptied_plans")]

    operations = [
        migrations.RemoveIndex(model_name="formerrow", name="former_row_of_plan"),
        migrations.AddIndex(
            model_name="formerrow",
            index=models.Index(condition=models.Q(kind__in=PLAN), fields=["site", "at"], name="former_row_of_plan"),
        ),
    ]
