"""Worked cases at the edges of counts, of stops of one kind, of knots of stops, and of what never ends (`edges`)."""

from kpis.intervals import Span
from kpis.plain_records import BEGINNING, END, Count, Placement
from tests.kpis.cases import Case, at, break_, count, records, stop, within

EDGES_OF_COUNTS = [
    Case(
        "EDGE-50 a setup alone is down and no planned stop",
        records(24, stops=(stop(1, 8, 9, planned=True, loss="setup"),)),
        within(0, 24),
        facts={"planned_stop": 0, "down": 3600, "off_schedule": 0, "losses": {"setup": 3600}},
    ),
    Case(
        "EDGE-51 a breakdown in a break is lost, a setup in it is not",
        records(
            24,
            stops=(
                break_(1, 8, 12),
                stop(2, 9, 10, loss="breakdown"),
                stop(3, 11, 13, planned=True, loss="setup"),
            ),
        ),
        within(0, 24),
        facts={"planned_stop": 3 * 3600, "down": 2 * 3600, "losses": {"breakdown": 3600, "setup": 3600}},
    ),
    Case(
        "EDGE-52 what is taken apart on both sides of a day's border is whole in each",
        records(
            72,
            stops=(
                break_(1, 20, 21),
                stop(2, 22, 26, planned=True, loss="setup"),
                stop(3, 23, 25, loss="other"),
                break_(4, 28, 29),
            ),
        ),
        within(24, 48),
        facts={"down": 2 * 3600, "planned_stop": 3600, "losses": {"setup": 2 * 3600}, "stops": 0},
    ),
    Case(
        "EDGE-53 neither an earlier stop of the day nor another machine's takes a share of a count",
        records(
            72,
            stops=(stop(1, 2, 3), stop(2, 22, 24, asset=2)),
            counts=(count(22, 26, made=300, scrap=0, cycle=1.0),),
        ),
        within(0, 24),
        facts={"good": 150, "down": 3600},
    ),
    Case(
        "EDGE-54 what was made again adds up with its own ideal cycle",
        records(24, counts=(Count(1, within(8, 9), 5, 1, 2, 3.0), Count(1, within(9, 10), 5, 1, 3, 4.0))),
        within(0, 24),
        facts={"good": 10, "scrap": 2, "rework": 5, "ideal_good": 35, "ideal_scrap": 7, "ideal_rework": 18},
    ),
    Case(
        "EDGE-55 of pieces counted in a stop over midnight each day doubts its share of the time",
        records(72, stops=(stop(1, 22, 26),), counts=(Count(1, within(23, 25), 5, 1, 2, 3.0),)),
        within(0, 24),
        facts={"doubtful": 4, "rework": 1},
    ),
    Case(
        "EDGE-62 a stop that goes on under another one loses nothing on the second day",
        records(72, stops=(stop(1, 20, 30, loss="breakdown"), stop(2, 21, 29, loss="other"))),
        within(24, 48),
        facts={"down": 6 * 3600, "losses": {"breakdown": 6 * 3600}, "stops": 0},
    ),
    Case(
        "EDGE-63 a machine stops the line since it stands there for good, and until it left what it always stood in",
        records(
            24,
            placements=(
                Placement(2, 1, stops_parent=True, valid=Span(at(10), END)),
                Placement(3, 1, stops_parent=True, valid=Span(BEGINNING, at(10))),
            ),
            stops=(
                stop(1, 8, 9, asset=2),
                stop(2, 11, 12, asset=2),
                stop(3, 13, 14, asset=3),
                stop(4, 7, 7.5, asset=3),
            ),
        ),
        within(0, 24),
        facts={"down": 3600 + 1800, "stops": 2},
    ),
    Case(
        "EDGE-64 where an overrun is planned, all of the stop is",
        records(
            24,
            overrun_is_unplanned=False,
            stops=(stop(1, 8, 11, planned=True, excluded=True, planned_end=at(10), loss="other"),),
        ),
        within(0, 24),
        facts={"planned_stop": 3 * 3600, "down": 0, "stops": 0},
    ),
    Case(
        "EDGE-65 a planned stop that is over early lasted no longer",
        records(24, stops=(stop(1, 8, 9, planned=True, excluded=True, planned_end=at(10), loss="other"),)),
        within(0, 24),
        facts={"planned_stop": 3600, "down": 0},
    ),
]
