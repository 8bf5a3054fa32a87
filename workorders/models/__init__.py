"""Ask, plan, do, learn: requests, orders, job plans and preventive plans."""

from workorders.models.agreed import AgreedOrder, AgreedWeek
from workorders.models.execution import Assignment, Cost, Labour, Step
from workorders.models.order import NumberSeries, WorkOrder
from workorders.models.plan import (
    JobPlan,
    JobPlanStep,
    OccurrenceState,
    PlanAsset,
    PlanOccurrence,
    PreventivePlan,
    StepKind,
)
from workorders.models.request import Request, RequestState
from workorders.states import HoldReason, Kind, Priority, State

__all__ = [
    "AgreedOrder",
    "AgreedWeek",
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
