"""The set-based SQL against the plain oracle, on random plants."""

from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.models import Downtime
from kpis import oracle
from kpis import plain_records as plain
from kpis.axis import ALWAYS, NEVER, axis, epoch, instant
from kpis.facts import live
from kpis.facts import plans as following
from kpis.facts.store import catch_up
from kpis.formulas import sums_of
from kpis.intervals import Span, clip, production_days, schedule, seconds
from kpis.models import AssetDay, FailureEvent, LossDay
from tests.kpis import cases
from tests.kpis.edges import EDGES
from tests.kpis.plants import BERLIN, GRID, STEPS, begins, calendars, in_database, plants
from tests.kpis.world import Stored, facts_of, first_instant, store

SUMS = (*live.NUMBERS, *live.FRACTIONS)
random_plants = in_database(25)


class Undone(Exception):
    """Ends an example: what it wrote is rolled back."""


def written(records: plain.Records, check, **options) -> None:
    with pytest.raises(Undone), transaction.atomic():
        check(store(records, **options))
        raise Undone


def assert_same(facts, cell, stored: Stored, number: int, window: Span, told: str) -> None:
    expected = oracle.facts(stored.records, number, window)
    for name in SUMS:
        assert getattr(facts, name) == pytest.approx(getattr(expected, name), abs=1e-6), (told, number, name)
    causes = {
        (stored.reason(key), key[1]): (cause.seconds, cause.stops)
        for key, cause in oracle.causes(stored.records, number, window).items()
    }
    assert cell.causes == causes, (told, number)


@random_plants
@given(data=st.data(), records=plants())
def test_cut_windows_are_what_the_oracle_says(db, data, records):
    def check(stored: Stored) -> None:
        begin = instant(first_instant(records))
        cuts = sorted({begin, records.now, *(begin + data.draw(st.integers(0, STEPS)) * GRID for _ in range(4))})
        windows = [Span(start, end) for start, end in pairwise(cuts) if end <= records.now]
        asked = [(number, window) for number in stored.assets for window in windows]
        cells = [(stored.assets[number].pk, epoch(w.start), epoch(w.end)) for number, w in asked]
        watch = {asset.pk: [(first_instant(records), epoch(records.now))] for asset in stored.assets.values()}
        found, events = live.compute(stored.site, cells, watch, epoch(records.now))
        for position, (number, window) in enumerate(asked):
            facts, cell = facts_of(found.get(position, live.CellFacts()), [])
            assert_same(facts, cell, stored, number, window, f"{window}")
        last = {event.asset_id: event for event in sorted(events, key=lambda event: event.occurred)}
        watch = {pk: [(epoch(event.occurred), epoch(records.now))] for pk, event in [*last.items()][1:]}
        apart, newest = live.compute(stored.site, cells[::2], watch, epoch(records.now))
        assert sorted(newest, key=lambda event: event.asset_id) == [last[pk] for pk in sorted(watch)]
        for position in range(0, len(cells), 2):
            one, other = (
                facts_of(each, [])[0]
                for each in (found.get(position, live.CellFacts()), apart.get(position // 2, live.CellFacts()))
            )
            assert sums_of(other) == pytest.approx(sums_of(one), abs=1e-6), ("asked apart", asked[position])
            assert other.losses == one.losses, ("asked apart", asked[position])
        for number, asset in stored.assets.items():
            assert [_plain(event) for event in events if event.asset_id == asset.pk] == [
                _plain(event) for event in oracle.events(records, number)
            ], number

    written(records, check)


@pytest.mark.parametrize(
    ("records", "windows"),
    [
        pytest.param(
            cases.records(
                24,
                placements=[
                    *(plain.Placement(number, 1, group=9) for number in (2, 3)),
                    plain.Placement(4, 1, group=9, valid=cases.within(20, 99)),
                ],
                groups=[plain.Group(9, 1, needed=1)],
                stops=[cases.stop(1, 15, 17, asset=2)],
            ),
            [cases.within(0, 10), cases.within(15, 18)],
            id="a pump that is added later",
        ),
        pytest.param(
            cases.records(
                24,
                placements=[
                    plain.Placement(2, 1, stops_parent=True, valid=cases.within(20, 99)),
                    plain.Placement(3, 1, stops_parent=True),
                ],
                stops=[cases.stop(1, 5, 23, asset=2), cases.stop(2, 16, 17, asset=3)],
            ),
            [cases.within(0, 10), cases.within(15, 24)],
            id="a stopped machine that is added later",
        ),
        pytest.param(
            cases.records(24, stops=[cases.stop(1, 10, 20)]),
            [cases.within(0, 10), cases.within(15, 24)],
            id="a stop that begins as a window ends",
        ),
        pytest.param(
            cases.records(
                24, lives={1: cases.within(0, 12)}, counts=[cases.count(10, 14, made=100, scrap=0, cycle=1.0)]
            ),
            [cases.within(0, 12), cases.within(12, 24)],
            id="a count beyond the life of its machine",
        ),
        pytest.param(
            cases.records(24, stops=[cases.stop(1, 5, 20)]),
            [cases.within(0, 10), cases.within(15, 24)],
            id="a stop that reaches into both windows",
        ),
        pytest.param(
            cases.records(24, counts=[cases.count(hour, hour + 1, made=9, scrap=1, cycle=1.0) for hour in (1, 16)]),
            [cases.within(0, 10), cases.within(15, 24)],
            id="a count in each window",
        ),
        pytest.param(
            cases.records(24, stops=[cases.stop(1, 1, 2), cases.stop(2, 16, 17)]),
            [cases.within(0, 10), cases.within(15, 24)],
            id="a stop in each window",
        ),
        pytest.param(
            cases.records(24, stops=[cases.stop(1, 1, 9, reason=1, loss="breakdown"), cases.stop(2, 2, 8)]),
            [cases.within(0, 4), cases.within(4, 24)],
            id="a stop that another one covers",
        ),
    ],
)
def test_windows_of_one_question_are_what_the_oracle_says(db, records, windows):
    stored = store(records)
    asked = [(number, window) for number in stored.assets for window in windows]
    cells = [(stored.assets[number].pk, epoch(w.start), epoch(w.end)) for number, w in asked]
    found, _ = live.compute(stored.site, cells, {}, epoch(records.now))
    for position, (number, window) in enumerate(asked):
        facts, cell = facts_of(found.get(position, live.CellFacts()), [])
        assert_same(facts, cell, stored, number, window, f"{window}")


def _plain(event) -> tuple:
    return event.occurred, event.restored, event.items, event.open, event.found, event.already_down


@random_plants
@given(records=plants(), day_start=st.sampled_from([time(0), time(2, 30), time(6)]))
def test_stored_days_are_what_the_oracle_says(db, records, day_start):
    def check(stored: Stored) -> None:
        catch_up(stored.site, now=records.now)
        assert_stored(stored, day_start)

    written(records, check, day_start=day_start)


def assert_stored(stored: Stored, day_start: time) -> None:
    """Every stored day, and only those days, on which the oracle finds something."""
    records = stored.records
    rows = {(row.asset_id, row.day): row for row in AssetDay.objects.all()}
    losses: dict[tuple, dict] = {}
    for row in LossDay.objects.all():
        losses.setdefault((row.asset_id, row.day), {})[row.reason_id, row.loss] = (row.seconds, row.stops)
    window = Span(instant(first_instant(records)), records.now)
    days = [each for each in production_days(window, records.zone, day_start) if each[1].end <= records.now]
    for number, asset in stored.assets.items():
        for day, span in days:
            row = rows.pop((asset.pk, day), None)
            cell = live.CellFacts({name: getattr(row, name) for name in SUMS} if row else {})
            cell.causes = losses.pop((asset.pk, day), {})
            assert_same(*facts_of(cell, []), stored, number, span, f"{day}")
            found = row and (row.stopped_from, row.stopped_to)
            assert found == stopped_or_counted(records, number, span), (day, number)
        last = days[-1][1].end if days else window.start
        for event in FailureEvent.objects.filter(asset=asset):
            ends = instant(NEVER) if event.open else event.restored or event.until
            assert (event.until, event.until >= event.occurred) == (ends, True)
        assert [_plain(event) for event in FailureEvent.objects.filter(asset=asset).order_by("occurred")] == [
            _plain(event) for event in oracle.events(records, number) if event.occurred < last
        ], number
    assert rows == {}
    assert losses == {}


def stopped_or_counted(records: plain.Records, number: int, day: Span) -> tuple | None:
    """From when to when the asset is stopped, in seconds of the day (a stop of no length takes one); without a stop
    nothing, but a row if pieces were counted."""
    served = oracle._served(records, number, day)
    held = [cut for piece in oracle.effective_pieces(records, number) if (cut := piece.within(served))]
    if held:
        begins = epoch(day.start)
        return (
            min(epoch(each.start) for each in held) - begins,
            max(max(epoch(each.end), epoch(each.start) + 1) for each in held) - begins,
        )
    counted = any(each.asset == number and clip((each.span,), served) for each in records.counts)
    return (None, None) if counted else None


def test_facts_are_made_of_whole_seconds(db):
    beginning = cases.at(8)
    stored = store(cases.records(24))
    for start, end in ((0, 3600.6), (3600.9, 7200.1)):
        Downtime.objects.create(
            asset=stored.assets[1], start=beginning + timedelta(seconds=start), end=beginning + timedelta(seconds=end)
        )
    facts, _ = stored.live(1, cases.within(0, 24))
    assert (facts.down, facts.stops) == (7200, 2)


SHORT = [case for case in (*cases.CASES, *EDGES) if case.records.now <= cases.at(400)]


def numbered(records: plain.Records) -> plain.Records:
    """The same with a number for each reason, which worked cases name by its loss class alone."""
    reasons = sorted({(stop.excluded, stop.loss) for stop in records.stops if stop.loss != "unclassified"})
    return replace(
        records,
        stops=[
            stop if stop.loss == "unclassified" else replace(stop, reason=reasons.index((stop.excluded, stop.loss)) + 1)
            for stop in records.stops
        ],
    )


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.name)
def test_stored_days_of_the_worked_cases_are_what_the_oracle_says(db, case):
    stored = store(numbered(case.records))
    catch_up(stored.site, now=case.records.now)
    assert_stored(stored, time(0))


@given(st.data(), st.integers(0, 4 * 24 * 60), st.integers(1, 3 * 24 * 60))
@settings(max_examples=200, deadline=None)
def test_the_axis_of_scheduled_seconds_is_the_schedule(data, offset, length):
    begin = data.draw(begins)
    owners = [data.draw(calendars(begin)) for _ in range(data.draw(st.integers(0, 2)))]
    lo = epoch(begin) + offset * 60
    window = Span(instant(lo), instant(lo + length * 60))
    line = axis(owners, lo - 86_400, lo + length * 60 + 86_400, BERLIN)
    assert line.between(lo, lo + length * 60) == seconds(schedule(owners, window, BERLIN))
    assert axis([], lo, lo, BERLIN) is ALWAYS
    cut = lo + data.draw(st.integers(0, length)) * 60
    parts = [(lo - 3600, lo), (cut, lo + length * 60)]
    short = line.around(parts)
    for begin, end in parts:
        assert [short.at(each) for each in (begin, end)] == [line.at(each) for each in (begin, end)]
        assert short.between(begin, end) == line.between(begin, end)
    assert len(short.starts) == len(set(short.starts)) <= len(line.starts)


@random_plants
@given(records=plants())
def test_calendars_are_inherited_alike_whether_looked_for_upwards_or_downwards(db, records):
    def check(stored: Stored) -> None:
        assets = [asset.pk for asset in stored.assets.values()]
        first, last = first_instant(records), epoch(records.now)
        found = []
        for few in (0, len(assets)):
            with mock.patch.object(following, "FEW", few):
                found.append(following.Plans(stored.site, assets, first, last).following)
        assert found[0] == found[1]

    written(records, check)
