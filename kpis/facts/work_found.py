"""The rows behind one figure of work, read here and now, each kept if its asset stood here at its time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import zip_longest
from operator import attrgetter
from typing import Any

from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, When
from django.db.models.functions import Coalesce

from assets.models import Asset
from kpis.axis import epoch, instant
from kpis.backlog import Waiting
from kpis.facts.agreed import Agreed
from kpis.facts.output import counting_lines, once, pieces_of
from kpis.facts.priced import charged
from kpis.facts.work import READY, Work
from kpis.facts.worth import served
from kpis.intervals import Span
from kpis.models import DatedOfSite
from kpis.work import REWORK, ComplianceRule, Due
from workorders.agreeing import DONE
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
from workorders.states import OPEN_STATES, State


class Found:
    """The rows of one subject in one bucket; so many are read as are asked for (None: all)."""

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

    def charged(self, *, today: bool = False) -> set[int]:
        """The assets whose stops are charged, at the hourly costs of their time or of today."""
        own = [each for each in self.work.members if each.root == self.root]
        return charged(self.site, own, self.work.cut.buckets[self.bucket], today=today)

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
            done = row.order.state in DONE
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
