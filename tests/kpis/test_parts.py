"""The Performance page in its parts: figures at once, trends and what is below right after, the whole on demand."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assets.models import Asset
from core.kit.charts import Chart
from kpis import figures
from people.models import Membership
from tests import plant as world
from tests.kpis.test_figures import history as history  # the fixture

WEEK = {"from": "2026-03-02", "to": "2026-03-08"}
read = figures.beside
HTMX = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def page(client, plant):
    client.force_login(plant.manager)
    return lambda asset=None, **query: client.get(
        reverse("performance"), WEEK | ({"asset": asset.pk} if asset else {}) | query
    )


def address_of_more(answer) -> str:
    (found,) = re.findall(r'hx-get="([^"]+)"', answer.content.decode())
    return found.replace("&amp;", "&")


def drawn(answer) -> dict[str, list]:
    """Key of each chart in the answer → its rows."""
    charts = [each for key in ("charts", "trends") for each in answer.context.get(key, [])]
    charts += [answer.context["actors"]] if "actors" in answer.context else []
    assert all(isinstance(each, Chart) for each in charts)
    return {each.key: each.rows for each in charts}


def test_the_parts_say_what_the_whole_page_says(client, page, plant, history):
    first = page(plant.line)
    more = client.get(address_of_more(first), **HTMX)
    whole = page(plant.line, part="more")
    assert set(drawn(first)) == {"losses", "stops"}
    assert set(drawn(more)) == {"availability-oee", "mtbf", "actors"}
    assert drawn(first) | drawn(more) == drawn(whole)
    drawn_more = [*more.context["trends"], more.context["actors"]]
    assert [str(each.title) for each in drawn_more] == first.context["more_titles"][:3], "They come as announced."
    assert [row["cells"][0][1] for row in more.context["below"]] == [
        row["cells"][0][1] for row in whole.context["below"]
    ]
    assert "<html" not in more.content.decode(), "A part, to be set into the page."
    assert 'hx-trigger="load"' not in whole.content.decode()
    assert whole.content.decode().count("Bad actors") >= more.content.decode().count("Bad actors") > 0


def test_a_part_asks_about_what_the_page_was_asked(client, page, plant, history):
    address = address_of_more(page(plant.line, scope="asset", compare="year"))
    assert {"part=more", "scope=asset", "compare=year", "from=2026-03-02", "to=2026-03-08"} <= set(
        address.partition("?")[2].split("&")
    )
    (chart, _mtbf) = client.get(address, **HTMX).context["trends"]
    assert chart.option["series"][2]["name"] == "Availability, a year before"


def test_who_opens_the_part_as_a_page_sees_the_page(client, page, plant, history):
    answer = client.get(address_of_more(page(plant.line)))
    assert "<html" in answer.content.decode()
    assert {"losses", "mtbf", "actors"} <= set(drawn(answer))
    assert "part=" not in answer.context["earlier"] + answer.context["later"], "The next window comes in parts again."


def test_all_that_is_below_comes_at_once_so_that_the_address_leads_there(page, plant, history):
    text = page(plant.line, below="all").content.decode()
    assert 'id="below-title"' in text
    assert "hx-get=" not in text


def test_what_follows_is_announced_with_its_titles(page, plant, history):
    assert page(plant.line).context["more_titles"] == page().context["more_titles"] == [
        "Availability and OEE", "MTBF", "Bad actors", "Below",
    ]  # fmt: skip
    assert page(plant.filler).context["more_titles"] == ["Availability and OEE", "MTBF"]
    world.asset(plant.berlin, "P1", "Pump", parent=plant.filler, level="component")
    assert "Below" in page(plant.filler).context["more_titles"]
    Asset.objects.filter(site=plant.berlin).update(archived_at=timezone.now())
    assert page().context["more_titles"] == ["Availability and OEE", "MTBF"]


def test_the_page_reads_one_window_and_no_trend(page, plant, history, monkeypatch):
    asked = []

    def noted(questions, **options):
        asked.append(questions)
        return read(questions, **options)

    monkeypatch.setattr(figures, "beside", noted)
    page(plant.line)
    ((_subjects, before, now),) = asked.pop()
    assert (len(before), len(now), asked) == (1, 1, [])
    page(plant.line, part="more")
    assert len(asked) == 2


def test_a_part_of_another_site_does_not_exist(client, page, plant):
    assert page(plant.foreign, part="more").status_code == 404
    client.force_login(plant.manager)
    query = {"asset": plant.foreign.pk, "part": "more"}
    assert client.get(reverse("performance"), query, **HTMX).status_code == 404


def test_a_part_for_somebody_who_is_logged_out_loads_the_page_again_which_leads_to_the_log_in(plant):
    answer = Client().get(reverse("performance"), {"part": "more"}, **HTMX)
    assert (answer["HX-Refresh"], answer.content) == ("true", b"")
    assert Client().get(reverse("performance")).url == f"/login/?next={reverse('performance')}"


def test_a_part_in_a_wrong_window_is_that_of_the_window_shown_instead(page, plant, history):
    answer = page(plant.line, part="more", **{"from": "soon", "to": ""})
    assert (answer.status_code, bool(answer.context["window"].error)) == (200, True)


def test_a_part_of_a_site_that_one_may_not_see_any_more_loads_the_page_again(client, page, plant, history):
    address = address_of_more(page())
    membership = Membership.objects.get(user=plant.manager, site=plant.berlin)
    Membership.objects.filter(pk=membership.pk).update(site=plant.chicago)
    for _ in range(2):  # at another site, and at none
        answer = client.get(address, **HTMX)
        assert (answer["HX-Refresh"], answer.content) == ("true", b"")
        Membership.objects.filter(pk=membership.pk).delete()
