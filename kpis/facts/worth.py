"""What assets would cost to replace, and which of them such a value is of, at the time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from assets.models import Asset
from core.models import Site
from kpis.axis import FAR, epoch, instant
from kpis.facts.members import Scope, members
from kpis.facts.plans import PLACED
from kpis.facts.priced import outermost, shares
from kpis.facts.ranges import Ranges, literal, merged
from kpis.facts.zones import Bucket, Member
from kpis.margin import years_in
from kpis.spending import Worth

Places = dict[tuple[int, int], Worth]  # by root and bucket


class Replaced(NamedTuple):
    """Members whose own value is added up, with it; members that these values are of; and what they come to."""

    own: list[tuple[Member, float]]
    held: list[Member]
    worth: Places


def replaced(
    site: Site, among: Sequence[Member], machines: Callable[[], Iterable[Member]], buckets: Sequence[Bucket],
    now: datetime,
) -> Replaced:  # fmt: skip
    """The members that a replacement value is of, while it was, and what those values come to.

    A value is of its asset and of all that stands below it, so a value below another is not added again. What stands
    above a valued asset counts as well: its orders are about what stands below it.
    """
    ids = {each.asset_id for each in among}
    rows = Asset.objects.filter(site=site, replacement_value__isnull=False)
    rows = [row for row in rows.only("commissioned", "retired", "replacement_value") if row.pk in ids]
    if not rows:
        return Replaced([], [], {})
    values = {row.pk: row for row in rows}
    always = {pk: [(-FAR, FAR, float(row.replacement_value))] for pk, row in values.items()}
    start, end = instant(buckets[0][0]), instant(buckets[-1][1])
    below = members(site, rows, start, end, Scope.SUBTREE)
    own = outermost(site, among, values, always, buckets, there=below)
    held = covered(among, below, {(each.root, each.asset_id) for each, _ in own}, rows, above(rows, buckets))
    return Replaced(own, held, added(site, own, values, held, machines(), buckets, epoch(now)))


def covered(
    among: Sequence[Member], below: Sequence[Member], own: set[tuple[int, int]], rows: Sequence[Asset],
    over: dict[int, Ranges],
) -> list[Member]:  # fmt: skip
    """The members below an asset of `own` (root and asset) or above one (`over`, by asset), while they were."""
    under: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))  # asset → valued one
    for each in below:
        under[each.asset_id][rows[each.root].pk].append((each.since, each.until))
    found = []
    for each in among:
        spans = [span for pk, there in under.get(each.asset_id, {}).items() if (each.root, pk) in own for span in there]
        for pk, there in over.get(each.asset_id, {}).items():
            if (each.root, pk) in own:
                spans += there
        found += [
            Member(each.root, each.asset_id, max(each.since, lo), min(each.until, hi))
            for lo, hi in merged(spans)
            if max(each.since, lo) < min(each.until, hi)
        ]
    return found


def above(rows: Sequence[Asset], buckets: Sequence[Bucket]) -> dict[int, Ranges]:
    """What stood above each of these assets in the window: asset → which of them → from when to when."""
    found: dict[int, Ranges] = defaultdict(lambda: defaultdict(list))
    with connection.cursor() as cursor:
        parameters = {"far": FAR, "start": buckets[0][0], "end": buckets[-1][1]}
        cursor.execute(ABOVE, parameters | {"assets": literal(row.pk for row in rows)})
        for asset_id, valued, since, until in cursor.fetchall():
            found[asset_id][valued].append((since, until))
    return found


ABOVE = f"""
WITH RECURSIVE up(asset_id, valued, since, until) AS (
    SELECT id, id, -%(far)s::bigint, %(far)s::bigint FROM unnest(%(assets)s::bigint[]) AS id
    UNION
    SELECT v.parent_id, u.valued, greatest(u.since, v.since), least(u.until, v.until)
    FROM up u CROSS JOIN LATERAL (SELECT * FROM {PLACED} v WHERE v.asset_id = u.asset_id OFFSET 0) v
    WHERE greatest(u.since, v.since, %(start)s) < least(u.until, v.until, %(end)s)
) SELECT asset_id, valued, since, until FROM up WHERE asset_id <> valued"""


def added(
    site: Site, own: Sequence[tuple[Member, float]], values: dict[int, Asset], held: Sequence[Member],
    machines: Iterable[Member], buckets: Sequence[Bucket], now: int,
) -> Places:  # fmt: skip
    """The values of each root in each bucket."""
    known: dict[tuple[int, int], float] = {}

    def years(since: int, until: int) -> float:
        if (since, until) not in known:
            known[since, until] = years_in(instant(since), instant(until), site.day_begins)
        return known[since, until]

    covered_of: dict[int, list[Member]] = defaultdict(list)
    for each in held:
        covered_of[each.root].append(each)
    out = out_of_service(site, buckets)
    ends: dict[int, list[Member]] = defaultdict(list)
    for each in machines:
        since, until = out.get(each.asset_id, (-FAR, FAR))
        ends[each.root].append(each._replace(since=max(each.since, since), until=min(each.until, until)))
    amounts: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    lasting: dict[tuple[int, int], float] = defaultdict(float)
    for each, amount in own:
        since, until = served(each, values[each.asset_id])
        for bucket, (lo, hi) in enumerate(buckets):
            begun, past = max(since, lo), min(until, hi, now)
            if begun < past:
                amounts[each.root, bucket][each.asset_id] = amount
                lasting[each.root, bucket] += amount * years(begun, past)
    found: Places = {}
    for root, bucket in {(each.root, bucket) for each, _ in own for bucket in range(len(buckets))}:
        there = {each.asset_id for each in ends[root] if shares(each, buckets[bucket])}
        valued = {each.asset_id for each in covered_of[root] if shares(each, buckets[bucket])}
        found[root, bucket] = Worth(
            amount=sum(amounts[root, bucket].values()),
            amount_years=lasting[root, bucket],
            assets=len(amounts[root, bucket]),
            machines=len(there),
            valued_machines=len(there & valued),
        )
    return found


def out_of_service(site: Site, buckets: Sequence[Bucket]) -> dict[int, tuple[int, int]]:
    """The service life of the assets that were not in service all through the window."""
    late, early = Q(commissioned__gt=instant(buckets[0][0])), Q(retired__lt=instant(buckets[-1][1]))
    rows = Asset.objects.filter(late | early, site=site).only("commissioned", "retired")
    return {row.pk: life(row) for row in rows}


def life(asset: Asset) -> tuple[int, int]:
    return (
        -FAR if asset.commissioned is None else epoch(asset.commissioned),
        FAR if asset.retired is None else epoch(asset.retired),
    )


def served(member: Member, asset: Asset) -> tuple[int, int]:
    """From when to when it was a member in service."""
    since, until = life(asset)
    return max(member.since, since), min(member.until, until)
