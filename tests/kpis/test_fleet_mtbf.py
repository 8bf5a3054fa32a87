"""The MTBF of all assets of the Reliability page together, on the page and in its REST twin."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from assets.models import Asset, Failure
from core.kit.present import number_text
from kpis import figures, lasting, studying
from kpis.computing import compute_site
from kpis.formulas import mtbf_bounds
from kpis.questions import Subject
from tests import plant as world
from tests.kpis.test_studying import HOUR, LIVES, fail
from tests.kpis.test_studying import ask as ask  # the fixtures
from tests.kpis.test_studying import now as now
from tests.kpis.test_studying import worn as worn


def figure_of(plant, study: studying.Study, asset: Asset | None, **query) -> figures.Figure:
    """MTBF as a figure, of the same window."""
    (found,) = figures.read(
        asset and [asset], site=plant.berlin, start=study.since, end=study.now, definitions=["mtbf"], now=study.now,
        **query,
    )  # fmt: skip
    return found


@pytest.mark.parametrize("stored", [False, True], ids=["from records", "from stored days"])
@pytest.mark.parametrize("code", ["M1", "M2", "L1", ""])
def test_it_is_the_figure_of_the_same_window(worn, now, code, stored):
    if stored:
        compute_site(worn.berlin, now=now)
    asset = Asset.objects.get(code=code) if code else None
    study = studying.study(Subject(worn.berlin, asset=asset), now=now)
    figure = figure_of(worn, study, asset)
    assert study.mtbf.value == pytest.approx(figure.value, rel=1e-12)
    assert (study.mtbf.status, study.mtbf.reason, study.few_failures) == (
        figure.status, figure.reason_code, figure.few_failures,
    )  # fmt: skip
    assert (study.mtbf.bounds.lower, study.mtbf.bounds.upper) == pytest.approx(
        (figure.interval["lower"], figure.interval["upper"])
    )
    assert study.facts.coverage == pytest.approx(figure.coverage)


def test_of_a_kind_it_is_the_hours_of_all_over_the_failures_of_all(worn, ask, now):
    Failure.objects.filter(asset__code="M9").order_by("-occurred")[0].delete()
    found, page = ask(kind="filler", site="berlin")
    study = studying.study(Subject(worn.berlin, kind=worn.filler.kind), now=now)
    each = [figure_of(worn, study, Asset.objects.get(code=code), scope="asset") for code in ("M1", "M9")]
    hours, failures = sum(one.facts.operating for one in each) / 3600, sum(one.facts.events for one in each)

    assert failures == 8 + 7
    assert study.mtbf.value == pytest.approx(hours / failures)
    assert study.mtbf.value != pytest.approx(sum(one.value for one in each) / 2, rel=0.001), "no mean of means"
    assert study.mtbf.bounds == mtbf_bounds(study.hours, 15)
    mtbf = found["mtbf"]
    assert mtbf["value"] == pytest.approx(hours / failures, rel=0.01)  # until the moment of asking
    assert (mtbf["status"], mtbf["reason"], mtbf["few_failures"], mtbf["misleads"]) == ("ok", "", False, False)
    assert mtbf["interval"]["lower"] < mtbf["value"] < mtbf["interval"]["upper"]
    assert (mtbf["interval"]["confidence"], mtbf["coverage"], mtbf["unrecorded"]) == (0.9, 1, 0)
    low, high = (number_text(mtbf["interval"][end], 0) for end in ("lower", "upper"))
    assert mtbf["sentence"] == (
        f"MTBF of the 2 assets together: {number_text(found['operating_hours'], 0)}\u202fh of operation ÷ 15 failures"
        f" = {number_text(mtbf['value'], 0)}\u202fh (90 % interval {low}\u202fh to {high}\u202fh)."
    )
    assert mtbf["sentence"] in page


def test_without_a_failure_it_is_undefined_and_has_a_lower_bound(plant, ask, now):
    world.asset(plant.berlin, "M9", "Second filler", parent=plant.line, kind=plant.filler.kind)
    fail(plant.filler, (100,), now)
    Failure.objects.all().delete()
    found, page = ask(kind="filler", site="berlin")
    mtbf, hours = found["mtbf"], found["operating_hours"]
    assert (mtbf["value"], mtbf["status"], mtbf["reason"]) == (
        None, "undefined", "No failure occurred in this window.",
    )  # fmt: skip
    assert mtbf["interval"] == {"confidence": 0.9, "lower": pytest.approx(hours * 0.4342945), "upper": None}
    said = (
        f"MTBF: undefined, nothing failed in {number_text(hours, 0)}\u202fh of operation; above"
        f" {number_text(mtbf['interval']['lower'], 0)}\u202fh with 90 % confidence."
    )
    assert mtbf["sentence"].startswith(said)
    assert mtbf["sentence"].endswith("1 asset more has no records and is left out.")
    assert mtbf["sentence"] in page
    assert "Trend: Not enough data: 0 of the 3 failures that this needs." in page
    assert mtbf["unrecorded"] == 1


@pytest.mark.parametrize(("number", "few"), [(4, True), (5, False)])
def test_few_failures_are_said(plant, ask, now, number, few):
    fail(plant.filler, LIVES[:number], now)
    found, page = ask(asset="M1")
    assert found["mtbf"]["few_failures"] is few
    assert ("Few failures: it says little." in page) is few
    assert ("Few failures: it says little." in found["mtbf"]["sentence"]) is few


def test_where_failures_have_a_trend_it_misleads(plant, ask, now):
    fail(plant.filler, (300, 280, 200, 100, 60, 40, 20, 10), now)
    found, page = ask(asset="M1")
    assert found["mtbf"]["misleads"]
    assert page.index(found["mtbf"]["sentence"]) < page.index("Getting worse: a single MTBF misleads")


def test_of_time_that_is_hardly_known_it_is_partial(worn, now):
    for number in range(20):
        world.asset(worn.berlin, f"N{number}", parent=worn.line)
    study = studying.study(Subject(worn.berlin), now=now)
    assert (study.mtbf.status, study.mtbf.reason) == ("partial", "low_coverage")
    assert study.mtbf.status == figure_of(worn, study, None).status
    assert "The state is known for too small a part of the planned time." in lasting.mtbf(study)
    assert "21 assets more have no records and are left out." in lasting.mtbf(study)


def test_what_never_ran_has_none(plant, now):
    fail(plant.filler, (1,), now)
    plant.filler.downtimes.all().delete()
    plant.filler.downtimes.create(start=now - 3000 * HOUR)
    study = studying.study(Subject(plant.berlin, asset=plant.filler), now=now)
    assert (study.mtbf.value, study.mtbf.reason) == (None, "no_operating_time")
    assert lasting.mtbf(study) == "MTBF: undefined. It did not operate in this window."


def test_it_leads_to_its_explanation_except_of_a_kind(worn, client):
    client.force_login(worn.manager)
    for query in ({"asset": worn.filler.pk}, {"asset": worn.line.pk}, {"site": "berlin"}):
        answer = client.get(reverse("reliability"), query)
        url, study = answer.context["mtbf_url"], answer.context["study"]
        assert f'href="{url}"'.replace("&", "&amp;") in answer.content.decode()
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert datetime.fromisoformat(asked["to"]) - study.now < timedelta(seconds=1)
        explained = client.get(url)
        assert explained.status_code == 200
        assert explained.context["figure"].value == pytest.approx(study.mtbf.value)
    of_kind = client.get(reverse("reliability"), {"kind": "filler"})
    assert of_kind.context["mtbf_url"] == ""
    assert "definition=mtbf" not in of_kind.content.decode()
