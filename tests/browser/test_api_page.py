"""The page that describes the REST API."""

import pytest

pytestmark = pytest.mark.browser


def test_the_api_page_opens_an_operation_and_keeps_to_the_rules(transactional_db, plant, visit, look, tmp_path):
    made = visit("planner", **look)
    page = made.goto("/api/docs/")
    assert page.get_by_role("heading", level=1).inner_text() == "REST API"
    operation = page.locator("#post-assets")
    operation.locator("summary").click()
    assert operation.get_by_role("rowheader", name="parent").first.is_visible()
    page.screenshot(path=tmp_path / "api.png")
    assert made.overflow() == 0
    assert made.violations() == []
