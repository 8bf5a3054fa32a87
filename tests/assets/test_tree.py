"""The asset tree: places are dated, paths follow, nothing stands below itself."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from assets import groups, tree
from assets.models import Asset, Placement
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Event
from tests import plant as world
from tests.together import together

MARCH = datetime(2026, 3, 1, 8, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 8, tzinfo=UTC)


def everything() -> tuple:
    """All that a refused verb must leave as it was."""
    return (
        list(Asset.objects.order_by("pk").values()),
        list(Placement.objects.order_by("pk").values()),
        list(Event.objects.order_by("pk").values_list("pk", flat=True)),
    )


@pytest.fixture
def second_line(plant) -> Asset:
    return world.asset(plant.berlin, "L2", "Line 2", level="line")


def test_a_new_asset_stands_in_the_tree_since_ever(plant):
    valve = tree.create(
        plant.berlin,
        {"code": "M1-V1", "name": "Filling valve", "parent": plant.filler, "level": "component", "stops_parent": True},
        by=plant.planner,
    )
    valve.refresh_from_db()
    assert valve.path == f"/{plant.line.pk}/{plant.filler.pk}/{valve.pk}/"
    placement = valve.placements.get()
    assert (placement.parent, placement.stops_parent) == (plant.filler, True)
    assert (placement.valid.lower, placement.valid.upper) == (None, None)
    assert [event.verb for event in history(valve)] == ["asset.created"]


def test_a_code_is_used_once_per_site_whatever_its_case(plant):
    before = everything()
    with pytest.raises(Refused, match="already has an asset M1") as refusal:
        tree.create(plant.berlin, {"code": "m1", "name": "Another filler"}, by=plant.planner)
    assert (refusal.value.field, refusal.value.code) == ("code", "code_taken")
    assert everything() == before
    assert tree.create(plant.chicago, {"code": "m1", "name": "Filler"}, by=plant.stranger).code == "m1"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"code": ""}, "code"), ({"name": "x" * 121}, "name"), ({"production_score": 6}, "production_score")],
)
def test_a_value_that_does_not_fit_is_refused_at_its_field(plant, changes, field):
    before = everything()
    with pytest.raises(Refused) as refusal:
        tree.edit(plant.filler, changes, by=plant.planner)
    assert refusal.value.field == field
    assert everything() == before


@pytest.mark.parametrize("who", ["requester", "technician", "manager", "stranger"])
def test_only_those_who_may_edit_change_the_tree(plant, who):
    before = everything()
    by = getattr(plant, who)
    for verb in (
        lambda: tree.create(plant.berlin, {"code": "M9", "name": "New"}, by=by),
        lambda: tree.edit(plant.filler, {"name": "Other"}, by=by),
        lambda: tree.move(plant.filler, None, by=by),
        lambda: tree.archive(plant.filler, by=by),
        lambda: groups.create_group(plant.line, name="Pumps", needed=1, by=by),
    ):
        with pytest.raises(NotAllowed):
            verb()
    assert everything() == before


def test_an_edit_is_recorded_with_old_and_new(plant):
    tree.edit(plant.filler, {"name": "Filler 12 heads", "manufacturer": "KHS"}, by=plant.planner, version=1)
    plant.filler.refresh_from_db()
    assert (plant.filler.name, plant.filler.version) == ("Filler 12 heads", 2)
    event = history(plant.filler).get()
    assert event.verb == "asset.edited"
    assert event.data == {"changes": {"name": ["Filler", "Filler 12 heads"], "manufacturer": ["", "KHS"]}}


def test_an_edit_that_changes_nothing_records_nothing(plant):
    before = everything()
    tree.edit(plant.filler, {"name": "Filler", "parent": plant.line, "stops_parent": True}, by=plant.planner)
    assert everything() == before


def test_an_edit_of_a_row_that_somebody_else_changed_is_a_conflict(plant):
    tree.edit(plant.filler, {"name": "Filler 12 heads"}, by=plant.administrator)
    before = everything()
    with pytest.raises(Conflict) as conflict:
        tree.edit(plant.filler, {"name": "Filler 24 heads"}, by=plant.planner, version=1)
    assert conflict.value.code == "stale"
    assert everything() == before


def test_a_move_is_dated_and_takes_everything_below_along(plant, second_line):
    valve = world.asset(plant.berlin, "M1-V1", parent=plant.filler)
    tree.move(plant.filler, second_line, by=plant.planner, at=MARCH, stops_parent=True)
    plant.filler.refresh_from_db()
    valve.refresh_from_db()
    assert plant.filler.parent == second_line
    assert plant.filler.path == f"/{second_line.pk}/{plant.filler.pk}/"
    assert valve.path == f"/{second_line.pk}/{plant.filler.pk}/{valve.pk}/"
    assert [(p.parent, p.valid.lower, p.valid.upper) for p in plant.filler.placements.order_by("valid")] == [
        (plant.line, world.OPENED, MARCH),
        (second_line, MARCH, None),
    ]
    assert valve.placements.count() == 1
    event = history(plant.filler).get()
    assert (event.verb, event.data["at"]) == ("asset.moved", MARCH.isoformat())
    assert event.data["changes"] == {"parent": [plant.line.pk, second_line.pk]}


def test_a_subtree_moves_in_a_constant_number_of_queries(plant, second_line, django_assert_max_num_queries):
    for number in range(30):
        world.asset(plant.berlin, f"V{number}", parent=plant.filler)
    with django_assert_max_num_queries(16):
        tree.move(plant.filler, second_line, by=plant.planner, at=MARCH)
    assert Asset.objects.under(Asset.objects.get(pk=second_line.pk)).count() == 32


def test_a_move_forgets_what_the_asset_did_to_its_former_parent(plant, second_line):
    tree.edit(plant.filler, {"parent": second_line}, by=plant.planner, at=MARCH)
    plant.filler.refresh_from_db()
    assert (plant.filler.parent, plant.filler.stops_parent) == (second_line, False)


def test_a_change_of_the_effect_on_the_parent_is_dated_too(plant):
    tree.change_effect(plant.filler, stops_parent=False, by=plant.planner, at=MARCH)
    assert [(p.stops_parent, p.valid.lower, p.valid.upper) for p in plant.filler.placements.order_by("valid")] == [
        (True, world.OPENED, MARCH),
        (False, MARCH, None),
    ]
    plant.filler.refresh_from_db()
    assert plant.filler.stops_parent is False


def test_a_second_change_at_the_same_moment_replaces_the_first(plant, second_line):
    tree.move(plant.filler, None, by=plant.planner, at=MARCH)
    tree.move(plant.filler, second_line, by=plant.planner, at=MARCH)
    assert [(p.parent, p.valid.lower) for p in plant.filler.placements.order_by("valid")] == [
        (plant.line, world.OPENED),
        (second_line, MARCH),
    ]


def test_an_asset_cannot_stand_below_itself(plant):
    before = everything()
    for parent in (plant.line, plant.filler):
        with pytest.raises(Refused) as refusal:
            tree.move(plant.line, parent, by=plant.planner)
        assert (refusal.value.code, refusal.value.field) == ("cycle", "parent")
    assert everything() == before


def test_a_move_that_is_dated_back_cannot_close_a_cycle_in_the_past(plant, second_line):
    """From March to June line 2 stood below the filler; line 1 cannot have stood below line 2 in that time."""
    tree.move(second_line, plant.filler, by=plant.planner, at=MARCH)
    tree.move(second_line, None, by=plant.planner, at=JUNE)
    before = everything()
    with pytest.raises(Refused) as refusal:
        tree.move(plant.line, second_line, by=plant.planner, at=MARCH + timedelta(days=1))
    assert (refusal.value.code, refusal.value.field) == ("cycle", "at")
    assert everything() == before
    tree.move(plant.line, second_line, by=plant.planner, at=JUNE)
    assert Asset.objects.get(pk=plant.filler.pk).path.startswith(f"/{second_line.pk}/{plant.line.pk}/")


def test_a_place_of_another_site_does_not_exist(plant):
    before = everything()
    with pytest.raises(Refused) as refusal:
        tree.move(plant.filler, plant.foreign, by=plant.planner)
    assert (refusal.value.code, refusal.value.field) == ("unknown_parent", "parent")
    assert everything() == before


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (timezone.now() + timedelta(days=1), "in_the_future"),
        (world.OPENED - timedelta(days=1), "before_commissioning"),
        (datetime(2026, 3, 1, 8), "naive_time"),  # noqa: DTZ001 - what is refused
    ],
)
def test_a_move_at_an_impossible_time_is_refused(plant, at, code):
    before = everything()
    with pytest.raises(Refused) as refusal:
        tree.move(plant.filler, None, by=plant.planner, at=at)
    assert (refusal.value.code, refusal.value.field) == (code, "at")
    assert everything() == before


def test_a_move_before_the_last_one_is_refused(plant, second_line):
    tree.move(plant.filler, second_line, by=plant.planner, at=MARCH)
    before = everything()
    with pytest.raises(Refused) as refusal:
        tree.move(plant.filler, plant.line, by=plant.planner, at=MARCH - timedelta(days=1))
    assert refusal.value.code == "before_last_move"
    assert everything() == before


def test_a_group_belongs_to_one_parent_and_excludes_stopping_alone(plant, second_line):
    group = groups.create_group(plant.line, name="Labellers", needed=1, by=plant.planner)
    tree.change_effect(plant.labeller, stops_parent=False, redundancy_group=group, by=plant.planner, at=MARCH)
    assert plant.labeller.placements.get(valid__upper_inf=True).redundancy_group == group
    before = everything()
    with pytest.raises(Refused) as refusal:
        tree.move(plant.palletiser, second_line, redundancy_group=group, by=plant.planner)
    assert refusal.value.code == "group_of_other_parent"
    with pytest.raises(Refused) as refusal:
        tree.change_effect(plant.palletiser, stops_parent=True, redundancy_group=group, by=plant.planner)
    assert refusal.value.code == "stops_and_group"
    with pytest.raises(Refused) as refusal:
        tree.create(plant.berlin, {"code": "L3", "name": "Line 3", "stops_parent": True}, by=plant.planner)
    assert refusal.value.code == "no_parent"
    assert everything() == before


def test_archiving_takes_what_is_below_along_and_restoring_brings_it_back(plant):
    tree.archive(plant.labeller, by=plant.planner)
    archived = tree.archive(plant.line, by=plant.planner)
    active = Asset.objects.at(plant.berlin).active()
    assert not active.exists()
    event = history(plant.line).get()
    assert event.data == {"assets": [plant.line.pk, plant.filler.pk, plant.palletiser.pk]}
    tree.restore(archived, by=plant.planner)
    assert sorted(active.values_list("code", flat=True)) == ["L1", "M1", "M3"], "M2 was archived on its own"


def test_an_asset_that_is_down_is_not_archived(plant):
    plant.filler.downtimes.create(start=MARCH)
    before = everything()
    with pytest.raises(Refused, match="M1 is down since") as refusal:
        tree.archive(plant.line, by=plant.planner)
    assert refusal.value.code == "asset_down"
    assert everything() == before


def test_archive_and_restore_say_when_they_come_too_late(plant):
    tree.archive(plant.line, by=plant.planner)
    before = everything()
    with pytest.raises(Conflict):
        tree.archive(plant.line, by=plant.planner)
    with pytest.raises(Refused) as refusal:
        tree.restore(plant.filler, by=plant.planner)
    assert refusal.value.code == "parent_archived"
    with pytest.raises(Refused) as refusal:
        tree.create(plant.berlin, {"code": "M9", "name": "New", "parent": plant.line}, by=plant.planner)
    assert refusal.value.code == "parent_archived"
    assert everything() == before


def test_the_service_life_leaves_out_no_stop(plant):
    plant.filler.downtimes.create(start=MARCH, end=MARCH + timedelta(hours=1))
    before = everything()
    for changes in ({"commissioned": JUNE}, {"retired": MARCH}, {"retired": world.OPENED}):
        with pytest.raises(Refused) as refusal:
            tree.edit(plant.filler, changes, by=plant.planner)
        assert refusal.value.field in changes or refusal.value.field is None
    assert everything() == before
    tree.edit(plant.filler, {"retired": JUNE}, by=plant.planner)
    assert Asset.objects.get(pk=plant.filler.pk).retired == JUNE


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_cannot_make_a_cycle():
    plant = world.build()
    other = world.asset(plant.berlin, "L2", level="line")
    results = together(
        lambda: tree.move(plant.line, other, by=plant.planner, at=MARCH),
        lambda: tree.move(other, plant.line, by=plant.administrator, at=MARCH),
    )
    refused = [result for result in results if isinstance(result, Exception)]
    assert [error.code for error in refused] == ["cycle"]
    assert Asset.objects.filter(pk__in=[plant.line.pk, other.pk], parent=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_who_create_the_same_code_get_one_asset():
    plant = world.build()
    results = together(
        lambda: tree.create(plant.berlin, {"code": "M9", "name": "Packer"}, by=plant.planner),
        lambda: tree.create(plant.berlin, {"code": "m9", "name": "Packer"}, by=plant.administrator),
    )
    assert [result.code for result in results if isinstance(result, Refused)] == ["code_taken"]
    assert Asset.objects.filter(code__iexact="m9").count() == 1
