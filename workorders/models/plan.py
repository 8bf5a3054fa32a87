"""Work that is known beforehand: job plans, preventive plans and their occurrences."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.models import Site
from core.querysets import SiteScoped, scoped_by
from workorders.recurrence import Trigger
from workorders.states import Outcome


class StepKind(models.TextChoices):
    """What a step asks of the technician."""

    CHECK = "check", _("Check")
    PASS = "pass", _("Pass, flag or fail")
    NUMBER = "number", _("Number")
    CHOICE = "choice", _("Choice")
    TEXT = "text", _("Text")
    PHOTO = "photo", _("Photo")


class StepTemplate(models.Model):
    """What a step asks: shared by the steps of job plans and of orders."""

    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=8, choices=StepKind.choices, default=StepKind.CHECK)
    text = models.CharField(_("instruction"), max_length=300)
    required = models.BooleanField(_("required"), default=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    low = models.DecimalField(_("lower limit"), max_digits=14, decimal_places=4, null=True, blank=True)
    high = models.DecimalField(_("upper limit"), max_digits=14, decimal_places=4, null=True, blank=True)
    choices = ArrayField(models.CharField(max_length=80), default=list, blank=True, verbose_name=_("choices"))
    # A conditional step is asked only when the earlier step at this position came out this way.
    depends_on = models.PositiveSmallIntegerField(_("only after step"), null=True, blank=True)
    depends_outcome = models.CharField(
        _("when that step is"), max_length=8, choices=Outcome.choices, blank=True, db_default=""
    )

    class Meta:
        abstract = True

    def template(self) -> dict:
        """What the step asks, by field, to make another step that asks the same."""
        return {field.name: getattr(self, field.name) for field in StepTemplate._meta.fields}


class JobPlan(models.Model):
    """A versioned template of work: its steps and how long one person needs for them."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="job_plans")
    code = models.SlugField(_("code"), max_length=40)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    estimate_minutes = models.PositiveIntegerField(_("estimated minutes"), null=True, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name, verbose_name_plural = _("job plan"), _("job plans")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "code"],
                name="job_plan_code_once_per_site",
                violation_error_message=_("This site already has a job plan with this code."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("job-plan", args=[self.pk])


class JobPlanStep(StepTemplate):
    """One step of a job plan."""

    job_plan = models.ForeignKey(JobPlan, on_delete=models.CASCADE, related_name="steps", db_index=False)

    objects = scoped_by("job_plan__site").as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["job_plan", "position"],
                name="job_plan_step_position_once",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]

    def __str__(self) -> str:
        return self.text


class PlanQuerySet(SiteScoped):
    def for_list(self) -> "PlanQuerySet":
        """With the job plan, the number of assets and the next due moment of any of them."""
        pairs = PlanAsset.objects.filter(plan=models.OuterRef("pk")).order_by().values("plan")
        return self.select_related("site", "job_plan").annotate(
            asset_count=models.Subquery(pairs.annotate(n=models.Count("pk")).values("n")),
            next_due=models.Subquery(pairs.annotate(next=models.Min("next_due")).values("next")),
        )


class PreventivePlan(models.Model):
    """A job plan for one or more assets whenever its trigger says so.

    The trigger lives on the site's clock: `start` and `due_time` give the first due moment, then every `every`
    `unit`s, narrowed by weekdays, the nth weekday or the last day of the month, or freely by an RRULE in `rule`.
    A fixed plan counts from `start`, a floating one from the last completion.
    """

    class Basis(models.TextChoices):
        FIXED = "fixed", _("Fixed: counted from the start date")
        FLOATING = "floating", _("Floating: counted from the last completion")

    class Unit(models.TextChoices):
        DAY = "day", _("days")
        WEEK = "week", _("weeks")
        MONTH = "month", _("months")
        YEAR = "year", _("years")

    class OpenPolicy(models.TextChoices):
        WAIT = "wait", _("No second order while one is open")
        ALLOW = "allow", _("Another order even while one is open")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="preventive_plans")
    name = models.CharField(_("name"), max_length=200)
    job_plan = models.ForeignKey(
        JobPlan, on_delete=models.PROTECT, related_name="preventive_plans", verbose_name=_("job plan")
    )
    assets = models.ManyToManyField(
        Asset, through="PlanAsset", related_name="preventive_plans", verbose_name=_("assets")
    )
    basis = models.CharField(_("basis"), max_length=8, choices=Basis.choices, default=Basis.FIXED)
    start = models.DateField(_("first due date"))
    due_time = models.TimeField(_("time of day"), default="06:00")
    every = models.PositiveSmallIntegerField(
        _("every"), default=1, validators=[MinValueValidator(1), MaxValueValidator(18_250)]
    )
    unit = models.CharField(_("unit"), max_length=5, choices=Unit.choices, default=Unit.MONTH)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True, verbose_name=_("weekdays"))
    nth = models.SmallIntegerField(_("nth weekday"), null=True, blank=True)
    last_day_of_month = models.BooleanField(_("last day of the month"), default=False)
    rule = models.CharField(_("recurrence rule"), max_length=300, blank=True)
    lead_days = models.PositiveSmallIntegerField(
        _("lead time"),
        default=7,
        validators=[MaxValueValidator(366)],
        help_text=_("Days before its due date on which an order is generated."),
    )
    horizon_days = models.PositiveSmallIntegerField(
        _("horizon"),
        default=365,
        validators=[MinValueValidator(1), MaxValueValidator(1100)],
        help_text=_("Days ahead for which the forecast is kept."),
    )
    open_policy = models.CharField(
        _("while an order is open"), max_length=5, choices=OpenPolicy.choices, default=OpenPolicy.WAIT
    )
    active = models.BooleanField(_("active"), default=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name, verbose_name_plural = _("preventive plan"), _("preventive plans")
        constraints = [models.CheckConstraint(condition=Q(every__gte=1), name="plan_every_positive")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("preventive-plan", args=[self.pk])

    @property
    def trigger(self) -> Trigger:
        """When it falls due, as arithmetic; raises TriggerError if the fields do not make sense."""
        return Trigger(
            start=self.start,
            at=self.due_time,
            every=self.every,
            unit=self.unit,
            weekdays=tuple(self.weekdays),
            nth=self.nth,
            last_day=self.last_day_of_month,
            rule=self.rule,
            floating=self.basis == self.Basis.FLOATING,
        )


class PlanAsset(models.Model):
    """One asset of a preventive plan, and how far the plan has been carried out and forecast for it.

    Its lock is the right to change the occurrences of this plan for this asset. `ready_at` is when the
    generator has to look next: the lead time before `next_due`, or `next_due` itself while an order is open
    and a second one is not wanted. Nothing lies ahead where both are empty.
    """

    plan = models.ForeignKey(PreventivePlan, on_delete=models.CASCADE, related_name="plan_assets", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="plan_assets")
    next_due = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    planned_to = models.DateTimeField(null=True)  # due moment of the last occurrence that has a row
    next_sequence = models.PositiveIntegerField(default=1)  # of the next row to be made
    last_done = models.DateTimeField(null=True)

    objects = scoped_by("plan__site").as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "asset"], name="plan_asset_once")]
        indexes = [
            models.Index(fields=["ready_at", "id"], name="plan_asset_ready", condition=Q(ready_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} × {self.asset_id}"


class OccurrenceState(models.TextChoices):
    FORECAST = "forecast", _("Forecast")
    GENERATED = "generated", _("Generated")
    DONE = "done", _("Done")
    MISSED = "missed", _("Missed")
    SKIPPED = "skipped", _("Skipped")


class PlanOccurrence(models.Model):
    """One due moment of a plan for one asset. Never lost: it is generated, done, missed or skipped with its reason."""

    plan = models.ForeignKey(PreventivePlan, on_delete=models.PROTECT, related_name="occurrences", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="plan_occurrences")
    sequence = models.PositiveIntegerField()
    due = models.DateTimeField(_("due"))
    interval_days = models.FloatField(
        _("interval in days"), help_text=_("Time from this due moment to the next, for the 10 % rule.")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=OccurrenceState.choices, default=OccurrenceState.FORECAST
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    done_at = models.DateTimeField(_("done"), null=True)

    objects = scoped_by("plan__site").as_manager()

    class Meta:
        ordering = ["due", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "asset", "sequence"], name="occurrence_once"),
            models.CheckConstraint(condition=Q(state__in=OccurrenceState.values), name="occurrence_known_state"),
            models.CheckConstraint(
                condition=~Q(state="skipped") | ~Q(reason=""), name="occurrence_skipped_with_reason"
            ),
            models.CheckConstraint(condition=~Q(state="done") | Q(done_at__isnull=False), name="occurrence_done_when"),
        ]
        indexes = [
            models.Index(fields=["due"], name="occurrence_by_due"),
            models.Index(
                fields=["plan", "asset", "due"],
                name="occurrence_ahead",
                condition=Q(state__in=["forecast", "generated"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.asset_id}/{self.sequence}"

    def get_absolute_url(self) -> str:
        return reverse("preventive-plan", args=[self.plan_id])
