"""What can be imported: an app declares each sort of row once, with its columns and how rows are written.

class DowntimeImport(Kind):
    slug, label, icon, capability = "downtimes", _("Downtime"), "player-pause", "record"
    fields = [Field("asset", _("Asset"), required=True, synonyms=("machine",)), …]
    def importer(self, job): return DowntimeImporter(job)

register(DowntimeImport())
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models

from core.events import label_of
from core.models import Site

TEXT, NUMBER, WHOLE, MOMENT, TRUTH, CHOICE = "text", "number", "whole", "moment", "truth", "choice"
EXTERNAL_ID = "external_id"


@dataclass(frozen=True)
class Field:
    """One thing that a column may hold. `synonyms` are other names that columns go by."""

    name: str
    label: Any
    type: str = TEXT
    required: bool = False
    synonyms: tuple[str, ...] = ()
    choices: Mapping[str, Any] | Callable[[Site], Mapping[str, Any]] | None = None  # key → label
    longest: int = 0
    help: Any = ""
    smallest: int | None = None

    @property
    def names(self) -> list[str]:
        return [self.name, str(self.label), *self.synonyms]


@dataclass(frozen=True)
class Option:
    """A yes or no that the person who imports decides for the whole file."""

    name: str
    label: Any
    help: Any = ""


@dataclass
class Problem:
    """Why a row was not taken: the line in the file, the column, what stands there and what is wrong with it."""

    line: int
    column: str
    value: str
    reason: str


@dataclass
class Row:
    """One row on its way in. `values` holds what its mapped columns say; an empty cell is left out."""

    line: int
    values: dict[str, Any]
    external_id: str
    cells: list[Any]
    problems: list[tuple[str, str]] = field(default_factory=list)  # field, reason
    state: str = "new"  # new, unchanged, rejected, duplicate
    same_as: int | None = None  # the line of the first row that says the same

    def refuse(self, name: str, reason: str) -> None:
        self.state = "rejected"
        self.problems.append((name, reason))


@dataclass
class Job:
    """Where rows go and who sends them. What was written is kept, so that it can be taken back."""

    site: Site
    by: Any
    options: frozenset[str]
    mapped: frozenset[str]
    created: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, rows: Iterable[models.Model]) -> None:
        """Note rows as written by this import."""
        for row in rows:
            self.created[label_of(row)].append(row.pk)


class Importer:
    """Writes the rows of one import. A row that it cannot take it refuses; the rest of the rows are not its concern."""

    def __init__(self, job: Job):
        self.job = job

    def take(self, rows: list[Row]) -> None:
        """Write some rows; those that are here already get the state "unchanged"."""
        raise NotImplementedError

    def finish(self) -> None:
        """After the last row: for kinds that must see all of them first."""


class Kind:
    """A sort of row that can be imported."""

    slug: str
    label: Any
    icon: str
    capability: str
    fields: list[Field]
    options: list[Option] = []
    identity: str = EXTERNAL_ID  # the field that says which row it is; without it the row's content does
    identity_within: tuple[str, ...] = ()  # fields within which that identity is unique
    keeps_repeated_rows = (
        False  # equal rows are separate things, only suspicious; otherwise the later ones are left out
    )
    lead: Any = ""

    def importer(self, job: Job) -> Importer:
        raise NotImplementedError

    def fields_at(self, site: Site) -> list[Field]:
        """The fields with the choices that this site has."""
        return [replace(each, choices=each.choices(site)) if callable(each.choices) else each for each in self.fields]


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Offer a kind on the import page and to `manage.py import`."""
    KINDS[kind.slug] = kind
    return kind
