"""What the key figures keep: facts of the past per asset and production day, what has to be computed again, and what
people add to them: targets, margins, findings, and who gets reports.

All rows but those of people are derived: they can be deleted and computed again from stops, failures, counts,
calendars and placements. Foreign keys to assets therefore carry no constraint in the database; checking a million of
them would cost more than computing them.
"""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets.models import Asset, DowntimeReason
from core.models import JobRun, Site
from core.querysets import SiteScoped, scoped_by
from kpis.keeping import FormerRow, PublishedWork, asset_key
from people.models import Membership

__all__ = ["FormerRow", "PublishedWork"]  # models of this app as well


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
    `restored` is only there where every item has a restoration time.
    """

    pk = models.CompositePrimaryKey("asset_id", "occurred")
    asset = asset_key()
    occurred = models.DateTimeField(_("occurred"))
    until = models.DateTimeField()
    restored = models.DateTimeField(_("restored"), null=True)
    items = models.IntegerField(_("failed items"))
    open = models.BooleanField(_("still down"))
    found = models.BooleanField(_("found in maintenance"))

    objects = scoped_by("asset__site").as_manager()

    class Meta:
        indexes = [models.Index(fields=["asset", "until"], name="failure_event_until")]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.occurred:%Y-%m-%d %H:%M}"


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


class Counts(models.TextChoices):
    """What counts for an asset with machines below it; a site has its machines."""

    LEAVES = "leaves", _("its machines, each by itself")
    ASSET = "asset", _("itself, with what stops it")


class Target(models.Model):
    """What a key figure is to reach for a site or an asset, by what counts for it (`scope`), and who answers for it.

    `value` and `watch` are in the unit of the definition (a share, or hours): beyond `value` the figure is on target,
    up to `watch` it is near it.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", verbose_name=_("site"))
    asset = models.ForeignKey(
        Asset, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("asset")
    )
    scope = models.CharField(_("counts"), max_length=6, choices=Counts.choices, default=Counts.LEAVES)
    definition = models.CharField(_("figure"), max_length=40)
    value = models.FloatField(_("target"))
    watch = models.FloatField(_("near the target up to"), null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner")
    )
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["definition", "-valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="target_lasts"),
            models.CheckConstraint(
                condition=Q(scope=Counts.LEAVES) | Q(scope=Counts.ASSET, asset__isnull=False),
                name="target_scope_of_an_asset",
            ),
            ExclusionConstraint(
                name="target_one_at_a_time",
                expressions=[
                    ("site", RangeOperators.EQUAL),
                    (Coalesce("asset", Value(0, output_field=models.BigIntegerField())), RangeOperators.EQUAL),
                    ("scope", RangeOperators.EQUAL),
                    ("definition", RangeOperators.EQUAL),
                    (Func("valid_from", "valid_to", function="daterange"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.definition} {self.value:g}"

    def get_absolute_url(self) -> str:
        return reverse("target", args=[self.pk])


class DatedOfSite(models.Model):
    """What holds of a site from a day on, until the next one of its kind does."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", verbose_name=_("site"))
    valid_from = models.DateField(_("valid from"))
    version = models.PositiveIntegerField(default=1)

    objects = SiteScoped.as_manager()

    class Meta:
        abstract = True
        ordering = ["site", "-valid_from"]

    def __str__(self) -> str:
        return f"{self.site.code} {self.valid_from}"


class NetMargin(DatedOfSite):
    """What a site earns in a whole calendar year, in its currency."""

    amount = models.DecimalField(_("net margin of a year"), max_digits=14, decimal_places=2)

    class Meta(DatedOfSite.Meta):
        verbose_name = _("net margin")
        constraints = [models.UniqueConstraint(fields=["site", "valid_from"], name="net_margin_once_a_day")]

    def get_absolute_url(self) -> str:
        return reverse("net-margin", args=[self.pk])


class LabourCapacity(DatedOfSite):
    """Hours of a week that the crew of a site has for orders, and for which it is paid."""

    net = models.DecimalField(_("hours a week for orders"), max_digits=8, decimal_places=1)
    paid = models.DecimalField(_("paid hours a week"), max_digits=8, decimal_places=1, null=True, blank=True)

    class Meta(DatedOfSite.Meta):
        verbose_name = _("labour capacity")
        constraints = [models.UniqueConstraint(fields=["site", "valid_from"], name="labour_capacity_once_a_day")]

    def get_absolute_url(self) -> str:
        return reverse("labour-capacity", args=[self.pk])


class FindingKind(models.TextChoices):
    """What may be wrong with the records behind the figures."""

    FACTS_DIFFER = "facts_differ", _("Stored figures differ from the records")
    TOO_FAST = "too_fast", _("More was made than the ideal cycle allows")
    COUNTED_WHILE_DOWN = "counted_while_down", _("Pieces were counted while the machine could not run")
    OVERLAP = "overlap", _("Stops of the machine overlap")
    OPEN_FOR_LONG = "open_for_long", _("A stop has been open for more than a week")
    SILENT = "silent", _("Nothing has been recorded for a long time")


class FindingState(models.TextChoices):
    OPEN = "open", _("Open")
    MENDED = "mended", _("Mended")  # it is so no longer
    ACCEPTED = "accepted", _("Accepted")  # it is so, and somebody said why that is right


class Finding(models.Model):
    """A doubt about the records of an asset: one row from the day it is found to its outcome.

    `numbers` are what was seen last, as `kpis.doubts` names them. `key` tells findings of one kind and asset apart.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", verbose_name=_("site"))
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+", verbose_name=_("asset"))
    kind = models.CharField(_("what"), max_length=20, choices=FindingKind.choices)
    key = models.CharField(max_length=40, default="")
    numbers = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=10, choices=FindingState.choices, default=FindingState.OPEN)
    found_at = models.DateTimeField(_("found"))
    seen_at = models.DateTimeField(_("last seen"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("owner"),
    )  # fmt: skip
    due = models.DateField(_("due"), null=True, blank=True)
    reason = models.CharField(_("why it was accepted"), max_length=500, blank=True, default="")
    accepted_until = models.DateField(_("accepted until"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["-found_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "kind", "key"], condition=Q(state="open"), name="finding_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", settled_at=None) | Q(~Q(state="open"), settled_at__isnull=False),
                name="finding_settled_with_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(~Q(reason=""), accepted_until__isnull=False),
                name="finding_accepted_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.asset.code})"

    def get_absolute_url(self) -> str:
        return reverse("finding", args=[self.pk])


class ReportSubscriptions(models.QuerySet):
    def visible_to(self, user) -> "ReportSubscriptions":
        """One's own, and no others."""
        return self.filter(user=user) if user.is_authenticated else self.none()

    def deliverable(self) -> "ReportSubscriptions":
        """Those whose people can log in, have an address and still have a role at the site."""
        role = Membership.objects.filter(user=models.OuterRef("user"), site=models.OuterRef("site"))
        return self.filter(models.Exists(role), user__is_active=True).exclude(user__email="")


class ReportSubscription(models.Model):
    """Somebody gets the report of each week of a site, or of an asset by what counts for it (`scope`), by e-mail."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+", verbose_name=_("site"))
    asset = models.ForeignKey(
        Asset, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("asset")
    )
    scope = models.CharField(_("counts"), max_length=6, choices=Counts.choices, default=Counts.LEAVES)
    created = models.DateTimeField(_("since"), default=timezone.now)

    objects = ReportSubscriptions.as_manager()

    class Meta:
        verbose_name = _("weekly report by e-mail")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "site", "asset", "scope"], nulls_distinct=False, name="report_subscription_once"
            ),
            models.CheckConstraint(
                condition=Q(scope=Counts.LEAVES) | Q(scope=Counts.ASSET, asset__isnull=False),
                name="report_scope_of_an_asset",
            ),
        ]

    def __str__(self) -> str:
        if self.asset is None:
            return self.site.name
        whose = f"{self.asset.code} · {self.asset.name}"
        return gettext("%(asset)s, itself") % {"asset": whose} if self.scope == Counts.ASSET else whose


class KeptReport(models.Model):
    """The report of one week as it was sent: its figures, by which versions of their definitions, and its texts.

    Whoever got it in one go and in one language got the same; `copies` says how many. `contents` is what
    `kpis.kept` makes of a `kpis.report.Report`.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", verbose_name=_("site"))
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("asset"))
    scope = models.CharField(_("counts"), max_length=6, choices=Counts.choices, default=Counts.LEAVES)
    monday = models.DateField(_("week from"))
    language = models.CharField(_("language"), max_length=10)
    made = models.DateTimeField(_("made"))
    copies = models.PositiveIntegerField(_("sent to"), default=0)
    contents = models.JSONField()

    objects = SiteScoped.as_manager()

    class Meta:
        verbose_name = _("sent report")
        ordering = ["-made", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "asset", "scope", "monday", "language", "made"],
                nulls_distinct=False,
                name="kept_report_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monday} {self.language} {self.made:%Y-%m-%d %H:%M}"


class SentReport(models.Model):
    """The report of one week to one subscriber. Its row lock makes sure that one worker sends it; without `sent` it
    is tried again.
    """

    subscription = models.ForeignKey(ReportSubscription, on_delete=models.CASCADE, related_name="reports")
    monday = models.DateField(_("week from"))
    sent = models.DateTimeField(_("sent"), null=True)
    error = models.CharField(max_length=500, blank=True)  # of the last attempt

    objects = scoped_by("subscription__site").as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "monday"], name="sent_report_once")]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.monday}"
