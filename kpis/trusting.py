"""What pages and API say of how far a figure may be trusted."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.kit.badges import Badge
from core.kit.present import number_text
from kpis.figures import Figure
from kpis.formulas import Reason
from kpis.silent_sources import SilentSource
from kpis.silent_sources import advice as advice_on_silence
from kpis.trust import Evidence, Of, Part, Score, Sensitivity, Trust, scores, trust

BADGES = {
    "A": Badge(gettext_lazy("Grade A"), "ok", "shield-check"),
    "B": Badge(gettext_lazy("Grade B"), "ok", "shield-check"),
    "C": Badge(gettext_lazy("Grade C"), "warn", "shield-half"),
    "D": Badge(gettext_lazy("Grade D"), "stop", "shield-x"),
}
NAMES = {
    Part.COVERAGE: gettext_lazy("Coverage"),
    Part.FRESHNESS: gettext_lazy("Freshness"),
    Part.TIMELINESS: gettext_lazy("Entered in time"),
    Part.CLASSIFICATION: gettext_lazy("Classified stops"),
    Part.RESTORATION: gettext_lazy("Restoration times"),
    Part.PLAUSIBILITY: gettext_lazy("Plausibility"),
}


def trust_in(figure: Figure, known: Evidence, *, now: datetime) -> Trust:
    """The grade of a figure of time and counts."""
    return trust(
        scores(
            figure.facts,
            known,
            status=figure.status,
            of_restoration=figure.definition.key == "mttr",
            now=now,
            end=figure.end,
        )
    )


def name_of(score: Score) -> str:
    """What its part is called."""
    named = (score.part, score.of) == (Part.CLASSIFICATION, Of.PROBLEMS)
    return _("Problems named") if named else str(NAMES[score.part])


def advice(score: Score | None, reason: str, silent: Sequence[SilentSource] = ()) -> str:
    """The one thing that would raise the grade most; `reason` is that of a figure that is not plainly right, `silent`
    are sources of which nothing was known for a time."""
    lasting = any(each.until is None for each in silent)
    if score and silent and (score.part is Part.COVERAGE or (score.part is Part.FRESHNESS and lasting)):
        return advice_on_silence(silent)
    if score is None:
        return _("Nothing is wanting.")
    numbers = {"wrong": score.wrong, "whole": score.whole}
    if of_work := OF_WORK.get((score.part, score.of)):
        return str(of_work) % numbers
    return {
        Part.COVERAGE: _("Record something for the assets of which nothing is known, or leave them out."),
        Part.FRESHNESS: _("Nothing was entered lately: ask whether stops and counts still arrive."),
        Part.TIMELINESS: _("Enter stops within a day: %(wrong)d of %(whole)d came later.") % numbers,
        Part.CLASSIFICATION: _("Say what they were of %(wrong)d of %(whole)d unplanned stops and corrective orders.")
        % numbers,
        Part.RESTORATION: _("Enter when it was restored for %(wrong)d of %(whole)d failures.") % numbers,
        Part.PLAUSIBILITY: _("Look at stops that have been open for more than a week: %(wrong)d.") % numbers
        if score.wrong
        else SUSPECT.get(reason, ""),
    }[score.part]


OF_WORK = {  # what would raise the grade of a figure of work; where none is said here, that of time and counts would
    (Part.COVERAGE, Of.ESTIMATES): gettext_lazy("Estimate the open orders of which nobody said how long they take."),
    (Part.COVERAGE, Of.PRICES): gettext_lazy(
        "Complete the orders whose labour has no price yet, and see that their people have an hourly rate."
    ),
    (Part.COVERAGE, Of.PROBLEMS): gettext_lazy("Name the problem of corrective orders: no closed order names one."),
    (Part.COVERAGE, Of.WEEKS): gettext_lazy("Agree on every week: some in this window were not agreed."),
    (Part.COVERAGE, Of.VALUES): gettext_lazy("Enter the replacement value of the machines that no value is of."),
    (Part.COVERAGE, Of.ORDERS): gettext_lazy("Raise a work order for each failure, and name the failure in it."),
    (Part.COVERAGE, Of.LABOUR): gettext_lazy("Enter the time that was worked on orders."),
    (Part.COVERAGE, Of.FAILURES): gettext_lazy("Enter when failures were restored: of none it is known."),
    (Part.FRESHNESS, Of.ORDERS): gettext_lazy("No order has moved lately: ask whether work is still entered here."),
    (Part.FRESHNESS, Of.LABOUR): gettext_lazy("No labour was entered lately: ask whether time is still entered here."),
    (Part.FRESHNESS, Of.COSTS): gettext_lazy(
        "No cost or labour was entered lately: ask whether parts, invoices and time are still entered here."
    ),
    (Part.FRESHNESS, Of.REQUESTS): gettext_lazy(
        "Nothing was requested or answered lately: ask whether problems are still reported here."
    ),
    (Part.FRESHNESS, Of.FAILURES): gettext_lazy(
        "Nothing was entered lately: ask whether stops and failures are still entered."
    ),
    (Part.FRESHNESS, Of.STOPS): gettext_lazy("Nothing was entered lately: ask whether stops still arrive."),
    (Part.TIMELINESS, Of.ORDERS): gettext_lazy(
        "Complete orders within a day after the work has ended: %(wrong)d of %(whole)d came later."
    ),
    (Part.TIMELINESS, Of.REPORTS): gettext_lazy(
        "Raise orders within a day after the report: %(wrong)d of %(whole)d came later."
    ),
    (Part.TIMELINESS, Of.FAILURES): gettext_lazy("Enter failures within a day: %(wrong)d of %(whole)d came later."),
    (Part.CLASSIFICATION, Of.PROBLEMS): gettext_lazy(
        "Name the problem of corrective orders: %(wrong)d of %(whole)d name none, so that nobody knows whether it was"
        " the same again."
    ),
    (Part.PLAUSIBILITY, Of.LABOUR): gettext_lazy(
        "Correct labour of more than a day at a stretch, a clock that nobody stopped: %(wrong)d."
    ),
    (Part.PLAUSIBILITY, Of.REQUESTS): gettext_lazy(
        "Answer the requests that have waited for more than a week: %(wrong)d of %(whole)d."
    ),
}


SUSPECT = {
    Reason.FASTER_THAN_IDEAL: gettext_lazy("More was made than can have been: check ideal cycle times and counts."),
    Reason.COUNTED_WHILE_DOWN: gettext_lazy("Pieces were counted while nothing ran: check counts and stops."),
}


def said(sensitivity: Sensitivity, value: float | None) -> str:
    """ "If these 14 unclassified orders were failures, MTBF would be 190 h, not 310 h." """
    stops, orders = sensitivity.unclassified, sensitivity.orders
    parts = [
        ngettext("%(n)d unclassified stop", "%(n)d unclassified stops", stops) % {"n": stops} if stops else "",
        ngettext("%(n)d unclassified order", "%(n)d unclassified orders", orders) % {"n": orders} if orders else "",
    ]
    what = _(" and ").join(part for part in parts if part)
    would = {"what": what, "would": number_text(sensitivity.value, 1)}
    if sensitivity.at_least:
        would["would"] = _("at least %(number)s") % {"number": would["would"]}
    one = stops + orders == 1
    if value is None:
        return (
            _("If the %(what)s was a failure, MTBF would be %(would)s h.")
            if one
            else _("If the %(what)s were failures, MTBF would be %(would)s h.")
        ) % would
    would["is"] = number_text(value, 1)
    return (
        _("If the %(what)s was a failure, MTBF would be %(would)s h, not %(is)s h.")
        if one
        else _("If the %(what)s were failures, MTBF would be %(would)s h, not %(is)s h.")
    ) % would
