"""Parts of stored days, where a window cuts a day.

A stored day knows from when to when it was stopped. A part that holds all of that is the day; a part that holds none of
it is quiet. Only where a stop reaches over the cut must the part come from the records, and on days with counts, which
are split by operating time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kpis.facts.live import NUMBERS
from kpis.facts.zones import Alike, Zones

Span = tuple[int, int]
Sums = Sequence[int]  # as `NUMBERS`
COUNTS = NUMBERS.index("counts")


class Part(NamedTuple):
    """What a bucket takes of a production day."""

    bucket: int
    span: Span  # all that it takes around the day without a whole one
    lo: int
    hi: int


class Whole(NamedTuple):
    """A stored day (by its position) of an asset, of which a root's bucket takes all that was stopped."""

    root: int
    bucket: int
    asset_id: int
    day: int
    sums: Sums


class Parts:
    """The parts of the days that members' windows cut, and what is known of them.

    `finest` are the groups whose stored days are read; roots of coarser cuts (`into`: which root stands for which) take
    their parts from the same rows.
    """

    def __init__(self, zones: Zones, finest: Sequence[Alike], into: Mapping[int, int]):
        self.zones, self.into = zones, into
        self.of: dict[int, dict[int, list[Part]]] = {id(alike): self._parts(alike) for alike in zones.groups}
        own = {id(alike) for alike in finest}
        self.others: dict[tuple[int, int], list[Alike]] = defaultdict(list)  # coarser groups by root and asset
        for alike in zones.groups:
            if id(alike) not in own and self.of[id(alike)]:
                for member in zip(alike.roots, alike.assets, strict=True):
                    self.others[member].append(alike)
        self.torn: dict[tuple[int, Span], set[tuple[int, int]]] = defaultdict(set)  # root and asset, by group and span
        self.held: dict[tuple[int, Span], dict[tuple[int, int, int], Whole]] = defaultdict(dict)

    def _parts(self, alike: Alike) -> dict[int, list[Part]]:
        """Those of stored days, by the position of the day."""
        days = self.zones.days
        found: dict[int, list[Part]] = defaultdict(list)
        for bucket, (_, spans) in enumerate(alike.zones):
            for span in spans:
                if alike.is_stored(*span):
                    for day in range(days.position(span[0]), days.position(span[1] - 1) + 1):
                        lo, hi = max(span[0], days.borders[day]), min(span[1], days.borders[day + 1])
                        found[day].append(Part(bucket, span, lo, hi))
        return found

    def days(self, alike: Alike) -> set[int]:
        """Positions of the days to look at."""
        return set(self.of[id(alike)])

    def add(
        self, alike: Alike, root: int, asset_id: int, day: int, sums: Sums, stopped: tuple[int | None, int | None]
    ) -> None:
        """A stored day of a member; `stopped` are seconds after it begins, without any if there are counts alone."""
        self._add(alike, root, asset_id, day, sums, stopped)
        other = self.into.get(root)
        for coarse in self.others.get((other, asset_id), ()) if other is not None else ():
            self._add(coarse, other, asset_id, day, sums, stopped)

    def _add(
        self, alike: Alike, root: int, asset_id: int, day: int, sums: Sums, stopped: tuple[int | None, int | None]
    ) -> None:
        begins = self.zones.days.borders[day]
        first, past = stopped
        for bucket, span, lo, hi in self.of[id(alike)].get(day, ()):
            if sums[COUNTS] or first is None or past is None:
                self.torn[id(alike), span].add((root, asset_id))
            elif lo <= begins + first and begins + past <= hi:
                self.held[id(alike), span][root, asset_id, day] = Whole(root, bucket, asset_id, day, sums)
            elif begins + first < hi and begins + past > lo:
                self.torn[id(alike), span].add((root, asset_id))

    def members(self, alike: Alike, lo: int, hi: int) -> list[tuple[int, int]]:
        """Root and asset of those for which the span must be computed."""
        if alike.is_stored(lo, hi):
            return sorted(self.torn[id(alike), (lo, hi)])
        members = list(zip(alike.roots, alike.assets, strict=True))
        if alike.changed:
            return members
        stirred = self.zones.stirred
        return [(root, asset_id) for root, asset_id in members if asset_id in stirred]

    def whole(self) -> Iterator[Whole]:
        """The days that count as they are stored."""
        for key, days in self.held.items():
            torn = self.torn.get(key, ())
            yield from (each for each in days.values() if (each.root, each.asset_id) not in torn)
