"""Hand-written answers for any window: SQL on a stored axis of scheduled seconds, and one ORM query per asset.

The SQL is what an expert would write for just this plant (see `kpi_reference`): `bench_stop` keeps each stop with the
scheduled seconds before its two instants, so that clip, merge and sum are integer arithmetic without a calendar. It
answers scheduled, planned stop, down and off-schedule seconds, stops and failure events of every asset; lost time by
reason, which the product answers as well, it leaves out. No stop of the plant lasts longer than `LONGEST`.
"""

from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Q

from assets.models import Asset, Downtime, Failure

LONGEST = 86_400

AXIS = """
DROP TABLE IF EXISTS bench_stop;
CREATE UNLOGGED TABLE bench_stop AS
SELECT d.asset_id, d.s, d.e, d.kind, d.fails, d.u, coalesce(a.cum + least(d.s, a.hi) - a.lo, 0)::bigint AS ss,
    coalesce(b.cum + least(d.e, b.hi) - b.lo, 0)::bigint AS se
FROM (
    SELECT d.asset_id, date_part('epoch', d.start)::bigint AS s,
        date_part('epoch', coalesce(d."end", %(now)s))::bigint AS e,
        CASE WHEN NOT d.planned THEN 0 WHEN r.excluded THEN 1 ELSE 2 END::smallint AS kind,
        f.id IS NOT NULL AS fails, date_part('epoch', coalesce(f.restored, d."end", %(now)s))::bigint AS u
    FROM assets_downtime d LEFT JOIN assets_downtimereason r ON r.id = d.reason_id
    LEFT JOIN assets_failure f ON f.downtime_id = d.id
) d JOIN bench_plan p USING (asset_id)
LEFT JOIN LATERAL (SELECT * FROM bench_slot s WHERE s.calendar = p.calendar AND s.lo <= d.s ORDER BY s.lo DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT * FROM bench_slot s WHERE s.calendar = p.calendar AND s.lo <= d.e ORDER BY s.lo DESC LIMIT 1) b ON true
ORDER BY d.s;
CREATE INDEX ON bench_stop (s);
ANALYZE bench_stop
"""

NEAR = """
WITH axis AS MATERIALIZED (
    SELECT c.calendar, coalesce(a.cum + least(%(lo)s, a.hi) - a.lo, 0) AS s0, coalesce(b.cum + least(%(hi)s, b.hi) - b.lo, 0) AS s1
    FROM (SELECT DISTINCT calendar FROM bench_plan) c
    LEFT JOIN LATERAL (SELECT * FROM bench_slot s WHERE s.calendar = c.calendar AND s.lo <= %(lo)s ORDER BY s.lo DESC LIMIT 1) a ON true
    LEFT JOIN LATERAL (SELECT * FROM bench_slot s WHERE s.calendar = c.calendar AND s.lo <= %(hi)s ORDER BY s.lo DESC LIMIT 1) b ON true
), near AS MATERIALIZED (
    SELECT * FROM bench_stop WHERE s >= %(lo)s - %(longest)s AND s < %(hi)s AND e > %(lo)s
)"""

STOPS = """, stop AS (
    SELECT asset_id, s, e, ss, se, kind, fails, u, true AS own FROM near
    UNION ALL
    SELECT a.parent_id, s, e, ss, se, kind, fails, e, false
    FROM near JOIN assets_asset a ON a.id = near.asset_id AND a.stops_parent
)"""

# Two of the three members must be up: where two are down, each stop of a member holds the line. Begin and end of such
# a span are those of stops, so that the axis comes along.
GROUPED = """, felt AS MATERIALIZED (
    SELECT a.parent_id, near.* FROM near JOIN assets_asset a ON a.id = near.asset_id
    JOIN assets_placement p ON p.asset_id = a.id AND p.redundancy_group_id IS NOT NULL
), island AS (
    SELECT parent_id, asset_id, min(s) AS s, max(e) AS e, min(ss) AS ss, max(se) AS se FROM (
        SELECT *, count(*) FILTER (WHERE fresh) OVER (PARTITION BY asset_id ORDER BY s, e) AS no FROM (
            SELECT *, coalesce(s > max(e) OVER (PARTITION BY asset_id ORDER BY s, e ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS fresh
            FROM felt) marked
    ) numbered GROUP BY parent_id, asset_id, no
), step AS (
    SELECT parent_id, t, max(st) AS st, sum(change) AS change FROM (
        SELECT parent_id, s AS t, ss AS st, 1 AS change FROM island UNION ALL SELECT parent_id, e, se, -1 FROM island
    ) steps GROUP BY parent_id, t
), short AS (
    SELECT parent_id, t AS lo, past AS hi, st AS s_lo, st_past AS s_hi FROM (
        SELECT parent_id, t, st, lead(t) OVER w AS past, lead(st) OVER w AS st_past, sum(change) OVER w AS down
        FROM step WINDOW w AS (PARTITION BY parent_id ORDER BY t)
    ) run WHERE down >= 2
), run AS (
    SELECT parent_id, min(lo) AS lo, max(hi) AS hi, min(s_lo) AS s_lo, max(s_hi) AS s_hi FROM (
        SELECT *, count(*) FILTER (WHERE fresh) OVER (PARTITION BY parent_id ORDER BY lo) AS no FROM (
            SELECT *, coalesce(lo > lag(hi) OVER (PARTITION BY parent_id ORDER BY lo), true) AS fresh FROM short) marked
    ) numbered GROUP BY parent_id, no
), stop AS (
    SELECT asset_id, s, e, ss, se, kind, fails, u, true AS own FROM near JOIN bench_line USING (asset_id)
    UNION ALL
    SELECT a.parent_id, s, e, ss, se, kind, fails, e, false
    FROM near JOIN assets_asset a ON a.id = near.asset_id AND a.stops_parent
    UNION ALL
    SELECT felt.parent_id, greatest(s, lo), least(e, hi), greatest(ss, s_lo), least(se, s_hi), kind, fails, least(e, hi), false
    FROM felt JOIN run ON run.parent_id = felt.parent_id AND s < hi AND e > lo
)"""

# A failure below is one of the line only if no stop held the line before it.
SUMS = """, ranked AS (
    SELECT asset_id, kind, fails, own, max(stop.e) FILTER (WHERE kind = 0) OVER earlier AS busy, stop.s AS began, s >= %(lo)s AS here, greatest(s, %(lo)s) AS s, least(e, %(hi)s) AS e,
        greatest(ss, s0) AS ss, least(se, s1) AS se,
        max(se) OVER w AS any_se, max(se) FILTER (WHERE kind <> 2) OVER w AS out_se,
        max(se) FILTER (WHERE kind = 0) OVER w AS down_se, max(e) FILTER (WHERE kind = 0) OVER w AS down_e,
        max(u) FILTER (WHERE fails) OVER w AS failed_u, max(s) FILTER (WHERE fails) OVER w AS failed_s
    FROM stop JOIN bench_plan USING (asset_id) JOIN axis USING (calendar)
    WINDOW w AS (PARTITION BY asset_id ORDER BY stop.s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        earlier AS (PARTITION BY asset_id ORDER BY stop.s GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), summed AS (
    SELECT asset_id,
        sum(greatest(0, se - greatest(ss, any_se))::int) AS anyhow,
        coalesce(sum(greatest(0, se - greatest(ss, out_se))::int) FILTER (WHERE kind <> 2), 0) AS away,
        coalesce(sum(greatest(0, se - greatest(ss, down_se))::int) FILTER (WHERE kind = 0), 0) AS failed,
        coalesce(sum(greatest(0, e - greatest(s, down_e))::int) FILTER (WHERE kind = 0), 0) AS clock,
        count(*) FILTER (WHERE here AND kind <> 1) AS stops
    FROM ranked GROUP BY asset_id
), failed AS (
    SELECT asset_id, count(DISTINCT no) AS events FROM (
        SELECT asset_id, own OR coalesce(began >= busy, true) AS counts, count(*) FILTER (WHERE fresh) OVER w AS no,
            max(began) FILTER (WHERE fresh) OVER w AS first
        FROM (SELECT *, coalesce(began >= failed_u AND began > failed_s, true) AS fresh FROM ranked WHERE fails) marked
        WINDOW w AS (PARTITION BY asset_id ORDER BY began ROWS UNBOUNDED PRECEDING)
    ) numbered WHERE counts AND first >= %(lo)s GROUP BY asset_id
)
SELECT asset_id, (s1 - s0)::bigint, coalesce(away - failed, 0), coalesce(anyhow - (away - failed), 0), coalesce(clock - failed, 0),
    coalesce(stops, 0), coalesce(events, 0)
FROM bench_plan {only} JOIN axis USING (calendar) LEFT JOIN summed USING (asset_id) LEFT JOIN failed USING (asset_id)
"""

Sums = dict[int, tuple[int, ...]]  # asset → scheduled, planned stop, down, off schedule, stops, failure events


def prepare(now: datetime) -> None:
    """Fill the axis, as triggers would keep it; `kpi_reference.full` made the calendars."""
    with connection.cursor() as cursor:
        cursor.execute(AXIS, {"now": now})
        cursor.execute("DROP TABLE IF EXISTS bench_line")
        cursor.execute("CREATE TABLE bench_line AS SELECT id AS asset_id FROM assets_asset WHERE parent_id IS NULL")
        cursor.execute("ANALYZE bench_line; SELECT max(e - s) FROM bench_stop")
        longest = cursor.fetchone()[0]
    if longest > LONGEST:
        raise RuntimeError(f"A stop of {longest} s: the reference would miss it.")


def window(lo: int, hi: int) -> Sums:
    """Every asset in [lo, hi)."""
    return _answered(NEAR + STOPS + SUMS.format(only=""), lo, hi)


def lines(lo: int, hi: int) -> Sums:
    """Every line in [lo, hi), with the groups of `kpi_windows.grouped`."""
    return _answered(NEAR + GROUPED + SUMS.format(only="JOIN bench_line USING (asset_id)"), lo, hi)


def _answered(sql: str, lo: int, hi: int) -> Sums:
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off; SET work_mem = '64MB'")
        cursor.execute(sql, {"lo": lo, "hi": hi, "longest": LONGEST})
        return {asset_id: tuple(map(int, sums)) for asset_id, *sums in cursor.fetchall()}


# --- The way of most programs: one query per asset, merged in Python ------------------------------------------


class Schedule:
    """The slots of a calendar, read once."""

    def __init__(self, calendar: int):
        with connection.cursor() as cursor:
            cursor.execute("SELECT lo, hi, cum FROM bench_slot WHERE calendar = %s ORDER BY lo", [calendar])
            self.lo, self.hi, self.cum = (list(column) for column in zip(*cursor.fetchall(), strict=True))

    def before(self, moment: int) -> int:
        """Scheduled seconds before an instant."""
        index = bisect_right(self.lo, moment) - 1
        return 0 if index < 0 else self.cum[index] + min(moment, self.hi[index]) - self.lo[index]


def schedules() -> dict[int, Schedule]:
    """The schedule of every asset; those alike share it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT asset_id, calendar FROM bench_plan")
        rows = cursor.fetchall()
    known = {calendar: Schedule(calendar) for calendar in {calendar for _, calendar in rows}}
    return {asset_id: known[calendar] for asset_id, calendar in rows}


def one_by_one(assets: list[int], planned: dict[int, Schedule], lo: int, hi: int, *, now: int) -> Sums:
    """The same answer asset by asset: its stops, its failures, and plain Python. Who stops whom is read before."""
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in (lo, hi))
    stopping = defaultdict(list)
    for pk, parent in Asset.objects.filter(parent__in=assets, stops_parent=True).values_list("pk", "parent_id"):
        stopping[parent].append(pk)
    return {pk: _of_one(pk, stopping[pk], planned[pk], start, end, now) for pk in assets}


def _of_one(
    asset: int, stopping: list[int], schedule: Schedule, start: datetime, end: datetime, now: int
) -> tuple[int, ...]:
    lo, hi = int(start.timestamp()), int(end.timestamp())
    first = start - timedelta(seconds=LONGEST)
    rows = Downtime.objects.filter(asset__in=[asset, *stopping], start__gte=first, start__lt=end)
    rows = rows.filter(Q(end=None) | Q(end__gt=start)).select_related("reason")
    stops = [
        (
            int(row.start.timestamp()),
            int(row.end.timestamp()) if row.end else now,
            0 if not row.planned else 1 if row.reason.excluded else 2,
        )
        for row in rows.order_by("start")
    ]
    lost, excluded, anyhow = (
        _union([stop for stop in stops if stop[2] in kinds], lo, hi) for kinds in ((0,), (0, 1), (0, 1, 2))
    )
    scheduled = [sum(schedule.before(e) - schedule.before(s) for s, e in spans) for spans in (lost, excluded, anyhow)]
    planned_stop = scheduled[1] - scheduled[0]
    failures = Failure.objects.filter(asset__in=[asset, *stopping], occurred__gte=first, occurred__lt=end)
    counted, first, until, last = set(), 0, 0, 0
    for row in failures.select_related("downtime").order_by("occurred"):
        own = row.asset_id == asset
        begun, over = int(row.occurred.timestamp()), row.restored if own else row.downtime.end
        if begun >= until and begun > last:
            first = begun
        until, last = max(until, int(over.timestamp()) if over else now), begun
        if first >= lo and (own or not any(s < begun < e for s, e, kind in stops if kind == 0)):
            counted.add(first)
    return (
        schedule.before(hi) - schedule.before(lo),
        planned_stop,
        scheduled[2] - planned_stop,
        sum(e - s for s, e in lost) - scheduled[0],
        sum(s >= lo and kind != 1 for s, _, kind in stops),
        len(counted),
    )


def _union(stops: list[tuple[int, int, int]], lo: int, hi: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for s, e, _ in stops:
        s, e = max(s, lo), min(e, hi)
        if found and s <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], e))
        else:
            found.append((s, e))
    return found
