"""Calendars, moves and service lives corrected afterwards: the figure as it was reported before stays known."""

import threading
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from assets import tree
from assets.models import Asset, Downtime, Placement
from kpis import explaining, figures, oracle
from kpis.computing import compute_site
from kpis.definitions import DEFINITIONS
from kpis.facts import former
from kpis.figures import SCOPES
from kpis.formulas import Reason
from kpis.intervals import Span
from kpis.models import FormerRow, SettledChange
from production import agreeing
from production.agreeing import Agreement
from production.models import Count, OperatingCalendar, WeeklySlot
from production.timetable import Pattern, Slot
from tests.contracts.api import client_of
from tests.kpis.editing import Editor
from tests.kpis.plants import GRID, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write
from tests.plant import asset as new_asset
from tests.together import together

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TWO_SHIFTS = Slot(time(6), time(22))
ONE_SHIFT = Slot(time(6), time(14))


def shifts(plant, slot: Slot, **more) -> Agreement:
    return Agreement("Two shifts", Pattern(plant.since, None, dict.fromkeys(range(7), (slot,)), **more), {})


@pytest.fixture
def midnight(plant) -> datetime:
    """Of Berlin, ten days ago: a production day that is over."""
    site = plant.berlin
    return site.day_begins(site.production_day(timezone.now()) - 10 * DAY)


@pytest.fixture
def reported(plant, midnight):
    """Line 1 works two shifts; its filler stood for four hours of the day, as the night reported it."""
    plant.since = midnight.date() - 400 * DAY
    plant.calendar = agreeing.agree(plant.berlin, plant.line, shifts(plant, TWO_SHIFTS), by=plant.planner)
    Downtime.objects.create(asset=plant.filler, start=midnight + 8 * HOUR, end=midnight + 12 * HOUR)
    compute_site(plant.berlin)
    return plant


def why(plant, midnight, definition="availability", *, asset=None, scope="asset", days=1):
    return explaining.explain(
        asset or plant.filler, site=plant.berlin, definition=definition, start=midnight, end=midnight + days * DAY,
        scope=scope, now=timezone.now(),
    )  # fmt: skip


def test_a_plant_that_is_loaded_leaves_no_former_rows(plant):
    agreeing.agree(plant.berlin, None, Agreement("All", Pattern(date(2020, 1, 1)), {}), by=plant.planner)
    assert FormerRow.objects.count() == 0


def test_the_value_under_a_former_calendar_is_told_with_who_changed_it(reported, midnight, client):
    agreeing.change(reported.calendar, shifts(reported, ONE_SHIFT), by=reported.planner)
    compute_site(reported.berlin)

    explanation = why(reported, midnight)

    assert explanation.figure.value == pytest.approx(4 / 8)
    (revision,) = explanation.revisions
    assert (revision.before.value, revision.after.value) == (pytest.approx(12 / 16), explanation.figure.value)
    assert (revision.record, revision.event.actor) == (reported.calendar, reported.planner)
    question = {
        "asset": reported.filler.pk, "definition": "availability", "from": midnight.isoformat(),
        "to": (midnight + DAY).isoformat(),
    }  # fmt: skip
    (told,) = client_of(reported.manager).get("/api/v1/kpis/explanation/", question).json()["revisions"]
    assert (told["value"], told["because"]["by"]) == (pytest.approx(0.75), "planner")
    assert told["because"]["type"] == "production.operatingcalendar"
    client.force_login(reported.manager)
    page = client.get("/performance/figure/", question).content.decode()
    assert "75.0\u202f% until" in page
    assert f'href="{reported.calendar.get_absolute_url()}">Calendar Two shifts changed</a>' in page


def test_a_quiet_day_that_was_taken_out_of_the_calendar_is_told_too(reported, midnight):
    """Nothing happened on the day after, so nothing of it is stored: only its scheduled time changes."""
    made = {"start": midnight + 13 * HOUR, "end": midnight + 14 * HOUR, "good": 300, "ideal_cycle": 12}
    Count.objects.create(asset=reported.filler, **made)
    compute_site(reported.berlin)
    closed = shifts(reported, TWO_SHIFTS, exceptions={midnight.date() + 2 * DAY: ()})
    agreeing.change(reported.calendar, closed, by=reported.planner)
    compute_site(reported.berlin)

    for definition, before, after in (
        ("availability", 28 / 32, 12 / 16), ("oee", 1 / 32, 1 / 16), ("achieved_availability", 28 / 32, 12 / 16),
    ):  # fmt: skip
        explanation = why(reported, midnight, definition, days=2)
        assert explanation.figure.value == pytest.approx(after), definition
        assert explanation.revisions[0].before.value == pytest.approx(before), definition
    assert why(reported, midnight, "teep", days=2).revisions[0].before.status == "no data"  # calendar time is the same


def test_calendars_changed_by_plain_sql_and_removed_are_told(reported, midnight):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE production_weeklyslot SET \"end\" = '18:00'")
    compute_site(reported.berlin)
    agreeing.remove(OperatingCalendar.objects.get(), by=reported.planner)
    compute_site(reported.berlin)

    explanation = why(reported, midnight)

    assert explanation.figure.value == pytest.approx(20 / 24)
    removed, changed = explanation.revisions
    assert (removed.before.value, changed.before.value) == (pytest.approx(8 / 12), pytest.approx(12 / 16))
    assert (removed.record, removed.event.summary) == (None, "Calendar Two shifts removed")
    assert (changed.source_id, changed.event) == (reported.calendar.pk, None)


def test_a_service_life_that_is_corrected_is_told(reported, midnight):
    asset = reported.filler
    asset.commissioned = midnight + 10 * HOUR
    asset.save()
    compute_site(reported.berlin)

    explanation = why(reported, midnight)

    assert explanation.figure.value == pytest.approx(10 / 12)
    assert [each.before.value for each in explanation.revisions] == [pytest.approx(12 / 16)]
    assert explanation.revisions[0].record == asset


def test_a_machine_moved_out_afterwards_still_counts_in_what_the_line_was(reported, midnight):
    """The labeller stood all day; weeks later somebody says that it was not there any more."""
    Downtime.objects.create(asset=reported.labeller, start=midnight + 6 * HOUR, end=midnight + 22 * HOUR)
    compute_site(reported.berlin)
    store = new_asset(reported.berlin, "S1", "Store", level="area")
    compute_site(reported.berlin)
    before = why(reported, midnight, asset=reported.line, scope="leaves").figure
    tree.move(reported.labeller, store, by=reported.planner, at=midnight - HOUR)
    compute_site(reported.berlin)

    explanation = why(reported, midnight, asset=reported.line, scope="leaves")

    assert (before.value, explanation.figure.value) == (pytest.approx(12 / 32), pytest.approx(12 / 16))
    revision = explanation.revisions[0]
    assert (revision.before.value, revision.after.value) == (before.value, explanation.figure.value)
    assert "S1" in revision.event.summary
    assert revision.event.actor == reported.planner
    assert revision.record == reported.labeller


def test_first_records_of_a_machine_are_told_where_its_time_counts_from_then_on(reported, midnight):
    """A line's figure leaves out machines of which nothing is known."""
    before = why(reported, midnight, asset=reported.line, scope="leaves").figure
    late = Downtime.objects.create(asset=reported.labeller, start=midnight + 30 * HOUR, end=midnight + 31 * HOUR)
    compute_site(reported.berlin)

    line = why(reported, midnight, asset=reported.line, scope="leaves")
    own = why(reported, midnight, asset=reported.labeller)

    assert (before.value, line.figure.value) == (pytest.approx(12 / 16), pytest.approx(28 / 32))
    assert line.revisions[0].before.value == before.value
    assert line.revisions[0].because == f"First records of {reported.labeller}"
    assert (own.figure.value, own.revisions[0].before.status) == (1, "no data")
    assert why(reported, midnight, asset=reported.labeller, days=2).revisions[0].record == late


def test_a_first_record_of_no_length_is_told_as_well_and_so_is_that_it_went(reported, midnight):
    """It leaves no trace in the day, and still the machine is no longer one of which nothing is known."""
    start = midnight + 30 * HOUR
    moment = Downtime.objects.create(asset=reported.labeller, start=start, end=start, planned=True)
    compute_site(reported.berlin)
    assert why(reported, midnight, asset=reported.labeller).figure.value == 1
    moment.delete()
    compute_site(reported.berlin)

    own = why(reported, midnight, asset=reported.labeller)

    assert [(each.before.value, each.before.status) for each in own.revisions] == [(1, "ok"), (None, "no data")]


def test_the_change_of_a_day_and_of_its_calendar_worked_off_together_are_one(reported, midnight):
    Downtime.objects.create(asset=reported.filler, start=midnight + 13 * HOUR, end=midnight + 15 * HOUR)
    WeeklySlot.objects.update(end=time(14))
    compute_site(reported.berlin)

    (revision,) = why(reported, midnight).revisions

    assert (revision.before.value, revision.after.value) == (pytest.approx(12 / 16), pytest.approx(3 / 8))
    assert revision.changes == 2


def test_what_holds_from_today_on_changes_no_former_figure(reported, midnight):
    store = new_asset(reported.berlin, "S1", "Store", level="area")
    tree.move(reported.labeller, store, by=reported.planner)
    compute_site(reported.berlin)
    for asset, scope in ((reported.filler, "asset"), (reported.line, "leaves"), (reported.line, "subtree")):
        assert why(reported, midnight, asset=asset, scope=scope).revisions == []


def test_within_the_past_every_question_is_answered_as_then_and_after_it_as_now(reported, midnight):
    moment = timezone.now()
    Placement.objects.filter(asset=reported.labeller).update(parent=None)
    Asset.objects.filter(pk=reported.filler.pk).update(retired=midnight)
    OperatingCalendar.objects.all().delete()

    def seen():
        return (
            Placement.objects.get(asset_id=reported.labeller.pk).parent_id,
            Asset.objects.filter(retired=None).count(),
            OperatingCalendar.objects.values_list("pk", flat=True).count(),
        )

    everything = Asset.objects.count()
    with former.before(moment):
        assert seen() == (reported.line.pk, everything, 1)
    assert seen() == (None, everything - 1, 0)
    with pytest.raises(Undone), former.before(moment):
        raise Undone
    assert seen() == (None, everything - 1, 0)


@in_database(20)
@given(
    data=st.data(), records=plants(), scope=st.sampled_from(SCOPES),
    key=st.sampled_from(["availability", "achieved_availability", "mtbf", "mttr", "oee", "teep", "performance"]),
)  # fmt: skip
def test_the_oldest_revision_is_the_figure_of_the_former_records(db, data, records, scope, key):
    """Whatever was corrected since, calendars, places and lives too: what was reported first is what is told first."""
    with pytest.raises(Undone), transaction.atomic():
        stored = write(records)
        site = stored.site
        compute_site(site, now=records.now)
        begin = datetime.fromtimestamp(first_instant(records) + 1, UTC)
        start = site.day_begins(site.production_day(begin) + data.draw(st.integers(0, 2)) * DAY)
        end = site.day_begins(site.production_day(records.now))
        if data.draw(st.booleans()):  # parts of days
            start, end = start + data.draw(st.integers(0, 140)) * GRID, end - data.draw(st.integers(0, 140)) * GRID
        if start >= end:
            raise Undone
        number = data.draw(st.sampled_from(sorted(stored.assets)))
        asset = data.draw(st.sampled_from([stored.assets[number], None]))
        question = {"site": site, "start": start, "end": end, "scope": scope, "now": records.now}
        (before,) = figures.read([asset] if asset else None, definitions=[key], **question)
        if asset and scope == "asset":
            said = DEFINITIONS[key].of(oracle.facts(records, number, Span(start, end)), site.coverage_threshold)
            # A stop of no length or outside of the service life is a record, too, but no part of the oracle's time.
            assert said.reason == Reason.NO_RECORDS or before.value == pytest.approx(said.value)
        editor = Editor(data, begin, site)
        for _ in range(data.draw(st.integers(1, 4))):
            editor.edit()
            if data.draw(st.booleans()):
                compute_site(site, now=records.now)
        compute_site(site, now=records.now)

        told = explaining.explain(asset, definition=key, **question)

        assert not told.changing
        values = [told.figure.value, *(each.before.value for each in told.revisions)]
        assert values[-1] == pytest.approx(before.value), (values, [each.source for each in told.revisions])
        assert [each.after.value for each in told.revisions] == pytest.approx(values[:-1])
        raise Undone


def test_a_change_is_settled_by_the_run_that_works_it_off_and_open_again_by_what_follows_of_it(reported, midnight):
    stop = Downtime.objects.get(asset=reported.filler)
    Downtime.objects.filter(pk=stop.pk).update(end=midnight + 11 * HOUR)
    change = SettledChange.objects.get()
    assert (change.site, change.settled) == (reported.berlin, None)

    compute_site(reported.berlin)
    change.refresh_from_db()
    assert change.settled > change.at

    row = FormerRow.objects.get(kind="assets_downtime")
    row.pk = None
    row.save(force_insert=True)
    change.refresh_from_db()
    assert change.settled is None


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_open_a_change_again_at_once_wait_for_each_other_and_settle_it(reported, midnight):
    Downtime.objects.filter(asset=reported.filler).update(end=midnight + 11 * HOUR)
    compute_site(reported.berlin)
    kept = FormerRow.objects.get(kind="assets_downtime")
    row = {each.attname: getattr(kept, each.attname) for each in FormerRow._meta.fields if not each.primary_key}
    both = threading.Barrier(2)

    def finds_more():
        with transaction.atomic():
            both.wait(timeout=10)
            FormerRow.objects.create(**row)
        opened = SettledChange.objects.get().settled is None
        both.wait(timeout=10)
        former.settle(reported.berlin)
        return opened

    assert together(finds_more, finds_more) == [True, True]
    assert SettledChange.objects.get().settled is not None
    assert FormerRow.objects.filter(at=kept.at).count() == 3
