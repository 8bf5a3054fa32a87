"""Lists of the key figures."""

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.kit.badges import Badge
from core.kit.present import number_text
from core.kit.tables import BadgeColumn, Column, Empty, Table, WhenColumn
from kpis.definitions import DEFINITIONS
from kpis.models import Counts, Finding, FindingState, NetMargin, Target


def name_of(target: Target):
    definition = DEFINITIONS.get(target.definition)
    return definition.name if definition else target.definition


def shown(target: Target, value: float | None) -> str:
    """A target's value with its unit."""
    if value is None:
        return ""
    definition = DEFINITIONS.get(target.definition)
    if definition is not None and definition.unit == "share":
        return f"{value * 100:g}\u202f%"
    return f"{value:g}\u202f{definition.unit if definition else ''}".strip()


def of_what(target: Target):
    """The asset, with its scope where it counts by itself, or the whole site."""
    if target.asset is None:
        return _("Whole site")
    if target.scope == Counts.ASSET:
        return gettext("%(asset)s, itself") % {"asset": target.asset}
    return target.asset


class TargetTable(Table):
    definition = Column(_("Figure"), name_of, link=True, order_by="definition", phone="title")
    asset = Column(_("For"), of_what, order_by="asset__code", phone="subtitle")
    value = Column(_("Target"), lambda target: shown(target, target.value))
    watch = Column(_("Near it up to"), lambda target: shown(target, target.watch), phone="hidden")
    owner = Column(_("Owner"), order_by="owner__username")
    valid_from = WhenColumn(_("Valid from"), order_by="valid_from")
    valid_to = WhenColumn(
        _("Valid to"), lambda target: target.valid_to and target.valid_to - timedelta(days=1), order_by="valid_to"
    )

    default_sort = "definition"
    empty = Empty(_("No targets yet: figures stand without a goal."), _("Set the first"), "target-new", "target")


STATES = {
    FindingState.OPEN: ("warn", "alert-triangle"),
    FindingState.MENDED: ("ok", "circle-check"),
    FindingState.ACCEPTED: ("idle", "check"),
}


def state_of(finding: Finding) -> Badge:
    return Badge(finding.get_state_display(), *STATES[FindingState(finding.state)])


class FindingTable(Table):
    kind = Column(_("Finding"), lambda finding: finding.get_kind_display(), link=True, order_by="kind", phone="title")
    asset = Column(_("Asset"), order_by="asset__code", phone="subtitle")
    state = BadgeColumn(_("State"), state_of, order_by="state")
    owner = Column(_("Owner"), lambda finding: finding.owner or _("nobody yet"), order_by="owner__username")
    due = WhenColumn(_("Due"), order_by="due")
    found_at = WhenColumn(_("Found"), order_by="found_at")
    seen_at = WhenColumn(_("Last seen"), order_by="seen_at", relative=True, phone="hidden")

    empty = Empty(_("Nothing odd was found in the records."), icon="circle-check")


def margin_text(margin: NetMargin) -> str:
    return f"{number_text(margin.amount, 2)}\u202f{margin.site.currency}"


class NetMarginTable(Table):
    valid_from = WhenColumn(_("Valid from"), link=True, order_by="valid_from", phone="title")
    amount = Column(_("Net margin of a year"), margin_text, order_by="amount")

    default_sort = "-valid_from"
    empty = Empty(
        _("No net margin yet: what stops cost is shown in money only."), _("Enter the first"), "net-margin-new", "coins"
    )


def hours_of_week(hours: Decimal | None) -> str:
    return "–" if hours is None else f"{number_text(hours, 1)}\u202fh"


class LabourCapacityTable(Table):
    valid_from = WhenColumn(_("Valid from"), link=True, order_by="valid_from", phone="title")
    net = Column(_("Hours a week for orders"), lambda row: hours_of_week(row.net), order_by="net")
    paid = Column(_("Paid hours a week"), lambda row: hours_of_week(row.paid), order_by="paid")

    default_sort = "-valid_from"
    empty = Empty(
        _("No labour capacity yet: the backlog is shown in hours only."),
        _("Enter the first"),
        "labour-capacity-new",
        "users",
    )
