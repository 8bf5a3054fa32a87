"""What stops cost: the stop hours of the assets with an hourly cost."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q

from assets.hourly_costs import prices
from assets.models import Asset, FormerHourlyCost
from core.models import Site
from kpis.axis import FAR, epoch, instant
from kpis.backlog import Stood, stood
from kpis.facts.members import Scope, members
from kpis.facts.ranges import Ranges, merged, minus
from kpis.facts.read import Answers, Reader
from kpis.facts.zones import Bucket, Member
from kpis.formulas import NO_FACTS, Facts

FEW = 200  # assets that are asked for by their ids; of more, all of the site are

Sums = dict[tuple[int, int], Stood]  # by root and bucket
Apart = dict[int, list[tuple[Asset, Stood]]]  # by bucket
Prices = dict[int, list[tuple[int, int, float]]]  # asset → from, to and cost of an hour


def stops_of_priced(
    site: Site, among: Sequence[Member], buckets: Sequence[Bucket], now: datetime, *, apart: Iterable[int] = (),
    but: Asset | None = None, today: bool = False,
) -> tuple[Sums, Apart]:  # fmt: skip
    """The stops of all roots, and those of each asset that makes up the cost of the root `apart`.

    Each stop is counted at the price that held then; assets of one root with the same hourly cost are read together.
    The cost of `but`, the root's own asset, is not its own part: those that come next below it are. With `today` all
    stops are charged at the price of today, as version 1 of the figure did.
    """
    priced, costs = priced_among(site, among, today=today)
    if not priced:
        return {}, {}
    groups: dict[tuple[int, float], list[Member]] = defaultdict(list)
    for each, cost in outermost(site, among, priced, costs, buckets):
        groups[each.root, cost].append(each)
    alone: dict[tuple[int, float], list[Member]] = defaultdict(list)
    if apart := set(apart):
        below = {pk: asset for pk, asset in priced.items() if asset != but}
        for each, cost in outermost(site, [each for each in among if each.root in apart], below, costs, buckets):
            alone[each.asset_id, cost].append(each)
    counted = [
        each._replace(root=position)
        for position, group in enumerate([*groups.values(), *alone.values()])
        for each in group
    ]
    answers = Reader(site, counted, buckets, now).answers()
    found: Sums = defaultdict(Stood)
    apart_of: dict[int, dict[int, Stood]] = {}  # by bucket and asset
    for bucket, span in enumerate(buckets):
        there: dict[int, set[int]] = defaultdict(set)
        ranked = apart_of[bucket] = defaultdict(Stood)
        for position, ((root, cost), group) in enumerate(groups.items()):
            there[root] |= {each.asset_id for each in group if shares(each, span)}
            found[root, bucket] = added(found[root, bucket], facts(answers, position, bucket), cost, len(there[root]))
        for position, ((pk, cost), group) in enumerate(alone.items(), start=len(groups)):
            if any(shares(each, span) for each in group):
                ranked[pk] = added(ranked[pk], facts(answers, position, bucket), cost, 1)
    return dict(found), {
        bucket: [(priced[pk], stood) for pk, stood in ranked.items()] for bucket, ranked in apart_of.items()
    }


def charged(site: Site, among: Sequence[Member], bucket: Bucket, *, today: bool = False) -> set[int]:
    """The assets whose stops make up the cost of the members of one root."""
    priced, costs = priced_among(site, among, today=today)
    return {each.asset_id for each, _cost in outermost(site, among, priced, costs, [bucket])}


def priced_among(site: Site, among: Sequence[Member], *, today: bool = False) -> tuple[dict[int, Asset], Prices]:
    """The members with an hourly cost, at any time or `today`, and when an hour cost how much."""
    priced = assets_with_prices(site, {each.asset_id for each in among})
    if today:
        priced = {pk: asset for pk, asset in priced.items() if asset.downtime_cost is not None}
    return priced, prices_of_today(priced.values()) if today else prices_of(site, priced.values())


def assets_with_prices(site: Site, ids: set[int]) -> dict[int, Asset]:
    """Those of the assets of which an hour down costs something, or did so before."""
    before = FormerHourlyCost.objects.filter(asset=OuterRef("pk"), amount__isnull=False)
    rows = Asset.objects.filter(Q(downtime_cost__isnull=False) | Exists(before), site=site)
    rows = rows.select_related("site").prefetch_related("former_hourly_costs")
    if len(ids) <= FEW:
        rows = rows.filter(pk__in=ids)
    return {asset.pk: asset for asset in rows if asset.pk in ids}


def prices_of(site: Site, assets: Iterable[Asset]) -> Prices:
    """When an hour of each asset down cost how much; spans without a price are left out."""

    def begins(day: date | None, never: int) -> int:
        return never if day is None else epoch(site.day_begins(day))

    return {
        asset.pk: [
            (begins(each.since, -FAR), begins(each.until, FAR), float(each.amount))
            for each in prices(asset)
            if each.amount is not None
        ]
        for asset in assets
    }


def prices_of_today(assets: Iterable[Asset]) -> Prices:
    """The price of today for all times, of assets that have one."""
    return {asset.pk: [(-FAR, FAR, float(asset.downtime_cost))] for asset in assets}


def shares(member: Member, span: Bucket) -> bool:
    return member.since < span[1] and member.until > span[0]


def facts(answers: Answers, position: int, bucket: int) -> Facts:
    return answer.all if (answer := answers.get((position, bucket))) else NO_FACTS


def added(known: Stood, facts: Facts, cost: float, assets: int) -> Stood:
    """With the stops of more time or more assets, an hour of which costs the same; `assets` of them by now."""
    return Stood(
        seconds=known.seconds + facts.down,
        amount=known.amount + stood([(facts.down, cost)]),
        assets=assets,
        recorded=known.recorded + facts.recorded,
        scheduled=known.scheduled + facts.scheduled,
        unobserved=known.unobserved + facts.unobserved,
        calendar=known.calendar + facts.calendar,
    )


def outermost(
    site: Site, among: Sequence[Member], priced: dict[int, Asset], costs: Prices, buckets: Sequence[Bucket], *,
    there: Sequence[Member] | None = None,
) -> list[tuple[Member, float]]:  # fmt: skip
    """The priced members of each root while they stood below no other priced one, with the price of that time: no hour
    is charged twice. `there` is what stood below each of the priced ones, where that is known already."""
    rows = list(priced.values())
    if not rows:
        return []
    if there is None:
        there = members(site, rows, instant(buckets[0][0]), instant(buckets[-1][1]), Scope.SUBTREE)
    below: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # asset → (priced asset above, from, to)
    for each in there:
        above = rows[each.root].pk
        if each.asset_id in priced and each.asset_id != above:
            below[each.asset_id] += [(above, max(each.since, lo), min(each.until, hi)) for lo, hi, _ in costs[above]]
    spans: dict[int, Ranges] = defaultdict(lambda: defaultdict(list))
    for each in among:
        if each.asset_id in priced:
            spans[each.root][each.asset_id].append((each.since, each.until))
    return [
        (Member(root, asset_id, max(since, lo), min(until, hi)), cost)
        for root, own in spans.items()
        for asset_id, held in own.items()
        for since, until in minus(merged(held), merged((lo, hi) for above, lo, hi in below[asset_id] if above in own))
        for lo, hi, cost in costs[asset_id]
        if max(since, lo, buckets[0][0]) < min(until, hi, buckets[-1][1])
    ]
