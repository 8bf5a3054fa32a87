"""What lies ahead of a plan: occurrences as rows, and the moment at which the generator looks next.

Everything here works on many `PlanAsset` rows at once, whose locks the caller holds.
"""

import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _

from workorders.models import PlanOccurrence, PreventivePlan
from workorders.recurrence import Trigger, due_after, dues_until, interval_at
from workorders.states import OPEN_STATES

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Course:
    """How a plan runs, read once for all its assets."""

    trigger: Trigger
    zone: ZoneInfo
    lead: timedelta
    horizon: timedelta

    @classmethod
    def of(cls, plan: PreventivePlan, trigger: Trigger | None = None) -> "Course":
        """The plan's course, or the one that another trigger would give it."""
        lead, horizon = timedelta(days=plan.lead_days), timedelta(days=plan.horizon_days)
        return cls(trigger or plan.trigger, plan.site.zone, lead, horizon)


@dataclass(slots=True)
class Progress:
    """How far one plan has got for one asset: the fields of `PlanAsset` that a forecast moves on."""

    id: int
    plan_id: int
    asset_id: int
    next_sequence: int
    planned_to: datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    plan_id: int
    asset_id: int
    sequence: int
    due: datetime
    interval_days: float


class Outlook:
    """Due moments behind a moment, up to `now` plus the horizon; asked once per rule, not once per asset."""

    def __init__(self, now: datetime, until: datetime | None = None):
        self.now, self.until = now, until or now
        self._found: dict[tuple[Course, datetime], list[tuple[datetime, float]]] = {}

    def behind(self, course: Course, after: datetime) -> list[tuple[datetime, float]]:
        """(due, interval in days) in `(after, now + horizon]`, and one beyond what is ready for generation."""
        key = (course, after)
        if (found := self._found.get(key)) is None:
            found = self._found[key] = [
                (due, interval_at(course.trigger, course.zone, due).total_seconds() / SECONDS_PER_DAY)
                for due in self._dues(course, after)
            ]
        return found

    def _dues(self, course: Course, after: datetime) -> list[datetime]:
        ready = max(self.now + course.lead, self.until)
        dues = dues_until(course.trigger, course.zone, after=after, until=max(self.now + course.horizon, ready))
        if (dues[-1] if dues else after) <= ready:
            beyond = due_after(course.trigger, course.zone, dues[-1] if dues else after)
            dues += [beyond] if beyond is not None else []
        return dues


def extend(
    pairs: Iterable[tuple[Progress, Course]],
    outlook: Outlook,
    *,
    without: Collection[tuple[int, datetime]] = (),
) -> None:
    """Write the occurrences that follow `planned_to` and note how far that went; floating plans follow completion.

    `without` names (asset id, due) that have a row already.
    """
    rows, moved = [], []
    for pair, course in pairs:
        if course.trigger.floating or pair.planned_to is None:
            continue
        if found := outlook.behind(course, pair.planned_to):
            for due, interval_days in found:
                if (pair.asset_id, due) in without:
                    continue
                rows.append(Row(pair.plan_id, pair.asset_id, pair.next_sequence, due, interval_days))
                pair.next_sequence += 1
            pair.planned_to = found[-1][0]
            moved.append(pair)
    write(rows)
    note(moved)


def write(rows: Sequence[Row]) -> None:
    """Insert forecast occurrences by COPY."""
    if not rows:
        return
    columns = ("plan_id", "asset_id", "sequence", "due", "interval_days", "state", "reason")
    lines = io.StringIO(
        "".join(
            f"{row.plan_id}\t{row.asset_id}\t{row.sequence}\t{row.due.isoformat()}\t{row.interval_days!r}\tforecast\t\n"
            for row in rows
        )
    )
    table = PlanOccurrence._meta.db_table
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", lines)


def note(pairs: Sequence[Progress]) -> None:
    """Keep how far each pair is planned."""
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE workorders_planasset pair
            SET planned_to = moved.planned_to, next_sequence = moved.next_sequence
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[]) AS moved (id, planned_to, next_sequence)
            WHERE pair.id = moved.id
            """,
            [
                [pair.id for pair in pairs],
                [pair.planned_to for pair in pairs],
                [pair.next_sequence for pair in pairs],
            ],
        )


def look_ahead(pair_ids: Sequence[int]) -> None:
    """Set each pair's next due moment from its forecast rows, and when the generator has to look at it.

    While an order is open and the plan wants no second one, that is the due moment itself: then the occurrence
    is missed, unless the order was done before.
    """
    if not pair_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH ahead AS MATERIALIZED (
                SELECT found.id,
                       make_interval(days => plan.lead_days) AS lead,
                       plan.open_policy = 'wait' AND {HAS_OPEN_ORDER.format(pair="found")} AS held,
                       (SELECT min(occurrence.due) FROM workorders_planoccurrence occurrence
                        WHERE occurrence.plan_id = found.plan_id AND occurrence.asset_id = found.asset_id
                          AND occurrence.state = 'forecast') AS due
                FROM workorders_planasset found
                JOIN workorders_preventiveplan plan ON plan.id = found.plan_id
                WHERE found.id = ANY(%(pairs)s)
            )
            UPDATE workorders_planasset pair
            SET next_due = ahead.due,
                ready_at = ahead.due - CASE WHEN ahead.held THEN interval '0' ELSE ahead.lead END
            FROM ahead
            WHERE pair.id = ahead.id AND pair.id = ANY(%(pairs)s)
            """,
            {"pairs": list(pair_ids), "open_states": [str(state) for state in OPEN_STATES]},
        )


def withdraw(pair_ids: Sequence[int], now: datetime) -> None:
    """An asset out of use needs no more preventive work; what has been generated stays.

    What lies ahead goes, what was due meanwhile is kept as skipped.
    """
    if not pair_ids:
        return
    of_pairs = """
        FROM workorders_planasset pair
        WHERE pair.id = ANY(%(pairs)s) AND occurrence.state = 'forecast'
          AND occurrence.plan_id = pair.plan_id AND occurrence.asset_id = pair.asset_id
        """
    parameters = {"pairs": list(pair_ids), "now": now, "reason": _("The asset is no longer in use.")}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE workorders_planoccurrence occurrence SET state = 'skipped', reason = %(reason)s
            {of_pairs} AND occurrence.due <= %(now)s
            """,
            parameters,
        )
        cursor.execute(
            f"DELETE FROM workorders_planoccurrence occurrence {of_pairs.replace('FROM', 'USING', 1)}", parameters
        )


# Whether an order that the plan generated for the asset is still open; wants the parameter open_states.
HAS_OPEN_ORDER = """EXISTS (
    SELECT FROM workorders_planoccurrence earlier
    JOIN workorders_workorder open_order ON open_order.occurrence_id = earlier.id
    WHERE earlier.plan_id = {pair}.plan_id AND earlier.asset_id = {pair}.asset_id
      AND earlier.state = 'generated' AND open_order.state = ANY(%(open_states)s))"""
