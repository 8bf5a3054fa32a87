"""The life of an ImportRun: a file is taken in, its columns are mapped, it is checked, imported, perhaps undone.

Checking and importing are the same work; only the end differs. Large files are worked on in the background: the
page may be left and come back to. A worker that is killed leaves nothing half done, and the task starts anew.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import redis.exceptions
from django.apps import apps
from django.core.cache import cache
from django.core.files import File
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict, DomainError, NotAllowed, Refused
from core.events import record
from core.imports.files import MAX_BYTES, FileProblem, Table, open_table
from core.imports.kinds import KINDS, Kind
from core.imports.mapping import ColumnMap, Findings, look, settle, suggest
from core.imports.running import Order, Report, carry_out
from core.models import ImportRun, ImportState, Site
from core.outage import OUTAGES

INLINE_BYTES = 400_000  # about 5,000 rows, a few seconds; larger files are worked on in the background
BUSY = [ImportState.CHECKING, ImportState.RUNNING]
LOCK = 0x1A9047  # namespace of the advisory lock that keeps one worker per run


def kind_of(run: ImportRun) -> Kind:
    return KINDS[run.kind]


def table_of(run: ImportRun) -> Table:
    reading = {name: value for name, value in run.reading.items() if name in ("encoding", "delimiter", "sheet")}
    return open_table(Path(run.file.path), **reading)


def require(run_or_site: ImportRun | Site, kind: Kind, by) -> None:
    site = run_or_site.site if isinstance(run_or_site, ImportRun) else run_or_site
    if by is not None and not by.can(kind.capability, site):
        raise NotAllowed(_("Your role at this site does not include this import."))


# --- Take in and map -------------------------------------------------------------------------------------


def take_in(*, site: Site, kind: Kind, file: File, name: str, by, **reading: str) -> ImportRun:
    """Keep a file and suggest what its columns mean. Raises FileProblem; then nothing is kept."""
    require(site, kind, by)
    if file.size > MAX_BYTES:
        message = _("The file is larger than %(limit)d MiB; divide it.") % {"limit": MAX_BYTES // 2**20}
        raise FileProblem(message, "too_large")
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(prefix="import-") as copy:
        for chunk in file.chunks():
            copy.write(chunk)
            digest.update(chunk)
        copy.flush()
        table = open_table(Path(copy.name), **reading)
        if next(iter(table.rows()), None) is None:
            raise FileProblem(_("The file has a header but no rows."), "no_rows")
        run = ImportRun(
            site=site, kind=kind.slug, name=Path(name).name[:200] or "file", size=file.size, by=by,
            sha256=digest.hexdigest(), reading=table.facts,
        )  # fmt: skip
        run.mapping = suggest(table, kind, remembered(site, kind)).as_json()
        with Path(copy.name).open("rb") as stored:
            run.file.save(run.name, File(stored), save=False)
        run.save()
    return run


def remembered(site: Site, kind: Kind) -> ColumnMap | None:
    """The mapping of the last import of this kind at this site."""
    last = ImportRun.objects.filter(site=site, kind=kind.slug, state=ImportState.DONE).first()
    return ColumnMap.of(last.mapping) if last else None


def same_file(run: ImportRun) -> ImportRun | None:
    """The last time the very same file was imported."""
    same = ImportRun.objects.filter(site=run.site, kind=run.kind, sha256=run.sha256, state=ImportState.DONE)
    return same.exclude(pk=run.pk).first()


def read_again(run: ImportRun, *, by, **reading: str) -> None:
    """Read the file with another encoding, delimiter or sheet. Raises FileProblem; then it stays as it was."""
    require(run, kind_of(run), by)
    _not_over(run)
    wanted = {name: value for name, value in reading.items() if value}
    table = open_table(Path(run.file.path), **wanted)
    run.reading = table.facts
    run.mapping = suggest(table, kind_of(run), ColumnMap.of(run.mapping)).as_json()
    run.state = ImportState.UPLOADED
    run.save(update_fields=["reading", "mapping", "state"])


def findings(run: ImportRun, mapping: ColumnMap | None = None) -> Findings:
    return look(table_of(run), kind_of(run), (mapping or ColumnMap.of(run.mapping)).columns)


def set_mapping(run: ImportRun, mapping: ColumnMap, *, by) -> None:
    """Say what the columns mean. Raises MappingProblem for what is still open; it is kept all the same."""
    kind = kind_of(run)
    require(run, kind, by)
    _not_over(run)
    run.mapping, run.state = mapping.as_json(), ImportState.UPLOADED
    run.save(update_fields=["mapping", "state"])
    table = table_of(run)
    run.mapping = settle(mapping, table, kind, look(table, kind, mapping.columns), run.site).as_json()
    run.save(update_fields=["mapping"])


def _not_over(run: ImportRun) -> None:
    if run.state in (ImportState.DONE, ImportState.UNDONE, *BUSY):
        raise Conflict(_("This import is over or under way; upload the file again."), code="over")


# --- Check and import ------------------------------------------------------------------------------------


def start(run: ImportRun, *, by, importing: bool, partial: bool = False, queue: Callable[[int], None]) -> None:
    """Begin a check or the import itself: at once for small files, else by `queue(run_id)`.

    Conflict if somebody else pressed first.
    """
    require(run, kind_of(run), by)
    sources = [ImportState.CHECKED] if importing else [ImportState.UPLOADED, ImportState.CHECKED, ImportState.FAILED]
    target = ImportState.RUNNING if importing else ImportState.CHECKING
    moved = ImportRun.objects.filter(pk=run.pk, state__in=sources).update(
        state=target, partial=partial, error="", finished=None
    )
    if not moved:
        raise Conflict(_("Somebody else was faster, or the file has not been checked yet."), code="wrong_state")
    run.refresh_from_db()
    if run.size > INLINE_BYTES:
        # Robust: the run is kept, and what cannot be queued now is taken up by `resume`.
        transaction.on_commit(lambda: queue(run.pk), robust=True)
    else:
        work(run.pk)
        run.refresh_from_db()


def resume(queue: Callable[[int], None]) -> int:
    """Queue every run that is under way; returns how many. One that a worker has in hand is left to it.

    A job is lost when Redis was away as it was to be queued, or PostgreSQL as a worker was on it.
    """
    waiting = list(ImportRun.objects.filter(state__in=BUSY).values_list("pk", flat=True))
    for run_id in waiting:
        queue(run_id)
    return len(waiting)


def work(run_id: int) -> str:
    """Do what the run's state asks for; returns a short fact. Safe to call twice, and again after a crash."""
    run = ImportRun.objects.select_related("site", "by").get(pk=run_id)
    if run.state not in BUSY:
        return "nothing to do"
    with tempfile.NamedTemporaryFile("w+", prefix="rejects-", newline="", encoding="utf-8-sig") as rejects:
        try:
            with _alone(run) as alone:
                if not alone:
                    return "another worker does it"
                report = _carried_out(run, rejects)
        except DomainError as error:
            _fail(run, error.message)
            return error.message
        except OUTAGES:
            raise  # not the file's fault: `resume` begins anew
        except Exception as error:
            _fail(run, _("Something went wrong; nothing was imported."))
            raise error
    _tell(run_id, 0)
    return report.sentence


def _carried_out(run: ImportRun, rejects) -> Report:
    order = Order(
        table_of(run), kind_of(run), ColumnMap.of(run.mapping), run.site, run.by,
        dry_run=run.state == ImportState.CHECKING, partial=run.partial,
    )  # fmt: skip
    with transaction.atomic():
        report = carry_out(order, rejects=rejects, progress=lambda rows: _tell(run.pk, rows))
        run.counts, run.report, run.created = report.counts, report.as_json(), report.created
        run.finished = timezone.now()
        # What was valid at the check may be invalid by now: then nothing was imported, and the reasons are new.
        run.state = ImportState.DONE if report.done else ImportState.CHECKED
        if run.rejects:
            run.rejects.delete(save=False)
        if report.counts["rejected"]:
            rejects.flush()
            with Path(rejects.name).open("rb") as written:
                run.rejects.save("rejects.csv", File(written), save=False)
        run.save()
        if report.done:
            record(
                "import.done", run, by=run.by, site=run.site, counts=report.counts, kind=run.kind,
                summary=f"{kind_of(run).label}: {run.name}: {report.sentence}",
            )  # fmt: skip
    return report


def _fail(run: ImportRun, message: str) -> None:
    ImportRun.objects.filter(pk=run.pk).update(state=ImportState.FAILED, error=message, finished=timezone.now())


class _alone:
    """Keeps two workers from the same run: a session lock that vanishes with its worker."""

    def __init__(self, run: ImportRun):
        self.key = run.pk

    def __enter__(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, self.key])
            self.held = cursor.fetchone()[0]
        return self.held

    def __exit__(self, *error) -> None:
        if self.held and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, self.key])


def progress_key(run_id: int) -> str:
    return f"import-progress-{run_id}"


def _tell(run_id: int, rows: int) -> None:
    """Progress is a courtesy; without a cache the work goes on."""
    with contextlib.suppress(redis.exceptions.RedisError):
        cache.set(progress_key(run_id), rows, timeout=3600)


def progress(run: ImportRun) -> int:
    """Rows that were read so far."""
    return cache.get(progress_key(run.pk)) or 0


# --- Undo ------------------------------------------------------------------------------------------------


@transaction.atomic
def undo(run: ImportRun, *, by) -> int:
    """Take an import back as long as nothing was built upon its rows; returns how many went. Refused otherwise."""
    require(run, kind_of(run), by)
    if not ImportRun.objects.filter(pk=run.pk, state=ImportState.DONE).update(state=ImportState.UNDONE):
        raise Conflict(_("This import is not one that can be undone."), code="wrong_state")
    own = {apps.get_model(label): ids for label, ids in run.created.items()}
    for model, id_ranges in own.items():
        _check_untouched(model, id_ranges, own)
    gone = 0
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for model, id_ranges in own.items():
        rows = model._base_manager.filter(_within(id_ranges))
        gone += rows._raw_delete(rows.db)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    record("import.undone", run, by=by, site=run.site, summary=_("Import of %(name)s undone") % {"name": run.name})
    run.refresh_from_db()
    return gone


def _within(id_ranges: Iterable[list[int]], path: str = "pk") -> models.Q:
    found = models.Q(pk__in=[])
    for first, last in id_ranges:
        found |= models.Q(**{f"{path}__range": (first, last)})
    return found


def _check_untouched(model: type[models.Model], id_ranges: list[list[int]], own: dict) -> None:
    name = model._meta.verbose_name_plural
    rows = model._base_manager.filter(_within(id_ranges))
    expected = sum(last - first + 1 for first, last in id_ranges)
    if rows.count() != expected:
        raise Refused(_("Some of the %(rows)s were removed since.") % {"rows": name}, code="built_upon")
    if any(field.name == "version" for field in model._meta.concrete_fields) and rows.exclude(version=1).exists():
        raise Refused(_("Some of the %(rows)s were changed since.") % {"rows": name}, code="built_upon")
    for relation in model._meta.related_objects:
        others = relation.related_model._base_manager.filter(_within(id_ranges, f"{relation.field.name}__pk"))
        if relation.related_model in own:
            others = others.exclude(_within(own[relation.related_model]))
        if getattr(relation.related_model, "computed", False):
            others._raw_delete(others.db)  # worked out from the rows that go, and gone with them
            continue
        if others.exists():
            words = {"rows": name, "others": relation.related_model._meta.verbose_name_plural}
            raise Refused(_("Other data was built upon these %(rows)s: %(others)s.") % words, code="built_upon")
