"""Sums of stored days and failure events, by root and bucket, as the parts of a window want them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from django.db import connection

from kpis.axis import instant
from kpis.facts.held import seconds
from kpis.facts.live import COUNTING, FRACTIONS, NUMBERS
from kpis.facts.parts import Parts, Whole
from kpis.facts.ranges import Ranges, columns, literal, merged
from kpis.facts.tally import Causes, Place
from kpis.facts.zones import Alike, Roster, Zones
from kpis.formulas import Facts

Places = Iterable[tuple[int, int, int]]  # root, bucket and asset with counts

OF_COUNTED = (*NUMBERS, *FRACTIONS)
WHOLE = {each.name for each in fields(Facts) if each.type is int}
PARTIAL = -2  # less the position of a day: its bucket, where only a part of it is wanted
OF_EVENTS = ("events", "items", "found", "restored", "restoration", "open_events")


def summed(name: str) -> str:
    """The sum of a column, of the type that `Facts` have."""
    return f"sum({name})::{'bigint' if name in WHOLE else 'float8'}"


class Days:
    """Ranges of stored days of members, and the bucket of each day; neighbouring days of several buckets are one.

    Of one bucket, if `only` that is wanted. With `parts`, days of which a part is wanted are looked at as well, and
    `sums` adds them there; `whole` are those among them that count as they are.
    """

    def __init__(
        self, zones: Zones, groups: Sequence[Alike], *, only: int | None = None, parts: Parts | None = None,
        whole: Iterable[Whole] = (),
    ):  # fmt: skip
        self.parts, self.partial = parts, False
        self.length = len(zones.days.borders)
        # The bucket of each day, for one cut after the other; at the end, for partial days that others want as a whole.
        self.apart = self.length * len(zones.cuts)
        self.buckets = [-1] * self.apart + [PARTIAL - day for day in range(self.length)]
        self.rows: list[tuple[Roster, int, int, int]] = []  # from and past position, and where its buckets are
        spans = [
            [(bucket, span) for bucket, (days, _) in enumerate(alike.zones) if only in (None, bucket) for span in days]
            for alike in groups
        ]
        for alike, wanted in zip(groups, spans, strict=True):
            for bucket, (lo, hi) in wanted:
                at = alike.cut * self.length
                self.buckets[at + lo : at + hi] = [bucket] * (hi - lo)
        for alike, wanted in zip(groups, spans, strict=True):
            also = self._partial(alike, parts) if parts else []
            self.rows += [
                (alike, *span, alike.cut * self.length) for span in merged([*(span for _, span in wanted), *also])
            ]
        self._add(whole)
        ranges = [str(number) for number, (roster, *_) in enumerate(self.rows, start=1) for _ in roster.assets]
        self.parameters = {
            "root": literal(roster.texts[0] for roster, *_ in self.rows),
            "asset": literal(roster.texts[1] for roster, *_ in self.rows),
            "range": literal(ranges),
            "first": literal(zones.days.day(first) for _, first, _, _ in self.rows),
            "past": literal(zones.days.day(past) for _, _, past, _ in self.rows),
            "at": literal(at + 1 for *_, at in self.rows),
            "bucket": literal(self.buckets),
            "day": zones.days.first,
        }

    def _partial(self, alike: Alike, parts: Parts) -> list[tuple[int, int]]:
        """Days to look at because of their parts."""
        found = []
        for day in parts.days(alike):
            self.partial = True
            at = alike.cut * self.length + day
            if self.buckets[at] < 0:
                self.buckets[at] = PARTIAL - day
                found.append((day, day + 1))
            else:
                self.rows.append((alike, day, day + 1, self.apart))
        return found

    def _add(self, whole: Iterable[Whole]) -> None:
        """Days of single members, by bucket."""
        rosters: dict[tuple[int, int], Roster] = defaultdict(Roster)
        for each in whole:
            roster = rosters[each.bucket, each.day]
            roster.roots.append(each.root)
            roster.assets.append(each.asset_id)
        begins: dict[int, int] = {}
        for (bucket, day), roster in rosters.items():
            if bucket not in begins:
                begins[bucket] = len(self.buckets)
                self.buckets += [bucket] * self.length
            self.rows.append((roster, day, day + 1, begins[bucket]))

    def sums(self) -> Iterator[tuple[Place, Sequence[int]]]:
        """What every asset adds, as `NUMBERS`; what is counted comes apart."""
        names = ", ".join(map(summed, NUMBERS))
        if not self.partial:
            text = f"SELECT root, bucket, {names} FROM {{days}} GROUP BY 1, 2"
            yield from (((root, bucket), sums) for root, bucket, *sums in self._rows(text, NUMBERED))
            return
        one = f"CASE WHEN bucket <= {PARTIAL} THEN {{}} END"
        text = f"""SELECT root, bucket, {one.format("asset_id")}, {one.format("range")}, min(stopped_from),
            max(stopped_to), {names} FROM {{days}} GROUP BY 1, 2, 3, 4"""
        for root, bucket, asset_id, number, first, past, *sums in self._rows(text, PARTED):
            if asset_id is None:
                yield (root, bucket), sums
            elif self.parts:
                self.parts.add(self.rows[number - 1][0], root, asset_id, PARTIAL - bucket, sums, (first, past))

    def causes(self) -> Iterator[tuple[Place, Causes]]:
        """Lost time by reason and loss class."""
        return self._causes(LOSS, ())

    def counted(self, forced: Places) -> Iterator[tuple[Place, dict[str, float], list[int]]]:
        """All sums of the assets with counts in a bucket, or `forced`, and which ones these are."""
        names = ", ".join(map(summed, OF_COUNTED))
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

    def lost_to(self, loss: str) -> Iterator[tuple[Place, int, float]]:
        """Seconds that each asset lost to one loss class."""
        text = "SELECT root, bucket, asset_id, sum(seconds) FROM {days} GROUP BY 1, 2, 3"
        for root, bucket, asset_id, lost in self._rows(text, f"{LOSS} WHERE loss = '{loss}'"):
            yield (root, bucket), asset_id, float(lost)

    def _causes(self, days: str, counted: Places) -> Iterator[tuple[Place, Causes]]:
        text = "SELECT root, bucket, reason_id, loss, sum(seconds), sum(stops) FROM {days} GROUP BY 1, 2, 3, 4"
        for root, bucket, reason, loss, lost, stops in self._rows(text, days, counted):
            yield (root, bucket), {(reason, loss): (lost, stops)}

    def _rows(self, text: str, days: str, forced: Places = ()) -> list[tuple]:
        if not self.rows:
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
        SELECT m.root, m.asset_id, m.range,
            (%(bucket)s::int[])[f.day - %(day)s::date + (%(at)s::int[])[m.range]] AS bucket, {wanted}
        FROM unnest(%(root)s::int[], %(asset)s::bigint[], %(range)s::int[]) AS m(root, asset_id, range)
        CROSS JOIN LATERAL (
            SELECT day, {wanted} FROM {table} f WHERE f.asset_id = m.asset_id
                AND f.day >= (%(first)s::date[])[m.range] AND f.day < (%(past)s::date[])[m.range] OFFSET 0
        ) f
    ) days"""


NUMBERED = days_of("kpis_assetday", NUMBERS)
PARTED = days_of("kpis_assetday", ("stopped_from", "stopped_to", *NUMBERS))
COUNTED = days_of("kpis_assetday", OF_COUNTED)
LOSS = days_of("kpis_lossday", ("reason_id", "loss", "seconds", "stops"))

NOT_REPLACED = """NOT EXISTS (
    SELECT FROM unnest(%(x_asset)s::bigint[], %(x_lo)s::bigint[], %(x_hi)s::bigint[]) AS x(asset_id, lo, hi)
    WHERE x.asset_id = e.asset_id AND e.occurred >= to_timestamp(x.lo) AND e.occurred < to_timestamp(x.hi))"""


def events(zones: Zones, groups: Sequence[Alike], replaced: Ranges) -> Iterator[tuple[Place, Sequence[float]]]:
    """What stored failure events add where they occur, as `OF_EVENTS`; of members only while they are."""
    if not groups:
        return
    bucket = " ".join(
        f"WHEN {number} THEN width_bucket(e.occurred, %(borders_{number})s::timestamptz[])"
        for number in range(len(zones.cuts))
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.root, CASE e.cut {bucket} END - 1,
                count(*) FILTER (WHERE {COUNTING}), coalesce(sum(items) FILTER (WHERE {COUNTING}), 0),
                count(*) FILTER (WHERE found), count(restored) FILTER (WHERE {COUNTING}),
                coalesce(sum({seconds("restored")} - {seconds("occurred")}) FILTER (WHERE {COUNTING}), 0)::float8,
                count(*) FILTER (WHERE open AND {COUNTING})
            FROM unnest(%(root)s::int[], %(asset)s::bigint[], %(group)s::int[]) AS m(root, asset_id, no)
            CROSS JOIN LATERAL (
                SELECT *, (%(cut)s::int[])[m.no] AS cut FROM kpis_failureevent e WHERE e.asset_id = m.asset_id
                    AND e.occurred >= to_timestamp((%(since)s::bigint[])[m.no])
                    AND e.occurred < to_timestamp((%(until)s::bigint[])[m.no]) OFFSET 0
            ) e {f"WHERE {NOT_REPLACED}" if replaced else ""}
            GROUP BY 1, 2
            """,
            {
                "root": literal(each.texts[0] for each in groups),
                "asset": literal(each.texts[1] for each in groups),
                "group": literal(
                    no for number, each in enumerate(groups, 1) for no in [str(number)] * len(each.assets)
                ),
                "since": literal(each.since for each in groups),
                "until": literal(each.until for each in groups),
                "cut": literal(each.cut for each in groups),
                **{
                    f"borders_{number}": [instant(start) for start, _ in cut.buckets]
                    for number, cut in enumerate(zones.cuts)
                },
                **columns("x", replaced),
            },
        )
        for root, bucket, *sums in cursor.fetchall():
            yield (root, bucket), sums


def event_rows(zones: Zones, replaced: Ranges) -> list[tuple]:
    """Stored failure events of the members that begin in the window, as the fields of `Event`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT asset_id, occurred, until, restored, items, open, found, already_down FROM kpis_failureevent e
            WHERE asset_id = ANY(%(assets)s::bigint[]) AND occurred >= to_timestamp(%(start)s)
                AND occurred < to_timestamp(%(end)s) AND {NOT_REPLACED}
            """,
            {"assets": literal(zones.assets), "start": zones.start, "end": zones.end, **columns("x", replaced)},
        )
        return cursor.fetchall()
