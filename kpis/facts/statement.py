"""The one set-based statement behind every fact: from records to seconds per asset and cell.

A *cell* is a production day when facts are stored, or any span when a figure asks for part of a day. Instants
are whole seconds since 1970. The steps follow docs/kpi.md; `kpis.oracle` does the same with plain sets, and the
tests hold the two against each other.

    effect   stops as they hold an asset (`kpis.facts.held`)
    piece    effects cut into cells
    placed   pieces on the axis of scheduled seconds (ss, se); a CTE, or sorting would carry the axes along
    ranked   the same with what earlier ones of their cell already cover
    totals   seconds per cell; cause: the same by reason; counted: pieces made; event: failure events

Parameters are the arrays of `Question`; `far` and `now` are instants.
"""

from functools import lru_cache

from kpis.facts.held import (
    ASSET,
    LIFE_FROM,
    LIFE_TO,
    NODES_OF_CARRY,
    NODES_OF_GROUPS,
    REACH,
    STOPS,
    group_round,
    reaching,
    seconds,
    touching,
)

PIECES_OF_DAYS = """
, piece AS MATERIALIZED (
    SELECT asset_id, n AS cell, id, owner, began, blame, kind, counts, reason_id, loss, past, open,
        greatest(s, lo, d.begins) AS s, greatest(least(e, hi, d.ends), s, lo, d.begins) AS e,
        s >= d.begins AS first, s >= d.begins AND s > began AS odd
    FROM (
        SELECT *, width_bucket(greatest(s, lo), %(days)s::bigint[]) AS n FROM effect
        WHERE width_bucket(greatest(s, lo), %(days)s::bigint[])
            = width_bucket(greatest(least(e, hi) - 1, s, lo), %(days)s::bigint[])
        UNION ALL
        SELECT effect.*, n FROM effect, LATERAL generate_series(
            width_bucket(greatest(s, lo), %(days)s::bigint[]),
            width_bucket(greatest(least(e, hi) - 1, s, lo), %(days)s::bigint[])) AS n
        WHERE width_bucket(greatest(s, lo), %(days)s::bigint[])
            < width_bucket(greatest(least(e, hi) - 1, s, lo), %(days)s::bigint[])
    ) split, LATERAL (SELECT (%(days)s::bigint[])[n] AS begins, (%(days)s::bigint[])[n + 1] AS ends) d
)"""

# A stop that reaches into several spans is an effect in each; in a cell it is a piece by the first of them.
PIECES_OF_CELLS = """
, cell(asset_id, lo, hi, cell) AS MATERIALIZED (
    SELECT * FROM unnest(%(cell_asset)s::bigint[], %(cell_lo)s::bigint[], %(cell_hi)s::bigint[], %(cell_no)s::int[])
), piece AS MATERIALIZED (
    SELECT effect.asset_id, cell.cell, id, owner, began, blame, kind, counts, reason_id, loss, past, open,
        greatest(s, cell.lo) AS s, greatest(least(e, cell.hi), s, cell.lo) AS e,
        s >= cell.lo AS first, s >= cell.lo AND s > began AS odd
    FROM effect JOIN cell ON cell.asset_id = effect.asset_id AND s < cell.hi AND greatest(e, s + 1) > cell.lo
    WHERE s >= before
)"""


def on_axis(moment: str) -> str:
    """Scheduled seconds before the instant, on the axis `x` of the plan `p`."""
    index = f"width_bucket({moment}, x.starts)"
    return f"""p.shift + CASE WHEN x.starts IS NULL THEN {moment}
            ELSE x.base[{index}] + least({moment}, x.ends[{index}]) END"""


def newly(start: str, end: str, covered: str) -> str:
    """Seconds of [start, end) that lie after what earlier pieces cover."""
    return f"sum(greatest(0, {end} - greatest({start}, {covered}))::int)"


TOTALS = f"""
, plan(asset_id, lo, hi, shift, axis) AS MATERIALIZED (
    SELECT * FROM unnest(%(plan_asset)s::bigint[], %(plan_lo)s::bigint[], %(plan_hi)s::bigint[],
        %(plan_shift)s::bigint[], %(plan_axis)s::int[])
), axis(axis, starts, ends, base) AS MATERIALIZED (
    SELECT axis, starts::bigint[], ends::bigint[], base::bigint[]
    FROM unnest(%(axis)s::int[], %(axis_starts)s::text[], %(axis_ends)s::text[], %(axis_base)s::text[])
        AS line(axis, starts, ends, base)
), placed AS MATERIALIZED (
    SELECT b.asset_id, b.cell, b.began, b.blame, b.kind, b.counts AND b.first AND b.s >= p.lo AS begins,
        b.reason_id, b.loss, b.odd OR b.s < p.lo AS odd, t.s, t.e,
        {on_axis("t.s")} AS ss, {on_axis("t.e")} AS se
    FROM piece b JOIN plan p ON p.asset_id = b.asset_id AND b.s < p.hi AND greatest(b.e, b.s + 1) > p.lo
        JOIN axis x ON x.axis = p.axis,
        LATERAL (SELECT greatest(b.s, p.lo) AS s, greatest(least(b.e, p.hi), b.s, p.lo) AS e) t
), ranked AS MATERIALIZED (
    SELECT *, max(se) FILTER (WHERE kind = 0) OVER w AS u_se, max(e) FILTER (WHERE kind = 0) OVER w AS u_e,
        max(se) FILTER (WHERE kind <= 1) OVER w AS x_se, max(se) FILTER (WHERE kind <> 1) OVER w AS l_se,
        max(se) OVER w AS any_se, max(e) OVER w AS any_e
    FROM placed
    WINDOW w AS (
        PARTITION BY asset_id, cell ORDER BY s, began, blame ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), totals AS MATERIALIZED (
    SELECT asset_id, cell, unplanned, clock, excluded, blocked, stops, tangled, stopped_from, stopped_to,
        coalesce(excluded, 0) - coalesce(unplanned, 0) AS planned_stop,
        blocked - coalesce(excluded, 0) + coalesce(unplanned, 0) AS down,
        coalesce(clock - unplanned, 0) AS off_schedule
    FROM (
        SELECT asset_id, cell,
            {newly("ss", "se", "u_se")} FILTER (WHERE kind = 0) AS unplanned,
            {newly("s", "e", "u_e")} FILTER (WHERE kind = 0) AS clock,
            {newly("ss", "se", "x_se")} FILTER (WHERE kind <= 1) AS excluded,
            {newly("ss", "se", "any_se")} AS blocked,
            count(*) FILTER (WHERE begins) AS stops, min(s) AS stopped_from, max(greatest(e, s + 1)) AS stopped_to,
            (bool_or(odd) AND count(*) > 1) OR (bool_or(kind = 1) AND bool_or(kind = 2)) AS tangled
        FROM ranked GROUP BY asset_id, cell
    ) sums
)"""

# Lost time goes to the stop that began first, of those that began at once to the first in the order of `blame`, never
# by the order in which they were entered. In order of their start in the cell, what a piece adds to the union is its
# own; where another order may hold (in a tangled cell), pieces that overlap are a knot, which is taken apart at every
# border.
CAUSES = """
, tangled AS MATERIALIZED (SELECT asset_id, cell FROM totals WHERE tangled
), numbered AS (
    SELECT r.*, count(*) FILTER (WHERE any_e IS NULL OR s >= any_e) OVER (
        PARTITION BY asset_id, cell ORDER BY s, began, blame) AS knot
    FROM ranked r JOIN tangled USING (asset_id, cell)
), knotted AS MATERIALIZED (SELECT *, count(*) OVER (PARTITION BY asset_id, cell, knot) AS size FROM numbered
), knot AS MATERIALIZED (SELECT * FROM knotted WHERE size > 1
), border AS (
    SELECT asset_id, cell, knot, t, st, lead(t) OVER w AS past, lead(st) OVER w AS st_past FROM (
        SELECT asset_id, cell, knot, s AS t, ss AS st FROM knot UNION SELECT asset_id, cell, knot, e, se FROM knot
    ) borders WINDOW w AS (PARTITION BY asset_id, cell, knot ORDER BY t)
), cause AS MATERIALIZED (
    SELECT asset_id, cell, reason_id, loss, sum(seconds)::int AS seconds, sum(stops)::int AS stops FROM (
        SELECT r.asset_id, r.cell, r.reason_id, r.loss, r.begins::int AS stops,
            greatest(0, se - greatest(ss, l_se))::int AS seconds
        FROM ranked r LEFT JOIN tangled t ON t.asset_id = r.asset_id AND t.cell = r.cell
        WHERE r.kind <> 1 AND t.cell IS NULL
        UNION ALL
        SELECT asset_id, cell, reason_id, loss, begins::int, CASE WHEN size = 1 THEN (se - ss)::int ELSE 0 END
        FROM knotted WHERE kind <> 1
        UNION ALL
        SELECT asset_id, cell, reason_id, loss, 0, seconds FROM (
            SELECT DISTINCT ON (b.asset_id, b.cell, b.t) b.asset_id, b.cell, r.reason_id, r.loss,
                (b.st_past - b.st)::int AS seconds
            FROM border b JOIN knot r ON r.asset_id = b.asset_id AND r.cell = b.cell AND r.knot = b.knot
                AND r.kind <> 1 AND r.s <= b.t AND r.e >= b.past
            LEFT JOIN knot x ON x.asset_id = b.asset_id AND x.cell = b.cell AND x.knot = b.knot AND x.kind = 1
                AND x.s <= b.t AND x.e >= b.past
            WHERE b.st_past > b.st AND (r.kind = 0 OR x.cell IS NULL)
            ORDER BY b.asset_id, b.cell, b.t, r.began, r.blame
        ) untangled
    ) parts GROUP BY 1, 2, 3, 4
)"""

COUNT_COLUMNS = 'r.id, r.start, r."end", r.good, r.scrap, r.rework, r.ideal_cycle'

# A count that reaches over a border of cells is split by operating time, else by time.
COUNTS = f"""
, asked AS MATERIALIZED (
    SELECT reach.*, lag(hi, 1, %(ever)s) OVER (PARTITION BY asset_id ORDER BY lo) AS since,
        {LIFE_FROM} AS life_from, {LIFE_TO} AS life_to
    FROM reach {ASSET.format(r="reach")}
), made AS MATERIALIZED (
    SELECT r.id, r.asset_id, {seconds("r.start")} AS s,
        greatest({seconds('r."end"')}, {seconds("r.start")} + 1) AS e,
        r.good::float8, r.scrap::float8, r.rework::float8, r.ideal_cycle::float8, r.life_from, r.life_to
    FROM ({touching("production_count", COUNT_COLUMNS, "asked")}) r
), portion AS MATERIALIZED ({{parts}}
), slice AS MATERIALIZED (
    SELECT m.id, m.asset_id, m.cell, {on_axis("t.s")} AS ss, {on_axis("t.e")} AS se
    FROM portion m JOIN plan p ON p.asset_id = m.asset_id JOIN axis x ON x.axis = p.axis,
        LATERAL (SELECT greatest(m.ps, p.lo) AS s, least(m.pe, p.hi) AS e) t
    WHERE t.s < t.e
), available AS (
    SELECT id, cell, sum(se - ss) AS seconds FROM slice GROUP BY id, cell
), lost AS (
    SELECT m.id, m.cell, sum(greatest(0, least(r.se, m.se) - greatest(r.ss, r.any_se, m.ss))) AS seconds
    FROM slice m JOIN ranked r ON r.asset_id = m.asset_id AND r.cell = m.cell GROUP BY m.id, m.cell
), shared AS (
    SELECT *, CASE WHEN whole > 0 THEN operating / whole ELSE (pe - ps)::float8 / (e - s) END AS share
    FROM (
        SELECT m.*, operating, sum(operating) OVER (PARTITION BY m.id) AS whole
        FROM portion m LEFT JOIN available USING (id, cell) LEFT JOIN lost USING (id, cell),
            LATERAL (SELECT (coalesce(available.seconds, 0) - coalesce(lost.seconds, 0))::float8 AS operating) o
    ) portions
), counted AS MATERIALIZED (
    SELECT asset_id, cell, count(*)::int AS counts,
        sum(good * share) AS good, sum(scrap * share) AS scrap, sum(rework * share) AS rework,
        sum(good * share * ideal_cycle) AS ideal_good, sum(scrap * share * ideal_cycle) AS ideal_scrap,
        sum(rework * share * ideal_cycle) AS ideal_rework,
        sum(CASE WHEN whole > 0 THEN 0 ELSE (good + scrap + rework) * share END) AS doubtful
    FROM shared GROUP BY asset_id, cell
)"""

NO_COUNTS = """
, counted AS (
    SELECT asset_id, cell, 0 AS counts, NULL::float8 AS good, NULL::float8 AS scrap, NULL::float8 AS rework,
        NULL::float8 AS ideal_good, NULL::float8 AS ideal_scrap, NULL::float8 AS ideal_rework, NULL::float8 AS doubtful
    FROM totals WHERE false
)"""

PARTS_OF_DAYS = """
    SELECT m.*, n AS cell, ps, pe
    FROM made m, LATERAL generate_series(
        width_bucket(m.s, %(days)s::bigint[]), width_bucket(m.e - 1, %(days)s::bigint[])) AS n, LATERAL (
        SELECT greatest(m.s, m.life_from, (%(days)s::bigint[])[n]) AS ps,
            least(m.e, m.life_to, (%(days)s::bigint[])[n + 1]) AS pe) part
    WHERE ps < pe"""

PARTS_OF_CELLS = """
    SELECT m.*, cell.cell, ps, pe
    FROM made m JOIN cell ON cell.asset_id = m.asset_id AND m.s < cell.hi AND m.e > cell.lo, LATERAL (
        SELECT greatest(m.s, m.life_from, cell.lo) AS ps, least(m.e, m.life_to, cell.hi) AS pe) part
    WHERE ps < pe"""

# A failed item lasts until it was restored, else as long as the stop around it. Above, a failure counts as the
# stop that it caused, from the moment at which that stop holds the parent. A further item joins until the site's merge
# gap has passed, so an event may end with an item of no length: `u` lies after that. What fails below while another
# stop holds the parent since before (`busy` is until when) does not take it down.
EVENTS = f"""
, watch(asset_id, lo, hi) AS MATERIALIZED (
    SELECT * FROM unnest(%(watch_asset)s::bigint[], %(watch_lo)s::bigint[], %(watch_hi)s::bigint[])
), failure AS MATERIALIZED (
    SELECT f.id, f.asset_id, {seconds("f.occurred")} AS o, {seconds("f.restored")} AS u,
        f.detection = 'maintenance' AS found
    FROM watch w CROSS JOIN LATERAL (
        SELECT * FROM assets_failure f WHERE f.asset_id = w.asset_id
            AND f.occurred >= to_timestamp(w.lo) AND f.occurred < to_timestamp(w.hi) OFFSET 0
    ) f
), around AS (
    SELECT f.id, bool_and(b.kind <> 0) AS planned, max(b.past) AS past, bool_or(b.open) AS open
    FROM failure f JOIN piece b ON b.asset_id = f.asset_id AND b.owner = f.asset_id AND b.s <= f.o AND b.e > f.o
        {{cell_of_failure}}
    GROUP BY f.id
), caused AS (
    SELECT *, max(e) OVER (PARTITION BY asset_id ORDER BY s GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy
    FROM effect WHERE kind = 0 AND asset_id IN (SELECT asset_id FROM effect WHERE owner <> asset_id AND kind = 0)
), extent AS (
    SELECT f.asset_id, f.id AS item, f.o, coalesce(f.u, greatest(f.o, a.past)) AS u,
        f.u IS NULL AND coalesce(a.open, false) AS open, f.u IS NOT NULL AS restored,
        f.found OR coalesce(a.planned, false) AS found, false AS already_down
    FROM failure f LEFT JOIN around a ON a.id = f.id
    UNION
    SELECT e.asset_id, f.id, o.o, e.e, o.open, NOT o.open, f.detection = 'maintenance',
        coalesce(e.busy > o.o, false)
    FROM caused e CROSS JOIN LATERAL (
        SELECT f.id, f.occurred, f.detection FROM assets_failure f
        WHERE f.asset_id = e.owner AND f.downtime_id IS NULL
            AND f.occurred >= to_timestamp(e.began) AND f.occurred < to_timestamp(e.past)
        UNION ALL
        SELECT f.id, f.occurred, f.detection FROM assets_failure f WHERE f.downtime_id = e.id AND f.asset_id = e.owner
    ) f CROSS JOIN LATERAL (
        SELECT greatest(e.s, {seconds("f.occurred")}) AS o, e.open AND e.e = %(now)s AS open
    ) o JOIN watch w ON w.asset_id = e.asset_id AND o.o >= w.lo AND o.o < w.hi
    WHERE e.owner <> e.asset_id AND o.o < e.e
), event AS MATERIALIZED (
    SELECT asset_id, min(o) AS o, greatest(max(u), max(o) + (max(o) > min(o))::int) AS u,
        CASE WHEN bool_and(restored) THEN max(u) END AS restored,
        count(DISTINCT item)::int AS items, bool_or(open) AS open,
        (array_agg(found ORDER BY o, found))[1] AS found, bool_and(already_down) AS already_down
    FROM (
        SELECT *, sum(fresh) OVER (PARTITION BY asset_id ORDER BY o) AS no
        FROM (
            SELECT *, CASE WHEN o < max(u + CASE WHEN found THEN 0 ELSE %(gap)s END) OVER earlier THEN 0
                ELSE 1 END AS fresh
            FROM extent WINDOW earlier AS (
                PARTITION BY asset_id ORDER BY o GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ) marked
    ) numbered GROUP BY asset_id, no
)"""

# Facts of cells as rows of one shape: what it is, the asset, the cell, a label, whole numbers and fractions.
ANSWER = """
SELECT 'cell' AS what, asset_id, cell, NULL AS label,
    ARRAY[coalesce(t.planned_stop, 0), coalesce(t.down, 0), coalesce(t.off_schedule, 0), coalesce(t.stops, 0),
        coalesce(c.counts, 0)]::bigint[] AS numbers,
    ARRAY[c.good, c.scrap, c.rework, c.ideal_good, c.ideal_scrap, c.ideal_rework, c.doubtful] AS fractions
FROM totals t FULL JOIN counted c USING (asset_id, cell) WHERE cell > 0
UNION ALL
SELECT 'cause', asset_id, cell, loss, ARRAY[reason_id, seconds, stops], NULL
FROM cause WHERE cell > 0 AND (seconds > 0 OR stops > 0)
"""
ANSWER_EVENTS = """UNION ALL
SELECT 'event', asset_id, 0, NULL, ARRAY[o, u, restored, items, open::int, found::int, already_down::int], NULL
FROM event
"""

# The production days on which a stop holds an asset or something was counted, and whether something was.
TOLD = """
SELECT asset_id, cell, bool_or(counts) FROM (
    SELECT asset_id, cell, false AS counts FROM piece UNION ALL SELECT asset_id, cell, true FROM counted
) told GROUP BY 1, 2
"""

# Only the wanted days are written; around them cells were computed for the counts that reach over. Failure events
# have spans of their own: one that begins on a wanted day may last longer than what was looked at.
STORE = """
, wanted(asset_id, lo, hi) AS MATERIALIZED (
    SELECT * FROM unnest(%(want_asset)s::bigint[], %(want_lo)s::bigint[], %(want_hi)s::bigint[])
), begun(asset_id, lo, hi) AS MATERIALIZED (
    SELECT * FROM unnest(%(event_asset)s::bigint[], %(event_lo)s::bigint[], %(event_hi)s::bigint[])
), stored_days AS (
    INSERT INTO kpis_assetday (asset_id, day, planned_stop, down, off_schedule, stops, counts,
        good, scrap, rework, ideal_good, ideal_scrap, ideal_rework, doubtful, stopped_from, stopped_to)
    SELECT asset_id, %(first_day)s::date + cell - 1, coalesce(planned_stop, 0), coalesce(down, 0),
        coalesce(off_schedule, 0), coalesce(stops, 0), coalesce(counts, 0), coalesce(good, 0), coalesce(scrap, 0),
        coalesce(rework, 0), coalesce(ideal_good, 0), coalesce(ideal_scrap, 0), coalesce(ideal_rework, 0),
        coalesce(doubtful, 0), stopped_from - (%(days)s::bigint[])[cell], stopped_to - (%(days)s::bigint[])[cell]
    FROM totals FULL JOIN counted USING (asset_id, cell) JOIN wanted w USING (asset_id)
    WHERE (%(days)s::bigint[])[cell] < w.hi AND (%(days)s::bigint[])[cell + 1] > w.lo
    RETURNING *
), stored_causes AS (
    INSERT INTO kpis_lossday (asset_id, day, rank, reason_id, loss, seconds, stops)
    SELECT asset_id, %(first_day)s::date + cell - 1, row_number() OVER (PARTITION BY asset_id, cell),
        reason_id, loss, seconds, stops
    FROM cause JOIN wanted w USING (asset_id)
    WHERE (%(days)s::bigint[])[cell] < w.hi AND (%(days)s::bigint[])[cell + 1] > w.lo AND (seconds > 0 OR stops > 0)
), stored_events AS (
    INSERT INTO kpis_failureevent (asset_id, occurred, until, restored, items, open, found, already_down)
    SELECT asset_id, to_timestamp(o), CASE WHEN open THEN to_timestamp(%(never)s) ELSE to_timestamp(u) END,
        to_timestamp(restored), items, open, found, already_down
    FROM event JOIN begun b USING (asset_id) WHERE o >= b.lo AND o < b.hi
    RETURNING *
){aside}
SELECT count(*), array_agg(DISTINCT asset_id) FROM stored_days
"""


@lru_cache(maxsize=64)  # one text for each way of asking, so that a connection knows it again
def statement(head: str, *, days: bool, levels: int, counts: bool, events: bool) -> str:
    """The whole statement for production days or for explicit cells, with so many levels of redundancy groups.

    Without `counts` and `events` none are looked for.
    """
    effect = reaching("carry", f"held_{levels}", "c.top AS asset_id, c.before")
    same_day = "AND b.cell = width_bucket(f.o, %(days)s::bigint[])"
    return "".join(
        [
            REACH.replace("{node}", NODES_OF_GROUPS if levels else NODES_OF_CARRY),
            STOPS,
            *(group_round(level) for level in range(1, levels + 1)),
            f"\n, effect AS MATERIALIZED ({effect}\n)",
            PIECES_OF_DAYS if days else PIECES_OF_CELLS,
            TOTALS,
            CAUSES,
            COUNTS.replace("{parts}", PARTS_OF_DAYS if days else PARTS_OF_CELLS) if counts else NO_COUNTS,
            EVENTS.replace("{cell_of_failure}", same_day if days else "") if events else "",
            head,
        ]
    )
