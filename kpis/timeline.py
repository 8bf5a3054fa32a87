"""What an asset did in a window, as disjoint spans: one state at a time, and the stop that is to blame.

Pure. The spans of one asset cover the window in its service life; their seconds are the time model of docs/kpi.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kpis.intervals import Span, Spans, clip, intersect, subtract, union
from kpis.oracle import Piece, _served, effective_pieces, in_turn, scheduled
from kpis.plain_records import Class, Records, Stop


class State(StrEnum):
    """The states that make up calendar time."""

    OPERATING = "operating"  # OT
    DOWN = "down"  # UD
    PLANNED_STOP = "planned stop"  # PS
    NOT_SCHEDULED = "not scheduled"  # CT − PT
    UNKNOWN = "unknown"  # PT of an asset of which nothing was ever recorded, or in which its source was silent


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A span in one state; `stop` is the stop that began first, for DOWN and PLANNED_STOP."""

    span: Span
    state: State
    stop: Stop | None = None


def timeline(
    records: Records, asset: int, window: Span, *, known: bool = True, silent: Spans = ()
) -> list[StateSpan]:  # fmt: skip
    """The states of the asset in order; in the `silent` spans, which no stop touches, nobody knows them."""
    window = _served(records, asset, window)
    plan = scheduled(records, asset, window)
    if not known:
        return _in_order([(plan, State.UNKNOWN, None), (subtract((window,), plan), State.NOT_SCHEDULED, None)])
    pieces = in_turn(records, effective_pieces(records, asset))
    unplanned = union(piece.span for piece in pieces if piece.kind is Class.UNPLANNED)
    excluded = union(piece.span for piece in pieces if piece.kind is Class.EXCLUDED)
    down = [
        (intersect(clip(part, window), plan), State.DOWN, stop)
        for part, stop in _blamed(pieces, excluded, planned=False)
    ]
    planned = [
        (intersect(clip(subtract(part, unplanned), window), plan), State.PLANNED_STOP, stop)
        for part, stop in _blamed(pieces, excluded, planned=True)
    ]
    stopped = union(*(spans for spans, _, _ in (*down, *planned)))
    return _in_order(
        [
            *down,
            *planned,
            (subtract(plan, (*stopped, *silent)), State.OPERATING, None),
            (intersect(plan, silent), State.UNKNOWN, None),
            (subtract((window,), plan), State.NOT_SCHEDULED, None),
        ]
    )


def lost(records: Records, asset: int, window: Span) -> Spans:
    """The spans whose scheduled part is unplanned downtime (UD), whatever stop is to blame."""
    window = _served(records, asset, window)
    pieces = [each for each in effective_pieces(records, asset) if each.start < window.end and each.end > window.start]
    unplanned = union(each.span for each in pieces if each.kind is Class.UNPLANNED)
    excluded = [each.span for each in pieces if each.kind is Class.EXCLUDED]
    counted = subtract((each.span for each in pieces if each.kind is Class.COUNTED), excluded)
    return clip(union(unplanned, counted), window)


def off_schedule(records: Records, asset: int, window: Span) -> list[StateSpan]:
    """Unplanned downtime outside planned production time (XD), by the stop that began first; beside the timeline."""
    window = _served(records, asset, window)
    pieces = in_turn(records, [each for each in effective_pieces(records, asset) if each.kind is Class.UNPLANNED])
    outside = subtract((window,), scheduled(records, asset, window))
    return _in_order(
        [(intersect(part, outside), State.DOWN, stop) for part, stop in _blamed(pieces, (), planned=False)]
    )


def _blamed(pieces: Iterable[Piece], excluded: Spans, *, planned: bool) -> Iterator[tuple[Spans, Stop]]:
    """Disjoint parts of the pieces, which are `in_turn`, each with the stop that is to blame."""
    taken: Spans = ()
    for piece in pieces:
        if (piece.kind is Class.EXCLUDED) is not planned:
            continue
        part: Spans = union((piece.span,))
        if piece.kind is Class.COUNTED:
            part = subtract(part, excluded)
        yield subtract(part, taken), piece.stop
        taken = union(taken, part)


def _in_order(found: Iterable[tuple[Spans, State, Stop | None]]) -> list[StateSpan]:
    spans = [StateSpan(span, state, stop) for parts, state, stop in found for span in parts if span.seconds]
    return sorted(spans, key=lambda each: each.span.start)
