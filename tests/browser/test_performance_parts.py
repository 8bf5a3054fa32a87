"""The Performance page comes in two parts: what is seen while the second is on its way, or when it does not come."""

from playwright.sync_api import expect

from tests.browser.test_performance import CHARTS, charts_of, performance
from tests.browser.test_performance import day as day  # the fixtures
from tests.browser.test_performance import lived as lived

MORE = "**/performance/?*part=more*"
JUMPS = """() => new Promise(resolve => new PerformanceObserver(list => resolve(
    list.getEntries().map(each => each.value).reduce((one, other) => one + other, 0)
)).observe({type: "layout-shift", buffered: true}) || setTimeout(() => resolve(0), 500))"""


def test_the_second_part_comes_by_itself_and_nothing_jumps(visit, lived):
    seen = visit("manager")
    held = []
    seen.page.route(MORE, lambda route: held.append(route))
    seen.page.goto(f"{seen.base}{performance(lived.line, window='day')}")
    expect(seen.page.locator(".tile").first).to_be_visible()
    waiting = seen.page.locator(".chart-waiting")
    expect(waiting.get_by_text("Loading …").first).to_be_visible()
    assert seen.violations() == []
    place = waiting.bounding_box()
    held.pop().continue_()
    expect(waiting).to_have_count(0)
    trends = seen.page.locator(".chart-grid").nth(1)
    assert abs(trends.bounding_box()["y"] - place["y"]) < 1
    assert list(charts_of(seen).values()) == [True] * len(CHARTS)
    assert seen.page.evaluate(JUMPS) < 0.1


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
