"""Lives between failures on the operating-time axis, against hand-worked hours, the figures and the oracle."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from assets.models import Asset, Downtime, Failure, FailureCode
from kpis import oracle
from kpis.computing import compute_site
from kpis.facts import lives
from kpis.facts.lives import Record
from kpis.figures import SCOPES, periods
from kpis.formulas import Facts
from kpis.intervals import intersect, seconds, span
from kpis.lifetimes import Life
from kpis.reliability import History, Problem
from production.models import OperatingCalendar
from tests.kpis.editing import Editor
from tests.kpis.plants import GRID, STEPS, in_database, plants
from tests.kpis.test_reading import forget, without_record
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write
from tests.plant import asset

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # Monday 2 March, 00:00 in Berlin
END = BEGIN + timedelta(days=5)


def broken(asset, hour: float, hours: float, *, problem=None, **fields) -> Failure:
    """A failure that stops the asset `hours` long, so many hours after the beginning."""
    stop = Downtime.objects.create(asset=asset, start=BEGIN + hour * HOUR, end=BEGIN + (hour + hours) * HOUR)
    fields = {"restored": stop.end} | fields
    return Failure.objects.create(asset=asset, occurred=stop.start, downtime=stop, problem=problem, **fields)


@pytest.fixture
def two_shifts(plant):
    """The filler runs from 06:00 to 22:00, and failed on Monday at 10:00 for 2 h and on Wednesday at 12:00."""
    calendar = OperatingCalendar.objects.create(
        site=plant.berlin, asset=plant.filler, name="two", valid_from="2020-1-1"
    )
    for day in range(7):
        calendar.weekly.create(weekday=day, start=time(6), end=time(22))
    broken(plant.filler, 10, 2)
    broken(plant.filler, 60, 4)
    broken(plant.filler, 80, 1, detection="maintenance")
    return plant.filler


def lived(subject, start=BEGIN, end=END) -> Record:
    (found,) = lives.of_assets([subject.pk], site=subject.site, start=start, end=end, now=END).records
    return found


@pytest.mark.parametrize("stored", [False, True], ids=["from the records", "from stored days"])
def test_hours_between_failures_are_operating_hours(two_shifts, stored):
    if stored:
        compute_site(two_shifts.site, now=END)
    found = lived(two_shifts)
    # Monday 06–10; Monday 12–22, Tuesday, Wednesday 06–12; Wednesday 16–22, Thursday but the hour of 08:00, Friday.
    assert found.hours == (4, 10 + 16 + 6, 6 + 15 + 16)
    assert found.history == History((4, 36), 73)
    assert found.occurred == (BEGIN + 10 * HOUR, BEGIN + 60 * HOUR)


def test_the_first_life_counts_only_where_it_began_new(two_shifts):
    found = lived(two_shifts)
    assert (found.from_new, found.age) == (False, 37)
    assert found.lives == [Life(32, True), Life(37, False)]
    two_shifts.commissioned = BEGIN + 8 * HOUR
    two_shifts.save()
    found = lived(two_shifts)
    assert found.from_new
    assert found.lives == [Life(2, True), Life(32, True), Life(37, False)]


def test_a_failure_without_time_before_it_is_no_life():
    found = Record(1, (5.0, 0.0, 7.0, 0.0), True)
    assert (found.lives, found.timeless, found.age) == ([Life(5, True), Life(7, True)], 1, 0)
    assert found.history == History((5, 5, 12), 12)
    assert Record(1, (5.0,), False).age is None
    assert Record(1, (5.0,), True).lives == [Life(5, False)]


def test_an_asset_without_records_has_no_lives(plant, two_shifts):
    found = lives.of_assets([plant.labeller.pk, two_shifts.pk], site=plant.berlin, start=BEGIN, end=END, now=END)
    assert [each.asset_id for each in found.records] == [two_shifts.pk]
    # 5 days around the clock of the one, of which nobody knows how it did, and 5 of 16 hours of the other.
    assert (found.unrecorded, found.facts.unobserved, found.facts.scheduled) == (1, 5 * 24 * 3600, 5 * 16 * 3600)
    nothing = lives.Lived([], Facts(), 0)
    assert lives.of_assets([], site=plant.berlin, start=BEGIN, end=END, now=END) == nothing
    later = {"start": END + HOUR, "end": END + 2 * HOUR, "now": END}
    assert lives.of_assets([two_shifts.pk], site=plant.berlin, **later) == nothing
    assert lives.records_since(plant.berlin) == BEGIN + 10 * HOUR + timedelta(seconds=1)
    Downtime.objects.create(asset=plant.line, start=BEGIN, end=BEGIN + HOUR)
    assert lives.records_since(plant.berlin) == BEGIN
    assert lives.records_since(plant.chicago) is None


def test_a_line_is_stopped_by_its_machine_and_its_leaves_live_by_themselves(plant, two_shifts):
    question = {"site": plant.berlin, "start": BEGIN, "end": END, "now": END}
    (line,) = lives.of_subject(plant.line, scope="asset", **question).records
    assert line.asset_id == plant.line.pk
    assert line.hours == (10, 48, 55)  # around the clock: only its stops are the filler's
    (leaf,) = lives.of_subject(plant.line, scope="leaves", **question).records
    assert leaf == lived(two_shifts)
    for begin, end in ((9, 11), (59, 65)):  # it was down already as the filler failed
        Downtime.objects.create(asset=plant.line, start=BEGIN + begin * HOUR, end=BEGIN + end * HOUR)
    (line,) = lives.of_subject(plant.line, scope="asset", **question).records
    assert (line.occurred, line.hours) == ((), (120 - 10,))


def test_the_number_of_queries_does_not_grow(plant, two_shifts, django_assert_max_num_queries):
    with django_assert_max_num_queries(48) as few:
        lived(two_shifts)
    machines = [asset(plant.berlin, f"N{number}", parent=plant.line) for number in range(6)]
    for machine in machines:
        for day in range(4):
            broken(machine, 24 * day + 3, 1)
    question = {"site": plant.berlin, "start": BEGIN, "end": END, "now": END}
    with django_assert_max_num_queries(len(few)):
        found = lives.of_assets([machine.pk for machine in machines], **question).records
    assert [each.hours for each in found] == [(3, 23, 23, 23, 47 - 24 + 24 - 3)] * 6


def test_failures_by_problem(plant):
    belt, valve = (FailureCode.objects.create(list="problem", code=code, name=code) for code in ("belt", "valve"))
    broken(plant.filler, 1, 2, problem=belt)
    broken(plant.filler, 11, 4, problem=belt)
    broken(plant.labeller, 20, 1, problem=valve)
    broken(plant.labeller, 30, 1, problem=valve, restored=None)
    broken(plant.labeller, 40, 1)
    broken(plant.labeller, 50, 1, problem=valve, detection="maintenance")
    broken(plant.palletiser, 50, 1, problem=valve)
    broken(plant.filler, 300, 1, problem=belt)
    found, left_out = lives.problems([plant.filler.pk, plant.labeller.pk], BEGIN, END)
    assert (found, left_out) == ([Problem("belt", 2, 6), Problem("valve", 1, 1)], 2)


examples = in_database(15)
OF_TIME = ("calendar", "scheduled", "unobserved", "recorded", "planned_stop", "down", "events")


@examples
@given(
    records=plants(), scope=st.sampled_from(SCOPES), first=st.integers(0, STEPS // 2), length=st.integers(1, STEPS),
    stored=st.booleans(),
)  # fmt: skip
def test_lives_are_those_of_the_oracle_and_add_up_to_the_figures(db, records, scope, first, length, stored):
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records)
        if stored:
            compute_site(plant.site, now=records.now)
        start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
        question = {"site": plant.site, "start": start, "end": start + length * GRID, "now": records.now}
        numbers = {row.pk: number for number, row in plant.assets.items()}
        window = oracle.Span(start, min(question["end"], max(start, records.now)))
        for each in lives.of_assets(numbers, **question).records:
            number = numbers[each.asset_id]
            served = oracle._served(records, number, window)
            failed = [e.occurred for e in oracle.events(records, number) if e.counts and served.covers(e.occurred)]
            assert list(each.occurred) == failed
            parts = [span(*border) for border in pairwise([served.start, *failed, served.end])]
            silent = oracle.silences(records, number)
            expected = [
                without_record(oracle.facts(records, number, part)).operating / 3600
                - seconds(intersect(oracle.scheduled(records, number, part), silent)) / 3600
                for part in parts
            ]
            assert each.hours == pytest.approx(expected, abs=1e-9)
        for row in plant.assets.values():
            (whole,) = periods([row], scope=scope, **question)
            found = lives.of_subject(row, scope=scope, **question)
            facts = whole.answer.all
            assert sum(each.history.end for each in found.records) == pytest.approx(facts.operating / 3600)
            assert sum(len(each.occurred) for each in found.records) == facts.events
            for name in OF_TIME:
                assert getattr(found.facts, name) == pytest.approx(getattr(facts, name)), name
            assert found.unrecorded == len(whole.unobserved)
        raise Undone


@in_database(10)
@given(data=st.data(), records=plants())
def test_lives_are_right_before_changed_days_are_computed_again(db, data, records):
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records)
        compute_site(plant.site, now=records.now)
        begin = datetime.fromtimestamp(first_instant(records) + 1, UTC)
        editor = Editor(data, begin, plant.site)
        for _ in range(3):
            editor.edit()
        assets = Asset.objects.filter(site=plant.site).values_list("pk", flat=True)

        def read() -> dict[int, Record]:
            found = lives.of_assets(assets, site=plant.site, start=begin, end=records.now, now=records.now).records
            return {each.asset_id: each for each in found}

        with_stored = read()
        forget(plant.site)
        for asset_id, each in read().items():
            assert with_stored[asset_id] == each
        raise Undone
