"""The OEE profile of a site: short stops between availability and performance, and nothing else changed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.models import Downtime
from core.models import OeeProfile
from kpis import computing, doubts, figures, formulas, oracle
from kpis.cutting import cut
from kpis.definitions import DEFINITIONS, FACTORS
from kpis.figures import periods
from kpis.formulas import Facts, Status
from kpis.intervals import span
from kpis.models import Finding
from kpis.profiles import IN_PERFORMANCE
from kpis.report import compose
from kpis.weeks import Week
from production.models import Count
from tests.contracts.api import assert_problem, client_of
from tests.kpis.plants import GRID, LINE, MACHINE, PART, SPARE, STEPS, in_database, plants
from tests.kpis.test_reading import forget
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write

MOVED = OeeProfile.SHORT_STOPS_IN_PERFORMANCE
HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
NOW = BEGIN + timedelta(days=30)
WEEK = {"from": "2026-03-02", "to": "2026-03-09"}
SHORT = dict.fromkeys((LINE, MACHINE, SPARE, PART), 3 * 3600.0)


def product(facts: Facts, profile: str) -> float:
    moved = IN_PERFORMANCE[profile]
    return (
        formulas.oee_availability(facts, in_performance=moved).value
        * formulas.performance(facts, in_performance=moved).value
        * formulas.quality(facts).value
    )


@settings(max_examples=200, deadline=None)
@given(records=plants(), first=st.integers(0, STEPS // 2), length=st.integers(1, STEPS))
def test_oee_is_the_product_of_its_factors_and_the_waterfall_adds_up_by_either_profile(records, first, length):
    records = replace(records, short_stops=SHORT)
    start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
    for asset in SHORT:
        facts = oracle.facts(records, asset, span(start, start + length * GRID))
        for moved in IN_PERFORMANCE.values():
            steps = {loss.key: loss.seconds for loss in formulas.waterfall(facts, moved)}
            assert sum(steps.values()) == pytest.approx(facts.planned_production, abs=1e-6)
            before_speed = list(steps)[: list(steps).index("reduced_speed")]
            if "short" in steps and moved:
                assert before_speed[-1] == "short", "it stands with the losses of performance"
        if facts.ideal and facts.operating > 0:
            whole = formulas.oee(facts)
            assert product(facts, OeeProfile.RECORDED) == pytest.approx(whole.value, rel=1e-12)
            assert product(facts, MOVED) == pytest.approx(whole.value, rel=1e-12)
            assert formulas.performance(facts, in_performance=("short",)).status is whole.status


def test_a_short_stop_moves_from_availability_to_performance_by_its_seconds():
    facts = Facts(
        calendar=36_000, scheduled=36_000, recorded=1, counts=1, down=7200, ideal_good=21_600, good=21_600,
        losses={"breakdown": 5400, "short": 1800},
    )  # fmt: skip
    assert formulas.oee_availability(facts).value == formulas.availability(facts).value == 0.8
    assert formulas.performance(facts).value == 0.75
    moved = {"in_performance": ("short",)}
    assert formulas.oee_availability(facts, **moved).value == 0.85
    assert formulas.performance(facts, **moved).value == pytest.approx(21_600 / 30_600)
    assert [loss.key for loss in formulas.waterfall(facts, ("short",))][:3] == ["breakdown", "short", "reduced_speed"]


def test_more_than_operating_time_allows_is_suspect_by_either_profile():
    facts = Facts(
        calendar=3600, scheduled=3600, recorded=1, counts=1, down=600, good=1, ideal_good=3100, losses={"short": 600}
    )
    result = formulas.performance(facts, in_performance=("short",))
    assert (result.value, result.status) == (pytest.approx(3100 / 3600), Status.SUSPECT)
    assert formulas.oee(facts).status is Status.SUSPECT


def test_a_machine_in_short_stops_alone_has_a_performance_of_zero_by_the_profile():
    facts = Facts(calendar=3600, scheduled=3600, recorded=1, counts=1, down=3600, losses={"short": 3600})
    assert formulas.performance(facts).reason is formulas.Reason.NO_OPERATING_TIME
    assert formulas.performance(facts, in_performance=("short",)).value == 0
    assert formulas.oee_availability(facts, in_performance=("short",)).value == 1


@in_database(25)
@given(
    data=st.data(), records=plants(), by=st.sampled_from(("total", "day")), earlier=st.integers(0, STEPS // 3),
    scope=st.sampled_from(("asset", "leaves", "subtree")),
)  # fmt: skip
def test_figures_by_the_profile_are_those_of_the_losses_that_are_read_apart(db, data, records, by, earlier, scope):
    """Short seconds of all buckets at once are those of each bucket's losses, and those of the oracle."""
    records = replace(records, short_stops=SHORT)
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records, oee_profile=MOVED)
        computing.compute_site(plant.site, now=records.now - earlier * GRID)
        start = datetime.fromtimestamp(first_instant(records), UTC)
        subjects = [None, *plant.assets.values()]
        end = records.now + timedelta(days=1)
        question = {"site": plant.site, "start": start, "end": end, "by": by, "scope": scope, "now": records.now}
        for each in periods(subjects, **question):
            found = {key: each.figure(DEFINITIONS[key]) for key in FACTORS}
            facts = each.answer.counted
            if not facts.counts or facts.planned_production <= 0:
                assert found["performance"].value is None
                continue
            lost = dict(facts.losses)
            assert found["performance"].inputs["stop_time_in_performance"] == lost.get("short", 0.0)
            base = facts.operating + lost.get("short", 0.0)
            assert found["oee_availability"].value == pytest.approx(base / facts.planned_production)
            if base > 0:
                assert found["performance"].value == pytest.approx(facts.ideal / base)
            if scope == "asset" and each.asset:
                number = next(number for number, row in plant.assets.items() if row == each.asset)
                right = oracle.facts(records, number, span(each.start, each.end)).losses
                assert lost.get("short", 0.0) == right.get("short", 0.0)
        raise Undone


@pytest.fixture
def shift(plant):
    """The filler, 24/7: a day of 24 h with a breakdown of 2 h, short stops of half an hour, and counts of 18 h."""
    plant.filler.short_stop_seconds = 900
    plant.filler.save()
    starts = [(10, 2.0, plant.breakdown), (14, 0.2, None), (16, 0.2, plant.breakdown), (30, 0.1, None)]
    for begin, hours, reason in starts:
        Downtime.objects.create(
            asset=plant.filler, start=BEGIN + begin * HOUR, end=BEGIN + (begin + hours) * HOUR, reason=reason
        )
    for day in (0, 1):
        Count.objects.create(
            asset=plant.filler, start=BEGIN + day * 24 * HOUR, end=BEGIN + (day + 1) * 24 * HOUR, good=60_000,
            scrap=4_800, ideal_cycle=1,
        )  # fmt: skip
    computing.compute_site(plant.berlin, now=NOW)
    return plant


def choose(plant, profile: str) -> None:
    answer = client_of(plant.administrator).patch(f"/api/v1/sites/{plant.berlin.pk}/", {"oee_profile": profile})
    assert answer.json()["oee_profile"] == profile
    plant.berlin.refresh_from_db()


def test_only_the_factors_of_oee_follow_the_profile(client, shift):
    client.force_login(shift.manager)
    query = {
        "asset": "M1",
        "scope": "asset",
        **WEEK,
        "definition": "availability,teep,oee,oee_availability,performance",
    }
    by_profile = {}
    for profile in OeeProfile.values:
        choose(shift, profile)
        rows = client.get("/api/v1/kpis/", query).json()
        assert [row["profile"] for row in rows] == [None, None, *[profile] * 3]
        by_profile[profile] = {row["definition"]: row["value"] for row in rows}
    before, after = by_profile["recorded"], by_profile[MOVED]
    planned, down, short = 7 * 24.0, 2.5, 0.5
    assert before["availability"] == after["availability"] == before["oee_availability"]
    assert (before["oee"], before["teep"]) == (after["oee"], after["teep"])
    assert before["oee_availability"] == pytest.approx((planned - down) / planned)
    assert after["oee_availability"] == pytest.approx((planned - down + short) / planned)
    assert after["performance"] == pytest.approx(2 * 18 / (planned - down + short))
    assert not shift.berlin.assets.filter(pk__in=changed()).exists(), "no stored fact depends on it"


def changed() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(asset_id, 0) FROM kpis_changedday")
        return [pk for (pk,) in cursor.fetchall()]


def test_explanations_name_the_profile_and_calculate_by_it(client, shift):
    client.force_login(shift.manager)

    def why(key: str) -> dict:
        return client.get(
            "/api/v1/kpis/explanation/", {"asset": "M1", "scope": "asset", **WEEK, "definition": key}
        ).json()

    assert why("performance")["calculation"] == "36.00 h ÷ 165.50 h"
    assert why("oee")["rules"] == ["OEE profile: Recorded stops are availability losses."]
    choose(shift, MOVED)
    said = "OEE profile: Short stops are performance losses."
    assert why("performance")["calculation"] == "36.00 h ÷ (165.50 h + 0.50 h)"
    assert why("oee_availability")["calculation"] == "(165.50 h + 0.50 h) ÷ 168.00 h"
    assert why("oee")["rules"] == [said]
    assert said in why("performance")["rules"]
    assert why("availability")["rules"] == []
    factors = [row["value"] for row in why("oee")["factors"]]
    assert factors[0] * factors[1] * factors[2] == pytest.approx(why("oee")["figure"]["value"], rel=1e-12)
    query = {"asset": shift.filler.pk, **WEEK}
    for key, words in (("oee", "Availability rate 98.8"), ("performance", "Short stops, performance losses")):
        page = client.get(reverse("figure"), {**query, "definition": key}).content.decode()
        assert said in page, key
        assert words in page, key
    plain = client.get(reverse("figure"), {**query, "definition": "availability"}).content.decode()
    assert "OEE profile" not in plain
    assert "performance losses" not in plain


def test_former_values_that_cannot_be_formed_are_not_told(client, shift):
    """Revisions keep no lost time by class, so under the profile an earlier performance rate is not known."""
    Count.objects.filter(start=BEGIN).update(good=50_000)
    computing.compute_site(shift.berlin, now=NOW)
    client.force_login(shift.manager)
    query = {"asset": "M1", "scope": "asset", **WEEK}
    told = {}
    for profile in OeeProfile.values:
        choose(shift, profile)
        for key in ("oee", "performance"):
            why = client.get("/api/v1/kpis/explanation/", {**query, "definition": key}).json()
            told[profile, key] = len(why["revisions"])
    assert told == {
        ("recorded", "oee"): 1,
        ("recorded", "performance"): 1,
        (MOVED, "oee"): 1,
        (MOVED, "performance"): 0,
    }
    assert "not told" in why["rules"][-1]


def test_the_waterfall_and_the_report_name_the_profile(client, shift):
    client.force_login(shift.manager)
    query = {"asset": shift.filler.pk, "from": "2026-03-02", "to": "2026-03-08"}
    sums = []
    for profile in OeeProfile.values:
        choose(shift, profile)
        chart = next(
            each for each in client.get(reverse("performance"), query).context["charts"] if each.key == "losses"
        )
        labels = [str(row[0]) for row in chart.rows]
        assert chart.note == f"OEE profile: {OeeProfile(profile).label}."
        assert labels == ["Planned", "Breakdowns", "Short stops", "Reduced speed", "Scrap", "Good time"]
        sums.append([row[1] for row in chart.rows])
        report = compose(shift.berlin, shift.filler, Week(shift.berlin, date(2026, 3, 2)), now=NOW)
        rows = {row.name: row.remark for row in report.rows}
        assert str(OeeProfile(profile).label) in rows["OEE"]
        assert str(OeeProfile(profile).label) not in rows["Availability"]
    assert sums[0] == sums[1]


def test_a_site_pays_for_the_profile_with_one_query_whatever_the_buckets(shift):
    def queries(profile: str, by: str) -> int:
        shift.berlin.oee_profile = profile
        end = BEGIN + timedelta(days=14)
        buckets = cut(shift.berlin, BEGIN, end, by)
        with CaptureQueriesContext(connection) as captured:
            found = figures.known([None, shift.filler], buckets, site=shift.berlin, now=NOW)
            for each in found:
                for key in ("availability", "oee", *FACTORS):
                    each.figure(DEFINITIONS[key])
        return len(captured)

    plain = queries(OeeProfile.RECORDED, "total")
    assert queries(OeeProfile.RECORDED, "day") == plain
    assert queries(MOVED, "total") == queries(MOVED, "day") == plain + 1


@pytest.mark.parametrize("stored", [True, False], ids=["from stored days", "from the records"])
def test_short_stops_of_assets_without_counts_move_nothing(shift, stored):
    shift.labeller.short_stop_seconds = 900
    shift.labeller.save()
    Downtime.objects.create(asset=shift.labeller, start=BEGIN + 12 * HOUR, end=BEGIN + 12.2 * HOUR)
    computing.compute_site(shift.berlin, now=NOW)
    if not stored:
        forget(shift.berlin)
    shift.berlin.oee_profile = MOVED
    days = cut(shift.berlin, BEGIN, BEGIN + timedelta(days=3), "day")
    found = figures.known([None, shift.filler, shift.labeller], days, site=shift.berlin, now=NOW)
    moved = [each.figure(DEFINITIONS["performance"]).inputs.get("stop_time_in_performance") for each in found]
    of_days = [pytest.approx(0.4 * 3600), pytest.approx(0.1 * 3600), None]
    assert moved == [*of_days, *of_days, None, None, None]


@pytest.mark.parametrize("profile", OeeProfile.values)
def test_too_fast_is_found_against_operating_time_by_either_profile(shift, profile):
    # 597,000 s of pieces in a week of 595,800 s of operating time, to which short stops add 1,800 s.
    Count.objects.filter(start=BEGIN).update(good=527_400)
    choose(shift, profile)
    now = BEGIN + timedelta(days=7, hours=1)
    computing.compute_site(shift.berlin, now=now)
    doubts.look_at(shift.berlin, now=now)
    (finding,) = Finding.objects.filter(kind="too_fast")
    assert finding.numbers["performance"] == pytest.approx(597_000 / 595_800)


@pytest.mark.parametrize("wrong", ["", "vdi", None])
def test_a_profile_that_does_not_exist_is_refused_at_the_field(plant, wrong):
    answer = client_of(plant.administrator).patch(
        f"/api/v1/sites/{plant.berlin.pk}/", {"oee_profile": wrong}, format="json"
    )
    assert_problem(answer, 400, "invalid", "oee_profile")
    plant.berlin.refresh_from_db()
    assert plant.berlin.oee_profile == "recorded"
