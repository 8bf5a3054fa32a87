"""The kit in a real browser: keyboard and thumb, light and dark, lists, forms, charts."""

import pytest
from playwright.sync_api import expect

from tests import plant as world
from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("sample_pages")]


def test_pages_of_the_kit_are_accessible_and_fit_in_all_looks(visit, plant, look):
    for number in range(4):
        world.asset(plant.berlin, f"N{number}", f"Conveyor {number}", parent=plant.line, downtime_cost=1234.5)
    seen = visit("planner", **look)
    wrong = []
    paths = ["/sample/", "/sample/?name=fil&criticality=A", f"/sample/{plant.filler.pk}/", "/sample/new/",
             f"/sample/{plant.filler.pk}/archive/", "/search/?q=con", "/password/"]  # fmt: skip
    for path in paths:
        seen.goto(path)
        wrong += seen.violations()
        wrong += [f"{path} is {seen.overflow()} px too wide"] if seen.overflow() else []
    assert wrong == []


@pytest.mark.parametrize("path", ["/login/", "/nowhere/"])
def test_pages_without_the_frame_are_accessible(visit, plant, look, path):
    seen = visit(None if path == "/login/" else "planner", **look)
    seen.expected_errors = ["404"]
    seen.goto(path)
    assert seen.violations() == []
    assert seen.overflow() == 0


def test_slash_goes_to_the_search_and_enter_finds(visit, plant):
    seen = visit("planner")
    page = seen.goto("/sample/")
    page.keyboard.press("/")
    page.keyboard.type("labeler")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/sample/{plant.labeller.pk}/")
    assert page.get_by_role("heading", level=1).inner_text().startswith("M2 · Labeller")


def test_a_slash_while_typing_is_a_slash(visit, plant):
    seen = visit("planner")
    page = seen.goto("/sample/new/")
    page.get_by_label("Name").press_sequentially("A/B")
    expect(page.get_by_label("Name")).to_have_value("A/B")
    page.on("dialog", lambda dialog: dialog.accept())


def test_the_list_follows_its_filters_without_a_new_page(visit, plant):
    seen = visit("planner")
    page = seen.goto("/sample/?sort=-code")
    page.evaluate("window.same = true")
    page.get_by_label("Name", exact=True).press_sequentially("pall")
    page.wait_for_url("**/sample/?sort=-code&name=pall")
    page.get_by_role("link", name="M3").wait_for()
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
    assert page.evaluate("window.same") is True
    page.get_by_role("link", name="Remove filter Name").click()
    page.wait_for_url("**/sample/?*")
    expect(page.locator("table.rows tbody tr")).to_have_count(4)


def test_choosing_rows_shows_what_can_be_done_with_them(visit, plant):
    seen = visit("planner")
    page = seen.goto("/sample/")
    bar = page.locator(".bulk-bar")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose M1 · Filler").check()
    expect(page.locator(".bulk-count")).to_have_text("1 row chosen", use_inner_text=True)
    page.get_by_label("Choose all rows of this page").check()
    expect(page.locator(".bulk-count")).to_have_text("4 rows chosen", use_inner_text=True)
    bar.get_by_role("button", name="Rename").click()
    page.get_by_label("Name").fill("Twin")
    page.get_by_role("button", name="Rename").click()
    page.get_by_text("4 renamed by planner.").wait_for()
    expect(page.locator("td.phone-subtitle")).to_have_text(["Twin"] * 4, use_inner_text=True)


def test_a_search_box_is_worked_by_keyboard_alone(visit, plant):
    seen = visit("planner")
    page = seen.goto("/sample/new/")
    box = page.get_by_role("combobox", name="Parent")
    box.press_sequentially("pallet")
    page.get_by_role("option", name="M3 · Palletiser").wait_for()
    assert seen.violations() == []
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("M3 · Palletiser")
    page.get_by_label("Code").fill("N1")
    page.get_by_label("Name").fill("Conveyor")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("N1 · Conveyor is saved.").wait_for()
    assert type(plant.line).objects.get(code="N1").parent == plant.palletiser


def test_an_abandoned_word_in_a_search_box_changes_nothing(visit, plant):
    seen = visit("planner")
    page = seen.goto(f"/sample/{plant.filler.pk}/edit/")
    box = page.get_by_role("combobox", name="Parent")
    box.fill("zzzz")
    page.get_by_text("Nothing found").wait_for()
    box.press("Tab")
    expect(box).to_have_value("L1 · Line 1")


def test_a_wrong_form_takes_the_reader_to_the_field(visit, plant):
    seen = visit("planner")
    seen.expected_errors = ["422"]
    page = seen.goto("/sample/new/")
    page.get_by_label("Name").fill("Conveyor")
    page.get_by_role("button", name="Save").click()
    errors = page.get_by_role("alert")
    errors.wait_for()
    assert seen.violations() == []
    errors.get_by_role("link", name="Code").click()
    assert page.evaluate("document.activeElement.id") == "id_code"
    expect(page.get_by_label("Name")).to_have_value("Conveyor")
    page.on("dialog", lambda dialog: dialog.accept())


def test_unsaved_typing_asks_before_it_is_lost(visit, plant):
    seen = visit("planner")
    page = seen.goto("/sample/new/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Name").press_sequentially("Conveyor")
    page.get_by_role("link", name="Back").click()
    assert asked == ["beforeunload"]
    expect(page.get_by_label("Name")).to_have_value("Conveyor")


def test_colours_follow_the_device_until_chosen_and_then_stay_without_a_flash(visit, plant):
    seen = visit("planner", dark=True)
    page = seen.goto("/sample/")
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == "dark"
    page.locator("summary.person").click()
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(theme) == "light"
    answer = page.request.get(f"{seen.base}/sample/")
    assert 'data-bs-theme="light"' in answer.text()  # drawn by the server, so nothing flashes
    page.get_by_role("button", name="Auto").click()
    assert page.evaluate(theme) == "dark"


def test_a_menu_closes_on_escape_and_gives_the_focus_back(visit, plant):
    seen = visit("planner")
    page = seen.goto("/sample/")
    page.locator("summary.person").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Change password").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Change password")).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "person"


@pytest.mark.parametrize("part", ["a list", "a tab"])
def test_back_leads_to_the_page_and_not_to_the_part_of_it_that_was_fetched_last(visit, plant, part):
    seen = visit("planner")
    if part == "a list":
        page = seen.goto("/assets/?view=list")
        with page.expect_response("**/assets/?*search=filler*"):
            page.locator("[hx-get] input[name=search]").fill("filler")
    else:
        page = seen.goto(plant.filler.get_absolute_url())
        page.get_by_role("link", name="History").click()
        page.wait_for_url("**?tab=history")
    title = page.get_by_role("heading", level=1).inner_text()
    seen.settle()
    seen.goto("/performance/")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(title, use_inner_text=True)


def test_a_tab_is_loaded_into_the_page_and_has_an_address(visit, plant):
    seen = visit("planner")
    page = seen.goto(f"/sample/{plant.filler.pk}/")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Diary").click()
    page.get_by_text("Nothing has happened yet.").wait_for()
    assert page.evaluate("window.same") is True
    assert page.url.endswith("?tab=sample-history")
    expect(page.get_by_role("link", name="Diary")).to_have_attribute("aria-current", "page")
    page.go_back()
    page.get_by_text("About this machine").wait_for()


def test_charts_are_drawn_follow_the_colours_and_can_be_read_as_tables(visit, plant, look):
    seen = visit("planner", **look)
    page = seen.goto(f"/sample/{plant.filler.pk}/")
    chart = page.locator("tandem-chart").first
    chart.scroll_into_view_if_needed()
    expect(page.locator("tandem-chart").first).to_have_attribute("data-drawn", "")
    drawn = chart.evaluate("each => echarts.getInstanceByDom(each.stage).getOption()")
    ink = {True: "#35a5b0", False: "#17818c"}[look["dark"]]
    assert drawn["series"][0]["lineStyle"]["color"] == ink
    assert drawn["series"][0]["data"][2] is None
    chart.get_by_text("Show as table").click()
    assert chart.get_by_role("row", name="03 Nov").inner_text().split() == ["03", "Nov", "no", "data"]
    assert seen.violations() == []


def test_a_chart_is_saved_as_a_picture(visit, plant):
    seen = visit("planner")
    page = seen.goto(f"/sample/{plant.filler.pk}/")
    expect(page.locator("tandem-chart").first).to_have_attribute("data-drawn", "")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").first.click()
    assert download.value.suggested_filename == "Availability.png"


def test_charts_are_only_fetched_where_there_are_some(visit, plant):
    seen = visit("planner")
    fetched = []
    seen.page.on("request", lambda request: fetched.append(request.url))
    seen.goto("/sample/")
    assert [url for url in fetched if "echarts" in url] == []
    seen.goto(f"/sample/{plant.filler.pk}/")
    expect(seen.page.locator("tandem-chart").first).to_have_attribute("data-drawn", "")
    assert len([url for url in fetched if "echarts.min.js" in url]) == 1


def test_every_target_of_a_phone_is_large_enough_for_a_thumb(visit, plant):
    """44 px, WCAG 2.5.5: buttons, fields and the bar at the thumb; links in running text are exempt."""
    seen = visit("planner", size=PHONE)
    targets = (
        ".btn, .form-control, .form-select, .tabbar-entry, .icon-button, .tabs a, .person, .site-switch, .check, .hit"
    )
    small = []
    for path in ("/sample/", "/sample/new/", f"/sample/{plant.filler.pk}/"):
        page = seen.goto(path)
        small += page.evaluate(
            """(targets) => [...document.querySelectorAll(targets)]
              .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 43.5)
              .map((each) => each.outerHTML.slice(0, 80))""",
            targets,
        )
    assert small == []


def test_a_list_works_without_scripts(chromium, live_server, plant):
    context = chromium.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(f"{live_server.url}/login/?next=/sample/")
    page.get_by_label("Username").fill("planner")
    page.get_by_label("Password").fill(world.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Name", exact=True).fill("pall")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name="M3").click()
    page.get_by_role("link", name="Diary").click()
    expect(page.get_by_text("Nothing has happened yet.")).to_be_visible()
    context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_unreadable_colours_are_found_in_the_light_and_in_the_dark(visit, plant, dark):
    seen = visit("planner", dark=dark)
    page = seen.goto("/work-orders/")
    assert seen.violations() == []
    page.evaluate("Object.assign(document.querySelector('h1').style, {color: '#777', background: '#666'})")
    assert any("color-contrast" in each for each in seen.violations())
