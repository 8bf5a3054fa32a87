"""Lists of orders and of requests."""

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.kit.badges import Badge
from core.kit.present import badge
from core.kit.tables import BadgeColumn, Column, DurationColumn, Empty, Table, WhenColumn
from workorders.models import WorkOrder

OVERDUE = Badge(_("Overdue"), "warn", "clock-exclamation")


def assigned_people(order: WorkOrder) -> str:
    """Who is on it, each once, in the order of their starts."""
    return ", ".join(dict.fromkeys(str(assignment.person) for assignment in order.assignments.all()))


class DueColumn(WhenColumn):
    """The end of the due window; when it is past, that it is late."""

    def show(self, value, row: WorkOrder):
        shown = super().show(value, row)
        return format_html("{} {}", shown, badge(OVERDUE)) if row.is_overdue else shown


class OrderTable(Table):
    number = Column(_("Number"), "code", link=True, order_by="number", export=lambda row: row.number)
    summary = Column(_("Summary"), link=True, order_by="summary", phone="title")
    state = BadgeColumn(_("State"), "badge", order_by="state")
    priority = BadgeColumn(_("Priority"), "priority_badge", order_by=("priority", "due_to"), phone="detail")
    asset = Column(_("Asset"), "asset.code", link="asset", order_by="asset__code", phone="subtitle")
    asset_name = Column(_("Name of the asset"), "asset.name", order_by="asset__name", hidden=True)
    kind = Column(_("Kind"), "get_kind_display", order_by="kind")
    due = DueColumn(_("Due"), "due_to", order_by="due_to", relative=True)
    assigned = Column(_("Assigned"), assigned_people)
    owner = Column(_("Has the ball"), order_by="owner__last_name", phone="hidden")
    since = WhenColumn(_("In this state since"), "state_since", order_by="state_since", relative=True, hidden=True)
    hold = Column(_("On hold because"), "get_hold_reason_display", order_by="hold_reason", hidden=True)
    estimate = DurationColumn(
        _("Estimate"),
        lambda row: row.estimate_minutes * 60 if row.estimate_minutes else None,
        order_by="estimate_minutes",
        hidden=True,
    )
    reported = WhenColumn(_("Reported"), "reported_at", order_by="reported_at", hidden=True)
    reported_by = Column(_("Reported by"), order_by="reported_by__last_name", hidden=True)
    completed = WhenColumn(_("Completed"), "completed_at", order_by="completed_at", hidden=True)
    job_plan = Column(_("Job plan"), order_by="job_plan__code", hidden=True)
    source = Column(_("Source"), "get_source_display", order_by="source", hidden=True)
    external_id = Column(_("External id"), hidden=True)

    default_sort = "-number"
    empty = Empty(_("No work orders here."), _("Raise one"), "work-order-new", "clipboard-list")


class RequestTable(Table):
    summary = Column(_("What is wrong"), link=True, order_by="summary", phone="title")
    asset = Column(_("Asset"), "asset", link="asset", order_by="asset__code", phone="subtitle")
    state = BadgeColumn(_("State"), "badge", order_by="state")
    down = BadgeColumn(
        _("Stands still"),
        lambda row: Badge(_("Stands still"), "stop", "player-pause") if row.is_down else None,
        order_by="is_down",
        phone="detail",
    )
    order = Column(_("Order"), lambda row: row.work_order.code if row.work_order else None, link="work_order")
    reported = WhenColumn(_("Reported"), "reported_at", order_by="reported_at", relative=True)
    reported_by = Column(_("Reported by"), order_by="reported_by__last_name")
    answer = Column(_("Answer"))

    default_sort = "-reported"
    empty = Empty(_("No requests here."), _("Report a problem"), "request-new", "inbox")
