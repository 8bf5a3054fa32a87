"""Costs per piece and beside replacement values, hour by hour in plain loops, whatever stood where."""

from collections import defaultdict
from datetime import timedelta
from random import Random

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from assets.models import Asset, Placement
from kpis import computing, figures
from kpis.definitions import DEFINITIONS
from production.models import Count
from tests import plant as world
from tests.kpis.test_work_database import BEGIN, DAY, HOUR, order

WEEKS = 3
NOW = BEGIN + WEEKS * 7 * DAY + 5 * HOUR
HOURS = range(WEEKS * 7 * 24)
YEAR = 8760


class Plain:
    """What was written, by hour: where each asset stood, what it is worth, what it cost and made."""

    def __init__(self, plant, chance: Random):
        lines = [plant.line, *(world.asset(plant.berlin, f"L{n}", level="line") for n in (2, 3))]
        machines = [plant.filler, plant.labeller, plant.palletiser, world.asset(plant.berlin, "M4", parent=lines[1])]
        valve = world.asset(plant.berlin, "M1-V", parent=plant.filler, level="component")
        self.machines, self.lines, self.every = machines, lines, [*lines, *machines, valve]
        self.parent: dict[int, list[int | None]] = {each.pk: [each.parent_id] * len(HOURS) for each in self.every}
        self.value: dict[int, float] = {}
        self.life = {each.pk: (0, len(HOURS)) for each in self.every}
        self.costs: list[tuple[int, int, float]] = []  # asset, hour, amount
        self.counts: list[tuple[int, int, int]] = []  # asset, hour, pieces
        for each in self.every:
            if chance.random() < 0.45:
                self.value[each.pk] = chance.randint(1, 90) * 1000
                Asset.objects.filter(pk=each.pk).update(replacement_value=self.value[each.pk])
        for each in chance.sample(machines, 2):
            self.move(each, chance.choice(lines), chance.randrange(1, len(HOURS)))
        for each in chance.sample(machines, 2):
            since, until = sorted(chance.sample(HOURS, 2))
            self.life[each.pk] = since, until
            Asset.objects.filter(pk=each.pk).update(commissioned=at(since), retired=at(until))
        for _ in range(40):
            asset, hour = chance.choice(self.every), chance.choice(HOURS)
            amount = chance.randint(1, 500)
            order(asset, at(hour) - DAY).costs.create(source="parts", amount=amount, at=at(hour))
            self.costs.append((asset.pk, hour, amount))
        counting = chance.sample([*lines, *machines], 4)
        for asset, hour in {(chance.choice(counting).pk, chance.choice(HOURS)) for _ in range(40)}:
            begun, past = self.life[asset]
            if begun <= hour < past:
                pieces = chance.randint(0, 900)
                Count.objects.create(
                    asset_id=asset, start=at(hour), end=at(hour + 1), good=pieces, scrap=1, rework=0, ideal_cycle=1
                )
                self.counts.append((asset, hour, pieces + 1))

    def move(self, asset: Asset, to: Asset, hour: int) -> None:
        former = Placement.objects.get(asset=asset, valid__upper_inf=True)
        former.valid = DateTimeTZRange(former.valid.lower, at(hour))
        former.save()
        Placement.objects.create(asset=asset, parent=to, valid=DateTimeTZRange(at(hour), None))
        self.parent[asset.pk][hour:] = [to.pk] * (len(HOURS) - hour)

    def chain(self, pk: int, hour: int, root: int | None) -> list[int]:
        """The asset and what stood above it, up to the root; nothing where it did not stand below the root."""
        found: list[int] = []
        up: int | None = pk
        while up is not None:
            found.append(up)
            if up == root:
                return found
            up = self.parent[up][hour]
        return found if root is None else []

    def expected(self, root: int | None, hours: range) -> dict[str, float]:
        first = {line.pk: min((h for pk, h, _ in self.counts if pk == line.pk), default=None) for line in self.lines}
        found: dict[str, float] = defaultdict(float)
        valued: dict[int, float] = {}
        for hour in hours:
            for pk, amount in self.value.items():
                chain = self.chain(pk, hour, root)
                begun, past = self.life[pk]
                if chain and begun <= hour < past and not any(up in self.value for up in chain[1:]):
                    found["replacement_value_years"] += amount / YEAR
                    valued[pk] = amount
        for pk, hour, amount in self.costs:
            chain = self.chain(pk, hour, root) if hour in hours else []
            if chain:
                under = (self.chain(other, hour, root) for other in self.value)
                held = any(up in self.value for up in chain) or any(pk in each for each in under)
                found["maintenance_cost" if held else "left_out_cost"] += amount
        for pk, hour, pieces in self.counts:
            chain = self.chain(pk, hour, root) if hour in hours else []
            spoken_for = any(first.get(up) is not None and first[up] <= hour for up in chain[1:])
            if chain and not spoken_for:
                found["pieces"] += pieces
        return found | {"replacement_value": sum(valued.values())}


def at(hour: int):
    return BEGIN + timedelta(hours=hour)


@pytest.mark.parametrize("seed", range(8))
def test_the_database_adds_up_what_plain_loops_do(plant, seed):
    chance = Random(seed)
    plain = Plain(plant, chance)
    if seed % 2:
        computing.compute_due(now=NOW)
    per_unit, of_value = (
        DEFINITIONS[f"maintenance_cost_{what}"] for what in ("per_unit", "of_replacement_value")
    )  # fmt: skip
    subjects = [None, *plain.lines, plain.machines[0]]
    for scope in ("leaves", "asset", "subtree"):
        for by, length in (("total", len(HOURS)), ("week", 7 * 24)):
            periods = figures.periods(
                subjects, site=plant.berlin, start=BEGIN, end=at(len(HOURS)), by=by, scope=scope, now=NOW
            )
            for number, period in enumerate(periods):
                begin = number % (len(HOURS) // length) * length
                asset = period.asset and period.asset.pk
                wanted = plain.expected(asset, range(begin, begin + length))
                value, unit = period.figure(of_value), period.figure(per_unit)
                where = (seed, scope, by, begin, period.asset)
                assert unit.inputs["pieces"] == pytest.approx(wanted["pieces"]), where
                years = value.inputs["replacement_value_years"]
                assert years == pytest.approx(wanted["replacement_value_years"]), where
                assert value.inputs["replacement_value"] == wanted["replacement_value"], where
                if value.inputs["valued_assets"]:
                    for name in ("maintenance_cost", "left_out_cost"):
                        assert value.inputs[name] == pytest.approx(wanted[name]), (name, where)
