"""How far a figure of work may be trusted: graded from its own records, and told what would raise it most."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from assets.models import Failure, FailureCode
from kpis import labour_capacity
from kpis.definitions import WORK
from kpis.trust import Judged, Of, Part, Score, WorkEvidence, scores_of_work, trust
from tests.kpis.graded import DAY, HOUR, write_good
from tests.kpis.graded import world as world  # the fixture
from tests.kpis.test_work_database import order
from workorders.models import WorkOrder
from workorders.states import State

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
GOOD = WorkEvidence(
    Of.ORDERS, NOW - HOUR, Judged(Of.ORDERS, 0, 20), Judged(Of.ORDERS, 0, 10), Judged(Of.FAILURES, 0, 10),
    (Judged(Of.LABOUR, 0, 3),),
)  # fmt: skip

# --- Pure ------------------------------------------------------------------------------------------


def judged(evidence: WorkEvidence = GOOD, *, coverage: float | None = 1.0, status: str = "ok", end: datetime = NOW):
    return trust(scores_of_work(coverage, Of.PRICES, evidence, status=status, now=NOW, end=end))


def test_good_records_of_work_are_a_grade_a_with_nothing_wanting():
    found = judged()

    assert (found.grade, found.value, found.first) == ("A", 1.0, None)
    assert [each.part for each in found.scores] == [
        Part.COVERAGE, Part.FRESHNESS, Part.TIMELINESS, Part.CLASSIFICATION, Part.RESTORATION, Part.PLAUSIBILITY,
    ]  # fmt: skip


def test_parts_that_do_not_apply_are_left_out():
    bare = WorkEvidence(Of.REQUESTS, late=Judged(Of.ORDERS))

    found = judged(bare, coverage=None, end=NOW - 10 * DAY)

    assert [each.part for each in found.scores] == [Part.PLAUSIBILITY]
    assert found.grade == "A"


@pytest.mark.parametrize(
    ("evidence", "options", "first"),
    [
        ({}, {"coverage": 0.4}, Score(Part.COVERAGE, 0.4, of=Of.PRICES)),
        ({"last_entry": NOW - 40 * DAY}, {}, Score(Part.FRESHNESS, 0, of=Of.ORDERS)),
        ({"last_entry": None}, {}, Score(Part.FRESHNESS, 0, of=Of.ORDERS)),
        ({"late": Judged(Of.REPORTS, 15, 20)}, {}, Score(Part.TIMELINESS, 0.25, 15, 20, Of.REPORTS)),
        ({"unsaid": Judged(Of.ORDERS, 5, 10)}, {}, Score(Part.CLASSIFICATION, 0.5, 5, 10, Of.ORDERS)),
        ({"unrestored": Judged(Of.FAILURES, 5, 10)}, {}, Score(Part.RESTORATION, 0.5, 5, 10, Of.FAILURES)),
        ({"left": (Judged(Of.LABOUR, 1, 3),)}, {}, Score(Part.PLAUSIBILITY, 0.5, 1, 3, Of.LABOUR)),
        ({"left": (Judged(Of.STOPS, 1, 1), Judged(Of.LABOUR, 2, 3))}, {},
         Score(Part.PLAUSIBILITY, 0.25, 2, 3, Of.LABOUR)),
        ({}, {"status": "suspect"}, Score(Part.PLAUSIBILITY, 0.5)),
    ],
)  # fmt: skip
def test_each_part_of_work_is_named_when_it_is_what_is_wanting(evidence, options, first):
    found = judged(replace(GOOD, **evidence), **options)

    assert found.first == first
    assert found.grade in "CD"


# --- From the records, on page and API ---------------------------------------------------------------


OF_SITE = ("wrench_time", "downtime_cost_of_margin")  # what is stated of the site alone is tested apart
OF_WEEKS = ("schedule_compliance", "break_in_share")


@pytest.mark.parametrize("key", [each.key for each in WORK if each.key not in (*OF_SITE, *OF_WEEKS)])
def test_every_figure_of_work_with_good_records_has_grade_a(world, plant, key):
    write_good(world, plant)

    found = world.explained(key)

    assert (found["grade"], found["advice"]) == ("A", "Nothing is wanting."), found
    assert found["sensitivity"] is None


@pytest.mark.parametrize("key", [each.key for each in WORK])
def test_a_figure_of_which_nothing_was_recorded_has_no_grade(world, plant, key):
    """Nor value, and its reason says so; what was asked for in vain is graded."""
    found = world.explained(key, asset=plant.palletiser.pk)

    assert (found and (found["grade"], found["advice"])) == {
        "schedule_compliance": ("D", "Agree on every week: some in this window were not agreed."),
        "maintenance_cost_of_replacement_value": (
            "D", "Enter the replacement value of the machines that no value is of.",
        ),
    }.get(key)  # fmt: skip


def test_a_window_that_has_not_begun_has_no_grade(world, plant):
    write_good(world, plant)
    later = {"from": (world.now + DAY).isoformat(), "to": (world.now + 2 * DAY).isoformat()}
    assert world.explained("planned_work_share", **later) is None


def test_orders_completed_late_are_told_and_named(world):
    world.closed(days=2), world.closed(days=3, said=30 * HOUR)

    found = world.explained("rework_share")

    assert next(each for each in found["scores"] if each["part"] == "timeliness") == {
        "part": "timeliness", "value": 0.5, "wrong": 1, "whole": 2, "of": "orders",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["planned_work_share", "emergency_work_share", "maintenance_cost", "wrench_time"])
def test_labour_and_costs_are_as_timely_as_their_orders(world, plant, key):
    values = {"net": Decimal(6), "paid": Decimal(40), "valid_from": date(2020, 1, 1)}
    labour_capacity.VERBS.set(plant.berlin, values, by=plant.manager)
    for days in (2, 3):
        world.worked(world.closed(days=days, said=30 * HOUR))
    world.worked(world.closed(days=4))
    question = {"asset": "", "site": plant.berlin.pk} if key == "wrench_time" else {}

    found = world.explained(key, **question)

    assert found["advice"] == "Complete orders within a day after the work has ended: 2 of 3 came later."
    assert found["grade"] in "CD"


def test_preventive_work_is_as_timely_as_its_orders(world):
    for days, said in ((2, 30 * HOUR), (3, HOUR)):
        world.closed(days=days, said=said, occurrence=world.occurrence(days), kind="preventive")

    assert world.parts("preventive_compliance")["timeliness"] == (0.5, 1, 2)


def test_orders_that_were_raised_late_were_missing_in_the_backlog(world, plant):
    for days in (1, 2):
        order(plant.filler, world.now - days * DAY, estimate_minutes=60)
    late = order(plant.filler, world.now - DAY, estimate_minutes=60)
    WorkOrder.objects.filter(pk=late.pk).update(reported_at=world.now - 5 * DAY)

    found = world.explained("backlog_hours")

    assert found["advice"] == "Raise orders within a day after the report: 1 of 3 came later."


def test_orders_without_an_estimate_are_what_the_backlog_lacks(world, plant):
    order(plant.filler, world.now - DAY)

    found = world.explained("backlog_hours")

    assert (found["grade"], found["scores"][0]["of"]) == ("D", "estimates")
    assert found["advice"] == "Estimate the open orders of which nobody said how long they take."
    assert world.explained("open_order_age_median")["grade"] == "A", "An age needs no estimate"


def test_a_partial_figure_is_no_grade_a(world, plant):
    for minutes in (60, 60, 60, None):
        order(plant.filler, world.now - DAY, estimate_minutes=minutes)

    found = world.explained("backlog_hours")

    assert (found["value"] > 0.9, found["grade"]) == (True, "B")


def test_labour_without_a_price_is_what_a_cost_lacks(world):
    row = world.closed()
    world.worked(row, 3, priced=False)
    row.costs.create(source="parts", amount="10.00", at=row.completed_at)

    found = world.explained("maintenance_cost")

    assert found["advice"].startswith("Complete the orders whose labour has no price yet")


def test_machines_without_a_value_are_what_upkeep_lacks(world, plant):
    type(plant.filler).objects.filter(pk=plant.filler.pk).update(replacement_value=10_000)
    world.worked(world.closed())

    found = world.explained("maintenance_cost_of_replacement_value", asset=plant.line.pk)

    assert found["advice"] == "Enter the replacement value of the machines that no value is of."


def test_a_clock_that_nobody_stopped_is_not_plausible(world, plant):
    row = order(plant.filler, world.now - 3 * DAY, State.IN_PROGRESS, estimate_minutes=60)
    row.labour.create(person=plant.technician, start=world.now - 2 * DAY)
    for key in ("planned_work_share", "backlog_hours", "open_order_age_p90"):
        assert world.parts(key)["plausibility"] == (0.5, 1, 1), key

    found = world.explained("open_order_age_median")
    assert found["grade"] == "C"
    assert found["advice"] == "Correct labour of more than a day at a stretch, a clock that nobody stopped: 1."

    row.labour.update(start=world.now - 2 * HOUR)
    assert world.parts("planned_work_share")["plausibility"] == (1, 0, 0)


def test_a_clock_that_the_end_of_its_order_stopped_late_is_not_plausible_either(world):
    world.worked(world.closed(), 40)

    assert world.parts("maintenance_cost")["plausibility"] == (0.5, 1, 1)


def test_requests_that_nobody_answered_for_a_week_were_left_open(world):
    world.asked(2), world.asked(3, answered=False)
    assert world.parts("mtta") == {"freshness": (1, 0, 0), "plausibility": (1, 0, 0)}

    world.asked(9, answered=False)
    found = world.explained("mtta")

    assert found["grade"] == "C"
    assert found["advice"] == "Answer the requests that have waited for more than a week: 1 of 3."


def test_corrective_orders_that_name_no_problem_hide_rework(world):
    world.closed(), world.closed(days=3, was_failure=False), world.closed(days=4, kind="preventive")
    named = FailureCode.objects.create(list="problem", code="jam", name="Jam")
    failure = world.failed()
    Failure.objects.update(problem=named)
    world.closed(days=5, failure=failure, was_failure=True)

    found = world.explained("rework_share")

    assert found["advice"].startswith("Name the problem of corrective orders: 1 of 2 name none")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("rework_share", "No order has moved lately"),
        ("planned_work_share", "No labour was entered lately"),
        ("maintenance_cost", "No cost or labour was entered lately"),
        ("mtta", "Nothing was requested or answered lately"),
        ("restoration_median", "Nothing was entered lately: ask whether stops and failures"),
        ("downtime_cost", "Nothing was entered lately: ask whether stops still arrive"),
    ],
)
def test_what_was_entered_long_ago_is_not_fresh(world, plant, key, words):
    type(plant.filler).objects.filter(pk=plant.filler.pk).update(downtime_cost=50)
    world.asked(25)
    world.worked(world.closed(days=25, failure=world.failed(days=25)))
    Failure.objects.update(problem=FailureCode.objects.create(list="problem", code="jam", name="Jam"))
    asked = {"from": (world.now - 30 * DAY).isoformat()}

    found = world.explained(key, **asked)
    assert found["advice"].startswith(words)
    fresh = next(each["value"] for each in found["scores"] if each["part"] == "freshness")
    assert fresh == pytest.approx(5 / 27, abs=0.01)

    past = world.parts(key, **asked, to=(world.now - 10 * DAY).isoformat())
    assert "freshness" not in past, "Of a former window it does not matter"


def test_an_order_that_a_plan_raised_was_entered_by_nobody(world, plant):
    world.closed(days=20)
    order(plant.filler, world.now - HOUR, occurrence=world.occurrence(1), estimate_minutes=60)

    assert world.parts("backlog_hours")["freshness"][0] < 0.5
    order(plant.filler, world.now - HOUR, estimate_minutes=60)
    assert world.parts("backlog_hours")["freshness"][0] == 1
