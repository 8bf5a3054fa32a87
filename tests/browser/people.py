"""What people do in their browsers, step by step, and what they read there; for stories in which several meet."""

import re

from playwright.sync_api import Page, expect

from assets.models import Asset
from tests.browser.conftest import Visit
from tests.browser.yesterday import Yesterday

BY_WORKER = 60_000  # ms that a busy worker may take


def plain(text: str) -> str:
    """Text as it is read: narrow and hard spaces are spaces."""
    return re.sub(r"\s+", " ", text).strip()


# --- Counts, stops and orders go in ----------------------------------------------------------------------


def import_counts(planner: Visit, file: bytes) -> str:
    """Upload, dry run, import; the last two are a worker's. Answers with the sentence at the end."""
    page = planner.goto("/imports/new/")
    page.get_by_label("What the file holds").select_option(label="Production counts")
    page.locator("input[type=file]").set_input_files({"name": "counts.csv", "mimeType": "text/csv", "buffer": file})
    page.get_by_role("button", name="Read the file").click()
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name=re.compile("^Import .* rows$")).click(timeout=BY_WORKER)
    said = page.get_by_text("rows imported")
    expect(said).to_be_visible(timeout=BY_WORKER)
    return said.inner_text()


def record_a_failure(technician: Visit, asset: Asset, day: Yesterday) -> str:
    """At the machine: it was down since that moment, is back since the other. Answers with the stop's address."""
    page = technician.goto(asset.get_absolute_url())
    page.get_by_role("link", name="It was earlier").click()
    page.get_by_label("Since").fill(f"{day.down:%Y-%m-%dT%H:%M}")
    page.get_by_label("Reason").select_option(label="Breakdown")
    page.get_by_label("It was a failure").check()
    page.get_by_role("button", name="Is down").click()
    page.wait_for_url(f"**{asset.get_absolute_url()}")
    stop = page.locator(".now-words a").get_attribute("href")
    page.get_by_role("link", name="It was earlier").click()
    page.get_by_label("Since").fill(f"{day.back:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Is back").click()
    page.get_by_text(f"{asset.code} is back after").wait_for()
    return stop


def raise_order(technician: Visit, asset: Asset, summary: str) -> None:
    page = technician.goto(f"{asset.get_absolute_url()}?tab=work")
    page.get_by_role("link", name="New order").click()
    page.get_by_label("Summary").fill(summary)
    page.get_by_role("button", name="Raise").click()
    page.get_by_role("heading", level=1).get_by_text(summary).wait_for()


# --- Planning and doing ----------------------------------------------------------------------------------


def approve(planner: Visit, summary: str) -> None:
    page = planner.goto("/planning/")
    waiting = page.locator(".backlog-list li").filter(has_text=summary)
    waiting.get_by_role("button", name="Approve").click()
    waiting.get_by_role("link", name="Assign").wait_for()


def give_to(planner: Visit, person: str, summary: str) -> None:
    """From the backlog into the week, today."""
    page = planner.goto("/planning/")
    waiting = page.locator(".backlog-list li").filter(has_text=summary)
    waiting.get_by_role("link", name="Assign").click()
    page.get_by_label("Person").select_option(label=person)
    page.get_by_role("button", name="Assign").click()
    page.locator(".week .job").filter(has_text=summary).wait_for()


def my_work(person: Visit) -> dict[str, list[str]]:
    """Heading → the orders under it."""
    page = person.goto("/my-work/")
    return {
        group.locator("h2").inner_text().splitlines()[0]: group.locator(".work-link strong").all_inner_texts()
        for group in page.locator(".work-group").all()
    }


def do_all_checks(technician: Visit, summary: str, checks: int) -> None:
    """From My work: start, everything is in order, complete."""
    page = technician.goto("/my-work/")
    page.locator(".work-card").filter(has_text=summary).get_by_role("button", name="Start").click()
    page.get_by_role("button", name=f"All {checks} checks OK").click()
    page.get_by_text(f"{checks}/{checks}").wait_for()
    page.locator(".move-bar").get_by_role("button", name="Complete").click()
    page.get_by_text("is completed").first.wait_for()


# --- Reading figures -------------------------------------------------------------------------------------


def figures_of(page: Page) -> dict[str, str]:
    """The headline tiles of a page of figures."""
    return {
        tile.locator(".tile-label").inner_text(): plain(tile.locator(".tile-value").inner_text())
        for tile in page.locator("main > .tiles .tile").all()
    }


def figures_of_yesterday(manager: Visit) -> dict[str, str]:
    page = manager.goto("/performance/")
    pick_window(page, "Yesterday")
    page.wait_for_url("**window=day*")
    return figures_of(page)


def pick_window(page: Page, name: str) -> None:
    """From the window picker of a page of figures."""
    page.locator(".window-summary").click()
    page.locator(".window-sheet").get_by_role("link", name=name, exact=True).click()


def why(manager: Visit, figure: str) -> tuple[str, list[tuple[str, ...]]]:
    """Behind a figure of the page of figures: how it was calculated, and the stops that went in with their links."""
    page = manager.page
    page.locator(".tile").get_by_role("link", name=figure, exact=True).click()
    page.wait_for_url("**/performance/figure/**")
    calculation = page.locator("dt", has_text="With its numbers").locator("xpath=following-sibling::dd[1]")
    stops = page.locator("section").filter(has=page.get_by_role("heading", name="Stops", exact=True))
    rows = [
        (*map(plain, row.locator("td").all_inner_texts()), row.locator("a").get_attribute("href").split("?")[0])
        for row in stops.locator("tbody tr").all()
    ]
    return plain(calculation.inner_text()), rows


def follow(visit: Visit, link: str) -> str:
    """What the page behind a link says first: its heading and the sentence below."""
    page = visit.page
    page.locator(f"tbody a[href^='{link}?']").first.click()
    page.wait_for_url(f"**{link}*")
    heading = page.evaluate("document.querySelector('h1').firstChild.textContent")
    return f"{plain(heading)}: {plain(page.locator('.page-head .answer').inner_text())}"
