"""How assets are doing: stops and failures, as they happened and as they were entered."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now
from django.db.models.lookups import GreaterThan
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models.asset import Asset, AssetKind
from core.models import Site
from core.querysets import scoped_by


class Source(models.TextChoices):
    """Who or what recorded a fact."""

    OPERATOR = "operator", _("Operator")
    PLC = "plc", _("Machine control")
    API = "api", _("API")
    IMPORT = "import", _("Import")
    WORK_ORDER = "work_order", _("Work order")


class LossClass(models.TextChoices):
    """To which loss of the OEE waterfall a stop's time goes."""

    BREAKDOWN = "breakdown", _("Breakdown")
    SETUP = "setup", _("Setup and adjustment")
    OTHER = "other", _("Other stop")


class DowntimeReasonQuerySet(scoped_by("site")):
    def for_asset(self, asset: Asset) -> "DowntimeReasonQuerySet":
        """The reasons in use that may be given for a stop of this asset."""
        return self.filter(site=asset.site_id, active=True).filter(Q(kind=None) | Q(kind=asset.kind_id))

    def most_used_first(self, asset: Asset, *, days: int = 365) -> "DowntimeReasonQuerySet":
        """Those given most for this kind of asset at its site in the last `days` come first."""
        since = timezone.now() - timedelta(days=days)
        like = Q(downtimes__asset__kind=asset.kind_id) if asset.kind_id else Q(downtimes__asset=asset)
        return self.annotate(used=models.Count("downtimes", filter=like & Q(downtimes__start__gte=since))).order_by(
            "-used", "planned", "name", "pk"
        )


class DowntimeReason(models.Model):
    """Why an asset stands still: one entry of a site's list, for one kind of asset or for all.

    `excluded`: a planned stop for this reason is taken out of planned production time (PS of KPI.md section 2).
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="downtime_reasons")
    kind = models.ForeignKey(
        AssetKind,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtime_reasons",
        verbose_name=_("kind"),
    )
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    planned = models.BooleanField(_("planned"), default=False)
    excluded = models.BooleanField(_("excluded from planned production"), default=False)
    loss_class = models.CharField(_("loss class"), max_length=12, choices=LossClass.choices, default=LossClass.OTHER)
    active = models.BooleanField(_("in use"), default=True)

    objects = DowntimeReasonQuerySet.as_manager()

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(fields=["site", "code"], name="downtime_reason_once_per_site"),
            models.CheckConstraint(
                condition=Q(excluded=False) | Q(planned=True), name="downtime_reason_excluded_is_planned"
            ),
            models.CheckConstraint(condition=Q(loss_class__in=LossClass.values), name="downtime_reason_known_loss"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("downtime-reason", args=[self.pk])


# A stop that touches a window began a day before it at the earliest, or is open or longer, as the partial index has it.
LONG = Q(end=None) | Q(
    GreaterThan(F("end") - F("start"), RawSQL("interval '24 hours'", (), output_field=models.DurationField()))
)


class DowntimeQuerySet(scoped_by("asset__site")):
    def open(self) -> "DowntimeQuerySet":
        """Stops that have not ended."""
        return self.filter(end=None)

    def touching(self, start, end) -> "DowntimeQuerySet":
        """Stops that share time with [start, end), found by an index however long the history is."""
        near = Q(start__gte=start - timedelta(hours=25)) | LONG  # a local day may have an hour less
        return self.filter(near, start__lt=end).filter(Q(end=None) | Q(end__gt=start))

    def with_lasted(self) -> "DowntimeQuerySet":
        """Each with `lasted`, until now while it is open, and whether it `failed` (raised a failure)."""
        failed = models.Exists(Failure.objects.filter(downtime=models.OuterRef("pk")))
        return self.annotate(
            lasted=models.ExpressionWrapper(Coalesce("end", Now()) - F("start"), models.DurationField()), failed=failed
        )


class Downtime(models.Model):
    """One recorded stop of an asset, [start, end); open while `end` is empty.

    Records may overlap, since operators and machine controls both report; arithmetic uses their union.
    """

    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, db_index=False, related_name="downtimes", verbose_name=_("asset")
    )
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"), null=True, blank=True)
    planned = models.BooleanField(_("planned"), default=False)
    planned_end = models.DateTimeField(_("planned end"), null=True, blank=True)
    reason = models.ForeignKey(
        DowntimeReason,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtimes",
        verbose_name=_("reason"),
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    source = models.CharField(_("source"), max_length=12, choices=Source.choices, default=Source.OPERATOR)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    entered_at = models.DateTimeField(_("entered"), default=timezone.now, editable=False)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = DowntimeQuerySet.as_manager()

    class Meta:
        ordering = ["-start", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gte=F("start")),
                name="downtime_ends_after_start",
                violation_error_message=_("The stop ends before it starts."),
            ),
            models.CheckConstraint(
                condition=Q(planned_end=None) | Q(planned=True), name="downtime_planned_end_is_planned"
            ),
            models.UniqueConstraint(
                fields=["asset"],
                condition=Q(end=None),
                name="downtime_one_open_per_asset",
                violation_error_message=_("This asset already has an open stop."),
            ),
            models.UniqueConstraint(
                fields=["asset", "source", "external_id"],
                condition=~Q(external_id=""),
                name="downtime_external_once",
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="downtime_known_source"),
        ]
        indexes = [
            models.Index(fields=["asset", "start"], name="downtime_of_asset"),
            models.Index(fields=["asset", "entered_at"], name="downtime_entered"),
            models.Index(fields=["-start", "-id"], name="downtime_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.asset.code} {timezone.localtime(self.start):%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("downtime", args=[self.pk])

    @property
    def site(self) -> Site:
        return self.asset.site


class FailureCodeQuerySet(models.QuerySet):
    def visible_to(self, user) -> "FailureCodeQuerySet":
        """All sites share the lists, so whoever is logged in may read them."""
        return self if user.is_authenticated else self.none()

    def for_kind(self, kind: AssetKind | None) -> "FailureCodeQuerySet":
        """Codes of this kind of asset and those of all kinds."""
        return self.filter(Q(kind=None) | Q(kind=kind))


class FailureCode(models.Model):
    """One entry of the ISO 14224 lists of an asset kind: a problem, its cause or its remedy."""

    class List(models.TextChoices):
        PROBLEM = "problem", _("Problem")
        CAUSE = "cause", _("Cause")
        REMEDY = "remedy", _("Remedy")

    list = models.CharField(_("list"), max_length=8, choices=List.choices)
    kind = models.ForeignKey(
        AssetKind,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="failure_codes",
        verbose_name=_("kind"),
    )
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=100)

    objects = FailureCodeQuerySet.as_manager()

    class Meta:
        ordering = ["list", "name"]
        constraints = [
            models.UniqueConstraint(fields=["list", "kind", "code"], nulls_distinct=False, name="failure_code_once")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("failure-code", args=[self.pk])


class FailureQuerySet(scoped_by("asset__site")):
    def with_lasted(self) -> "FailureQuerySet":
        """Each with `lasted`, from occurred to restored; None until then."""
        return self.annotate(lasted=models.ExpressionWrapper(F("restored") - F("occurred"), models.DurationField()))


class Failure(models.Model):
    """A recorded functional failure of an asset: the thing that MTBF counts. It need not stop the asset."""

    class Detection(models.TextChoices):
        OPERATION = "operation", _("In operation")
        MAINTENANCE = "maintenance", _("Found in maintenance")
        MONITORING = "monitoring", _("By monitoring")

    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, db_index=False, related_name="failures", verbose_name=_("asset")
    )
    component = models.CharField(_("failed item"), max_length=120, blank=True)
    occurred = models.DateTimeField(_("occurred"))
    restored = models.DateTimeField(_("restored"), null=True, blank=True)
    problem = models.ForeignKey(
        FailureCode,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("problem"),
    )
    cause = models.ForeignKey(
        FailureCode,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("cause"),
    )
    remedy = models.ForeignKey(
        FailureCode,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("remedy"),
    )
    detection = models.CharField(_("detection"), max_length=12, choices=Detection.choices, default=Detection.OPERATION)
    downtime = models.ForeignKey(
        Downtime,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="failures",
        verbose_name=_("stop"),
    )
    note = models.TextField(_("note"), blank=True)
    source = models.CharField(_("source"), max_length=12, choices=Source.choices, default=Source.OPERATOR)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    entered_at = models.DateTimeField(_("entered"), default=timezone.now, editable=False)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = FailureQuerySet.as_manager()

    class Meta:
        ordering = ["-occurred", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(restored=None) | Q(restored__gte=F("occurred")),
                name="failure_restored_after_occurred",
                violation_error_message=_("The failure is restored before it occurred."),
            ),
            models.UniqueConstraint(
                fields=["asset", "source", "external_id"],
                condition=~Q(external_id=""),
                name="failure_external_once",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "occurred"], name="failure_of_asset"),
            models.Index(fields=["asset", "entered_at"], name="failure_entered"),
            models.Index(fields=["-occurred", "-id"], name="failure_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.asset.code} {timezone.localtime(self.occurred):%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("failure", args=[self.pk])

    @property
    def site(self) -> Site:
        return self.asset.site
