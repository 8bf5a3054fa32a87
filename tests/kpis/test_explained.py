"""The explanation of a figure: its records, calendars and failures, and the way there and back."""

import re
from datetime import date, time
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from assets import tree
from assets.models import Asset, Downtime, Failure, Placement, RedundancyGroup
from core.kit import present
from kpis import explaining
from kpis.definitions import DEFINITIONS, WorkDefinition
from production.models import OperatingCalendar
from tests.kpis.test_figures import BEGIN, HOUR, NOW, WEEK
from tests.kpis.test_figures import history as history  # the fixture


def test_the_explanation_names_the_records(client, plant, history):
    client.force_login(plant.manager)
    query = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09", "definition": "mtbf"}
    why = client.get("/api/v1/kpis/explanation/", query).json()
    assert why["calculation"] == "164.00 h ÷ 1"
    assert [(stop["seconds"], stop["lost"]) for stop in why["stops"]] == [(3 * 3600, 3 * 3600), (3600, 0)]
    page = client.get(reverse("figure"), query).content.decode()
    assert "164.00 h ÷ 1" in page
    assert history.get_absolute_url() in page


def why_available(plant, **question):
    asked = {"site": plant.berlin, "definition": "availability", "scope": "asset", "now": NOW} | question
    return explaining.explain(plant.filler, start=asked.pop("start", WEEK[0]), end=asked.pop("end", WEEK[1]), **asked)


def test_the_stop_that_took_most_of_planned_production_comes_first(plant, history):
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Early", valid_from=date(2026, 1, 1))
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start=time(6), end=time(14))
    night = Downtime.objects.create(asset=plant.filler, start=BEGIN + 40 * HOUR, end=BEGIN + 55 * HOUR)  # until 07:00
    late = Downtime.objects.create(asset=plant.filler, start=BEGIN - 20 * HOUR, end=BEGIN + 7 * HOUR)  # clipped
    found = why_available(plant)
    assert [(each.stop, each.seconds / 3600, each.lost / 3600) for each in found.stops] == [
        (history, 3, 3),
        (night, 15, 1),
        (late, 7, 1),
        (plant.filler.downtimes.get(reason=plant.lunch), 1, 0),
    ]
    assert found.largest.stop == history


def test_by_how_much_listed_stops_overlap_is_said(client, plant, history):
    client.force_login(plant.manager)
    query = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09", "definition": "availability"}
    words = f"their planned times add up to more than was lost, by {present.duration(5400)}."
    assert client.get("/api/v1/kpis/explanation/", query).json()["overlap"] == 0
    assert "Stops overlap" not in client.get(reverse("figure"), query).content.decode()
    start = history.start
    Downtime.objects.create(asset=plant.filler, start=start + HOUR, end=start + 2 * HOUR)
    Downtime.objects.create(asset=plant.filler, start=start + 2.5 * HOUR, end=start + 4 * HOUR)
    Downtime.objects.create(asset=plant.labeller, start=start, end=start + HOUR)  # another machine
    line = Downtime.objects.create(asset=plant.line, start=start + 3.5 * HOUR, end=start + 6 * HOUR)

    for asset, scope, overlap in ((plant.filler, "asset", 1.5), (plant.line, "leaves", 1.5), (plant.line, "asset", 2)):
        found = explaining.explain(
            asset, site=plant.berlin, definition="availability", start=WEEK[0], end=WEEK[1], scope=scope, now=NOW
        )
        assert found.overlap == overlap * 3600
        down = found.figure.inputs["unplanned_downtime"]
        assert sum(each.lost for each in found.stops) - found.overlap == down
    assert line in [each.stop for each in found.stops]
    assert client.get("/api/v1/kpis/explanation/", query).json()["overlap"] == 5400
    assert words in client.get(reverse("figure"), query).content.decode()


def why_line_fails(plant):
    return explaining.explain(
        plant.line, site=plant.berlin, definition="mtbf", start=WEEK[0], end=WEEK[1], scope="asset", now=NOW
    )


def test_a_line_that_fails_through_a_machine_lists_its_failures(client, plant, history):
    Failure.objects.create(asset=plant.filler, occurred=BEGIN + 30 * HOUR)  # stops nothing
    labels = Downtime.objects.create(asset=plant.labeller, start=BEGIN + 40 * HOUR, end=BEGIN + 41 * HOUR)
    Failure.objects.create(asset=plant.labeller, occurred=labels.start, downtime=labels)
    found = why_line_fails(plant)
    assert (found.figure.inputs["failures"], found.failures) == (1, [history.failures.get()])
    client.force_login(plant.manager)
    query = {"asset": "L1", "from": "2026-03-02", "to": "2026-03-09", "definition": "mtbf", "scope": "asset"}
    (row,) = client.get("/api/v1/kpis/explanation/", query).json()["failures"]
    assert (row["id"], row["asset"]) == (history.failures.get().pk, "M1")
    assert (
        f'href="{history.failures.get().get_absolute_url()}?' in client.get(reverse("figure"), query).content.decode()
    )
    moved = BEGIN + 12 * HOUR
    tree.move(plant.filler, None, by=plant.planner, at=moved)
    later = Downtime.objects.create(asset=plant.filler, start=moved + HOUR, end=moved + 2 * HOUR)
    Failure.objects.create(asset=plant.filler, occurred=later.start, downtime=later)
    assert why_line_fails(plant).failures == [history.failures.get()]


def test_of_a_redundancy_group_the_failures_that_stopped_the_line_are_listed(plant):
    group = RedundancyGroup.objects.create(parent=plant.line, name="Labellers", needed=1)
    members = [plant.labeller, plant.palletiser]
    Placement.objects.filter(asset__in=members).update(redundancy_group=group, stops_parent=False)

    def fails(asset, start: int, end: int) -> Failure:
        stop = Downtime.objects.create(asset=asset, start=BEGIN + start * HOUR, end=BEGIN + end * HOUR)
        return Failure.objects.create(asset=asset, occurred=stop.start, downtime=stop)

    fails(plant.labeller, 10, 12)  # the other one runs
    first, second = fails(plant.labeller, 20, 25), fails(plant.palletiser, 22, 24)
    before = fails(plant.labeller, -10, 41)  # the other one fails in the window
    third = fails(plant.palletiser, 40, 42)

    found = why_line_fails(plant)

    assert found.failures == [third, second, first, before]
    assert found.figure.inputs["failures"] == 2


def calendar_of(plant, name, asset=None, since=date(2026, 1, 1), until=None):
    return OperatingCalendar.objects.create(
        site=plant.berlin, asset=asset, name=name, valid_from=since, valid_to=until
    )  # fmt: skip


def told(found):
    return [(each.name, each.owner, each.how, each.start, each.end) for each in found.calendars]


def test_a_calendar_is_named_for_the_part_of_the_window_in_which_it_held(client, plant, history):
    night = "24 hours a day, 7 days a week"
    assert told(why_available(plant)) == [(night, "", "none", *WEEK)]
    calendar_of(plant, "Site", until=date(2026, 3, 4))
    calendar_of(plant, "Summer", since=date(2026, 4, 1))
    turn = BEGIN + 48 * HOUR  # 4 March, 00:00 in Berlin
    assert told(why_available(plant)) == [
        ("Site", "berlin", "site", WEEK[0], turn),
        (night, "", "none", turn, WEEK[1]),
    ]
    calendar_of(plant, "Own", plant.filler, since=date(2026, 3, 6))
    calendar_of(plant, "Line", plant.line, since=date(2026, 3, 4))
    own = BEGIN + 96 * HOUR
    rows = [
        ("Site", "berlin", "site", WEEK[0], turn),
        ("Line", "L1", "inherited", turn, own),
        ("Own", "M1", "own", own, WEEK[1]),
    ]
    assert told(why_available(plant)) == rows
    query = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09", "definition": "availability"}
    client.force_login(plant.manager)
    answer = client.get("/api/v1/kpis/explanation/", query).json()["calendars"]
    assert [(row["name"], row["of"], row["how"]) for row in answer] == [row[:3] for row in rows]
    page = client.get(reverse("figure"), query).content.decode()
    assert "Line (inherited from L1, 4 Mar 2026, 00:00 – 6 Mar 2026, 00:00)" in page
    assert "Own (of M1 itself, 6 Mar 2026, 00:00 – 9 Mar 2026, 00:00)" in page


def test_in_the_week_of_a_move_the_calendars_of_both_lines_are_named(plant, history):
    other = Asset.objects.create(site=plant.berlin, code="L2", name="Line 2", level="line")
    calendar_of(plant, "Line", plant.line)
    calendar_of(plant, "Other", other)
    at = BEGIN + 60 * HOUR
    tree.move(plant.filler, other, by=plant.planner, at=at)
    assert told(why_available(plant)) == [
        ("Line", "L1", "inherited", WEEK[0], at),
        ("Other", "L2", "inherited", at, WEEK[1]),
    ]
    left = explaining.explain(
        plant.line, site=plant.berlin, definition="availability", start=WEEK[0], end=WEEK[1], scope="leaves", now=NOW
    )  # fmt: skip
    assert told(left) == [("Line", "L1", "inherited", *WEEK)]


def test_of_an_excluded_stop_only_the_overrun_is_lost(plant):
    start = BEGIN + 10 * HOUR
    lunch = Downtime.objects.create(
        asset=plant.filler, start=start, end=start + 3 * HOUR, planned=True, reason=plant.lunch,
        planned_end=start + HOUR,
    )  # fmt: skip
    assert [(each.stop, each.lost / 3600) for each in why_available(plant).stops] == [(lunch, 2)]
    plant.berlin.overrun_is_unplanned = False
    assert why_available(plant).largest is None


def test_the_longest_stops_are_listed_however_many_there_are(plant, monkeypatch):
    monkeypatch.setattr(explaining, "MOST", 2)
    long = Downtime.objects.create(asset=plant.filler, start=BEGIN - HOUR, end=BEGIN + 9 * HOUR)
    for number in range(4):
        start = BEGIN + (20 + number) * HOUR
        Downtime.objects.create(asset=plant.filler, start=start, end=start + HOUR / 4)
    found = why_available(plant)
    assert (found.largest.stop, found.largest.seconds, len(found.stops)) == (long, 9 * 3600, 2)
    assert found.more


def test_records_opened_from_a_figure_lead_back_to_it(client, plant, history):
    client.force_login(plant.manager)
    query = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09", "definition": "mtbf"}
    page = client.get(reverse("figure"), query)
    came_from = page.wsgi_request.get_full_path()
    text = page.content.decode()
    for row in (history, history.failures.get()):
        link = f"{row.get_absolute_url()}?{urlencode({'next': came_from})}"
        assert f'href="{link}"' in text
        assert client.get(link).context["crumbs"] == [("Back", came_from)]


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com/", "javascript:alert(1)", ""])
def test_no_record_leads_back_to_somewhere_else(client, plant, history, elsewhere):
    client.force_login(plant.manager)
    page = client.get(history.get_absolute_url(), {"next": elsewhere})
    assert [str(label) for label, _url in page.context["crumbs"]] == ["Downtime"]


@pytest.mark.parametrize("name", ["figure", "figure-inputs"])
@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"from": "2026-03-09", "to": "2026-03-02"}, "to=2026-03-02", "The window ends before it begins."),
        ({"from": "2026-03-02", "to": "2026-03-02"}, "to=2026-03-02", "The window ends before it begins."),
        ({"from": "2026-03-02T06:00"}, "from=2026-03-02T06:00", "An instant needs its offset from UTC"),
        ({"from": ""}, "from", "Give an instant"),
        ({"from": "1990-01-01"}, "from=1990-01-01", "A window may be ten years long at most."),
        ({"definition": "luck"}, "definition=luck", "definition must be one of availability,"),
        ({"definition": "mtbf,oee"}, "definition=mtbf,oee", "Name one figure."),
        ({"asset": ""}, "asset", "Name assets or a site."),
        ({"scope": "all"}, "scope=all", "scope must be one of asset, subtree, leaves."),
        ({"luck": "1"}, "luck=1", "Unknown parameter"),
    ],
)
def test_what_cannot_be_explained_says_which_parameter_is_wrong(client, plant, name, query, field, message):
    client.force_login(plant.manager)
    asked = {"asset": "M1", "from": "2026-03-02", "to": "2026-03-09", "definition": "mtbf"} | query
    page = client.get(reverse(name), asked, follow=True)
    assert page.status_code == 400
    assert f"<code>{field}</code>: {message}" in page.content.decode()


@pytest.mark.parametrize(
    "definition", [key for key, each in DEFINITIONS.items() if not isinstance(each, WorkDefinition)]
)
def test_every_figure_is_explained_with_its_numbers(plant, history, definition):
    found = explaining.explain(
        plant.filler, site=plant.berlin, definition=definition, start=WEEK[0], end=WEEK[1], scope="asset", now=NOW
    )

    assert " ÷ " in explaining.sentence(found.figure)


@pytest.mark.parametrize("definition", ["oee", "backlog_hours"])
def test_of_a_window_that_has_not_begun_nothing_but_that_is_told(client, plant, history, definition):
    Downtime.objects.create(asset=plant.filler, start=BEGIN)  # still open
    client.force_login(plant.manager)
    query = {"asset": "L1", "definition": definition, "from": "2999-01-01", "to": "2999-01-03"}
    page = client.get(reverse("figure"), query).content.decode()
    assert "This window has not begun." in page
    assert re.search(r"1 Jan 2999, 00:00 – 3 Jan 2999, 00:00", page)
    assert not re.search(r"With its numbers|Grade|Inputs as CSV|Coverage", page)
    why = client.get("/api/v1/kpis/explanation/", query).json()
    assert (why["trust"], why["stops"], why["open_stops"], why["entry_lag"], why["sources"]) == (None, [], 0, None, [])
