"""Schedule compliance and break-in work: worked cases, the edges of weeks, and what the explanation says."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse

from assets.models import Placement
from core.models import Site
from kpis import figures
from kpis.agreed import BreakIn, Kept, Week, break_in, kept
from kpis.facts.agreed import over_in
from kpis.formulas import HOUR, Status
from kpis.intervals import Span
from kpis.work import Lack
from tests import plant as world
from tests.contracts.api import client_of
from tests.kpis.test_work_database import order
from workorders.models import AgreedWeek
from workorders.states import State
from workorders.week import midnight

MONDAY = date(2026, 3, 9)
DAY = timedelta(days=1)
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)


def moment(plant, days: float, monday: date = MONDAY) -> datetime:
    """So many days after the week begins, none of whose days has a clock change."""
    return midnight(plant.berlin, monday) + days * DAY


def agreed(plant, *orders, monday: date = MONDAY) -> AgreedWeek:
    week = AgreedWeek.objects.create(site=plant.berlin, monday=monday, agreed_by=plant.planner)
    for each in orders:
        week.orders.create(order=each, minutes=60)
    return week


def done(plant, days: float, *, asset=None, **fields):
    at = moment(plant, days)
    return order(asset or plant.filler, moment(plant, -5), State.COMPLETED, completed_at=at, state_since=at, **fields)


def read(plant, key: str, subject=None, *, start=MONDAY, end=MONDAY + 7 * DAY, now=NOW, by="total"):
    begin, past = (plant.berlin.day_begins(day) for day in (start, end))
    found = figures.read(
        subject and [subject], definitions=[key], site=plant.berlin, start=begin, end=past, by=by, scope="leaves",
        now=now,
    )  # fmt: skip
    return found if by != "total" else found[0]


# --- Arithmetic ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "value", "status", "reason"),
    [
        (Kept(8, 6, 1, 1), 0.75, Status.OK, ""),
        (Kept(8, 8, 1, 1), 1.0, Status.OK, ""),
        (Kept(8, 0, 1, 1), 0.0, Status.OK, ""),
        (Kept(8, 6, 1, 4), 0.75, Status.PARTIAL, Lack.FEW_KNOWN),
        (Kept(0, 0, 1, 1), None, Status.UNDEFINED, Lack.NOTHING_PROMISED),
        (Kept(0, 0, 0, 3), None, Status.NO_DATA, Lack.NOT_AGREED),
        (Kept(0, 0, 0, 0), None, Status.UNDEFINED, Lack.NO_WEEK_OVER),
    ],
)
def test_schedule_compliance_or_the_reason_why_there_is_none(known, value, status, reason):
    found = known.compliance(0.9)
    assert (found.value, found.status, found.reason or "") == (value, status, reason)


@pytest.mark.parametrize(
    ("known", "value", "status", "reason"),
    [
        (BreakIn(40 * HOUR, 40 * HOUR, 10 * HOUR), 0.25, Status.OK, ""),
        (BreakIn(40 * HOUR, 40 * HOUR, 0), 0.0, Status.OK, ""),
        (BreakIn(40 * HOUR, 20 * HOUR, 10 * HOUR), 0.5, Status.PARTIAL, Lack.FEW_KNOWN),
        (BreakIn(40 * HOUR, 0, 0), None, Status.NO_DATA, Lack.NOT_AGREED),
        (BreakIn(0, 0, 0), None, Status.NO_DATA, Lack.NO_LABOUR),
    ],
)
def test_break_in_share_or_the_reason_why_there_is_none(known, value, status, reason):
    found = known.share(0.9)
    assert (found.value, found.status, found.reason or "") == (value, status, reason)


def hour(number: int) -> datetime:
    return datetime(2026, 3, 9, tzinfo=UTC) + timedelta(hours=number)


def test_the_edges_of_a_week_are_half_open_and_it_counts_where_its_last_day_begins():
    week = Week(Span(hour(0), hour(168)), hour(144), {1, 2, 3, 4})
    completed = {1: hour(0), 2: hour(168), 3: hour(0) - timedelta(seconds=1)}
    whole = Span(hour(144), hour(145))
    assert kept([week], completed, whole, hour(168), over=1) == Kept(4, 1, 1, 1)
    assert kept([week], completed, whole, hour(168) - timedelta(seconds=1), over=0) == Kept()
    assert kept([week], completed, Span(hour(0), hour(144)), hour(999), over=0) == Kept()


def test_labour_is_split_at_the_edges_of_the_window_and_of_the_week():
    week = Week(Span(hour(0), hour(168)), hour(144), {1})
    entries = [(1, Span(hour(-2), hour(3))), (2, Span(hour(166), hour(170))), (2, Span(hour(10), hour(11)))]
    assert break_in(entries, [week], Span(hour(-1), hour(169))) == BreakIn(8 * HOUR, 6 * HOUR, 3 * HOUR)


def test_weeks_that_are_over_are_counted_where_their_last_day_begins():
    site = Site(time_zone="Europe/Berlin", day_start=time(6))

    def weeks(first: date, past: date, now: datetime) -> int:
        return over_in(site, site.day_begins(first), site.day_begins(past), now)

    sunday, after = MONDAY + 6 * DAY, midnight(site, MONDAY + 7 * DAY)
    assert weeks(sunday, sunday + DAY, after) == 1
    assert weeks(sunday, sunday + DAY, after - timedelta(seconds=1)) == 0
    assert weeks(MONDAY, sunday, after) == 0
    assert weeks(sunday + DAY, sunday + 7 * DAY, NOW) == 0
    assert weeks(date(2026, 1, 1), date(2027, 1, 1), NOW) == 16
    assert [weeks(date(2026, month, 1), date(2026, month + 1, 1), NOW) for month in (1, 2, 3, 4)] == [4, 4, 5, 3]


# --- Out of the database ---------------------------------------------------------------------------


def test_three_of_four_promises_kept_are_75_percent(plant):
    rows = [
        done(plant, 1),
        done(plant, 6.9, asset=plant.labeller),
        done(plant, 0),
        order(plant.line, moment(plant, -5)),
    ]
    agreed(plant, *rows)
    done(plant, 2)
    figure = read(plant, "schedule_compliance")
    assert (figure.value, figure.status) == (0.75, "ok")
    assert figure.inputs == {"agreed_orders": 4, "kept_orders": 3, "agreed_weeks": 1, "ended_weeks": 1}
    assert read(plant, "schedule_compliance", plant.labeller).value == 1
    assert read(plant, "schedule_compliance", plant.palletiser).reason_code == "nothing_promised"


@pytest.mark.parametrize("case", ["before", "after", "cancelled", "reopened"])
def test_what_was_not_completed_in_its_week_was_not_done_as_agreed(plant, case):
    row = done(plant, {"before": -0.001, "after": 7}.get(case, 3))
    if case in ("cancelled", "reopened"):
        row.state, row.completed_at = (
            (State.CANCELLED, row.completed_at) if case == "cancelled" else (State.APPROVED, None)
        )
        row.save()
    agreed(plant, row, done(plant, 3))
    assert read(plant, "schedule_compliance").value == 0.5


def test_a_week_counts_once_it_is_over_and_in_one_window_only(plant):
    Site.objects.filter(pk=plant.berlin.pk).update(day_start=time(6))
    plant.berlin.refresh_from_db()
    agreed(plant, done(plant, 1))
    days = read(plant, "schedule_compliance", by="day", start=MONDAY - DAY, end=MONDAY + 9 * DAY)
    assert [figure.value for figure in days] == [None] * 7 + [1] + [None] * 2
    assert {figure.reason_code for figure in days if figure.value is None} == {"no_week_over", "not_agreed"}
    assert [figure.inputs["kept_orders"] for figure in days] == [0] * 7 + [1] + [0] * 2
    late, end = read(plant, "schedule_compliance"), moment(plant, 7)
    assert late.value == 1
    assert read(plant, "schedule_compliance", now=end - timedelta(seconds=1)).reason_code == "no_week_over"
    assert read(plant, "schedule_compliance", now=end).value == 1


def test_few_agreed_weeks_make_the_figure_of_a_month_partial(plant):
    agreed(plant, done(plant, 1))
    month = read(plant, "schedule_compliance", start=date(2026, 3, 1), end=date(2026, 4, 1))
    assert (month.value, month.status, month.coverage) == (1, "partial", 0.2)


def test_a_promise_belongs_to_the_line_where_its_machine_stood_on_the_last_day(plant):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    moved = plant.berlin.day_begins(MONDAY + 6 * DAY)
    Placement.objects.filter(asset=plant.labeller).update(valid=DateTimeTZRange(world.OPENED, moved))
    Placement.objects.create(asset=plant.labeller, parent=other, valid=DateTimeTZRange(moved, None))
    agreed(plant, done(plant, 1, asset=plant.labeller))
    assert read(plant, "schedule_compliance", other).value == 1
    assert read(plant, "schedule_compliance", plant.line).reason_code == "nothing_promised"


def test_labour_is_split_between_the_lines_where_its_machine_stood(plant):
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    moved = moment(plant, 3)
    Placement.objects.filter(asset=plant.labeller).update(valid=DateTimeTZRange(world.OPENED, moved))
    Placement.objects.create(asset=plant.labeller, parent=other, valid=DateTimeTZRange(moved, None))
    agreed(plant)
    hours = timedelta(hours=1)
    row = order(plant.labeller, moment(plant, 1))
    row.labour.create(person=plant.technician, start=moved - hours, end=moved + 2 * hours)
    found = [read(plant, "break_in_share", line).inputs["break_in_labour"] for line in (plant.line, other)]
    assert found == [HOUR, 2 * HOUR]


def test_labour_on_what_was_not_agreed_is_break_in_work(plant):
    promised, between = order(plant.filler, moment(plant, -3)), order(plant.filler, moment(plant, 1))
    agreed(plant, promised)
    hours = timedelta(hours=1)
    promised.labour.create(
        person=plant.technician, start=moment(plant, 0) - 2 * hours, end=moment(plant, 0) + 6 * hours
    )
    between.labour.create(person=plant.technician, start=moment(plant, 7) - 2 * hours, end=moment(plant, 7) + 3 * hours)
    week = read(plant, "break_in_share")
    assert (week.value, week.coverage) == (0.25, 1)
    assert week.inputs == {"labour": 8 * HOUR, "labour_in_agreed_weeks": 8 * HOUR, "break_in_labour": 2 * HOUR}
    longer = read(plant, "break_in_share", start=MONDAY - DAY, end=MONDAY + 8 * DAY)
    assert (longer.value, longer.status, longer.coverage) == (0.25, "partial", pytest.approx(8 / 13))
    alone = read(plant, "break_in_share", start=MONDAY + 7 * DAY, end=MONDAY + 8 * DAY)
    assert (alone.value, alone.reason_code) == (None, "not_agreed")


def test_a_running_clock_counts_until_now(plant):
    row = order(plant.filler, moment(plant, 1), State.IN_PROGRESS)
    agreed(plant)
    row.labour.create(person=plant.technician, start=moment(plant, 2))
    found = read(plant, "break_in_share", now=moment(plant, 2) + timedelta(hours=3))
    assert found.inputs["break_in_labour"] == 3 * HOUR


@pytest.mark.parametrize(
    "ends", [("0001-01-01", "0001-02-01"), ("1970-01-01", "2026-03-16"), ("9999-12-01", "9999-12-31")]
)
def test_a_window_at_the_ends_of_the_calendar_is_answered_or_refused(plant, ends):
    agreed(plant, done(plant, 1))
    question = {"site": "berlin", "definition": "schedule_compliance", "from": ends[0], "to": ends[1]}
    assert client_of(plant.manager).get("/api/v1/kpis/", question).status_code in (200, 400, 422)


def test_weeks_of_another_site_are_not_ours(plant):
    row = done(plant, 1)
    week = AgreedWeek.objects.create(site=plant.chicago, monday=MONDAY)
    week.orders.create(order=row)
    assert read(plant, "schedule_compliance").reason_code == "not_agreed"


# --- Explained -------------------------------------------------------------------------------------


def test_the_explanation_names_each_promise_and_what_became_of_it(client, plant):
    kept_, late = done(plant, 1, summary="Kept"), done(plant, 8, summary="Late")
    early, open_ = done(plant, -1, summary="Early"), order(plant.filler, moment(plant, -3), summary="Open")
    agreed(plant, kept_, late, early, open_)
    question = {"site": "berlin", "definition": "schedule_compliance", "from": "2026-03-02", "to": "2026-03-16"}
    why = client_of(plant.manager).get("/api/v1/kpis/explanation/", question).json()
    assert {each["label"].split(" ", 1)[1]: each["remark"] for each in why["records"]} == {
        "Kept": "agreed for week 2026-W11 and completed in it",
        "Late": "agreed for week 2026-W11, completed after it",
        "Early": "agreed for week 2026-W11, completed before it",
        "Open": "agreed for week 2026-W11, not completed: Approved",
    }
    client.force_login(plant.manager)
    page = client.get(reverse("figure"), question).content.decode()
    for words in ("1 ÷ 4", "1 of 2 weeks that ended in this window were not agreed.", kept_.get_absolute_url()):
        assert words in page, words


def test_the_explanation_of_break_in_work_names_the_labour(client, plant):
    promised, between = order(plant.filler, moment(plant, -3)), order(plant.filler, moment(plant, 1))
    agreed(plant, promised)
    hours = timedelta(hours=1)
    for row, days in ((promised, 1), (between, 2), (between, 7)):
        row.labour.create(person=plant.technician, start=moment(plant, days), end=moment(plant, days) + 2 * hours)
    question = {"site": "berlin", "definition": "break_in_share", "from": "2026-03-09", "to": "2026-03-17"}
    why = client_of(plant.manager).get("/api/v1/kpis/explanation/", question).json()
    assert [(each["remark"].split(": ")[1], each["counts"]) for each in why["records"]] == [
        ("in a week that was not agreed", False), ("not agreed for the week", True), ("agreed for the week", True),
    ]  # fmt: skip
    client.force_login(plant.manager)
    page = client.get(reverse("figure"), question).content.decode()
    assert "2.00 h ÷ 4.00 h" in page
    assert "2.00 h of 6.00 h of labour lie in weeks that were not agreed." in page
