"""The worked cases of docs/kpi.md as plain records with their answers.

The same table runs through the pure functions (`test_worked_cases`) and through the database
(`test_worked_cases_database`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kpis.formulas import (
    Facts,
    Result,
    availability,
    mtbf,
    mttr,
    oee,
    performance,
    quality,
)
from kpis.intervals import Calendar, Span
from kpis.plain_records import Count, Failure, Group, Placement, Records, Stop

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(hours: float) -> datetime:
    """An instant so many hours after the Monday on which the cases play."""
    return MONDAY + timedelta(hours=hours)


def within(start: float, end: float) -> Span:
    return Span(at(start), at(end))


def shift(start: str, end: str) -> tuple[Calendar, ...]:
    """A calendar with one slot on every day."""
    slot = (time.fromisoformat(start), time.fromisoformat(end))
    return (Calendar(weekly=dict.fromkeys(range(7), (slot,))),)


def stop(id: int, start: float, end: float | None, *, asset: int = 1, **fields) -> Stop:
    return Stop(id=id, asset=asset, start=at(start), end=None if end is None else at(end), **fields)


def break_(id: int, start: float, end: float, *, asset: int = 1) -> Stop:
    return stop(id, start, end, asset=asset, planned=True, excluded=True, loss="other")


def failure(id: int, occurred: float, restored: float | None = None, **fields) -> Failure:
    restored_at = None if restored is None else at(restored)
    return Failure(id=id, asset=fields.pop("asset", 1), occurred=at(occurred), restored=restored_at, **fields)


def count(start: float, end: float, *, made: float, scrap: float, cycle: float, asset: int = 1) -> Count:
    return Count(asset, within(start, end), made - scrap, scrap, 0.0, cycle)


@dataclass(frozen=True)
class Case:
    """Records, the question, and the answers: facts to the second, figures to the published digits."""

    name: str
    records: Records
    window: Span
    assets: tuple[int, ...] = (1,)
    facts: dict[str, Any] | None = None
    figures: dict[Callable[[Facts], Result], float] | None = None


def records(now: float, **fields) -> Records:
    return Records(now=at(now), zone=fields.pop("zone", UTC_ZONE), **fields)


SHIFT_WITH_BREAKS = records(
    24,
    calendars={1: shift("08:00", "16:00")},
    stops=(break_(1, 12, 13), stop(2, 9, 9 + 47 / 60)),
    counts=(count(8, 16, made=19271, scrap=423, cycle=1.0),),
)

CASES = [
    Case(
        "1 shift with breaks, stops, pieces and scrap",
        SHIFT_WITH_BREAKS,
        within(0, 24),
        facts={"scheduled": 28800, "planned_stop": 3600, "down": 2820, "stops": 1, "good": 18848, "scrap": 423},
        figures={availability: 0.888095, performance: 0.861081, quality: 0.978050, oee: 0.747937},
    ),
    Case(
        "2 OEE is not the product of rounded factors",
        records(
            24,
            calendars={1: shift("08:00", "16:00")},
            stops=(stop(1, 10, 11),),
            counts=(count(8, 16, made=400, scrap=20, cycle=60.0),),
        ),
        within(0, 24),
        facts={"planned_production": 28800, "operating": 25200, "made": 400, "good": 380},
        figures={availability: 0.875, performance: 0.952381, quality: 0.95, oee: 0.791667},
    ),
    Case(
        "3 pump with two repairs",
        records(
            6000,
            stops=(stop(1, 2000, 2020), stop(2, 2120, 2130)),
            failures=(failure(1, 2000, 2020), failure(2, 2120, 2130)),
        ),
        within(0, 5130),
        facts={"operating": 5100 * 3600, "down": 30 * 3600, "events": 2, "restored": 2, "restoration": 30 * 3600},
        figures={mtbf: 2550, mttr: 15, availability: 0.994152},
    ),
    Case(
        "4 MTBF of 800 hours with two failures",
        records(2000, failures=(failure(1, 300, 300), failure(2, 500, 500))),
        within(0, 800),
        facts={"operating": 800 * 3600, "down": 0, "events": 2},
        figures={mtbf: 400},
    ),
    Case(
        "5 overlapping stops count their union",
        records(24, stops=(stop(1, 8, 9), stop(2, 8.5, 9.5))),
        within(0, 24),
        facts={"down": 5400, "stops": 2},
    ),
    Case(
        "6 a stop over midnight, the first day",
        records(48, stops=(stop(1, 23, 25),)),
        within(0, 24),
        facts={"down": 3600, "stops": 1},
    ),
    Case(
        "6 a stop over midnight, the second day",
        records(48, stops=(stop(1, 23, 25),)),
        within(24, 48),
        facts={"down": 3600, "stops": 0},
    ),
    Case(
        "7 unplanned wins over planned",
        records(24, calendars={1: shift("08:00", "16:00")}, stops=(break_(1, 12, 12.5), stop(2, 12.25, 13))),
        within(0, 24),
        facts={"scheduled": 28800, "planned_stop": 900, "down": 2700, "planned_production": 27900, "operating": 25200},
        figures={availability: 0.903226},
    ),
    Case(
        "8 a line stops with the machine that stops it",
        records(
            24,
            stops=(stop(1, 10, 11, asset=2), stop(2, 10.5, 12, asset=3), stop(3, 10.75, 11.25)),
            placements=(Placement(2, 1, stops_parent=True), Placement(3, 1)),
        ),
        within(0, 24),
        facts={"down": 4500, "stops": 2},
    ),
    Case(
        "9 an open stop fills the 25-hour day",
        records(
            # Berlin, 25 October 2026, 00:00 to 24:00 local: 2026-10-24T22:00Z to 2026-10-25T23:00Z.
            237 * 24 - 1,
            zone=BERLIN,
            stops=(stop(1, 236 * 24 - 4, None),),
        ),
        within(236 * 24 - 2, 237 * 24 - 1),
        facts={"scheduled": 25 * 3600, "down": 25 * 3600, "stops": 0},
        figures={availability: 0},
    ),
    Case(
        "10 two assets roll up by sums",
        records(
            24,
            calendars={1: shift("08:00", "15:00"), 2: shift("08:00", "10:00")},
            stops=(stop(1, 9, 9 + 47 / 60), stop(2, 9, 9.5, asset=2)),
            counts=(
                count(8, 15, made=19271, scrap=423, cycle=1.0),
                count(8, 10, made=400, scrap=40, cycle=12.0, asset=2),
            ),
        ),
        within(0, 24),
        assets=(1, 2),
        facts={"scheduled": 540 * 60, "down": 77 * 60},
        figures={availability: 0.857407, performance: 0.866487, quality: 0.962486, oee: 0.715062},
    ),
    Case(
        "11 a year without a failure",
        records(9000, stops=(break_(1, 8800, 8801),)),
        within(0, 8760),
        facts={"operating": 8760 * 3600, "events": 0},
    ),
    Case(
        "a planned stop that overruns is unplanned from its planned end on",
        records(
            24,
            stops=(stop(1, 8, 11, planned=True, excluded=True, planned_end=at(10), loss="other"),),
        ),
        within(0, 24),
        facts={"planned_stop": 7200, "down": 3600, "stops": 1},
    ),
    Case(
        "setup is planned but a loss",
        records(24, stops=(stop(1, 8, 9, planned=True, loss="setup"), break_(2, 8.5, 9))),
        within(0, 24),
        facts={"planned_stop": 1800, "down": 1800, "stops": 1},
    ),
    Case(
        "two of three pumps are enough",
        records(
            24,
            stops=(stop(1, 8, 12, asset=2), stop(2, 10, 11, asset=3), stop(3, 14, 15, asset=4)),
            placements=tuple(Placement(member, 1, group=9) for member in (2, 3, 4)),
            groups=(Group(9, 1, needed=2),),
        ),
        within(0, 24),
        facts={"down": 3600, "stops": 2},
    ),
    Case(
        "a moved machine's stops stay with the old line",
        records(
            48,
            stops=(stop(1, 8, 10, asset=2), stop(2, 30, 31, asset=2)),
            placements=(
                Placement(2, 1, stops_parent=True, valid=within(0, 24)),
                Placement(2, 3, stops_parent=True, valid=within(24, 9999)),
            ),
        ),
        within(0, 48),
        facts={"down": 7200, "stops": 1},
    ),
    Case(
        "a down item cannot fail again",
        records(
            24,
            stops=(stop(1, 8, 12),),
            failures=(failure(1, 8, 12), failure(2, 9, 10), failure(3, 8, 9), failure(4, 12, 13)),
        ),
        within(0, 24),
        facts={"events": 2, "items": 4, "restoration": 5 * 3600},
        figures={mttr: 2.5, mtbf: 10},
    ),
    Case(
        "a failure found during a planned stop stands apart",
        records(24, stops=(break_(1, 8, 12),), failures=(failure(1, 9, 10),)),
        within(0, 24),
        facts={"events": 0, "found": 1},
    ),
    Case(
        "a line fails with the machine whose failure stops it",
        records(
            24,
            stops=(stop(1, 8, 10, asset=2), stop(2, 9, 11, asset=3), stop(3, 14, 15, asset=2)),
            failures=(failure(1, 8, 10, asset=2), failure(2, 9, 11, asset=3)),
            placements=(Placement(2, 1, stops_parent=True), Placement(3, 1, stops_parent=True)),
        ),
        within(0, 24),
        facts={"events": 1, "items": 2, "restoration": 3 * 3600, "down": 4 * 3600},
    ),
    Case(
        "a count over midnight is split by operating time",
        records(
            48,
            stops=(stop(1, 24, 25),),
            counts=(count(22, 26, made=300, scrap=0, cycle=30.0),),
        ),
        within(0, 24),
        facts={"good": 200, "ideal_good": 6000},
    ),
    # Published elsewhere.
    Case(
        "OEE-3 of the published cases",
        records(
            24,
            calendars={1: shift("08:00", "16:00")},
            stops=(break_(1, 12, 13), stop(2, 9, 9.7)),
            counts=(count(8, 16, made=300, scrap=6, cycle=60.0),),
        ),
        within(0, 24),
        figures={availability: 0.9, performance: 0.793651, quality: 0.98, oee: 0.7},
    ),
    Case(
        "REL-2 five failures in 20,000 hours",
        records(30000, failures=tuple(failure(n, 1000 * n, 1000 * n) for n in range(1, 6))),
        within(0, 20000),
        figures={mtbf: 4000},
    ),
    Case(
        "REL-3 ten failures, twenty hours to restore",
        records(
            1000,
            stops=tuple(stop(n, 50 * n, 50 * n + 2) for n in range(1, 11)),
            failures=tuple(failure(n, 50 * n, 50 * n + 2) for n in range(1, 11)),
        ),
        within(0, 1000),
        figures={mttr: 2},
    ),
    Case(
        "REL-5 nine hundred hours up, a hundred to restore",
        records(1001, stops=(stop(1, 900, 1000),), failures=(failure(1, 900, 1000),)),
        within(0, 1000),
        figures={mtbf: 900, mttr: 100, availability: 0.9},
    ),
    Case(
        "DT-1 overlap in a shift",
        records(
            24,
            calendars={1: shift("06:00", "14:00")},
            stops=(stop(1, 8, 10), stop(2, 9.5, 11), stop(3, 12, 12.5)),
        ),
        within(0, 24),
        facts={"down": 12600, "stops": 3},
        figures={availability: 0.5625},
    ),
    Case(
        "DT-7 planned and unplanned in a week",
        records(
            200,
            stops=(break_(1, 8, 16), stop(2, 30, 33), stop(3, 60, 61), stop(4, 100, 102)),
            failures=(failure(1, 30, 33), failure(2, 60, 61), failure(3, 100, 102)),
        ),
        within(0, 168),
        facts={"planned_production": 160 * 3600, "events": 3},
        figures={availability: 0.9625, mtbf: 154 / 3, mttr: 2.0},
    ),
    Case(
        "FLEET-1 is not the mean of machines",
        records(
            2000,
            failures=(
                failure(1, 10, 10),
                *(failure(n + 2, 100 * n + 50, 100 * n + 50, asset=2) for n in range(9)),
            ),
            stops=(break_(1, 50, 50, asset=3),),
            lives={3: within(0, 100)},
        ),
        within(0, 1000),
        assets=(1, 2, 3),
        facts={"operating": 2100 * 3600, "events": 10},
        figures={mtbf: 210},
    ),
]
