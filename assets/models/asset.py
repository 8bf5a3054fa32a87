"""The asset tree of a site: what stands where, since when, and how much it matters."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import LONGEST_SILENCE, Site
from core.querysets import SiteScoped


class AssetKindQuerySet(models.QuerySet):
    def visible_to(self, user) -> "AssetKindQuerySet":
        """All sites share the kinds, so whoever is logged in may read them."""
        return self if user.is_authenticated else self.none()


class AssetKind(models.Model):
    """A class of equipment ("filler", "conveyor"); reasons and failure codes may belong to it. Shared by all sites."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("name"), max_length=80)

    objects = AssetKindQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("asset-kind", args=[self.pk])


class Level(models.TextChoices):
    """Levels of ISO 14224 that plants use by these names."""

    AREA = "area", _("Area")
    LINE = "line", _("Line")
    MACHINE = "machine", _("Machine")
    COMPONENT = "component", _("Component")


class Criticality(models.TextChoices):
    """A stops the plant or endangers people, B hurts, C can wait."""

    A = "A", _("A · critical")
    B = "B", _("B · important")
    C = "C", _("C · routine")


class AssetQuerySet(SiteScoped):
    def active(self) -> "AssetQuerySet":
        """Assets that are neither archived nor retired."""
        return self.filter(archived_at=None).filter(Q(retired=None) | Q(retired__gt=timezone.now()))

    def under(self, asset: "Asset") -> "AssetQuerySet":
        """The asset itself and everything below it today."""
        return self.filter(path__startswith=asset.path)

    def with_state(self) -> "AssetQuerySet":
        """Each with `down_since` and `down_planned` of its open stop, None while there is none."""
        from_stop = self.model._meta.get_field("downtimes").related_model.objects.open()
        stop = from_stop.filter(asset=models.OuterRef("pk"))
        return self.annotate(
            down_since=models.Subquery(stop.values("start")[:1]),
            down_planned=models.Subquery(stop.values("planned")[:1]),
        )

    def leaves(self) -> "AssetQuerySet":
        """Assets without children."""
        return self.filter(~models.Exists(Asset.objects.filter(parent=models.OuterRef("pk"))))


score = {"validators": [MinValueValidator(1), MaxValueValidator(5)], "null": True, "blank": True}


class Asset(models.Model):
    """A thing to look after: an area, a line, a machine or a component, with one place in its site's tree.

    `parent`, `stops_parent`, `redundancy_group` and `path` say how it stands *now*; `placements` say how it
    stood at any time. They change together, through `assets.tree`. `path` is the chain of ids from the root to
    the asset ("/3/17/204/"), so that a subtree is one indexed prefix.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="assets")
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent"),
    )
    path = models.CharField(max_length=300, editable=False, default="")
    kind = models.ForeignKey(
        AssetKind,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assets",
        verbose_name=_("kind"),
    )
    level = models.CharField(_("level"), max_length=12, choices=Level.choices, default=Level.MACHINE)
    stops_parent = models.BooleanField(_("its stop stops its parent"), default=False)
    redundancy_group = models.ForeignKey(
        "RedundancyGroup",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("redundancy group"),
    )
    criticality = models.CharField(_("criticality"), max_length=1, choices=Criticality.choices, default=Criticality.C)
    safety_score = models.PositiveSmallIntegerField(_("safety"), **score)
    environment_score = models.PositiveSmallIntegerField(_("environment"), **score)
    production_score = models.PositiveSmallIntegerField(_("production"), **score)
    quality_score = models.PositiveSmallIntegerField(_("quality"), **score)
    cost_score = models.PositiveSmallIntegerField(_("cost"), **score)
    criticality_reason = models.TextField(_("reason for the criticality"), blank=True)
    manufacturer = models.CharField(_("manufacturer"), max_length=120, blank=True)
    model = models.CharField(_("model"), max_length=120, blank=True)
    serial_number = models.CharField(_("serial number"), max_length=120, blank=True)
    description = models.TextField(_("description"), blank=True)
    downtime_cost = models.DecimalField(
        _("cost of one hour down"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    # Of the asset with everything below it: what it would cost to buy and install the like of it today.
    replacement_value = models.DecimalField(
        _("replacement value"), max_digits=14, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    short_stop_seconds = models.PositiveIntegerField(
        _("short stop threshold"), default=300, help_text=_("Stops below this many seconds are short stops.")
    )
    silence_days = models.PositiveSmallIntegerField(
        _("silence, days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_SILENCE)],
        help_text=_(
            "Without a record for longer than this its state is unknown until the next one. Empty: as the site says; "
            "0: never."
        ),
    )
    commissioned = models.DateTimeField(_("commissioned"), null=True, blank=True)
    retired = models.DateTimeField(_("retired"), null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                "site",
                Upper("code"),
                name="asset_code_once_per_site",
                violation_error_message=_("This site already has an asset with this code."),
            ),
            models.CheckConstraint(
                condition=Q(retired=None) | Q(commissioned=None) | Q(retired__gt=F("commissioned")),
                name="asset_retired_after_commissioned",
            ),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=F("id")), name="asset_not_its_own_parent"),
            models.CheckConstraint(condition=Q(criticality__in=Criticality.values), name="asset_known_criticality"),
            models.CheckConstraint(
                condition=Q(replacement_value=None) | Q(replacement_value__gte=0),
                name="asset_replacement_value_not_negative",
                violation_error_message=_("A replacement value is not below 0."),
            ),
        ]
        indexes = [
            models.Index(OpClass("path", name="text_pattern_ops"), name="asset_by_path"),
            models.Index(fields=["site", "code", "id"], name="asset_of_site"),
            GinIndex(
                OpClass("code", name="gin_trgm_ops"),
                OpClass("name", name="gin_trgm_ops"),
                name="asset_search",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("asset", args=[self.pk])

    @property
    def is_retired(self) -> bool:
        return self.retired is not None and self.retired <= timezone.now()

    @property
    def ancestor_ids(self) -> list[int]:
        """Ids of what it stands under, from the top down."""
        return [int(part) for part in self.path.split("/")[1:-2]]


class FormerHourlyCost(models.Model):
    """What an hour down cost until a day: stops before it keep that price. `Asset.downtime_cost` holds since the last.

    Whoever changes `downtime_cost`, by whatever path, leaves the row of today behind (a trigger does). Before the first
    price that anybody entered, that price holds.
    """

    asset = models.ForeignKey(
        Asset, on_delete=models.CASCADE, related_name="former_hourly_costs", verbose_name=_("asset")
    )
    until = models.DateField(_("until"), help_text=_("The first day on which it no longer held."))
    amount = models.DecimalField(
        _("cost of one hour down"), max_digits=12, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(0)], help_text=_("Empty: none was known."),
    )  # fmt: skip
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = type("FormerHourlyCostQuerySet", (SiteScoped,), {"site_path": "asset__site"}).as_manager()

    class Meta:
        verbose_name = _("former hourly cost")
        ordering = ["asset", "until"]
        constraints = [models.UniqueConstraint(fields=["asset", "until"], name="former_hourly_cost_once_a_day")]

    def __str__(self) -> str:
        return f"{self.asset.code} until {self.until}"

    def get_absolute_url(self) -> str:
        return self.asset.get_absolute_url()


class RedundancyGroup(models.Model):
    """Children of one parent of which `needed` must be up, or the parent is down (k of n)."""

    parent = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="redundancy_groups")
    name = models.CharField(_("name"), max_length=80)
    needed = models.PositiveSmallIntegerField(_("needed"), validators=[MinValueValidator(1)])

    objects = type("RedundancyGroupQuerySet", (SiteScoped,), {"site_path": "parent__site"}).as_manager()

    class Meta:
        ordering = ["parent", "name"]
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="redundancy_group_name_once"),
            models.CheckConstraint(condition=Q(needed__gte=1), name="redundancy_group_needs_one"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.needed} needed)"


ITSELF = models.ExpressionWrapper(models.F("asset_id") + models.Value(0), output_field=models.BigIntegerField())


class Placement(models.Model):
    """Where an asset stood during `valid` (half-open): a move is dated, history stays where it happened."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="placements")
    parent = models.ForeignKey(Asset, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    stops_parent = models.BooleanField(default=False)
    redundancy_group = models.ForeignKey(
        RedundancyGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    valid = DateTimeRangeField()

    objects = type("PlacementQuerySet", (SiteScoped,), {"site_path": "asset__site"}).as_manager()

    class Meta:
        ordering = ["asset", "valid"]
        constraints = [
            # As an expression, or the planner would look for an asset's placements in this index, where each takes four
            # times as long as in that of the foreign key.
            ExclusionConstraint(
                name="placement_one_at_a_time",
                expressions=[(ITSELF, RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=~Q(valid__isempty=True), name="placement_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} under {self.parent_id} {self.valid}"
