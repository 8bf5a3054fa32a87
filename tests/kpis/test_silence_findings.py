"""Somebody notices that a source has fallen silent."""

from datetime import timedelta

from assets.models import Asset, Downtime
from kpis import doubts
from kpis.models import Finding
from production.models import OperatingCalendar

DAY = timedelta(days=1)


def findings(plant, now) -> list[Finding]:
    doubts.look_at(plant.berlin, now=now)
    return list(Finding.objects.filter(kind="silent", state="open"))


def test_a_source_that_fell_silent_is_found_until_it_tells_something(silent, now):
    (found,) = findings(silent, now)
    assert found.asset == silent.filler
    assert found.numbers == {"told": str(silent.berlin.production_day(now) - 49 * DAY), "days": 30}
    assert "Ask whether stops and counts still arrive" in doubts.said(found.kind, found.numbers)

    Downtime.objects.create(asset=silent.filler, start=now - timedelta(minutes=2), end=now - timedelta(minutes=1))
    assert findings(silent, now) == []
    assert Finding.objects.get(kind="silent").state == "mended"


def test_a_machine_that_was_not_scheduled_since_is_not_missed(silent, now):
    since = silent.berlin.production_day(now) - 30 * DAY
    OperatingCalendar.objects.create(site=silent.berlin, asset=silent.filler, name="closed", valid_from=since)
    assert findings(silent, now) == []


def test_a_retired_machine_is_not_missed(silent, now):
    Asset.objects.filter(pk=silent.filler.pk).update(retired=now - 5 * DAY)
    assert findings(silent, now) == []
