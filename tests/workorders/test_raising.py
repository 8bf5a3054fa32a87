"""Orders get their number once, their priority by arithmetic and their first state by rule."""

import threading

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from assets.models import Downtime
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from tests.workorders.orders import order, step
from workorders.editing import add_step, edit, remove_step, write_steps
from workorders.models import WorkOrder
from workorders.priority import judge
from workorders.raising import decline_follow_up, raise_follow_up, raise_order, take_numbers
from workorders.states import State


@pytest.mark.parametrize(
    ("criticality", "consequence", "likelihood", "priority", "score"),
    [
        ("A", 4, 4, 1, 48),
        ("A", 2, 4, 1, 24),
        ("A", 2, 2, 2, 12),
        ("A", 1, 1, 4, 3),
        ("B", 3, 4, 1, 24),
        ("B", 2, 3, 2, 12),
        ("B", 2, 2, 3, 8),
        ("C", 4, 4, 2, 16),
        ("C", 2, 2, 3, 4),
        ("C", 1, 3, 4, 3),
    ],
)
def test_priority_follows_criticality_consequence_and_likelihood(criticality, consequence, likelihood, priority, score):
    judged = judge(criticality=criticality, consequence=consequence, likelihood=likelihood)
    assert (judged.priority, judged.score) == (priority, score)


def test_the_priority_says_how_it_came_about():
    assert judge(criticality="A", consequence=3, likelihood=4).sentence == (
        "Emergency: criticality A (3) × 3, the line stops × 4, it has happened already or will today = 36 of 48"
    )


def test_an_order_gets_the_computed_priority_and_the_next_number(plant):
    first = raise_order(asset=plant.filler, summary=" Leak at the valve ", by=plant.planner)
    second = raise_order(asset=plant.labeller, summary="Labels are crooked", by=plant.planner)
    foreign = raise_order(asset=plant.foreign, summary="Leak", by=plant.stranger)
    assert [first.number, second.number, foreign.number] == [1, 2, 1]
    assert [first.priority, second.priority] == [2, 3]
    assert (first.summary, first.site, first.owner) == ("Leak at the valve", plant.berlin, plant.planner)
    assert [event.verb for event in history(first)] == ["work_order.raised"]


def test_an_override_keeps_its_reason_and_one_without_is_refused(plant):
    with pytest.raises(Refused) as caught:
        raise_order(asset=plant.filler, summary="Leak", by=plant.planner, priority=1)
    assert (caught.value.code, caught.value.field) == ("priority_reason", "priority_reason")
    assert WorkOrder.objects.count() == 0
    made = raise_order(
        asset=plant.filler, summary="Leak", by=plant.planner, priority=1, priority_reason="Audit tomorrow"
    )
    assert (made.priority, made.priority_reason) == (1, "Audit tomorrow")


def test_a_technician_raises_a_draft_but_an_emergency_or_a_standing_machine_is_approved_at_once(plant):
    noise = raise_order(asset=plant.filler, summary="Noise", by=plant.technician)
    emergency = raise_order(asset=plant.filler, summary="Smoke", by=plant.technician, consequence=4, likelihood=4)
    stop = Downtime.objects.create(asset=plant.filler, start=timezone.now())
    standing = raise_order(asset=plant.filler, summary="It stopped", by=plant.technician, downtime=stop)
    assert [noise.state, emergency.state, standing.state] == ["draft", "approved", "approved"]


@pytest.mark.parametrize("name", ["requester", "manager", "stranger"])
def test_only_those_who_do_work_at_the_site_raise_orders(plant, name):
    with pytest.raises(NotAllowed):
        raise_order(asset=plant.filler, summary="Noise", by=getattr(plant, name))
    assert WorkOrder.objects.count() == 0
    assert list(take_numbers(plant.berlin)) == [1]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"summary": "  "}, "summary_missing"),
        ({"summary": "x" * 201}, "max_length"),
        ({"consequence": 5}, "out_of_range"),
        ({"kind": "magic"}, "invalid_choice"),
    ],
)
def test_a_bad_order_is_refused_and_leaves_nothing_behind(plant, fields, code):
    with pytest.raises(Refused) as caught:
        raise_order(**{"asset": plant.filler, "summary": "Noise", "by": plant.planner, **fields})
    assert caught.value.code == code
    assert WorkOrder.objects.count() == 0


def test_a_stop_of_another_asset_is_refused(plant):
    stop = Downtime.objects.create(asset=plant.labeller, start=timezone.now())
    with pytest.raises(Refused, match="another asset"):
        raise_order(asset=plant.filler, summary="Noise", by=plant.planner, downtime=stop)


def test_numbers_in_bulk_are_consecutive_and_go_on_from_there(plant):
    assert list(take_numbers(plant.berlin, 3)) == [1, 2, 3]
    assert list(take_numbers(plant.berlin, 0)) == []
    assert list(take_numbers(plant.berlin)) == [4]


@pytest.mark.django_db(transaction=True)
def test_twelve_people_who_raise_orders_at_once_get_twelve_numbers(plant):
    made, lock = [], threading.Lock()
    begin = threading.Barrier(12)

    def raise_one():
        begin.wait(timeout=30)
        try:
            number = raise_order(asset=plant.filler, summary="Leak", by=plant.planner).number
            with lock:
                made.append(number)
        finally:
            connection.close()

    run([raise_one] * 12)
    assert sorted(made) == list(range(1, 13))


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_press_at_the_same_moment_the_second_gets_a_clear_answer(plant):
    row = order(plant, State.IN_PROGRESS)
    outcomes, lock = [], threading.Lock()
    begin = threading.Barrier(2)

    def complete():
        mine = WorkOrder.objects.get(pk=row.pk)
        begin.wait(timeout=30)
        try:
            mine.complete(by=plant.technician, was_failure=True)
            outcome = "done"
        except Conflict as error:
            outcome = error.message
        finally:
            connection.close()
        with lock:
            outcomes.append(outcome)

    run([complete, complete])
    outcomes.sort(key=lambda outcome: outcome != "done")
    assert outcomes[0] == "done"
    assert outcomes[1].startswith("#1 was changed in the meantime: it is completed (Technician, ")
    assert outcomes[1].endswith("Nothing was done twice.")
    row.refresh_from_db()
    assert (row.state, row.version) == ("completed", 2)
    assert [event.verb for event in history(row)] == ["work_order.completed"]
    assert plant.filler.failures.count() == 1
    assert row.costs.count() == 1


def run(functions) -> None:
    close_old_connections()
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)


# --- Editing ----------------------------------------------------------------------------------------


def test_an_edit_keeps_what_was_changed_and_computes_the_priority_again(plant):
    made = raise_order(asset=plant.labeller, summary="Leak", by=plant.planner)
    edited = edit(made, {"summary": "Leak at the valve", "asset": plant.filler}, by=plant.planner, version=1)
    assert (edited.summary, edited.priority, edited.version) == ("Leak at the valve", 2, 2)
    assert history(made).first().data["changes"] == {
        "summary": ["Leak", "Leak at the valve"],
        "asset": [plant.labeller.pk, plant.filler.pk],
        "priority": [3, 2],
    }


def test_an_overridden_priority_stays_until_its_reason_is_taken_back(plant):
    made = raise_order(asset=plant.filler, summary="Leak", by=plant.planner, priority=4, priority_reason="Spare line")
    edited = edit(made, {"summary": "Drip"}, by=plant.planner)
    assert (edited.priority, edited.priority_reason) == (4, "Spare line")
    edited = edit(edited, {"priority_reason": ""}, by=plant.planner)
    assert (edited.priority, edited.priority_reason) == (2, "")


def test_an_edit_of_an_outdated_copy_is_refused(plant):
    made = raise_order(asset=plant.filler, summary="Leak", by=plant.planner)
    edit(made, {"summary": "Drip"}, by=plant.administrator)
    with pytest.raises(Conflict):
        edit(made, {"summary": "Flood"}, by=plant.planner, version=1)
    made.refresh_from_db()
    assert made.summary == "Drip"


def test_an_edit_that_changes_nothing_leaves_no_trace(plant):
    made = raise_order(asset=plant.filler, summary="Leak", by=plant.planner)
    assert edit(made, {"summary": "Leak"}, by=plant.planner).version == 1
    assert history(made).count() == 1


def test_a_technician_edits_his_own_draft_only(plant):
    mine = raise_order(asset=plant.filler, summary="Noise", by=plant.technician)
    assert edit(mine, {"summary": "Loud noise"}, by=plant.technician).summary == "Loud noise"
    mine.refresh_from_db()
    mine.approve(by=plant.planner)
    with pytest.raises(NotAllowed):
        edit(mine, {"summary": "Silence"}, by=plant.technician)
    with pytest.raises(NotAllowed):
        edit(mine, {"summary": "Silence"}, by=plant.stranger)
    mine.refresh_from_db()
    assert mine.summary == "Loud noise"


def test_a_finished_order_is_edited_no_more(plant):
    row = order(plant, State.CLOSED)
    with pytest.raises(Conflict):
        edit(row, {"summary": "History"}, by=plant.planner)
    row.refresh_from_db()
    assert row.summary == "Replace the bearing"


def test_the_asset_stays_once_work_has_begun_and_never_crosses_the_site(plant):
    for state, asset, code in (
        (State.IN_PROGRESS, plant.labeller, "work_begun"),
        (State.DRAFT, plant.foreign, "unknown_asset"),
    ):
        row = order(plant, state)
        with pytest.raises(Refused) as caught:
            edit(row, {"asset": asset}, by=plant.planner)
        assert caught.value.code == code
        row.refresh_from_db()
        assert row.asset == plant.filler


def test_steps_are_written_until_work_begins_and_added_afterwards(plant):
    row = order(plant, State.APPROVED)
    write_steps(row, [{"text": "Lock out"}, {"text": "Measure", "kind": "number", "unit": "mm"}], by=plant.planner)
    assert list(row.steps.values_list("position", "text")) == [(1, "Lock out"), (2, "Measure")]
    remove_step(row.steps.first(), by=plant.planner)
    row.start(by=plant.technician)
    add_step(row, {"text": "Clean up"}, by=plant.planner)
    assert list(row.steps.values_list("text", flat=True)) == ["Measure", "Clean up"]
    last = row.steps.first()
    for refused in (lambda: write_steps(row, [], by=plant.planner), lambda: remove_step(last, by=plant.planner)):
        with pytest.raises(Conflict):
            refused()
    assert row.steps.count() == 2


# --- Follow-ups ------------------------------------------------------------------------------------


def test_a_failed_step_is_decided_before_the_order_is_completed(plant):
    row = order(plant, State.IN_PROGRESS)
    failed = step(row, text="Belt tension", kind="pass", outcome="fail")
    with pytest.raises(Refused) as caught:
        row.complete(by=plant.technician, was_failure=False)
    assert caught.value.code == "follow_up_undecided"
    follow_up = raise_follow_up(failed, by=plant.technician)
    assert (follow_up.summary, follow_up.follow_up_of, follow_up.state) == ("Put right: Belt tension", row, "draft")
    with pytest.raises(Conflict, match="already"):
        raise_follow_up(failed, by=plant.technician)
    assert row.follow_ups.count() == 1
    row.complete(by=plant.technician, was_failure=False)
    assert row.state == "completed"


def test_a_failed_step_needs_no_follow_up_when_somebody_says_why(plant):
    row = order(plant, State.IN_PROGRESS)
    failed = step(row, kind="pass", outcome="fail")
    with pytest.raises(Refused, match="Say why"):
        decline_follow_up(failed, by=plant.technician, why=" ")
    decline_follow_up(failed, by=plant.technician, why="Put right at once")
    failed.refresh_from_db()
    assert failed.no_follow_up == "Put right at once"
    row.complete(by=plant.technician, was_failure=False)
    assert (row.state, row.follow_ups.count()) == ("completed", 0)


def test_a_step_that_did_not_fail_has_no_follow_up(plant):
    row = order(plant, State.IN_PROGRESS)
    with pytest.raises(Refused):
        raise_follow_up(row.steps.first(), by=plant.technician)
    assert WorkOrder.objects.count() == 1
