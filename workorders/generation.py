"""Preventive orders from due occurrences: many at once, each exactly once.

The work goes in chunks of plan-asset pairs. A chunk is one transaction under the locks of its pairs, so a process
that is killed leaves whole chunks behind and the next run goes on; two runs at once skip each other's pairs.
A run in which nothing is due asks one index.

What happens to the occurrences of one pair:

- those overdue: the newest becomes an order, the older ones are *missed*, because one job makes good for all;
- those within the lead time: an order each, or, where the plan wants no second order, only the next one;
- while an order is open and the plan wants no second one, occurrences wait until they are overdue, then are *missed*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, models, transaction
from django.db.models.expressions import DatabaseDefault
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Criticality
from core.events import announce, label_of
from core.models import Site
from core.runs import job_run
from people.permissions import require
from workorders import ball
from workorders.forecast import HAS_OPEN_ORDER, Course, Outlook, Progress, extend, look_ahead, withdraw
from workorders.models import NumberSeries, PlanAsset, PreventivePlan, Step, WorkOrder
from workorders.models.plan import StepTemplate
from workorders.priority import judge
from workorders.states import OPEN_STATES, Kind, State

CHUNK = 2_000  # pairs per transaction: about a second, during which the site's next order number waits
RAISED = "work_order.raised"
NOTHING_DUE = "nothing was due"
JOB = "workorders.generate_preventive"  # the name of its runs


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did."""

    orders: int = 0
    missed: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.orders + other.orders, self.missed + other.missed)

    def __str__(self) -> str:
        if not (self.orders or self.missed):
            return NOTHING_DUE
        orders = ngettext("%(n)d order generated", "%(n)d orders generated", self.orders) % {"n": self.orders}
        if not self.missed:
            return orders
        missed = ngettext("%(n)d occurrence missed", "%(n)d occurrences missed", self.missed)
        return f"{orders}, {missed % {'n': self.missed}}"


@dataclass(frozen=True, slots=True)
class Scope:
    """For which site, or which of its plans, and when.

    `until` asks for the orders of everything due by then, however short the lead time.
    """

    site_id: int
    now: datetime
    until: datetime
    plan_id: int | None = None
    by_id: int | None = None

    @property
    def look_until(self) -> datetime:
        return max(self.now, self.until)


def sites_with_work(now: datetime | None = None) -> list[int]:
    """Ids of the sites where an occurrence is ready to become an order."""
    ready = PlanAsset.objects.filter(ready_at__lte=now or timezone.now())
    return sorted(ready.values_list("plan__site_id", flat=True).distinct())


def run(
    site: Site,
    *,
    plan: PreventivePlan | None = None,
    until: datetime | None = None,
    by=None,
    chunk: int = CHUNK,
) -> Outcome:
    """`generate` for a site or one of its plans, by schedule (`by=None`) or because a planner asks; leaves a JobRun."""
    require(by, "plan", site)
    with job_run(JOB, site=site, by=by) as record:
        outcome = generate(site=site, plan=plan, until=until, by=by, chunk=chunk)
        record.rows = outcome.orders
        record.fact = f"{plan.name}: {outcome}"[:300] if plan else str(outcome)
    return outcome


def generate(
    *,
    site: Site | int | None = None,
    plan: PreventivePlan | None = None,
    now: datetime | None = None,
    until: datetime | None = None,
    by=None,
    chunk: int = CHUNK,
) -> Outcome:
    """Raise the orders that are ready at `now` (or due by `until`), for one plan, one site or all of them."""
    now = now or timezone.now()
    look_until = max(now, until or now)
    site_ids = [plan.site_id] if plan else [getattr(site, "pk", site)] if site else sites_with_work(look_until)
    total = Outcome()
    for site_id in site_ids:
        scope = Scope(site_id, now, until or now, plan.pk if plan else None, by.pk if by else None)
        position: tuple[datetime, int] | None = None
        work_left = _is_ready(scope)
        while work_left:
            outcome, position = _generate_chunk(scope, position, chunk)
            total += outcome
            work_left = position is not None
    return total


def _is_ready(scope: Scope) -> bool:
    """Whether anything is to be looked at; costs one index probe."""
    pairs = PlanAsset.objects.filter(ready_at__lte=scope.look_until, plan__site_id=scope.site_id)
    return (pairs.filter(plan_id=scope.plan_id) if scope.plan_id else pairs).exists()


@transaction.atomic
def _generate_chunk(
    scope: Scope, position: tuple[datetime, int] | None, size: int
) -> tuple[Outcome, tuple[datetime, int] | None]:
    """Look at the next pairs behind `position`; the new position is None when these were the last."""
    # The series first, then pairs: an order's completion takes a pair and may then take a number.
    NumberSeries.objects.get_or_create(site_id=scope.site_id)
    last_number = NumberSeries.objects.select_for_update().get(site_id=scope.site_id).last
    claimed = _claim(scope, position, size)
    if not claimed:
        return Outcome(), None
    plans = PreventivePlan.objects.select_related("site").in_bulk({pair.plan_id for pair, _ready, _stopped in claimed})
    courses = {plan.pk: Course.of(plan) for plan in plans.values()}
    running = [pair for pair, _ready_at, stopped in claimed if not stopped]
    withdraw([pair.id for pair, _ready_at, stopped in claimed if stopped], scope.now)
    extend(((pair, courses[pair.plan_id]) for pair in running), Outlook(scope.now, scope.until))
    outcome = _raise_orders(scope, [pair.id for pair in running], last_number)
    NumberSeries.objects.filter(site_id=scope.site_id).update(last=last_number + outcome.orders)
    look_ahead([pair.id for pair, _ready_at, _stopped in claimed])
    last_pair, last_ready_at, _stopped = claimed[-1]
    return outcome, (last_ready_at, last_pair.id) if len(claimed) == size else None


def _claim(scope: Scope, position: tuple[datetime, int] | None, size: int) -> list[tuple[Progress, datetime, bool]]:
    """Lock the next pairs to look at: their progress, when they were to be looked at, whether the asset is gone.

    Pairs that another run or a completion holds are left to it. Going on behind `position` looks at no pair twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pair.id, pair.plan_id, pair.asset_id, pair.next_sequence, pair.planned_to, pair.ready_at,
                   asset.archived_at IS NOT NULL OR coalesce(asset.retired <= greatest(%(now)s, pair.next_due), false)
            FROM workorders_planasset pair
            JOIN workorders_preventiveplan plan ON plan.id = pair.plan_id
            JOIN assets_asset asset ON asset.id = pair.asset_id
            WHERE pair.ready_at <= %(look_until)s
              AND (%(after_ready)s::timestamptz IS NULL
                   OR (pair.ready_at, pair.id) > (%(after_ready)s::timestamptz, %(after_id)s))
              AND plan.site_id = %(site)s AND plan.active AND (%(plan)s IS NULL OR plan.id = %(plan)s)
            ORDER BY pair.ready_at, pair.id
            LIMIT %(size)s
            FOR UPDATE OF pair SKIP LOCKED
            """,
            {
                "now": scope.now,
                "look_until": scope.look_until,
                "after_ready": position[0] if position else None,
                "after_id": position[1] if position else 0,
                "site": scope.site_id,
                "plan": scope.plan_id,
                "size": size,
            },
        )
        return [(Progress(*row[:5]), row[5], row[6]) for row in cursor.fetchall()]


def _raise_orders(scope: Scope, pair_ids: Sequence[int], last_number: int) -> Outcome:
    """Decide what becomes of the ready occurrences, and write orders, steps and events in the same statement."""
    if not pair_ids:
        return Outcome()
    parameters = {
        "pairs": list(pair_ids),
        "now": scope.now,
        "until": scope.until,
        "last_number": last_number,
        "site": scope.site_id,
        "by": scope.by_id,
        "open_states": [str(state) for state in OPEN_STATES],
        "still_open": _("The order before it was still open when it fell due."),
        "overtaken": _("No order was generated in time; a later one makes good for it."),
        "raised": RAISED,
        "order_type": label_of(WorkOrder),
        "raised_summary": _("Raised by the plan “%s”"),
    }
    order = WorkOrder(site_id=scope.site_id, kind=Kind.PREVENTIVE, state=State.APPROVED)
    order.owner = ball.planner(order, None)
    order_columns, order_values = _columns(order, _ORDER | {"priority": _priority(order)}, parameters)
    step_columns, step_values = _columns(Step(), _STEP, parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH pair AS MATERIALIZED (
                SELECT pair.plan_id, pair.asset_id, plan.open_policy = 'wait' AS waits,
                       greatest(%(now)s + make_interval(days => plan.lead_days), %(until)s) AS ready_until,
                       {HAS_OPEN_ORDER.format(pair="pair")} AS has_open
                FROM workorders_planasset pair
                JOIN workorders_preventiveplan plan ON plan.id = pair.plan_id
                WHERE pair.id = ANY(%(pairs)s)
            ), ready AS (
                SELECT occurrence.id, occurrence.due <= %(now)s AS overdue, pair.waits, pair.has_open,
                       occurrence.due = max(occurrence.due) FILTER (WHERE occurrence.due <= %(now)s) OVER each_pair
                           AS newest_overdue,
                       occurrence.due = min(occurrence.due) OVER each_pair AS earliest
                FROM pair
                JOIN workorders_planoccurrence occurrence
                  ON occurrence.plan_id = pair.plan_id AND occurrence.asset_id = pair.asset_id
                WHERE occurrence.state = 'forecast'
                  AND occurrence.due <= pair.ready_until
                WINDOW each_pair AS (PARTITION BY occurrence.plan_id, occurrence.asset_id)
            ), decided AS (
                SELECT id,
                       CASE WHEN overdue AND waits AND has_open THEN %(still_open)s
                            WHEN overdue AND NOT newest_overdue THEN %(overtaken)s END AS missed_because
                FROM ready
                WHERE overdue OR NOT waits OR (earliest AND NOT has_open)
            ), moved AS (
                UPDATE workorders_planoccurrence occurrence
                SET state = CASE WHEN missed_because IS NULL THEN 'generated' ELSE 'missed' END,
                    reason = coalesce(missed_because, '')
                FROM decided WHERE decided.id = occurrence.id
                RETURNING occurrence.id, occurrence.plan_id, occurrence.asset_id, occurrence.due, occurrence.state
            ), raised AS (
                INSERT INTO workorders_workorder ({order_columns})
                SELECT {order_values}
                FROM moved
                JOIN workorders_preventiveplan plan ON plan.id = moved.plan_id
                JOIN workorders_jobplan job_plan ON job_plan.id = plan.job_plan_id
                JOIN assets_asset asset ON asset.id = moved.asset_id
                WHERE moved.state = 'generated'
                RETURNING id, job_plan_id, occurrence_id
            ), stepped AS (
                INSERT INTO workorders_step ({step_columns})
                SELECT {step_values}
                FROM raised JOIN workorders_jobplanstep template ON template.job_plan_id = raised.job_plan_id
            ), told AS (
                INSERT INTO core_event (site_id, actor_id, verb, object_type, object_id, summary, data, at)
                SELECT %(site)s, %(by)s, %(raised)s, %(order_type)s, raised.id,
                       left(format(%(raised_summary)s, plan.name), 300),
                       jsonb_build_object('to', 'approved', 'kind', 'preventive', 'asset', occurrence.asset_id,
                                          'plan', plan.id, 'occurrence', occurrence.id), %(now)s
                FROM raised  -- joined by key: the planner knows no sizes of the parts above
                JOIN workorders_planoccurrence occurrence ON occurrence.id = raised.occurrence_id
                JOIN workorders_preventiveplan plan ON plan.id = occurrence.plan_id
                RETURNING id
            )
            SELECT (SELECT count(*) FROM raised), (SELECT count(*) FROM moved WHERE state = 'missed'),
                   (SELECT array_agg(id) FROM told)
            """,
            parameters,
        )
        orders, missed, event_ids = cursor.fetchone()
    announce(RAISED, event_ids or [])
    return Outcome(orders, missed)


# What each column of a generated order is taken from; the others keep the model's defaults.
_ORDER = {
    "site_id": "plan.site_id",
    "number": "%(last_number)s + row_number() OVER (ORDER BY moved.due, moved.id)",
    "asset_id": "moved.asset_id",
    "summary": "job_plan.title",
    "description": "job_plan.description",
    "due_from": "moved.due - make_interval(days => plan.lead_days)",
    "due_to": "moved.due",
    "estimate_minutes": "job_plan.estimate_minutes",
    "job_plan_id": "job_plan.id",
    "occurrence_id": "moved.id",
    "reported_at": "%(now)s",
    "created": "%(now)s",
    "state_since": "%(now)s",
}
_STEP = {"order_id": "raised.id"} | {
    field.column: f"template.{field.column}" for field in StepTemplate._meta.local_concrete_fields
}


def _priority(order: WorkOrder) -> str:
    """The priority by the asset's criticality, as one CASE for all orders."""
    priorities = {
        str(criticality): judge(
            criticality=criticality, consequence=order.consequence, likelihood=order.likelihood
        ).priority.value
        for criticality in Criticality
    }
    cases = " ".join(f"WHEN '{criticality}' THEN {priority}" for criticality, priority in priorities.items())
    return f"CASE asset.criticality {cases} END"


def _columns(template: models.Model, sources: dict[str, str], parameters: dict) -> tuple[str, str]:
    """Column names and their values for INSERT … SELECT; fields without a source get the template's values."""
    names, values = [], []
    for field in template._meta.local_concrete_fields:
        source, value = sources.get(field.column), field.value_from_object(template)
        if field.primary_key or (source is None and isinstance(value, DatabaseDefault)):
            continue
        if source is None:
            parameter = f"{template._meta.model_name}_{field.column}"
            parameters[parameter] = field.get_db_prep_save(value, connection)
            source = f"%({parameter})s"
        names.append(f'"{field.column}"')
        values.append(source)
    return ", ".join(names), ", ".join(values)
