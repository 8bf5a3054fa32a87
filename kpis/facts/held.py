"""The first steps of the statement: from records to stops as they hold an asset.

reach    the assets and spans to look at, a second wider than asked so that starts are told from continuations
carry    which assets' stops reach an asset: its own and, below it, those that stop their parent
held     stops by class, an overrun split off, at the asset where they act; redundancy groups add theirs
effect   held stops as they hold an asset (`reaching`)
"""


def seconds(expression: str) -> str:
    """Whole seconds since 1970 of a timestamptz expression."""
    return f"floor(date_part('epoch', {expression}))::bigint"


LIFE_FROM = f"coalesce({seconds('a.commissioned')}, -%(far)s)"
LIFE_TO = f"least(coalesce({seconds('a.retired')}, %(far)s), %(now)s)"

# The asset of a row `r` as `a`, found by its key: OFFSET 0 keeps the planner from reading all assets instead.
ASSET = "CROSS JOIN LATERAL (SELECT * FROM assets_asset a WHERE a.id = {r}.asset_id OFFSET 0) a"


# The assets themselves and those below whose stops can reach them, at any time.
REACHING = """down AS (
    SELECT id FROM unnest(%(assets)s::bigint[]) AS id
    UNION
    SELECT p.asset_id FROM down CROSS JOIN LATERAL (
        SELECT asset_id FROM assets_placement p
        WHERE p.parent_id = down.id AND (p.stops_parent OR p.redundancy_group_id IS NOT NULL) OFFSET 0) p
)"""


def placed_below(parent: str, rule: str) -> str:
    """Placements under the parent as `v`, as spans of seconds, cut to the life of the placed asset.

    A member of a redundancy group stops its parent through the group alone, so that a stop reaches a parent on one
    way at any time. Found by indexes.
    """
    return f"""CROSS JOIN LATERAL (
        SELECT p.asset_id,
            greatest({LIFE_FROM}, CASE WHEN isfinite(lower(p.valid)) THEN {seconds("lower(p.valid)")} END) AS since,
            least({LIFE_TO}, CASE WHEN isfinite(upper(p.valid)) THEN {seconds("upper(p.valid)")} END) AS until
        FROM (
            SELECT * FROM assets_placement p WHERE p.parent_id = {parent} AND {rule} OFFSET 0
        ) p {ASSET.format(r="p")}
    ) v"""


STOPPING = "p.stops_parent AND p.redundancy_group_id IS NULL"


LONG = """({r}"end" IS NULL OR {r}"end" - {r}start > interval '24 hours')"""
# A stop that shares time with one span, %(start)s to %(end)s; what follows from it names what an index can find.
TOUCHING = f"""start < %(end)s AND ("end" IS NULL OR "end" > %(start)s)
    AND (start >= %(start)s - interval '24 hours' OR {LONG.format(r="")})"""


def touching(table: str, columns: str, within: str = "span") -> str:
    """Rows that share time with the spans of `within`, found by an index however long the asset's history is.

    Rows of more than a day have a partial index of their own, so that the others can be sought by their start.
    A row that reaches into several spans belongs to the first (`since` is where the one before ends). OFFSET 0
    keeps the planner from reading the whole table instead of each asset's part.
    """
    long = LONG.format(r="r.")
    return f"""
        SELECT w.*, r.* FROM {within} w CROSS JOIN LATERAL (
            SELECT {columns} FROM {table} r WHERE r.asset_id = w.asset_id
                AND r.start >= to_timestamp(greatest(w.lo - 86401, w.since)) AND r.start < to_timestamp(w.hi)
                AND r."end" >= to_timestamp(w.lo) AND NOT {long}
            UNION ALL
            SELECT {columns} FROM {table} r WHERE r.asset_id = w.asset_id
                AND r.start >= to_timestamp(w.since) AND r.start < to_timestamp(w.hi)
                AND (r."end" IS NULL OR r."end" > to_timestamp(w.lo)) AND {long}
            OFFSET 0
        ) r"""


REACH = f"""
WITH RECURSIVE reach(asset_id, lo, hi) AS MATERIALIZED (
    SELECT * FROM unnest(%(reach_asset)s::bigint[], %(reach_lo)s::bigint[], %(reach_hi)s::bigint[])
), carry(top, asset_id, lo, hi, since, until, before) AS (
    SELECT reach.asset_id, reach.asset_id, lo, hi, {LIFE_FROM}, {LIFE_TO},
        lag(hi, 1, %(ever)s) OVER (PARTITION BY asset_id ORDER BY lo)
    FROM reach {ASSET.format(r="reach")}
    UNION ALL
    SELECT c.top, v.asset_id, greatest(c.lo, v.since), least(c.hi, v.until),
        greatest(c.since, v.since), least(c.until, v.until), c.before
    FROM carry c {placed_below("c.asset_id", STOPPING)}
    WHERE greatest(c.lo, v.since) < least(c.hi, v.until)
){{node}}, span AS MATERIALIZED (
    SELECT asset_id, lower(part) AS lo, upper(part) AS hi,
        lag(upper(part), 1, %(ever)s) OVER (PARTITION BY asset_id ORDER BY part) AS since,
        life_from, life_to, short_stop_seconds
    FROM (
        SELECT asset_id, unnest(parts) AS part, {LIFE_FROM} AS life_from, {LIFE_TO} AS life_to, a.short_stop_seconds
        FROM (SELECT asset_id, range_agg(int8range(lo, hi)) AS parts FROM node GROUP BY asset_id) merged
            {ASSET.format(r="merged")}
    ) parts
)"""

# Without redundancy groups, what lies below is what carries its stops up.
NODES_OF_CARRY = ", node AS (SELECT asset_id, lo, hi FROM carry)"
NODES_OF_GROUPS = f""", node(asset_id, lo, hi) AS (
    SELECT * FROM reach
    UNION
    SELECT v.asset_id, greatest(n.lo, v.since), least(n.hi, v.until)
    FROM node n {placed_below("n.asset_id", "(p.stops_parent OR p.redundancy_group_id IS NOT NULL)")}
    WHERE greatest(n.lo, v.since) < least(n.hi, v.until)
)"""

# Of stops that begin at once the first in this order is to blame: by loss class, then by the reason that was listed
# first, without one last. One number, as it is sorted by.
BLAME = """((CASE r.loss WHEN 'breakdown' THEN 0 WHEN 'other' THEN 1 WHEN 'setup' THEN 2 WHEN 'short' THEN 3 ELSE 4 END
            )::bigint << 48) + coalesce(r.reason_id, 1::bigint << 47)"""

STOPS = f"""
, raw AS MATERIALIZED (
    SELECT r.id, r.asset_id, r.began, {BLAME} AS blame, r.past, r.open, r.kind, r.reason_id, r.loss, r.life_from,
        r.life_to,
        CASE WHEN r.planned_end IS NOT NULL AND %(overrun)s
            THEN least(r.past, greatest(r.began, r.planned_end)) ELSE r.past END AS turn
    FROM (
        SELECT r.id, r.asset_id, {seconds("r.start")} AS began,
            CASE WHEN r."end" IS NULL THEN %(now)s ELSE least({seconds('r."end"')}, %(now)s) END AS past,
            coalesce({seconds('r."end"')} > %(now)s, true) AS open,
            CASE WHEN NOT r.planned THEN 0 WHEN reason.excluded THEN 1 ELSE 2 END AS kind,
            {seconds("r.planned_end")} AS planned_end, r.reason_id,
            CASE WHEN NOT r.planned AND {seconds('r."end"')} - {seconds("r.start")} < r.short_stop_seconds THEN 'short'
                ELSE coalesce(reason.loss_class, 'unclassified') END AS loss,
            r.life_from, r.life_to
        FROM ({touching("assets_downtime", 'r.id, r.start, r."end", r.planned, r.planned_end, r.reason_id')}
            OFFSET 0  -- or the reasons would be read for every span
        ) r LEFT JOIN assets_downtimereason reason ON reason.id = r.reason_id
    ) r WHERE r.began < %(now)s
), held_0 AS MATERIALIZED (
    SELECT asset_id, id, asset_id AS owner, began, blame, greatest(began, life_from) AS s, least(turn, life_to) AS e,
        kind, kind <> 1 AS counts, reason_id, loss, past, open
    FROM raw WHERE (turn > began OR turn = past) AND (
        greatest(began, life_from) < least(turn, life_to)
        OR (began = turn AND began >= life_from AND began < life_to))
    UNION ALL
    SELECT asset_id, id, asset_id, began, blame, greatest(turn, life_from), least(past, life_to),
        0, kind = 1 OR turn = began, reason_id, loss, past, open
    FROM raw WHERE greatest(turn, life_from) < least(past, life_to)
)"""


def reaching(carry: str, held: str, columns: str) -> str:
    """Held stops as they hold the assets at the top of `carry`; one of no length stays where its instant is."""
    return f"""
    SELECT {columns}, h.id, h.owner, h.began, h.blame, greatest(h.s, c.since) AS s, least(h.e, c.until) AS e,
        h.kind, h.counts, h.reason_id, h.loss, h.past, h.open, c.lo, c.hi
    FROM {carry} c JOIN {held} h ON h.asset_id = c.asset_id AND h.s < c.hi AND greatest(h.e, h.s + 1) > c.lo
    WHERE greatest(h.s, c.since) < least(h.e, c.until) OR (h.s = h.e AND h.s >= c.since AND h.s < c.until)"""


def group_round(level: int) -> str:
    """Adds the stops of one level of redundancy groups to what is held: members' stops while too few are up.

    Deeper levels come first. The parent is down while fewer than min(needed, present) members are up, so that a
    group with too few members does not stop it by itself.
    """
    below = f"(SELECT *, lo AS since, hi AS until FROM below_{level})"
    return f"""
, member_{level} AS (
    SELECT g.id AS group_id, v.asset_id, greatest(n.lo, v.since) AS lo, least(n.hi, v.until) AS hi
    FROM assets_redundancygroup g JOIN span n ON n.asset_id = g.parent_id
        {placed_below("g.parent_id", "p.redundancy_group_id = g.id")}
    WHERE g.id = ANY(%(groups_{level})s::bigint[]) AND greatest(n.lo, v.since) < least(n.hi, v.until)
), below_{level}(group_id, member, asset_id, lo, hi) AS (
    SELECT group_id, asset_id, asset_id, lo, hi FROM member_{level}
    UNION ALL
    SELECT c.group_id, c.member, v.asset_id, greatest(c.lo, v.since), least(c.hi, v.until)
    FROM below_{level} c {placed_below("c.asset_id", STOPPING)}
    WHERE greatest(c.lo, v.since) < least(c.hi, v.until)
), felt_{level} AS MATERIALIZED ({reaching(below, f"held_{level - 1}", "c.group_id, c.member")}
), step_{level} AS (
    SELECT group_id, t, sum(there) AS there, sum(down) AS down FROM (
        SELECT group_id, lo AS t, 1 AS there, 0 AS down FROM member_{level}
        UNION ALL SELECT group_id, hi, -1, 0 FROM member_{level}
        UNION ALL SELECT group_id, edge.t, 0, edge.down FROM (
            SELECT group_id, unnest(range_agg(int8range(s, e))) AS part FROM felt_{level} GROUP BY group_id, member
        ) merged, LATERAL (VALUES (lower(part), 1), (upper(part), -1)) edge(t, down)
    ) steps GROUP BY 1, 2
), short_{level} AS (
    SELECT group_id, parent_id, lower(part) AS lo, upper(part) AS hi FROM (
        SELECT g.id AS group_id, g.parent_id, unnest(range_agg(int8range(t, past))) AS part FROM (
            SELECT group_id, t, lead(t) OVER w AS past, sum(there) OVER w AS there, sum(down) OVER w AS down
            FROM step_{level} WINDOW w AS (PARTITION BY group_id ORDER BY t)
        ) run JOIN assets_redundancygroup g ON g.id = run.group_id
        WHERE down > greatest(there - g.needed, 0) GROUP BY g.id, g.parent_id
    ) parts
), held_{level} AS MATERIALIZED (
    SELECT * FROM held_{level - 1}
    UNION ALL
    SELECT sh.parent_id, f.id, f.owner, f.began, f.blame, greatest(f.s, sh.lo), least(f.e, sh.hi),
        f.kind, f.counts, f.reason_id, f.loss, f.past, f.open
    FROM felt_{level} f JOIN short_{level} sh ON sh.group_id = f.group_id
    WHERE greatest(f.s, sh.lo) < least(f.e, sh.hi)
)"""
