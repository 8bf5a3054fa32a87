"""Loading very many rows with PostgreSQL's COPY, past the ORM: for generated data, never for what people type.

Nothing is validated here but what the database itself holds; rows are streamed, so memory stays flat.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from django.db import connection, models

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """So many primary keys from the table's sequence, rising, for rows that point at each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [model._meta.db_table, model._meta.pk.column, count],
        )
        return [id_ for (id_,) in cursor.fetchall()]


def copy_in(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows (tuples in the order of `columns`, attribute names such as "asset_id"); returns how many.

    Fields that are not named get their default, the same for all rows.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    named = [fields[column] for column in columns]
    others = [
        field
        for field in fields.values()
        if field not in named and not field.primary_key and field.db_default is models.NOT_PROVIDED
    ]
    tail = "".join(f"\t{_text(_plain(field, field.get_default()))}" for field in others)
    names = ", ".join(connection.ops.quote_name(field.column) for field in [*named, *others])
    json_at = {index for index, field in enumerate(named) if isinstance(field, models.JSONField)}
    lines = _Lines(_encode(rows, tail, json_at))
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", lines, 1 << 18)
    return lines.count


def _encode(rows: Iterable[Sequence[Any]], tail: str, json_at: set[int]) -> Iterator[str]:
    for row in rows:
        if json_at:
            row = [json.dumps(value) if index in json_at else value for index, value in enumerate(row)]
        yield "\t".join(map(_text, row)) + tail + "\n"


def _plain(field: models.Field, value: Any) -> Any:
    return json.dumps(value) if isinstance(field, models.JSONField) else value


def _text(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ("{" + ",".join(json.dumps(str(item), ensure_ascii=False) for item in value) + "}").translate(_ESCAPES)
    return str(value)


class _Lines:
    """The lines of a generator as a file that COPY can read."""

    def __init__(self, lines: Iterator[str]):
        self.lines = lines
        self.count = 0
        self.rest = ""

    def read(self, size: int = -1) -> str:
        parts, length = [self.rest], len(self.rest)
        while size < 0 or length < size:
            line = next(self.lines, None)
            if line is None:
                break
            self.count += 1
            parts.append(line)
            length += len(line)
        text = "".join(parts)
        if size < 0:
            self.rest = ""
            return text
        self.rest = text[size:]
        return text[:size]
