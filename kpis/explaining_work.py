"""Why a figure of work is what it is: its sums in words, its records, and what was left out."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.kit.present import number_text
from kpis.agreed import BreakIn, Kept
from kpis.backlog import Backlog, Closed, Spent
from kpis.calculations import hours
from kpis.crew import Load
from kpis.definitions import WorkDefinition
from kpis.facts.work_rows import MOST, Record, Rows
from kpis.repairs import Repairs
from kpis.spending import UnitCost, Upkeep
from kpis.work import Preventive, Requests

TIME, HOURS, DAYS, MONEY, NUMBER = "time", "hours", "days", "money", "number"

# Names of inputs and of the numbers of records, and what they are.
NAMES = {
    "compliant": (gettext_lazy("Done in time"), NUMBER),
    "judged": (gettext_lazy("Done, or its time has passed"), NUMBER),
    "skipped": (gettext_lazy("Skipped with approval"), NUMBER),
    "pending": (gettext_lazy("May still be done in time"), NUMBER),
    "days_late": (gettext_lazy("Days late"), DAYS),
    "interval_days": (gettext_lazy("Interval"), DAYS),
    "labour": (gettext_lazy("Labour"), TIME),
    "paid_labour": (gettext_lazy("Paid hours of the crew in this window"), TIME),
    "weekly_capacity": (gettext_lazy("Hours a week that the crew has for orders"), TIME),
    "paid_seconds": (gettext_lazy("Paid"), HOURS),
    "agreed_orders": (gettext_lazy("Orders agreed for a week"), NUMBER),
    "kept_orders": (gettext_lazy("Completed in that week"), NUMBER),
    "agreed_weeks": (gettext_lazy("Agreed weeks that ended in this window"), NUMBER),
    "ended_weeks": (gettext_lazy("Weeks that ended in this window"), NUMBER),
    "labour_in_agreed_weeks": (gettext_lazy("In weeks that were agreed"), TIME),
    "break_in_labour": (gettext_lazy("On orders that were not agreed for their week"), TIME),
    "planned_labour": (gettext_lazy("On planned orders"), TIME),
    "emergency_labour": (gettext_lazy("On emergency orders"), TIME),
    "priced_labour": (gettext_lazy("Labour with a price"), TIME),
    "accepted_requests": (gettext_lazy("Accepted requests"), NUMBER),
    "time_to_acknowledge": (gettext_lazy("Time until they were accepted"), TIME),
    "declined_requests": (gettext_lazy("Declined requests"), NUMBER),
    "waiting_requests": (gettext_lazy("Requests without an answer"), NUMBER),
    "open_orders": (gettext_lazy("Open orders"), NUMBER),
    "open_labour": (gettext_lazy("Labour left of open orders"), TIME),
    "unestimated_orders": (gettext_lazy("Open orders without an estimate"), NUMBER),
    "estimated_labour": (gettext_lazy("Estimates of open orders"), TIME),
    "age_below_days": (gettext_lazy("Age at or below the figure"), DAYS),
    "age_above_days": (gettext_lazy("Age at or above the figure"), DAYS),
    "ready_orders": (gettext_lazy("Ready orders"), NUMBER),
    "ready_labour": (gettext_lazy("Labour left of ready orders"), TIME),
    "unestimated_ready_orders": (gettext_lazy("Ready orders without an estimate"), NUMBER),
    "estimated_ready_labour": (gettext_lazy("Estimates of ready orders"), TIME),
    "closed_orders": (gettext_lazy("Closed orders"), NUMBER),
    "with_problem": (gettext_lazy("Closed orders that name a problem"), NUMBER),
    "rework_orders": (gettext_lazy("Rework"), NUMBER),
    "labour_cost": (gettext_lazy("Labour"), MONEY),
    "parts_cost": (gettext_lazy("Parts"), MONEY),
    "external_cost": (gettext_lazy("External"), MONEY),
    "undivided_cost": (gettext_lazy("Not divided"), MONEY),
    "maintenance_cost": (gettext_lazy("Maintenance cost"), MONEY),
    "left_out_cost": (gettext_lazy("Spent on assets without a replacement value, left out"), MONEY),
    "replacement_value": (gettext_lazy("Replacement value"), MONEY),
    "replacement_value_years": (gettext_lazy("Replacement value × years of the window"), MONEY),
    "valued_assets": (gettext_lazy("Assets with such a value of their own"), NUMBER),
    "machines": (gettext_lazy("Machines"), NUMBER),
    "valued_machines": (gettext_lazy("Machines that such a value is of"), NUMBER),
    "pieces": (gettext_lazy("Pieces made, good or not"), NUMBER),
    "counting_assets": (gettext_lazy("Assets that counted them"), NUMBER),
    "priced_downtime": (gettext_lazy("Their unplanned downtime"), TIME),
    "downtime_cost": (gettext_lazy("Cost of downtime"), MONEY),
    "net_margin": (gettext_lazy("Net margin of the site in this window"), MONEY),
    "priced_assets": (gettext_lazy("Assets with an hourly cost"), NUMBER),
    "failures": (gettext_lazy("Failure events"), NUMBER),
    "restored_failures": (gettext_lazy("Restored, with times"), NUMBER),
    "open_failures": (gettext_lazy("Still open"), NUMBER),
    "restoration_time": (gettext_lazy("Time to restoration"), TIME),
    "restoration_below": (gettext_lazy("Time to restoration at or below the figure"), TIME),
    "restoration_above": (gettext_lazy("Time to restoration at or above the figure"), TIME),
    "operating_time": (gettext_lazy("Operating time"), TIME),
    "restoration_time_in_schedule": (gettext_lazy("Scheduled time in it"), TIME),
    "failures_with_order": (gettext_lazy("Restored failures with a work order"), NUMBER),
    "failures_with_labour": (gettext_lazy("Restored failures with labour"), NUMBER),
    "detection_time": (gettext_lazy("Detection"), TIME),
    "repair_time": (gettext_lazy("From report to restoration"), TIME),
    "waiting_time": (gettext_lazy("Waiting"), TIME),
    "active_repair_time": (gettext_lazy("Active repair"), TIME),
    "hand_back_time": (gettext_lazy("Test and hand-back"), TIME),
    "active_repair_time_in_schedule": (gettext_lazy("Scheduled time in active repair"), TIME),
    "seconds": (gettext_lazy("Hours"), HOURS),
    "agreed_seconds": (gettext_lazy("In an agreed week"), HOURS),
    "break_in_seconds": (gettext_lazy("Not agreed for it"), HOURS),
    "age_days": (gettext_lazy("Age"), DAYS),
    "amount": (gettext_lazy("Amount"), MONEY),
}


@dataclass(frozen=True)
class WorkExplained:
    """What stands behind one figure of work; the newest records first, `MOST` at most."""

    sums: list[tuple[Any, str, float]]  # name, what it is, value
    left_out: list[str]
    records: list[Record]

    @property
    def columns(self) -> list[tuple[Any, str]]:
        """Names of the records' numbers, and what they are."""
        return [NAMES[name] for name in self._numbers]

    @property
    def rows(self) -> list[tuple[Record, list[tuple[str, float | None]]]]:
        """Each record with its numbers in the order of the columns."""
        return [
            (each, [shown(NAMES[name][1], each.numbers.get(name)) for name in self._numbers]) for each in self.records
        ]

    @property
    def more(self) -> bool:
        return len(self.records) == MOST

    @property
    def _numbers(self) -> list[str]:
        return list(dict.fromkeys(name for each in self.records for name in each.numbers))


def explain_work(period, definition: WorkDefinition, inputs: dict[str, float]) -> WorkExplained:
    """The explanation of one figure with these inputs, of a `kpis.figures.Period` that was asked for alone."""
    known = period.work.of(definition.records, period.place)
    rows = Rows(period.work, period.place, definition.rule)
    return WorkExplained(
        # Labour in days would be read as days of work, so sums are told in hours, as in the calculation.
        sums=[
            (NAMES[name][0], *shown(HOURS if NAMES[name][1] == TIME else NAMES[name][1], value))
            for name, value in inputs.items()
        ],
        left_out=left_out(known, definition),
        records=[] if period.start >= period.now else rows.of(definition.records),
    )


def shown(what: str, value: float | None) -> tuple[str, float | None]:
    """What a number is, and the number as it is shown."""
    return what, value / 3600 if what == HOURS and value is not None else value


def left_out(known: Any, definition: WorkDefinition) -> list[str]:
    """What a figure does not rest on, and why."""
    match known:
        case Preventive():
            sums = known.inputs(definition.rule) if definition.rule else known.inputs()
            return [
                *said(sums["skipped"], ngettext("%(n)d occurrence was skipped with approval and is not counted.",
                      "%(n)d occurrences were skipped with approval and are not counted.", sums["skipped"])),
                *said(sums["pending"], ngettext("%(n)d occurrence may still be done in time.",
                      "%(n)d occurrences may still be done in time.", sums["pending"])),
            ]  # fmt: skip
        case Kept(weeks=weeks, over=over) if weeks:
            return said(over - weeks, _("%(n)d of %(all)d weeks that ended in this window were not agreed."), over)
        case BreakIn(total=total, agreed=agreed) if total > agreed > 0:
            return [_("%(hours)s of %(all)s of labour lie in weeks that were not agreed.")
                    % {"hours": hours(total - agreed), "all": hours(total)}]  # fmt: skip
        case Requests(declined=declined, waiting=waiting):
            return [
                *said(declined, ngettext("%(n)d request was declined.", "%(n)d requests were declined.", declined)),
                *said(waiting, ngettext("%(n)d request waits for an answer.", "%(n)d requests wait for an answer.",
                      waiting)),
            ]  # fmt: skip
        case Backlog(orders=orders, unestimated=missing) | Load(backlog=Backlog(orders=orders, unestimated=missing)):
            return said(missing, _("%(n)d of %(all)d open orders have no estimate; their labour is not known."), orders)
        case Closed(orders=orders, with_problem=named):
            return said(orders - named, _("%(n)d of %(all)d closed orders name no problem."), orders)
        case Spent(worked=worked, priced=priced) if worked > priced:
            return [_("%(hours)s of %(all)s of labour have no price yet.")
                    % {"hours": hours(worked - priced), "all": hours(worked)}]  # fmt: skip
        case UnitCost(spent=spent, output=output):
            return [
                *left_out(spent, definition),
                *said(output.assets > 1 and output.assets,
                      _("The counts of %(n)d assets are added up. Where they handle the same pieces one after the"
                        " other, let the line that they stand in count its output: then it alone counts.")),
            ]  # fmt: skip
        case Upkeep(spent=spent, worth=worth, left_out=money):
            return [
                *left_out(spent, definition),
                *said(worth.machines - worth.valued_machines,
                      _("%(n)d of %(all)d machines have no replacement value, of their own or of their line; they are"
                        " left out with the %(money)s spent on them."), worth.machines, money=number_text(money, 2)),
            ]  # fmt: skip
        case Repairs(events=events, open=still, restored=restored, with_order=ordered, with_labour=worked):
            return [
                *said(restored - ordered, _("%(n)d of %(all)d restored failures have no work order."), restored),
                *said(ordered - worked, _("%(n)d of %(all)d restored failures have no labour."), restored),
                *said(still, _("%(n)d of %(all)d failures are still open."), events),
                *said(events - restored - still, _("%(n)d of %(all)d failures have no restoration time."), events),
            ]  # fmt: skip
    return []


def said(number: float, sentence: str, whole: float = 0, **words: str) -> list[str]:
    """The sentence, if there is anything to say."""
    return [sentence % {"n": number, "all": whole, **words}] if number else []


def difference(before: Record | None, after: Record | None, currency: str) -> tuple[str, str]:
    """How a record was and how it is, in words: its remark, and the numbers that differ."""
    numbers = dict.fromkeys([*(before.numbers if before else ()), *(after.numbers if after else ())])
    differ = [name for name in numbers if not (before and after) or before.numbers.get(name) != after.numbers.get(name)]
    units = {TIME: "h", HOURS: "h", DAYS: "d", MONEY: currency, NUMBER: ""}

    def words(record: Record | None, none: str) -> str:
        if record is None:
            return none
        parts = [record.remark]
        for name in differ:
            value, what = record.numbers.get(name), NAMES[name][1]
            if value is not None:
                value = value / 3600 if what in (TIME, HOURS) else value
                parts.append(f"{number_text(value, 0 if what == DAYS else 2)}\u202f{units[what]}".strip())
        return ", ".join(part for part in parts if part) or _("one of them")

    return words(before, _("not among them")), words(after, _("no longer among them"))
