"""The day facts of one asset and any window, computed the plain way from plain records.

Slow and simple on purpose: it follows docs/kpi.md sentence by sentence with set algebra on spans. The set-based
SQL of `kpis.facts` must give the same, and the tests hold the two against each other.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate

from kpis.failing import Failed, FailureEvent, failure_events
from kpis.formulas import Facts
from kpis.intervals import (
    Calendar,
    Span,
    Spans,
    at_least,
    clip,
    day_begins,
    intersect,
    production_date,
    production_day,
    production_days,
    schedule,
    seconds,
    subtract,
    union,
)
from kpis.plain_records import BEGINNING, Class, Count, Failure, Group, Records, Stop


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a stop as it holds an asset, its own or, from below, its parent's."""

    start: datetime
    end: datetime
    kind: Class
    stop: Stop
    counts: bool  # the first part that takes planned production time

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    def within(self, window: Span) -> "Piece | None":
        """The piece cut to the window; a stop of no length stays where its instant is inside."""
        start, end = max(self.start, window.start), min(self.end, window.end)
        if start < end and (start, end) == (self.start, self.end):
            return self
        if start < end or (start == end == self.start == self.end and window.covers(start)):
            return replace(self, start=start, end=end)
        return None


@dataclass(frozen=True, slots=True)
class Cause:
    """Time lost and stops begun for one reason."""

    seconds: float
    stops: int


def own_pieces(records: Records, asset: int) -> Iterator[Piece]:
    """The asset's own stops by class, an overrun of the planned end split off."""
    life = records.life(asset)
    for stop in records.stops:
        if stop.asset != asset or stop.start >= records.now:
            continue
        end = records.now if stop.end is None else min(stop.end, records.now)
        parts = [Piece(stop.start, end, Class.UNPLANNED, stop, True)]
        if stop.planned:
            kind = Class.EXCLUDED if stop.excluded else Class.COUNTED
            turn = end
            if records.overrun_is_unplanned and stop.planned_end is not None:
                turn = min(end, max(stop.start, stop.planned_end))
            parts = [Piece(stop.start, turn, kind, stop, kind is Class.COUNTED)]
            if turn == stop.start < end:
                parts = []
            if turn < end:
                parts.append(Piece(turn, end, Class.UNPLANNED, stop, not (parts and parts[0].counts)))
        for part in parts:
            if cut := part.within(life):
                yield cut


def effective_pieces(records: Records, asset: int) -> list[Piece]:
    """The asset's own stops and those of children that stop it, under the placement valid at the time."""
    life = records.life(asset)
    pieces = list(own_pieces(records, asset))
    for placement in records.placements:
        if placement.parent == asset and placement.stops_parent and placement.group is None:
            pieces += _cut(effective_pieces(records, placement.asset), (placement.valid,))
    for group in records.groups:
        if group.parent == asset:
            pieces += _group_pieces(records, group)
    return [cut for piece in pieces if (cut := piece.within(life))]


def _group_pieces(records: Records, group: Group) -> list[Piece]:
    """The members' stops while fewer are up than needed (or than there are, where there are fewer)."""
    present: dict[int, list[Span]] = {}
    down: dict[int, list[Span]] = {}
    stops: list[Piece] = []
    for placement in records.placements:
        if placement.group != group.id or placement.parent != group.parent:
            continue
        member = placement.asset
        present.setdefault(member, []).extend(clip((placement.valid,), records.life(member)))
        held = _cut(effective_pieces(records, member), (placement.valid,))
        down.setdefault(member, []).extend(piece.span for piece in held)
        stops += held
    short: Spans = ()
    for number in range(1, len(present) + 1):  # so many members stood there at the time
        there = subtract(at_least(list(present.values()), number), at_least(list(present.values()), number + 1))
        missing = max(number - group.needed, 0) + 1
        short = union(short, intersect(there, at_least(list(down.values()), missing)))
    return [piece for piece in _cut(stops, short) if piece.start < piece.end]


def _cut(pieces: Sequence[Piece], spans: Sequence[Span]) -> list[Piece]:
    return [cut for piece in pieces for each in spans if (cut := piece.within(each))]


def scheduled(records: Records, asset: int, window: Span) -> Spans:
    """Scheduled time of the asset by its own, else its nearest ancestor's, else the site's calendar, else always."""
    return union(*(schedule(owners, part, records.zone) for owners, part in _owners(records, asset, window)))


def _owners(records: Records, asset: int, window: Span) -> Iterator[tuple[list[Sequence[Calendar]], Span]]:
    """Calendars, nearest owner first, for each part of the window in which the ancestors stay the same."""
    own = records.calendars.get(asset, ())
    rest: Spans = (window,)
    for placement in records.placements:
        if placement.asset == asset and placement.parent is not None:
            for part in clip((placement.valid,), window):
                for owners, piece in _owners(records, placement.parent, part):
                    yield [own, *owners], piece
            rest = subtract(rest, (placement.valid,))
    for part in rest:
        yield [own, records.calendars.get(None, ())], part


def events(records: Records, asset: int) -> tuple[FailureEvent, ...]:
    """Failure events of the asset: its own failures, and the stops that failures below it caused it."""
    life = records.life(asset)
    own = list(own_pieces(records, asset))
    failed = [_failed(records, own, each) for each in records.failures if each.asset == asset]
    failed += failed_below(records, asset)
    return failure_events((each for each in failed if life.covers(each.occurred)), records.merge_gap)


def failed_below(records: Records, asset: int) -> Iterator[Failed]:
    """The failures of other assets whose stops stop this one, from when to when they do.

    A failure of the asset itself is only what takes it from up to down.
    """
    by_asset: dict[int, list[Failure]] = {}
    for each in records.failures:
        by_asset.setdefault(each.asset, []).append(each)
    unplanned = sorted(
        (piece for piece in effective_pieces(records, asset) if piece.kind is Class.UNPLANNED),
        key=lambda piece: piece.start,
    )
    starts = [piece.start for piece in unplanned]
    busy = list(accumulate((piece.end for piece in unplanned), max))  # until when it was down since before the next one
    for piece in unplanned:
        stop = piece.stop
        if stop.asset == asset:
            continue
        for each in by_asset.get(stop.asset, ()):
            during = each.stop is None and stop.start <= each.occurred < _known_end(records, stop)
            if during or each.stop == stop.id:
                occurred = max(piece.start, each.occurred)
                if occurred < piece.end:
                    is_open = _is_open(records, stop) and piece.end == records.now
                    before = bisect_left(starts, piece.start)
                    already = before > 0 and busy[before - 1] > occurred
                    yield Failed(each.id, occurred, piece.end, is_open, not is_open, each.found, already)


def _failed(records: Records, own: Sequence[Piece], failure: Failure) -> Failed:
    around = [piece for piece in own if piece.span.covers(failure.occurred)]
    found = failure.found or (bool(around) and all(piece.kind is not Class.UNPLANNED for piece in around))
    if failure.restored is not None:
        return Failed(failure.id, failure.occurred, failure.restored, found=found)
    ends = [_known_end(records, piece.stop) for piece in around]
    is_open = any(_is_open(records, piece.stop) for piece in around)
    return Failed(failure.id, failure.occurred, max([failure.occurred, *ends]), is_open, False, found)


def _is_open(records: Records, stop: Stop) -> bool:
    return stop.end is None or stop.end > records.now


def _known_end(records: Records, stop: Stop) -> datetime:
    return records.now if stop.end is None else min(stop.end, records.now)


def causes(records: Records, asset: int, window: Span) -> dict[tuple[int | None, str], Cause]:
    """Lost planned production time by (reason, loss class); an overlap goes to the first of the stops `in_turn`."""
    window = _served(records, asset, window)
    plan = scheduled(records, asset, window)
    pieces = effective_pieces(records, asset)
    excluded = union(piece.span for piece in pieces if piece.kind is Class.EXCLUDED)
    result: dict[tuple[int | None, str], Cause] = {}
    taken: Spans = ()
    for piece in in_turn(records, pieces):
        if piece.kind is Class.EXCLUDED:
            continue
        part: Spans = union((piece.span,))
        if piece.kind is Class.COUNTED:
            part = subtract(part, excluded)
        fresh = subtract(part, taken)
        taken = union(taken, part)
        key = (piece.stop.reason, loss_class(records, piece.stop))
        known = result.get(key, Cause(0.0, 0))
        result[key] = Cause(
            known.seconds + seconds(intersect(clip(fresh, window), plan)),
            known.stops + (piece.counts and window.covers(piece.start)),
        )
    return {key: cause for key, cause in result.items() if cause.seconds or cause.stops}


def in_turn(records: Records, pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces in the order in which their stops are to blame: the stop that began first; of those that began at once
    by loss class (breakdown, other, setup, short, unclassified), then by the reason that was listed first.

    The order in which stops were entered does not matter.
    """

    def turn(piece: Piece) -> tuple[datetime, str, bool, int, datetime]:
        stop = piece.stop
        return stop.start, loss_class(records, stop), stop.reason is None, stop.reason or 0, piece.start

    return sorted(pieces, key=turn)


def loss_class(records: Records, stop: Stop) -> str:
    """Which loss the stop's time is."""
    limit = records.short_stops.get(stop.asset, 0.0)
    if not stop.planned and stop.end is not None and (stop.end - stop.start).total_seconds() < limit:
        return "short"
    return stop.loss


def facts(records: Records, asset: int, window: Span) -> Facts:
    """The facts of one asset in a window, which is cut to its service life and to now."""
    window = _served(records, asset, window)
    plan = scheduled(records, asset, window)
    pieces = effective_pieces(records, asset)
    unplanned = clip((p.span for p in pieces if p.kind is Class.UNPLANNED), window)
    excluded = clip((p.span for p in pieces if p.kind is Class.EXCLUDED), window)
    counted = clip((p.span for p in pieces if p.kind is Class.COUNTED), window)
    planned_stop = intersect(subtract(excluded, unplanned), plan)
    production = subtract(plan, planned_stop)
    down = intersect(union(unplanned, counted), production)
    by_cause = causes(records, asset, window)
    losses: dict[str, float] = {}
    for (_reason, loss), cause in by_cause.items():
        losses[loss] = losses.get(loss, 0.0) + cause.seconds
    within = [each for each in events(records, asset) if window.covers(each.occurred)]
    failures = [each for each in within if each.counts]
    restored = [each for each in failures if each.restored is not None]
    recorded = (
        bool(pieces)
        or any(each.asset == asset for each in records.failures)
        or any(each.asset == asset for each in records.counts)
    )
    silent = clip(silences(records, asset), window) if recorded else ()
    unknown = intersect(plan, silent) if recorded else plan
    return replace(
        _counted(records, asset, window),
        calendar=window.seconds,
        scheduled=seconds(plan) - seconds(unknown),
        unobserved=seconds(unknown),
        recorded=int(recorded and silent != (window,)),
        planned_stop=seconds(planned_stop),
        down=seconds(down),
        off_schedule=seconds(subtract(unplanned, production)),
        losses=losses,
        stops=sum(cause.stops for cause in by_cause.values()),
        events=len(failures),
        items=sum(each.items for each in failures),
        found=sum(each.found for each in within),
        restored=len(restored),
        restoration=sum((each.restored - each.occurred).total_seconds() for each in restored if each.restored),
        open_events=sum(each.open for each in failures),
    )


def stopped(records: Records, asset: int, window: Span) -> Span | None:
    """From the first to the last instant of the window at which something stopped the asset; None without a stop."""
    window = _served(records, asset, window)
    held = [cut for piece in effective_pieces(records, asset) if (cut := piece.within(window))]
    return Span(min(each.start for each in held), max(each.end for each in held)) if held else None


# --- Silence


def told(records: Records, asset: int) -> tuple[set[date], set[date]]:
    """The production days until now of which something is told of the asset, and those of its counts."""
    life = records.life(asset)
    held = [each.span for each in effective_pieces(records, asset)]
    counted = clip((each.span for each in records.counts if each.asset == asset), life)
    failed = [Span(each.occurred, each.occurred) for each in records.failures if each.asset == asset]
    counts = {day for each in counted for day in _days(records, each)}
    stops = {
        day for each in [*held, *(one for one in failed if life.covers(one.start))] for day in _days(records, each)
    }
    return stops | counts, counts


def _days(records: Records, span: Span) -> list[date]:
    """The production days that the span touches; of no length, that of its instant."""
    whole = Span(span.start, max(span.end, span.start + timedelta(microseconds=1)))
    return [day for day, _ in production_days(whole, records.zone, records.day_start)]


def silences(records: Records, asset: int) -> Spans:
    """The production days until today on which the asset's source was silent."""
    days, counts = told(records, asset)
    today = production_date(records.now, records.zone, records.day_start)
    first_count = min((day for day in counts if day < today), default=None)
    of_site = records.stop_silence_days if first_count is None else records.count_silence_days
    limit = timedelta(days=records.silence_days.get(asset, of_site or 0))
    known = sorted(day for day in days if first_count is None or day >= first_count)
    if not limit or not known:
        return ()
    silent = [
        production_day(day, records.zone, records.day_start)
        for number in range((today - known[0]).days + 1)
        if (day := known[0] + timedelta(days=number)) - max(each for each in known if each <= day) > limit
    ]
    if first_count is None:
        silent.append(Span(BEGINNING, day_begins(known[0] - limit, records.zone, records.day_start)))
    return union(silent)


def _served(records: Records, asset: int, window: Span) -> Span:
    """The part of the window in the asset's service life and not in the future."""
    life = records.life(asset)
    start = max(window.start, life.start)
    return Span(start, max(start, min(window.end, life.end)))


def _operating(records: Records, asset: int, window: Span) -> float:
    window = _served(records, asset, window)
    return seconds(subtract(scheduled(records, asset, window), (p.span for p in effective_pieces(records, asset))))


def _counted(records: Records, asset: int, window: Span) -> Facts:
    """Pieces of the window; a count that reaches beyond it is split by operating time, else by time."""
    result = Facts()
    for count in records.counts:
        inside = clip((count.span,), window)
        if count.asset != asset or not inside:
            continue
        part = share(records, asset, count, inside[0])
        cycle = count.ideal_cycle * part
        doubtful = not _operating(records, asset, count.span)
        result += Facts(
            counts=1,
            good=count.good * part,
            scrap=count.scrap * part,
            rework=count.rework * part,
            ideal_good=count.good * cycle,
            ideal_scrap=count.scrap * cycle,
            ideal_rework=count.rework * cycle,
            doubtful=(count.good + count.scrap + count.rework) * part if doubtful else 0.0,
        )
    return result


def share(records: Records, asset: int, count: Count, inside: Span) -> float:
    """The part of a count that was made `inside`: by operating time, else by time."""
    if whole := _operating(records, asset, count.span):
        return _operating(records, asset, inside) / whole
    return inside.seconds / count.span.seconds
