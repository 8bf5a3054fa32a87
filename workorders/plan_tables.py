"""Lists of plans, their assets and occurrences, and of job plans."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.kit.badges import Badge
from core.kit.tables import BadgeColumn, Column, DurationColumn, Empty, NumberColumn, Table, WhenColumn
from core.run_table import RunTable
from workorders.models import JobPlan, OccurrenceState, PlanOccurrence, PreventivePlan
from workorders.trigger_words import sentence

OCCURRENCES = {
    OccurrenceState.FORECAST: Badge(_("Forecast"), "idle", "calendar-event"),
    OccurrenceState.GENERATED: Badge(_("Order open"), "watch", "clipboard-list"),
    OccurrenceState.DONE: Badge(_("Done"), "ok", "check"),
    OccurrenceState.MISSED: Badge(_("Missed"), "stop", "calendar-x"),
    OccurrenceState.SKIPPED: Badge(_("Skipped"), "idle", "player-skip-forward"),
}


def plan_badge(plan: PreventivePlan) -> Badge:
    return Badge(_("In force"), "ok", "repeat") if plan.active else Badge(_("Paused"), "idle", "player-pause")


def job_plan_badge(job_plan: JobPlan) -> Badge:
    if job_plan.archived_at:
        return Badge(_("Archived"), "idle", "archive")
    return Badge(_("In use"), "ok", "check")


def occurrence_badge(occurrence: PlanOccurrence) -> Badge:
    return OCCURRENCES[occurrence.state]


def late_by(occurrence: PlanOccurrence):
    """How long after its due moment it was done, or has been waiting; None when it is in time or lies ahead."""
    if occurrence.state not in (OccurrenceState.GENERATED, OccurrenceState.DONE):
        return None
    # As instants: two readings of one zone subtract as wall clock and lose the hour of a clock change.
    seconds = (occurrence.done_at or timezone.now()).timestamp() - occurrence.due.timestamp()
    return seconds if seconds > 0 else None


class PlanTable(Table):
    name = Column(_("Plan"), link=True, order_by="name", phone="title")
    state = BadgeColumn(_("State"), plan_badge, order_by="active")
    rule = Column(_("Falls due"), lambda plan: sentence(plan.trigger), phone="subtitle")
    next_due = WhenColumn(_("Next"), order_by="next_due")
    assets = NumberColumn(_("Assets"), "asset_count")
    job_plan = Column(_("Job plan"), "job_plan.title", link="job_plan", order_by="job_plan__title")
    lead = NumberColumn(_("Lead time"), "lead_days", unit=_("d"), order_by="lead_days", hidden=True)
    default_sort = "next_due"
    empty = Empty(_("No preventive plans yet."), _("Make the first"), "preventive-plan-new", "repeat")


class OccurrenceTable(Table):
    """Occurrences of one plan."""

    due = WhenColumn(_("Due"), order_by="due", phone="title")
    asset = Column(_("Asset"), "asset.code", link="asset", order_by="asset__code", phone="subtitle")
    state = BadgeColumn(_("State"), occurrence_badge, order_by="state")
    order = Column(_("Order"), lambda row: getattr(row, "work_order", None), link="work_order")
    number = NumberColumn(_("No."), "sequence", order_by="sequence", hidden=True)


class ComingTable(OccurrenceTable):
    late = DurationColumn(_("Overdue by"), late_by)
    skip = Column(
        _("Leave out"),
        lambda row: _("Skip…") if row.state == OccurrenceState.FORECAST else None,
        link=lambda row: reverse("occurrence-skip", args=[row.pk]),
        export=lambda row: "",
    )
    default_sort = "due"
    empty = Empty(_("Nothing lies ahead."), icon="calendar-off")


class PastTable(OccurrenceTable):
    done = WhenColumn(_("Done"), "done_at", order_by="done_at")
    late = DurationColumn(_("Late by"), late_by)
    reason = Column(_("Reason"))
    default_sort = "-due"
    empty = Empty(_("Nothing was due yet."), icon="history")


class PlanAssetTable(Table):
    asset = Column(_("Asset"), "asset.code", link="asset", order_by="asset__code", phone="title")
    name = Column(_("Name"), "asset.name", order_by="asset__name", phone="subtitle")
    next_due = WhenColumn(_("Next"), order_by="next_due")
    last_done = WhenColumn(_("Last done"), order_by="last_done")
    default_sort = "asset"


class PlansOfAsset(Table):
    """The plans of one asset, with what lies ahead for it."""

    plan = Column(_("Plan"), "plan.name", link="plan", order_by="plan__name", phone="title")
    state = BadgeColumn(_("State"), lambda pair: plan_badge(pair.plan))
    rule = Column(_("Falls due"), lambda pair: sentence(pair.plan.trigger), phone="subtitle")
    next_due = WhenColumn(_("Next"), order_by="next_due")
    last_done = WhenColumn(_("Last done"), order_by="last_done")
    default_sort = "next_due"
    empty = Empty(_("No preventive plan looks after this asset."), icon="repeat-off")


class JobPlanTable(Table):
    code = Column(_("Code"), link=True, order_by="code", phone="title")
    title = Column(_("Title"), order_by="title", phone="subtitle")
    state = BadgeColumn(_("State"), job_plan_badge)
    steps = NumberColumn(_("Steps"), "step_count")
    estimate = DurationColumn(
        _("Estimate"),
        lambda row: None if row.estimate_minutes is None else row.estimate_minutes * 60,
        order_by="estimate_minutes",
    )
    plans = NumberColumn(_("Plans"), "plan_count")
    revision = NumberColumn(_("Revision"), order_by="revision", hidden=True)
    default_sort = "code"
    empty = Empty(_("No job plans yet."), _("Write the first"), "job-plan-new", "list-check")


class GenerationTable(RunTable):
    """Runs of the generation of preventive orders."""

    name = None
    rows = NumberColumn(_("Orders"), "rows")
    site = None
    empty = Empty(_("Preventive orders have not been generated yet."), icon="clock-play")
