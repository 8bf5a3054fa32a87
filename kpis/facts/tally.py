"""Adding up facts of many parts, without an object for each sum."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kpis.facts.live import CellFacts
from kpis.formulas import Facts

Causes = dict[tuple[int | None, str], tuple[int, int]]  # (reason, loss class) → seconds, stops


class Tally:
    """Sums of `Facts`, named as its fields and of their types; lost time comes apart (`kpis.facts.lost`)."""

    __slots__ = ("sums",)

    def __init__(self):
        self.sums: defaultdict[str, float] = defaultdict(int)

    def add(self, sums: Mapping[str, float]) -> None:
        known = self.sums
        for name, value in sums.items():
            if value:
                known[name] += value

    def add_row(self, names: Sequence[str], values: Sequence[float]) -> None:
        known = self.sums
        for name, value in zip(names, values, strict=True):
            if value:
                known[name] += value

    def facts(self, losses: Mapping[str, float]) -> Facts:
        return Facts(**self.sums, losses=losses)


@dataclass(slots=True)
class Sums:
    """The facts of one root in one bucket while they are added up."""

    all: Tally = field(default_factory=Tally)
    counted: Tally = field(default_factory=Tally)
    counted_assets: set[int] = field(default_factory=set)
    live: list[tuple[int, CellFacts]] = field(default_factory=list)  # computed parts with their asset
    computed: float | None = None  # the oldest stored part, in seconds since 1970
