"""What is known of the records behind a figure of work: how old, how late, how well told, what was left open.

Of the records that the figure counts: of its members while they stood there, in its window. One statement for each kind
of record, whatever their number.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection

from core.events import label_of
from kpis.axis import epoch
from kpis.facts.evidence import DAY, WEEK, evidence, last_entry
from kpis.facts.held import LONG
from kpis.facts.ranges import literal
from kpis.facts.repairing import FAILED, columns_of
from kpis.facts.work import Key, Work
from kpis.facts.work_statements import ENDED, ENDED_FROM, MEMBERS
from kpis.repairs import Repairs
from kpis.trust import FRESH, SILENT, Judged, Of, WorkEvidence
from workorders.guards import ASKS_FOR_FAILURE
from workorders.models import WorkOrder
from workorders.states import State
from workorders.timekeeping import LONGEST

WORKED = ("labour", "wrench", "break_in")
SPENT = ("spent", "unit_cost", "upkeep")
WIDE = ("unit_cost", "upkeep")  # of the asset and all below it, whatever the scope
RAISED = ("backlog", "load")  # their orders are not completed: how late they were raised is what tells
NEWEST = 500  # records, the newest, by whose orders it is judged how late work was entered
UNANSWERED = timedelta(days=7)  # after which a request was left open


# --- Stops and failures ------------------------------------------------------------------------


def of_stops(charged: Sequence[int], start: datetime, end: datetime, now: datetime) -> WorkEvidence:
    """Of the stops that cost: those of the assets that are charged, and of what can stop them."""
    known = evidence(charged, start, end, now)
    return WorkEvidence(
        entered=Of.STOPS,
        last_entry=known.last_entry,
        late=Judged(Of.STOPS, known.late, known.stops),
        left=(Judged(Of.STOPS, known.stale, known.stops),),
    )


def of_repairs(
    work: Work, place: Key, members: Iterable[tuple[int, int, int]], around: Sequence[int], *, worked: bool
) -> WorkEvidence:
    """Of the failures of the bucket, with the labour of their orders where the figure is of what was `worked`, and of
    the stops that may be such failures still: of the `members` (asset, from, to) and of what stopped them then.

    The last entry is that of any asset `around`.
    """
    start, end, now = bounds(work, place)
    known: Repairs = work.of("repairs", place)
    here = [each for each in work.told if start <= each.event.occurred < end][-NEWEST:]
    own = [(pk, max(epoch(start), since), min(epoch(end), until)) for pk, since, until in members]
    parameters = columns_of([each.event for each in here], epoch(now)) | {
        "member": literal(pk for pk, _, _ in own),
        "since": literal(since for _, since, _ in own),
        "past": literal(until for _, _, until in own),
        "stale": now - WEEK,
        "orders": literal({order for each in here for order in each.orders} if worked else ()),
        "longest": LONGEST,
    }
    with connection.cursor() as cursor:
        cursor.execute(OF_FAILURES, parameters)
        failures, late, stale, entries, long = cursor.fetchone()
    due = known.events - known.open
    return WorkEvidence(
        entered=Of.FAILURES,
        last_entry=last_entry(around, now) if end >= now - FRESH else None,  # of a former window it does not matter
        late=Judged(Of.FAILURES, late, failures),
        unrestored=Judged(Of.FAILURES, due - known.restored, due),
        left=(Judged(Of.STOPS, stale, stale), Judged(Of.LABOUR, long, entries)),
    )


def bounds(work: Work, place: Key) -> tuple[datetime, datetime, datetime]:
    """Begin of the bucket, its end as far as it has come, and now."""
    start, end = work.buckets[place[1]]
    return start, min(end, work.now), work.now


# Failures entered late; stops open for a week that reach into a member's time, of it and of what stopped it then; and
# labour of the failures' orders that lasts longer than it can. Sought asset by asset.
OF_FAILURES = f"""
WITH RECURSIVE {FAILED}, reach(asset_id, since, until) AS (
    SELECT id, to_timestamp(lo), to_timestamp(hi)
    FROM unnest(%(member)s::bigint[], %(since)s::bigint[], %(past)s::bigint[]) AS m(id, lo, hi) WHERE lo < hi
    UNION
    SELECT p.asset_id, greatest(r.since, lower(p.valid)), least(r.until, upper(p.valid))
    FROM reach r CROSS JOIN LATERAL (
        SELECT p.asset_id, p.valid FROM assets_placement p
        WHERE p.parent_id = r.asset_id AND (p.stops_parent OR p.redundancy_group_id IS NOT NULL) OFFSET 0
    ) p WHERE p.valid && tstzrange(r.since, r.until)
)
SELECT f.*, s.*, l.* FROM (
    SELECT count(*), count(*) FILTER (WHERE entered > occurred + interval '1 day') FROM (
        SELECT min(entered_at) AS entered, min(occurred) AS occurred FROM failed GROUP BY number) f
) f CROSS JOIN (
    SELECT count(DISTINCT d.id) FROM (SELECT * FROM reach OFFSET 0) r CROSS JOIN LATERAL (
        SELECT id, start FROM assets_downtime d WHERE d.asset_id = r.asset_id AND d."end" IS NULL OFFSET 0
    ) d WHERE d.start < r.until AND d.start < %(stale)s
) s CROSS JOIN (
    SELECT count(*), count(*) FILTER (WHERE coalesce("end", to_timestamp(%(now)s)) - start > %(longest)s)
    FROM workorders_labour WHERE order_id = ANY(%(orders)s::bigint[])
) l"""


# --- Orders, labour, requests, costs -----------------------------------------------------------


def of_records(work: Work, place: Key, kind: str) -> WorkEvidence:
    """Of the records of one kind, other than stops and failures."""
    work = work.wide if kind in WIDE else work
    start, end, now = bounds(work, place)
    parameters = work.asking(place[0]) | {
        "start": start,
        "end": end,
        "lately": now - SILENT,
        "longest": LONGEST,
        "day": DAY,
        "unanswered": UNANSWERED,
        "newest": NEWEST,
        "asks": [str(each) for each in ASKS_FOR_FAILURE],
        "week": literal(each.id for each in work.weeks),
        "last_day": [each.last_day for each in work.weeks],
        "over": [each.end for each in work.weeks],
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS[kind], parameters)
        last, judged, late, asked, unsaid, left, of_left = cursor.fetchone()
    return WorkEvidence(
        entered=LAST[kind][0],
        last_entry=last,
        late=Judged(Of.REPORTS if kind in RAISED else Of.ORDERS, late, judged),
        unsaid=Judged(Of.PROBLEMS, unsaid, asked),
        left=(Judged(Of.REQUESTS if kind == "requests" else Of.LABOUR, left, of_left),),
    )


STOOD_HERE = "EXISTS (SELECT FROM member m WHERE m.asset_id = w.asset_id AND m.since <= {at} AND m.until > {at})"

# When an order was last said to move, looked for back to the moment from which silence is complete. An order that a
# plan has raised and nobody has touched was entered by nobody.
MOVED = "greatest(w.state_since, w.completed_at, w.closed_at)"
LAST_ORDER = f"""(SELECT {MOVED} FROM workorders_workorder w
    WHERE {ENDED_FROM.format(moment="%(lately)s")} AND {MOVED} <= %(now)s
        AND (w.occurrence_id IS NULL OR w.state_since > w.created) AND {STOOD_HERE.format(at=MOVED)}
    ORDER BY {MOVED} DESC LIMIT 1)"""
# When labour was entered is not kept: the last time that was worked, which is no later.
LAST_LABOUR = f"""(SELECT coalesce(l."end", l.start)
    FROM workorders_labour l JOIN workorders_workorder w ON w.id = l.order_id
    WHERE l.site_id = %(site)s AND l.start >= %(lately)s AND l.start <= %(now)s AND {STOOD_HERE.format(at="l.start")}
    ORDER BY l.start DESC LIMIT 1)"""
LAST_COST = f"""(SELECT c.at FROM workorders_cost c JOIN workorders_workorder w ON w.id = c.order_id
    WHERE c.site_id = %(site)s AND c.at >= %(lately)s AND c.at <= %(now)s AND {STOOD_HERE.format(at="c.at")}
    ORDER BY c.at DESC LIMIT 1)"""
LAST_REQUEST = f"""(SELECT max(greatest(w.reported_at, CASE WHEN w.answered_at <= %(now)s THEN w.answered_at END))
    FROM workorders_request w
    WHERE w.site_id = %(site)s AND w.reported_at >= %(lately)s AND w.reported_at <= %(now)s
        AND {STOOD_HERE.format(at="w.reported_at")})"""
LAST = {  # by kind of record, what was entered last and when
    **dict.fromkeys(("preventive", "agreed", "closed", "backlog", "load"), (Of.ORDERS, LAST_ORDER)),
    **dict.fromkeys(WORKED, (Of.LABOUR, LAST_LABOUR)),
    **dict.fromkeys(SPENT, (Of.COSTS, f"greatest({LAST_COST}, {LAST_LABOUR})")),
    "requests": (Of.REQUESTS, LAST_REQUEST),
}

# The orders that a figure rests on, as `kpis.facts.work_statements` has them; of many records those of the newest, so
# that not every order of a long window is looked up.
OF_OCCURRENCES = """
SELECT w.id, w.completed_at FROM member m JOIN workorders_planoccurrence o
    ON o.asset_id = m.asset_id AND o.due >= m.since AND o.due < m.until AND o.due >= %(start)s AND o.due < %(end)s
JOIN workorders_workorder w ON w.occurrence_id = o.id ORDER BY o.due DESC LIMIT %(newest)s"""
OF_ENTRIES = """
SELECT w.id, w.completed_at FROM workorders_labour l JOIN workorders_workorder w ON w.id = l.order_id
JOIN member m ON m.asset_id = w.asset_id AND l.start < m.until AND coalesce(l."end", %(now)s) > m.since
WHERE l.site_id = %(site)s AND l.start >= %(start)s - interval '24 hours' AND l.start < %(end)s
    AND (l."end" IS NULL OR l."end" > %(start)s)
ORDER BY l.start DESC LIMIT %(newest)s"""
OF_COSTS = """
SELECT w.id, w.completed_at FROM workorders_cost c JOIN workorders_workorder w ON w.id = c.order_id
JOIN member m ON m.asset_id = w.asset_id AND c.at >= m.since AND c.at < m.until
WHERE c.site_id = %(site)s AND c.at >= %(start)s AND c.at < %(end)s ORDER BY c.at DESC LIMIT %(newest)s"""
OF_CLOSED = f"""
SELECT w.id, w.completed_at FROM workorders_workorder w
JOIN member m ON m.asset_id = w.asset_id AND w.closed_at >= m.since AND w.closed_at < m.until
WHERE w.state = '{State.CLOSED}' AND {ENDED_FROM.format(moment="%(start)s")}
    AND w.closed_at >= %(start)s AND w.closed_at < %(end)s ORDER BY {MOVED} DESC LIMIT %(newest)s"""
OF_AGREED = """
SELECT w.id, w.completed_at
FROM unnest(%(week)s::bigint[], %(last_day)s::timestamptz[], %(over)s::timestamptz[]) AS a(id, last_day, past)
JOIN workorders_agreedorder o ON o.week_id = a.id JOIN workorders_workorder w ON w.id = o.order_id
JOIN member m ON m.asset_id = w.asset_id AND m.since <= a.last_day AND m.until > a.last_day
WHERE a.last_day >= %(start)s AND a.last_day < %(end)s AND a.past <= %(now)s
ORDER BY a.last_day DESC LIMIT %(newest)s"""
OF_OPEN = f"""
SELECT w.id, w.created > w.reported_at + %(day)s AS late FROM (
    SELECT * FROM workorders_workorder w WHERE w.site_id = %(site)s AND w.state = ANY(%(open)s)
    UNION ALL
    SELECT * FROM workorders_workorder w
    WHERE {ENDED_FROM.format(moment="%(end)s")} AND NOT w.state = ANY(%(open)s) AND {ENDED} >= %(end)s
) w JOIN member m ON m.asset_id = w.asset_id AND m.since < %(end)s AND m.until >= %(end)s
WHERE w.created < %(end)s"""
ORDERS = {
    "preventive": OF_OCCURRENCES,
    "agreed": OF_AGREED,
    "closed": OF_CLOSED,
    **dict.fromkeys(WORKED, OF_ENTRIES),
    **dict.fromkeys(SPENT, f"({OF_COSTS}) UNION ({OF_ENTRIES})"),
    **dict.fromkeys(RAISED, OF_OPEN),
}

# Of those completed, the ones that were said to be later than a day after; what was never said is not known.
COMPLETED = f"""
SELECT count(*), count(*) FILTER (WHERE said.at > w.completed_at + %(day)s)
FROM (SELECT * FROM own WHERE completed_at <= %(now)s) w CROSS JOIN LATERAL (
    SELECT e.at FROM core_event e
    WHERE e.object_type = '{label_of(WorkOrder)}' AND e.object_id = w.id AND e.verb = 'work_order.completed'
    ORDER BY e.at DESC LIMIT 1
) said"""
REPORTED = "SELECT count(*), count(*) FILTER (WHERE late) FROM own"
# Closed corrective orders that may have been the same problem again, as they name none.
UNSAID = """
SELECT count(*), count(*) FILTER (WHERE f.problem_id IS NULL) FROM workorders_workorder w
LEFT JOIN assets_failure f ON f.id = w.failure_id
WHERE w.id IN (SELECT id FROM own) AND w.kind = ANY(%(asks)s) AND w.was_failure IS NOT FALSE"""
# Labour at a stretch that is longer than anybody works: a clock that was forgotten, by now or until the order ended.
LEFT_RUNNING = f"""
SELECT count(*) FILTER (WHERE coalesce(l."end", %(now)s) - l.start > %(longest)s), count(*)
FROM workorders_labour l
WHERE l.site_id = %(site)s AND {LONG.format(r="l.")} AND l.start < %(end)s AND coalesce(l."end" > %(start)s, true)"""
OF_OWN = "l.order_id IN (SELECT id FROM own)"
OF_MEMBER = """EXISTS (SELECT FROM workorders_workorder w JOIN member m ON m.asset_id = w.asset_id
    WHERE w.id = l.order_id AND l.start < m.until AND coalesce(l."end", %(now)s) > m.since)"""
REQUESTS = f"""
WITH {MEMBERS}
SELECT {LAST_REQUEST}, 0, 0, 0, 0, count(*) FILTER (
    WHERE coalesce(w.answered_at > %(now)s, true) AND w.reported_at < %(now)s - %(unanswered)s), count(*)
FROM workorders_request w
JOIN member m ON m.asset_id = w.asset_id AND w.reported_at >= m.since AND w.reported_at < m.until
WHERE w.site_id = %(site)s AND w.reported_at >= %(start)s AND w.reported_at < %(end)s"""


def statement(kind: str) -> str:
    """One row: last entry, judged and late ones, asked and unsaid ones, left open ones and of how many."""
    late = REPORTED if kind in RAISED else COMPLETED
    unsaid = UNSAID if kind == "closed" else "SELECT 0, 0"
    whose = OF_MEMBER if kind in WORKED + SPENT else OF_OWN
    return f"""
        WITH {MEMBERS}, own AS MATERIALIZED (SELECT DISTINCT * FROM ({ORDERS[kind]}) own)
        SELECT {LAST[kind][1]}, late.*, unsaid.*, running.*
        FROM ({late}) late CROSS JOIN ({unsaid}) unsaid CROSS JOIN ({LEFT_RUNNING} AND {whose}) running"""


STATEMENTS = {"requests": REQUESTS} | {kind: statement(kind) for kind in ORDERS}
