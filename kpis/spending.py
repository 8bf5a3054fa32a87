"""The arithmetic of what maintenance costs beside what is made, and beside what it would cost to replace. Pure, as
`kpis.work`.
"""

from dataclasses import dataclass, field

from kpis.backlog import Spent
from kpis.formulas import Reason, Result, Status
from kpis.work import Lack


@dataclass(frozen=True, slots=True)
class Output:
    """Pieces made in a window, good or not, and how many assets counted them."""

    pieces: float = 0.0
    assets: int = 0


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Money of a window, beside the pieces made in it."""

    spent: Spent = field(default_factory=Spent)
    output: Output = field(default_factory=Output)

    def inputs(self) -> dict[str, float]:
        return {
            **self.spent.inputs(),
            "maintenance_cost": self.spent.total,
            "pieces": self.output.pieces,
            "counting_assets": self.output.assets,
        }

    def per_unit(self, threshold: float = 0.0) -> Result:
        """Money per piece."""
        cost = self.spent.cost(threshold)
        if cost.value is None:
            return cost
        if not self.output.assets:
            return Result(None, Status.NO_DATA, Reason.NO_COUNTS)
        if self.output.pieces <= 0:
            return Result(None, Status.UNDEFINED, Reason.NOTHING_MADE)
        return Result(cost.value / self.output.pieces, cost.status, cost.reason, coverage=cost.coverage)


@dataclass(frozen=True, slots=True)
class Worth:
    """What it would cost to replace the assets that have a value of their own and stand below no other such one.

    `amount_years` is each value × the years of the window in which the asset was there and in service. `machines` are
    all that are asked for, `valued_machines` those that such a value is of.
    """

    amount: float = 0.0
    amount_years: float = 0.0
    assets: int = 0
    machines: int = 0
    valued_machines: int = 0

    @property
    def coverage(self) -> float:
        return self.valued_machines / self.machines if self.machines else 1.0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Money of a window on assets with a replacement value, beside that value; `whole` is the money on all assets."""

    spent: Spent = field(default_factory=Spent)
    worth: Worth = field(default_factory=Worth)
    whole: float = 0.0

    @property
    def left_out(self) -> float:
        """Money on assets without a value."""
        return max(0.0, self.whole - self.spent.total)

    def inputs(self) -> dict[str, float]:
        return {
            **self.spent.inputs(),
            "maintenance_cost": self.spent.total,
            "left_out_cost": self.left_out,
            "replacement_value": self.worth.amount,
            "replacement_value_years": self.worth.amount_years,
            "valued_assets": self.worth.assets,
            "machines": self.worth.machines,
            "valued_machines": self.worth.valued_machines,
        }

    def share_of_a_year(self, threshold: float = 0.0) -> Result:
        """What a year at this pace would cost, as a share of the value."""
        if not self.worth.assets:
            return Result(None, Status.NO_DATA, Lack.NO_REPLACEMENT_VALUE, coverage=0.0)
        cost = self.spent.cost(threshold)
        if cost.value is None:
            return cost
        if self.worth.amount_years <= 0:
            return Result(None, Status.UNDEFINED, Lack.WORTH_NOTHING)
        value = cost.value / self.worth.amount_years
        coverage = min(self.worth.coverage, 1.0 if cost.coverage is None else cost.coverage)
        if self.worth.coverage < threshold:
            return Result(value, Status.PARTIAL, Lack.FEW_REPLACEMENT_VALUES, coverage=coverage)
        return Result(value, cost.status, cost.reason, coverage=coverage)
