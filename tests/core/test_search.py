"""Search: codes first, typing errors forgiven, nothing of another site."""

import pytest

from tests.plant import PASSWORD

pytestmark = pytest.mark.usefixtures("sample_pages")


@pytest.fixture
def planner(client, plant):
    client.login(username="planner", password=PASSWORD)
    return client


def found(response) -> list[str]:
    return [row.code for group in response.context["groups"] for row, _ in group["hits"]]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("l", ["L1", "M2", "M1", "M3"]),
        ("labeler", ["M2"]),
        ("line 1", ["L1"]),
        ("nothing like it", []),
        ("%", []),
        ("", []),
    ],
)
def test_search_finds_by_code_name_and_near_spelling(planner, text, codes):
    response = planner.get("/search/", {"q": text}, follow=False)
    if len(codes) == 1:
        assert response.status_code == 302
    else:
        assert sorted(found(response)) == sorted(codes)


def test_a_single_hit_opens_at_once(planner, plant):
    response = planner.get("/search/", {"q": "palletizer"})
    assert (response.status_code, response["Location"]) == (302, plant.palletiser.get_absolute_url())


def test_a_row_of_another_site_is_not_found(planner, client):
    response = planner.get("/search/", {"q": "Chicago"})
    assert found(response) == []
    assert "Nothing found for “Chicago” at your sites." in response.content.decode()


def test_a_search_box_gets_rows_of_the_chosen_site(planner, plant):
    answer = planner.get("/lookups/assets.asset/", {"q": "fill"}).json()
    assert answer == {"results": [{"value": plant.filler.pk, "label": "M1 · Filler", "detail": ""}]}


def test_a_search_box_without_a_word_offers_the_first_rows(planner):
    answer = planner.get("/lookups/assets.asset/").json()
    assert [row["label"][:2] for row in answer["results"]] == ["L1", "M1", "M2", "M3"]


def test_a_model_that_nobody_offered_cannot_be_searched(planner):
    assert planner.get("/lookups/people.user/", {"q": "a"}).status_code == 404


def test_search_asks_for_log_in(client, plant):
    assert client.get("/lookups/assets.asset/").status_code == 302
