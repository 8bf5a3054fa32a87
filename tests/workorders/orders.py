"""Orders of the shared plant in any state, ready for the moves that leave it."""

from datetime import datetime, timedelta

from django.utils import timezone

from assets.models import Asset
from tests.plant import Plant
from workorders.models import Cost, Step, WorkOrder
from workorders.raising import take_numbers
from workorders.states import Kind, State

EVERY_INPUT = {
    "plan": {"estimate_minutes": 30},
    "hold": {"reason": "parts"},
    "complete": {"was_failure": False},
    "send_back": {"question": "Is the guard back on?"},
    "cancel": {"reason": "Not needed any more"},
    "reopen": {"reason": "It leaks again"},
}


def order(plant: Plant, state: str = State.APPROVED, *, asset: Asset | None = None, **fields) -> WorkOrder:
    """An order at the plant in this state, with one answered step, an assignment and labour, so that guards hold."""
    asset = asset or plant.filler
    now = timezone.now()
    begun = state in (State.IN_PROGRESS, State.ON_HOLD, State.COMPLETED, State.CLOSED)
    started = now - timedelta(hours=2)
    made = WorkOrder.objects.create(
        **{
            "site": asset.site,
            "number": take_numbers(asset.site)[0],
            "asset": asset,
            "summary": "Replace the bearing",
            "kind": Kind.CORRECTIVE,
            "state": state,
            "priority": 2 if asset.criticality == "A" else 3,
            "estimate_minutes": 60,
            "reported_by": plant.requester,
            "reported_at": now - timedelta(hours=4),
            "started_at": started if begun else None,
            "completed_at": now - timedelta(minutes=20) if state in (State.COMPLETED, State.CLOSED) else None,
            "closed_at": now - timedelta(minutes=10) if state == State.CLOSED else None,
            "hold_reason": "parts" if state == State.ON_HOLD else "",
            **fields,
        }
    )
    Step.objects.create(
        order=made, position=1, text="Check for play", outcome="ok", answered_by=plant.technician, answered_at=now
    )
    made.assignments.create(person=plant.technician, start=now + timedelta(hours=1), minutes=60)
    if begun:
        made.labour.create(person=plant.technician, start=started, end=now - timedelta(hours=1), hourly_rate=40)
    return made


def step(order: WorkOrder, kind: str = "check", **fields) -> Step:
    """One more step, unanswered."""
    last = order.steps.order_by("-position").values_list("position", flat=True).first() or 0
    return order.steps.create(**{"kind": kind, "text": f"{kind} step", "position": last + 1, **fields})


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    """A moment of March 2026 in UTC."""
    return datetime(2026, 3, day, hour, minute, tzinfo=timezone.get_fixed_timezone(0))


def spent(order: WorkOrder) -> list[tuple[str, str]]:
    return [(cost.source, str(cost.amount)) for cost in Cost.objects.filter(order=order)]
