"""Figures of work as people and systems read them: explained down to the records, and only of one's own sites."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from kpis import labour_capacity
from kpis.definitions import DEFINITIONS, WORK
from kpis.explaining_work import NAMES
from tests.kpis.test_work_database import BEGIN, DAY, HOUR, at, order, read
from tests.kpis.test_work_database import broken as broken  # the fixture
from tests.workorders.planned import job_plan
from workorders.models import PlanOccurrence, PreventivePlan, Request
from workorders.states import State

MONTH = {"from": "2026-03-02", "to": "2026-04-01"}
KEYS = [definition.key for definition in WORK]


@pytest.fixture
def ask(client, plant):
    """The explanation of one figure of the filler, as the API and as the page tell it."""
    client.force_login(plant.manager)

    def asked(definition: str, **question) -> tuple[dict, str]:
        query = {"asset": "M1", "scope": "leaves", "definition": definition} | MONTH | question
        why = client.get("/api/v1/kpis/explanation/", query)
        assert why.status_code == 200, why.json()
        return why.json(), client.get(reverse("figure"), query).content.decode()

    return asked


def occurrence(plant, days: float, state: str, done: float | None = None, **fields) -> PlanOccurrence:
    plan = PreventivePlan.objects.filter(site=plant.berlin).first() or PreventivePlan.objects.create(
        site=plant.berlin, name="Lubricate", job_plan=job_plan(plant.berlin), start=date(2026, 1, 1)
    )
    return PlanOccurrence.objects.create(
        plan=plan, asset=plant.filler, sequence=PlanOccurrence.objects.count(), due=BEGIN + days * DAY,
        interval_days=30, state=state, done_at=None if done is None else BEGIN + done * DAY, **fields,
    )  # fmt: skip


def test_compliance_names_each_occurrence_with_its_judgement(ask, plant):
    done = occurrence(plant, 2, "done", 5)
    row = order(plant.filler, BEGIN, State.CLOSED, closed_at=at(99), occurrence=done)
    occurrence(plant, 3, "done", 9)
    occurrence(plant, 4, "missed")
    occurrence(plant, 5, "skipped", reason="Line was rebuilt")
    why, page = ask("preventive_compliance")
    assert why["calculation"] == "1 ÷ 3"
    assert why["left_out"] == ["1 occurrence was skipped with approval and is not counted."]
    assert [(record["remark"], record["counts"]) for record in why["records"]] == [
        ("Skipped: Line was rebuilt", False), ("Not done", True), ("Done late or too early", True),
        ("Done in time", True),
    ]  # fmt: skip
    assert why["records"][-1]["numbers"] == {"days_late": 3, "interval_days": 30}
    assert row.get_absolute_url() in page
    assert "1 ÷ 3" in page
    assert ask("preventive_compliance_on_time")[0]["figure"]["value"] == 0


def test_the_parts_of_mttr_name_the_orders_and_say_which_failures_have_none(ask, plant, broken):
    why, page = ask("mart")
    assert why["calculation"] == "4.00 h ÷ 1"
    assert why["left_out"] == ["1 of 2 restored failures have no work order."]
    assert [record["remark"] for record in why["records"]] == ["no work order", ""]
    assert why["records"][1]["numbers"] == {
        "detection_time": 3600, "waiting_time": 4 * 3600, "active_repair_time": 4 * 3600, "hand_back_time": 3600,
    }  # fmt: skip
    assert broken.get_absolute_url() in page
    assert "1 of 2 restored failures have no work order." in page


def test_the_backlog_in_weeks_shows_its_hours_and_why_it_has_no_weeks(ask, plant):
    order(plant.filler, at(1), State.APPROVED, estimate_minutes=180)
    order(plant.filler, at(2), State.APPROVED)
    why, page = ask("backlog_weeks")
    assert (why["figure"]["value"], why["figure"]["status"]) == (None, "no data")
    assert why["figure"]["reason"].startswith("No labour capacity holds then")
    assert why["calculation"] == "3.00 h"
    assert why["left_out"] == ["1 of 2 open orders have no estimate; their labour is not known."]
    assert "No labour capacity holds then" in page
    assert why["records"][0]["numbers"]["seconds"] == 3 * 3600
    assert page.count('3.00<span class="unit">') == 3, "The sum, the estimate and the one order, all in hours"
    assert "10\u202f800" not in page
    values = {"net": Decimal(6), "paid": None, "valid_from": date(2020, 1, 1)}
    capacity = labour_capacity.VERBS.set(plant.berlin, values, by=plant.manager)
    why, page = ask("backlog_weeks")
    assert why["figure"]["value"] == 0.5
    assert why["calculation"] == "3.00 h ÷ 6.00 h"
    assert why["left_out"] == ["1 of 2 open orders have no estimate; their labour is not known."]
    assert why["records"][0]["numbers"] == {"seconds": 6 * 3600, "paid_seconds": None}
    assert capacity.get_absolute_url() in page
    assert "0.50\u202fweeks" in page, "Less than a week is told to a hundredth"


def test_rework_names_the_order_before(ask, plant, broken):
    problem = {"problem": type(broken.failure).problem.field.related_model.objects.create(list="problem", code="jam")}
    type(broken.failure).objects.update(**problem)
    again = order(
        plant.filler, at(49), State.CLOSED, failure=plant.filler.failures.get(occurred=at(50)), closed_at=at(60),
        completed_at=at(55),
    )  # fmt: skip
    why, _page = ask("rework_share")
    assert why["figure"]["value"] == 0.5
    assert why["records"][0]["id"] == again.pk
    assert broken.code in why["records"][0]["remark"]
    assert why["records"][0]["counts"]
    assert not why["records"][1]["counts"]


def test_money_is_in_the_currency_of_the_site_and_unpriced_labour_is_named(ask, plant, broken):
    broken.costs.create(source="parts", amount="12.50", at=at(20))
    why, page = ask("maintenance_cost")
    assert (why["figure"]["value"], why["figure"]["unit"], why["figure"]["status"]) == (12.5, "EUR", "partial")
    assert why["left_out"] == ["6.00 h of 6.00 h of labour have no price yet."]
    assert {record["remark"] for record in why["records"] if not record["counts"]} == {
        f"labour of {person} without a price yet" for person in (plant.technician, plant.planner)
    }
    assert "EUR" in page


def test_requests_and_labour_name_who_waits_and_who_worked(ask, plant, broken):
    Request.objects.create(
        site=plant.berlin, asset=plant.filler, summary="Drips", reported_by=plant.requester, reported_at=at(5)
    )
    why, _page = ask("mtta")
    assert why["figure"]["reason"] == "No request of this window has been accepted yet."
    assert [(record["label"], record["remark"]) for record in why["records"]] == [("Drips", "waits for an answer")]
    why, _page = ask("planned_work_share")
    assert sum(record["numbers"]["seconds"] for record in why["records"]) == why["figure"]["inputs"]["labour"] == 21_600
    assert {record["remark"] for record in why["records"]} == {
        f"{person}: not planned" for person in (plant.technician, plant.planner)
    }


def test_the_cost_of_downtime_shows_the_stops_and_the_assets_without_a_cost(ask, plant, broken):
    type(plant.filler).objects.filter(pk=plant.filler.pk).update(downtime_cost=50)
    why, page = ask("downtime_cost", asset="L1")
    assert why["figure"]["value"] == 50 * 14
    assert [stop["seconds"] for stop in why["stops"]] == [10 * 3600, 4 * 3600]
    assert {record["asset"] for record in why["records"] if not record["counts"]} == {"L1", "M2", "M3"}
    assert why["calculation"] == "14.00 h × 50.00 an hour on average"
    assert page.count("50.00") == 2, "In the calculation, and as the cost of M1"


@pytest.mark.parametrize("key", KEYS)
def test_every_figure_of_work_explains_itself_with_and_without_records(ask, plant, broken, key):
    for asset in ("M1", "M3"):
        why, page = ask(key, asset=asset)
        assert why["calculation"]
        assert str(DEFINITIONS[key].name) in page
        assert (why["figure"]["value"] is None) == bool(
            why["figure"]["reason"] and why["figure"]["status"] != "partial"
        )


def test_every_input_has_a_name(plant, broken):
    figures = read(plant.filler, *KEYS)
    assert {name for figure in figures for name in figure.inputs} <= NAMES.keys()


@pytest.mark.parametrize("key", KEYS)
def test_work_of_another_site_does_not_exist(client, plant, key):
    client.force_login(plant.manager)
    for address in ("/api/v1/kpis/", "/api/v1/kpis/explanation/", reverse("figure")):
        for whose in ({"asset": plant.foreign.pk}, {"site": plant.chicago.pk}):
            assert client.get(address, {"definition": key} | whose | MONTH).status_code == 404


def test_the_api_cuts_figures_of_work_by_week(client, plant, broken):
    client.force_login(plant.manager)
    keys = "preventive_compliance,backlog_weeks,mart"
    rows = client.get("/api/v1/kpis/", {"site": "berlin", "definition": keys, "by": "week"} | MONTH).json()
    assert len(rows) == 3 * 5
    assert [row["value"] for row in rows if row["definition"] == "mart"] == [4, None, None, None, None]
    assert {row["status"] for row in rows if row["definition"] == "backlog_weeks"} == {"no data"}


def test_an_explanation_asks_as_often_for_many_orders(ask, plant, broken, django_assert_max_num_queries):
    def queries(key: str) -> int:
        with django_assert_max_num_queries(140) as asked:
            ask(key)
        return len(asked)

    def write(hours: range) -> None:
        for hour in hours:
            row = order(plant.filler, at(100 + hour), State.CLOSED, closed_at=at(150), estimate_minutes=60)
            row.labour.create(person=plant.technician, start=at(120 + hour), end=at(121 + hour))
            waiting = order(plant.filler, at(100 + hour), State.SCHEDULED, estimate_minutes=60)
            waiting.labour.create(person=plant.technician, start=at(130 + hour), end=at(131 + hour))
            occurrence(plant, 3 + hour, "missed")
            Request.objects.create(
                site=plant.berlin, asset=plant.filler, summary="Drips", reported_by=plant.requester,
                reported_at=at(5) + timedelta(minutes=hour), answered_at=at(6) + HOUR, state="accepted",
            )  # fmt: skip

    one_of_each = {definition.records: definition.key for definition in WORK}.values()
    write(range(1))
    ask(KEYS[0])
    few = {key: queries(key) for key in one_of_each}
    write(range(1, 13))
    assert {key: queries(key) for key in one_of_each} == few


def test_the_performance_page_tells_how_work_goes(client, plant, broken):
    client.force_login(plant.manager)
    occurrence(plant, 2, "done", 1)
    order(plant.filler, at(1), State.APPROVED, estimate_minutes=180)
    order(plant.filler, at(2), State.APPROVED)
    broken.costs.create(source="parts", amount="1234.50", at=at(20))
    window = {"from": "2026-03-02", "to": "2026-03-31"}
    for query in ({"asset": plant.filler.pk}, {"asset": plant.line.pk}, {}):
        page = client.get(reverse("performance"), window | query).content.decode()
        assert "100.0\u202f% of the preventive work was done in time, 0.0\u202f% of the labour was planned" in page
        assert "2 open orders, 1 without an estimate" in page
        assert '1\u202f234<span class="unit">\u202fEUR</span>' in page
        assert f"{reverse('figure')}?definition=maintenance_cost" in page
    empty = client.get(reverse("performance"), window | {"asset": plant.palletiser.pk}).content.decode()
    assert "No work was recorded in this window." in empty
    assert "No work order had been raised for it by then." in empty
