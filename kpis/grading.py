"""The grade of a figure of work: from what is known of its own records, and of how many of them tell what it needs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kpis.definitions import WorkDefinition
from kpis.facts.work_evidence import of_records, of_repairs, of_stops
from kpis.figures import Figure, Period
from kpis.formulas import Status
from kpis.repairs import Repairs
from kpis.spending import Upkeep
from kpis.trust import Of, Trust, WorkEvidence, scores_of_work, trust

OF_STOPS = ("stood", "stood_today", "lens", "lens_today")  # records of figures of work that are about stops
OF_LABOUR = ("mttr_wait", "mart", "mttr_hand_back", "inherent_availability")  # of repairs those that need labour

TOLD = {  # by kind of record, what coverage is a share of
    **dict.fromkeys(OF_STOPS, Of.STOPS),
    "wrench": Of.LABOUR, "agreed": Of.WEEKS, "break_in": Of.WEEKS, "backlog": Of.ESTIMATES, "load": Of.ESTIMATES,
    "spent": Of.PRICES, "unit_cost": Of.PRICES, "closed": Of.PROBLEMS,
}  # fmt: skip


def grade_of_work(period: Period, figure: Figure, around: Sequence[int], charged: Sequence[int]) -> Trust | None:
    """The grade of a figure of work; `around` are its members with what can stop them, `charged` those whose stops are
    charged, likewise.

    None where there is no value and no record was asked in vain: nothing was due, no order was closed, no capacity was
    stated. Nothing is there then that could be trusted or not, and the reason says so already. Where records were asked
    and none tells what the figure needs (coverage 0), the grade says that it cannot be had, and what would mend it.
    """
    if not figure.begun or (figure.value is None and figure.coverage != 0):
        return None
    known = period.work.of(figure.definition.records, period.place)
    coverage = figure.coverage
    told = told_by(known, figure.definition)
    if coverage is not None and figure.definition.key == "inherent_availability":
        # It rests on operating time as well.
        coverage, told = min((coverage, told), (period.answer.all.coverage, Of.STOPS), key=lambda each: each[0])
    found = evidence_of(period, figure, around, charged)
    grade = trust(scores_of_work(coverage, told, found, status=figure.status, now=period.now, end=figure.end))
    # Of what the site calls too small a part, A would say the contrary beside it.
    return replace(grade, grade=max(grade.grade, "B")) if figure.status == Status.PARTIAL else grade


def evidence_of(period: Period, figure: Figure, around: Sequence[int], charged: Sequence[int]) -> WorkEvidence:
    """What is known of the records behind it."""
    kind = figure.definition.records
    if kind in OF_STOPS:
        return of_stops(charged, figure.start, figure.end, period.now)
    if kind == "repairs":
        members = [(each.member.asset_id, each.since, each.until) for each in period.members]
        worked = figure.definition.key in OF_LABOUR
        return of_repairs(period.work, period.place, members, around, worked=worked)
    return of_records(period.work, period.place, kind)


def told_by(known: Any, definition: WorkDefinition) -> Of:
    """What is missing most where records do not tell what the figure needs."""
    match known:
        case Upkeep(spent=spent, worth=worth):
            cost = spent.cost().coverage
            return Of.VALUES if cost is None or worth.coverage <= cost else Of.PRICES
        case Repairs(restored=0):
            return Of.FAILURES
        case Repairs(restored=restored, with_order=ordered, with_labour=worked):
            labour = definition.key in OF_LABOUR and ordered - worked > restored - ordered
            return Of.LABOUR if labour else Of.ORDERS
    return TOLD.get(definition.records, Of.ORDERS)
