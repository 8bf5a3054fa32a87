"""Where the time of an OEE went: its losses, the largest first, and the machines that lost most by the largest."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kpis import formulas
from kpis.axis import epoch
from kpis.definitions import OEE, Definition
from kpis.facts.read import Reader
from kpis.facts.zones import Cut, Member, Stretch
from kpis.figures import Period
from kpis.formulas import Loss
from kpis.profiles import in_performance
from kpis.reasons import LOSSES

TOLD = (OEE, "performance", "quality", "teep")
OF_COUNTS = {"reduced_speed": "performance", "scrap": "quality", "rework": "quality"}  # and which factor they lower
GOOD = "good"
MOST = 200  # machines that are looked at one by one


@dataclass(frozen=True)
class Went:
    """A part of the time: its seconds (negative is a gain), its share of the whole, and which factor it lowers."""

    key: str
    seconds: float
    share: float
    lowers: str  # key of a definition; "" of the good time

    @property
    def name(self) -> Any:
        return LOSSES.get(self.key, self.key)


@dataclass(frozen=True)
class Loser:
    """A machine with the seconds that it lost by the largest loss, and its share of that loss."""

    asset: int
    seconds: float
    share: float


@dataclass(frozen=True)
class TimeWent:
    """Planned production time (of TEEP calendar time) in parts that add up to it, losses from the largest down.

    Stops are named singly elsewhere; of a loss that counts tell, `losers` are the machines, those that lost most first.
    """

    whole: str  # an input of the figure
    seconds: float
    parts: list[Went]
    largest: Went | None  # of those that lower the figure
    losers: list[Loser]
    too_many: bool = False  # machines to look at one by one


def time_went(period: Period, definition: Definition, counting: Sequence[Stretch]) -> TimeWent | None:
    """Of the machines with counts; None without any, and of figures that are not about them."""
    facts, moving = period.answer.counted, in_performance(period.site)
    calendar = definition.key == "teep"
    whole = facts.calendar if calendar else facts.planned_production
    if definition.key not in TOLD or not facts.counts or whole <= 0:
        return None
    steps = [*(formulas.unplanned(facts) if calendar else ()), *formulas.waterfall(facts, moving)]
    parts = sorted(
        (Went(key, seconds, seconds / whole, lowered_by(key, moving)) for key, seconds in map(of, steps) if seconds),
        key=lambda each: (each.key == GOOD, -each.seconds),
    )
    own = [each for each in parts if each.lowers and definition.key in (OEE, "teep", each.lowers)]
    largest = own[0] if own and own[0].seconds > 0 else None
    found: list[Loser] = []
    asked = largest is not None and largest.key in OF_COUNTS
    too_many = asked and len(counting) > MOST
    if asked and not too_many:
        found = losers(period, largest, counting)
    name = "calendar_time" if calendar else "planned_production_time"
    return TimeWent(name, whole, parts, largest, found, too_many)


def of(loss: Loss) -> tuple[str, float]:
    return loss.key, loss.seconds


def lowered_by(key: str, moving: Sequence[str]) -> str:
    """The figure that a loss lowers first: a factor of OEE, or TEEP alone."""
    if key in ("not_scheduled", "unknown", "planned_stops"):
        return "teep"
    if key == GOOD:
        return ""
    return OF_COUNTS.get(key) or ("performance" if key in moving else "oee_availability")


def losers(period: Period, largest: Went, counting: Sequence[Stretch]) -> list[Loser]:
    """The machines that lost time by it, each for as long as it counted; read together."""
    ids = sorted({each.member.asset_id for each in counting})
    roots = {asset_id: root for root, asset_id in enumerate(ids)}
    alone = [Member(roots[each.member.asset_id], *each.member[1:]) for each in counting]
    lo = epoch(period.start)
    cut = Cut(range(len(ids)), [(lo, max(epoch(period.end), lo + 1))])
    answers = Reader(period.site, alone, now=period.now, cuts=[cut]).answers()
    lost: dict[int, float] = defaultdict(float)
    for (root, _bucket), answer in answers.items():
        lost[ids[root]] += sum(each.seconds for each in formulas.waterfall(answer.counted) if each.key == largest.key)
    ordered = sorted(lost.items(), key=lambda row: (-row[1], row[0]))
    return [Loser(asset_id, seconds, seconds / largest.seconds) for asset_id, seconds in ordered if seconds > 0]
