"""Adding up facts of many parts, as rows of numbers: an object for each sum would take most of the time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from kpis.facts.live import CellFacts
from kpis.facts.parts import Whole
from kpis.formulas import SUMS, Facts

Place = tuple[int, int]  # root, position of the bucket
Causes = dict[tuple[int | None, str], tuple[int, int]]  # (reason, loss class) → seconds, stops
Row = list[float]  # the sums of `Facts`, in their order and of their types

PLACES = {name: place for place, name in enumerate(SUMS)}
EMPTY: Row = [each.default for each in fields(Facts) if each.name in PLACES]


def places(names: Iterable[str]) -> list[int]:
    """Where these sums stand in a row."""
    return [PLACES[name] for name in names]


def add(row: Row, sums: Mapping[str, float]) -> None:
    for name, value in sums.items():
        row[PLACES[name]] += value


def add_row(row: Row, at: Sequence[int], values: Sequence[float]) -> None:
    """Add values, of which each has its place."""
    for place, value in zip(at, values, strict=True):
        row[place] += value


class Sums:
    """Facts while they are added up; lost time comes apart (`kpis.facts.lost`). Only what is there takes room."""

    def __init__(self):
        self.all: dict[Place, Row] = defaultdict(EMPTY.copy)
        self.counted: dict[Place, Row] = defaultdict(EMPTY.copy)  # of the assets with counts
        self.counted_assets: dict[Place, set[int]] = defaultdict(set)
        self.live: dict[Place, list[tuple[int, CellFacts]]] = defaultdict(list)  # computed parts with their asset
        self.whole: dict[Place, list[Whole]] = defaultdict(list)  # days of which a part is all that was stopped
        self.computed: dict[Place, float] = {}  # the oldest stored part, in seconds since 1970
