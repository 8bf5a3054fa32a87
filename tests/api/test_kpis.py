"""Key figures in the REST API: who may ask, what is refused and how, and the shape of an answer."""

import pytest
from rest_framework.test import APIClient

from kpis.api import FigureSerializer
from kpis.definitions import DEFINITIONS
from people.models import Membership
from people.roles import Role
from tests import plant as world
from tests.contracts.api import ROLES, assert_problem, client_of

ADDRESSES = ["/api/v1/kpis/", "/api/v1/kpis/explanation/", "/api/v1/kpis/inputs/"]
FACTS = "/api/v1/kpis/facts/"
EVERYWHERE = [*((address, {}) for address in ADDRESSES), (FACTS, {}), (FACTS, {"format": "parquet"})]
WEEK = {"from": "2026-03-02", "to": "2026-03-09"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_without_a_log_in_reads_figures(plant, address):
    assert_problem(APIClient().get(address, {"asset": "M1", "definition": "mtbf"} | WEEK), 401)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_at_the_site_reads_the_same_figures(plant, role):
    person = world.person(f"reader-{role}", plant.berlin, Role(role))
    rows = client_of(person, scope="read").get(ADDRESSES[0], {"site": "berlin"} | WEEK).json()
    assert [row["definition"] for row in rows] == list(DEFINITIONS)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("whose", ["asset", "site"])
def test_another_site_does_not_exist(plant, address, whose):
    key = {"asset": plant.foreign.pk, "site": plant.chicago.pk}[whose]
    assert_problem(client_of(plant.manager).get(address, {whose: key, "definition": "mtbf"} | WEEK), 404)


def test_a_code_that_no_row_can_have_is_not_found(plant):
    for address in ADDRESSES:
        assert_problem(client_of(plant.manager).get(address, {"asset": "M\0", "definition": "mtbf"} | WEEK), 404)


@pytest.mark.parametrize(
    ("wrong", "known"),
    [({"by": "hour"}, "total, day, week, month, shift"), ({"scope": "fleet"}, "asset, subtree, leaves"),
     ({"definition": "luck"}, "mtbf"), ({"colour": "red"}, "asset, by")],
)  # fmt: skip
def test_a_wrong_word_is_refused_with_those_that_are_known(plant, wrong, known):
    answer = client_of(plant.manager).get(ADDRESSES[0], {"asset": "M1"} | WEEK | wrong)
    body = assert_problem(answer, 422, field=next(iter(wrong)))
    assert known in body["detail"] or known in body["errors"][0]["detail"]


@pytest.mark.parametrize(("address", "form"), EVERYWHERE)
@pytest.mark.parametrize("wrong", [{"by": "zz"}, {"scope": "zz"}, {"definition": "zz"}])
def test_a_wrong_word_is_refused_also_where_nothing_depends_on_it(plant, address, form, wrong):
    answer = client_of(plant.manager).get(address, form | {"site": "berlin", "definition": "mtbf"} | WEEK | wrong)
    assert_problem(answer, 422, "invalid", next(iter(wrong)))


@pytest.mark.parametrize(("address", "form"), EVERYWHERE)
@pytest.mark.parametrize(
    ("window", "code", "field"),
    [(("2026-03-09", "2026-03-02"), "invalid", "to"), (("2026-03-02", "2026-03-02"), "invalid", "to"),
     (("2010-01-01", "2026-03-02"), "too_long", "from")],
)  # fmt: skip
def test_a_window_that_cannot_be_is_refused_before_anything_is_sent(plant, address, form, window, code, field):
    question = form | {"asset": "M1", "definition": "mtbf"} | dict(zip(("from", "to"), window, strict=True))
    assert_problem(client_of(plant.manager).get(address, question), 422, code, field)


@pytest.mark.parametrize("address", ADDRESSES[1:])
def test_what_is_told_of_one_figure_is_asked_of_one_that_exists(plant, address):
    caller = client_of(plant.manager)

    assert_problem(caller.get(address, {"asset": "M1", "definition": "luck"} | WEEK), 422, "invalid", "definition")
    for several in ({"asset": "M1,M2", "definition": "mtbf"}, {"asset": "M1"}):
        assert_problem(caller.get(address, several | WEEK), 422, "one_only", "definition")


@pytest.fixture
def of_both(plant):
    """Who works at two sites, each of which has an M1."""
    twin = world.asset(plant.chicago, "m1", "Another filler")
    person = world.person("of-both", plant.berlin, Role.MANAGER)
    Membership.objects.create(user=person, site=plant.chicago, role=Role.MANAGER)
    return client_of(person, scope="read"), twin


def test_a_code_of_several_sites_is_that_of_the_site_named(plant, of_both):
    caller, twin = of_both
    for site, asset in ((plant.berlin, plant.filler), (plant.chicago, twin)):
        for named in ({"site": site.code}, {"site": site.pk}):
            question = {"asset": "M1", "definition": "mtbf"} | named | WEEK
            (figure,) = caller.get(ADDRESSES[0], question).json()
            assert (figure["asset"]["id"], figure["site"]["id"]) == (asset.pk, site.pk)
            told = caller.get(ADDRESSES[1], question).json()["figure"]
            assert told["asset"]["id"] == asset.pk
            lines = b"".join(caller.get(FACTS, question).streaming_content).decode().splitlines()[1:]
            assert {tuple(line.split(",")[:2]) for line in lines} == {(site.code, asset.code)}
            studied = caller.get("/api/v1/kpis/reliability/", {"asset": "M1"} | named).json()
            assert studied["asset"]["id"] == asset.pk


def test_without_its_site_such_a_code_is_refused_and_so_is_an_asset_of_another(plant, of_both):
    caller, twin = of_both
    studies = "/api/v1/kpis/reliability/"
    for address, rest in ((ADDRESSES[0], WEEK), (FACTS, WEEK), (studies, {})):
        assert_problem(caller.get(address, {"asset": "M1"} | rest), 422, "ambiguous", "asset")
        for asset in (twin.pk, "X1"):
            answer = caller.get(address, {"asset": asset, "site": "berlin"} | rest)
            assert_problem(answer, 422, "several_sites", "asset")
        assert_problem(caller.get(address, {"asset": "M1", "site": "joliet"} | rest), 404)


def test_an_answer_has_the_fields_of_the_schema(plant):
    rows = client_of(plant.manager).get(ADDRESSES[0], {"asset": "M1,M2", "by": "day"} | WEEK).json()
    assert len(rows) == 2 * 7 * len(DEFINITIONS)
    assert all(row.keys() == FigureSerializer().fields.keys() for row in rows)
    assert {row["asset"]["code"] for row in rows} == {"M1", "M2"}
    assert {row["from"][-6:] for row in rows} == {"+01:00"}


def test_figures_are_only_read(plant):
    for method in ("post", "put", "patch", "delete"):
        assert_problem(getattr(client_of(plant.manager), method)(ADDRESSES[0], {}, format="json"), 405)
