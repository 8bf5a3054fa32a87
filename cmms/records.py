"""What an administrator looks at when something seems wrong: jobs with their last runs, and the audit trail."""

from collections import defaultdict
from itertools import islice

from django.apps import apps
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cmms.schedule import JOBS
from core.filters import EventFilter
from core.kit.tables import Column, Empty, Table, WhenColumn
from core.kit.views import ListPage
from core.models import Event, JobRun
from core.run_table import RunTable


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


def name_subjects(events: list[Event]) -> list[Event]:
    """Give each event the row it is about (`subject`, None if it is gone), in one query per kind of row."""
    kinds = defaultdict(set)
    for event in events:
        kinds[event.object_type].add(event.object_id)
    rows = {kind: apps.get_model(kind)._base_manager.select_related().in_bulk(ids) for kind, ids in kinds.items()}
    for event in events:
        event.subject = rows[event.object_type].get(event.object_id)
    return events


def subject_text(event: Event) -> str:
    kind = apps.get_model(event.object_type)._meta.verbose_name
    return str(event.subject) if event.subject is not None else f"{kind} {event.object_id}"


def subject_address(event: Event) -> str | None:
    return event.subject.get_absolute_url() if hasattr(event.subject, "get_absolute_url") else None


class EventTable(Table):
    """Events, newest first."""

    at = WhenColumn(gettext_lazy("When"), order_by="at", phone="subtitle")
    summary = Column(gettext_lazy("What happened"), phone="title")
    subject = Column(gettext_lazy("About"), subject_text, link=subject_address)
    actor = Column(gettext_lazy("Who"), lambda event: event.actor or _("Tandem"), order_by="actor__username")
    verb = Column(gettext_lazy("Verb"), order_by="verb", hidden=True)
    object_type = Column(gettext_lazy("Kind of row"), order_by="object_type", hidden=True)
    object_id = Column(gettext_lazy("Row"), hidden=True)
    default_sort = "-at"
    empty = Empty(gettext_lazy("Nothing has happened yet."), icon="history")

    def _read(self) -> list:
        return super()._read() if hasattr(self, "_rows") else name_subjects(super()._read())

    def file_rows(self):
        rows = self.sorted().iterator(chunk_size=2000)
        while chunk := list(islice(rows, 2000)):
            yield from ([column.file_value(event) for column in self.shown] for event in name_subjects(chunk))


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
