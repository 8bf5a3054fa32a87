"""Stops: one open stop per asset, facts within the service life, corrections that keep what was said before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from assets import stops, tree
from assets.models import AssetKind, Downtime, DowntimeReason, Failure, Source
from assets.stops import StopEntry
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Event
from tests import plant as world
from tests.together import together

NINE = datetime(2026, 3, 2, 8, tzinfo=UTC)  # 09:00 in Berlin
TEN = NINE + timedelta(hours=1)
ELEVEN = NINE + timedelta(hours=2)


def everything() -> tuple:
    """All that a refused verb must leave as it was."""
    return (
        list(Downtime.objects.order_by("pk").values()),
        list(Failure.objects.order_by("pk").values()),
        list(Event.objects.order_by("pk").values_list("pk", flat=True)),
    )


def verbs(row) -> list[str]:
    return [event.verb for event in history(row).order_by("id")]


# --- Is down, is back ----------------------------------------------------------------------------------


def test_down_and_back_make_one_stop(plant):
    stop = stops.open_stop(plant.filler, by=plant.technician, at=NINE, reason=plant.breakdown)
    assert (stop.end, stop.planned, stop.entered_by, stop.source) == (None, False, plant.technician, "operator")
    stops.close_stop(plant.filler, by=plant.planner, at=TEN)
    stop = Downtime.objects.get()
    assert (stop.start, stop.end, stop.reason, stop.version) == (NINE, TEN, plant.breakdown, 2)
    assert verbs(stop) == ["downtime.opened", "downtime.closed"]
    assert history(stop).first().data["end"] == TEN.isoformat()


def test_one_tap_takes_this_moment(plant):
    before = timezone.now()
    stop = stops.open_stop(plant.filler, by=plant.technician)
    assert before <= stop.start <= timezone.now()
    closed = stops.close_stop(plant.filler, by=plant.technician)
    assert stop.start <= closed.end <= timezone.now()


def test_an_asset_that_is_down_cannot_go_down_again(plant):
    stops.open_stop(plant.filler, by=plant.technician, at=NINE)
    before = everything()
    with pytest.raises(Conflict, match="M1 is down already, since ") as conflict:
        stops.open_stop(plant.filler, by=plant.planner, at=TEN)
    assert (conflict.value.code, conflict.value.field) == ("already_down", "end")
    assert everything() == before


def test_an_asset_that_is_up_cannot_come_back(plant):
    before = everything()
    with pytest.raises(Conflict, match="M1 is not down"):
        stops.close_stop(plant.filler, by=plant.technician)
    assert everything() == before
    stops.open_stop(plant.filler, by=plant.technician, at=NINE)
    stops.close_stop(plant.filler, by=plant.technician, at=TEN)
    with pytest.raises(Conflict, match="M1 is up again since "):
        stops.close_stop(plant.filler, by=plant.planner)


def test_coming_back_may_name_the_reason(plant):
    stops.open_stop(plant.filler, by=plant.technician, at=NINE)
    stops.close_stop(plant.filler, by=plant.technician, at=TEN, reason=plant.setup, note="Format change")
    stop = Downtime.objects.get()
    assert (stop.reason, stop.planned, stop.note) == (plant.setup, True, "Format change")


@pytest.mark.django_db(transaction=True)
def test_two_people_who_press_down_at_once_make_one_stop():
    plant = world.build()
    results = together(
        lambda: stops.open_stop(plant.filler, by=plant.technician),
        lambda: stops.open_stop(plant.filler, by=plant.planner),
    )
    assert [error.code for error in results if isinstance(error, Conflict)] == ["already_down"]
    assert Downtime.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_who_press_back_at_once_get_one_end():
    plant = world.build()
    stops.open_stop(plant.filler, by=plant.technician, at=NINE)
    results = together(
        lambda: stops.close_stop(plant.filler, by=plant.technician, at=TEN),
        lambda: stops.close_stop(plant.filler, by=plant.planner, at=ELEVEN),
    )
    assert [error.code for error in results if isinstance(error, Conflict)] == ["not_down"]
    stop = Downtime.objects.get()
    assert stop.version == 2
    assert verbs(stop) == ["downtime.opened", "downtime.closed"]


@pytest.mark.django_db(transaction=True)
def test_two_rows_of_one_source_at_once_are_stored_once():
    plant = world.build()
    entry = StopEntry(plant.filler, NINE, TEN, external_id="plc-1")
    results = together(
        lambda: stops.record_stop(entry, by=plant.planner, source=Source.PLC).status,
        lambda: stops.record_stop(entry, by=plant.planner, source=Source.PLC).status,
    )
    assert sorted(results) == ["created", "unchanged"]
    assert Downtime.objects.count() == 1


# --- What is refused -----------------------------------------------------------------------------------


@pytest.fixture
def impossible(plant):
    """Name → (entry, code, field) of stops that cannot have been."""
    soon = timezone.now() + timedelta(minutes=5)
    other_kind = DowntimeReason.objects.create(
        site=plant.berlin, kind=AssetKind.objects.create(code="packer", name="Packer"), code="glue", name="No glue"
    )
    elsewhere = DowntimeReason.objects.create(site=plant.chicago, code="breakdown", name="Breakdown")
    unused = DowntimeReason.objects.create(site=plant.berlin, code="old", name="Old", active=False)
    good = StopEntry(plant.filler, NINE, TEN)
    return {
        "ends before it starts": (replace(good, end=NINE - timedelta(seconds=1)), "end_before_start", "end"),
        "starts in the future": (replace(good, start=soon, end=None), "in_the_future", "start"),
        "ends in the future": (replace(good, end=soon), "in_the_future", "end"),
        "naive start": (replace(good, start=NINE.replace(tzinfo=None)), "naive_time", "start"),
        "before commissioning": (
            replace(good, start=world.OPENED - timedelta(seconds=1)), "before_commissioning", "start",
        ),
        "reason of another site": (replace(good, reason=elsewhere), "unknown_reason", "reason"),
        "reason of another kind": (replace(good, reason=other_kind), "reason_of_other_kind", "reason"),
        "reason not in use": (replace(good, reason=unused), "reason_not_in_use", "reason"),
        "planned end of an unplanned stop": (
            replace(good, planned_end=TEN), "planned_end_of_unplanned", "planned_end",
        ),
        "planned end before the start": (
            replace(good, planned=True, planned_end=NINE), "planned_end_before_start", "planned_end",
        ),
        "note too long": (replace(good, note="x" * 301), "max_length", "note"),
    }  # fmt: skip


def test_a_stop_that_cannot_have_been_is_refused_at_its_field(plant, impossible):
    before = everything()
    for name, (entry, code, field) in impossible.items():
        with pytest.raises(Refused) as refusal:
            stops.record_stop(entry, by=plant.technician)
        assert (refusal.value.code, refusal.value.field) == (code, field), name
    assert everything() == before


def test_a_clock_that_runs_a_little_ahead_is_forgiven(plant):
    stops.open_stop(plant.filler, by=plant.technician, at=timezone.now() + timedelta(seconds=45))
    assert Downtime.objects.count() == 1


def test_nothing_stops_after_it_was_retired(plant):
    tree.edit(plant.filler, {"retired": TEN}, by=plant.planner)
    before = everything()
    for entry, field in (
        (StopEntry(plant.filler, ELEVEN, ELEVEN), "start"),
        (StopEntry(plant.filler, NINE, ELEVEN), "end"),
        (StopEntry(plant.filler, NINE), "end"),
    ):
        with pytest.raises(Refused) as refusal:
            stops.record_stop(entry, by=plant.technician)
        assert (refusal.value.code, refusal.value.field) == ("after_retirement", field)
    assert everything() == before
    assert stops.record_stop(StopEntry(plant.filler, NINE, TEN), by=plant.technician).status == "created"


def test_an_archived_asset_records_nothing_new(plant):
    tree.archive(plant.filler, by=plant.planner)
    before = everything()
    with pytest.raises(Refused) as refusal:
        stops.open_stop(plant.filler, by=plant.technician)
    assert refusal.value.code == "asset_archived"
    assert everything() == before


@pytest.mark.parametrize("who", ["requester", "manager", "stranger"])
def test_only_those_who_may_record_touch_stops(plant, who):
    stop = stops.open_stop(plant.filler, by=plant.technician, at=NINE)
    before = everything()
    by = getattr(plant, who)
    for verb in (
        lambda: stops.open_stop(plant.labeller, by=by),
        lambda: stops.close_stop(plant.filler, by=by),
        lambda: stops.record_stop(StopEntry(plant.filler, NINE, TEN), by=by),
        lambda: stops.correct(stop, {"start": TEN}, by=by),
        lambda: stops.remove(stop, by=by),
    ):
        with pytest.raises(NotAllowed):
            verb()
    assert everything() == before


def test_planned_follows_the_reason_unless_it_is_said(plant):
    def planned(**said) -> bool:
        return stops.record_stop(StopEntry(plant.filler, NINE, TEN, **said), by=plant.technician).row.planned

    assert planned(reason=plant.lunch) is True
    assert planned(reason=plant.breakdown) is False
    assert planned(reason=plant.lunch, planned=False) is False
    assert planned() is False


# --- Sent twice, sent in bulk --------------------------------------------------------------------------


def test_the_same_row_sent_twice_changes_nothing_and_says_so(plant):
    entry = StopEntry(plant.filler, NINE, TEN, reason=plant.breakdown, external_id="A-1")
    assert stops.record_stop(entry, by=plant.technician, source=Source.API).status == "created"
    before = everything()
    outcome = stops.record_stop(entry, by=plant.technician, source=Source.API)
    assert (outcome.status, outcome.row) == ("unchanged", Downtime.objects.get())
    assert everything() == before
    assert stops.record_stop(entry, by=plant.technician, source=Source.PLC).status == "created", "another source"


def test_an_end_that_is_sent_later_closes_the_stop(plant):
    entry = StopEntry(plant.filler, NINE, external_id="A-1", is_failure=True)
    stops.record_stop(entry, by=plant.technician, source=Source.PLC)
    outcome = stops.record_stop(replace(entry, end=TEN), by=plant.technician, source=Source.PLC)
    assert outcome.status == "closed"
    stop = Downtime.objects.get()
    assert (stop.end, stop.version, stop.failures.get().restored) == (TEN, 2, TEN)
    assert stops.record_stop(entry, by=plant.technician, source=Source.PLC).status == "unchanged"


def test_a_row_that_people_corrected_is_not_overwritten_by_its_source(plant):
    entry = StopEntry(plant.filler, NINE, TEN, reason=plant.breakdown, external_id="A-1")
    stop = stops.record_stop(entry, by=plant.technician, source=Source.PLC).row
    stops.correct(stop, {"reason": plant.setup}, by=plant.planner)
    before = everything()
    with pytest.raises(Conflict, match="another reason") as conflict:
        stops.record_stop(entry, by=plant.technician, source=Source.PLC)
    assert conflict.value.code == "recorded_differently"
    assert everything() == before
    # What the source leaves open, people may fill in.
    assert stops.record_stop(replace(entry, reason=None), by=plant.technician, source=Source.PLC).status == "unchanged"


def test_a_batch_answers_row_by_row(plant):
    entries = [
        StopEntry(plant.filler, NINE, TEN, external_id="1", is_failure=True),
        StopEntry(plant.filler, NINE, TEN, external_id="1"),
        StopEntry(plant.filler, TEN, NINE, external_id="2"),
        StopEntry(plant.labeller, NINE, external_id="3"),
        StopEntry(plant.labeller, TEN, external_id="4"),
        StopEntry(plant.labeller, NINE, TEN, external_id="3"),
        StopEntry(plant.labeller, TEN, external_id="5"),
        StopEntry(plant.foreign, NINE, TEN, external_id="6"),
    ]
    outcomes = stops.record_stops(entries, by=plant.technician, source=Source.API)
    assert [outcome.status for outcome in outcomes] == [
        "created", "unchanged", "refused", "created", "refused", "closed", "created", "refused",
    ]  # fmt: skip
    assert [outcome.error and outcome.error.code for outcome in outcomes] == [
        None, None, "end_before_start", None, "already_down", None, None, "not_allowed",
    ]  # fmt: skip
    assert list(Downtime.objects.order_by("pk").values_list("external_id", "end")) == [
        ("1", TEN), ("3", TEN), ("5", None),
    ]  # fmt: skip
    assert Failure.objects.get().downtime.external_id == "1"


def test_a_batch_costs_a_constant_number_of_queries(plant, django_assert_max_num_queries):
    entries = [
        StopEntry(plant.filler, NINE + timedelta(minutes=n), NINE + timedelta(minutes=n + 1), external_id=str(n))
        for n in range(300)
    ]
    with django_assert_max_num_queries(12):
        outcomes = stops.record_stops(
            [replace(entry, is_failure=True) for entry in entries], by=plant.technician, source=Source.API
        )
    assert {outcome.status for outcome in outcomes} == {"created"}
    assert Event.objects.filter(verb="downtime.recorded").count() == 300
    assert Event.objects.filter(verb="failure.recorded").count() == 300
    with django_assert_max_num_queries(10):
        assert {o.status for o in stops.record_stops(entries, by=plant.technician, source=Source.API)} == {"unchanged"}


# --- Correct and remove --------------------------------------------------------------------------------


def test_a_correction_keeps_old_and_new(plant):
    stop = stops.record_stop(StopEntry(plant.filler, NINE, TEN, reason=plant.breakdown), by=plant.technician).row
    stops.correct(stop, {"end": ELEVEN, "reason": plant.lunch}, by=plant.planner, why="Misread the clock", version=1)
    stop.refresh_from_db()
    assert (stop.end, stop.reason, stop.planned, stop.version) == (ELEVEN, plant.lunch, True, 2)
    event = history(stop).first()
    assert (event.verb, event.actor, event.data["why"]) == ("downtime.corrected", plant.planner, "Misread the clock")
    assert event.data["changes"] == {
        "end": [TEN.isoformat(), ELEVEN.isoformat()],
        "reason": [plant.breakdown.pk, plant.lunch.pk],
        "planned": [False, True],
    }


def test_a_correction_of_a_row_that_somebody_else_corrected_is_a_conflict(plant):
    stop = stops.record_stop(StopEntry(plant.filler, NINE, TEN), by=plant.technician).row
    stops.correct(stop, {"end": ELEVEN}, by=plant.planner)
    before = everything()
    with pytest.raises(Conflict) as conflict:
        stops.correct(stop, {"end": NINE}, by=plant.technician, version=1)
    assert conflict.value.code == "stale"
    assert everything() == before


def test_a_correction_obeys_the_same_rules(plant, impossible):
    stop = stops.record_stop(StopEntry(plant.filler, NINE, TEN), by=plant.technician).row
    before = everything()
    for name, (entry, code, field) in impossible.items():
        wrong = {each: getattr(entry, each) for each in ("start", "end", "reason", "planned_end", "note")}
        wrong["planned"] = bool(entry.planned)
        with pytest.raises(Refused) as refusal:
            stops.correct(stop, wrong, by=plant.technician)
        assert (refusal.value.code, refusal.value.field) == (code, field), name
    with pytest.raises(Refused) as refusal:
        stops.correct(stop, {"asset": plant.foreign}, by=plant.technician)
    assert (refusal.value.code, refusal.value.field) == ("unknown_asset", "asset")
    assert everything() == before


def test_a_stop_is_opened_again_only_if_no_other_is_open(plant):
    stop = stops.record_stop(StopEntry(plant.filler, NINE, TEN), by=plant.technician).row
    stops.correct(stop, {"end": None}, by=plant.technician)
    stops.correct(stop, {"end": TEN}, by=plant.technician)
    stops.open_stop(plant.filler, by=plant.technician, at=ELEVEN)
    before = everything()
    with pytest.raises(Conflict) as conflict:
        stops.correct(stop, {"end": None}, by=plant.technician)
    assert conflict.value.code == "already_down"
    assert everything() == before


def test_a_stop_on_the_wrong_machine_is_moved_to_the_right_one(plant):
    stop = stops.record_stop(StopEntry(plant.filler, NINE, TEN, is_failure=True), by=plant.technician).row
    stops.correct(stop, {"asset": plant.labeller}, by=plant.technician)
    stop.refresh_from_db()
    assert (stop.asset, stop.failures.get().asset) == (plant.labeller, plant.labeller)


def test_a_failure_follows_its_stop(plant):
    stop = stops.open_stop(plant.filler, by=plant.technician, at=NINE, is_failure=True)
    failure = stop.failures.get()
    assert (failure.occurred, failure.restored) == (NINE, None)
    stops.close_stop(plant.filler, by=plant.technician, at=ELEVEN)
    stops.correct(stop, {"start": NINE - timedelta(minutes=5)}, by=plant.technician)
    failure.refresh_from_db()
    assert (failure.occurred, failure.restored) == (NINE - timedelta(minutes=5), ELEVEN)
    assert verbs(failure) == ["failure.recorded", "failure.corrected", "failure.corrected"]
    # A time of the failure that differs from its stop was set on purpose and stays.
    Failure.objects.update(restored=TEN)
    stops.correct(stop, {"end": ELEVEN + timedelta(hours=1)}, by=plant.technician)
    assert Failure.objects.get().restored == TEN


def test_a_stop_turns_into_a_failure_and_back(plant):
    stop = stops.record_stop(StopEntry(plant.filler, NINE, TEN), by=plant.technician).row
    stops.correct(stop, {}, is_failure=True, by=plant.technician)
    assert (stop.failures.get().occurred, stop.failures.get().restored) == (NINE, TEN)
    stops.correct(stop, {}, is_failure=False, by=plant.technician)
    assert not Failure.objects.exists()
    removed = Event.objects.get(verb="failure.removed")
    assert removed.data["occurred"] == NINE.isoformat()
    assert verbs(stop) == ["downtime.recorded", "downtime.corrected", "downtime.corrected"]


def test_a_stop_that_never_was_is_removed_and_its_event_keeps_it(plant):
    entry = StopEntry(plant.filler, NINE, TEN, reason=plant.breakdown, is_failure=True)
    stop = stops.record_stop(entry, by=plant.technician).row
    stops.remove(stop, by=plant.technician, why="Wrong button")
    assert not Downtime.objects.exists()
    assert not Failure.objects.exists()
    event = Event.objects.get(verb="downtime.removed")
    assert event.data["why"] == "Wrong button"
    assert (event.data["start"], event.data["end"], event.data["reason"]) == (
        NINE.isoformat(), TEN.isoformat(), plant.breakdown.pk,
    )  # fmt: skip
    with pytest.raises(Conflict) as conflict:
        stops.remove(stop, by=plant.planner)
    assert conflict.value.code == "removed"
