"""Where the orders and requests behind a figure of work come from, and how late orders were completed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from core.events import label_of
from core.models import Event
from tests.kpis.test_work_database import order
from tests.workorders.planned import job_plan
from workorders.models import PlanOccurrence, PreventivePlan, Request, WorkOrder
from workorders.states import State

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin


@pytest.fixture
def ask(client, plant):
    """The explanation of one figure of work, as the API and as the page tell it."""
    client.force_login(plant.manager)

    def asked(definition: str, **question) -> tuple[dict, str]:
        query = {"asset": "L1", "scope": "leaves", "definition": definition, "from": "2026-03-02", "to": "2026-03-09"}
        why = client.get("/api/v1/kpis/explanation/", query | question)
        assert why.status_code == 200, why.json()
        return why.json(), " ".join(client.get(reverse("figure"), query | question).content.decode().split())

    return asked


def closed(asset, hours: float, said: timedelta, **fields) -> WorkOrder:
    """An order whose work ended so many hours after the window began, and that was completed here `said` later."""
    at = BEGIN + hours * HOUR
    row = order(asset, at - DAY, State.CLOSED, completed_at=at, closed_at=BEGIN + 100 * HOUR, **fields)
    event = {"verb": "work_order.completed", "object_type": label_of(WorkOrder), "object_id": row.pk, "at": at + said}
    Event.objects.create(site=row.site, summary="completed", **event)
    return row


def told(why: dict) -> list[tuple]:
    return [
        (each["kind"], each["source"], each["records"], each["last"],
         [(asset["code"], asset["records"]) for asset in each["assets"]])
        for each in why["sources"]
    ]  # fmt: skip


def test_orders_are_told_by_what_raised_them(ask, plant):
    plan = PreventivePlan.objects.create(
        site=plant.berlin, name="Oil", job_plan=job_plan(plant.berlin), start=date(2026, 1, 1)
    )
    occurrence = PlanOccurrence.objects.create(
        plan=plan, asset=plant.filler, sequence=1, due=BEGIN + DAY, interval_days=7, state="done", done_at=BEGIN + DAY
    )
    first, last = closed(plant.filler, 1, HOUR), closed(plant.labeller, 2, HOUR)
    raised = closed(plant.filler, 3, HOUR, occurrence=occurrence)
    sent = closed(plant.filler, 4, HOUR, source="api")
    closed(plant.filler, 5, HOUR, source="import").delete()
    why, page = ask("rework_share")
    assert told(why) == [
        ("order", "operator", 2, last.pk, [("M1", 1), ("M2", 1)]),
        ("order", "api", 1, sent.pk, [("M1", 1)]),
        ("order", "plan", 1, raised.pk, [("M1", 1)]),
    ]
    assert first.pk < last.pk
    for words in ("Where the records come from", "Preventive plan", f'href="{last.get_absolute_url()}?next='):
        assert words in page, words
    assert told(ask("preventive_compliance")[0]) == [("order", "plan", 1, raised.pk, [("M1", 1)])]


def test_one_order_with_labour_of_two_is_one_order(ask, plant):
    row = order(plant.filler, BEGIN, State.IN_PROGRESS)
    for person in (plant.technician, plant.planner):
        row.labour.create(person=person, start=BEGIN + HOUR, end=BEGIN + 2 * HOUR)
    why, _page = ask("planned_work_share")
    assert told(why) == [("order", "operator", 1, row.pk, [("M1", 1)])]


def test_requests_are_of_people(ask, plant):
    row = Request.objects.create(
        site=plant.berlin, asset=plant.filler, summary="Drips", reported_by=plant.requester,
        reported_at=BEGIN + HOUR, answered_at=BEGIN + 2 * HOUR, state="accepted",
    )  # fmt: skip
    why, page = ask("mtta")
    assert told(why) == [("request", "operator", 1, row.pk, [("M1", 1)])]
    assert f'href="{row.get_absolute_url()}?next=' in page
    assert why["completion_lag"] is None


def test_it_is_told_how_late_orders_were_completed(ask, plant):
    for hours, said in ((1, 2 * HOUR), (2, 4 * HOUR), (3, -HOUR)):
        closed(plant.filler, hours, said)
    late = closed(plant.filler, 4, 30 * HOUR)
    why, page = ask("rework_share")
    assert why["completion_lag"] == {
        "orders": 4, "median": 3 * 3600, "p90": pytest.approx((4 + 0.7 * 26) * 3600), "longest": 30 * 3600,
        "longest_order": late.pk, "later_than_a_day": 1,
    }  # fmt: skip
    assert "1 of 4 was completed more than a day late." in page
    assert f'href="{late.get_absolute_url()}?next=' in page


def test_of_an_order_that_was_completed_again_the_last_time_counts(ask, plant):
    row = closed(plant.filler, 1, HOUR)
    Event.objects.create(
        site=row.site, summary="completed", verb="work_order.completed", object_type=label_of(WorkOrder),
        object_id=row.pk, at=row.completed_at + 5 * HOUR,
    )  # fmt: skip
    why, page = ask("rework_share")
    assert (why["completion_lag"]["orders"], why["completion_lag"]["longest"]) == (1, 5 * 3600)
    assert "None was completed more than a day late." in page


def test_costs_of_stops_are_told_by_the_sources_of_their_stops(ask, plant):
    plant.filler.downtimes.create(start=BEGIN, end=BEGIN + HOUR, source="plc", reason=plant.breakdown)
    plant.filler.downtime_cost = 100
    plant.filler.save()
    assert [each[:3] for each in told(ask("downtime_cost")[0])] == [("stop", "plc", 1)]


def test_nothing_recorded_has_no_sources(ask, plant):
    why, page = ask("rework_share")
    assert (why["sources"], why["completion_lag"], why["quiet_assets"]) == ([], None, 0)
    assert "Where the records come from" not in page
