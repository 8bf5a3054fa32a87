"""The menu: who sees what, and that each entry leads somewhere."""

from django.urls import reverse

from cmms.navigation import MENU
from core.kit import navigation
from tests.plant import PASSWORD

# Entries whose pages come later; an entry leaves this list with its page.
LATER = {"people"}


def test_every_entry_of_the_menu_leads_to_a_page():
    missing = {item.url_name for section in MENU for item in section.items if navigation.address(item) is None}
    assert missing <= LATER


def test_an_entry_shows_only_to_those_who_may_use_it_and_marks_the_page(rf, plant, monkeypatch):
    monkeypatch.setattr(navigation, "address", lambda item: f"/{item.url_name}/")
    shown = {}
    for user in (plant.requester, plant.technician, plant.planner):
        request = rf.get("/planning/week/")
        request.user, request.site = user, plant.berlin
        sections = navigation.for_request(MENU, request)
        shown[user.username] = {link.item.url_name for _, links in sections for link in links}
        active = [link.item.url_name for _, links in sections for link in links if link.active]
        assert active == (["planning"] if user == plant.planner else [])
    assert "planning" in shown["planner"]
    assert "planning" not in shown["technician"]
    assert "my-work" in shown["technician"]
    assert "my-work" not in shown["requester"]


def test_a_planner_of_another_site_has_no_planning_entry_here(rf, plant, monkeypatch):
    monkeypatch.setattr(navigation, "address", lambda item: f"/{item.url_name}/")
    request = rf.get("/")
    request.user, request.site = plant.stranger, plant.berlin
    entries = [link.item.url_name for _, links in navigation.for_request(MENU, request) for link in links]
    assert "planning" not in entries


def test_the_bar_of_a_phone_holds_four_entries_at_most(rf, plant, monkeypatch):
    monkeypatch.setattr(navigation, "address", lambda item: f"/{item.url_name}/")
    request = rf.get("/")
    request.user, request.site = plant.administrator, plant.berlin
    thumb = navigation.for_phone(navigation.for_request(MENU, request))
    assert [link.item.url_name for link in thumb] == ["my-work", "planning", "work-orders", "request-new"]


def test_the_frame_costs_a_constant_number_of_queries(client, plant, django_assert_max_num_queries):
    client.login(username="planner", password=PASSWORD)
    client.get(reverse("search"))
    with django_assert_max_num_queries(4):  # session, user, roles, sites
        assert client.get(reverse("search")).status_code == 200
