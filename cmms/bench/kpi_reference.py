"""Hand-written SQL for the day facts of the bench plant: what an expert would write for just this plant.

It knows that this plant has no exceptions, no redundancy groups, one level of `stops_parent`, no planned ends and
no counts, and keeps no losses by reason; the product computes those too. It writes `bench_assetday` (asset, day,
planned_stop, down, off_schedule), which must equal the product's rows, and `bench_failure`.
"""

from django.db import connection

# Scheduled seconds before an instant: those of earlier slots and of the slot that has begun (an index seek each).
SCHEDULE = """
DROP TABLE IF EXISTS bench_slot, bench_plan, bench_assetday, bench_failure;
CREATE UNLOGGED TABLE bench_slot AS
SELECT calendar, lo, hi, (sum(hi - lo) OVER (PARTITION BY calendar ORDER BY lo) - (hi - lo))::bigint AS cum FROM (
    SELECT c.id AS calendar,
        date_part('epoch', (day::date + slot.start) AT TIME ZONE s.time_zone)::bigint AS lo,
        date_part('epoch', (day::date + slot."end" + CASE WHEN slot."end" <= slot.start THEN interval '1 day' ELSE interval '0' END)
            AT TIME ZONE s.time_zone)::bigint AS hi
    FROM production_operatingcalendar c
    JOIN core_site s ON s.id = c.site_id
    JOIN generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') AS day ON day::date >= c.valid_from
    JOIN production_weeklyslot slot ON slot.calendar_id = c.id AND slot.weekday = date_part('isodow', day) - 1
) slots WHERE hi > lo;
CREATE UNIQUE INDEX ON bench_slot (calendar, lo) INCLUDE (hi, cum);
CREATE UNLOGGED TABLE bench_plan AS
SELECT a.id AS asset_id, s.time_zone, s.day_start, a.commissioned,
    coalesce((SELECT id FROM production_operatingcalendar c WHERE c.asset_id = coalesce(a.parent_id, a.id)),
             (SELECT id FROM production_operatingcalendar c WHERE c.asset_id IS NULL AND c.site_id = a.site_id)) AS calendar
FROM assets_asset a JOIN core_site s ON s.id = a.site_id;
CREATE UNIQUE INDEX ON bench_plan (asset_id);
ANALYZE bench_slot; ANALYZE bench_plan;
CREATE UNLOGGED TABLE bench_assetday (asset_id bigint, day date, planned_stop int, down int, off_schedule int,
    PRIMARY KEY (asset_id, day));
CREATE UNLOGGED TABLE bench_failure (asset_id bigint, occurred timestamptz, until timestamptz, items int,
    PRIMARY KEY (asset_id, occurred));
"""

FACTS = """
INSERT INTO bench_assetday
WITH stop AS (
    SELECT d.asset_id, d.start, coalesce(d."end", %(now)s) AS finish,
        CASE WHEN NOT d.planned THEN 'u' WHEN r.excluded THEN 'x' ELSE 'n' END AS class
    FROM assets_downtime d LEFT JOIN assets_downtimereason r ON r.id = d.reason_id
    {own}
    UNION ALL
    SELECT a.parent_id, d.start, coalesce(d."end", %(now)s),
        CASE WHEN NOT d.planned THEN 'u' WHEN r.excluded THEN 'x' ELSE 'n' END
    FROM assets_downtime d JOIN assets_asset a ON a.id = d.asset_id AND a.stops_parent
    LEFT JOIN assets_downtimereason r ON r.id = d.reason_id
    {children}
), piece AS (
    SELECT stop.asset_id, day::date AS day, calendar, class,
        greatest(date_part('epoch', start), date_part('epoch', (day::date + day_start) AT TIME ZONE time_zone))::bigint AS lo,
        least(date_part('epoch', finish), date_part('epoch', (day::date + 1 + day_start) AT TIME ZONE time_zone))::bigint AS hi
    FROM stop JOIN bench_plan USING (asset_id)
    CROSS JOIN LATERAL generate_series(((start AT TIME ZONE time_zone) - day_start::interval)::date::timestamp,
        ((finish AT TIME ZONE time_zone) - day_start::interval)::date::timestamp, interval '1 day') AS day
    WHERE day::date < ((%(now)s AT TIME ZONE time_zone) - day_start::interval)::date {days}
), placed AS (
    SELECT piece.asset_id, day, class, piece.lo, piece.hi,
        coalesce(a.cum + least(piece.lo, a.hi) - a.lo, 0) AS ss, coalesce(b.cum + least(piece.hi, b.hi) - b.lo, 0) AS se
    FROM piece
    LEFT JOIN LATERAL (SELECT * FROM bench_slot s WHERE s.calendar = piece.calendar AND s.lo <= piece.lo ORDER BY s.lo DESC LIMIT 1) a ON true
    LEFT JOIN LATERAL (SELECT * FROM bench_slot s WHERE s.calendar = piece.calendar AND s.lo <= piece.hi ORDER BY s.lo DESC LIMIT 1) b ON true
    WHERE piece.hi > piece.lo
), ranked AS (
    SELECT *, max(se) OVER before AS all_se, max(se) FILTER (WHERE class <> 'n') OVER before AS out_se,
        max(se) FILTER (WHERE class = 'u') OVER before AS down_se, max(hi) FILTER (WHERE class = 'u') OVER before AS down_hi
    FROM placed WINDOW before AS (PARTITION BY asset_id, day ORDER BY lo, hi ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), summed AS (
    SELECT asset_id, day,
        sum(greatest(0, se - greatest(ss, coalesce(all_se, ss)))::int) AS anyhow,
        coalesce(sum(greatest(0, se - greatest(ss, coalesce(out_se, ss)))::int) FILTER (WHERE class <> 'n'), 0) AS away,
        coalesce(sum(greatest(0, se - greatest(ss, coalesce(down_se, ss)))::int) FILTER (WHERE class = 'u'), 0) AS failed,
        coalesce(sum(greatest(0, hi - greatest(lo, coalesce(down_hi, lo)))::int) FILTER (WHERE class = 'u'), 0) AS clock
    FROM ranked GROUP BY asset_id, day
)
SELECT asset_id, day, away - failed, anyhow - (away - failed), clock - failed FROM summed
"""

FAILURES = """
INSERT INTO bench_failure
SELECT asset_id, min(occurred), max(until), count(*) FROM (
    SELECT *, sum((previous IS NULL OR occurred >= previous)::int) OVER (PARTITION BY asset_id ORDER BY occurred, id) AS event
    FROM (
        SELECT id, asset_id, occurred, coalesce(restored, %(now)s) AS until,
            max(coalesce(restored, %(now)s)) OVER (PARTITION BY asset_id ORDER BY occurred, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS previous
        FROM assets_failure {failures}
    ) f
) f GROUP BY asset_id, event
"""


def full(parameters: dict) -> None:
    """All facts of the history, from nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off; SET work_mem = '64MB'")
        cursor.execute(SCHEDULE, parameters)
        cursor.execute(FACTS.format(own="", children="", days=""), parameters)
        cursor.execute(FAILURES.format(failures=""), parameters)


def changed(parameters: dict) -> None:
    """Only the asset-days in `bench_changed` (asset_id, changed_day): deleted and computed again."""
    near = """JOIN (SELECT DISTINCT asset_id, changed_day FROM bench_changed) w ON w.asset_id = {asset}
        AND d.start < (w.changed_day + 2)::timestamptz AND d.start >= (w.changed_day - 2)::timestamptz"""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM bench_assetday f USING bench_changed w WHERE f.asset_id = w.asset_id AND f.day = w.changed_day"
        )
        cursor.execute(
            FACTS.format(
                own=near.format(asset="d.asset_id"),
                children=near.format(asset="a.parent_id"),
                days="AND EXISTS (SELECT FROM bench_changed w WHERE w.asset_id = stop.asset_id AND w.changed_day = day::date)",
            ),
            parameters,
        )
