"""Figures in a real browser: the Performance page, the page behind each figure, and the asset's tab."""

from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from assets import stops
from assets.stops import StopEntry
from kpis import kept, net_margins, reporting, targets, weeks
from kpis.computing import compute_due
from kpis.definitions import DEFINITIONS
from kpis.models import KeptReport
from kpis.report import compose
from people.models import Membership
from production.counting import CountEntry, record_counts
from tests import plant as world
from tests.browser.conftest import LOOKS, PHONE, Visit
from tests.browser.people import figures_of, pick_window, plain
from tests.browser.yesterday import Yesterday

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TABLET = {"width": 820, "height": 1180}
ALL_LOOKS = pytest.mark.parametrize(
    "look", [*LOOKS, pytest.param({"size": TABLET, "dark": False}, id="tablet-light")]
)  # fmt: skip
OF_VALUE = "maintenance_cost_of_replacement_value"
CHARTS = ["Where planned time went", "Stops by reason", "Availability and OEE", "MTBF", "Bad actors"]


@pytest.fixture
def day(plant) -> Yesterday:
    return Yesterday.at(plant.berlin)


@pytest.fixture
def lived(plant, day) -> world.Plant:
    """M1 was counted, failed, was set up and is down now; M3 made more than it can; of M2 nothing is known. An hour of
    the line has its price, the site its margin, and the manager gets the report.
    """
    type(plant.line).objects.filter(pk=plant.line.pk).update(downtime_cost=900, replacement_value=2_000_000)
    type(plant.filler).objects.filter(pk=plant.filler.pk).update(downtime_cost=400)
    net_margins.VERBS.set(plant.berlin, {"amount": 2_000_000, "valid_from": date(2020, 1, 1)}, by=plant.manager)
    reporting.subscribe(plant.berlin, None, by=plant.manager)
    fast = {"good": Decimal(day.minutes), "ideal_cycle": Decimal(120)}
    made = {name: Decimal(value) for name, value in day.made.items()}
    record_counts(
        [
            CountEntry(plant.filler, day.start, day.end, **made),
            CountEntry(plant.palletiser, day.start, day.end, **fast),
        ],
        by=plant.technician,
    )
    stops.record_stops(
        [
            StopEntry(plant.filler, day.down, day.back, plant.breakdown, is_failure=True),
            StopEntry(plant.filler, day.back, day.back + timedelta(minutes=30), plant.setup),
            StopEntry(plant.filler, day.start - timedelta(days=3), day.start - timedelta(days=2), plant.lunch),
        ],
        by=plant.technician,
    )
    stops.open_stop(plant.filler, by=plant.technician, at=max(day.end, timezone.now() - timedelta(minutes=5)))
    compute_due()
    return plant


def performance(asset=None, **query) -> str:
    asked = query | ({"asset": asset.pk} if asset else {})
    return f"/performance/?{'&'.join(f'{name}={value}' for name, value in asked.items())}"


def wrong_on(seen: Visit, address: str) -> list[str]:
    """What a person could stumble over on the page; every chart has been scrolled to and drawn."""
    response = seen.open(address)
    blank = [name for name, painted in charts_of(seen).items() if not painted]
    return [
        *([f"{address} answered {response.status}"] if response.status != 200 else []),
        *(f"{address}: the chart {name!r} is blank" for name in blank),
        *seen.violations(),
        *([f"{address} is {seen.overflow()} px too wide"] if seen.overflow() else []),
    ]


def charts_of(seen: Visit) -> dict[str, bool]:
    """Title of each chart → whether there is something on its canvas."""
    found = {}
    for chart in seen.page.locator("tandem-chart").all():
        chart.scroll_into_view_if_needed()
        painted = seen.page.wait_for_function(
            """chart => {
                if (chart.dataset.drawn === undefined) return null;
                const canvas = chart.querySelector("canvas");
                const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                return {painted: pixels.some((value, place) => place % 4 === 3 && value > 0)};
            }""",
            arg=chart.element_handle(),
        )
        found[chart.get_attribute("name")] = painted.json_value()["painted"]
    return found


# --- Everything in all looks --------------------------------------------------------------------------


@ALL_LOOKS
@pytest.mark.timeout(600)  # a dozen pages with axe, on a machine that may be busy
def test_pages_of_figures_are_accessible_quiet_drawn_and_narrow_enough(visit, lived, day, look):
    seen = visit("manager", **look)
    of = {code: asset.pk for code, asset in (("L1", lived.line), ("M2", lived.labeller), ("M3", lived.palletiser))}
    week = weeks.running(lived.berlin, day.start)
    kept.keep(compose(lived.berlin, lived.labeller, week, now=timezone.now()))
    sent = KeptReport.objects.get().pk
    figure = "/performance/figure/?from={}&to={}&scope=leaves&definition=".format(*day.days)
    addresses = [
        performance(), performance(window="day"), performance(lived.line, window="year"),
        performance(lived.filler, window="7d"), performance(lived.labeller),
        performance(**{"from": "2030-01-01", "to": "2030-01-07"}), performance(**{"from": "soon", "to": ""}),
        f"{figure}availability&site=berlin", f"{figure}mtbf&asset={of['M3']}", f"{figure}oee&asset={of['M3']}",
        f"{figure}availability&asset={of['M2']}", f"{figure}mttr&asset={of['L1']}",
        "/performance/report/", f"/performance/report/?week={week}", f"/performance/report/?week={week}&asset=M2",
        f"/performance/report/?week={week}&asset=M2&sent={sent}", "/performance/definitions/",
        f"{figure}downtime_cost&asset={of['L1']}&definition_version=1", f"{figure}{OF_VALUE}&asset={of['L1']}",
        f"{figure}downtime_cost_of_margin&asset={of['L1']}", "/performance/net-margin/", "/performance/net-margin/new/",
        f"{lived.filler.get_absolute_url()}?tab=performance", f"{lived.labeller.get_absolute_url()}?tab=performance",
    ]  # fmt: skip
    wrong = [each for address in addresses for each in wrong_on(seen, address)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("size", [PHONE, TABLET], ids=["phone", "tablet"])
def test_a_legend_of_several_rows_leaves_the_axis_alone(visit, lived, size):
    seen = visit("manager", size=size)
    seen.goto(performance(lived.filler, window="30d"))
    charts_of(seen)
    tops = {
        name: seen.page.locator(f'tandem-chart[name="{name}"]').evaluate(
            "each => echarts.getInstanceByDom(each.stage).getOption().grid[0].top"
        )
        for name in ("Availability and OEE", "Stops by reason")
    }
    several = {"Availability and OEE": 52 if size == PHONE else 36}
    assert tops == {"Stops by reason": 36} | several


# --- What they say ------------------------------------------------------------------------------------


def test_a_plant_without_records_says_so_and_shows_no_zero(visit, plant):
    seen = visit("manager", size=PHONE)
    assert wrong_on(seen, performance()) == []
    page = seen.page
    assert figures_of(page) == dict.fromkeys(("Availability", "MTBF", "MTTR", "OEE"), "no data")
    assert page.locator(".page-head .answer").inner_text() == (
        "Nothing was recorded in this window, so there is no figure to show."
    )
    expect(page.locator(".chart-head")).to_have_text(CHARTS, use_inner_text=True)
    expect(page.get_by_text("No data for this period.")).to_have_count(len(CHARTS))
    assert charts_of(seen) == {}


def test_somebody_without_a_site_is_told_whom_to_ask(visit, plant):
    Membership.objects.filter(user=plant.manager).delete()
    seen = visit("manager", size=PHONE)
    assert wrong_on(seen, performance()) == []
    expect(seen.page.get_by_text("You have no site yet; ask an administrator for a role.")).to_be_visible()


def test_each_figure_says_what_it_is_worth_and_where_it_comes_from(visit, lived, day):
    page = visit("manager").goto(performance(lived.line, window="day"))
    lost = day.hours * 0.3 + 0.5
    operating, planned = 2 * day.hours - lost, 2 * day.hours
    assert figures_of(page) == {
        "Availability": f"{operating / planned * 100:.1f} %",
        "MTBF": f"{operating:.1f} h",
        "MTTR": f"{day.hours * 0.3:.1f} h",
        "OEE": "125.0 %",
    }
    marks = {
        each.locator("a").inner_text(): each.locator(".state").inner_text()
        for each in page.locator("main > .tiles .tile").all()
    }
    assert marks == {"Availability": "Partial", "MTBF": "Partial", "MTTR": "Partial", "OEE": "Suspect"}
    rows = page.locator("section").filter(has=page.get_by_role("heading", name="Below")).locator("tbody tr")
    assert [plain(row.inner_text()) for row in rows.all()] == [
        f"M1 · Filler {(day.hours - lost) / day.hours * 100:.1f} % {day.hours - lost:.1f} h 50.0 %",
        "M2 · Labeller no data no data no data",
        "M3 · Palletiser 100.0 % undefined 200.0 %",
    ]


def test_the_window_is_picked_moved_and_typed(visit, lived, day):
    seen = visit("manager", size=PHONE)
    page = seen.goto(performance(lived.filler))
    pick_window(page, "Yesterday")
    page.wait_for_url("**window=day*")
    expect(page.locator(".window-label")).to_have_text("Yesterday", use_inner_text=True)
    assert page.locator(".window-group [aria-current]").all_text_contents() == ["Yesterday"]
    page.get_by_role("link", name="Earlier").click()
    before = day.start - timedelta(hours=12)
    page.wait_for_url(f"**from={before:%Y-%m-%d}&to={before:%Y-%m-%d}")
    page.get_by_role("link", name="Later").click()
    page.wait_for_url("**from={0}&to={0}".format(day.days[0]))
    expect(page.locator(".window-label")).to_have_text("Yesterday", use_inner_text=True)
    page.locator(".window-summary").click()
    page.get_by_label("From", exact=True).fill("2026-01-31")
    page.get_by_label("To", exact=True).fill("2026-01-01")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("alert").inner_text().startswith("The last day lies before the first. Shown instead: ")
    expect(page.get_by_role("heading", level=1)).to_have_text("M1 · Filler", use_inner_text=True)
    pick_window(page, "Nothing")
    page.wait_for_url("**compare=none*")
    expect(page.get_by_text("Compared with")).to_have_count(0)


def test_the_picker_is_used_by_keyboard_alone(visit, lived):
    page = visit("manager").goto(performance(lived.filler))
    page.locator(".window-summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent.trim()") == "This shift"
    page.keyboard.press("Escape")
    expect(page.locator(".window-sheet")).to_be_hidden()
    page.keyboard.press("Enter")
    page.get_by_label("From", exact=True).focus()
    page.keyboard.press("ArrowUp")  # belongs to the field
    assert page.evaluate("document.activeElement.name") == "from"


@ALL_LOOKS
def test_the_open_picker_fits_and_is_accessible(visit, plant, look):
    seen = visit("manager", **look)
    page = seen.goto(performance(window="shift", compare="year"))
    page.locator(".window-summary").click()
    assert seen.violations() == []
    assert seen.overflow() == 0
    assert page.get_by_role("alert").inner_text().startswith("No operating calendar says when shifts begin.")


@pytest.mark.parametrize("figure", ["Availability", "MTBF", "MTTR", "OEE"])
def test_a_tile_opens_its_reasons_whose_links_all_lead_somewhere_and_back(visit, lived, day, figure):
    seen = visit("manager", size=PHONE)
    page = seen.goto(performance(lived.line, window="day"))
    shown = figures_of(page)[figure]
    page.locator(".tile").get_by_role("link", name=figure, exact=True).click()
    page.wait_for_url("**/performance/figure/**")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{figure} · L1", use_inner_text=True)
    assert plain(page.locator(".figure-value").inner_text()).startswith(shown)

    links = {each.get_attribute("href") for each in page.locator("main a").all()}
    assert {link.split("?")[0] for link in links if not link.startswith("/performance/")} >= {
        *(stop.get_absolute_url() for stop in lived.filler.downtimes.filter(start__gte=day.start, start__lt=day.end)),
        lived.filler.failures.get().get_absolute_url(),
        lived.labeller.get_absolute_url(),
    }
    answers = {link: page.request.get(f"{seen.base}{link}", max_redirects=0).status for link in links}
    assert answers == dict.fromkeys(links, 200)

    page.locator(".crumbs").get_by_role("link", name="Performance").click()
    page.wait_for_url(lambda address: "/figure/" not in address)
    expect(page.get_by_role("heading", level=1)).to_have_text("L1 · Line 1", use_inner_text=True)
    assert figures_of(page)[figure] == shown


def test_from_a_red_tile_to_the_very_stop_that_caused_it_and_back_in_four_taps(visit, plant, day):
    cause = [StopEntry(plant.filler, day.down, day.back, plant.breakdown, is_failure=True)]
    short = [
        StopEntry(plant.labeller, at, at + timedelta(minutes=1), plant.setup)
        for at in (day.back + timedelta(minutes=5 * number) for number in range(30))
    ]
    night = [StopEntry(plant.palletiser, day.start, day.start + timedelta(hours=8), plant.lunch)]  # longer, but no loss
    stops.record_stops([*cause, *short, *night], by=plant.technician)
    long = plant.filler.downtimes.get()
    goal = {"definition": "availability", "value": 0.95, "owner": plant.manager, "valid_from": date(2026, 1, 1)}
    targets.set_target(plant.berlin, plant.line, goal, by=plant.manager)
    compute_due()
    page = visit("manager", size=PHONE, has_touch=True).goto(performance(plant.line, window="day"))
    taps = []

    def tap(link) -> None:
        box = link.bounding_box()
        assert box["y"] + box["height"] <= PHONE["height"], "It is seen without scrolling."
        here = page.url
        link.tap()
        page.wait_for_url(lambda address: address != here)
        taps.append(link)

    red = page.locator(".tile-stop")
    assert red.locator(".tile-label").all_inner_texts() == ["Availability"]
    before = figures_of(page)

    tap(red.get_by_role("link", name="Availability", exact=True))
    assert "M1" in page.locator(".figure-cause").inner_text()
    assert page.locator("tbody a[href*='/downtime/']").first.get_attribute("href").startswith(long.get_absolute_url())
    tap(page.locator(".figure-cause").get_by_role("link"))
    assert urlsplit(page.url).path == long.get_absolute_url()
    assert page.locator("h1").inner_text().startswith("Stop of M1")

    tap(page.locator(".crumbs").get_by_role("link", name="Back"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Availability · L1", use_inner_text=True)
    tap(page.locator(".crumbs").get_by_role("link", name="Performance"))
    assert (page.get_by_role("heading", level=1).inner_text(), figures_of(page)) == ("L1 · Line 1", before)
    expect(page.locator(".window-label")).to_have_text("Yesterday", use_inner_text=True)
    expect(page.locator(".tile-stop")).to_have_count(1)
    assert len(taps) == 4


def test_from_a_red_oee_to_the_machine_and_the_counts_that_lost_the_speed_and_back(visit, plant, day):
    made = {plant.filler: day.minutes * 9 // 10, plant.labeller: day.minutes // 2}
    entries = [
        CountEntry(machine, day.start, day.end, good=Decimal(good), ideal_cycle=Decimal(60))
        for machine, good in made.items()
    ]
    record_counts(entries, by=plant.technician)
    stops.record_stops(
        [StopEntry(plant.filler, day.down, day.down + timedelta(minutes=5), plant.breakdown)], by=plant.technician
    )
    goal = {"definition": "oee", "value": 0.95, "owner": plant.manager, "valid_from": date(2026, 1, 1)}
    targets.set_target(plant.berlin, plant.line, goal, by=plant.manager)
    compute_due()
    page = visit("manager", size=PHONE, has_touch=True).goto(performance(plant.line, window="day"))
    taps = []

    def tap(link) -> None:
        here, box = page.url, link.bounding_box()
        assert box["y"] + box["height"] <= PHONE["height"], "It is seen without scrolling."
        link.tap()
        page.wait_for_url(lambda address: address != here)
        taps.append(link)

    title = page.get_by_role("heading", level=1)
    tap(page.locator(".tile-stop").get_by_role("link", name="OEE", exact=True))
    cause = page.locator(".figure-cause")
    expect(cause).to_contain_text("Largest loss: Reduced speed")
    tap(cause.get_by_role("link").first)
    expect(title).to_have_text("OEE · M2", use_inner_text=True)
    expect(cause).to_contain_text("Largest loss: Reduced speed")
    tap(cause.get_by_role("link", name="Counts of M2"))
    assert urlsplit(page.url).path == plant.labeller.get_absolute_url()
    expect(page.locator("#panel")).to_contain_text(f"{made[plant.labeller]}")

    tap(page.locator(".crumbs").get_by_role("link", name="Back"))
    expect(title).to_have_text("OEE · M2", use_inner_text=True)
    tap(page.locator(".crumbs").get_by_role("link", name="Back"))
    expect(title).to_have_text("OEE · L1", use_inner_text=True)
    tap(page.locator(".crumbs").get_by_role("link", name="Performance"))
    expect(title).to_have_text("L1 · Line 1", use_inner_text=True)
    assert len(taps) == 6


@pytest.mark.parametrize("figure", DEFINITIONS)
def test_every_figure_of_every_kind_of_machine_has_its_reasons(client, lived, day, figure):
    client.force_login(lived.manager)
    first, past = day.days
    asked = {"from": first, "to": past, "definition": figure, "scope": "leaves"}
    for asset in (lived.line, lived.filler, lived.labeller, lived.palletiser):
        page = client.get("/performance/figure/", {**asked, "asset": asset.pk})
        assert (page.status_code, page.context["figure"].asset) == (200, asset)
        assert (page.context["figure"].value is None) == (page.context["said"] in {"no data", "undefined"})
