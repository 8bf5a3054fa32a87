"""Records of a site that do not fit together, found by sets."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Q

from assets.models import Downtime
from core.models import Site
from kpis.models import AssetDay, DayRevision, Silence


def overlapping(site: Site, since: datetime, now: datetime) -> dict[int, tuple[int, float]]:
    """Asset → stops begun while an earlier one of the asset, planned or unplanned alike, was not over, one of the two
    begun or entered since then; and the seconds recorded twice. A breakdown during a planned stop is nothing odd."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH late AS MATERIALIZED (
                SELECT d.asset_id, min(d.start) AS since FROM assets_downtime d JOIN assets_asset a ON a.id = d.asset_id
                WHERE a.site_id = %(site)s AND d.start < %(since)s
                    AND d.entered_at >= %(since)s AND d.entered_at < %(now)s
                GROUP BY d.asset_id
            ), known AS (
                SELECT d.id, d.asset_id, d.planned, d.start, coalesce(d."end", %(now)s) AS past,
                    d.start >= %(since)s OR (d.entered_at >= %(since)s AND d.entered_at < %(now)s) AS fresh
                FROM assets_downtime d JOIN assets_asset a ON a.id = d.asset_id
                    LEFT JOIN late ON late.asset_id = d.asset_id
                WHERE a.site_id = %(site)s AND d.start < %(now)s
                    AND (d."end" IS NULL OR d."end" > coalesce(late.since, %(since)s))
            )
            SELECT asset_id, count(*), sum(extract(epoch FROM least(before, past) - start))::float8 FROM (
                SELECT *, max(past) OVER earlier AS before, max(past) FILTER (WHERE fresh) OVER earlier AS fresh_before
                FROM known WINDOW earlier AS (PARTITION BY asset_id, planned ORDER BY start, id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            ) stop WHERE before > start AND past > start AND (fresh OR fresh_before > start) GROUP BY asset_id
            """,
            {"site": site.pk, "since": since, "now": now},
        )
        return {asset_id: (stops, seconds) for asset_id, stops, seconds in cursor.fetchall()}


def open_since(site: Site, before: datetime) -> list[Downtime]:
    """Open stops that began before then."""
    return list(Downtime.objects.filter(asset__site=site, end=None, start__lt=before).order_by("pk"))


def counted_while_down(site: Site, days: int, now: datetime) -> dict[int, float]:
    """Asset → pieces counted while it had no operating time: during the last finished production days, and on
    earlier ones of which it became known in these days."""
    today = site.production_day(now)
    first = today - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.asset_id, sum(k.doubtful) FROM (
                SELECT asset_id, day FROM kpis_assetday WHERE day >= %(first)s AND day < %(today)s AND doubtful > 0
                UNION
                SELECT asset_id, day FROM kpis_dayrevision
                WHERE at >= %(since)s AND at < %(now)s AND day < %(first)s AND doubtful > 0
            ) looked JOIN kpis_assetday k USING (asset_id, day) JOIN assets_asset a ON a.id = k.asset_id
            WHERE a.site_id = %(site)s AND k.doubtful > 0 GROUP BY k.asset_id
            """,
            {"site": site.pk, "first": first, "today": today, "since": site.day_begins(first), "now": now},
        )
        return dict(cursor.fetchall())


def recounted(site: Site, days: int, now: datetime, most: int) -> dict[date, list[int]]:
    """Day → assets with counts of which it became known in the last finished production days that more or less was made
    on it, or that the machine ran longer or shorter; days before these, the newest `most` of them."""
    first = site.production_day(now) - timedelta(days=days)
    as_before = Q(ideal_good=0, ideal_scrap=0, ideal_rework=0, down=0, planned_stop=0)
    rows = DayRevision.objects.filter(asset__site=site, at__gte=site.day_begins(first), at__lt=now, day__lt=first)
    found: dict[date, list[int]] = defaultdict(list)
    for day, asset_id in rows.exclude(as_before).values_list("day", "asset").distinct().order_by("-day", "asset"):
        if day not in found and len(found) == most:
            break
        found[day].append(asset_id)
    return found


def fallen_silent(site: Site, now: datetime) -> dict[int, int]:
    """Asset in service → the first day (as a number) of a silence that holds a finished day and lasts, as stored."""
    today = site.production_day(now)
    in_service = Q(asset__commissioned=None) | Q(asset__commissioned__lte=now)
    in_service &= Q(asset__retired=None) | Q(asset__retired__gt=now)
    rows = Silence.objects.filter(in_service, asset__site=site, asset__archived_at=None, until=None, since__lt=today)
    return {row.asset_id: row.since.toordinal() for row in rows.order_by("asset_id")}


def counted(site: Site, days: int, now: datetime) -> list[int]:
    """Assets with counts on the last finished production days."""
    today = site.production_day(now)
    rows = AssetDay.objects.filter(asset__site=site, day__gte=today - timedelta(days=days), day__lt=today, counts__gt=0)
    return sorted(set(rows.values_list("asset", flat=True)))
