"""The worked cases of docs/kpi.md through the database: the SQL must say what the pure functions say."""

import pytest

from kpis import oracle
from kpis.formulas import total
from tests.kpis.cases import CASES
from tests.kpis.world import store

LIVE = (
    "planned_stop", "down", "off_schedule", "stops", "events", "items", "found", "restored", "restoration",
    "open_events", "counts", "good", "scrap", "rework", "ideal_good", "ideal_scrap", "ideal_rework", "doubtful",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
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
