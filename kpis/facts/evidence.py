"""What is known of the records behind a figure: how many, how late, how old, how well classified."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q

from assets.models import Downtime, Failure
from kpis.facts.held import seconds
from kpis.trust import Evidence
from production.models import Count as Counted
from workorders.guards import ASKS_FOR_FAILURE
from workorders.models import WorkOrder
from workorders.states import State

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
# The assets themselves and those below whose stops can reach them, at any time.
REACHING = """
    WITH RECURSIVE down AS (
        SELECT id FROM unnest(%(assets)s::bigint[]) AS id
        UNION
        SELECT p.asset_id FROM down JOIN assets_placement p ON p.parent_id = down.id
            AND (p.stops_parent OR p.redundancy_group_id IS NOT NULL)
    ) SELECT id FROM down"""


def reaching(asset_ids: Sequence[int]) -> list[int]:
    """These assets and all whose stops can stop them."""
    with connection.cursor() as cursor:
        cursor.execute(REACHING, {"assets": list(asset_ids)})
        return [pk for (pk,) in cursor.fetchall()]


def lasting(asset_id: int, lo: int, hi: int, now: int) -> tuple[int, int]:
    """The span widened by all stops and failures that reach over its ends, as a failure event may go on in them."""
    with connection.cursor() as cursor:
        widened = None
        while widened != (lo, hi):
            widened = lo, hi
            cursor.execute(LASTING, {"assets": reaching([asset_id]), "lo": lo, "hi": hi, "now": now})
            lo, hi = cursor.fetchone()
    return lo, hi


LASTING = f"""
    SELECT least(%(lo)s, min({seconds("r.start")})), greatest(%(hi)s, max({seconds("r.past")}) + 1) FROM (
        SELECT start, coalesce("end", to_timestamp(%(now)s)) AS past FROM assets_downtime
        WHERE asset_id = ANY(%(assets)s::bigint[]) AND start <= to_timestamp(%(hi)s)
            AND ("end" IS NULL OR "end" >= to_timestamp(%(lo)s))
        UNION ALL
        SELECT occurred, restored FROM assets_failure
        WHERE asset_id = ANY(%(assets)s::bigint[]) AND occurred <= to_timestamp(%(hi)s)
            AND restored >= to_timestamp(%(lo)s)
    ) r"""


def evidence(asset_ids: Sequence[int], start: datetime, end: datetime, now: datetime) -> Evidence:
    """Of stops and corrective orders that began in [start, end) on assets that `reaching` names, and the last entry of
    any kind."""
    failed = Exists(Failure.objects.filter(downtime=OuterRef("pk")))
    stops = Downtime.objects.filter(asset__in=asset_ids, start__gte=start, start__lt=min(end, now)).annotate(
        failed=failed
    )
    unplanned = Q(planned=False)
    counts = stops.aggregate(
        stops=Count("pk"),
        late=Count("pk", filter=Q(entered_at__gt=F("start") + DAY)),
        unplanned=Count("pk", filter=unplanned),
        unclassified=Count("pk", filter=unplanned & Q(reason=None, failed=False)),
    )
    of_all = Downtime.objects.filter(asset__in=asset_ids)
    stale = of_all.filter(end=None, start__lt=now - WEEK).count()
    entries = [
        of_all.aggregate(last=Max("entered_at"))["last"],
        Failure.objects.filter(asset__in=asset_ids).aggregate(last=Max("entered_at"))["last"],
        Counted.objects.filter(asset__in=asset_ids).aggregate(last=Max("entered_at"))["last"],
    ]
    last = max((each for each in entries if each and each <= now), default=None)
    orders = WorkOrder.objects.filter(
        asset__in=asset_ids, kind__in=ASKS_FOR_FAILURE, reported_at__gte=start, reported_at__lt=min(end, now),
        downtime=None, failure=None,
    ).exclude(state=State.CANCELLED)  # fmt: skip
    asked = orders.aggregate(orders=Count("pk"), unsaid=Count("pk", filter=Q(was_failure=None)))
    return Evidence(**counts, **asked, stale=stale, last_entry=last)
