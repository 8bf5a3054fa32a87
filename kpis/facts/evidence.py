"""What is known of the records behind a figure: how many, how late, how old, how well classified."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from assets.models import Downtime, Failure
from kpis.axis import epoch, instant
from kpis.facts.held import REACHING, seconds
from kpis.facts.ranges import Ranges, columns, literal
from kpis.facts.zones import Stretch
from kpis.intervals import utc
from kpis.supposing import Unsaid
from kpis.trust import Evidence
from workorders.guards import ASKS_FOR_FAILURE
from workorders.models import WorkOrder
from workorders.states import State

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def reaching(asset_ids: Sequence[int]) -> list[int]:
    """These assets and all whose stops can stop them."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE {REACHING} SELECT id FROM down", {"assets": list(asset_ids)})
        return [pk for (pk,) in cursor.fetchall()]


def lasting(spans: Ranges, now: int) -> Ranges:
    """Of each asset one span around its spans, widened by all stops and failures that reach over its ends, as a failure
    event may go on in them."""
    found = {asset_id: (min(lo for lo, _ in each), max(hi for _, hi in each)) for asset_id, each in spans.items()}
    before: dict[int, tuple[int, int]] = {}
    while found != before:
        before = dict(found)
        hulls = {asset_id: [span] for asset_id, span in found.items()}
        with connection.cursor() as cursor:
            cursor.execute(LASTING, columns("w", hulls) | {"now": now})
            found |= {asset_id: (lo, hi) for asset_id, lo, hi in cursor.fetchall()}
    return {asset_id: [span] for asset_id, span in found.items()}


LASTING = f"""
    WITH RECURSIVE w AS MATERIALIZED (
        SELECT * FROM unnest(%(w_asset)s::bigint[], %(w_lo)s::bigint[], %(w_hi)s::bigint[]) AS w(asset_id, lo, hi)
    ), down(root, id) AS (
        SELECT asset_id, asset_id FROM w
        UNION
        SELECT d.root, p.asset_id FROM down d CROSS JOIN LATERAL (
            SELECT asset_id FROM assets_placement p
            WHERE p.parent_id = d.id AND (p.stops_parent OR p.redundancy_group_id IS NOT NULL) OFFSET 0) p
    )
    SELECT w.asset_id, least(w.lo, min({seconds("r.start")})), greatest(w.hi, max({seconds("r.past")}) + 1)
    FROM w JOIN down d ON d.root = w.asset_id CROSS JOIN LATERAL (
        SELECT start, coalesce("end", to_timestamp(%(now)s)) AS past FROM assets_downtime
        WHERE asset_id = d.id AND start <= to_timestamp(w.hi) AND ("end" IS NULL OR "end" >= to_timestamp(w.lo))
        UNION ALL
        SELECT occurred, restored FROM assets_failure
        WHERE asset_id = d.id AND occurred <= to_timestamp(w.hi) AND restored >= to_timestamp(w.lo)
        OFFSET 0
    ) r GROUP BY w.asset_id, w.lo, w.hi"""


def evidence(
    asset_ids: Sequence[int], start: datetime, end: datetime, now: datetime, *,
    only: Collection[int] | None = None, counting: Sequence[Stretch] = (),
) -> Evidence:  # fmt: skip
    """Of stops that began in [start, end) on assets that `reaching` names, of corrective orders that did on those that
    are `counting` while they count, and the last entry of any kind. `only` are the stops that are in the figure, where
    they are known."""
    while_it_lasted = Q(downtime=None, asset=OuterRef("asset"), occurred__gte=OuterRef("start")) & Q(
        occurred__lt=Coalesce(OuterRef("end"), Value(now))
    )
    failed = Exists(Failure.objects.filter(Q(downtime=OuterRef("pk")))) | Exists(
        Failure.objects.filter(while_it_lasted)
    )
    of_all = Downtime.objects.filter(asset__in=asset_ids) if only is None else Downtime.objects.filter(pk__in=only)
    stops = of_all.filter(start__gte=start, start__lt=min(end, now)).annotate(failed=failed)
    unplanned = Q(planned=False)
    counts = stops.aggregate(
        stops=Count("pk"),
        late=Count("pk", filter=Q(entered_at__gt=F("start") + DAY)),
        unplanned=Count("pk", filter=unplanned),
        unclassified=Count("pk", filter=unplanned & Q(reason=None, failed=False)),
    )
    stale = of_all.filter(end=None, start__lt=now - WEEK).count()
    orders = corrective(counting, start, min(end, now))
    asked = orders.aggregate(orders=Count("pk"), unsaid=Count("pk", filter=Q(was_failure=None)))
    return Evidence(**counts, **asked, stale=stale, last_entry=last_entry(asset_ids, now))


def corrective(counting: Sequence[Stretch], start: datetime, end: datetime) -> QuerySet[WorkOrder]:
    """Corrective orders of no stop and no failure, reported in [start, end) on these assets while they counted."""
    lo, hi = epoch(start), epoch(end)
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)  # most stood there all the time
    for asset_id, since, until in (each.member[1:] for each in counting):
        alike[min(max(since, lo), hi), min(max(until, lo), hi)].append(asset_id)
    there = Q(pk=None)
    for (since, until), assets in alike.items():
        there |= Q(asset__in=assets, reported_at__gte=instant(since), reported_at__lt=instant(until))
    return WorkOrder.objects.filter(
        there, kind__in=ASKS_FOR_FAILURE, reported_at__gte=start, reported_at__lt=end, downtime=None, failure=None
    ).exclude(state=State.CANCELLED)


def unsaid(counting: Sequence[Stretch], start: datetime, end: datetime) -> list[Unsaid]:
    """Those of which nobody said whether they were a failure."""
    rows = corrective(counting, start, end).filter(was_failure=None).order_by("reported_at", "pk")
    return [Unsaid(asset_id, utc(reported)) for asset_id, reported in rows.values_list("asset_id", "reported_at")]


def last_entry(asset_ids: Sequence[int], now: datetime) -> datetime | None:
    """When a stop, a failure or a count of one of these assets was entered last; sought asset by asset."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_ENTRY, {"assets": literal(asset_ids), "now": now})
        return cursor.fetchone()[0]


LAST_ENTRY = "SELECT max(last) FROM unnest(%(assets)s::bigint[]) AS m(asset_id) CROSS JOIN LATERAL ({}) entered".format(
    " UNION ALL ".join(
        f"""(SELECT entered_at AS last FROM {table} r WHERE r.asset_id = m.asset_id AND entered_at <= %(now)s
            ORDER BY entered_at DESC LIMIT 1)"""
        for table in ("assets_downtime", "assets_failure", "production_count")
    )
)
