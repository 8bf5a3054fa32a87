"""What the columns of a file mean, as a person said it: remembered per site and kind, and kept with each import."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Refused
from core.imports import dates, values
from core.imports.files import Table
from core.imports.kinds import CHOICE, MOMENT, NUMBER, Kind
from core.models import Site

SAMPLE = 5000  # rows that are looked at for suggestions
DISTINCT = 60  # different values of a choice column that are offered for mapping


class MappingProblem(Refused):
    """The mapping is not complete; `field` names what is missing."""


@dataclass
class ColumnMap:
    """Field → column, and how values are written."""

    columns: dict[str, str] = field(default_factory=dict)
    date_format: str = ""
    decimal: str = ""
    value_map: dict[str, dict[str, str]] = field(default_factory=dict)  # field → value in the file → our choice
    options: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "columns": self.columns,
            "date_format": self.date_format,
            "decimal": self.decimal,
            "value_map": self.value_map,
            "options": self.options,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "ColumnMap":
        return cls(
            columns=dict(kept.get("columns", {})),
            date_format=kept.get("date_format", ""),
            decimal=kept.get("decimal", ""),
            value_map={name: dict(chosen) for name, chosen in kept.get("value_map", {}).items()},
            options=list(kept.get("options", [])),
        )


@dataclass
class Findings:
    """What the first rows of a file say about how it may be read."""

    samples: dict[str, list[str]]  # column → its first different values
    date_formats: list[dates.DateFormat]
    dates_are_typed: bool  # no text among the dates, so no format is needed
    is_iso: bool
    date_example: str
    decimal_signs: list[str]
    numbers_are_typed: bool
    distinct: dict[str, list[str]]  # choice field → its different values


def suggest(table: Table, kind: Kind, remembered: ColumnMap | None = None) -> ColumnMap:
    """Columns by what was chosen last time, then by name; only what is certain is filled in."""
    found = ColumnMap()
    if remembered:
        found = ColumnMap.of(remembered.as_json())
        found.columns = {name: column for name, column in found.columns.items() if column in table.header}
        found.date_format = found.decimal = ""  # asked again for each file
    free = [column for column in table.header if column not in found.columns.values()]
    # Exact names first, so that "asset" is not taken by "asset name".
    for alike in (lambda one, other: one == other, lambda one, other: len(one) > 3 and one in other):
        for each in kind.fields:
            if each.name in found.columns:
                continue
            names = [_folded(name) for name in each.names]
            column = next((c for c in free if any(name and alike(name, _folded(c)) for name in names)), None)
            if column:
                found.columns[each.name] = column
                free.remove(column)
    return found


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def look(table: Table, kind: Kind, columns: Mapping[str, str]) -> Findings:
    """What the values under the mapped columns allow. Choices are collected from all rows, the rest from the first."""
    place = {column: index for index, column in enumerate(table.header)}
    mapped = {name: place[column] for name, column in columns.items() if column in place}
    types = {each.name: each.type for each in kind.fields}
    texts: dict[str, set[str]] = {name: set() for name in mapped if types.get(name) in (MOMENT, NUMBER)}
    typed: dict[str, bool] = dict.fromkeys(texts, True)
    distinct: dict[str, dict[str, None]] = {name: {} for name in mapped if types.get(name) == CHOICE}
    samples: dict[str, dict[str, None]] = {column: {} for column in table.header}
    for count, line in enumerate(table.rows()):
        if count < SAMPLE:
            for column, cell in zip(table.header, line.cells, strict=False):
                if len(samples[column]) < 3 and (written := values.text(cell)):
                    samples[column][written[:60]] = None
            for name in texts:
                cell = line.cells[mapped[name]] if mapped[name] < len(line.cells) else None
                if isinstance(cell, str) and cell.strip():
                    typed[name] = False
                    texts[name].add(cell.strip())
        elif not distinct:
            break
        for name, found in distinct.items():
            cell = line.cells[mapped[name]] if mapped[name] < len(line.cells) else None
            if len(found) < DISTINCT and (written := values.text(cell)):
                found[written] = None
    days = {text for name, found in texts.items() if types[name] == MOMENT for text in found}
    numbers = {text for name, found in texts.items() if types[name] == NUMBER for text in found}
    formats = dates.fitting(days)
    return Findings(
        samples={column: list(found) for column, found in samples.items()},
        date_formats=formats or (list(dates.FORMATS.values()) if days else []),
        dates_are_typed=not days,
        is_iso=bool(formats) and formats[0] is dates.ISO,
        date_example=min(days) if days else "",
        decimal_signs=values.decimal_signs(numbers) or [values.POINT, values.COMMA],
        numbers_are_typed=not numbers,
        distinct={name: list(found) for name, found in distinct.items()},
    )


def settle(mapping: ColumnMap, table: Table, kind: Kind, findings: Findings, site: Site) -> ColumnMap:
    """The mapping with everything that is certain filled in. Raises MappingProblem for what a person must still say."""
    known = {each.name: each for each in kind.fields_at(site)}
    for name, column in mapping.columns.items():
        if name not in known:
            raise MappingProblem(_("There is no field “%(name)s”.") % {"name": name}, code="unknown_field", field=name)
        if column not in table.header:
            words = {"column": column, "columns": ", ".join(table.header)}
            message = _("The file has no column “%(column)s”; it has %(columns)s.") % words
            raise MappingProblem(message, code="unknown_column", field=name)
    for each in kind.fields:
        if each.required and each.name not in mapping.columns:
            message = _("Choose the column that holds “%(field)s”.") % {"field": each.label}
            raise MappingProblem(message, code="required", field=each.name)
    settled = ColumnMap.of(mapping.as_json())
    if not findings.dates_are_typed and not settled.date_format:
        if not findings.is_iso:
            fitting = ", ".join(f"{each.slug} ({each.example})" for each in findings.date_formats)
            message = _("Say how dates are written; “%(example)s” may be read as: %(formats)s.")
            words = {"example": findings.date_example, "formats": fitting}
            raise MappingProblem(message % words, code="date_format", field="date_format")
        settled.date_format = dates.ISO.slug
    if settled.date_format and settled.date_format not in dates.FORMATS:
        words = {"formats": ", ".join(dates.FORMATS)}
        message = _("This date format is not known; there are %(formats)s.") % words
        raise MappingProblem(message, code="date_format", field="date_format")
    if not findings.numbers_are_typed and not settled.decimal:
        if len(findings.decimal_signs) > 1:
            message = _("Say whether numbers have a decimal point or a decimal comma.")
            raise MappingProblem(message, code="decimal", field="decimal")
        settled.decimal = findings.decimal_signs[0]
    settled.decimal = settled.decimal or values.POINT
    if settled.decimal not in (values.POINT, values.COMMA):
        raise MappingProblem(_("Choose point or comma."), code="decimal", field="decimal")
    for name, chosen in settled.value_map.items():
        choices = (known[name].choices if name in known else None) or {}
        for written, key in chosen.items():
            if key not in choices:
                words = {"value": written, "key": key, "choices": ", ".join(choices)}
                message = _("“%(value)s” cannot mean “%(key)s”; there are %(choices)s.") % words
                raise MappingProblem(message, code="value_map", field=name)
    unknown = set(settled.options) - {each.name for each in kind.options}
    if unknown:
        message = _("There is no option “%(name)s”.") % {"name": sorted(unknown)[0]}
        raise MappingProblem(message, code="option", field="options")
    return settled
