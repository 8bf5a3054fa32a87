"""Worked cases at the edges of a line's failure events: what fails below while the line is down already (`edges`)."""

from kpis.plain_records import Group, Placement
from tests.kpis.cases import Case, at, break_, failure, records, stop, within

STOPPING = (Placement(2, 1, stops_parent=True), Placement(3, 1, stops_parent=True))


def line(*stops, failures, placements=STOPPING, **more):
    """A line (1) with two machines (2, 3) that stop it."""
    return records(24, stops=stops, failures=failures, placements=placements, **more)


EDGES_OF_LINES = [
    Case(
        "EDGE-71 a machine that fails while the line is down by a stop of its own does not take it down",
        line(stop(1, 8, 12), stop(2, 9, 10, asset=2), failures=(failure(1, 9, 10, asset=2),)),
        within(0, 24),
        facts={"events": 0, "items": 0, "restored": 0, "found": 0, "down": 4 * 3600, "stops": 2},
    ),
    Case(
        "EDGE-72 nor while another machine, of which no failure is known, holds the line",
        line(
            stop(1, 8, 12, asset=3),
            stop(2, 9, 14, asset=2),
            stop(3, 13, 15, asset=3),
            failures=(failure(1, 9, 14, asset=2), failure(2, 13, 15, asset=3, stop=3)),
        ),
        within(0, 24),
        facts={"events": 0, "items": 0, "open_events": 0, "down": 7 * 3600},
    ),
    Case(
        "EDGE-73 one that fails at the instant at which the line goes down takes it down",
        line(stop(1, 8, 12), stop(2, 8, 10, asset=2), failures=(failure(1, 8, 10, asset=2),)),
        within(0, 24),
        facts={"events": 1, "restoration": 2 * 3600},
    ),
    Case(
        "EDGE-74 and one at the instant at which the line's own stop ends",
        line(stop(1, 8, 9), stop(2, 9, 10, asset=2), failures=(failure(1, 9, 10, asset=2),)),
        within(0, 24),
        facts={"events": 1, "restoration": 3600},
    ),
    Case(
        "EDGE-75 a second earlier the line is down still",
        line(stop(1, 8, 9), stop(2, 9 - 1 / 3600, 10, asset=2), failures=(failure(1, 9 - 1 / 3600, 10, asset=2),)),
        within(0, 24),
        facts={"events": 0},
    ),
    Case(
        "EDGE-76 a failure that is recorded once the other stop is over takes the line down",
        line(stop(1, 8, 9), stop(2, 8.5, 12, asset=2), failures=(failure(1, 10, 12, asset=2, stop=2),)),
        within(0, 24),
        facts={"events": 1, "restoration": 2 * 3600},
    ),
    Case(
        "EDGE-77 a failure of the line itself counts, also while it is down and a machine below has failed",
        line(
            stop(1, 8, 12),
            stop(2, 9, 11, asset=2),
            failures=(failure(1, 9, 11, asset=2), failure(2, 10, 10.5)),
        ),
        within(0, 24),
        facts={"events": 1, "items": 2, "restoration": 2 * 3600},
    ),
    Case(
        "EDGE-78 a machine that fails while a planned stop lasts takes the line down",
        line(break_(1, 8, 10), stop(2, 9, 11, asset=2), failures=(failure(1, 9, 11, asset=2),)),
        within(0, 24),
        facts={"events": 1, "planned_stop": 3600, "down": 2 * 3600},
    ),
    Case(
        "EDGE-79 but not while one overruns its end",
        line(
            stop(1, 8, 10, planned=True, planned_end=at(8.5), loss="setup"),
            stop(2, 9, 11, asset=2),
            failures=(failure(1, 9, 11, asset=2),),
        ),
        within(0, 24),
        facts={"events": 0, "down": 3 * 3600},
    ),
    Case(
        "EDGE-80 what fails below while the line is down by a failure is a further item of it",
        line(
            stop(1, 8, 10, asset=2),
            stop(2, 9, 11, asset=3),
            failures=(failure(1, 8, 10, asset=2), failure(2, 9, 11, asset=3)),
        ),
        within(0, 24),
        facts={"events": 1, "items": 2, "restoration": 3 * 3600},
    ),
    Case(
        "EDGE-81 a group that goes short by a failure and a stop takes the line down, another member then no more",
        line(
            stop(1, 8, 14, asset=2),
            stop(2, 9, 12, asset=3),
            stop(3, 10, 11, asset=4),
            failures=(failure(1, 8, 14, asset=2, stop=1), failure(2, 10, 11, asset=4, stop=3)),
            placements=tuple(Placement(asset, 1, group=1) for asset in (2, 3, 4)),
            groups=(Group(1, 1, needed=2),),
        ),
        within(0, 24),
        facts={"events": 1, "items": 2, "restoration": 3 * 3600, "down": 3 * 3600},
    ),
    Case(
        "EDGE-82 what does not take a line down does not take down what that stops, also since it stands there",
        line(
            stop(1, 8, 12, asset=2),
            stop(2, 9, 10, asset=3),
            failures=(failure(1, 9, 10, asset=3),),
            placements=(
                Placement(3, 2, stops_parent=True),
                Placement(2, 1, stops_parent=True, valid=within(8.5, 99)),
            ),
        ),
        within(0, 24),
        facts={"events": 0, "down": 3.5 * 3600},
    ),
]
