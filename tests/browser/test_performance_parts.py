"""The Performance page comes in two parts: what is seen while the second is on its way, or when it does not come."""

from playwright.sync_api import expect

from tests.browser.test_performance import CHARTS, charts_of, performance
from tests.browser.test_performance import day as day  # the fixtures
from tests.browser.test_performance import lived as lived

MORE = "**/performance/?*part=more*"
PLACE = "each => each.getBoundingClientRect().y + scrollY"


def test_the_second_part_comes_by_itself_and_nothing_jumps(visit, lived):
    seen = visit("manager")
    held = []
    seen.page.route(MORE, lambda route: held.append(route))
    seen.page.goto(f"{seen.base}{performance(lived.line, window='day')}")
    expect(seen.page.locator(".tile").first).to_be_visible()
    waiting = seen.page.locator(".chart-waiting")
    expect(waiting.get_by_text("Loading …").first).to_be_visible()
    assert seen.violations() == []
    place = waiting.get_by_role("heading", name="Bad actors").evaluate(PLACE)
    held.pop().continue_()
    expect(waiting).to_have_count(0)
    actors = seen.page.locator(".chart-head").filter(has_text="Bad actors")
    assert abs(actors.evaluate(PLACE) - place) < 1, "What stands below trends stays where it was."
    assert list(charts_of(seen).values()) == [True] * len(CHARTS)


def test_when_it_does_not_come_the_page_says_so_and_leads_to_the_whole(visit, lived):
    seen = visit("manager")
    seen.expected_errors += ["ERR_FAILED", "htmx:"]
    seen.page.route(MORE, lambda route: route.abort())
    seen.page.goto(f"{seen.base}{performance(lived.line, window='day')}")
    expect(seen.page.locator(".toast-error")).to_be_visible()
    link = seen.page.locator(".chart-waiting").get_by_role("link").first
    expect(link).to_be_visible()
    seen.page.unroute(MORE)
    link.click()
    expect(seen.page.get_by_role("heading", name="Below")).to_be_visible()
    assert list(charts_of(seen).values()) == [True] * len(CHARTS)
