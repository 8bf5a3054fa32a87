"""The engine checks its stored facts against the records, by another way than it made them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import F

from assets.models import Downtime, Failure
from core.models import JobRun
from kpis import audit
from kpis.computing import compute_site
from kpis.models import AssetDay, ChangedDay, FailureEvent, LossDay, Silence
from production.models import Count

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def computed(plant):
    """The filler with a stop, a failure and a count over midnight, as the night left them."""
    start = NOW - timedelta(days=3)
    Downtime.objects.create(asset=plant.filler, start=start, end=start + 5 * HOUR)
    Failure.objects.create(asset=plant.filler, occurred=start, restored=start + 5 * HOUR)
    Count.objects.create(asset=plant.filler, start=start, end=start + 20 * HOUR, good=90, scrap=1, ideal_cycle=12)
    compute_site(plant.berlin, now=NOW)
    return plant


def check(plant) -> int:
    return audit.audit_site(plant.berlin, now=NOW, share=0, shares=1)


def test_right_facts_pass_and_the_run_says_how_many(computed):
    assert check(computed) == computed.berlin.assets.count() * audit.DAYS
    run = JobRun.objects.filter(name=audit.JOB).get()
    assert (run.fact, run.error) == (f"{run.rows} asset-days checked, 0 differences", "")


@pytest.mark.parametrize(
    "column", ["down", "good", "stops", "planned_stop", "off_schedule", "ideal_scrap", "stopped_from", "stopped_to"]
)
def test_a_wrong_sum_is_found_named_and_mended(computed, column):
    row = AssetDay.objects.filter(asset=computed.filler).order_by("day").first()
    AssetDay.objects.filter(pk=row.pk).update(**{column: F(column) + 7})

    with pytest.raises(audit.Differs, match=f"1 differences, such as M1 2026-03-17 {column}"):
        check(computed)

    assert "1 differences" in JobRun.objects.filter(name=audit.JOB).get().error
    assert ChangedDay.objects.filter(asset=computed.filler).count() == 1
    assert check(computed)
    assert getattr(AssetDay.objects.get(pk=row.pk), column) == getattr(row, column)


def test_a_lost_day_and_a_lost_failure_are_found(computed):
    AssetDay.objects.filter(asset=computed.line).delete()
    FailureEvent.objects.filter(asset=computed.filler).delete()

    with pytest.raises(audit.Differs, match="L1 2026-03-17"):
        check(computed)

    assert check(computed)


@pytest.mark.parametrize("column", ["seconds", "stops"])
def test_wrong_time_and_stops_by_reason_are_found(computed, column):
    rows = LossDay.objects.filter(asset=computed.filler)
    right = getattr(rows.first(), column)
    rows.update(**{column: right + 7})

    with pytest.raises(audit.Differs, match=f"M1 2026-03-17 unclassified, {column}: {right + 7} stored, {right} right"):
        check(computed)

    assert check(computed)
    assert getattr(rows.get(), column) == right


def test_time_without_its_reason_is_found(computed):
    LossDay.objects.filter(asset=computed.filler).delete()

    with pytest.raises(audit.Differs, match="M1 2026-03-17 unclassified, seconds: 0 stored, 18000 right"):
        check(computed)

    assert check(computed)


@pytest.mark.parametrize("restored", [None, NOW - timedelta(days=3) + 2 * HOUR])
def test_a_wrong_restoration_is_found(computed, restored):
    row = FailureEvent.objects.get(asset=computed.filler)
    FailureEvent.objects.filter(asset=computed.filler).update(restored=restored)

    with pytest.raises(audit.Differs, match="M1 2026-03-17 restored: "):
        check(computed)

    assert check(computed)
    assert FailureEvent.objects.get(asset=computed.filler).restored == row.restored


def test_a_wrong_sum_of_long_ago_is_found_when_its_days_have_their_turn(plant):
    begin = NOW - timedelta(days=150)
    Downtime.objects.create(asset=plant.filler, start=begin, end=begin + 5 * HOUR, reason=plant.breakdown)
    compute_site(plant.berlin, now=NOW)
    AssetDay.objects.filter(asset=plant.filler).update(down=0)

    def differs(week: int) -> bool:
        try:
            audit.audit_site(plant.berlin, now=NOW + timedelta(days=7 * week), share=0, shares=1)
        except audit.Differs:
            return True
        return False

    assert sum(differs(week) for week in range(12)) == 1
    assert AssetDay.objects.get(asset=plant.filler).down == 5 * 3600


@pytest.mark.parametrize("weeks", [1, audit.SHARES])
def test_week_by_week_and_year_by_year_all_older_days_have_their_turn(weeks):
    first, last = date(2024, 1, 10), date(2026, 3, 19)
    pieces = [audit.older(first, last, days=31, week=weeks * number) for number in range(27)]

    assert max(map(len, pieces)) == 31
    assert sorted(day for piece in pieces for day in piece) == [
        first + timedelta(days=number) for number in range((last - first).days + 1)
    ]


def test_what_is_written_meanwhile_is_no_difference(computed):
    Downtime.objects.create(asset=computed.filler, start=NOW - 50 * HOUR, end=NOW - 49 * HOUR)

    assert check(computed)


def test_a_stop_before_the_days_that_are_checked_splits_a_count_that_reaches_into_them(plant):
    first = plant.berlin.day_begins(plant.berlin.production_day(NOW) - timedelta(days=audit.DAYS))
    Downtime.objects.create(asset=plant.filler, start=first - 2 * HOUR, end=first - HOUR)
    Count.objects.create(asset=plant.filler, start=first - 2 * HOUR, end=first + 2 * HOUR, good=300, ideal_cycle=12)

    assert check(plant)


def test_every_asset_is_checked_once_in_a_round_of_weeks(computed):
    parts = [audit.audit_site(computed.berlin, now=NOW, share=share, days=1, shares=4) for share in range(4)]

    assert sum(parts) == 2 * computed.berlin.assets.count()  # the latest day, and one before


def test_one_sites_difference_does_not_keep_the_others_from_being_checked(computed):
    AssetDay.objects.filter(asset=computed.filler).update(down=0)

    with pytest.raises(audit.Differs, match="berlin: "):
        audit.audit(now=NOW, share=computed.filler.pk % audit.SHARES)

    assert set(JobRun.objects.filter(name=audit.JOB).values_list("site__code", flat=True)) == {"berlin", "chicago"}


def test_a_failure_that_flaps_over_the_first_checked_day_is_no_difference(plant):
    """What it is a further item of began the day before, on the line by a stop that was over by then."""
    site, first = plant.berlin, plant.berlin.day_begins(date(2026, 3, 20) - timedelta(days=audit.DAYS))
    site.failure_merge_gap = 30
    site.save()
    for begin, end in ((-2, -0.25), (0.2, 1)):
        stop = Downtime.objects.create(asset=plant.filler, start=first + begin * HOUR, end=first + end * HOUR)
        Failure.objects.create(asset=plant.filler, occurred=stop.start)

    assert check(plant)

    assert set(FailureEvent.objects.values_list("asset", "items")) == {(plant.filler.pk, 2), (plant.line.pk, 2)}
    FailureEvent.objects.filter(asset=plant.line).update(items=1)
    with pytest.raises(audit.Differs, match="L1 2026-02-16 items: 1 stored, 2 right"):
        check(plant)

    assert check(plant)
    FailureEvent.objects.filter(asset=plant.line).update(already_down=True)
    with pytest.raises(audit.Differs, match="L1 2026-02-16 failures: 0 stored, 1 right"):
        check(plant)


def test_a_wrong_silence_is_found_by_the_weekly_check_and_mended(silent, now):
    right = list(Silence.objects.values_list("asset", "since", "until"))
    Silence.objects.update(since=silent.berlin.production_day(now) - timedelta(days=20))

    with pytest.raises(audit.Differs, match=r"2 differences, such as M1 .* silent: 1 stored, 0 right"):
        audit.audit_site(silent.berlin, now=now, share=0, shares=1)

    assert audit.audit_site(silent.berlin, now=now, share=0, shares=1)
    assert list(Silence.objects.values_list("asset", "since", "until")) == right
