"""What can be asked: one small class per key figure. Each has a version; a change of meaning is a new version."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from kpis import formulas
from kpis.formulas import Facts, Reason, Result


@dataclass(frozen=True)
class Definition:
    """One key figure: how it is called, computed and read.

    `unit` is "share" (0.95 is 95 %) or "h"; `better` says which direction is good; `counted` figures are about
    assets with production counts only.
    """

    key: str
    name: Any
    unit: str
    better: str  # "higher" or "lower"
    formula: Any  # in words
    doc: Any
    compute: Callable[..., Result]
    version: int = 1
    counted: bool = False

    def of(self, facts: Facts, threshold: float) -> Result:
        """The figure; below `threshold` of coverage it is partial."""
        return self.compute(facts, threshold=threshold)


DEFINITIONS = {
    each.key: each
    for each in [
        Definition(
            "availability", _("Availability"), "share", "higher", _("operating time ÷ planned production time"),
            _("Operational availability: the share of planned production time in which the asset was up."),
            formulas.availability,
        ),
        Definition(
            "achieved_availability", _("Achieved availability"), "share", "higher",
            _("(scheduled time − all downtime) ÷ scheduled time"),
            _("As availability, but planned maintenance and other planned stops count as downtime as well."),
            formulas.achieved_availability,
        ),
        Definition(
            "mtbf", _("MTBF"), "h", "higher", _("operating time ÷ failure events"),
            _("Mean operating time between failures. Time before the first and after the last failure counts."),
            formulas.mtbf,
        ),
        Definition(
            "mtbf_by_items", _("MTBF by items"), "h", "higher", _("operating time ÷ failed items"),
            _("As MTBF, each failed item of one event counted as a failure of its own."), formulas.mtbf_by_items,
        ),
        Definition(
            "mttr", _("MTTR"), "h", "lower", _("time to restoration ÷ restored failure events"),
            _("Mean time to restoration in clock hours, of failures that occurred in the window."),
            formulas.mttr,
        ),
        Definition(
            "oee", _("OEE"), "share", "higher", _("good pieces at ideal cycle time ÷ planned production time"),
            _("Overall equipment effectiveness: availability × performance × quality of the assets with counts."),
            formulas.oee, counted=True,
        ),
        Definition(
            "performance", _("Performance rate"), "share", "higher", _("pieces at ideal cycle time ÷ operating time"),
            _("How fast it ran while it ran; above 100 % the ideal cycle time is too long or a count is wrong."),
            formulas.performance, counted=True,
        ),
        Definition(
            "quality", _("Quality rate"), "share", "higher", _("good ÷ all pieces, both at ideal cycle time"),
            _("Share of good first-pass pieces, weighted by time so that it holds over mixed products."),
            formulas.quality, counted=True,
        ),
        Definition(
            "quality_by_pieces", _("Quality by pieces"), "share", "higher", _("good pieces ÷ all pieces"),
            _("Share of good first-pass pieces, every piece alike."), formulas.quality_by_pieces, counted=True,
        ),
        Definition(
            "teep", _("TEEP"), "share", "higher", _("good pieces at ideal cycle time ÷ calendar time"),
            _("Total effective equipment performance: OEE over the whole calendar."), formulas.teep, counted=True,
        ),
    ]
}  # fmt: skip

REASONS = {
    Reason.NONE: "",
    Reason.NOT_BEGUN: _("This window has not begun."),
    Reason.NOT_IN_SERVICE: _("It was not in service in this window."),
    Reason.NO_RECORDS: _("Nothing was ever recorded for it, so its state is unknown."),
    Reason.NO_PLANNED_TIME: _("No production was planned in this window."),
    Reason.NO_OPERATING_TIME: _("It did not operate in this window."),
    Reason.NO_FAILURES: _("No failure occurred in this window."),
    Reason.NO_RESTORATION_TIMES: _("No restoration times were recorded."),
    Reason.NOT_RESTORED_YET: _("No failure of this window has been restored yet."),
    Reason.NO_COUNTS: _("No production counts were reported."),
    Reason.NOTHING_MADE: _("Nothing was made."),
    Reason.LOW_COVERAGE: _("The state is known for too small a part of the planned time."),
    Reason.FASTER_THAN_IDEAL: _("More was made than the ideal cycle time allows: it is too long, or a count is wrong."),
    Reason.COUNTED_WHILE_DOWN: _("Pieces were counted while no operating time was recorded."),
    Reason.NOTHING_DUE: _("Nothing was due in this window."),
}

# The steps of the waterfall from planned production time down to good time.
LOSSES = {
    "breakdown": _("Breakdowns"),
    "setup": _("Setup and adjustment"),
    "other": _("Other stops"),
    "short": _("Short stops"),
    "unclassified": _("Without a reason"),
    "reduced_speed": _("Reduced speed"),
    "scrap": _("Scrap"),
    "rework": _("Rework"),
    "good": _("Good time"),
}
