"""How many pieces an asset made, where lines and the machines in them both count."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.axis import epoch, instant
from kpis.facts.members import Scope, members
from kpis.facts.ranges import minus
from kpis.facts.read import Answers, Reader
from kpis.facts.zones import Bucket, Member
from kpis.spending import Output

Outputs = dict[tuple[int, int], Output]  # by root and bucket


def outputs(
    site: Site, among: Sequence[Member], machines: Callable[[], Iterable[Member]], buckets: Sequence[Bucket],
    now: datetime, made: Answers | None,
) -> Outputs:  # fmt: skip
    """The pieces of each root. `made` are the facts of its machines, enough where no line counts by itself."""
    lines = counting_lines(site, among)
    if made is None or lines:
        counting = once(site, among, machines(), lines, buckets)
        made = Reader(site, counting, buckets, now).answers() if counting else {}
    return {place: Output(answer.all.made, len(answer.counted_assets)) for place, answer in made.items()}


def once(
    site: Site, among: Sequence[Member], machines: Iterable[Member], lines: dict[int, int], buckets: Sequence[Bucket]
) -> list[Member]:
    """Whose counts are added up, and for how long: a line from its first count on, and until then its machines.

    So a piece that several machines of a line count one after the other is one piece, once the line counts it.
    """
    rows = [Asset(pk=pk) for pk in lines]
    start, end = instant(buckets[0][0]), instant(buckets[-1][1])
    below: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # asset → (line above, from, to)
    for each in members(site, rows, start, end, Scope.SUBTREE) if rows else []:
        line = rows[each.root].pk
        if each.asset_id != line:
            below[each.asset_id].append((line, max(each.since, lines[line]), each.until))
    own: dict[int, set[int]] = defaultdict(set)  # root → lines in it
    standing = []
    for each in among:
        if each.asset_id in lines:
            own[each.root].add(each.asset_id)
            standing.append(each._replace(since=max(each.since, lines[each.asset_id])))
    standing += [each for each in machines if each.asset_id not in lines]
    return [
        Member(each.root, each.asset_id, lo, hi)
        for each in standing
        for lo, hi in minus(
            [(each.since, each.until)],
            sorted((lo, hi) for line, lo, hi in below[each.asset_id] if line in own[each.root] and lo < hi),
        )
        if max(lo, buckets[0][0]) < min(hi, buckets[-1][1])
    ]


def counting_lines(site: Site, among: Sequence[Member]) -> dict[int, int]:
    """Members with machines below them of which counts of their own were ever recorded, and since when."""
    ids = {each.asset_id for each in among}
    with connection.cursor() as cursor:
        cursor.execute(COUNTING_LINES, [site.pk])
        return {pk: epoch(since) for pk, since in cursor.fetchall() if pk in ids}


COUNTING_LINES = """
WITH line AS (
    SELECT DISTINCT p.parent_id AS id FROM assets_placement p JOIN assets_asset a ON a.id = p.asset_id
    WHERE a.site_id = %s AND a.level <> 'component' AND p.parent_id IS NOT NULL
)
SELECT line.id, first.start FROM line CROSS JOIN LATERAL (
    SELECT c.start FROM production_count c WHERE c.asset_id = line.id ORDER BY c.start LIMIT 1
) first"""


def pieces_of(site: Site, counting: Sequence[Member], bucket: Bucket, now: datetime) -> dict[int, float]:
    """The pieces of each asset whose counts are added up, by asset; those without any are left out."""
    ids = sorted({each.asset_id for each in counting})
    place = {asset_id: number for number, asset_id in enumerate(ids)}
    each_alone = [each._replace(root=place[each.asset_id]) for each in counting]
    answers = Reader(site, each_alone, [bucket], now).answers() if each_alone else {}
    return {ids[root]: answer.all.made for (root, _), answer in answers.items() if answer.all.counts}
