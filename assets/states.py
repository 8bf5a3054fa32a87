"""How states of assets, stops and failures look: word, tone and icon."""

from django.utils.translation import gettext_lazy as _

from assets.models import Asset, Criticality, Downtime
from core.kit.badges import Badge

DOWN = Badge(_("Down"), "stop", "player-pause")
PLANNED_STOP = Badge(_("Planned stop"), "watch", "calendar-pause")
UNPLANNED = Badge(_("Unplanned"), "warn", "bolt")
PLANNED = Badge(_("Planned"), "watch", "calendar")
ARCHIVED = Badge(_("Archived"), "idle", "archive")
RETIRED = Badge(_("Retired"), "idle", "door-exit")
FAILED = Badge(_("Failure"), "stop", "alert-octagon")
NOT_RESTORED = Badge(_("Not restored"), "stop", "tool")
CRITICALITY = {
    Criticality.A: Badge(Criticality.A.label, "stop", "alert-octagon"),
    Criticality.B: Badge(Criticality.B.label, "warn", "alert-triangle"),
    Criticality.C: Badge(Criticality.C.label, "idle", "circle"),
}


def state_of(asset: Asset) -> Badge | None:
    """Down, archived or retired; None says nothing, since no open stop does not prove that it runs.

    Reads `down_since` and `down_planned` where the queryset has them (`with_state`), else asks for the open stop.
    """
    if asset.archived_at:
        return ARCHIVED
    if hasattr(asset, "down_since"):
        down, planned = asset.down_since is not None, asset.down_planned
    else:
        stop = asset.downtimes.open().first()
        down, planned = stop is not None, stop is not None and stop.planned
    if down:
        return PLANNED_STOP if planned else DOWN
    return RETIRED if asset.is_retired else None


def criticality_of(asset: Asset) -> Badge:
    return CRITICALITY[asset.criticality]


def kind_of_open(stop: Downtime) -> Badge:
    """How an open stop is called."""
    return PLANNED_STOP if stop.planned else DOWN


def kind_of_stop(stop: Downtime) -> Badge:
    return PLANNED if stop.planned else UNPLANNED
