"""The plain records of some assets, as `kpis.oracle` takes them: for the inputs and failures of one figure, and for
the audit.

The set-based statement never comes here; so what is computed from these records checks it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q

from assets import models as assets
from core.models import Site
from kpis import oracle
from kpis.facts.plans import calendars_of
from kpis.intervals import Calendar, Span, utc
from kpis.plain_records import BEGINNING, END, Count, Failure, Group, Placement, Records, Stop
from production import models as production

# The assets whose stops can reach the asked ones, and all above those, whose calendars they may follow.
AROUND = """
    WITH RECURSIVE down AS (
        SELECT id FROM unnest(%(assets)s::bigint[]) AS id
        UNION
        SELECT p.asset_id FROM down JOIN assets_placement p ON p.parent_id = down.id
            AND (p.stops_parent OR p.redundancy_group_id IS NOT NULL)
    ), up AS (
        SELECT id FROM down
        UNION
        SELECT p.parent_id FROM up JOIN assets_placement p ON p.asset_id = up.id AND p.parent_id IS NOT NULL
    )
    SELECT id, id IN (SELECT id FROM down) FROM up"""


@dataclass(slots=True)
class Shelf:
    """Records of a site around some assets, kept by asset."""

    site: Site
    now: datetime
    calendars: dict[int | None, list[Calendar]] = field(default_factory=dict)
    lives: dict[int, Span] = field(default_factory=dict)
    short_stops: dict[int, float] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    stops: dict[int, list[Stop]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[int, list[Failure]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[int, list[Count]] = field(default_factory=lambda: defaultdict(list))

    def of(self, asset_id: int) -> Records:
        """Everything that concerns one asset."""
        below = self._below(asset_id)
        return Records(
            now=self.now,
            zone=self.site.zone,
            stops=[stop for each in below for stop in self.stops.get(each, ())],
            failures=[failure for each in below for failure in self.failures.get(each, ())],
            counts=self.counts.get(asset_id, []),
            placements=self.placements,
            groups=self.groups,
            calendars=self.calendars,
            lives=self.lives,
            short_stops=self.short_stops,
            overrun_is_unplanned=self.site.overrun_is_unplanned,
            merge_gap=self.site.merge_gap,
        )

    def above(self, asset_ids: Iterable[int]) -> set[int]:
        """All that these assets could stop at some time."""
        found: set[int] = set()
        new = set(asset_ids)
        while new:
            new = {
                each.parent
                for each in self.placements
                if each.asset in new and (each.stops_parent or each.group) and each.parent is not None
            } - found
            found |= new
        return found

    def _below(self, asset_id: int) -> set[int]:
        found, new = {asset_id}, {asset_id}
        while new:
            new = {
                each.asset
                for each in self.placements
                if each.parent in new and (each.stops_parent or each.group) and each.asset not in found
            }
            found |= new
        return found


def shelf(
    site: Site, asset_ids: Iterable[int], start: datetime, end: datetime, now: datetime, *, stops_only: bool = False
) -> Shelf:
    """The records that can matter to these assets between two instants, in a constant number of queries.

    Failures are taken from their beginning on: a long one may have begun at any time; stops as far back as the site's
    merge gap, in which a failure that they brought takes in a further one. A count that reaches over an end
    of the time is split by what stopped the asset in all of it, so stops are taken as far as the counts reach.
    `stops_only` leaves failures and counts out, and stops that matter to failures or counts alone.
    """
    found, below = _standing(site, asset_ids, now)
    if not stops_only:
        counts = production.Count.objects.filter(asset__in=below, start__lt=end, end__gt=start)
        for row in counts.order_by("start", "pk"):
            found.counts[row.asset_id].append(_count(row))
    counted = [count.span for each in found.counts.values() for count in each]
    first = min([start if stops_only else start - site.merge_gap, *(span.start for span in counted)])
    past = max([end, *(span.end for span in counted)])
    lasting = Q(end=None) | Q(end__gte=first)
    during = assets.Downtime.objects.filter(asset__in=below)
    failed = assets.Failure.objects.filter(asset__in=below, occurred__lt=end)
    linked = failed.exclude(downtime=None).values("downtime")
    around_failures = Q(start__gte=first) | lasting | Q(pk__in=linked) | Q(failures__asset__in=below)
    rows = during.filter(lasting if stops_only else around_failures, start__lt=past).distinct()
    for row in rows.order_by("start", "pk").values_list(*STOP):
        stop = _stop(*row)
        found.stops[stop.asset].append(stop)
    if stops_only:
        return found
    for row in failed.order_by("occurred", "pk").values_list(*FAILURE):
        found.failures[row[1]].append(failure_of(*row))
    return found


def silence_records(
    site: Site, asset_ids: Iterable[int], first: date, last: date, now: datetime
) -> Iterator[tuple[int, Records]]:
    """Each asset with the records, and the settings, that say on which days from `first` to `last` it was silent.

    Of what is counted these are the first count and what was told around those days, of others everything.
    """
    limits = dict(assets.Asset.objects.filter(pk__in=asset_ids).values_list("pk", "silence_days"))
    first_counts: dict[int, Count] = {}
    served = Q(asset__commissioned=None) | Q(end__gt=F("asset__commissioned"))
    rows = production.Count.objects.filter(served, asset__in=limits)
    for row in rows.order_by("asset_id", "start", "pk").distinct("asset_id"):
        first_counts[row.asset_id] = _count(row)
    longest = max([site.count_silence_days or 0, *(days or 0 for days in limits.values())])
    around = site.day_begins(first - timedelta(days=longest + 1)), site.day_begins(last + timedelta(days=1))
    for ids, start, end in (
        (first_counts.keys(), *around),
        (limits.keys() - first_counts.keys(), BEGINNING, now),
    ):
        known = shelf(site, ids, start, end, now) if ids else None
        for asset_id in sorted(ids) if known else ():
            records = known.of(asset_id)
            yield (
                asset_id,
                replace(
                    records,
                    counts=[*([first_counts[asset_id]] if asset_id in first_counts else []), *records.counts],
                    day_start=site.day_start,
                    count_silence_days=site.count_silence_days,
                    stop_silence_days=site.stop_silence_days,
                    silence_days={pk: days for pk, days in limits.items() if days is not None},
                ),
            )


def lasting_now(site: Site, asset_ids: Iterable[int], now: datetime) -> Shelf:
    """What says how these assets are doing at this moment: the stops that last, and nothing of the past."""
    found, below = _standing(site, asset_ids, now)
    rows = assets.Downtime.objects.filter(Q(end=None) | Q(end__gte=now), asset__in=below, start__lte=now)
    for row in rows.order_by("start", "pk").values_list(*STOP):
        stop = _stop(*row)
        found.stops[stop.asset].append(stop)
    return found


def failed_below(
    site: Site, spans: Iterable[tuple[int, datetime, datetime]], start: datetime, end: datetime, now: datetime
) -> set[int]:
    """The failures of other assets that stopped the asset of a span (asset, from, to) from a moment in it on.

    The spans lie in [start, end).
    """
    spans = list(spans)
    known = shelf(site, {asset_id for asset_id, _, _ in spans}, start, end, now, stops_only=True)
    ids = [stop.id for each in known.stops.values() for stop in each]
    if not ids:
        return set()
    around = assets.Downtime.objects.filter(pk__in=ids, asset=OuterRef("asset"), start__lte=OuterRef("occurred"))
    during = Exists(around.filter(Q(end=None) | Q(end__gt=OuterRef("occurred"))))
    rows = assets.Failure.objects.filter(asset__in=list(known.stops), occurred__lt=end)
    for row in rows.filter(Q(downtime__in=ids) | (Q(downtime=None) & during)).values_list(*FAILURE):
        known.failures[row[1]].append(failure_of(*row))
    above = known.above(known.failures)
    return {
        failed.item
        for asset_id, since, until in spans
        if asset_id in above
        for failed in oracle.failed_below(known.of(asset_id), asset_id)
        if since <= failed.occurred < until
    }


def _standing(site: Site, asset_ids: Iterable[int], now: datetime) -> tuple[Shelf, list[int]]:
    """Where the assets and those around them stand and by which calendars; with those whose stops can reach them."""
    with connection.cursor() as cursor:
        cursor.execute(AROUND, {"assets": list(asset_ids)})
        around = dict(cursor.fetchall())
    found = Shelf(site, utc(now), calendars_of(site))
    below = [asset_id for asset_id, reaches in around.items() if reaches]
    for row in assets.Asset.objects.filter(pk__in=around).only("commissioned", "retired", "short_stop_seconds"):
        found.lives[row.pk] = _span(row.commissioned, row.retired)
        found.short_stops[row.pk] = row.short_stop_seconds
    for row in assets.Placement.objects.filter(asset__in=around).order_by("asset_id", "valid"):
        valid = _span(row.valid.lower, row.valid.upper)
        found.placements.append(
            Placement(row.asset_id, row.parent_id, row.stops_parent, row.redundancy_group_id, valid)
        )
    for row in assets.RedundancyGroup.objects.filter(parent__in=below):
        found.groups.append(Group(row.pk, row.parent_id, row.needed))
    return found, below


def _span(start: datetime | None, end: datetime | None) -> Span:
    lower = utc(start) if start else BEGINNING
    return Span(lower, max(lower, utc(end) if end else END))


STOP = (
    "pk", "asset_id", "start", "end", "planned", "planned_end", "reason_id", "reason__excluded", "reason__loss_class",
)  # fmt: skip


def _stop(pk, asset_id, start, end, planned, planned_end, reason_id, excluded, loss_class) -> Stop:
    return Stop(
        id=pk,
        asset=asset_id,
        start=_whole(start),
        end=end and _whole(end),
        planned=planned,
        excluded=bool(planned and excluded),
        planned_end=planned_end and _whole(planned_end),
        reason=reason_id,
        loss=loss_class or "unclassified",
    )


FAILURE = ("pk", "asset_id", "occurred", "restored", "downtime_id", "detection")


def failure_of(pk, asset_id, occurred, restored, downtime_id, detection) -> Failure:
    """A row of FAILURE."""
    return Failure(
        id=pk,
        asset=asset_id,
        occurred=_whole(occurred),
        restored=restored and _whole(restored),
        stop=downtime_id,
        found=detection == "maintenance",
    )


def _count(row: production.Count) -> Count:
    start, end = _whole(row.start), _whole(row.end)
    return Count(
        asset=row.asset_id,
        span=Span(start, max(end, start)),
        good=float(row.good),
        scrap=float(row.scrap),
        rework=float(row.rework),
        ideal_cycle=float(row.ideal_cycle),
    )


def _whole(moment: datetime) -> datetime:
    """Facts are made of whole seconds."""
    return utc(moment).replace(microsecond=0)
