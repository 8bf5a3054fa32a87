"""Rules of a site: set by page and API, followed by its figures, and said with them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from assets.models import Failure
from core.models import Site
from kpis import computing
from kpis.definitions import DEFINITIONS
from kpis.rules import counts_failures
from tests.contracts.api import assert_problem, client_of

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
WEEK = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09"}


def compute(plant) -> None:
    """As the worker does, with the site as it is stored."""
    computing.compute_site(Site.objects.get(pk=plant.berlin.pk))


@pytest.fixture
def flapping(plant):
    """Two failures of the filler, 12 minutes apart."""
    for begin in (10, 11.2):
        Failure.objects.create(asset=plant.filler, occurred=BEGIN + begin * HOUR, restored=BEGIN + (begin + 1) * HOUR)
    compute(plant)
    return plant


@pytest.mark.parametrize(
    ("gap", "said", "figures"),
    [
        (0, "Failures while the asset is still down count as one (merge gap 0 min).", (2, 1.0)),
        (12, "Failures less than 12 min after the end of the one before count as one (merge gap).", (2, 1.0)),
        (13, "Failures less than 13 min after the end of the one before count as one (merge gap).", (1, 2.2)),
    ],
)
def test_the_merge_gap_that_an_administrator_sets_is_followed_and_said(client, flapping, gap, said, figures):
    site = f"/api/v1/sites/{flapping.berlin.pk}/"
    assert client_of(flapping.administrator).patch(site, {"failure_merge_gap": gap}).json()["failure_merge_gap"] == gap
    client.force_login(flapping.manager)

    for _ in range(2):  # before and after the changed days are computed again
        why = client.get("/api/v1/kpis/explanation/", WEEK | {"definition": "mttr"}).json()
        assert (why["figure"]["inputs"]["failures"], why["figure"]["value"]) == (figures[0], pytest.approx(figures[1]))
        assert why["rules"] == [said]
        compute(flapping)
    for key in ("mtbf", "mtbf_by_items", "mttr", "mart", "inherent_availability"):
        assert said in client.get(reverse("figure"), WEEK | {"definition": key}).content.decode(), key
    assert "merge gap" not in client.get(reverse("figure"), WEEK | {"definition": "availability"}).content.decode()


def test_a_changed_merge_gap_is_told_as_the_cause_of_a_former_value(client, flapping):
    client_of(flapping.administrator).patch(f"/api/v1/sites/{flapping.berlin.pk}/", {"failure_merge_gap": 60})
    compute(flapping)
    client.force_login(flapping.manager)

    (revision,) = client.get("/api/v1/kpis/explanation/", WEEK | {"definition": "mtbf"}).json()["revisions"]

    assert revision["value"] == pytest.approx(7 * 24 / 2, rel=0.01)
    assert (revision["because"]["type"], revision["because"]["summary"]) == ("core.site", "Site berlin changed")


@pytest.mark.parametrize("wrong", [-1, 1441, 1.5, "long", None])
def test_a_wrong_merge_gap_is_refused_at_the_field(plant, wrong):
    client = client_of(plant.administrator)
    answer = client.patch(f"/api/v1/sites/{plant.berlin.pk}/", {"failure_merge_gap": wrong}, format="json")
    assert_problem(answer, 400, "invalid", "failure_merge_gap")
    plant.berlin.refresh_from_db()
    assert plant.berlin.failure_merge_gap == 0


def test_figures_that_count_failures_are_those_of_failure_events():
    counting = {key for key, definition in DEFINITIONS.items() if counts_failures(definition)}
    assert {"mtbf", "mttr", "restoration_median", "mttr_wait", "inherent_availability"} <= counting
    assert not counting & {"availability", "oee", "backlog_hours", "mtta", "preventive_compliance"}
