"""Facts follow every path on which a record is written: page, API, import, bulk write, plain SQL, emptied table.

There is no admin site. A path is a generator: it writes, and says what it wrote; after each of these writes the marks
are worked off, and every stored row must be what it would be if everything were computed anew. A write that changes no
fact would prove nothing, so it fails as well. That each trigger is needed is shown in `test_triggers`.
"""

import pytest
from django.apps import apps
from django.urls import reverse

from assets.models import Downtime
from tests.contracts.api import client_of
from tests.kpis import paths_of_plant as of_plant
from tests.kpis import paths_of_records as of_records
from tests.kpis import scene
from tests.kpis.hand import Hand

PATHS = [*of_records.PATHS, *of_plant.PATHS]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_facts_follow_what_is_written(plant, client, settings, tmp_path, path):
    settings.MEDIA_ROOT = tmp_path
    it = scene.build(plant)
    before = scene.work_off(it.site)
    assert before == scene.computed_anew(it.site)
    for told in path(it, Hand(client, it)):
        assert scene.marks(it.site).exists(), told
        it.site.refresh_from_db()
        after = scene.work_off(it.site)
        assert after != before, f"{told}: no fact depends on it"
        for stored, anew in zip(after, scene.computed_anew(it.site), strict=True):
            assert stored == anew, told
        before = after


def test_there_is_no_other_path():
    """An admin site would be one; its writes would have to be among these."""
    assert not apps.is_installed("django.contrib.admin")


def test_who_may_not_write_changes_and_marks_nothing(plant, client):
    it = scene.build(plant)
    before = scene.work_off(it.site)
    stop = Downtime.objects.earliest("start")
    for page, key in (
        ("downtime-remove", stop.pk), ("asset-move", plant.labeller.pk), ("operating-calendar-remove", it.calendar.pk)
    ):  # fmt: skip
        for who in ("requester", "stranger"):
            client.force_login(getattr(plant, who))
            assert client.post(reverse(page, args=[key]), {"reason": "x"}).status_code in (403, 404)
    answer = client_of(plant.requester).delete(f"/api/v1/downtimes/{stop.pk}/")
    assert answer.status_code == 403
    assert not scene.marks(it.site).exists()
    assert scene.facts(it.site) == before


def test_a_reason_that_is_planned_from_now_on_changes_no_past_stop_and_the_page_says_so(plant, client):
    it = scene.build(plant)
    before = scene.work_off(it.site)
    fields = {"name": "Breakdown", "code": "breakdown", "planned": "on", "loss_class": "breakdown", "active": "on"}
    Hand(client, it).posts("administrator", "downtime-reason", plant.breakdown.pk, **fields)
    assert not scene.marks(it.site).exists()
    assert scene.facts(it.site) == before == scene.computed_anew(it.site)
    page = client.get(reverse("downtime-reason", args=[plant.breakdown.pk])).content.decode()
    assert "a change of it holds from now on" in page
