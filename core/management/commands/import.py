"""manage.py import KIND FILE --site CODE: the import page, for scripts."""

import sys
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from core.imports import runs
from core.imports.kinds import KINDS
from core.imports.mapping import ColumnMap
from core.models import ImportRun, ImportState, Site


class Command(BaseCommand):
    help = "Imports a CSV or XLSX file. Nothing is imported unless every row is valid (or --partial is given)."

    def add_arguments(self, parser):
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("file", type=Path)
        parser.add_argument("--site", required=True, help="code of the site")
        parser.add_argument("--user", help="whose name and rights the import has; without it, the system's")
        parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="what a column holds")
        parser.add_argument("--date-format", default="", help="how days are written, for example dmy. or mdy/")
        parser.add_argument("--decimal", default="", choices=["", "point", "comma"])
        parser.add_argument("--value-map", action="append", default=[], metavar="FIELD:VALUE=MEANING")
        parser.add_argument("--option", action="append", default=[], help="an option of the kind, such as failures")
        parser.add_argument("--encoding", default="")
        parser.add_argument("--delimiter", default="", help="a sign, or tab")
        parser.add_argument("--sheet", default="")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")
        parser.add_argument("--partial", action="store_true", help="take the valid rows, leave the others")
        parser.add_argument("--rejects", type=Path, help="where to write the rejected rows as CSV")

    def handle(self, *args, **options):
        try:
            run = self.take_in(options)
            runs.set_mapping(run, self.mapping(run, options), by=run.by)
            run.state = ImportState.CHECKING if options["dry_run"] else ImportState.RUNNING
            run.partial = options["partial"]
            run.save(update_fields=["state", "partial"])
            runs.work(run.pk)
        except DomainError as error:
            raise CommandError(error.message) from None
        run.refresh_from_db()
        self.tell(run, options)

    def take_in(self, options) -> ImportRun:
        site = Site.objects.filter(code=options["site"]).first()
        if site is None:
            codes = ", ".join(Site.objects.values_list("code", flat=True)) or "none yet"
            raise CommandError(f"There is no site {options['site']}; there are: {codes}")
        by = None
        if options["user"]:
            by = get_user_model().objects.filter(username=options["user"]).first()
            if by is None:
                raise CommandError(f"There is no user {options['user']}")
        delimiter = "\t" if options["delimiter"] == "tab" else options["delimiter"]
        try:
            with options["file"].open("rb") as file:
                return runs.take_in(
                    site=site, kind=KINDS[options["kind"]], file=File(file), name=options["file"].name, by=by,
                    encoding=options["encoding"], delimiter=delimiter, sheet=options["sheet"],
                )  # fmt: skip
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from None

    def mapping(self, run: ImportRun, options) -> ColumnMap:
        mapping = ColumnMap.of(run.mapping)
        for pair in options["map"]:
            name, sign, column = pair.partition("=")
            if not sign:
                raise CommandError(f"--map wants FIELD=COLUMN, not {pair!r}")
            mapping.columns = {each: taken for each, taken in mapping.columns.items() if taken != column}
            if column:
                mapping.columns[name] = column
            else:
                mapping.columns.pop(name, None)
        for triple in options["value_map"]:
            name, sign, rest = triple.partition(":")
            written, equals, meaning = rest.rpartition("=")
            if not (sign and equals):
                raise CommandError(f"--value-map wants FIELD:VALUE=MEANING, not {triple!r}")
            mapping.value_map.setdefault(name, {})[written] = meaning
        mapping.date_format = options["date_format"]
        mapping.decimal = options["decimal"]
        mapping.options = options["option"]
        return mapping

    def tell(self, run: ImportRun, options) -> None:
        counts, report = run.counts, run.report
        reading = ", ".join(f"{name} {value!r}" for name, value in run.reading.items())
        self.stdout.write(f"{run.name}: read as {reading}")
        for name, column in run.mapping["columns"].items():
            self.stdout.write(f"  {column} → {name}")
        for problem in report.get("problems", []):
            place = f"{problem['column']} {problem['value']!r}: " if problem["column"] else ""
            self.stderr.write(f"line {problem['line']}: {place}{problem['reason']}")
        for note in report.get("notes", []):
            self.stdout.write(f"line {note['line']}: {note['column']} {note['value']!r}: {note['text']}")
        for twin in report.get("duplicates", [])[:20]:
            what = "left out" if twin["left_out"] else "taken, but look at it"
            self.stdout.write(f"line {twin['line']}: the same as line {twin['same_as']}; {what}")
        if len(report.get("duplicates", [])) > 20:
            self.stdout.write("… more duplicates on the page of this import")
        if run.error:
            raise CommandError(run.error)
        words = "{rows:,} rows, {accepted:,} accepted, {rejected:,} rejected, {unchanged:,} unchanged, {duplicates:,} "
        self.stdout.write((words + "duplicates").format(**counts))
        if options["rejects"] and run.rejects:
            options["rejects"].write_bytes(run.rejects.read())
            self.stdout.write(f"rejected rows: {options['rejects']}")
        if options["dry_run"]:
            self.stdout.write("Nothing was imported: this was a dry run.")
        elif run.state != ImportState.DONE:
            self.stderr.write("Nothing was imported. Correct the rows, or take only the valid ones with --partial.")
            sys.exit(1)
        else:
            self.stdout.write("Imported.")
