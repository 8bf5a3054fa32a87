"""Where the records of a figure come from, how late they were entered, and which run computed it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from assets.models import Downtime, Failure
from core.models import JobRun
from kpis import computing
from kpis.models import FactState, Occasion
from production.models import Count

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
NOW = BEGIN + 30 * DAY


@pytest.fixture
def ask(client, plant):
    """The explanation of one figure, as the API and as the page tell it."""
    client.force_login(plant.manager)

    def asked(**question) -> tuple[dict, str]:
        query = {"definition": "mtbf", "from": "2026-03-02", "to": "2026-03-09"} | question
        why = client.get("/api/v1/kpis/explanation/", query)
        assert why.status_code == 200, why.json()
        return why.json(), client.get(reverse("figure"), query).content.decode()

    return asked


def stop(asset, first: float, lag: timedelta, source="operator", hours: float = 1) -> Downtime:
    start = BEGIN + first * HOUR
    return Downtime.objects.create(
        asset=asset, start=start, end=start + hours * HOUR, source=source, entered_at=start + lag
    )


def test_each_source_is_told_with_its_records_its_last_one_and_its_assets(ask, plant):
    stop(plant.filler, 1, HOUR)
    last = stop(plant.labeller, 2, 9 * HOUR)
    by_program = [stop(plant.filler, hour, HOUR, "api") for hour in (3, 4, 5)][-1]
    stop(plant.filler, -30, HOUR, "plc")  # before the window
    failed = Failure.objects.create(
        asset=plant.filler, occurred=BEGIN + HOUR, source="work_order", entered_at=BEGIN + 5 * HOUR
    )
    Count.objects.create(
        asset=plant.filler, start=BEGIN - HOUR, end=BEGIN + HOUR, good=1, ideal_cycle=1, source="import",
        entered_at=BEGIN + DAY,
    )  # fmt: skip
    why, page = ask(asset="L1", scope="leaves")
    assert [
        (each["kind"], each["source"], each["records"], each["last"], each["covers"],
         [(asset["code"], asset["records"]) for asset in each["assets"]])
        for each in why["sources"]
    ] == [
        ("stop", "api", 3, by_program.pk, 1, [("M1", 3)]),
        ("stop", "operator", 2, last.pk, 2, [("M1", 1), ("M2", 1)]),
        ("failure", "work_order", 1, failed.pk, 1, [("M1", 1)]),
        ("count", "import", 1, Count.objects.get().pk, 1, [("M1", 1)]),
    ]  # fmt: skip
    assert [asset["code"] for asset in why["unobserved"]] == ["M3"]
    assert why["quiet"] == []
    for words in ("Where the records come from", f"{last.get_absolute_url()}?next=", failed.get_absolute_url()):
        assert words in page
    assert "Machine control" not in page


def test_assets_without_a_record_in_the_window_are_named(ask, plant):
    stop(plant.labeller, -30, HOUR)
    stop(plant.filler, 3, HOUR)
    why, page = ask(asset="L1", scope="leaves")
    assert [asset["code"] for asset in why["quiet"]] == ["M2"]
    assert why["quiet_assets"] == 1
    assert "Nothing was recorded in this window for these assets; they count as running:" in page
    stop(plant.line, -30, HOUR)
    assert ask(asset="L1", scope="asset")[0]["quiet_assets"] == 0, "What stops the line was recorded"


def test_the_entry_lag_is_told_in_numbers(ask, plant):
    lags = [-HOUR, HOUR, 2 * HOUR, 3 * HOUR, 25 * HOUR]
    stops = [stop(plant.filler, 10 * number, each) for number, each in enumerate(lags, start=1)]
    stop(plant.labeller, 3, 99 * DAY)  # another machine
    why, page = ask(asset="M1")
    assert why["entry_lag"] == {
        "stops": 5, "median": 2 * 3600, "p90": pytest.approx((3 + 0.6 * 22) * 3600), "longest": 25 * 3600,
        "longest_stop": stops[-1].pk, "later_than_a_day": 1,
    }  # fmt: skip
    assert why["entered_late"] == 1
    assert "1 of 5 was entered more than a day late." in page
    assert ask(asset="M3")[0]["entry_lag"] is None
    assert ask(asset="M1", definition="mtta")[0]["entry_lag"] is None


def test_the_run_that_computed_a_figure_is_named(ask, client, plant):
    held = stop(plant.filler, 10, HOUR)
    why, page = ask(asset="M1")
    assert why["computed"] == []
    assert "straight from the records" in page

    computing.compute_due(now=NOW)
    nightly = JobRun.objects.get(site=plant.berlin)
    (told,) = ask(asset="M1")[0]["computed"]
    assert (told["run"], told["occasion"], told["assets"]) == (nightly.pk, "completed", 1)
    assert datetime.fromisoformat(told["at"]) == NOW

    Downtime.objects.filter(pk=held.pk).update(end=held.end + HOUR)
    computing.compute_due(now=NOW + HOUR)
    changed = JobRun.objects.filter(site=plant.berlin).latest("pk")
    why, page = ask(asset="L1", scope="leaves")
    assert [(each["run"], each["occasion"], each["assets"]) for each in why["computed"]] == [
        (changed.pk, "changed", 1), (nightly.pk, "completed", 2),
    ]  # fmt: skip
    assert "by the run for changed days" in page
    assert reverse("jobs") not in page, "The jobs are the administrator's to see"

    computing.recompute([plant.berlin], now=NOW + 2 * HOUR, by=plant.administrator)
    client.force_login(plant.administrator)
    why, page = ask(asset="L1", scope="leaves")
    (told,) = why["computed"]
    assert (told["occasion"], told["by"], told["assets"]) == ("again", "administrator", 3)
    assert f'<a href="{reverse("jobs")}">by a run that computed everything again</a>' in page


def test_days_computed_again_by_hand_are_noted_as_such(plant):
    stop(plant.filler, 10, HOUR)
    computing.compute_due(now=NOW)
    computing.recompute([plant.berlin], start=BEGIN.date() + DAY, end=BEGIN.date() + 2 * DAY, now=NOW)
    assert set(FactState.objects.filter(asset__site=plant.berlin).values_list("occasion", flat=True)) == {
        Occasion.AGAIN
    }


def test_facts_of_a_run_that_is_gone_are_told_without_it(ask, plant):
    stop(plant.filler, 10, HOUR)
    computing.compute_due(now=NOW)
    JobRun.objects.all().delete()
    why, page = ask(asset="M1")
    assert [(each["run"], each["occasion"]) for each in why["computed"]] == [(None, "completed")]
    assert "by the nightly run" in page
