"""Adding up facts of many parts, without an object for each sum."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from kpis.facts.live import CellFacts
from kpis.formulas import Facts

Causes = dict[tuple[int | None, str], tuple[int, int]]  # (reason, loss class) → seconds, stops
FLOATS = {each.name for each in fields(Facts) if each.type is float}


class Tally:
    """Sums of `Facts`, named as its fields; lost time comes apart (`kpis.facts.lost`)."""

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
        sums = {name: float(value) if name in FLOATS else int(value) for name, value in self.sums.items()}
        return Facts(**sums, losses=losses)


@dataclass(slots=True)
class Sums:
    """The facts of one root in one bucket while they are added up."""

    all: Tally = field(default_factory=Tally)
    counted: Tally = field(default_factory=Tally)
    counted_assets: set[int] = field(default_factory=set)
    live: list[tuple[int, CellFacts]] = field(default_factory=list)  # computed parts with their asset
    computed_at: datetime | None = None
