"""Failures: recorded with codes of their kind, corrected with old and new, taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from assets import failures, stops
from assets.models import AssetKind, Failure, FailureCode, Source
from assets.stops import StopEntry
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Event
from tests import plant as world

NINE = datetime(2026, 3, 2, 8, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def everything() -> tuple:
    """All that a refused verb must leave as it was."""
    return (
        list(Failure.objects.order_by("pk").values()),
        list(Event.objects.order_by("pk").values_list("pk", flat=True)),
    )


@pytest.fixture
def codes(plant) -> dict[str, FailureCode]:
    packer = AssetKind.objects.create(code="packer", name="Packer")
    made = {
        "leak": FailureCode(list="problem", code="leak", name="Leak"),
        "seal": FailureCode(list="cause", kind=plant.filler.kind, code="seal", name="Worn seal"),
        "glue": FailureCode(list="cause", kind=packer, code="glue", name="No glue"),
    }
    FailureCode.objects.bulk_create(made.values())
    return made


def test_a_failure_is_recorded_with_its_codes(plant, codes):
    failure, new = failures.record_failure(
        plant.filler, by=plant.technician, occurred=NINE, restored=TEN, problem=codes["leak"], cause=codes["seal"],
        component="Valve 7",
    )  # fmt: skip
    assert new
    failure.refresh_from_db()
    assert (failure.occurred, failure.restored, failure.problem, failure.cause) == (
        NINE, TEN, codes["leak"], codes["seal"],
    )  # fmt: skip
    event = history(failure).get()
    assert (event.verb, event.data["component"], event.data["cause"]) == (
        "failure.recorded", "Valve 7", codes["seal"].pk,
    )  # fmt: skip


def test_a_failure_that_cannot_have_been_is_refused_at_its_field(plant, codes):
    elsewhere = stops.record_stop(StopEntry(plant.labeller, NINE, TEN), by=plant.technician).row
    before = everything()
    for wrong, code, field in (
        ({"restored": NINE - timedelta(seconds=1)}, "end_before_start", "restored"),
        ({"occurred": timezone.now() + timedelta(hours=1)}, "in_the_future", "occurred"),
        ({"occurred": world.OPENED - timedelta(days=1)}, "before_commissioning", "occurred"),
        ({"problem": codes["seal"]}, "code_of_other_list", "problem"),
        ({"cause": codes["glue"]}, "code_of_other_kind", "cause"),
        ({"downtime": elsewhere}, "stop_of_other_asset", "downtime"),
        ({"detection": "guessed"}, "invalid_choice", "detection"),
    ):
        with pytest.raises(Refused) as refusal:
            failures.record_failure(plant.filler, by=plant.technician, **{"occurred": NINE, **wrong})
        assert (refusal.value.code, refusal.value.field) == (code, field)
    with pytest.raises(NotAllowed):
        failures.record_failure(plant.filler, by=plant.stranger, occurred=NINE)
    assert everything() == before


def test_the_same_failure_sent_twice_changes_nothing(plant, codes):
    sent = {"by": plant.technician, "occurred": NINE, "source": Source.API, "external_id": "F-1"}
    first, new = failures.record_failure(plant.filler, problem=codes["leak"], **sent)
    assert new
    before = everything()
    assert failures.record_failure(plant.filler, **sent) == (first, False)
    with pytest.raises(Conflict, match="another restored") as conflict:
        failures.record_failure(plant.filler, restored=TEN, **sent)
    assert conflict.value.code == "recorded_differently"
    assert everything() == before


def test_a_failure_is_corrected_with_old_and_new(plant, codes):
    failure, _new = failures.record_failure(plant.filler, by=plant.technician, occurred=NINE)
    failures.correct(
        failure, {"restored": TEN, "problem": codes["leak"]}, by=plant.planner, why="Found later", version=1
    )
    failure.refresh_from_db()
    assert (failure.restored, failure.problem, failure.version) == (TEN, codes["leak"], 2)
    assert history(failure).first().data["changes"] == {
        "restored": [None, TEN.isoformat()],
        "problem": [None, codes["leak"].pk],
    }
    before = everything()
    with pytest.raises(Conflict):
        failures.correct(failure, {"restored": None}, by=plant.technician, version=1)
    with pytest.raises(Refused):
        failures.correct(failure, {"asset": plant.foreign}, by=plant.technician)
    assert everything() == before


def test_a_failure_is_taken_back_and_its_stop_stays(plant):
    stop = stops.record_stop(StopEntry(plant.filler, NINE, TEN, is_failure=True), by=plant.technician).row
    failure = stop.failures.get()
    failures.remove(failure, by=plant.technician, why="It was a setup")
    assert not Failure.objects.exists()
    stop.refresh_from_db()
    assert Event.objects.get(verb="failure.removed").data["why"] == "It was a setup"
    with pytest.raises(Conflict):
        failures.remove(failure, by=plant.technician)
