"""What people at the site ask for."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.kit.badges import Badge
from core.models import Site
from core.querysets import SiteScoped
from workorders.models.order import WorkOrder

User = settings.AUTH_USER_MODEL


class RequestState(models.TextChoices):
    NEW = "new", _("New")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")


BADGES = {
    RequestState.NEW: Badge(RequestState.NEW.label, "watch", "inbox"),
    RequestState.ACCEPTED: Badge(RequestState.ACCEPTED.label, "ok", "circle-check"),
    RequestState.DECLINED: Badge(RequestState.DECLINED.label, "idle", "circle-x"),
}


class Request(models.Model):
    """A problem that somebody at the site reported; a planner accepts it as an order or declines it with a reason."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="requests")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="requests", verbose_name=_("asset"))
    summary = models.CharField(_("what is wrong"), max_length=200)
    description = models.TextField(_("details"), blank=True)
    is_down = models.BooleanField(_("the machine stands still"), default=False)
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState.choices, default=RequestState.NEW, editable=False
    )
    answer = models.CharField(_("answer"), max_length=300, blank=True)
    work_order = models.OneToOneField(
        WorkOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="request"
    )
    reported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("reported by"))
    reported_at = models.DateTimeField(_("reported"), default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["-reported_at", "-id"]
        indexes = [models.Index(fields=["site", "reported_at"], name="request_of_site")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="request_known_state"),
            models.CheckConstraint(condition=~Q(state="declined") | ~Q(answer=""), name="request_declined_with_answer"),
        ]

    def __str__(self) -> str:
        return self.summary

    def get_absolute_url(self) -> str:
        return reverse("request", args=[self.pk])

    @property
    def badge(self) -> Badge:
        """Where it stands; an accepted one shows how far its order is."""
        if self.state == RequestState.ACCEPTED and self.work_order:
            return self.work_order.badge
        return BADGES[self.state]
