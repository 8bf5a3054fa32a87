"""Criticality follows from five scores and says why; another choice keeps its reason."""

import pytest

from assets import tree
from assets.criticality import Scores, assess
from assets.models import Asset
from core.errors import Refused
from core.events import history


@pytest.mark.parametrize(
    ("scores", "level", "reasoning"),
    [
        (Scores(4, 1, 1, 1, 1), "A", "A, because a failure can hurt people or the environment (safety 4 of 5)."),
        (Scores(1, 5, 5, 1, 1), "A", "A, because a failure can hurt people or the environment (environment 5 of 5)."),
        (Scores(3, 3, 5, 1, 5), "A", "A, because the plant cannot bear a failure (production 5, cost 5 of 5)."),
        (Scores(3, 1, 4, 1, 1), "B", "B, because a failure hurts (safety 3, production 4 of 5)."),
        (Scores(2, 1, 2, 1, 1), "C", "C, because no score is above 2 of 5."),
        (Scores(quality=3), "B",
         "B, because a failure hurts (quality 3 of 5). Not scored: safety, environment, production, cost."),
    ],
)  # fmt: skip
def test_the_scores_say_how_critical_and_why(scores, level, reasoning):
    assert assess(scores).criticality == level
    assert assess(scores).reasoning == reasoning


def test_without_scores_nothing_is_said():
    assert assess(Scores()) is None


def test_scores_set_the_criticality_with_its_reasoning(plant):
    tree.edit(plant.labeller, {"safety_score": 1, "production_score": 4}, by=plant.planner)
    labeller = Asset.objects.get(pk=plant.labeller.pk)
    assert labeller.criticality == "B"
    assert labeller.criticality_reason == (
        "B, because a failure hurts (production 4 of 5). Not scored: environment, quality, cost."
    )


def test_another_criticality_than_the_scores_say_needs_a_reason(plant):
    before = Asset.objects.filter(pk=plant.labeller.pk).values().get()
    with pytest.raises(Refused, match="The scores say otherwise: B") as refusal:
        tree.edit(plant.labeller, {"production_score": 3, "criticality": "A"}, by=plant.planner)
    assert refusal.value.field == "criticality_reason"
    assert Asset.objects.filter(pk=plant.labeller.pk).values().get() == before
    assert not history(plant.labeller).exists()

    changes = {"production_score": 3, "criticality": "A", "criticality_reason": "Only one in the plant"}
    tree.edit(plant.labeller, changes, by=plant.planner)
    labeller = Asset.objects.get(pk=plant.labeller.pk)
    assert (labeller.criticality, labeller.criticality_reason) == ("A", "Only one in the plant")


def test_a_chosen_criticality_survives_edits_and_falls_back_on_request(plant):
    changes = {"production_score": 3, "criticality": "A", "criticality_reason": "Only one in the plant"}
    tree.edit(plant.labeller, changes, by=plant.planner)
    tree.edit(plant.labeller, {"name": "Labeller 2"}, by=plant.planner)
    assert Asset.objects.get(pk=plant.labeller.pk).criticality == "A"
    tree.edit(plant.labeller, {"criticality": None, "criticality_reason": ""}, by=plant.planner)
    labeller = Asset.objects.get(pk=plant.labeller.pk)
    assert labeller.criticality == "B"
    assert labeller.criticality_reason.startswith("B, because")


def test_without_scores_a_criticality_may_be_chosen_freely(plant):
    asset = tree.create(plant.berlin, {"code": "M9", "name": "Packer", "criticality": "A"}, by=plant.planner)
    assert (asset.criticality, asset.criticality_reason) == ("A", "")
