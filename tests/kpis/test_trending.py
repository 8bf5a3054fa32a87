"""The trend beside an MTBF: on its explanation page and in the REST API."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from assets.models import Failure

BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
QUESTION = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-12", "definition": "mtbf"}
WORSE = (100, 150, 180, 200, 215, 225, 232, 237)  # of 240 hours around the clock


def failed(asset, hours) -> None:
    moments = [BEGIN + timedelta(hours=hour) for hour in hours]
    Failure.objects.bulk_create(Failure(asset=asset, occurred=at, restored=at) for at in moments)


@pytest.fixture
def why(client, plant):
    client.force_login(plant.manager)

    def read(**changes) -> tuple[dict, str]:
        query = QUESTION | changes
        answer = client.get("/api/v1/kpis/explanation/", query).json()
        return answer["trend"], client.get(reverse("figure"), query).content.decode()

    return read


def test_failures_that_come_ever_faster_make_a_single_mtbf_mislead(why, plant):
    failed(plant.filler, WORSE)
    trend, page = why()
    u = (sum(WORSE) / 8 - 120) / (240 * (1 / 96) ** 0.5)
    assert trend["u"] == pytest.approx(u)
    assert (trend["verdict"], trend["failures"], trend["missing"]) == ("worse", 8, None)
    growth = trend["crow_amsaa"]
    assert (growth["mtbf"], growth["mtbf_now"]) == (30, pytest.approx(30 / growth["beta"]))
    assert growth["beta"] > 1
    assert trend["sentence"].startswith("Getting worse: a single MTBF misleads (Laplace U = 2.95).")
    assert trend["sentence"] in page
    assert "Getting worse</span>" in page


def test_failures_that_come_ever_slower_get_better(why, plant):
    failed(plant.filler, [240 - hour for hour in WORSE])
    trend, page = why()
    assert (trend["verdict"], round(trend["u"], 2)) == ("better", -2.95)
    assert "Getting better: a single MTBF misleads" in page


def test_an_even_rate_is_no_trend(why, plant):
    failed(plant.filler, (40, 80, 120, 160, 200))
    trend, page = why()
    assert (trend["verdict"], trend["u"]) == ("no_trend", pytest.approx(0))
    assert "failures come at an even rate" in page


def test_two_failures_are_no_trend_yet(why, plant):
    failed(plant.filler, (40, 80))
    trend, page = why()
    assert (trend["verdict"], trend["u"], trend["crow_amsaa"], trend["failures"]) == (None, None, None, 2)
    assert trend["missing"] == {"lack": "failures", "found": 2, "needed": 3}
    assert "Not enough data: 2 of the 3 failures that this needs." in page


def test_machines_of_a_line_are_tested_each_on_its_own_axis(why, plant):
    failed(plant.filler, WORSE[:4])
    failed(plant.labeller, WORSE[4:])
    trend, _ = why(asset="L1", scope="leaves")
    assert (trend["failures"], trend["verdict"]) == (8, "worse")
    assert trend["u"] == pytest.approx((sum(WORSE) / 8 - 120) / (240 * (1 / 96) ** 0.5))


def test_only_an_mtbf_has_a_trend(why, plant):
    failed(plant.filler, WORSE)
    assert why(definition="availability")[0] is None
    assert why(definition="mtbf_by_items")[0]["verdict"] == "worse"
