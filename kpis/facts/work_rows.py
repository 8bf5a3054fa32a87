"""The records behind one figure of work, newest first: what counted, what did not, and why not."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import zip_longest
from operator import attrgetter
from typing import Any

from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, When
from django.db.models.functions import Coalesce
from django.utils import formats
from django.utils.translation import gettext as _

from assets.hourly_costs import prices
from assets.models import Asset
from kpis.axis import epoch, instant
from kpis.backlog import Waiting, left
from kpis.facts.agreed import Agreed
from kpis.facts.output import counting_lines, once, pieces_of
from kpis.facts.work import READY, Work
from kpis.facts.worth import served
from kpis.formulas import HOUR
from kpis.intervals import Span
from kpis.models import DatedOfSite, LabourCapacity, NetMargin
from kpis.repairs import parts
from kpis.work import REWORK, ComplianceRule, Due, in_time, preventive_compliance
from workorders.models import (
    AgreedOrder,
    Cost,
    Labour,
    OccurrenceState,
    PlanOccurrence,
    Request,
    RequestState,
    Step,
    WorkOrder,
)
from workorders.states import OPEN_STATES, Priority, State
from workorders.week import name_of

MOST = 200
FETCHED = 1000  # of which those that stood elsewhere at their time are left out


@dataclass(frozen=True)
class Record:
    """One record behind a figure. `numbers` by name: times in seconds, ages and delays in days, money in money."""

    kind: str
    id: int
    asset: str
    label: str
    url: str
    at: datetime | None
    numbers: dict[str, float | None] = field(default_factory=dict)
    remark: str = ""
    counts: bool = True


class Rows:
    """The records of one subject in one bucket."""

    def __init__(self, work: Work, place: tuple[int, int], rule: ComplianceRule | None = None):
        root, bucket = self.place = place
        self.work, self.rule = work, rule or ComplianceRule.LATE_TEN_PERCENT
        self.root, self.bucket = root, bucket
        self.start, past = work.buckets[bucket]
        self.end = min(past, work.now)
        self.site = work.site
        self.held: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for each in work.members:
            if each.root == root:
                self.held[each.asset_id].append((each.since, each.until))

    def of(self, kind: str) -> list[Record]:
        """Those of one kind of record, `MOST` at most."""
        found: list[Record] = []
        for record in getattr(self, kind)():
            if len(found) == MOST:
                break
            found.append(record)
        return found

    def preventive(self) -> Iterator[Record]:
        for row, due in self.occurrences(FETCHED):
            judged = preventive_compliance([due], self.today, self.rule)
            order = getattr(row, "work_order", None)
            yield Record(
                "occurrence", row.pk, row.asset.code, row.plan.name,
                order.get_absolute_url() if order else row.get_absolute_url(), row.due,
                {"days_late": ((due.done or self.today) - due.due).days, "interval_days": row.interval_days},
                _("Skipped: %(reason)s") % {"reason": row.reason} if due.skipped
                else _("May still be done in time") if judged.pending
                else _("Done in time") if in_time(due, self.rule)
                else _("Done late or too early") if due.done else _("Not done"),
                counts=bool(judged.judged),
            )  # fmt: skip

    def labour(self) -> Iterator[Record]:
        for row, seconds in self.worked(FETCHED):
            words = [_("planned") if row.planned else _("not planned")]
            if row.order.priority == Priority.EMERGENCY:
                words.append(_("emergency"))
            yield self._order(row.order, row.start, {"seconds": seconds}, f"{row.person}: {', '.join(words)}")

    def requests(self) -> Iterator[Record]:
        for row, answered, accepted in self.asked(FETCHED):
            yield Record(
                "request", row.pk, row.asset.code, row.summary, row.get_absolute_url(), row.reported_at,
                {"seconds": (row.answered_at - row.reported_at).total_seconds() if answered else None},
                _("accepted") if accepted else _("declined") if answered else _("waits for an answer"), counts=accepted,
            )  # fmt: skip

    def backlog(self) -> Iterator[Record]:
        for row, waiting in self.waiting(FETCHED):
            estimate = waiting.estimate
            yield self._order(
                row, row.created,
                {"age_days": (self.end - row.created).total_seconds() / 86_400,
                 "seconds": None if estimate is None else left(waiting)},
                row.get_state_display() if estimate is not None
                else _("%(state)s, without an estimate") % {"state": row.get_state_display()},
                counts=estimate is not None,
            )  # fmt: skip

    def load(self) -> Iterator[Record]:
        """The labour capacity that holds at the end, and the open orders."""
        yield from self._capacities(at_end=True)
        yield from self.backlog()

    def wrench(self) -> Iterator[Record]:
        """The labour capacities that held in the window, and its labour."""
        yield from self._capacities()
        yield from self.labour()

    def agreed(self) -> Iterator[Record]:
        """The orders that were agreed, with what became of them in their week."""
        for week, row, completed in self.promised(FETCHED):
            if completed is None:
                words = _("agreed for week %(week)s, not completed: %(state)s")
            elif completed < week.start:
                words = _("agreed for week %(week)s, completed before it")
            elif completed >= week.end:
                words = _("agreed for week %(week)s, completed after it")
            else:
                words = _("agreed for week %(week)s and completed in it")
            named = {"week": name_of(week.monday), "state": row.get_state_display()}
            yield self._order(row, completed or week.start, {}, words % named)

    def break_in(self) -> Iterator[Record]:
        """Labour, with what of it lies in agreed weeks, on orders agreed for them or not."""
        for row, seconds, agreed, broken_in in self.beside_weeks(FETCHED):
            words = (
                _("in a week that was not agreed") if not agreed
                else _("not agreed for the week") if broken_in else _("agreed for the week")
            )  # fmt: skip
            numbers = {"seconds": seconds, "agreed_seconds": agreed, "break_in_seconds": broken_in}
            yield self._order(row.order, row.start, numbers, f"{row.person}: {words}", counts=agreed > 0)

    def _capacities(self, *, at_end: bool = False) -> Iterator[Record]:
        for row, begins in self._stated(LabourCapacity, at_end=at_end):
            paid = None if row.paid is None else float(row.paid) * HOUR
            yield Record(
                "labour_capacity", row.pk, self.site.code, _("Labour capacity of a week"), row.get_absolute_url(),
                begins, {"seconds": float(row.net) * HOUR, "paid_seconds": paid}, _("from this day on"),
            )  # fmt: skip

    def closed(self) -> Iterator[Record]:
        inside = self.finished(FETCHED)
        former = self.former(inside)
        for row in sorted(inside, key=lambda row: row.pk not in former):
            problem = row.failure and row.failure.problem
            before = former.get(row.pk)
            yield self._order(
                row, row.closed_at, {},
                _("%(problem)s again, after %(order)s") % {"problem": problem, "order": before.code} if before
                else str(problem) if problem else _("names no problem"),
                counts=before is not None,
            )  # fmt: skip

    def spent(self) -> Iterator[Record]:
        for record, _asset in self.costs():
            yield record

    def costs(self) -> Iterator[tuple[Record, int]]:
        """What was spent, each with its asset, and before it the labour that has no price yet."""
        for row, _seconds in self.worked(MOST, cost__isnull=True):
            words = _("labour of %(person)s without a price yet") % {"person": row.person}
            yield self._order(row.order, row.start, {"amount": None}, words, counts=False), row.order.asset_id
        for row in self.paid(FETCHED):
            record = self._order(row.order, row.at, {"amount": float(row.amount)}, row.get_source_display())
            yield record, row.order.asset_id

    def unit_cost(self) -> Iterator[Record]:
        """Whose pieces were added up, and what was spent on the asset with everything below it."""
        for row, pieces in self.pieces():
            yield Record(
                "asset", row.pk, row.code, row.name, row.get_absolute_url() + "?tab=counts", None,
                {"pieces": pieces}, _("pieces made, good or not"),
            )  # fmt: skip
        yield from self.wide().spent()

    def wide(self) -> "Rows":
        """The same of the asset with everything below it."""
        return Rows(self.work.wide, self.place, self.rule)

    def pieces(self) -> list[tuple[Asset, float]]:
        """The assets whose counts are added up, with their pieces."""
        wide = self.work.wide
        among = [each for each in wide.members if each.root == self.root]
        machines = [each for each in wide.machines() if each.root == self.root]
        buckets = [wide.cut.buckets[self.bucket]]
        counting = once(self.site, among, machines, counting_lines(self.site, among), buckets)
        pieces = pieces_of(self.site, counting, buckets[0], self.work.now)
        return [(row, pieces[row.pk]) for row in Asset.objects.filter(pk__in=pieces).order_by("code")]

    def values(self) -> Iterator[tuple[Asset, float, Span]]:
        """The replacement values that are added up, each for as long as its asset was there and in service."""
        own = [(each, amount) for each, amount in self.work.replaced.own if each.root == self.root]
        assets = Asset.objects.in_bulk({each.asset_id for each, _ in own})
        for each, amount in own:
            asset = assets[each.asset_id]
            since, until = served(each, asset)
            lo, hi = max(since, epoch(self.start)), min(until, epoch(self.end))
            if lo < hi:
                yield asset, amount, Span(instant(lo), instant(hi))

    def valued(self) -> Callable[[int, datetime], bool]:
        """Whether a replacement value was of an asset at a moment."""
        held: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for each in self.work.replaced.held:
            if each.root == self.root:
                held[each.asset_id].append((each.since, each.until))
        return lambda asset, at: any(since <= epoch(at) < until for since, until in held[asset])

    def upkeep(self) -> Iterator[Record]:
        """The replacement values, and what was spent; what such a value is not of does not count."""
        own = {each.asset_id for each, _ in self.work.replaced.own if each.root == self.root}
        wide, valued = self.wide(), self.valued()
        for row in Asset.objects.filter(pk__in=wide.held, replacement_value__isnull=False).order_by("code"):
            words = _("replacement value") if row.pk in own else _("part of the value of what it stands below")
            yield Record(
                "asset", row.pk, row.code, row.name, row.get_absolute_url(), None,
                {"amount": float(row.replacement_value)}, words, counts=row.pk in own,
            )  # fmt: skip
        for record, asset_id in wide.costs():
            if record.counts and record.at and not valued(asset_id, record.at):
                words = _("%(what)s, without a replacement value") % {"what": record.remark}
                record = replace(record, remark=words, counts=False)
            yield record

    def stood(self) -> Iterator[Record]:
        """The assets with what an hour of them cost in the window, and until when."""
        assets = Asset.objects.filter(pk__in=self.held).select_related("site").prefetch_related("former_hourly_costs")
        for row in assets.order_by("code"):
            for price in prices(row):
                since, until = (day and self.site.day_begins(day) for day in (price.since, price.until))
                if (until and until <= self.start) or (since and since >= self.end):
                    continue
                words = _("cost of one hour down")
                if price.amount is None:
                    words = _("has no cost of one hour down")
                elif until and until < self.end:
                    words = _("cost of one hour down, until %(day)s") % {"day": formats.date_format(price.until)}
                yield Record(
                    "asset", row.pk, row.code, row.name, row.get_absolute_url(), since,
                    {"amount": None if price.amount is None else float(price.amount)}, words,
                    counts=price.amount is not None,
                )  # fmt: skip

    def stood_today(self) -> Iterator[Record]:
        """The assets with what an hour of them costs today."""
        for row in Asset.objects.filter(pk__in=self.held).order_by("code"):
            amount = row.downtime_cost
            yield Record(
                "asset", row.pk, row.code, row.name, row.get_absolute_url(), None,
                {"amount": None if amount is None else float(amount)},
                _("has no cost of one hour down") if amount is None else _("cost of one hour down today"),
                counts=amount is not None,
            )  # fmt: skip

    def lens(self) -> Iterator[Record]:
        """The net margins that held in the window, and the assets with what an hour of them costs."""
        yield from self._margins()
        yield from self.stood()

    def lens_today(self) -> Iterator[Record]:
        """The same with what an hour of them costs today."""
        yield from self._margins()
        yield from self.stood_today()

    def _margins(self) -> Iterator[Record]:
        for row, begins in self._stated(NetMargin):
            yield Record(
                "net_margin", row.pk, self.site.code, _("Net margin of a year"), row.get_absolute_url(), begins,
                {"amount": float(row.amount)}, _("from this day on"),
            )  # fmt: skip

    def repairs(self) -> Iterator[Record]:
        rows = WorkOrder.objects.in_bulk({order for each in self.work.told for order in each.orders})
        assets = Asset.objects.in_bulk({each.event.asset_id for each in self.work.told})
        for each in reversed(self.work.told):
            found, asset = parts(each.repair), assets[each.event.asset_id]
            row = rows[each.orders[0]] if each.orders else None
            yield Record(
                "work_order" if row else "asset",
                row.pk if row else asset.pk,
                asset.code,
                f"{row.code} {row.summary}" if row else asset.name,
                (row or asset).get_absolute_url(),
                each.event.occurred,
                {"detection_time": found.detect, "waiting_time": found.wait, "active_repair_time": found.active,
                 "hand_back_time": found.hand_back} if found else {},
                _("not restored yet") if each.event.open
                else _("no restoration time") if each.repair.restored is None
                else _("no work order") if found is None
                else _("no labour before the restoration") if found.active is None
                else "",
                counts=found is not None,
            )  # fmt: skip

    # --- The rows, of which so many are read as are asked for (None: all) and those kept that stood here at their time

    @property
    def today(self) -> date:
        return self.site.local(self.work.now).date()

    def occurrences(self, most: int | None) -> Iterator[tuple[PlanOccurrence, Due]]:
        rows = PlanOccurrence.objects.filter(asset__in=self.held, due__gte=self.start, due__lt=self.end)
        rows = rows.select_related("asset", "plan", "work_order").order_by("-due", "-pk")
        for row in self._inside(rows[:most], attrgetter("due")):
            done = row.state == OccurrenceState.DONE and row.done_at <= self.work.now
            day = self.site.local(row.done_at).date() if done else None
            yield (
                row,
                Due(self.site.local(row.due).date(), row.interval_days, day, row.state == OccurrenceState.SKIPPED),
            )

    def worked(self, most: int | None, **only: bool) -> Iterator[tuple[Labour, float]]:
        """Labour, `planned` or not, with its seconds."""
        rows = Labour.objects.filter(order__asset__in=self.held, start__lt=self.end, **only)
        rows = rows.filter(Q(end=None) | Q(end__gt=self.start)).select_related("order__asset", "person")
        planned = Q(order__occurrence__isnull=False) | Q(order__estimate_minutes__isnull=False) & (
            Q(order__job_plan__isnull=False) | Exists(Step.objects.filter(order=OuterRef("order")))
        )
        for row in rows.annotate(planned=planned).order_by("-start", "-pk")[:most]:
            if seconds := self._shared(row.order.asset_id, row.start, row.end or self.end):
                yield row, seconds

    def promised(self, most: int | None) -> Iterator[tuple[Agreed, WorkOrder, datetime | None]]:
        """Orders that were agreed for a week of this bucket, with when they were completed."""
        here = {
            each.id: each
            for each in self.work.weeks
            if self.start <= each.last_day < self.end and each.end <= self.work.now
        }
        rows = AgreedOrder.objects.filter(week__in=here, order__asset__in=self.held)
        rows = rows.select_related("order__asset", "week").order_by("-week__monday", "-pk")[:most]
        last_day, asset = (lambda row: here[row.week_id].last_day), attrgetter("order.asset_id")
        for row in self._inside(rows, last_day, asset):
            done = row.order.state in (State.COMPLETED, State.CLOSED)
            yield here[row.week_id], row.order, row.order.completed_at if done else None

    def beside_weeks(self, most: int | None) -> Iterator[tuple[Labour, float, float, float]]:
        """Labour with its seconds, those in agreed weeks, and those of them on orders not agreed for their week."""
        agreed = AgreedOrder.objects.filter(week__in=[each.id for each in self.work.weeks])
        promised = set(agreed.values_list("week_id", "order_id"))
        for row, seconds in self.worked(most):
            inside = broken_in = 0.0
            for week in self.work.weeks:
                start, end = max(row.start, week.start), min(row.end or self.end, week.end)
                shared = self._shared(row.order.asset_id, start, end)
                inside += shared
                broken_in += shared * ((week.id, row.order_id) not in promised)
            yield row, seconds, inside, broken_in

    def asked(self, most: int | None) -> Iterator[tuple[Request, bool, bool]]:
        """Requests, whether they are answered, and accepted."""
        rows = Request.objects.filter(asset__in=self.held, reported_at__gte=self.start, reported_at__lt=self.end)
        rows = rows.select_related("asset").order_by("-reported_at", "-pk")
        for row in self._inside(rows[:most], attrgetter("reported_at")):
            answered = row.answered_at is not None and row.answered_at <= self.work.now
            yield row, answered, answered and row.state == RequestState.ACCEPTED

    def waiting(self, most: int | None) -> Iterator[tuple[WorkOrder, Waiting]]:
        """The orders that were open at the end, the oldest first."""
        ended = Case(
            When(state__in=OPEN_STATES, then=None),
            When(state=State.CANCELLED, then=F("state_since")),
            default=Coalesce("completed_at", "closed_at", "state_since"),
            output_field=DateTimeField(),
        )
        rows = WorkOrder.objects.filter(asset__in=self.held, created__lt=self.end).annotate(ended=ended)
        rows = rows.filter(Q(ended=None) | Q(ended__gte=self.end)).select_related("asset").prefetch_related("labour")
        for row in self._inside(rows.order_by("created", "pk")[:most], lambda row: self.end, before=True):
            worked = sum(
                (min(each.end or self.end, self.end) - each.start).total_seconds()
                for each in row.labour.all()
                if each.start < self.end
            )
            estimate = None if row.estimate_minutes is None else row.estimate_minutes * 60.0
            yield row, Waiting(row.created, None, estimate, worked, row.state in READY)

    def finished(self, most: int | None) -> list[WorkOrder]:
        rows = WorkOrder.objects.filter(
            asset__in=self.held, state=State.CLOSED, closed_at__gte=self.start, closed_at__lt=self.end
        ).select_related("asset", "failure__problem").order_by("-closed_at", "-pk")  # fmt: skip
        return list(self._inside(rows[:most], attrgetter("closed_at")))

    def paid(self, most: int | None) -> Iterator[Cost]:
        rows = Cost.objects.filter(order__asset__in=self.held, at__gte=self.start, at__lt=self.end)
        rows = rows.select_related("order__asset").order_by("-at", "-pk")
        return self._inside(rows[:most], attrgetter("at"), attrgetter("order.asset_id"))

    # --- Help

    def _stated(self, model: type[DatedOfSite], *, at_end: bool = False) -> Iterator[tuple[Any, datetime]]:
        """What held of the site in the window, or `at_end` of it, each with the instant from which it did."""
        rows = list(model.objects.filter(site=self.site).order_by("valid_from"))
        for row, after in zip_longest(rows, rows[1:]):
            begins = self.site.day_begins(row.valid_from)
            past = after and self.site.day_begins(after.valid_from)
            if begins < self.end and (past is None or (past >= self.end if at_end else past > self.start)):
                yield row, begins

    def _inside(
        self, rows: Iterable, moment: Callable, asset: Callable = attrgetter("asset_id"), *, before: bool = False
    ) -> Iterator:
        """Those whose asset stood here at their moment, or just before it."""
        for row in rows:
            at = epoch(moment(row)) - (1 if before else 0)
            if any(since <= at < until for since, until in self.held[asset(row)]):
                yield row

    def _shared(self, asset_id: int, start: datetime, end: datetime) -> float:
        """Seconds of [start, end) in the window while the asset stood here."""
        lo, hi = max(start, self.start).timestamp(), min(end, self.end).timestamp()
        return sum(max(0.0, min(hi, until) - max(lo, since)) for since, until in self.held[asset_id])

    def former(self, rows: list[WorkOrder]) -> dict[int, WorkOrder]:
        """Of the orders that are rework, the order before."""
        with_problem = [row for row in rows if row.failure and row.failure.problem_id]
        if not with_problem:
            return {}
        earliest = min(row.reported_at for row in with_problem) - REWORK - timedelta(days=1)
        before: dict[tuple, list[WorkOrder]] = defaultdict(list)
        closed = WorkOrder.objects.filter(
            asset__in={row.asset_id for row in with_problem}, state=State.CLOSED, closed_at__gte=earliest,
            closed_at__lte=self.work.now, failure__problem__isnull=False,
        ).select_related("failure")  # fmt: skip
        for row in closed:
            before[row.asset_id, row.failure.problem_id].append(row)
        found = {}
        for row in with_problem:
            for each in before[row.asset_id, row.failure.problem_id]:
                ended = each.completed_at or each.closed_at
                if each.pk != row.pk and ended <= row.reported_at <= ended + REWORK:
                    found[row.pk] = each
        return found

    def _order(self, row: WorkOrder, at: datetime, numbers: dict, remark: str, *, counts: bool = True) -> Record:
        return Record(
            "work_order", row.pk, row.asset.code, f"{row.code} {row.summary}", row.get_absolute_url(), at, numbers,
            remark, counts=counts,
        )  # fmt: skip
