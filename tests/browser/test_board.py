"""The wall board in a real browser: it keeps itself up to date, says when it cannot, and fits television and phone."""

import re
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from assets import stops
from assets.models import Downtime
from kpis import targets
from production.counting import CountEntry, record_counts
from production.models import OperatingCalendar
from tests.browser.conftest import LOOKS, PHONE, Visit
from tests.plant import asset
from tests.workorders.orders import order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TELEVISION = {"width": 1920, "height": 1080}
SMALL_TELEVISION = {"width": 1280, "height": 720}
LARGE = "Bottling plant of the Brightwater company at the river"
EVERY, AGAIN = 31_000, 11_000  # milliseconds of the page's clock, which the tests set on


@pytest.fixture
def board(visit, plant) -> Visit:
    seen = visit("manager", size=TELEVISION)
    seen.page.clock.install()
    seen.goto("/performance/board/")
    return seen


def tick_until(page: Page, reached) -> None:
    """Set the page's clock on, a try at a time; what is under way needs a moment that is not on this clock."""
    for _try in range(50):
        page.clock.run_for(AGAIN)
        page.evaluate("fetch('/login/').then(() => 0)")
        if reached():
            return
    raise AssertionError("It never came to that.")


@pytest.mark.parametrize("look", [*LOOKS, pytest.param({"size": TELEVISION, "dark": True}, id="television")])
def test_it_is_accessible_and_fits(visit, plant, look):
    stops.open_stop(plant.filler, by=plant.technician, at=timezone.now() - timedelta(minutes=5))
    seen = visit("manager", **look)
    page = seen.goto("/performance/board/")
    assert seen.violations() == []
    assert seen.overflow() == 0
    expect(page.locator(".sidebar, .tabbar")).to_have_count(0)
    if look["size"] == TELEVISION:
        assert page.evaluate(SEEN_WHOLE) == []
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        small = page.evaluate(
            """[...document.querySelectorAll(".board-machine strong, .board-machine .state, .board-answer")]
               .map(each => parseFloat(getComputedStyle(each).fontSize)).filter(size => size < 20)"""
        )
        assert small == []


@pytest.fixture
def crowded(plant):
    """Ninety machines in seven lines, eleven of them down, forty more stops, targets of long owners, and orders."""
    now = timezone.now()
    type(plant.berlin).objects.filter(pk=plant.berlin.pk).update(name=LARGE)
    type(plant.manager).objects.filter(pk=plant.manager.pk).update(last_name="von Hohenstein-Lichtenberg")
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Always", valid_from=date(2020, 1, 1))
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start=time(0), end=time(0))
    machines = [
        asset(plant.berlin, f"{line.code}-{place:02}", f"Machine number {place}", parent=line)
        for line in [plant.line, *(asset(plant.berlin, f"K{n}", f"Packaging line {n}", level="line") for n in range(6))]
        for place in range(27 if line == plant.line else 10)
    ]
    begun = now - timedelta(hours=30)
    for machine in machines[::8]:
        Downtime.objects.create(asset=machine, start=begun, reason=plant.breakdown)
    for number, machine in enumerate(machines[1:41]):
        start = now - timedelta(minutes=10 + 5 * number)
        Downtime.objects.create(asset=machine, start=start, end=start + timedelta(minutes=3), reason=plant.breakdown)
    for definition, place in product(("availability", "oee"), (None, plant.line)):
        goal = {"definition": definition, "value": 0.92, "owner": plant.manager, "valid_from": date(2026, 1, 1)}
        targets.set_target(plant.berlin, place, goal, by=plant.manager)
    record_counts([CountEntry(each, now - timedelta(hours=6), now, good=Decimal(100), ideal_cycle=Decimal(60))
                   for each in machines[::2]], by=plant.technician)  # fmt: skip
    for number in range(40):
        row = order(plant, "approved")
        row.priority, row.due_to = 1 + number % 4, now - timedelta(days=number)
        row.save()
    return plant


SEEN_WHOLE = """() => {
    const wrong = [];
    const inside = (box, around) => box.bottom <= around.bottom + 1 && box.right <= around.right + 1;
    const screen = {bottom: innerHeight, right: innerWidth};
    for (const part of document.querySelectorAll("tandem-board > *, .board > *"))
        if (!inside(part.getBoundingClientRect(), screen)) wrong.push(`${part.className} is below the fold`);
    for (const row of document.querySelectorAll(".board li, .board-more, .board h2, .board .tile")) {
        if (!row.offsetParent) continue;
        const part = row.closest("section").getBoundingClientRect();
        if (!inside(row.getBoundingClientRect(), part)) wrong.push(`${row.textContent.trim()} is cut`);
    }
    return wrong;
}"""
SMALL = """least => [...document.querySelectorAll("tandem-board *")]
    .filter(each => each.offsetParent && [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(each => !each.closest(".unit, .visually-hidden"))
    .filter(each => parseFloat(getComputedStyle(each).fontSize) < least * innerHeight)
    .map(each => each.outerHTML)"""


@pytest.mark.parametrize("size", [TELEVISION, SMALL_TELEVISION], ids=["1080", "720"])
def test_a_large_plant_fits_a_television_with_the_urgent_first_and_the_rest_counted(visit, crowded, size):
    seen = visit("manager", size=size, dark=True)
    for address, machines in (("/performance/board/", 90), (f"/performance/board/?asset={crowded.line.pk}", 30)):
        page = seen.goto(address)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert seen.overflow() == 0
        assert page.evaluate(SEEN_WHOLE) == []
        assert page.evaluate(SMALL, 17 / 1080) == []
        shown = page.locator(".board-machine:visible")
        down = page.locator(".board-machine.board-stop")
        assert down.count() == (11 if machines == 90 else 4)
        assert page.locator(".board-machine.board-stop:visible").count() == down.count()
        assert shown.count() + more(page, ".board-machines") == machines
        rows = page.locator(".board-stops li:visible")
        assert rows.count() >= 5
        stopped = Downtime.objects.at(crowded.berlin)
        of_line = stopped.filter(asset__path__startswith=crowded.line.path)
        total = (stopped if machines == 90 else of_line).count()
        assert rows.count() + more(page, ".board-stops") == total
        open_first = [text.rstrip().endswith("open") for text in rows.all_inner_texts()]
        assert open_first == sorted(open_first, reverse=True)
        work = page.locator(".board-work li:visible")
        assert [text.split()[0] for text in work.all_inner_texts()] == ["Emergency", "High", "Medium", "Low"]


def more(page: Page, part: str) -> int:
    """How many rows a part says that it does not show."""
    words = page.locator(f"{part} .board-more")
    return int(re.search(r"\d+", words.inner_text()).group()) if words.is_visible() else 0


def test_what_has_no_room_comes_back_when_there_is_some(visit, crowded):
    page = visit("manager", size=SMALL_TELEVISION).goto("/performance/board/")
    rows = page.locator(".board-stops li:visible")
    few, all_of_them = rows.count(), rows.count() + more(page, ".board-stops")
    page.set_viewport_size({"width": 1280, "height": 1600})
    expect(rows).not_to_have_count(few)
    assert rows.count() > few
    assert page.evaluate(SEEN_WHOLE) == []
    assert rows.count() + more(page, ".board-stops") == all_of_them


def test_a_phone_scrolls_to_every_machine_and_a_few_stops(visit, crowded):
    seen = visit("manager", size=PHONE)
    page = seen.goto("/performance/board/")
    assert seen.overflow() == 0
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight")
    expect(page.locator(".board-machine:visible")).to_have_count(60)
    expect(page.locator(".board-stops li:visible")).to_have_count(6)
    assert more(page, ".board-stops") == Downtime.objects.at(crowded.berlin).count() - 6


def test_it_refreshes_itself_and_keeps_its_place(board, plant):
    page = board.page
    machine = page.locator(".board-machine").filter(has_text="M1")
    expect(machine).to_contain_text("No data")
    page.set_viewport_size({"width": 390, "height": 500})
    page.evaluate("window.scrollTo(0, 120)")
    stops.open_stop(plant.filler, by=plant.technician, at=timezone.now() - timedelta(minutes=5))
    page.clock.run_for(EVERY)
    expect(machine).to_contain_text("Down")
    expect(page.locator(".board-answer")).to_contain_text("1 machine of 3 is down.")
    assert page.evaluate("scrollY") == 120
    stops.close_stop(plant.filler, by=plant.technician)
    page.clock.run_for(EVERY)
    expect(machine).to_contain_text("Running")


def test_without_connection_it_keeps_what_it_knew_says_so_and_comes_back(board, plant):
    page = board.page
    board.expected_errors.append("Failed to load resource")
    said = page.get_by_role("status").filter(has_text="No connection since")
    machine = page.locator(".board-machine").filter(has_text="M1")
    page.route("**/performance/board/", lambda route: route.abort())
    stops.open_stop(plant.filler, by=plant.technician, at=timezone.now() - timedelta(minutes=5))
    page.clock.run_for(EVERY)
    expect(said).to_be_visible()
    expect(machine).to_contain_text("No data")
    assert board.violations() == []
    page.unroute("**/performance/board/")
    tried = []
    page.route("**/performance/board/", lambda route: (tried.append(1), route.fulfill(status=503, body="Not now")))
    tick_until(page, lambda: len(tried) > 1)  # the second try says that the first has failed
    expect(said).to_be_visible()
    page.unroute("**/performance/board/")
    tick_until(page, lambda: said.count() == 0)
    expect(machine).to_contain_text("Down")


def test_who_was_logged_out_is_asked_to_log_in_and_comes_back_to_the_board(board):
    board.page.context.clear_cookies()
    board.page.clock.run_for(EVERY)
    board.page.wait_for_url("**/login/?next=/performance/board/")
    expect(board.page.get_by_label("Username")).to_be_visible()
