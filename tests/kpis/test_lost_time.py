"""Where the time of an OEE went: parts that add up to it, the largest loss, and the machines that lost most by it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assets.models import Downtime, Placement
from core.models import OeeProfile
from kpis import explaining, lost_time
from production.models import Count
from tests.plant import asset as machine

BEGIN = datetime(2026, 3, 8, 23, tzinfo=UTC)  # Monday, midnight in Berlin
NOW = BEGIN + timedelta(days=20)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEK = {"from": "2026-03-09", "to": "2026-03-16"}
KEYS = ("oee", "performance", "quality", "teep")


def stop(asset, start: float, hours: float, reason, **fields) -> Downtime:
    begun = BEGIN + start * HOUR
    return Downtime.objects.create(asset=asset, start=begun, end=begun + hours * HOUR, reason=reason, **fields)


def count(asset, good: float, scrap: float = 0, rework: float = 0) -> Count:
    """Hours of pieces, at a minute each, made in the week."""
    pieces = {"good": Decimal(60 * good), "scrap": Decimal(60 * scrap), "rework": Decimal(60 * rework)}
    return Count.objects.create(asset=asset, start=BEGIN, end=BEGIN + 7 * DAY, ideal_cycle=Decimal(60), **pieces)


def explained(plant, key: str, asset=None, **options):
    return explaining.explain(
        asset, site=plant.berlin, definition=key, start=BEGIN, end=BEGIN + 7 * DAY, scope="leaves", now=NOW, **options
    )


@pytest.fixture
def slow(plant):
    """Of 168 h each the filler made 100 h of pieces and stood 8 h, the labeller made 160 h; nothing is counted at M3,
    which stood longest."""
    stop(plant.filler, 10, 8, plant.breakdown)
    stop(plant.filler, 30, 2, plant.lunch, planned=True)
    stop(plant.palletiser, 10, 50, plant.breakdown)
    count(plant.filler, 92, scrap=5, rework=3)
    count(plant.labeller, 160)
    return plant


def hours(went) -> list[tuple[str, float]]:
    return [(each.key, each.seconds / 3600) for each in went.parts]


def test_oee_says_where_planned_production_time_went_the_largest_loss_first(slow):
    went = explained(slow, "oee", slow.line).went
    assert (went.whole, went.seconds / 3600) == ("planned_production_time", 334)
    assert hours(went) == [
        ("reduced_speed", 66), ("breakdown", 8), ("scrap", 5), ("rework", 3), ("good", 252),
    ]  # fmt: skip
    assert [each.lowers for each in went.parts] == ["performance", "oee_availability", "quality", "quality", ""]
    assert went.largest.key == "reduced_speed"


def test_teep_says_where_calendar_time_went(slow):
    went = explained(slow, "teep", slow.line).went
    assert (went.whole, went.seconds / 3600) == ("calendar_time", 336)
    assert ("planned_stops", 2) in hours(went)
    assert {each.key: each.lowers for each in went.parts}["planned_stops"] == "teep"


@pytest.mark.parametrize("profile", OeeProfile)
@pytest.mark.parametrize("key", KEYS)
def test_the_parts_add_up_exactly(slow, key, profile):
    slow.berlin.oee_profile = profile
    slow.berlin.save()
    stop(slow.labeller, 50, 0.01, None)
    for asset in (None, slow.line, slow.filler):
        went = explained(slow, key, asset).went
        assert sum(each.seconds for each in went.parts) == went.seconds
        assert sum(each.share for each in went.parts) == pytest.approx(1)
        losses = [each.seconds for each in went.parts[:-1]]
        assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(("key", "largest"), [("oee", "reduced_speed"), ("performance", "reduced_speed"),
                                              ("quality", "scrap"), ("teep", "reduced_speed")])  # fmt: skip
def test_the_largest_loss_is_one_that_lowers_the_figure(slow, key, largest):
    assert explained(slow, key, slow.line).went.largest.key == largest


def test_short_stops_are_a_loss_of_performance_where_the_site_says_so(slow):
    slow.berlin.oee_profile = OeeProfile.SHORT_STOPS_IN_PERFORMANCE
    slow.berlin.save()
    stop(slow.labeller, 50, 0.01, None)
    lowers = {each.key: each.lowers for each in explained(slow, "performance", slow.line).went.parts}
    assert (lowers["short"], lowers["breakdown"]) == ("performance", "oee_availability")


def test_the_machines_that_lost_most_by_it_are_named_first_and_add_up(slow):
    went = explained(slow, "oee", slow.line).went
    assert [(each.asset, each.seconds / 3600) for each in went.losers] == [
        (slow.filler.pk, 58), (slow.labeller.pk, 8),
    ]  # fmt: skip
    assert sum(each.seconds for each in went.losers) == went.largest.seconds
    assert sum(each.share for each in went.losers) == pytest.approx(1)
    assert [each.asset for each in explained(slow, "quality").went.losers] == [slow.filler.pk]


def test_a_machine_loses_only_while_it_stands_there(slow):
    other = machine(slow.berlin, "L2", level="line")
    place = Placement.objects.get(asset=slow.filler)
    Placement.objects.filter(pk=place.pk).update(valid=(place.valid.lower, BEGIN + 3 * DAY))
    Placement.objects.create(asset=slow.filler, parent=other, valid=(BEGIN + 3 * DAY, None))
    found = [explained(slow, "oee", line).went for line in (slow.line, other)]
    sums = [sum(each.seconds for each in went.losers if each.asset == slow.filler.pk) for went in found]
    assert all(sums)
    assert sum(sums) == pytest.approx(58 * 3600)
    for went in found:
        assert sum(each.seconds for each in went.losers) == pytest.approx(went.largest.seconds)


def test_where_stops_are_the_largest_loss_they_are_named_singly(slow):
    long = stop(slow.labeller, 60, 90, slow.breakdown)
    found = explained(slow, "oee", slow.line)
    assert (found.went.largest.key, found.went.losers, found.largest.stop) == ("breakdown", [], long)


def test_what_gained_time_is_no_loss(slow):
    Count.objects.filter(asset=slow.labeller).update(good=60 * 200)
    went = explained(slow, "performance", slow.line).went
    assert [each.asset for each in went.losers] == [slow.filler.pk]
    Count.objects.filter(asset=slow.labeller).update(good=60 * 500)
    went = explained(slow, "performance", slow.line).went
    assert (went.largest, went.losers) == (None, [])
    assert went.parts[-2].key == "reduced_speed"
    assert went.parts[-2].seconds < 0


def test_of_too_many_machines_none_is_looked_at_singly(client, slow, monkeypatch):
    monkeypatch.setattr(lost_time, "MOST", 1)
    went = explained(slow, "oee", slow.line).went
    assert (went.too_many, went.losers, went.largest.key) == (True, [], "reduced_speed")
    client.force_login(slow.manager)
    page = client.get(reverse("figure"), {**WEEK, "asset": slow.line.pk, "scope": "leaves", "definition": "oee"})
    assert "So many machines are not compared" in page.content.decode()


@pytest.mark.parametrize("key", ["availability", "oee_availability", "mtbf", "downtime_cost"])
def test_other_figures_do_not_tell_it(slow, key):
    assert explained(slow, key, slow.line).went is None


def test_without_counts_there_is_nothing_to_tell(plant):
    stop(plant.filler, 10, 8, plant.breakdown)
    assert explained(plant, "oee", plant.line).went is None


# --- Page and API ----------------------------------------------------------------------------------------


def test_the_page_leads_to_the_machine_and_its_counts_and_back(client, slow):
    client.force_login(slow.manager)
    asked = {**WEEK, "asset": slow.line.pk, "scope": "leaves", "definition": "oee"}
    page = client.get(reverse("figure"), asked)
    words = " ".join(page.content.decode().split())
    assert "Largest loss: <strong>Reduced speed</strong>" in words
    assert "Largest stop:" not in words
    first = page.context["losers"][0]
    assert (first["asset"], parse_qs(urlsplit(first["url"]).query)["asset"]) == (slow.filler, [str(slow.filler.pk)])
    link = f"{first['url']}&{page.context['coming_back']}"
    assert link.replace("&", "&amp;") in words
    own = client.get(link)
    came_from = page.wsgi_request.get_full_path()
    assert own.context["crumbs"] == [("Back", came_from)]
    assert (own.context["counts_of"], own.context["losers"]) == (slow.filler, [])
    counts = client.get(f"{slow.filler.get_absolute_url()}?tab=counts&{own.context['coming_back']}")
    assert counts.context["crumbs"] == [("Back", own.wsgi_request.get_full_path())]


def test_the_page_leads_nowhere_but_here(client, slow):
    client.force_login(slow.manager)
    page = client.get(
        reverse("figure"), {**WEEK, "asset": slow.line.pk, "definition": "oee", "next": "https://evil.example/"}
    )
    assert [str(name) for name, _url in page.context["crumbs"]] == ["Performance"]


def test_quality_does_not_name_a_stop(client, slow):
    client.force_login(slow.manager)
    for key, loss in (("quality", "Scrap"), ("performance", "Reduced speed")):
        page = client.get(reverse("figure"), {**WEEK, "asset": slow.line.pk, "scope": "leaves", "definition": key})
        text = page.content.decode()
        assert (f"<strong>{loss}</strong>" in text, "Largest stop:" in text) == (True, False)


def test_the_api_tells_the_same(client, slow):
    client.force_login(slow.manager)
    asked = {**WEEK, "asset": slow.line.pk, "scope": "leaves", "definition": "oee"}
    told = client.get("/api/v1/kpis/explanation/", asked).json()["time_went"]
    assert (told["whole"], told["seconds"], told["largest"]) == ("planned_production_time", 334 * 3600, "reduced_speed")
    assert sum(each["seconds"] for each in told["parts"]) == told["seconds"]
    assert told["parts"][0] == {
        "key": "reduced_speed", "name": "Reduced speed", "seconds": 66 * 3600, "share": 66 / 334,
        "lowers": "performance",
    }  # fmt: skip
    assert [(each["code"], each["seconds"]) for each in told["machines"]] == [("M1", 58 * 3600), ("M2", 8 * 3600)]
    plain = client.get("/api/v1/kpis/explanation/", {**asked, "definition": "availability"}).json()
    assert plain["time_went"] is None


def test_it_costs_the_same_number_of_queries_however_many_machines(client, slow):
    client.force_login(slow.manager)
    asked = {**WEEK, "asset": slow.line.pk, "scope": "leaves", "definition": "oee"}

    def queries() -> int:
        client.get(reverse("figure"), asked)
        with CaptureQueriesContext(connection) as found:
            client.get(reverse("figure"), asked)
        return len(found)

    few = queries()
    for number in range(12):
        count(machine(slow.berlin, f"N{number}", parent=slow.line), 50)
    assert len(explained(slow, "oee", slow.line).went.losers) == 14
    assert queries() == few
