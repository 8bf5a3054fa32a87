"""Cases published elsewhere, read in place: our own table must carry the same answers."""

import pytest

from kpis.formulas import (
    availability,
    mtbf,
    mtbf_bounds,
    mttr,
    oee,
    performance,
    quality,
    steady_state_availability,
    total,
)
from kpis.oracle import facts
from kpis.work import scheduled_maintenance_critical, tolerance
from tests.data import reference_json
from tests.kpis.cases import CASES

OEE = {"OEE-1 Vorne": "1 ", "OEE-2": "2 ", "OEE-3": "OEE-3"}
FIGURES = {"availability": availability, "performance": performance, "quality": quality, "oee": oee}
RELIABILITY = {"REL-1 CMRP pump": "3 ", "REL-2 IBM": "REL-2", "REL-3 IBM": "REL-3", "REL-4": "4 "}
DOWNTIME = {"DT-1 overlap": "DT-1", "DT-7 planned vs unplanned": "DT-7", "FLEET-1": "FLEET-1"}
ELSEWHERE = {"REL-5 steady-state", "PM-1 SMCP", "PM-2 10 % rule"}


@pytest.fixture(scope="module")
def published() -> dict[str, dict]:
    content = reference_json("kpi_cases_with_answers.json")
    return {each["id"]: each for each in [*content["cases"], *content["downtime_cases"]]}


def ours(name: str):
    case = next(each for each in CASES if each.name.startswith(name))
    return total(facts(case.records, asset, case.window) for asset in case.assets)


def test_every_published_case_has_its_place_here(published):
    assert set(published) == {*OEE, *RELIABILITY, *DOWNTIME, *ELSEWHERE}


@pytest.mark.parametrize("id", OEE)
def test_oee_cases(published, id):
    answers, sums = published[id]["computed"], ours(OEE[id])
    assert sums.planned_production == answers["planned_min"] * 60
    assert sums.operating == pytest.approx(answers["run_min"] * 60)
    for name, formula in FIGURES.items():
        assert formula(sums).value == pytest.approx(answers[name], abs=5e-9), name
    assert round(oee(sums).value * 100, 2) == answers["oee_pct_2dp"]


@pytest.mark.parametrize("id", RELIABILITY)
def test_reliability_cases(published, id):
    answers, sums = published[id]["computed"], ours(RELIABILITY[id])
    if "mtbf" in answers:
        assert mtbf(sums).value == pytest.approx(answers["mtbf"])
    if "mttr" in answers:
        assert mttr(sums).value == pytest.approx(answers["mttr"])
    if "availability" in answers:
        assert availability(sums).value == pytest.approx(answers["availability"], abs=5e-9)
    if "ci90" in answers:
        bounds = mtbf(sums).bounds
        assert [bounds.lower, bounds.upper] == pytest.approx(answers["ci90"], abs=5e-4)


def test_steady_state_and_preventive_cases(published):
    answers = published["REL-5 steady-state"]["computed"]
    assert steady_state_availability(900, 100) == pytest.approx(answers["availability"])
    answers = published["PM-1 SMCP"]["computed"]
    assert scheduled_maintenance_critical(3, 30) == pytest.approx(answers["monthly"])
    assert scheduled_maintenance_critical(5, 90) == pytest.approx(answers["quarterly"], abs=5e-5)
    for interval, days in published["PM-2 10 % rule"]["computed"]["window_days"].items():
        assert tolerance(int(interval)) == pytest.approx(days)


def test_downtime_cases(published):
    answers, sums = published["DT-1 overlap"], ours("DT-1")
    assert (sums.down / 3600, availability(sums).value) == (answers["downtime_h"], answers["availability"])
    answers, sums = published["DT-7 planned vs unplanned"], ours("DT-7")
    assert availability(sums).value == answers["inherent(unplanned only, over scheduled 160 h)"]
    assert mtbf(sums).value == pytest.approx(answers["mtbf_h(scheduled up/failures)"], abs=5e-7)
    assert mttr(sums).value == answers["mttr_h"]
    assert mtbf(ours("FLEET-1")).value == published["FLEET-1"]["fleet_mtbf_h"]


@pytest.mark.parametrize("case", ["nist_8_4_5_1", "nist_8_4_5_2_and_trend_tests", "nelson_valve_seat"])
def test_mtbf_intervals_of_the_time_terminated_cases(case):
    content = reference_json("reliability_cases_with_answers.json")[case]
    answers = content.get("fleet") or content["computed"].get("hpp") or content["computed"]
    for percent in (80, 90, 95):
        bounds = mtbf_bounds(answers["total_time"], answers["n_failures"], percent / 100)
        expected = answers[f"ci_{percent}_two_sided"]
        assert [bounds.lower, bounds.upper] == pytest.approx(expected, abs=5e-5), percent
