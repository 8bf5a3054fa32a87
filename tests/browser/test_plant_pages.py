"""Pages of assets, calendars, counts and people in a real browser: readable by everybody, quiet, never too wide."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from assets import stops
from assets.models import FailureCode
from assets.stops import StopEntry
from production import agreeing, counting
from production.agreeing import Agreement
from production.counting import CountEntry
from production.timetable import Pattern, Slot
from tests import plant as world
from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def addresses() -> list[str]:
    """Every page of these apps over a plant in which something has happened."""
    plant = world.build()
    now = timezone.now()
    FailureCode.objects.create(list="problem", code="leak", name="Leak")
    world.asset(plant.berlin, "M1-V1", "Filling valve", parent=plant.filler, level="component")
    entry = StopEntry(plant.filler, now - timedelta(hours=30), now - timedelta(hours=29), reason=plant.breakdown,
                      is_failure=True)  # fmt: skip
    stop = stops.record_stop(entry, by=plant.technician).row
    stops.correct(stop, {"reason": plant.setup}, by=plant.planner, why="Misread")
    stops.open_stop(plant.filler, by=plant.technician, at=now - timedelta(hours=1))
    week = {0: (Slot(time(6), time(14)), Slot(time(22), time(6))), 6: (Slot(time(2, 30), time(10)),)}
    pattern = Pattern(date(2026, 1, 1), None, week, {date(2026, 12, 24): ()})
    calendar = agreeing.agree(plant.berlin, plant.line, Agreement("Shifts", pattern, {}), by=plant.planner)
    made = CountEntry(
        plant.filler, now - timedelta(hours=3), now - timedelta(hours=2), Decimal(10), ideal_cycle=Decimal(1)
    )
    count = counting.record_count(made, by=plant.technician).row
    asset, person = f"/assets/{plant.filler.pk}/", f"/people/{plant.technician.pk}/"
    tabs = ("overview", "stops", "failures", "history", "counts", "calendar")
    return [
        "/assets/", "/assets/tree/", "/assets/new/", *(f"{asset}?tab={tab}" for tab in tabs), f"{asset}edit/",
        f"{asset}move/", f"{asset}archive/", f"{asset}label/?below=1", f"{asset}down/", f"{asset}back/", "/downtime/",
        "/downtime/new/", f"/downtime/{stop.pk}/", f"/downtime/{stop.pk}/?tab=history", f"/downtime/{stop.pk}/edit/",
        f"/downtime/{stop.pk}/remove/", "/failures/", "/failures/new/", f"/failures/{stop.failures.get().pk}/",
        "/settings/", "/settings/reasons/", "/settings/reasons/new/", "/settings/kinds/", "/settings/failure-codes/",
        "/settings/sites/", f"/settings/sites/{plant.berlin.pk}/", "/calendars/", "/calendars/new/",
        f"/calendars/{calendar.pk}/", f"/calendars/{calendar.pk}/?tab=followers", f"/calendars/{calendar.pk}/edit/",
        "/production/", "/production/new/", f"/production/{count.pk}/", "/people/", "/people/new/", person,
        f"{person}edit/", "/profile/",
    ]  # fmt: skip


@pytest.mark.timeout(600)
@pytest.mark.parametrize("look", [{"size": PHONE}, {"size": DESK, "dark": True}], ids=["phone", "desk in the dark"])
def test_every_page_is_accessible_quiet_and_narrow_enough(addresses, visit, look):
    session = visit("administrator", **look)
    wrong = []
    for address in addresses:
        session.goto(address)
        wrong += session.violations(all_rules=True)
        if session.overflow():
            wrong.append(f"{address} is {session.overflow()} px too wide")
    assert wrong == []


def test_down_why_and_back_take_one_tap_each_on_a_phone(visit, transactional_db):
    plant = world.build()
    page = visit("technician", size=PHONE).goto(f"/assets/{plant.labeller.pk}/")
    page.get_by_role("button", name="Is down").click()
    page.get_by_role("button", name="Breakdown").click()
    page.get_by_role("button", name="Is back").click()
    page.get_by_text("M2 is back after").wait_for()
    stop = plant.labeller.downtimes.get()
    assert (stop.reason, stop.entered_by) == (plant.breakdown, plant.technician)
    assert stop.end is not None


def test_the_tree_opens_and_closes_at_once(visit, transactional_db):
    plant = world.build()
    world.asset(plant.berlin, "V1", "Filling valve", parent=plant.filler)
    page = visit("requester").goto("/assets/tree/")
    valve = page.get_by_role("link", name="V1 Filling valve")
    expect(valve).to_be_hidden()
    page.get_by_role("button", name="Open all").click()
    expect(valve).to_be_visible()
    page.get_by_role("button", name="Close all").click()
    expect(page.get_by_role("link", name="M1 Filler")).to_be_hidden()


def test_a_calendar_form_grows_by_a_row(visit, transactional_db):
    world.build()
    page = visit("planner").goto("/calendars/new/")
    before = page.get_by_label("Date").count()
    page.get_by_role("button", name="One more").click()
    expect(page.get_by_label("Date")).to_have_count(before + 1)
    page.get_by_label("Name").first.fill("Shifts")
    page.get_by_label("Monday").fill("6-14")
    page.locator("[name=exceptions-2-date]").fill("2030-12-24")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Shifts is agreed.").wait_for()
    expect(page.get_by_text("24 Dec 2030")).to_be_visible()
