"""Failure events with the work orders that ended them, for the parts of MTTR."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from kpis.axis import FAR, epoch, instant
from kpis.facts.live import Event
from kpis.facts.plans import Plans
from kpis.facts.ranges import literal
from kpis.facts.read import Reader
from kpis.facts.zones import Alike, Cut
from kpis.intervals import Span, Spans, span, union, utc
from kpis.repairs import Repair, Repairs, repairs
from workorders.models import Labour
from workorders.states import State


@dataclass(frozen=True, slots=True)
class Told:
    """One failure event, what its orders tell about it, and their ids."""

    event: Event
    repair: Repair
    orders: list[int]


def told(reader: Reader) -> list[Told]:
    """The failure events of a reader's members in its window, in order, as figures count them."""
    events = [event for event in reader.events() if event.counts]
    if not events:
        return []
    orders = orders_of(events, reader.clock.now)
    now = instant(reader.clock.now)
    worked: dict[int, list[Span]] = defaultdict(list)
    rows = Labour.objects.filter(order__in={order for each in orders.values() for order, _ in each})
    for order, start, end in rows.values_list("order_id", "start", "end"):
        worked[order].append(span(start, max(start, end or now)))
    return [
        Told(
            event,
            Repair(
                asset=event.asset_id,
                occurred=utc(event.occurred),
                restored=utc(event.restored) if event.restored else None,
                open=event.open,
                reported=min((utc(reported) for _, reported in orders[number]), default=None),
                work=union(*(worked[order] for order, _ in orders[number])),
            ),
            sorted(order for order, _ in orders[number]),
        )
        for number, event in enumerate(events)
    ]


def repairs_of(reader: Reader, cut: Cut, known: Sequence[Told]) -> dict[tuple[int, int], Repairs]:
    """By root and by the bucket in which the failures occurred, as the reader counts them."""
    if not known:
        return {}
    failed = {failure.repair.asset for failure in known}
    where: dict[int, list[tuple[int, Alike]]] = defaultdict(list)
    for alike in reader.groups:
        if reader.cuts[alike.cut] == cut:
            for root, asset_id in zip(alike.roots, alike.assets, strict=True):
                if asset_id in failed:
                    where[asset_id].append((root, alike))
    parts: dict[tuple[int, int], list[Repair]] = defaultdict(list)
    for failure in known:
        moment = epoch(failure.repair.occurred)
        bucket = bisect_right(cut.buckets, (moment, FAR)) - 1
        if bucket < 0 or moment >= cut.buckets[bucket][1]:
            continue
        for root, alike in where[failure.repair.asset]:
            if alike.since <= moment < alike.until:
                parts[root, bucket].append(failure.repair)
    scheduled = scheduled_of(reader, known)
    return {key: repairs(each, scheduled) for key, each in parts.items()}


def scheduled_of(reader: Reader, known: Sequence[Told]) -> Callable[[Repair, Spans], float]:
    """Tells the scheduled seconds of a repair's asset in spans; some end after the reader's window."""
    last = max((epoch(failure.repair.restored) for failure in known if failure.repair.restored), default=0)
    plans = reader.plans
    if last > plans.last:
        plans = Plans(reader.site, sorted({failure.repair.asset for failure in known}), reader.zones.start, last)

    def scheduled(repair: Repair, spans: Spans) -> float:
        plan = plans.stretches(repair.asset)
        return sum(plans.between(plan, epoch(each.start), epoch(each.end)) for each in spans)

    return scheduled


def orders_of(events: Sequence[Event], now: int) -> dict[int, list[tuple[int, datetime]]]:
    """By position of the event: the work orders of its failures, with the moment of their report.

    An asset's failure event may come from what stops it, so failures below are looked at as placed at that time.
    An order belongs to the failure that it names, else to that of its stop.
    """
    with connection.cursor() as cursor:
        cursor.execute(ORDERS, columns_of(events, now))
        found: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
        for number, order, reported in cursor.fetchall():
            found[number].append((order, reported))
    return found


def columns_of(events: Sequence[Event], now: int) -> dict:
    """The events as `FAILED` is given them."""
    return {
        "number": literal(range(len(events))),
        "asset": literal(event.asset_id for event in events),
        "occurred": literal(epoch(event.occurred) for event in events),
        "until": literal(min(epoch(event.until), now) for event in events),
        "now": now,
    }


# By number of the event its failures.
FAILED = """
event(number, asset_id, occurred, until) AS MATERIALIZED (
    SELECT number, asset_id, to_timestamp(occurred), to_timestamp(greatest(until, occurred + 1))
    FROM unnest(%(number)s::int[], %(asset)s::bigint[], %(occurred)s::bigint[], %(until)s::bigint[])
        AS e(number, asset_id, occurred, until)
), below(root, asset_id, since, until) AS (
    SELECT DISTINCT asset_id, asset_id, '-infinity'::timestamptz, 'infinity'::timestamptz FROM event
    UNION
    SELECT b.root, p.asset_id, greatest(b.since, lower(p.valid)), least(b.until, upper(p.valid))
    FROM below b JOIN assets_placement p ON p.parent_id = b.asset_id
        AND (p.stops_parent OR p.redundancy_group_id IS NOT NULL) AND p.valid && tstzrange(b.since, b.until)
), failed AS (
    SELECT e.number, f.*
    FROM event e JOIN below b ON b.root = e.asset_id
    CROSS JOIN LATERAL (
        SELECT f.id, f.downtime_id, f.occurred, f.entered_at FROM assets_failure f
        WHERE f.asset_id = b.asset_id AND f.occurred >= greatest(e.occurred, b.since)
            AND f.occurred < least(e.until, b.until) OFFSET 0
    ) f
)"""
ORDERS = f"""
WITH RECURSIVE {FAILED}
SELECT DISTINCT f.number, w.id, w.reported_at
FROM failed f CROSS JOIN LATERAL (
    SELECT * FROM workorders_workorder w WHERE w.failure_id = f.id
    UNION ALL
    SELECT * FROM workorders_workorder w WHERE w.failure_id IS NULL AND w.downtime_id = f.downtime_id
) w
WHERE w.state <> '{State.CANCELLED}' AND w.created <= to_timestamp(%(now)s)"""
