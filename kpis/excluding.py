"""Which stops and failures of a window do not count for a figure, and why not. Pure.

A stop counts when some of its time is unplanned downtime of an asset that counts, as docs/kpi.md gives it: where stops
overlap, to the one that began first. The sweep here gives the same as `kpis.timeline`, in time that grows with the
number of stops alone.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from kpis.axis import epoch
from kpis.oracle import Piece
from kpis.plain_records import Class, Failure, Stop


class Why(StrEnum):
    """Why a record does not count."""

    NOT_IN_SERVICE = "not_in_service"  # outside the service life of its asset
    ELSEWHERE = "elsewhere"  # its asset stood elsewhere
    OF_A_LINE = "of_a_line"  # of an asset above the machines that count
    NO_COUNTS = "no_counts"  # of an asset without counts, for a figure about counts
    DOES_NOT_STOP = "does_not_stop"  # of a child that does not stop what counts
    GROUP_UP = "group_up"  # enough other members of its redundancy group were up
    NO_LENGTH = "no_length"  # it counts as a stop and takes no time
    OFF_SCHEDULE = "off_schedule"
    EXCLUDED = "excluded"  # planned, for a reason that is taken out of planned production
    OVERLAPPED = "overlapped"  # inside a stop that has the time already
    FOUND = "found"  # a failure found in maintenance
    ALREADY_DOWN = "already_down"  # of what is below: another stop held what counts before and still did
    FURTHER_ITEM = "further_item"  # of an event that had begun
    STILL_DOWN = "still_down"  # without a restoration yet, for MTTR
    NO_RESTORATION = "no_restoration"  # without a restoration time, for MTTR


class Held(NamedTuple):
    """An asset that counts from `start` to `end` (s since 1970), with the pieces of stops that hold it, in the order in
    which these are to blame (`oracle.in_turn`)."""

    asset: int
    start: int
    end: int
    pieces: Sequence[Piece]


class Part(NamedTuple):
    """A piece inside the time for which its asset counts."""

    start: int
    end: int
    kind: Class
    stop: Stop
    turn: int  # of those of one asset


class Event(NamedTuple):
    """A failure event of an asset that counts."""

    occurred: int
    found: bool
    already_down: bool
    restored: bool
    open: bool


@dataclass
class Judgement:
    """What became of the stops: those that count, and why the pieces of others that reach an asset do not.

    `why` may name the stop that has the time already.
    """

    counted: set[int] = field(default_factory=set)
    why: dict[int, tuple[Why, int | None]] = field(default_factory=dict)


def judged(held: Iterable[Held], scheduled: Callable[[int, int, int], int]) -> Judgement:
    """Of all stops with a piece in the time of an asset; `scheduled(asset, from, to)` gives its scheduled seconds."""
    found = Judgement()
    for each in held:
        parts = list(_inside(each))
        if not parts:
            continue
        segments = [
            (lo, hi, stop, over)
            for lo, hi, stop, over in _swept(parts)
            if scheduled(each.asset, lo, hi)
        ]  # fmt: skip
        found.counted |= {stop for _, _, stop, _ in segments if stop is not None}
        starts = [lo for lo, *_ in segments]
        by_stop: dict[int, list[Part]] = defaultdict(list)
        for part in parts:
            by_stop[part.stop.id].append(part)
        for pk, own in by_stop.items():
            if pk not in found.counted:
                found.why[pk] = _why(own, segments, starts, lambda lo, hi, of=each.asset: scheduled(of, lo, hi))
    for pk in found.counted:
        found.why.pop(pk, None)
    return found


def _inside(held: Held) -> Iterator[Part]:
    for turn, piece in enumerate(held.pieces):
        start, end = max(epoch(piece.start), held.start), min(epoch(piece.end), held.end)
        if start < end:
            yield Part(start, end, piece.kind, piece.stop, turn)


def there(held: Held) -> Iterator[Piece]:
    """The pieces that share time with that for which the asset counts, or lie in it as an instant."""
    for piece in held.pieces:
        start, end = epoch(piece.start), epoch(piece.end)
        if start < held.end and max(end, start + 1) > held.start:
            yield piece


Segment = tuple[int, int, int | None, int | None]  # from, to, the stop that has the time, the one that excludes it


def _swept(parts: Sequence[Part]) -> Iterator[Segment]:
    """The time of the parts, cut at their borders: in each the stop that has it, unplanned before excluded before
    counted ones, the earliest first; or the planned stop that takes it out of planned production."""
    waiting = sorted(parts, key=lambda part: part.start, reverse=True)
    lasting: dict[Class, list[tuple[int, int, int]]] = {kind: [] for kind in Class}
    for lo, hi in pairwise(sorted({moment for part in parts for moment in part[:2]})):
        while waiting and waiting[-1].start <= lo:
            part = waiting.pop()
            heappush(lasting[part.kind], (part.turn, part.stop.id, part.end))
        first = {}
        for kind, heap in lasting.items():
            while heap and heap[0][2] <= lo:
                heappop(heap)
            if heap:
                first[kind] = heap[0]
        counting = [first[kind] for kind in (Class.UNPLANNED, Class.COUNTED) if kind in first]
        if Class.EXCLUDED in first:
            counting = counting[:1] if Class.UNPLANNED in first else []
        if counting:
            yield lo, hi, min(counting)[1], None
        elif Class.EXCLUDED in first:
            yield lo, hi, None, first[Class.EXCLUDED][1]


def _why(
    own: Sequence[Part], segments: Sequence[Segment], starts: Sequence[int], scheduled: Callable[[int, int], int]
) -> tuple[Why, int | None]:
    """Why a stop with these parts of one asset has no time of it."""
    lost = [part for part in own if scheduled(part.start, part.end)]
    if not lost:
        return Why.OFF_SCHEDULE, None
    losing = [part for part in lost if part.kind is not Class.EXCLUDED]
    if not losing:
        return Why.EXCLUDED, None
    number = max(0, bisect_right(starts, losing[0].start) - 1)
    while segments[number][1] <= losing[0].start:
        number += 1
    return Why.OVERLAPPED, segments[number][2] or segments[number][3]


class Failed(NamedTuple):
    """A failure from the moment on at which an asset that counts is down for it."""

    occurred: int
    found: bool
    failure: int


def failed(held: Held, failures: dict[int, Sequence[Failure]], now: datetime) -> Iterator[Failed]:
    """The asset's own failures, and those below that stop it; `failures` by asset."""
    for each in failures.get(held.asset, ()):
        yield Failed(epoch(each.occurred), each.found, each.id)
    linked: dict[int, list[Failure]] = defaultdict(list)
    alone: dict[int, list[Failure]] = defaultdict(list)
    for asset, rows in failures.items():
        for each in rows:
            if each.stop is None:
                alone[asset].append(each)
            else:
                linked[each.stop].append(each)
    moments = {asset: [each.occurred for each in rows] for asset, rows in alone.items()}
    for piece in held.pieces:
        stop = piece.stop
        if stop.asset == held.asset or piece.kind is not Class.UNPLANNED:
            continue
        during = []
        if stop.asset in alone:
            past = now if stop.end is None else min(stop.end, now)
            at = moments[stop.asset]
            first = bisect_right(at, stop.start)
            while first and at[first - 1] == stop.start:
                first -= 1
            last = first
            while last < len(at) and at[last] < past:
                last += 1
            during = alone[stop.asset][first:last]
        for each in (*during, *linked.get(stop.id, ())):
            occurred = max(piece.start, each.occurred)
            if occurred < piece.end:
                yield Failed(epoch(occurred), each.found, each.id)


def judged_failures(
    held: Held, items: Iterable[Failed], events: Sequence[Event], *, by_items: bool, restored: bool
) -> tuple[set[int], dict[int, Why]]:
    """Which failures count as an event of the asset, and why others do not; `events` in order.

    `by_items`: every item counts. `restored`: only events with a restoration time do.
    """
    counted: set[int] = set()
    why: dict[int, Why] = {}
    moments = [event.occurred for event in events]
    begun: set[int] = set()  # events that have their first item
    for each in sorted(items):
        if not held.start <= each.occurred < held.end:
            continue
        number = bisect_right(moments, each.occurred) - 1
        if number < 0:
            why[each.failure] = Why.FURTHER_ITEM  # of an event of before
            continue
        event = events[number]
        first = number not in begun and event.occurred == each.occurred
        begun.add(number)
        if event.found:
            why[each.failure] = Why.FOUND
        elif event.already_down:
            why[each.failure] = Why.ALREADY_DOWN
        elif not (first or by_items):
            why[each.failure] = Why.FURTHER_ITEM
        elif restored and not event.restored:
            why[each.failure] = Why.STILL_DOWN if event.open else Why.NO_RESTORATION
        else:
            counted.add(each.failure)
    return counted, {pk: reason for pk, reason in why.items() if pk not in counted}
