"""Facts of the past per asset and production day, and what has to be computed again.

All rows are derived: they can be deleted and computed again from stops, failures, counts, calendars and placements.
Foreign keys to assets therefore carry no constraint in the database; checking a million of them would cost more than
computing them.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from assets.models import Asset, DowntimeReason
from core.models import JobRun, Site
from core.querysets import scoped_by


def asset_key(**options) -> models.ForeignKey:
    return models.ForeignKey(
        Asset, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+", **options
    )


class DaySums(models.Model):
    """Additive facts of a day; times in seconds, named as in docs/kpi.md."""

    planned_stop = models.IntegerField()  # PS
    down = models.IntegerField()  # UD
    off_schedule = models.IntegerField()  # XD
    stops = models.IntegerField()
    counts = models.IntegerField()
    good = models.FloatField()
    scrap = models.FloatField()
    rework = models.FloatField()
    ideal_good = models.FloatField()
    ideal_scrap = models.FloatField()
    ideal_rework = models.FloatField()
    doubtful = models.FloatField()

    class Meta:
        abstract = True


class AssetDay(DaySums):
    """Facts of one asset on one production day on which something happened; no row is a quiet day.

    Scheduled and calendar time are not here: they come from the calendars, so that changing a calendar touches only
    the days with stops.
    """

    pk = models.CompositePrimaryKey("asset_id", "day")
    asset = asset_key()
    day = models.DateField(_("production day"))
    # Seconds after the day begins between which all its stops lie; none on a day of counts alone.
    stopped_from = models.IntegerField(null=True)
    stopped_to = models.IntegerField(null=True)

    objects = scoped_by("asset__site").as_manager()

    def __str__(self) -> str:
        return f"{self.asset_id} {self.day}"


class DayRevision(DaySums):
    """A stored day came out otherwise when it was computed again: by how much each sum changed, when and why.

    What was reported before is today's sum less all later changes. The record that caused the change is named as
    events name it; `sources` says how many there were.
    """

    asset = asset_key()
    day = models.DateField(_("production day"))
    changed = models.DateTimeField(_("changed"), null=True)  # when the first of the causes was written, if known
    at = models.DateTimeField(_("computed again"))
    source = models.CharField(max_length=60, default="")
    source_id = models.BigIntegerField(null=True)
    sources = models.IntegerField(default=0)
    # Of the failure events that begin on the day
    events = models.IntegerField()
    items = models.IntegerField()
    found = models.IntegerField()
    restored = models.IntegerField()
    restoration = models.IntegerField()
    open_events = models.IntegerField()

    objects = scoped_by("asset__site").as_manager()

    class Meta:
        indexes = [models.Index(fields=["asset", "day"], name="day_revision_of_day")]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.day} at {self.at:%Y-%m-%d %H:%M}"


class LossDay(models.Model):
    """Unplanned downtime of one asset on one production day by reason and loss class; adds up to `AssetDay.down`."""

    pk = models.CompositePrimaryKey("asset_id", "day", "rank")
    asset = asset_key()
    day = models.DateField(_("production day"))
    rank = models.SmallIntegerField()  # only tells the day's rows apart
    reason = models.ForeignKey(
        DowntimeReason, on_delete=models.SET_NULL, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    loss = models.CharField(max_length=12)  # a LossClass, "short" or "unclassified"
    seconds = models.IntegerField()
    stops = models.IntegerField()

    objects = scoped_by("asset__site").as_manager()

    def __str__(self) -> str:
        return f"{self.asset_id} {self.day} {self.loss}"


class FailureEvent(models.Model):
    """One failure of an asset, as MTBF counts it: one or more failed items (`items`).

    `until` is when the last item was up again, as far as known, and far in the future while one is down;
    `restored` is only there where every item has a restoration time. Where something below failed while the asset was
    `already_down` for another cause, it is no failure of the asset.
    """

    pk = models.CompositePrimaryKey("asset_id", "occurred")
    asset = asset_key()
    occurred = models.DateTimeField(_("occurred"))
    until = models.DateTimeField()
    restored = models.DateTimeField(_("restored"), null=True)
    items = models.IntegerField(_("failed items"))
    open = models.BooleanField(_("still down"))
    found = models.BooleanField(_("found in maintenance"))
    already_down = models.BooleanField(_("down already"), default=False, db_default=False)

    objects = scoped_by("asset__site").as_manager()

    class Meta:
        indexes = [models.Index(fields=["asset", "until"], name="failure_event_until")]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.occurred:%Y-%m-%d %H:%M}"

    @property
    def counts(self) -> bool:
        """Whether figures count it."""
        return not (self.found or self.already_down)


class Occasion(models.TextChoices):
    """Why stored facts were computed when they were."""

    COMPLETED = "completed", _("production day completed")  # by the run after the end of a site's production day
    CHANGED = "changed", _("changed days")
    AGAIN = "again", _("computed again by hand")


class FactState(models.Model):
    """Up to which production day an asset's facts are complete. Its row lock makes sure that one worker writes them.

    `computed_at`, `occasion` and `run` are those of the last time that any of them was written.
    """

    asset = models.OneToOneField(
        Asset, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    through = models.DateField(_("complete through"), null=True)
    version = models.SmallIntegerField(default=0)  # of the computation; an older one is computed again
    observed = models.BooleanField(_("has records"), default=False)
    counted_from = models.DateField(null=True)  # the first finished production day that holds a count
    # The limits in days that its stored silences follow, with counts and without; null is never.
    count_silence = models.SmallIntegerField(null=True)
    stop_silence = models.SmallIntegerField(null=True)
    computed_at = models.DateTimeField(_("computed"), null=True)
    occasion = models.CharField(max_length=9, choices=Occasion.choices, default="", db_default="")
    run = models.ForeignKey(
        JobRun, on_delete=models.SET_NULL, null=True, db_constraint=False, db_index=False, related_name="+"
    )

    objects = scoped_by("asset__site").as_manager()

    def __str__(self) -> str:
        return f"{self.asset_id} through {self.through}"


class Silence(models.Model):
    """Whole production days on which nobody knows how an asset did: its source was silent for more than `days` days.

    `until` is the day of the next record; without one the silence lasts. One before the first record begins on the
    first of all dates. One that will begin within a few days is here already.
    """

    pk = models.CompositePrimaryKey("asset_id", "since")
    asset = asset_key()
    since = models.DateField(_("from"))
    until = models.DateField(_("to"), null=True)
    days = models.SmallIntegerField()

    objects = scoped_by("asset__site").as_manager()

    def __str__(self) -> str:
        return f"{self.asset_id} from {self.since}"


class ChangedDay(models.Model):
    """A period whose facts must be computed again, because something they depend on was written.

    Triggers write it in the same transaction as the change, whatever the path of the change was. `reach` says
    what it is about: the asset and the parents it stops, everything below the asset, or the whole site.
    """

    class Reach(models.TextChoices):
        ASSET = "asset", _("the asset and the parents it stops")
        BELOW = "below", _("everything below the asset")
        SITE = "site", _("the whole site")

    reach = models.CharField(max_length=5, choices=Reach.choices, default=Reach.ASSET)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="+")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="+")
    start = models.DateTimeField(_("from"), null=True)  # null: since ever
    end = models.DateTimeField(_("to"), null=True)  # null: open
    at = models.DateTimeField(_("marked"), db_default=Now())
    source = models.CharField(max_length=60, default="", db_default="")  # what changed, named as events name it
    source_id = models.BigIntegerField(null=True)  # null: many at once

    objects = scoped_by("asset__site").as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.reach} {self.asset_id or self.site_id} {self.start} {self.end}"


class ComingChange(models.Model):
    """A period whose facts must be computed again once a moment has passed: something ends then, as its record says.

    Triggers write it for ends that lie ahead; until then what is stored takes it for something that goes on.
    """

    asset = asset_key()
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))
    due = models.DateTimeField(_("due"))
    source = models.CharField(max_length=60)
    source_id = models.BigIntegerField()

    objects = scoped_by("asset__site").as_manager()

    class Meta:
        indexes = [models.Index(fields=["due"], name="coming_change_due")]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.start} {self.end} at {self.due}"
