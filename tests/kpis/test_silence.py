"""A silent source: whole production days of which nobody knows how an asset did."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from kpis import oracle
from kpis import plain_records as plain
from kpis.axis import epoch
from kpis.computing import compute_site
from kpis.facts import zones
from kpis.figures import known, periods
from kpis.intervals import clip, span
from kpis.models import AssetDay, ChangedDay, FactState, FailureEvent, LossDay, Silence
from kpis.silence import EVER, silences
from tests.kpis import cases
from tests.kpis.cases import at
from tests.kpis.editing import Editor, assert_as_computed_anew
from tests.kpis.plants import in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write

DAY = 24
examples = in_database(20)
many = st.sampled_from([0, 100]).map(lambda few: mock.patch.object(zones, "FEW", few))


@pytest.mark.parametrize(
    ("told", "limit", "counted_from", "found"),
    [
        pytest.param([10, 13], 2, 10, [], id="as many days as it may"),
        pytest.param([10, 14], 2, 10, [(13, 14)], id="a day more"),
        pytest.param([10, 11, 30], 5, 10, [(17, 30)], id="in the middle"),
        pytest.param([10], 5, 10, [(16, None)], id="at the end"),
        pytest.param([10, 20, 30], 5, 20, [(26, 30)], id="not before the first count"),
        pytest.param([20], 5, None, [(EVER, 15)], id="before the first record of what is not counted"),
        pytest.param([10, 30], None, 10, [], id="never"),
        pytest.param([], 5, None, [], id="nothing is told of it at all"),
    ],
)
def test_silence_begins_after_so_many_days_and_ends_with_the_next_record(told, limit, counted_from, found):
    last = 24 if found and found[-1][1] is None else max(told, default=0)
    assert [each[:2] for each in silences(told, limit, counted_from=counted_from, last=last)] == found


def counted(day: int, **fields) -> plain.Count:
    return cases.count(DAY * day + 8, DAY * day + 16, made=100, scrap=0, cycle=1.0, **fields)


def unknown_days(plant, records, first: int, past: int, number: int = 1) -> list[int]:
    """Days of the window of which nothing is known, as read from the database; the oracle says the same."""
    buckets = [(at(DAY * day), at(DAY * day + DAY)) for day in range(first, past)]
    found = known([plant.assets[number]], buckets, site=plant.site, scope="asset", now=records.now)
    silent = []
    for day, each in enumerate(found, start=first):
        facts, expected = each.answer.all, oracle.facts(records, number, span(each.start, each.end))
        assert (facts.scheduled, facts.unobserved) == (expected.scheduled, expected.unobserved), day
        assert facts.recorded == expected.recorded, day
        if facts.unobserved:
            silent.append(day)
    return silent


WORKED = [
    pytest.param({"counts": [counted(0), counted(9)]}, [4, 5, 6, 7, 8], id="in the middle"),
    pytest.param({"counts": [counted(0), counted(4)]}, [8, 9], id="as many days as it may, then at the end"),
    pytest.param(
        {"counts": [counted(5), counted(9)], "stops": [cases.stop(1, 1, 2)]}, [], id="not before the first count"
    ),
    pytest.param({"counts": [counted(0)], "silence_days": {1: 0}}, [], id="an asset that may be silent for ever"),
    pytest.param({"counts": [counted(0)], "silence_days": {1: 7}}, [8, 9], id="an asset with days of its own"),
    pytest.param(
        {"counts": [counted(0)], "stops": [cases.stop(1, DAY * 2, None)]}, [], id="an open stop tells until now"
    ),
    pytest.param(
        {"counts": [counted(0)], "failures": [cases.failure(1, DAY * 6 + 3)]}, [4, 5], id="a failure tells as well"
    ),
    pytest.param(
        {
            "counts": [counted(0)],
            "stops": [cases.stop(1, DAY * 5, DAY * 5 + 1, asset=2)],
            "placements": [plain.Placement(2, 1, stops_parent=True)],
        },
        [4, 9],
        id="a stop of a part tells of what it stops",
    ),
    pytest.param({"stops": [cases.stop(1, 1, 2)]}, [], id="stops by hand say nothing by their absence"),
    pytest.param(
        {"stops": [cases.stop(1, DAY * 6, DAY * 6 + 1)], "stop_silence_days": 2},
        [0, 1, 2, 3, 9],
        id="unless the site says so, before the first record too",
    ),
]


@pytest.mark.parametrize("stored", [False, True], ids=["from the records", "from stored days"])
@pytest.mark.parametrize(("fields", "days"), WORKED)
def test_a_silent_source_lowers_coverage(db, fields, days, stored):
    records = cases.records(DAY * 10 - 1, **{"count_silence_days": 3, **fields})
    plant = write(records)
    if stored:
        compute_site(plant.site, now=records.now)
    assert unknown_days(plant, records, 0, 10) == days


def test_a_window_loses_the_time_of_silence(db):
    records = cases.records(DAY * 10, counts=[counted(0), counted(9)], count_silence_days=3)
    plant = write(records)
    compute_site(plant.site, now=records.now)
    (found,) = periods(
        [plant.assets[1]], site=plant.site, start=at(0), end=at(DAY * 10), scope="asset", now=records.now
    )
    for facts in (found.answer.all, found.answer.counted):
        assert (facts.scheduled, facts.unobserved) == (DAY * 5 * 3600, DAY * 5 * 3600)
        assert (facts.coverage, facts.recorded, facts.operating) == (0.5, 1, DAY * 5 * 3600)


@pytest.mark.parametrize("computed", [False, True], ids=["before it is computed", "once it is computed"])
def test_a_late_entry_ends_a_silence_at_once(db, computed):
    records = cases.records(DAY * 10 - 1, counts=[counted(0)], count_silence_days=3)
    plant = write(records)
    compute_site(plant.site, now=records.now)
    assert unknown_days(plant, records, 0, 10) == [4, 5, 6, 7, 8, 9]
    plant.assets[1].downtimes.create(start=at(DAY * 5), end=at(DAY * 5 + 1))
    if computed:
        compute_site(plant.site, now=records.now)
    assert unknown_days(plant, replace(records, stops=[cases.stop(1, DAY * 5, DAY * 5 + 1)]), 0, 10) == [4, 9]


def test_a_record_of_today_ends_a_silence_for_all_of_today(db):
    records = cases.records(DAY * 10 - 1, counts=[counted(0)], count_silence_days=3)
    plant = write(records)
    compute_site(plant.site, now=records.now)
    later = replace(records, failures=[cases.failure(1, DAY * 9 + 20)])
    plant.assets[1].failures.create(occurred=at(DAY * 9 + 20))
    assert unknown_days(plant, later, 0, 10) == [4, 5, 6, 7, 8]
    compute_site(plant.site, now=records.now)
    assert ChangedDay.objects.count() == 0
    assert unknown_days(plant, later, 0, 10) == [4, 5, 6, 7, 8]
    (part,) = known(
        [plant.assets[1]], [(at(DAY * 9), at(DAY * 9 + 6))], site=plant.site, scope="asset", now=records.now
    )
    assert part.answer.all.coverage == 1


def test_another_limit_holds_at_once_and_is_computed_at_the_next_run(db):
    records = cases.records(DAY * 10 - 1, counts=[counted(0)], count_silence_days=3)
    plant = write(records)
    compute_site(plant.site, now=records.now)
    for limit, days in ((6, [7, 8, 9]), (None, []), (3, [4, 5, 6, 7, 8, 9])):
        plant.site.count_silence_days = limit
        plant.site.save()
        assert unknown_days(plant, replace(records, count_silence_days=limit), 0, 10) == days
        compute_site(plant.site, now=records.now)
        assert Silence.objects.count() == bool(limit)
        assert unknown_days(plant, replace(records, count_silence_days=limit), 0, 10) == days


def test_a_night_goes_on_with_the_silence_of_the_night_before(db):
    records = cases.records(DAY * 20 - 1, counts=[counted(0), counted(1)], count_silence_days=3)
    plant = write(records)
    for day in range(1, 12):
        compute_site(plant.site, now=at(DAY * day + 1))
    assert unknown_days(plant, replace(records, now=at(DAY * 12 - 1)), 0, 12) == [5, 6, 7, 8, 9, 10, 11]
    assert list(Silence.objects.values_list("since", "until", "days")) == [(at(DAY * 5).date(), None, 3)]


def forget() -> None:
    for model in (AssetDay, LossDay, FailureEvent, FactState, ChangedDay, Silence):
        model.objects.all().delete()


@examples
@given(
    data=st.data(), records=plants(), behind=st.integers(0, 3), day_start=st.sampled_from([time(0), time(6)]), many=many
)  # fmt: skip
def test_silences_are_those_that_the_oracle_finds(db, data, records, behind, day_start, many):
    then = records.now - timedelta(days=behind)
    counts = [each for each in records.counts if each.span.end <= then]
    records = replace(records, counts=counts, day_start=day_start)
    begin = datetime.fromtimestamp(first_instant(records), UTC)
    hours = st.integers(0, epoch(records.now) // 3600 - epoch(begin) // 3600)
    cuts = [begin + timedelta(hours=data.draw(hours)) for _ in range(3)]
    borders = sorted({begin, records.now, *(each for each in cuts if each < records.now)})
    with pytest.raises(Undone), transaction.atomic(), many:
        plant = write(records, day_start=day_start)
        if data.draw(st.booleans()):
            compute_site(plant.site, now=then)
        numbers = {asset.pk: number for number, asset in plant.assets.items()}
        for window in pairwise(borders):
            found = known(list(plant.assets.values()), [window], site=plant.site, scope="asset", now=records.now)
            for each in found:
                number = numbers[each.asset.pk]
                if each.asset.pk not in each.reader.observed:
                    continue  # nothing is known of it anyhow
                expected = clip(oracle.silences(records, number), span(*window))
                silent = each.reader.silent.get(each.asset.pk, [])
                assert silent == [(epoch(one.start), epoch(one.end)) for one in expected], (number, window)
        raise Undone


@examples
@given(data=st.data(), records=plants(), many=many)
def test_silences_are_right_before_and_after_changed_days_are_computed_again(db, data, records, many):
    with pytest.raises(Undone), transaction.atomic(), many:
        plant = write(records)
        compute_site(plant.site, now=records.now)
        begin = datetime.fromtimestamp(first_instant(records) + 1, UTC)
        editor = Editor(data, begin, plant.site)
        for _ in range(3):
            editor.edit()
        window = begin - timedelta(days=2), records.now

        def read():
            found = known(editor.assets, [window], site=plant.site, scope="asset", now=records.now)
            return found[0].reader.silent

        waiting = read()
        compute_site(plant.site, now=records.now)
        assert waiting == read()
        assert_as_computed_anew(plant.site, records.now)
        forget()
        assert waiting == read()
        raise Undone
