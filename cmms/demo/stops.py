"""How the demo plant stops and fails: wear-out per kind, jams, changeovers, and how people record them."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from assets.checks import said
from assets.models import Asset, Downtime, DowntimeReason, Failure, FailureCode, Source
from cmms.demo.chance import around, stream, weibull
from cmms.demo.plant import Plant, Unit
from cmms.demo.shifts import OperatingAxis, Shift
from cmms.demo.world import MOVED, NEW_MACHINE, Line
from core.copying import copy_in, reserve_ids
from core.models import Event
from people.models import User

QUIET_BEFORE_NOW = timedelta(hours=3)  # chance ends here; what happens right now is written in `today`


@dataclass
class Stop:
    """A stop as it will be recorded."""

    asset_id: int
    start: datetime
    end: datetime | None
    reason: DowntimeReason
    source: str
    entered_at: datetime
    entered_by: User | None = None
    planned_end: datetime | None = None
    note: str = ""
    id: int = 0

    @property
    def planned(self) -> bool:
        return self.reason.planned


@dataclass
class Breakdown:
    """A failure as it will be recorded, with its stop if it stopped the machine."""

    unit: Unit
    occurred: datetime
    restored: datetime | None
    problem: FailureCode | None = None
    cause: FailureCode | None = None
    remedy: FailureCode | None = None
    item: str = ""
    stop: Stop | None = None
    found_in_maintenance: bool = False
    entered_at: datetime | None = None
    entered_by: User | None = None
    id: int = 0


@dataclass
class History:
    stops: list[Stop]
    failures: list[Breakdown]


def happen(plant: Plant) -> History:
    """Two years of stops and failures, up to shortly before now."""
    history = History([], [])
    until = plant.now - QUIET_BEFORE_NOW
    for line, row in plant.lines.items():
        spec = next(unit.line for unit in plant.units if unit.line and unit.line.code == line)
        history.stops += _line_stops(plant, spec, row.pk, until)
    for unit in plant.units:
        if unit.spec.code == NEW_MACHINE.code:
            continue
        failures = _failures(plant, unit, min(until, unit.until)) if unit.spec.fails else []
        history.failures += [failure for failure in failures if not _is_unclassified(failure)]
        history.stops += [failure.stop for failure in failures if failure.stop]
        history.stops += _doubles(plant, failures)
        history.stops += _jams(plant, unit, failures, min(until, unit.until))
    return history


def write(plant: Plant, history: History) -> None:
    """Store the history; stops and failures get their ids in the order in which they began.

    What people entered leaves its events, as it does on the pages; of what machines report there would be too many.
    """
    history.stops.sort(key=lambda stop: stop.start)
    history.failures.sort(key=lambda failure: failure.occurred)
    for stop, id_ in zip(history.stops, reserve_ids(Downtime, len(history.stops)), strict=True):
        stop.id = id_
    for failure, id_ in zip(history.failures, reserve_ids(Failure, len(history.failures)), strict=True):
        failure.id = id_
    columns = [
        "id", "asset_id", "start", "end", "planned", "planned_end", "reason_id", "source", "note", "entered_at",
        "entered_by_id",
    ]  # fmt: skip
    copy_in(Downtime, columns, (
        (s.id, s.asset_id, s.start, s.end, s.planned, s.planned_end, s.reason.pk, s.source, s.note, s.entered_at,
         s.entered_by and s.entered_by.pk)
        for s in history.stops
    ))  # fmt: skip
    columns = [
        "id", "asset_id", "component", "occurred", "restored", "problem_id", "cause_id", "remedy_id", "detection",
        "downtime_id", "source", "entered_at", "entered_by_id",
    ]  # fmt: skip
    copy_in(Failure, columns, (
        (f.id, f.unit.asset.pk, f.item, f.occurred, f.restored, _key(f.problem), _key(f.cause), _key(f.remedy),
         Failure.Detection.MAINTENANCE if f.found_in_maintenance else Failure.Detection.OPERATION,
         f.stop and f.stop.id, Source.OPERATOR, f.entered_at or f.occurred, f.entered_by and f.entered_by.pk)
        for f in history.failures
    ))  # fmt: skip

    _record(plant, history)


def _record(plant: Plant, history: History) -> None:
    assets = {asset.pk: asset for asset in Asset.objects.filter(site__demo=True).select_related("site", "parent")}
    founder = plant.people["sabine"]
    told = [
        (asset, founder, "asset.created", asset, f"{asset} created", asset.commissioned) for asset in assets.values()
    ]
    for unit in plant.units:
        if unit.spec.code == MOVED[0]:
            asset = assets[unit.asset.pk]
            told.append((asset, founder, "asset.moved", asset, f"{asset} moved to {asset.parent}", plant.at(MOVED[2])))
    for stop in history.stops:
        if stop.entered_by:
            asset = assets[stop.asset_id]
            since = said(stop.start, asset.site)
            words = f"was down {since} to {said(stop.end, asset.site)}" if stop.end else f"is down since {since}"
            verb = "downtime.recorded" if stop.end else "downtime.opened"
            told.append((asset, stop.entered_by, verb, stop, f"{asset} {words} ({stop.reason})", stop.entered_at))
    for failure in history.failures:
        asset = assets[failure.unit.asset.pk]
        words = f"{asset} failed at {said(failure.occurred, asset.site)} ({failure.problem})"
        told.append((asset, failure.entered_by, "failure.recorded", failure, words, failure.entered_at))
    told.sort(key=lambda event: event[5])
    labels = {Asset: "assets.asset", Stop: "assets.downtime", Breakdown: "assets.failure"}
    columns = ["site_id", "actor_id", "verb", "object_type", "object_id", "summary", "at"]
    copy_in(Event, columns, (
        (asset.site_id, by.pk, verb, labels[type(row)], row.id, words[:300], at)
        for asset, by, verb, row, words, at in told
    ))  # fmt: skip


def _key(row) -> int | None:
    return row.pk if row else None


# --- Failures ----------------------------------------------------------------------------------


def _failures(plant: Plant, unit: Unit, until: datetime) -> list[Breakdown]:
    kind, chance = unit.kind, stream("failures", unit.site.code, unit.spec.code)
    axis = OperatingAxis(unit.shifts, until)
    recorders = plant.staff(unit.site, "requester") + plant.staff(unit.site, "technician")
    found, hour = [], -chance.random() * kind.life * unit.spec.life * 0.5
    while True:
        share = max(hour, 0.0) / axis.hours
        life = kind.life * unit.spec.life * (1 + unit.spec.trend * share)
        hour += max(weibull(chance, life, kind.wear), 0.2)
        if hour >= axis.hours:
            return found
        if hour < 0:
            continue
        minutes = chance.uniform(4, 18) + around(chance, kind.repair, 0.6) * (4 if chance.random() < 0.04 else 1)
        occurred = axis.moment(hour).replace(microsecond=0)
        restored = (occurred + timedelta(minutes=minutes)).replace(microsecond=0)
        if restored > until:
            return found
        hour += minutes / 60
        found.append(_breakdown(plant, unit, chance, occurred, restored, recorders))


def _breakdown(plant: Plant, unit: Unit, chance, occurred, restored, recorders) -> Breakdown:
    problem, item, cause, remedy = chance.choice(unit.kind.problems)
    codes = {
        list_: plant.codes[list_, unit.kind.code, name]
        for list_, name in (("problem", problem), ("cause", cause), ("remedy", remedy))
    }
    person = chance.choice(recorders)
    failure = Breakdown(unit, occurred, restored, item=item, entered_by=person, **codes)
    failure.entered_at = _entered(chance, occurred, restored, by_machine=False)
    if chance.random() < 0.12:  # runs on, slower or by hand
        return failure
    by_machine = unit.spec.criticality == "A" and chance.random() < 0.6
    code = chance.choices(["mechanical", "electrical", "controls"], [6, 2, 2])[0]
    failure.stop = Stop(
        unit.asset.pk, occurred, restored, plant.reasons[unit.site.code, code],
        Source.PLC if by_machine else Source.OPERATOR,
        _entered(chance, occurred, restored, by_machine=by_machine), None if by_machine else person,
        note=problem if chance.random() < 0.4 else "",
    )  # fmt: skip
    return failure


def _is_unclassified(failure: Breakdown) -> bool:
    """Some stops are never classified: nobody said whether it was a failure."""
    return failure.stop is not None and stream("unclassified", failure.stop.start, failure.item).random() < 0.05


def _entered(chance, start: datetime, end: datetime, *, by_machine: bool) -> datetime:
    """Machines report at once, people after the first minutes, and now and then days later."""
    if by_machine:
        return start + timedelta(seconds=chance.randint(2, 40))
    if chance.random() < 0.04:
        return end + timedelta(hours=chance.uniform(20, 210))
    return start + timedelta(minutes=chance.uniform(1, 12))


def _doubles(plant: Plant, failures: list[Breakdown]) -> list[Stop]:
    """Where the machine reports, the operator sometimes records the same stop again, a few minutes off."""
    found = []
    for failure in failures:
        stop = failure.stop
        chance = stream("double", failure.unit.asset.pk - plant.units[0].asset.pk, failure.occurred)
        if stop is None or stop.source != Source.PLC or chance.random() > 0.07:
            continue
        start = stop.start + timedelta(minutes=chance.uniform(-3, 6))
        end = max(stop.end + timedelta(minutes=chance.uniform(-8, 8)), start + timedelta(minutes=2))
        site = failure.unit.site
        person = plant.staff(site, "requester")[0]
        found.append(
            Stop(stop.asset_id, start, end, plant.reasons[site.code, "mechanical"], Source.OPERATOR, end, person)
        )
    return found


def _jams(plant: Plant, unit: Unit, failures: list[Breakdown], until: datetime) -> list[Stop]:
    chance = stream("jams", unit.site.code, unit.spec.code)
    down = [(failure.occurred, failure.restored) for failure in failures if failure.stop]
    begins = [begin for begin, _end in down]
    reasons = [plant.reasons[unit.site.code, code] for code in ("jam", "upstream", "controls")]
    found = []
    for shift in unit.shifts:
        hours = shift.seconds / 3600
        clock = chance.expovariate(1) * 8 / unit.kind.jams if unit.kind.jams else hours
        while clock < hours - 0.4:
            start = shift.start + timedelta(hours=clock)
            end = start + timedelta(seconds=min(around(chance, 150, 0.7), 1400))
            index = bisect_right(begins, end) - 1
            free = index < 0 or down[index][1] <= start
            if free and end < until:
                reason = chance.choices(reasons, [6, 3, 1])[0]
                found.append(Stop(unit.asset.pk, start, end, reason, Source.PLC, end + timedelta(seconds=3)))
            clock += chance.expovariate(1) * 8 / unit.kind.jams + 0.1
    return found


# --- What stops a whole line -------------------------------------------------------------------


def _line_stops(plant: Plant, line: Line, line_id: int, until: datetime) -> list[Stop]:
    site = plant.sites[line.site]
    operator = plant.staff(site, "requester")[0]
    planner = plant.staff(site, "planner")[0]
    members = [unit for unit in plant.units if unit.line is line]
    found: list[Stop] = []

    def stop(code: str, start: datetime, minutes: float, planned_minutes: float | None = None, by=operator) -> None:
        end = (start + timedelta(minutes=minutes)).replace(microsecond=0)
        planned_end = None if planned_minutes is None else start + timedelta(minutes=planned_minutes)
        if end < until:
            reason = plant.reasons[site.code, code]
            found.append(Stop(line_id, start, end, reason, Source.OPERATOR, end, by, planned_end))

    def agreed(code: str, shift: Shift, minutes: float) -> None:
        """A planned stop of the line and of every machine on it."""
        stop(code, shift.start, minutes, minutes, by=planner)
        end = shift.start + timedelta(minutes=minutes)
        reason = plant.reasons[site.code, code]
        for unit in members:
            if unit.since <= shift.start and end < min(until, unit.until) and unit.spec.code != NEW_MACHINE.code:
                found.append(
                    Stop(unit.asset.pk, shift.start, end, reason, Source.OPERATOR,
                         shift.start - timedelta(days=2), planner, end)
                )  # fmt: skip

    for shift in plant.line_shifts[line.code]:
        chance = stream("line", line.code, (shift.start - plant.start).total_seconds() // 3600)
        hours = shift.seconds / 3600
        if chance.random() < 0.02:
            agreed("no-demand", shift, shift.seconds / 60)
            continue
        maintained = shift.day.weekday() == 2 and shift.start.astimezone(site.zone).hour == 6
        if maintained:
            agreed("maintenance", shift, 120)
        elif chance.random() < 0.55:
            start = shift.start + timedelta(hours=chance.uniform(0.3, 3.4))
            stop("no-material", start.replace(microsecond=0), min(around(chance, 9, 0.6), 30))
        if line.meals:
            stop("meal", shift.start + timedelta(hours=4), 30, 30)
        if chance.random() < 0.6 * hours / 8:
            minutes = around(chance, 34, 0.22)
            start = shift.start + timedelta(hours=chance.uniform(4.6, min(6.2, hours - 1.6)))
            stop("changeover", start.replace(microsecond=0), minutes, 45 if minutes > 30 else 30)
        if shift.day.weekday() == 4 and shift.start.astimezone(site.zone).hour in (14, 6) and not maintained:
            stop("cleaning", shift.end - timedelta(minutes=80), chance.uniform(62, 78), 80)
    return found
