"""A real Chromium for browser tests: one launch per session, one clean context per test.

A page made by `open_page` remembers every console error, page error and Content-Security-Policy violation;
the test fails at its end if there was one (`page.expected_errors` names parts of those that are meant).
After a click, ask with `expect`, which waits for the page to come; `is_visible()` and its like look at once.
"""

import re
from collections.abc import Callable, Iterator
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from tests import chromium as program
from tests import plant as world

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
FOUND = {"resultTypes": ["violations"]}  # half of the time went into telling what is right
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
expect.set_options(timeout=15_000)  # a busy machine may take longer than the five seconds of old
SETTLED = """async () => {
    await document.fonts.ready;
    while (document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling"))
        await new Promise(requestAnimationFrame);
}"""
NOT_OURS = re.compile(r"favicon\.ico")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = program.find()
    assert path, "No Chromium in PATH; CHROMIUM may name its executable."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=program.FLAGS)
        yield browser
        browser.close()


class Visit:
    """A page in its own context, with what went wrong on it."""

    def __init__(self, page: Page, base: str, *, dark: bool = False):
        self.page = page
        self.dark = dark
        self.base = base
        self.wrong: list[str] = []
        self.expected_errors: list[str] = []
        page.on("console", lambda message: message.type in {"error", "warning"} and self.note(message.text))
        page.on("pageerror", lambda error: self.note(str(error)))

    def note(self, text: str) -> None:
        if not NOT_OURS.search(text):
            self.wrong.append(f"{self.page.url}: {text}")

    @property
    def unexpected(self) -> list[str]:
        return [text for text in self.wrong if not any(part in text for part in self.expected_errors)]

    def open(self, path: str) -> Response | None:
        """Goes there, waits for all that the page asks for by itself, and gives its answer."""
        answer = self.page.goto(f"{self.base}{path}")
        self.settle()
        return answer

    def goto(self, path: str) -> Page:
        self.open(path)
        return self.page

    def settle(self) -> None:
        """Waits for the page with its styles, scripts, fonts, and the parts that htmx fetches once it is there."""
        self.page.wait_for_load_state()
        self.page.evaluate(SETTLED)

    def log_in(self, username: str, password: str = world.PASSWORD) -> Page:
        """Through the log-in page, as people do it."""
        self.goto("/login/")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda address: "/login/" not in address)
        self.settle()
        return self.page

    def violations(self, *, all_rules: bool = False) -> list[str]:
        """What axe finds wrong on the page: rule, how bad, where. In the dark a page has the same parts in other
        colours: there only the rules of colours are asked, or `all_rules` where nobody looks at it in the light."""
        options = COLOURS if self.dark and not all_rules else WCAG
        found = Axe().run(self.page, options=options | FOUND).response["violations"]
        return [
            f"{self.page.url} {rule['id']} ({rule['impact']}): {node['target']} {node['html'][:160]}"
            f" {(node['any'] or [{}])[0].get('message', '')}"
            for rule in found
            for node in rule["nodes"]
        ]

    def overflow(self) -> int:
        """How many pixels the page is wider than the window (0 when nothing needs scrolling sideways)."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def visit(chromium, live_server) -> Iterator[Callable[..., Visit]]:
    """`visit(as_user="planner", size=PHONE, dark=True)` opens a browser for somebody, already logged in."""
    contexts, visits = [], []

    def open_page(as_user: str | None = None, *, size: dict = DESK, dark: bool = False, **options) -> Visit:
        context = chromium.new_context(
            viewport=size, color_scheme="dark" if dark else "light", locale="en-GB", timezone_id="Europe/Berlin",
            reduced_motion="reduce", **options,
        )  # fmt: skip
        contexts.append(context)
        made = Visit(context.new_page(), live_server.url, dark=dark)
        visits.append(made)
        if as_user:
            made.log_in(as_user)
        return made

    yield open_page
    for context in contexts:
        context.close()
    assert [text for made in visits for text in made.unexpected] == []


LOOKS = [
    pytest.param({"size": size, "dark": dark}, id=f"{name}-{'dark' if dark else 'light'}")
    for (name, size), dark in product((("phone", PHONE), ("desk", DESK)), (False, True))
]


@pytest.fixture(params=LOOKS)
def look(request) -> dict:
    """The four ways in which every page must work: phone and desk, light and dark."""
    return request.param
