"""What work orders and plans do when something happens elsewhere, and when an order of a plan moves."""

from core.events import reacts_to
from core.models import Event
from workorders import planning
from workorders.lifecycle import AFTER

AFTER["complete"].append(planning.order_completed)
AFTER["cancel"].append(planning.order_cancelled)
AFTER["send_back"].append(planning.order_sent_back)


@reacts_to("asset.archived", "asset.restored")
def end_or_resume_forecasts(event: Event) -> None:
    """An archived asset needs no more preventive work; a restored one needs it again from today on."""
    planning.asset_use_changed(event.data["assets"])


@reacts_to("asset.edited")
def follow_retirement(event: Event) -> None:
    """The same when an asset's day of retirement is set, moved or taken back."""
    if "retired" in event.data["changes"]:
        planning.asset_use_changed([event.object_id])
