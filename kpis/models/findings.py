"""Doubts about records, and what became of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.models import Site
from core.querysets import SiteScoped


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
