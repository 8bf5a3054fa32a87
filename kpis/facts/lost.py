"""Where time was lost, by reason and loss class: read when somebody looks at it, as most figures do without."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from kpis.facts import stored
from kpis.facts.live import CellFacts
from kpis.facts.tally import Causes, Place, Sums
from kpis.facts.zones import Alike, Zones, only

Losses = dict[str, float]  # loss class → seconds


SHORT = "short"


class Short:
    """The short stops of assets with counts in all cuts and buckets, read at once for trends of OEE's factors."""

    def __init__(self, zones: Zones, groups: Sequence[Alike], sums: Sums):
        self.zones, self.groups, self.sums = zones, groups, sums

    @cached_property
    def seconds(self) -> dict[Place, float]:
        counted, found = self.sums.counted_assets, defaultdict[Place, float](float)
        whole = chain.from_iterable(self.sums.whole.values())
        groups = only(self.groups, set().union(*counted.values()))
        for place, asset_id, lost in stored.Days(self.zones, groups, whole=whole).lost_to(SHORT):
            if asset_id in counted.get(place, ()):
                found[place] += lost
        for place, parts in self.sums.live.items():
            for asset_id, cell in parts:
                if asset_id in counted.get(place, ()):
                    found[place] += _by_class(cell.causes).get(SHORT, 0.0)
        return dict(found)


class Lost:
    """The lost time of the roots of a cut in one of its buckets, read at once."""

    def __init__(self, zones: Zones, groups: Sequence[Alike], sums: Sums, cut: int, bucket: int, short: Short):
        self.zones, self.sums, self.cut, self.bucket, self.short = zones, sums, cut, bucket, short
        self.groups = [alike for alike in groups if alike.cut == cut]

    def _days(self, groups: Sequence[Alike]) -> stored.Days:
        whole = [each for place, days in self.sums.whole.items() if self._is_here(place) for each in days]
        return stored.Days(self.zones, groups, only=self.bucket, whole=whole)

    def _is_here(self, place: Place) -> bool:
        return place[1] == self.bucket and self.zones.cut_of[place[0]] == self.cut

    def _live(self) -> Iterator[tuple[Place, int, CellFacts]]:
        """Computed parts with their asset."""
        for place, parts in self.sums.live.items():
            if self._is_here(place):
                yield from ((place, asset_id, cell) for asset_id, cell in parts)

    @cached_property
    def causes(self) -> dict[Place, Causes]:
        """Seconds and stops of every asset."""
        found: dict[Place, Causes] = {}
        for place, causes in self._days(self.groups).causes():
            _add(found.setdefault(place, {}), causes)
        for place, _, cell in self._live():
            _add(found.setdefault(place, {}), cell.causes)
        return found

    @cached_property
    def losses(self) -> dict[Place, Losses]:
        return {place: _by_class(causes) for place, causes in self.causes.items()}

    @cached_property
    def of_counted(self) -> dict[Place, Losses]:
        """As `losses`, of the assets with counts."""
        found: dict[Place, Causes] = {}
        there = {place: assets for place, assets in self.sums.counted_assets.items() if self._is_here(place)}
        counted = [(*place, asset_id) for place, assets in there.items() for asset_id in assets]
        groups = only(self.groups, set().union(*there.values()))
        for place, causes in self._days(groups).causes_of(counted) if counted else ():
            _add(found.setdefault(place, {}), causes)
        for place, asset_id, cell in self._live():
            if asset_id in there.get(place, ()):
                _add(found.setdefault(place, {}), cell.causes)
        return {place: _by_class(causes) for place, causes in found.items()}

    def of_class(self, loss: str, place: Place, *, counted: bool) -> float:
        """Seconds; KeyError where nothing was lost. Short stops of assets with counts are read for all buckets, unless
        all losses of this one are known already."""
        if counted and loss == SHORT and "of_counted" not in vars(self):
            return self.short.seconds[place]
        return (self.of_counted if counted else self.losses).get(place, {})[loss]


class LossesOf(Mapping[str, float]):
    """The lost seconds of one root and bucket by loss class, as `Facts` want them."""

    __slots__ = ("_counted", "_lost", "_place")

    def __init__(self, lost: Lost, place: Place, *, counted: bool = False):
        self._lost, self._place, self._counted = lost, place, counted

    @property
    def _known(self) -> Losses:
        return (self._lost.of_counted if self._counted else self._lost.losses).get(self._place, {})

    def __getitem__(self, loss: str) -> float:
        return self._lost.of_class(loss, self._place, counted=self._counted)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _add(known: Causes, causes: Causes) -> None:
    for key, (seconds, stops) in causes.items():
        before = known.get(key, (0, 0))
        known[key] = (before[0] + seconds, before[1] + stops)


def _by_class(causes: Causes) -> Losses:
    sums: Losses = {}
    for (_, loss), (seconds, _stops) in causes.items():
        sums[loss] = sums.get(loss, 0.0) + seconds
    return sums
