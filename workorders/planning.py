"""Preventive plans: make and change them, skip an occurrence, and follow the fate of the orders they raised.

Whoever changes occurrences of a plan for an asset holds the lock of its `PlanAsset` row first.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_row
from assets.models import Asset
from core.changes import apply
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from people.permissions import require
from workorders.forecast import (
    SECONDS_PER_DAY,
    Course,
    Outlook,
    Progress,
    Row,
    extend,
    look_ahead,
    note,
    withdraw,
    write,
)
from workorders.models import OccurrenceState, PlanAsset, PlanOccurrence, PreventivePlan, WorkOrder
from workorders.recurrence import Trigger, TriggerError, due_after_completion, first_due, interval_at

MOST_AHEAD = 250_000  # forecast rows of one plan, about ten seconds of writing

# Changing one of these changes what lies ahead.
_COURSE = {
    "basis", "start", "due_time", "every", "unit", "weekdays", "nth", "last_day_of_month", "rule",
    "lead_days", "horizon_days", "open_policy", "active",
}  # fmt: skip


# --- Plans -------------------------------------------------------------------------------------


@transaction.atomic
def create_plan(
    site: Site, *, by, assets: Iterable[Asset], now: datetime | None = None, **fields: Any
) -> PreventivePlan:
    """A plan that takes effect today: what its rule named before is not made up for."""
    require(by, "edit", site)
    plan = PreventivePlan(site=site, **fields)
    assets = list(dict.fromkeys(assets))
    _check(plan, assets)
    plan.save()
    PlanAsset.objects.bulk_create(PlanAsset(plan=plan, asset=asset) for asset in assets)
    record("preventive_plan.created", plan, by=by, site=site, summary=_("Planned “%s”") % plan.name)
    replan(plan, now=now)
    return plan


@transaction.atomic
def change_plan(
    plan: PreventivePlan, *, by, assets: Iterable[Asset] | None = None, now: datetime | None = None, **fields: Any
) -> PreventivePlan:
    """Change a plan; only the forecast follows. What was generated, done, missed or skipped stays as it is."""
    require(by, "edit", plan.site_id)
    pairs = _locked(PlanAsset.objects.filter(plan=plan))
    plan = PreventivePlan.objects.select_related("site", "job_plan").get(pk=plan.pk)
    changed: dict[str, Any] = apply(plan, fields)
    present = {pair.asset_id for pair in pairs}
    wanted = list(dict.fromkeys(assets)) if assets is not None else list(Asset.objects.filter(pk__in=present))
    added = [asset for asset in wanted if asset.pk not in present]
    removed = present - {asset.pk for asset in wanted}
    if not (changed or added or removed):
        return plan
    _check(plan, wanted, added=added, job_plan_is_new="job_plan" in changed or (plan.active and "active" in changed))
    plan.version = F("version") + 1
    plan.save()
    plan.refresh_from_db(fields=["version"])
    _remove(plan, removed)
    PlanAsset.objects.bulk_create(PlanAsset(plan=plan, asset=asset) for asset in added)
    if added or removed:
        changed["assets"] = [sorted(present), sorted(asset.pk for asset in wanted)]
    record(
        "preventive_plan.changed", plan, by=by, site=plan.site, summary=_("Changed “%s”") % plan.name, changes=changed
    )
    if _COURSE & set(changed):
        replan(plan, now=now)
    elif added:
        replan(plan, now=now, asset_ids=[asset.pk for asset in added])
    return plan


def pause(plan: PreventivePlan, *, by, now: datetime | None = None) -> PreventivePlan:
    """Nothing more falls due until the plan is resumed; open orders stay."""
    return change_plan(plan, by=by, active=False, now=now)


def resume(plan: PreventivePlan, *, by, now: datetime | None = None) -> PreventivePlan:
    """Go on from today; the time of the pause is not made up for."""
    return change_plan(plan, by=by, active=True, now=now)


def _check(
    plan: PreventivePlan, assets: Sequence[Asset], *, added: Sequence[Asset] | None = None, job_plan_is_new: bool = True
) -> None:
    if not plan.name.strip():
        raise Refused(_("Give the plan a name."), code="required", field="name")
    if not assets:
        raise Refused(_("A plan needs at least one asset."), code="plan_without_assets", field="assets")
    if any(asset.site_id != plan.site_id for asset in assets):
        raise Refused(_("All assets must stand at the plan's site."), code="other_site", field="assets")
    now = timezone.now()
    for asset in assets if added is None else added:
        if asset.archived_at or (asset.retired and asset.retired <= now):
            message = _("%(asset)s is no longer in use.") % {"asset": asset}
            raise Refused(message, code="asset_not_in_use", field="assets")
    if plan.job_plan.site_id != plan.site_id:
        raise Refused(_("The job plan belongs to another site."), code="other_site", field="job_plan")
    if plan.job_plan.archived_at and job_plan_is_new:
        raise Refused(_("The job plan is archived."), code="job_plan_archived", field="job_plan")
    trigger_of(plan)
    check_row(plan)


def trigger_of(plan: PreventivePlan) -> Trigger:
    """The plan's trigger; Refused with the first field that makes no sense."""
    try:
        return plan.trigger
    except TriggerError as error:
        field, message = next(iter(error.errors.items()))
        raise Refused(message, code="trigger", field=PLAN_FIELDS.get(field, field)) from error


PLAN_FIELDS = {"at": "due_time", "last_day": "last_day_of_month", "floating": "basis"}  # of Trigger → of the plan


def _remove(plan: PreventivePlan, asset_ids: Iterable[int]) -> None:
    ahead = PlanOccurrence.objects.filter(plan=plan, asset__in=asset_ids, state=OccurrenceState.FORECAST)
    ahead.delete()
    PlanAsset.objects.filter(plan=plan, asset__in=asset_ids).delete()


# --- The forecast ------------------------------------------------------------------------------


@transaction.atomic
def replan(
    plan: PreventivePlan,
    *,
    now: datetime | None = None,
    since: datetime | None = None,
    asset_ids: Sequence[int] | None = None,
) -> None:
    """Write the forecast behind `now` anew, from what each asset's last occurrence was.

    What is overdue already stays for the generator; under a paused plan it is recorded as missed. What a rule named
    before `since` (by default the beginning of the site's day) and has no row is not made up for.
    """
    now = now or timezone.now()
    pairs = PlanAsset.objects.filter(plan=plan)
    pairs = _locked(pairs.filter(asset__in=asset_ids) if asset_ids is not None else pairs)
    mine = PlanOccurrence.objects.filter(plan=plan, asset__in=[pair.asset_id for pair in pairs])
    ahead = mine.filter(state=OccurrenceState.FORECAST)
    ahead.filter(due__gt=now).delete()
    in_use = _assets_in_use(pairs, now)
    withdraw([pair.pk for pair in pairs if pair.asset_id not in in_use], now)
    if not plan.active:
        ahead.update(state=OccurrenceState.MISSED, reason=_("The plan was paused before an order was generated."))
    last_numbers = dict(mine.values_list("asset_id").annotate(Max("sequence")))
    moved = [Progress(pair.pk, plan.pk, pair.asset_id, last_numbers.get(pair.asset_id, 0) + 1, None) for pair in pairs]
    if plan.active:
        course = Course.of(plan)
        running = [pair for pair in moved if pair.asset_id in in_use]
        since = since or day_begins(plan.site, now)
        begin = beginnings(course, [pair.asset_id for pair in running], mine, now=now, since=since)
        if course.trigger.floating:
            for pair in running:
                if (due := begin[pair.asset_id]) is not None:
                    _plan_one(pair, course, due)
        else:
            _plan_many(running, course, begin, mine, now)
    look_ahead([pair.id for pair in moved])


def day_begins(site: Site, moment: datetime) -> datetime:
    """Midnight at the site: a plan takes effect at the beginning of a day."""
    return datetime.combine(site.local(moment).date(), time.min, site.zone).astimezone(UTC)


def beginnings(
    course: Course, asset_ids: Sequence[int], mine: QuerySet, *, now: datetime, since: datetime
) -> dict[int, datetime | None]:
    """Where a plan goes on for each asset, given its occurrences `mine` without the forecast behind `now`.

    For a fixed plan the moment behind which it looks for due moments. For a floating one the next due moment itself,
    or None while an occurrence waits for its order or its completion.
    """
    if not course.trigger.floating:
        before = since - timedelta(microseconds=1)
        dealt_with = dict(mine.exclude(_skipped_ahead(now)).values_list("asset_id").annotate(Max("due")))
        return {asset_id: max(dealt_with.get(asset_id, before), before) for asset_id in asset_ids}
    latest = {row.asset_id: row for row in mine.order_by("asset_id", "-sequence").distinct("asset_id")}
    done = mine.filter(state=OccurrenceState.DONE).values_list("asset_id")
    last_done = dict(done.annotate(Max("done_at")))
    found: dict[int, datetime | None] = {}
    for asset_id in asset_ids:
        last = latest.get(asset_id)
        if last is None:
            found[asset_id] = first_due(course.trigger, course.zone, since)
        elif last.state in (OccurrenceState.FORECAST, OccurrenceState.GENERATED):
            found[asset_id] = None
        else:
            base = last.done_at or max(last.due, last_done.get(asset_id, last.due))
            found[asset_id] = due_after_completion(course.trigger, course.zone, base)
    return found


def _skipped_ahead(now: datetime) -> Q:
    return Q(state=OccurrenceState.SKIPPED, due__gt=now)


def _plan_many(
    pairs: Sequence[Progress], course: Course, begin: dict[int, datetime | None], mine: QuerySet, now: datetime
) -> None:
    """The occurrences ahead of a fixed plan, behind the latest that was dealt with; a skipped one stays skipped."""
    outlook = Outlook(now)
    for pair in pairs:
        pair.planned_to = begin[pair.asset_id]
    if pairs and len(outlook.behind(course, pairs[0].planned_to)) * len(pairs) > MOST_AHEAD:
        message = _("That is a forecast of more than %(most)d occurrences; choose a shorter horizon.")
        raise Refused(message % {"most": MOST_AHEAD}, code="forecast_too_long", field="horizon_days")
    without = set(mine.filter(_skipped_ahead(now)).values_list("asset_id", "due"))
    extend(((pair, course) for pair in pairs), outlook, without=without)


def _plan_one(pair: Progress, course: Course, due: datetime) -> None:
    """The single occurrence ahead of a floating plan."""
    interval_days = interval_at(course.trigger, course.zone, due).total_seconds() / SECONDS_PER_DAY
    write([Row(pair.plan_id, pair.asset_id, pair.next_sequence, due, interval_days)])
    pair.next_sequence += 1
    pair.planned_to = due
    note([pair])


def _locked(pairs) -> list[PlanAsset]:
    return list(pairs.select_for_update().order_by("pk"))


def _assets_in_use(pairs: Sequence[PlanAsset], now: datetime) -> set[int]:
    in_use = Asset.objects.filter(pk__in=[pair.asset_id for pair in pairs], archived_at=None)
    return set(in_use.filter(Q(retired=None) | Q(retired__gt=now)).values_list("pk", flat=True))


def asset_use_changed(asset_ids: Sequence[int], *, now: datetime | None = None) -> None:
    """An asset was archived, retired or taken back into use: its forecasts end or begin again."""
    for plan in PreventivePlan.objects.filter(plan_assets__asset__in=asset_ids).select_related("site").distinct():
        replan(plan, now=now, asset_ids=asset_ids)


# --- Occurrences -------------------------------------------------------------------------------


@transaction.atomic
def skip(occurrence: PlanOccurrence, *, by, reason: str, now: datetime | None = None) -> PlanOccurrence:
    """Leave out one occurrence that lies ahead; a floating plan goes on one interval later."""
    plan = PreventivePlan.objects.select_related("site").get(pk=occurrence.plan_id)
    require(by, "plan", plan.site_id)
    if not reason.strip():
        raise Refused(_("Say why this occurrence is skipped."), code="required", field="reason")
    pairs = _locked(PlanAsset.objects.filter(plan=plan, asset=occurrence.asset_id))
    ahead = PlanOccurrence.objects.filter(pk=occurrence.pk, state=OccurrenceState.FORECAST)
    if not ahead.update(state=OccurrenceState.SKIPPED, reason=reason.strip()[:300]):
        occurrence.refresh_from_db()
        if occurrence.state == OccurrenceState.GENERATED:
            raise Conflict(_("Its order was generated already; cancel the order instead."), code="generated")
        message = _("This occurrence is %(state)s already.") % {"state": occurrence.get_state_display().lower()}
        raise Conflict(message, code="not_ahead")
    occurrence.refresh_from_db()
    words = {"plan": plan.name, "day": f"{plan.site.local(occurrence.due):%Y-%m-%d}", "reason": occurrence.reason}
    summary = _("Skipped the occurrence of %(day)s: %(reason)s") % words
    record("preventive_plan.skipped", plan, by=by, site=plan.site, summary=summary, occurrence=occurrence.pk)
    _go_on(pairs, plan, max(occurrence.due, now or timezone.now()))
    return occurrence


def order_completed(order: WorkOrder) -> None:
    """Its occurrence is done; a floating plan counts from here."""
    found = _occurrence_of(order)
    if found is None:
        return
    occurrence, plan, pairs = found
    done_at = order.completed_at or timezone.now()
    generated = PlanOccurrence.objects.filter(pk=occurrence.pk, state=OccurrenceState.GENERATED)
    if generated.update(state=OccurrenceState.DONE, done_at=done_at):
        for pair in pairs:
            pair.last_done = max(filter(None, [pair.last_done, done_at]))
            pair.save(update_fields=["last_done"])
        _go_on(pairs, plan, done_at)


def order_cancelled(order: WorkOrder) -> None:
    """Its occurrence is skipped, for the reason noted on the order."""
    found = _occurrence_of(order)
    if found is None:
        return
    occurrence, plan, pairs = found
    generated = PlanOccurrence.objects.filter(pk=occurrence.pk, state=OccurrenceState.GENERATED)
    reason = order.state_note or _("Its order was cancelled.")
    if generated.update(state=OccurrenceState.SKIPPED, reason=reason):
        _go_on(pairs, plan, max(occurrence.due, timezone.now()))


def order_sent_back(order: WorkOrder) -> None:
    """The work was not done after all: the occurrence waits again, and what a floating plan counted from it goes."""
    found = _occurrence_of(order)
    if found is None:
        return
    occurrence, plan, pairs = found
    mine = PlanOccurrence.objects.filter(plan=plan, asset=occurrence.asset_id)
    done = mine.filter(pk=occurrence.pk, state=OccurrenceState.DONE)
    if not done.update(state=OccurrenceState.GENERATED, done_at=None):
        return
    if plan.basis == PreventivePlan.Basis.FLOATING:
        mine.filter(state=OccurrenceState.FORECAST, sequence__gt=occurrence.sequence).delete()
    for pair in pairs:
        latest = mine.filter(state=OccurrenceState.DONE).order_by("-done_at").first()
        pair.last_done = latest.done_at if latest else None
        pair.save(update_fields=["last_done"])
    look_ahead([pair.pk for pair in pairs])


def _occurrence_of(order: WorkOrder) -> tuple[PlanOccurrence, PreventivePlan, list[PlanAsset]] | None:
    """The order's occurrence with its plan, under the lock of its pair (none if the asset left the plan)."""
    if order.occurrence_id is None:
        return None
    occurrence = PlanOccurrence.objects.select_related("plan__site").get(pk=order.occurrence_id)
    pairs = _locked(PlanAsset.objects.filter(plan=occurrence.plan_id, asset=occurrence.asset_id))
    return occurrence, occurrence.plan, pairs


def _go_on(pairs: Sequence[PlanAsset], plan: PreventivePlan, base: datetime) -> None:
    """After an occurrence is settled: a floating plan's next one is an interval behind `base`."""
    course = Course.of(plan)
    if course.trigger.floating and plan.active:
        waiting = [OccurrenceState.FORECAST, OccurrenceState.GENERATED]
        for pair in pairs:
            mine = PlanOccurrence.objects.filter(plan=plan, asset=pair.asset_id)
            if mine.filter(state__in=waiting).exists() or not _assets_in_use([pair], timezone.now()):
                continue
            last = mine.order_by("-sequence").values_list("sequence", flat=True).first() or 0
            progress = Progress(pair.pk, plan.pk, pair.asset_id, last + 1, None)
            _plan_one(progress, course, due_after_completion(course.trigger, course.zone, base))
    look_ahead([pair.pk for pair in pairs])
