"""The worked cases of docs/kpi.md through the database: the SQL must say what the pure functions say."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from core.kit.present import number_text
from kpis import computing, figures, oracle
from kpis.formulas import SUMS, Reason, Status, oee, performance, quality, total
from kpis.present import note, said
from tests.kpis.cases import CASES, Case, at
from tests.kpis.edges import EDGES
from tests.kpis.world import Stored, store
from tests.workorders.planned import job_plan
from workorders.models import PlanOccurrence, PreventivePlan

LIVE = (
    "planned_stop", "down", "losses", "off_schedule", "stops", "events", "items", "found", "restored", "restoration",
    "open_events", "counts", "good", "scrap", "rework", "ideal_good", "ideal_scrap", "ideal_rework", "doubtful",
)  # fmt: skip
OF_COUNTED = {oee, performance, quality}
WORKED = [case for case in CASES if case.name[0].isdigit()]  # the numbered ones, as pages and API ask for them
from_records_and_days = pytest.mark.parametrize("stored", [False, True], ids=["from records", "from stored days"])


def written(case: Case, *, stored: bool) -> Stored:
    plant = store(case.records)
    if stored:
        computing.compute_site(plant.site, now=case.records.now)
    return plant


def read(plant: Stored, case: Case, *keys: str, start=None, end=None) -> list[figures.Figure]:
    """These figures of the case's asset, or of all its assets as one."""
    assets = [plant.assets[number] for number in case.assets] if len(case.assets) == 1 else None
    return figures.read(
        assets, site=plant.site, start=start or case.window.start, end=end or case.window.end,
        scope="leaves" if assets is None else "asset", definitions=keys, now=case.records.now,
    )  # fmt: skip


def worked(number: int) -> Case:
    return next(case for case in WORKED if case.name.startswith(f"{number} "))


@pytest.mark.parametrize("case", [*CASES, *EDGES], ids=lambda case: case.name)
def test_the_records_give_the_worked_answer(db, case):
    stored = store(case.records)
    found = total(stored.live(asset, case.window)[0] for asset in case.assets)
    expected = total(oracle.facts(case.records, asset, case.window) for asset in case.assets)
    for name in LIVE:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-6), name
    for name, value in (case.facts or {}).items():
        if name in LIVE:
            assert getattr(found, name) == pytest.approx(value, abs=1e-6), name
    assert sum(found.losses.values()) == found.down


@pytest.mark.parametrize("case", [*CASES, *EDGES], ids=lambda case: case.name)
@from_records_and_days
def test_the_figures_that_pages_show_give_the_worked_answer(db, case, stored):
    plant = written(case, stored=stored)
    found = figures.periods(
        [plant.assets[number] for number in case.assets], site=plant.site, start=case.window.start,
        end=case.window.end, scope="asset", now=case.records.now,
    )  # fmt: skip
    facts = total(period.answer.all for period in found)
    counted = total(period.answer.counted for period in found)
    expected = total(oracle.facts(case.records, asset, case.window) for asset in case.assets)
    for name in SUMS:
        assert getattr(facts, name) == pytest.approx(getattr(expected, name), abs=1e-6), name
    for name, value in (case.facts or {}).items():
        assert getattr(facts, name) == pytest.approx(value, abs=1e-6), name
    for figure, value in (case.figures or {}).items():
        assert figure(counted if figure in OF_COUNTED else facts).value == pytest.approx(value, abs=5e-5), (
            figure.__name__
        )


@pytest.mark.parametrize("case", WORKED, ids=lambda case: case.name)
@from_records_and_days
def test_each_number_of_a_worked_case_is_that_of_the_figure_that_is_asked_for(db, case, stored):
    plant = written(case, stored=stored)
    keys = [formula.__name__ for formula in case.figures or {}]
    available, *found = read(plant, case, "availability", *keys)
    for name, value in (case.facts or {}).items():
        assert getattr(available.facts, name) == pytest.approx(value, abs=1e-6), name
    for figure, value in zip(found, (case.figures or {}).values(), strict=True):
        assert (figure.value, figure.status) == (pytest.approx(value, abs=5e-7), "ok"), figure.definition.key


@from_records_and_days
def test_oee_is_rounded_once_at_the_end(db, stored):
    case = worked(2)
    (figure,) = read(written(case, stored=stored), case, "oee")
    assert (figure.value, said(figure)) == (380 / 480, "79.2\u202f%")


@from_records_and_days
def test_an_mtbf_is_shown_with_its_interval(db, stored):
    case = worked(4)
    (figure,) = read(written(case, stored=stored), case, "mtbf")
    assert figure.value == pytest.approx(400)
    assert figure.interval == {
        "confidence": 0.9, "lower": pytest.approx(127.07, abs=0.005), "upper": pytest.approx(2251.23, abs=0.005),
    }  # fmt: skip
    assert figure.few_failures
    assert note(figure, None) == f"90 % interval 127 to {number_text(2251, 0)} h · few failures"


@from_records_and_days
def test_a_line_is_down_from_the_first_of_its_stops_to_the_last(db, stored):
    case = worked(8)
    plant = written(case, stored=stored)
    borders = [at(hour) for hour in (0, 10, 11.25, 24)]
    parts = [read(plant, case, "availability", start=start, end=end)[0].value for start, end in pairwise(borders)]
    assert parts == [1, 0, 1]


@from_records_and_days
def test_the_oee_of_two_assets_is_not_the_mean_of_theirs(db, stored):
    case = worked(10)
    plant = written(case, stored=stored)
    each = [read(plant, Case("", case.records, case.window, assets=(number,)), "oee")[0].value for number in (1, 2)]
    (both,) = read(plant, case, "oee")
    assert both.value == pytest.approx(0.715062, abs=5e-7)
    assert sum(each) / 2 != pytest.approx(both.value, abs=0.01)


@from_records_and_days
def test_a_year_without_failure_has_no_mtbf_but_its_lower_bound(db, stored):
    case = worked(11)
    (figure,) = read(written(case, stored=stored), case, "mtbf")
    assert (figure.value, figure.status, figure.reason_code) == (None, Status.UNDEFINED, Reason.NO_FAILURES)
    assert figure.reason == "No failure occurred in this window."
    assert figure.interval == {"confidence": 0.9, "lower": pytest.approx(3804.4, abs=0.05), "upper": None}
    assert said(figure) == "undefined"
    bound = number_text(3804, 0)
    assert note(figure, None) == f"No failure occurred in this window. At least {bound}\u202fh with 90 % confidence."


def test_work_on_30_days_that_is_done_3_days_late_is_judged_by_each_rule(plant):
    """Case 12, which is about work."""
    plan = PreventivePlan.objects.create(
        site=plant.berlin, name="Oil", job_plan=job_plan(plant.berlin), start=date(2026, 1, 1)
    )
    due, done = datetime(2026, 3, 10, 12, tzinfo=UTC), datetime(2026, 3, 13, 12, tzinfo=UTC)
    PlanOccurrence.objects.create(
        plan=plan, asset=plant.filler, sequence=1, due=due, interval_days=30, state="done", done_at=done
    )
    keys = (
        "preventive_compliance_ten_percent", "preventive_compliance", "preventive_compliance_on_time",
        "scheduled_maintenance_critical",
    )  # fmt: skip
    for assets in ([plant.filler], [plant.line], None):
        found = figures.read(
            assets, site=plant.berlin, start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 4, 1, tzinfo=UTC),
            definitions=keys, now=datetime(2026, 4, 10, tzinfo=UTC),
        )  # fmt: skip
        assert [(figure.value, figure.status) for figure in found] == [
            (1, "ok"), (1, "ok"), (0, "ok"), (pytest.approx(1.1), "ok"),
        ]  # fmt: skip
        assert [said(figure) for figure in found] == ["100.0\u202f%", "100.0\u202f%", "0.0\u202f%", "110.0\u202f%"]
