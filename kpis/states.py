"""What the machines of an asset or a site did in a window, span by span; read for the page of the state timeline."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assets.models import Asset
from kpis.axis import epoch, instant
from kpis.facts.records import Shelf, shelf
from kpis.figures import Period
from kpis.intervals import Span, clip, subtract
from kpis.timeline import State, StateSpan, timeline

STOPPED = (State.DOWN, State.PLANNED_STOP)


@dataclass(frozen=True)
class Machine:
    """A machine with its states in order.

    `observed` is whether anything is known of it in these spans: nothing is where nothing was ever recorded, and where
    its source was silent throughout; `silent` says that it was at some time.
    """

    asset: Asset
    observed: bool
    spans: list[StateSpan]
    silent: bool = False

    def seconds(self, state: State) -> float | None:
        """Seconds in the state; None where nobody knows, which is not 0."""
        if not self.observed and state not in (State.NOT_SCHEDULED, State.UNKNOWN):
            return None
        return sum(each.span.seconds for each in self.spans if each.state is state)


@dataclass(frozen=True)
class StopOnMachine:
    """What a stop took of a machine's scheduled time, together; from its first span in the window to its last."""

    machine: Asset
    state: State
    stop_id: int
    reason_id: int | None
    start: datetime
    end: datetime
    open: bool
    seconds: float


def records_of(period: Period) -> Shelf:
    """The stops that concern the period's assets, for all pictures of its page."""
    end = min(period.end, period.now)
    return shelf(period.site, set(period.assets), period.start, end, period.now, stops_only=True)


def machines(period: Period, known: Shelf) -> list[Machine]:
    """The period's assets by code, each for as long as it stood there."""
    spans: dict[int, list[StateSpan]] = defaultdict(list)
    unobserved = set(period.unobserved)
    told, silent = set(), set()
    for each in period.members:
        asset_id = each.member.asset_id
        part = Span(instant(max(epoch(period.start), each.since)), instant(min(epoch(period.end), each.until)))
        gone = clip(period.silent(asset_id), part) if asset_id not in unobserved else ()
        spans[asset_id] += timeline(known.of(asset_id), asset_id, part, known=asset_id not in unobserved, silent=gone)
        if gone:
            silent.add(asset_id)
        if asset_id not in unobserved and subtract(clip((part,), Span(part.start, period.now)), gone):
            told.add(asset_id)
    rows = Asset.objects.filter(pk__in=spans).order_by("code", "pk")
    return [Machine(row, row.pk in told, spans[row.pk], row.pk in silent) for row in rows]


def stops_of(found: Sequence[Machine], *, now: datetime) -> list[StopOnMachine]:
    """The stops of the machines: unplanned ones, then planned ones, those that took most time first."""
    taken: dict[tuple, list[StateSpan]] = defaultdict(list)
    for machine in found:
        for each in machine.spans:
            if each.state in STOPPED and each.stop:
                taken[machine.asset, each.state, each.stop].append(each)
    stops = [
        StopOnMachine(
            machine=asset,
            state=state,
            stop_id=stop.id,
            reason_id=stop.reason,
            start=spans[0].span.start,
            end=spans[-1].span.end,
            open=stop.end is None and spans[-1].span.end >= now.replace(microsecond=0),
            seconds=sum(each.span.seconds for each in spans),
        )
        for (asset, state, stop), spans in taken.items()
    ]
    return sorted(stops, key=lambda each: (STOPPED.index(each.state), -each.seconds, each.start, each.machine.code))
