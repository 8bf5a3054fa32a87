"""Assets, stops, counts and orders find their way in, each bad row with its line, column, value and reason."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assets.models import Asset, Downtime, Failure
from core.errors import NotAllowed
from core.imports.mapping import MappingProblem
from core.models import Event, ImportRun, ImportState
from production.models import Count
from tests.imports.conftest import reasons
from workorders.models import Cost, WorkOrder


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


# --- Assets ---


def test_assets_come_in_with_parents_in_any_order(bring_in, plant):
    run = bring_in(
        "assets",
        "Code;Name;Parent;Level;Criticality;Commissioned\n"
        "P1.1;Seal;P1;component;;\nP1;Pump;L9;machine;a;2024-05-01\nL9;Line 9;;Line;B;\nM9;Mixer;L1;machine;;\n",
    )
    assert (run.state, run.counts["accepted"]) == (ImportState.DONE, 4)
    seal, pump, line = (Asset.objects.get(site=plant.berlin, code=code) for code in ("P1.1", "P1", "L9"))
    assert (seal.parent, pump.parent, line.parent) == (pump, line, None)
    assert seal.path == f"/{line.pk}/{pump.pk}/{seal.pk}/"
    assert (pump.criticality, pump.commissioned) == ("A", at(2024, 4, 30, 22))
    assert Asset.objects.get(code="M9").path == f"/{plant.line.pk}/{Asset.objects.get(code='M9').pk}/"
    assert seal.placements.get().parent == pump
    assert Event.objects.filter(verb="asset.created", object_id=seal.pk, actor=plant.administrator).count() == 1


def test_assets_come_in_with_the_days_for_which_they_may_be_silent(bring_in, plant):
    bring_in("assets", "code,name,silence_days\nA1,One,14\nB1,Two,\nC1,Three,0\n")
    found = Asset.objects.filter(site=plant.berlin, code__in=["A1", "B1", "C1"]).order_by("code")
    assert list(found.values_list("silence_days", flat=True)) == [14, None, 0]
    for wrong in ("1.5", "-1", "99999"):
        run = bring_in("assets", f"code,name,silence_days\nD1,Four,{wrong}\n")
        assert [column for _, column, _ in reasons(run)] == ["silence_days"], wrong


def test_a_circle_of_parents_is_refused_and_nothing_comes_in(bring_in):
    before = Asset.objects.count()
    run = bring_in("assets", "code,name,parent\nA1,One,C1\nB1,Two,A1\nC1,Three,B1\nD1,Four,\nE1,Five,Z9\n")
    assert run.state == ImportState.CHECKED
    assert run.counts["rejected"] == 4
    circles = [reason for line, column, reason in reasons(run) if line in (2, 3, 4)]
    assert all(reason.startswith("stands under itself: ") for reason in circles)
    assert (6, "parent", "is neither in the file nor at the site") in reasons(run)
    assert Asset.objects.count() == before


def test_importing_assets_again_changes_nothing_and_another_name_is_refused(bring_in):
    table = "code,name,parent\nA1,One,\nB1,Two,A1\n"
    bring_in("assets", table)
    before = list(Asset.objects.order_by("pk").values())
    again = bring_in("assets", table)
    assert (again.counts["accepted"], again.counts["unchanged"]) == (0, 2)
    other = bring_in("assets", "code,name,parent\nA1,One,\nb1,Zwei,A1\n")
    assert reasons(other) == [(3, "code", "is here already with another name; change it on its own page")]
    assert list(Asset.objects.order_by("pk").values()) == before


def test_a_code_twice_in_the_file_is_a_duplicate_or_a_contradiction(bring_in):
    run = bring_in("assets", "code,name\nA1,One\nA1,One\na1,Other\n", partial=True)
    assert (run.counts["accepted"], run.counts["duplicates"], run.counts["rejected"]) == (1, 1, 1)
    assert run.report["duplicates"] == [{"line": 3, "same_as": 2, "left_out": True}]
    assert reasons(run) == [(4, "code", "is in line 2 already, with other values")]


# --- Stops ---


def test_stops_come_in_with_their_failures_on_the_sites_clock(bring_in, plant):
    run = bring_in(
        "downtimes",
        "machine,from,to,reason,breakdown,note\n"
        "M1,2026-03-02 08:00,2026-03-02 09:30,Breakdown,yes,belt\n"
        "m2,2026-07-02 08:00,2026-07-02 08:20,setup,no,\n",
    )
    assert run.counts["accepted"] == 2
    first, second = Downtime.objects.order_by("start")
    assert (first.asset, first.start, first.end) == (plant.filler, at(2026, 3, 2, 7), at(2026, 3, 2, 8, 30))
    assert (first.reason, first.source, first.entered_by) == (plant.breakdown, "import", plant.administrator)
    assert (second.start, second.planned) == (at(2026, 7, 2, 6), True)
    failure = Failure.objects.get()
    assert (failure.downtime, failure.occurred, failure.restored) == (first, first.start, first.end)


def test_bad_stops_are_named_by_line_column_value_and_reason_and_nothing_comes_in(bring_in):
    run = bring_in(
        "downtimes",
        "machine,from,to,reason\n"
        "M1,2026-03-02 08:00,2026-03-02 09:30,\n"
        "M9,2026-03-02 08:00,2026-03-02 09:30,\n"
        "M1,2026-03-02 08:00,2026-03-02 07:30,\n"
        "M1,2026-03-29 02:30,2026-03-29 04:00,\n"
        "M1,2099-03-02 08:00,,\n"
        ",2026-03-02 08:00,,\n"
        "M1,2026-03-03 08:00,2026-03-03 09:00,Lightning\n"
        "M1,2026-03-03 08:00,2026-03-03 09:00,Setup,more\n",
    )
    assert run.state == ImportState.CHECKED
    found = {(line, column) for line, column, _reason in reasons(run)}
    assert found == {
        (3, "machine"), (4, "to"), (5, "from"), (6, "from"), (7, "machine"), (8, "reason"), (9, ""),
    }  # fmt: skip
    assert run.report["problems"][0] == {
        "line": 3, "column": "machine", "value": "M9", "reason": "the site has no asset with this code",
    }  # fmt: skip
    assert run.counts == {
        "rows": 8, "accepted": 1, "rejected": 7, "unchanged": 0, "duplicates": 0, "notes": 0,
    }  # fmt: skip
    assert Downtime.objects.count() == 0


def test_the_valid_rows_can_be_taken_and_the_rest_comes_back_as_a_harmless_file(bring_in):
    run = bring_in(
        "downtimes",
        "machine,from,to,note\nM1,2026-03-02 08:00,2026-03-02 09:30,fine\n=HYPERLINK(1),2026-03-02 08:00,,@x\n",
        partial=True,
    )
    assert (run.state, run.counts["accepted"], run.counts["rejected"]) == (ImportState.DONE, 1, 1)
    assert Downtime.objects.count() == 1
    assert run.rejects.read().decode("utf-8-sig").splitlines() == [
        "line,reason,machine,from,to,note",
        "3,machine the site has no asset with this code,'=HYPERLINK(1),2026-03-02 08:00,,'@x",
    ]


def test_stops_without_ids_are_known_again_by_what_their_row_says(bring_in):
    table = "machine,from,minutes\nM1,2026-03-02 08:00,90\nM1,2026-03-02 08:00,90\nM2,2026-03-02 08:00,15\n"
    run = bring_in("downtimes", table)
    assert (run.counts["accepted"], run.counts["duplicates"]) == (2, 1)
    before = list(Downtime.objects.order_by("pk").values())
    again = bring_in("downtimes", table)
    assert (again.state, again.counts["accepted"], again.counts["unchanged"]) == (ImportState.DONE, 0, 2)
    assert list(Downtime.objects.order_by("pk").values()) == before
    # The same rows below another order of columns are the same rows.
    turned = bring_in("downtimes", "minutes,from,machine\n90,2026-03-02 08:00,M1\n15,2026-03-02 08:00,M2\n")
    assert (turned.counts["accepted"], turned.counts["unchanged"]) == (0, 2)


def test_a_time_that_came_twice_is_taken_with_a_note(bring_in):
    run = bring_in("downtimes", "machine,from,to\nM1,2025-10-26 02:30,2025-10-26 04:00\n")
    assert run.counts["accepted"] == 1
    assert run.report["notes"][0]["line"] == 2
    assert Downtime.objects.get().start == at(2025, 10, 26, 0, 30)


# --- Counts ---


def test_counts_come_in_from_a_workbook(bring_in, plant):
    start = datetime(2026, 3, 2, 6)  # noqa: DTZ001 - a workbook knows no zones
    end = datetime(2026, 3, 2, 14)  # noqa: DTZ001
    run = bring_in(
        "counts", [["Line", "Start", "End", "Total", "Rejects", "Rate"], ["L1", start, end, 1000, 20, 150.0]]
    )
    assert run.counts["accepted"] == 1
    count = Count.objects.get()
    assert (count.asset, count.start, count.end) == (plant.line, at(2026, 3, 2, 5), at(2026, 3, 2, 13))
    assert (count.good, count.scrap, count.ideal_cycle) == (980, 20, 24)


def test_counts_that_do_not_add_up_are_refused(bring_in):
    run = bring_in(
        "counts",
        "line,start,minutes,total,scrap,ideal cycle\nL1,2026-03-02 06:00,480,10,20,24\nL1,2026-03-03 06:00,,10,1,24\n"
        "L1,2026-03-04 06:00,480,-5,0,24\n",
    )
    assert {(line, column) for line, column, _ in reasons(run)} == {(2, "total"), (3, ""), (4, "total")}
    assert Count.objects.count() == 0


# --- Orders ---


def test_orders_come_in_closed_with_their_cost(bring_in, plant):
    run = bring_in(
        "work-orders",
        "Order;Machine;Short text;Type;Raised;Finished;Cost\n"
        "4711;M1;Belt torn;PM01;02.03.2026 08:00;02.03.2026 10:30;1.183,05\n"
        "4712;M2;Greased;PM02;03.03.2026;;12\n",
        date_format="dmy.",
        value_map={"kind": {"PM01": "corrective", "PM02": "preventive"}},
    )
    assert run.counts["accepted"] == 2
    belt, grease = WorkOrder.objects.order_by("number")
    assert (belt.number, belt.asset, belt.kind, belt.state) == (1, plant.filler, "corrective", "closed")
    assert (belt.reported_at, belt.completed_at, belt.started_at) == (at(2026, 3, 2, 7), at(2026, 3, 2, 9, 30), None)
    assert (belt.external_id, belt.source, belt.closed_at) == ("4711", "import", belt.completed_at)
    assert (grease.kind, grease.completed_at, grease.closed_at) == ("preventive", None, grease.reported_at)
    assert list(Cost.objects.order_by("amount").values_list("source", "amount")) == [
        ("undivided", Decimal("12")), ("undivided", Decimal("1183.05")),
    ]  # fmt: skip
    assert Failure.objects.count() == 0


def test_a_value_without_a_meaning_is_refused_with_the_choices(bring_in):
    run = bring_in("work-orders", "asset,summary,date,type\nM1,x,2026-03-02,PM09\n")
    (line, column, reason) = reasons(run)[0]
    assert (line, column) == (2, "type")
    assert reason.startswith("not one of Corrective, Preventive")


def test_ambiguous_days_are_refused_until_somebody_says_how_they_are_written(bring_in):
    table = "asset,summary,date\nM1,x,03/04/2026\n"
    with pytest.raises(MappingProblem, match="03/04/2026") as problem:
        bring_in("work-orders", table)
    assert problem.value.field == "date_format"
    assert WorkOrder.objects.count() == 0
    bring_in("work-orders", table, date_format="mdy/")
    assert WorkOrder.objects.get().reported_at == at(2026, 3, 3, 23)


def test_a_dry_run_says_the_same_and_keeps_nothing(bring_in):
    table = "asset,summary,date,cost\nM1,x,2026-03-02,5\nQ1,y,2026-03-02,\n"
    run = bring_in("work-orders", table, dry_run=True, options=["create_assets", "failures"])
    assert (run.state, run.counts["accepted"], run.created) == (ImportState.CHECKED, 2, {})
    assert (WorkOrder.objects.count(), Cost.objects.count(), Failure.objects.count()) == (0, 0, 0)
    assert not Asset.objects.filter(code="Q1").exists()
    assert not Event.objects.filter(verb__startswith="work_order").exists()


def test_who_may_not_do_it_by_hand_may_not_import_it(bring_in, plant):
    for person in (plant.technician, plant.requester, plant.manager, plant.stranger):
        with pytest.raises(NotAllowed):
            bring_in("work-orders", "asset,summary,date\nM1,x,2026-03-02\n", by=person)
    assert (WorkOrder.objects.count(), ImportRun.objects.count()) == (0, 0)


def test_an_asset_of_another_site_is_unknown_here(bring_in):
    run = bring_in("work-orders", "asset,summary,date\nX1,x,2026-03-02\n")
    assert reasons(run) == [(2, "asset", "the site has no asset with this code")]
