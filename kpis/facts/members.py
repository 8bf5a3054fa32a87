"""Which assets count for an asset, or for a site, in a window."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.axis import FAR, epoch
from kpis.facts.plans import PLACED
from kpis.facts.question import literal
from kpis.facts.zones import Member


class Scope(StrEnum):
    """Which assets count for an asset or a site."""

    ASSET = "asset"  # the asset itself, with what stops it
    SUBTREE = "subtree"  # it and everything that stood below it
    LEAVES = "leaves"  # of those, the machines at the ends of the branches


def members(site: Site, assets: Sequence[Asset] | None, start: datetime, end: datetime, scope: Scope) -> list[Member]:
    """Which assets count for each asked one (by position; for None the whole site), and how long they stood below it.

    One without machines below it counts for itself.
    """
    if assets is not None and scope is Scope.ASSET:
        return [Member(position, asset.pk) for position, asset in enumerate(assets)]
    parameters = {"far": FAR, "start": epoch(start), "end": epoch(end), "site": site.pk}
    with connection.cursor() as cursor:
        if assets is None:
            leaf = f"AND {LEAF.format(asset='a.id')}" if scope is Scope.LEAVES else ""
            cursor.execute(
                f"SELECT a.id FROM assets_asset a WHERE a.site_id = %(site)s {leaf} ORDER BY a.id", parameters
            )
            return [Member(0, asset_id) for (asset_id,) in cursor.fetchall()]
        leaf = f"WHERE {LEAF.format(asset='down.asset_id')}" if scope is Scope.LEAVES else ""
        cursor.execute(
            f"""
            WITH RECURSIVE down(root, asset_id, since, until) AS (
                SELECT position::int - 1, id, -%(far)s::bigint, %(far)s::bigint
                FROM unnest(%(roots)s::bigint[]) WITH ORDINALITY AS r(id, position)
                UNION
                SELECT d.root, v.asset_id, greatest(d.since, v.since), least(d.until, v.until)
                FROM down d JOIN {PLACED} v ON v.parent_id = d.asset_id
                    AND greatest(d.since, v.since, %(start)s) < least(d.until, v.until, %(end)s)
            ) SELECT root, asset_id, since, until FROM down {leaf} ORDER BY root, asset_id, since
            """,
            parameters | {"roots": literal(asset.pk for asset in assets)},
        )
        found = [Member(*row) for row in cursor.fetchall()]
    alone = set(range(len(assets))) - {member.root for member in found}
    return [*found, *(Member(position, assets[position].pk) for position in sorted(alone))]


# A machine: nothing but components stood below it in the window, and it is no component itself.
LEAF = """NOT EXISTS (
    SELECT FROM assets_placement c JOIN assets_asset below ON below.id = c.asset_id AND below.level <> 'component'
    WHERE c.parent_id = {asset} AND c.valid && tstzrange(to_timestamp(%(start)s), to_timestamp(%(end)s))
) AND NOT EXISTS (SELECT FROM assets_asset own WHERE own.id = {asset} AND own.level = 'component')"""
