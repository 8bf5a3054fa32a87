"""Addresses of Performance and its timeline: a site that is not the user's, and words that mean nothing."""

import pytest
from django.urls import reverse

from people.models import Membership
from people.roles import Role

PAGES = ["performance", "performance-timeline"]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def manager(client, plant):
    client.force_login(plant.manager)
    return client


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("site", ["chicago", "joliet", "9999", "0", " ", "BERLIN2"])
def test_a_site_that_is_not_ones_own_is_not_found(manager, plant, page, site):
    address = reverse(page)
    file = {"chart": "losses" if page == "performance" else "timeline", "format": "csv"}
    assert manager.get(address, {"site": "berlin"} | file).status_code == 200
    for rest in ({}, file, {"part": "more"}, {"asset": plant.filler.pk}, {"window": "7d", "scope": "asset"}):
        assert manager.get(address, {"site": site} | rest).status_code == 404, rest


@pytest.mark.parametrize("page", PAGES)
def test_a_site_of_ones_own_is_the_one_shown_and_chosen_from_then_on(manager, plant, page):
    Membership.objects.create(user=plant.manager, site=plant.chicago, role=Role.MANAGER)
    for site in (plant.chicago, plant.berlin):
        for named in (site.code, site.code.upper(), str(site.pk)):
            shown = manager.get(reverse(page), {"site": named})
            assert (shown.status_code, shown.context["window"].site) == (200, site)
            assert manager.get(reverse(page)).context["window"].site == site
            assert manager.get(reverse(page), {"site": ""}).context["window"].site == site


@pytest.mark.parametrize("page", PAGES)
def test_a_machine_of_another_site_than_the_one_named_is_not_found(manager, plant, page):
    Membership.objects.create(user=plant.manager, site=plant.chicago, role=Role.MANAGER)
    machine = {"asset": plant.foreign.pk}
    assert manager.get(reverse(page), machine | {"site": "berlin"}).status_code == 404
    assert manager.get(reverse(page), machine | {"site": "chicago"}).status_code == 200


def test_a_page_whose_site_is_no_longer_ones_own_loads_again(manager, plant):
    answer = manager.get(reverse("performance"), {"site": "chicago", "part": "more"}, headers=HTMX)
    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (200, "true", b"")


@pytest.mark.parametrize("page", PAGES)
def test_who_has_no_site_is_told_so_and_finds_none(client, plant, page):
    Membership.objects.filter(user=plant.manager).delete()
    client.force_login(plant.manager)
    answer = client.get(reverse(page), {"by": "zz", "compare": "zz"})
    assert "You have no site yet" in answer.content.decode()
    assert client.get(reverse(page), {"site": "berlin"}).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_a_window_that_there_is_not_is_said(manager, plant, page):
    answer = manager.get(reverse(page), {"window": "zz"})
    assert answer.context["window"].name == ("30d" if page == "performance" else "7d")
    assert "There is no such window; choose one of today, shift, week, " in answer.context["window"].error
    assert f"Shown instead: {answer.context['window']}." in answer.content.decode()
    assert not manager.get(reverse(page), {"window": ""}).context["window"].error


@pytest.mark.parametrize(
    ("name", "word", "said"),
    [
        ("scope", "zz", "Choose one of leaves, asset. Shown instead: leaves."),
        ("scope", "subtree", "Choose one of leaves, asset. Shown instead: leaves."),
        ("compare", "zz", "Choose one of former, year, none. Shown instead: former."),
        ("by", "zz", "Choose one of total, day, week, month, shift. Shown instead: day."),
    ],
)
def test_a_word_that_means_nothing_is_said_at_its_parameter_and_goes_no_further(manager, plant, name, word, said):
    for whose in ({}, {"asset": plant.line.pk}):
        answer = manager.get(reverse("performance"), whose | {name: word})
        assert answer.status_code == 200
        assert f'role="alert"><code>{name}={word}</code>: {said}</p>' in answer.content.decode()
        assert f"{name}={word}" not in answer.context["earlier"]
        assert f"{name}={word}" not in answer.context["more_url"]

    on_timeline = manager.get(reverse("performance-timeline"), {name: word}).content.decode()
    expected = said if name == "scope" else said.partition(" Shown")[0]
    assert f'role="alert"><code>{name}={word}</code>: {expected}</p>' in on_timeline


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "query", [{}, {"scope": "asset", "compare": "year", "by": "day"}, {"scope": "", "compare": "", "by": ""}]
)
def test_words_that_mean_something_are_not_remarked_upon(manager, plant, page, query):
    assert 'role="alert"' not in manager.get(reverse(page), query).content.decode()
