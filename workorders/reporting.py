"""Requests: somebody reports a problem, a planner accepts it as an order or declines it with a reason."""

from collections.abc import Sequence
from datetime import datetime

from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets import stops
from assets.checks import check_in_use, check_row
from assets.models import Asset, Downtime
from core.attachments import attach
from core.comments import say
from core.errors import Conflict, Refused
from core.events import record
from people.models import User
from people.permissions import require
from workorders.models import Request, RequestState, WorkOrder
from workorders.raising import raise_order
from workorders.states import OPEN_STATES, Kind


@transaction.atomic
def report(
    asset: Asset,
    summary: str,
    *,
    by: User,
    description: str = "",
    is_down: bool = False,
    files: Sequence[File] = (),
    at: datetime | None = None,
) -> Request:
    """A problem with an asset, as anybody at the site sees it. `is_down`: the machine stands still."""
    require(by, "report", asset.site_id)
    check_in_use(asset)
    request = Request(
        site=asset.site,
        asset=asset,
        summary=summary.strip(),
        description=description.strip(),
        is_down=is_down,
        reported_by=by,
        reported_at=at or timezone.now(),
    )
    if not request.summary:
        raise Refused(_("Say in a few words what is wrong."), code="summary_missing", field="summary")
    check_row(request)
    request.save()
    for upload in files:
        attach(request, upload, by=by, site=asset.site, tell=False)
    record(
        "request.reported", request, by=by, site=asset.site, summary=f"{asset.code}: {request.summary}",
        asset=asset.pk, is_down=is_down,
    )  # fmt: skip
    return request


@transaction.atomic
def accept(
    request: Request,
    *,
    by: User,
    kind: str = Kind.CORRECTIVE,
    summary: str = "",
    consequence: int | None = None,
    likelihood: int | None = None,
    priority: int | None = None,
    priority_reason: str = "",
    due_to: datetime | None = None,
    answer: str = "",
) -> WorkOrder:
    """Make it an order, which the requester may follow and verify.

    A machine that stands still is judged as such, and its stop is linked; a stop that nobody has recorded yet is
    recorded from the moment of the report.
    """
    request = _new(request, by)
    order = raise_order(
        asset=request.asset,
        summary=summary or request.summary,
        description=request.description,
        kind=kind,
        consequence=consequence or (3 if request.is_down else 2),
        likelihood=likelihood or (4 if request.is_down else 2),
        priority=priority,
        priority_reason=priority_reason,
        due_to=due_to,
        downtime=_stop_of(request, by) if request.is_down else None,
        reported_by=request.reported_by,
        reported_at=request.reported_at,
        by=by,
    )
    _settle(request, RequestState.ACCEPTED, answer, work_order=order)
    record(
        "request.accepted", request, by=by, site=request.site,
        summary=f"Accepted as {order.code}: {request.summary}", work_order=order.pk, number=order.number,
    )  # fmt: skip
    return order


@transaction.atomic
def decline(request: Request, *, by: User, answer: str) -> Request:
    """No order comes of it, and why: the reporter reads the answer."""
    request = _new(request, by)
    if not answer.strip():
        raise Refused(_("Tell the reporter why."), code="reason_missing", field="answer")
    _settle(request, RequestState.DECLINED, answer)
    record(
        "request.declined", request, by=by, site=request.site,
        summary=f"Declined: {request.summary} ({request.answer})", answer=request.answer,
    )  # fmt: skip
    return request


@transaction.atomic
def join(request: Request, *, by: User) -> None:
    """The same problem affects somebody else: said once more, not requested a second time."""
    require(by, "report", request.site_id)
    say(request.work_order or request, _("This affects me as well."), by=by, site=request.site)


def open_work(asset: Asset) -> tuple[list[WorkOrder], list[Request]]:
    """(Open orders, unanswered requests) on an asset: what a reporter should see before asking again."""
    orders = WorkOrder.objects.filter(asset=asset, state__in=[*OPEN_STATES, "completed"]).order_by("-pk")
    requests = Request.objects.filter(asset=asset, state=RequestState.NEW)
    return list(orders.select_related("owner")[:10]), list(requests.select_related("reported_by")[:10])


def _new(request: Request, by: User) -> Request:
    """The request, locked, if nobody has answered it yet."""
    require(by, "plan", request.site_id)
    found = Request.objects.select_for_update(of=("self",)).select_related("asset__site", "site").get(pk=request.pk)
    if found.state != RequestState.NEW:
        raise Conflict(
            _("This request is %(state)s already. Nothing was done twice.")
            % {"state": found.get_state_display().lower()},
            code="answered_already",
        )
    return found


def _settle(request: Request, state: str, answer: str, work_order: WorkOrder | None = None) -> None:
    request.state = state
    request.answer = answer.strip()[:300]
    request.work_order = work_order
    request.answered_at = timezone.now()
    request.version += 1
    request.save()


def _stop_of(request: Request, by: User) -> Downtime:
    """The open stop of the asset; recorded now, since the report, if nobody has."""
    known = Downtime.objects.open().filter(asset=request.asset).first()
    return known or stops.open_stop(request.asset, by=by, at=request.reported_at, note=request.summary)
