"""Adding up facts of many parts, without an object for each sum."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields

from kpis.formulas import NO_FACTS, Facts

Causes = dict[tuple[int | None, str], tuple[int, int]]  # (reason, loss class) → seconds, stops
FLOATS = {each.name for each in fields(Facts) if each.type is float}


class Tally:
    """Sums of `Facts`, named as its fields, and lost time by loss class."""

    __slots__ = ("losses", "sums")

    def __init__(self):
        self.sums: dict[str, float] = {}
        self.losses: Counter[str] = Counter()

    def add(self, sums: Mapping[str, float]) -> None:
        known = self.sums
        for name, value in sums.items():
            if value:
                known[name] = known.get(name, 0) + value

    def add_losses(self, causes: Causes) -> None:
        for (_, loss), (seconds, _) in causes.items():
            self.losses[loss] += seconds

    def facts(self) -> Facts:
        if not self.sums and not self.losses:
            return NO_FACTS
        sums = {name: float(value) if name in FLOATS else int(value) for name, value in self.sums.items()}
        return Facts(**sums, losses={loss: float(seconds) for loss, seconds in self.losses.items()})
