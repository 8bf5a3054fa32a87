"""What people agree and state: targets, net margins, the capacity of a crew."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.models import Site
from core.querysets import SiteScoped


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
