"""Ask, plan, do, learn: requests, orders, job plans and preventive plans."""

from workorders.models.order import (
    Assignment,
    Cost,
    HoldReason,
    Kind,
    Labour,
    NumberSeries,
    Priority,
    Request,
    RequestState,
    State,
    Step,
    StepKind,
    WorkOrder,
)
from workorders.models.plan import (
    JobPlan,
    JobPlanStep,
    OccurrenceState,
    PlanAsset,
    PlanOccurrence,
    PreventivePlan,
)

__all__ = [
    "Assignment",
    "Cost",
    "HoldReason",
    "JobPlan",
    "JobPlanStep",
    "Kind",
    "Labour",
    "NumberSeries",
    "OccurrenceState",
    "PlanAsset",
    "PlanOccurrence",
    "PreventivePlan",
    "Priority",
    "Request",
    "RequestState",
    "State",
    "Step",
    "StepKind",
    "WorkOrder",
]
