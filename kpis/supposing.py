"""What would be failure events if stops and orders of which nobody said what they were had been failures. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from kpis import oracle
from kpis.intervals import Span
from kpis.plain_records import Failure, Records, Stop


class Unsaid(NamedTuple):
    """A corrective order of no stop and no failure, of which nobody said whether it was one."""

    asset: int
    reported: datetime


@dataclass(frozen=True, slots=True)
class Supposed:
    """So many `stops` and `orders` would be failures; by how much failure events and failed items would grow."""

    stops: int = 0
    orders: int = 0
    events: int = 0
    items: int = 0

    def __add__(self, other: "Supposed") -> "Supposed":
        return Supposed(
            self.stops + other.stops, self.orders + other.orders, self.events + other.events, self.items + other.items
        )


def unclassified(stops: Iterable[Stop], failures: Sequence[Failure], now: datetime) -> list[Stop]:
    """The unplanned stops with neither a reason nor a failure, be it linked or recorded while they lasted."""
    linked = {each.stop for each in failures}
    alone: dict[int, list[datetime]] = {}
    for each in failures:
        if each.stop is None:
            alone.setdefault(each.asset, []).append(each.occurred)
    return [
        each
        for each in stops
        if not each.planned
        and each.reason is None
        and each.id not in linked
        and not any(each.start <= at < (each.end or now) for at in alone.get(each.asset, ()))
    ]


def suppose(
    records: Records, asset: int, span: Span, stops: Sequence[Stop], orders: Sequence[Unsaid]
) -> tuple[int, int]:
    """By how much the failure events and failed items of the asset in the span would grow."""
    first = max((each.id for each in records.failures), default=0) + 1
    more = [Failure(first + place, each.asset, each.start, each.end, each.id) for place, each in enumerate(stops)]
    more += [Failure(first + len(more) + place, *each) for place, each in enumerate(orders)]
    before = _numbers(records, asset, span)
    after = _numbers(replace(records, failures=[*records.failures, *more]), asset, span)
    return after[0] - before[0], after[1] - before[1]


def _numbers(records: Records, asset: int, span: Span) -> tuple[int, int]:
    counted = [each for each in oracle.events(records, asset) if each.counts and span.covers(each.occurred)]
    return len(counted), sum(each.items for each in counted)
