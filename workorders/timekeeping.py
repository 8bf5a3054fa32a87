"""Labour: a clock per person and order, started and stopped with the work, and corrected afterwards."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_moment, said
from core.errors import Conflict, NotAllowed, Refused
from core.events import record
from people.models import User
from people.permissions import require
from workorders.locking import locked
from workorders.preparation import add_assignment
from workorders.states import State

WORKED_ON = (State.IN_PROGRESS, State.ON_HOLD, State.COMPLETED)
LONGEST = timedelta(hours=24)  # of one entry; a longer one is a forgotten clock


# --- Part of the moves --------------------------------------------------------------------------------


def begin_work(order, *, by: User | None, at: datetime, inputs: dict) -> dict:
    """Start the actor's clock; the first start is kept. Whoever starts an order that nobody has takes it."""
    order.started_at = order.started_at or at
    order.hold_reason = order.state_note = ""
    if by is None:
        return {}
    if not order.labour.filter(person=by, end=None).exists():
        open_clock(order, by, at)
    if not order.assignments.exists():
        add_assignment(order, person=by, start=at, minutes=None)
    return {}


def pause_work(order, *, by, at: datetime, inputs: dict) -> dict:
    """Stop all clocks of the order and keep why it waits."""
    close_clocks(order, at)
    order.hold_reason = inputs.get("reason") or ""
    order.state_note = (inputs.get("note") or "").strip()
    return {"reason": order.hold_reason, "note": order.state_note}


def call_off(order, *, by, at: datetime, inputs: dict) -> dict:
    """Stop all clocks and keep why the order is given up; what was worked still costs."""
    close_clocks(order, at)
    price_labour(order)
    order.hold_reason = ""
    order.state_note = (inputs.get("reason") or "").strip()
    return {"reason": order.state_note}


def open_clock(order, person: User, at: datetime):
    return order.labour.create(person=person, start=at, hourly_rate=person.hourly_rate)


def close_clocks(order, at: datetime) -> None:
    """Stop every running clock of the order at this moment."""
    for labour in order.labour.filter(end=None).select_related("person"):
        if labour.start >= at:
            raise Refused(
                _("The clock of %(person)s started only at %(start)s; give a later moment, or correct the clock.")
                % {"person": labour.person, "start": said(labour.start, order.site)},
                code="before_clock_start",
                field="at",
            )
        labour.end = at
        labour.save(update_fields=["end"])


# --- By hand ------------------------------------------------------------------------------------------


@transaction.atomic
def start_clock(order, *, by: User, at: datetime | None = None):
    """One more person begins to work on an order that is in progress."""
    require(by, "execute", order.site_id)
    order = locked(order)
    if order.state != State.IN_PROGRESS:
        raise Conflict(
            _("%(order)s is %(state)s; clocks run while it is in progress.")
            % {"order": order.code, "state": order.get_state_display().lower()},
            code="wrong_state",
        )
    if order.labour.filter(person=by, end=None).exists():
        raise Conflict(_("Your clock on this order is running already."), code="clock_runs")
    labour = open_clock(order, by, _moment(at, "at"))
    record("work_order.clock_started", order, by=by, site=order.site, summary=f"{order.code}: {by} works on it")
    return labour


@transaction.atomic
def stop_clock(order, *, by: User, at: datetime | None = None):
    """A person stops working on an order, which goes on."""
    require(by, "execute", order.site_id)
    order = locked(order)
    labour = order.labour.filter(person=by, end=None).first()
    if labour is None:
        raise Conflict(_("Your clock on this order is not running."), code="no_clock")
    labour.end = _moment(at, "at")
    _check(labour, order)
    labour.save(update_fields=["end"])
    record(
        "work_order.clock_stopped", order, by=by, site=order.site, summary=f"{order.code}: {by} stopped working on it"
    )
    return labour


@transaction.atomic
def record_labour(order, *, person: User, start: datetime, end: datetime, by: User, note: str = ""):
    """Enter time that was worked without a clock. Others' time is entered by planners."""
    order = _writable(order, person, by)
    if not person.can("execute", order.site_id):
        raise Refused(
            _("%(person)s does no work at this site.") % {"person": person}, code="person_cannot", field="person"
        )
    labour = order.labour.model(
        order=order, person=person, start=start, end=end, note=note, hourly_rate=person.hourly_rate
    )
    _check(labour, order)
    labour.save()
    _priced_again(order)
    record(
        "work_order.labour_recorded", order, by=by, site=order.site,
        summary=f"{order.code}: {person} worked {minutes_of(labour)} min", **_facts(labour),
    )  # fmt: skip
    return labour


@transaction.atomic
def correct_labour(labour, *, start: datetime, end: datetime | None, by: User, note: str | None = None):
    """Set when somebody worked; without an end the clock goes on running, which only a running one may."""
    order = _writable(labour.order, labour.person, by)
    labour = _again(order, labour)
    was = _facts(labour)
    if end is None and labour.end is not None:
        raise Refused(_("Give the end of the work."), code="end_missing", field="end")
    labour.start, labour.end = start, end
    labour.note = labour.note if note is None else note
    _check(labour, order)
    labour.save()
    _priced_again(order)
    record(
        "work_order.labour_corrected", order, by=by, site=order.site,
        summary=f"{order.code}: time of {labour.person} corrected", **_facts(labour), was=was,
    )  # fmt: skip
    return labour


@transaction.atomic
def remove_labour(labour, *, by: User) -> None:
    """Take back time that was not worked; the event keeps it. A finished order keeps some."""
    order = _writable(labour.order, labour.person, by)
    labour = _again(order, labour)
    if order.state == State.COMPLETED and not order.labour.exclude(pk=labour.pk).exists():
        raise Refused(_("A completed order needs some time; correct it instead."), code="labour_missing")
    facts = _facts(labour)
    labour.delete()
    record(
        "work_order.labour_removed", order, by=by, site=order.site,
        summary=f"{order.code}: time of {labour.person} removed", **facts,
    )  # fmt: skip


def overlapping(labour) -> list:
    """Other entries of the same person at the same time, on any order: a doubt to show, not an error."""
    return overlaps([labour])[labour.pk]


def overlaps(entries) -> dict[int, list]:
    """Entry's id → what `overlapping` says of it, for many entries in one query."""
    found: dict[int, list] = {entry.pk: [] for entry in entries}
    if not found:
        return found
    now = timezone.now()
    first = min(entry.start for entry in entries)
    last = max(entry.end or now for entry in entries)
    near = type(entries[0]).objects.filter(person__in={entry.person_id for entry in entries}, start__lt=last)
    near = list(near.filter(Q(end=None) | Q(end__gt=first)).select_related("order__site"))
    for entry in entries:
        found[entry.pk] = [
            other
            for other in near
            if other.pk != entry.pk
            and other.person_id == entry.person_id
            and other.start < (entry.end or now)
            and entry.start < (other.end or now)
        ]
    return found


def with_doubts(labour, sentence: str) -> str:
    """The sentence, and that the same person's time is counted on another order as well."""
    others = ", ".join(dict.fromkeys(each.order.code for each in overlapping(labour)))
    if not others:
        return sentence
    doubt = _("Time on %(others)s overlaps; correct one of them.") % {"others": others}
    return f"{sentence} {doubt}"


def running(person: User):
    """The person's running clocks, oldest first."""
    return person.labour.filter(end=None).select_related("order__asset", "order__site").order_by("start")


# --- Money ----------------------------------------------------------------------------------------------


def price_labour(order) -> None:
    """One cost row per finished entry at the rate of its day; entries without a rate cost nothing yet."""
    entries = order.labour.filter(end__isnull=False).select_related("person")
    for labour in entries:
        if labour.hourly_rate is None:
            order.costs.filter(labour=labour).delete()
            continue
        order.costs.update_or_create(
            labour=labour,
            defaults={
                "source": order.costs.model.Source.LABOUR,
                "amount": price(labour.hourly_rate, labour.end - labour.start),
                "at": labour.start,
                "note": str(labour.person),
            },
        )


def price(hourly_rate: Decimal, worked: timedelta) -> Decimal:
    """Money for a time at a rate, in cents, half up."""
    hours = Decimal(worked // timedelta(microseconds=1)) / Decimal(3_600_000_000)
    return (Decimal(hourly_rate) * hours).quantize(Decimal("0.01"), ROUND_HALF_UP)


def minutes_of(labour) -> int:
    return round((labour.end - labour.start).total_seconds() / 60)


def _priced_again(order) -> None:
    if order.state not in (State.IN_PROGRESS, State.ON_HOLD):
        price_labour(order)


def _writable(order, person: User, by: User):
    """The order, locked, if this person may write this time now."""
    require(by, "execute", order.site_id)
    plans = by is None or by.can("plan", order.site_id)
    if person != by and not plans:
        raise NotAllowed(_("Planners enter the time of others; you may enter your own."))
    order = locked(order)
    if order.state not in WORKED_ON and not (plans and order.state == State.CLOSED):
        raise Conflict(
            _("%(order)s is %(state)s; time is entered from its start until it is closed.")
            % {"order": order.code, "state": order.get_state_display().lower()},
            code="wrong_state",
        )
    return order


def _again(order, labour):
    found = order.labour.select_related("person").filter(pk=labour.pk).first()
    if found is None:
        raise Conflict(_("This entry was removed in the meantime."), code="removed")
    return found


def _moment(at: datetime | None, field: str) -> datetime:
    at = at or timezone.now()
    check_moment(at, field=field)
    return at


def _check(labour, order) -> None:
    check_moment(labour.start, field="start")
    if labour.end is None:
        return
    check_moment(labour.end, field="end")
    if labour.end <= labour.start:
        raise Refused(_("The work ends before it starts."), code="end_before_start", field="end")
    if labour.end - labour.start > LONGEST:
        raise Refused(_("One entry lasts at most 24 hours; enter each day by itself."), code="too_long", field="end")
    twice = order.labour.filter(person=labour.person_id, start__lt=labour.end).exclude(pk=labour.pk)
    if twice.filter(Q(end=None) | Q(end__gt=labour.start)).exists():
        raise Refused(
            _("%(person)s has other time on this order in this period.") % {"person": labour.person},
            code="counted_twice",
            field="start",
        )


def _facts(labour) -> dict:
    return {
        "person": labour.person_id,
        "start": labour.start.isoformat(),
        "end": labour.end.isoformat() if labour.end else None,
    }
