"""The inputs of a figure of work as rows of a table that reproduces it in a spreadsheet.

One row is one record; what it gives to the figure stands in columns of numbers (seconds, money, 1 for yes, 0 for no),
so that sums, means and quantiles of columns are the figure; docs/how-to/figures.md says how for each.
"""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from assets.models import Asset, DowntimeReason
from core.errors import Refused
from core.weeks import name_of
from kpis import crew, inputs
from kpis.axis import epoch, instant
from kpis.definitions import WorkDefinition
from kpis.facts.priced import outermost, priced_among
from kpis.facts.records import shelf
from kpis.facts.repairing import scheduled_of
from kpis.facts.stated import capacities_of, margins_of
from kpis.facts.work_rows import Rows
from kpis.figures import Period
from kpis.formulas import HOUR
from kpis.intervals import Span, span, union
from kpis.margin import holding, shares, years_in
from kpis.repairs import parts
from kpis.timeline import State
from kpis.work import in_time, preventive_compliance
from workorders.models import WorkOrder
from workorders.states import Priority

MOST = 100_000  # records of one file
SPAN = ("asset", "kind", "record", "label", "from", "to", "seconds")
STOPS = (*SPAN, "reason", "hourly_cost", "amount")
COLUMNS = {
    "preventive": (
        "asset", "kind", "record", "label", "from", "to", "days", "interval_days", "state", "counts", "in_time",
        "days_late", "late_interval_days",
    ),
    "labour": (*SPAN, "planned", "emergency"),
    "agreed": (*SPAN, "week", "state", "kept"),
    "break_in": (*SPAN, "agreed", "break_in"),
    "requests": (*SPAN, "state", "counts"),
    "backlog": (*SPAN, "state", "estimate", "worked", "left", "ready"),
    "closed": (*SPAN, "problem", "after", "rework"),
    "spent": (*SPAN, "amount"),
    "stood": STOPS,
    "lens": STOPS,
    "stood_today": STOPS,
    "lens_today": STOPS,
    "load": (*SPAN, "state", "estimate", "worked", "left", "ready", "weekly"),
    "wrench": (*SPAN, "planned", "emergency", "paid"),
    "unit_cost": (*SPAN, "amount", "pieces"),
    "upkeep": (*SPAN, "amount", "value", "years"),
    "repairs": (
        *SPAN, "state", "scheduled", "detection", "repair", "waiting", "active_repair", "hand_back",
        "active_repair_scheduled",
    ),
}  # fmt: skip


def columns_of(definition: WorkDefinition) -> tuple[str, ...]:
    return COLUMNS[definition.records]


def rows(period: Period, definition: WorkDefinition) -> list[dict]:
    """Rows of the definition's columns, read here and now; Refused where they would be too many."""
    if period.start >= period.now:
        return []
    found = getattr(File(period, definition), definition.records)()
    kept = []
    for row in found:
        kept.append(row)
        if len(kept) > MOST:
            message = _("The records of this figure are too many for one file; ask for a shorter window.")
            raise Refused(message, code="too_many", field="from")
    return kept


class File:
    """The rows of one figure; a generator for each kind of record, named as `WorkDefinition.records`."""

    def __init__(self, period: Period, definition: WorkDefinition):
        self.period, self.definition = period, definition
        self.read = Rows(period.work, period.place, definition.rule)
        self.start, self.end = self.read.start, self.read.end

    def preventive(self) -> Iterator[dict]:
        read = self.read
        for row, due in read.occurrences(MOST + 1):
            days = ((due.done or read.today) - due.due).days
            judged = preventive_compliance([due], read.today, read.rule)
            late = not due.skipped and (due.done is not None or days > 0)
            yield {
                "asset": row.asset.code, "kind": "occurrence", "record": row.pk, "label": row.plan.name,
                "from": row.due, "to": row.done_at if due.done else None, "days": days,
                "interval_days": due.interval,
                "state": "skipped" if due.skipped else "done" if due.done else "not done",
                "counts": judged.judged, "in_time": int(judged.judged and in_time(due, read.rule)),
                "days_late": max(0, days) if late else None, "late_interval_days": due.interval if late else None,
            }  # fmt: skip

    def labour(self) -> Iterator[dict]:
        for row, seconds in self.read.worked(MOST + 1):
            yield {
                **self._clipped(row), "kind": "labour", "label": str(row.person), "seconds": seconds,
                "planned": int(row.planned), "emergency": int(row.order.priority == Priority.EMERGENCY),
            }  # fmt: skip

    def agreed(self) -> Iterator[dict]:
        """The orders that were agreed, each with its week."""
        for week, row, completed in self.read.promised(MOST + 1):
            kept = completed is not None and week.start <= completed < week.end
            yield {
                **self._of_order(row), "from": week.start, "to": completed, "week": name_of(week.monday),
                "state": row.state, "kept": int(kept),
            }  # fmt: skip

    def break_in(self) -> Iterator[dict]:
        for row, seconds, agreed, broken_in in self.read.beside_weeks(MOST + 1):
            yield {
                **self._clipped(row), "kind": "labour", "label": str(row.person), "seconds": seconds,
                "agreed": agreed, "break_in": broken_in,
            }  # fmt: skip

    def requests(self) -> Iterator[dict]:
        for row, answered, accepted in self.read.asked(MOST + 1):
            yield {
                "asset": row.asset.code, "kind": "request", "record": row.pk, "label": row.summary,
                "from": row.reported_at, "to": row.answered_at if answered else None,
                "seconds": (row.answered_at - row.reported_at).total_seconds() if answered else None,
                "state": "accepted" if accepted else "declined" if answered else "waiting", "counts": int(accepted),
            }  # fmt: skip

    def backlog(self) -> Iterator[dict]:
        known = self.period.work.of("backlog", self.period.place)
        for row, waiting in self.read.waiting(MOST + 1):
            left = None if waiting.estimate is None else max(0.0, waiting.estimate - waiting.worked)
            yield {
                **self._of_order(row), "from": row.created, "to": self.end,
                "seconds": (self.end - row.created).total_seconds(), "state": row.state,
                "estimate": waiting.estimate, "worked": waiting.worked, "left": left,
                "ready": int(waiting.ready) if known.ready_known else None,
            }  # fmt: skip

    def load(self) -> Iterator[dict]:
        """The same, and what the crew can work in a week at the end."""
        site, window = self.period.site, span(self.start, self.end)
        for part, rate in list(holding(capacities_of(site), window, site.day_begins))[-1:]:
            yield {
                "asset": site.code, "kind": "labour capacity", "from": part.start, "to": part.end,
                "weekly": rate.net * HOUR,
            }  # fmt: skip
        yield from self.backlog()

    def wrench(self) -> Iterator[dict]:
        """The labour, and the hours that are paid."""
        site, window = self.period.site, span(self.start, self.end)
        for part, rate in holding(capacities_of(site), window, site.day_begins):
            yield {
                "asset": site.code, "kind": "paid hours", "from": part.start, "to": part.end,
                "paid": None if rate.paid is None else crew.paid(part, rate),
            }  # fmt: skip
        yield from self.labour()

    def closed(self) -> Iterator[dict]:
        closed = self.read.finished(MOST + 1)
        former = self.read.former(closed)
        for row in closed:
            before = former.get(row.pk)
            yield {
                **self._of_order(row), "from": row.reported_at, "to": row.closed_at,
                "problem": str(row.failure.problem) if row.failure and row.failure.problem else None,
                "after": before.code if before else None, "rework": int(before is not None),
            }  # fmt: skip

    def spent(self) -> Iterator[dict]:
        for cost in self.read.paid(MOST + 1):
            yield self._cost(cost)
        yield from self._without_a_price()

    def unit_cost(self) -> Iterator[dict]:
        """The pieces of each asset whose counts are added up, and what was spent."""
        for asset, pieces in self.read.pieces():
            yield {"asset": asset.code, "kind": "pieces", "from": self.start, "to": self.end, "pieces": pieces}
        self.read = self.read.wide()
        yield from self.spent()

    def upkeep(self) -> Iterator[dict]:
        """The replacement values with the years for which they held, and what was spent on what they are of."""
        for asset, value, part in self.read.values():
            years = years_in(part.start, part.end, self.period.site.day_begins)
            yield {
                "asset": asset.code, "kind": "replacement value", "from": part.start, "to": part.end,
                "seconds": part.seconds, "value": value, "years": years,
            }  # fmt: skip
        valued = self.read.valued()
        self.read = self.read.wide()
        for cost in self.read.paid(MOST + 1):
            if valued(cost.order.asset_id, cost.at):
                yield self._cost(cost)
        yield from self._without_a_price()

    def _cost(self, cost) -> dict[str, Any]:
        return {
            **self._of_order(cost.order), "kind": "cost", "label": cost.source, "from": cost.at,
            "amount": float(cost.amount),
        }  # fmt: skip

    def _without_a_price(self) -> Iterator[dict]:
        for row, seconds in self.read.worked(MOST + 1, cost__isnull=True):
            yield {
                **self._clipped(row), "kind": "labour without a price", "label": str(row.person), "seconds": seconds,
            }  # fmt: skip

    def stood_today(self) -> Iterator[dict]:
        return self.stood(today=True)

    def lens_today(self) -> Iterator[dict]:
        return self.lens(today=True)

    def stood(self, *, today: bool = False) -> Iterator[dict]:
        """The spans in which priced assets were down, with what an hour of them cost then."""
        period, work = self.period, self.period.work
        own = [each for each in work.members if each.root == self.read.root]
        priced, costs = priced_among(period.site, own, today=today)
        if not priced:
            return
        bucket = work.cut.buckets[self.read.bucket]
        held = outermost(period.site, own, priced, costs, [bucket])
        inputs.check_size(len(held), self.start, self.end)
        ids = {each.asset_id for each, _cost in held}
        known = shelf(period.site, ids, self.start, self.end, period.now, stops_only=True)
        reasons = dict(DowntimeReason.objects.filter(site=period.site).values_list("pk", "code"))
        lo, hi = epoch(self.start), epoch(self.end)
        for each, cost in sorted(held, key=lambda pair: (priced[pair[0].asset_id].code, pair[0].since)):
            window = Span(instant(max(lo, each.since)), instant(min(hi, each.until)))
            for row in inputs.spans(known.of(each.asset_id), each.asset_id, window, State.DOWN):
                reason = reasons.get(row.pop("reason_id"))
                yield {"asset": priced[each.asset_id].code, "reason": reason, "hourly_cost": cost, **row}

    def lens(self, *, today: bool = False) -> Iterator[dict]:
        """The same, and what the site earned in each calendar year."""
        site = self.period.site
        for each in shares(margins_of(site), span(self.start, self.end), site.day_begins):
            yield {
                "asset": site.code, "kind": "net margin", "label": f"{each.yearly:.2f} / {each.year:.0f} s",
                "from": each.span.start, "to": each.span.end, "seconds": each.span.seconds, "amount": each.amount,
            }  # fmt: skip
        yield from self.stood(today=today)

    def repairs(self) -> Iterator[dict]:
        told = self.period.work.told
        scheduled = scheduled_of(self.period.reader, told)
        orders = WorkOrder.objects.in_bulk({order for each in told for order in each.orders})
        codes = dict(Asset.objects.filter(pk__in={each.repair.asset for each in told}).values_list("pk", "code"))
        for each in told:
            repair, found = each.repair, parts(each.repair)
            down = None if repair.restored is None else Span(repair.occurred, repair.restored)
            active = found.worked if found and found.active is not None else None
            yield {
                "asset": codes[repair.asset], "kind": "failure",
                "record": " ".join(orders[pk].code for pk in each.orders), "from": repair.occurred,
                "to": repair.restored, "seconds": down and down.seconds,
                "state": "open" if repair.open else "restored" if down else "no restoration time",
                "scheduled": None if down is None else scheduled(repair, union((down,))),
                "detection": found and found.detect, "repair": found and found.rest, "waiting": found and found.wait,
                "active_repair": found and found.active, "hand_back": found and found.hand_back,
                "active_repair_scheduled": None if active is None else scheduled(repair, active),
            }  # fmt: skip
        if self.definition.key == "inherent_availability":
            yield from self._operating()

    # --- Help

    def _operating(self) -> Iterator[dict]:
        """Operating time, which MTBF is made of."""
        period = self.period
        found = inputs.rows(
            period.site, period.members, period.start, period.end, past=self.end, now=period.now,
            unobserved=period.unobserved, silent=period.silent,
        )  # fmt: skip
        columns = set(columns_of(self.definition)) - {"record"}
        for row in found:
            if row["kind"] == State.OPERATING:
                yield {name: value for name, value in row.items() if name in columns}

    def _of_order(self, row: WorkOrder) -> dict[str, Any]:
        return {"asset": row.asset.code, "kind": "order", "record": row.code, "label": row.summary}

    def _clipped(self, labour) -> dict[str, Any]:
        """Labour on an order, inside the window."""
        start, end = max(labour.start, self.start), min(labour.end or self.end, self.end)
        return self._of_order(labour.order) | {"from": start, "to": end}
