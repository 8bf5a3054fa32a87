"""Preventive plans and job plans in a real browser: the year beside the form, steps that move, all looks."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE
from tests.workorders.planned import job_plan, upcoming
from workorders.generation import generate
from workorders.models import JobPlan, PreventivePlan

pytestmark = pytest.mark.browser


@pytest.fixture
def plan(plant) -> PreventivePlan:
    made = upcoming(plant.berlin, [plant.filler, plant.labeller], horizon_days=120)
    first = made.occurrences.order_by("due").first()
    generate(plan=made, until=first.due)
    return made


def test_pages_of_plans_are_accessible_and_fit_in_all_looks(visit, plan, look):
    seen = visit("planner", **look)
    occurrence = plan.occurrences.filter(state="forecast").first()
    own = f"/preventive-plans/{plan.pk}/"
    paths = [own, f"{own}edit/", f"/occurrences/{occurrence.pk}/skip/", f"/job-plans/{plan.job_plan_id}/edit/"]
    wrong = []
    for path in paths:
        seen.goto(path)
        wrong += seen.violations()
        wrong += [f"{path} is {seen.overflow()} px too wide"] if seen.overflow() else []
    assert wrong == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_year_follows_the_form_before_anything_is_saved(visit, plant, size):
    job_plan(plant.berlin, estimate_minutes=20)
    page = visit("planner", size=size).goto("/preventive-plans/new/")
    year = page.locator("#preview")
    page.get_by_label("Name", exact=True).fill("Grease")
    page.get_by_role("combobox", name="Job plan").click()
    page.get_by_role("combobox", name="Job plan").press_sequentially("lubr")
    page.get_by_role("option", name="lubricate").click()
    page.get_by_role("combobox", name="Assets").press_sequentially("M1")
    page.get_by_role("option", name="M1").click()
    page.get_by_label("On certain days of the week").check()
    page.get_by_label("Every", exact=True).fill("2")
    page.get_by_label("Monday", exact=True).check()
    year.get_by_text("Every 2 weeks on Monday at 06:00").wait_for()
    expect(page.locator("[name=rule]")).to_be_hidden()
    assert PreventivePlan.objects.count() == 0

    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/preventive-plans/*/")

    made = PreventivePlan.objects.get()
    assert (made.name, made.every, made.weekdays, list(made.assets.all())) == ("Grease", 2, [0], [plant.filler])


def test_steps_are_added_moved_and_removed_by_buttons(visit, plant):
    made = job_plan(plant.berlin, steps=3)
    last = made.steps.get(position=3)
    last.depends_on, last.depends_outcome = 1, "ok"
    last.save()
    page = visit("planner", size=PHONE).goto(f"/job-plans/{made.pk}/edit/")
    rows = page.locator(".step-row:visible")
    assert rows.count() == 3

    rows.nth(0).get_by_role("button", name="Move down").click()
    rows.nth(0).get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Add a step").click()
    rows.nth(2).get_by_label("Instruction").fill("Clean up")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/job-plans/{made.pk}/")

    # "Step 3" depended on "Step 1", and still does, wherever that one went.
    assert list(JobPlan.objects.get().steps.values_list("position", "text", "depends_on")) == [
        (1, "Step 1", None),
        (2, "Step 3", 1),
        (3, "Clean up", None),
    ]


def test_an_occurrence_is_skipped_from_the_page_of_its_plan(visit, plan):
    page = visit("planner", size=PHONE).goto(f"/preventive-plans/{plan.pk}/")
    page.get_by_role("link", name="Skip…").first.click()
    page.get_by_label("Reason").fill("Line is rebuilt")
    page.get_by_role("button", name="Skip").click()
    page.wait_for_url(f"**/preventive-plans/{plan.pk}/")

    skipped = plan.occurrences.get(state="skipped")
    assert skipped.reason == "Line is rebuilt"
    assert skipped.due > timezone.now() - timedelta(days=1)
