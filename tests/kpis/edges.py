"""Worked cases at the edges: records that meet, begin or end at one instant, or move in the middle of a stop.

Each is wrong with one comparison, bound or order of the fact statement changed.
"""

from kpis.plain_records import Group, Placement
from tests.kpis.cases import Case, break_, count, failure, records, shift, stop, within
from tests.kpis.edges_of_counts import EDGES_OF_COUNTS
from tests.kpis.edges_of_failures import EDGES_OF_FAILURES
from tests.kpis.edges_of_gaps import EDGES_OF_GAPS
from tests.kpis.edges_of_groups import EDGES_OF_GROUPS
from tests.kpis.edges_of_lines import EDGES_OF_LINES

EDGES = [
    Case(
        "EDGE-1 a stop that begins as the production day does is one of that day, of whatever length",
        records(72, stops=(stop(1, 24, 25), stop(2, 23, 24), stop(3, 24, 24), stop(4, 48, 48))),
        within(24, 48),
        facts={"down": 3600, "stops": 2},
    ),
    Case(
        "EDGE-2 a failure during two stops lasts until the later one ends",
        records(72, stops=(stop(1, 8, 10), stop(2, 9, 12)), failures=(failure(1, 9.5), failure(2, 11), failure(3, 12))),
        within(0, 48),
        facts={"down": 4 * 3600, "events": 2, "items": 3, "restored": 0},
    ),
    Case(
        "EDGE-3 a stop of no length counts while the asset stands there and serves, not at the instant after",
        records(
            72,
            calendars={4: shift("08:00", "16:00")},
            placements=(
                Placement(2, 1, stops_parent=True, valid=within(0, 10)),
                Placement(2, 4, stops_parent=True, valid=within(10, 99)),
            ),
            stops=(
                stop(1, 8, 8, asset=2),
                stop(2, 10, 10, asset=2),
                stop(3, 12, 12, asset=3),
                stop(5, 2, 3, asset=3),
                stop(4, 30, 30, asset=2),
            ),
            lives={3: within(0, 12)},
        ),
        within(0, 24),
        assets=(1, 2, 3, 4),
        facts={"down": 3600, "stops": 5},
    ),
    Case(
        "EDGE-4 a stop that ends as the asset begins to serve is none of it, one of no length then is",
        records(
            24,
            placements=(Placement(2, 1, stops_parent=True),),
            stops=(stop(1, 8, 10), stop(2, 9, 10, asset=2), stop(3, 12, 13), stop(4, 10, 10)),
            lives={1: within(10, 99)},
        ),
        within(0, 24),
        facts={"down": 3600, "stops": 2},
    ),
    Case(
        "EDGE-5 the stop that began first keeps its time on the line that the machine is moved to",
        records(
            24,
            placements=(Placement(2, 1, stops_parent=True, valid=within(7, 99)),),
            stops=(
                stop(1, 3, 12, asset=2),
                stop(2, 6, 9, loss="breakdown"),
                stop(3, 5, 6.5, loss="other"),
                stop(4, 14, 16, loss="breakdown"),
                stop(5, 14, 15, loss="other"),
                break_(6, 6.5, 6.75, asset=3),  # another machine, whose stops are taken apart on the same day
                stop(7, 6.5, 8, asset=3, planned=True, loss="setup"),
            ),
        ),
        within(0, 24),
        facts={"down": 9 * 3600, "stops": 5, "losses": {"other": 5400, "breakdown": 9000, "unclassified": 18000}},
    ),
    Case(
        "EDGE-6 a failure belongs to the earliest one that still lasts, though one between is over",
        records(24, failures=(failure(1, 8, 12), failure(2, 9, 10), failure(3, 11, 11.5), failure(4, 14, 15))),
        within(0, 24),
        facts={"events": 2, "items": 4, "restoration": 5 * 3600},
    ),
    Case(
        "EDGE-7 failures of one instant are one event, and an event is found as its first failure was",
        records(
            24,
            failures=(
                failure(1, 2, 3),
                failure(2, 8, 10, found=True),
                failure(3, 8, 9),
                failure(4, 12, 14, found=True),
                failure(5, 13, 14),
            ),
        ),
        within(0, 24),
        facts={"events": 2, "items": 3, "found": 1, "restoration": 3 * 3600},
    ),
    Case(
        "EDGE-8 a pump that is back as the others stop has no part in the stop of the station",
        records(
            24,
            stops=(stop(1, 8, 10, asset=2), stop(2, 10, 12, asset=3), stop(3, 10, 11, asset=4)),
            placements=tuple(Placement(member, 1, group=9) for member in (2, 3, 4)),
            groups=(Group(9, 1, needed=2),),
        ),
        within(0, 24),
        facts={"down": 3600, "stops": 2},
    ),
    Case(
        "EDGE-9 a failure at the end of the machine's stop is none of the line",
        records(
            24,
            stops=(stop(1, 8, 9, asset=2),),
            failures=(failure(1, 9, asset=2, stop=1),),
            placements=(Placement(2, 1, stops_parent=True),),
        ),
        within(0, 24),
        facts={"down": 3600, "stops": 1, "events": 0},
    ),
    Case(
        "EDGE-10 a failure at the first instant of a production day is one of that day",
        records(72, failures=(failure(1, 24, 25),)),
        within(24, 48),
        facts={"events": 1, "restoration": 3600},
    ),
    Case(
        "EDGE-11 the failure of a machine that is taken out of the line is over for the line",
        records(
            24,
            stops=(stop(1, 8, None, asset=2),),
            failures=(failure(1, 8, asset=2),),
            placements=(Placement(2, 1, stops_parent=True, valid=within(0, 10)),),
        ),
        within(0, 24),
        facts={"events": 1, "restored": 1, "restoration": 7200, "open_events": 0},
    ),
    Case(
        "EDGE-12 a stop during which a machine moves is scheduled by the hours of each line in turn",
        records(
            24,
            calendars={1: shift("08:00", "09:30"), 4: shift("08:00", "16:00")},
            placements=(Placement(2, 1, valid=within(0, 10)), Placement(2, 4, valid=within(10, 99))),
            stops=(stop(1, 9, 15, asset=2),),
        ),
        within(0, 24),
        assets=(2,),
        facts={"scheduled": 7.5 * 3600, "down": 5.5 * 3600, "off_schedule": 1800, "stops": 1},
    ),
    Case(
        "EDGE-13 a stop that ends as the production day does is whole in that day",
        records(72, stops=(stop(1, 23, 24),)),
        within(0, 24),
        facts={"down": 3600, "stops": 1},
    ),
    Case(
        "EDGE-14 a part stops the station of its pump only while it is part of it",
        records(
            24,
            placements=(
                Placement(2, 1, group=9),
                Placement(3, 2, stops_parent=True, valid=within(7, 10)),
            ),
            groups=(Group(9, 1, needed=1),),
            stops=(stop(1, 6, 8, asset=3), stop(2, 9, 12, asset=3)),
        ),
        within(0, 24),
        facts={"down": 7200, "stops": 2},
    ),
    Case(
        "EDGE-15 pieces made within one second are counted",
        records(24, counts=(count(10, 10 + 0.5 / 3600, made=5, scrap=1, cycle=0.1),)),
        within(0, 24),
        facts={"good": 4, "scrap": 1, "counts": 1},
    ),
    Case(
        "EDGE-16 a count that reaches a second into the next production day is split by it",
        records(72, counts=(count(23, 24 + 1 / 3600, made=3601, scrap=0, cycle=0.5),)),
        within(24, 48),
        facts={"good": 1, "counts": 1},
    ),
    Case(
        "EDGE-17 an unplanned stop is short below its asset's threshold, not at it",
        records(
            24,
            short_stops={1: 720},
            stops=(
                stop(1, 8, 8.1),
                stop(2, 9, 9.2),
                stop(3, 10, 10.1, planned=True, loss="setup"),
                stop(4, 23.9, None),
            ),
        ),
        within(0, 24),
        facts={"losses": {"short": 360, "unclassified": 720 + 360, "setup": 360}, "stops": 4},
    ),
    Case(
        "EDGE-18 a part of a retired machine stops the line no more",
        records(
            24,
            placements=(Placement(2, 1, stops_parent=True), Placement(3, 2, stops_parent=True)),
            lives={2: within(7, 10)},
            stops=(stop(1, 6, 8, asset=3), stop(2, 9, 12, asset=3)),
        ),
        within(0, 24),
        facts={"down": 7200, "stops": 2},
    ),
    Case(
        "EDGE-19 a pump helps its station while it serves",
        records(
            24,
            placements=tuple(Placement(member, 1, group=9) for member in (2, 3, 4)),
            groups=(Group(9, 1, needed=1),),
            lives={2: within(0, 10), 4: within(14, 99)},
            stops=(stop(1, 9, 12, asset=3), stop(2, 13, 15, asset=3)),
        ),
        within(0, 24),
        facts={"down": 3 * 3600, "stops": 2},
    ),
    Case(
        "EDGE-20 each of two groups of a line needs its own members",
        records(
            24,
            placements=(
                *(Placement(member, 1, group=8) for member in (2, 3)),
                *(Placement(member, 1, group=9) for member in (4, 5)),
            ),
            groups=(Group(8, 1, needed=2), Group(9, 1, needed=1)),
            stops=(
                stop(1, 8, 9, asset=2),
                stop(2, 10, 12, asset=4),
                stop(3, 11, 13, asset=5),
                stop(4, 14, 15, asset=4),
            ),
        ),
        within(0, 24),
        facts={"down": 2 * 3600, "stops": 3},
    ),
    Case(
        "EDGE-21 a stop that ends now is over, and so is the failure in it",
        records(
            24,
            placements=(Placement(2, 1, stops_parent=True),),
            stops=(stop(1, 20, 24, asset=2),),
            failures=(failure(1, 20, asset=2),),
        ),
        within(0, 24),
        assets=(1, 2),
        facts={"events": 2, "restored": 1, "restoration": 4 * 3600, "open_events": 0},
    ),
    Case(
        "EDGE-22 a stop that runs on into today is one stop, yesterday's",
        records(30, stops=(stop(1, 23, 26),)),
        within(0, 24),
        facts={"down": 3600, "stops": 1},
    ),
    Case(
        "EDGE-23 the second of a stop after the day's border is one of the next day",
        records(72, stops=(stop(1, 23, 24 + 1 / 3600),)),
        within(24, 48),
        facts={"down": 1, "stops": 0},
    ),
    Case(
        "EDGE-24 a line fails when the failed machine is moved to it",
        records(
            24,
            stops=(stop(1, 8, 12, asset=2),),
            failures=(failure(1, 8, asset=2),),
            placements=(Placement(2, 1, stops_parent=True, valid=within(9, 99)),),
        ),
        within(0, 24),
        facts={"events": 1, "restored": 1, "restoration": 3 * 3600},
    ),
    Case(
        "EDGE-25 a failure that is still open is so in a window that is over, one found in maintenance is none",
        records(
            96,
            stops=(stop(1, 30, None), stop(2, 32, None, asset=2), stop(3, 34, None, asset=3)),
            failures=(failure(1, 30), failure(2, 32, asset=2, found=True), failure(3, 34, asset=3)),
        ),
        within(24, 48),
        assets=(1, 2, 3),
        facts={"events": 2, "found": 1, "restored": 0, "open_events": 2},
    ),
    Case(
        "EDGE-26 stops that reach a line in another order than they began",
        records(
            24,
            placements=(
                Placement(2, 1, stops_parent=True, valid=within(6, 99)),
                Placement(3, 1, stops_parent=True, valid=within(4, 99)),
            ),
            stops=(stop(1, 2, 12, asset=2, loss="breakdown"), stop(2, 3, 12, asset=3, loss="other")),
        ),
        within(0, 24),
        facts={"down": 8 * 3600, "stops": 2, "losses": {"other": 2 * 3600, "breakdown": 6 * 3600}},
    ),
    Case(
        "EDGE-27 a stop of two days that ends as the second does is none of the third",
        records(96, stops=(stop(1, 20, 48),)),
        within(48, 72),
        facts={"down": 0, "stops": 0},
    ),
    Case(
        "EDGE-28 a stop that ends as the machine is moved to a line of other hours",
        records(
            48,
            calendars={1: shift("08:00", "16:00"), 4: shift("09:00", "11:00")},
            placements=(Placement(2, 1, valid=within(0, 10)), Placement(2, 4, valid=within(10, 99))),
            stops=(stop(1, 8, 10, asset=2),),
        ),
        within(0, 24),
        assets=(2,),
        facts={"scheduled": 3 * 3600, "down": 2 * 3600, "stops": 1},
    ),
    Case(
        "EDGE-29 the longer hours of the line that a machine has left count no more, and of stops in a count the union",
        records(
            48,
            calendars={1: shift("08:00", "16:00"), 4: shift("08:00", "11:00")},
            placements=(Placement(2, 1, valid=within(0, 10)), Placement(2, 4, valid=within(10, 99))),
            stops=(
                stop(1, 9, 15, asset=2),
                stop(2, 32.5, 33, asset=2),
                stop(3, 32.75, 33.25, asset=2),
                stop(4, 33.5, 33.75, asset=2),
            ),
            counts=(count(8, 34, made=400, scrap=0, cycle=1.0, asset=2),),
        ),
        within(0, 24),
        assets=(2,),
        facts={"scheduled": 3 * 3600, "down": 2 * 3600, "off_schedule": 4 * 3600, "stops": 1, "good": 200},
    ),
    Case(
        "EDGE-30 a break of another machine takes nothing from a setup of this one",
        records(
            48,
            stops=(
                stop(1, 8, 10, planned=True, loss="setup"),
                stop(2, 9, 11, loss="other"),
                break_(3, 14, 15),
                break_(4, 8, 12, asset=3),
                stop(5, 9, 13, asset=3, planned=True, loss="setup"),
            ),
        ),
        within(0, 24),
        facts={"planned_stop": 3600, "down": 3 * 3600, "losses": {"setup": 7200, "other": 3600}, "stops": 2},
    ),
    Case(
        "EDGE-31 what is made in the last second of a production day is that day's",
        records(72, counts=(count(24 - 1 / 3600, 24, made=5, scrap=1, cycle=0.1),)),
        within(0, 24),
        facts={"good": 4, "scrap": 1, "counts": 1},
    ),
    Case(
        "EDGE-32 a count belongs to the only second in which the machine ran",
        records(
            72,
            stops=(stop(1, 22, 24), stop(2, 24 + 1 / 3600, 26)),
            counts=(count(22, 26, made=100, scrap=0, cycle=0.01),),
        ),
        within(24, 48),
        facts={"good": 100, "down": 7199, "doubtful": 0},
    ),
    *EDGES_OF_COUNTS,
    *EDGES_OF_FAILURES,
    *EDGES_OF_GROUPS,
    *EDGES_OF_GAPS,
    *EDGES_OF_LINES,
]
