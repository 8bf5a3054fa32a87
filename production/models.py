"""What the assets are asked to make, and when: operating calendars and production counts."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset, Source
from core.models import Site
from core.querysets import SiteScoped, scoped_by


class DateRange(Func):
    function = "daterange"


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class OperatingCalendar(models.Model):
    """When an asset, or a whole site, is scheduled to run, from `valid_from` to before `valid_to`.

    An asset without a calendar of its own takes that of its nearest ancestor, then the site's, else 24/7.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="calendars")
    asset = models.ForeignKey(
        Asset,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="calendars",
        verbose_name=_("asset"),
    )
    name = models.CharField(_("name"), max_length=80)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(
        _("valid to"), null=True, blank=True, help_text=_("The first day on which it no longer holds.")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["site", "asset", "-valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="calendar_lasts"),
            ExclusionConstraint(
                name="calendar_one_at_a_time",
                expressions=[
                    ("site", RangeOperators.EQUAL),
                    (Coalesce("asset", 0), RangeOperators.EQUAL),
                    (DateRange("valid_from", "valid_to", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("Another calendar holds in this period."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("operating-calendar", args=[self.pk])


class WeeklySlot(models.Model):
    """Scheduled time on a weekday, local wall clock; an end at or before the start lies on the next day."""

    calendar = models.ForeignKey(OperatingCalendar, on_delete=models.CASCADE, related_name="weekly")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    start = models.TimeField(_("start"))
    end = models.TimeField(_("end"))

    class Meta:
        ordering = ["weekday", "start"]
        constraints = [
            models.UniqueConstraint(fields=["calendar", "weekday", "start"], name="weekly_slot_once"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekly_slot_known_day"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.start:%H:%M}–{self.end:%H:%M}"


class CalendarException(models.Model):
    """A date on which the weekly pattern does not hold.

    Its slots replace those that start on that date; none means closed.
    """

    calendar = models.ForeignKey(OperatingCalendar, on_delete=models.CASCADE, related_name="exceptions")
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=80, blank=True)

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["calendar", "date"], name="calendar_exception_once")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"


class ExceptionSlot(models.Model):
    """Scheduled time on an exception's date; same clock rules as WeeklySlot."""

    exception = models.ForeignKey(CalendarException, on_delete=models.CASCADE, related_name="slots")
    start = models.TimeField(_("start"))
    end = models.TimeField(_("end"))

    class Meta:
        ordering = ["start"]
        constraints = [models.UniqueConstraint(fields=["exception", "start"], name="exception_slot_once")]

    def __str__(self) -> str:
        return f"{self.start:%H:%M}–{self.end:%H:%M}"


class Count(models.Model):
    """What an asset made during [start, end): good at first pass, scrap and rework, at an ideal cycle time."""

    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, db_index=False, related_name="counts", verbose_name=_("asset")
    )
    product = models.CharField(_("product"), max_length=80, blank=True)
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    good = models.DecimalField(_("good"), max_digits=14, decimal_places=3, default=0, validators=[MinValueValidator(0)])
    scrap = models.DecimalField(
        _("scrap"), max_digits=14, decimal_places=3, default=0, validators=[MinValueValidator(0)]
    )
    rework = models.DecimalField(
        _("rework"), max_digits=14, decimal_places=3, default=0, validators=[MinValueValidator(0)]
    )
    ideal_cycle = models.DecimalField(
        _("ideal cycle time"), max_digits=12, decimal_places=6, help_text=_("Seconds per piece.")
    )
    source = models.CharField(_("source"), max_length=12, choices=Source.choices, default=Source.OPERATOR)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    entered_at = models.DateTimeField(_("entered"), default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = scoped_by("asset__site").as_manager()

    class Meta:
        ordering = ["-start", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end__gt=F("start")),
                name="count_lasts",
                violation_error_message=_("The count ends before it starts."),
            ),
            models.CheckConstraint(condition=Q(good__gte=0, scrap__gte=0, rework__gte=0), name="count_not_negative"),
            models.CheckConstraint(condition=Q(ideal_cycle__gt=0), name="count_ideal_cycle_positive"),
            models.UniqueConstraint(
                fields=["asset", "source", "external_id"],
                condition=~Q(external_id=""),
                name="count_external_once",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "start"], name="count_of_asset"),
            models.Index(fields=["asset", "entered_at"], name="count_entered"),
            models.Index(fields=["-start", "-id"], name="count_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.asset.code} {timezone.localtime(self.start):%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("count-edit", args=[self.pk])

    @property
    def site(self) -> Site:
        return self.asset.site
