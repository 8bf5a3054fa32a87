"""The Reliability page and its REST twin: what is said, what is missing, and who sees it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.models import Asset, Downtime, Failure, FailureCode
from kpis import studying
from kpis.lifetimes import Advice
from kpis.questions import Subject
from people.roles import Role
from tests import plant as world
from tests.contracts.api import ROLES, assert_problem, client_of

HOUR = timedelta(hours=1)
API = "/api/v1/kpis/reliability/"
LIVES = (100, 96, 104, 90, 110, 99, 101, 95)  # they wear out


@pytest.fixture
def now(plant):
    """The full hour, at a site that has had records for 2000 hours."""
    moment = timezone.now().replace(minute=0, second=0, microsecond=0)
    Downtime.objects.create(asset=plant.line, start=moment - 2000 * HOUR, end=moment - 1999 * HOUR)
    return moment


def fail(asset: Asset, lives, now, *, down: float = 2, problem=None) -> None:
    """Failures after lives of so many hours, the first from new, the last one 10 hours of operation ago."""
    moment = now - sum(lives) * HOUR - len(lives) * down * HOUR - 10 * HOUR
    asset.commissioned = moment
    asset.save()
    for life in lives:
        moment += life * HOUR
        stop = Downtime.objects.create(asset=asset, start=moment, end=moment + down * HOUR)
        moment = stop.end
        Failure.objects.create(asset=asset, occurred=stop.start, restored=stop.end, downtime=stop, problem=problem)


@pytest.fixture
def worn(plant, now):
    """The filler and a second one wear out after 100 hours; the labeller hardly ever fails, but for long."""
    belt, valve = (FailureCode.objects.create(list="problem", code=name, name=name) for name in ("Belt", "Valve"))
    second = world.asset(plant.berlin, "M9", "Second filler", parent=plant.line, kind=plant.filler.kind)
    fail(plant.filler, LIVES, now, problem=belt)
    fail(second, LIVES[::-1], now, problem=belt)
    fail(plant.labeller, (300, 310), now, down=20, problem=valve)
    return plant


@pytest.fixture
def ask(client, plant):
    client.force_login(plant.manager)

    def read(**query):
        answer = client.get(API, query)
        page = client.get(reverse("reliability"), query)
        assert (answer.status_code, page.status_code) == (200, 200)
        return answer.json(), page.content.decode()

    return read


def test_a_kind_that_wears_out_is_replaced_in_advance(worn, ask):
    found, page = ask(kind="filler", planned="100", unplanned="2000", present="150", site="berlin")
    assert (found["assets"], found["failures"]) == (2, 16)
    assert found["operating_hours"] == pytest.approx(2 * (sum(LIVES) + 10), rel=0.01)
    weibull = found["weibull"]
    assert (weibull["failures"], weibull["censored"]) == (16, 2)
    assert weibull["beta_interval"]["lower"] > 5
    assert weibull["b10_interval"]["lower"] < weibull["b10"] < weibull["b10_interval"]["upper"] < 100
    assert found["replacement"]["advice"] == str(Advice.REPLACE)
    assert 50 < found["replacement"]["age"] < 95
    assert found["replacement"]["cost_rate"] < found["replacement"]["cost_rate_present"]
    assert found["replacement"]["sentence"] in page
    assert "They wear out: a tenth fails before" in page
    assert {each["model"] for each in found["next_failures"]} == {"ageing"}
    assert [each["asset"]["code"] for each in found["next_failures"]] == ["M1", "M9"]


def test_half_the_costs_are_no_costs(worn, client):
    client.force_login(worn.manager)
    page = client.get(reverse("reliability"), {"kind": "filler", "planned": "100"}).content.decode()
    assert "Give both costs." in page
    assert "Replace after" not in page
    assert_problem(client.get(API, {"kind": "filler", "site": "berlin", "planned": "100"}), 422, field="unplanned")
    assert_problem(client.get(API, {"asset": "M1", "planned": "0", "unplanned": "5"}), 422, field="planned")


def test_one_asset_has_its_own_lives_and_next_failure(worn, ask):
    found, page = ask(asset=str(worn.filler.pk))
    assert (found["asset"]["code"], found["kind"], found["assets"], found["failures"]) == ("M1", None, 1, 8)
    assert found["bad_actors"] == []
    assert found["replacement"] is None
    assert "Say what a replacement costs when it is planned" in page
    assert "The next failure is to be expected in" in page
    (following,) = found["next_failures"]
    assert 0 < following["p10"] < following["p50"] < following["p90"] < 100


def test_an_assets_next_failure_is_the_same_on_its_own_page_and_among_several_kinds(worn, ask, now):
    """The line and the site have lives of two kinds, so no distribution; each asset's own has one."""

    def following(**subject):
        found = studying.study(Subject(worn.berlin, **subject), now=now).next
        return {each.asset.code: (each.estimate, each.shared) for each in found}

    own = {}
    for code in ("M1", "M2", "M9"):
        own |= following(asset=Asset.objects.get(code=code))
    assert {code: str(estimate.model) for code, (estimate, _shared) in own.items()} == {
        "M1": "ageing", "M2": "constant", "M9": "ageing",
    }  # fmt: skip
    for subject in ({"asset": worn.line}, {}):
        found = following(**subject)
        assert found == own
        medians = [estimate.p50 for estimate, _shared in found.values()]
        assert medians == sorted(medians)
    assert "may differ" not in ask(site="berlin")[1]


def test_a_kind_judges_age_by_all_its_lives_and_says_so(worn, ask):
    Failure.objects.filter(asset__code="M9").order_by("occurred")[1].delete()  # one life as long as two
    found, page = ask(kind="filler", site="berlin")
    assert all(each["shared_lives"] for each in found["next_failures"])
    assert "by its age, with the lives of all here" in page
    assert "there its next failure may differ" in page
    (own,) = ask(asset="M1")[0]["next_failures"]
    assert not own["shared_lives"]
    (among_all,) = (each for each in found["next_failures"] if each["asset"]["code"] == "M1")
    assert own["p50"] != pytest.approx(among_all["p50"], rel=0.01)


def test_below_a_line_problems_and_bad_actors_are_compared(worn, ask):
    found, page = ask(asset="L1")
    assert [each["asset"] for each in found["bad_actors"]] == ["M2", "M1", "M9"]
    assert [each["hours"] for each in found["bad_actors"]] == pytest.approx([40, 16, 16])
    assert [each["vital"] for each in found["bad_actors"]] == [True, True, True]
    assert found["jack_knife"]["often"] == 9
    assert {each["name"]: each["quadrant"] for each in found["jack_knife"]["problems"]} == {
        "Belt": "chronic", "Valve": "acute",
    }  # fmt: skip
    assert found["weibull"] is None
    assert "several kinds" in found["weibull_missing"]
    assert "several kinds" in page
    assert "3 assets make up 80 % of the hours down" in page
    assert "About the 3 machines of L1 that have records, each by itself." in page
    assert "About the 3 machines of Bottling Berlin that have records" in ask(site="berlin")[1]
    assert not any("each by itself" in ask(**one)[1] for one in ({"asset": "M1"}, {"kind": "filler", "site": "berlin"}))


def test_problems_and_bad_actors_are_those_of_the_last_365_days(worn, ask, now):
    Asset.objects.filter(pk=worn.filler.pk).update(commissioned=now - 500 * 24 * HOUR)
    before, _ = ask(asset="L1")
    valve = FailureCode.objects.get(code="Valve")
    for days in (366, 364):
        start = now - days * 24 * HOUR
        stop = Downtime.objects.create(asset=worn.filler, start=start, end=start + 5 * HOUR)
        Failure.objects.create(asset=worn.filler, occurred=start, restored=stop.end, downtime=stop, problem=valve)
    found, _ = ask(asset="L1")
    hours = [{each["asset"]: each["hours"] for each in of["bad_actors"]} for of in (before, found)]
    assert hours[1]["M1"] - hours[0]["M1"] == pytest.approx(5)
    numbers = [{each["name"]: each["failures"] for each in of["jack_knife"]["problems"]} for of in (before, found)]
    assert numbers[1]["Valve"] - numbers[0]["Valve"] == 1
    assert found["mtbf"]["value"] != before["mtbf"]["value"]  # of all that was recorded


def test_lives_that_become_shorter_follow_no_one_distribution(plant, ask, now):
    fail(plant.filler, (300, 280, 200, 100, 60, 40, 20, 10), now)
    found, page = ask(asset="M1")
    assert found["trend"]["verdict"] == "worse"
    assert found["weibull"] is None
    assert "ever shorter or longer" in found["weibull_missing"]
    assert found["trend"]["sentence"] in page
    assert [each["model"] for each in found["next_failures"]] == ["trend"]


def test_what_is_missing_is_said(plant, ask, now):
    fail(plant.filler, (100, 120), now)
    found, page = ask(asset="M1")
    assert found["trend"]["missing"] == {"lack": "failures", "found": 2, "needed": 3}
    for sentence in ("2 of the 3 failures that this needs", "2 of the 5 failures that this needs"):
        assert sentence in page
    assert (found["weibull"], found["jack_knife"], found["replacement"]) == (None, None, None)
    assert [each["model"] for each in found["next_failures"]] == ["constant"]
    nothing, page = ask(asset="M3")
    assert (nothing["since"], nothing["failures"], nothing["trend"], nothing["next_failures"]) == (None, 0, None, [])
    assert "Nothing was ever recorded here" in page
    assert "Nothing was ever recorded here" in nothing["answer"]


def test_what_began_before_the_records_is_left_out(worn, ask):
    Asset.objects.filter(pk=worn.filler.pk).update(commissioned=None)
    _found, page = ask(kind="filler", site="berlin")
    assert "The time before the first failure of 1 asset is left out" in page


def test_an_asset_out_of_use_has_no_next_failure(worn, ask, now):
    Asset.objects.filter(pk=worn.filler.pk).update(retired=now - HOUR)
    found, _page = ask(kind="filler", site="berlin")
    assert [each["asset"]["code"] for each in found["next_failures"]] == ["M9"]
    assert found["assets"] == 2


@pytest.mark.parametrize("role", ROLES)
def test_everybody_at_the_site_reads_it(worn, role):
    person = world.person(f"reader-{role}", worn.berlin, Role(role))
    assert client_of(person, scope="read").get(API, {"site": "berlin"}).json()["failures"] == 18


def test_another_sites_rows_do_not_exist(worn, client):
    client.force_login(worn.manager)
    for query in ({"asset": worn.foreign.pk}, {"site": "chicago"}, {"kind": "filler", "site": "chicago"}):
        assert_problem(client.get(API, query), 404)
        assert client.get(reverse("reliability"), query).status_code == 404
    # The kind is shared by the sites, its assets are not.
    client.force_login(worn.stranger)
    assert client.get(API, {"kind": "filler", "site": "chicago"}).json()["failures"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [({}, "site"), ({"asset": "M1", "kind": "filler"}, "kind"), ({"asset": "M1", "colour": "red"}, "colour")],
)
def test_a_wrong_question_is_refused_by_the_parameter(plant, query, field):
    assert_problem(client_of(plant.manager).get(API, query), 422, field=field)


ODD = ["\x00", "0", "-1", "NaN", "1e400", "9" * 30, "½", " ", "M1,M2"]


@pytest.mark.parametrize("name", ["asset", "kind", "planned", "unplanned", "present"])
@pytest.mark.parametrize("value", ODD, ids=ascii)
def test_an_odd_word_breaks_nothing(worn, client, name, value):
    client.force_login(worn.manager)
    query = ({} if name == "asset" else {"asset": "M1"} if name != "kind" else {}) | {name: value, "site": "berlin"}
    assert client.get(API, query).status_code in {200, 404, 422}
    assert client.get(reverse("reliability"), query).status_code in {200, 400, 404}


def test_a_page_for_neither_asset_nor_kind_shows_the_site_and_leads_to_kinds(worn, ask):
    found, page = ask(site="berlin")
    assert (found["assets"], found["asset"], found["kind"]) == (3, None, None)
    assert f"{reverse('reliability')}?kind=filler" in page


def test_performance_leads_here(worn, client):
    client.force_login(worn.manager)
    here = f"{reverse('reliability')}?asset={worn.filler.pk}"
    assert here in client.get(reverse("performance"), {"asset": worn.filler.pk}).content.decode()
    assert here in client.get(reverse("asset", args=[worn.filler.pk]), {"tab": "performance"}).content.decode()


def test_the_number_of_queries_does_not_grow(worn, now, django_assert_max_num_queries):
    subject = Subject(worn.berlin)
    with django_assert_max_num_queries(70) as few:
        studying.study(subject, now=now)
    for number in range(5):
        made = world.asset(worn.berlin, f"N{number}", parent=worn.line)
        fail(made, (50, 60, 70, 80), now)
    with django_assert_max_num_queries(len(few)):
        found = studying.study(subject, now=now)
    assert (len(found.assets), found.failures) == (8, 38)
