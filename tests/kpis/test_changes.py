"""Facts cannot go stale: what is written, by whatever path, is computed again and equals everything computed anew."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from assets.models import Asset, Downtime, Failure
from core.models import JobRun, Site
from kpis.computing import JOB, compute_due, compute_site
from kpis.facts import changes, revisions, store
from kpis.facts.clock import Clock
from kpis.figures import periods
from kpis.models import AssetDay, ChangedDay, FactState, FailureEvent
from production.models import Count, OperatingCalendar, WeeklySlot
from tests import plant as world
from tests.kpis.editing import Editor, assert_as_computed_anew, snapshot
from tests.kpis.plants import in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write
from tests.together import together

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_change_before_a_long_failure_of_the_same_day_leaves_the_failure_whole(plant):
    """The day is computed again; the failure that begins on it lasts, with its second item, into later days."""
    site, asset, day = plant.berlin, plant.filler, datetime(2026, 3, 10, tzinfo=UTC)
    Downtime.objects.create(asset=asset, start=day + 2 * HOUR, end=day + 3 * HOUR)
    for hour, restored in ((20, 50), (40, 70)):
        Failure.objects.create(asset=asset, occurred=day + hour * HOUR, restored=day + restored * HOUR)
    compute_site(site, now=NOW)
    assert list(FailureEvent.objects.values_list("asset", "items")) == [(asset.pk, 2)]

    Downtime.objects.update(end=day + 4 * HOUR)
    compute_site(site, now=NOW)

    assert list(FailureEvent.objects.values_list("asset", "items")) == [(asset.pk, 2)]
    assert_as_computed_anew(site, NOW)


def test_days_apart_that_one_long_stop_touches_are_computed_again_together(plant):
    """The stop is read for each of the days, and is one stop, of its first day."""
    site, asset, day = plant.berlin, plant.filler, datetime(2026, 3, 10, 12, tzinfo=UTC)
    Downtime.objects.create(asset=asset, start=day, end=day + 96 * HOUR)
    compute_site(site, now=NOW)
    for days in (0, 2, 4):
        Downtime.objects.create(asset=asset, start=day + days * 24 * HOUR, end=day + (days * 24 + 1) * HOUR)
    compute_site(site, now=NOW)
    rows = AssetDay.objects.filter(asset=asset).order_by("day").values_list("stops", "down")
    assert list(rows) == [(2, 11 * 3600), (0, 24 * 3600), (1, 24 * 3600), (0, 24 * 3600), (1, 14 * 3600)]
    assert_as_computed_anew(site, NOW)


def test_a_change_on_the_second_day_of_a_failure_does_not_cut_it_in_two(plant):
    site, asset, day = plant.berlin, plant.filler, datetime(2026, 3, 10, tzinfo=UTC)
    for hour, restored in ((20, 50), (49, 50)):
        Failure.objects.create(asset=asset, occurred=day + hour * HOUR, restored=day + restored * HOUR)
    compute_site(site, now=NOW)

    Downtime.objects.create(asset=asset, start=day + 51 * HOUR, end=day + 52 * HOUR)
    compute_site(site, now=NOW)

    assert list(FailureEvent.objects.values_list("asset", "items")) == [(asset.pk, 2)]
    assert_as_computed_anew(site, NOW)


def test_a_further_item_of_today_joins_the_failure_of_yesterday(plant):
    site, asset = plant.berlin, plant.filler
    midnight = datetime(2026, 3, 19, 23, tzinfo=UTC)  # of Berlin
    Failure.objects.create(asset=asset, occurred=midnight - HOUR, restored=midnight + 3 * HOUR)
    compute_site(site, now=NOW)

    Failure.objects.create(asset=asset, occurred=midnight + 2 * HOUR, restored=midnight + 5 * HOUR)
    compute_site(site, now=NOW)

    event = FailureEvent.objects.get()
    assert (event.items, event.restored) == (2, midnight + 5 * HOUR)
    assert_as_computed_anew(site, NOW)


def test_a_late_item_joins_the_failure_whose_longest_item_lasts(plant):
    site, asset, day = plant.berlin, plant.filler, datetime(2026, 3, 10, tzinfo=UTC)
    for hour, restored in ((5, 15), (6, 7)):
        Failure.objects.create(asset=asset, occurred=day + hour * HOUR, restored=day + restored * HOUR)
    compute_site(site, now=NOW)

    Failure.objects.create(asset=asset, occurred=day + 10 * HOUR, restored=day + 11 * HOUR)
    compute_site(site, now=NOW)

    assert list(FailureEvent.objects.values_list("asset", "items")) == [(asset.pk, 3)]
    assert_as_computed_anew(site, NOW)


def flapping(site: Site, minutes: int = 30) -> None:
    site.failure_merge_gap = minutes
    site.save()


def test_a_changed_merge_gap_joins_and_parts_failures_that_are_stored(plant):
    """By what is stored before and after, and by figures in between."""
    site, asset, day = plant.berlin, plant.filler, datetime(2026, 3, 10, tzinfo=UTC)
    for hour in (8, 9.25):
        Failure.objects.create(asset=asset, occurred=day + hour * HOUR, restored=day + (hour + 1) * HOUR)
    compute_site(site, now=NOW)

    for minutes, items in ((16, [2]), (15, [1, 1]), (24 * 60, [2]), (0, [1, 1])):
        flapping(site, minutes)
        (found,) = periods([asset], site=site, start=day, end=day + 24 * HOUR, scope="asset", now=NOW)
        assert found.answer.all.events == len(items)
        assert ChangedDay.objects.filter(site=site, reach="site", source="core.site").exists()
        compute_site(site, now=NOW)
        assert list(FailureEvent.objects.order_by("occurred").values_list("items", flat=True)) == items
        assert_as_computed_anew(site, NOW)


@pytest.mark.parametrize("entered", [0, 1, 2], ids=["the first", "the middle", "the last"])
def test_a_failure_that_is_entered_late_joins_what_lies_within_the_gap_on_both_sides(plant, entered):
    """Its own span meets none of the stored ones; a figure says so at once, in a window that ends in between too."""
    site, asset, day = plant.berlin, plant.filler, datetime(2026, 3, 10, tzinfo=UTC)
    flapping(site)
    spans = [(day + begin * HOUR, day + end * HOUR) for begin, end in ((8, 9), (9.4, 10), (10.4, 11))]
    late = spans.pop(entered)
    for occurred, restored in spans:
        Failure.objects.create(asset=asset, occurred=occurred, restored=restored)
    compute_site(site, now=NOW)

    Failure.objects.create(asset=asset, occurred=late[0], restored=late[1])

    for end in (day + 9.2 * HOUR, day + 10.2 * HOUR, day + 24 * HOUR):
        (found,) = periods([asset], site=site, start=day, end=end, scope="asset", now=NOW)
        assert (found.answer.all.events, found.answer.all.items) == (1, 3)
    compute_site(site, now=NOW)
    (event,) = FailureEvent.objects.all()
    assert (event.items, event.restored) == (3, day + 11 * HOUR)
    assert_as_computed_anew(site, NOW)


def test_a_failure_that_flaps_over_midnight_is_one_whether_today_is_stored_or_not(plant):
    site, asset = plant.berlin, plant.filler
    midnight = datetime(2026, 3, 19, 23, tzinfo=UTC)  # of Berlin
    flapping(site)
    Failure.objects.create(asset=asset, occurred=midnight - 2 * HOUR, restored=midnight - HOUR / 4)
    compute_site(site, now=NOW)

    back = Failure.objects.create(asset=asset, occurred=midnight + HOUR / 5, restored=midnight + HOUR)

    for now in (NOW, NOW + 24 * HOUR):
        (found,) = periods([asset], site=site, start=midnight - 24 * HOUR, end=now, scope="asset", now=now)
        assert (found.answer.all.events, found.answer.all.items) == (1, 2)
        compute_site(site, now=now)
        assert list(FailureEvent.objects.values_list("items", "restored")) == [(2, back.restored)]
        assert_as_computed_anew(site, now)
    back.delete()
    compute_site(site, now=NOW + 24 * HOUR)
    assert list(FailureEvent.objects.values_list("items", "restored")) == [(1, midnight - HOUR / 4)]


def test_a_failure_of_yesterday_that_is_corrected_takes_in_what_came_back_today(plant):
    site, asset = plant.berlin, plant.filler
    midnight = datetime(2026, 3, 19, 23, tzinfo=UTC)  # of Berlin
    flapping(site)
    first = Failure.objects.create(asset=asset, occurred=midnight - 2 * HOUR, restored=midnight - HOUR)
    Failure.objects.create(asset=asset, occurred=midnight + HOUR / 5, restored=midnight + HOUR)
    compute_site(site, now=NOW)
    assert list(FailureEvent.objects.values_list("items", "restored")) == [(1, midnight - HOUR)]

    Failure.objects.filter(pk=first.pk).update(restored=midnight - HOUR / 4)
    compute_site(site, now=NOW)

    assert list(FailureEvent.objects.values_list("items", "restored")) == [(2, midnight + HOUR)]
    assert_as_computed_anew(site, NOW)


def test_a_last_item_whose_end_is_not_known_stays_in_its_failure(plant):
    """The event ends at the instant of that item, which belongs to what is computed again with it."""
    site, asset, day = plant.berlin, plant.filler, datetime(2026, 3, 10, tzinfo=UTC)
    flapping(site)
    first = Failure.objects.create(asset=asset, occurred=day + 8 * HOUR, restored=day + 9 * HOUR)
    Failure.objects.create(asset=asset, occurred=day + 9.2 * HOUR)
    compute_site(site, now=NOW)

    Failure.objects.filter(pk=first.pk).update(restored=day + 8.9 * HOUR)
    (found,) = periods([asset], site=site, start=day, end=day + 24 * HOUR, scope="asset", now=NOW)
    compute_site(site, now=NOW)

    assert (found.answer.all.events, found.answer.all.items) == (1, 2)
    assert list(FailureEvent.objects.values_list("items", "restored")) == [(2, None)]
    assert_as_computed_anew(site, NOW)


@pytest.mark.parametrize("retired", [-0.1, 0.1], ids=["yesterday", "today"])
def test_what_fails_after_the_asset_was_retired_is_no_further_item(plant, retired):
    site, asset = plant.berlin, plant.filler
    midnight = datetime(2026, 3, 19, 23, tzinfo=UTC)  # of Berlin
    flapping(site)
    asset.retired = midnight + retired * HOUR
    asset.save()
    for begin, end in ((-1, 0), (0.2, 1)):
        Failure.objects.create(asset=asset, occurred=midnight + begin * HOUR, restored=midnight + end * HOUR)
    compute_site(site, now=NOW)
    assert list(FailureEvent.objects.values_list("items", "restored")) == [(1, midnight)]


def test_a_failure_at_the_first_instant_of_today_is_stored_with_today(plant):
    midnight = datetime(2026, 3, 19, 23, tzinfo=UTC)  # of Berlin
    for occurred in (midnight - 9 * HOUR, midnight):
        Failure.objects.create(asset=plant.filler, occurred=occurred, restored=occurred + HOUR)
    for now, stored in ((NOW, [midnight - 9 * HOUR]), (NOW + 24 * HOUR, [midnight - 9 * HOUR, midnight])):
        compute_site(plant.berlin, now=now)
        assert list(FailureEvent.objects.order_by("occurred").values_list("occurred", flat=True)) == stored


def test_a_stop_on_one_day_of_a_count_changes_its_share_of_the_other(plant):
    """A night shift's count is split over its two days by operating time, and the stop takes some of one day's."""
    site, asset = plant.berlin, plant.filler
    midnight = datetime(2026, 3, 10, 23, tzinfo=UTC)  # of Berlin
    Count.objects.create(
        asset=asset, start=midnight - 4 * HOUR, end=midnight + 4 * HOUR, good=600, scrap=0, ideal_cycle=12
    )
    compute_site(site, now=NOW)
    assert list(AssetDay.objects.filter(asset=asset).order_by("day").values_list("good", flat=True)) == [300, 300]

    Downtime.objects.create(asset=asset, start=midnight + HOUR, end=midnight + 3 * HOUR)
    with_stored = [each.answer.all.good for each in periods_of(asset, midnight)]
    compute_site(site, now=NOW)

    assert list(AssetDay.objects.filter(asset=asset).order_by("day").values_list("good", flat=True)) == [400, 200]
    assert with_stored == [400, 200]
    assert_as_computed_anew(site, NOW)


def periods_of(asset: Asset, midnight: datetime):
    """The day before the midnight and the day after it."""
    return periods([asset], site=asset.site, start=midnight - 24 * HOUR, end=midnight + 24 * HOUR, by="day", now=NOW)


@pytest.mark.parametrize("table", ["assets_downtime", "assets_failure", "production_count"])
def test_a_table_that_is_emptied_marks_every_site(plant, table):
    stop = Downtime.objects.create(asset=plant.filler, start=NOW - 50 * HOUR, end=NOW - 30 * HOUR)
    Failure.objects.create(asset=plant.filler, occurred=stop.start, restored=stop.end, downtime=stop)
    Count.objects.create(asset=plant.filler, start=NOW - 60 * HOUR, end=NOW - 20 * HOUR, good=9, ideal_cycle=12)
    compute_due(now=NOW)
    before = snapshot(plant.berlin)

    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {table} CASCADE")

    sites = ChangedDay.objects.filter(reach="site", source=table.replace("_", ".", 1)).values_list("site__code")
    assert {code for (code,) in sites} == {"berlin", "chicago"}
    compute_due(now=NOW)
    assert snapshot(plant.berlin) != before
    assert_as_computed_anew(plant.berlin, NOW)


def test_a_worker_killed_while_it_computes_leaves_marks_and_facts_as_they_were(plant, monkeypatch):
    site, day = plant.berlin, datetime(2026, 3, 10, tzinfo=UTC)
    Downtime.objects.create(asset=plant.filler, start=day + 2 * HOUR, end=day + 3 * HOUR)
    compute_site(site, now=NOW)
    Downtime.objects.update(end=day + 4 * HOUR)
    before = snapshot(site), list(ChangedDay.objects.order_by("id").values_list())

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(revisions, "note", killed)
        compute_site(site, now=NOW)

    assert (snapshot(site), list(ChangedDay.objects.order_by("id").values_list())) == before
    compute_site(site, now=NOW)
    assert_as_computed_anew(site, NOW)


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_marks_write_each_day_once_and_right(plant):
    """One takes the marks of both machines; the other finds none, or those that came meanwhile, and waits its turn."""
    site, day = plant.berlin, datetime(2026, 3, 10, tzinfo=UTC)
    compute_site(site, now=NOW)
    for hour in range(6):
        for asset in (plant.filler, plant.labeller):
            Downtime.objects.create(asset=asset, start=day + hour * HOUR, end=day + (hour + 0.5) * HOUR)

    results = together(*[lambda: changes.refresh(site, now=NOW, batch=2)] * 3)

    assert all(isinstance(each, int) for each in results), results
    assert_as_computed_anew(site, NOW)


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_an_asset_sees_what_the_other_worker_stored(plant):
    site, yesterday = plant.berlin, NOW.date() - timedelta(days=1)
    compute_site(site, now=NOW)
    held, free = threading.Event(), threading.Event()
    clock = Clock.of(site, NOW)

    def first():
        with transaction.atomic():
            FactState.objects.filter(asset=plant.filler).update(through=yesterday - timedelta(days=5))
            held.set()
            free.wait(timeout=1)  # long enough for the other to wait

    def second():
        held.wait(timeout=10)
        with transaction.atomic():
            return store.lock(clock, [plant.filler.pk])[plant.filler.pk].through

    assert together(first, second)[1] == yesterday - timedelta(days=5)


def test_the_schedule_does_at_each_site_what_is_due_there(plant):
    """Marks of days, marks of a whole site, an asset without facts; nothing twice, and no run without need."""
    day = datetime(2026, 3, 10, tzinfo=UTC)
    Downtime.objects.create(asset=plant.filler, start=day + 2 * HOUR, end=day + 3 * HOUR)
    compute_due(now=NOW)
    runs = JobRun.objects.filter(name=JOB)
    known = runs.count()

    compute_due(now=NOW)
    assert runs.count() == known
    Downtime.objects.update(end=day + 4 * HOUR)
    compute_due(now=NOW)
    assert runs.latest("pk").site == plant.berlin
    assert runs.count() == known + 1
    assert_as_computed_anew(plant.berlin, NOW)

    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="new", valid_from=day.date())
    WeeklySlot.objects.create(calendar=calendar, weekday=1, start=time(1), end=time(4))
    compute_due(now=NOW)
    assert_as_computed_anew(plant.berlin, NOW)

    FactState.objects.filter(asset=plant.filler).delete()
    compute_due(now=NOW)
    assert FactState.objects.get(asset=plant.filler).through == NOW.date() - timedelta(days=1)
    assert runs.count() == known + 3


def test_a_site_that_fails_does_not_keep_the_others_waiting(plant, monkeypatch):
    def refresh(site, **options):
        if site == plant.berlin:
            raise ArithmeticError("of this site alone")
        return real(site, **options)

    real = changes.refresh
    monkeypatch.setattr(changes, "refresh", refresh)
    machine = world.asset(plant.chicago, "C1")
    with pytest.raises(ArithmeticError, match="of this site alone"):
        compute_due(now=NOW)
    assert FactState.objects.get(asset=machine).through is not None
    assert "of this site alone" in JobRun.objects.get(name=JOB, site=plant.berlin).error


@in_database(20)
@given(data=st.data(), records=plants(), day_start=st.sampled_from([time(0), time(6)]))
def test_changed_days_computed_again_equal_everything_computed_again(db, data, records, day_start):
    with pytest.raises(Undone), transaction.atomic():
        stored = write(records, day_start=day_start)
        compute_site(stored.site, now=records.now)
        assert ChangedDay.objects.count() == 0
        editor = Editor(data, datetime.fromtimestamp(first_instant(records) + 1, UTC), stored.site)
        for _ in range(data.draw(st.integers(1, 3))):
            for _ in range(data.draw(st.integers(1, 2))):
                editor.edit()
            compute_site(stored.site, now=records.now)
            assert_as_computed_anew(stored.site, records.now)
        raise Undone
