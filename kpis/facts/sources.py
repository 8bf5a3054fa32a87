"""Where the records behind a figure of time and counts come from, and how long after the fact they were entered."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.urls import reverse

from assets.models import Asset, Placement
from kpis.facts.held import TOUCHING
from kpis.facts.ranges import literal

NAMED = 20  # assets of one source, those with most records first
SILENT = 200  # assets that gave nothing
DAY = timedelta(days=1)
PAGES = {"stop": "downtime", "failure": "failure", "order": "work-order", "request": "request"}

RECORDS = f"""
    WITH record AS (
        SELECT 'stop' AS kind, source, asset_id, id, entered_at FROM assets_downtime
        WHERE asset_id = ANY(%(assets)s::bigint[]) AND {TOUCHING}
        UNION ALL
        SELECT 'failure', source, asset_id, id, entered_at FROM assets_failure
        WHERE asset_id = ANY(%(assets)s::bigint[]) AND occurred >= %(start)s AND occurred < %(end)s
        UNION ALL
        SELECT 'count', source, asset_id, id, entered_at FROM production_count
        WHERE asset_id = ANY(%(assets)s::bigint[]) AND start < %(end)s AND "end" > %(start)s
            AND (start >= %(start)s - interval '24 hours' OR "end" - start > interval '24 hours')
    )
    SELECT kind, source, asset_id, count(*), max(entered_at), (array_agg(id ORDER BY entered_at DESC, id DESC))[1]
    FROM record GROUP BY 1, 2, 3"""

LAGS = f"""
    SELECT count(*), percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY lag), max(lag),
        count(*) FILTER (WHERE lag > %(day)s), (array_agg(id ORDER BY lag DESC, id DESC))[1],
        count(*) FILTER (WHERE open)
    FROM (
        SELECT id, "end" IS NULL AS open, greatest(date_part('epoch', entered_at - start), 0) AS lag
        FROM assets_downtime
        WHERE asset_id = ANY(%(assets)s::bigint[]) AND {TOUCHING}
    ) stop"""


@dataclass(frozen=True)
class Given:
    """What one source gave of one kind of record ("stop", "failure", "count", "order", "request") in the window.

    `assets` are the `NAMED` with most records, with their numbers; `covers` is how many there are.
    """

    kind: str
    source: str  # a Source, or "plan"
    records: int
    last: datetime  # entered
    last_id: int
    last_asset: int
    assets: list[tuple[Asset, int]]
    covers: int

    @property
    def url(self) -> str:
        """Where its last record stands; counts stand with their asset."""
        if self.kind == "count":
            return f"{reverse('asset', args=[self.last_asset])}?tab=counts"
        return reverse(PAGES[self.kind], args=[self.last_id])


@dataclass(frozen=True)
class Lag:
    """How long after their beginning stops were entered, s; those that were entered before count as 0.

    `open` is how many of the stops have not ended.
    """

    stops: int
    median: float
    ninth_decile: float  # nine of ten came sooner
    longest: float
    late: int  # more than a day
    longest_id: int
    open: int

    @property
    def url(self) -> str:
        """The stop that was entered last after its beginning."""
        return reverse("downtime", args=[self.longest_id])


@dataclass(frozen=True)
class Sources:
    """The sources of a figure, stops before failures before counts, those with most records first.

    `listed` are assets of which something is recorded, but nothing in this window: of them and of what stops them.
    Without a record they count as running. `quiet` says how many there are, `SILENT` are listed.
    """

    given: list[Given]
    listed: list[Asset]
    quiet: int


def sources(
    asset_ids: Sequence[int], around: Sequence[int], unobserved: Iterable[int], start: datetime, end: datetime
) -> Sources:
    """Of records in [start, end) of the assets that count and of those `around` that can stop them."""
    with connection.cursor() as cursor:
        cursor.execute(RECORDS, {"assets": literal(around), "start": start, "end": end})
        rows = cursor.fetchall()
    by_source: dict[tuple[str, str], list[tuple]] = defaultdict(list)
    for kind, source, *row in rows:
        by_source[kind, source].append(row)
    listed = sorted(set(asset_ids) - _heard({row[2] for row in rows}, around) - set(unobserved))
    most = {key: sorted(each, key=lambda row: (-row[1], row[0])) for key, each in by_source.items()}
    named = {row[0] for each in most.values() for row in each[:NAMED]}
    assets = Asset.objects.only("code", "name").in_bulk([*named, *listed[:SILENT]])
    given = []
    for (kind, source), each in most.items():
        last = max(each, key=lambda row: (row[2], row[3]))
        shown = [(assets[asset_id], number) for asset_id, number, *_ in each[:NAMED]]
        records = sum(row[1] for row in each)
        given.append(Given(kind, source, records, last[2], last[3], last[0], shown, len(each)))
    order = ("stop", "failure", "count")
    return Sources(
        sorted(given, key=lambda each: (order.index(each.kind), -each.records, each.source)),
        sorted((assets[pk] for pk in listed[:SILENT]), key=lambda asset: asset.code),
        len(listed),
    )


def _heard(recorded: set[int], around: Sequence[int]) -> set[int]:
    """Those of which something is recorded, and all that they can stop at any time."""
    above = defaultdict(set)
    rows = Placement.objects.filter(asset__in=around).exclude(parent=None)
    for asset_id, parent, stops, group in rows.values_list(
        "asset_id", "parent_id", "stops_parent", "redundancy_group_id"
    ):
        if stops or group:
            above[asset_id].add(parent)
    found, new = set(recorded), set(recorded)
    while new:
        new = {parent for each in new for parent in above[each]} - found
        found |= new
    return found


def lag(around: Sequence[int], start: datetime, end: datetime) -> Lag | None:
    """Of the stops that touch [start, end); None without any."""
    with connection.cursor() as cursor:
        cursor.execute(LAGS, {"assets": literal(around), "start": start, "end": end, "day": DAY.total_seconds()})
        stops, quantiles, *others = cursor.fetchone()
    return Lag(stops, *quantiles, *others) if stops else None
