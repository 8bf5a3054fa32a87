"""The floor: sites, the record of what happened, comments, attachments and background runs.

Nothing here knows maintenance; rows of other apps are named by label ("assets.asset") and id.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinLengthValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.querysets import SiteScoped


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("%(zone)s is not an IANA time zone."), params={"zone": value}, code="time_zone")


LONGEST_SILENCE = 3660  # days
SILENCE = [MinValueValidator(1), MaxValueValidator(LONGEST_SILENCE)]


class SiteQuerySet(SiteScoped):
    site_path = "pk"

    def visible_to(self, user) -> "SiteQuerySet":
        if not user.is_authenticated:
            return self.none()
        return self.filter(pk__in=user.site_ids)

    def at(self, site) -> "SiteQuerySet":
        """The site itself: a primary key is compared with a key, not with the row."""
        return self.filter(pk=site.pk)


class OeeProfile(models.TextChoices):
    """How a site divides the losses of OEE between availability and performance."""

    RECORDED = "recorded", _("Recorded stops are availability losses")
    SHORT_STOPS_IN_PERFORMANCE = "short_stops_in_performance", _("Short stops are performance losses")


class Site(models.Model):
    """One plant at one place: its clock, its currency and the hour at which its production day starts.

    It stands on the floor, below people and assets, because roles and rows of every app belong to one.
    """

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_time_zone], default="UTC")
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="EUR",
        validators=[
            MinLengthValidator(3),
            RegexValidator(r"^[A-Z]{3}$", _("Use the three capital letters of ISO 4217.")),
        ],
    )
    day_start = models.TimeField(
        _("start of the production day"),
        default="00:00",
        help_text=_("Local time at which a production day begins, for example the early shift at 06:00."),
    )
    overrun_is_unplanned = models.BooleanField(
        _("an overrun is unplanned"),
        default=True,
        help_text=_("A planned stop that lasts longer than planned counts as unplanned from its planned end on."),
    )
    failure_merge_gap = models.PositiveSmallIntegerField(
        _("merge gap of failures"),
        default=0,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_(
            "Minutes. A failure that occurs less than this after the one before has ended counts as a further item of "
            "it, so that a fault that flaps is one failure; 0 joins only what fails while it is still down."
        ),
    )
    oee_profile = models.CharField(
        _("OEE profile"),
        max_length=30,
        choices=OeeProfile.choices,
        default=OeeProfile.RECORDED,
        help_text=_(
            "Where unplanned stops shorter than the threshold of their asset go, in the availability rate and the "
            "performance rate of OEE and in its losses. OEE, TEEP and operational availability are the same either way."
        ),
    )
    coverage_threshold = models.FloatField(
        _("coverage threshold"),
        default=0.8,
        help_text=_("Below this share of known time a figure is marked as partial."),
    )
    count_silence_days = models.PositiveSmallIntegerField(
        _("silence of assets with counts, days"),
        null=True,
        blank=True,
        default=30,
        validators=SILENCE,
        help_text=_(
            "An asset that is counted and of which nothing is recorded for longer than this is unknown from then on, "
            "until its next record. Empty: never."
        ),
    )
    stop_silence_days = models.PositiveSmallIntegerField(
        _("silence of assets without counts, days"),
        null=True,
        blank=True,
        validators=SILENCE,
        help_text=_(
            "The same for assets whose stops are recorded by hand. Empty: never, since a reliable machine has none for "
            "a long time."
        ),
    )
    demo = models.BooleanField(_("demonstration data"), default=False, editable=False)

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(coverage_threshold__gte=0, coverage_threshold__lte=1),
                name="site_coverage_is_a_share",
            ),
            models.CheckConstraint(
                condition=models.Q(failure_merge_gap__lte=24 * 60), name="site_merge_gap_within_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(oee_profile__in=OeeProfile.values), name="site_known_oee_profile"
            ),
            models.CheckConstraint(
                condition=~models.Q(count_silence_days=0) & ~models.Q(stop_silence_days=0),
                name="site_silence_of_a_day_at_least",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def merge_gap(self) -> timedelta:
        """`failure_merge_gap` as a length of time."""
        return timedelta(minutes=self.failure_merge_gap)

    def local(self, moment: datetime) -> datetime:
        """The moment on this site's clock."""
        return moment.astimezone(self.zone)

    def production_day(self, moment: datetime) -> date:
        """The date of the production day in which the moment lies."""
        local = self.local(moment)
        start = self.day_start
        return local.date() if local.time().replace(tzinfo=None) >= start else local.date() - timedelta(days=1)

    def day_begins(self, day: date) -> datetime:
        """The instant (UTC) at which the production day begins.

        An hour that the clock skips moves forward by the jump; of an hour that comes twice the first counts.
        """
        naive = datetime.combine(day, self.day_start)
        return naive.replace(tzinfo=self.zone).astimezone(UTC)


class Event(models.Model):
    """One thing that happened: who did what to which row, and when. Never changed or deleted (a trigger holds it).

    It is audit trail, history of the row and the outbox to which upper apps react.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    summary = models.CharField(max_length=300)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-at"], name="event_of_object"),
            models.Index(fields=["site", "-at"], name="event_of_site"),
        ]

    def __str__(self) -> str:
        return self.summary


class Comment(models.Model):
    """What somebody said about a row."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(_("comment"), validators=[MinLengthValidator(1)])
    at = models.DateTimeField(default=timezone.now)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["object_type", "object_id", "at"], name="comment_of_object")]

    def __str__(self) -> str:
        return self.body[:80]


def attachment_path(attachment: "Attachment", filename: str) -> str:
    return f"attachments/{attachment.site_id}/{timezone.now():%Y/%m}/{attachment.sha256[:40]}"


class Attachment(models.Model):
    """A file that belongs to a row; served only to people who may see the row's site."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    file = models.FileField(_("file"), upload_to=attachment_path, max_length=200)
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(_("size"))  # bytes
    sha256 = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="attachment_of_object")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("attachment", args=[self.pk])


class JobRun(models.Model):
    """One run of a background job, by schedule or by hand: when, how many rows, what went wrong."""

    name = models.CharField(_("job"), max_length=80)
    started = models.DateTimeField(_("started"), default=timezone.now)
    finished = models.DateTimeField(_("finished"), null=True)
    rows = models.BigIntegerField(_("rows"), default=0)
    fact = models.CharField(_("result"), max_length=300, blank=True)
    error = models.TextField(_("error"), blank=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-started", "-id"]
        indexes = [models.Index(fields=["name", "-started"], name="run_of_job")]

    def __str__(self) -> str:
        return f"{self.name} {self.started:%Y-%m-%d %H:%M}"


class IdempotencyRecord(models.Model):
    """The answer to one POST that carried an `Idempotency-Key`; sent again when the request comes again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=300)
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # SHA-256 of what was sent
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "path", "key"], name="idempotency_key_once")]
        indexes = [models.Index("created", name="idempotency_by_age")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"


def import_path(run: "ImportRun", filename: str) -> str:
    return f"imports/{run.site_id}/{timezone.now():%Y/%m}/{uuid4().hex}"


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("To be mapped")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    RUNNING = "running", _("Being imported")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Failed")
    UNDONE = "undone", _("Undone")


class ImportRun(models.Model):
    """One file that was brought in, or is about to be: what its columns mean, what became of its rows, who did it."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=40)
    file = models.FileField(_("file"), upload_to=import_path, max_length=200, blank=True)
    name = models.CharField(_("file name"), max_length=200)
    size = models.BigIntegerField(_("size"))  # bytes
    sha256 = models.CharField(max_length=64)
    reading = models.JSONField(default=dict)  # sort, encoding, delimiter, sheet: how the file is read
    mapping = models.JSONField(default=dict)  # core.imports.mapping.ColumnMap
    state = models.CharField(
        _("state"), max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED, editable=False
    )
    partial = models.BooleanField(_("only the valid rows"), default=False)
    counts = models.JSONField(default=dict)
    report = models.JSONField(default=dict)  # reasons, duplicates, notes, preview
    created = models.JSONField(default=dict)  # label of the model → ranges of ids that this import wrote
    rejects = models.FileField(_("rejected rows"), upload_to=import_path, max_length=200, blank=True)
    error = models.TextField(_("error"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("uploaded"), default=timezone.now)
    finished = models.DateTimeField(_("finished"), null=True)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["site", "kind", "-at"], name="import_of_kind")]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ImportState.values), name="import_known_state")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("import", args=[self.pk])
