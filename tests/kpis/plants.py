"""Random small plants: overlapping and open stops, moves, redundancy groups, calendars, clock changes.

Times lie on a grid of ten minutes over a few days around a clock change in Berlin, so that borders meet often.
"""

import os
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from kpis.intervals import Calendar, Span
from kpis.plain_records import BEGINNING, END, Count, Failure, Group, Placement, Records, Stop

BERLIN = ZoneInfo("Europe/Berlin")
GRID = timedelta(minutes=10)
DAYS = 5
STEPS = DAYS * 24 * 6
LINE, MACHINE, SPARE, PART, OTHER_LINE = 1, 2, 3, 4, 5
GROUP, INNER_GROUP = 1, 2


def in_database(examples: int) -> settings:
    """Settings of a property that writes each example into the database; one that fails is shown as it is, since
    shrinking it there would take minutes."""
    return settings(
        max_examples=int(os.environ.get("KPI_EXAMPLES", examples)),
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


# number → planned, excluded, loss class
REASONS = {
    1: (False, False, "breakdown"),
    2: (True, False, "setup"),
    3: (True, True, "other"),
    4: (False, False, "other"),
}

begins = st.sampled_from([datetime(2026, 3, 27, 7, tzinfo=UTC), datetime(2026, 10, 23, 7, tzinfo=UTC)])
steps = st.integers(0, STEPS)
gaps = st.sampled_from([timedelta(0), GRID / 2, GRID, 3 * GRID, timedelta(days=1)])
lengths = st.integers(0, 30) | st.integers(0, 300)
assets = st.sampled_from([LINE, MACHINE, SPARE, PART])
limits = st.none() | st.integers(1, 2)


@st.composite
def stops(draw, begin: datetime, now: datetime) -> list[Stop]:
    found, open_assets = [], set()
    for id in range(1, draw(st.integers(0, 9)) + 1):
        asset = draw(assets)
        reason = draw(st.sampled_from([None, 1, 2, 3, 4]))
        planned, excluded, loss = REASONS.get(reason, (draw(st.booleans()), False, "unclassified"))
        start = begin + draw(steps) * GRID
        end = start + draw(lengths) * GRID
        if start < now and asset not in open_assets and draw(st.integers(0, 5)) == 0:
            open_assets.add(asset)
            end = None
        planned_end = start + draw(st.integers(-3, 20)) * GRID if planned and draw(st.booleans()) else None
        found.append(Stop(id, asset, start, end, planned, excluded, planned_end, reason, loss))
    return found


@st.composite
def failures(draw, begin: datetime, recorded: list[Stop]) -> list[Failure]:
    found = []
    for id in range(1, draw(st.integers(0, 6)) + 1):
        stop = draw(st.sampled_from(recorded)) if recorded and draw(st.booleans()) else None
        asset = stop.asset if stop else draw(assets)
        occurred = stop.start if stop else begin + draw(steps) * GRID
        restored = draw(st.none() | lengths.map(lambda length, at=occurred: at + length * GRID))
        link = stop.id if stop and draw(st.booleans()) else None
        found.append(Failure(id, asset, occurred, restored, link, draw(st.integers(0, 6)) == 0))
    return found


@st.composite
def counts(draw, begin: datetime) -> list[Count]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        start = begin + draw(steps) * GRID
        span = Span(start, start + draw(st.integers(1, 90)) * GRID)
        pieces = st.integers(0, 500)
        cycle = draw(st.sampled_from([1.5, 20.0]))
        found.append(Count(draw(assets), span, draw(pieces), draw(pieces), draw(pieces), cycle))
    return found


@st.composite
def placements(draw, begin: datetime) -> list[Placement]:
    """The machine and its spare under the line or another, the part under the machine; some move once."""
    found = []
    for asset, parents in ((MACHINE, (LINE, OTHER_LINE)), (SPARE, (LINE,)), (PART, (MACHINE, SPARE))):
        moves = draw(st.none() | steps)
        borders = [BEGINNING, *([] if moves is None else [begin + moves * GRID]), END]
        for since, until in pairwise(borders):
            parent = draw(st.sampled_from(parents))
            group = {LINE: GROUP, MACHINE: INNER_GROUP}.get(parent) if draw(st.booleans()) else None
            found.append(Placement(asset, parent, draw(st.booleans()), group, Span(since, until)))
    return found


@st.composite
def calendars(draw, begin: datetime) -> tuple[Calendar, ...]:
    hours = st.sampled_from([time(0), time(2, 30), time(6), time(14), time(22)])
    slots = st.lists(st.tuples(hours, hours), max_size=2, unique_by=lambda slot: slot[0]).map(tuple)
    weekly = {day: draw(slots) for day in range(7)}
    first = begin.date()
    closed = {first + timedelta(draw(st.integers(0, DAYS))): draw(slots)} if draw(st.booleans()) else {}
    valid_from = date(2020, 1, 1) if draw(st.booleans()) else first + timedelta(draw(st.integers(0, DAYS)))
    return (Calendar(weekly, closed, valid_from),)


@st.composite
def plants(draw) -> Records:
    begin = draw(begins)
    now = begin + draw(st.integers(STEPS // 2, STEPS)) * GRID
    recorded = draw(stops(begin, now))
    lives = {}
    if draw(st.booleans()):
        since = begin + draw(st.integers(0, STEPS // 2)) * GRID
        lives[draw(assets)] = Span(since, draw(st.sampled_from([END, since + 200 * GRID])))
    owners = draw(st.lists(st.sampled_from([None, LINE, MACHINE, PART]), max_size=2, unique=True))
    return Records(
        now=now,
        zone=BERLIN,
        stops=recorded,
        failures=draw(failures(begin, recorded)),
        counts=draw(counts(begin)),
        placements=draw(placements(begin)),
        groups=[Group(GROUP, LINE, draw(st.integers(1, 2))), Group(INNER_GROUP, MACHINE, 1)],
        calendars={owner: draw(calendars(begin)) for owner in owners},
        lives=lives,
        short_stops={MACHINE: 1800.0},
        overrun_is_unplanned=draw(st.booleans()),
        merge_gap=draw(gaps),
        count_silence_days=draw(limits),
        stop_silence_days=draw(limits),
        silence_days=draw(st.dictionaries(assets, st.integers(0, 3), max_size=2)),
    )
