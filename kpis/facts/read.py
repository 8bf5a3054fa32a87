"""Facts of many assets in many windows, in a constant number of queries.

Whole production days that are stored and have not changed since are summed from storage. The rest is computed from
the records: the running day, days cut by the window or by a move, days marked as changed. So a figure is never
older than the records, and a wide window costs little more than a narrow one.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from django.db import connection

from core.models import Site
from kpis.axis import FAR, epoch, instant
from kpis.facts.live import FRACTIONS, NUMBERS, Cell, CellFacts, Event, compute
from kpis.facts.plans import Plans
from kpis.facts.question import columns, literal, merged
from kpis.facts.statement import seconds
from kpis.facts.store import Clock
from kpis.facts.zones import Bucket, Member, Stretch, Zones
from kpis.formulas import Facts

NAMES = (*NUMBERS, *FRACTIONS)
Causes = dict[tuple[int | None, str], tuple[int, int]]  # (reason, loss class) → seconds, stops


@dataclass(slots=True)
class Answer:
    """Facts of one root in one bucket: of all its assets, and of those that have counts there (for OEE)."""

    all: Facts = field(default_factory=Facts)
    counted: Facts = field(default_factory=Facts)
    counted_assets: set[int] = field(default_factory=set)
    causes: Causes = field(default_factory=dict)
    live: list[tuple[int, CellFacts]] = field(default_factory=list)  # computed parts with their asset
    computed_at: datetime | None = None  # of the oldest stored part; None when all was computed now

    def add_cause(self, key: tuple[int | None, str], seconds: int, stops: int) -> None:
        known = self.causes.get(key, (0, 0))
        self.causes[key] = (known[0] + seconds, known[1] + stops)


Answers = dict[tuple[int, int], Answer]  # (root, position of the bucket)


class Reader:
    """Reads the facts of one site as of one moment. Buckets are in order and disjoint."""

    def __init__(self, site: Site, members: Sequence[Member], buckets: Sequence[Bucket], now: datetime | None = None):
        self.site = site
        self.clock = Clock.of(site, now)
        self.buckets = list(buckets)
        self.zones = Zones(self.clock, members, self.buckets)
        self.plans = Plans(site, self.zones.assets, self.zones.start, self.zones.end)
        self.stretches = self.zones.stretches()
        self.watch, self.replaced = self.zones.watch()
        self.observed = {asset_id for asset_id, state in self.zones.states.items() if state.observed}
        self._borders = self._borders_of_spans()

    @property
    def recalculating(self) -> bool:
        """Whether so much has changed that figures come from what is stored."""
        return self.zones.recalculating

    def answers(self) -> Answers:
        """An answer for every root and bucket that has members."""
        cells = sorted({cell for each, _, cell in self._cells()})
        found, events = compute(self.site, cells, self.watch, self.clock.now)
        live = {cells[position]: facts for position, facts in found.items()}
        self.observed |= {asset_id for asset_id, _, _ in live} | {event.asset_id for event in events}
        answers: Answers = defaultdict(Answer)
        if live:
            self._take_live(answers, live)
        rows = self._stored_rows()
        if rows["root"]:
            self._add_days(answers, rows)
            self._add_causes(answers, rows)
        self._add_live(answers)
        self._add_times(answers)
        self._add_events(answers, events)
        return dict(answers)

    def _computed(self) -> Iterator[tuple[Stretch, int, tuple[int, int]]]:
        """Stretch, bucket and span for all that is not stored; members alike share their zones."""
        known: dict[int, list[tuple[int, tuple[int, int]]]] = {}
        for each in self.stretches:
            if id(each.zones) not in known:
                known[id(each.zones)] = [
                    (bucket, span) for bucket, (_, spans) in enumerate(each.zones) for span in spans
                ]
            for bucket, span in known[id(each.zones)]:
                yield each, bucket, span

    def _borders_of_spans(self) -> dict[int, list[int]]:
        borders: dict[int, set[int]] = defaultdict(set)
        for each, _, span in self._computed():
            borders[each.member.asset_id].update(span)
        return {asset_id: sorted(at) for asset_id, at in borders.items()}

    def _cells(self) -> Iterator[tuple[Stretch, int, Cell]]:
        """Stretch, bucket and cell for all that must be computed.

        Spans that different roots want of an asset may overlap; cells between all their borders do not.
        """
        for each, bucket, (lo, hi) in self._computed():
            at = self._borders[each.member.asset_id]
            for start, end in pairwise(at[bisect_left(at, lo) : bisect_right(at, hi)]):
                yield each, bucket, (each.member.asset_id, start, end)

    def _take_live(self, answers: Answers, live: dict[Cell, CellFacts]) -> None:
        for each, bucket, cell in self._cells():
            if facts := live.get(cell):
                answer = answers[each.member.root, bucket]
                answer.live.append((each.member.asset_id, facts))
                if facts.sums.get("counts"):
                    answer.counted_assets.add(each.member.asset_id)

    def _add_live(self, answers: Answers) -> None:
        for answer in answers.values():
            for asset_id, cell in answer.live:
                facts = Facts(**cell.sums, losses=losses(cell.causes))
                answer.all += facts
                if asset_id in answer.counted_assets:
                    answer.counted += facts
                for key, cause in cell.causes.items():
                    answer.add_cause(key, *cause)

    # --- Stored days

    def _stored_rows(self) -> dict[str, list]:
        """Members with their stored days; neighbouring days of several buckets are one range. And each day's bucket."""
        rows: dict[str, list] = {"root": [], "asset": [], "first": [], "past": [], "bucket": []}
        ranges: dict[int, list] = {}
        buckets: dict[int, int] = {}
        days = self.zones.days
        for each in self.stretches:
            if id(each.zones) not in ranges:
                spans = merged(span for stored, _ in each.zones for span in stored)
                ranges[id(each.zones)] = [(days.day(lo), days.day(hi)) for lo, hi in spans]
                for bucket, (stored, _) in enumerate(each.zones):
                    buckets.update((position, bucket) for lo, hi in stored for position in range(lo, hi))
            for first, past in ranges[id(each.zones)]:
                rows["root"].append(each.member.root)
                rows["asset"].append(each.member.asset_id)
                rows["first"].append(first)
                rows["past"].append(past)
        rows["bucket"] = [buckets.get(position, -1) for position in range(max(buckets, default=-1) + 1)]
        return rows

    def _add_days(self, answers: Answers, rows: dict[str, list]) -> None:
        forced = [(root, bucket, asset) for (root, bucket), each in answers.items() for asset in each.counted_assets]
        every = ", ".join(f"sum({name})" for name in NAMES)
        counted = ", ".join(f"sum({name}) FILTER (WHERE counts > 0 OR forced)" for name in NAMES)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH {stored_days("kpis_assetday", (), NAMES)}
                SELECT root, bucket, {every}, {counted}, array_agg(asset_id) FILTER (WHERE counts > 0) FROM (
                    SELECT root, bucket, asset_id, {", ".join(f"sum({name}) AS {name}" for name in NAMES)},
                        (root, bucket, asset_id) IN (SELECT * FROM {COUNTED}) AS forced
                    FROM member JOIN stored USING (asset_id, first, past) GROUP BY root, bucket, asset_id
                ) per_asset GROUP BY root, bucket
                """,
                parameters(rows)
                | {
                    "day": self.zones.days.first,
                    "c_root": literal(each[0] for each in forced),
                    "c_bucket": literal(each[1] for each in forced),
                    "c_asset": literal(each[2] for each in forced),
                },
            )
            for root, bucket, *sums, counted_assets in cursor.fetchall():
                answer = answers[root, bucket]
                answer.all += facts_of(sums[: len(NAMES)])
                answer.counted += facts_of(sums[len(NAMES) :])
                answer.counted_assets |= set(counted_assets or ())

    def _add_causes(self, answers: Answers, rows: dict[str, list]) -> None:
        counted = [(root, bucket, asset) for (root, bucket), each in answers.items() for asset in each.counted_assets]
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH {stored_days("kpis_lossday", ("reason_id", "loss"), ("seconds", "stops"))}
                SELECT root, bucket, reason_id, loss, sum(seconds), sum(stops),
                    coalesce(sum(seconds) FILTER (WHERE (root, bucket, asset_id) IN (SELECT * FROM {COUNTED})), 0)
                FROM member JOIN stored USING (asset_id, first, past)
                GROUP BY 1, 2, 3, 4
                """,
                parameters(rows)
                | {
                    "day": self.zones.days.first,
                    "c_root": literal(each[0] for each in counted),
                    "c_bucket": literal(each[1] for each in counted),
                    "c_asset": literal(each[2] for each in counted),
                },
            )
            sums: dict[tuple[int, int], tuple[Counter, Counter]] = defaultdict(lambda: (Counter(), Counter()))
            for root, bucket, reason, loss, lost, stops, of_counted in cursor.fetchall():
                answers[root, bucket].add_cause((reason, loss), int(lost), int(stops))
                of_all, of_those = sums[root, bucket]
                of_all[loss] += float(lost)
                of_those[loss] += float(of_counted)
        for key, (of_all, of_those) in sums.items():
            answers[key].all += Facts(losses=of_all)
            answers[key].counted += Facts(losses=of_those)

    # --- Times and failures

    def _add_times(self, answers: Answers) -> None:
        """Calendar and scheduled time; members with the same calendar and life are reckoned once."""
        alike: Counter[tuple] = Counter()
        counted: Counter[tuple] = Counter()
        plans: dict[int, tuple] = {}  # by identity: those alike are one, and to hash their stretches takes long
        for each in self.stretches:
            plan = self.plans.stretches(each.member.asset_id)
            plans[id(plan)] = plan
            alike[each.member.root, id(plan), each.since, each.until, each.member.asset_id in self.observed] += 1
        counted_of = defaultdict(set)
        for (root, bucket), answer in answers.items():
            for asset_id in answer.counted_assets:
                counted_of[root, asset_id].add(bucket)
        for each in self.stretches:
            for bucket in counted_of.get((each.member.root, each.member.asset_id), ()):
                plan = self.plans.stretches(each.member.asset_id)
                counted[each.member.root, id(plan), each.since, each.until, bucket] += 1
        for (root, plan, since, until, known), number in alike.items():
            for bucket in range(len(self.buckets)):
                if times := self._times(plans[plan], since, until, bucket, known):
                    answers[root, bucket].all += times * number
        for (root, plan, since, until, bucket), number in counted.items():
            if times := self._times(plans[plan], since, until, bucket, True):
                answers[root, bucket].counted += times * number
        self._add_ages(answers)

    def _add_ages(self, answers: Answers) -> None:
        """When the oldest stored part was computed; members alike share their zones."""
        oldest: dict[tuple[int, int], Stretch] = {}
        for each in self.stretches:
            if at := each.state.computed_at:
                known = oldest.setdefault((each.member.root, id(each.zones)), each)
                if at < known.state.computed_at:
                    oldest[each.member.root, id(each.zones)] = each
        for (root, _), each in oldest.items():
            for bucket, (stored, _) in enumerate(each.zones):
                if stored:
                    answer = answers[root, bucket]
                    answer.computed_at = min(answer.computed_at or each.state.computed_at, each.state.computed_at)

    def _times(self, plan: tuple, since: int, until: int, bucket: int, known: bool) -> Facts | None:
        start, end = self.buckets[bucket]
        lo, hi = max(start, since), min(end, until, self.clock.now)
        if lo >= hi:
            return None
        scheduled = self.plans.between(plan, lo, hi)
        if not known:
            return Facts(calendar=hi - lo, unobserved=scheduled)
        return Facts(calendar=hi - lo, scheduled=scheduled, recorded=1)

    def _add_events(self, answers: Answers, live: Iterable[Event]) -> None:
        """Failure events where they occur, of members only while they are."""
        if not self.stretches:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT m.root, width_bucket(e.occurred, %(borders)s::timestamptz[]) - 1,
                    count(*) FILTER (WHERE NOT found), coalesce(sum(items) FILTER (WHERE NOT found), 0),
                    count(*) FILTER (WHERE found), count(restored) FILTER (WHERE NOT found),
                    coalesce(sum({seconds("restored")} - {seconds("occurred")}) FILTER (WHERE NOT found), 0),
                    count(*) FILTER (WHERE open AND NOT found)
                FROM unnest(%(root)s::int[], %(asset)s::bigint[], %(since)s::bigint[], %(until)s::bigint[])
                    AS m(root, asset_id, since, until)
                CROSS JOIN LATERAL (
                    SELECT * FROM kpis_failureevent e WHERE e.asset_id = m.asset_id
                        AND e.occurred >= to_timestamp(m.since) AND e.occurred < to_timestamp(m.until) OFFSET 0
                ) e WHERE {NOT_REPLACED}
                GROUP BY 1, 2
                """,
                {
                    "borders": [instant(start) for start, _ in self.buckets],
                    "root": literal(each.member.root for each in self.stretches),
                    "asset": literal(each.member.asset_id for each in self.stretches),
                    "since": literal(max(each.since, self.zones.start) for each in self.stretches),
                    "until": literal(min(each.until, self.zones.end) for each in self.stretches),
                    **columns("x", self.replaced),
                },
            )
            for root, bucket, events, items, found, restored, restoration, still_open in cursor.fetchall():
                answers[root, bucket].all += Facts(
                    events=events,
                    items=int(items),
                    found=found,
                    restored=restored,
                    restoration=float(restoration),
                    open_events=still_open,
                )
        members = defaultdict(list)
        for each in self.stretches:
            members[each.member.asset_id].append(each)
        for event in live:
            moment = epoch(event.occurred)
            for each in members[event.asset_id]:
                if max(each.since, self.zones.start) <= moment < min(each.until, self.zones.end):
                    answers[each.member.root, self._bucket(moment)].all += facts_of_event(event)

    def _bucket(self, moment: int) -> int:
        return bisect_right(self.buckets, (moment, FAR)) - 1

    def events(self) -> list[Event]:
        """The failure events of the members in the window, in order."""
        _, live = compute(self.site, [], self.watch, self.clock.now)
        self.observed |= {event.asset_id for event in live}
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT asset_id, occurred, until, restored, items, open, found FROM kpis_failureevent e
                WHERE asset_id = ANY(%(assets)s::bigint[]) AND occurred >= to_timestamp(%(start)s)
                    AND occurred < to_timestamp(%(end)s) AND {NOT_REPLACED}
                """,
                {
                    "assets": literal(self.zones.assets),
                    "start": self.zones.start,
                    "end": self.zones.end,
                    **columns("x", self.replaced),
                },
            )
            found = [Event(*row) for row in cursor.fetchall()] + live
        spans = defaultdict(list)
        for each in self.stretches:
            spans[each.member.asset_id].append((max(each.since, self.zones.start), min(each.until, self.zones.end)))
        inside = [
            event
            for event in found
            if any(since <= epoch(event.occurred) < until for since, until in spans[event.asset_id])
        ]
        return sorted(inside, key=lambda event: (event.occurred, event.asset_id))


NOT_REPLACED = """NOT EXISTS (
    SELECT FROM unnest(%(x_asset)s::bigint[], %(x_lo)s::bigint[], %(x_hi)s::bigint[]) AS x(asset_id, lo, hi)
    WHERE x.asset_id = e.asset_id AND e.occurred >= to_timestamp(x.lo) AND e.occurred < to_timestamp(x.hi))"""

# Roots, buckets and assets with counts. Asked for by IN: the planner would join it by a loop over all rows.
COUNTED = "unnest(%(c_root)s::int[], %(c_bucket)s::int[], %(c_asset)s::bigint[])"


def stored_days(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """CTEs: members with a range of stored days each, and the sums of each asset, range and bucket.

    A range that counts for several roots is read once. OFFSET 0 lets the planner seek the days by index and not read
    the whole table; a day's bucket stands in an array, as a join would be made anew for each range.
    """
    labels = ", ".join(["asset_id", "first", "past", "bucket", *keys])
    return f"""
    member(root, asset_id, first, past) AS MATERIALIZED (
        SELECT * FROM unnest(%(root)s::int[], %(asset)s::bigint[], %(first)s::date[], %(past)s::date[])
    ), stored AS MATERIALIZED (
        SELECT {labels}, {", ".join(f"sum({name}) AS {name}" for name in sums)} FROM (
            SELECT f.*, first, past, (%(bucket)s::int[])[f.day - %(day)s::date + 1] AS bucket
            FROM (SELECT DISTINCT asset_id, first, past FROM member) r CROSS JOIN LATERAL (
                SELECT * FROM {table} f WHERE f.asset_id = r.asset_id AND f.day >= r.first AND f.day < r.past OFFSET 0
            ) f
        ) days GROUP BY {labels}
    )"""


def parameters(rows: dict[str, list]) -> dict:
    return {name: literal(values) for name, values in rows.items()}


def facts_of(sums: Sequence[float | None]) -> Facts:
    return Facts(**{name: float(value or 0) for name, value in zip(NAMES, sums, strict=True)})


def facts_of_event(event: Event) -> Facts:
    """What one failure event adds to the facts of the window in which it occurs."""
    if event.found:
        return Facts(found=1)
    restoration = 0.0 if event.restored is None else (event.restored - event.occurred).total_seconds()
    return Facts(
        events=1,
        items=event.items,
        restored=int(event.restored is not None),
        restoration=restoration,
        open_events=int(event.open),
    )


def losses(causes: Causes) -> dict[str, float]:
    """Lost seconds by loss class."""
    sums: dict[str, float] = {}
    for (_, loss), (seconds_lost, _) in causes.items():
        sums[loss] = sums.get(loss, 0) + seconds_lost
    return sums
