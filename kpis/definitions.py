"""What can be asked: one small class per key figure. Each has a version; a change of meaning is a new version, and the
former one is kept (`kpis.versions`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from kpis import formulas
from kpis.calculations import (
    added,
    charged,
    critical,
    days,
    hours,
    in_weeks,
    inherent,
    mean,
    money,
    number,
    ratio,
    read_off,
    unworked,
)
from kpis.formulas import Facts, Result
from kpis.work import ComplianceRule


@dataclass(frozen=True)
class Definition:
    """One key figure: how it is called, computed and read.

    `unit` is "share" (0.95 is 95 %), "h", "d", "weeks", "money" of the site or "money per unit"; `better` says which
    direction is good; `counted` figures are about assets with production counts only; of `profiled` ones the site's OEE
    profile says which stops are performance losses.
    """

    key: str
    name: Any
    unit: str
    better: str  # "higher" or "lower"
    formula: Any  # in words
    doc: Any
    compute: Callable[..., Result]
    version: int = 1
    counted: bool = False
    profiled: bool = False

    def of(self, facts: Facts, threshold: float, in_performance: Collection[str] = ()) -> Result:
        """The figure; below `threshold` of coverage it is partial."""
        if self.profiled:
            return self.compute(facts, threshold=threshold, in_performance=in_performance)
        return self.compute(facts, threshold=threshold)


DEFINITIONS = {
    each.key: each
    for each in [
        Definition(
            "availability", _("Availability"), "share", "higher", _("operating time ÷ planned production time"),
            _("Operational availability: the share of planned production time in which the asset was up."),
            formulas.availability,
        ),
        Definition(
            "achieved_availability", _("Achieved availability"), "share", "higher",
            _("(scheduled time − all downtime) ÷ scheduled time"),
            _("As availability, but planned maintenance and other planned stops count as downtime as well."),
            formulas.achieved_availability,
        ),
        Definition(
            "mtbf", _("MTBF"), "h", "higher", _("operating time ÷ failure events"),
            _("Mean operating time between failures. Time before the first and after the last failure counts."),
            formulas.mtbf,
        ),
        Definition(
            "mtbf_by_items", _("MTBF by items"), "h", "higher", _("operating time ÷ failed items"),
            _("As MTBF, each failed item of one event counted as a failure of its own."), formulas.mtbf_by_items,
        ),
        Definition(
            "mttr", _("MTTR"), "h", "lower", _("time to restoration ÷ restored failure events"),
            _("Mean time to restoration in clock hours, of failures that occurred in the window."),
            formulas.mttr,
        ),
        Definition(
            "oee", _("OEE"), "share", "higher", _("good pieces at ideal cycle time ÷ planned production time"),
            _("Overall equipment effectiveness: availability rate × performance rate × quality rate of the assets with"
              " counts."),
            formulas.oee, counted=True,
        ),
        Definition(
            "oee_availability", _("Availability rate"), "share", "higher",
            _("operating time, with the stops that are performance losses ÷ planned production time"),
            _("The availability that OEE is a product of, of the assets with counts. Where the OEE profile of the site"
              " makes short stops performance losses, they are none here."),
            formulas.oee_availability, counted=True, profiled=True,
        ),
        Definition(
            "performance", _("Performance rate"), "share", "higher",
            _("pieces at ideal cycle time ÷ operating time, with the stops that are performance losses"),
            _("How fast it ran while it ran, short stops included where the OEE profile of the site makes them"
              " performance losses; above 100 % the ideal cycle time is too long or a count is wrong."),
            formulas.performance, version=2, counted=True, profiled=True,
        ),
        Definition(
            "quality", _("Quality rate"), "share", "higher", _("good ÷ all pieces, both at ideal cycle time"),
            _("Share of good first-pass pieces, weighted by time so that it holds over mixed products."),
            formulas.quality, counted=True,
        ),
        Definition(
            "quality_by_pieces", _("Quality by pieces"), "share", "higher", _("good pieces ÷ all pieces"),
            _("Share of good first-pass pieces, every piece alike."), formulas.quality_by_pieces, counted=True,
        ),
        Definition(
            "teep", _("TEEP"), "share", "higher", _("good pieces at ideal cycle time ÷ calendar time"),
            _("Total effective equipment performance: OEE over the whole calendar."), formulas.teep, counted=True,
        ),
    ]
}  # fmt: skip

OEE, FACTORS = "oee", ("oee_availability", "performance", "quality")

# What stands beside a mean: what it hides, or the same counted otherwise.
BESIDE = {
    "mtbf": ("mtbf_by_items",),
    "mttr": ("restoration_median", "restoration_p90", "mttr_scheduled"),
}

# --- Work --------------------------------------------------------------------------------------


def inputs_of(known: Any, facts: Facts) -> dict[str, float]:
    return known.inputs()


@dataclass(frozen=True)
class WorkDefinition(Definition):
    """A figure of work management. `compute(known, threshold, facts)` is given what `kpis.facts.work` knows of its
    `records`, and so are its `inputs`; `calculation` puts these into words from which the value follows.
    """

    records: str = ""
    rule: ComplianceRule | None = None
    calculation: Callable[[dict[str, float]], str] = str
    inputs: Callable[[Any, Facts], dict[str, float]] = inputs_of


def compliance(key: str, rule: ComplianceRule, name: Any, doc: Any) -> WorkDefinition:
    return WorkDefinition(
        key, name, "share", "higher", _("done in time ÷ occurrences that are done or whose window has passed"), doc,
        lambda known, threshold, facts: known.compliance(rule), records="preventive",
        calculation=ratio("compliant", "judged", number),
        inputs=lambda known, facts: known.inputs(rule), rule=rule,
    )  # fmt: skip


def part_of_mttr(key: str, name: Any, formula: Any, doc: Any, part: str, *, worked: bool) -> WorkDefinition:
    """One part of MTTR: mean hours over the failures with labour, or with an order."""
    attribute, whole = ("of_worked", "failures_with_labour") if worked else ("of_ordered", "failures_with_order")
    sums = {"detect": "detection_time", "wait": "waiting_time", "active": "active_repair_time",
            "hand_back": "hand_back_time", "rest": "repair_time"}  # fmt: skip
    return WorkDefinition(
        key, name, "h", "lower", formula, doc,
        lambda known, threshold, facts: getattr(known, attribute)(getattr(known, part), threshold),
        records="repairs", calculation=mean(sums[part], whole),
    )  # fmt: skip


WORK = [
    compliance(
        "preventive_compliance", ComplianceRule.LATE_TEN_PERCENT, _("Preventive compliance, late-only 10 % rule"),
        _("Share of the preventive work due in the window that was done early, in time, or late by a tenth of its"
          " interval at most."),
    ),
    compliance(
        "preventive_compliance_on_time", ComplianceRule.ON_OR_BEFORE_DUE,
        _("Preventive compliance, on or before due"),
        _("Share of the preventive work due in the window that was done on its due date or before."),
    ),
    compliance(
        "preventive_compliance_ten_percent", ComplianceRule.TEN_PERCENT, _("Preventive compliance, 10 % rule"),
        _("Share of the preventive work due in the window that was done within a tenth of its interval before or"
          " after its due date."),
    ),
    WorkDefinition(
        "scheduled_maintenance_critical", _("Scheduled maintenance critical"), "share", "lower",
        _("Σ (days late + interval) ÷ Σ interval"),
        _("How late preventive work is, measured by its intervals; 100 % is on time. What is overdue counts as late"
          " until today."),
        lambda known, threshold, facts: known.critical, records="preventive",
        calculation=critical,
    ),
    WorkDefinition(
        "planned_work_share", _("Planned work"), "share", "higher", _("labour on planned orders ÷ labour"),
        _("Share of labour hours on orders of a preventive plan, or with an estimate and a job plan or steps."),
        lambda known, threshold, facts: known.planned_share(), records="labour",
        calculation=ratio("planned_labour", "labour", hours),
    ),
    WorkDefinition(
        "emergency_work_share", _("Emergency work"), "share", "lower", _("labour on emergency orders ÷ labour"),
        _("Share of labour hours on orders of priority emergency."),
        lambda known, threshold, facts: known.emergency_share(), records="labour",
        calculation=ratio("emergency_labour", "labour", hours),
    ),
    WorkDefinition(
        "schedule_compliance", _("Schedule compliance"), "share", "higher",
        _("agreed orders completed in their week ÷ orders agreed for it"),
        _("Share of the orders agreed for a week that were completed in it, of the agreed weeks that ended in the"
          " window. What was done before or after its week, cancelled or moved to another one was not done as agreed."),
        lambda known, threshold, facts: known.compliance(threshold), records="agreed",
        calculation=ratio("kept_orders", "agreed_orders", number),
    ),
    WorkDefinition(
        "break_in_share", _("Break-in work"), "share", "lower",
        _("labour on orders that were not agreed for the week ÷ labour, both in agreed weeks"),
        _("Share of labour hours, in weeks that were agreed, on orders that nobody had agreed on for that week."),
        lambda known, threshold, facts: known.share(threshold), records="break_in",
        calculation=ratio("break_in_labour", "labour_in_agreed_weeks", hours),
    ),
    WorkDefinition(
        "wrench_time", _("Wrench time"), "share", "higher", _("labour on orders ÷ paid hours"),
        _("Share of the hours for which the crew of the site is paid that it worked on orders."),
        lambda known, threshold, facts: known.time(), records="wrench",
        calculation=ratio("labour", "paid_labour", hours),
    ),
    WorkDefinition(
        "backlog_weeks", _("Backlog in weeks"), "weeks", "lower", _("open estimated labour ÷ weekly capacity"),
        _("How long the crew of the site would work on what is open at the end of the window, at the labour capacity"
          " that holds then."),
        lambda known, threshold, facts: known.weeks(threshold), records="load",
        calculation=in_weeks("open_labour"),
    ),
    WorkDefinition(
        "ready_backlog_weeks", _("Ready backlog in weeks"), "weeks", "lower",
        _("estimated labour of planned and scheduled orders ÷ weekly capacity"),
        _("As the backlog in weeks, only of what could be scheduled now."),
        lambda known, threshold, facts: known.ready_weeks(threshold), records="load",
        calculation=in_weeks("ready_labour"),
    ),
    WorkDefinition(
        "backlog_hours", _("Backlog"), "h", "lower", _("Σ (estimate − labour so far) of open orders"),
        _("Estimated labour that was left of the open orders at the end of the window."),
        lambda known, threshold, facts: known.hours(threshold), records="backlog",
        calculation=unworked("estimated_labour", "open_labour"),
    ),
    WorkDefinition(
        "ready_backlog_hours", _("Ready backlog"), "h", "lower",
        _("Σ (estimate − labour so far) of planned and scheduled orders"),
        _("Estimated labour that is left of the orders that could be scheduled now."),
        lambda known, threshold, facts: known.ready_hours(threshold), records="backlog",
        calculation=unworked("estimated_ready_labour", "ready_labour"),
    ),
    WorkDefinition(
        "open_order_age_median", _("Age of open orders, median"), "d", "lower",
        _("the age that half of the open orders do not exceed"),
        _("From the creation of an order to the end of the window."),
        lambda known, threshold, facts: known.age(known.median_age), records="backlog",
        calculation=read_off(0.5, "open_orders", "age_below_days", "age_above_days", days),
        inputs=lambda known, facts: known.inputs() | known.neighbours(known.median_age),
    ),
    WorkDefinition(
        "open_order_age_p90", _("Age of open orders, 90th percentile"), "d", "lower",
        _("the age that nine of ten open orders do not exceed"),
        _("From the creation of an order to the end of the window."),
        lambda known, threshold, facts: known.age(known.ninth_decile_age), records="backlog",
        calculation=read_off(0.9, "open_orders", "age_below_days", "age_above_days", days),
        inputs=lambda known, facts: known.inputs() | known.neighbours(known.ninth_decile_age),
    ),
    WorkDefinition(
        "mtta", _("MTTA"), "h", "lower", _("time from report to acceptance ÷ accepted requests"),
        _("Mean time to acknowledge, of the requests reported in the window."),
        lambda known, threshold, facts: known.acknowledgement(), records="requests",
        calculation=mean("time_to_acknowledge", "accepted_requests"),
    ),
    WorkDefinition(
        "rework_share", _("Rework"), "share", "lower", _("rework ÷ closed orders"),
        _("Share of the orders closed in the window that were reported within 30 days after work on the same asset"
          " and problem had ended."),
        lambda known, threshold, facts: known.rework_share(), records="closed",
        calculation=ratio("rework_orders", "closed_orders", number),
    ),
    WorkDefinition(
        "maintenance_cost", _("Maintenance cost"), "money", "lower", _("labour + parts + external + not divided"),
        _("Money spent on orders, each at the price of its day."),
        lambda known, threshold, facts: known.cost(threshold), records="spent",
        calculation=added("labour_cost", "parts_cost", "external_cost", "undivided_cost"),
    ),
    WorkDefinition(
        "maintenance_cost_per_unit", _("Maintenance cost per unit produced"), "money per unit", "lower",
        _("maintenance cost ÷ pieces, good or not"),
        _("Money spent on an asset and everything below it, for each piece made. A line that counts its pieces speaks"
          " for the machines in it, so that no piece is counted twice."),
        lambda known, threshold, facts: known.per_unit(threshold), records="unit_cost",
        calculation=ratio("maintenance_cost", "pieces", money, number),
    ),
    WorkDefinition(
        "maintenance_cost_of_replacement_value", _("Maintenance cost of a year as share of replacement value"), "share",
        "lower", _("maintenance cost ÷ (replacement value × years of the window)"),
        _("What a year at the pace of this window costs, beside what it would cost to replace the assets today (not"
          " what they once cost). A value holds for everything below its asset; what has none is left out, with the"
          " money spent on it, and counted."),
        lambda known, threshold, facts: known.share_of_a_year(threshold), records="upkeep",
        calculation=ratio("maintenance_cost", "replacement_value_years", money),
    ),
    WorkDefinition(
        "downtime_cost", _("Cost of downtime"), "money", "lower", _("Σ unplanned downtime × cost of one hour down"),
        _("At the cost of one hour down that held at the time of the stop; below an asset with such a cost nothing is"
          " charged again."),
        lambda known, threshold, facts: known.cost(threshold), records="stood", version=2,
        calculation=charged,
    ),
    WorkDefinition(
        "downtime_cost_of_margin", _("Downtime cost as share of net margin"), "share", "lower",
        _("cost of downtime ÷ net margin of the site"),
        _("What stops cost, as a share of what the site earns in the same window. The net margin of a year counts by"
          " time, from the day it holds."),
        lambda known, threshold, facts: known.share(threshold), records="lens", version=2,
        calculation=ratio("downtime_cost", "net_margin", money),
    ),
    part_of_mttr(
        "mttr_detect", _("MTTR: detection"), _("Σ (report − failure) ÷ restored failures with an order"),
        _("Part a of the time to restoration: from the failure to its report, or to the first work if that is"
          " earlier."), "detect", worked=False,
    ),
    part_of_mttr(
        "mttr_wait", _("MTTR: waiting"), _("Σ (time without work until the last work ends) ÷ failures with labour"),
        _("Part b of the time to restoration: nobody works on it after the report, on hold or not."), "wait",
        worked=True,
    ),
    part_of_mttr(
        "mart", _("MART"), _("Σ active repair ÷ failures with labour"),
        _("Mean active repair time, part c of the time to restoration: somebody works on it. Two people side by side"
          " for two hours are two hours."), "active", worked=True,
    ),
    part_of_mttr(
        "mttr_hand_back", _("MTTR: test and hand-back"), _("Σ (restoration − end of work) ÷ failures with labour"),
        _("Part d of the time to restoration: from the end of the last work until it ran again."), "hand_back",
        worked=True,
    ),
    part_of_mttr(
        "mrt", _("MRT"), _("Σ (restoration − report) ÷ restored failures with an order"),
        _("Mean repair time: waiting, active repair, test and hand-back (parts b, c and d)."), "rest", worked=False,
    ),
    WorkDefinition(
        "restoration_median", _("Time to restoration, median"), "h", "lower",
        _("the time to restoration that half of the failures do not exceed"),
        _("Beside MTTR, which a few long failures pull up. Clock hours."),
        lambda known, threshold, facts: known.restoration(0.5), records="repairs",
        calculation=read_off(0.5, "restored_failures", "restoration_below", "restoration_above", hours),
        inputs=lambda known, facts: known.inputs() | known.neighbours(0.5),
    ),
    WorkDefinition(
        "restoration_p90", _("Time to restoration, 90th percentile"), "h", "lower",
        _("the time to restoration that nine of ten failures do not exceed"), _("Clock hours."),
        lambda known, threshold, facts: known.restoration(0.9), records="repairs",
        calculation=read_off(0.9, "restored_failures", "restoration_below", "restoration_above", hours),
        inputs=lambda known, facts: known.inputs() | known.neighbours(0.9),
    ),
    WorkDefinition(
        "mttr_scheduled", _("MTTR in scheduled hours"), "h", "lower",
        _("scheduled time until restoration ÷ restored failures"),
        _("As MTTR, only the hours in which the asset was scheduled to run: what production lost."),
        lambda known, threshold, facts: known.restoration_in_schedule(), records="repairs",
        calculation=mean("restoration_time_in_schedule", "restored_failures"),
    ),
    WorkDefinition(
        "inherent_availability", _("Inherent availability"), "share", "higher", _("MTBF ÷ (MTBF + MART)"),
        _("What availability would be if every failure were repaired at once: MART counts in scheduled hours."),
        lambda known, threshold, facts: known.inherent_availability(facts, threshold), records="repairs",
        calculation=inherent,
        inputs=lambda known, facts: known.inputs() | {"operating_time": facts.operating},
    ),
]  # fmt: skip

DEFINITIONS |= {each.key: each for each in WORK}
