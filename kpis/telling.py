"""In words: why records do not count, which run computed a figure, what kind of record a source gave."""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from assets.models import Downtime, Failure, Source
from kpis.excluded import Excluded, LeftOut
from kpis.excluding import Why
from kpis.facts.work_sources import PLAN
from kpis.models import Occasion

WHY = {
    Why.NOT_IN_SERVICE: _("outside the service life of its asset"),
    Why.ELSEWHERE: _("its asset stood elsewhere then"),
    Why.OF_A_LINE: _("of an asset above the machines that count"),
    Why.NO_COUNTS: _("of an asset without counts"),
    Why.DOES_NOT_STOP: _("does not stop what counts here"),
    Why.GROUP_UP: _("enough other members of its redundancy group were up"),
    Why.NO_LENGTH: _("began and ended at once: takes no time"),
    Why.OFF_SCHEDULE: _("outside scheduled time"),
    Why.EXCLUDED: _("planned, for a reason that is taken out of planned production"),
    Why.OVERLAPPED: _("inside another stop, which has its time already"),
    Why.FOUND: _("found in maintenance"),
    Why.ALREADY_DOWN: _("what counts was down already, by another stop"),
    Why.FURTHER_ITEM: _("further item of a failure that had begun"),
    Why.STILL_DOWN: _("still down"),
    Why.NO_RESTORATION: _("no restoration time"),
}
KINDS = {
    "stop": _("Stops"), "failure": _("Failures"), "count": _("Counts"), "order": _("Work orders"),
    "request": _("Requests"),
}  # fmt: skip
SOURCES = {**dict(Source.choices), PLAN: _("Preventive plan")}
RUNS = {
    Occasion.COMPLETED: _("by the nightly run"),
    Occasion.CHANGED: _("by the run for changed days"),
    Occasion.AGAIN: _("by a run that computed everything again"),
    None: _("by a run that was not noted"),
}


class Total(NamedTuple):
    """How many records of a kind do not count for one reason."""

    type: str
    kind: Any
    why: Why
    words: Any
    records: int


def totals(left: LeftOut) -> list[Total]:
    """All that does not count, most first."""
    return [
        Total(type_, KINDS[type_], why, WHY[why], records)
        for type_, found in (("stop", left.stops), ("failure", left.failures))
        for why, records in found.items()
    ]


class Row(NamedTuple):
    """One record that does not count."""

    type: str
    row: Downtime | Failure
    why: Why
    words: Any
    by: Downtime | None

    @property
    def at(self):
        return self.row.start if isinstance(self.row, Downtime) else self.row.occurred


def rows(found: list[Excluded]) -> list[Row]:
    return [
        Row("stop" if isinstance(each.row, Downtime) else "failure", each.row, each.why, WHY[each.why], each.by)
        for each in found
    ]
