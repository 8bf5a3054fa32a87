"""No figure changes in silence: what was reported before stays known, with what changed it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from assets import failures, stops
from assets.models import Downtime, Failure
from kpis import explaining
from kpis import recorded as kept_sums
from kpis.computing import compute_site, recompute
from kpis.facts.revisions import SUMS
from kpis.figures import periods
from kpis.formulas import Facts
from kpis.models import ChangedDay, DayRevision, FailureEvent
from production import counting
from production.models import Count
from tests.contracts.api import client_of
from tests.kpis.editing import Editor
from tests.kpis.plants import in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def midnight(plant) -> datetime:
    """Of Berlin, ten days ago: a production day that is over."""
    site = plant.berlin
    return site.day_begins(site.production_day(timezone.now()) - 10 * DAY)


@pytest.fixture
def reported(plant, midnight):
    """The day of the filler with a stop of an hour, as the night reported it."""
    Downtime.objects.create(asset=plant.filler, start=midnight + 2 * HOUR, end=midnight + 3 * HOUR)
    compute_site(plant.berlin)
    return plant


def why(plant, midnight, definition="availability", *, asset=None, days=1):
    return explaining.explain(
        asset or plant.filler, site=plant.berlin, definition=definition, start=midnight, end=midnight + days * DAY,
        scope="asset", now=timezone.now(),
    )  # fmt: skip


def late_stop(plant, start: datetime, end: datetime) -> Downtime:
    """Entered by the technician, days later."""
    return stops.record_stop(stops.StopEntry(asset=plant.filler, start=start, end=end), by=plant.technician).row


def test_what_is_computed_for_the_first_time_or_again_without_change_leaves_no_trace(reported, midnight):
    recompute([reported.berlin])
    Downtime.objects.update(reason=reported.berlin.downtime_reasons.get(code="breakdown"))
    compute_site(reported.berlin)

    assert DayRevision.objects.count() == 0
    assert why(reported, midnight).revisions == []


def test_a_late_stop_is_named_with_the_value_before_it(reported, midnight):
    late = late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    compute_site(reported.berlin)

    explanation = why(reported, midnight)

    assert explanation.figure.value == pytest.approx(19 / 24)
    (revision,) = explanation.revisions
    assert (revision.before.value, revision.before.status) == (pytest.approx(23 / 24), "ok")
    assert revision.after.value == explanation.figure.value
    assert (revision.record, revision.changes, revision.event.actor) == (late, 1, reported.technician)
    assert revision.url == late.get_absolute_url()


def test_several_changes_are_told_one_by_one_the_newest_first(reported, midnight):
    first = Downtime.objects.create(asset=reported.filler, start=midnight + 4 * HOUR, end=midnight + 5 * HOUR)
    compute_site(reported.berlin)
    Downtime.objects.filter(pk=first.pk).delete()
    Downtime.objects.create(asset=reported.filler, start=midnight + 6 * HOUR, end=midnight + 9 * HOUR)
    compute_site(reported.berlin)

    told = why(reported, midnight).revisions

    assert [round(each.before.value * 24, 6) for each in told] == [22, 23]
    assert [each.changes for each in told] == [2, 1]
    assert told[1].record is None  # it was deleted


def test_a_change_that_moves_nothing_between_reports_is_not_told(reported, midnight):
    """A stop inside another one changes a row, not the figure."""
    Downtime.objects.create(asset=reported.filler, start=midnight + 2 * HOUR, end=midnight + 2.5 * HOUR)
    compute_site(reported.berlin)

    assert DayRevision.objects.get(asset=reported.filler).stops == 1
    assert why(reported, midnight).revisions == []


def test_the_line_names_the_stop_of_the_machine_that_stops_it(reported, midnight):
    late = Downtime.objects.create(asset=reported.filler, start=midnight + 8 * HOUR, end=midnight + 20 * HOUR)
    compute_site(reported.berlin)

    (revision,) = why(reported, midnight, asset=reported.line).revisions

    assert revision.before.value == pytest.approx(23 / 24)
    assert revision.record == late


def test_failures_and_counts_that_come_late_are_told(reported, midnight):
    Failure.objects.create(asset=reported.filler, occurred=midnight + 2 * HOUR, restored=midnight + 3 * HOUR)
    compute_site(reported.berlin)
    Failure.objects.create(asset=reported.filler, occurred=midnight + 9 * HOUR, restored=midnight + 11 * HOUR)
    Count.objects.create(asset=reported.filler, start=midnight, end=midnight + HOUR, good=300, scrap=0, ideal_cycle=12)
    compute_site(reported.berlin)

    mtbf = why(reported, midnight, "mtbf").revisions
    assert [each.before.value for each in mtbf] == [pytest.approx(23), None]
    assert mtbf[1].before.status == "undefined"
    mttr = why(reported, midnight, "mttr")
    assert (mttr.figure.value, mttr.revisions[0].before.value) == (1.5, 1)
    oee = why(reported, midnight, "oee")
    assert oee.figure.value == pytest.approx(1 / 24)
    assert [each.before.status for each in oee.revisions] == ["no data"]


def test_parts_of_a_day_that_the_window_cuts_are_told_as_they_were(reported, midnight):
    """The window begins in the stop that was there, and ends in the one that came late."""
    late = late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    compute_site(reported.berlin)
    stops.correct(late, {"start": midnight + 9 * HOUR}, by=reported.planner)
    compute_site(reported.berlin)

    cut = explaining.explain(
        reported.filler, site=reported.berlin, definition="availability", start=midnight + 2.5 * HOUR,
        end=midnight + 10 * HOUR, scope="asset", now=timezone.now(),
    )  # fmt: skip

    assert cut.figure.value == pytest.approx(6 / 7.5)
    assert [each.before.value for each in cut.revisions] == [pytest.approx(5 / 7.5), pytest.approx(7 / 7.5)]
    assert [each.record for each in cut.revisions] == [late, late]


def test_a_stop_that_moved_within_its_day_is_told_of_the_part_that_it_left(reported, midnight):
    """The day as a whole is as it was, and nothing of it was computed otherwise."""
    stop = Downtime.objects.get()
    stops.correct(stop, {"start": midnight + 14 * HOUR, "end": midnight + 15 * HOUR}, by=reported.planner)
    compute_site(reported.berlin)
    assert not DayRevision.objects.exists()

    shift = explaining.explain(
        reported.filler, site=reported.berlin, definition="availability", start=midnight, end=midnight + 8 * HOUR,
        scope="asset", now=timezone.now(),
    )  # fmt: skip

    assert (shift.figure.value, shift.revisions[0].before.value) == (1, pytest.approx(7 / 8))
    assert (shift.revisions[0].record, shift.revisions[0].event.actor) == (stop, reported.planner)
    assert why(reported, midnight).revisions == []


def test_where_too_many_parts_changed_that_is_said(reported, midnight, client, monkeypatch):
    late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    compute_site(reported.berlin)
    monkeypatch.setattr(kept_sums, "MOST_CELLS", 0)
    question = {
        "asset": reported.filler.pk, "definition": "availability", "from": (midnight + HOUR).isoformat(),
        "to": (midnight + 10 * HOUR).isoformat(),
    }  # fmt: skip
    told = client_of(reported.manager).get("/api/v1/kpis/explanation/", question).json()
    assert (told["untold"], told["revisions"]) == (True, [])
    client.force_login(reported.manager)
    page = client.get("/performance/figure/", question).content.decode()
    assert "cuts days of too many assets" in page
    assert not why(reported, midnight).untold


def test_a_part_of_the_day_in_which_nothing_changed_is_as_it_was(reported, midnight):
    late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    compute_site(reported.berlin)

    morning = explaining.explain(
        reported.filler, site=reported.berlin, definition="availability", start=midnight, end=midnight + 6 * HOUR,
        scope="asset", now=timezone.now(),
    )  # fmt: skip

    assert (morning.figure.value, morning.revisions) == (pytest.approx(5 / 6), [])


def test_failures_and_counts_of_a_part_of_a_day_are_told_as_they_were(reported, midnight):
    made = {"start": midnight + HOUR, "end": midnight + 5 * HOUR, "good": 600, "ideal_cycle": 6}
    count = Count.objects.create(asset=reported.filler, **made)
    failure = Failure.objects.create(
        asset=reported.filler, occurred=midnight + 4 * HOUR, restored=midnight + 4.5 * HOUR
    )
    compute_site(reported.berlin)
    cut = {"site": reported.berlin, "start": midnight + HOUR, "end": midnight + 5 * HOUR, "scope": "asset"}
    before = {
        key: explaining.explain(reported.filler, definition=key, now=timezone.now(), **cut).figure.value
        for key in ("oee", "mtbf")
    }
    Count.objects.filter(pk=count.pk).update(good=300)
    failures.remove(failure, by=reported.planner)
    compute_site(reported.berlin)

    told = {key: explaining.explain(reported.filler, definition=key, now=timezone.now(), **cut) for key in before}

    assert before == {"oee": pytest.approx(1 / 4), "mtbf": pytest.approx(3)}
    assert (told["oee"].figure.value, told["mtbf"].figure.value) == (pytest.approx(1 / 8), None)
    for key, value in before.items():
        # At first, nothing of either was recorded.
        assert [each.before.value for each in told[key].revisions] == [pytest.approx(value), None], key


def test_what_was_removed_is_said_to_be_removed(reported, midnight):
    stop = late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    failure = Failure.objects.create(asset=reported.filler, occurred=midnight + 15 * HOUR)
    count = Count.objects.create(asset=reported.filler, start=midnight, end=midnight + HOUR, good=300, ideal_cycle=12)
    stops.correct(stop, {"end": midnight + 11 * HOUR}, by=reported.planner)
    compute_site(reported.berlin)
    for row, verbs, definition, assets in (
        (stop, stops, "availability", [reported.filler, reported.line]),
        (failure, failures, "mtbf", [reported.filler]),
        (count, counting, "oee", [reported.filler]),
    ):
        pk = row.pk
        verbs.remove(row, by=reported.technician)
        compute_site(reported.berlin)
        for asset in assets:
            revision = why(reported, midnight, definition, asset=asset).revisions[0]
            assert (revision.source_id, revision.record, revision.url) == (pk, None, "")
            assert revision.event.summary.endswith("removed")
            assert revision.event.actor == reported.technician


def test_while_a_change_waits_no_value_is_told_that_was_never_reported(reported, midnight, client):
    late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    compute_site(reported.berlin)
    late_stop(reported, midnight + 14 * HOUR, midnight + 15 * HOUR)

    waiting = why(reported, midnight)
    assert waiting.figure.value == pytest.approx(18 / 24)
    assert (waiting.changing, waiting.revisions) == (True, [])
    assert why(reported, midnight, asset=reported.line).changing
    next_day = midnight + DAY
    assert not why(reported, next_day).changing
    question = {
        "asset": reported.filler.pk, "definition": "availability", "from": midnight.isoformat(),
        "to": next_day.isoformat(),
    }  # fmt: skip
    told = client_of(reported.manager).get("/api/v1/kpis/explanation/", question).json()
    assert (told["changing"], told["revisions"]) == (True, [])
    client.force_login(reported.manager)
    assert "being computed again" in client.get("/performance/figure/", question).content.decode()

    compute_site(reported.berlin)
    told = why(reported, midnight)
    assert not told.changing
    assert [round(each.before.value * 24, 6) for each in told.revisions] == [19, 23]


def test_a_change_of_today_leaves_what_was_reported_before_told(reported, midnight):
    late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    compute_site(reported.berlin)
    stops.open_stop(reported.filler, by=reported.technician)

    told = why(reported, midnight, days=12)

    assert not told.changing
    assert len(told.revisions) == 1


def test_page_and_api_tell_the_same(reported, midnight, client):
    late = late_stop(reported, midnight + 8 * HOUR, midnight + 12 * HOUR)
    compute_site(reported.berlin)
    question = {
        "asset": reported.filler.pk, "definition": "availability", "from": midnight.isoformat(),
        "to": (midnight + DAY).isoformat(),
    }  # fmt: skip

    (told,) = client_of(reported.manager).get("/api/v1/kpis/explanation/", question).json()["revisions"]
    client.force_login(reported.manager)
    page = client.get("/performance/figure/", question).content.decode()

    assert told["value"] == pytest.approx(23 / 24)
    assert (told["because"]["type"], told["because"]["id"]) == ("assets.downtime", late.pk)
    assert told["because"]["by"] == "technician"
    assert "95.8\u202f% until" in page
    assert "79.2\u202f% since" in page
    assert f'href="{late.get_absolute_url()}"' in page


@in_database(15)
@given(data=st.data(), records=plants())
def test_taking_all_revisions_off_gives_what_stood_before(db, data, records):
    """Whatever changed, the sums of today less all revisions are the sums of the first report."""
    with pytest.raises(Undone), transaction.atomic():
        stored = write(records)
        compute_site(stored.site, now=records.now)
        begin = datetime.fromtimestamp(first_instant(records) + 1, UTC)
        start = stored.site.day_begins(stored.site.production_day(begin))
        end = stored.site.day_begins(stored.site.production_day(records.now))
        if start >= end:
            raise Undone

        def sums() -> dict[int, Facts]:
            found = periods(
                list(stored.assets.values()), site=stored.site, start=start, end=end, scope="asset", now=records.now
            )
            return {each.asset.pk: each.answer.all for each in found}

        before = sums()
        editor = Editor(data, begin, stored.site)
        for _ in range(data.draw(st.integers(1, 3))):
            editor.edit()
            compute_site(stored.site, now=records.now)
        after = sums()
        for asset_id, facts in after.items():
            for row in DayRevision.objects.filter(asset=asset_id):
                facts += Facts(**{name: -getattr(row, name) for name in SUMS})
            for name in SUMS:
                assert getattr(facts, name) == pytest.approx(getattr(before[asset_id], name), abs=1e-6), name
        raise Undone


def test_a_stop_of_the_day_before_changes_the_share_of_a_count_in_a_part_of_a_day(reported, midnight):
    """A count of twelve hours around midnight is split by operating time; four of them before it were down."""
    made = {"start": midnight - 6 * HOUR, "end": midnight + 6 * HOUR, "good": 1200, "ideal_cycle": 12}
    Count.objects.create(asset=reported.filler, **made)
    compute_site(reported.berlin)
    window = {"site": reported.berlin, "start": midnight + HOUR, "end": midnight + 6 * HOUR, "scope": "asset"}
    before = explaining.explain(reported.filler, definition="performance", now=timezone.now(), **window).figure
    late = late_stop(reported, midnight - 5 * HOUR, midnight - HOUR)
    compute_site(reported.berlin)

    explanation = explaining.explain(reported.filler, definition="performance", now=timezone.now(), **window)

    assert explanation.figure.value > before.value
    assert explanation.revisions[0].before.value == pytest.approx(before.value)
    assert explanation.revisions[0].record == late


def test_an_event_that_goes_when_all_is_computed_again_is_noted_though_nothing_else_is_recorded(reported, midnight):
    site, occurred = reported.berlin, midnight + 5 * HOUR
    failure = Failure.objects.create(asset=reported.palletiser, occurred=occurred, restored=occurred + HOUR)
    compute_site(site)
    Failure.objects.filter(pk=failure.pk).delete()
    ChangedDay.objects.all().delete()  # so that only computing everything finds it
    DayRevision.objects.all().delete()

    recompute([site])

    (found,) = DayRevision.objects.all()
    assert (found.asset, found.day, found.events) == (reported.palletiser, site.production_day(occurred), -1)
    assert not FailureEvent.objects.filter(asset=reported.palletiser).exists()
