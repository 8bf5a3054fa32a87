"""The life cycle of a work order as data: states, and the moves between them.

Buttons, permissions, API actions and docs/life-cycle.md derive from these two tables; `workorders.moving` carries
a move out. To add a move: one entry here, one verb in `workorders.moving.Moves`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from people.roles import CAPABILITIES, Role
from workorders import ball, completion, guards, preparation, timekeeping
from workorders.states import OPEN_STATES, State

REQUESTER = "requester"  # not a role at the site but a relation: the one who asked for this order


@dataclass(frozen=True)
class StateInfo:
    """A state as people see it. `next_step` says what whoever has the ball is to do."""

    label: Any
    tone: str  # ok, watch, warn, stop, idle
    icon: str
    next_step: Any = ""


STATES: dict[str, StateInfo] = {
    State.DRAFT: StateInfo(State.DRAFT.label, "watch", "pencil", _("approve it, or cancel it")),
    State.APPROVED: StateInfo(State.APPROVED.label, "idle", "circle-check", _("plan the work")),
    State.PLANNED: StateInfo(State.PLANNED.label, "idle", "clipboard-list", _("schedule it")),
    State.SCHEDULED: StateInfo(State.SCHEDULED.label, "idle", "calendar-event", _("start on time")),
    State.IN_PROGRESS: StateInfo(State.IN_PROGRESS.label, "ok", "player-play", _("finish the work")),
    State.ON_HOLD: StateInfo(State.ON_HOLD.label, "warn", "player-pause", _("remove the obstacle")),
    State.COMPLETED: StateInfo(State.COMPLETED.label, "ok", "checks", _("verify the work")),
    State.CLOSED: StateInfo(State.CLOSED.label, "idle", "lock"),
    State.CANCELLED: StateInfo(State.CANCELLED.label, "idle", "ban"),
}


@dataclass(frozen=True)
class Need:
    """Something a move asks for, by the name of its form field and API field."""

    name: str
    required: bool = False


@dataclass(frozen=True)
class Move:
    """One line of the life cycle.

    `noun` is the API's sub-resource. `who` holds capabilities at the site (`people.roles`) and perhaps REQUESTER.
    `work(order, by=, at=, inputs=)` does what belongs to the move inside its transaction and answers with facts for
    the event; then every guard must hold. `next` finds the person who has the ball afterwards.
    """

    verb: str
    noun: str
    label: Any
    icon: str
    sources: tuple[str, ...]
    target: str
    who: frozenset[str]
    past: str  # for the event: "completed"
    next: Callable[..., Any]
    tone: str = ""
    needs: tuple[Need, ...] = ()
    guards: tuple[Callable[[Any], None], ...] = ()
    work: Callable[..., dict] | None = None
    hint: Any = ""

    @property
    def event(self) -> str:
        return f"work_order.{self.past}"

    def allowed_to(self, user, order) -> bool:
        """Whether this person may make the move on this order; the state is another question."""
        if any(user.can(capability, order.site_id) for capability in self.who - {REQUESTER}):
            return True
        return REQUESTER in self.who and order.reported_by_id == user.pk and user.can("report", order.site_id)


_START = (State.APPROVED, State.PLANNED, State.SCHEDULED)
_PLANNER, _TECHNICIAN, _CHECKER = frozenset({"plan"}), frozenset({"execute"}), frozenset({"plan", REQUESTER})

MOVES: Mapping[str, Move] = {
    move.verb: move
    for move in (
        Move(
            verb="approve", noun="approval", label=_("Approve"), icon="circle-check", past="approved",
            sources=(State.DRAFT,), target=State.APPROVED, who=_PLANNER, next=ball.planner,
            guards=(guards.has_priority,),
        ),
        Move(
            verb="plan", noun="plan", label=_("Plan"), icon="clipboard-list", past="planned",
            sources=(State.APPROVED,), target=State.PLANNED, who=_PLANNER, next=ball.planner,
            needs=(Need("job_plan"), Need("estimate_minutes")), work=preparation.adopt_plan,
            guards=(guards.has_steps, guards.has_estimate),
        ),
        Move(
            verb="schedule", noun="schedule", label=_("Schedule"), icon="calendar-event", past="scheduled",
            sources=(State.PLANNED,), target=State.SCHEDULED, who=_PLANNER, next=ball.first_assigned,
            needs=(Need("person"), Need("start"), Need("minutes")), work=preparation.give_to,
            guards=(guards.has_assignment,),
        ),
        Move(
            verb="start", noun="start", label=_("Start"), icon="player-play", tone="primary", past="started",
            sources=_START, target=State.IN_PROGRESS, who=_TECHNICIAN, next=ball.actor,
            work=timekeeping.begin_work, guards=(guards.asset_in_use,),
        ),
        Move(
            verb="hold", noun="hold", label=_("Hold"), icon="player-pause", past="held",
            sources=(State.IN_PROGRESS,), target=State.ON_HOLD, who=_TECHNICIAN, next=ball.planner,
            needs=(Need("reason", required=True), Need("note")), work=timekeeping.pause_work,
            guards=(guards.has_hold_reason,),
        ),
        Move(
            verb="resume", noun="resumption", label=_("Resume"), icon="player-play", tone="primary", past="resumed",
            sources=(State.ON_HOLD,), target=State.IN_PROGRESS, who=_TECHNICIAN, next=ball.actor,
            work=timekeeping.begin_work,
        ),
        Move(
            verb="complete", noun="completion", label=_("Complete"), icon="checks", tone="primary", past="completed",
            sources=(State.IN_PROGRESS,), target=State.COMPLETED, who=_TECHNICIAN, next=ball.checker,
            needs=(
                Need("was_failure"), Need("problem"), Need("cause"), Need("remedy"),
                Need("machine_runs"), Need("note"),
            ),
            work=completion.finish,
            guards=(
                guards.required_steps_answered, guards.failed_steps_decided,
                guards.has_labour, guards.failure_reported,
            ),
        ),
        Move(
            verb="verify", noun="verification", label=_("Verify"), icon="circle-check", tone="primary", past="verified",
            sources=(State.COMPLETED,), target=State.CLOSED, who=_CHECKER, next=ball.nobody,
            work=completion.close,
        ),
        Move(
            verb="send_back", noun="return", label=_("Send back"), icon="arrow-back-up", past="sent_back",
            sources=(State.COMPLETED,), target=State.IN_PROGRESS, who=_CHECKER, next=ball.last_worker,
            needs=(Need("question", required=True),), work=completion.take_up_again, guards=(guards.says_why,),
        ),
        Move(
            verb="cancel", noun="cancellation", label=_("Cancel"), icon="ban", tone="stop", past="cancelled",
            sources=tuple(OPEN_STATES), target=State.CANCELLED, who=_PLANNER, next=ball.nobody,
            needs=(Need("reason", required=True),), work=timekeeping.call_off, guards=(guards.says_why,),
            hint=_("An occurrence of a preventive plan becomes skipped, with this reason."),
        ),
        Move(
            verb="reopen", noun="reopening", label=_("Reopen"), icon="rotate", past="reopened",
            sources=(State.CLOSED,), target=State.IN_PROGRESS, who=_PLANNER, next=ball.last_worker,
            needs=(Need("reason", required=True),), work=completion.take_up_again, guards=(guards.says_why,),
        ),
    )
}  # fmt: skip

# Other modules of this app follow a move here, inside its transaction: verb → functions of the order.
AFTER: dict[str, list[Callable[[Any], None]]] = {verb: [] for verb in MOVES}


def state_of(order) -> StateInfo:
    return STATES[order.state]


def moves_from(state: str) -> list[Move]:
    """The moves that leave a state, in the order of the table."""
    return [move for move in MOVES.values() if state in move.sources]


def moves_for(order, user) -> list[Move]:
    """The moves that this person may make on this order now: its buttons."""
    return [move for move in moves_from(order.state) if move.allowed_to(user, order)]


def by_noun(noun: str) -> Move:
    """The move behind an API sub-resource."""
    return next(move for move in MOVES.values() if move.noun == noun)


def roles_of(move: Move) -> list[str]:
    """Who may make the move, in words: roles at the site, then the requester."""
    roles = [str(role.label) for role in Role if CAPABILITIES[role] & move.who]
    return [*roles, "the requester of the order"] if REQUESTER in move.who else roles
