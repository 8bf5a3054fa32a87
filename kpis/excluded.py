"""The stops and failures behind a figure of time that do not count, read from the records and judged one by one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from assets.models import Asset, Downtime, Failure, Placement
from core.models import Site
from kpis import oracle
from kpis import plain_records as plain
from kpis.axis import FAR, epoch, instant, span_of
from kpis.excluding import Event, Held, Judgement, Why, failed, judged, judged_failures, there
from kpis.facts.members import Scope, members
from kpis.facts.records import FAILURE, Shelf, failure_of, shelf
from kpis.facts.zones import Stretch
from kpis.figures import Period
from kpis.intervals import utc
from kpis.supposing import Supposed, Unsaid, suppose, unclassified

JUDGED = 5000  # stops, and failures, of one figure
SHOWN = 100  # of each, the newest
NOTHING = Supposed()
UNPLANNED = plain.Class.UNPLANNED


@dataclass(frozen=True)
class Excluded:
    """A record that does not count; `by` is the stop that has its time already."""

    row: Downtime | Failure
    why: Why
    by: Downtime | None = None


@dataclass(frozen=True)
class LeftOut:
    """The stops and failures that do not count: all of them by reason, and the newest, `SHOWN` of each at most.

    `failed` are the failures for which an asset that counts was down from a moment of the window on, `touching` the
    stops that hold one while it counts. `judged` is False where there were too many records to look at each.
    """

    stops: dict[Why, int] = field(default_factory=dict)
    failures: dict[Why, int] = field(default_factory=dict)
    rows: list[Excluded] = field(default_factory=list)
    failed: frozenset[int] = frozenset()
    touching: frozenset[int] = frozenset()
    supposed: Supposed = NOTHING  # of a figure that counts failures
    judged: bool = True


class Link(NamedTuple):
    """An asset below another for a time; `stops` when it can stop it, `group` when through a redundancy group."""

    parent: int
    since: int
    until: int
    stops: bool
    group: bool


class Ground:
    """The assets on which records may lie that somebody expects in a figure, and how they stood to each other."""

    def __init__(self, period: Period, counting: Sequence[Stretch], around: Sequence[int], end: datetime):
        self.start, self.end = epoch(period.start), epoch(end)
        self.counting: dict[int, list[Stretch]] = defaultdict(list)
        for each in counting:
            self.counting[each.member.asset_id].append(each)
        self.others = set(period.assets) - self.counting.keys()
        self.site, self.assets = period.site, set(around) | set(period.assets)
        self.whole = period.asset is None
        if period.asset is not None:
            below = members(period.site, [period.asset], period.start, end, Scope.SUBTREE)
            self.assets |= {each.asset_id for each in below}
        self.links: dict[int, list[Link]] = defaultdict(list)
        rows = Placement.objects.filter(self.on()).exclude(parent=None)
        for asset_id, parent, stops, group, valid in rows.values_list(
            "asset_id", "parent_id", "stops_parent", "redundancy_group_id", "valid"
        ):
            since, until = (fallback if at is None else epoch(at) for at, fallback in
                            ((valid.lower, -FAR), (valid.upper, FAR)))  # fmt: skip
            self.links[asset_id].append(Link(parent, since, until, stops or group is not None, group is not None))

    def on(self) -> Q:
        """The rows of its assets; the whole site has no list."""
        return Q(asset__site=self.site) if self.whole else Q(asset__in=self.assets)

    def reached(self, recorded: Iterable[int]) -> set[int]:
        """The counting assets that assets with records are, or can stop at some time."""
        found, new = set(recorded), set(recorded)
        while new:
            new = {link.parent for each in new for link in self.links[each] if link.stops} - found
            found |= new
        return found & self.counting.keys()

    def above(self) -> set[int]:
        """Everything above the counting assets at any time."""
        found: set[int] = set()
        new = set(self.counting)
        while new:
            new = {link.parent for each in new for link in self.links[each]} - found
            found |= new
        return found

    def up(self, asset_id: int, lo: int, hi: int, *, stopping: bool) -> tuple[bool, bool]:
        """Whether it stood below a counting asset in [lo, hi), by links that stop or by any; and by a group."""
        new, seen, grouped = [(asset_id, False)], {asset_id}, False
        reaches = False
        while new:
            below, group = new.pop()
            for link in self.links[below]:
                if link.since < hi and link.until > lo and (link.stops or not stopping):
                    through = group or link.group
                    if link.parent in self.counting:
                        reaches, grouped = True, grouped or through
                    if link.parent not in seen:
                        seen.add(link.parent)
                        new.append((link.parent, through))
        return reaches, grouped


class Unread(NamedTuple):
    """A record that reaches no asset that counts."""

    id: int
    asset: int
    start: int
    end: int


def left_out(
    period: Period, counting: Sequence[Stretch], around: Sequence[int], *, of_failures: bool = False,
    by_items: bool = False, restored: bool = False, unsaid: Sequence[Unsaid] = (),
) -> LeftOut:  # fmt: skip
    """Of a figure of the assets `counting`, whose stops can come from those `around`.

    `of_failures` says whether it counts failures, `by_items` each item of an event, `restored` only restored ones.
    `unsaid` are orders of its assets that may have been failures.
    """
    end = min(period.end, period.now)
    if period.start >= end:
        return LeftOut()
    ground = Ground(period, counting, around, end)
    stops = list(
        Downtime.objects.filter(ground.on()).touching(period.start, end).order_by("-start", "-pk")
        .values_list("pk", "asset_id", "start", "end")[: JUDGED + 1]
    )  # fmt: skip
    rows = _failures(ground, stops, period.start, end)
    if max(len(stops), len(rows), len(unsaid)) > JUDGED:
        return LeftOut(judged=False)
    recorded = {asset_id for _, asset_id, *_ in stops} | {row.asset for row in rows}
    reached = ground.reached(recorded | {each.asset for each in unsaid})
    found, held, records = _judged(period, ground, reached, end)
    touching = {piece.stop for each in held for piece in there(each)}
    unread = [
        Unread(pk, asset_id, epoch(start), min(FAR if over is None else epoch(over), ground.end))
        for pk, asset_id, start, over in stops
        if pk not in found.counted and pk not in found.why
    ]
    counted, reasons = _failures_judged(period, rows, held, by_items=by_items, restored=restored)
    reached = frozenset(counted | reasons.keys())
    supposed = _supposed(period, held, records, touching, rows, unsaid) if of_failures else NOTHING
    rows = rows if of_failures else []
    stray = [
        Unread(row.id, row.asset, at, at + 1)
        for row in rows
        if (at := epoch(row.occurred)) >= ground.start and row.id not in reached
    ]
    lives = _lives({each.asset for each in (*unread, *stray)}, end)
    above = ground.above() if unread or stray else set()
    why = found.why | {each.id: (_unreached(ground, each, lives, above), None) for each in unread}
    reasons = reasons if of_failures else {}
    reasons |= {each.id: _unreached(ground, each, lives, above, failure=True) for each in stray}
    newest = [pk for pk, *_ in stops if pk in why][:SHOWN]
    latest = [row.id for row in reversed(rows) if row.id in reasons][:SHOWN]
    shown = Downtime.objects.select_related("asset", "reason").in_bulk(
        {*newest, *(by for pk in newest if (by := why[pk][1]))}
    )
    failed_rows = Failure.objects.select_related("asset").in_bulk(latest)
    return LeftOut(
        _totals(reason for reason, _ in why.values()),
        _totals(reasons.values()),
        [Excluded(shown[pk], why[pk][0], shown.get(why[pk][1])) for pk in newest]
        + [Excluded(failed_rows[pk], reasons[pk]) for pk in latest],
        reached,
        frozenset(each.id for each in touching),
        supposed,
    )


def _totals(reasons: Iterable[Why]) -> dict[Why, int]:
    """How many there are of each, most first."""
    return dict(Counter(reasons).most_common())


def _judged(
    period: Period, ground: Ground, reached: set[int], end: datetime
) -> tuple[Judgement, list[Held], dict[int, plain.Records]]:
    """What becomes of the stops that reach the assets, the pieces in which they do, and their records by asset."""
    if not reached:
        return Judgement(), [], {}
    known = shelf(period.site, reached, period.start, end, period.now, stops_only=True)
    below: dict[int, list[plain.Placement]] = defaultdict(list)
    for each in known.placements:
        if each.parent is not None and (each.stops_parent or each.group):
            below[each.parent].append(each)
    held, of = [], {}
    for asset_id in sorted(reached):
        records = of[asset_id] = _narrow(period.site, known, below, asset_id)
        pieces = oracle.in_turn(records, oracle.effective_pieces(records, asset_id))
        for each in ground.counting[asset_id]:
            span = max(ground.start, each.since), min(ground.end, each.until)
            held.append(Held(asset_id, *span, pieces))
    plans = period.reader.plans
    return judged(held, lambda asset_id, lo, hi: plans.between(plans.stretches(asset_id), lo, hi)), held, of


def _supposed(
    period: Period, held: Sequence[Held], records: dict[int, plain.Records], touching: Iterable[plain.Stop],
    rows: Sequence[plain.Failure], unsaid: Sequence[Unsaid],
) -> Supposed:  # fmt: skip
    """What more would be failures if stops and orders that began in the window and of which nobody said so had been."""
    start = utc(period.start)
    stops = unclassified([each for each in touching if each.start >= start], rows, period.now)
    if not stops and not unsaid:
        return NOTHING
    reaching = {stop.asset for of in records.values() for stop in of.stops} | {each.asset for each in held}
    failures: dict[int, list[plain.Failure]] = defaultdict(list)
    for row in (*_lasting(reaching, period.start - period.site.merge_gap, period.start), *rows):
        failures[row.asset].append(row)
    orders_of: dict[int, list[Unsaid]] = defaultdict(list)
    for order in unsaid:
        orders_of[order.asset].append(order)
    which, found = {each.id for each in stops}, Supposed(len(stops), len(unsaid))
    for each in held:
        pieces = [piece for piece in there(each) if piece.stop.id in which and piece.kind is UNPLANNED]
        own = {piece.stop.id: piece.stop for piece in pieces}
        orders = orders_of.get(each.asset, [])
        if own or orders:
            assets = {each.asset, *(stop.asset for stop in records[each.asset].stops)}
            known = [row for asset_id in assets for row in failures.get(asset_id, ())]
            of = replace(records[each.asset], failures=known, merge_gap=period.site.merge_gap)
            found += Supposed(0, 0, *suppose(of, each.asset, span_of(each.start, each.end), [*own.values()], orders))
    return found


def _narrow(site: Site, known: Shelf, below: dict[int, list[plain.Placement]], asset_id: int) -> plain.Records:
    """What can stop one asset, and no more: the set algebra looks at all that it is given."""
    found, new, placements = {asset_id}, [asset_id], []
    while new:
        each = below.get(new.pop(), ())
        placements += each
        fresh = {placement.asset for placement in each} - found
        found |= fresh
        new += fresh
    return plain.Records(
        now=known.now,
        zone=site.zone,
        stops=[stop for each in found for stop in known.stops.get(each, ())],
        placements=placements,
        groups=[group for group in known.groups if group.parent in found],
        lives=known.lives,
        short_stops=known.short_stops,
        overrun_is_unplanned=site.overrun_is_unplanned,
    )


def _lasting(asset_ids: Iterable[int], since: datetime, start: datetime) -> list[plain.Failure]:
    """Failures of before that lasted until then: what fails while they do is a further item of them."""
    rows = Failure.objects.filter(asset__in=asset_ids, occurred__lt=start, restored__gt=since)
    return [failure_of(*row) for row in rows.order_by("occurred", "pk").values_list(*FAILURE)]


def _failures(ground: Ground, stops: Sequence[tuple], start: datetime, end: datetime) -> list[plain.Failure]:
    """The failures of the window in order, and those of before it whose stops reach into it."""
    crossing = [(pk, asset_id, begun) for pk, asset_id, begun, _ in stops if begun < start]
    which = Q(occurred__gte=start)
    if crossing:
        since = min(begun for *_, begun in crossing)
        which |= Q(downtime__in=[pk for pk, *_ in crossing])
        which |= Q(downtime=None, asset__in={asset_id for _, asset_id, _ in crossing}, occurred__gte=since)
    rows = Failure.objects.filter(ground.on(), which, occurred__lt=end).order_by("occurred", "pk")
    return [failure_of(*row) for row in rows.values_list(*FAILURE)[: JUDGED + 1]]


def _failures_judged(
    period: Period, rows: Sequence[plain.Failure], held: Sequence[Held], *, by_items: bool, restored: bool
) -> tuple[set[int], dict[int, Why]]:
    """Which failures count, and why others that reach an asset do not."""
    if not rows:
        return set(), {}
    events: dict[int, list[Event]] = defaultdict(list)
    for each in period.reader.events():
        events[each.asset_id].append(
            Event(epoch(each.occurred), each.found, each.already_down, each.restored is not None, each.open)
        )
    of_asset: dict[int, list[plain.Failure]] = defaultdict(list)
    for row in rows:
        of_asset[row.asset].append(row)
    counted: set[int] = set()
    why: dict[int, Why] = {}
    for each in _with_failures(period, held, of_asset):
        assets = {each.asset, *(piece.stop.asset for piece in each.pieces)}
        near = {asset_id: of_asset[asset_id] for asset_id in assets & of_asset.keys()}
        items = failed(each, near, instant(epoch(period.now)))
        mine, others = judged_failures(each, items, events[each.asset], by_items=by_items, restored=restored)
        counted |= mine
        why |= others
    return counted, {pk: reason for pk, reason in why.items() if pk not in counted}


def _with_failures(period: Period, held: Sequence[Held], of_asset: dict) -> Iterable[Held]:
    return (each for each in held if of_asset.keys() & {each.asset, *(piece.stop.asset for piece in each.pieces)})


def _lives(asset_ids: set[int], end: datetime) -> dict[int, tuple[int, int]]:
    rows = Asset.objects.filter(pk__in=asset_ids).values_list("pk", "commissioned", "retired") if asset_ids else ()
    return {
        pk: (-FAR if since is None else epoch(since), FAR if until is None else epoch(until))
        for pk, since, until in rows
    }


def _unreached(
    ground: Ground, each: Unread, lives: dict[int, tuple[int, int]], above: set[int], *, failure: bool = False
) -> Why:
    """Why a record reaches no asset that counts while it counts."""
    lo, hi = max(each.start, ground.start), min(each.end, ground.end)
    since, until = lives[each.asset]
    if max(lo, since) >= min(max(hi, lo + 1), until):
        return Why.NOT_IN_SERVICE
    if each.asset in ground.counting:
        inside = any(stretch.since <= lo < stretch.until for stretch in ground.counting[each.asset])
        return Why.NO_LENGTH if inside and lo >= hi else Why.ELSEWHERE
    if each.asset in ground.others:
        return Why.NO_COUNTS
    if each.asset in above:
        return Why.OF_A_LINE
    stops, grouped = ground.up(each.asset, lo, max(hi, lo + 1), stopping=True)
    if stops and lo >= hi:
        return Why.NO_LENGTH
    if grouped:
        return Why.GROUP_UP
    if stops:
        return Why.DOES_NOT_STOP if failure else Why.NOT_IN_SERVICE
    stood, _ = ground.up(each.asset, lo, max(hi, lo + 1), stopping=False)
    return Why.DOES_NOT_STOP if stood else Why.ELSEWHERE
