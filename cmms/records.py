"""What an administrator looks at when something seems wrong: jobs with their last runs, and the audit trail."""

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cmms.schedule import JOBS
from core.filters import EventFilter
from core.kit.badges import Badge
from core.kit.tables import BadgeColumn, Column, DurationColumn, Empty, NumberColumn, Table, WhenColumn
from core.kit.views import ListPage
from core.models import Event, JobRun


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


class Jobs(ListPage):
    """What runs by itself, in plain sentences, and how it went."""

    template_name = "cmms/jobs.html"
    model, table = JobRun, RunTable
    title = gettext_lazy("Jobs")

    def may(self, user) -> bool:
        return bool(user.sites_where("administer"))

    def rows(self):
        """Runs for the whole installation and for the sites where the user is administrator."""
        sites = self.request.user.sites_where("administer")
        return JobRun.objects.filter(Q(site=None) | Q(site__in=sites)).select_related("site", "started_by")

    def answer(self) -> str:
        failed = self.rows().exclude(error="").order_by("-started").first()
        last = failed and self.rows().filter(name=failed.name, started__gt=failed.started, error="").exists()
        if failed and not last:
            return _("%(job)s failed and has not succeeded since.") % {"job": failed.name}
        return _("No job is failing.")

    def context(self) -> dict:
        return {"jobs": JOBS}


class EventTable(Table):
    """Events, newest first."""

    at = WhenColumn(gettext_lazy("When"), order_by="at", phone="subtitle")
    summary = Column(gettext_lazy("What happened"), phone="title")
    actor = Column(gettext_lazy("Who"), lambda event: event.actor or _("Tandem"), order_by="actor__username")
    verb = Column(gettext_lazy("Verb"), order_by="verb", hidden=True)
    object_type = Column(gettext_lazy("Kind of row"), order_by="object_type", hidden=True)
    object_id = Column(gettext_lazy("Row"), hidden=True)
    default_sort = "-at"
    empty = Empty(gettext_lazy("Nothing has happened yet."), icon="history")


class AuditTrail(ListPage):
    """Who did what, and when; rows of it are never changed."""

    model, table, filterset = Event, EventTable, EventFilter
    title = gettext_lazy("Audit trail")

    def may(self, user) -> bool:
        return self.request.site is not None and user.can("administer", self.request.site)

    def rows(self):
        return super().rows().select_related("actor")

    def answer(self) -> str:
        return _("Events are written once and can be neither changed nor deleted.")
