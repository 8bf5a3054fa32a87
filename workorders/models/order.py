"""Requests and work orders: what is asked, planned, done and learned."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset, Downtime, Failure, Source
from core.models import Attachment, Site
from core.querysets import SiteScoped, scoped_by
from workorders.models.plan import JobPlan, PlanOccurrence, StepKind, StepTemplate

User = settings.AUTH_USER_MODEL


class Kind(models.TextChoices):
    """Kinds of work, in the terms of EN 13306."""

    CORRECTIVE = "corrective", _("Corrective")
    PREVENTIVE = "preventive", _("Preventive")
    INSPECTION = "inspection", _("Inspection")
    CONDITION = "condition", _("Condition-based")
    IMPROVEMENT = "improvement", _("Improvement")
    SAFETY = "safety", _("Safety")


class State(models.TextChoices):
    """States of the life cycle; the moves between them are data in `workorders.lifecycle`."""

    DRAFT = "draft", _("Draft")
    APPROVED = "approved", _("Approved")
    PLANNED = "planned", _("Planned")
    SCHEDULED = "scheduled", _("Scheduled")
    IN_PROGRESS = "in_progress", _("In progress")
    ON_HOLD = "on_hold", _("On hold")
    COMPLETED = "completed", _("Completed")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN_STATES = [State.DRAFT, State.APPROVED, State.PLANNED, State.SCHEDULED, State.IN_PROGRESS, State.ON_HOLD]


class Priority(models.IntegerChoices):
    EMERGENCY = 1, _("Emergency")
    HIGH = 2, _("High")
    MEDIUM = 3, _("Medium")
    LOW = 4, _("Low")


class HoldReason(models.TextChoices):
    PARTS = "parts", _("Waits for parts")
    ACCESS = "access", _("No access to the machine")
    PERMIT = "permit", _("Waits for a permit")
    SKILL = "skill", _("Needs another trade")
    OTHER = "other", _("Other")


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

    def assigned_to(self, user) -> "WorkOrderQuerySet":
        """Orders on which the person has an assignment."""
        return self.filter(models.Exists(Assignment.objects.filter(order=models.OuterRef("pk"), person=user)))


class WorkOrder(models.Model):
    """One job on one asset, from the wish to the lesson learned."""

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
            GinIndex(OpClass("summary", name="gin_trgm_ops"), name="order_search"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.summary}"

    def get_absolute_url(self) -> str:
        return reverse("work-order", args=[self.pk])


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

    class Outcome(models.TextChoices):
        OK = "ok", _("OK")
        FLAG = "flag", _("Flag")
        FAIL = "fail", _("Fail")
        SKIPPED = "skipped", _("Not applicable")

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

    objects = scoped_by("order__site").as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "position"], name="step_position_once", deferrable=models.Deferrable.DEFERRED
            )
        ]

    def __str__(self) -> str:
        return self.text


class Labour(models.Model):
    """Time a person worked on an order; `end` is empty while the clock runs."""

    order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="labour")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="labour", verbose_name=_("person"))
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"), null=True, blank=True)
    hourly_rate = models.DecimalField(_("hourly rate"), max_digits=8, decimal_places=2, null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = scoped_by("order__site").as_manager()

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
        indexes = [models.Index(fields=["person", "start"], name="labour_of_person")]

    def __str__(self) -> str:
        return f"{self.person} {self.start:%Y-%m-%d %H:%M}"


class Cost(models.Model):
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

    objects = scoped_by("order__site").as_manager()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.amount}"


class RequestState(models.TextChoices):
    NEW = "new", _("New")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")


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
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="request_known_state"),
            models.CheckConstraint(condition=~Q(state="declined") | ~Q(answer=""), name="request_declined_with_answer"),
        ]

    def __str__(self) -> str:
        return self.summary

    def get_absolute_url(self) -> str:
        return reverse("request", args=[self.pk])


__all__ = [
    "OPEN_STATES",
    "Assignment",
    "Cost",
    "HoldReason",
    "Kind",
    "Labour",
    "NumberSeries",
    "Priority",
    "Request",
    "RequestState",
    "State",
    "Step",
    "StepKind",
    "WorkOrder",
]
