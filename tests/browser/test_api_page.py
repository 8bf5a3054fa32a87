"""The page that describes the REST API."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_api_page_opens_an_operation_and_keeps_to_the_rules(transactional_db, plant, visit, look, tmp_path):
    made = visit("planner", **look)
    page = made.goto("/api/docs/")
    expect(page.get_by_role("heading", level=1)).to_have_text("REST API", use_inner_text=True)
    operation = page.locator("#post-assets")
    operation.locator("summary").click()
    expect(operation.get_by_role("rowheader", name="parent").first).to_be_visible()
    page.screenshot(path=tmp_path / "api.png")
    assert made.overflow() == 0
    assert made.violations() == []
