"""What holds of the figures of any plant, through the database: by stored days, and straight from the records."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from kpis import oracle
from kpis.computing import compute_site
from kpis.cutting import cut
from kpis.facts.live import FRACTIONS, NUMBERS
from kpis.figures import known, together
from kpis.formulas import SUMS, availability, oee, performance, quality, sums_of, total, waterfall
from kpis.intervals import Span
from kpis.models import AssetDay, FailureEvent, LossDay
from kpis.plain_records import Placement, Records, Stop
from tests.kpis import cases
from tests.kpis.cases import at, stop, within
from tests.kpis.plants import GRID, STEPS, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import Stored, first_instant
from tests.kpis.world import store as write

HALF_DAY = timedelta(hours=12)
examples = in_database(20)


def crowded(records: Records) -> Records:
    """The same with stops that begin at the same few instants, so that ties are many."""
    begin = datetime.fromtimestamp(first_instant(records) + 1, UTC)
    return replace(
        records,
        stops=[replace(each, start=each.start - (each.start - begin) % HALF_DAY) for each in records.stops],
    )


def shuffled(data, records: Records) -> Records:
    """The same records, entered in another order."""
    names = ("stops", "failures", "counts", "placements")
    return replace(records, **{name: data.draw(st.permutations(getattr(records, name))) for name in names})


def renumbered(data, records: Records) -> Records:
    """The same records under other ids."""
    ids = data.draw(st.permutations([each.id for each in records.stops]))
    new = dict(zip((each.id for each in records.stops), ids, strict=True))
    failures = data.draw(st.permutations([each.id for each in records.failures]))
    return replace(
        records,
        stops=[replace(each, id=new[each.id]) for each in records.stops],
        failures=[
            replace(each, id=id, stop=new.get(each.stop)) for each, id in zip(records.failures, failures, strict=True)
        ],
    )


def told(plant: Stored) -> list:
    """All stored facts by the numbers of the plain records, whatever ids their rows have."""
    numbers = {asset.pk: number for number, asset in plant.assets.items()}
    reasons = {row.pk: key for key, row in plant.reasons.items()}
    days = AssetDay.objects.filter(asset__site=plant.site)
    names = (*NUMBERS, *FRACTIONS, "stopped_from", "stopped_to")
    losses = LossDay.objects.filter(asset__site=plant.site)
    events = FailureEvent.objects.filter(asset__site=plant.site)
    return [
        sorted(
            (numbers[each.asset_id], each.day, *(round(getattr(each, name) or 0, 6) for name in names)) for each in days
        ),
        sorted(
            (numbers[each.asset_id], each.day, str(reasons.get(each.reason_id)), each.loss, each.seconds, each.stops)
            for each in losses
        ),
        sorted(
            (
                numbers[each.asset_id],
                each.occurred,
                each.until,
                str(each.restored),
                each.items,
                each.open,
                each.found,
                each.already_down,
            )
            for each in events
        ),
    ]


@examples
@given(data=st.data(), records=plants(), ties=st.booleans())
def test_the_order_of_entry_never_changes_a_figure(db, data, records, ties):
    records = crowded(records) if ties else records
    with pytest.raises(Undone), transaction.atomic():
        found = []
        for code, each in (("one", records), ("other", shuffled(data, records))):
            plant = write(each, code=code)
            compute_site(plant.site, now=records.now)
            found.append(told(plant))
        for one, other in zip(*found, strict=True):
            assert one == other
        raise Undone


@given(data=st.data(), records=plants())
def test_nor_do_the_ids_of_the_records(data, records):
    records = crowded(records)
    other = renumbered(data, shuffled(data, records))
    window = Span(datetime.fromtimestamp(first_instant(records), UTC), records.now)
    for number in (1, 2, 3):
        assert oracle.causes(records, number, window) == oracle.causes(other, number, window)
        assert oracle.facts(records, number, window) == oracle.facts(other, number, window)


# Two stops that begin at once, of which each could be to blame.
TIES = [
    ((stop(1, 8, 9), stop(2, 8, 10, reason=1, loss="breakdown")), {"breakdown": 7200}),
    ((stop(1, 8, 9, reason=1, loss="other"), stop(2, 8, 10, reason=2, loss="other")), {"other": 7200}),
    ((stop(1, 8, 9, planned=True, reason=2, loss="setup"), stop(2, 8, 8.5)), {"setup": 3600}),
    ((stop(1, 8, 8.1), stop(2, 8, 9)), {"short": 360, "unclassified": 3240}),
    ((stop(1, 8, 9, reason=1, loss="other"), stop(2, 8, 10, reason=2, loss="breakdown")), {"breakdown": 7200}),
    ((stop(1, 8, 9, planned=True, reason=1, loss="setup"), stop(2, 8, 9, reason=2, loss="other")), {"other": 3600}),
    ((stop(1, 8, 8.1, reason=1), stop(2, 8, 9, planned=True, reason=2, loss="setup")), {"setup": 3600}),
    ((stop(1, 8, 8.1), stop(2, 8, 8.1, reason=1, loss="breakdown")), {"short": 360}),
]


@pytest.mark.parametrize("turned", [False, True], ids=["entered so", "entered the other way"])
@pytest.mark.parametrize(("stops", "losses"), TIES, ids=range(1, len(TIES) + 1))
def test_of_stops_that_begin_at_once_the_better_classified_is_to_blame(db, stops: tuple[Stop, ...], losses, turned):
    records = cases.records(24, stops=stops[::-1] if turned else stops, short_stops={1: 600})
    plant = write(records)
    facts, cell = plant.live(1, within(0, 24))
    assert cell.causes == {
        (plant.reason(key), key[1]): (cause.seconds, cause.stops)
        for key, cause in oracle.causes(records, 1, within(0, 24)).items()
    }
    for sums in (facts, oracle.facts(records, 1, within(0, 24))):
        assert {loss: seconds for loss, seconds in sums.losses.items() if seconds} == losses
    assert sum(begun for _, begun in cell.causes.values()) == 2


@pytest.mark.parametrize("turned", [False, True], ids=["entered so", "entered the other way"])
def test_where_pieces_are_taken_apart_the_same_stop_is_to_blame(db, turned):
    """Two machines' stops that began at once reach their line at different times."""
    stops = (stop(1, 2, 12, asset=2, reason=1, loss="breakdown"), stop(2, 2, 12, asset=3, reason=2, loss="other"))
    records = cases.records(
        24,
        stops=stops[::-1] if turned else stops,
        placements=[
            Placement(2, 1, stops_parent=True, valid=within(6, 99)),
            Placement(3, 1, stops_parent=True, valid=within(4, 99)),
        ],
    )
    facts, _ = write(records).live(1, within(0, 24))
    assert facts.losses == oracle.facts(records, 1, within(0, 24)).losses == {"other": 7200, "breakdown": 6 * 3600}


@examples
@given(
    data=st.data(), records=plants(), stored=st.booleans(), first=st.integers(0, STEPS // 2),
    steps=st.integers(2, STEPS),
)  # fmt: skip
def test_what_figures_of_any_plant_have_in_common(db, data, records, stored, first, steps):
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records)
        if stored:
            compute_site(plant.site, now=records.now)
        start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
        end = start + steps * GRID
        borders = {start, end, *(start + data.draw(st.integers(1, steps - 1)) * GRID for _ in range(3))}
        assets = [None, *plant.assets.values()]
        questions = [
            (assets, [(start, end)]),
            (assets, list(pairwise(sorted(borders)))),
            (assets, cut(plant.site, start, end, "day")),
        ]
        wholes, *parted = together(questions, site=plant.site, scope="leaves", now=records.now)
        for whole in wholes:
            assert_bounded(whole.answer.all, (end - start).total_seconds() * len(whole.assets))
            assert_identities(whole.answer.counted)
        for asked in parted:
            for asset, whole in zip(assets, wholes, strict=True):
                parts = [each for each in asked if each.asset == asset]
                assert_added_up(total(each.answer.all for each in parts), whole.answer.all)
        for each in known(list(plant.assets.values()), [(start, end)], site=plant.site, scope="asset", now=records.now):
            assert_bounded(each.answer.all, (end - start).total_seconds())
            assert_identities(each.answer.counted)
        raise Undone


def assert_bounded(facts, seconds: float) -> None:
    """A union is never longer than what it is made in."""
    assert 0 <= facts.down <= facts.planned_production + 1e-6
    assert 0 <= facts.planned_stop <= facts.scheduled
    assert facts.scheduled + facts.unobserved <= facts.calendar <= seconds
    assert 0 <= facts.off_schedule <= seconds - facts.down
    assert sum(facts.losses.values()) == pytest.approx(facts.down, abs=1e-6)
    assert all(0 <= lost <= facts.down for lost in facts.losses.values())


def assert_identities(counted) -> None:
    """OEE is the product of its factors, and the waterfall ends where planned production time does."""
    factors = [figure(counted).value for figure in (availability, performance, quality)]
    if None not in factors:
        product = factors[0] * factors[1] * factors[2]
        assert oee(counted).value == pytest.approx(product, rel=1e-9)
        assert oee(counted).value == pytest.approx(counted.ideal_good / counted.planned_production, rel=1e-12)
    assert sum(loss.seconds for loss in waterfall(counted)) == pytest.approx(counted.planned_production, abs=1e-6)


def assert_added_up(parts, whole) -> None:
    """Splitting a window changes no sum; how many parts have records or counts is not a sum of the window."""
    apart = {SUMS.index("recorded"), SUMS.index("counts")}
    for position, (one, other) in enumerate(zip(sums_of(parts), sums_of(whole), strict=True)):
        if position not in apart:
            assert one == pytest.approx(other, abs=1e-6), SUMS[position]
    for loss in {*parts.losses, *whole.losses}:
        assert parts.losses.get(loss, 0) == pytest.approx(whole.losses.get(loss, 0), abs=1e-6)


def test_a_waterfall_of_the_worked_days_ends_where_planned_time_does(db):
    plant = write(cases.SHIFT_WITH_BREAKS)
    (each,) = known([plant.assets[1]], [(at(0), at(24))], site=plant.site, scope="asset", now=at(24))
    assert each.answer.counted.planned_production == 420 * 60
    assert_identities(each.answer.counted)
