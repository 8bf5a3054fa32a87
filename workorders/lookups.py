"""How orders and requests are found by typing."""

from dataclasses import dataclass

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from core.kit.lookups import Lookup, register
from workorders.filters import matching


@dataclass(frozen=True)
class OrderLookup(Lookup):
    """Orders by number first, then by text, newest first; by index, for there may be a hundred thousand."""

    def find(self, rows: QuerySet, text: str) -> QuerySet:
        if not text.strip():
            return rows.none()
        number = text.strip().removeprefix("#")
        exact = [When(number=int(number), then=Value(0))] if number.isascii() and number.isdigit() else []
        rank = Case(*exact, default=Value(1), output_field=IntegerField()) if exact else Value(1)
        return matching(rows, text).annotate(rank=rank).order_by("rank", "-pk")


register(
    OrderLookup(
        "workorders.WorkOrder",
        ("number", "summary"),
        label=_("Work orders"),
        icon="clipboard-list",
        detail=lambda order: f"{order.asset.code} · {order.badge.label}",
        related=("asset",),
    )
)
register(
    Lookup(
        "workorders.Request",
        ("summary",),
        label=_("Requests"),
        icon="inbox",
        detail=lambda request: f"{request.asset.code} · {request.badge.label}",
        related=("asset", "work_order"),
    )
)
register(
    Lookup(
        "workorders.JobPlan",
        ("code", "title"),
        label=_("Job plans"),
        icon="list-check",
        detail=lambda job_plan: _("Archived") if job_plan.archived_at else "",
    )
)
register(
    Lookup(
        "workorders.PreventivePlan",
        ("name",),
        label=_("Preventive plans"),
        icon="repeat",
        detail=lambda plan: plan.job_plan.title,
        related=("job_plan",),
    )
)
