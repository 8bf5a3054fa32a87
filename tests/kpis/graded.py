"""Work of a plant's last ten days, and the grade of its figures as API and page tell it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.models import Downtime, Failure, FailureCode
from core.events import label_of
from core.models import Event
from kpis import labour_capacity
from tests.kpis.test_work_database import order
from tests.workorders.planned import job_plan
from workorders.models import AgreedOrder, AgreedWeek, PlanOccurrence, PreventivePlan, Request, WorkOrder
from workorders.states import State

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def world(plant, client):
    """A plant, and what its manager is told of the grade of a figure of its last ten days."""
    client.force_login(plant.manager)

    class World:
        now = timezone.now()
        begin = now - 10 * DAY

        def explained(self, definition: str, **question) -> dict:
            query = {
                "asset": plant.filler.pk, "scope": "leaves", "definition": definition,
                "from": self.begin.isoformat(), "to": (self.now + HOUR).isoformat(),
            }  # fmt: skip
            found = client.get("/api/v1/kpis/explanation/", query | question)
            assert found.status_code == 200, found.json()
            page = client.get(reverse("figure"), query | question).content.decode()
            grade = found.json()["trust"]
            assert ("Grade " in page) is (grade is not None)
            assert grade is None or f"Grade {grade['grade']}" in page
            assert grade is None or grade["advice"] in page
            return grade

        def parts(self, definition: str, **question) -> dict:
            """By part its value, wrong and whole."""
            scores = self.explained(definition, **question)["scores"]
            return {each["part"]: (each["value"], each["wrong"], each["whole"]) for each in scores}

        def closed(self, asset=None, days: float = 2, said: timedelta = HOUR, **fields) -> WorkOrder:
            """An order that was completed so many days ago, as was `said` here later."""
            at = self.now - days * DAY
            values = {"estimate_minutes": 60, "completed_at": at, "closed_at": at + HOUR / 2, "state_since": at + said}
            row = order(asset or plant.filler, at - HOUR, State.CLOSED, **values | fields)
            Event.objects.create(
                site=row.site, summary="completed", verb="work_order.completed", object_type=label_of(WorkOrder),
                object_id=row.pk, at=at + said,
            )  # fmt: skip
            return row

        def worked(self, row: WorkOrder, hours: float = 2, *, priced: bool = True, running: bool = False):
            start = (row.completed_at or self.now) - hours * HOUR
            entry = row.labour.create(
                person=plant.technician, start=start, end=None if running else start + hours * HOUR
            )
            if priced:
                row.costs.create(source="labour", amount="50.00", at=start, labour=entry)
            return entry

        def failed(self, asset=None, days: float = 2, entered: timedelta = HOUR) -> Failure:
            """A failure of two hours with its stop."""
            at = self.now - days * DAY
            asset = asset or plant.filler
            stop = Downtime.objects.create(asset=asset, start=at, end=at + 2 * HOUR, entered_at=at + entered)
            return Failure.objects.create(
                asset=asset, occurred=at, restored=at + 2 * HOUR, downtime=stop, entered_at=at + entered
            )

        def repaired(self, asset=None, **fields) -> WorkOrder:
            """A failure with its order and labour."""
            failure = self.failed(asset, **fields)
            end = failure.occurred + 2 * HOUR
            row = order(
                failure.asset, failure.occurred, State.CLOSED, failure=failure, completed_at=end, closed_at=end,
                was_failure=True,
            )  # fmt: skip
            self.worked(row, 1)
            return row

        def occurrence(self, days: float = 2, **fields) -> PlanOccurrence:
            plan = PreventivePlan.objects.first() or PreventivePlan.objects.create(
                site=plant.berlin, name="Oil", job_plan=job_plan(plant.berlin), start=date(2026, 1, 1)
            )
            due = self.now - days * DAY
            return PlanOccurrence.objects.create(
                plan=plan, asset=plant.filler, sequence=PlanOccurrence.objects.count(), due=due, interval_days=30,
                state="done", done_at=due, **fields,
            )  # fmt: skip

        def asked(self, days: float = 2, *, answered: bool = True) -> Request:
            at = self.now - days * DAY
            return Request.objects.create(
                site=plant.berlin, asset=plant.filler, summary="Drips", reported_by=plant.requester, reported_at=at,
                state="accepted" if answered else "new", answered_at=at + HOUR if answered else None,
            )  # fmt: skip

    return World()


def write_good(world, plant) -> None:
    """Work of all kinds, entered as it should be."""
    problem = FailureCode.objects.create(list="problem", code="jam", name="Jam")
    values = {"net": Decimal(6), "paid": Decimal(40), "valid_from": date(2020, 1, 1)}
    labour_capacity.VERBS.set(plant.berlin, values, by=plant.manager)
    type(plant.filler).objects.filter(pk=plant.filler.pk).update(downtime_cost=50, replacement_value=10_000)
    row = world.repaired()
    Failure.objects.update(problem=problem)
    world.closed(occurrence=world.occurrence(), kind="preventive")
    world.worked(world.closed(days=1, failure=row.failure, was_failure=True))
    order(plant.filler, world.now - DAY, State.PLANNED, estimate_minutes=60)
    world.asked()
    plant.filler.counts.create(
        start=world.now - 2 * DAY, end=world.now - 2 * DAY + HOUR, good=100, ideal_cycle=1, entered_at=world.now - DAY
    )
    monday = plant.berlin.local(world.now).date()
    monday -= timedelta(days=monday.weekday() + 7)
    week = AgreedWeek.objects.create(site=plant.berlin, monday=monday)
    AgreedOrder.objects.create(week=week, order=row)


def write_bad(world, plant, asset) -> None:
    """Late, running and unanswered work of one asset."""
    row = world.closed(asset, days=3, said=40 * HOUR)
    world.worked(row, 40, priced=False)
    going = order(asset, world.now - 3 * DAY, State.IN_PROGRESS, estimate_minutes=60)
    WorkOrder.objects.filter(pk=going.pk).update(reported_at=world.now - 9 * DAY)
    going.labour.create(person=plant.technician, start=world.now - 2 * DAY)
    Request.objects.create(
        site=asset.site, asset=asset, summary="x", reported_by=plant.requester, reported_at=world.now - 9 * DAY
    )
    world.repaired(asset, days=5, entered=40 * HOUR)
    Downtime.objects.create(asset=asset, start=world.now - 9 * DAY, entered_at=world.now)
