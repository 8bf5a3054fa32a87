"""The paths on which moves, groups, calendars, reasons, assets and sites are written (`test_paths`)."""

from collections.abc import Iterator
from datetime import date, time

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from assets.models import Asset, DowntimeReason, Placement, RedundancyGroup
from core.models import Site
from production.models import CalendarException, ExceptionSlot, OperatingCalendar, WeeklySlot
from tests.kpis.hand import Hand
from tests.kpis.scene import Scene, asset_of, at

Path = Iterator[str]


# --- Moves and redundancy groups -----------------------------------------------------------------------


def move_by_page(it: Scene, hand: Hand) -> Path:
    labeller, line = it.plant.labeller, it.plant.line
    hand.posts("planner", "asset-move", labeller.pk, parent=line.pk, stops_parent="on", at=hand.typed(at(18.5)))
    yield "stops the line from the middle of its stop on"
    hand.posts(
        "planner", "asset-move", it.plant.filler.pk, parent=labeller.pk, stops_parent="on", at=hand.typed(at(34))
    )
    yield "stands in another machine"


def move_by_api(it: Scene, hand: Hand) -> Path:
    body = {"parent": "L1", "stops_parent": True, "at": at(18.5).isoformat()}
    hand.sends("planner", "post", f"assets/{it.plant.labeller.pk}/placement", body)
    yield "stops the line from the middle of its stop on"
    body = {"parent": None, "at": at(34).isoformat()}
    hand.sends("planner", "post", f"assets/{it.plant.filler.pk}/placement", body)
    yield "leaves the line and its calendar"


def move_by_import(it: Scene, hand: Hand) -> Path:
    there = hand.imports("assets", "code,name,parent,stops_parent\nM9,Capper,L1,yes\n")
    stopped = hand.imports("downtimes", "machine,from,to\nM9,2026-03-10 20:00,2026-03-10 21:00\n")
    yield "imported with a stop"
    hand.takes_back(stopped)
    hand.takes_back(there)
    yield "taken back"


def move_in_bulk(it: Scene, hand: Hand) -> Path:
    labeller, filler = it.plant.labeller, it.plant.filler
    Placement.objects.filter(asset=labeller).update(stops_parent=True)
    yield "updated"
    row = Placement.objects.get(asset=filler)
    row.valid = DateTimeTZRange(row.valid.lower, at(9))
    Placement.objects.bulk_update([row], ["valid"])
    yield "ended"
    Placement.objects.bulk_create(
        [Placement(asset=filler, parent=labeller, stops_parent=True, valid=DateTimeTZRange(at(9), None))]
    )
    yield "created"
    Placement.objects.filter(asset=filler).delete()
    yield "deleted"


def move_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks("UPDATE assets_placement SET stops_parent = NOT stops_parent WHERE redundancy_group_id IS NULL")
    yield "updated"
    hand.asks("DELETE FROM assets_placement WHERE redundancy_group_id IS NULL AND parent_id IS NOT NULL")
    yield "deleted"
    hand.asks(
        "INSERT INTO assets_placement (asset_id, parent_id, stops_parent, valid)"
        " SELECT id, parent_id, true, tstzrange(%s, 'infinity') FROM assets_asset WHERE code IN ('M1', 'M2')",
        at(9),
    )
    yield "inserted"


def group_by_page(it: Scene, hand: Hand) -> Path:
    line, labeller = it.plant.line, it.plant.labeller
    hand.posts("planner", "redundancy-group", line.pk, it.pumps.pk, name="Pumps", needed=2)
    yield "more are needed"
    hand.posts("planner", "redundancy-group-new", line.pk, name="Labellers", needed=1)
    group = RedundancyGroup.objects.latest("pk")
    place = {"parent": line.pk, "redundancy_group": group.pk, "at": hand.typed(at(2))}
    hand.posts("planner", "asset-move", labeller.pk, **place)
    yield "created, with a member"


def group_by_api(it: Scene, hand: Hand) -> Path:
    body = {"parent": "L1", "redundancy_group": it.pumps.pk, "at": at(2).isoformat()}
    hand.sends("planner", "post", f"assets/{it.plant.labeller.pk}/placement", body)
    yield "a third member"


def group_in_bulk(it: Scene, hand: Hand) -> Path:
    RedundancyGroup.objects.update(needed=2)
    yield "more are needed"
    other = RedundancyGroup.objects.bulk_create([RedundancyGroup(parent=it.plant.line, name="Other", needed=1)])[0]
    Placement.objects.filter(redundancy_group=it.pumps).update(redundancy_group=other)
    yield "another group"
    Asset.objects.filter(redundancy_group=it.pumps).update(redundancy_group=None)
    RedundancyGroup.objects.filter(pk=it.pumps.pk).delete()
    Placement.objects.filter(redundancy_group=other).update(redundancy_group=None)
    other.delete()
    yield "deleted"


def group_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks("UPDATE assets_redundancygroup SET needed = 2")
    yield "more are needed"
    hand.asks("UPDATE assets_redundancygroup SET parent_id = %s", it.plant.filler.pk)
    yield "a group of another asset"


# --- Calendars -----------------------------------------------------------------------------------------


def calendar_by_page(it: Scene, hand: Hand) -> Path:
    fields = {"name": "Filling", "valid_from": "2026-03-01", "valid_to": "", "day_1": "6-12", "day_3": "6-11",
              "exceptions-TOTAL_FORMS": "1", "exceptions-INITIAL_FORMS": "0", "exceptions-0-date": "2026-03-11",
              "exceptions-0-name": "Night", "exceptions-0-slots": "00:00-04:00"}  # fmt: skip
    hand.posts("planner", "operating-calendar-new", **fields, asset=it.plant.filler.pk)
    yield "agreed for the filler"
    calendar = OperatingCalendar.objects.latest("pk")
    fields |= {"day_1": "6-22", "exceptions-0-slots": "", "version": calendar.version}
    hand.posts("planner", "operating-calendar-edit", calendar.pk, **fields)
    yield "changed"
    hand.posts("planner", "operating-calendar-remove", calendar.pk)
    yield "removed"
    hand.posts("planner", "operating-calendar-new", **fields, asset="", day_2="6-12")
    hand.posts("planner", "operating-calendar-remove", it.calendar.pk)
    yield "that of the line gives way to that of the site"


def calendar_by_api(it: Scene, hand: Hand) -> Path:
    body = {"asset": "M1", "name": "Filling", "valid_from": "2026-03-01",
            "weekly": [{"weekday": 1, "start": "06:00", "end": "12:00"}]}  # fmt: skip
    row = hand.sends("planner", "post", "operating-calendars", body)
    yield "agreed for the filler"
    slots = [{"start": "08:00", "end": "11:00"}]
    changed = {"exceptions": [{"date": "2026-03-11", "intervals": slots}]}
    hand.sends("planner", "patch", f"operating-calendars/{row['id']}", changed)
    yield "a date of its own"
    hand.sends("planner", "patch", f"operating-calendars/{row['id']}", {"valid_from": "2026-03-11"})
    yield "from a later day on"
    hand.sends("planner", "delete", f"operating-calendars/{row['id']}")
    yield "removed"


def calendar_in_bulk(it: Scene, hand: Hand) -> Path:
    (row,) = OperatingCalendar.objects.bulk_create(
        [OperatingCalendar(site=it.site, asset=it.plant.filler, name="Filling", valid_from=date(2026, 3, 1))]
    )
    yield "created, closed for good"
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=row, weekday=day, start=time(6), end=time(12)) for day in range(7)
    )
    yield "with a week"
    WeeklySlot.objects.filter(calendar=row).update(end=time(14))
    yield "with longer days"
    (exception,) = CalendarException.objects.bulk_create([CalendarException(calendar=row, date=date(2026, 3, 10))])
    yield "with a holiday"
    slots = ExceptionSlot.objects.bulk_create([ExceptionSlot(exception=exception, start=time(6), end=time(10))])
    yield "of which some hours are worked"
    slots[0].end = time(12)
    ExceptionSlot.objects.bulk_update(slots, ["end"])
    yield "or some more"
    ExceptionSlot.objects.filter(exception=exception).delete()
    yield "or none"
    CalendarException.objects.filter(calendar=row).update(date=date(2026, 3, 12))
    yield "on another day"
    CalendarException.objects.filter(calendar=row).delete()
    yield "or not at all"
    WeeklySlot.objects.filter(calendar=row, weekday=1).delete()
    yield "closed on Tuesdays"
    OperatingCalendar.objects.filter(pk=row.pk).update(valid_to=date(2026, 3, 11))
    yield "ended"
    OperatingCalendar.objects.filter(pk=row.pk).delete()
    yield "deleted with its slots"


def calendar_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks("UPDATE production_weeklyslot SET start = '10:30' WHERE weekday = 1")
    yield "a week changed"
    hand.asks("UPDATE production_exceptionslot SET \"end\" = '10:30'")
    yield "a date changed"
    hand.asks("DELETE FROM production_exceptionslot")
    hand.asks("DELETE FROM production_calendarexception")
    yield "a date deleted"
    hand.asks("DELETE FROM production_operatingcalendar")
    hand.asks("DELETE FROM production_weeklyslot")
    yield "deleted, and its slots after it"


# --- Reasons, assets, sites ----------------------------------------------------------------------------


def reason_by_page(it: Scene, hand: Hand) -> Path:
    fields = {"name": "Lunch", "code": "lunch", "planned": "on", "loss_class": "other", "active": "on"}
    hand.posts("administrator", "downtime-reason", it.plant.lunch.pk, **fields)
    yield "no longer excluded"
    hand.posts("administrator", "downtime-reason", it.plant.lunch.pk, **fields | {"loss_class": "setup"})
    yield "of another loss class"


def reason_by_api(it: Scene, hand: Hand) -> Path:
    hand.sends("administrator", "patch", f"downtime-reasons/{it.plant.lunch.pk}", {"excluded": False})
    yield "no longer excluded"
    hand.sends("administrator", "patch", f"downtime-reasons/{it.plant.breakdown.pk}", {"loss_class": "setup"})
    yield "of another loss class"


def reason_in_bulk(it: Scene, hand: Hand) -> Path:
    DowntimeReason.objects.filter(planned=True).update(excluded=True)
    yield "all excluded"
    rows = list(DowntimeReason.objects.all())
    for row in rows:
        row.loss_class, row.excluded = "breakdown", False
    DowntimeReason.objects.bulk_update(rows, ["loss_class", "excluded"])
    yield "updated row by row"


def reason_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks("UPDATE assets_downtimereason SET excluded = planned AND NOT excluded")
    yield "updated"


def asset_by_page(it: Scene, hand: Hand) -> Path:
    for code, fields, told in (
        ("M1", {"short_stop_seconds": "60"}, "another short stop threshold"),
        ("L1", {"commissioned": hand.typed(at(9))}, "a line commissioned during a stop of its machine"),
        ("L1", {"commissioned": hand.typed(at(9)), "retired": hand.typed(at(34.5))}, "retired during another"),
    ):
        row = asset_of(it.site, code)
        known = {"code": code, "name": row.name, "level": row.level, "criticality": row.criticality,
                 "criticality_reason": "As ever", "commissioned": hand.typed(row.commissioned),
                 "short_stop_seconds": "300", "version": row.version}  # fmt: skip
        hand.posts("planner", "asset-edit", row.pk, **known | fields)
        yield told


def asset_by_api(it: Scene, hand: Hand) -> Path:
    hand.sends("planner", "patch", f"assets/{it.plant.filler.pk}", {"short_stop_seconds": 60})
    yield "another short stop threshold"
    hand.sends("planner", "patch", f"assets/{it.plant.line.pk}", {"commissioned": at(9).isoformat()})
    yield "a line commissioned during a stop of its machine"
    hand.sends("planner", "patch", f"assets/{it.plant.line.pk}", {"retired": at(34.5).isoformat()})
    yield "retired during another"


def asset_in_bulk(it: Scene, hand: Hand) -> Path:
    Asset.objects.update(short_stop_seconds=9000)
    yield "another short stop threshold"
    Asset.objects.filter(pk=it.plant.filler.pk).update(commissioned=at(9), retired=at(35))
    yield "in service for a part of its history"
    rows = list(Asset.objects.filter(code__in=["P1", "P2"]))
    for row in rows:
        row.retired = at(15.5)
    Asset.objects.bulk_update(rows, ["retired"])
    yield "pumps retired"


def asset_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks("UPDATE assets_asset SET short_stop_seconds = 60")
    yield "another short stop threshold"
    hand.asks("UPDATE assets_asset SET commissioned = %s WHERE code = 'M1'", at(9))
    yield "commissioned later"
    hand.asks("UPDATE assets_asset SET retired = %s WHERE code = 'L1'", at(34.5))
    yield "the line retired"


def site_by_page(it: Scene, hand: Hand) -> Path:
    fields = {"code": "berlin", "name": "Bottling Berlin", "time_zone": "Europe/Berlin", "currency": "EUR",
              "day_start": "06:00", "overrun_is_unplanned": "on", "coverage_threshold": "0.8",
              "failure_merge_gap": "0", "oee_profile": "recorded"}  # fmt: skip
    hand.posts("administrator", "site", it.site.pk, **fields)
    yield "days begin at six"
    hand.posts("administrator", "site", it.site.pk, **fields | {"overrun_is_unplanned": ""})
    yield "an overrun is planned"


def site_by_api(it: Scene, hand: Hand) -> Path:
    hand.sends("administrator", "patch", f"sites/{it.site.pk}", {"overrun_is_unplanned": False})
    yield "an overrun is planned"
    hand.sends("administrator", "patch", f"sites/{it.site.pk}", {"time_zone": "Asia/Tokyo", "day_start": "06:00"})
    yield "on another clock"


def site_in_bulk(it: Scene, hand: Hand) -> Path:
    Site.objects.update(overrun_is_unplanned=False)
    yield "an overrun is planned"
    Site.objects.update(day_start=time(6))
    yield "days begin at six"


def site_by_sql(it: Scene, hand: Hand) -> Path:
    hand.asks("UPDATE core_site SET overrun_is_unplanned = NOT overrun_is_unplanned")
    yield "an overrun is planned"
    hand.asks("UPDATE core_site SET time_zone = 'America/New_York'")
    yield "on another clock"


PATHS = [
    move_by_page, move_by_api, move_by_import, move_in_bulk, move_by_sql,
    group_by_page, group_by_api, group_in_bulk, group_by_sql,
    calendar_by_page, calendar_by_api, calendar_in_bulk, calendar_by_sql,
    reason_by_page, reason_by_api, reason_in_bulk, reason_by_sql,
    asset_by_page, asset_by_api, asset_in_bulk, asset_by_sql,
    site_by_page, site_by_api, site_in_bulk, site_by_sql,
]  # fmt: skip
