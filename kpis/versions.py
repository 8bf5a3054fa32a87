"""Versions of definitions: since when each holds, what it changed, and how the figure was defined before.

Whoever changes what a figure means gives its definition the next `version` in `kpis.definitions`, and writes here the
day, what changed, and the former definition as code. So a figure can be asked for in the version that held, beside the
one that holds.
"""

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.errors import Refused
from kpis.definitions import DEFINITIONS, Definition


@dataclass(frozen=True)
class Step:
    """One version in the history of a definition; `former` is its code where another version has followed."""

    since: date
    changed: Any = ""  # against the version before
    former: Definition | None = None


@dataclass(frozen=True)
class Version:
    """A definition as it holds, or held, from `since` until before `until`; None: no day is known, or none came."""

    definition: Definition
    since: date | None
    until: date | None = None
    changed: Any = ""

    @property
    def number(self) -> int:
        return self.definition.version

    @property
    def is_current(self) -> bool:
        return self.until is None


TIME, WORK, MARGIN, PRICES = (date(2026, 11, day) for day in (22, 26, 29, 30))
AGREED = date(2026, 12, 1)
THEN = _(
    "Each stop is charged at the cost of one hour down that held at its time. Version 1 charged all stops, those"
    " of years ago too, at the cost that the asset has today."
)
TODAY = _(
    "At the cost of one hour down that each asset has today, whenever the stop was; below an asset with such a cost"
    " nothing is charged again."
)

# The first version first. Of most definitions there has been one only.
HISTORY: dict[str, list[Step]] = {
    **{
        key: [Step(TIME)]
        for key in (
            "availability", "achieved_availability", "mtbf", "mtbf_by_items", "mttr", "oee", "quality",
            "quality_by_pieces", "teep",
        )
    },
    **{
        key: [Step(WORK)]
        for key in (
            "preventive_compliance", "preventive_compliance_on_time", "preventive_compliance_ten_percent",
            "scheduled_maintenance_critical", "planned_work_share", "emergency_work_share", "backlog_weeks",
            "ready_backlog_weeks", "backlog_hours", "ready_backlog_hours", "open_order_age_median",
            "open_order_age_p90", "mtta", "rework_share", "maintenance_cost", "mttr_detect", "mttr_wait", "mart",
            "mttr_hand_back", "mrt", "restoration_median", "restoration_p90", "mttr_scheduled", "inherent_availability",
        )
    },
    "oee_availability": [Step(PRICES)],
    "wrench_time": [Step(PRICES)],
    "schedule_compliance": [Step(AGREED)],
    "break_in_share": [Step(AGREED)],
    "performance": [
        Step(
            TIME,
            former=replace(
                DEFINITIONS["performance"], version=1, profiled=False,
                formula=_("pieces at ideal cycle time ÷ operating time"),
                doc=_("How fast it ran while it ran; above 100 % the ideal cycle is too long or a count is wrong."),
            ),
        ),
        Step(
            PRICES,
            _("Where the OEE profile of the site makes short stops performance losses, their time counts as running"
              " here. By the other profile nothing has changed."),
        ),
    ],
    "maintenance_cost_per_unit": [Step(PRICES)],
    "maintenance_cost_of_replacement_value": [Step(PRICES)],
    "downtime_cost": [
        Step(WORK, former=replace(DEFINITIONS["downtime_cost"], version=1, records="stood_today", doc=TODAY)),
        Step(PRICES, THEN),
    ],
    "downtime_cost_of_margin": [
        Step(
            MARGIN,
            former=replace(
                DEFINITIONS["downtime_cost_of_margin"], version=1, records="lens_today",
                doc=_("What stops cost at the hourly costs of today, as a share of what the site earns in the same"
                      " window. The net margin of a year counts by time, from the day it holds."),
            ),
        ),
        Step(PRICES, THEN),
    ],
}  # fmt: skip


def versions_of(key: str) -> list[Version]:
    """All versions of a definition, the one that holds first."""
    current, steps = DEFINITIONS[key], HISTORY.get(key, [])
    if not steps:
        return [Version(current, None)]
    found = [
        Version(step.former or current, step.since, after and after.since, step.changed)
        for step, after in pairwise([*steps, None])
    ]
    return found[::-1]


def version_of(definition: Definition) -> Version:
    """When this very definition holds, or held."""
    return next(each for each in versions_of(definition.key) if each.number == definition.version)


def since(definition: Definition) -> date | None:
    """The day from which this version holds."""
    return version_of(definition).since


def in_force(key: str, day: date) -> Version:
    """The version that held on a day; before there was any, the first."""
    found = versions_of(key)
    return next((each for each in found if each.since is None or each.since <= day), found[-1])


def in_version(key: str, number: int | None) -> Definition:
    """The definition in a version that somebody asked for; without a number in the one that holds."""
    if number is None:
        return DEFINITIONS[key]
    found = {each.number: each.definition for each in versions_of(key)}
    if number not in found:
        known = ", ".join(str(each) for each in sorted(found))
        raise Refused(
            _("%(name)s has no such version; known are: %(known)s.") % {"name": DEFINITIONS[key].name, "known": known},
            code="unknown_version", field="definition_version",
        )  # fmt: skip
    return found[number]
