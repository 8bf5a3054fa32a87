"""The questions of `kpis.facts.work`, one for each kind of record: sums by root and bucket.

OFFSET 0 at the end of a subquery: what is reckoned for each row is reckoned once, and not in every sum.
"""

from collections.abc import Collection
from itertools import chain

from kpis.axis import EVER, NEVER
from kpis.facts.held import TOUCHING
from kpis.work import ComplianceRule
from workorders.models import OccurrenceState, RequestState
from workorders.states import State

# Of roots that are the `whole` site everything that is there.
MEMBERS = f"""
member(root, asset_id, since, until) AS MATERIALIZED (
    SELECT root, asset_id, to_timestamp((%(since)s::bigint[])[span]), to_timestamp((%(until)s::bigint[])[span])
    FROM unnest(%(root)s::int[], %(asset)s::bigint[], %(span)s::int[]) AS m(root, asset_id, span)
    UNION ALL
    SELECT root, a.id, to_timestamp({EVER}), to_timestamp({NEVER})
    FROM assets_asset a CROSS JOIN unnest(%(whole)s::int[]) AS whole(root) WHERE a.site_id = %(site)s
)"""

# Those that have begun, cut at now.
BUCKETS = """
bucket(number, lo, hi) AS MATERIALIZED (
    SELECT * FROM unnest(%(number)s::int[], %(from)s::timestamptz[], %(to)s::timestamptz[])
)"""

# Buckets by whose end an order had been raised on a member that they have. Most roots have had one by the end of the
# first bucket, on a member that stays, and one is enough to know; else the oldest of each member is sought, by index.
ORDERS_OF = "workorders_workorder w WHERE w.asset_id = m.asset_id"
RAISED = f"""
raised AS MATERIALIZED (
    SELECT r.*, EXISTS (
        SELECT FROM unnest(r.assets, r.since, r.until) AS m(asset_id, since, until) CROSS JOIN LATERAL (
            SELECT FROM {ORDERS_OF} AND w.created < f.first_hi ORDER BY w.created LIMIT 1
        ) w WHERE m.since < f.first_hi AND m.until >= f.last_hi OFFSET 0
    ) AS always
    FROM (
        SELECT root, array_agg(asset_id) AS assets, array_agg(since) AS since, array_agg(until) AS until
        FROM member GROUP BY root
    ) r CROSS JOIN (SELECT min(hi) AS first_hi, max(hi) AS last_hi FROM bucket) f
)"""
RECORDED = f"""
SELECT root, number, NULL::json FROM raised CROSS JOIN bucket WHERE always
UNION ALL
SELECT *, NULL::json FROM (SELECT DISTINCT r.root, b.number FROM raised r
CROSS JOIN unnest(r.assets, r.since, r.until) AS m(asset_id, since, until)
CROSS JOIN LATERAL (SELECT created FROM {ORDERS_OF} ORDER BY w.created LIMIT 1) w
JOIN bucket b ON m.since < b.hi AND m.until > b.lo AND w.created < least(b.hi, m.until)
WHERE NOT r.always) known"""

# By rule: what is in time, and how many days late an occurrence may be before it is judged although it is not done.
IN_TIME = {
    ComplianceRule.ON_OR_BEFORE_DUE: ("days <= 0", "0"),
    ComplianceRule.TEN_PERCENT: ("abs(days) <= interval / 10", "interval / 10"),
    ComplianceRule.LATE_TEN_PERCENT: ("days <= interval / 10", "interval / 10"),
}
COMPLIANCE = ", ".join(
    f"""count(*) FILTER (WHERE NOT skipped AND done AND {in_time}),
    count(*) FILTER (WHERE NOT skipped AND (done OR days > {allowed})),
    count(*) FILTER (WHERE skipped),
    count(*) FILTER (WHERE NOT skipped AND NOT done AND days <= {allowed})"""
    for in_time, allowed in IN_TIME.values()
)

PREVENTIVE = f"""
SELECT root, number, json_build_array({COMPLIANCE},
    coalesce(sum(greatest(days, 0)) FILTER (WHERE NOT skipped AND (done OR days > 0)), 0)::float8,
    coalesce(sum(interval) FILTER (WHERE NOT skipped AND (done OR days > 0)), 0))
FROM (
    SELECT m.root, b.number, o.state = '{OccurrenceState.SKIPPED}' AS skipped, d.done, o.interval_days AS interval,
        (CASE WHEN d.done THEN o.done_at ELSE %(now)s END AT TIME ZONE %(zone)s)::date
            - (o.due AT TIME ZONE %(zone)s)::date AS days
    FROM member m JOIN workorders_planoccurrence o
        ON o.asset_id = m.asset_id AND o.due >= m.since AND o.due < m.until
    JOIN bucket b ON o.due >= b.lo AND o.due < b.hi AND o.due >= %(start)s AND o.due < %(end)s
    CROSS JOIN LATERAL (SELECT o.state = '{OccurrenceState.DONE}' AND o.done_at <= %(now)s AS done) d
    OFFSET 0
) due GROUP BY root, number"""

# What planning asks for: an estimate and something to do; occurrences of a plan have been planned by it. LIMIT lets
# the planner look each order up, instead of reading the steps of all orders of all times once.
PLANNED = """(w.occurrence_id IS NOT NULL OR w.estimate_minutes IS NOT NULL AND (
    w.job_plan_id IS NOT NULL
    OR coalesce((SELECT true FROM workorders_step s WHERE s.order_id = w.id LIMIT 1), false)))"""

ENTRIES = f"""
entry AS MATERIALIZED (
    SELECT id, order_id, start, "end" FROM workorders_labour WHERE site_id = %(site)s AND {TOUCHING}
), worked AS MATERIALIZED (
    SELECT w.id, w.asset_id, w.priority = %(emergency)s AS emergency, {PLANNED} AS planned
    FROM workorders_workorder w
    WHERE w.id IN (SELECT order_id FROM entry) AND w.asset_id IN (SELECT asset_id FROM member)
)"""
LABOUR = """
SELECT root, number, json_build_array(sum(seconds), coalesce(sum(seconds) FILTER (WHERE planned), 0),
    coalesce(sum(seconds) FILTER (WHERE emergency), 0), coalesce(sum(seconds) FILTER (WHERE priced), 0))
FROM (
    SELECT m.root, b.number, w.planned, w.emergency, c.labour_id IS NOT NULL AS priced,
        date_part('epoch', least(coalesce(l."end", b.hi), b.hi, m.until) - greatest(l.start, b.lo, m.since)) AS seconds
    FROM entry l JOIN worked w ON w.id = l.order_id JOIN member m ON m.asset_id = w.asset_id
    JOIN bucket b ON l.start < b.hi AND coalesce(l."end", b.hi) > b.lo
    LEFT JOIN workorders_cost c ON c.labour_id = l.id OFFSET 0
) spans WHERE seconds > 0 GROUP BY root, number"""

# Weeks whose schedule was agreed; `last_day` says to which window a week belongs.
AGREED = """
agreed(id, lo, hi, last_day) AS MATERIALIZED (
    SELECT * FROM unnest(%(agreed)s::bigint[], %(agreed_from)s::timestamptz[], %(agreed_to)s::timestamptz[],
        %(agreed_last_day)s::timestamptz[])
)"""
KEPT = f"""
SELECT m.root, b.number, json_build_array(count(*), count(*) FILTER (
    WHERE w.state IN ('{State.COMPLETED}', '{State.CLOSED}') AND w.completed_at >= a.lo AND w.completed_at < a.hi))
FROM agreed a JOIN bucket b ON a.last_day >= b.lo AND a.last_day < b.hi AND a.hi <= %(now)s
JOIN workorders_agreedorder o ON o.week_id = a.id
JOIN workorders_workorder w ON w.id = o.order_id
JOIN member m ON m.asset_id = w.asset_id AND m.since <= a.last_day AND m.until > a.last_day
GROUP BY 1, 2"""
BREAK_IN = """
SELECT root, number, json_build_array(sum(seconds), coalesce(sum(seconds) FILTER (WHERE NOT promised), 0))
FROM (
    SELECT m.root, b.number,
        EXISTS (SELECT FROM workorders_agreedorder o WHERE o.week_id = a.id AND o.order_id = l.order_id) AS promised,
        date_part('epoch', least(coalesce(l."end", b.hi), b.hi, m.until, a.hi) - greatest(l.start, b.lo, m.since, a.lo))
            AS seconds
    FROM agreed a JOIN entry l ON l.start < a.hi AND coalesce(l."end" > a.lo, true)
    JOIN worked w ON w.id = l.order_id JOIN member m ON m.asset_id = w.asset_id
    JOIN bucket b ON l.start < b.hi AND coalesce(l."end", b.hi) > b.lo OFFSET 0
) spans WHERE seconds > 0 GROUP BY root, number"""

REQUESTS = f"""
SELECT m.root, b.number, json_build_array(count(*) FILTER (WHERE accepted),
    coalesce(sum(date_part('epoch', r.answered_at - r.reported_at)) FILTER (WHERE accepted), 0),
    count(*) FILTER (WHERE answered AND NOT accepted), count(*) FILTER (WHERE NOT answered))
FROM member m JOIN workorders_request r
    ON r.asset_id = m.asset_id AND r.reported_at >= m.since AND r.reported_at < m.until
    AND r.site_id = %(site)s AND r.reported_at >= %(start)s AND r.reported_at < %(end)s
JOIN bucket b ON r.reported_at >= b.lo AND r.reported_at < b.hi
CROSS JOIN LATERAL (SELECT coalesce(r.answered_at <= %(now)s, false) AS answered) a
CROSS JOIN LATERAL (SELECT answered AND r.state = '{RequestState.ACCEPTED}' AS accepted) c
GROUP BY 1, 2"""

# Orders that were open at the end of any bucket, with when their work ended, as far as their rows tell.
ENDED = f"""CASE WHEN w.state = '{State.CANCELLED}' THEN w.state_since
    ELSE coalesce(w.completed_at, w.closed_at, w.state_since) END"""
ENDED_FROM = "w.site_id = %(site)s AND greatest(w.state_since, w.completed_at, w.closed_at) >= {moment}"  # by index
CANDIDATES = f"""
candidate AS MATERIALIZED (
    SELECT w.id, w.asset_id, w.created, w.state, w.estimate_minutes, NULL::timestamptz AS ended
    FROM workorders_workorder w WHERE w.site_id = %(site)s AND w.state = ANY(%(open)s)
    UNION ALL
    SELECT w.id, w.asset_id, w.created, w.state, w.estimate_minutes, {ENDED}
    FROM workorders_workorder w
    WHERE {ENDED_FROM.format(moment="%(first_end)s")} AND NOT w.state = ANY(%(open)s) AND {ENDED} >= %(first_end)s
), spent AS MATERIALIZED (
    SELECT w.id, b.number, sum(date_part('epoch', least(coalesce(l."end", b.hi), b.hi) - l.start)) AS seconds
    FROM candidate w JOIN workorders_labour l ON l.order_id = w.id
    JOIN bucket b ON l.start < b.hi AND w.created < b.hi AND coalesce(w.ended >= b.hi, true)
    WHERE w.estimate_minutes IS NOT NULL GROUP BY 1, 2
)"""
# Of the ages in order, those between which median and ninth decile lie; the array is made once for all of them.
AGES = ", ".join(
    f"(array_agg(age ORDER BY age))[1 + {whole}({share} * (count(*) - 1))::int]"
    for share in (0.5, 0.9)
    for whole in ("floor", "ceil")
)
BACKLOG = f"""
SELECT root, number, json_build_array(count(*), coalesce(sum(remaining), 0), count(*) FILTER (WHERE remaining IS NULL),
    count(*) FILTER (WHERE ready), coalesce(sum(remaining) FILTER (WHERE ready), 0),
    count(*) FILTER (WHERE ready AND remaining IS NULL),
    coalesce(sum(estimate), 0), coalesce(sum(estimate) FILTER (WHERE ready), 0), ARRAY[{AGES}])
FROM (
    SELECT m.root, b.number, date_part('epoch', b.hi - w.created) AS age,
        w.state = ANY(%(ready)s) AND b.hi >= %(now)s AS ready,
        w.estimate_minutes * 60 AS estimate,
        greatest(w.estimate_minutes * 60 - coalesce(l.seconds, 0), CASE WHEN w.estimate_minutes IS NOT NULL THEN 0 END)
            AS remaining
    FROM bucket b JOIN candidate w ON w.created < b.hi AND coalesce(w.ended >= b.hi, true)
    JOIN member m ON m.asset_id = w.asset_id AND m.since < b.hi AND m.until >= b.hi
    LEFT JOIN spent l ON l.id = w.id AND l.number = b.number OFFSET 0
) waiting GROUP BY root, number"""

CLOSED = f"""
SELECT m.root, b.number, json_build_array(count(*), count(f.problem_id), count(*) FILTER (
    WHERE f.problem_id IS NOT NULL AND EXISTS (
    SELECT FROM workorders_workorder e JOIN assets_failure ef ON ef.id = e.failure_id
    WHERE e.asset_id = w.asset_id AND e.id <> w.id AND e.state = '{State.CLOSED}' AND e.closed_at <= %(now)s
        AND ef.problem_id = f.problem_id AND coalesce(e.completed_at, e.closed_at) <= w.reported_at
        AND coalesce(e.completed_at, e.closed_at) >= w.reported_at - %(rework)s
)))
FROM member m JOIN workorders_workorder w ON w.asset_id = m.asset_id AND w.state = '{State.CLOSED}'
    AND {ENDED_FROM.format(moment="%(start)s")}
    AND w.closed_at >= m.since AND w.closed_at < m.until AND w.closed_at >= %(start)s AND w.closed_at < %(end)s
JOIN bucket b ON w.closed_at >= b.lo AND w.closed_at < b.hi
LEFT JOIN assets_failure f ON f.id = w.failure_id
GROUP BY 1, 2"""

COSTS = """
SELECT root, number, json_object_agg(source, amount) FROM (
SELECT m.root, b.number, c.source, sum(c.amount)::float8 AS amount
FROM member m JOIN workorders_workorder w ON w.asset_id = m.asset_id
JOIN workorders_cost c ON c.order_id = w.id AND c.at >= m.since AND c.at < m.until
    AND c.site_id = %(site)s AND c.at >= %(start)s AND c.at < %(end)s
JOIN bucket b ON c.at >= b.lo AND c.at < b.hi
GROUP BY 1, 2, 3
) spent GROUP BY 1, 2"""

# By kind of record: what it looks up first, and its rows of root, bucket and numbers.
QUESTIONS = {
    "recorded": ((RAISED,), RECORDED),
    "preventive": ((), PREVENTIVE),
    "labour": ((ENTRIES,), LABOUR),
    "kept": ((AGREED,), KEPT),
    "break_in": ((ENTRIES, AGREED), BREAK_IN),
    "requests": ((), REQUESTS),
    "backlog": ((CANDIDATES,), BACKLOG),
    "closed": ((), CLOSED),
    "costs": ((), COSTS),
}


def asked(kinds: Collection[str]) -> str:
    """One statement about several kinds of record, of rows that name their kind first."""
    chosen = {kind: question for kind, question in QUESTIONS.items() if kind in kinds}
    looked_up = dict.fromkeys([MEMBERS, BUCKETS, *chain.from_iterable(first for first, _ in chosen.values())])
    rows = " UNION ALL ".join(f"SELECT '{kind}', * FROM ({text}) {kind}" for kind, (_, text) in chosen.items())
    return f"WITH {', '.join(looked_up)} {rows}"
