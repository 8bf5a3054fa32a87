"""Facts of many assets in many windows, in a constant number of queries.

Whole production days that are stored and have not changed since are summed from storage. The rest is computed from
the records: the running day, days cut by the window or by a move, days marked as changed. So a figure is never
older than the records, and a wide window costs little more than a narrow one.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import chain, pairwise

from core.models import Site
from kpis.axis import FAR, epoch, instant
from kpis.facts import stored
from kpis.facts.clock import Clock
from kpis.facts.live import NUMBERS, Cell, CellFacts, Event, compute
from kpis.facts.lost import LossesOf, Lost, Short
from kpis.facts.parts import Parts
from kpis.facts.plans import Plans
from kpis.facts.question import with_counts
from kpis.facts.ranges import Ranges, within
from kpis.facts.silent import Silences, silences_in, spans_of
from kpis.facts.tally import Causes, Place, Sums, add, add_row, places
from kpis.facts.zones import Alike, Bucket, Cut, Member, Stretch, Zones, only
from kpis.formulas import NO_FACTS, Facts

NONE: frozenset[int] = frozenset()
COUNTS = NUMBERS.index("counts")
DAY_SUMS, EVENT_SUMS = places(NUMBERS), places(stored.OF_EVENTS)
CALENDAR, SCHEDULED, UNOBSERVED, RECORDED = places(("calendar", "scheduled", "unobserved", "recorded"))
moment_of = lru_cache(maxsize=1000)(instant)  # facts of many assets were computed at one moment


@dataclass(slots=True)
class Answer:
    """Facts of one root in one bucket: of all its assets, and of those that have counts there (for OEE)."""

    all: Facts = NO_FACTS
    counted: Facts = NO_FACTS
    counted_assets: AbstractSet[int] = NONE
    computed_at: datetime | None = None  # of the oldest stored part; None when all was computed now
    lost: Lost | None = field(default=None, repr=False)
    place: Place = (0, 0)

    @property
    def causes(self) -> Causes:
        """Lost time of all its assets by reason and loss class."""
        return self.lost.causes.get(self.place, {}) if self.lost else {}

    @classmethod
    def of(cls, sums: Sums, lost: Lost, place: Place) -> "Answer":
        whole, counted, assets = Facts(*sums.all[place], LossesOf(lost, place)), NO_FACTS, NONE
        if place in sums.counted_assets:
            counted = Facts(*sums.counted[place], LossesOf(lost, place, counted=True))
            assets = frozenset(sums.counted_assets[place])
        at = sums.computed.get(place)
        return cls(whole, counted, assets, at and moment_of(at), lost, place)


Answers = dict[Place, Answer]


class Reader:
    """Reads the facts of one site as of one moment.

    Roots are asked for in the buckets of their cut; without cuts all are in `buckets`. Where time was lost is read when
    it is asked for, of one bucket and all roots that have it.
    """

    def __init__(
        self, site: Site, members: Sequence[Member], buckets: Sequence[Bucket] = (), now: datetime | None = None, *,
        cuts: Sequence[Cut] = (),
    ):  # fmt: skip
        self.site = site
        self.clock = Clock.of(site, now)
        every = range(1 + max((member.root for member in members), default=0))
        self.cuts = list(cuts) or [Cut(every, list(buckets))]
        self.zones = Zones(self.clock, members, self.cuts)
        self.groups = self.zones.groups
        self.coarser = self.zones.coarser()
        self.watch, self.replaced = self.zones.watch()
        spans = [(self.zones.start, self.zones.end), *((each[0][0], each[-1][1]) for each in self.watch.values())]
        self.plans = Plans(site, self.zones.assets, min(lo for lo, _ in spans), max(hi for _, hi in spans))
        self.observed = {asset_id for asset_id, state in self.zones.states.items() if state.observed}

    @property
    def recalculating(self) -> bool:
        """Whether so much has changed that figures come from what is stored."""
        return self.zones.recalculating

    @cached_property
    def changing(self) -> set[int]:
        """Assets of which days or failure events that are stored for the window have changed since."""
        return self.zones.waiting.keys() & self.replaced.keys()

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The members whose life and membership touch the window, one by one."""
        return self.zones.stretches()

    @cached_property
    def of_root(self) -> dict[int, list[Stretch]]:
        found: dict[int, list[Stretch]] = defaultdict(list)
        for each in self.stretches:
            found[each.member.root].append(each)
        return found

    def unobserved(self, root: int) -> list[int]:
        """The root's assets without any record, once `answers` were read."""
        return sorted(self.assets(root) - self.observed)

    def assets(self, root: int) -> set[int]:
        """The root's assets that were there in the window."""
        return {asset_id for each in self.groups for asset_id in each.of_root(root)}

    @cached_property
    def silences(self) -> Silences:
        """When the source of an asset was silent, of those days of the window."""
        return silences_in(self.zones)

    @cached_property
    def silent(self) -> Ranges:
        """The same as spans inside the window."""
        return spans_of(self.zones, self.silences)

    def known(self, asset_id: int, lo: int, hi: int) -> int:
        """Scheduled seconds of the span in which the asset's source was not silent."""
        plan = self.plans.stretches(asset_id)
        gone = within(self.silent.get(asset_id, []), lo, hi)
        return self.plans.between(plan, lo, hi) - sum(self.plans.between(plan, *each) for each in gone)

    def answers(self) -> Answers:
        """An answer for every root and bucket that has members."""
        parts = Parts(self.zones, self._finest, {root: other for root, (other, _) in self._into.items()})
        kept = list(stored.Days(self.zones, self._finest, parts=parts).sums())
        wanted = list(self._cells(parts))
        cells = sorted({cell for *_, cell in wanted})
        found, events = self._compute(cells)
        live = {cells[position]: facts for position, facts in found.items()}
        self.observed |= {asset_id for asset_id, _, _ in live} | {event.asset_id for event in events}
        sums = Sums()
        counted = self._add_stored(sums, kept)
        self._add_parts(sums, parts)
        counted |= self._add_live(sums, wanted, live)
        if counted:
            self._add_counted(sums)
        self._add_times(sums)
        self._add_ages(sums)
        self._add_events(sums, events)
        lost: dict[Place, Lost] = {}  # by cut and bucket
        short = Short(self.zones, self.groups, sums)
        answers: Answers = {}
        for place in sums.all:
            part = self.zones.cut_of[place[0]], place[1]
            if part not in lost:
                lost[part] = Lost(self.zones, self.groups, sums, *part, short)
            answers[place] = Answer.of(sums, lost[part], place)
        return answers

    def _cells(self, parts: Parts) -> Iterator[tuple[int, int, Cell]]:
        """Root, bucket and cell for all that must be computed.

        Spans that different roots want of an asset may overlap; cells between all their borders do not.
        """
        wanted = [
            (bucket, span, parts.members(alike, *span))
            for alike in self.groups
            for bucket, (_, spans) in enumerate(alike.zones)
            for span in spans
        ]
        borders: dict[int, set[int]] = defaultdict(set)
        for _, span, members in wanted:
            for _, asset_id in members:
                borders[asset_id].update(span)
        ordered = {asset_id: sorted(at) for asset_id, at in borders.items()}
        for bucket, (lo, hi), members in wanted:
            for root, asset_id in members:
                at = ordered[asset_id]
                for start, end in pairwise(at[bisect_left(at, lo) : bisect_right(at, hi)]):
                    yield root, bucket, (asset_id, start, end)

    def _compute(self, cells: list[Cell]) -> tuple[dict[int, CellFacts], list[Event]]:
        if not cells and not self.watch:
            return {}, []
        served = {asset_id: (state.since, state.until) for asset_id, state in self.zones.states.items()}
        return compute(self.site, cells, self.watch, self.clock.now, self.plans, served)

    def _add_stored(self, sums: Sums, kept: list[tuple[Place, Sequence[int]]]) -> bool:
        """Stored days; whether there are counts among them."""
        anything = False
        for place, numbers in kept:
            anything = anything or numbers[COUNTS] > 0
            for each in self._places(place):
                add_row(sums.all[each], DAY_SUMS, numbers)
        return anything

    def _add_parts(self, sums: Sums, parts: Parts) -> None:
        """Stored days of which a part is all that was stopped."""
        for each in parts.whole():
            place = each.root, each.bucket
            sums.whole[place].append(each)
            add_row(sums.all[place], DAY_SUMS, each.sums)
            if at := self.zones.states[each.asset_id].computed:
                sums.computed[place] = min(at, sums.computed.get(place, at))

    def _add_live(self, sums: Sums, wanted: Iterable[tuple[int, int, Cell]], live: dict[Cell, CellFacts]) -> bool:
        """Computed cells; whether there are counts among them."""
        anything = False
        for root, bucket, cell in wanted if live else ():
            if facts := live.get(cell):
                place = root, bucket
                sums.live[place].append((cell[0], facts))
                add(sums.all[place], facts.sums)
                if facts.sums.get("counts"):
                    sums.counted_assets[place].add(cell[0])
                    anything = True
        return anything

    @cached_property
    def _finest(self) -> list[Alike]:
        """The members whose stored sums are read; those of coarser cuts come from them."""
        coarse = {number for number, _ in self.coarser.values()}
        return [each for each in self.groups if each.cut not in coarse]

    @cached_property
    def _into(self) -> dict[int, tuple[int, list[int]]]:
        """For roots of finer cuts, which root their sums go into as well, and into which of its buckets."""
        return {
            root: (other, buckets)
            for fine, (coarse, buckets) in self.coarser.items()
            for root, other in zip(self.cuts[fine].roots, self.cuts[coarse].roots, strict=True)
        }

    def _places(self, place: Place) -> Sequence[Place]:
        """Where stored sums of a place go."""
        root, bucket = place
        if root not in self._into:
            return (place,)
        other, buckets = self._into[root]
        return place, (other, buckets[bucket])

    def _add_counted(self, sums: Sums) -> None:
        """Those of assets with counts apart as well."""
        groups = self.groups if self.recalculating else only(self.groups, with_counts(self.zones.assets))
        days = stored.Days(self.zones, groups, whole=chain.from_iterable(sums.whole.values()))
        forced = [(*place, asset_id) for place, each in sums.counted_assets.items() for asset_id in each]
        for place, numbers, assets in days.counted(forced):
            add(sums.counted[place], numbers)
            add(sums.all[place], {name: numbers[name] for name in stored.FRACTIONS})
            sums.counted_assets[place] |= set(assets)
        for place, parts in sums.live.items():
            for asset_id, cell in parts:
                if asset_id in sums.counted_assets.get(place, ()):
                    add(sums.counted[place], cell.sums)

    # --- Times and failures

    def _add_times(self, sums: Sums) -> None:
        """Calendar and scheduled time, reckoned once for assets with the same calendars in the same span."""
        for alike in self.groups:
            spans = [
                (bucket, lo, hi)
                for bucket, (start, end) in enumerate(self.cuts[alike.cut].buckets)
                if (lo := max(start, alike.since)) < (hi := min(end, alike.until, self.clock.now))
            ]
            for plan, roots in self._following(alike):
                lasting = self._scheduled(plan, spans)
                for (root, known), assets in roots.items():
                    number = len(assets)
                    for (bucket, lo, hi), scheduled in zip(spans, lasting, strict=True):
                        place = root, bucket
                        row = sums.all[place]
                        row[CALENDAR] += float(hi - lo) * number
                        if known:
                            row[SCHEDULED] += scheduled * number
                            row[RECORDED] += number
                        else:
                            row[UNOBSERVED] += scheduled * number
                        if place in sums.counted_assets:
                            counted = len(sums.counted_assets[place].intersection(assets))
                            row = sums.counted[place]
                            row[CALENDAR] += float(hi - lo) * counted
                            row[SCHEDULED] += scheduled * counted
                            row[RECORDED] += counted
            if self.silent:
                self._take_silences(sums, alike, spans)

    def _take_silences(self, sums: Sums, alike: Alike, spans: Sequence[tuple[int, int, int]]) -> None:
        """Scheduled time in which nobody knows how an asset did; one that was silent throughout is not recorded."""
        for root, asset_id in zip(alike.roots, alike.assets, strict=True):
            silent = self.silent.get(asset_id)
            if not silent or asset_id not in self.observed:
                continue
            plan = self.plans.stretches(asset_id)
            for bucket, lo, hi in spans:
                place = root, bucket
                parts = within(silent, lo, hi)
                seconds = float(sum(self.plans.between(plan, *part) for part in parts))
                counted = asset_id in sums.counted_assets.get(place, ())
                for row in (sums.all[place], *([sums.counted[place]] if counted else [])) if parts else ():
                    row[SCHEDULED] -= seconds
                    row[UNOBSERVED] += seconds
                    row[RECORDED] -= parts == [(lo, hi)]

    def _scheduled(self, plan: tuple, spans: Sequence[tuple[int, int, int]]) -> list[float]:
        """Scheduled seconds of spans of which most begin where the one before ends."""
        found, moment, before = [], -FAR, 0
        for _, lo, hi in spans:
            begun = before if lo == moment else self.plans.at(plan, lo)
            moment, before = hi, self.plans.at(plan, hi)
            found.append(float(before - begun))
        return found

    def _following(self, alike: Alike) -> Iterator[tuple[tuple, dict[tuple[int, bool], list[int]]]]:
        """The assets by when they are scheduled, by root and whether they are observed."""
        following, observed = self.plans.following, self.observed
        known: dict[int, dict[tuple[int, bool], list[int]]] = {}  # by identity: to hash stretches takes long
        found: dict[int, tuple[tuple, dict[tuple[int, bool], list[int]]]] = {}
        for root, asset_id in zip(alike.roots, alike.assets, strict=True):
            plan = following[asset_id]
            if (roots := known.get(id(plan))) is None:
                plan = self.plans.like(plan)
                roots = known[id(following[asset_id])] = found.setdefault(id(plan), (plan, {}))[1]
            roots.setdefault((root, asset_id in observed), []).append(asset_id)
        yield from found.values()

    def _add_ages(self, sums: Sums) -> None:
        """When the oldest stored part was computed."""
        states = self.zones.states
        for alike in self.groups:
            buckets = [bucket for bucket, (days, _) in enumerate(alike.zones) if days]
            oldest: dict[int, float] = {}
            for root, asset_id in zip(alike.roots, alike.assets, strict=True) if buckets else ():
                at = states[asset_id].computed
                if at and at < oldest.get(root, FAR):
                    oldest[root] = at
            for root, at in oldest.items():
                for bucket in buckets:
                    place = root, bucket
                    sums.computed[place] = min(at, sums.computed.get(place, at))

    def _add_events(self, sums: Sums, live: Iterable[Event]) -> None:
        """Failure events where they occur, of members only while they are."""
        for place, numbers in stored.events(self.zones, self._finest, self.replaced):
            for each in self._places(place):
                add_row(sums.all[each], EVENT_SUMS, numbers)
        live = list(live)
        failed = {event.asset_id for event in live}
        members = defaultdict(list)
        for alike in self.groups if failed else ():
            for root, asset_id in zip(alike.roots, alike.assets, strict=True):
                if asset_id in failed:
                    members[asset_id].append((root, alike))
        for event in live:
            moment = epoch(event.occurred)
            for root, alike in members[event.asset_id]:
                if alike.since <= moment < alike.until:
                    bucket = bisect_right(self.cuts[alike.cut].buckets, (moment, FAR)) - 1
                    add(sums.all[root, bucket], sums_of_event(event))

    def events(self) -> list[Event]:
        """The failure events of the members in the window, in order."""
        _, live = self._compute([])
        self.observed |= {event.asset_id for event in live}
        found = [Event(*row) for row in stored.event_rows(self.zones, self.replaced)] + live
        spans = defaultdict(list)
        for alike in self.groups:
            for asset_id in alike.assets:
                spans[asset_id].append((alike.since, alike.until))
        inside = [
            event
            for event in found
            if any(since <= epoch(event.occurred) < until for since, until in spans[event.asset_id])
        ]
        return sorted(inside, key=lambda event: (event.occurred, event.asset_id))


def sums_of_event(event: Event) -> dict[str, float]:
    """What one failure event adds to the facts of the window in which it occurs."""
    if not event.counts:
        return {"found": int(event.found)}
    restoration = 0.0 if event.restored is None else (event.restored - event.occurred).total_seconds()
    return {
        "events": 1,
        "items": event.items,
        "restored": int(event.restored is not None),
        "restoration": restoration,
        "open_events": int(event.open),
    }
