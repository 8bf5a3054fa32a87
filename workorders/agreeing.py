"""Agreeing on a week: its schedule is frozen, so that afterwards can be said what was kept and what broke in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Min, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.errors import Refused
from core.events import record
from core.models import Site
from people.models import User
from people.permissions import require
from workorders.models import AgreedOrder, AgreedWeek, WorkOrder
from workorders.states import OPEN_STATES, State
from workorders.week import midnight

PROMISED = [state for state in OPEN_STATES if state != State.DRAFT]
FURTHEST = timedelta(days=366)
DONE = (State.COMPLETED, State.CLOSED)


def last_call(site: Site, monday: date) -> datetime:
    """Until when a week can be agreed, agreed again and withdrawn: the end of its Monday."""
    return midnight(site, monday + timedelta(days=1))


def scheduled_in(site: Site, monday: date) -> QuerySet[WorkOrder]:
    """Open orders with an assignment that begins in the week, with the `minutes` assigned there."""
    start, end = midnight(site, monday), midnight(site, monday + timedelta(days=7))
    rows = WorkOrder.objects.filter(site=site, state__in=PROMISED)
    rows = rows.filter(assignments__start__gte=start, assignments__start__lt=end)
    return rows.annotate(minutes=Sum("assignments__minutes"), first=Min("assignments__start")).order_by("first", "pk")


@transaction.atomic
def agree(site: Site, monday: date, *, by: User | None, now: datetime | None = None) -> AgreedWeek:
    """Freeze what is scheduled in the week; until its Monday is over again, and then what was frozen before goes."""
    now = now or timezone.now()
    require(by, "plan", site)
    if monday.weekday():
        raise Refused(_("A week begins on a Monday."), code="not_monday", field="monday")
    _in_time(site, monday, now)
    if monday > site.local(now).date() + FURTHEST:
        raise Refused(_("A week is agreed a year ahead at most."), code="too_far", field="monday")
    orders = list(scheduled_in(site, monday))
    if not orders:
        raise Refused(_("Nothing open is scheduled in this week yet."), code="nothing_scheduled", field="monday")
    week, _made = AgreedWeek.objects.select_for_update().get_or_create(site=site, monday=monday)
    week.agreed_at, week.agreed_by = now, by
    week.save()
    week.orders.all().delete()
    AgreedOrder.objects.bulk_create(AgreedOrder(week=week, order=each, minutes=each.minutes) for each in orders)
    record(
        "week.agreed", week, by=by, site=site, summary=f"{week}: {len(orders)} orders agreed",
        orders=[each.pk for each in orders],
    )  # fmt: skip
    return week


@transaction.atomic
def withdraw(week: AgreedWeek, *, by: User | None, now: datetime | None = None) -> None:
    """Take the agreement back, as long as the week can be agreed."""
    require(by, "plan", week.site)
    _in_time(week.site, week.monday, now or timezone.now())
    found = AgreedWeek.objects.select_for_update().filter(pk=week.pk).first()
    if found:
        record("week.withdrawn", found, by=by, site=week.site, summary=f"{found}: agreement withdrawn")
        found.delete()


def _in_time(site: Site, monday: date, now: datetime) -> None:
    if now >= last_call(site, monday):
        message = _("A week is agreed until the end of its Monday; %(day)s is over.") % {
            "day": date_format(monday, "DATE_FORMAT")
        }
        raise Refused(message, code="week_has_begun", field="monday")


# --- What became of it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Promise:
    """An order of an agreed week: done in it, or open, cancelled, done at another time."""

    order: WorkOrder
    minutes: int | None
    done: bool
    here: bool  # still has an assignment in the week


@dataclass(frozen=True)
class Agreement:
    """An agreed week and what became of its orders; `broken_in` are orders in the week that are not among them."""

    week: AgreedWeek
    promises: list[Promise]
    broken_in: list[WorkOrder]

    @property
    def done(self) -> int:
        return sum(each.done for each in self.promises)

    @property
    def orders(self) -> set[int]:
        return {each.order.pk for each in self.promises}


def agreement_of(site: Site, monday: date, present: Iterable[WorkOrder]) -> Agreement | None:
    """The agreement on a week, beside the orders that are `present` in it now; None where there is none."""
    week = AgreedWeek.objects.filter(site=site, monday=monday).select_related("agreed_by", "site").first()
    if week is None:
        return None
    here = {each.pk: each for each in present}
    start, end = midnight(site, monday), midnight(site, monday + timedelta(days=7))
    rows = week.orders.select_related("order__asset", "order__site").order_by("order__priority", "order__number")
    promises = [
        Promise(each.order, each.minutes, done_in(each.order, start, end), each.order_id in here) for each in rows
    ]
    kept = {each.order.pk for each in promises}
    return Agreement(week, promises, [order for pk, order in here.items() if pk not in kept])


def done_in(order: WorkOrder, start: datetime, end: datetime) -> bool:
    """Whether the work was completed in [start, end)."""
    return order.state in DONE and order.completed_at is not None and start <= order.completed_at < end
