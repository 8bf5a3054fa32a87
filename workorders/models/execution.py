"""Who does the work, what they found, how long it took and what it cost."""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models.condition import LONG
from core.models import Attachment, Site
from core.querysets import SiteScoped, scoped_by
from workorders.models.order import WorkOrder
from workorders.models.plan import StepTemplate
from workorders.states import Outcome

User = settings.AUTH_USER_MODEL


class OfOrder(models.Model):
    """A row of an order that is sought by site and time. The database sets the site, whoever writes the row."""

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="+", editable=False, blank=True, db_index=False
    )  # fmt: skip

    objects = SiteScoped.as_manager()

    class Meta:
        abstract = True


class Assignment(models.Model):
    """A person who is to work on an order, when and for how long; an order may be split over several."""

    order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="assignments")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("person"))
    start = models.DateTimeField(_("start"), null=True, blank=True)
    minutes = models.PositiveIntegerField(_("minutes"), null=True, blank=True, validators=[MinValueValidator(1)])

    objects = scoped_by("order__site").as_manager()

    class Meta:
        ordering = ["start", "id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "person", "start"], nulls_distinct=False, name="assignment_once")
        ]
        indexes = [models.Index(fields=["person", "start"], name="assignment_of_person")]

    def __str__(self) -> str:
        return f"{self.person} → {self.order_id}"


class Step(StepTemplate):
    """One step of an order with its answer."""

    Outcome = Outcome

    # Steps are written by the hundred thousand; the unique constraint below already finds those of an order.
    order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="steps", db_index=False)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, blank=True)
    number = models.DecimalField(_("reading"), max_digits=14, decimal_places=4, null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=1000, blank=True)
    photo = models.ForeignKey(
        Attachment, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    answered_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    follow_up = models.ForeignKey(
        WorkOrder,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="raised_by_steps",
        verbose_name=_("follow-up order"),
        db_index=False,
    )
    no_follow_up = models.CharField(_("why no follow-up is needed"), max_length=200, blank=True, db_default="")

    objects = scoped_by("order__site").as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "position"], name="step_position_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.UniqueConstraint(
                fields=["follow_up"], condition=Q(follow_up__isnull=False), name="step_follow_up_once"
            ),
        ]

    def __str__(self) -> str:
        return self.text


class Labour(OfOrder):
    """Time a person worked on an order; `end` is empty while the clock runs."""

    order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="labour")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="labour", verbose_name=_("person"))
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"), null=True, blank=True)
    hourly_rate = models.DecimalField(_("hourly rate"), max_digits=8, decimal_places=2, null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["start", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gt=F("start")),
                name="labour_lasts",
                violation_error_message=_("The work ends before it starts."),
            ),
            models.UniqueConstraint(fields=["order", "person"], condition=Q(end=None), name="labour_one_running"),
        ]
        indexes = [
            models.Index(fields=["person", "start"], name="labour_of_person"),
            models.Index(fields=["site", "start"], name="labour_of_site"),
            models.Index(fields=["site", "start"], name="labour_long", condition=LONG),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.start:%Y-%m-%d %H:%M}"

    @property
    def lasted(self) -> timedelta | None:
        """Time worked; None while the clock runs."""
        return self.end - self.start if self.end else None


class Cost(OfOrder):
    """Money spent on an order, by source, at the price of that day, in the site's currency."""

    class Source(models.TextChoices):
        LABOUR = "labour", _("Labour")
        PARTS = "parts", _("Parts")
        EXTERNAL = "external", _("External")
        UNDIVIDED = "undivided", _("Not divided")

    order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="costs")
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    at = models.DateTimeField(_("on"), default=timezone.now)
    note = models.CharField(_("note"), max_length=200, blank=True)
    labour = models.OneToOneField(
        Labour, on_delete=models.CASCADE, null=True, blank=True, related_name="cost", editable=False
    )

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["site", "at"], name="cost_of_site")]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.amount}"
