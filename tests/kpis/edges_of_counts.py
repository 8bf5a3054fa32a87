"""Worked cases at the edges of counts, of stops of one kind alone, and of knots of stops (`edges`)."""

from kpis.oracle import Count
from tests.kpis.cases import Case, break_, count, records, stop, within

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
]
