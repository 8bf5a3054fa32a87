"""Figures as pages and API read them: from stored days, from records, and from both at once."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from assets.models import Asset, Downtime
from kpis import oracle
from kpis.computing import compute_site
from kpis.cutting import BY, cut
from kpis.facts import zones
from kpis.facts.live import FRACTIONS
from kpis.figures import SCOPES, known, periods, together
from kpis.formulas import Facts, total
from kpis.intervals import span
from kpis.models import AssetDay, ChangedDay, FactState, FailureEvent, LossDay
from kpis.plain_records import Placement
from production.models import Count
from tests.kpis import cases
from tests.kpis.cases import CASES, at, within
from tests.kpis.edges import EDGES
from tests.kpis.editing import Editor
from tests.kpis.plants import GRID, STEPS, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def forget(site) -> None:
    """Nothing stored, nothing marked: figures come from the records alone."""
    for model in (AssetDay, LossDay, FailureEvent, FactState, ChangedDay):
        model.objects.all().delete()


def assert_alike(one: Facts, other: Facts, told="") -> None:
    for each in fields(Facts):
        first, second = getattr(one, each.name), getattr(other, each.name)
        if each.name == "counts":
            first, second = bool(first), bool(second)
        elif each.name == "losses":
            first, second = ({k: v for k, v in losses.items() if v} for losses in (first, second))
        assert first == pytest.approx(second, abs=1e-6), (told, each.name)


@pytest.mark.parametrize("stored", [False, True], ids=["from the records", "from stored days"])
@pytest.mark.parametrize("case", [*CASES, *EDGES], ids=lambda case: case.name)
def test_the_worked_answer_comes_out_of_the_database(db, case, stored):
    plant = write(case.records)
    if stored:
        compute_site(plant.site, now=case.records.now)
        assert ChangedDay.objects.count() == 0
    assets = [plant.assets[number] for number in case.assets]
    found = periods(
        assets, site=plant.site, start=case.window.start, end=case.window.end, scope="asset", now=case.records.now
    )
    facts = total(each.answer.all for each in found)
    assert_alike(facts, total(oracle.facts(case.records, number, case.window) for number in case.assets))
    for name, expected in (case.facts or {}).items():
        assert getattr(facts, name) == pytest.approx(expected, abs=1e-6), name
    for formula, expected in (case.figures or {}).items():
        assert formula(facts).value == pytest.approx(expected, abs=5e-7), formula.__name__


examples = in_database(20)
OF_COUNTED = ("scheduled", "planned_stop", "down", "off_schedule", "stops", *FRACTIONS)
CUTS = [by for by in BY if by != "shift"]  # which needs a calendar


# With few assets as with many, of which it is asked first what was recorded of them since the last stored day.
many = st.sampled_from([0, 100]).map(lambda few: mock.patch.object(zones, "FEW", few))


@examples
@given(
    data=st.data(), records=plants(), day_start=st.sampled_from([time(0), time(6)]),
    by=st.sampled_from(CUTS), first=st.integers(0, STEPS // 2), length=st.integers(1, STEPS),
    earlier=st.integers(0, STEPS // 3), many=many,
)  # fmt: skip
def test_stored_and_computed_parts_make_what_the_oracle_says(
    db, data, records, day_start, by, first, length, earlier, many
):
    then = records.now - earlier * GRID
    # What had not come then was not entered then; when it is, triggers mark the days, which is not the matter here.
    records = replace(
        records,
        day_start=day_start,
        counts=[count for count in records.counts if count.span.end <= then],
        failures=[each for each in records.failures if max(each.occurred, each.restored or each.occurred) <= then],
        stops=[
            replace(stop, end=then) if stop.end and stop.start <= then < stop.end else stop for stop in records.stops
        ],
    )
    with pytest.raises(Undone), transaction.atomic(), many:
        plant = write(records, day_start=day_start)
        compute_site(plant.site, now=then)
        start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
        buckets = cut(plant.site, start, start + length * GRID, by)
        assert_told(plant, records, buckets)
        raise Undone


@examples
@given(data=st.data(), records=plants(), counts=st.booleans(), many=many)
def test_parts_of_stored_days_are_what_the_oracle_says(db, data, records, counts, many):
    records = replace(records, counts=records.counts if counts else [])
    begin = datetime.fromtimestamp(first_instant(records), UTC)
    # Windows end where a stop begins or ends, or a step beside: there a part holds all, a part or none of it.
    edges = [moment for stop in records.stops for moment in (stop.start, stop.end or records.now)]
    edges += [moment + step for moment in edges for step in (-GRID, GRID)] or [records.now]
    borders = {begin, records.now, *data.draw(st.lists(st.sampled_from(sorted(edges)), min_size=1, max_size=12))}
    with pytest.raises(Undone), transaction.atomic(), many:
        plant = write(records)
        compute_site(plant.site, now=records.now)
        assert_told(plant, records, list(pairwise(sorted(each for each in borders if begin <= each <= records.now))))
        raise Undone


def assert_told(plant, records, buckets) -> None:
    """What is read of each asset alone is what the oracle says."""
    numbers = {asset.pk: number for number, asset in plant.assets.items()}
    for each in known(list(plant.assets.values()), buckets, site=plant.site, scope="asset", now=records.now):
        number, window, told = numbers[each.asset.pk], span(each.start, each.end), (each.asset.code, each.start)
        expected = oracle.facts(records, number, window)
        assert_alike(without_record(each.answer.all), without_record(expected), told)
        if each.answer.all.calendar and each.asset.pk in each.reader.observed and oracle.told(records, number)[0]:
            for name in ("scheduled", "unobserved", "recorded"):
                assert getattr(each.answer.all, name) == getattr(expected, name), (told, name)
        for name in OF_COUNTED if each.answer.counted_assets else ():
            assert getattr(each.answer.counted, name) == pytest.approx(getattr(expected, name), abs=1e-6), (told, name)
        assert {key: sums for key, sums in each.answer.causes.items() if any(sums)} == {
            (plant.reason(key), key[1]): (cause.seconds, cause.stops)
            for key, cause in oracle.causes(records, number, window).items()
            if cause.seconds or cause.stops
        }, told


@examples
@given(
    data=st.data(), records=plants(), scope=st.sampled_from(SCOPES), by=st.sampled_from(CUTS),
    first=st.integers(0, STEPS // 2), length=st.integers(1, STEPS), turned=st.booleans(), many=many,
)  # fmt: skip
def test_questions_asked_together_are_answered_as_each_alone(db, data, records, scope, by, first, length, turned, many):
    with pytest.raises(Undone), transaction.atomic(), many:
        plant = write(records)
        compute_site(plant.site, now=records.now)
        begin = datetime.fromtimestamp(first_instant(records) + 1, UTC)
        Editor(data, begin, plant.site).edit()
        start = begin + first * GRID
        end = start + length * GRID
        subjects = [None, *Asset.objects.filter(site=plant.site).order_by("id")]
        whole, parts = (cut(plant.site, start, end, each) for each in ("total", by))
        questions = [(subjects, whole), (subjects, parts), (subjects[1:2], whole)]
        questions = questions[::-1] if turned else questions
        asked = together(questions, site=plant.site, scope=scope, now=records.now)
        for question, found in zip(questions, asked, strict=True):
            (alone,) = together([question], site=plant.site, scope=scope, now=records.now)
            for one, other in zip(found, alone, strict=True):
                told = (one.asset, one.start, one.end)
                assert_alike(one.answer.all, other.answer.all, told)
                assert_alike(one.answer.counted, other.answer.counted, told)
                assert one.answer.causes == other.answer.causes, told
                assert one.answer.counted_assets == other.answer.counted_assets, told
        raise Undone


@pytest.mark.parametrize("stored", [False, True], ids=["from the records", "from stored days"])
def test_a_machine_counts_for_each_line_while_it_stands_there(db, stored):
    moved = cases.records(
        96,
        calendars={2: cases.shift("08:00", "16:00")},
        placements=(
            Placement(2, 1, valid=within(-99, 34)),
            Placement(2, 4, valid=within(34, 999)),
            Placement(3, 1),  # stays, and has whole the day that the move parts
        ),
        stops=(
            cases.stop(1, 10, 12, asset=2),
            cases.stop(2, 33, 35, asset=2),
            cases.stop(3, 58, 61, asset=2),
            cases.stop(4, 30, 36, asset=3),
        ),
        failures=(
            cases.failure(1, 10, 12, asset=2),
            cases.failure(2, 34, 35, asset=2),
            cases.failure(3, 58, 61, asset=2),
        ),
    )
    plant = write(moved)
    if stored:
        compute_site(plant.site, now=moved.now)
    lines = [plant.assets[number] for number in (1, 4)]
    found = periods(lines, site=plant.site, start=at(0), end=at(96), scope="leaves", now=moved.now)
    for each, there in zip(found, ({2: within(0, 34), 3: within(0, 96)}, {2: within(34, 96)}), strict=True):
        assert_alike(each.answer.all, total(oracle.facts(moved, *of) for of in there.items()), each.asset.code)


def test_a_site_of_which_nothing_was_ever_recorded_has_no_events(db):
    plant = write(cases.records(24))
    (found,) = periods(None, site=plant.site, start=at(0), end=at(24), now=at(24))
    assert (found.answer.all.calendar, found.answer.all.events, found.answer.all.recorded) == (24 * 3600, 0, 0)


@pytest.mark.parametrize("turned", [False, True])
def test_a_window_asked_for_together_with_its_shifts_keeps_its_stored_days(db, turned):
    stopped = cases.records(72, stops=(cases.stop(1, 7, 9), cases.stop(2, 30, 33)))
    plant = write(stopped)
    compute_site(plant.site, now=stopped.now)
    shifts = [(at(hours), at(hours + 8)) for hours in range(0, 72, 8)]
    questions = [([plant.assets[1]], buckets) for buckets in ([(at(0), at(72))], shifts)]
    found = together(questions[::-1] if turned else questions, site=plant.site, scope="asset", now=stopped.now)
    (whole,), parts = found[::-1] if turned else found
    assert (whole.answer.all.down, whole.answer.all.stops) == (5 * 3600, 2)
    assert [each.answer.all.down / 3600 for each in parts] == [1, 1, 0, 2, 1, 0, 0, 0, 0]


def without_record(facts: Facts) -> Facts:
    """Without what says whether an asset is observed: after a deletion that is right a minute later."""
    return replace(facts, scheduled=facts.scheduled + facts.unobserved, unobserved=0, recorded=0)


@examples
@given(data=st.data(), records=plants(), scope=st.sampled_from(SCOPES), by=st.sampled_from(CUTS), many=many)
def test_figures_are_right_before_changed_days_are_computed_again(db, data, records, scope, by, many):
    with pytest.raises(Undone), transaction.atomic(), many:
        plant = write(records)
        compute_site(plant.site, now=records.now)
        begin = datetime.fromtimestamp(first_instant(records) + 1, UTC)
        editor = Editor(data, begin, plant.site)
        for _ in range(3):
            editor.edit()
        assets = None if data.draw(st.booleans()) else list(Asset.objects.filter(site=plant.site).order_by("id"))

        def read():
            end = records.now + timedelta(days=1)
            found = periods(assets, site=plant.site, start=begin, end=end, by=by, scope=scope, now=records.now)
            for each in found:  # lost time is read when it is looked at
                dict(each.answer.all.losses), dict(each.answer.counted.losses)
            return found

        with_stored = read()
        forget(plant.site)
        for one_, other in zip(with_stored, read(), strict=True):
            assert_alike(without_record(one_.answer.all), without_record(other.answer.all), one_.start)
            assert_alike(without_record(one_.answer.counted), without_record(other.answer.counted), one_.start)
            assert one_.answer.causes == other.answer.causes
        raise Undone


def test_a_part_of_a_day_without_counts_is_lost_for_those_who_count_on_another_day(plant):
    noon = datetime(2026, 3, 16, 12, tzinfo=UTC)
    Downtime.objects.create(asset=plant.filler, start=noon, end=noon + timedelta(hours=1), reason=plant.breakdown)
    Count.objects.create(
        asset=plant.filler,
        start=noon + timedelta(days=1),
        end=noon + timedelta(days=1, hours=1),
        good=90,
        ideal_cycle=30,
    )
    compute_site(plant.berlin, now=NOW)
    # From six in the morning: the stop lies in the part that is asked for.
    window = (datetime(2026, 3, 16, 5, tzinfo=UTC), plant.berlin.day_begins(date(2026, 3, 18)))
    (found,) = known([plant.filler], [window], site=plant.berlin, scope="asset", now=NOW)
    assert (found.answer.counted.good, found.answer.counted.down, found.answer.counted.stops) == (90, 3600, 1)
    assert dict(found.answer.counted.losses) == {"breakdown": 3600}
