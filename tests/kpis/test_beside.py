"""What the explanation of MTBF and MTTR shows beside the mean."""

import re
from datetime import date, time
from html import unescape

import pytest
from django.urls import reverse

from assets.models import Downtime, Failure
from production.models import OperatingCalendar
from tests.kpis.test_calculations import varied as varied  # the fixture
from tests.kpis.test_figures import BEGIN, HOUR
from tests.kpis.test_figures import history as breakdown  # noqa: F401  the fixture
from tests.kpis.test_inputs_work import history as history  # which the first one needs
from tests.kpis.test_work_database import broken as broken  # which that one needs

WEEK = {"from": "2026-03-02", "to": "2026-03-09", "asset": "M1", "scope": "asset"}


@pytest.fixture
def ask(client, plant):
    """The explanation of one figure as the API and as the page tell it."""
    client.force_login(plant.manager)

    def asked(definition: str, **question) -> tuple[dict, str]:
        query = WEEK | {"definition": definition} | question
        why = client.get("/api/v1/kpis/explanation/", query)
        assert why.status_code == 200, why.json()
        return why.json(), client.get(reverse("figure"), query).content.decode()

    return asked


def row(page: str, name: str) -> str:
    """What stands in the page beside a name, links included."""
    (found,) = re.findall(rf"<dt>{name}</dt><dd>(.*?)</dd>", page)
    return unescape(found)


@pytest.mark.parametrize(
    "question", [{}, {"asset": "L1", "scope": "leaves"}, {"asset": "L1", "to": "2026-04-21"}], ids=str
)
def test_median_90th_percentile_and_scheduled_hours_stand_beside_mttr(ask, client, varied, question):
    why, page = ask("mttr", **question)
    keys = ["restoration_median", "restoration_p90", "mttr_scheduled"]
    assert [each["definition"] for each in why["beside"]] == keys
    for name in ("restoration_time", "restored_failures"):
        assert {each["inputs"][name] for each in why["beside"]} == {why["figure"]["inputs"][name]}
    links = re.findall(r'<a href="(.*?)">(.*?)</a>', row(page, "Beside it"))
    names = ["Time to restoration, median", "Time to restoration, 90th percentile", "MTTR in scheduled hours"]
    for (url, words), name, each in zip(links, names, why["beside"], strict=True):
        alone = client.get(url)
        assert (alone.status_code, alone.context["figure"].value) == (200, each["value"])
        assert words == f"{name} {alone.context['said']}"


def test_mtbf_shows_events_and_items_and_leads_to_the_one_by_items(ask, client, plant, breakdown):  # noqa: F811
    Failure.objects.create(asset=plant.filler, occurred=breakdown.start + HOUR)  # while it is down
    why, page = ask("mtbf")
    assert (row(page, "Failure events"), row(page, "Failed items")) == ("1", "2")
    (items,) = why["beside"]
    assert (items["definition"], items["value"]) == ("mtbf_by_items", 82)
    ((url, words),) = re.findall(r'<a href="(.*?)">(.*?)</a>', row(page, "Beside it"))
    assert words == "MTBF by items 82.0\u202fh"
    assert client.get(url).context["figure"].value == 82


def test_without_a_mean_and_of_other_figures_nothing_stands_beside(ask, plant, breakdown):  # noqa: F811
    assert ask("availability")[0]["beside"] == []
    quiet = {"from": "2026-03-09", "to": "2026-03-16"}
    for definition in ("mtbf", "mttr"):
        why, page = ask(definition, **quiet)
        assert {each["value"] for each in why["beside"]} == {why["figure"]["value"]} == {None}
        assert "Beside it" not in page
    why, page = ask("mttr", **{"from": "2999-01-01", "to": "2999-01-03"})
    assert why["beside"] == []
    assert "Beside it" not in page


def test_what_stands_beside_mttr_takes_as_many_queries_for_many_failures(
    ask, plant, varied, django_assert_max_num_queries
):
    def queries() -> int:
        with django_assert_max_num_queries(200) as asked:
            ask("mttr")
        return len(asked)

    ask("mttr")
    few = queries()
    for number in range(12):
        start = BEGIN + (120 + 3 * number) * HOUR
        stop = Downtime.objects.create(asset=plant.filler, start=start, end=start + HOUR, reason=plant.breakdown)
        Failure.objects.create(asset=plant.filler, occurred=start, restored=stop.end, downtime=stop)
    assert queries() == few


# --- Calendar time -------------------------------------------------------------------------------

SAID = "168.00 h ÷ 1. Its time is calendar time: no operating calendar holds, and no stop took any of it."


def planned(plant, asset=None, until: date | None = None) -> None:
    """An operating calendar around the clock: of an asset, or of the site."""
    calendar = OperatingCalendar.objects.create(
        site=plant.berlin, asset=asset, name="Always", valid_from=date(2026, 1, 1), valid_to=until
    )
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start=time(0), end=time(0))


def stopped(plant, **fields) -> None:
    Downtime.objects.create(asset=plant.filler, start=BEGIN + HOUR, end=BEGIN + 2 * HOUR, **fields)


@pytest.mark.parametrize("definition", ["mtbf", "mtbf_by_items"])
@pytest.mark.parametrize("place", [{}, {"asset": "L1", "scope": "leaves"}, {"scope": "leaves"}], ids=str)
def test_without_a_calendar_and_without_a_stop_mtbf_says_calendar_time(ask, plant, definition, place):
    Failure.objects.create(asset=plant.filler, occurred=BEGIN + 30 * HOUR)
    Downtime.objects.create(asset=plant.filler, start=BEGIN - 9 * HOUR, end=BEGIN)  # before the window
    planned(plant, until=date(2026, 3, 2))
    why, page = ask(definition, **place)
    assert (why["calculation"], why["on_calendar_time"]) == (SAID, True)
    assert row(page, "With its numbers") == SAID


@pytest.mark.parametrize(
    "otherwise",
    [
        lambda plant: planned(plant),
        lambda plant: planned(plant, plant.filler),
        lambda plant: planned(plant, until=date(2026, 3, 4)),
        lambda plant: stopped(plant, reason=plant.breakdown),
        lambda plant: stopped(plant, reason=plant.lunch, planned=True),
    ],
    ids=["calendar of the site", "own calendar", "calendar for a part of it", "unplanned stop", "planned stop"],
)
def test_with_a_calendar_or_a_stop_mtbf_does_not_say_calendar_time(ask, plant, otherwise):
    Failure.objects.create(asset=plant.filler, occurred=BEGIN + 30 * HOUR)
    otherwise(plant)
    why, page = ask("mtbf")
    assert why["figure"]["value"] in (167, 168)
    assert why["calculation"] == f"{why['figure']['value']:.2f} h ÷ 1"
    assert not why["on_calendar_time"]
    assert "calendar time" not in page


def test_other_figures_and_those_without_records_do_not_say_calendar_time(ask, plant):
    assert not ask("mtbf")[0]["on_calendar_time"]
    Failure.objects.create(asset=plant.filler, occurred=BEGIN + 30 * HOUR)
    for definition in ("availability", "mttr", "backlog_hours"):
        why, page = ask(definition)
        assert not why["on_calendar_time"]
        assert "calendar time" not in page
