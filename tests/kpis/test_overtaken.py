"""Records that say when something will end: what is stored is right once it has ended, too."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from assets.models import Asset, Downtime, Failure, Placement
from kpis.computing import compute_due
from kpis.figures import known
from kpis.models import ComingChange
from production.models import Count
from tests.kpis import scene

HOUR = timedelta(hours=1)
# All of it lies ahead, as triggers look at the clock of the database. In Berlin the 8th has begun.
NIGHT = datetime(datetime.now(UTC).year + 2, 1, 8, 0, 30, tzinfo=UTC)
END = NIGHT + 9 * HOUR
LATER = NIGHT + 11 * HOUR
NIGHTS = (LATER, NIGHT + 24 * HOUR, NIGHT + 48 * HOUR)


def failed(asset: Asset, end: datetime | None = None) -> Downtime:
    """A failure that has begun in the evening."""
    stop = Downtime.objects.create(asset=asset, start=NIGHT - 2 * HOUR, end=end)
    Failure.objects.create(asset=asset, occurred=stop.start, downtime=stop)
    return stop


def counted(asset: Asset, end: datetime) -> Count:
    return Count.objects.create(asset=asset, start=NIGHT - 3.5 * HOUR, end=end, good=800, ideal_cycle=10)


def guest(plant, until: datetime | None = None, **fields) -> Asset:
    """A machine that stops the line."""
    made = Asset(site=plant.berlin, code="M9", name="Guest", level="machine", path="/9/", **fields)
    Asset.objects.bulk_create([made])  # to save one writes it twice
    valid = DateTimeTZRange(NIGHT - 90 * HOUR, until)
    Placement.objects.create(asset=made, parent=plant.line, stops_parent=True, valid=valid)
    return made


def stop_ends(plant):
    failed(plant.filler, END)


def stop_will_end(plant):
    stop = failed(plant.filler)
    Downtime.objects.filter(pk=stop.pk).update(end=END)


def count_ends(plant):
    counted(plant.filler, END)


def count_will_end(plant):
    made = counted(plant.filler, NIGHT - HOUR)
    ComingChange.objects.all().delete()
    Count.objects.filter(pk=made.pk).update(end=END)


def asset_with_an_end(plant):
    failed(guest(plant, retired=END))


def asset_retires(plant):
    failed(plant.filler)
    Asset.objects.filter(pk=plant.filler.pk).update(retired=END)


def line_retires(plant):
    failed(plant.filler)
    Asset.objects.filter(pk=plant.line.pk).update(retired=END)


def place_with_an_end(plant):
    failed(guest(plant, END))


def place_will_end(plant):
    failed(plant.filler)
    since = Placement.objects.get(asset=plant.filler).valid.lower
    Placement.objects.filter(asset=plant.filler).update(valid=DateTimeTZRange(since, END))


WAYS = {
    stop_ends: "assets_downtime_insert",
    stop_will_end: "assets_downtime_update",
    count_ends: "production_count_insert",
    count_will_end: "production_count_update",
    asset_with_an_end: "assets_asset_insert",
    asset_retires: "assets_asset_update",
    line_retires: "assets_asset_update",
    place_with_an_end: "assets_placement_insert",
    place_will_end: "assets_placement_update",
}


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_what_is_stored_is_right_once_it_has_ended(plant, write):
    write(plant)
    scene.work_off(plant.berlin, NIGHT)
    for now in NIGHTS:
        assert scene.work_off(plant.berlin, now) == scene.computed_anew(plant.berlin, now), now


@pytest.mark.parametrize(("write", "trigger"), WAYS.items(), ids=lambda way: getattr(way, "__name__", way))
def test_each_trigger_is_needed(plant, write, trigger):
    table, _ = trigger.rsplit("_", 1)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER kpis_coming_{trigger} ON {table}")
    write(plant)
    scene.work_off(plant.berlin, NIGHT)
    assert scene.work_off(plant.berlin, LATER) != scene.computed_anew(plant.berlin, LATER)


def test_a_count_over_two_nights(plant):
    made = counted(plant.filler, NIGHT + 36 * HOUR)
    for now in (NIGHT, *NIGHTS):
        stored = scene.work_off(plant.berlin, now)
    assert now > made.end
    assert stored == scene.computed_anew(plant.berlin, now)


def test_what_has_ended_leaves_nothing_to_come(plant):
    past = datetime.now(UTC) - 30 * HOUR
    Downtime.objects.create(asset=plant.filler, start=past, end=past + HOUR)
    Count.objects.create(asset=plant.filler, start=past, end=past + HOUR, good=1, ideal_cycle=1)
    Asset.objects.filter(pk=plant.filler.pk).update(retired=past + 2 * HOUR)
    assert not ComingChange.objects.exists()


def test_the_schedule_sees_what_has_come(plant):
    failed(plant.filler, END)
    scene.work_off(plant.berlin, NIGHT)
    assert ComingChange.objects.count() == 1
    assert compute_due(now=END - HOUR) == 0
    assert compute_due(now=END) > 0
    assert not ComingChange.objects.exists()


def stop_is_closed(plant):
    stop = failed(plant.filler)
    scene.work_off(plant.berlin, NIGHT)
    Downtime.objects.filter(pk=stop.pk).update(end=END)


def stop_is_closed_earlier(plant):
    stop = failed(plant.filler, NIGHT + 30 * HOUR)
    scene.work_off(plant.berlin, NIGHT)
    Downtime.objects.filter(pk=stop.pk).update(end=END)


def count_is_corrected(plant):
    made = counted(plant.filler, NIGHT - HOUR)
    scene.work_off(plant.berlin, NIGHT)
    Count.objects.filter(pk=made.pk).update(end=END)


def many_are_loaded(plant):
    scene.work_off(plant.berlin, NIGHT)
    start = NIGHT - 20 * HOUR
    Count.objects.bulk_create(
        Count(asset=plant.filler, start=start + n * HOUR / 4, end=start + (n + 1) * HOUR / 4, good=9, ideal_cycle=10)
        for n in range(60)
    )
    begins = NIGHT - 5 * HOUR
    rows = [Downtime(asset=plant.filler, start=begins + n * HOUR / 60, end=begins + n * HOUR / 30) for n in range(60)]
    Downtime.objects.bulk_create([*rows, Downtime(asset=plant.filler, start=NIGHT - HOUR, end=END)])


@pytest.mark.parametrize(
    "write",
    [stop_ends, count_ends, stop_is_closed, stop_is_closed_earlier, count_is_corrected, many_are_loaded],
    ids=lambda way: way.__name__,
)
def test_a_run_as_of_a_moment_before_the_end_leaves_the_rest_to_later_ones(plant, write):
    """As that of the weekly audit, or one that works for long: it takes marks of what ended after its beginning."""
    with connection.cursor() as cursor:
        for each in ("assets_downtime_insert", "assets_downtime_update", "production_count_insert",
                     "production_count_update"):  # fmt: skip
            cursor.execute(f"DROP TRIGGER kpis_coming_{each} ON {each.rsplit('_', 1)[0]}")
    scene.work_off(plant.berlin, NIGHT)
    write(plant)
    scene.work_off(plant.berlin, NIGHT + HOUR)
    assert ComingChange.objects.filter(due=END).exists()
    for now in NIGHTS:
        assert scene.work_off(plant.berlin, now) == scene.computed_anew(plant.berlin, now), now


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_figures_do_not_wait_for_the_run(plant, write):
    write(plant)
    site = plant.berlin
    scene.work_off(site, NIGHT)
    yesterday = [(site.day_begins(NIGHT.date() - timedelta(days=1)), site.day_begins(NIGHT.date()))]

    def read():
        found = known([plant.line, plant.filler], yesterday, site=site, scope="subtree", now=LATER)
        return [(each.answer.all, each.answer.counted) for each in found]

    before = read()
    scene.work_off(site, LATER)
    assert before == read()
