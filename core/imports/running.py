"""Carrying an import out: every row is read, checked and written inside one transaction, or none is.

A dry run does the same and takes everything back, so that it meets the very rules the real run will meet.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.errors import NotAllowed
from core.imports import values
from core.imports.files import Line, Table
from core.imports.kinds import (
    CHOICE,
    EXTERNAL_ID,
    MOMENT,
    NUMBER,
    TRUTH,
    WHOLE,
    Field,
    Importer,
    Job,
    Kind,
    Problem,
    Row,
)
from core.imports.mapping import ColumnMap
from core.models import Site

CHUNK = 500
KEPT = 500  # reasons, duplicates and notes that are kept for the page; the file of rejected rows has them all
PREVIEW = 8


@dataclass
class Report:
    """What became of the rows of a file."""

    counts: dict[str, int]
    problems: list[dict] = field(default_factory=list)
    duplicates: list[dict] = field(default_factory=list)  # line, same_as, left_out
    notes: list[dict] = field(default_factory=list)
    preview: list[dict] = field(default_factory=list)  # line, values as they were understood
    created: dict[str, list[list[int]]] = field(default_factory=dict)  # label → ranges of ids, both ends included
    done: bool = False

    def as_json(self) -> dict:
        kept = asdict(self)
        del kept["created"], kept["counts"]
        return kept

    @property
    def sentence(self) -> str:
        """The result in words."""
        words = {name: f"{number:,}" for name, number in self.counts.items()}
        parts = [
            _("%(accepted)s accepted") % words,
            _("%(rejected)s rejected") % words,
            _("%(unchanged)s unchanged") % words,
            _("%(duplicates)s duplicates") % words,
        ]
        return _("%(rows)s rows: ") % words + ", ".join(parts)


@dataclass
class Order:
    """Everything that an import needs to know."""

    table: Table
    kind: Kind
    mapping: ColumnMap
    site: Site
    by: Any
    dry_run: bool = False
    partial: bool = False  # take the valid rows even if others are rejected


class TakenBack(Exception):
    """Leaves the transaction without keeping anything."""


def carry_out(
    order: Order, *, rejects: io.TextIOBase | None = None, progress: Callable[[int], None] = lambda rows: None
) -> Report:
    """Import the rows, or find out what would happen. Rejected rows go to `rejects` as CSV with their reasons."""
    if order.by is not None and not order.by.can(order.kind.capability, order.site):
        raise NotAllowed(_("Your role at this site does not include this import."))
    run = _Run(order, rejects)
    try:
        with transaction.atomic():
            run.everything(progress)
            if order.dry_run or (run.counts["rejected"] and not order.partial):
                raise TakenBack
            run.done = True
    except TakenBack:
        pass
    return run.report()


class _Run:
    """The state of one import while its rows pass by."""

    def __init__(self, order: Order, rejects: io.TextIOBase | None):
        self.order = order
        self.kind = order.kind
        self.job = Job(order.site, order.by, frozenset(order.mapping.options), frozenset(order.mapping.columns))
        self.importer: Importer = order.kind.importer(self.job)
        self.counts: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.duplicates: list[dict] = []
        self.notes: list[dict] = []
        self.preview: list[dict] = []
        self.done = False
        self.rejects = csv.writer(rejects) if rejects is not None else None
        header = order.table.header
        self.columns = [
            (each, header.index(order.mapping.columns[each.name]))
            for each in order.kind.fields_at(order.site)
            if each.name in order.mapping.columns
        ]
        # Lines of first occurrence by content, and by the identity that a column gives; digests keep this small.
        self.contents: dict[bytes, list[int]] = {}
        self.identities: dict[bytes, tuple[int, bytes]] = {}

    def everything(self, progress: Callable[[int], None]) -> None:
        if self.rejects:
            self.rejects.writerow([_("line"), _("reason"), *map(harmless, self.order.table.header)])
        kept: list[Row] = []
        for rows in self.chunks():
            fresh = [row for row in rows if row.state == "new"]
            self.take(fresh)
            self.settle(rows)
            kept += [row for row in rows if row.state == "new"] if self.defers else []
            progress(self.counts["rows"])
        self.importer.finish()
        self.unsettle(kept)

    def take(self, rows: list[Row]) -> None:
        """Write rows; what only the database notices is traced to its row, which is refused."""
        before = {label: len(ids) for label, ids in self.job.created.items()}
        try:
            with transaction.atomic():
                self.importer.take(rows)
        except IntegrityError as error:
            for label, ids in self.job.created.items():
                del ids[before.get(label, 0) :]
            if len(rows) == 1:
                rows[0].refuse("", str(error).splitlines()[0])
                return
            for row in rows:
                if row.state == "new":
                    self.take([row])

    @property
    def defers(self) -> bool:
        """Whether the importer may still refuse rows when it has seen them all."""
        return type(self.importer).finish is not Importer.finish

    def chunks(self) -> Iterator[list[Row]]:
        chunk: list[Row] = []
        for line in self.order.table.rows():
            chunk.append(self.read(line))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    # --- One row ---

    def read(self, line: Line) -> Row:
        cells = line.cells
        row = Row(line.number, {}, "", cells)
        width = len(self.order.table.header)
        if len(cells) > width and any(values.text(cell) for cell in cells[width:]):
            row.refuse("", _("has more cells than the header has names"))
            return row
        for each, index in self.columns:
            cell = cells[index] if index < len(cells) else None
            if cell is None or (isinstance(cell, str) and not cell.strip()):
                if each.required:
                    row.refuse(each.name, _("is empty"))
                continue
            note = values.Note()
            try:
                row.values[each.name] = self.value(each, cell, note)
            except values.BadValue as bad:
                row.refuse(each.name, str(bad))
            if note.text:
                self.note(row, each, cell, note.text)
        self.identify(row)
        if len(self.preview) < PREVIEW:
            self.preview.append(
                {"line": row.line, "values": {name: self.shown(value) for name, value in row.values.items()}}
            )
        return row

    def value(self, each: Field, cell: Any, note: values.Note) -> Any:
        mapping = self.order.mapping
        if each.type == MOMENT:
            return values.moment(cell, site=self.order.site, date_format=mapping.date_format, note=note)
        if each.type in (NUMBER, WHOLE):
            number = values.number(cell, decimal=mapping.decimal)
            if each.smallest is not None and number < each.smallest:
                raise values.BadValue(_("less than %(smallest)d") % {"smallest": each.smallest})
            if each.type == WHOLE and number != number.to_integral_value():
                raise values.BadValue(_("not a whole number"))
            return int(number) if each.type == WHOLE else number
        if each.type == TRUTH:
            return values.truth(cell)
        if each.type == CHOICE:
            return values.choice(cell, choices=each.choices or {}, chosen=mapping.value_map.get(each.name, {}))
        return values.text(cell, longest=each.longest)

    def identify(self, row: Row) -> None:
        """Give the row its identity, and find rows before it that say the same."""
        content = _digest([f"{name}={values.text(cell)}" for name, cell in self.named(row) if values.text(cell)])
        lines = self.contents.setdefault(content, [])
        if lines:
            row.same_as = lines[0]
        else:
            lines.append(row.line)
        given = row.values.get(self.kind.identity)
        if given:
            within = [str(row.values.get(name, "")) for name in self.kind.identity_within]
            identity = _digest([*within, str(given) if self.kind.identity == EXTERNAL_ID else str(given).casefold()])
            first = self.identities.setdefault(identity, (row.line, content))
            if first[0] != row.line:
                if first[1] != content:
                    words = {"line": first[0]}
                    row.refuse(self.kind.identity, _("is in line %(line)d already, with other values") % words)
                row.same_as = first[0]
                self.leave_out(row)
            row.external_id = str(given) if self.kind.identity == EXTERNAL_ID else ""
        else:
            ordinal = self.repeats(content)
            row.external_id = f"row-{content.hex()}-{ordinal}"
            if row.same_as and not self.kind.keeps_repeated_rows:
                self.leave_out(row)

    def leave_out(self, row: Row) -> None:
        if row.state == "new":
            row.state = "duplicate"

    def repeats(self, content: bytes) -> int:
        """How many rows with this content there have been, this one included."""
        lines = self.contents[content]
        if len(lines) == 1:
            lines.append(0)
        lines[1] += 1
        return lines[1]

    def named(self, row: Row) -> list[tuple[str, Any]]:
        return sorted(zip(self.order.table.header, row.cells, strict=False), key=lambda pair: pair[0])

    def shown(self, value: Any) -> str:
        """A value as it was understood, for the preview."""
        if isinstance(value, datetime):
            return date_format(self.order.site.local(value), "SHORT_DATETIME_FORMAT")
        return str(value)

    # --- What became of it ---

    def settle(self, rows: list[Row]) -> None:
        for row in rows:
            self.counts["rows"] += 1
            if row.same_as is not None and row.state != "rejected":
                self.counts["duplicates"] += 1
                if len(self.duplicates) < KEPT:
                    left_out = row.state == "duplicate"
                    self.duplicates.append({"line": row.line, "same_as": row.same_as, "left_out": left_out})
            if row.state == "new":
                self.counts["accepted"] += 1
            elif row.state == "unchanged":
                self.counts["unchanged"] += 1
            elif row.state == "rejected":
                self.reject(row)

    def unsettle(self, rows: list[Row]) -> None:
        """Rows that were taken and then refused when all had been seen."""
        for row in rows:
            if row.state == "unchanged":
                self.counts["accepted"] -= 1
                self.counts["unchanged"] += 1
            elif row.state == "rejected":
                self.counts["accepted"] -= 1
                self.reject(row)

    def reject(self, row: Row) -> None:
        self.counts["rejected"] += 1
        columns = {each.name: index for each, index in self.columns}
        header = self.order.table.header
        reasons = []
        for name, reason in row.problems:
            index = columns.get(name)
            column = header[index] if index is not None else ""
            cell = row.cells[index] if index is not None and index < len(row.cells) else ""
            reasons.append(f"{column} {reason}".strip())
            if len(self.problems) < KEPT:
                self.problems.append(Problem(row.line, column, values.text(cell)[:120], reason))
        if self.rejects:
            self.rejects.writerow(
                [row.line, harmless("; ".join(reasons)), *(harmless(values.text(cell)) for cell in row.cells)]
            )

    def note(self, row: Row, each: Field, cell: Any, text: str) -> None:
        self.counts["notes"] += 1
        if len(self.notes) < KEPT:
            column = self.order.mapping.columns[each.name]
            self.notes.append({"line": row.line, "column": column, "value": values.text(cell)[:120], "text": text})

    def report(self) -> Report:
        names = ("rows", "accepted", "rejected", "unchanged", "duplicates", "notes")
        return Report(
            counts={name: self.counts[name] for name in names},
            problems=[asdict(problem) for problem in self.problems],
            duplicates=self.duplicates,
            notes=self.notes,
            preview=self.preview,
            created={label: ranges(ids) for label, ids in self.job.created.items()} if self.done else {},
            done=self.done,
        )


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def ranges(ids: list[int]) -> list[list[int]]:
    """Sorted ids as ranges with both ends."""
    found: list[list[int]] = []
    for id_ in sorted(ids):
        if found and id_ == found[-1][1] + 1:
            found[-1][1] = id_
        else:
            found.append([id_, id_])
    return found


def _digest(parts: list[str]) -> bytes:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).digest()
