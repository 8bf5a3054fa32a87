"""Every page of the menu, as each role sees it: no accessibility violation, no error, nothing too wide."""

import pytest

from cmms.navigation import MENU
from core.kit import navigation

pytestmark = pytest.mark.browser


def addresses() -> list[str]:
    found = [navigation.address(item) for section in MENU for item in section.items]
    return ["/password/", "/search/", *(url for url in found if url)]


@pytest.mark.timeout(400)  # a walk of some twenty pages, on a machine that may be busy
def test_every_page_of_the_menu_is_accessible_fits_and_logs_no_error(visit, plant, look):
    seen = visit("administrator", **look)
    wrong = []
    for url in addresses():
        response = seen.open(url)
        wrong += [f"{url} answered {response.status}"] if response.status != 200 else []
        wrong += seen.violations()
        wrong += [f"{url} is {seen.overflow()} px too wide"] if seen.overflow() else []
    assert wrong + seen.unexpected == []


@pytest.mark.parametrize("role", ["requester", "technician", "planner", "manager", "administrator"])
def test_every_entry_that_a_role_sees_opens(client, plant, role):
    client.force_login(getattr(plant, role))
    page = client.get("/", follow=True)
    assert page.status_code == 200
    links = [link.url for _, links in page.context["frame"].menu for link in links]
    answers = {url: client.get(url, follow=True).status_code for url in links}
    assert answers == dict.fromkeys(links, 200)
