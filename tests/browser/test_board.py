"""The wall board in a real browser: it keeps itself up to date, says when it cannot, and fits television and phone."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from assets import stops
from tests.browser.conftest import LOOKS, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TELEVISION = {"width": 1920, "height": 1080}
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
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        small = page.evaluate(
            """[...document.querySelectorAll(".board-machine strong, .board-machine .state, .board-answer")]
               .map(each => parseFloat(getComputedStyle(each).fontSize)).filter(size => size < 20)"""
        )
        assert small == []


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
