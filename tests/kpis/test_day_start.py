"""The production day of a site begins at another hour, or on another clock: what was over may be running again."""

from datetime import UTC, datetime, time

import pytest

from assets.models import Downtime, Failure
from kpis.computing import compute_site
from kpis.figures import known
from kpis.models import AssetDay, FactState, FailureEvent
from tests.kpis import scene

NIGHT = datetime(2026, 3, 19, 3, tzinfo=UTC)  # four o'clock in Berlin, ten in the evening before in Chicago
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("settled", [{"day_start": time(6)}, {"time_zone": "America/Chicago"}], ids=str)
def test_a_day_that_is_running_again_is_computed_once_it_is_over(plant, settled):
    site, asset = plant.berlin, plant.filler
    began, went_on = NIGHT.replace(hour=1), NIGHT.replace(hour=4)
    Downtime.objects.create(asset=asset, start=began.replace(day=18, hour=20), end=began.replace(day=18, hour=21))
    scene.work_off(site, NIGHT)
    assert FactState.objects.get(asset=asset).through == NIGHT.date().replace(day=18)

    type(site).objects.filter(pk=site.pk).update(**settled)
    site.refresh_from_db()
    stored = scene.work_off(site, NIGHT)
    assert stored == scene.computed_anew(site, NIGHT)
    assert FactState.objects.get(asset=asset).through == NIGHT.date().replace(day=17)
    assert not AssetDay.objects.exists()

    Downtime.objects.create(asset=asset, start=went_on, end=went_on.replace(hour=5))
    assert scene.work_off(site, NOON) == scene.computed_anew(site, NOON)
    window = site.day_begins(NIGHT.date().replace(day=18)), site.day_begins(NIGHT.date())
    (day,) = known([asset], [window], site=site, scope="asset", now=NOON)
    assert (day.answer.all.down, day.answer.all.stops) == (2 * 3600, 2)


def test_a_day_that_begins_earlier_leaves_no_failure_of_today_behind(plant):
    site, asset = plant.berlin, plant.filler
    type(site).objects.filter(pk=site.pk).update(day_start=time(6))
    site.refresh_from_db()
    early = NOON.replace(hour=3)
    Failure.objects.create(asset=asset, occurred=early, restored=early)
    now = NOON.replace(hour=8)
    scene.work_off(site, now)
    assert FailureEvent.objects.count() == 1
    type(site).objects.filter(pk=site.pk).update(day_start=time(0))
    site.refresh_from_db()
    assert scene.work_off(site, now) == scene.computed_anew(site, now)
    assert FailureEvent.objects.count() == 0
    compute_site(site, now=now.replace(day=21))
    assert FailureEvent.objects.count() == 1
