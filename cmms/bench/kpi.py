"""Key figures: the full nightly computation beside hand-written SQL, the run for changed days and the pages at two
lengths of history, any window from the records, and what a worker takes."""

from datetime import datetime, timedelta

from django.db import connection

from cmms.bench import figures, kpi_reference, load, load_work, web, windows, worker
from cmms.bench.measure import Report, peak_mib, seconds
from core.models import Site
from kpis import computing
from kpis.facts import store

AS_IN_PRODUCTION = ("--config=python:cmms.gunicorn", "--access-logfile=/dev/null")
PROCESSES = 2  # of the worker in docker-compose.yml
SHARE_CHANGED = 0.01  # of the last month's asset-days


def forget_facts() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE kpis_assetday, kpis_lossday, kpis_failureevent, kpis_factstate, kpis_changedday, kpis_dayrevision"
        )


def product_full(now: datetime) -> None:
    """All facts of the history from nothing, by one process."""
    forget_facts()
    for site in Site.objects.order_by("pk"):
        store.catch_up(site, now=now)


def product_by_workers(now: datetime) -> list[dict]:
    """The same by as many processes as a worker of production has; the schedule sets one to work each minute, and each
    takes the assets that no other holds."""
    forget_facts()
    return worker.at_once(now, processes=PROCESSES)


def parameters(size: load.Size, now: datetime) -> dict:
    begin = load.beginning(size, now)
    return {"now": now, "first": (begin - timedelta(days=3)).date(), "last": (now + timedelta(days=3)).date()}


def forget_changes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE kpis_changedday")


def differences() -> int:
    """Asset-days on which product and reference disagree; quiet rows of zeros do not count."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM (SELECT asset_id, day, planned_stop, down, off_schedule FROM kpis_assetday
                   WHERE planned_stop + down + off_schedule > 0) p
               FULL JOIN (SELECT * FROM bench_assetday WHERE planned_stop + down + off_schedule > 0) r USING (asset_id, day)
               WHERE (p.planned_stop, p.down, p.off_schedule) IS DISTINCT FROM (r.planned_stop, r.down, r.off_schedule)"""
        )
        return cursor.fetchone()[0]


def change_stops(size: load.Size, now: datetime, *, offset: int) -> int:
    """Lengthen one stop on each of a share of last month's asset-days; `bench_changed` names the days concerned."""
    wanted = max(5, int(size.assets * 30 * SHARE_CHANGED))
    with connection.cursor() as cursor:
        cursor.execute(
            """DROP TABLE IF EXISTS bench_changed;
               CREATE UNLOGGED TABLE bench_changed AS
               WITH chosen AS (
                   SELECT id FROM assets_downtime WHERE start >= %(now)s - interval '31 days' AND start < %(now)s - interval '2 days'
                       AND "end" IS NOT NULL ORDER BY mod(id * 7919 + %(offset)s, 104729) LIMIT %(wanted)s
               ), touched AS (
                   UPDATE assets_downtime d SET "end" = d."end" + interval '60 seconds' FROM chosen WHERE chosen.id = d.id
                   RETURNING d.asset_id, d.start, d."end"
               )
               SELECT DISTINCT asset_id, day::date AS changed_day FROM (
                   SELECT asset_id, start, "end" FROM touched
                   UNION ALL
                   SELECT a.parent_id, start, "end" FROM touched JOIN assets_asset a ON a.id = asset_id AND a.stops_parent
               ) t JOIN bench_plan USING (asset_id)
               CROSS JOIN LATERAL generate_series((start AT TIME ZONE time_zone)::date::timestamp,
                   ("end" AT TIME ZONE time_zone)::date::timestamp, interval '1 day') AS day;
               CREATE INDEX ON bench_changed (asset_id, changed_day); ANALYZE bench_changed""",
            {"now": now, "offset": offset, "wanted": wanted},
        )
        cursor.execute("SELECT count(*) FROM bench_changed")
        return cursor.fetchone()[0]


def changed_run(size: load.Size, now: datetime) -> tuple[float, float, int]:
    """Best of three: seconds of the product's run over changed days, of the reference, and how many days."""
    times: list[tuple[float, float]] = []
    days = 0
    for offset in range(3):
        days = change_stops(size, now, offset=offset)
        reference = seconds(lambda: kpi_reference.changed(parameters(size, now)))
        product = seconds(lambda: computing.compute_due(now=now))
        times.append((product, reference))
    return min(each[0] for each in times), min(each[1] for each in times), days


def measure(report: Report, *, size: load.Size, now: datetime, length: float) -> None:
    """`length`: seconds of load for each address."""
    begin = load.beginning(size, now)
    middle = begin + (now - begin) / 2
    half = size.downtimes // 2
    load.load_stops(size, begin=middle, end=now, rows=size.downtimes - half, now=now)
    load.analyze()
    kpi_reference.full(parameters(size, now))
    product_full(now)
    forget_changes()
    load.analyze()  # as before the same at all of the history
    short, _, _ = changed_run(size, now)
    with web.server("cmms.settings", "cmms.wsgi:application", *AS_IN_PRODUCTION) as server:
        few = figures.snapshot(server, size=size, now=now, length=length)
        load.load_stops(size, begin=begin, end=middle, rows=half, now=now)
        load.analyze()
        nightly(report, size=size, now=now, short=short)
        many = figures.snapshot(server, size=size, now=now, length=length)
    figures.compare(report, few, many, size=size)
    windows.measure(report, size=size, now=now)
    figures.change(report, now=now)
    worker.measure(report, now=now)
    busy(report, size=size, now=now, length=length)


def busy(report: Report, *, size: load.Size, now: datetime, length: float) -> None:
    """The same addresses where production is counted and work recorded: at the later half of the orders, and at all."""
    half = size.orders // 2
    snapshots = []
    load_work.load_counts(now, days=90)
    computing.compute_due(now=now)
    with web.server("cmms.settings", "cmms.wsgi:application", *AS_IN_PRODUCTION) as server:
        for first, last in ((half + 1, size.orders), (1, half)):
            load_work.load(size, first=first, last=last, now=now)
            load.analyze()
            snapshots.append(figures.snapshot(server, size=size, now=now, length=length))
    figures.compare_busy(report, *snapshots, orders=size.orders)
    load_work.forget()


def nightly(report: Report, *, size: load.Size, now: datetime, short: float) -> None:
    """The whole history, and the changed days; `short` is what the latter took at half the history."""
    product = seconds(lambda: product_full(now))
    reference = seconds(lambda: kpi_reference.full(parameters(size, now)))
    forget_changes()
    load.analyze()
    wrong = differences()
    report.add(
        f"nightly KPI, full: {size.downtimes:,} stops, {size.days} days", product=product, reference=reference, most=1.5,
        detail=f"peak {peak_mib():.0f} MiB",
    )  # fmt: skip
    report.add("asset-days that differ from the reference", product=wrong, bar="none", ok=wrong == 0, unit="rows")
    found: list[list[dict]] = []
    by_workers = seconds(lambda: found.append(product_by_workers(now)))
    forget_changes()
    load.analyze()
    wrong = differences()
    report.add(
        f"the same by the {PROCESSES} processes of a worker", product=by_workers, reference=reference,
        detail=" and ".join(f"{each['rows']:,} asset-days with {each['peak']:.0f} MiB" for each in found[0]),
    )  # fmt: skip
    report.add("asset-days that differ, by a worker", product=wrong, bar="none", ok=wrong == 0, unit="rows")
    long, by_hand, days = changed_run(size, now)
    wrong = differences()
    report.add(f"nightly KPI, {days:,} changed asset-days", product=long, reference=by_hand, most=1.5)
    report.add(
        f"the same at {size.days} beside {size.days // 2} days of history", product=long, reference=short, most=1.2
    )
    report.add("asset-days that differ after the changes", product=wrong, bar="none", ok=wrong == 0, unit="rows")
