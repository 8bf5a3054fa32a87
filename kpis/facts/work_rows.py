"""The records behind one figure of work, newest first: what counted, what did not, and why not."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import QuerySet
from django.utils import formats
from django.utils.translation import gettext as _

from assets.hourly_costs import prices
from assets.models import Asset
from core.weeks import name_of
from kpis.backlog import left
from kpis.facts.work_found import Found
from kpis.formulas import HOUR
from kpis.models import LabourCapacity, NetMargin
from kpis.repairs import parts
from kpis.work import in_time, preventive_compliance
from workorders.models import WorkOrder
from workorders.states import Priority

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


def first(counting: Collection[int], assets: QuerySet[Asset]) -> Iterator[Asset]:
    """The assets in the order of their codes, those that count before the others, of which only few may be listed."""
    yield from assets.filter(pk__in=counting).order_by("code")
    yield from assets.exclude(pk__in=counting).order_by("code")


class Rows(Found):
    """The records of one subject in one bucket."""

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

    def upkeep(self) -> Iterator[Record]:
        """The replacement values, and what was spent; what such a value is not of does not count."""
        own = {each.asset_id for each, _ in self.work.replaced.own if each.root == self.root}
        wide, valued = self.wide(), self.valued()
        for row in first(own, Asset.objects.filter(pk__in=wide.held, replacement_value__isnull=False)):
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
        charged = self.charged()
        for row in first(charged, assets):
            for price in prices(row):
                since, until = (day and self.site.day_begins(day) for day in (price.since, price.until))
                if (until and until <= self.start) or (since and since >= self.end):
                    continue
                words = _("cost of one hour down")
                if price.amount is None:
                    words = _("has no cost of one hour down")
                elif until and until < self.end:
                    words = _("cost of one hour down, until %(day)s") % {"day": formats.date_format(price.until)}
                if price.amount is not None and row.pk not in charged:
                    words = _("%(what)s; charged with what it stands below") % {"what": words}
                yield Record(
                    "asset", row.pk, row.code, row.name, row.get_absolute_url(), since,
                    {"amount": None if price.amount is None else float(price.amount)}, words,
                    counts=price.amount is not None and row.pk in charged,
                )  # fmt: skip

    def stood_today(self) -> Iterator[Record]:
        """The assets with what an hour of them costs today."""
        charged = self.charged(today=True)
        for row in first(charged, Asset.objects.filter(pk__in=self.held)):
            amount = row.downtime_cost
            words = _("has no cost of one hour down") if amount is None else _("cost of one hour down today")
            if amount is not None and row.pk not in charged:
                words = _("%(what)s; charged with what it stands below") % {"what": words}
            yield Record(
                "asset", row.pk, row.code, row.name, row.get_absolute_url(), None,
                {"amount": None if amount is None else float(amount)}, words, counts=row.pk in charged,
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

    def _order(self, row: WorkOrder, at: datetime, numbers: dict, remark: str, *, counts: bool = True) -> Record:
        return Record(
            "work_order", row.pk, row.asset.code, f"{row.code} {row.summary}", row.get_absolute_url(), at, numbers,
            remark, counts=counts,
        )  # fmt: skip
