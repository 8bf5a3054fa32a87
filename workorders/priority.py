"""How urgent an order is: criticality of the asset × consequence × likelihood, with the sentence that says why."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.kit.badges import Badge
from workorders.states import Priority

CONSEQUENCES = {
    1: gettext_lazy("a nuisance"),
    2: gettext_lazy("less output or quality"),
    3: gettext_lazy("the line stops"),
    4: gettext_lazy("people or the environment are in danger"),
}
LIKELIHOODS = {
    1: gettext_lazy("unlikely this month"),
    2: gettext_lazy("possible this month"),
    3: gettext_lazy("likely this week"),
    4: gettext_lazy("it has happened already or will today"),
}
WEIGHTS = {"A": 3, "B": 2, "C": 1}
PRIORITY_BADGES = {
    Priority.EMERGENCY: Badge(Priority.EMERGENCY.label, "stop", "urgent"),
    Priority.HIGH: Badge(Priority.HIGH.label, "warn", "chevrons-up"),
    Priority.MEDIUM: Badge(Priority.MEDIUM.label, "idle", "equal"),
    Priority.LOW: Badge(Priority.LOW.label, "idle", "chevron-down"),
}
LOWEST_SCORES = {Priority.EMERGENCY: 24, Priority.HIGH: 12, Priority.MEDIUM: 4, Priority.LOW: 1}  # of 1 to 48


@dataclass(frozen=True)
class Judgement:
    """A priority and how it came about."""

    priority: Priority
    score: int
    sentence: str


def judge(*, criticality: str, consequence: int, likelihood: int) -> Judgement:
    """The priority of work on an asset of this criticality (A, B, C), consequence (1–4) and likelihood (1–4)."""
    score = WEIGHTS[criticality] * consequence * likelihood
    priority = next(priority for priority, lowest in LOWEST_SCORES.items() if score >= lowest)
    sentence = _(
        "%(priority)s: criticality %(criticality)s (%(weight)d) × %(consequence)d, %(consequence_words)s"
        " × %(likelihood)d, %(likelihood_words)s = %(score)d of 48"
    ) % {
        "priority": priority.label,
        "criticality": criticality,
        "weight": WEIGHTS[criticality],
        "consequence": consequence,
        "consequence_words": CONSEQUENCES[consequence],
        "likelihood": likelihood,
        "likelihood_words": LIKELIHOODS[likelihood],
        "score": score,
    }
    return Judgement(priority, score, sentence)


def judge_order(order: Any) -> Judgement:
    """What the priority of this order would be without an override."""
    return judge(criticality=order.asset.criticality, consequence=order.consequence, likelihood=order.likelihood)
