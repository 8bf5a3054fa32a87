"""Which records the fact statement reads."""

from django.db import connection

from assets.models import Downtime
from kpis.axis import EVER, epoch, instant
from kpis.facts.held import touching
from kpis.facts.live import compute
from kpis.plain_records import Placement
from tests.kpis.cases import at, failure, records, stop
from tests.kpis.world import store

HOUR = 3600
START = 1_772_409_600  # 2 March 2026
SPANS = [(START + lo * HOUR, START + hi * HOUR) for lo, hi in ((100, 110), (140, 160), (161, 162))]
# Borders, and a day before or after them (longer records are sought otherwise), each with the second beside it; and
# what begins half an hour earlier still.
MOMENTS = sorted(
    {border + days * 24 * HOUR + off for span in SPANS for border in span for days in (-1, 0) for off in (-1, 0, 1)}
    | {border - 24 * HOUR - HOUR // 2 for span in SPANS for border in span}
)


def test_a_record_is_read_once_by_the_first_span_that_it_reaches_into(plant):
    times = [(start, end) for start in MOMENTS for end in MOMENTS if start <= end]
    Downtime.objects.bulk_create(
        Downtime(asset=asset, start=instant(start), end=instant(end))
        for asset in (plant.filler, plant.labeller)
        for start, end in times
    )
    since = [EVER, *(hi for _, hi in SPANS)]
    rows = ", ".join(f"({plant.filler.pk}, {lo}, {hi}, {past})" for (lo, hi), past in zip(SPANS, since, strict=False))
    columns = """r.start, r."end" """
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH span(asset_id, lo, hi, since) AS (VALUES {rows})"
            f"""SELECT start, "end", lo FROM ({touching("assets_downtime", columns)}) found"""
        )
        found = [(epoch(start), epoch(end), lo) for start, end, lo in cursor.fetchall()]
    # One that ends as the span begins shares no time with it, and is cut off later.
    found = sorted(row for row in found if row[1] > row[2] or row[0] == row[1])
    expected = []
    for start, end in times:
        if reached := [lo for lo, hi in SPANS if start < hi and max(end, start + 1) > lo]:
            expected.append((start, end, reached[0]))
    assert found == sorted(expected)


def test_failures_are_of_the_watched_span_in_which_they_occur_at_the_line_as_at_the_machine(db):
    stored = store(
        records(
            24,
            placements=[Placement(2, 1, stops_parent=True)],
            stops=[stop(1, 2, 3, asset=2), stop(2, 5, 6, asset=2), stop(3, 8, 9, asset=2)],
            failures=[failure(1, 2, 3, asset=2), failure(2, 5, 6, asset=2), failure(3, 8, 9, asset=2)],
        )
    )
    for number in (1, 2):
        pk = stored.assets[number].pk
        watch = {pk: [(epoch(at(5)), epoch(at(8)))]}
        _, events = compute(stored.site, [(pk, epoch(at(0)), epoch(at(24)))], watch, epoch(at(24)))
        assert [(event.asset_id, event.occurred) for event in events] == [(pk, at(5))]
    line, machine = (stored.assets[number].pk for number in (1, 2))
    watch = {line: [(epoch(at(5)), epoch(at(8)))], machine: [(epoch(at(8)), epoch(at(24)))]}
    _, events = compute(stored.site, [(line, epoch(at(0)), epoch(at(24)))], watch, epoch(at(24)))
    assert {(event.asset_id, event.occurred) for event in events} == {(line, at(5)), (machine, at(8))}
