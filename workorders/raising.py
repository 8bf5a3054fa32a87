"""Raising orders: their numbers, their priority and their first state."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_in_use, check_moment, check_row
from assets.models import Asset, Downtime, Failure, Source
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from core.outcomes import Outcome
from people.models import User
from people.permissions import require
from workorders import ball
from workorders.locking import locked
from workorders.models import JobPlan, Step, WorkOrder
from workorders.preparation import add_steps, use_job_plan
from workorders.priority import judge_order
from workorders.states import Kind, Priority, State
from workorders.states import Outcome as StepOutcome


def take_numbers(site: Site | int, count: int = 1) -> range:
    """The next `count` order numbers of a site, never given to anybody else, even if they end up unused."""
    if count < 1:
        return range(0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO workorders_numberseries (site_id, last) VALUES (%s, %s)"
            " ON CONFLICT (site_id) DO UPDATE SET last = workorders_numberseries.last + EXCLUDED.last RETURNING last",
            [site if isinstance(site, int) else site.pk, count],
        )
        last = cursor.fetchone()[0]
    return range(last - count + 1, last + 1)


@transaction.atomic
def raise_order(
    *,
    asset: Asset,
    summary: str,
    by: User | None,
    kind: str = Kind.CORRECTIVE,
    description: str = "",
    consequence: int = 2,
    likelihood: int = 2,
    priority: int | None = None,
    priority_reason: str = "",
    due_from: datetime | None = None,
    due_to: datetime | None = None,
    estimate_minutes: int | None = None,
    job_plan: JobPlan | None = None,
    steps: Sequence[dict] = (),
    downtime: Downtime | None = None,
    failure: Failure | None = None,
    follow_up_of: WorkOrder | None = None,
    reported_by: User | None = None,
    reported_at: datetime | None = None,
    source: str = Source.OPERATOR,
    external_id: str = "",
) -> WorkOrder:
    """A new order with its number, priority and steps.

    It is approved at once when a planner raises it, when it is an emergency, or when the machine stands still;
    otherwise it is a draft that a planner approves. `priority` overrides the computed one and needs its reason.
    `steps` are dictionaries of StepTemplate's fields.
    """
    require(by, "execute", asset.site_id)
    check_in_use(asset)
    now = timezone.now()
    order = WorkOrder(
        site=asset.site,
        asset=asset,
        kind=kind,
        summary=summary.strip(),
        description=description.strip(),
        consequence=consequence,
        likelihood=likelihood,
        priority_reason=priority_reason.strip(),
        due_from=due_from,
        due_to=due_to,
        estimate_minutes=estimate_minutes or (job_plan.estimate_minutes if job_plan else None),
        downtime=downtime,
        failure=failure,
        follow_up_of=follow_up_of,
        reported_by=reported_by or by,
        reported_at=reported_at or now,
        source=source,
        external_id=external_id,
    )
    check_moment(order.reported_at, field="reported_at")
    check_facts(order)
    set_priority(order, priority)
    at_once = by is None or by.can("plan", asset.site_id) or order.priority == Priority.EMERGENCY
    stands_still = downtime is not None and downtime.end is None and not downtime.planned
    order.state = State.APPROVED if at_once or stands_still else State.DRAFT
    order.owner = ball.planner(order, by)
    order.number = take_numbers(asset.site_id)[0]
    check_row(order)
    order.save()
    if job_plan:
        use_job_plan(order, job_plan)
        order.save(update_fields=["job_plan"])
    if steps:
        add_steps(order, list(steps))
    record(
        "work_order.raised", order, by=by, site=order.site, summary=f"{order.code} {order.summary}",
        to=order.state, kind=kind, asset=asset.pk, priority=order.priority,
    )  # fmt: skip
    return order


@transaction.atomic
def raise_once(*, asset: Asset, by: User, source: str, external_id: str = "", **fields) -> Outcome:
    """As `raise_order`, for a source with names of its own: an order that it sent before is not raised again.

    What people made of that order here stays; only another asset or summary under the same name is a Conflict.
    """
    require(by, "execute", asset.site_id)
    rows = WorkOrder.objects.filter(site=asset.site_id, source=source, external_id=external_id)
    known = rows.first() if external_id else None
    if known is None:
        order = raise_order(asset=asset, by=by, source=source, external_id=external_id, **fields)
        return Outcome("created", order)
    if known.asset_id != asset.pk or known.summary != fields["summary"].strip():
        raise Conflict(
            _("%(order)s has this external id already, with another asset or summary.") % {"order": known.code},
            code="recorded_differently",
            field="external_id",
        )
    return Outcome("unchanged", known)


def set_priority(order: WorkOrder, wanted: int | None) -> None:
    """The computed priority, or the wanted one, which needs its reason when it differs."""
    computed = judge_order(order).priority
    order.priority = computed if wanted is None else wanted
    if order.priority == computed:
        order.priority_reason = ""
    elif not order.priority_reason:
        raise Refused(
            _("The computed priority is “%(priority)s”; say why this one differs.") % {"priority": computed.label},
            code="priority_reason",
            field="priority_reason",
        )


def check_facts(order: WorkOrder) -> None:
    """What must hold between an order and what it refers to."""
    if not order.summary:
        raise Refused(_("Say in a few words what is to be done."), code="summary_missing", field="summary")
    for name in ("consequence", "likelihood"):
        if getattr(order, name) not in (1, 2, 3, 4):
            raise Refused(_("Choose 1 to 4."), code="out_of_range", field=name)
    for name in ("due_from", "due_to"):
        moment = getattr(order, name)
        if moment is not None and timezone.is_naive(moment):
            raise Refused(_("Give the time with its offset from UTC."), code="naive_time", field=name)
    if order.due_from and order.due_to and order.due_to < order.due_from:
        raise Refused(_("The due window ends before it begins."), code="due_window", field="due_to")
    if order.downtime_id and not _on_same_branch(order.downtime.asset, order.asset):
        raise Refused(_("This stop belongs to another asset."), code="stop_of_other_asset", field="downtime")
    if order.failure_id and not _on_same_branch(order.failure.asset, order.asset):
        raise Refused(_("This failure belongs to another asset."), code="failure_of_other_asset", field="failure")


def _on_same_branch(one: Asset, other: Asset) -> bool:
    """Whether one asset is the other, or stands above or below it."""
    return one.site_id == other.site_id and (one.path.startswith(other.path) or other.path.startswith(one.path))


# --- Follow-up of a failed step -------------------------------------------------------------------------


@transaction.atomic
def raise_follow_up(step: Step, *, by: User, summary: str = "") -> WorkOrder:
    """The corrective order that a failed step proposes."""
    order, step = _failed(step, by)
    follow_up = raise_order(
        asset=order.asset,
        summary=(summary.strip() or proposed_summary(step))[:200],
        by=by,
        kind=Kind.CORRECTIVE,
        description=_("Found by step %(position)d of %(order)s.") % {"position": step.position, "order": order.code},
        follow_up_of=order,
    )
    step.follow_up, step.no_follow_up = follow_up, ""
    step.save(update_fields=["follow_up", "no_follow_up"])
    return follow_up


@transaction.atomic
def decline_follow_up(step: Step, *, by: User, why: str) -> Step:
    """A failed step needs no follow-up order, and why: for example because it was put right at once."""
    order, step = _failed(step, by)
    why = why.strip()
    if not why:
        raise Refused(_("Say why no follow-up is needed."), code="reason_missing", field="why")
    step.no_follow_up = why[:200]
    step.save(update_fields=["no_follow_up"])
    record(
        "work_order.follow_up_declined", order, by=by, site=order.site,
        summary=f"{order.code}: no follow-up for step {step.position}: {why}", step=step.pk, why=why,
    )  # fmt: skip
    return step


def proposed_summary(step: Step) -> str:
    """What the follow-up order of a failed step would be called."""
    found = f" ({step.number.normalize():f} {step.unit})".replace(" )", ")") if step.number is not None else ""
    return _("Put right: %(step)s%(found)s") % {"step": step.text, "found": found}


def _failed(step: Step, by: User) -> tuple[WorkOrder, Step]:
    require(by, "execute", step.order.site_id)
    order = locked(step.order)
    step = Step.objects.select_for_update().get(pk=step.pk)
    if step.outcome != StepOutcome.FAIL:
        raise Refused(_("Only a failed step asks for a follow-up."), code="step_not_failed")
    if step.follow_up_id:
        raise Conflict(_("Its follow-up is %(order)s already.") % {"order": step.follow_up}, code="follow_up_raised")
    if order.state not in (State.IN_PROGRESS, State.ON_HOLD):
        raise Conflict(_("%(order)s is no longer in progress.") % {"order": order.code}, code="wrong_state")
    return order, step
