"""Records of a site that do not fit together, found by sets."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Sum

from assets.models import Downtime
from core.models import Site
from kpis.models import AssetDay


def overlapping(site: Site, since: datetime, now: datetime) -> dict[int, tuple[int, float]]:
    """Asset → stops begun since then while an earlier one of the asset, planned or unplanned alike, was not over,
    and the seconds recorded twice. A breakdown during a planned stop is nothing odd."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asset_id, count(*), sum(extract(epoch FROM least(before, past) - start))::float8 FROM (
                SELECT d.asset_id, d.start, coalesce(d."end", %(now)s) AS past,
                    max(coalesce(d."end", %(now)s)) OVER (PARTITION BY d.asset_id, d.planned ORDER BY d.start, d.id
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM assets_downtime d JOIN assets_asset a ON a.id = d.asset_id
                WHERE a.site_id = %(site)s AND d.start < %(now)s AND (d."end" IS NULL OR d."end" > %(since)s)
            ) stop WHERE before > start AND past > start AND start >= %(since)s GROUP BY asset_id
            """,
            {"site": site.pk, "since": since, "now": now},
        )
        return {asset_id: (stops, seconds) for asset_id, stops, seconds in cursor.fetchall()}


def open_since(site: Site, before: datetime) -> list[Downtime]:
    """Open stops that began before then."""
    return list(Downtime.objects.filter(asset__site=site, end=None, start__lt=before).order_by("pk"))


def counted_while_down(site: Site, days: int, now: datetime) -> dict[int, float]:
    """Asset → pieces counted during the last finished production days while it had no operating time."""
    today = site.production_day(now)
    rows = AssetDay.objects.filter(
        asset__site=site, day__gte=today - timedelta(days=days), day__lt=today, doubtful__gt=0
    )
    return dict(rows.order_by().values_list("asset").annotate(pieces=Sum("doubtful")))


def counted(site: Site, days: int, now: datetime) -> list[int]:
    """Assets with counts on the last finished production days."""
    today = site.production_day(now)
    rows = AssetDay.objects.filter(asset__site=site, day__gte=today - timedelta(days=days), day__lt=today, counts__gt=0)
    return sorted(set(rows.values_list("asset", flat=True)))
