"""A silence of a source that ends, begins or is judged otherwise afterwards: what was reported before stays known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from assets.models import Downtime, Failure
from core.models import Site
from kpis import explaining
from kpis.computing import compute_site
from kpis.facts import former
from kpis.facts.former_silences import FormerSilences
from kpis.facts.kept_silences import KIND, replaced
from kpis.figures import known
from kpis.models import FormerRow
from kpis.silence import EVER, Silence
from production.models import Count
from tests.contracts.api import client_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def why(plant, now, *, ago: int, days: int = 1, asset=None):
    """The availability of M1 of so many days, from `ago` days ago on."""
    start = plant.berlin.day_begins(plant.berlin.production_day(now) - ago * DAY)
    return explaining.explain(
        asset or plant.filler, site=plant.berlin, definition="availability", start=start, end=start + days * DAY,
        scope="asset", now=now,
    )  # fmt: skip


def kept() -> int:
    return FormerRow.objects.filter(kind=KIND).count()


def test_a_record_that_comes_late_ends_the_silence_and_what_was_told_of_it_stays(silent, now, client):
    assert why(silent, now, ago=10).figure.status == "no data"
    late = Downtime.objects.create(asset=silent.filler, start=now - 15 * DAY, end=now - 15 * DAY + HOUR)
    compute_site(silent.berlin, now=now)

    explanation = why(silent, now, ago=10)

    assert (explanation.figure.value, explanation.figure.coverage) == (1, 1)
    (revision,) = explanation.revisions
    assert (revision.before.status, revision.before.value) == ("no data", None)
    assert (revision.before.reason_code, explanation.figure.reason_code) == ("no_records", "")
    assert (revision.record, revision.source) == (late, "assets.downtime")
    question = {
        "asset": silent.filler.pk, "definition": "availability", "scope": "asset",
        "from": explanation.figure.start.isoformat(), "to": explanation.figure.end.isoformat(),
    }  # fmt: skip
    (told,) = client_of(silent.manager).get("/api/v1/kpis/explanation/", question).json()["revisions"]
    assert (told["status"], told["because"]["type"]) == ("no data", "assets.downtime")
    client.force_login(silent.manager)
    assert late.get_absolute_url() in client.get("/performance/figure/", question).content.decode()


def test_a_record_that_goes_makes_its_source_silent_and_coverage_was_better(silent, now):
    last = Count.objects.filter(asset=silent.labeller).order_by("start")
    gone = last.filter(start__gte=now - 45 * DAY)
    gone.delete()
    compute_site(silent.berlin, now=now)

    explanation = why(silent, now, ago=12, days=2, asset=silent.labeller)

    assert explanation.figure.coverage == 0
    assert explanation.revisions[-1].before.value == 1
    assert explanation.revisions[-1].before.facts.scheduled == pytest.approx(48 * 3600, abs=3600)


@pytest.mark.parametrize("of_asset", [False, True], ids=["the site's limit", "the asset's own"])
def test_another_limit_judges_the_past_anew_and_that_is_said(silent, now, of_asset):
    if of_asset:
        silent.filler.silence_days = 45
        silent.filler.save()
    else:
        Site.objects.filter(pk=silent.berlin.pk).update(count_silence_days=45)
        silent.berlin.refresh_from_db()
    compute_site(silent.berlin, now=now)

    explanation = why(silent, now, ago=10)

    assert explanation.figure.value == 1
    (revision,) = explanation.revisions
    assert revision.before.status == "no data"
    assert revision.because == f"Silence of {silent.filler} judged anew"
    assert revision.record == silent.filler


def test_a_silence_that_goes_on_or_begins_with_the_days_leaves_nothing(silent, now):
    compute_site(silent.berlin, now=now + DAY)
    compute_site(silent.berlin, now=now + 40 * DAY)  # by then M2 is silent as well
    assert kept() == 0


def test_a_record_of_today_changes_nothing_that_was_reported(silent, now):
    Count.objects.create(asset=silent.filler, start=now - timedelta(minutes=2), end=now, good=1, ideal_cycle=1)
    compute_site(silent.berlin, now=now)
    compute_site(silent.berlin, now=now + DAY)
    assert kept() == 0


LASTING = Silence(100, None, 30)
OVER = Silence(100, 120, 30)


@pytest.mark.parametrize(
    ("former", "today", "reported", "kept"),
    [
        ([LASTING], [LASTING], 130, None),
        ([LASTING], [OVER], 119, None),  # its end had not been reported
        ([LASTING], [OVER], 120, (120, 121, [(120, 121)])),
        ([], [OVER], 110, (100, 111, [])),
        ([], [OVER], 99, None),
        ([OVER], [Silence(110, 130, 30)], 200, (100, 130, [(100, 120)])),
        ([Silence(EVER, 50, 30)], [Silence(EVER, 40, 30)], 200, (40, 50, [(40, 50)])),
    ],
)
def test_what_is_kept_are_the_reported_days_around_those_that_changed(former, today, reported, kept):
    assert replaced(1, former, today, reported) == (kept and (1, *kept))


def test_what_the_nights_found_since_stays_when_a_change_is_taken_back(silent, now):
    """M1 resumes after a silence that was judged otherwise once: the days since were never silent."""
    Count.objects.filter(asset=silent.filler).latest("start").delete()  # 50 days ago it told its last
    compute_site(silent.berlin, now=now)
    assert kept() == 1
    Count.objects.create(asset=silent.filler, start=now, end=now + HOUR, good=1, ideal_cycle=1)
    for day in (1, 2, 3):
        compute_site(silent.berlin, now=now + day * DAY)

    silences = FormerSilences(*_zones(silent, now + 3 * DAY))

    today, before = silences.before(None)[silent.filler.pk], silences.before(now - DAY)[silent.filler.pk]
    assert len(today) == len(before) == 1
    assert today[0][1] == before[0][1]  # both end with the new record
    assert today[0][0] == before[0][0] - 86_400  # and one began a day earlier


def _zones(plant, now):
    start = plant.berlin.day_begins(plant.berlin.production_day(now) - 40 * DAY)
    (period,) = known([plant.filler], [(start, now)], site=plant.berlin, scope="asset", now=now)
    return period.reader.zones, period.reader.silences


def test_changes_are_taken_back_in_the_order_in_which_they_were_worked_off(silent, now):
    """The limit, changed after a late stop, is worked off before it."""
    ((since, _),) = FormerSilences(*_zones(silent, now)).before(None)[silent.filler.pk]
    moment = now - HOUR
    Downtime.objects.create(asset=silent.filler, start=now - 15 * DAY, end=now - 15 * DAY + HOUR)
    Site.objects.filter(pk=silent.berlin.pk).update(count_silence_days=35)
    silent.berlin.refresh_from_db()
    compute_site(silent.berlin, now=now)

    assert kept() == 2
    reported = silent.berlin.day_begins(silent.berlin.production_day(now))
    before = FormerSilences(*_zones(silent, now)).before(moment)[silent.filler.pk]
    assert before == [(since, reported.timestamp())]  # nothing of today had been reported


def test_one_limit_that_many_machines_follow_is_one_change(silent, now):
    Count.objects.filter(asset=silent.labeller, start__gte=now - 48 * DAY).delete()
    compute_site(silent.berlin, now=now)
    FormerRow.objects.all().delete()
    Site.objects.filter(pk=silent.berlin.pk).update(count_silence_days=45)
    compute_site(Site.objects.get(pk=silent.berlin.pk), now=now)

    assert kept() == 2
    (moment,) = former.moments(silent.berlin, None, now - 40 * DAY, now, now)
    assert moment.source == "kpis.silence"


def test_many_records_at_once_leave_the_time_of_their_writing(silent, now):
    """Of so many no single one is named."""
    day = silent.berlin.day_begins(silent.berlin.production_day(now) - 15 * DAY)
    Downtime.objects.bulk_create(
        Downtime(
            asset=silent.filler, start=day + minute * timedelta(minutes=9), end=day + minute * timedelta(minutes=9)
        )
        for minute in range(60)
    )
    written = timezone.now()
    compute_site(silent.berlin, now=now)

    row = FormerRow.objects.get(kind=KIND)
    assert (row.source, row.source_id) == ("kpis.silence", silent.filler.pk)
    assert row.at <= written


def test_a_late_failure_that_the_night_finds_first_is_told_as_well(silent, now):
    """The days that the night completes bring up silences before the marked day is computed again."""
    before = now - 15 * DAY
    late = Failure.objects.create(asset=silent.filler, occurred=before, restored=before + HOUR)
    compute_site(silent.berlin, now=now + DAY)

    explanation = why(silent, now, ago=10)

    assert explanation.figure.value == 1
    (revision,) = explanation.revisions
    assert (revision.before.status, revision.record) == ("no data", late)
