"""Counts: recorded once, corrected with old and new, taken back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from assets import tree
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Event
from production import counting
from production.counting import CountEntry
from production.models import Count
from tests import plant as world
from tests.together import together

NINE = datetime(2026, 3, 2, 8, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


@pytest.fixture
def entry(plant) -> CountEntry:
    return CountEntry(
        plant.filler, NINE, TEN, good=Decimal(3400), scrap=Decimal(12), ideal_cycle=Decimal(1), product="A"
    )


def everything() -> tuple:
    """All that a refused verb must leave as it was."""
    return list(Count.objects.order_by("pk").values()), Event.objects.count()


def test_a_count_is_recorded(plant, entry):
    count = counting.record_count(entry, by=plant.technician).row
    count.refresh_from_db()
    assert (count.good, count.scrap, count.rework, count.ideal_cycle, count.product) == (3400, 12, 0, 1, "A")
    assert history(count).get().data["good"] == "3400"


def test_a_count_that_cannot_have_been_is_refused_at_its_field(plant, entry):
    before = everything()
    for wrong, code, field in (
        ({"end": NINE}, "end_before_start", "end"),
        ({"end": NINE - timedelta(hours=1)}, "end_before_start", "end"),
        ({"end": timezone.now() + timedelta(hours=1)}, "in_the_future", "end"),
        ({"start": world.OPENED - timedelta(days=1)}, "before_commissioning", "start"),
        ({"scrap": Decimal(-1)}, "min_value", "scrap"),
        ({"ideal_cycle": Decimal(0)}, "not_positive", "ideal_cycle"),
        ({"ideal_cycle": None}, "required", "ideal_cycle"),
        ({"good": Decimal("1e14")}, "max_digits", "good"),
    ):
        with pytest.raises(Refused) as refusal:
            counting.record_count(replace(entry, **wrong), by=plant.technician)
        assert (refusal.value.code, refusal.value.field) == (code, field)
    with pytest.raises(NotAllowed):
        counting.record_count(entry, by=plant.requester)
    assert everything() == before


def test_the_latest_ideal_cycle_of_the_product_is_taken(plant, entry):
    counting.record_count(entry, by=plant.technician)
    counting.record_count(
        replace(entry, start=TEN, end=TEN + timedelta(hours=1), ideal_cycle=Decimal("0.9")), by=plant.technician
    )
    later = replace(entry, start=TEN + timedelta(hours=1), end=TEN + timedelta(hours=2), ideal_cycle=None)
    assert counting.record_count(later, by=plant.technician).row.ideal_cycle == Decimal("0.9")
    with pytest.raises(Refused):
        counting.record_count(replace(later, product="B"), by=plant.technician)


def test_the_same_pieces_are_counted_once(plant, entry):
    sent = replace(entry, external_id="C-1")
    assert counting.record_count(sent, by=plant.technician, source="api").status == "created"
    assert counting.record_count(entry, by=plant.technician).status == "created", "an operator, another source"
    before = everything()
    assert counting.record_count(sent, by=plant.technician, source="api").status == "unchanged"
    assert counting.record_count(entry, by=plant.technician).status == "unchanged"
    for again, source in ((sent, "api"), (entry, "operator")):
        with pytest.raises(Conflict, match="another good"):
            counting.record_count(replace(again, good=Decimal(1)), by=plant.technician, source=source)
    assert everything() == before


def test_a_batch_answers_row_by_row_in_a_constant_number_of_queries(plant, entry, django_assert_max_num_queries):
    rows = [
        replace(entry, start=NINE + timedelta(minutes=n), end=NINE + timedelta(minutes=n + 1), external_id=str(n))
        for n in range(200)
    ]
    rows += [rows[0], replace(rows[1], good=Decimal(5)), replace(rows[2], asset=plant.foreign)]
    with django_assert_max_num_queries(8):
        outcomes = counting.record_counts(rows, by=plant.technician, source="api")
    assert {outcome.status for outcome in outcomes[:200]} == {"created"}
    assert [outcome.status for outcome in outcomes[200:]] == ["unchanged", "refused", "refused"]
    assert [outcome.error.code for outcome in outcomes[201:]] == ["recorded_differently", "not_allowed"]
    assert Count.objects.count() == Event.objects.filter(verb="count.recorded").count() == 200


def test_a_count_is_corrected_with_old_and_new(plant, entry):
    count = counting.record_count(entry, by=plant.technician).row
    counting.correct(count, {"scrap": Decimal(20)}, by=plant.technician, why="Second look", version=1)
    count.refresh_from_db()
    assert (count.scrap, count.version) == (20, 2)
    event = history(count).first()
    assert (event.data["changes"], event.data["why"]) == ({"scrap": ["12.000", "20"]}, "Second look")
    before = everything()
    for wrong in ({"end": NINE}, {"asset": plant.foreign}, {"good": Decimal(-1)}):
        with pytest.raises(Refused):
            counting.correct(count, wrong, by=plant.technician)
    with pytest.raises(Conflict):
        counting.correct(count, {"scrap": Decimal(1)}, by=plant.technician, version=1)
    with pytest.raises(NotAllowed):
        counting.correct(count, {"scrap": Decimal(1)}, by=plant.stranger)
    assert everything() == before


def test_a_count_is_taken_back_and_its_event_keeps_it(plant, entry):
    count = counting.record_count(entry, by=plant.technician).row
    with pytest.raises(NotAllowed):
        counting.remove(count, by=plant.manager)
    counting.remove(count, by=plant.technician, why="Counter was reset")
    assert not Count.objects.exists()
    assert Event.objects.get(verb="count.removed").data["why"] == "Counter was reset"
    with pytest.raises(Conflict):
        counting.remove(count, by=plant.technician)


def test_an_archived_or_retired_asset_makes_nothing(plant, entry):
    tree.edit(plant.filler, {"retired": NINE}, by=plant.planner)
    with pytest.raises(Refused) as refusal:
        counting.record_count(entry, by=plant.technician)
    assert refusal.value.code == "after_retirement"
    tree.archive(plant.labeller, by=plant.planner)
    with pytest.raises(Refused) as refusal:
        counting.record_count(replace(entry, asset=plant.labeller), by=plant.technician)
    assert refusal.value.code == "asset_archived"
    assert not Count.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_send_the_same_count_at_once_store_one():
    plant = world.build()
    sent = CountEntry(plant.filler, NINE, TEN, good=Decimal(1), ideal_cycle=Decimal(1), external_id="C-1")
    results = together(
        lambda: counting.record_count(sent, by=plant.technician, source="api").status,
        lambda: counting.record_count(sent, by=plant.planner, source="api").status,
    )
    assert sorted(results) == ["created", "unchanged"]
    assert Count.objects.count() == 1
