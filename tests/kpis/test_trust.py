"""How far a figure may be trusted, and what would raise that most."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from assets.models import Downtime, Failure
from kpis import trusting
from kpis.computing import compute_site
from kpis.formulas import Facts
from kpis.supposing import Supposed
from kpis.trust import Evidence, Part, Score, Sensitivity, freshness, scores, sensitivity, trust
from tests.contracts.api import client_of
from workorders.models import WorkOrder

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FACTS = Facts(calendar=1000 * 3600, scheduled=1000 * 3600, recorded=1, events=2, restored=2)
GOOD = Evidence(stops=40, unplanned=30, last_entry=NOW - HOUR)


def judged(facts: Facts = FACTS, evidence: Evidence = GOOD, *, status="ok", of_restoration=False, end=NOW):
    return trust(scores(facts, evidence, status=status, of_restoration=of_restoration, now=NOW, end=end))


@pytest.mark.parametrize(
    ("values", "grade"),
    [
        ([1, 1, 1], "A"),
        ([1, 0.9, 0.8], "B"),
        ([0.5, 1, 0.5], "C"),
        ([1, 1, 1, 1, 0.5], "C"),
        ([1, 1, 0], "D"),
        ([0.9], "A"),
        ([0.75], "B"),
    ],
)
def test_a_part_near_nothing_cannot_hide_behind_the_others(values, grade):
    assert trust([Score(part, value) for part, value in zip(Part, values, strict=False)]).grade == grade


def test_good_records_are_a_grade_a_with_nothing_wanting():
    found = judged()

    assert (found.grade, found.value, found.first) == ("A", 1.0, None)
    assert [each.part for each in found.scores] == [
        Part.COVERAGE, Part.FRESHNESS, Part.TIMELINESS, Part.CLASSIFICATION, Part.PLAUSIBILITY,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "evidence", "options", "part", "value"),
    [
        ({"unobserved": 1000 * 3600}, {}, {}, Part.COVERAGE, 0.5),
        ({}, {"late": 30}, {}, Part.TIMELINESS, 0.25),
        ({}, {"unclassified": 15}, {}, Part.CLASSIFICATION, 0.5),
        ({}, {"orders": 30, "unsaid": 30}, {}, Part.CLASSIFICATION, 0.5),
        ({}, {"last_entry": NOW - 40 * DAY}, {}, Part.FRESHNESS, 0.0),
        ({}, {"last_entry": None}, {}, Part.FRESHNESS, 0.0),
        ({}, {"stale": 1}, {}, Part.PLAUSIBILITY, 0.5),
        ({}, {}, {"status": "suspect"}, Part.PLAUSIBILITY, 0.5),
        ({"restored": 1}, {}, {"of_restoration": True}, Part.RESTORATION, 0.5),
    ],
)
def test_each_part_is_named_when_it_is_what_is_wanting(facts, evidence, options, part, value):
    found = judged(replace(FACTS, **facts), replace(GOOD, **evidence), **options)

    assert (found.first.part, found.first.value) == (part, pytest.approx(value))
    assert found.grade != "A"


def test_the_worst_part_is_the_one_to_mend_first():
    assert judged(evidence=replace(GOOD, late=10, unclassified=20)).first.part is Part.CLASSIFICATION


def test_the_age_of_the_last_entry_matters_only_for_a_window_that_reaches_today():
    old = replace(GOOD, last_entry=NOW - 40 * DAY)

    assert judged(evidence=old, end=NOW - 10 * DAY).grade == "A"
    assert freshness(NOW - 3 * DAY, NOW) == 1
    assert freshness(NOW - 16.5 * DAY, NOW) == pytest.approx(0.5)


def test_restoration_times_are_not_missing_while_it_is_still_down():
    facts = replace(FACTS, restored=1, open_events=1)

    assert judged(facts, of_restoration=True).grade == "A"


def test_what_mtbf_would_be_if_unclassified_stops_and_orders_were_failures():
    assert sensitivity(FACTS, Supposed()) is None
    assert sensitivity(FACTS, Supposed(stops=1, items=1)) is None  # a further item of another failure
    found = sensitivity(FACTS, Supposed(stops=2, orders=1, events=3, items=4))
    assert found == Sensitivity(2, 200, 1)
    assert sensitivity(replace(FACTS, items=5), Supposed(2, 1, 0, 3), by_items=True).value == mtbf_of(FACTS, 8)
    assert "would be at least 200.0 h, not 300.0 h" in trusting.said(replace(found, at_least=True), 300)


def mtbf_of(facts, failures: int) -> float:
    return facts.operating / 3600 / failures


@pytest.mark.parametrize(
    ("stops", "orders", "said"),
    [
        (0, 14, "14 unclassified orders were failures"),
        (
            2,
            1,
            "2 unclassified stops and 1 unclassified order were failures",
        ),
        (1, 0, "1 unclassified stop was a failure"),
    ],
)
def test_what_if_is_said_of_stops_and_orders(stops, orders, said):
    assert trusting.said(Sensitivity(stops, 19, orders), 31) == f"If the {said}, MTBF would be 19.0 h, not 31.0 h."


def test_a_suspect_figure_is_told_what_to_look_at():
    first = judged(status="suspect").first
    assert "while nothing ran" in trusting.advice(first, "counted_while_down")
    assert "More was made" in trusting.advice(first, "faster_than_ideal")


# --- From the records, on page and API -----------------------------------------------------------


@pytest.fixture
def careless(plant):
    """Of four stops of the filler one has a reason, one is a failure, two say nothing, and all came late."""
    begin = timezone.now() - 10 * DAY
    for number in range(4):
        start = begin + number * DAY
        stop = Downtime.objects.create(
            asset=plant.filler, start=start, end=start + HOUR, reason=plant.breakdown if number == 0 else None,
            entered_at=start + 30 * HOUR,
        )  # fmt: skip
        if number == 1:
            Failure.objects.create(asset=plant.filler, occurred=start, restored=stop.end, downtime=stop)
    compute_site(plant.berlin)
    return plant, begin


def question(plant, begin, asset=None, definition="mtbf") -> dict:
    asset = asset or plant.filler
    return {
        "asset": asset.pk, "definition": definition, "scope": "asset", "from": begin.isoformat(),
        "to": (begin + 10 * DAY).isoformat(),
    }  # fmt: skip


def test_the_explanation_grades_the_records_of_the_figure(careless):
    plant, begin = careless

    found = client_of(plant.manager).get("/api/v1/kpis/explanation/", question(plant, begin)).json()["trust"]

    assert found["grade"] == "D"
    assert {each["part"]: (each["wrong"], each["whole"]) for each in found["scores"] if each["whole"]} == {
        "timeliness": (4, 4), "classification": (2, 4), "plausibility": (0, 4),
    }  # fmt: skip
    assert found["advice"] == "Enter stops within a day: 4 of 4 came later."
    assert found["sensitivity"] == {
        "unclassified": 2, "orders": 0, "value": pytest.approx((240 - 4) / 3), "at_least": False,
    }  # fmt: skip


def test_corrective_orders_of_which_nobody_said_what_they_were_are_counted(careless):
    plant, begin = careless
    for was_failure, kind, state in [
        (None, "corrective", "approved"), (False, "corrective", "in_progress"),
        (None, "corrective", "cancelled"), (None, "preventive", "approved"),
    ]:  # fmt: skip
        WorkOrder.objects.create(
            site=plant.berlin, number=WorkOrder.objects.count() + 1, asset=plant.filler, kind=kind, state=state,
            summary="Leak", reported_at=begin + DAY + 5 * HOUR, was_failure=was_failure,
        )  # fmt: skip

    found = client_of(plant.manager).get("/api/v1/kpis/explanation/", question(plant, begin)).json()["trust"]

    (said,) = (each for each in found["scores"] if each["part"] == "classification")
    assert (said["wrong"], said["whole"]) == (3, 6)
    assert found["sensitivity"] == {
        "unclassified": 2, "orders": 1, "value": pytest.approx((240 - 4) / 4), "at_least": False,
    }  # fmt: skip


def test_stops_of_the_machine_that_stops_the_line_are_the_lines_evidence(careless):
    plant, begin = careless

    found = client_of(plant.manager).get("/api/v1/kpis/explanation/", question(plant, begin, plant.line)).json()

    assert found["trust"]["sensitivity"]["unclassified"] == 2
    assert [row["asset"] for row in found["stops"]] == ["M1"] * 4


def test_the_page_says_grade_advice_and_what_if(careless, client):
    plant, begin = careless
    client.force_login(plant.manager)

    page = client.get("/performance/figure/", question(plant, begin)).content.decode()

    assert "Grade D" in page
    assert "Enter stops within a day: 4 of 4 came later." in page
    assert "If the 2 unclassified stops were failures, MTBF would be 78.7 h, not 236.0 h." in page
