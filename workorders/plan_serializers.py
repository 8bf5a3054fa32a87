"""What the REST API reads and answers about job plans, preventive plans and their occurrences."""

from datetime import timedelta

from django.db.models import (
    BooleanField,
    DateTimeField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    Min,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from assets.serializers import AssetReference
from core.api.fields import Computed, Expressed, Instant, InstantOrDay, Minutes, Reference, Seconds, Told, WallClock
from core.api.serializers import RowSerializer, Strict
from core.serializers import SiteReference
from workorders.models import JobPlan, JobPlanStep, PlanAsset, PlanOccurrence, PreventivePlan
from workorders.serializers import JobPlanReference, OrderReference

DAY = 86_400  # seconds
# Field of the plan → path in what callers send, where they differ; for what a verb refuses.
PATHS = {
    "lead_days": "lead_time", "horizon_days": "horizon", "basis": "trigger.floating", "due_time": "trigger.time",
    "last_day_of_month": "trigger.last_day",
    **{name: f"trigger.{name}" for name in ("start", "every", "unit", "weekdays", "nth", "rule")},
}  # fmt: skip


class Days(Expressed, Seconds):
    """A duration in seconds, kept in whole days."""

    default_error_messages = {
        "whole_days": _("Give whole days, in seconds: a multiple of 86400."),
        "negative": _("A duration is not negative."),
    }

    def __init__(self, column: str, **kwargs):
        in_seconds = ExpressionWrapper(F(column) * Value(float(DAY)), output_field=FloatField())
        super().__init__(in_seconds, source=column, required=False, **kwargs)

    def to_internal_value(self, value) -> int:
        count, rest = divmod(super().to_internal_value(value), timedelta(days=1))
        if rest:
            self.fail("whole_days")
        if count < 0:
            self.fail("negative")
        return count


class Start(Expressed, InstantOrDay):
    """The first due moment: an instant, or a plain day to which the time of day is added."""

    def settle(self, value, attrs, instance):
        """Left as sent; the resource knows the site and puts it on its clock."""
        return value


class Basis(Told):
    """Whether the plan counts from its start, or from the last completion."""

    def __init__(self, basis: str, **kwargs):
        super().__init__(ExpressionWrapper(Q(basis=basis), output_field=BooleanField()), required=False, **kwargs)


def start_at_site() -> Func:
    """The plan's first day and time of day, on the site's clock, as an instant."""
    local = Func(
        F("start"), F("due_time"), template="(%(expressions)s)", arg_joiner=" + ", output_field=DateTimeField()
    )
    return Func(
        local,
        F("site__time_zone"),
        template="(%(expressions)s)",
        arg_joiner=" AT TIME ZONE ",
        output_field=DateTimeField(),
    )


class Kind(Expressed, serializers.ChoiceField):
    """What sets a plan off."""

    def __init__(self, **kwargs):
        super().__init__(Value("calendar"), choices=["calendar"], required=False, **kwargs)


class TriggerSerializer(RowSerializer):
    """When a plan falls due, on the site's clock: fixed (counted from the start) or floating (from the last
    completion); every so many units, narrowed by weekdays, the nth weekday or the last day of a month, or by a rule
    (RFC 5545) instead."""

    kind = Kind()
    start = Start(start_at_site, help_text="An instant, or a plain day; answered as an instant.")
    time = WallClock(source="due_time", required=False, help_text="Time of day on the site's clock.")
    fixed = Basis("fixed")
    floating = Basis("floating")
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, help_text="0 is Monday."
    )
    last_day = serializers.BooleanField(source="last_day_of_month", required=False)

    class Meta:
        model = PreventivePlan
        fields = ["kind", "rule", "start", "time", "fixed", "floating", "every", "unit", "weekdays", "nth", "last_day"]


class PlanSerializer(RowSerializer):
    """A job plan for one or more assets of its site whenever the trigger says so; its name is the job plan's title
    unless sent."""

    site = SiteReference(read_only=True)
    name = serializers.CharField(max_length=200, required=False)
    job_plan = JobPlanReference()
    assets = AssetReference(many=True, within="job_plan")
    trigger = TriggerSerializer(source="*")
    lead_time = Days("lead_days", help_text="Whole days, in seconds.")
    horizon = Days("horizon_days", help_text="Whole days, in seconds.")
    next_due = Computed(
        lambda: Subquery(
            PlanAsset.objects.filter(plan=OuterRef("pk"))
            .order_by()
            .values("plan")
            .annotate(next=Min("next_due"))
            .values("next")
        ),
        shape=serializers.DateTimeField(allow_null=True),
    )

    class Meta:
        model = PreventivePlan
        fields = [
            "id", "site", "name", "job_plan", "assets", "trigger", "lead_time", "horizon", "open_policy", "active",
            "next_due", "created", "version",
        ]  # fmt: skip
        read_only_fields = ["created", "version"]


class GenerationInput(Strict):
    """Also what falls due up to a moment, however short the lead time; without it what is due now."""

    until = Instant(required=False)


class GenerationResult(serializers.Serializer):
    """What a generation did."""

    orders = serializers.IntegerField()
    missed = serializers.IntegerField()
    fact = serializers.CharField()


class PreviewDue(serializers.Serializer):
    due = serializers.DateTimeField()
    assets = serializers.IntegerField()
    assumed = serializers.BooleanField(help_text="Counts on the work before being done on its day.")


class PreviewMonth(serializers.Serializer):
    month = serializers.CharField(help_text="2026-05")
    orders = serializers.IntegerField()
    working_time = serializers.FloatField(allow_null=True, help_text="Seconds; null without an estimate.")


class PreviewResult(serializers.Serializer):
    """The next twelve months of a plan."""

    sentence = serializers.CharField()
    orders = serializers.IntegerField()
    working_time = serializers.FloatField(allow_null=True)
    months = PreviewMonth(many=True)
    dues = PreviewDue(many=True)


class PlanReference(Reference):
    """A preventive plan, by id."""

    model = PreventivePlan
    code = None
    parts = {"id": "pk", "name": "name"}


class OccurrenceSerializer(RowSerializer):
    """One due moment of a plan for one asset, and what became of it."""

    plan = PlanReference(read_only=True)
    asset = AssetReference(read_only=True)
    interval = Computed(
        ExpressionWrapper(F("interval_days") * Value(float(DAY)), output_field=FloatField()),
        shape=serializers.FloatField(help_text="Seconds until it falls due again."),
    )
    work_order = OrderReference(read_only=True, allow_null=True)

    class Meta:
        model = PlanOccurrence
        fields = ["id", "plan", "asset", "sequence", "due", "interval", "state", "reason", "done_at", "work_order"]


class SkipInput(Strict):
    """Why the occurrence is left out."""

    reason = serializers.CharField(max_length=300)


class JobPlanStepSerializer(RowSerializer):
    """One step; `depends_on` is the place of an earlier step of the same job plan."""

    choices = serializers.ListField(child=serializers.CharField(max_length=80), required=False)

    class Meta:
        model = JobPlanStep
        fields = [
            "position", "kind", "text", "required", "unit", "low", "high", "choices", "depends_on", "depends_outcome",
        ]  # fmt: skip
        read_only_fields = ["position"]


class JobPlanSerializer(RowSerializer):
    """A template of work. The steps sent replace those that are there; their order is their place."""

    site = SiteReference()
    estimate = Minutes(source="estimate_minutes", required=False, allow_null=True)
    steps = JobPlanStepSerializer(many=True, required=False)

    class Meta:
        model = JobPlan
        fields = [
            "id", "site", "code", "title", "description", "estimate", "steps", "revision", "archived_at", "version",
        ]  # fmt: skip
        read_only_fields = ["revision", "archived_at", "version"]
