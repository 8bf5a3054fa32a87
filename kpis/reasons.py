"""Words for why a figure has no plain value, and for the losses of planned production time."""

from django.utils.translation import gettext_lazy as _

from kpis.formulas import Reason
from kpis.work import Lack

REASONS = {
    Reason.NONE: "",
    Reason.NOT_BEGUN: _("This window has not begun."),
    Reason.NOT_IN_SERVICE: _("Not in service in this window."),
    Reason.NO_RECORDS: _("Nothing was ever recorded for it, or nothing for too long, so its state is unknown."),
    Reason.NO_PLANNED_TIME: _("No production was planned in this window."),
    Reason.NO_OPERATING_TIME: _("It did not operate in this window."),
    Reason.NO_FAILURES: _("No failure occurred in this window."),
    Reason.NO_RESTORATION_TIMES: _("No restoration times were recorded."),
    Reason.NOT_RESTORED_YET: _("No failure of this window has been restored yet."),
    Reason.NO_COUNTS: _("No production counts were reported."),
    Reason.NOTHING_MADE: _("Nothing was made."),
    Reason.LOW_COVERAGE: _("The state is known for too small a part of the planned time."),
    Reason.FASTER_THAN_IDEAL: _("More was made than the ideal cycle time allows: it is too long, or a count is wrong."),
    Reason.COUNTED_WHILE_DOWN: _("Pieces were counted while no operating time was recorded."),
    Reason.NOTHING_DUE: _("Nothing was due in this window."),
    Lack.NO_ORDERS: _("No work order had been raised for it by then."),
    Lack.NO_LABOUR: _("No labour was recorded in this window."),
    Lack.NO_REQUESTS: _("No request was accepted of this window."),
    Lack.NOT_ANSWERED_YET: _("No request of this window has been accepted yet."),
    Lack.NO_ESTIMATES: _("None of the open orders has an estimate."),
    Lack.NO_WEEK_OVER: _("No week ended in this window; what was agreed is judged when its week is over."),
    Lack.NOT_AGREED: _("No week in this window was agreed, so that there is no schedule to compare with."),
    Lack.NOTHING_PROMISED: _("Nothing was agreed for this in the weeks that ended in this window."),
    Lack.NO_CAPACITY: _("No labour capacity holds then: how many hours a week the crew can work is not known."),
    Lack.PAID_BY_SITE: _("The crew is paid by the site, so it is told of the whole site only."),
    Lack.NO_PAID_HOURS: _("No paid hours of the crew hold in this window."),
    Lack.PAID_HOURS_LATER: _("The paid hours of the crew are known for a part of this window only."),
    Lack.READY_NOT_RECORDED: _("What was ready at a past moment is not recorded; ask for a window that reaches now."),
    Lack.NOTHING_OPEN: _("No order was open."),
    Lack.NOTHING_CLOSED: _("No order was closed in this window."),
    Lack.NO_PROBLEMS: _("No closed order names a problem, so what came back is not known."),
    Lack.NO_PRICES: _("The labour of this window has no price yet."),
    Lack.NO_HOURLY_COST: _("No asset here has a cost of one hour down."),
    Lack.NO_MARGIN: _("No net margin of the site holds in this window."),
    Lack.MARGIN_LATER: _("The net margin of the site is known for a part of this window only."),
    Lack.NO_PROFIT: _("The net margin of the site is not above zero, so nothing can be a share of it."),
    Lack.NO_FAILURE_ORDERS: _("No restored failure of this window has a work order."),
    Lack.NO_FAILURE_LABOUR: _("No labour was recorded on the restored failures of this window."),
    Lack.NO_REPLACEMENT_VALUE: _("Neither it nor anything below it has a replacement value."),
    Lack.FEW_REPLACEMENT_VALUES: _("Too few of its machines have a replacement value, of their own or of their line."),
    Lack.WORTH_NOTHING: _("Its replacement value is nought, so nothing can be a share of it."),
    Lack.FEW_KNOWN: _("Too small a part of the records tells what this figure needs."),
}

# The steps of the waterfall from planned production time down to good time, and what lies before it.
LOSSES = {
    "breakdown": _("Breakdowns"),
    "setup": _("Setup and adjustment"),
    "other": _("Other stops"),
    "short": _("Short stops"),
    "unclassified": _("Without a reason"),
    "reduced_speed": _("Reduced speed"),
    "scrap": _("Scrap"),
    "rework": _("Rework"),
    "good": _("Good time"),
    "not_scheduled": _("Not scheduled"),
    "unknown": _("Unknown"),
    "planned_stops": _("Planned stops, excluded"),
}
