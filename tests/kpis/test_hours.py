"""Lost time by hour of the week: it adds up to the figures, and an hour without scheduled time is no zero."""

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.template import Context, Template
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from assets.models import Asset, Downtime
from kpis import charts_states
from kpis.axis import epoch
from kpis.computing import compute_site
from kpis.figures import SCOPES, known
from kpis.hours import Clock, Week, week
from kpis.states import records_of
from kpis.views import timeline as page
from production.models import OperatingCalendar, WeeklySlot
from tests.kpis.plants import GRID, STEPS, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin


def of(site, asset, start, end, *, scope="leaves", now) -> tuple:
    """The hours of the week, and the facts that the figures are formed from."""
    (period,) = known([asset], [(start, end)], site=site, scope=scope, now=now)
    return week(period, records_of(period)), period.answer.all


@in_database(30)
@given(
    data=st.data(), records=plants(), scope=st.sampled_from(SCOPES), first=st.integers(0, STEPS // 2),
    length=st.integers(1, STEPS), day_start=st.sampled_from([time(0), time(6)]),
)  # fmt: skip
def test_all_hours_together_are_the_downtime_and_the_schedule_of_the_figures(
    db, data, records, scope, first, length, day_start
):
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records, day_start=day_start)
        compute_site(plant.site, now=records.now)
        start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
        asset = data.draw(st.sampled_from([None, *plant.assets.values()]))
        found, facts = of(plant.site, asset, start, start + length * GRID, scope=scope, now=records.now)
        assert sum(found.lost.values()) == facts.down
        assert sum(found.scheduled.values()) == facts.scheduled
        assert sum(found.unknown.values()) == facts.unobserved
        assert all(lost <= found.scheduled[place] for place, lost in found.lost.items())
        raise Undone


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("begin", [datetime(2026, 3, 28, 5, 10, tzinfo=UTC), datetime(2026, 10, 3, 5, tzinfo=UTC)])
def test_every_second_lies_in_the_hour_that_the_clock_shows(zone, begin):
    start, end = epoch(begin), epoch(begin + timedelta(days=30))
    parts = list(Clock(start, end, ZoneInfo(zone)).cut(start, end))
    assert [parts[0][1], parts[-1][2]] == [start, end]
    assert all(one[2] == other[1] for one, other in pairwise(parts))
    for place, lo, hi in parts:
        for moment in (lo, (lo + hi) // 2, hi - 1):
            local = datetime.fromtimestamp(moment, ZoneInfo(zone))
            assert place == (local.weekday(), local.hour)


@pytest.fixture
def shifts(plant):
    """06:00 to 22:00 on weekdays; the filler was down on two Mondays, from 07:30 to 08:15 and from 05:00 to 06:30."""
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Shifts", valid_from=date(2026, 1, 1))
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=calendar, weekday=day, start=time(6), end=time(22)) for day in range(5)
    )
    for begin, hours in ((MONDAY + 7.5 * HOUR, 0.75), (MONDAY + timedelta(days=7, hours=5), 1.5)):
        Downtime.objects.create(asset=plant.filler, start=begin, end=begin + hours * HOUR, reason=plant.breakdown)
    return plant


def test_an_hour_is_judged_by_what_was_scheduled_in_it(shifts):
    now = MONDAY + timedelta(days=30)
    found, _facts = of(shifts.berlin, shifts.line, MONDAY, MONDAY + timedelta(days=14), now=now)
    assert {place: seconds / 3600 for place, seconds in found.lost.items() if seconds} == {
        (0, 6): 0.5, (0, 7): 0.5, (0, 8): 0.25,
    }  # fmt: skip
    assert found.scheduled[0, 6] == 2 * 3600  # only the filler is known, on two Mondays
    assert found.share((0, 6)) == 0.25
    assert found.share((1, 6)) == 0
    assert found.share((0, 5)) is None
    assert found.share((6, 12)) is None


def test_a_setup_loses_time_only_outside_the_lunch_that_it_runs_into(shifts):
    begin = MONDAY + 9 * HOUR
    make = Downtime.objects.create
    make(asset=shifts.labeller, start=begin, end=begin + 2 * HOUR, planned=True, reason=shifts.setup)
    make(asset=shifts.labeller, start=begin + HOUR, end=begin + 1.5 * HOUR, planned=True, reason=shifts.lunch)
    make(asset=shifts.labeller, start=begin + 1.25 * HOUR, end=begin + 1.5 * HOUR, reason=shifts.breakdown)
    found, facts = of(shifts.berlin, shifts.labeller, MONDAY, begin + 5 * HOUR, now=MONDAY + timedelta(days=30))
    assert {place: seconds / 3600 for place, seconds in found.lost.items()} == {(0, 9): 1, (0, 10): 0.75}
    assert facts.down == 1.75 * 3600


def test_the_picture_leaves_hours_without_a_schedule_empty():
    found = Week(
        lost=Counter({(0, 6): 1800}), scheduled=Counter({(0, 6): 7200, (2, 7): 3600}), passed={(0, 5), (0, 6), (2, 7)}
    )
    chart = charts_states.hours_of_week(found)
    json.dumps(chart.option, allow_nan=False)
    drawn = chart.option["series"][0]["data"]
    assert [each["name"] for each in drawn[2:4]] == [
        "Monday 00:00 to 01:00\noutside the window", "Monday 01:00 to 02:00\noutside the window",
    ]  # fmt: skip
    assert all(each["itemStyle"]["color"] == "transparent" and not each["visualMap"] for each in drawn[2:])
    assert "Monday 05:00 to 06:00\nnot scheduled" in [each["name"] for each in drawn]
    assert drawn[:2] == [
        {"value": [0, 6, 25], "name": "Monday 06:00 to 07:00\n25.0\u202f% lost\n0.5\u202fh of 2.0\u202fh"},
        {"value": [2, 7, 0], "name": "Wednesday 07:00 to 08:00\n0.0\u202f% lost\n0.0\u202fh of 1.0\u202fh"},
    ]
    assert chart.head[:3] == ["Hour", "Mon, %", "Tue, %"]
    assert chart.rows[6] == ["06:00", 25, *[None] * 6]
    assert chart.rows[7] == ["07:00", None, None, 0, *[None] * 4]
    assert charts_states.hours_of_week(Week()).empty


def test_an_hour_of_which_nothing_is_known_is_not_one_without_a_schedule():
    found = Week(
        scheduled=Counter({(0, 6): 3600, (0, 7): 3600}), unknown=Counter({(0, 6): 3600, (0, 8): 3600}),
        passed={(0, hour) for hour in range(24)},
    )  # fmt: skip
    chart = charts_states.hours_of_week(found, threshold=0.8)
    tips = {tuple(each["value"][:2]): each for each in chart.option["series"][0]["data"]}
    assert tips[0, 6]["name"].endswith("\n1.0\u202fh more were scheduled, of which nothing is known")
    assert (tips[0, 8]["name"], tips[0, 8]["label"]["formatter"]) == ("Monday 08:00 to 09:00\nno data", "?")
    assert tips[0, 9]["name"] == "Monday 09:00 to 10:00\nnot scheduled"
    assert "?: scheduled, but nothing is known." in chart.note
    assert chart.file_head()[7:9] == ["Sun, %", "Mon, status"]
    rows = {row[0]: (row[1], row[8], row[9]) for row in chart.file_rows()}
    assert [rows[f"{hour:02d}:00"] for hour in (6, 7, 8, 9)] == [
        (0, "partial", "outside the window"), (0, "ok", "outside the window"), (None, "no data", "outside the window"),
        (None, "not scheduled", "outside the window"),
    ]  # fmt: skip
    html = Template("{% chart chart %}").render(Context({"chart": chart})).split("<tbody>")[1]
    assert all(f'<span class="no-data">{said}</span>' in html for said in ("no data", "not scheduled"))


def test_the_time_of_a_silent_source_is_not_without_schedule(shifts):
    found, _facts = of(shifts.berlin, shifts.line, MONDAY, MONDAY + timedelta(days=7), now=MONDAY + timedelta(days=30))
    assert found.unknown[0, 6] == 2 * 3600, "Of two of the three machines nothing was ever recorded"
    assert (found.coverage((0, 6)), found.coverage((6, 6))) == (1 / 3, None)
    Asset.objects.filter(pk=shifts.filler.pk).update(silence_days=1)
    found, _facts = of(
        shifts.berlin, shifts.filler, MONDAY, MONDAY + timedelta(days=7), now=MONDAY + timedelta(days=30)
    )
    assert (found.coverage((0, 6)), found.coverage((3, 6)), found.share((3, 6))) == (1, 0, None)


def test_shares_are_drawn_as_they_are():
    chart = charts_states.hours_of_week(Week(lost=Counter({(0, 6): 1}), scheduled=Counter({(0, 6): 30_000})))
    assert chart.option["series"][0]["data"][0]["value"] == [0, 6, 100 / 30_000]


def test_the_page_shows_the_hours_of_long_windows_too(shifts, client):
    client.force_login(shifts.manager)
    query = {"from": "2026-03-02", "to": "2026-03-15", "asset": shifts.line.pk}
    answer = client.get(reverse("performance-timeline"), query)
    assert answer.context["hours"].rows[6][:3] == ["06:00", 25, 0]
    assert "Lost time by hour of the week" in answer.content.decode()
    file = client.get(reverse("performance-timeline"), query | {"chart": "hours", "format": "csv"})
    lines = b"".join(file.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[7] == f"06:00,25.0,0.0,0.0,0.0,0.0,,,{'partial,' * 5}not scheduled,not scheduled"


@pytest.mark.parametrize("limit", ["MOST_OF_WEEK", "MOST_ASSET_DAYS"])
def test_more_than_can_be_told_at_once_is_said(shifts, client, monkeypatch, limit):
    monkeypatch.setattr(page, limit, 2)
    client.force_login(shifts.manager)
    answer = client.get(reverse("performance-timeline"), {"window": "30d"})
    assert answer.status_code == 200
    assert "chart=hours" not in answer.content.decode()
    assert "Hours of the week are told of" in answer.content.decode()


def test_before_anything_is_recorded_no_hour_has_a_value(plant, client):
    client.force_login(plant.manager)
    answer = client.get(reverse("performance-timeline"))
    assert answer.context["hours"].empty
