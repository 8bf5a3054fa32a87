"""Which marks a change leaves, and how a run takes them: in batches, and in portions of their days."""

from datetime import UTC, datetime, timedelta

import pytest

from assets.models import Downtime, Failure
from kpis.computing import compute_site
from kpis.facts import changes
from kpis.models import AssetDay, ChangedDay, DayRevision
from production.models import Count
from tests.kpis.editing import assert_as_computed_anew, snapshot

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_marks_beyond_a_batch_are_taken_in_the_same_run(plant):
    site, day = plant.berlin, datetime(2026, 3, 10, tzinfo=UTC)
    compute_site(site, now=NOW)
    for hour in range(5):
        Downtime.objects.create(asset=plant.filler, start=day + hour * HOUR, end=day + (hour + 0.5) * HOUR)

    changes.refresh(site, now=NOW, batch=2)

    assert AssetDay.objects.get(asset=plant.filler, stops__gt=3).stops == 5
    assert_as_computed_anew(site, NOW)


def test_marks_of_many_days_are_worked_off_in_portions(plant, monkeypatch):
    """Each asset by itself; the days of each are noted once, with what changed them."""
    site, day = plant.berlin, datetime(2026, 3, 10, tzinfo=UTC)
    compute_site(site, now=NOW)
    stops = {
        asset.pk: Downtime.objects.create(asset=asset, start=day, end=day + HOUR).pk
        for asset in (plant.filler, plant.labeller)
    }
    monkeypatch.setattr(changes, "MOST", 1)
    rewrite, portions = changes.rewrite, []
    monkeypatch.setattr(
        changes, "rewrite", lambda clock, spans, *rest: portions.append([*spans]) or rewrite(clock, spans, *rest)
    )

    changes.refresh(site, now=NOW)

    assert portions == [[pk] for pk in sorted([plant.line.pk, *stops])]
    noted = DayRevision.objects.values_list("asset", "down", "source", "source_id", "sources")
    assert {*noted} == {
        (plant.line.pk, 3600, "assets.downtime", stops[plant.filler.pk], 1),
        *((pk, 3600, "assets.downtime", stop, 1) for pk, stop in stops.items()),
    }
    assert noted.count() == 3
    assert_as_computed_anew(site, NOW)


def test_a_worker_killed_between_two_portions_leaves_all_as_it_was(plant, monkeypatch):
    site, day = plant.berlin, datetime(2026, 3, 10, tzinfo=UTC)
    compute_site(site, now=NOW)
    for asset in (plant.filler, plant.labeller):
        Downtime.objects.create(asset=asset, start=day, end=day + HOUR)
    before = snapshot(site), list(ChangedDay.objects.order_by("id").values_list())
    rewrite, written = changes.rewrite, []

    def killed(*arguments):
        if written:
            raise KeyboardInterrupt
        written.append(rewrite(*arguments))
        return written[0]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(changes, "MOST", 1)
        patched.setattr(changes, "rewrite", killed)
        changes.refresh(site, now=NOW)

    assert written == [1]
    assert (snapshot(site), list(ChangedDay.objects.order_by("id").values_list())) == before
    changes.refresh(site, now=NOW)
    assert_as_computed_anew(site, NOW)


def test_a_portion_is_as_large_as_its_days(monkeypatch):
    monkeypatch.setattr(changes, "MOST", 10)
    day, end = 86400, 100 * 86400
    spans = {
        3: [(0, day)],
        1: [(0, 3 * day)],
        2: [(0, day), (5 * day, 6 * day)],
        4: [(99 * day, 10**12)],
        5: [(-(10**12), 10**12)],
    }
    assert [[*each] for each in changes.portions(spans, end)] == [[1], [2, 3], [4], [5]]
    assert [*changes.portions({}, end)] == []


@pytest.mark.parametrize(
    ("hours", "marks"),
    [((2, 5), [(2, 5)]), ((4, 6), [(2, 6)]), ((5, 6), [(2, 4), (5, 6)]), ((1, None), [(1, None)])],
)
def test_a_changed_stop_leaves_one_mark_where_it_was_and_is(plant, hours, marks):
    day = datetime(2026, 3, 10, tzinfo=UTC)
    row = Downtime.objects.create(asset=plant.filler, start=day + 2 * HOUR, end=day + 4 * HOUR)
    ChangedDay.objects.all().delete()

    row.start, row.end = (None if hour is None else day + hour * HOUR for hour in hours)
    row.save()

    assert [*ChangedDay.objects.order_by("start").values_list("asset", "start", "end", "source_id")] == [
        (plant.filler.pk, *(None if hour is None else day + hour * HOUR for hour in span), row.pk) for span in marks
    ]


def marked(asset) -> list[tuple]:
    """The marks of the asset, and none from now on."""
    found = [*ChangedDay.objects.filter(asset=asset).order_by("source", "start").values_list("source", "start", "end")]
    ChangedDay.objects.all().delete()
    return found


def test_a_changed_failure_or_count_leaves_one_mark(plant):
    day, asset = datetime(2026, 3, 10, tzinfo=UTC), plant.filler
    stop = Downtime.objects.create(asset=asset, start=day, end=day + 5 * HOUR)
    failure = Failure.objects.create(asset=asset, occurred=day, downtime=stop)
    count = Count.objects.create(asset=asset, start=day, end=day + HOUR, good=1, ideal_cycle=1)
    marked(asset)

    Failure.objects.filter(pk=failure.pk).update(restored=day + 2 * HOUR)  # lasted as long as its stop
    assert marked(asset) == [("assets.failure", day, day + 5 * HOUR)]
    Failure.objects.filter(pk=failure.pk).update(occurred=day + HOUR, restored=day + 7 * HOUR)
    assert marked(asset) == [("assets.failure", day, day + 7 * HOUR)]
    Count.objects.filter(pk=count.pk).update(good=2)
    assert marked(asset) == [("production.count", day, day + HOUR)]
    Count.objects.filter(pk=count.pk).update(start=day + HOUR, end=day + 2 * HOUR)
    assert marked(asset) == [("production.count", day, day + 2 * HOUR)]


@pytest.mark.parametrize(("rows", "marks"), [(25, 25), (26, 1)])
def test_what_is_changed_in_bulk_leaves_one_mark_of_an_asset(plant, rows, marks):
    day = datetime(2026, 3, 10, tzinfo=UTC)
    Downtime.objects.bulk_create(
        Downtime(asset=plant.filler, start=day + n * HOUR, end=day + n * HOUR) for n in range(rows)
    )
    marked(plant.filler)
    Downtime.objects.filter(asset=plant.filler).update(planned=True)
    found = marked(plant.filler)
    assert len(found) == marks
    assert (found[0][1], found[-1][2]) == (day, day + (rows - 1) * HOUR)


def test_a_stop_that_moves_to_another_asset_marks_both(plant):
    day = datetime(2026, 3, 10, tzinfo=UTC)
    row = Downtime.objects.create(asset=plant.filler, start=day, end=day + HOUR)
    ChangedDay.objects.all().delete()
    Downtime.objects.filter(pk=row.pk).update(asset=plant.labeller)
    assert {*ChangedDay.objects.values_list("asset", flat=True)} == {plant.filler.pk, plant.labeller.pk}
