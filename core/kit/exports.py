"""A table as a file: CSV or XLSX of exactly what is shown, all pages of a list."""

import csv
import io
from collections.abc import Iterator
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Protocol

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import IllegalCharacterError

from core.kit.tables import file_text

FORMATS = {"csv": "CSV", "xlsx": "Excel"}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Tabular(Protocol):
    """Anything with a head and rows: a `Table`, or the table behind a `Chart`."""

    def file_head(self) -> list[str]: ...

    def file_rows(self) -> Iterator[list]: ...


def respond(table: Tabular, name: str, format: str) -> HttpResponse | StreamingHttpResponse:
    """The download, named with today's date; `format` is a key of FORMATS."""
    return attachment(table, f"{name}-{timezone.localdate():%Y-%m-%d}", format, sheet=name)


def attachment(table: Tabular, name: str, format: str, *, sheet: str) -> HttpResponse | StreamingHttpResponse:
    if format == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        response: HttpResponse | StreamingHttpResponse = HttpResponse(workbook(table, sheet), content_type=kind)
    else:
        response = StreamingHttpResponse(lines(table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    return response


def harmless(text: str) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def lines(table: Tabular) -> Iterator[bytes]:
    """CSV in UTF-8 with the mark that Excel needs to see it as such.

    Instants are on the clock that is active now; when the answer is streamed, the request's clock is gone.
    """
    return _lines(table, timezone.get_current_timezone())


def _lines(table: Tabular, zone: tzinfo) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def drain() -> bytes:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text.encode()

    writer.writerow(map(harmless, table.file_head()))
    yield b"\xef\xbb\xbf" + drain()
    for number, row in enumerate(table.file_rows(), start=1):
        values = map(plain, row)
        writer.writerow([harmless(value) if isinstance(value, str) else file_text(value, zone) for value in values])
        if number % 500 == 0:
            yield drain()
    yield drain()


def workbook(table: Tabular, name: str) -> bytes:
    """An XLSX workbook with one sheet; instants become local times, because Excel knows no zones."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "A2"
    head = []
    for label in table.file_head():
        cell = cell_value(sheet, label)
        cell.font = Font(bold=True)
        head.append(cell)
    sheet.append(head)
    for row in table.file_rows():
        sheet.append([cell_value(sheet, plain(value)) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def plain(value: Any) -> Any:
    """Numbers, dates and truth values stay themselves; everything else becomes its text."""
    if value is None or isinstance(value, (bool, int, float, Decimal)) or hasattr(value, "isoformat"):
        return value
    return str(value)


def cell_value(sheet, value: Any) -> Any:
    if hasattr(value, "tzinfo") and value.tzinfo:
        return timezone.localtime(value).replace(tzinfo=None)
    if isinstance(value, str):
        try:
            cell = WriteOnlyCell(sheet, value=value)
        except IllegalCharacterError:
            cell = WriteOnlyCell(sheet, value="".join(letter for letter in value if letter.isprintable()))
        cell.data_type = "s"  # never a formula, whatever it starts with
        return cell
    return value
