"""What was promised: the orders that planner and production agreed on for one week."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Site
from core.querysets import SiteScoped
from core.weeks import name_of
from workorders.models.order import WorkOrder


class AgreedWeek(models.Model):
    """The schedule of a site's week as it was frozen; the week begins on `monday` at midnight of the site's clock."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", db_index=False)
    monday = models.DateField(_("Monday of the week"))
    agreed_at = models.DateTimeField(_("agreed"), default=timezone.now, editable=False)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("agreed by")
    )

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["-monday"]
        constraints = [
            models.UniqueConstraint(fields=["site", "monday"], name="week_agreed_once"),
            models.CheckConstraint(condition=Q(monday__iso_week_day=1), name="agreed_week_begins_on_monday"),
        ]

    def __str__(self) -> str:
        return name_of(self.monday)

    def get_absolute_url(self) -> str:
        return f"{reverse('planning')}?week={self}"


class AgreedOrder(models.Model):
    """An order that is to be completed in an agreed week, with the minutes that were planned for it there."""

    week = models.ForeignKey(AgreedWeek, on_delete=models.CASCADE, related_name="orders", db_index=False)
    order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="agreed")
    minutes = models.PositiveIntegerField(_("minutes"), null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["week", "order"], name="order_agreed_once_a_week")]

    def __str__(self) -> str:
        return f"{self.week_id}: {self.order_id}"
