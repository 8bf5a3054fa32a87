"""What stops cost: the stop hours of the assets with an hourly cost."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from assets.models import Asset
from core.models import Site
from kpis.axis import instant
from kpis.backlog import Stood, stood
from kpis.facts.members import Scope, members
from kpis.facts.ranges import Ranges, merged, minus
from kpis.facts.read import Reader
from kpis.facts.zones import Bucket, Member
from kpis.formulas import NO_FACTS, Facts

FEW = 200  # assets that are asked for by their ids; of more, all of the site are

Sums = dict[tuple[int, int], Stood]  # by root and bucket
Apart = dict[int, list[tuple[Asset, Stood]]]  # by bucket


def stops_of_priced(
    site: Site, among: Sequence[Member], buckets: Sequence[Bucket], now: datetime, *, apart: Iterable[int] = (),
    but: Asset | None = None,
) -> tuple[Sums, Apart]:  # fmt: skip
    """The stops of all roots, and those of each asset that makes up the cost of the root `apart`.

    Assets of one root with the same hourly cost are read together. The cost of `but`, the root's own asset, is not
    its own part: those that come next below it are.
    """
    ids = {each.asset_id for each in among}
    rows = Asset.objects.filter(site=site, downtime_cost__isnull=False).select_related("site")
    if len(ids) <= FEW:
        rows = rows.filter(pk__in=ids)
    priced = {asset.pk: asset for asset in rows if asset.pk in ids}
    if not priced:
        return {}, {}
    groups: dict[tuple[int, float], list[Member]] = defaultdict(list)
    for each in outermost(site, among, priced, buckets):
        groups[each.root, float(priced[each.asset_id].downtime_cost)].append(each)
    alone: dict[int, list[Member]] = defaultdict(list)
    if apart := set(apart):
        below = {pk: asset for pk, asset in priced.items() if asset != but}
        for each in outermost(site, [each for each in among if each.root in apart], below, buckets):
            alone[each.asset_id].append(each)
    counted = [
        Member(position, each.asset_id, each.since, each.until)
        for position, group in enumerate([*groups.values(), *alone.values()])
        for each in group
    ]
    answers = Reader(site, counted, buckets, now).answers()

    def facts(position: int, bucket: int) -> Facts:
        return answer.all if (answer := answers.get((position, bucket))) else NO_FACTS

    found: Sums = defaultdict(Stood)
    ranked: Apart = {number: [] for number in range(len(buckets))}
    for bucket in range(len(buckets)):
        for position, ((root, cost), group) in enumerate(groups.items()):
            assets = len({each.asset_id for each in group})
            found[root, bucket] = added(found[root, bucket], facts(position, bucket), cost, assets)
        for position, pk in enumerate(alone, start=len(groups)):
            cost = float(priced[pk].downtime_cost)
            ranked[bucket].append((priced[pk], added(Stood(), facts(position, bucket), cost, 1)))
    return dict(found), ranked


def added(known: Stood, facts: Facts, cost: float, assets: int) -> Stood:
    """With the stops of so many assets more, an hour of which costs the same."""
    return Stood(
        seconds=known.seconds + facts.down,
        amount=known.amount + stood([(facts.down, cost)]),
        assets=known.assets + assets,
        recorded=known.recorded + facts.recorded,
        scheduled=known.scheduled + facts.scheduled,
        unobserved=known.unobserved + facts.unobserved,
    )


def outermost(site: Site, among: Sequence[Member], priced: dict[int, Asset], buckets: Sequence[Bucket]) -> list[Member]:
    """The priced members of each root while they stood below no other priced one: no hour is charged twice."""
    rows = list(priced.values())
    if not rows:
        return []
    start, end = instant(buckets[0][0]), instant(buckets[-1][1])
    below: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # asset → (priced asset above, from, to)
    for each in members(site, rows, start, end, Scope.SUBTREE):
        above = rows[each.root].pk
        if each.asset_id in priced and each.asset_id != above:
            below[each.asset_id].append((above, each.since, each.until))
    spans: dict[int, Ranges] = defaultdict(lambda: defaultdict(list))
    for each in among:
        if each.asset_id in priced:
            spans[each.root][each.asset_id].append((each.since, each.until))
    return [
        Member(root, asset_id, since, until)
        for root, own in spans.items()
        for asset_id, held in own.items()
        for since, until in minus(merged(held), merged((lo, hi) for above, lo, hi in below[asset_id] if above in own))
        if since < buckets[-1][1] and until > buckets[0][0]
    ]
