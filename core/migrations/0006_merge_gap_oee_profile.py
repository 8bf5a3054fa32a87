"""Rules of a site for its figures: the merge gap of failures, and the profile of OEE."""

from django.core.validators import MaxValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0005_imports")]

    operations = [
        migrations.AddField(
            model_name="site",
            name="failure_merge_gap",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text=(
                    "Minutes. A failure that occurs less than this after the one before has ended counts as a further "
                    "item of it, so that a fault that flaps is one failure; 0 joins only what fails while it is still "
                    "down."
                ),
                validators=[MaxValueValidator(1440)],
                verbose_name="merge gap of failures",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(("failure_merge_gap__lte", 1440)), name="site_merge_gap_within_a_day"
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="oee_profile",
            field=models.CharField(
                choices=[
                    ("recorded", "Recorded stops are availability losses"),
                    ("short_stops_in_performance", "Short stops are performance losses"),
                ],
                default="recorded",
                help_text=(
                    "Where unplanned stops shorter than the threshold of their asset go, in the availability rate and "
                    "the performance rate of OEE and in its losses. OEE, TEEP and operational availability are the "
                    "same either way."
                ),
                max_length=30,
                verbose_name="OEE profile",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(("oee_profile__in", ["recorded", "short_stops_in_performance"])),
                name="site_known_oee_profile",
            ),
        ),
    ]
