"""Work orders as people use them: a routine job on a phone, planning on a desk, a report by the machine."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core.weeks import name_of
from tests.browser.conftest import DESK, LOOKS, PHONE
from tests.workorders.orders import order, step
from workorders.models import AgreedWeek, Request
from workorders.reporting import report
from workorders.states import Kind, State
from workorders.week import midnight, monday_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_technician_closes_a_routine_job_with_three_taps(plant, visit):
    row = order(plant, State.SCHEDULED, kind=Kind.PREVENTIVE, summary="Weekly lubrication")
    for text in ("Lock out", "Grease the chain"):
        step(row, text=text)
    page = visit("technician", size=PHONE).goto("/my-work/")
    page.get_by_role("button", name=f"Start {row.code}").click()
    page.get_by_role("button", name="All 2 checks OK").click()
    page.get_by_text("3/3").wait_for()
    page.locator(".move-bar").get_by_role("button", name="Complete").click()
    page.get_by_text("is completed").first.wait_for()
    row.refresh_from_db()
    assert (row.state, row.steps.filter(outcome="ok").count(), row.labour.filter(end=None).count()) == (
        "completed", 3, 0,
    )  # fmt: skip


def test_a_failed_reading_proposes_its_follow_up_in_place(plant, visit):
    row = order(plant, State.IN_PROGRESS, kind=Kind.INSPECTION)
    asked = step(row, "number", text="Oil pressure", unit="bar", low=2, high=8)
    page = visit("technician", size=PHONE).goto(row.get_absolute_url())
    page.get_by_label("Oil pressure").fill("9.4")
    page.locator(f"#step-{asked.pk}").get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Raise follow-up").click()
    page.get_by_role("link", name="Put right: Oil pressure (9.4 bar)").wait_for()
    asked.refresh_from_db()
    assert (asked.outcome, asked.follow_up.follow_up_of) == ("fail", row)


def test_a_planner_gives_work_from_the_backlog_to_a_person(plant, visit):
    row = order(plant, State.PLANNED, summary="Check the gearbox")
    row.assignments.all().delete()
    page = visit("planner", size=DESK).goto("/planning/")
    page.get_by_role("link", name=f"Assign {row.code}").click()
    page.get_by_label("Person").select_option(label="Technician")
    page.get_by_role("button", name="Assign").click()
    page.locator(".week").get_by_text("Check the gearbox").wait_for()
    row.refresh_from_db()
    assert (row.state, row.owner) == ("scheduled", plant.technician)


def test_a_planner_agrees_on_the_coming_week_and_sees_what_came_in_between(plant, visit):
    monday = plant.berlin.local(timezone.now()).date()
    monday += timedelta(days=7 - monday.weekday())
    promised = order(plant, State.SCHEDULED, summary="Check the gearbox")
    promised.assignments.update(start=midnight(plant.berlin, monday) + timedelta(hours=33))
    page = visit("planner", size=PHONE).goto(f"/planning/?week={name_of(monday)}")
    page.get_by_role("button", name="Agree on this week").click()
    page.get_by_text("0 of 1 order done").wait_for()
    between = order(plant, State.SCHEDULED, summary="Belt torn")
    between.assignments.update(start=midnight(plant.berlin, monday) + timedelta(hours=34))
    page.reload()
    page.get_by_text("What was agreed").click()
    row = page.locator(".agreed-list li", has_text="Belt torn")
    expect(row.get_by_text("Not agreed")).to_be_visible()
    expect(page.locator(".agreed-list li", has_text="Check the gearbox").get_by_text("Not agreed")).to_have_count(0)
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Agree on this week").wait_for()


def test_a_reporter_sees_what_is_known_before_reporting_it_again(plant, visit):
    order(plant, State.APPROVED, summary="Leak at valve 7")
    page = visit("requester", size=PHONE).goto(f"/requests/new/?asset={plant.filler.pk}")
    page.get_by_text("Known already on M1").wait_for()
    expect(page.get_by_role("link", name="Leak at valve 7")).to_be_visible()
    page.get_by_label("What is wrong?").fill("It drips")
    page.get_by_role("button", name="Report").click()
    page.get_by_role("heading", name="It drips").wait_for()
    assert Request.objects.get().asset == plant.filler


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_work_are_accessible_and_fit(plant, visit, look):
    row = order(plant, State.IN_PROGRESS, due_to=timezone.now() - timedelta(hours=1), description="Long spanner")
    for kind in ("check", "pass", "number", "choice", "text", "photo"):
        step(row, kind, choices=["red", "green"], unit="bar", low=1, required=kind != "text")
    step(row, "pass", outcome="fail", answered_by=plant.technician, answered_at=timezone.now())
    row.labour.create(person=plant.planner, start=timezone.now() - timedelta(minutes=5))
    order(plant, State.DRAFT).assignments.all().delete()
    order(plant, State.ON_HOLD)
    request = report(plant.filler, "It drips", by=plant.requester)
    week = AgreedWeek.objects.create(site=plant.berlin, monday=monday_of("", plant.berlin.local(timezone.now()).date()))
    week.orders.create(order=row, minutes=60)
    made = visit("planner", **look)
    wrong = []
    for path in (
        "/my-work/", "/planning/", "/work-orders/", row.get_absolute_url(), f"{row.get_absolute_url()}?tab=talk",
        f"{row.get_absolute_url()}?tab=history", f"{row.get_absolute_url()}edit/", f"{row.get_absolute_url()}hold/",
        f"{row.get_absolute_url()}completion/", f"{row.get_absolute_url()}steps/new/", "/requests/", "/requests/new/",
        request.get_absolute_url(), f"{request.get_absolute_url()}acceptance/",
        f"{plant.filler.get_absolute_url()}?tab=work",
    ):  # fmt: skip
        made.goto(path)
        wrong += made.violations()
        if made.overflow():
            wrong.append(f"{path} is {made.overflow()} px too wide")
    assert not wrong, "\n".join(wrong)
