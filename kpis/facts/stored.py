"""Sums of stored days and failure events, by root and bucket, as the parts of a window want them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from kpis.axis import instant
from kpis.facts.live import FRACTIONS, NUMBERS
from kpis.facts.question import Ranges, columns, literal, merged
from kpis.facts.statement import seconds
from kpis.facts.tally import Causes
from kpis.facts.zones import Alike, Zones

Place = tuple[int, int]  # root, position of the bucket
Places = Iterable[tuple[int, int, int]]  # root, bucket and asset with counts

OF_COUNTED = (*NUMBERS, *FRACTIONS)
OF_EVENTS = ("events", "items", "found", "restored", "restoration", "open_events")


@dataclass(slots=True)
class Days:
    """Ranges of stored days of members, and the bucket of each day; neighbouring days of several buckets are one."""

    root: list[int] = field(default_factory=list)
    asset: list[int] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    parameters: dict = field(default_factory=dict)

    @classmethod
    def of(cls, zones: Zones, groups: Sequence[Alike]) -> "Days":
        found = cls()
        buckets: dict[int, int] = {}
        for alike in groups:
            for bucket, (stored, _) in enumerate(alike.zones):
                buckets.update((position, bucket) for lo, hi in stored for position in range(lo, hi))
            for lo, hi in merged(span for stored, _ in alike.zones for span in stored):
                found.root += [alike.root] * len(alike.assets)
                found.asset += alike.assets
                found.first += [str(zones.days.day(lo))] * len(alike.assets)
                found.past += [str(zones.days.day(hi))] * len(alike.assets)
        found.parameters = {
            "root": literal(found.root),
            "asset": literal(found.asset),
            "first": literal(found.first),
            "past": literal(found.past),
            "bucket": literal(buckets.get(position, -1) for position in range(max(buckets, default=-1) + 1)),
            "day": zones.days.first,
        }
        return found

    def sums(self) -> Iterator[tuple[Place, dict[str, int]]]:
        """What every asset adds; what is counted comes apart."""
        names = ", ".join(f"sum({name})" for name in NUMBERS)
        for root, bucket, *sums in self._rows(
            f"SELECT root, bucket, {names} FROM {{days}} GROUP BY root, bucket", NUMBERED
        ):
            yield (root, bucket), dict(zip(NUMBERS, sums, strict=True))

    def causes(self) -> Iterator[tuple[Place, Causes]]:
        """Lost time by reason and loss class."""
        return self._causes(LOSS, ())

    def counted(self, forced: Places) -> Iterator[tuple[Place, dict[str, float], list[int]]]:
        """All sums of the assets with counts in a bucket, or `forced`, and which ones these are."""
        names = ", ".join(f"sum({name})" for name in OF_COUNTED)
        for root, bucket, assets, *sums in self._rows(
            f"""
            SELECT root, bucket, array_agg(asset_id), {names} FROM (
                SELECT root, bucket, asset_id, {", ".join(f"sum({name}) AS {name}" for name in OF_COUNTED)}
                FROM {{days}} GROUP BY root, bucket, asset_id
                HAVING sum(counts) > 0 OR (root, bucket, asset_id) IN (SELECT * FROM {FORCED})
            ) per_asset GROUP BY root, bucket
            """,
            COUNTED,
            forced,
        ):
            yield (root, bucket), dict(zip(OF_COUNTED, sums, strict=True)), assets

    def causes_of(self, counted: Places) -> Iterator[tuple[Place, Causes]]:
        """As `causes`, of the assets with counts."""
        return self._causes(f"{LOSS} WHERE (root, bucket, asset_id) IN (SELECT * FROM {FORCED})", counted)

    def _causes(self, days: str, counted: Places) -> Iterator[tuple[Place, Causes]]:
        text = "SELECT root, bucket, reason_id, loss, sum(seconds), sum(stops) FROM {days} GROUP BY 1, 2, 3, 4"
        for root, bucket, reason, loss, lost, stops in self._rows(text, days, counted):
            yield (root, bucket), {(reason, loss): (lost, stops)}

    def _rows(self, text: str, days: str, forced: Places = ()) -> list[tuple]:
        if not self.root:
            return []
        forced = list(forced)
        with connection.cursor() as cursor:
            cursor.execute(
                text.format(days=days),
                self.parameters
                | {
                    "f_root": literal(each[0] for each in forced),
                    "f_bucket": literal(each[1] for each in forced),
                    "f_asset": literal(each[2] for each in forced),
                },
            )
            return cursor.fetchall()


# Asked for by IN: the planner would join it by a loop over all rows.
FORCED = "unnest(%(f_root)s::int[], %(f_bucket)s::int[], %(f_asset)s::bigint[])"


def days_of(table: str, names: Sequence[str]) -> str:
    """Stored rows of the ranges. OFFSET 0 lets the planner seek the days by index and not read the whole table; a day's
    bucket stands in an array, as a join would be made anew for each range."""
    wanted = ", ".join(names)
    return f"""(
        SELECT m.root, m.asset_id, (%(bucket)s::int[])[f.day - %(day)s::date + 1] AS bucket, {wanted}
        FROM unnest(%(root)s::int[], %(asset)s::bigint[], %(first)s::date[], %(past)s::date[])
            AS m(root, asset_id, first, past)
        CROSS JOIN LATERAL (
            SELECT day, {wanted} FROM {table} f
            WHERE f.asset_id = m.asset_id AND f.day >= m.first AND f.day < m.past OFFSET 0
        ) f
    ) days"""


NUMBERED = days_of("kpis_assetday", NUMBERS)
COUNTED = days_of("kpis_assetday", OF_COUNTED)
LOSS = days_of("kpis_lossday", ("reason_id", "loss", "seconds", "stops"))

NOT_REPLACED = """NOT EXISTS (
    SELECT FROM unnest(%(x_asset)s::bigint[], %(x_lo)s::bigint[], %(x_hi)s::bigint[]) AS x(asset_id, lo, hi)
    WHERE x.asset_id = e.asset_id AND e.occurred >= to_timestamp(x.lo) AND e.occurred < to_timestamp(x.hi))"""


def events(
    groups: Sequence[Alike], starts: Sequence[int], replaced: Ranges
) -> Iterator[tuple[Place, dict[str, float]]]:
    """What stored failure events add where they occur, of members only while they are; `starts` of the buckets."""
    if not groups:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.root, width_bucket(e.occurred, %(borders)s::timestamptz[]) - 1,
                count(*) FILTER (WHERE NOT found), coalesce(sum(items) FILTER (WHERE NOT found), 0),
                count(*) FILTER (WHERE found), count(restored) FILTER (WHERE NOT found),
                coalesce(sum({seconds("restored")} - {seconds("occurred")}) FILTER (WHERE NOT found), 0)::float8,
                count(*) FILTER (WHERE open AND NOT found)
            FROM unnest(%(root)s::int[], %(asset)s::bigint[], %(since)s::bigint[], %(until)s::bigint[])
                AS m(root, asset_id, since, until)
            CROSS JOIN LATERAL (
                SELECT * FROM kpis_failureevent e WHERE e.asset_id = m.asset_id
                    AND e.occurred >= to_timestamp(m.since) AND e.occurred < to_timestamp(m.until) OFFSET 0
            ) e {f"WHERE {NOT_REPLACED}" if replaced else ""}
            GROUP BY 1, 2
            """,
            {
                "borders": [instant(start) for start in starts],
                "root": literal(each.root for each in groups for _ in each.assets),
                "asset": literal(asset for each in groups for asset in each.assets),
                "since": literal(each.since for each in groups for _ in each.assets),
                "until": literal(each.until for each in groups for _ in each.assets),
                **columns("x", replaced),
            },
        )
        for root, bucket, *sums in cursor.fetchall():
            yield (root, bucket), dict(zip(OF_EVENTS, sums, strict=True))


def event_rows(
    zones: Zones, replaced: Ranges
) -> list[tuple[int, datetime, datetime, datetime | None, int, bool, bool]]:
    """Stored failure events of the members that begin in the window, as the fields of `Event`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT asset_id, occurred, until, restored, items, open, found FROM kpis_failureevent e
            WHERE asset_id = ANY(%(assets)s::bigint[]) AND occurred >= to_timestamp(%(start)s)
                AND occurred < to_timestamp(%(end)s) AND {NOT_REPLACED}
            """,
            {"assets": literal(zones.assets), "start": zones.start, "end": zones.end, **columns("x", replaced)},
        )
        return cursor.fetchall()
