"""Findings: records that cannot be right are found, owned, mended or accepted."""

from datetime import UTC, date, datetime, timedelta
from threading import Thread
from time import monotonic

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from assets.models import Downtime
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import JobRun
from kpis import audit, doubts, findings
from kpis.computing import compute_site
from kpis.models import AssetDay, DayRevision, Finding, FindingKind, FindingState
from production.models import Count
from tests.contracts.api import ApiContract, assert_problem, client_of
from tests.together import together

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def look(plant, now=NOW) -> dict[tuple[str, str], Finding]:
    doubts.look_at(plant.berlin, now=now)
    return {(row.asset.code, row.kind): row for row in Finding.objects.select_related("asset").filter(state="open")}


def stop(plant, start: timedelta, hours: float | None, **fields) -> Downtime:
    end = None if hours is None else NOW - start + hours * HOUR
    return Downtime.objects.create(asset=plant.filler, start=NOW - start, end=end, **fields)


def made(plant, pieces: int, cycle: float, hours: float = 10) -> Count:
    start = NOW - 2 * DAY
    return Count.objects.create(
        asset=plant.filler, start=start, end=start + hours * HOUR, good=pieces, scrap=0, ideal_cycle=cycle
    )


# --- What is looked for -----------------------------------------------------------------------------


def test_records_that_fit_together_raise_nothing(plant):
    stop(plant, 3 * DAY, 2)
    stop(plant, 3 * DAY - 2 * HOUR, 1)  # begins as the other ends
    made(plant, 100, 60)

    assert look(plant) == {}
    assert JobRun.objects.get(name=doubts.JOB).fact == "0 doubts, 0 of them new"


def test_stops_recorded_twice_are_found_with_their_time(plant):
    stop(plant, 3 * DAY, 4)
    stop(plant, 3 * DAY - HOUR, 1)  # within the first
    stop(plant, 3 * DAY - 3 * HOUR, 2)  # one hour of it
    stop(plant, 3 * DAY, 4, planned=True)  # a breakdown during a planned stop is nothing odd

    finding = look(plant)["M1", "overlap"]

    assert finding.numbers == {"stops": 2, "seconds": 7200.0}
    assert doubts.said(finding.kind, finding.numbers).startswith(
        "2 stops began while another was not over, one of the two begun or entered in the last 7 days;"
        " 2\u00a0h are recorded twice."
    )


def test_an_old_overlap_is_no_news(plant):
    stop(plant, 30 * DAY, 4)
    stop(plant, 30 * DAY - HOUR, 4)
    assert look(plant) == {}


@pytest.mark.parametrize("late", [0, 1])
def test_an_old_overlap_is_found_when_one_of_the_stops_is_entered_now(plant, late):
    stops = [stop(plant, 30 * DAY, 4), stop(plant, 30 * DAY - HOUR, 4)]
    stop(plant, 40 * DAY, 4)
    stop(plant, 40 * DAY - HOUR, 4)
    Downtime.objects.update(entered_at=NOW - 20 * DAY)
    Downtime.objects.filter(pk=stops[late].pk).update(entered_at=NOW - DAY)

    assert look(plant)["M1", "overlap"].numbers == {"stops": 1, "seconds": 3 * 3600.0}
    assert look(plant, NOW + 8 * DAY) == {}


def test_pieces_of_an_old_stop_that_is_entered_now_are_found(plant):
    begin = NOW - 21 * DAY
    Count.objects.create(asset=plant.filler, start=begin, end=begin + 2 * HOUR, good=120, ideal_cycle=10)
    assert look(plant) == {}

    stop(plant, 21 * DAY + HOUR, 4)
    compute_site(plant.berlin, now=NOW)
    DayRevision.objects.update(at=NOW - HOUR)

    assert look(plant)["M1", "counted_while_down"].numbers == {"pieces": 120.0}
    assert look(plant, NOW + 8 * DAY) == {}


def test_an_old_day_on_which_more_was_made_than_can_be_is_found_when_it_is_entered_now(plant):
    stop(plant, 40 * DAY, 1)
    compute_site(plant.berlin, now=NOW)
    begin = plant.berlin.day_begins(plant.berlin.production_day(NOW - 21 * DAY)) + HOUR
    made = Count.objects.create(asset=plant.filler, start=begin, end=begin + HOUR, good=1200, ideal_cycle=86.4)
    Count.objects.create(asset=plant.labeller, start=begin, end=begin + HOUR, good=1000, ideal_cycle=86.4)
    compute_site(plant.berlin, now=NOW)
    DayRevision.objects.update(at=NOW - HOUR)

    finding = look(plant)["M1", "too_fast"]

    day = plant.berlin.production_day(begin)
    assert finding.numbers == {"performance": pytest.approx(1.2), "day": day.isoformat()}
    assert "which was corrected in the last 7 days, is 120.0 %" in doubts.said(finding.kind, finding.numbers)
    assert ("M2", "too_fast") not in look(plant), "100 % can be"
    made.delete()
    compute_site(plant.berlin, now=NOW)
    assert look(plant) == {}, "Mended"


def test_a_stop_open_for_more_than_a_week_is_found(plant):
    stop(plant, 7 * DAY, None)
    assert look(plant) == {}
    Downtime.objects.update(start=NOW - 7 * DAY - timedelta(seconds=1))

    finding = look(plant)["M1", "open_for_long"]

    assert finding.numbers["downtime"] == Downtime.objects.get().pk


@pytest.mark.parametrize(("pieces", "found"), [(600, False), (601, True)])
def test_more_than_the_ideal_cycle_allows_is_found(plant, pieces, found):
    # Of the week it ran a single day: seven days of 24 hours at 1008 s allow 600 pieces.
    made(plant, pieces, 1008)

    said = look(plant)

    assert (("M1", "too_fast") in said) is found
    if found:
        assert said["M1", "too_fast"].numbers["performance"] == pytest.approx(601 / 600)


def test_pieces_counted_while_the_machine_was_down_are_found(plant):
    made(plant, 120, 10, hours=2)
    stop(plant, 2 * DAY + HOUR, 4)

    assert look(plant)["M1", "counted_while_down"].numbers == {"pieces": 120.0}


def test_a_wrong_fact_becomes_a_finding_of_its_asset(plant):
    stop(plant, 3 * DAY, 5)
    compute_site(plant.berlin, now=NOW)
    AssetDay.objects.filter(asset=plant.filler).update(down=7)

    with pytest.raises(audit.Differs):
        audit.audit_site(plant.berlin, now=NOW, share=0, shares=1)

    finding = Finding.objects.get(kind=FindingKind.FACTS_DIFFER)
    assert (finding.asset, finding.numbers["sums"]) == (plant.filler, 1)
    assert "down: 7 / 18000" in doubts.said(finding.kind, finding.numbers)
    look(plant)
    finding.refresh_from_db()
    assert finding.state == FindingState.OPEN  # the nightly look does not look for it


# --- Its life ---------------------------------------------------------------------------------------


def test_what_is_seen_again_stays_one_finding_and_what_is_gone_is_mended(plant):
    open_stop = stop(plant, 9 * DAY, None)
    first = look(plant)["M1", "open_for_long"]
    again = look(plant, NOW + DAY)["M1", "open_for_long"]
    assert (again.pk, again.found_at, again.seen_at) == (first.pk, NOW, NOW + DAY)

    Downtime.objects.filter(pk=open_stop.pk).update(end=NOW - 8 * DAY)
    assert look(plant, NOW + 2 * DAY) == {}

    first.refresh_from_db()
    assert (first.state, first.settled_at) == (FindingState.MENDED, NOW + 2 * DAY)
    assert [event.verb for event in history(first)] == ["finding.mended", "finding.raised"]


def test_an_accepted_finding_rests_until_its_day(plant):
    stop(plant, 9 * DAY, None)
    finding = look(plant)["M1", "open_for_long"]
    until = plant.berlin.production_day(timezone.now()) + DAY
    findings.accept(finding, reason="Waits for the new drive", until=until, by=plant.manager)

    assert look(plant, timezone.now()) == {}
    assert Finding.objects.count() == 1
    assert look(plant, timezone.now() + 3 * DAY)["M1", "open_for_long"].pk != finding.pk


def test_only_managers_settle_and_only_once(plant):
    stop(plant, 9 * DAY, None)
    finding = look(plant)["M1", "open_for_long"]
    until = plant.berlin.production_day(timezone.now()) + DAY

    with pytest.raises(NotAllowed):
        findings.accept(finding, reason="So be it", until=until, by=plant.planner)
    with pytest.raises(NotAllowed):
        findings.change(finding, {"owner": plant.technician}, by=plant.technician)
    with pytest.raises(Refused) as refused:
        findings.accept(finding, reason=" ", until=until, by=plant.manager)
    assert refused.value.field == "reason"
    for day in (until - DAY, until + timedelta(days=366)):
        with pytest.raises(Refused) as refused:
            findings.accept(finding, reason="So be it", until=day, by=plant.manager)
        assert refused.value.field == "until"
    findings.accept(finding, reason="So be it", until=until, by=plant.manager)
    with pytest.raises(Conflict):
        findings.accept(finding, reason="Again", until=until, by=plant.manager)
    with pytest.raises(Conflict):
        findings.change(finding, {"due": until}, by=plant.manager)


def test_the_owner_must_belong_to_the_site_and_the_change_is_told(plant):
    stop(plant, 9 * DAY, None)
    finding = look(plant)["M1", "open_for_long"]
    with pytest.raises(Refused) as refused:
        findings.change(finding, {"owner": plant.stranger}, by=plant.manager)
    assert refused.value.field == "owner"

    findings.change(finding, {"owner": plant.technician, "due": date(2026, 4, 1)}, by=plant.manager, version=1)

    assert history(finding)[0].summary == f"Given to {plant.technician}, due 2026-04-01"
    with pytest.raises(Conflict):
        findings.change(finding, {"due": None}, by=plant.manager, version=1)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_raise_nothing_twice(plant):
    stop(plant, 9 * DAY, None)
    compute_site(plant.berlin, now=NOW)

    found = together(*[lambda: doubts.look_at(plant.berlin, now=NOW)] * 2)

    assert sorted(found) == [0, 1]
    assert Finding.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_somebody_accepts_during_the_look_stays_accepted(plant):
    stop(plant, 9 * DAY, None)
    finding = look(plant)["M1", "open_for_long"]
    until = plant.berlin.production_day(timezone.now()) + DAY
    nothing = Thread(target=seeing_nothing, args=(plant.berlin,))

    with transaction.atomic():
        findings.accept(finding, reason="So be it", until=until, by=plant.manager)
        nothing.start()
        until_somebody_waits()
    nothing.join(timeout=30)

    finding.refresh_from_db()
    assert (finding.state, finding.reason) == (FindingState.ACCEPTED, "So be it")


def seeing_nothing(site) -> None:
    try:
        findings.observe(site, [], kinds=doubts.LOOKED_FOR, now=NOW + DAY)
    finally:
        connection.close()


def until_somebody_waits() -> None:
    """Until another connection to this database waits for a row."""
    deadline = monotonic() + 30
    waiting = 0
    with connection.cursor() as cursor:
        while not waiting and monotonic() < deadline:
            cursor.execute(
                "SELECT pg_stat_clear_snapshot(), (SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock')"
            )
            waiting = cursor.fetchone()[1]
    assert waiting


# --- Pages ------------------------------------------------------------------------------------------


@pytest.fixture
def finding(plant) -> Finding:
    now = timezone.now()
    Downtime.objects.create(asset=plant.filler, start=now - 9 * DAY)
    return look(plant, now)["M1", "open_for_long"]


def test_a_manager_finds_gives_and_accepts(client, plant, finding):
    client.force_login(plant.manager)
    page = client.get(reverse("findings")).content.decode()
    assert "1 finding is open, 1 without an owner." in page
    assert finding.get_absolute_url() in page

    page = client.get(finding.get_absolute_url()).content.decode()
    assert Downtime.objects.get().get_absolute_url() in page
    assert "Close it, or correct when it ended." in page

    given = client.post(
        reverse("finding-edit", args=[finding.pk]), {"owner": plant.technician.pk, "due": "2026-12-24", "version": 1}
    )
    assert given.url == finding.get_absolute_url()
    client.post(reverse("finding-comment", args=[finding.pk]), {"body": "Asked the day shift"})
    until = plant.berlin.production_day(timezone.now()) + 30 * DAY
    client.post(reverse("finding-accept", args=[finding.pk]), {"reason": "New drive in January", "until": until})

    finding.refresh_from_db()
    assert (finding.owner, finding.due, finding.state) == (plant.technician, date(2026, 12, 24), "accepted")
    page = client.get(finding.get_absolute_url()).content.decode()
    assert "New drive in January" in page
    assert "Asked the day shift" in page
    assert reverse("finding-accept", args=[finding.pk]) not in page


def test_a_suspect_figure_names_the_findings_behind_it(client, plant, finding):
    client.force_login(plant.manager)
    today = plant.berlin.production_day(timezone.now())
    asked = {"definition": "availability", "asset": "M1", "from": today - 5 * DAY, "to": today}
    assert finding.get_absolute_url() in client.get(reverse("figure"), asked).content.decode()


def test_a_technician_reads_findings_and_settles_none(client, plant, finding):
    client.force_login(plant.technician)
    page = client.get(finding.get_absolute_url()).content.decode()
    assert reverse("finding-accept", args=[finding.pk]) not in page
    for name in ("finding-edit", "finding-accept"):
        assert client.get(reverse(name, args=[finding.pk])).status_code == 403


def test_a_finding_of_another_site_does_not_exist(client, plant, finding):
    client.force_login(plant.stranger)
    for name in ("finding", "finding-edit", "finding-accept"):
        assert client.get(reverse(name, args=[finding.pk])).status_code == 404
    assert finding.get_absolute_url() not in client.get(reverse("findings")).content.decode()


def test_open_findings_come_before_settled_ones_found_later(client, plant, finding):
    client.force_login(plant.manager)
    settled = raised(plant, plant.labeller, state=FindingState.MENDED, settled_at=timezone.now())
    page = client.get(reverse("findings")).content.decode()
    assert page.index(finding.get_absolute_url()) < page.index(settled.get_absolute_url())


# --- REST API ---------------------------------------------------------------------------------------


def raised(plant, asset, kind=FindingKind.OVERLAP, **fields) -> Finding:
    now = timezone.now()
    key = str(Finding.objects.count())
    return Finding.objects.create(site=asset.site, asset=asset, kind=kind, key=key, found_at=now, seen_at=now, **fields)


class TestFindings(ApiContract):
    resource = "findings"
    caller = "manager"
    filters = {"kind": "too_fast", "asset": "L1", "ownerless": "false", "state": "mended"}
    change = {"due": "2026-12-24"}
    may_write = frozenset({"manager", "administrator"})

    def rows(self, plant):
        if not Finding.objects.filter(site=plant.berlin).exists():
            raised(plant, plant.filler, state="mended", settled_at=timezone.now())
            raised(plant, plant.line, owner=plant.manager)
            raised(plant, plant.filler, FindingKind.TOO_FAST)
            raised(plant, plant.filler)
        return list(Finding.objects.filter(site=plant.berlin))

    def more(self, plant):
        raised(plant, plant.labeller)

    def foreign(self, plant):
        return raised(plant, plant.foreign)


def test_a_finding_is_accepted_over_the_api(plant, finding):
    client = client_of(plant.manager)
    address = f"/api/v1/findings/{finding.pk}/acceptance/"
    until = f"{plant.berlin.production_day(timezone.now()) + DAY}"

    assert_problem(client.post(address, {"reason": "So be it"}), 400, field="until")
    answer = client.post(address, {"reason": "So be it", "until": until})

    assert (answer.status_code, answer.json()["state"], answer.json()["accepted_until"]) == (200, "accepted", until)
    assert_problem(client.post(address, {"reason": "So be it", "until": until}), 409, "settled")
    assert_problem(client_of(plant.stranger).post(address, {"reason": "So", "until": until}), 404)
