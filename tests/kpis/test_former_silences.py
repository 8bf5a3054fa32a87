"""A silence of a source that ends, begins or is judged otherwise afterwards: what was reported before stays known."""

from datetime import timedelta

import pytest

from assets.models import Downtime, Failure
from core.models import Site
from kpis import explaining
from kpis.computing import compute_site
from kpis.facts.kept_silences import KIND, differing
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
    ("former", "today", "reported", "days"),
    [
        ([LASTING], [LASTING], 130, None),
        ([LASTING], [OVER], 119, None),  # its end had not been reported
        ([LASTING], [OVER], 120, (120, 121)),
        ([], [OVER], 110, (100, 111)),
        ([], [OVER], 99, None),
        ([OVER], [Silence(110, 130, 30)], 200, (100, 130)),
        ([Silence(EVER, 50, 30)], [Silence(EVER, 40, 30)], 200, (40, 50)),
    ],
)
def test_which_reported_days_are_silent_in_one_of_both_alone(former, today, reported, days):
    assert differing(former, today, reported) == differing(today, former, reported) == days


def test_a_late_failure_that_the_night_finds_first_is_told_as_well(silent, now):
    """The days that the night completes bring up silences before the marked day is computed again."""
    before = now - 15 * DAY
    late = Failure.objects.create(asset=silent.filler, occurred=before, restored=before + HOUR)
    compute_site(silent.berlin, now=now + DAY)

    explanation = why(silent, now, ago=10)

    assert explanation.figure.value == 1
    (revision,) = explanation.revisions
    assert (revision.before.status, revision.record) == ("no data", late)
