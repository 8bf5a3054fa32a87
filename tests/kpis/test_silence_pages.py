"""What people see of a silent source: coverage, explanation, timeline, board, files, findings, settings."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import formats

from assets.models import Asset, Downtime
from core.models import Site
from kpis import trusting
from kpis.boarding import NO_DATA, RUNNING, board
from kpis.computing import compute_site
from kpis.facts import lives
from kpis.figures import known
from kpis.hours import week
from kpis.silence import EVER
from kpis.silence import Silence as Silent
from kpis.silent_sources import SilentSource
from kpis.states import machines, records_of
from kpis.timeline import State
from kpis.trust import Part, Score
from tests.contracts.api import assert_problem, client_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def of_days(plant, now, days: int) -> dict:
    today = plant.berlin.production_day(now)
    return {
        "asset": plant.filler.pk, "definition": "availability", "scope": "asset",
        "from": str(today - days * DAY), "to": str(today),
    }  # fmt: skip


def day_text(plant, now, ago: int) -> str:
    return formats.date_format(plant.berlin.production_day(now) - ago * DAY, "SHORT_DATE_FORMAT")


def test_the_explanation_names_the_silent_source_and_its_setting(silent, now, client):
    client.force_login(silent.manager)

    page = client.get("/performance/figure/", of_days(silent, now, 30)).content.decode()

    told, since = day_text(silent, now, 49), day_text(silent, now, 18)
    assert f"has told nothing since {told}: unknown from {since} on" in page
    assert "more than 30 days without a record, as the site says" in page
    assert f"M1 has told nothing since {told}: ask whether stops and counts still arrive." in page


def test_the_api_tells_from_when_to_when_and_whose_setting_it_is(silent, now):
    Asset.objects.filter(pk=silent.filler.pk).update(silence_days=20)
    today = silent.berlin.production_day(now)
    Downtime.objects.create(asset=silent.filler, start=now - 10 * DAY, end=now - 10 * DAY + HOUR)

    found = client_of(silent.manager).get("/api/v1/kpis/explanation/", of_days(silent, now, 30)).json()

    (row,) = found["silent"]
    assert row["asset"]["code"] == "M1"
    assert (row["from"], row["to"]) == (str(today - 28 * DAY), str(today - 11 * DAY))
    assert (row["days"], row["set_at"]) == (20, "asset")
    assert found["figure"]["coverage"] == pytest.approx(12 / 30, abs=0.01)  # an hour may be missing or twice there


def source(code: str, since: int, until: None) -> SilentSource:
    return SilentSource.of(Asset(code=code), Silent(date(2026, 3, since).toordinal(), until, 2))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([("M1", 4, None)], "M1 has told nothing since 1 Mar 2026: ask whether stops and counts still arrive."),
        ([("M1", 4, None), ("M2", 5, None)], "M1 has told nothing since 1 Mar 2026, nor has 1 other: ask"),
        ([("M1", 4, None), ("M2", 5, None), ("M3", 5, None)], "nor have 2 others: ask whether stops and counts"),
    ],
)
def test_advice_names_the_sources_that_are_silent_still(found, said):
    sources = [source(*each) for each in found]
    for part in (Part.COVERAGE, Part.FRESHNESS):
        assert said in trusting.advice(Score(part, 0.2), "", sources)
    assert said not in trusting.advice(Score(Part.TIMELINESS, 0.2, 1, 2), "", sources)


def test_of_a_silence_that_is_over_what_is_missing_should_be_entered():
    over = SilentSource.of(
        Asset(code="M1"), Silent(date(2026, 3, 4).toordinal(), date(2026, 3, 9).toordinal(), 2)
    )  # fmt: skip
    said = "M1 told nothing after 1 Mar 2026: unknown from 4 Mar 2026 to 8 Mar 2026. Enter what is missing."
    assert trusting.advice(Score(Part.COVERAGE, 0.2), "", [over]) == said
    assert "Nothing was entered lately" in trusting.advice(Score(Part.FRESHNESS, 0.2), "", [over])
    first = SilentSource.of(Asset(code="M1"), Silent(EVER, date(2026, 3, 9).toordinal(), 2))
    assert first.sentence == "told nothing before: unknown until 8 Mar 2026"


def test_a_machine_that_told_something_in_time_is_not_named(silent, now):
    question = {**of_days(silent, now, 30), "asset": silent.labeller.pk}

    found = client_of(silent.manager).get("/api/v1/kpis/explanation/", question).json()

    assert (found["silent"], found["figure"]["coverage"]) == ([], 1)


def test_the_timeline_draws_it_as_unknown_and_the_hours_leave_it_out(silent, now):
    window = (now - 19 * DAY, now - 17 * DAY)
    (period,) = known([silent.filler], [window], site=silent.berlin, scope="asset", now=now)
    (machine,) = machines(period, records_of(period))
    begins = silent.berlin.day_begins(silent.berlin.production_day(now) - 18 * DAY)
    assert (machine.observed, machine.silent) == (True, True)
    assert [each.state for each in machine.spans] == [State.OPERATING, State.UNKNOWN]
    assert machine.seconds(State.UNKNOWN) == pytest.approx((window[1] - begins).total_seconds(), abs=1)
    assert sum(week(period, records_of(period)).scheduled.values()) == period.answer.all.scheduled


def test_silent_throughout_it_has_no_times_and_the_page_says_so(silent, now, client):
    client.force_login(silent.manager)
    today = silent.berlin.production_day(now)

    page = client.get(
        "/performance/timeline/", {"asset": silent.line.pk, "from": str(today - 5 * DAY), "to": str(today)}
    )

    assert "1 machine was never stopped in " in page.content.decode()
    assert "Nothing has been told for long of M1, whose state was unknown then." in page.content.decode()
    (period,) = known([silent.filler], [(now - 5 * DAY, now)], site=silent.berlin, scope="asset", now=now)
    (machine,) = machines(period, records_of(period))
    assert machine.seconds(State.OPERATING) is None
    assert (period.answer.all.recorded, period.answer.all.coverage) == (0, 0)


def test_the_inputs_as_csv_hold_its_time_as_unknown(silent, now, client):
    client.force_login(silent.manager)

    answer = client.get(reverse("figure-inputs"), of_days(silent, now, 30))

    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    unknown = sum(float(row["seconds"]) for row in rows if row["kind"] == "unknown")
    operating = sum(float(row["seconds"]) for row in rows if row["kind"] == "operating")
    assert unknown / (unknown + operating) == pytest.approx(18 / 30, abs=0.01)


def test_the_wall_board_does_not_call_it_running(silent, now):
    seen = {}
    for _, states in board(silent.berlin, None, silent.manager, now=now).lines:
        seen |= {each.asset.code: each.badge for each in states}
    assert (seen["M1"], seen["M2"]) == (NO_DATA, RUNNING)


def test_silence_is_no_operating_time_of_a_life(silent, now):
    found = lives.of_assets([silent.filler.pk], site=silent.berlin, start=now - 60 * DAY, end=now, now=now)
    (record,) = found.records
    (period,) = known([silent.filler], [(now - 60 * DAY, now)], site=silent.berlin, scope="asset", now=now)
    assert sum(record.hours) * 3600 == pytest.approx(period.answer.all.operating)
    assert period.answer.all.unobserved > 17 * 86_400
    assert found.facts.coverage == period.answer.all.coverage


def test_reading_costs_one_query_more_and_none_where_nothing_may_be_silent(silent, now):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            known([silent.labeller], [(now - 30 * DAY, now - 2 * DAY)], site=silent.berlin, scope="asset", now=now)
        return len(asked)

    with_limit = queries()
    Site.objects.filter(pk=silent.berlin.pk).update(count_silence_days=None)
    compute_site(silent.berlin, now=now)
    assert with_limit == queries() + 1


# --- Settings -----------------------------------------------------------------------------------------


def test_an_administrator_says_for_how_long_sources_may_be_silent(plant, client):
    client.force_login(plant.administrator)
    address = f"/settings/sites/{plant.berlin.pk}/"
    form = {"code": "berlin", "name": "Berlin", "time_zone": "Europe/Berlin", "currency": "EUR", "day_start": "00:00",
            "coverage_threshold": "0.8", "failure_merge_gap": "0", "oee_profile": "recorded",
            "count_silence_days": "14", "stop_silence_days": ""}  # fmt: skip
    assert client.post(address, form).status_code == 302
    plant.berlin.refresh_from_db()
    assert (plant.berlin.count_silence_days, plant.berlin.stop_silence_days) == (14, None)
    for wrong in ({"count_silence_days": "0"}, {"stop_silence_days": "-1"}, {"stop_silence_days": "4000"}):
        response = client.post(address, {**form, **wrong})
        assert response.status_code == 422
        assert list(response.context["form"].errors) == list(wrong)


def test_an_asset_may_be_silent_for_another_time(plant, client):
    client.force_login(plant.planner)
    form = {"code": "M1", "name": "Filler", "level": "machine", "short_stop_seconds": "300", "silence_days": "0"}
    client.post(f"/assets/{plant.filler.pk}/edit/", {**form, "version": "1"})
    plant.filler.refresh_from_db()
    assert plant.filler.silence_days == 0
    assert "never taken as unknown" in client.get(f"/assets/{plant.filler.pk}/").content.decode()

    api, address = client_of(plant.planner), f"/api/v1/assets/{plant.filler.pk}/"
    assert api.patch(address, {"silence_days": 7}, format="json").json()["silence_days"] == 7
    assert_problem(api.patch(address, {"silence_days": 9999}, format="json"), 400, field="silence_days")
    assert Asset.objects.get(pk=plant.filler.pk).silence_days == 7
