"""Every state × verb × role: allowed exactly when the life cycle says so, and a refusal changes nothing."""

import pytest
from django.conf import settings
from django.db import transaction

from core.errors import Conflict, NotAllowed
from core.events import history
from core.models import Event
from people.models import User
from tests.workorders.orders import EVERY_INPUT, order
from workorders import lifecycle
from workorders.lifecycle import MOVES, STATES
from workorders.lifecycle_page import page
from workorders.models import WorkOrder
from workorders.states import OPEN_STATES, State

# The life cycle as the plant agreed on it, written down a second time on purpose: who may do what from where.
AGREED = {
    "approve": ({"draft"}, "approved", {"planner", "administrator"}),
    "plan": ({"approved"}, "planned", {"planner", "administrator"}),
    "schedule": ({"planned"}, "scheduled", {"planner", "administrator"}),
    "start": ({"approved", "planned", "scheduled"}, "in_progress", {"technician", "planner", "administrator"}),
    "hold": ({"in_progress"}, "on_hold", {"technician", "planner", "administrator"}),
    "resume": ({"on_hold"}, "in_progress", {"technician", "planner", "administrator"}),
    "complete": ({"in_progress"}, "completed", {"technician", "planner", "administrator"}),
    "verify": ({"completed"}, "closed", {"planner", "administrator", "requester"}),
    "send_back": ({"completed"}, "in_progress", {"planner", "administrator", "requester"}),
    "cancel": (
        {"draft", "approved", "planned", "scheduled", "in_progress", "on_hold"},
        "cancelled",
        {"planner", "administrator"},
    ),
    "reopen": ({"closed"}, "in_progress", {"planner", "administrator"}),
}
# The requester of the order reported it; the other one holds the same role and did not.
ACTORS = ["requester", "other_requester", "technician", "planner", "manager", "administrator", "stranger"]


class Undo(Exception):
    """Leaves a transaction without keeping what happened in it."""


@pytest.fixture
def people(plant):
    other = User.objects.create(username="other_requester")
    other.memberships.create(site=plant.berlin, role="requester")
    return {name: getattr(plant, name, other) for name in ACTORS}


@pytest.mark.parametrize("state", State.values)
def test_each_move_is_possible_exactly_for_those_and_from_there_where_the_table_says_so(plant, people, state):
    started_from = order(plant, state)
    for verb, (sources, target, actors) in AGREED.items():
        for name in ACTORS:
            case = f"{name}: {verb} from {state}"
            row = WorkOrder.objects.get(pk=started_from.pk)
            before = snapshot(row)
            expected = NotAllowed if name not in actors else Conflict if state not in sources else None
            assert (verb in [move.verb for move in lifecycle.moves_for(row, people[name])]) == (expected is None), case
            try:
                with transaction.atomic():
                    getattr(row, verb)(by=people[name], **EVERY_INPUT.get(verb, {}))
                    saved = WorkOrder.objects.get(pk=row.pk)
                    assert expected is None, f"{case} was allowed"
                    assert (saved.state, row.state, saved.version) == (target, target, before["version"] + 1), case
                    assert new_events(before) == [MOVES[verb].event], case
                    raise Undo
            except Undo:
                continue
            except (NotAllowed, Conflict) as error:
                assert type(error) is expected, f"{case}: {error}"
                assert error.message, case
            assert snapshot(WorkOrder.objects.get(pk=row.pk)) == before, f"{case} changed something"


def snapshot(row: WorkOrder) -> dict:
    """All that a refused move could have touched."""
    return {
        **WorkOrder.objects.filter(pk=row.pk).values().get(),
        "labour": list(row.labour.values()),
        "assignments": list(row.assignments.values()),
        "costs": list(row.costs.values()),
        "last_event": Event.objects.order_by("-pk").values_list("pk", flat=True).first(),
    }


def new_events(before: dict) -> list[str]:
    return list(
        Event.objects.filter(pk__gt=before["last_event"] or 0, object_type="workorders.workorder")
        .order_by("pk")
        .values_list("verb", flat=True)
    )


def test_the_table_holds_the_agreed_moves_and_each_state_has_a_way_on():
    assert {verb: (set(move.sources), str(move.target)) for verb, move in MOVES.items()} == {
        verb: (sources, target) for verb, (sources, target, _actors) in AGREED.items()
    }
    assert set(STATES) == set(State)
    assert len({move.noun for move in MOVES.values()}) == len(MOVES)
    assert [str(state) for state in State if not lifecycle.moves_from(state)] == ["cancelled"]
    assert all("cancel" in [move.verb for move in lifecycle.moves_from(state)] for state in OPEN_STATES)


def test_someone_of_another_site_may_do_nothing(plant):
    row = order(plant, State.DRAFT)
    assert lifecycle.moves_for(row, plant.stranger) == []


def test_a_background_job_acts_without_a_person(plant):
    row = order(plant, State.APPROVED)
    row.cancel(by=None, reason="The plan was withdrawn")
    assert (row.state, row.state_note) == ("cancelled", "The plan was withdrawn")
    assert history(row).first().actor is None


def test_the_page_about_the_life_cycle_is_what_the_table_says():
    written = (settings.BASE_DIR / "docs" / "life-cycle.md").read_text(encoding="utf-8")
    assert written == page(), "Run manage.py life_cycle --write"
