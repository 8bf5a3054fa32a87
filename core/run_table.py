"""How runs of background jobs look in a list."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.kit.badges import Badge
from core.kit.tables import BadgeColumn, Column, DurationColumn, Empty, NumberColumn, Table, WhenColumn
from core.models import JobRun


def outcome(run: JobRun) -> Badge:
    """How a run ended: a run without an end is still going, or its worker was killed and another takes it up."""
    if run.error:
        return Badge(_("Failed"), "stop", "alert-octagon")
    if run.finished is None:
        return Badge(_("Running"), "watch", "player-play")
    return Badge(_("Done"), "ok", "check")


class RunTable(Table):
    """Runs of background jobs, newest first."""

    name = Column(gettext_lazy("Job"), order_by="name", phone="title")
    state = BadgeColumn(gettext_lazy("State"), outcome)
    started = WhenColumn(gettext_lazy("Started"), order_by="started", phone="subtitle", relative=True)
    took = DurationColumn(gettext_lazy("Took"), lambda run: run.finished and run.finished - run.started)
    rows = NumberColumn(gettext_lazy("Rows"), order_by="rows")
    fact = Column(gettext_lazy("Result"), lambda run: run.error or run.fact)
    by = Column(gettext_lazy("Started by"), "started_by", hidden=True)
    site = Column(gettext_lazy("Site"), "site.code", hidden=True)
    default_sort = "-started"
    empty = Empty(gettext_lazy("No job has run yet."), icon="clock-play")
