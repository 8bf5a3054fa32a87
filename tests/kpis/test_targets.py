"""Targets: what a figure is to reach, who answers for it, how it stands to it, and what was decided."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from assets.models import Downtime
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Comment
from kpis import targets
from kpis.computing import compute_site
from kpis.models import Target
from kpis.targets import standing
from tests.contracts.api import ApiContract, assert_problem, client_of

JANUARY = date(2026, 1, 1)
HOUR = timedelta(hours=1)


def agreed(plant, asset=None, **fields) -> Target:
    values = {"definition": "availability", "value": 0.92, "owner": plant.manager, "valid_from": JANUARY, **fields}
    return targets.set_target(plant.berlin, asset, values, by=plant.manager)


# --- The rules -----------------------------------------------------------------------------------


def test_a_target_is_set_changed_and_removed_with_its_history(plant):
    target = agreed(plant, plant.line, watch=0.9)
    targets.change_target(target, {"value": 0.95, "valid_to": date(2026, 7, 1)}, by=plant.manager, version=1)

    assert [event.summary for event in history(target)] == [
        "Target changed: Availability, L1: 95 %",
        "Target set: Availability, L1: 92 %",
    ]
    assert history(target)[0].data["changes"] == {"value": [0.92, 0.95], "valid_to": [None, "2026-07-01"]}

    targets.remove_target(target, by=plant.manager)
    assert Target.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"definition": "luck"}, "unknown_definition", "definition"),
        ({"value": 92}, "out_of_range", "value"),
        ({"value": -0.1}, "out_of_range", "value"),
        ({"value": float("nan")}, "out_of_range", "value"),
        ({"definition": "mtbf", "value": float("inf")}, "out_of_range", "value"),
        ({"watch": 0.95}, "wrong_side", "watch"),
        ({"definition": "mttr", "value": 2, "watch": 1}, "wrong_side", "watch"),
        ({"valid_to": JANUARY}, "ends_before_start", "valid_to"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_at_its_field(plant, fields, code, field):
    with pytest.raises(Refused) as refused:
        agreed(plant, **fields)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert Target.objects.count() == 0


def test_the_owner_must_belong_to_the_site(plant):
    with pytest.raises(Refused) as refused:
        agreed(plant, owner=plant.stranger)
    assert refused.value.field == "owner"


def test_only_managers_set_targets(plant):
    values = {"definition": "mtbf", "value": 300, "owner": plant.manager, "valid_from": JANUARY}
    with pytest.raises(NotAllowed):
        targets.set_target(plant.berlin, None, values, by=plant.technician)
    with pytest.raises(NotAllowed):
        targets.decide(agreed(plant), "Grease more often", by=plant.technician)


def test_two_targets_of_one_figure_do_not_hold_at_once(plant):
    first = agreed(plant, valid_to=date(2026, 7, 1))
    with pytest.raises(Conflict) as refused:
        agreed(plant, valid_from=date(2026, 6, 30))
    assert refused.value.code == "overlaps"

    agreed(plant, valid_from=date(2026, 7, 1))
    agreed(plant, plant.line)
    agreed(plant, definition="oee")

    with pytest.raises(IntegrityError), transaction.atomic():  # PostgreSQL holds it as well
        Target.objects.filter(pk=first.pk).update(valid_to=None)


def test_who_changes_what_somebody_else_changed_is_told(plant):
    target = agreed(plant)
    targets.change_target(target, {"value": 0.93}, by=plant.manager, version=1)

    with pytest.raises(Conflict):
        targets.change_target(target, {"value": 0.94}, by=plant.manager, version=1)

    target.refresh_from_db()
    assert target.value == 0.93


@pytest.mark.parametrize(
    ("definition", "value", "watch", "figure", "tone", "gap"),
    [
        ("availability", 0.9, 0.85, 0.9, "ok", 0),
        ("availability", 0.9, 0.85, 0.85, "warn", -0.05),
        ("availability", 0.9, 0.85, 0.8499, "stop", -0.0501),
        ("availability", 0.9, None, 0.8999, "stop", -0.0001),
        ("availability", 0.9, None, None, "idle", None),
        ("mttr", 2, 3, 1.5, "ok", 0.5),
        ("mttr", 2, 3, 3, "warn", -1),
        ("mttr", 2, 3, 3.1, "stop", -1.1),
    ],
)
def test_how_a_figure_stands_to_its_target(plant, definition, value, watch, figure, tone, gap):
    found = standing(agreed(plant, definition=definition, value=value, watch=watch), figure)

    assert found.tone == tone
    assert found.gap == (None if gap is None else pytest.approx(gap))


def test_the_target_of_a_day_is_the_one_that_held_then_with_its_last_decision(plant):
    old = agreed(plant, valid_to=date(2026, 7, 1))
    new = agreed(plant, valid_from=date(2026, 7, 1), value=0.95)
    agreed(plant, plant.line)
    targets.decide(old, "Grease more often", by=plant.manager)
    latest = targets.decide(old, "New bearings in May", by=plant.manager)

    assert targets.on(plant.berlin, None, date(2026, 6, 30)) == {"availability": (old, latest)}
    assert targets.on(plant.berlin, None, date(2026, 7, 1)) == {"availability": (new, None)}
    assert targets.on(plant.berlin, None, date(2025, 12, 31)) == {}
    assert targets.on(plant.berlin, plant.filler, date(2026, 7, 1)) == {}


# --- Pages ---------------------------------------------------------------------------------------


@pytest.fixture
def manager(client, plant):
    client.force_login(plant.manager)
    return client


def test_a_target_is_typed_in_per_cent_with_its_last_day(manager, plant):
    typed = {
        "asset": plant.line.pk, "definition": "oee", "value": "62.5", "watch": "60", "owner": plant.manager.pk,
        "valid_from": "2026-01-01", "valid_to": "2026-12-31",
    }  # fmt: skip
    answer = manager.post(reverse("target-new"), typed)

    target = Target.objects.get()
    assert answer.url == target.get_absolute_url()
    assert (target.value, target.watch, target.valid_to) == (0.625, 0.6, date(2027, 1, 1))
    page = manager.get(reverse("target-edit", args=[target.pk])).content.decode()
    assert 'value="62.5"' in page
    assert 'value="2026-12-31"' in page


def test_a_wrong_target_keeps_what_was_typed(manager, plant):
    typed = {"definition": "oee", "value": "120", "owner": plant.manager.pk, "valid_from": "2026-01-01"}
    answer = manager.post(reverse("target-new"), typed)

    assert answer.status_code == 422
    assert "At most 100 %" in answer.content.decode()
    assert 'value="120"' in answer.content.decode()
    assert Target.objects.count() == 0


def test_the_tile_shows_target_gap_owner_and_last_decision(manager, plant):
    today = plant.berlin.production_day(timezone.now())
    start = plant.berlin.day_begins(today - timedelta(days=10))
    Downtime.objects.create(asset=plant.filler, start=start, end=start + timedelta(days=3))
    compute_site(plant.berlin)
    target = agreed(plant, plant.filler, watch=0.85, valid_from=today - timedelta(days=60))
    manager.post(reverse("target-decide", args=[target.pk]), {"body": "New bearings in May"})

    page = manager.get(reverse("performance"), {"asset": plant.filler.pk}).content.decode()

    assert "90.0\u202f%" in page
    assert "Target 92.0\u202f% · 2.0 points to go · Manager" in page
    assert "New bearings in May" in page
    assert "tile-warn" in page
    assert f'href="{target.get_absolute_url()}"' in page
    tab = manager.get(f"{plant.filler.get_absolute_url()}?tab=performance").content.decode()
    assert "Target 92.0\u202f%" in tab


def test_a_technician_reads_targets_and_sets_none(client, plant):
    target = agreed(plant)
    client.force_login(plant.technician)

    assert "Target 92" in client.get(target.get_absolute_url()).content.decode()
    assert client.get(reverse("target-new")).status_code == 403
    assert client.post(reverse("target-decide", args=[target.pk]), {"body": "No"}).status_code == 403
    assert client.post(reverse("target-remove", args=[target.pk])).status_code == 403
    assert (Target.objects.count(), Comment.objects.count()) == (1, 0)


def test_a_target_of_another_site_does_not_exist(client, plant):
    target = agreed(plant)
    client.force_login(plant.stranger)

    for name in ("target", "target-edit", "target-remove"):
        assert client.get(reverse(name, args=[target.pk])).status_code == 404


# --- REST API ------------------------------------------------------------------------------------


class TestTargets(ApiContract):
    resource = "targets"
    caller = "manager"
    filters = {"definition": "oee", "on": "2026-06-01", "asset": "L1"}
    create = {"site": "berlin", "definition": "teep", "value": 0.4, "owner": "manager", "valid_from": "2026-01-01"}
    change = {"value": 0.5}
    may_write = frozenset({"manager", "administrator"})

    def rows(self, plant):
        if not Target.objects.filter(site=plant.berlin).exists():
            agreed(plant, valid_from=date(2026, 9, 1))
            agreed(plant, plant.line)
            agreed(plant, definition="oee", value=0.6, watch=0.5)
            agreed(plant, definition="mttr", value=2)
        return list(Target.objects.filter(site=plant.berlin))

    def more(self, plant):
        day = JANUARY - timedelta(days=Target.objects.count())
        agreed(plant, valid_from=day, valid_to=day + timedelta(days=1))

    def foreign(self, plant):
        values = {"definition": "oee", "value": 0.6, "owner": plant.stranger, "valid_from": JANUARY}
        return targets.set_target(plant.chicago, None, values, by=None)


@pytest.mark.parametrize(("field", "value"), [("asset", "M1"), ("scope", "asset")])
def test_a_target_stays_with_its_asset_and_scope(plant, field, value):
    target = agreed(plant, plant.line)

    answer = client_of(plant.manager).patch(f"/api/v1/targets/{target.pk}/", {field: value})

    assert_problem(answer, 422, "owner_is_fixed", field)


@pytest.mark.parametrize(("asset", "scope", "code"), [(None, "asset", "no_asset"), ("L1", "subtree", "invalid")])
def test_a_scope_that_makes_no_sense_is_refused(plant, asset, scope, code):
    target = {"site": "berlin", "asset": asset, "scope": scope, "definition": "oee", "value": 0.6,
              "owner": "manager", "valid_from": "2026-01-01"}  # fmt: skip
    answer = client_of(plant.manager).post("/api/v1/targets/", target)
    assert_problem(answer, 400 if scope == "subtree" else 422, field="scope")
    assert Target.objects.count() == 0
    with pytest.raises(Refused) as refused:
        agreed(plant, asset and plant.line, scope=scope)
    assert (refused.value.code, refused.value.field) == (code, "scope")
    with pytest.raises(IntegrityError), transaction.atomic():
        Target.objects.create(
            site=plant.berlin, scope="asset", definition="oee", value=1, owner=plant.manager, valid_from=JANUARY
        )


def test_a_line_has_targets_for_its_machines_and_for_itself(manager, plant):
    machines, itself = agreed(plant, plant.line), agreed(plant, plant.line, scope="asset", value=0.85)
    assert history(itself)[0].summary == "Target set: Availability, L1 itself: 85 %"
    with pytest.raises(Conflict):
        agreed(plant, plant.line, scope="asset")

    assert targets.on(plant.berlin, plant.line, JANUARY) == {"availability": (machines, None)}
    assert targets.on(plant.berlin, plant.line, JANUARY, "asset") == {"availability": (itself, None)}

    page = manager.get(itself.get_absolute_url())
    assert "Availability · L1 itself" in page.content.decode()
    assert f"?asset={plant.line.pk}&scope=asset" in {
        each.url.partition("/performance/")[2] for each in page.context["actions"]
    }
    assert "L1 · Line 1, itself" in manager.get(reverse("targets")).content.decode()
    found = client_of(plant.manager).get("/api/v1/targets/", {"scope": "asset"}).json()["results"]
    assert [(row["id"], row["scope"]) for row in found] == [(itself.pk, "asset")]


def test_a_machine_has_the_targets_of_either_scope(manager, plant):
    agreed(plant, plant.filler, scope="asset", value=0.85)
    assert "Target 85.0" in manager.get(reverse("performance"), {"asset": plant.filler.pk}).content.decode()
    agreed(plant, plant.filler, value=0.92)
    assert "Target 92.0" in manager.get(reverse("performance"), {"asset": plant.filler.pk}).content.decode()


def test_the_scope_is_typed_in_the_form(manager, plant):
    typed = {
        "asset": plant.line.pk, "scope": "asset", "definition": "oee", "value": "60", "owner": plant.manager.pk,
        "valid_from": "2026-01-01",
    }  # fmt: skip
    assert manager.post(reverse("target-new"), typed).status_code == 302
    assert Target.objects.get().scope == "asset"
    wrong = manager.post(reverse("target-new"), typed | {"asset": ""})
    assert wrong.status_code == 422
    assert "A site counts by its machines; only an asset counts by itself." in wrong.content.decode()
