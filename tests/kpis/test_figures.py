"""Figures as people and systems read them: stored and live alike, explained, and only of one's own sites."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.models import Asset, Downtime, Failure
from core.errors import Refused
from kpis import computing, figures
from kpis.cutting import cut
from production.models import Count

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
WEEK = (BEGIN, BEGIN + timedelta(days=7))
NOW = BEGIN + timedelta(days=30)


@pytest.fixture
def history(plant):
    """The filler: a breakdown of 3 h that was a failure, a lunch of 1 h, and counts of one day; 24/7."""
    stop = Downtime.objects.create(
        asset=plant.filler, start=BEGIN + 10 * HOUR, end=BEGIN + 13 * HOUR, reason=plant.breakdown
    )
    Failure.objects.create(asset=plant.filler, occurred=stop.start, restored=stop.end, downtime=stop)
    Downtime.objects.create(
        asset=plant.filler, start=BEGIN + 20 * HOUR, end=BEGIN + 21 * HOUR, planned=True, reason=plant.lunch
    )
    Count.objects.create(
        asset=plant.filler, start=BEGIN, end=BEGIN + 24 * HOUR, good=60_000, scrap=3_600, ideal_cycle=1
    )
    return stop


def value_of(plant, key, **question):
    question = {"site": plant.berlin, "start": WEEK[0], "end": WEEK[1], "scope": "asset", "now": NOW} | question
    (figure,) = figures.read([plant.filler], definitions=[key], **question)
    return figure


def test_the_figures_of_a_week_are_those_of_the_definitions(plant, history):
    planned, operating = 167, 164
    assert value_of(plant, "availability").value == pytest.approx(operating / planned)
    assert value_of(plant, "mtbf").value == pytest.approx(operating)
    assert value_of(plant, "mttr").value == pytest.approx(3)
    assert value_of(plant, "oee").value == pytest.approx(60_000 / (planned * 3600))


def test_stored_facts_answer_what_the_records_answer(plant, history):
    keys = ["availability", "mtbf", "mttr", "oee", "performance", "quality", "teep"]
    question = {"site": plant.berlin, "start": WEEK[0], "end": WEEK[1], "by": "day", "scope": "asset", "now": NOW}
    live = [
        (f.value, f.status, f.inputs) for f in figures.read([plant.filler, plant.line], definitions=keys, **question)
    ]
    computing.compute_due(now=NOW)
    stored = [
        (f.value, f.status, f.inputs) for f in figures.read([plant.filler, plant.line], definitions=keys, **question)
    ]
    assert stored == live


def test_a_change_shows_at_once_and_after_the_next_computation(plant, history):
    computing.compute_due(now=NOW)
    Downtime.objects.filter(pk=history.pk).update(end=history.start + 5 * HOUR)
    assert value_of(plant, "availability").value == pytest.approx(162 / 167)
    computing.compute_due(now=NOW)
    assert value_of(plant, "availability").value == pytest.approx(162 / 167)


def test_days_add_up_to_the_week(plant, history):
    computing.compute_due(now=NOW)
    days = figures.read(
        [plant.filler], site=plant.berlin, start=WEEK[0], end=WEEK[1], by="day", scope="asset",
        definitions=["availability"], now=NOW,
    )  # fmt: skip
    whole = value_of(plant, "availability")
    assert len(days) == 7
    for name in ("operating_time", "planned_production_time", "unplanned_downtime", "failures"):
        assert sum(day.inputs[name] for day in days) == pytest.approx(whole.inputs[name])


def test_an_asset_without_any_record_has_no_data_instead_of_a_hundred_per_cent(plant, history):
    (figure,) = figures.read(
        [plant.palletiser],
        site=plant.berlin,
        start=WEEK[0],
        end=WEEK[1],
        scope="asset",
        definitions=["availability"],
        now=NOW,
    )
    assert (figure.value, figure.status, figure.coverage) == (None, "no data", 0.0)


def test_failures_without_a_restoration_time_give_no_mttr(plant):
    Failure.objects.create(asset=plant.filler, occurred=BEGIN + HOUR)
    figure = value_of(plant, "mttr")
    assert (figure.value, figure.status, figure.reason) == (None, "no data", "No restoration times were recorded.")
    assert figure.inputs["missing_restoration_times"] == 1


def test_the_number_of_queries_does_not_grow_with_assets_and_days(plant, history, django_assert_max_num_queries):
    computing.compute_due(now=NOW)
    for assets, by in (([plant.filler], "total"), ([plant.filler, plant.labeller, plant.line], "day")):
        with django_assert_max_num_queries(16):
            figures.read(
                assets, site=plant.berlin, start=WEEK[0], end=WEEK[1], by=by, definitions=["mtbf", "oee"], now=NOW
            )


WRONG = [
    {"by": "fortnight"},
    {"scope": "fleet"},
    {"definition": "luck"},
    {"to": "2026-03-01"},
    {"from": "2026-03-02T00:00:00"},
    {"to": ""},
    {"asset": ""},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_question_is_refused_by_the_parameter(client, plant, wrong):
    client.force_login(plant.manager)
    query = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09"} | wrong
    answer = client.get("/api/v1/kpis/", query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(wrong))


def test_the_api_answers_with_value_status_and_inputs(client, plant, history):
    client.force_login(plant.manager)
    query = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09", "definition": "availability"}
    (row,) = client.get("/api/v1/kpis/", query).json()
    assert row["value"] == pytest.approx(164 / 167)
    assert (row["status"], row["unit"], row["asset"]["code"]) == ("ok", "share", "M1")
    assert row["inputs"]["operating_time"] == 164 * 3600


@pytest.mark.parametrize(("failures", "few"), [(4, True), (5, False)])
def test_fewer_than_five_failures_are_said_to_be_few(client, plant, failures, few):
    now = timezone.now()
    for hour in range(failures):
        moment = now - timedelta(days=3, hours=hour)
        Failure.objects.create(asset=plant.filler, occurred=moment, restored=moment + timedelta(minutes=5))
    computing.compute_site(plant.berlin)
    client.force_login(plant.manager)
    day = plant.berlin.production_day(now)
    query = {"asset": "M1", "from": day - timedelta(days=7), "to": day, "definition": "mtbf"}

    (row,) = client.get("/api/v1/kpis/", query).json()

    assert row["interval"]["few_failures"] is few
    assert ("few failures" in client.get(reverse("figure"), query).content.decode()) is few
    page = client.get(reverse("performance"), {"asset": plant.filler.pk, "window": "7d"}).content.decode()
    assert ("few failures" in page) is few


def test_another_sites_asset_does_not_exist(client, plant):
    client.force_login(plant.manager)
    for address in ("/api/v1/kpis/", "/api/v1/kpis/explanation/", reverse("figure"), reverse("performance")):
        query = {"asset": plant.foreign.pk, "from": "2026-03-02", "to": "2026-03-09", "definition": "mtbf"}
        assert client.get(address, query).status_code == 404


def test_the_performance_page_shows_the_figures_and_says_what_is_missing(client, plant, history):
    client.force_login(plant.manager)
    page = client.get(reverse("performance"), {"from": "2026-03-02", "to": "2026-03-08", "asset": plant.filler.pk})
    assert page.status_code == 200
    assert "98.2" in page.content.decode()
    empty = client.get(reverse("performance"), {"from": "2026-03-02", "to": "2026-03-08", "asset": plant.palletiser.pk})
    assert (
        "Nothing was ever recorded for it, or nothing for too long, so its state is unknown." in empty.content.decode()
    )


def test_the_page_of_an_asset_tells_its_last_30_days(client, plant):
    now = timezone.now()
    day = plant.berlin.day_begins(plant.berlin.production_day(now)) - timedelta(days=10)
    Downtime.objects.create(asset=plant.filler, start=day, end=day + timedelta(hours=72), reason=plant.breakdown)
    client.force_login(plant.manager)
    tab = client.get(reverse("asset", args=[plant.filler.pk]), {"tab": "performance"}).content.decode()
    assert "90.0" in tab  # 27 of 30 days
    assert "before: 100.0" in tab
    assert f"{reverse('performance')}?asset={plant.filler.pk}" in tab
    assert f"{reverse('figure')}?definition=availability" in tab
    assert plant.breakdown.name in tab


@pytest.mark.parametrize("part", ["", "?part=more"])
def test_the_performance_page_asks_as_often_for_a_large_site(
    client, plant, history, django_assert_max_num_queries, part
):
    computing.compute_due(now=timezone.now())
    client.force_login(plant.manager)
    page = reverse("performance") + part
    client.get(page)

    def queries() -> int:
        with django_assert_max_num_queries(45) as asked:
            client.get(page)
        return len(asked)

    small = queries()
    for number in range(12):
        made = Asset.objects.create(site=plant.berlin, code=f"N{number}", name="New", parent=plant.line)
        Downtime.objects.create(asset=made, start=BEGIN, end=BEGIN + HOUR, reason=plant.breakdown)
    computing.compute_due(now=timezone.now())
    assert queries() == small


def test_a_window_that_ends_before_it_begins_is_refused(plant):
    with pytest.raises(Refused, match="ends before it begins"):
        cut(plant.berlin, WEEK[1], WEEK[0], "total")
