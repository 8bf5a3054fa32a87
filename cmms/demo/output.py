"""What the lines of the demo plant make: counts per shift and machine that fit their stops."""

from datetime import datetime, timedelta
from math import cos, pi

from assets.models import Source
from cmms.demo.chance import stream
from cmms.demo.plant import Plant, Unit
from cmms.demo.shifts import Shift
from cmms.demo.stops import History, Stop
from cmms.demo.world import Line
from core.copying import copy_in
from production.models import Count

LOST = ("L2", 0.93, timedelta(days=3))  # the counters of this line were silent from this share of the history on

MUTE = ("L2-CW1", timedelta(days=45))  # the control of this machine has told nothing for so long


def fall_silent(plant: Plant, history: History) -> None:
    """Of one machine neither stops nor counts arrive any more: what coverage and a finding are about."""
    since = plant.now - MUTE[1]
    mute = {unit.asset.pk for unit in plant.units if unit.spec.code == MUTE[0]}
    history.stops = [each for each in history.stops if each.asset_id not in mute or each.start < since]


def make(plant: Plant, history: History) -> int:
    """Store a count per shift for each line and each counting machine; returns how many."""
    rows = []
    for code, asset in plant.lines.items():
        members = [unit for unit in plant.units if unit.line and unit.line.code == code]
        rows += _line_counts(plant, members[0].line, asset.pk, members, history)
    rows.sort(key=lambda row: row[2])
    columns = ["asset_id", "product", "start", "end", "good", "scrap", "rework", "ideal_cycle", "source", "entered_at"]
    return copy_in(Count, columns, rows)


class Standing:
    """Seconds that an asset stands still within shifts asked for in order: the union of its stops."""

    def __init__(self, stops: list[Stop], now: datetime):
        self.spans: list[list[float]] = []
        for start, end in sorted((s.start.timestamp(), (s.end or now).timestamp()) for s in stops):
            if self.spans and start <= self.spans[-1][1]:
                self.spans[-1][1] = max(self.spans[-1][1], end)
            else:
                self.spans.append([start, end])
        self.at = 0

    def within(self, start: datetime, end: datetime) -> float:
        begin, stop, total = start.timestamp(), end.timestamp(), 0.0
        while self.at < len(self.spans) and self.spans[self.at][1] <= begin:
            self.at += 1
        for left, right in self.spans[self.at :]:
            if left >= stop:
                break
            total += min(right, stop) - max(left, begin)
        return total


def _line_counts(plant: Plant, line: Line, line_id: int, members: list[Unit], history: History) -> list[tuple]:
    by_asset: dict[int, list[Stop]] = {}
    for stop in history.stops:
        by_asset.setdefault(stop.asset_id, []).append(stop)
    own = by_asset.get(line_id, [])
    stopping = [stop for unit in members if unit.spec.stops for stop in by_asset.get(unit.asset.pk, [])]
    line_standing = Standing(own + stopping, plant.now)
    counting = [
        (unit, Standing(own + by_asset.get(unit.asset.pk, []), plant.now))
        for unit in members
        if unit.spec.speed is not None
    ]
    silent_from = plant.at(LOST[1]) if line.code == LOST[0] else None
    rows = []
    for index, shift in enumerate(plant.line_shifts[line.code]):
        end = _counted_until(shift, plant.now)
        silent = silent_from and silent_from <= shift.start < silent_from + LOST[2]
        running = (end - shift.start).total_seconds() - line_standing.within(shift.start, end)
        if running <= 60 or silent:
            continue
        chance = stream("counts", line.code, index)
        product, share = line.products[(index * 7 // 5) % len(line.products)]
        cycle = round(line.cycle * share, 6)
        pace = line.pace + 0.015 * cos(index / 60 * pi) + chance.gauss(0, 0.022)
        made = int(running * min(max(pace, 0.7), 0.985) / cycle)
        entered = end + timedelta(minutes=2)
        tail = (Source.PLC, entered)
        scrap = int(made * line.scrap * chance.uniform(0.5, 1.6))
        rework = int(made * 0.002 * chance.random())
        rows.append((line_id, product, shift.start, end, made - scrap - rework, scrap, rework, cycle, *tail))
        for unit, standing in counting:
            own_cycle = round(cycle * unit.spec.speed, 6)
            able = (end - shift.start).total_seconds() - standing.within(shift.start, end)
            if unit.spec.code == MUTE[0] and end > plant.now - MUTE[1]:
                continue
            number = min(made, int(max(able, 0) * 0.985 / own_cycle))
            waste = int(number * line.scrap * chance.uniform(0.1, 0.5))
            if number:
                rows.append((unit.asset.pk, product, shift.start, end, number - waste, waste, 0, own_cycle, *tail))
    return rows


def _counted_until(shift: Shift, now: datetime) -> datetime:
    """The shift's end; of the shift that runs, the last full hour."""
    if shift.end <= now:
        return shift.end
    return max(shift.start, now.replace(minute=0, second=0, microsecond=0))
