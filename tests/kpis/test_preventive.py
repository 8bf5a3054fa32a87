"""Preventive compliance and what counts as done in time."""

from datetime import date, timedelta

import pytest

from kpis.formulas import Reason, Status
from kpis.work import (
    ComplianceRule,
    Due,
    in_time,
    preventive_compliance,
    scheduled_maintenance_critical,
    tolerance,
)

DUE = date(2026, 3, 10)


def done(days_late: int, interval: float = 30) -> Due:
    return Due(DUE, interval, DUE + timedelta(days_late))


@pytest.mark.parametrize(
    ("days_late", "interval", "on_time", "both_sides", "late_only"),
    [
        (3, 30, False, True, True),
        (4, 30, False, False, False),
        (0, 30, True, True, True),
        (-3, 30, True, True, True),
        (-4, 30, True, False, True),
        (9, 90, False, True, True),
        (10, 90, False, False, False),
        (1, 7, False, False, False),
        (36, 365, False, True, True),
        (37, 365, False, False, False),
    ],
)
def test_each_rule_judges_the_same_delay_its_own_way(days_late, interval, on_time, both_sides, late_only):
    occurrence = done(days_late, interval)
    assert in_time(occurrence, ComplianceRule.ON_OR_BEFORE_DUE) is on_time
    assert in_time(occurrence, ComplianceRule.TEN_PERCENT) is both_sides
    assert in_time(occurrence, ComplianceRule.LATE_TEN_PERCENT) is late_only


def test_work_that_is_not_done_fails_once_its_window_has_passed():
    waiting = [Due(DUE, 30)]
    assert preventive_compliance(waiting, DUE + timedelta(3)).pending == 1
    late = preventive_compliance(waiting, DUE + timedelta(4))
    assert (late.compliant, late.judged, late.pending) == (0, 1, 0)
    assert preventive_compliance(waiting, DUE + timedelta(1), ComplianceRule.ON_OR_BEFORE_DUE).judged == 1


def test_skipped_with_approval_stands_apart():
    counted = preventive_compliance([done(0), done(9), Due(DUE, 30, skipped=True)], DUE + timedelta(60))
    assert (counted.compliant, counted.judged, counted.skipped) == (1, 2, 1)
    assert (counted.result.value, counted.result.status) == (0.5, Status.OK)


def test_nothing_due_is_not_a_hundred_percent():
    result = preventive_compliance([], DUE).result
    assert (result.value, result.status, result.reason) == (None, Status.UNDEFINED, Reason.NOTHING_DUE)


def test_the_critical_percent_grows_with_the_share_of_the_interval():
    assert scheduled_maintenance_critical(3, 30) == pytest.approx(110)
    assert scheduled_maintenance_critical(5, 90) == pytest.approx(105.5556, abs=5e-5)


def test_the_ten_percent_rule_allows_a_tenth_of_the_interval():
    assert [tolerance(days) for days in (7, 30, 90, 365)] == [0.7, 3, 9, 36.5]
