"""Each trigger that marks changed days is needed: without it, what it watches leaves stale facts behind."""

import pytest
from django.db import connection

from assets.models import Asset, Downtime
from tests.kpis import scene
from tests.kpis.scene import at

TRIGGERS = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'kpis_mark_%'"

# By trigger: one statement after which some fact is another one, and that no other trigger marks as well.
ALONE = {
    "assets_downtime_insert": 'INSERT INTO assets_downtime (asset_id, start, "end", planned, note, source, external_id,'
    " entered_at, version) SELECT asset_id, start + interval '1 day', \"end\" + interval '1 day', false, '', 'plc', '',"
    " now(), 1 FROM assets_downtime WHERE reason_id IS NOT NULL",
    "assets_downtime_update": 'UPDATE assets_downtime SET "end" = "end" + interval \'30 minutes\'',
    "assets_downtime_delete": "DELETE FROM assets_downtime WHERE planned",
    "assets_failure_insert": "INSERT INTO assets_failure (asset_id, occurred, component, detection, note, source,"
    " external_id, entered_at, version) SELECT asset_id, start, '', 'operation', '', 'plc', '', now(), 1"
    " FROM assets_downtime WHERE reason_id IS NULL",
    "assets_failure_update": "UPDATE assets_failure SET restored = restored + interval '10 minutes'",
    "assets_failure_delete": "DELETE FROM assets_failure WHERE downtime_id IS NULL",
    "production_count_insert": 'INSERT INTO production_count (asset_id, start, "end", product, good, scrap, rework,'
    " ideal_cycle, source, external_id, entered_at, version) SELECT asset_id, start, \"end\", '', 3, 1, 1, 5, 'plc',"
    " '', now(), 1 FROM production_count",
    "production_count_update": "UPDATE production_count SET ideal_cycle = 30",
    "production_count_delete": "DELETE FROM production_count",
    "assets_placement_insert": "INSERT INTO assets_placement (asset_id, parent_id, stops_parent, valid)"
    " SELECT m.id, l.id, true, tstzrange('-infinity', 'infinity') FROM assets_asset m, assets_asset l"
    " WHERE m.code = 'M9' AND l.code = 'L1'",
    "assets_placement_update": "UPDATE assets_placement SET stops_parent = true",
    "assets_placement_delete": "DELETE FROM assets_placement WHERE stops_parent",
    "assets_asset_update": "UPDATE assets_asset SET short_stop_seconds = 60",
    "assets_redundancygroup_update": "UPDATE assets_redundancygroup SET needed = 2",
    "assets_downtimereason_update": "UPDATE assets_downtimereason SET excluded = false",
    "core_site_update": "UPDATE core_site SET overrun_is_unplanned = false",
    "production_operatingcalendar_insert": "INSERT INTO production_operatingcalendar (site_id, asset_id, name,"
    " valid_from, version) SELECT site_id, id, 'Closed', '2026-03-01', 1 FROM assets_asset WHERE code = 'M1'",
    "production_operatingcalendar_update": "UPDATE production_operatingcalendar SET valid_to = '2026-03-11'",
    "production_operatingcalendar_delete": "DELETE FROM production_operatingcalendar;"
    " DELETE FROM production_weeklyslot; DELETE FROM production_exceptionslot;"
    " DELETE FROM production_calendarexception",
    "production_weeklyslot_insert": 'INSERT INTO production_weeklyslot (calendar_id, weekday, start, "end")'
    " SELECT id, 1, '22:00', '23:30' FROM production_operatingcalendar",
    "production_weeklyslot_update": "UPDATE production_weeklyslot SET start = '09:30'",
    "production_weeklyslot_delete": "DELETE FROM production_weeklyslot WHERE weekday = 2",
    "production_calendarexception_insert": "INSERT INTO production_calendarexception (calendar_id, date, name)"
    " SELECT id, '2026-03-10', '' FROM production_operatingcalendar",
    "production_calendarexception_update": "UPDATE production_calendarexception SET date = '2026-03-11'"
    " WHERE date = '2026-03-13'",
    "production_calendarexception_delete": "DELETE FROM production_calendarexception WHERE date = '2026-03-13'",
    "production_exceptionslot_insert": 'INSERT INTO production_exceptionslot (exception_id, start, "end")'
    " SELECT id, '11:00', '13:00' FROM production_calendarexception",
    "production_exceptionslot_update": "UPDATE production_exceptionslot SET \"end\" = '10:30'",
    "production_exceptionslot_delete": "DELETE FROM production_exceptionslot",
    "assets_failure_truncate": "TRUNCATE assets_failure CASCADE",
    "production_count_truncate": "TRUNCATE production_count",
    "assets_placement_truncate": "TRUNCATE assets_placement",
    "production_weeklyslot_truncate": "TRUNCATE production_weeklyslot",
    "production_exceptionslot_truncate": "TRUNCATE production_exceptionslot",
}
BEHIND_OTHERS = {
    # A group can go only when no placement names it any more, and giving up the last one has marked its parent.
    "assets_redundancygroup_delete",
    # Failures name stops, so that stops cannot be emptied without them.
    "assets_downtime_truncate",
    # So do slots calendars and exceptions.
    "production_operatingcalendar_truncate",
    "production_calendarexception_truncate",
}


def ask(text: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []


def test_every_trigger_is_among_these(db):
    assert {name.removeprefix("kpis_mark_") for name, _ in ask(TRIGGERS)} == {*ALONE, *BEHIND_OTHERS}


@pytest.mark.parametrize("missing", [False, True], ids=["there", "dropped"])
@pytest.mark.parametrize("trigger", ALONE)
def test_facts_are_stale_only_without_it(plant, trigger, missing):
    it = scene.build(plant)
    it.calendar.exceptions.create(date=at(72).date())  # closed, though the filler stops
    unplaced = Asset.objects.create(site=it.site, code="M9", name="Capper")
    for asset, hour in ((plant.filler, 82), (unplaced, 20)):
        Downtime.objects.create(asset=asset, start=at(hour), end=at(hour + 1))
    before = scene.work_off(it.site)
    assert before == scene.computed_anew(it.site)
    ask("SET CONSTRAINTS ALL IMMEDIATE")
    if missing:
        tables = {name.removeprefix("kpis_mark_"): table for name, table in ask(TRIGGERS)}
        ask(f"DROP TRIGGER kpis_mark_{trigger} ON {tables[trigger]}")
    ask(f"SET CONSTRAINTS ALL DEFERRED; {ALONE[trigger]}; SET CONSTRAINTS ALL IMMEDIATE")

    it.site.refresh_from_db()
    after, anew = scene.work_off(it.site), scene.computed_anew(it.site)

    assert anew != before, "no fact depends on it"
    if missing:
        assert after != anew, "another trigger marks the same"
    else:
        assert after == anew
