"""The window of the Performance page: picked, compared, drawn, and what it costs to read."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assets.models import Downtime
from kpis import windows
from tests.kpis.test_windows import THREE, follow
from tests.plant import asset


@pytest.fixture
def manager(client, plant):
    client.force_login(plant.manager)
    return client


def page_of(client, **query):
    answer = client.get(reverse("performance"), {"part": "more"} | query)  # with all its parts
    assert answer.status_code == 200
    return answer


def test_a_shift_has_its_figures_straight_from_the_records(manager, plant):
    follow(plant.berlin, THREE)
    shift = windows.shift_at(plant.berlin, None, timezone.now()).moved(-1)
    Downtime.objects.create(asset=plant.filler, start=shift.start, end=shift.start + (shift.end - shift.start) / 4)
    answer = page_of(manager, window="last-shift", asset=plant.filler.pk)
    tile = answer.context["tiles"][0]
    assert round(tile.value, 6) == 75
    figure = manager.get(tile.url)
    assert figure.status_code == 200
    (_label, url) = figure.context["page"].crumbs()[0]
    again = manager.get(url).context["window"]
    assert (again.start, again.end, again.unit) == (shift.start, shift.end, "shift")


def test_the_running_shift_leads_to_its_figure_and_back(manager, plant):
    follow(plant.berlin, THREE)
    now = timezone.now()
    Downtime.objects.create(asset=plant.filler, start=now - timedelta(days=2), end=now - timedelta(days=1, hours=20))
    tile = page_of(manager, window="shift", asset=plant.filler.pk).context["tiles"][0]
    figure = manager.get(tile.url)
    (_label, url) = figure.context["page"].crumbs()[0]
    assert manager.get(url).context["window"].name == "shift"


def test_a_shift_typed_with_its_times_is_known_as_one(manager, plant):
    follow(plant.berlin, THREE)
    typed = {"from": "2026-11-20", "from_time": "22:00", "to": "2026-11-21", "to_time": "06:00"}
    answer = page_of(manager, asset=plant.filler.pk, compare="year", **typed)
    assert (answer.context["window"].unit, str(answer.context["window"])) == (
        "shift", "20 Nov 2026, 22:00 – 21 Nov 2026, 06:00",
    )  # fmt: skip
    text = answer.content.decode()
    assert 'name="from_time" value="22:00"' in text
    for url in (answer.context["earlier"], answer.context["picker"]["comparisons"][0][2]):
        assert "_time=" not in url
    assert "from=2026-11-20T22%3A00%3A00%2B01%3A00" in answer.context["picker"]["comparisons"][0][2]


def test_a_plant_without_calendar_is_told_so_on_the_page(manager, plant):
    text = page_of(manager, window="shift").content.decode()
    assert "No operating calendar says when shifts begin. Shown instead:" in text


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("1900-01-01", "1900-01-01"),
        ("2999-12-31", "2999-12-31"),
        ("1900-01-01T00:00:00-12:00", "1900-01-01T01:00:00-12:00"),
        ("2999-12-31T22:00:00.5+14:00", "2999-12-31T23:00:00Z"),
        ("9999-12-31", "9999-12-31"),
        ("", "2026-01-01"),
    ],
)
@pytest.mark.parametrize("how", ["former", "year", "zz"])
def test_windows_at_the_ends_of_time_have_a_page(manager, plant, first, last, how):
    follow(plant.berlin, THREE)
    page_of(manager, compare=how, **{"from": first, "to": last})


def test_the_page_says_and_draws_what_it_is_compared_with(manager, plant):
    today = plant.berlin.production_day(timezone.now())
    begin = plant.berlin.day_begins(today)
    Downtime.objects.create(asset=plant.filler, start=begin - timedelta(days=2), end=begin - timedelta(days=1.9))
    for ago, length in ((10, 5), (40, 10), (376, 20)):  # per cent of a day
        start = plant.berlin.day_begins(today - timedelta(days=ago))
        Downtime.objects.create(asset=plant.filler, start=start, end=start + timedelta(days=length / 100))

    def notes(**query):
        answer = page_of(manager, asset=plant.filler.pk, **query)
        first = answer.context["trends"][0]
        return answer, answer.context["tiles"][0].note, first

    former, note, chart = notes()
    assert "before: " in note
    assert "a year" not in note
    assert "Compared with" in former.content.decode()
    assert [(line["name"], line["lineStyle"]["type"]) for line in chart.option["series"]] == [
        ("Availability", "solid"), ("OEE", "solid"), ("Availability, before", "dashed"), ("OEE, before", "dashed"),
    ]  # fmt: skip
    lengths = {len(line["data"]) for line in chart.option["series"]}
    assert lengths == {len(chart.option["xAxis"]["data"])} == {30}

    _answer, note, chart = notes(compare="year")
    assert "a year before: 99.3" in note
    assert chart.option["series"][2]["name"] == "Availability, a year before"

    alone, note, chart = notes(compare="none")
    assert "before" not in note
    assert "Compared with" not in alone.content.decode()
    assert len(chart.option["series"]) == 2
    assert "compare=none" in alone.context["earlier"]


def test_a_shorter_compared_month_ends_in_a_gap(manager, plant):
    start = plant.berlin.day_begins(date(2026, 2, 10))
    Downtime.objects.create(asset=plant.filler, start=start, end=start + timedelta(hours=6))
    answer = page_of(manager, asset=plant.filler.pk, **{"from": "2026-03-01", "to": "2026-03-31"})
    before = answer.context["trends"][0].option["series"][2]["data"]
    assert len(before) == 31
    assert before[28:] == [None] * 3
    assert before[9] == 75


@pytest.mark.parametrize("query", [{}, {"compare": "year"}, {"window": "shift"}, {"window": "last-year"}])
def test_a_window_costs_the_same_number_of_queries_however_many_machines(manager, plant, query):
    follow(plant.berlin, THREE)

    def asked_for() -> int:
        page_of(manager, **query)
        with CaptureQueriesContext(connection) as queries:
            page_of(manager, **query)
        return len(queries)

    few = asked_for()
    now = timezone.now()
    for number in range(20):
        machine = asset(plant.berlin, f"N{number}", parent=plant.line)
        Downtime.objects.create(asset=machine, start=now - timedelta(days=5), end=now - timedelta(days=4))
    assert asked_for() == few
