"""Pieces counted on a day without planned production: kept in the sums, and doubted wherever they are summed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from assets.models import Downtime
from kpis import doubts, figures
from kpis.formulas import Reason, total
from kpis.models import AssetDay, Finding
from production.models import Count

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FREE, NORMAL = date(2026, 3, 16), date(2026, 3, 17)


@pytest.fixture
def counted(plant):
    """On the one day nothing is planned and 100 pieces are counted; on the other 24 h are planned and 1000 made."""
    site = plant.berlin
    free, normal, end = (site.day_begins(day) for day in (FREE, NORMAL, NORMAL + timedelta(days=1)))
    Downtime.objects.create(asset=plant.filler, start=free, end=normal, planned=True, reason=plant.lunch)
    Count.objects.create(asset=plant.filler, start=free + 8 * HOUR, end=free + 9 * HOUR, good=100, ideal_cycle=43.2)
    Count.objects.create(asset=plant.filler, start=normal, end=end, good=1000, ideal_cycle=43.2)
    return plant


def read(plant, first: date, last: date, **query) -> list[figures.Figure]:
    start, end = plant.berlin.day_begins(first), plant.berlin.day_begins(last + timedelta(days=1))
    return figures.read(
        [plant.filler], site=plant.berlin, start=start, end=end, definitions=["oee"], now=NOW, **query
    )  # fmt: skip


@pytest.mark.parametrize("stored", [False, True], ids=["from records", "from stored days"])
def test_they_stay_in_the_sums_and_make_the_figure_suspect(counted, stored):
    if stored:
        doubts.look_at(counted.berlin, now=NOW)
        assert AssetDay.objects.filter(asset=counted.filler, day=FREE, doubtful=100).exists()
    (alone,), (normal,), (both,) = (read(counted, *days) for days in ((FREE, FREE), (NORMAL, NORMAL), (FREE, NORMAL)))

    assert (alone.value, alone.status, alone.reason_code) == (None, "undefined", Reason.NO_PLANNED_TIME)
    assert (normal.value, normal.status) == (pytest.approx(0.5), "ok")
    assert (both.value, both.status) == (pytest.approx(0.55), "suspect")
    assert both.reason == "Pieces were counted while no operating time was recorded."
    for facts in (both.facts, total(each.facts for each in read(counted, FREE, NORMAL, by="day"))):
        assert (facts.planned_production, facts.good, facts.doubtful) == (24 * 3600, 1100, 100)


def test_they_raise_a_finding_that_the_explanation_names(client, counted):
    doubts.look_at(counted.berlin, now=NOW)

    finding = Finding.objects.get()
    assert (finding.asset, finding.kind, finding.numbers) == (counted.filler, "counted_while_down", {"pieces": 100})
    client.force_login(counted.manager)
    query = {"asset": counted.filler.pk, "definition": "oee", "from": FREE, "to": NORMAL + timedelta(days=1)}
    page = client.get(reverse("figure"), query).content.decode()
    assert "Pieces were counted while no operating time was recorded." in page
    assert finding.get_absolute_url() in page
