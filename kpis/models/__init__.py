"""What the key figures keep, and what people add to them."""

from kpis.models.agreed import Counts, DatedOfSite, LabourCapacity, NetMargin, Target
from kpis.models.facts import (
    AssetDay,
    ChangedDay,
    ComingChange,
    DayRevision,
    DaySums,
    FactState,
    FailureEvent,
    LossDay,
    Occasion,
    Silence,
)
from kpis.models.findings import Finding, FindingKind, FindingState
from kpis.models.former import FormerRow, PublishedWork, SettledChange
from kpis.models.reports import KeptReport, ReportSubscription, ReportSubscriptions, SentReport

__all__ = [
    "AssetDay",
    "ChangedDay",
    "ComingChange",
    "Counts",
    "DatedOfSite",
    "DayRevision",
    "DaySums",
    "FactState",
    "FailureEvent",
    "Finding",
    "FindingKind",
    "FindingState",
    "FormerRow",
    "KeptReport",
    "LabourCapacity",
    "LossDay",
    "NetMargin",
    "Occasion",
    "PublishedWork",
    "ReportSubscription",
    "ReportSubscriptions",
    "SentReport",
    "SettledChange",
    "Silence",
    "Target",
]
