"""The work order: one job on one asset, through its whole life cycle."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset, Downtime, Failure, Source
from core.models import Site
from core.querysets import SiteScoped
from workorders.lifecycle import state_of
from workorders.models.plan import JobPlan, PlanOccurrence
from workorders.moving import Moves
from workorders.priority import PRIORITY_BADGES
from workorders.states import OPEN_STATES, HoldReason, Kind, Priority, State

User = settings.AUTH_USER_MODEL


class NumberSeries(models.Model):
    """The last order number given at a site; numbers are taken under this row's lock and never reused."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, primary_key=True, related_name="+")
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.site_id}: {self.last}"


class WorkOrderQuerySet(SiteScoped):
    def open(self) -> "WorkOrderQuerySet":
        """Orders on which work is still to be done."""
        return self.filter(state__in=OPEN_STATES)

    def overdue(self, now=None) -> "WorkOrderQuerySet":
        """Open orders past the end of their due window."""
        return self.open().filter(due_to__lt=now or timezone.now())

    def unassigned(self) -> "WorkOrderQuerySet":
        """Open orders that nobody has been given."""
        return self.open().filter(assignments=None)

    def assigned_to(self, user) -> "WorkOrderQuerySet":
        """Orders on which the person has an assignment."""
        return self.filter(models.Exists(user.assignments.filter(order=models.OuterRef("pk"))))


class WorkOrder(Moves, models.Model):
    """One job on one asset, from the wish to the lesson learned; its verbs stand in `workorders.moving.Moves`."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="work_orders")
    number = models.PositiveBigIntegerField(_("number"), editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.CORRECTIVE)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="work_orders", verbose_name=_("asset"))
    summary = models.CharField(_("summary"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT, editable=False)
    consequence = models.PositiveSmallIntegerField(
        _("consequence"), default=2, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    likelihood = models.PositiveSmallIntegerField(
        _("likelihood"), default=2, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.MEDIUM)
    priority_reason = models.CharField(_("reason for another priority"), max_length=300, blank=True)
    due_from = models.DateTimeField(_("due from"), null=True, blank=True)
    due_to = models.DateTimeField(_("due by"), null=True, blank=True)
    estimate_minutes = models.PositiveIntegerField(_("estimated minutes"), null=True, blank=True)
    job_plan = models.ForeignKey(
        JobPlan,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="work_orders",
        verbose_name=_("job plan"),
    )
    occurrence = models.OneToOneField(
        PlanOccurrence, on_delete=models.PROTECT, null=True, blank=True, related_name="work_order"
    )
    follow_up_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="follow_ups")
    owner = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_orders",
        verbose_name=_("owner of the next step"),
    )
    reported_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reported by")
    )
    reported_at = models.DateTimeField(_("reported"), default=timezone.now)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    state_since = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    hold_reason = models.CharField(
        _("on hold because"), max_length=8, choices=HoldReason.choices, blank=True, editable=False
    )
    state_note = models.CharField(_("note on the state"), max_length=300, blank=True, editable=False)
    completion_note = models.TextField(_("what was done"), blank=True)
    was_failure = models.BooleanField(_("it was a failure"), null=True, blank=True)
    failure = models.ForeignKey(
        Failure,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="work_orders",
        verbose_name=_("failure"),
    )
    downtime = models.ForeignKey(
        Downtime,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="work_orders",
        verbose_name=_("stop"),
    )
    source = models.CharField(
        _("source"), max_length=12, choices=Source.choices, default=Source.OPERATOR, editable=False
    )
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = WorkOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="order_number_once_per_site"),
            models.UniqueConstraint(
                fields=["site", "source", "external_id"],
                condition=~Q(external_id=""),
                name="order_external_once",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="order_known_state"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="order_known_kind"),
            models.CheckConstraint(
                condition=Q(due_to=None) | Q(due_from=None) | Q(due_to__gte=F("due_from")),
                name="order_due_window",
                violation_error_message=_("The due window ends before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft",
                        "approved",
                        "planned",
                        "scheduled",
                        "in_progress",
                        "on_hold",
                        "completed",
                        "cancelled",
                    ]
                )
                | Q(closed_at__isnull=False),
                name="order_closed_when",
            ),
        ]
        indexes = [
            models.Index(fields=["site", "-id"], name="order_of_site"),
            models.Index(fields=["site", "state", "due_to", "id"], name="order_by_due"),
            models.Index(fields=["asset", "-id"], name="order_of_asset"),
            models.Index(fields=["asset", "created"], name="order_by_creation"),  # since when anything is known
            # What was open at a moment has not ended, or ended after it: the later of these is never before that.
            models.Index(F("site"), Greatest("state_since", "completed_at", "closed_at"), name="order_by_end"),
            GinIndex(OpClass("summary", name="gin_trgm_ops"), name="order_search"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.summary}"

    def get_absolute_url(self) -> str:
        return reverse("work-order", args=[self.pk])

    @property
    def code(self) -> str:
        """The number as people say it."""
        return f"#{self.number}"

    @property
    def badge(self):
        """The state as people see it: label, tone, icon, next step."""
        return state_of(self)

    @property
    def priority_badge(self):
        return PRIORITY_BADGES[self.priority]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_to is not None and self.due_to < timezone.now()
