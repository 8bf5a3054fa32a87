"""Reading a table from a file that somebody sent: CSV in its dialects, or XLSX.

Nothing is trusted: what a file is, is seen from its content, never from its name. A file that cannot be read is
refused with a reason that says what to do. What was detected (encoding, delimiter, sheet) is shown and can be named.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from core.errors import Refused

MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
MAX_ROWS = 1_000_000
MAX_COLUMNS = 300
SAMPLE_ROWS = 30

ENCODINGS = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252", "utf-16": "UTF-16"}
DELIMITERS = {",": ",", ";": ";", "\t": "tab", "|": "|"}
_KNOWN_OTHERS = [
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
]


class FileProblem(Refused):
    """The file cannot be read as a table; the message says why and what to do."""

    def __init__(self, message: str, code: str):
        super().__init__(message, code=code, field="file")


@dataclass(frozen=True)
class Line:
    """One row of the file: where it stands, and its cells; XLSX cells keep their type."""

    number: int
    cells: list[Any]


@dataclass
class Table:
    """A file as a table. `rows` may be asked for again and again; each time the file is read from its start."""

    path: Path
    sort: str  # "csv" or "xlsx"
    header: list[str]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    header_line: int = 1

    def rows(self) -> Iterator[Line]:
        """The rows behind the header that hold anything, in order."""
        read = _csv_lines if self.sort == "csv" else _xlsx_lines
        with read(self.path, self) as lines:
            count = 0
            for line in lines:
                if line.number <= self.header_line or all(_empty(cell) for cell in line.cells):
                    continue
                count += 1
                if count > MAX_ROWS:
                    message = _("The file has more than %(limit)s rows; divide it.") % {"limit": f"{MAX_ROWS:,}"}
                    raise FileProblem(message, "too_many_rows")
                yield line

    @property
    def facts(self) -> dict[str, str]:
        """What was detected, to be shown and named again."""
        if self.sort == "xlsx":
            return {"sort": "xlsx", "sheet": self.sheet}
        return {"sort": "csv", "encoding": self.encoding, "delimiter": self.delimiter}


def open_table(path: Path, *, encoding: str = "", delimiter: str = "", sheet: str = "") -> Table:
    """Find out what the file is and read its header. Raises FileProblem."""
    size = path.stat().st_size
    if size == 0:
        raise FileProblem(_("The file is empty."), "empty")
    if size > MAX_BYTES:
        message = _("The file is larger than %(limit)d MiB; divide it.") % {"limit": MAX_BYTES // 2**20}
        raise FileProblem(message, "too_large")
    with path.open("rb") as file:
        start = file.read(8192)
    for magic, name in _KNOWN_OTHERS:
        if start.startswith(magic):
            message = _("This is %(sort)s. Save the table as CSV or XLSX and send that.") % {"sort": _(name)}
            raise FileProblem(message, "wrong_sort")
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _open_xlsx(path, sheet)
    return _open_csv(path, start, encoding, delimiter)


def _empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _header(cells: list[Any]) -> list[str]:
    """Column names as they stand, a repeated one with its number; FileProblem if they are no names."""
    while cells and _empty(cells[-1]):
        cells = cells[:-1]
    if len(cells) > MAX_COLUMNS:
        message = _("The file has more than %(limit)d columns.") % {"limit": MAX_COLUMNS}
        raise FileProblem(message, "too_many_columns")
    named = [cell for cell in cells if not _empty(cell)]
    if not any(isinstance(cell, str) and any(sign.isalpha() for sign in cell) for cell in named):
        message = _("The first line holds values, not names of columns. Put a line with names above it.")
        raise FileProblem(message, "no_header")
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = " ".join(str(cell).split()) if not _empty(cell) else _("Column %(number)d") % {"number": position}
        repeated, number = name, 2
        while repeated in names:
            repeated, number = f"{name} ({number})", number + 1
        names.append(repeated)
    return names


# --- CSV ---------------------------------------------------------------------------------------


def _open_csv(path: Path, start: bytes, encoding: str, delimiter: str) -> Table:
    encoding = encoding or _encoding(path, start)
    if encoding not in ENCODINGS:
        raise FileProblem(_("This encoding is not known: %(name)s.") % {"name": encoding}, "encoding")
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(1 << 16)
    except UnicodeError:
        message = _("The file cannot be read as %(encoding)s. Choose its encoding, or save it as UTF-8.")
        raise FileProblem(message % {"encoding": ENCODINGS[encoding]}, "encoding") from None
    if "\0" in sample:
        raise FileProblem(_("This is not a text file. Save the table as CSV or XLSX and send that."), "wrong_sort")
    if sample.lstrip()[:1] == "<" or sample.lstrip()[:1] == "{":
        raise FileProblem(_("This is not a table. Save it as CSV or XLSX and send that."), "wrong_sort")
    delimiter = delimiter or _delimiter(sample)
    if delimiter not in DELIMITERS:
        raise FileProblem(_("Choose comma, semicolon, tab or bar as delimiter."), "delimiter")
    table = Table(path, "csv", [], encoding=encoding, delimiter=delimiter)
    with _csv_lines(path, table) as lines:
        first = next((line for line in lines if not all(_empty(cell) for cell in line.cells)), None)
    if first is None:
        raise FileProblem(_("The file is empty."), "empty")
    table.header = _header(first.cells)
    table.header_line = first.number
    return table


def _encoding(path: Path, start: bytes) -> str:
    """UTF-8 if all of the file is; else Windows-1252, in which older Western programs write."""
    if start.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for candidate in ("utf-8", "cp1252"):
        try:
            with path.open(encoding=candidate, newline="") as file:
                while file.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return candidate
    raise FileProblem(_("The file is neither UTF-8 nor Windows-1252 text. Save it as UTF-8."), "encoding")


def _delimiter(sample: str) -> str:
    """The sign that splits the first lines into the most columns, the same number in each."""
    # The last line of the sample may be cut.
    lines = sample.splitlines()[: SAMPLE_ROWS + 1]
    text = "\n".join(lines[:-1] if len(lines) > 1 and len(sample) >= 1 << 16 else lines)

    def score(candidate: str) -> tuple[float, int]:
        try:
            widths = [len(cells) for cells in csv.reader(io.StringIO(text, newline=""), delimiter=candidate) if cells]
        except csv.Error:
            return (0, 0)
        first = widths[0] if widths else 1
        alike = sum(width == first for width in widths) / max(len(widths), 1)
        return (alike if first > 1 else 0, first)

    return max(DELIMITERS, key=score)


@contextmanager
def _csv_lines(path: Path, table: Table) -> Iterator[Iterator[Line]]:
    def lines(file: io.TextIOBase) -> Iterator[Line]:
        # strict: a quotation mark that is never closed would swallow the rest of the file in silence.
        reader = csv.reader(file, delimiter=table.delimiter, strict=True)
        before = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                words = {"line": before + 1, "error": str(error)}
                message = _("Line %(line)d cannot be read: %(error)s. Check its quotation marks.") % words
                raise FileProblem(message, "csv") from None
            except UnicodeError:
                words = {"line": before + 1, "encoding": ENCODINGS[table.encoding]}
                raise FileProblem(_("Line %(line)d is not %(encoding)s.") % words, "encoding") from None
            yield Line(before + 1, cells)
            before = reader.line_num

    with path.open(encoding=table.encoding, newline="") as file:
        yield lines(file)


# --- XLSX --------------------------------------------------------------------------------------


def _open_xlsx(path: Path, sheet: str) -> Table:
    _check_archive(path)
    with _workbook(path) as book:
        visible = [each.title for each in book.worksheets if each.sheet_state == "visible"]
    if not visible:
        raise FileProblem(_("The workbook has no sheet."), "empty")
    if sheet and sheet not in visible:
        words = {"sheet": sheet, "sheets": ", ".join(visible)}
        raise FileProblem(_("There is no sheet “%(sheet)s”; there are %(sheets)s.") % words, "sheet")
    for name in [sheet] if sheet else visible:
        table = Table(path, "xlsx", [], sheet=name, sheets=visible)
        with _xlsx_lines(path, table) as lines:
            first = next((line for line in lines if not all(_empty(cell) for cell in line.cells)), None)
        if first is not None:
            table.header, table.header_line = _header(first.cells), first.number
            return table
    raise FileProblem(_("The sheet is empty."), "empty")


def _check_archive(path: Path) -> None:
    """An XLSX is an archive: look at what it would unpack to before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        raise FileProblem(_("The file is damaged; save the table again."), "damaged") from None
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES or len(entries) > 5000:
        raise FileProblem(_("The file unpacks to far more than it says; it is not read."), "zip_bomb")
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        message = _("This is an archive, but no XLSX workbook. Save the table as CSV or XLSX and send that.")
        raise FileProblem(message, "wrong_sort")
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileProblem(_("The workbook is protected by a password; save it without one."), "encrypted")


@contextmanager
def _workbook(path: Path):
    file: BinaryIO
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which do not matter here
        try:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError, OSError):
            raise FileProblem(_("The workbook cannot be read; save the table again, or as CSV."), "damaged") from None
        try:
            yield book
        finally:
            book.close()


@contextmanager
def _xlsx_lines(path: Path, table: Table) -> Iterator[Iterator[Line]]:
    def lines(sheet) -> Iterator[Line]:
        # What a sheet says about its size is often wrong.
        sheet.reset_dimensions()
        try:
            for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1), start=1):
                width = len(cells)
                while width and cells[width - 1] is None:
                    width -= 1
                yield Line(number, [_cell(cell) for cell in cells[:width]])
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError, OSError):
            raise FileProblem(_("The workbook cannot be read; save the table again, or as CSV."), "damaged") from None

    with _workbook(path) as book:
        yield lines(book[table.sheet])


def _cell(value: Any) -> Any:
    """Numbers, dates and truth keep their type; the rest is text. A whole number written as 7.0 is 7."""
    if value is None or isinstance(value, bool | int | datetime | date | time):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return str(value)
