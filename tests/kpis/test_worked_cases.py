"""The worked cases of docs/kpi.md through the pure functions."""

import pytest

from kpis import failing, formulas
from kpis.formulas import Facts, Reason, Status, achieved_availability, mtbf, mtbf_bounds, oee, total, waterfall
from kpis.oracle import facts
from tests.kpis.cases import CASES, SHIFT_WITH_BREAKS, Case, at, failure, records, stop, within
from tests.kpis.edges import EDGES


def named(name: str) -> Case:
    return next(case for case in CASES if case.name.startswith(name))


def answer(case: Case) -> Facts:
    return total(facts(case.records, asset, case.window) for asset in case.assets)


@pytest.mark.parametrize("case", [*CASES, *EDGES], ids=lambda case: case.name)
def test_the_pure_functions_give_the_worked_answer(case):
    sums = answer(case)
    for name, expected in (case.facts or {}).items():
        assert getattr(sums, name) == pytest.approx(expected, abs=1e-6), name
    for formula, expected in (case.figures or {}).items():
        result = formula(sums)
        assert (result.value, result.status) == (pytest.approx(expected, abs=5e-7), Status.OK), formula.__name__


@pytest.mark.parametrize("case", [*CASES, *EDGES], ids=lambda case: case.name)
def test_oee_is_the_product_of_its_factors_and_the_waterfall_adds_up(case):
    sums = answer(case)
    if not sums.counts:
        assert oee(sums).value is None
        return
    product = formulas.availability(sums).value * formulas.performance(sums).value * formulas.quality(sums).value
    assert oee(sums).value == pytest.approx(product, rel=1e-12)
    assert sum(loss.seconds for loss in waterfall(sums)) == pytest.approx(sums.planned_production, abs=1e-6)


def test_the_interval_of_an_mtbf_is_the_published_one():
    bounds = mtbf(answer(named("4 "))).bounds
    assert (bounds.confidence, bounds.lower, bounds.upper) == (
        0.9,
        pytest.approx(127.07, abs=0.005),
        pytest.approx(2251.23, abs=0.005),
    )


def test_a_year_without_failure_has_no_mtbf_but_a_lower_bound():
    result = mtbf(answer(named("11 ")))
    assert (result.value, result.status, result.reason) == (None, Status.UNDEFINED, Reason.NO_FAILURES)
    assert (result.bounds.lower, result.bounds.upper) == (pytest.approx(3804.4, abs=0.05), None)


@pytest.mark.parametrize(("confidence", "lower", "upper"), [(0.8, 150.3104, 1504.2921), (0.95, 110.7314, 3302.9288)])
def test_the_interval_widens_with_its_confidence(confidence, lower, upper):
    bounds = mtbf_bounds(800, 2, confidence)
    assert (bounds.lower, bounds.upper) == (pytest.approx(lower, abs=1e-4), pytest.approx(upper, abs=1e-4))


def test_the_mean_of_two_oees_is_another_number():
    case = named("10 ")
    each = [oee(facts(case.records, asset, case.window)).value for asset in case.assets]
    assert sum(each) / 2 != pytest.approx(oee(answer(case)).value, abs=0.01)


def test_achieved_availability_counts_planned_stops_as_well():
    assert achieved_availability(answer(named("DT-7"))).value == pytest.approx(0.916667, abs=5e-7)


def test_an_asset_without_records_is_not_fully_available():
    result = formulas.availability(facts(records(24), 1, within(0, 24)))
    assert (result.value, result.status, result.reason) == (None, Status.NO_DATA, Reason.NO_RECORDS)


def test_counts_faster_than_the_ideal_make_the_figure_suspect_and_keep_its_value():
    sums = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1, good=100, ideal_good=4000)
    result = formulas.performance(sums)
    assert (result.value, result.status, result.reason) == (
        pytest.approx(4000 / 3600),
        Status.SUSPECT,
        Reason.FASTER_THAN_IDEAL,
    )
    assert waterfall(sums)[0] == formulas.Loss("reduced_speed", -400.0)


def test_as_fast_as_the_ideal_is_not_suspect():
    sums = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1, good=100, ideal_good=3600)
    assert (formulas.performance(sums).value, formulas.performance(sums).status) == (1, Status.OK)


def test_a_single_piece_counted_while_down_makes_the_figure_suspect():
    sums = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1, good=100, ideal_good=1000, doubtful=1)
    assert (oee(sums).value, oee(sums).reason) == (1000 / 3600, Reason.COUNTED_WHILE_DOWN)


def test_pieces_are_good_scrap_and_rework():
    sums = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1, good=90, scrap=4, rework=6, ideal_good=90)
    assert (sums.made, formulas.quality_by_pieces(sums).value) == (100, 0.9)


def test_rework_takes_its_ideal_time_as_well():
    sums = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1, ideal_good=900, ideal_scrap=300, ideal_rework=600)
    assert (formulas.performance(sums).value, formulas.quality(sums).value) == (0.5, 0.5)


def test_a_single_planned_second_is_planned_time():
    sums = Facts(calendar=1, scheduled=1, recorded=1, counts=1, good=1, ideal_good=1, events=1, items=1)
    for formula in (formulas.availability, formulas.performance, formulas.quality, oee, formulas.teep):
        assert (formula(sums).value, formula(sums).status) == (1, Status.OK), formula.__name__
    assert mtbf(sums).value == pytest.approx(1 / 3600)


def test_coverage_at_the_threshold_is_enough():
    sums = Facts(calendar=7200, scheduled=3600, unobserved=3600, recorded=1)
    assert formulas.availability(sums, threshold=0.5).status is Status.OK
    assert formulas.availability(sums, threshold=0.51).status is Status.PARTIAL


def test_an_event_is_restored_when_every_item_is_and_none_is_down():
    def event(*items: tuple[bool, bool]):
        failed = [
            failing.Failed(number, at(1), at(2), open=down, restored=ended)
            for number, (ended, down) in enumerate(items)
        ]
        (found,) = failing.failure_events(failed)
        return found.restored, found.open, found.items

    assert event((True, False), (True, False)) == (at(2), False, 2)
    assert event((True, False), (False, False)) == (None, False, 2)
    assert event((True, True)) == (None, True, 1)


def test_facts_of_nothing_know_nothing():
    assert set(formulas.sums_of(formulas.NO_FACTS)) == {0}
    assert formulas.NO_FACTS.coverage == 0
    assert Facts(scheduled=60, unobserved=0).coverage == 0


@pytest.mark.parametrize("down", [3600, 3599])
def test_without_a_second_of_operation_there_is_no_performance_and_no_mtbf(down):
    sums = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1, down=down, events=1, items=1)
    known = down < 3600
    assert (formulas.performance(sums).reason is Reason.NO_OPERATING_TIME) is not known
    assert (mtbf(sums).reason is Reason.NO_OPERATING_TIME) is not known


def test_out_of_service_is_not_no_data():
    assert formulas.availability(Facts(recorded=1)).reason is Reason.NOT_IN_SERVICE
    assert formulas.availability(Facts(calendar=1, recorded=0)).reason is Reason.NO_RECORDS


def test_planned_time_without_any_count_has_no_oee_but_counting_nothing_is_zero():
    idle = Facts(calendar=3600, scheduled=3600, recorded=1)
    assert (oee(idle).value, oee(idle).reason) == (None, Reason.NO_COUNTS)
    nothing = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1)
    assert (oee(nothing).value, oee(nothing).status) == (0, Status.OK)
    assert formulas.performance(nothing).value == 0
    assert (formulas.quality(nothing).value, formulas.quality(nothing).reason) == (None, Reason.NOTHING_MADE)


def test_no_planned_time_leaves_every_ratio_undefined():
    sums = Facts(calendar=3600, recorded=1, counts=1, good=5, ideal_good=5)
    for formula in (formulas.availability, formulas.performance, formulas.quality, oee):
        assert (formula(sums).value, formula(sums).reason) == (None, Reason.NO_PLANNED_TIME)


def test_low_coverage_is_partial_and_keeps_its_value():
    sums = Facts(calendar=7200, scheduled=3600, unobserved=3600, recorded=1, down=360)
    result = formulas.availability(sums, threshold=0.8)
    assert (result.value, result.status, result.reason) == (0.9, Status.PARTIAL, Reason.LOW_COVERAGE)


def test_failures_without_end_times_have_no_mttr():
    none = Facts(calendar=3600, scheduled=3600, recorded=1, events=2, items=2)
    assert formulas.mttr(none).reason is Reason.NO_RESTORATION_TIMES
    still_down = Facts(calendar=3600, scheduled=3600, recorded=1, events=1, items=1, open_events=1)
    assert (formulas.mttr(still_down).status, formulas.mttr(still_down).reason) == (
        Status.UNDEFINED,
        Reason.NOT_RESTORED_YET,
    )


def test_splitting_a_window_never_changes_a_sum():
    whole = facts(SHIFT_WITH_BREAKS, 1, within(0, 24))
    parts = facts(SHIFT_WITH_BREAKS, 1, within(0, 9.5)) + facts(SHIFT_WITH_BREAKS, 1, within(9.5, 24))
    for name in ("calendar", "scheduled", "planned_stop", "down", "off_schedule", "stops", "good", "ideal_scrap"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-6), name


def test_a_stop_in_the_future_is_not_counted_before_its_time():
    sums = facts(records(10, stops=(stop(1, 9, 12), stop(2, 20, 22))), 1, within(0, 24))
    assert (sums.calendar, sums.down, sums.stops) == (36000, 3600, 1)


def test_restored_and_still_open_failures_are_told_apart():
    case = records(
        24,
        stops=(stop(1, 8, 9), stop(2, 20, None)),
        failures=(
            failure(1, 8, 9),
            failure(2, 20, None),
        ),
    )
    sums = facts(case, 1, within(0, 24))
    assert (sums.events, sums.restored, sums.open_events, sums.missing_restorations) == (2, 1, 1, 0)


def test_the_window_end_is_not_part_of_the_window():
    case = records(48, stops=(stop(1, 24, 25),))
    assert facts(case, 1, within(0, 24)).stops == 0
    assert at(24) == within(0, 24).end
