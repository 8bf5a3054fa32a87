"""The paths on which stops, failures and counts are written (`test_paths`)."""

from collections.abc import Callable, Iterator

from assets.models import Downtime, Failure
from production.models import Count
from tests.kpis.hand import Hand
from tests.kpis.scene import HOUR, Scene, at

Path = Iterator[str]


# --- Stops ---------------------------------------------------------------------------------------------


def stop_by_page(it: Scene, hand: Hand) -> Path:
    fields = {"asset": it.plant.filler.pk, "start": hand.typed(at(10.5)), "end": hand.typed(at(11.5)), "planned": ""}
    hand.posts("technician", "downtime-new", **fields, is_failure="on")
    yield "recorded"
    stop = Downtime.objects.latest("pk")
    fields |= {"end": hand.typed(at(13)), "reason": it.plant.setup.pk, "version": stop.version}
    hand.posts("technician", "downtime-edit", stop.pk, **fields)
    yield "corrected"
    hand.posts("technician", "downtime-give-reason", stop.pk, reason=it.plant.breakdown.pk)
    yield "given another reason"
    hand.posts("technician", "downtime-remove", stop.pk, reason="It never was")
    yield "removed"
    hand.posts("technician", "asset-down", it.plant.palletiser.pk, at=hand.typed(at(30)))
    yield "opened"
    hand.posts("technician", "asset-back", it.plant.palletiser.pk, at=hand.typed(at(40)))
    yield "ended"


def stop_by_api(it: Scene, hand: Hand) -> Path:
    body = {"asset": "M1", "start": at(10.5).isoformat(), "end": at(11.5).isoformat(), "is_failure": True}
    stop = hand.sends("technician", "post", "downtimes", body)
    yield "recorded"
    hand.sends("technician", "patch", f"downtimes/{stop['id']}", {"start": at(9).isoformat(), "asset": "P1"})
    yield "moved to another machine"
    hand.sends("technician", "delete", f"downtimes/{stop['id']}")
    yield "removed"
    rows = [
        {"asset": "M1", "start": at(hour).isoformat(), "end": at(hour + 0.5).isoformat(), "external_id": f"{hour}"}
        for hour in (11, 36, 61)
    ]
    sent = hand.sends("planner", "post", "downtimes/bulk", [*rows, {"asset": "M3", "start": at(62).isoformat()}])
    yield "recorded in bulk"
    opened = sent["results"][-1]["id"]
    hand.sends("planner", "post", f"downtimes/{opened}/closure", {"end": at(70).isoformat()})
    yield "ended"


def stop_by_import(it: Scene, hand: Hand) -> Path:
    run = hand.imports(
        "downtimes",
        "machine,from,to,reason,breakdown,note\n"
        "M1,2026-03-10 11:30,2026-03-10 12:30,Breakdown,yes,belt\n"
        "P1,2026-03-11 08:00,2026-03-11 09:00,,no,\nP2,2026-03-11 08:30,2026-03-11 08:45,,no,\n",
    )
    yield "imported with its failure"
    hand.takes_back(run)
    yield "taken back"


def stop_in_bulk(it: Scene, hand: Hand) -> Path:
    filler = it.plant.filler
    Downtime.objects.bulk_create(
        Downtime(asset=filler, start=at(hour), end=at(hour) + HOUR / 6) for hour in range(30, 95)
    )
    yield "created, more than are marked one by one"
    Downtime.objects.filter(asset=filler).update(planned=True, reason=it.plant.lunch, planned_end=None)
    yield "updated"
    rows = list(Downtime.objects.filter(asset=filler))
    for row in rows:
        row.start -= 20 * HOUR
        row.asset = it.plant.labeller
    Downtime.objects.bulk_update(rows, ["start", "asset"])
    yield "updated row by row"
    Downtime.objects.filter(start__lt=at(36)).delete()
    yield "deleted"


def stop_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks(
        'INSERT INTO assets_downtime (asset_id, start, "end", planned, note, source, external_id, entered_at, version)'
        " SELECT asset_id, start + interval '26 hours', \"end\" + interval '27 hours', false, '', 'plc', '', now(), 1"
        " FROM assets_downtime"
    )
    yield "inserted"
    hand.asks('UPDATE assets_downtime SET "end" = NULL WHERE start = (SELECT max(start) FROM assets_downtime)')
    yield "updated"
    hand.asks("UPDATE assets_failure SET downtime_id = NULL")
    hand.asks("DELETE FROM assets_downtime WHERE extract(hour FROM start AT TIME ZONE 'UTC') BETWEEN 8 AND 14")
    yield "deleted"


# --- Failures ------------------------------------------------------------------------------------------


def failure_by_page(it: Scene, hand: Hand) -> Path:
    fields = {"asset": it.plant.filler.pk, "occurred": hand.typed(at(9.5)), "detection": "operation"}
    hand.posts("technician", "failure-new", **fields)
    yield "recorded"
    failure = Failure.objects.latest("pk")
    fields |= {"restored": hand.typed(at(12.5)), "version": failure.version}
    hand.posts("technician", "failure-edit", failure.pk, **fields)
    yield "corrected"
    hand.posts("technician", "failure-remove", failure.pk, reason="It was none")
    yield "removed"


def failure_by_api(it: Scene, hand: Hand) -> Path:
    failure = hand.sends("technician", "post", "failures", {"asset": "P1", "occurred": at(15.5).isoformat()})
    yield "recorded"
    said = {"detection": "maintenance", "occurred": at(15).isoformat(), "restored": at(40).isoformat()}
    hand.sends("technician", "patch", f"failures/{failure['id']}", said)
    yield "corrected"
    hand.sends("technician", "delete", f"failures/{failure['id']}")
    yield "removed"


def failure_in_bulk(it: Scene, hand: Hand) -> Path:
    stops = list(Downtime.objects.order_by("start"))
    Failure.objects.bulk_create(Failure(asset_id=stop.asset_id, occurred=stop.start, downtime=stop) for stop in stops)
    yield "created"
    Failure.objects.filter(restored=None).update(restored=at(80), downtime=None)
    yield "updated"
    rows = list(Failure.objects.all())
    for number, row in enumerate(rows):
        row.occurred -= number * HOUR
    Failure.objects.bulk_update(rows, ["occurred"])
    yield "updated row by row"
    Failure.objects.filter(occurred__lt=at(14)).delete()
    yield "deleted"


def failure_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks(
        "INSERT INTO assets_failure (asset_id, occurred, component, detection, note, source, external_id, entered_at,"
        " version) SELECT asset_id, start, '', 'operation', '', 'plc', '', now(), 1 FROM assets_downtime"
    )
    yield "inserted"
    hand.asks("UPDATE assets_failure SET detection = 'maintenance' WHERE id % 2 = 0")
    yield "updated"
    hand.asks("DELETE FROM assets_failure WHERE id % 2 = 1")
    yield "deleted"


# --- Counts and their ideal cycles ---------------------------------------------------------------------


def count_by_page(it: Scene, hand: Hand) -> Path:
    fields = {"asset": it.plant.filler.pk, "start": hand.typed(at(39)), "end": hand.typed(at(41)), "good": "60",
              "scrap": "3", "rework": "0", "ideal_cycle": "30"}  # fmt: skip
    hand.posts("technician", "count-new", **fields)
    yield "recorded"
    count = Count.objects.latest("pk")
    hand.posts("technician", "count-edit", count.pk, **fields | {"ideal_cycle": "25", "version": count.version})
    yield "given another ideal cycle"
    hand.posts("technician", "count-remove", count.pk, reason="Twice")
    yield "removed"


def count_by_api(it: Scene, hand: Hand) -> Path:
    body = {"asset": "M1", "start": at(39).isoformat(), "end": at(41).isoformat(), "good": "60"}
    count = hand.sends("technician", "post", "counts", body | {"ideal_cycle": "30"})
    yield "recorded"
    hand.sends("technician", "patch", f"counts/{count['id']}", {"ideal_cycle": "25"})
    yield "given another ideal cycle"
    hand.sends("technician", "patch", f"counts/{count['id']}", {"scrap": "7", "end": at(80).isoformat()})
    yield "corrected"
    hand.sends("technician", "delete", f"counts/{count['id']}")
    yield "removed"
    rows = [{**body, "start": at(h).isoformat(), "end": at(h + 1).isoformat(), "ideal_cycle": "9"} for h in (60, 84)]
    hand.sends("planner", "post", "counts/bulk", rows)
    yield "recorded in bulk"


def count_by_import(it: Scene, hand: Hand) -> Path:
    run = hand.imports(
        "counts", "asset,start,end,good,scrap,ideal_cycle\nM2,2026-03-10 18:00,2026-03-11 02:00,90,1,60\n"
    )
    yield "imported"
    hand.takes_back(run)
    yield "taken back"


def count_in_bulk(it: Scene, hand: Hand) -> Path:
    Count.objects.bulk_create(
        Count(asset=it.plant.labeller, start=at(hour), end=at(hour + 2), good=50, ideal_cycle=7)
        for hour in range(0, 120, 2)
    )
    yield "created"
    Count.objects.update(ideal_cycle=8)
    yield "updated"
    rows = list(Count.objects.all())
    for row in rows:
        row.rework += 1
    Count.objects.bulk_update(rows, ["rework"])
    yield "updated row by row"
    Count.objects.filter(start__gte=at(24)).delete()
    yield "deleted"


def count_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks(
        'INSERT INTO production_count (asset_id, start, "end", product, good, scrap, rework, ideal_cycle, source,'
        " external_id, entered_at, version) SELECT asset_id, start - interval '2 days', \"end\", '', 3, 1, 1, 5, 'plc',"
        " '', now(), 1 FROM production_count"
    )
    yield "inserted"
    hand.asks("UPDATE production_count SET ideal_cycle = ideal_cycle + 1")
    yield "updated"
    hand.asks("DELETE FROM production_count")
    yield "deleted"


# --- Emptied tables, and rows that go with others ------------------------------------------------------


def emptied(table: str) -> Callable[[Scene, Hand], Path]:
    def path(it: Scene, hand: Hand) -> Path:
        hand.asks(f"SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {table} CASCADE")
        yield "emptied"

    path.__name__ = f"{table}_emptied"
    return path


def stop_with_its_failures(it: Scene, hand: Hand) -> Path:
    """The failure stays, and no longer belongs to a stop."""
    Failure.objects.update(restored=None)
    yield "not restored yet"
    Downtime.objects.filter(start=at(8)).delete()
    yield "deleted"


PATHS = [
    stop_by_page, stop_by_api, stop_by_import, stop_in_bulk, stop_by_sql, stop_with_its_failures,
    failure_by_page, failure_by_api, failure_in_bulk, failure_by_sql,  # stops are imported with theirs
    count_by_page, count_by_api, count_by_import, count_in_bulk, count_by_sql,
    *map(emptied, ("assets_downtime", "assets_failure", "production_count", "assets_downtimereason")),
]  # fmt: skip
