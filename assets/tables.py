"""Lists of assets and of what happened to them."""

from django.utils.translation import gettext_lazy as _

from assets import states
from assets.models import Downtime
from core.kit import present
from core.kit.tables import BadgeColumn, Column, DurationColumn, Empty, NumberColumn, Table, WhenColumn


class AssetTable(Table):
    code = Column(_("Code"), link=True, order_by="code", phone="title")
    name = Column(_("Name"), order_by="name", phone="subtitle")
    state = BadgeColumn(_("State"), states.state_of, order_by="down_since")
    down_since = WhenColumn(_("Down since"), order_by="down_since", relative=True, phone="hidden", hidden=True)
    parent = Column(_("Stands in"), "parent.code", link="parent", order_by="parent__code")
    criticality = BadgeColumn(_("Criticality"), states.criticality_of, order_by="criticality", phone="detail")
    kind = Column(_("Kind"), "kind.name", order_by="kind__name")
    level = Column(_("Level"), "get_level_display", order_by="level", phone="hidden")
    manufacturer = Column(_("Manufacturer"), order_by="manufacturer", hidden=True)
    model = Column(_("Model"), order_by="model", hidden=True)
    serial_number = Column(_("Serial number"), order_by="serial_number", hidden=True)
    downtime_cost = NumberColumn(_("Hour down"), order_by="downtime_cost", digits=2, hidden=True)
    replacement_value = NumberColumn(_("Replacement value"), order_by="replacement_value", digits=2, hidden=True)
    commissioned = WhenColumn(_("Commissioned"), order_by="commissioned", hidden=True)
    retired = WhenColumn(_("Retired"), order_by="retired", hidden=True)

    default_sort = "code"
    empty = Empty(_("No assets here yet."), _("Add the first"), "asset-new", "building-factory-2")


class EndColumn(WhenColumn):
    """The end of a stop; while there is none, that it is still down."""

    def html(self, row: Downtime):
        return super().html(row) if row.end else present.badge(states.kind_of_open(row))


class DowntimeTable(Table):
    start = WhenColumn(_("Start"), order_by="start", link=True, phone="title")
    end = EndColumn(_("End"), order_by="end")
    lasted = DurationColumn(_("Lasted"), order_by="lasted")
    asset = Column(_("Asset"), link="asset", order_by="asset__code", phone="subtitle")
    reason = Column(_("Reason"), "reason.name", order_by="reason__name")
    planned = BadgeColumn(_("Planned"), states.kind_of_stop, order_by="planned")
    failed = BadgeColumn(
        _("Failure"), lambda stop: states.FAILED if stop.failed else None, order_by="failed", phone="detail"
    )
    note = Column(_("Note"), hidden=True)
    source = Column(_("Source"), "get_source_display", order_by="source", phone="hidden")
    entered_at = WhenColumn(_("Entered"), order_by="entered_at", hidden=True)
    entered_by = Column(_("Entered by"), order_by="entered_by__username", hidden=True)
    external_id = Column(_("External id"), order_by="external_id", hidden=True)

    default_sort = "-start"
    empty = Empty(_("No stops here."), _("Record a stop"), "downtime-new", "player-pause")


class FailureTable(Table):
    occurred = WhenColumn(_("Occurred"), order_by="occurred", link=True, phone="title")
    restored = WhenColumn(_("Restored"), order_by="restored")
    lasted = DurationColumn(_("To restoration"), order_by="lasted")
    asset = Column(_("Asset"), link="asset", order_by="asset__code", phone="subtitle")
    state = BadgeColumn(_("State"), lambda failure: None if failure.restored else states.NOT_RESTORED)
    component = Column(_("Failed item"), order_by="component")
    problem = Column(_("Problem"), "problem.name", order_by="problem__name")
    cause = Column(_("Cause"), "cause.name", order_by="cause__name")
    remedy = Column(_("Remedy"), "remedy.name", order_by="remedy__name", hidden=True)
    detection = Column(_("Detection"), "get_detection_display", order_by="detection", hidden=True)
    source = Column(_("Source"), "get_source_display", order_by="source", hidden=True)
    external_id = Column(_("External id"), order_by="external_id", hidden=True)

    default_sort = "-occurred"
    empty = Empty(_("No failures here."), _("Record a failure"), "failure-new", "alert-octagon")


class ReasonTable(Table):
    name = Column(_("Name"), link=True, order_by="name", phone="title")
    code = Column(_("Code"), order_by="code", phone="subtitle")
    kind = Column(_("For"), lambda reason: reason.kind or _("all kinds"), order_by="kind__name")
    planned = BadgeColumn(_("Planned"), states.kind_of_stop, order_by="planned")
    excluded = Column(_("Taken out of planned production"), order_by="excluded")
    loss_class = Column(_("Loss"), "get_loss_class_display", order_by="loss_class")
    active = Column(_("In use"), order_by="active")

    default_sort = "name"
    empty = Empty(_("No reasons yet; people record stops without one."), _("Add the first"), "downtime-reason-new")


class FailureCodeTable(Table):
    name = Column(_("Name"), link=True, order_by="name", phone="title")
    code = Column(_("Code"), order_by="code", phone="subtitle")
    list = Column(_("List"), "get_list_display", order_by=("list", "name"))
    kind = Column(_("For"), lambda code: code.kind or _("all kinds"), order_by="kind__name")

    default_sort = "list"
    empty = Empty(_("No failure codes yet."), _("Add the first"), "failure-code-new")


class KindTable(Table):
    name = Column(_("Name"), link=True, order_by="name", phone="title")
    code = Column(_("Code"), order_by="code", phone="subtitle")
    assets = NumberColumn(_("Assets"), "asset_count", order_by="asset_count")

    default_sort = "name"
    empty = Empty(_("No kinds of assets yet."), _("Add the first"), "asset-kind-new")
