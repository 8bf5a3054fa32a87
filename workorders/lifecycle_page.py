"""docs/life-cycle.md, written from the table in `workorders.lifecycle`; a test compares the two."""

from django.utils.translation import override

from workorders.lifecycle import MOVES, STATES, Move, roles_of
from workorders.states import OPEN_STATES, State

HEAD = """# The life cycle of a work order

*Written by `manage.py life_cycle --write` from `workorders/lifecycle.py`; a test compares the two.*

An order is in one of nine states. A move leads from one to another; it is made once, even when two people press at the
same moment (the second gets a clear answer), it records one event, and it passes the ball to somebody. What does not
hold is refused with what to do about it, and nothing is changed.

"""

RAISING = """## How an order begins

Orders are raised by planners and technicians, by preventive plans, by a failed step (its follow-up) and by an accepted
request. An order is *approved* at once when a planner raises it or accepts the request, when a plan generates it, when
its priority is *Emergency*, or when it is about a machine that stands still unplanned; otherwise it is a *draft* for a
planner to approve. Priority is criticality (A 3, B 2, C 1) × consequence (1–4) × likelihood (1–4): 24 or more is
*Emergency*, 12 or more *High*, 4 or more *Medium*, less *Low*; another one needs its reason.

"""


def page() -> str:
    """The whole text."""
    with override("en"):
        return HEAD + states() + RAISING + moves() + needs() + api()


def states() -> str:
    rows = [
        (
            str(info.label),
            "yes" if state in OPEN_STATES else "no",
            info.tone,
            str(info.next_step) or "–",
        )
        for state, info in STATES.items()
    ]
    return "## States\n\n" + table(("state", "open", "tone", "whoever has the ball is to"), rows)


def moves() -> str:
    rows = [
        (
            sources(move),
            str(move.label).lower(),
            str(State(move.target).label),
            ", ".join(roles_of(move)).lower(),
            "; ".join(first_line(guard) for guard in move.guards) or "–",
            first_line(move.next),
        )
        for move in MOVES.values()
    ]
    return "## Moves\n\n" + table(("from", "verb", "to", "who", "what must hold", "who has the ball then"), rows)


def needs() -> str:
    rows = [
        (
            str(move.label).lower(),
            ", ".join(f"`{need.name}`" + (" (required)" if need.required else "") for need in move.needs) or "–",
            first_line(move.work) if move.work else "–",
        )
        for move in MOVES.values()
    ]
    return "## What a move asks for and does besides\n\n" + table(("verb", "asks for", "does besides"), rows)


def api() -> str:
    rows = [(f"`POST work-orders/{{id}}/{move.noun}/`", f"`{move.verb}`", f"`{move.event}`") for move in MOVES.values()]
    text = "Every move also takes `at`, the moment at which it happened (default: now, never in the future).\n\n"
    return "## In the API\n\n" + text + table(("request", "verb in the code", "event"), rows).rstrip("\n") + "\n"


def sources(move: Move) -> str:
    if set(move.sources) == set(OPEN_STATES):
        return "any open state"
    return ", ".join(str(State(state).label) for state in move.sources)


def first_line(function) -> str:
    return (function.__doc__ or "").strip().splitlines()[0].rstrip(".")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n\n"
