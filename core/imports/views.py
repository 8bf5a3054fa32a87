"""The import pages: upload, map, dry run, result, history, undo."""

from functools import cached_property
from pathlib import Path

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import tasks
from core.errors import DomainError
from core.imports import runs
from core.imports.forms import MappingForm, ReadingForm, UploadForm, kinds_for, posted_columns
from core.imports.kinds import KINDS
from core.imports.mapping import ColumnMap
from core.kit.badges import Action, Badge
from core.kit.form_views import ActionPage, FormPage
from core.kit.tables import BadgeColumn, Column, Empty, NumberColumn, Table, WhenColumn
from core.kit.views import ListPage, ObjectPage
from core.models import ImportRun, ImportState

TONES = {
    ImportState.UPLOADED: ("watch", "table-import"),
    ImportState.CHECKING: ("watch", "loader"),
    ImportState.CHECKED: ("watch", "list-check"),
    ImportState.RUNNING: ("watch", "loader"),
    ImportState.DONE: ("ok", "check"),
    ImportState.FAILED: ("stop", "alert-octagon"),
    ImportState.UNDONE: ("idle", "arrow-back-up"),
}


def badge(run: ImportRun) -> Badge:
    return Badge(run.get_state_display(), *TONES[run.state])


class ImportTable(Table):
    """Files that were brought in, newest first."""

    name = Column(gettext_lazy("File"), link=True, phone="title")
    kind = Column(gettext_lazy("Holds"), lambda run: KINDS[run.kind].label, order_by="kind", phone="subtitle")
    state = BadgeColumn(gettext_lazy("State"), badge, order_by="state")
    rows = NumberColumn(gettext_lazy("Rows"), lambda run: run.counts.get("rows"))
    accepted = NumberColumn(gettext_lazy("Accepted"), lambda run: run.counts.get("accepted"))
    rejected = NumberColumn(gettext_lazy("Rejected"), lambda run: run.counts.get("rejected"))
    by = Column(gettext_lazy("By"), lambda run: run.by or _("a script"))
    at = WhenColumn(gettext_lazy("Uploaded"), order_by="at", relative=True)
    default_sort = "-at"
    empty = Empty(
        gettext_lazy("Nothing has been imported yet."), gettext_lazy("Import a file"), "import-new", icon="file-import"
    )


class ImportList(ListPage):
    model, table = ImportRun, ImportTable
    title = gettext_lazy("Import")

    def may(self, user) -> bool:
        return bool(kinds_for(user, self.request.site))

    def rows(self):
        offered = [kind.slug for kind in kinds_for(self.request.user, self.request.site)]
        return super().rows().filter(kind__in=offered).select_related("by")

    def answer(self) -> str:
        waiting = self.rows().filter(state__in=[ImportState.UPLOADED, ImportState.CHECKED]).count()
        if not waiting:
            return _("Bring in assets, stops, counts and orders from CSV or XLSX.")
        return ngettext("%(n)d file waits for a decision.", "%(n)d files wait for a decision.", waiting) % {
            "n": waiting
        }

    def actions(self) -> list[Action]:
        return [Action(_("Import a file"), reverse("import-new"), "file-import", tone="primary")]


class NewImport(FormPage):
    model, form_class = ImportRun, UploadForm
    title, submit, done = (
        gettext_lazy("Import a file"),
        gettext_lazy("Read the file"),
        gettext_lazy("The file is read."),
    )
    parent = (gettext_lazy("Import"), reverse_lazy("imports"))

    def may(self, user) -> bool:
        return bool(kinds_for(user, self.request.site))

    def save(self, form: UploadForm) -> ImportRun:
        file = form.cleaned_data["file"]
        kind = KINDS[form.cleaned_data["kind"]]
        return runs.take_in(site=self.request.site, kind=kind, file=file, name=file.name, by=self.request.user)

    def success_url(self, run: ImportRun) -> str:
        return reverse("import-mapping", args=[run.pk])


class RunPage(ObjectPage):
    """A page about one import, for those who may import its kind."""

    model = ImportRun
    parent = (gettext_lazy("Import"), reverse_lazy("imports"))

    def rows(self):
        return super().rows().select_related("site", "by")

    def may_object(self, user, run: ImportRun) -> bool:
        return user.can(KINDS[run.kind].capability, run.site)


class ImportPage(RunPage):
    """Where the import stands: the dry run and what to do next, the progress, or the result."""

    template_name = "imports/run.html"
    partial_name = "imports/_run.html"

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        run = self.object
        if run.state == ImportState.UPLOADED:
            return HttpResponseRedirect(reverse("import-mapping", args=[run.pk]))
        partial = getattr(request, "htmx", False) and request.htmx.target == "import-run"
        return self.draw(self.partial_name if partial else None)

    def context(self) -> dict:
        run = self.object
        counts = run.counts
        mapped = [each for each in KINDS[run.kind].fields if each.name in run.mapping.get("columns", {})]
        return super().context() | {
            "run": run,
            "badges": [badge(run)],
            "answer": self.answer(),
            "kind": KINDS[run.kind],
            "busy": run.state in runs.BUSY,
            "progress": runs.progress(run) if run.state in runs.BUSY else 0,
            "tiles": [
                (_("Rows"), counts.get("rows"), ""),
                (_("Accepted"), counts.get("accepted"), ""),
                (_("Rejected"), counts.get("rejected"), "stop" if counts.get("rejected") else ""),
                (_("Unchanged"), counts.get("unchanged"), ""),
                (_("Duplicates"), counts.get("duplicates"), "warn" if counts.get("duplicates") else ""),
            ] if counts else [],
            "columns": [(each.label, run.mapping["columns"][each.name]) for each in mapped],
            "preview": [
                (row["line"], [row["values"].get(each.name, "") for each in mapped])
                for row in run.report.get("preview", [])
            ],
            "preview_heads": [each.label for each in mapped],
            "same": runs.same_file(run) if run.state == ImportState.CHECKED else None,
        }  # fmt: skip

    def answer(self) -> str:
        run, counts = self.object, self.object.counts
        if run.state == ImportState.FAILED:
            return run.error
        if run.state == ImportState.CHECKED:
            if counts["rejected"]:
                return _("Nothing is imported yet. %(rejected)d of %(rows)d rows cannot be taken.") % counts
            if not counts["accepted"]:
                return _("Every row of this file is here already; importing it changes nothing.")
            return _("Nothing is imported yet. All rows can be taken.")
        if run.state == ImportState.DONE:
            return _("%(accepted)d rows imported, %(unchanged)d were here already, %(rejected)d left out.") % counts
        if run.state == ImportState.UNDONE:
            return _("What this import brought in was taken back.")
        return _("You may leave this page; the work goes on.")

    def actions(self) -> list[Action]:
        run = self.object
        if run.state == ImportState.CHECKED:
            return self.decisions(run)
        if run.state == ImportState.FAILED:
            return [Action(_("Change the mapping"), reverse("import-mapping", args=[run.pk]), "adjustments")]
        if run.state == ImportState.DONE and run.created:
            return [Action(_("Undo"), reverse("import-undo", args=[run.pk]), "arrow-back-up")]
        return []

    def decisions(self, run: ImportRun) -> list[Action]:
        start = reverse("import-start", args=[run.pk])
        actions = []
        if not run.counts["rejected"]:
            label = _("Import %(n)s rows") % {"n": f"{run.counts['accepted']:,}"}
            if run.counts["accepted"]:
                actions.append(Action(label, start, "file-import", tone="primary", post=True))
        elif run.counts["accepted"]:
            valid = run.counts["accepted"]
            label = ngettext("Import the %(n)s valid row", "Import the %(n)s valid rows", valid) % {"n": f"{valid:,}"}
            actions.append(Action(label, start, "file-import", post=True, fields=(("partial", "1"),)))
        actions.append(Action(_("Change the mapping"), reverse("import-mapping", args=[run.pk]), "adjustments"))
        return actions


class MappingPage(RunPage):
    """What the columns mean; a valid answer is followed by the dry run."""

    template_name = "imports/mapping.html"
    title = gettext_lazy("What the columns mean")

    def crumbs(self):
        return [*super().crumbs(), (str(self.object), reverse("imports"))]

    @cached_property
    def table(self):
        return runs.table_of(self.object)

    def draw_form(self, form: MappingForm, *, status: int = 200, reading=None) -> HttpResponse:
        sheets = self.table.sheets
        reading = reading or ReadingForm(self.object, sheets, user=self.request.user)
        groups = {
            "columns": [form[name] for name in form.fields if name.startswith("column_")],
            "formats": [form[name] for name in ("date_format", "decimal") if name in form.fields],
            "meanings": [form[name] for name in form.fields if name.startswith("value_")],
            "options": [form[name] for name in form.fields if name.startswith("option_")],
        }
        rows = [row for row, _count in zip(self.table.rows(), range(5), strict=False)]
        return self.draw(
            form=form, reading=reading, groups=groups, header=self.table.header, sample=rows,
            answer=_("%(name)s · %(kind)s") % {"name": self.object.name, "kind": KINDS[self.object.kind].label},
            status=status,
        )  # fmt: skip

    def form(self, mapping: ColumnMap, data=None) -> MappingForm:
        run = self.object
        found = runs.findings(run, mapping)
        return MappingForm(run, KINDS[run.kind], self.table.header, mapping, found, data, user=self.request.user)

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if self.object.state in (ImportState.DONE, ImportState.UNDONE, *runs.BUSY):
            return HttpResponseRedirect(self.object.get_absolute_url())
        return self.draw_form(self.form(ColumnMap.of(self.object.mapping)))

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        run = self.object
        if "reading" in request.POST:
            return self.read_again(request)
        posted = ColumnMap.of(run.mapping)
        posted.columns = posted_columns(KINDS[run.kind], request.POST)
        form = self.form(posted, request.POST)
        valid = form.is_valid()
        if valid and form.asks_anew:
            form.add_error(None, _("The columns you chose ask for more; see below."))
            valid = False
        if valid:
            try:
                runs.set_mapping(run, form.mapping(), by=request.user)
                runs.start(run, by=request.user, importing=False, queue=tasks.carry_out_import.delay)
            except DomainError as error:
                name = next((n for n in (error.field, f"column_{error.field}") if n in form.fields), None)
                form.add_error(name, error.message)
            else:
                return HttpResponseRedirect(run.get_absolute_url())
        return self.draw_form(form, status=422)

    def read_again(self, request: HttpRequest) -> HttpResponse:
        reading = ReadingForm(self.object, self.table.sheets, request.POST, user=request.user)
        if reading.is_valid():
            try:
                runs.read_again(self.object, by=request.user, **reading.cleaned_data)
            except DomainError as error:
                reading.add_error(None, error.message)
            else:
                return HttpResponseRedirect(request.path)
        return self.draw_form(self.form(ColumnMap.of(self.object.mapping)), status=422, reading=reading)


class StartImport(RunPage):
    """Import what the dry run has checked."""

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        run = self.object
        try:
            runs.start(
                run, by=request.user, importing=True, partial=request.POST.get("partial") == "1",
                queue=tasks.carry_out_import.delay,
            )  # fmt: skip
        except DomainError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(run.get_absolute_url())


class Rejects(RunPage):
    """The rejected rows with their reasons, as a file to correct and send again."""

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not self.object.rejects:
            raise Http404("No row was rejected")
        name = f"{Path(self.object.name).stem}-rejected.csv"
        return FileResponse(self.object.rejects.open("rb"), as_attachment=True, filename=name, content_type="text/csv")


class UndoImport(RunPage, ActionPage):
    """Take an import back while nothing was built upon it."""

    title = gettext_lazy("Undo this import")
    submit, icon, tone = gettext_lazy("Undo the import"), "arrow-back-up", "stop"
    sentence = gettext_lazy(
        "All rows that this import brought in are deleted, as long as nobody has changed them or built upon them."
    )

    def do(self, run: ImportRun) -> str:
        gone = runs.undo(run, by=self.request.user)
        return _("Taken back: %(n)d rows.") % {"n": gone}
