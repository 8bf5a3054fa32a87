"""The state timeline in a real browser: drawn in all looks, and a tap on a stop opens it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.test_performance import ALL_LOOKS, performance, wrong_on
from tests.browser.test_performance import day as day  # the fixtures
from tests.browser.test_performance import lived as lived

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Where on the canvas the longest span of a series lies.
MIDDLE = """([stage, name]) => {
    const chart = echarts.getInstanceByDom(stage);
    const { data } = chart.getOption().series.find((series) => series.name === name);
    const spans = data.map((each) => each.value ?? each).sort((one, other) => other[3] - one[3]);
    const [row, from, to] = spans[0];
    const [x, y] = chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [(from + to) / 2, row]);
    return { x, y };
}"""


def timeline(asset=None, **query) -> str:
    return performance(asset, **query).replace("/performance/", "/performance/timeline/")


@ALL_LOOKS
@pytest.mark.timeout(300)
def test_timelines_are_accessible_quiet_drawn_and_narrow_enough(visit, lived, look):
    seen = visit("manager", **look)
    addresses = [timeline(), timeline(lived.line, window="day"), timeline(lived.labeller), timeline(window="30d")]
    wrong = [each for address in addresses for each in wrong_on(seen, address)]
    assert not wrong, "\n".join(wrong)


def test_from_performance_over_the_timeline_to_the_very_stop(visit, lived, day):
    seen = visit("manager", size=PHONE, has_touch=True)
    page = seen.goto(performance(lived.line, window="day"))
    page.get_by_role("link", name="Timeline").tap()
    page.wait_for_url(lambda address: "/timeline/" in address and "window=day" in address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Timeline · L1", use_inner_text=True)
    chart = page.locator("tandem-chart").first
    chart.scroll_into_view_if_needed()
    expect(page.locator("tandem-chart").first).to_have_attribute("data-drawn", "")
    stage = chart.locator(".chart-stage")
    stage.tap(position=page.evaluate(MIDDLE, [stage.element_handle(), "Stopped"]))
    stop = lived.filler.downtimes.get(start=day.down)
    page.wait_for_url(f"**{stop.get_absolute_url()}")

    page.go_back()
    page.get_by_role("row").filter(has_text="Breakdown").get_by_role("link").tap()
    page.wait_for_url(f"**{stop.get_absolute_url()}")


def test_a_tip_tells_machine_state_reason_and_times_on_the_sites_clock(visit, lived, day):
    page = visit("manager").goto(timeline(lived.line, window="day"))
    expect(page.locator("tandem-chart").first).to_have_attribute("data-drawn", "")
    expect(page.locator(".chart-stage").first).to_have_attribute("aria-label", "State of each machine")
    stage = page.locator(".chart-stage").first
    said = stage.evaluate(
        """stage => {
            const { tooltip: [tip], series } = echarts.getInstanceByDom(stage).getOption();
            const stopped = series.find((each) => each.name === "Stopped");
            const [datum] = stopped.data;
            return tip.formatter({ seriesName: stopped.name, value: datum.value, name: datum.name });
        }"""
    ).split("\n")
    assert said[:2] == ["M1: Stopped", "Breakdown"]
    assert f"{day.down:%H:%M}" in said[2]
    assert f"{day.back:%H:%M}" in said[2]
    minutes = day.minutes * 3 // 10
    assert said[3] == f"{minutes // 60}:{minutes % 60:02d}\u202fh"
