"""Addresses that nobody wrote on a page of ours: whatever stands in them, no page breaks."""

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.workorders.orders import order

NAMES = (
    "ancestor", "archived", "asset", "by", "compare", "criticality", "day", "definition", "export", "from", "kind",
    "next", "of", "open", "page", "parent", "person", "plan", "q", "reason", "search", "since", "site", "sort", "state",
    "tab", "to", "until", "view", "week", "window",
)  # fmt: skip


def addresses(patterns, prefix: str = "") -> list[str]:
    """Every page that needs no id."""
    found = []
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            found += [f"/{path}"] if "<" not in path and "(" not in path else []
        else:
            found += addresses(each.url_patterns, path)
    return [path for path in found if not path.startswith(("/api/", "/logout/"))]


PAGES = addresses(get_resolver().url_patterns)


@pytest.mark.parametrize("text", ["zz", "9" * 30, "9999-12-31", "2026-02-30", "9999-W52", "%00", "-1", "%C2%B2"])
def test_no_page_breaks(plant, text):
    assert len(PAGES) > 40
    client = Client(raise_request_exception=False)
    client.force_login(plant.administrator)
    row = order(plant, "approved")
    broken = [
        path
        for path in (*PAGES, f"/work-orders/{row.pk}/assignments/new/", f"/assets/{plant.filler.pk}/")
        for query in ("&".join(f"{name}={text}" for name in NAMES), f"asset={text}")
        if client.get(f"{path}?{query}").status_code >= 500
    ]
    assert broken == []


def test_an_asset_may_be_named_by_its_code(plant, client):
    client.force_login(plant.planner)
    text = client.get("/work-orders/?asset=M1").content.decode()
    assert f'<option value="{plant.filler.pk}" selected>' in text


def test_a_nul_in_an_address_is_said_to_be_unreadable(plant, client):
    client.force_login(plant.planner)
    answer = client.get("/search/?q=%00")
    assert (answer.status_code, "could not be read" in answer.content.decode()) == (400, True)
