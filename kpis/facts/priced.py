"""What stops cost: the stop hours of the assets with an hourly cost."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from assets.models import Asset
from core.models import Site
from kpis.axis import instant
from kpis.backlog import Stood, stood
from kpis.facts.members import Scope, members
from kpis.facts.question import Ranges, merged, minus
from kpis.facts.read import Reader
from kpis.facts.zones import Bucket, Member


def stops_of_priced(
    site: Site, among: Sequence[Member], buckets: Sequence[Bucket], now: datetime
) -> dict[tuple[int, int], Stood]:
    """By root and bucket; assets of one root with the same hourly cost are read together."""
    priced = {
        asset.pk: asset
        for asset in Asset.objects.filter(pk__in={each.asset_id for each in among}, downtime_cost__isnull=False)
    }
    if not priced:
        return {}
    groups: dict[tuple[int, float], list[Member]] = defaultdict(list)
    for each in outermost(site, among, priced, buckets):
        groups[each.root, float(priced[each.asset_id].downtime_cost)].append(each)
    counted = [
        Member(position, each.asset_id, each.since, each.until)
        for position, group in enumerate(groups.values())
        for each in group
    ]
    answers = Reader(site, counted, buckets, now).answers()
    found: dict[tuple[int, int], Stood] = defaultdict(Stood)
    for position, ((root, cost), group) in enumerate(groups.items()):
        for bucket in range(len(buckets)):
            known = found[root, bucket]
            assets = known.assets + len({each.asset_id for each in group})
            found[root, bucket] = replace(known, assets=assets)
            if answer := answers.get((position, bucket)):
                found[root, bucket] = Stood(
                    seconds=known.seconds + answer.all.down,
                    amount=known.amount + stood([(answer.all.down, cost)]),
                    assets=assets,
                    recorded=known.recorded + answer.all.recorded,
                    scheduled=known.scheduled + answer.all.scheduled,
                    unobserved=known.unobserved + answer.all.unobserved,
                )
    return dict(found)


def outermost(site: Site, among: Sequence[Member], priced: dict[int, Asset], buckets: Sequence[Bucket]) -> list[Member]:
    """The priced members of each root while they stood below no other priced one: no hour is charged twice."""
    rows = list(priced.values())
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
    ]
