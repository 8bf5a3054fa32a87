"""Worked cases at the edges of redundancy groups (`edges`)."""

from kpis.plain_records import Group, Placement
from tests.kpis.cases import Case, records, stop, within

EDGES_OF_GROUPS = [
    Case(
        "EDGE-44 a part of a pump stops the station only while the pump belongs to it",
        records(
            24,
            placements=(Placement(2, 1, group=9, valid=within(10, 12)), Placement(3, 2, stops_parent=True)),
            groups=(Group(9, 1, needed=1),),
            stops=(stop(1, 8, 9, asset=3), stop(2, 11, 11.5, asset=3), stop(3, 13, 14, asset=3)),
        ),
        within(0, 24),
        facts={"down": 1800, "stops": 1},
    ),
    Case(
        "EDGE-45 pumps that stop at one instant are all down",
        records(
            24,
            placements=tuple(Placement(member, 1, group=9) for member in (2, 3)),
            groups=(Group(9, 1, needed=1),),
            stops=(stop(1, 8, 9, asset=2), stop(2, 8, 10, asset=3)),
        ),
        within(0, 24),
        facts={"down": 3600, "stops": 2},
    ),
    Case(
        "EDGE-46 a pump of a group that has enough has no part in the stop of another group",
        records(
            24,
            placements=(
                *(Placement(member, 1, group=8) for member in (2, 3)),
                Placement(4, 1, group=9),
            ),
            groups=(Group(8, 1, needed=1), Group(9, 1, needed=1)),
            stops=(stop(1, 8, 9, asset=2), stop(2, 8, 9, asset=4)),
        ),
        within(0, 24),
        facts={"down": 3600, "stops": 1},
    ),
    Case(
        "EDGE-47 a pump that stops as the others are back does not stop the station",
        records(
            24,
            placements=tuple(Placement(member, 1, group=9) for member in (2, 3)),
            groups=(Group(9, 1, needed=1),),
            stops=(stop(1, 8, 10, asset=2), stop(2, 9, 10, asset=3), stop(3, 10, 11, asset=2)),
        ),
        within(0, 24),
        facts={"down": 3600, "stops": 2},
    ),
]
