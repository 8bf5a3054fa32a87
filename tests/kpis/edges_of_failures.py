"""Worked cases at the edges of failure events, of counts beside the life of their machine, of overlaps (`edges`)."""

from kpis.formulas import availability, mtbf, mttr
from kpis.plain_records import Placement
from tests.kpis.cases import Case, at, break_, count, failure, records, shift, stop, within

EDGES_OF_FAILURES = [
    Case(
        "EDGE-33 all pieces counted while the machine was down are in doubt",
        records(24, stops=(stop(1, 8, 12),), counts=tuple(count(h, h + 1, made=5, scrap=1, cycle=1.0) for h in (8, 9))),
        within(0, 24),
        facts={"doubtful": 10, "good": 8, "scrap": 2},
    ),
    Case(
        "EDGE-34 a count belongs to the time in which its machine served",
        records(
            72,
            lives={1: within(22, 99), 2: within(0, 26)},
            counts=tuple(count(20, 28, made=300, scrap=0, cycle=1.0, asset=asset) for asset in (1, 2)),
        ),
        within(0, 24),
        assets=(1, 2),
        facts={"good": 100 + 200},
    ),
    Case(
        "EDGE-35 a failure is open while one of the stops around it is, and what fails now has not failed yet",
        records(24, stops=(stop(1, 20, None), stop(2, 21, 22)), failures=(failure(1, 21), failure(2, 24))),
        within(0, 24),
        facts={"events": 1, "items": 1, "open_events": 1},
    ),
    Case(
        "EDGE-36 the stop of a machine does not prolong a failure of the line itself",
        records(
            24,
            stops=(stop(1, 8, 12, asset=2),),
            failures=(failure(1, 9), failure(2, 10)),
            placements=(Placement(2, 1, stops_parent=True),),
        ),
        within(0, 24),
        facts={"events": 2, "items": 2, "restored": 0},
    ),
    Case(
        "EDGE-37 a failure as a planned stop ends was not found in it",
        records(24, stops=(break_(1, 8, 9),), failures=(failure(1, 9, 10),)),
        within(0, 24),
        facts={"events": 1, "found": 0},
    ),
    Case(
        "EDGE-38 a failure that belongs to one stop stops the line by that one alone",
        records(
            24,
            stops=(stop(1, 8, 9, asset=2), stop(2, 9, 11, asset=2)),
            failures=(failure(1, 9.5, asset=2, stop=1),),
            placements=(Placement(2, 1, stops_parent=True),),
        ),
        within(0, 24),
        facts={"events": 0, "down": 3 * 3600},
    ),
    Case(
        "EDGE-39 a failure stops the line with the stop that it belongs to, be it entered before, and with no other's",
        records(
            24,
            stops=(stop(1, 8, 10, asset=2), stop(2, 12, 13, asset=2), stop(3, 14, 15, asset=3)),
            failures=(
                failure(1, 7.5, 10, asset=2, stop=1),
                failure(2, 11, 17, asset=3, stop=2),  # of another machine than its stop
            ),
            placements=(Placement(2, 1, stops_parent=True), Placement(3, 1, stops_parent=True)),
        ),
        within(0, 24),
        facts={"events": 1, "restoration": 2 * 3600, "stops": 3},
    ),
    Case(
        "EDGE-40 a failure that reaches the line twice in one event is one failed item",
        records(
            24,
            stops=(stop(1, 8, 11, asset=2), stop(2, 8.5, 10.5, asset=3)),
            failures=(failure(1, 8, 11, asset=2), failure(2, 8.5, 10.5, asset=3)),
            placements=(
                Placement(2, 1, stops_parent=True, valid=within(0, 9)),
                Placement(2, 1, stops_parent=True, valid=within(10, 99)),
                Placement(3, 1, stops_parent=True),
            ),
        ),
        within(0, 24),
        facts={"events": 1, "items": 2, "restoration": 3 * 3600, "down": 3 * 3600},
    ),
    Case(
        "EDGE-41 an event is open while one of its items is",
        records(24, stops=(stop(1, 20, None),), failures=(failure(1, 20), failure(2, 21, 22))),
        within(0, 24),
        facts={"events": 1, "items": 2, "restored": 0, "open_events": 1},
    ),
    Case(
        "EDGE-42 of a count that is not over, as much belongs to a day as there was time to make it until now",
        records(26, counts=(count(20, 28, made=300, scrap=0, cycle=1.0),)),
        within(0, 24),
        facts={"good": 200},
    ),
    Case(
        "EDGE-43 a planned stop that was to end before it began is unplanned, one stop, from its beginning on",
        records(24, stops=(stop(1, 8, 9, planned=True, planned_end=at(7), loss="setup"),)),
        within(0, 24),
        facts={"down": 3600, "stops": 1},
    ),
    Case(
        "EDGE-48 of three stops the last adds what the longest before it leaves",
        records(
            24,
            stops=(stop(1, 8, 12, loss="breakdown"), stop(2, 9, 10, loss="other"), stop(3, 11, 13, loss="other")),
        ),
        within(0, 24),
        facts={"down": 5 * 3600, "losses": {"breakdown": 4 * 3600, "other": 3600}, "stops": 3},
    ),
    Case(
        "EDGE-49 of three planned stops the last adds what the longest before it leaves",
        records(24, stops=(break_(1, 8, 12), break_(2, 9, 10), break_(3, 11, 13), stop(4, 15, 16))),
        within(0, 24),
        facts={"planned_stop": 5 * 3600, "down": 3600, "stops": 1},
    ),
    Case(
        "EDGE-56 a failure in a planned and an unplanned stop at once was not found in maintenance",
        records(24, stops=(break_(1, 8, 12), stop(2, 9, 11)), failures=(failure(1, 9.5, 10),)),
        within(0, 24),
        facts={"events": 1, "found": 0},
    ),
    Case(
        "EDGE-57 a failure lasts as long as the stop around it, beyond the day's border",
        records(72, stops=(stop(1, 22, 26),), failures=(failure(1, 22), failure(2, 25))),
        within(0, 48),
        facts={"events": 1, "items": 2, "restored": 0},
    ),
    Case(
        "EDGE-58 a failure before a stop is none of the stop",
        records(24, stops=(stop(1, 8, 10),), failures=(failure(1, 7), failure(2, 9))),
        within(0, 24),
        facts={"events": 2, "items": 2},
    ),
    Case(
        "EDGE-59 only what failed in a break was found in it",
        records(24, stops=(break_(1, 8, 9),), failures=(failure(1, 8.5, 9), failure(2, 12, 13))),
        within(0, 24),
        facts={"events": 1, "found": 1, "restoration": 3600},
    ),
    Case(
        "EDGE-60 a failure before its stop is one event of the machine itself",
        records(24, stops=(stop(1, 8, 10),), failures=(failure(1, 7.5, 7.75, stop=1),)),
        within(0, 24),
        facts={"events": 1, "restoration": 900},
    ),
    Case(
        "EDGE-61 a failure in the break of a machine is none of the line",
        records(
            24,
            stops=(break_(1, 8, 10, asset=2),),
            failures=(failure(1, 9, 10, asset=2),),
            placements=(Placement(2, 1, stops_parent=True),),
        ),
        within(0, 24),
        facts={"events": 0, "found": 0, "planned_stop": 2 * 3600},
    ),
    Case(
        "EDGE-66 a failure at night counts, stopped or not, though the hours between are those of the shift",
        records(
            24,
            calendars={1: shift("08:00", "16:00")},
            stops=(stop(1, 20, 22),),
            failures=(failure(1, 2, 3), failure(2, 20, 22)),
        ),
        within(0, 24),
        facts={
            "operating": 8 * 3600,
            "down": 0,
            "off_schedule": 7200,
            "events": 2,
            "found": 0,
            "restoration": 3 * 3600,
        },
        figures={mtbf: 4, mttr: 1.5, availability: 1},
    ),
    Case(
        "EDGE-67 a failure during a planned stop stands apart, in the shift as at night, and by no night alone",
        records(
            24,
            calendars={1: shift("08:00", "16:00")},
            stops=(break_(1, 9, 10), break_(2, 20, 22)),
            failures=(failure(1, 9.5, 10), failure(2, 21, 22), failure(3, 23, 23.5)),
        ),
        within(0, 24),
        facts={"operating": 7 * 3600, "planned_stop": 3600, "events": 1, "found": 2, "restoration": 1800},
        figures={mtbf: 7},
    ),
    Case(
        "EDGE-68 the line fails with a machine that stops it at night",
        records(
            24,
            calendars={1: shift("08:00", "16:00")},
            stops=(stop(1, 20, 22, asset=2), stop(2, 21, 23, asset=3)),
            failures=(failure(1, 20, 22, asset=2), failure(2, 21, 23, asset=3)),
            placements=(Placement(2, 1, stops_parent=True), Placement(3, 1)),
        ),
        within(0, 24),
        facts={"operating": 8 * 3600, "down": 0, "off_schedule": 7200, "events": 1, "items": 1, "stops": 1},
        figures={mtbf: 8, mttr: 2},
    ),
]
