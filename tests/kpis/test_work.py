"""Figures of work management and the parts of MTTR: tables with known answers."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.backlog import Backlog, Finished, Spent, Stood, Waiting, backlog, closed, stood
from kpis.crew import Crew, Load
from kpis.formulas import Facts, Reason, Result, Status
from kpis.intervals import Span, union
from kpis.repairs import Repair, Repairs, parts, repairs
from kpis.work import (
    Asked,
    ComplianceRule,
    Due,
    Labour,
    Lack,
    Preventive,
    Requests,
    Worked,
    labour,
    preventive,
    quantile,
    requests,
)

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
WINDOW = Span(BEGIN, BEGIN + timedelta(days=7))
NOW = WINDOW.end
HOUR = 3600


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


def outcome(result: Result) -> tuple:
    return result.value, result.status, result.reason


# --- Preventive work ---------------------------------------------------------------------------


def test_done_3_days_late_on_30_is_compliant_by_the_10_percent_rule_and_110_percent_critical():
    known = preventive([Due(date(2026, 3, 10), 30, date(2026, 3, 13))], date(2026, 4, 1))
    assert known.compliance(ComplianceRule.ON_OR_BEFORE_DUE).value == 0
    assert known.compliance(ComplianceRule.TEN_PERCENT).value == 1
    assert known.compliance(ComplianceRule.LATE_TEN_PERCENT).value == 1
    assert known.critical.value == pytest.approx(1.10)


def test_critical_percent_is_formed_from_sums_and_overdue_work_counts_until_today():
    due = date(2026, 3, 10)
    known = preventive(
        [Due(due, 10, due - timedelta(2)), Due(due, 90), Due(due, 30, skipped=True), Due(date(2026, 4, 9), 30)],
        date(2026, 3, 30),
    )
    assert (known.late, known.interval) == (20, 100)  # the early one is not early in the sum, the last is not due yet
    assert known.critical.value == pytest.approx(1.2)


def test_nothing_due_is_undefined():
    assert outcome(Preventive().compliance(ComplianceRule.TEN_PERCENT)) == (None, "undefined", Reason.NOTHING_DUE)
    assert outcome(preventive([], date(2026, 3, 1)).critical) == (None, "undefined", Reason.NOTHING_DUE)


# --- Labour and requests -----------------------------------------------------------------------


def test_labour_is_cut_to_the_window_and_people_side_by_side_count_twice():
    known = labour(
        [
            Worked(span(-2, 3), planned=True, priced=True),
            Worked(span(10, 12), emergency=True),
            Worked(span(10, 12), emergency=True, priced=True),
            Worked(span(168, 170)),
        ],
        WINDOW,
    )
    assert known == Labour(total=7 * HOUR, planned=3 * HOUR, emergency=4 * HOUR, priced=5 * HOUR)
    assert known.planned_share().value == pytest.approx(3 / 7)
    assert known.emergency_share().value == pytest.approx(4 / 7)


def test_without_labour_the_shares_have_no_data():
    assert outcome(Labour().planned_share()) == (None, "no data", Lack.NO_LABOUR)


def test_the_time_to_acknowledge_leaves_out_what_was_declined_or_waits():
    known = requests(
        [
            Asked(at(1), at(2), accepted=True),
            Asked(at(5), at(8), accepted=True),
            Asked(at(6), at(7)),
            Asked(at(9)),
            Asked(at(10), NOW + timedelta(hours=1), accepted=True),
            Asked(at(-1), at(3), accepted=True),
        ],
        WINDOW,
        NOW,
    )
    assert known == Requests(accepted=2, seconds=4 * HOUR, declined=1, waiting=2)
    assert known.acknowledgement().value == pytest.approx(2)
    assert outcome(Requests(waiting=1).acknowledgement())[2] == Lack.NOT_ANSWERED_YET
    assert outcome(Requests(declined=1).acknowledgement()) == (None, "undefined", Lack.NO_REQUESTS)


# --- Orders that wait --------------------------------------------------------------------------

OPEN = [
    Waiting(at(0), estimate=8 * HOUR, worked=2 * HOUR, ready=True),
    Waiting(at(24), estimate=1 * HOUR, worked=3 * HOUR),  # overrun: nothing is left
    Waiting(at(48), ready=True),
    Waiting(at(72), estimate=10 * HOUR),
    Waiting(at(10), ended=at(100), estimate=50 * HOUR),
    Waiting(NOW, estimate=50 * HOUR),
    Waiting(at(60), ended=NOW, estimate=4 * HOUR),  # still open just before
]


def test_backlog_is_what_is_left_of_open_orders_with_unestimated_ones_beside_it():
    known = backlog(OPEN, NOW)
    assert (known.orders, known.seconds, known.unestimated) == (5, 20 * HOUR, 1)
    assert (known.ready_orders, known.ready_seconds, known.ready_unestimated) == (2, 6 * HOUR, 1)
    assert (known.hours(0.8).value, known.hours(0.8).coverage) == (20, 0.8)
    assert outcome(known.hours(0.81)) == (20, "partial", Lack.FEW_KNOWN)


def test_weeks_need_a_capacity_and_are_never_invented():
    assert outcome(Load(backlog(OPEN, NOW)).weeks()) == (None, "no data", Lack.NO_CAPACITY)
    assert Load(backlog(OPEN, NOW), Crew(40 * HOUR)).weeks().value == pytest.approx(0.5)
    waiting = Backlog(orders=9, seconds=3360 * HOUR, ready_seconds=1260 * HOUR, recorded=True)
    published = Load(waiting, Crew(340 * HOUR))
    assert published.weeks().value == pytest.approx(9.88, abs=5e-3)
    assert published.ready_weeks().value == pytest.approx(3.71, abs=5e-3)


def test_what_was_ready_at_a_past_moment_is_not_known():
    known = backlog(OPEN, NOW, ready_known=False)
    ready = Load(known, Crew(40 * HOUR)).ready_weeks()
    assert known.hours().value == 20
    assert outcome(known.ready_hours()) == outcome(ready) == (None, "no data", Lack.READY_NOT_RECORDED)
    assert "ready_labour" not in known.inputs()


def test_ages_are_told_by_quantiles():
    known = backlog(OPEN, NOW)
    assert known.age(known.median_age).value == pytest.approx(5)  # 7, 6, 5, 4.5 and 4 days
    assert known.age(known.ninth_decile_age).value == pytest.approx(6.6)
    assert outcome(Backlog(recorded=True).age(None)) == (None, "undefined", Lack.NOTHING_OPEN)


def test_an_empty_backlog_is_0_only_where_orders_are_recorded():
    assert outcome(Backlog(recorded=True).hours()) == (0, "ok", Reason.NONE)
    assert outcome(Backlog().hours()) == (None, "no data", Lack.NO_ORDERS)
    assert outcome(backlog([Waiting(at(0))], NOW).hours()) == (None, "no data", Lack.NO_ESTIMATES)


def test_quantiles_lie_on_straight_lines_between_the_values():
    assert [quantile([4, 1, 3, 2], share) for share in (0, 0.5, 0.9, 1)] == pytest.approx([1, 2.5, 3.7, 4])
    assert quantile([7], 0.9) == 7
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


# --- Rework and money --------------------------------------------------------------------------


def finished(asset: int, problem: int | None, reported: float, ended: float, closing: float = 1) -> Finished:
    return Finished(asset, problem, at(reported), at(ended), at(ended + closing))


def test_rework_is_the_same_problem_of_the_same_asset_within_30_days():
    month = 30 * 24
    before = finished(1, 7, -month - 10, 1 - month)
    orders = [
        before,
        finished(1, 7, 1, 2),  # exactly 30 days after
        finished(1, 7, 1.5, 3),  # reported while the former was worked on: after 30 days of the one before it
        finished(1, 8, 4, 5),
        finished(2, 7, 4, 5),
        finished(1, None, 4, 5),
        finished(1, 7, 20, 21),  # after the first two
    ]
    known = closed(orders, WINDOW)
    assert (known.orders, known.with_problem, known.rework) == (6, 5, 2)
    assert known.rework_share().value == pytest.approx(2 / 6)
    assert outcome(closed([finished(1, None, 1, 2)], WINDOW).rework_share()) == (None, "no data", Lack.NO_PROBLEMS)
    assert outcome(closed([], WINDOW).rework_share()) == (None, "undefined", Lack.NOTHING_CLOSED)


def test_cost_is_the_sum_of_its_sources_and_says_when_labour_has_no_price():
    spent = Spent(labour=120, parts=80.5, external=300, worked=5 * HOUR, priced=4 * HOUR, recorded=True)
    assert (spent.cost(0.8).value, spent.cost(0.8).status) == (500.5, Status.OK)
    assert spent.cost(0.9).status is Status.PARTIAL
    assert outcome(Spent(worked=HOUR, recorded=True).cost()) == (None, "no data", Lack.NO_PRICES)
    assert outcome(Spent(recorded=True).cost()) == (0, "ok", Reason.NONE)
    assert outcome(Spent().cost()) == (None, "no data", Lack.NO_ORDERS)


def test_the_cost_of_downtime_is_hours_times_the_cost_of_one():
    assert stood([(2 * HOUR, 400), (HOUR / 2, 1000)]) == 1300
    known = Stood(amount=1300, assets=2, recorded=1, scheduled=100, unobserved=100)
    assert outcome(known.cost(0.8)) == (1300, "partial", Lack.FEW_KNOWN)
    assert outcome(Stood().cost()) == (None, "no data", Lack.NO_HOURLY_COST)
    assert outcome(Stood(assets=1, calendar=9).cost()) == (None, "no data", Reason.NO_RECORDS)
    assert outcome(Stood(assets=1).cost()) == (None, "undefined", Reason.NOT_IN_SERVICE)


# --- The parts of MTTR -------------------------------------------------------------------------


def repair(reported: float | None, *work: tuple[float, float], restored: float | None = 10) -> Repair:
    spans = union([span(*each) for each in work])
    end = None if restored is None else at(restored)
    return Repair(1, at(0), end, reported=None if reported is None else at(reported), work=spans)


@pytest.mark.parametrize(
    ("case", "detect", "wait", "active", "hand_back"),
    [
        (repair(1, (3, 5), (7, 9)), 1, 4, 4, 1),  # waits 2 h for the crew and 2 h on hold
        (repair(1, (3, 5), (3, 5)), 1, 2, 2, 5),  # two people side by side for 2 h are 2 h
        (repair(1, (3, 5), (4, 9)), 1, 2, 6, 1),
        (repair(4, (3, 10)), 3, 0, 7, 0),  # work began before the report
        (repair(-2, (1, 12)), 0, 1, 9, 0),  # reported before the failure, worked on after it ran again
        (repair(1, (-3, 2)), 0, 0, 2, 8),
    ],
)
def test_the_four_parts_of_a_repair(case, detect, wait, active, hand_back):
    found = parts(case)
    assert [found.detect, found.wait, found.active, found.hand_back] == [
        each * HOUR for each in (detect, wait, active, hand_back)
    ]
    assert found.detect + found.rest == 10 * HOUR


def test_without_labour_only_detection_and_the_rest_are_known():
    for case in (repair(2), repair(2, (11, 12))):
        found = parts(case)
        assert (found.detect, found.rest, found.wait, found.active, found.hand_back) == (
            2 * HOUR, 8 * HOUR, None, None, None,
        )  # fmt: skip
    assert parts(repair(None, (3, 5))) is None
    assert parts(repair(2, (3, 5), restored=None)) is None


moments = st.floats(-20, 120, allow_nan=False)


@given(reported=moments, restored=st.floats(0, 100), work=st.lists(st.tuples(moments, moments), max_size=5))
def test_the_parts_add_up_to_the_time_to_restoration(reported, restored, work):
    found = parts(repair(reported, *(tuple(sorted(each)) for each in work), restored=restored))
    whole = (at(restored) - at(0)).total_seconds()
    assert found.detect + found.rest == pytest.approx(whole, abs=1e-5)
    if found.wait is not None:
        assert found.wait + found.active + found.hand_back == pytest.approx(found.rest, abs=1e-5)
        assert min(found.wait, found.active, found.hand_back) >= -1e-5
    assert min(found.detect, found.rest) >= 0


def by_day(_repair, spans) -> float:
    """A calendar of the first six hours."""
    return sum(max(0.0, (min(each.end, at(6)) - each.start).total_seconds()) for each in spans)


SEVERAL = [
    repair(1, (3, 5), (7, 9)),
    repair(2, restored=20),
    repair(None, restored=3),
    Repair(1, at(30), open=True),
]


def test_each_mean_has_its_own_failures_and_says_how_many_it_knows():
    known = repairs(SEVERAL, by_day)
    assert (known.events, known.open, known.restored, known.with_order, known.with_labour) == (4, 1, 3, 2, 1)
    assert known.of_ordered(known.detect).value == pytest.approx(1.5)
    assert known.of_ordered(known.rest).value == pytest.approx((9 + 18) / 2)  # MRT
    assert known.of_worked(known.active).value == pytest.approx(4)  # MART
    assert known.of_worked(known.active).coverage == pytest.approx(1 / 3)
    assert outcome(known.of_worked(known.active, 0.8)) == (4, "partial", Lack.FEW_KNOWN)
    assert known.restoration(0.5).value == pytest.approx(10)
    assert known.restoration(0.9).value == pytest.approx(18)
    assert known.restoration_in_schedule().value == pytest.approx((6 + 6 + 3) / 3)


def test_inherent_availability_is_mtbf_by_mtbf_and_active_repair_in_scheduled_hours():
    known = repairs(SEVERAL, by_day)
    facts = Facts(calendar=1000 * HOUR, scheduled=800 * HOUR, down=2 * HOUR, recorded=1, events=4, items=4)
    mart = 2  # of the two spells of work only that before 6 o'clock lies in the schedule
    mtbf = 798 / 4
    assert known.inherent_availability(facts).value == pytest.approx(mtbf / (mtbf + mart))
    quiet = Facts(calendar=1, scheduled=1, recorded=1)
    assert outcome(Repairs().inherent_availability(quiet)) == (None, "undefined", Reason.NO_FAILURES)


def test_a_figure_without_its_rows_says_which_are_missing():
    nothing = repairs([], by_day)
    still = repairs([Repair(1, at(0), open=True)], by_day)
    endless = repairs([Repair(1, at(0))], by_day)
    unordered = repairs([repair(None)], by_day)
    unworked = repairs([repair(1)], by_day)
    assert outcome(nothing.restoration(0.5)) == (None, "undefined", Reason.NO_FAILURES)
    assert outcome(still.restoration(0.5)) == (None, "undefined", Reason.NOT_RESTORED_YET)
    assert outcome(endless.restoration_in_schedule()) == (None, "no data", Reason.NO_RESTORATION_TIMES)
    assert outcome(unordered.of_ordered(0)) == (None, "no data", Lack.NO_FAILURE_ORDERS)
    assert outcome(unordered.of_worked(0)) == (None, "no data", Lack.NO_FAILURE_ORDERS)
    assert outcome(unworked.of_worked(0)) == (None, "no data", Lack.NO_FAILURE_LABOUR)
