"""How much an asset matters, from five scores, with the reasoning in words.

Scores go from 1 (hardly matters) to 5 (worst): consequence of a failure for safety, environment, production,
quality and cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from assets.models import Asset, Criticality
from core.changes import apply
from core.errors import Refused

SCORES = ("safety_score", "environment_score", "production_score", "quality_score", "cost_score")
ENDANGERS = 4  # from here on a failure can hurt people or the environment
STOPS = 5  # the plant, the product or the budget cannot bear it
HURTS = 3


@dataclass(frozen=True)
class Scores:
    """Five scores from 1 to 5; None is not scored."""

    safety: int | None = None
    environment: int | None = None
    production: int | None = None
    quality: int | None = None
    cost: int | None = None

    def given(self) -> dict[str, int]:
        """Name → score, of those that are given."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: score for name, score in found.items() if score is not None}


@dataclass(frozen=True)
class Assessment:
    """The criticality that the scores say, and the sentence that says why."""

    criticality: Criticality
    reasoning: str


def assess(scores: Scores) -> Assessment | None:
    """A: safety or environment 4 or more, or production, quality or cost 5. B: any score 3 or more. C: the rest.

    None without any score. Scores that are missing are named, since one more score can only raise the result.
    """
    given = scores.given()
    if not given:
        return None
    words = {
        "safety": _("safety"), "environment": _("environment"), "production": _("production"),
        "quality": _("quality"), "cost": _("cost"),
    }  # fmt: skip

    def listed(names) -> str:
        return ", ".join(f"{words[name]} {given[name]}" if name in given else words[name] for name in names)

    dangerous = [name for name in ("safety", "environment") if given.get(name, 0) >= ENDANGERS]
    stopping = [name for name in ("production", "quality", "cost") if given.get(name, 0) >= STOPS]
    hurting = [name for name, score in given.items() if score >= HURTS]
    if dangerous:
        level = Criticality.A
        reasoning = _("A, because a failure can hurt people or the environment (%(scores)s of 5).") % {
            "scores": listed(dangerous)
        }
    elif stopping:
        level = Criticality.A
        reasoning = _("A, because the plant cannot bear a failure (%(scores)s of 5).") % {"scores": listed(stopping)}
    elif hurting:
        level = Criticality.B
        reasoning = _("B, because a failure hurts (%(scores)s of 5).") % {"scores": listed(hurting)}
    else:
        level = Criticality.C
        reasoning = _("C, because no score is above %(score)d of 5.") % {"score": max(given.values())}
    missing = [name for name in words if name not in given]
    if missing:
        reasoning += " " + _("Not scored: %(scores)s.") % {"scores": listed(missing)}
    return Assessment(level, reasoning)


def settle_criticality(asset: Asset, fields: Mapping[str, Any], *, scored: bool = True) -> dict[str, list]:
    """Take the criticality from the scores, or keep the one that was chosen, with its reason.

    `scored`: the scores are new, so that the criticality is worked out again unless one is chosen here as well.
    A "criticality" of None asks for the one that the scores say.
    Answers what changed. Refused: another criticality than the scores say, without a reason.
    """
    verdict = assess(Scores(*(getattr(asset, name) for name in SCORES)))
    chosen, reason = fields.get("criticality"), (fields.get("criticality_reason") or "").strip()
    if verdict is None:
        wanted = {name: fields[name] for name in ("criticality", "criticality_reason") if fields.get(name) is not None}
        return apply(asset, wanted)
    if "criticality" not in fields and not scored:
        wanted = {"criticality_reason": reason} if reason and asset.criticality != verdict.criticality else {}
        return apply(asset, wanted)
    if chosen in (None, verdict.criticality):
        return apply(asset, {"criticality": verdict.criticality, "criticality_reason": verdict.reasoning})
    if chosen == asset.criticality and not reason and asset.pk and not scored:
        return {}
    if not reason or (reason == asset.criticality_reason and asset.criticality != chosen):
        raise Refused(
            _("The scores say otherwise: %(reasoning)s Give a reason for another criticality.")
            % {"reasoning": verdict.reasoning},
            code="reason_needed",
            field="criticality_reason",
        )
    return apply(asset, {"criticality": chosen, "criticality_reason": reason})
