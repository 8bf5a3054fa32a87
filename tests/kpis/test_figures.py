"""Figures as people and systems read them: stored and live alike, explained, and only of one's own sites."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from assets import tree
from assets.models import Asset, Downtime, Failure, Placement, RedundancyGroup
from core.errors import Refused
from core.kit import present
from kpis import computing, explaining, figures
from kpis.cutting import cut
from kpis.definitions import DEFINITIONS, WorkDefinition
from production.models import Count, OperatingCalendar

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


@pytest.mark.parametrize(
    "definition", [key for key, each in DEFINITIONS.items() if not isinstance(each, WorkDefinition)]
)
def test_every_figure_is_explained_with_its_numbers(plant, history, definition):
    found = explaining.explain(
        plant.filler, site=plant.berlin, definition=definition, start=WEEK[0], end=WEEK[1], scope="asset", now=NOW
    )

    assert " ÷ " in explaining.sentence(found.figure)
