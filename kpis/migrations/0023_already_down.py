from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kpis", "0022_settled_changes")]

    operations = [
        migrations.AddField(
            model_name="failureevent",
            name="already_down",
            field=models.BooleanField(db_default=False, default=False, verbose_name="down already"),
        ),
    ]
