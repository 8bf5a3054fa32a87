"""Figures of work out of the database: what the SQL counts is what the pure functions count, for any history."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from assets.models import Downtime, Failure, FailureCode, Placement
from kpis import computing, figures
from kpis.agreed import Week, break_in, kept
from kpis.backlog import Finished, Spent, Waiting, backlog, closed
from kpis.definitions import DEFINITIONS
from kpis.intervals import Span
from kpis.work import Asked, Due, Worked, labour, preventive, requests
from production.models import OperatingCalendar
from tests import plant as world
from tests.workorders.planned import job_plan
from workorders.models import AgreedOrder, AgreedWeek, PlanOccurrence, PreventivePlan, Request, WorkOrder
from workorders.raising import take_numbers
from workorders.states import OPEN_STATES, State

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin; the clock changes on 29 March
NOW = BEGIN + 45 * DAY + 9 * HOUR
END = BEGIN + 50 * DAY
MONDAYS = [date(2026, 2, 16) + number * 7 * DAY for number in range(12)]


def order(asset, reported: datetime, state: str = State.APPROVED, **fields) -> WorkOrder:
    values = {"summary": "Work", "reported_at": reported, "created": reported, "state_since": reported, **fields}
    return WorkOrder.objects.create(
        site=asset.site, number=take_numbers(asset.site)[0], asset=asset, state=state, **values
    )


@dataclass
class History:
    """What was written, as plain records with the asset they belong to."""

    due: list = field(default_factory=list)
    worked: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    waiting: list = field(default_factory=list)  # with when labour was done, to know it at any moment
    finished: list = field(default_factory=list)
    costs: list = field(default_factory=list)
    entries: list = field(default_factory=list)  # (asset, order, span of labour)
    completed: dict = field(default_factory=dict)  # by order
    weeks: list = field(default_factory=list)  # agreed, with their orders
    asset_of: dict = field(default_factory=dict)  # by order


def write_history(plant, chance: Random) -> History:
    """Work of 45 days on the line, its machines and a component of one of them."""
    history = History()
    assets = [plant.line, plant.filler, plant.labeller, world.asset(plant.berlin, "M1-V", "Valve",
              parent=plant.filler, level="component")]  # fmt: skip
    problems = [FailureCode.objects.create(list="problem", code=f"p{n}", name=f"P{n}") for n in range(2)]
    plan = PreventivePlan.objects.create(
        site=plant.berlin, name="Oil", job_plan=job_plan(plant.berlin), start=date(2026, 1, 1)
    )

    def moment(low: float = -20, high: float = 45.3) -> datetime:
        return BEGIN + timedelta(seconds=round(chance.uniform(low, high) * 86_400))

    for number in range(60):
        asset, due, interval = chance.choice(assets), moment(-5, 52), chance.choice([1, 7, 30, 95])
        state = chance.choice(["done"] * 4 + ["generated", "missed", "skipped", "forecast"])
        done = due + timedelta(days=chance.uniform(-1, 1.2) * interval / 4)
        PlanOccurrence.objects.create(
            plan=plan, asset=asset, sequence=number, due=due, interval_days=interval, state=state, reason="why",
            done_at=done if state == "done" else None,
        )  # fmt: skip
        day = plant.berlin.local
        known = day(done).date() if state == "done" and done <= NOW else None
        history.due.append((asset, due, Due(day(due).date(), interval, known, state == "skipped")))
    for _ in range(60):
        write_order(plant, chance, history, chance.choice(assets), moment(), chance.choice([None, *problems]))
    for _ in range(30):
        asset, reported = chance.choice(assets), moment()
        state = chance.choice(["new", "accepted", "accepted", "declined"])
        answered = None if state == "new" else reported + timedelta(seconds=chance.randint(1, 400_000))
        Request.objects.create(
            site=plant.berlin, asset=asset, summary="Leaks", state=state, answer="No", reported_by=plant.requester,
            reported_at=reported, answered_at=answered,
        )  # fmt: skip
        history.asked.append((asset, Asked(reported, answered, state == "accepted")))
    for monday in MONDAYS:
        if chance.random() < 0.6:
            promise(plant, chance, history, monday)
    return history


def promise(plant, chance: Random, history: History, monday: date) -> None:
    """Agree on a week with orders of all times, among them some that were not completed in it."""
    row = AgreedWeek.objects.create(site=plant.berlin, monday=monday)
    orders = chance.sample(list(history.asset_of), 12)
    AgreedOrder.objects.bulk_create(AgreedOrder(week=row, order_id=each) for each in orders)
    history.weeks.append(Week(week_from(plant, monday), last_day(plant, monday), set(orders)))


def week_from(plant, monday: date) -> Span:
    return Span(
        *(datetime.combine(day, time(), plant.berlin.zone).astimezone(UTC) for day in (monday, monday + 7 * DAY))
    )


def last_day(plant, monday: date) -> datetime:
    return plant.berlin.day_begins(monday + 6 * DAY)


def write_order(plant, chance: Random, history: History, asset, reported: datetime, problem) -> None:
    state = chance.choice([*OPEN_STATES, "completed", "closed", "closed", "closed", "cancelled"])
    estimate = chance.choice([None, 30, 240, 2000])
    ended = reported + chance.uniform(0.1, 12) * DAY
    ended = min(ended, NOW - HOUR) if state in ("completed", "closed", "cancelled") else None
    closing = min(ended + chance.uniform(0, 3) * DAY, NOW - HOUR / 2) if state == "closed" else None
    if ended is not None and ended <= reported:
        return
    failure = problem and Failure.objects.create(asset=asset, occurred=reported, restored=ended, problem=problem)
    emergency, planned = chance.random() < 0.3, chance.random() < 0.5
    row = order(
        asset, reported, state, estimate_minutes=estimate, priority=1 if emergency else 3, failure=failure,
        completed_at=ended if state != "cancelled" else None, closed_at=closing, state_since=ended or reported,
    )  # fmt: skip
    if planned:
        row.steps.create(position=1, text="Look")
    history.asset_of[row.pk] = asset
    if row.completed_at:
        history.completed[row.pk] = row.completed_at
    spells = []
    for person in (plant.technician, plant.planner):
        start = reported + chance.uniform(0, 4) * DAY
        if chance.random() < 0.6 and start < NOW - HOUR:
            end = min(start + chance.uniform(0.2, 30) * HOUR, NOW)
            running = state == "in_progress" and chance.random() < 0.5
            priced = not running and chance.random() < 0.7
            entry = row.labour.create(person=person, start=start, end=None if running else end)
            if priced:
                amount = round(chance.uniform(1, 500), 2)
                row.costs.create(source="labour", amount=amount, at=start, labour=entry)
                history.costs.append((asset, start, "labour", amount))
            span = Span(start, NOW if running else end)
            spells.append(span)
            history.entries.append((asset, row.pk, span))
            history.worked.append((asset, Worked(span, planned and estimate is not None, emergency, priced)))
    for source in ("parts", "external", "undivided"):
        if chance.random() < 0.3:
            amount, at = round(chance.uniform(1, 900), 2), reported + chance.uniform(0, 5) * DAY
            row.costs.create(source=source, amount=amount, at=at)
            history.costs.append((asset, at, source, amount))
    history.waiting.append(
        (asset, Waiting(reported, ended, estimate and estimate * 60, ready=state in ("planned", "scheduled")), spells)
    )
    if state == "closed":
        history.finished.append((asset, Finished(asset.pk, problem and problem.pk, reported, ended, closing)))


def expected(plant, history: History, inside, window: Span, *, running: bool) -> dict:
    """What the pure functions say of the records of these assets in this window."""
    today = NOW.astimezone(inside[0].site.zone).date()
    until = Span(BEGIN - 90 * DAY, window.end)
    waiting = [
        replace(each, worked=labour([Worked(spell) for spell in spells], until).total)
        for asset, each, spells in history.waiting
        if asset in inside
    ]
    worked = labour([each for asset, each in history.worked if asset in inside], window)
    done = [each for asset, each in history.finished if asset in inside]
    costs: dict[str, float] = {}
    for asset, at, source, amount in history.costs:
        if asset in inside and window.covers(at):
            costs[source] = costs.get(source, 0.0) + amount
    over = [
        monday for monday in MONDAYS if week_from(plant, monday).end <= NOW and window.covers(last_day(plant, monday))
    ]
    here = [replace(week, orders={each for each in week.orders if history.asset_of[each] in inside})
            for week in history.weeks]  # fmt: skip
    entries = [(number, each) for asset, number, each in history.entries if asset in inside]
    return {
        "agreed": kept(here, history.completed, window, NOW, over=len(over)),
        "break_in": break_in(entries, history.weeks, window),
        "preventive": preventive(
            [each for asset, at, each in history.due if asset in inside and window.covers(at)], today
        ),
        "labour": worked,
        "requests": requests([each for asset, each in history.asked if asset in inside], window, NOW),
        "backlog": backlog(waiting, window.end, ready_known=running),
        "closed": closed(done, window),
        "spent": Spent(
            **costs,
            worked=worked.total,
            priced=worked.priced,
            recorded=bool(costs or worked.total or any(each.created < window.end for each in waiting)),
        ),
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("by", ["total", "week"])
def test_the_database_counts_what_the_pure_functions_count(plant, seed, by):
    history = write_history(plant, Random(seed))
    everything = sorted({asset for asset, *_ in history.due}, key=lambda asset: asset.pk)
    machine = [asset for asset in everything if asset.path.startswith(plant.filler.path)]
    question = {"site": plant.berlin, "start": BEGIN, "end": END, "by": by, "now": NOW}
    found = figures.periods([None, plant.line, plant.filler], **question)
    alone = figures.periods([plant.filler], scope="asset", **question)
    subjects = [everything, everything, machine, [plant.filler]]
    assert len(found) == 3 * len(alone)
    for number, period in enumerate([*found, *alone]):
        inside = subjects[number // len(alone)]
        window = Span(period.start, max(period.start, min(period.end, NOW)))
        if window.start >= NOW:
            continue
        for kind, pure in expected(plant, history, inside, window, running=period.end >= NOW).items():
            known = period.work.of(kind, period.place)
            assert known.inputs() == pytest.approx(pure.inputs(), abs=1e-3), (kind, window)
            for name in known.__slots__:
                value, wanted = getattr(known, name), getattr(pure, name)
                exact = isinstance(wanted, dict | bool | None)
                assert value == (wanted if exact else pytest.approx(wanted, abs=1e-3)), (kind, name)


# --- Failures and their orders -------------------------------------------------------------------


def at(hours: float) -> datetime:
    return BEGIN + hours * HOUR


@pytest.fixture
def broken(plant):
    """The filler, and with it the line: one failure worked on by two, one without an order, one still open."""
    stops = [
        Downtime.objects.create(asset=plant.filler, start=at(start), end=end and at(end), reason=plant.breakdown)
        for start, end in ((10, 20), (50, 54), (1080, None))
    ]
    failures = [
        Failure.objects.create(asset=plant.filler, occurred=stop.start, restored=stop.end, downtime=stop)
        for stop in stops
    ]
    repaired = order(plant.filler, at(11), State.CLOSED, failure=failures[0], closed_at=at(30), completed_at=at(20))
    for person in (plant.technician, plant.planner):
        repaired.labour.create(person=person, start=at(13), end=at(15))
    repaired.labour.create(person=plant.technician, start=at(17), end=at(19))
    order(plant.filler, at(10.5), State.CANCELLED, failure=failures[0])
    order(plant.filler, at(1081), State.IN_PROGRESS, downtime=stops[2])
    return repaired


def read(subject, *keys: str, scope: str = "leaves", by: str = "total", start=BEGIN, end=END):
    site = subject.site if hasattr(subject, "site") else subject
    return figures.read(
        None if subject is site else [subject], definitions=keys, site=site, start=start, end=end, by=by, scope=scope,
        now=NOW,
    )  # fmt: skip


@pytest.mark.parametrize("stored", [False, True], ids=["from records", "from stored days"])
@pytest.mark.parametrize("whose", ["filler", "line", "line alone", "site"])
def test_the_parts_of_mttr_come_from_the_orders_of_the_failures(plant, broken, stored, whose):
    if stored:
        computing.compute_due(now=NOW)
    subject = {"filler": plant.filler, "site": plant.berlin}.get(whose, plant.line)
    keys = ("mttr_detect", "mttr_wait", "mart", "mttr_hand_back", "mrt", "restoration_median", "restoration_p90")
    scope = "asset" if whose == "line alone" else "leaves"
    found = {figure.definition.key: figure for figure in read(subject, *keys, scope=scope)}
    assert [found[key].value for key in keys] == pytest.approx([1, 4, 4, 1, 9, 7, 9.4])
    assert found["mart"].inputs["failures"] == 3
    assert found["mart"].inputs["open_failures"] == 1
    assert found["mart"].inputs["failures_with_order"] == 1
    assert (found["mart"].status, found["mart"].coverage) == ("partial", 0.5)


def test_parts_belong_to_the_bucket_in_which_the_failure_occurred(plant, broken):
    found = read(plant.filler, "mart", "mttr_scheduled", by="day", end=BEGIN + 4 * DAY)
    marts, scheduled = found[0::2], found[1::2]
    assert [figure.value for figure in marts] == [pytest.approx(4), None, None, None]
    assert [figure.status for figure in marts] == ["ok", "undefined", "no data", "undefined"]
    assert marts[2].reason == "No restored failure of this window has a work order."
    assert [figure.value for figure in scheduled] == [pytest.approx(10), None, pytest.approx(4), None]


def test_scheduled_hours_follow_the_calendar_beyond_the_window(plant, broken):
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Early shift", valid_from=date(2020, 1, 1))
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start=time(6), end=time(14))
    (mttr, inherent) = read(plant.filler, "mttr_scheduled", "inherent_availability", start=BEGIN, end=BEGIN + 12 * HOUR)
    assert mttr.value == pytest.approx(4)  # 10:00 to 20:00, scheduled until 14:00
    assert inherent.inputs["active_repair_time_in_schedule"] == 3600  # 13:00 to 14:00 of 13:00 to 19:00
    up = 4  # of the window, 06:00 to 12:00, less the stop from 10:00 on
    assert inherent.value == pytest.approx(up / (up + 1))


# --- Money of stops --------------------------------------------------------------------------------


def cost(asset, amount) -> None:
    type(asset).objects.filter(pk=asset.pk).update(downtime_cost=amount)


@pytest.mark.parametrize("stored", [False, True], ids=["from records", "from stored days"])
def test_a_stop_costs_its_hours_at_the_cost_of_the_outermost_asset_that_has_one(plant, stored):
    Downtime.objects.create(asset=plant.filler, start=at(1), end=at(3), reason=plant.breakdown)
    Downtime.objects.create(asset=plant.filler, start=at(5), end=at(6), reason=plant.lunch, planned=True)
    Downtime.objects.create(asset=plant.labeller, start=at(10), end=at(15), reason=plant.breakdown)
    cost(plant.filler, 100)
    cost(plant.labeller, 30)
    if stored:
        computing.compute_due(now=NOW)
    week = {"start": BEGIN, "end": BEGIN + 7 * DAY}
    assert [read(each, "downtime_cost", **week)[0].value for each in (plant.filler, plant.line, plant.berlin)] == [
        200, 350, 350,
    ]  # fmt: skip
    assert [figure.value for figure in read(plant.line, "downtime_cost", by="day", end=BEGIN + 2 * DAY)] == [350, 0]
    cost(plant.line, 1000)
    (line,) = read(plant.line, "downtime_cost", **week)
    assert (line.value, line.unit) == (2000, "EUR")  # the filler stops the line, the labeller does not
    assert read(plant.filler, "downtime_cost", **week)[0].value == 200
    assert read(plant.palletiser, "downtime_cost", **week)[0].reason == "No asset here has a cost of one hour down."


# --- As all figures --------------------------------------------------------------------------------


def test_work_stays_with_the_line_where_it_was_done(plant):
    moved = at(24)
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    Placement.objects.filter(asset=plant.labeller).update(valid=DateTimeTZRange(world.OPENED, moved))
    Placement.objects.create(asset=plant.labeller, parent=other, valid=DateTimeTZRange(moved, None))
    row = order(plant.labeller, at(1))
    row.labour.create(person=plant.technician, start=at(22), end=at(27))
    assert [read(each, "planned_work_share")[0].inputs["labour"] for each in (plant.line, other)] == [
        2 * 3600, 3 * 3600,
    ]  # fmt: skip
    assert [read(each, "backlog_hours")[0].inputs["open_orders"] for each in (plant.line, other)] == [0, 1]


@pytest.mark.parametrize("scope", ["leaves", "subtree"])
def test_before_the_first_order_open_work_and_costs_are_unknown_and_not_nought(plant, scope):
    first = order(plant.filler, BEGIN, estimate_minutes=60)
    keys = ["backlog_hours", "open_order_age_median", "maintenance_cost"]

    def told(subject) -> list[list[tuple]]:
        """By figure: two days, and the one on which the first order was raised."""
        found = figures.read(
            subject and [subject], definitions=keys, site=plant.berlin, start=BEGIN - 2 * DAY, end=BEGIN + DAY,
            by="day", scope=scope, now=NOW,
        )  # fmt: skip
        return [
            [(each.value, each.status, each.reason_code) for each in found if each.definition.key == key]
            for key in keys
        ]  # fmt: skip

    nothing = (None, "no data", "no_orders")
    for subject in (None, plant.line, plant.filler):
        assert told(subject) == [[nothing, nothing, (value, "ok", "")] for value in (1, 1, 0)]
    assert told(plant.labeller) == [[nothing] * 3] * 3, "Nothing was done to this machine yet."
    first.costs.create(source="parts", amount=90, at=BEGIN - DAY)  # written down before the product was there
    assert told(plant.line)[2] == [nothing, (90, "ok", ""), (0, "ok", "")]


def test_a_line_knows_of_orders_while_the_machine_stands_in_it(plant):
    """So that a day says the same by itself and in a longer window."""
    moved = BEGIN + 2 * DAY
    other = world.asset(plant.berlin, "L2", "Line 2", level="line")
    Placement.objects.filter(asset=plant.labeller).update(valid=DateTimeTZRange(world.OPENED, moved))
    Placement.objects.create(asset=plant.labeller, parent=other, valid=DateTimeTZRange(moved, None))
    order(plant.labeller, BEGIN - 9 * DAY, State.CANCELLED, state_since=BEGIN - 8 * DAY)
    order(plant.palletiser, BEGIN + 40 * DAY)

    def days(line) -> list[float | None]:
        end = BEGIN + 4 * DAY
        alone = [
            read(line, "backlog_hours", start=BEGIN + day * DAY, end=BEGIN + (day + 1) * DAY)[0].value
            for day in range(4)
        ]
        assert alone == [each.value for each in read(line, "backlog_hours", by="day", start=BEGIN, end=end)]
        return alone

    assert days(other) == [None, None, 0, 0]
    assert days(plant.line) == [0, 0, None, None]


def test_a_window_that_has_not_begun_has_no_figures_of_work(plant, broken):
    keys = [key for key, each in DEFINITIONS.items() if hasattr(each, "records")]
    for figure in read(plant.filler, *keys, start=NOW + DAY, end=NOW + 2 * DAY):
        assert (figure.value, figure.status, figure.reason_code) == (None, "undefined", "not_begun")


def test_the_number_of_queries_does_not_grow_with_assets_buckets_and_definitions(
    plant, broken, django_assert_max_num_queries
):
    write_history(plant, Random(7))
    cost(plant.filler, 10)
    computing.compute_due(now=NOW)

    def queries(assets, **question) -> int:
        with django_assert_max_num_queries(70) as asked:
            figures.read(assets, site=plant.berlin, start=BEGIN, end=END, now=NOW, **question)
        return len(asked)

    one = queries([plant.line])
    assert queries([plant.filler, plant.labeller, plant.line, plant.palletiser], by="day") == one
    few = queries([plant.line], definitions=["preventive_compliance", "planned_work_share"])
    assert few < one
    assert queries([plant.line], definitions=["preventive_compliance"]) == few, "one statement for all kinds of record"
