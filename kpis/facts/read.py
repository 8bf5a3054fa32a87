"""Facts of many assets in many windows, in a constant number of queries.

Whole production days that are stored and have not changed since are summed from storage. The rest is computed from
the records: the running day, days cut by the window or by a move, days marked as changed. So a figure is never
older than the records, and a wide window costs little more than a narrow one.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from core.models import Site
from kpis.axis import FAR, epoch
from kpis.facts import stored
from kpis.facts.live import Cell, Event, compute
from kpis.facts.lost import LossesOf, Lost
from kpis.facts.plans import Plans
from kpis.facts.store import Clock
from kpis.facts.tally import Causes, Sums
from kpis.facts.zones import Alike, Bucket, Member, Stretch, Zones
from kpis.formulas import NO_FACTS, Facts

Place = tuple[int, int]  # root, position of the bucket


@dataclass(slots=True)
class Answer:
    """Facts of one root in one bucket: of all its assets, and of those that have counts there (for OEE)."""

    all: Facts = NO_FACTS
    counted: Facts = NO_FACTS
    counted_assets: set[int] = field(default_factory=set)
    computed_at: datetime | None = None  # of the oldest stored part; None when all was computed now
    lost: Lost | None = field(default=None, repr=False)
    place: Place = (0, 0)

    @property
    def causes(self) -> Causes:
        """Lost time of all its assets by reason and loss class."""
        return self.lost.causes.get(self.place, {}) if self.lost else {}

    @classmethod
    def of(cls, sums: Sums, lost: Lost, place: Place) -> "Answer":
        whole, counted = LossesOf(lost, place), LossesOf(lost, place, counted=True)
        facts = sums.all.facts(whole), sums.counted.facts(counted)
        return cls(*facts, sums.counted_assets, sums.computed_at, lost, place)


Answers = dict[Place, Answer]


class Reader:
    """Reads the facts of one site as of one moment. Buckets are in order and disjoint.

    Where time was lost is read when it is asked for, of the first `apart` roots without the others.
    """

    def __init__(
        self, site: Site, members: Sequence[Member], buckets: Sequence[Bucket], now: datetime | None = None, *,
        apart: int = 0,
    ):  # fmt: skip
        self.apart = apart
        self.site = site
        self.clock = Clock.of(site, now)
        self.buckets = list(buckets)
        self.zones = Zones(self.clock, members, self.buckets)
        self.plans = Plans(site, self.zones.assets, self.zones.start, self.zones.end)
        self.groups = self.zones.groups
        self.watch, self.replaced = self.zones.watch()
        self.observed = {asset_id for asset_id, state in self.zones.states.items() if state.observed}

    @property
    def recalculating(self) -> bool:
        """Whether so much has changed that figures come from what is stored."""
        return self.zones.recalculating

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
        return sorted({asset for each in self.groups if each.root == root for asset in each.assets} - self.observed)

    def answers(self) -> Answers:
        """An answer for every root and bucket that has members."""
        wanted = list(self._cells())
        cells = sorted({cell for *_, cell in wanted})
        found, events = compute(self.site, cells, self.watch, self.clock.now)
        live = {cells[position]: facts for position, facts in found.items()}
        self.observed |= {asset_id for asset_id, _, _ in live} | {event.asset_id for event in events}
        sums: dict[Place, Sums] = defaultdict(Sums)
        if live:
            for root, bucket, cell in wanted:
                if facts := live.get(cell):
                    sums[root, bucket].live.append((cell[0], facts))
        self._add_stored(sums)
        self._add_times(sums)
        self._add_events(sums, events)
        return self._answers(sums)

    def _answers(self, sums: dict[Place, Sums]) -> Answers:
        found: Answers = {}
        for first in (True, False):
            groups = [each for each in self.groups if (each.root < self.apart) is first]
            part = {place: each for place, each in sums.items() if (place[0] < self.apart) is first}
            lost = Lost(self.zones, groups, part)
            found |= {place: Answer.of(each, lost, place) for place, each in part.items()}
        return found

    def _cells(self) -> Iterator[tuple[int, int, Cell]]:
        """Root, bucket and cell for all that must be computed.

        Spans that different roots want of an asset may overlap; cells between all their borders do not.
        """
        spans = [
            (alike, [(bucket, span) for bucket, (_, spans) in enumerate(alike.zones) for span in spans])
            for alike in self.groups
        ]
        borders: dict[int, set[int]] = defaultdict(set)
        for alike, each in spans:
            at = {moment for _, span in each for moment in span}
            for asset_id in alike.assets if at else ():
                borders[asset_id] |= at
        ordered = {asset_id: sorted(at) for asset_id, at in borders.items()}
        for alike, each in spans:
            for asset_id in alike.assets if each else ():
                at = ordered[asset_id]
                for bucket, (lo, hi) in each:
                    for start, end in pairwise(at[bisect_left(at, lo) : bisect_right(at, hi)]):
                        yield alike.root, bucket, (asset_id, start, end)

    def _add_stored(self, sums: dict[Place, Sums]) -> None:
        """Stored days and computed cells; those of assets with counts apart as well, if there are any."""
        days = stored.Days.of(self.zones, self.groups)
        anything = False
        for place, numbers in days.sums():
            anything = anything or numbers["counts"] > 0
            sums[place].all.add(numbers)
        for each in sums.values():
            for asset_id, cell in each.live:
                each.all.add(cell.sums)
                if cell.sums.get("counts"):
                    each.counted_assets.add(asset_id)
        if anything or any(each.counted_assets for each in sums.values()):
            self._add_counted(sums, days)

    def _add_counted(self, sums: dict[Place, Sums], days: stored.Days) -> None:
        forced = [(*place, asset_id) for place, each in sums.items() for asset_id in each.counted_assets]
        for place, numbers, assets in days.counted(forced):
            each = sums[place]
            each.counted.add(numbers)
            each.all.add({name: numbers[name] for name in stored.FRACTIONS})
            each.counted_assets |= set(assets)
        for each in sums.values():
            for asset_id, cell in each.live:
                if asset_id in each.counted_assets:
                    each.counted.add(cell.sums)

    # --- Times and failures

    def _add_times(self, sums: dict[Place, Sums]) -> None:
        """Calendar and scheduled time, reckoned once for assets with the same calendars in the same span."""
        scheduled: dict[tuple, int] = {}

        def times(plan: tuple, lo: int, hi: int) -> int:
            key = (id(plan), lo, hi)
            if key not in scheduled:
                scheduled[key] = self.plans.between(plan, lo, hi)
            return scheduled[key]

        counted: dict[tuple[int, int], list[int]] = defaultdict(list)
        for (root, bucket), each in sums.items():
            for asset_id in each.counted_assets:
                counted[root, asset_id].append(bucket)
        for alike in self.groups:
            spans = {
                bucket: (max(start, alike.since), min(end, alike.until, self.clock.now))
                for bucket, (start, end) in enumerate(self.buckets)
            }
            spans = {bucket: (lo, hi) for bucket, (lo, hi) in spans.items() if lo < hi}
            for plan, assets in self._following(alike):
                known = sum(asset_id in self.observed for asset_id in assets)
                unknown = len(assets) - known
                for bucket, (lo, hi) in spans.items():
                    of_one = times(plan, lo, hi)
                    sums[alike.root, bucket].all.add(
                        {
                            "calendar": (hi - lo) * len(assets), "scheduled": of_one * known, "recorded": known,
                            "unobserved": of_one * unknown,
                        }
                    )  # fmt: skip
                for asset_id in assets if counted else ():
                    for bucket in counted.get((alike.root, asset_id), ()):
                        if bucket in spans:
                            lo, hi = spans[bucket]
                            of_one = {"calendar": hi - lo, "scheduled": times(plan, lo, hi), "recorded": 1}
                            sums[alike.root, bucket].counted.add(of_one)
        self._add_ages(sums)

    def _following(self, alike: Alike) -> Iterable[tuple[tuple, list[int]]]:
        """The assets by the calendars that they follow."""
        found: dict[int, tuple[tuple, list[int]]] = {}  # by identity: to hash stretches takes long
        for asset_id in alike.assets:
            plan = self.plans.stretches(asset_id)
            if id(plan) not in found:
                found[id(plan)] = (plan, [])
            found[id(plan)][1].append(asset_id)
        return found.values()

    def _add_ages(self, sums: dict[Place, Sums]) -> None:
        """When the oldest stored part was computed."""
        states = self.zones.states
        for alike in self.groups:
            ages = [at for asset_id in alike.assets if (at := states[asset_id].computed_at)]
            for bucket, (days, _) in enumerate(alike.zones):
                if days and ages:
                    each = sums[alike.root, bucket]
                    each.computed_at = min([*ages, *([each.computed_at] if each.computed_at else [])])

    def _add_events(self, sums: dict[Place, Sums], live: Iterable[Event]) -> None:
        """Failure events where they occur, of members only while they are."""
        for place, numbers in stored.events(self.groups, [start for start, _ in self.buckets], self.replaced):
            sums[place].all.add(numbers)
        members = defaultdict(list)
        if live := list(live):
            for alike in self.groups:
                for asset_id in alike.assets:
                    members[asset_id].append(alike)
        for event in live:
            moment = epoch(event.occurred)
            for alike in members[event.asset_id]:
                if alike.since <= moment < alike.until:
                    sums[alike.root, self._bucket(moment)].all.add(sums_of_event(event))

    def _bucket(self, moment: int) -> int:
        return bisect_right(self.buckets, (moment, FAR)) - 1

    def events(self) -> list[Event]:
        """The failure events of the members in the window, in order."""
        _, live = compute(self.site, [], self.watch, self.clock.now)
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
    if event.found:
        return {"found": 1}
    restoration = 0.0 if event.restored is None else (event.restored - event.occurred).total_seconds()
    return {
        "events": 1,
        "items": event.items,
        "restored": int(event.restored is not None),
        "restoration": restoration,
        "open_events": int(event.open),
    }
