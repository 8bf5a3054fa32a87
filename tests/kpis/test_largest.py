"""The stops that an explanation names: those in the figure, by what they took of planned production."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from assets.models import Asset, Downtime, Failure
from kpis import explaining
from kpis.facts import work_rows
from kpis.models import Finding
from kpis.trust import Part
from production.models import Count

BEGIN = datetime(2026, 3, 8, 23, tzinfo=UTC)  # Monday, midnight in Berlin
NOW = BEGIN + timedelta(days=20)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def stop(asset, start: float, hours: float, reason, **fields) -> Downtime:
    begun = BEGIN + start * HOUR
    return Downtime.objects.create(asset=asset, start=begun, end=begun + hours * HOUR, reason=reason, **fields)


def explained(plant, key: str, asset=None, **options):
    return explaining.explain(
        asset, site=plant.berlin, definition=key, start=BEGIN, end=BEGIN + 7 * DAY, scope="leaves", now=NOW, **options
    )


@pytest.fixture
def stopped(plant):
    """An hour of the filler, which has counts; five hours of the labeller, which has none."""
    small, large = stop(plant.filler, 10, 1, plant.breakdown), stop(plant.labeller, 10, 5, plant.breakdown)
    Count.objects.create(
        asset=plant.filler, start=BEGIN, end=BEGIN + 20 * HOUR, good=Decimal(60), ideal_cycle=Decimal(60)
    )
    return small, large


@pytest.mark.parametrize("key", ["oee", "quality", "performance", "teep"])
def test_a_figure_about_counts_names_stops_of_what_was_counted(plant, stopped, key):
    small, _large = stopped
    found = explained(plant, key, plant.line)
    assert ([each.stop for each in found.stops], found.largest.stop) == ([small], small)


def test_availability_names_the_stops_of_all(plant, stopped):
    small, large = stopped
    assert [each.stop for each in explained(plant, "availability", plant.line).stops] == [large, small]


@pytest.fixture
def unknown(plant, stopped):
    """A failure and a stop nobody named, of the labeller; a failure of the filler."""
    stop(plant.labeller, 30, 1, None)
    return [
        Failure.objects.create(asset=asset, occurred=BEGIN + 10 * HOUR, restored=BEGIN + 11 * HOUR)
        for asset in (plant.filler, plant.labeller)
    ]


def known_of(found) -> tuple:
    """What an explanation says of its records: stops, those entered late, and the assets of each source."""
    given = {each.kind: [asset.code for asset, _number in each.assets] for each in found.sources.given}
    return found.lag.stops, found.entered_late, given


def test_a_figure_about_counts_rests_on_records_of_what_was_counted(plant, unknown):
    found = explained(plant, "oee", plant.line)
    assert found.failures == unknown[:1]
    assert known_of(found) == (1, 1, {"stop": ["M1"], "failure": ["M1"], "count": ["M1"]})
    assert found.sources.quiet == 0
    assert {each.part: (each.wrong, each.whole) for each in found.trust.scores}[Part.CLASSIFICATION] == (0, 1)


def test_availability_rests_on_records_of_all(plant, unknown):
    found = explained(plant, "availability", plant.line)
    assert found.failures == unknown[::-1]
    assert known_of(found) == (3, 3, {"stop": ["M2", "M1"], "failure": ["M1", "M2"], "count": ["M1"]})
    assert {each.part: (each.wrong, each.whole) for each in found.trust.scores}[Part.CLASSIFICATION] == (1, 3)


@pytest.mark.parametrize(("key", "codes"), [("oee", ["M1", "M3"]), ("availability", ["M1", "M2", "M3"])])
def test_a_figure_names_the_findings_about_records_behind_it(client, plant, stopped, key, codes):
    for asset, kind in ((plant.filler, "overlap"), (plant.labeller, "overlap"), (plant.palletiser, "silent"),
                        (plant.foreign, "silent")):  # fmt: skip
        Finding.objects.create(site=asset.site, asset=asset, kind=kind, found_at=NOW, seen_at=NOW)
    client.force_login(plant.manager)
    asked = {"site": plant.berlin.pk, "definition": key, "from": "2026-03-09", "to": "2026-03-16"}
    page = client.get(reverse("figure"), asked).content.decode()
    named = [each.asset.code for each in Finding.objects.order_by("asset") if each.get_absolute_url() in page]
    assert named == codes


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_charged_is_listed_however_many_are_not(plant, stopped, monkeypatch, version):
    monkeypatch.setattr(work_rows, "MOST", 2)
    Asset.objects.filter(pk=plant.labeller.pk).update(downtime_cost=100)
    records = explained(plant, "downtime_cost", version=version).work.records
    assert [(row.asset, row.counts) for row in records] == [("M2", True), ("L1", False)]


def test_a_cost_rests_on_stops_that_are_charged(plant, unknown):
    Asset.objects.filter(pk=plant.filler.pk).update(downtime_cost=100)
    stops, late, given = known_of(explained(plant, "downtime_cost"))
    assert (stops, late, given["stop"]) == (1, 1, ["M1"])


@pytest.mark.parametrize("version", [1, 2])
def test_a_cost_names_the_stops_that_are_charged(plant, stopped, version):
    small, _large = stopped
    Asset.objects.filter(pk=plant.filler.pk).update(downtime_cost=100)
    found = explained(plant, "downtime_cost", version=version)
    assert [each.stop for each in found.stops] == [small]
    assert [(each.asset, each.counts) for each in found.work.records if each.numbers["amount"]] == [("M1", True)]


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_charged_with_its_line_does_not_count_twice(plant, stopped, version):
    Asset.objects.filter(pk__in=[plant.filler.pk, plant.line.pk]).update(downtime_cost=100)
    records = {each.asset: each for each in explained(plant, "downtime_cost", version=version).work.records}
    assert (records["L1"].counts, records["M1"].counts) == (True, False)
    assert str(records["M1"].remark).endswith("charged with what it stands below")


def test_long_stops_that_took_nothing_hide_none_that_did(plant, monkeypatch):
    monkeypatch.setattr(explaining, "MOST", 3)
    for number in range(5):
        stop(plant.filler, 24 * number, 8, plant.lunch, planned=True)
    short = [stop(plant.filler, 24 * number + 10, 1 + number / 10, plant.breakdown) for number in range(3)]
    assert [each.stop for each in explained(plant, "availability", plant.filler).stops] == short[::-1]
