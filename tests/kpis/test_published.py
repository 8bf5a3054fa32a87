"""Figures of work as they were reported: kept once a week or month is over, and told beside what changed them since."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from core.models import JobRun
from kpis import labour_capacity, published, tasks
from kpis.definitions import WORK
from kpis.models import PublishedWork, Target
from tests.contracts.api import assert_problem, client_of
from tests.kpis.test_work_database import order
from tests.workorders.planned import job_plan
from workorders import answers, timekeeping
from workorders.models import AgreedWeek, PlanOccurrence, PreventivePlan, Request, WorkOrder
from workorders.states import State

DUE = datetime(2026, 3, 30, 4, tzinfo=UTC)  # Monday at six in Berlin; the clock went forward the day before
MONDAY = datetime(2026, 3, 22, 23, tzinfo=UTC)  # 23 March, 00:00
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = {"from": "2026-03-23", "to": "2026-03-30"}
KINDS = len({each.records for each in WORK})


@pytest.fixture
def ask(client, plant):
    """The explanation of one figure of the site's week, as the API and as the page tell it."""
    client.force_login(plant.manager)

    def asked(definition: str, **question) -> tuple[dict, str]:
        query = {"site": "berlin", "scope": "leaves", "definition": definition} | WEEK | question
        why = client.get("/api/v1/kpis/explanation/", query)
        assert why.status_code == 200, why.json()
        return why.json(), " ".join(client.get(reverse("figure"), query).content.decode().split())

    return asked


@pytest.fixture
def lubrication(plant):
    """Three occurrences of the week: one done in time, two with orders that nobody has completed."""
    plan = PreventivePlan.objects.create(
        site=plant.berlin, name="Lubricate", job_plan=job_plan(plant.berlin), start=date(2026, 1, 1)
    )
    orders = []
    for day, state in ((1, "done"), (2, "generated"), (3, "generated")):
        row = PlanOccurrence.objects.create(
            plan=plan, asset=plant.filler, sequence=day, due=MONDAY + day * DAY, interval_days=7, state=state,
            done_at=MONDAY + day * DAY if state == "done" else None,
        )  # fmt: skip
        state = State.COMPLETED if state == "done" else State.IN_PROGRESS
        begun = MONDAY + day * DAY
        ended = begun + HOUR if state == State.COMPLETED else None
        orders.append(order(plant.filler, MONDAY, state, occurrence=row, started_at=begun, completed_at=ended))
    return orders


def target(plant, **fields) -> Target:
    values = {"site": plant.berlin, "definition": "preventive_compliance", "value": 0.9, "owner": plant.manager}
    return Target.objects.create(**{**values, "valid_from": date(2026, 1, 1), **fields})


# --- Keeping ---------------------------------------------------------------------------------------


def test_a_week_is_kept_once_its_report_is_due_and_only_once(plant, lubrication):
    published.publish_due(now=DUE - timedelta(seconds=1))
    assert not PublishedWork.objects.filter(site=plant.berlin, first=date(2026, 3, 23)).exists()
    assert published.publish_due(now=DUE) == KINDS  # of Chicago it is still Sunday
    runs = JobRun.objects.count()
    assert published.publish_due(now=DUE + 20 * HOUR) == KINDS  # of Chicago
    assert JobRun.objects.count() == runs + 1
    assert published.publish_due(now=DUE + 21 * HOUR) == 0
    kept = PublishedWork.objects.get(site=plant.berlin, first=date(2026, 3, 23), records="preventive")
    assert (kept.asset, kept.past, kept.at) == (None, date(2026, 3, 30), DUE)
    assert kept.figures["preventive_compliance"]["value"] == pytest.approx(1 / 3)
    assert [each["remark"] for each in kept.rows] == ["Not done", "Not done", "Done in time"]


def test_a_month_is_kept_on_the_first_at_six(plant):
    april = datetime(2026, 4, 1, 4, tzinfo=UTC)

    def months(now) -> set:
        rows = published.over(plant.berlin, now)
        return {(each.first, each.past) for each in rows if each.days > 7}

    assert months(april - timedelta(seconds=1)) == {(date(2026, 2, 1), date(2026, 3, 1))}
    assert months(april) == {(date(2026, 3, 1), date(2026, 4, 1))}
    assert months(april + 29 * DAY) == {(date(2026, 3, 1), date(2026, 4, 1))}
    published.publish_due(now=april)
    assert (
        PublishedWork.objects.filter(site=plant.berlin, first=date(2026, 3, 1), past=date(2026, 4, 1)).count() == KINDS
    )


def test_assets_with_a_target_in_the_week_are_kept_as_well(plant, lubrication):
    target(plant, asset=plant.line)
    target(plant, asset=plant.labeller, valid_from=date(2026, 3, 30))
    target(plant, asset=plant.palletiser, valid_to=date(2026, 3, 23))
    published.publish_due(now=DUE)
    week = PublishedWork.objects.filter(site=plant.berlin, first=date(2026, 3, 23))
    assert set(week.values_list("asset", flat=True)) == {None, plant.line.pk}
    target(plant, asset=plant.filler)  # set afterwards, for a day that has passed: kept as of when it is seen
    published.publish_due(now=DUE + HOUR)
    assert set(week.filter(asset=plant.filler).values_list("at", flat=True)) == {DUE + HOUR}


def test_the_task_keeps_what_is_over(plant, lubrication):
    assert tasks.publish_work() == f"{4 * KINDS} kinds of records kept"  # week and month of two sites
    assert tasks.publish_work() == "0 kinds of records kept"


# --- Telling ---------------------------------------------------------------------------------------


def test_what_was_never_reported_is_not_told(plant, lubrication, ask):
    why, page = ask("preventive_compliance")
    assert why["published"] is None
    assert "What was reported before" not in page
    published.publish_due(now=DUE)
    assert ask("preventive_compliance", to="2026-03-29")[0]["published"] is None
    assert ask("preventive_compliance", asset="L1")[0]["published"] is None
    assert ask("availability")[0]["published"] is None


def test_as_long_as_the_figure_is_the_same_that_is_said(plant, lubrication, ask):
    published.publish_due(now=DUE)
    why, page = ask("preventive_compliance")
    assert (why["published"]["differs"], why["published"]["changed"]) == (False, [])
    assert why["published"]["value"] == why["figure"]["value"]
    assert "The same when it was reported on 30 Mar 2026, 06:00" in page


def test_an_order_completed_with_a_date_in_the_past_is_named_with_who_did_it(plant, lubrication, ask):
    published.publish_due(now=DUE)
    late = lubrication[2]
    answers_all(late, plant)
    timekeeping.record_labour(
        late, person=plant.technician, start=MONDAY + 3 * DAY, end=MONDAY + 3 * DAY + HOUR, by=plant.technician
    )
    late.refresh_from_db()
    late.complete(by=plant.technician, was_failure=False, at=MONDAY + 3 * DAY + 2 * HOUR)

    why, page = ask("preventive_compliance")

    told = why["published"]
    assert (told["value"], why["figure"]["value"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert (told["differs"], told["version"], told["inputs"]["compliant"]) == (True, 1, 1)
    (changed,) = told["changed"]
    assert (changed["kind"], changed["id"], changed["by"]) == ("occurrence", late.occurrence_id, "technician")
    assert (changed["before"]["remark"], changed["after"]["remark"]) == ("Not done", "Done in time")
    assert changed["summary"].startswith(f"{late.code} completed")
    assert "33.3 % when it was reported on 30 Mar 2026, 06:00" in page
    assert "66.7 % now." in page
    assert "Not done" in page
    assert f'href="{late.get_absolute_url()}"' in page


def test_a_promise_that_was_kept_on_paper_only_afterwards_is_told(plant, lubrication, ask):
    week = AgreedWeek.objects.create(site=plant.berlin, monday=date(2026, 3, 23), agreed_by=plant.planner)
    for each in lubrication:
        week.orders.create(order=each)
    published.publish_due(now=DUE)
    late = lubrication[2]
    answers_all(late, plant)
    begun = MONDAY + 3 * DAY
    timekeeping.record_labour(late, person=plant.technician, start=begun, end=begun + HOUR, by=plant.technician)
    late.refresh_from_db()
    late.complete(by=plant.technician, was_failure=False, at=begun + 2 * HOUR)

    why, page = ask("schedule_compliance")

    told = why["published"]
    assert (told["value"], why["figure"]["value"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    (changed,) = told["changed"]
    assert (changed["id"], changed["by"]) == (late.pk, "technician")
    assert changed["before"]["remark"] == "agreed for week 2026-W13, not completed: In progress"
    assert changed["after"]["remark"] == "agreed for week 2026-W13 and completed in it"
    assert "66.7 % now." in page


def answers_all(row, plant) -> None:
    for step in row.steps.all():
        answers.answer(step, by=plant.technician, outcome="ok")


def test_labour_that_is_corrected_entered_late_and_removed_is_told(plant, ask):
    row = order(plant.filler, MONDAY, State.IN_PROGRESS, priority=1, started_at=MONDAY)
    other = order(plant.labeller, MONDAY, State.IN_PROGRESS, priority=3, started_at=MONDAY)
    for each, hours in ((row, 2), (other, 2)):
        each.labour.create(person=plant.technician, start=MONDAY + HOUR, end=MONDAY + (1 + hours) * HOUR)
    published.publish_due(now=DUE)
    timekeeping.correct_labour(row.labour.get(), start=MONDAY + HOUR, end=MONDAY + 7 * HOUR, by=plant.technician)

    told = ask("emergency_work_share")[0]["published"]
    assert (told["value"], told["more"]) == (0.5, 0)
    (changed,) = told["changed"]
    assert (changed["before"]["numbers"], changed["after"]["numbers"]) == ({"seconds": 7200}, {"seconds": 21600})
    assert (changed["id"], changed["summary"]) == (row.pk, f"{row.code}: time of Technician corrected")
    assert "2.00 h" in ask("emergency_work_share")[1]

    timekeeping.remove_labour(other.labour.get(), by=plant.technician)
    told = {each["id"]: each for each in ask("emergency_work_share")[0]["published"]["changed"]}
    assert told[other.pk]["after"] is None
    assert "time of Technician removed" in told[other.pk]["summary"]
    assert "no longer among them" in ask("emergency_work_share")[1]


def test_a_request_that_was_answered_since_is_told(plant, ask):
    row = Request.objects.create(
        site=plant.berlin, asset=plant.filler, summary="Drips", reported_by=plant.requester, reported_at=MONDAY
    )
    published.publish_due(now=DUE)
    Request.objects.filter(pk=row.pk).update(state="accepted", answered_at=MONDAY + 3 * HOUR)

    why, page = ask("mtta")

    assert (why["published"]["value"], why["published"]["status"], why["figure"]["value"]) == (None, "undefined", 3)
    (changed,) = why["published"]["changed"]
    assert (changed["before"]["remark"], changed["after"]["remark"]) == ("waits for an answer", "accepted")
    assert (changed["summary"], changed["by"]) == ("", None)  # nobody said so: it was written in the database
    assert "undefined when it was reported" in page


def test_a_capacity_that_was_corrected_is_told_and_an_order_in_another_state_is_not(plant, ask):
    values = {"net": Decimal(6), "valid_from": date(2026, 1, 1)}
    capacity = labour_capacity.VERBS.set(plant.berlin, values, by=plant.manager)
    waiting = order(plant.filler, MONDAY, State.APPROVED, estimate_minutes=180)
    published.publish_due(now=DUE)
    WorkOrder.objects.filter(pk=waiting.pk).update(state=State.SCHEDULED)
    labour_capacity.VERBS.change(capacity, {"net": Decimal(12)}, by=plant.manager, version=1)

    why, _page = ask("backlog_weeks")

    assert (why["published"]["value"], why["figure"]["value"]) == (0.5, 0.25)
    (changed,) = why["published"]["changed"]
    assert (changed["kind"], changed["id"], changed["by"]) == ("labour_capacity", capacity.pk, "manager")
    assert changed["summary"] == "Labour capacity changed: 12.0 h a week, from 2026-01-01"


def test_a_definition_that_has_another_version_since_is_said(plant, lubrication, ask):
    published.publish_due(now=DUE)
    row = PublishedWork.objects.get(site=plant.berlin, first=date(2026, 3, 23), records="preventive")
    row.figures["preventive_compliance"] |= {"version": 0, "value": 0.5}
    row.save()
    page = ask("preventive_compliance")[1]
    assert "50.0 % when it was reported" in page
    assert "It was formed by version 0 of the definition." in page
    assert "No record that is listed differs" in page


def test_people_of_other_sites_are_told_nothing(plant, lubrication):
    published.publish_due(now=DUE)
    question = {"site": "berlin", "scope": "leaves", "definition": "preventive_compliance"} | WEEK
    assert_problem(client_of(plant.stranger).get("/api/v1/kpis/explanation/", question), 404, "not_found")
    seen = PublishedWork.objects.visible_to(plant.stranger)
    assert set(seen.values_list("site__code", flat=True)) == {"chicago"}
