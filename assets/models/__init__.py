"""What the plant looks after and how it is doing."""

from assets.models.asset import Asset, AssetKind, Criticality, FormerHourlyCost, Level, Placement, RedundancyGroup
from assets.models.condition import Downtime, DowntimeReason, Failure, FailureCode, LossClass, Source

__all__ = [
    "Asset",
    "AssetKind",
    "Criticality",
    "Downtime",
    "DowntimeReason",
    "Failure",
    "FailureCode",
    "FormerHourlyCost",
    "Level",
    "LossClass",
    "Placement",
    "RedundancyGroup",
    "Source",
]
