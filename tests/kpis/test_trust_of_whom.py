"""Whose records grade a figure of work: failures and stops, other assets, other sites, other times."""

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from assets.models import Downtime, Failure, Placement
from tests.kpis.graded import DAY, HOUR, write_bad, write_good
from tests.kpis.graded import world as world  # the fixture
from workorders.models import WorkOrder

# --- Repairs and stops ---------------------------------------------------------------------------


def test_failures_entered_late_are_told(world):
    world.repaired(days=2), world.repaired(days=4, entered=30 * HOUR)

    found = world.explained("mart")

    assert found["advice"] == "Enter failures within a day: 1 of 2 came later."
    assert world.parts("restoration_p90")["timeliness"] == (0.5, 1, 2)


def test_restoration_times_are_needed_by_all_that_is_said_of_repairs(world, plant):
    world.repaired(days=2)
    at = world.now - 4 * DAY
    Failure.objects.create(asset=plant.filler, occurred=at, entered_at=at + HOUR)  # of no stop that could have ended

    for key in ("mrt", "mart", "restoration_median", "mttr_scheduled", "inherent_availability"):
        assert world.parts(key)["restoration"] == (0.5, 1, 2), key
    advice = world.explained("restoration_median")["advice"]
    assert advice == "Enter when it was restored for 1 of 2 failures."


@pytest.mark.parametrize(
    ("key", "words"),
    [("mart", "Enter the time that was worked on orders."), ("mrt", "Nothing is wanting.")],
)
def test_failures_without_labour_are_what_the_parts_that_rest_on_it_lack(world, key, words):
    for days in (2, 3, 4):
        world.repaired(days=days)
    WorkOrder.objects.first().labour.all().delete()
    assert world.explained(key)["advice"] == words


def test_failures_without_an_order_are_what_mrt_lacks(world):
    world.repaired(days=2), world.failed(days=4)

    found = world.explained("mrt")

    assert found["advice"] == "Raise a work order for each failure, and name the failure in it."


def test_inherent_availability_rests_on_operating_time_as_well(world, plant):
    """The labeller, of which nothing was ever recorded, is not in the time that MTBF is made of."""
    world.repaired(days=2)

    found = world.explained("inherent_availability", asset=plant.line.pk)

    assert (found["scores"][0]["part"], found["scores"][0]["of"]) == ("coverage", "stops")
    assert found["scores"][0]["value"] == pytest.approx(1 / 3)
    assert found["advice"].startswith("Record something for the assets of which nothing is known")


def test_a_stop_that_is_open_for_a_week_may_be_a_failure_still(world, plant):
    world.repaired(days=2)
    stop = Downtime.objects.create(asset=plant.filler, start=world.now - 9 * DAY, entered_at=world.now - 9 * DAY)

    found = world.explained("restoration_median")

    assert found["advice"] == "Look at stops that have been open for more than a week: 1."
    stop.end = stop.start + HOUR
    stop.save()
    assert world.explained("restoration_median")["grade"] == "A"


def test_the_cost_of_stops_is_as_good_as_those_stops(world, plant):
    type(plant.filler).objects.filter(pk=plant.filler.pk).update(downtime_cost=50)
    world.failed(days=2), world.failed(days=3, entered=30 * HOUR)
    world.failed(plant.labeller, days=3, entered=30 * HOUR)

    found = world.explained("downtime_cost", asset=plant.line.pk)

    assert found["advice"] == "Enter stops within a day: 1 of 2 came later.", "The labeller costs nothing"


# --- Whose records -------------------------------------------------------------------------------


KEYS = ("planned_work_share", "backlog_hours", "mtta", "rework_share", "maintenance_cost", "mart", "restoration_p90",
        "preventive_compliance", "downtime_cost")  # fmt: skip


@pytest.mark.parametrize("whose", ["labeller", "foreign"])
def test_records_of_other_assets_and_sites_have_no_influence(world, plant, whose):
    write_good(world, plant)
    good = {key: world.explained(key) for key in KEYS}
    write_bad(world, plant, getattr(plant, whose))

    assert {key: world.explained(key) for key in KEYS} == good
    if whose == "foreign":
        berlin = {"asset": "", "site": plant.berlin.pk}
        assert world.explained("mtta", **berlin)["grade"] == "A"
        assert world.parts("planned_work_share", **berlin)["plausibility"] == (1, 0, 0)


def test_records_of_a_machine_count_in_its_line_and_site(world, plant):
    write_good(world, plant)
    write_bad(world, plant, plant.labeller)

    for question in ({"asset": plant.line.pk}, {"asset": "", "site": plant.berlin.pk}):
        for key in ("planned_work_share", "backlog_hours", "mtta", "maintenance_cost", "mart", "restoration_p90"):
            assert world.parts(key, **question)["plausibility"][0] < 1, key


def test_records_of_a_machine_count_only_while_it_stood_there(world, plant):
    write_good(world, plant)
    gone = world.now - 9.5 * DAY
    row = Placement.objects.get(asset=plant.labeller, parent=plant.line)
    row.valid = DateTimeTZRange(row.valid.lower, gone)
    row.save()
    before = {key: world.explained(key, asset=plant.line.pk) for key in KEYS}
    write_bad(world, plant, plant.labeller)

    assert {key: world.explained(key, asset=plant.line.pk) for key in KEYS} == before


def test_records_before_the_window_have_no_influence(world, plant):
    write_good(world, plant)
    good = {key: world.explained(key) for key in KEYS}
    world.worked(world.closed(days=14, said=40 * HOUR), 40)
    world.asked(14, answered=False)
    world.repaired(days=16, entered=40 * HOUR)

    assert {key: world.explained(key) for key in KEYS} == good
