"""The worked cases of docs/kpi.md through the database: the SQL must say what the pure functions say."""

import pytest

from kpis import computing, figures, oracle
from kpis.formulas import SUMS, oee, performance, quality, total
from tests.kpis.cases import CASES
from tests.kpis.edges import EDGES
from tests.kpis.world import store

LIVE = (
    "planned_stop", "down", "losses", "off_schedule", "stops", "events", "items", "found", "restored", "restoration",
    "open_events", "counts", "good", "scrap", "rework", "ideal_good", "ideal_scrap", "ideal_rework", "doubtful",
)  # fmt: skip
OF_COUNTED = {oee, performance, quality}


@pytest.mark.parametrize("case", [*CASES, *EDGES], ids=lambda case: case.name)
def test_the_records_give_the_worked_answer(db, case):
    stored = store(case.records)
    found = total(stored.live(asset, case.window)[0] for asset in case.assets)
    expected = total(oracle.facts(case.records, asset, case.window) for asset in case.assets)
    for name in LIVE:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-6), name
    for name, value in (case.facts or {}).items():
        if name in LIVE:
            assert getattr(found, name) == pytest.approx(value, abs=1e-6), name
    assert sum(found.losses.values()) == found.down


@pytest.mark.parametrize("case", [*CASES, *EDGES], ids=lambda case: case.name)
@pytest.mark.parametrize("stored", [False, True], ids=["from records", "from stored days"])
def test_the_figures_that_pages_show_give_the_worked_answer(db, case, stored):
    plant = store(case.records)
    if stored:
        computing.compute_site(plant.site, now=case.records.now)
    found = figures.periods(
        [plant.assets[number] for number in case.assets], site=plant.site, start=case.window.start,
        end=case.window.end, scope="asset", now=case.records.now,
    )  # fmt: skip
    facts = total(period.answer.all for period in found)
    counted = total(period.answer.counted for period in found)
    expected = total(oracle.facts(case.records, asset, case.window) for asset in case.assets)
    for name in SUMS:
        assert getattr(facts, name) == pytest.approx(getattr(expected, name), abs=1e-6), name
    for name, value in (case.facts or {}).items():
        assert getattr(facts, name) == pytest.approx(value, abs=1e-6), name
    for figure, value in (case.figures or {}).items():
        assert figure(counted if figure in OF_COUNTED else facts).value == pytest.approx(value, abs=5e-5), (
            figure.__name__
        )
