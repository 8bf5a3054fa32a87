"""Which assets count for an asset, or for a site, in a window."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.axis import FAR, epoch
from kpis.facts.plans import PLACED
from kpis.facts.ranges import literal
from kpis.facts.zones import Member


class Scope(StrEnum):
    """Which assets count for an asset or a site."""

    ASSET = "asset"  # the asset itself, with what stops it
    SUBTREE = "subtree"  # it and everything that stood below it
    LEAVES = "leaves"  # of those, the machines at the ends of the branches


def members(site: Site, subjects: Sequence[Asset | None], start: datetime, end: datetime, scope: Scope) -> list[Member]:
    """Which assets count for each subject (by position; None is the whole site), and how long they stood below it.

    An asset without machines below it counts for itself. The site as a whole has no scope of its own: *asset*
    means its machines there.
    """
    found: list[Member] = []
    parameters = {"far": FAR, "start": epoch(start), "end": epoch(end), "site": site.pk}
    assets = [(position, each) for position, each in enumerate(subjects) if each is not None]
    with connection.cursor() as cursor:
        if None in subjects:
            leaf = f"AND a.level <> 'component' AND {NOTHING_BELOW.format(asset='a.id')}"
            leaf = "" if scope is Scope.SUBTREE else leaf
            cursor.execute(f"SELECT a.id FROM assets_asset a WHERE a.site_id = %(site)s {leaf}", parameters)
            ids = [asset_id for (asset_id,) in cursor.fetchall()]
            found += [
                Member(position, asset_id)
                for position, subject in enumerate(subjects)
                if subject is None
                for asset_id in ids
            ]
        if scope is Scope.ASSET or not assets:
            return [*found, *(Member(position, asset.id) for position, asset in assets)]
        leaf = f"WHERE {LEAF.format(asset='down.asset_id')}" if scope is Scope.LEAVES else ""
        cursor.execute(
            f"""
            WITH RECURSIVE down(root, asset_id, since, until) AS (
                SELECT root, id, -%(far)s::bigint, %(far)s::bigint
                FROM unnest(%(roots)s::int[], %(assets)s::bigint[]) AS r(root, id)
                UNION
                SELECT d.root, v.asset_id, greatest(d.since, v.since), least(d.until, v.until)
                FROM down d CROSS JOIN LATERAL (SELECT * FROM {PLACED} v WHERE v.parent_id = d.asset_id OFFSET 0) v
                WHERE greatest(d.since, v.since, %(start)s) < least(d.until, v.until, %(end)s)
            ) SELECT root, asset_id, since, until FROM down {leaf} ORDER BY root, asset_id, since
            """,
            parameters
            | {
                "roots": literal(position for position, _ in assets),
                "assets": literal(asset.pk for _, asset in assets),
            },
        )
        below = list(map(Member._make, cursor.fetchall()))
    branching = {member.root for member in below}
    return [*found, *below, *(Member(position, each.pk) for position, each in assets if position not in branching)]


def moved(there: Sequence[Member], by: int) -> list[Member]:
    """The same of roots that come so many later."""
    if not by:
        return list(there)
    return [Member(root + by, asset_id, since, until) for root, asset_id, since, until in there]


# A machine: nothing but components stood below it in the window, and it is no component itself. With OFFSET 0 both
# are sought by index; else the planner reads every placement of every site. In views of former rows (`former`), a join
# would read all assets for each, LATERAL seeks them too.
NOTHING_BELOW = """NOT EXISTS (
    SELECT FROM assets_placement c CROSS JOIN LATERAL (
        SELECT FROM assets_asset below WHERE below.id = c.asset_id AND below.level <> 'component' OFFSET 0) below
    WHERE c.parent_id = {asset} AND c.valid && tstzrange(to_timestamp(%(start)s), to_timestamp(%(end)s)) OFFSET 0
)"""
LEAF = f"""{NOTHING_BELOW}
    AND NOT EXISTS (SELECT FROM assets_asset own WHERE own.id = {{asset}} AND own.level = 'component' OFFSET 0)"""
