"""Who gets the weekly report, and what was sent."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.models import Site
from core.querysets import SiteScoped, scoped_by
from kpis.models.agreed import Counts
from people.models import Membership


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
