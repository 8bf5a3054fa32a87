"""Cases at the edges of the merge gap, in which a failure is a further item of the one before."""

from datetime import timedelta

from kpis.plain_records import Placement
from tests.kpis.cases import Case, failure, records, stop, within

TEN_MINUTES = timedelta(minutes=10)

EDGES_OF_GAPS = [
    Case(
        "EDGE-GAP-1 a failure a second before the merge gap is over joins, one at its end does not",
        records(
            72,
            merge_gap=TEN_MINUTES,
            failures=(
                failure(1, 8, 9),
                failure(2, 9 + 599 / 3600, 10),
                failure(3, 10 + 600 / 3600, 11),
            ),
        ),
        within(0, 24),
        facts={"events": 2, "items": 3, "restored": 2, "restoration": 2 * 3600 + 3000},
    ),
    Case(
        "EDGE-GAP-2 without a merge gap a failure at the end of the one before is another",
        records(72, failures=(failure(1, 8, 9), failure(2, 9, 10), failure(3, 10 - 1 / 3600, 11))),
        within(0, 24),
        facts={"events": 2, "items": 3, "restoration": 3 * 3600},
    ),
    Case(
        "EDGE-GAP-3 the gap begins where the longest item ends, or at a failure whose end is not known",
        records(
            72,
            merge_gap=TEN_MINUTES,
            failures=(failure(1, 8, 10), failure(2, 8.5, 9), failure(3, 10.1), failure(4, 10.2), failure(5, 10.4)),
        ),
        within(0, 24),
        facts={"events": 2, "items": 5, "restored": 0},
    ),
    Case(
        "EDGE-GAP-4 a failure over midnight takes in what comes back on the next day, which has none of its own",
        records(72, merge_gap=TEN_MINUTES, failures=(failure(1, 23, 23.9), failure(2, 24, 25))),
        within(24, 48),
        facts={"events": 0, "items": 0},
    ),
    Case(
        "EDGE-GAP-5 what was found in maintenance takes in no failure after it",
        records(
            72,
            merge_gap=TEN_MINUTES,
            failures=(failure(1, 8, 9, found=True), failure(2, 9.1, 10), failure(3, 10.1, 10.2, found=True)),
        ),
        within(0, 24),
        facts={"events": 1, "items": 2, "found": 1, "restoration": 1.1 * 3600},
    ),
    Case(
        "EDGE-GAP-6 machines that stop their line one after the other within the gap are one failure of the line",
        records(
            72,
            merge_gap=TEN_MINUTES,
            placements=(Placement(2, 1, stops_parent=True), Placement(3, 1, stops_parent=True)),
            stops=(stop(1, 8, 9, asset=2), stop(2, 9.1, 10, asset=3), stop(3, 10.2, 11, asset=2)),
            failures=(failure(1, 8, asset=2), failure(2, 9.1, asset=3), failure(3, 10.2, asset=2)),
        ),
        within(0, 24),
        facts={"events": 2, "items": 3, "restored": 2, "restoration": 2.8 * 3600},
    ),
]
