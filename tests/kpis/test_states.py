"""The state timeline: its spans are the time model, its picture and table say the same, its limits are told."""

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from assets.models import Downtime, Placement
from kpis import charts_states
from kpis.computing import compute_site
from kpis.figures import SCOPES, known
from kpis.hours import week
from kpis.intervals import Span
from kpis.plain_records import Stop
from kpis.states import Machine, machines, records_of, stops_of
from kpis.timeline import State, StateSpan
from kpis.views import timeline as page
from production.models import OperatingCalendar, WeeklySlot
from tests import plant as world
from tests.kpis.plants import BERLIN, GRID, STEPS, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
NOW = MONDAY + timedelta(days=3)


# --- The time model -----------------------------------------------------------------------------------


@in_database(25)
@given(
    data=st.data(), records=plants(), scope=st.sampled_from(SCOPES), first=st.integers(0, STEPS // 2),
    length=st.integers(1, STEPS), day_start=st.sampled_from([time(0), time(6)]),
)  # fmt: skip
def test_the_spans_add_up_to_the_figures(db, data, records, scope, first, length, day_start):
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records, day_start=day_start)
        compute_site(plant.site, now=records.now)
        start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
        asset = data.draw(st.sampled_from([None, *plant.assets.values()]))
        (period,) = known([asset], [(start, start + length * GRID)], site=plant.site, scope=scope, now=records.now)
        found = machines(period, records_of(period))
        taken: Counter = Counter()
        for machine in found:
            for each in machine.spans:
                taken[each.state] += each.span.seconds
        facts = period.answer.all
        assert taken[State.OPERATING] == facts.operating
        assert taken[State.DOWN] == facts.down
        assert taken[State.PLANNED_STOP] == facts.planned_stop
        assert taken[State.UNKNOWN] == facts.unobserved
        assert sum(taken.values()) == facts.calendar
        stopped = sum(each.seconds for each in stops_of(found, now=records.now))
        assert stopped == facts.down + facts.planned_stop
        raise Undone


def test_a_machine_that_moved_is_drawn_on_each_line_for_as_long_as_it_stood_there(plant):
    other = world.asset(plant.berlin, "L2", level="line")
    moved = MONDAY + 30 * HOUR
    old = plant.filler.placements.get()
    old.valid = DateTimeTZRange(old.valid.lower, moved)
    old.save()
    Placement.objects.create(asset=plant.filler, parent=other, valid=DateTimeTZRange(moved, None))
    Downtime.objects.create(asset=plant.filler, start=moved - HOUR, end=moved + 2 * HOUR, reason=plant.breakdown)
    window = (MONDAY, MONDAY + 48 * HOUR)
    before, after = known([plant.line, other], [window], site=plant.berlin, now=NOW)
    hours = {
        period.asset.code: [
            (each.asset.code, each.seconds(State.OPERATING) / 3600, each.seconds(State.DOWN) / 3600)
            for each in machines(period, records_of(period))
            if each.observed
        ]
        for period in (before, after)
    }
    assert hours == {"L1": [("M1", 29, 1)], "L2": [("M1", 16, 2)]}
    lost = [sum(week(period, records_of(period)).lost.values()) for period in (before, after)]
    assert lost == [before.answer.all.down, after.answer.all.down] == [3600, 7200]


# --- The picture --------------------------------------------------------------------------------------


def machine(code: str, *spans: tuple, observed: bool = True) -> Machine:
    """Spans are (hour, hour, state, stop) since Monday; machines are no rows here."""
    made = [
        StateSpan(Span(MONDAY + first * HOUR, MONDAY + past * HOUR), state, *stop)
        for first, past, state, *stop in spans
    ]
    return Machine(SimpleNamespace(pk=code, code=code), observed, made)


def drawn(*found: Machine, start=MONDAY, end=NOW):
    chart = charts_states.timeline(found, start=start, end=end, zone=BERLIN, reasons={7: "Jam"})
    json.dumps(chart.option, allow_nan=False)
    return chart, {each["name"]: each for each in chart.option["series"]}


def milliseconds(day: int, hour: int) -> int:
    """Of a March day on the wall clock, as the axis has it."""
    return int(datetime(2026, 3, day, hour, tzinfo=UTC).timestamp() * 1000)


def test_each_state_is_a_series_with_a_word_a_colour_and_a_height_of_its_own():
    stop = Stop(4, 1, MONDAY, None, reason=7)
    chart, series = drawn(
        machine("M1", (0, 6, State.NOT_SCHEDULED), (6, 8, State.OPERATING), (8, 9, State.DOWN, stop)),
        machine("M2", (6, 9, State.PLANNED_STOP, Stop(5, 2, MONDAY, None, planned=True))),
        machine("M3", (0, 9, State.UNKNOWN), observed=False),
    )
    assert list(series) == ["Running", "Stopped", "Planned stop", "Not scheduled", "Unknown"]
    assert len({each["thickness"] for each in series.values()}) == 5
    assert series["Stopped"]["itemStyle"]["color"] == "var(--stop)"
    assert series["Running"]["data"] == [[0, milliseconds(2, 6), milliseconds(2, 8), 7200]]
    assert series["Stopped"]["data"] == [
        {"value": [0, milliseconds(2, 8), milliseconds(2, 9), 3600], "name": "Jam", "url": "/downtime/4/"}
    ]
    assert series["Planned stop"]["data"][0]["name"] == "Without a reason"
    assert chart.option["yAxis"]["data"] == ["M1", "M2", "M3"]
    assert (chart.option["xAxis"]["min"], chart.option["xAxis"]["max"]) == (milliseconds(2, 0), milliseconds(5, 0))


def test_the_table_has_the_hours_of_each_state_and_no_zero_for_what_nobody_knows():
    chart, _series = drawn(
        machine("M1", (0, 6, State.NOT_SCHEDULED), (6, 9, State.OPERATING)),
        machine("M2", (0, 6, State.NOT_SCHEDULED), (6, 9, State.UNKNOWN), observed=False),
    )
    assert chart.head == ["Machine", "Running, h", "Stopped, h", "Planned stop, h", "Not scheduled, h", "Unknown, h"]
    assert chart.rows == [["M1", 3, 0, 0, 6, 0], ["M2", None, None, None, 6, 3]]


def test_a_span_over_the_hour_that_comes_twice_never_runs_backwards():
    autumn = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in summer time; an hour later 02:30 again
    span = Span(autumn, autumn + timedelta(minutes=45))
    found = Machine(SimpleNamespace(pk=1, code="M1"), True, [StateSpan(span, State.OPERATING)])
    _chart, series = drawn(found)
    (_row, start, end, seconds) = series["Running"]["data"][0]
    assert (end - start, seconds) == (0, 2700)


def test_nothing_to_draw_is_said():
    assert drawn()[0].empty


# --- The page -----------------------------------------------------------------------------------------


@pytest.fixture
def stopped(plant, monkeypatch):
    """Two shifts a day; the filler broke down on Monday from 05:00 to 08:00, had lunch, and is down since 20:00."""
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Shifts", valid_from=date(2026, 1, 1))
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=calendar, weekday=day, start=time(6), end=time(22)) for day in range(7)
    )
    make = Downtime.objects.create
    long = make(asset=plant.filler, start=MONDAY + 5 * HOUR, end=MONDAY + 8 * HOUR, reason=plant.breakdown)
    lunch = make(asset=plant.filler, start=MONDAY + 12 * HOUR, end=MONDAY + 15 * HOUR, reason=plant.lunch, planned=True)
    open = make(asset=plant.filler, start=MONDAY + 20.5 * HOUR)
    monkeypatch.setattr(timezone, "now", lambda: MONDAY + 21.5 * HOUR)
    return SimpleNamespace(plant=plant, long=long, lunch=lunch, open=open)


@pytest.fixture
def read(client, plant):
    client.force_login(plant.manager)

    def asked(**query):
        answer = client.get(reverse("performance-timeline"), {"from": "2026-03-02", "to": "2026-03-03", **query})
        assert answer.status_code == 200
        return answer

    return asked


def test_the_page_draws_each_machine_until_now_and_lists_its_stops(stopped, read):
    answer = read(asset=stopped.plant.line.pk)
    chart = answer.context["chart"]
    assert [row[:6] for row in chart.rows] == [
        ["M1", 9.5, 3, 3, 6, 0], ["M2", None, None, None, 6, 15.5], ["M3", None, None, None, 6, 15.5],
    ]  # fmt: skip
    text = answer.content.decode()
    assert "1 machine was stopped for 3.0 h of 12.5 h of planned production time." in text
    assert "Of 2 others nothing was ever recorded." in text
    assert [each.stop_id for each, _state, _reason in answer.context["stops"]] == [
        stopped.long.pk, stopped.open.pk, stopped.lunch.pk,
    ]  # fmt: skip
    assert f'<a href="{stopped.long.get_absolute_url()}">Breakdown</a>' in text
    assert f'<a href="{stopped.open.get_absolute_url()}">Without a reason</a>' in text
    assert text.count("still stopped") == 1


def test_the_site_and_one_machine_have_a_timeline_too(stopped, read):
    assert [row[0] for row in read().context["chart"].rows] == ["M1", "M2", "M3"]
    alone = read(asset=stopped.plant.labeller.pk)
    assert [row[0] for row in alone.context["chart"].rows] == ["M2"]
    assert "Nothing was ever recorded for these machines" in alone.content.decode()


def test_the_future_is_not_drawn(stopped, read):
    answer = read(**{"from": "2026-03-05", "to": "2026-03-06"})
    assert answer.context["chart"].empty
    assert "No data for this period." in answer.content.decode()


def test_without_a_window_it_is_about_seven_days(stopped, client, plant):
    client.force_login(plant.manager)
    answer = client.get(reverse("performance-timeline"))
    assert answer.context["window"].name == "7d"


def test_more_days_than_can_be_seen_are_not_drawn_but_shorter_windows_offered(stopped, read):
    answer = read(asset=stopped.plant.line.pk, to="2026-03-10")
    text = answer.content.decode()
    assert "State of each machine" not in text
    assert "A timeline shows 8 days at most, these are 9: choose a shorter window." in text
    assert f'href="/performance/timeline/?asset={stopped.plant.line.pk}&amp;window=7d"' in text


def test_more_machines_than_can_be_seen_are_not_drawn_but_what_is_below_offered(stopped, read, monkeypatch):
    monkeypatch.setattr(page, "MOST_MACHINES", 2)
    answer = read()
    text = answer.content.decode()
    assert "A timeline shows 2 machines at most, these are 3: choose what is below." in text
    line = f"asset={stopped.plant.line.pk}"
    assert line in text.split("narrower")[1].split("</p>")[0]
    assert "State of each machine" not in text


def test_a_long_list_of_stops_says_what_it_leaves_out(stopped, read, monkeypatch):
    monkeypatch.setattr(page, "MOST_STOPS", 2)
    answer = read()
    assert len(answer.context["stops"]) == 2
    assert "2 of 3 are listed." in answer.content.decode()


def test_machines_of_another_site_have_no_timeline_here(stopped, client):
    client.force_login(stopped.plant.manager)
    assert client.get(reverse("performance-timeline"), {"asset": stopped.plant.foreign.pk}).status_code == 404
    client.force_login(stopped.plant.stranger)
    assert client.get(reverse("performance-timeline"), {"asset": stopped.plant.line.pk}).status_code == 404


def test_somebody_without_a_site_is_told_so(client, plant):
    plant.manager.memberships.all().delete()
    client.force_login(plant.manager)
    assert "You have no site yet" in client.get(reverse("performance-timeline")).content.decode()


def test_performance_leads_here_and_back_with_the_asset_and_the_window(stopped, client):
    client.force_login(stopped.plant.manager)
    query = f"asset={stopped.plant.line.pk}&window=7d"
    there = client.get(f"{reverse('performance')}?{query}").content.decode()
    assert f'href="/performance/timeline/?{query.replace("&", "&amp;")}"' in there
    back = client.get(f"{reverse('performance-timeline')}?{query}").content.decode()
    assert f'href="/performance/?{query.replace("&", "&amp;")}"' in back


def test_the_page_asks_as_often_for_many_machines(stopped, read, django_assert_max_num_queries):
    def queries() -> int:
        with django_assert_max_num_queries(40) as asked:
            read()
        return len(asked)

    read()
    few = queries()
    for number in range(12):
        made = world.asset(stopped.plant.berlin, f"N{number}", parent=stopped.plant.line)
        Downtime.objects.create(asset=made, start=MONDAY + 9 * HOUR, end=MONDAY + 10 * HOUR)
    assert queries() == few


def test_the_hours_of_each_state_are_a_file(stopped, read):
    answer = read(asset=stopped.plant.filler.pk, chart="timeline", format="csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert answer["Content-Disposition"] == 'attachment; filename="timeline-m1-2026-03-02-2026-03-03.csv"'
    assert lines[1] == "M1,9.5,3.0,3.0,6.0,0.0"
