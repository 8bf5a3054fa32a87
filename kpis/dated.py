"""What a manager states of a site from a day on, until the next one begins: a net margin, the capacity of its crew.

Events: <name>.set, <name>.changed {changes}, <name>.removed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from assets.checks import check_version
from core.changes import apply
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from kpis.models import DatedOfSite
from people.permissions import require

YEARS = range(1970, 2200)

Row = TypeVar("Row", bound=DatedOfSite)


@dataclass(frozen=True)
class Verbs(Generic[Row]):
    """Setting, changing and removing rows of one model; `fields` may be changed, `described` says one in words."""

    model: type[Row]
    name: str  # of its events
    fields: tuple[str, ...]
    described: Callable[[Row], str]
    check: Callable[[Row], None] = lambda row: None

    @property
    def _called(self) -> str:
        return str(self.model._meta.verbose_name).capitalize()

    @transaction.atomic
    def set(self, site: Site, fields: Mapping[str, Any], *, by) -> Row:
        """A new one, from a day on; Refused at the field, Conflict if one begins on that day already."""
        require(by, "manage", site)
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        row = self.model(site=site, **fields)
        self._check(row)
        row.save()
        self._record("set", row, by=by)
        return row

    @transaction.atomic
    def change(self, row: Row, fields: Mapping[str, Any], *, by, version: int | None = None) -> Row:
        """Other values or another day; Conflict if the row has another version by now."""
        require(by, "manage", row.site)
        Site.objects.select_for_update(no_key=True).get(pk=row.site_id)
        row = self.model.objects.select_for_update(of=("self",)).select_related("site").get(pk=row.pk)
        check_version(row, version)
        if changes := apply(row, {name: fields[name] for name in self.fields if name in fields}):
            self._check(row)
            row.version += 1
            row.save()
            self._record("changed", row, by=by, changes=changes)
        return row

    @transaction.atomic
    def remove(self, row: Row, *, by) -> None:
        """Take back what was entered by mistake; the one before it holds on."""
        require(by, "manage", row.site)
        self._record("removed", row, by=by)
        row.delete()

    def _record(self, verb: str, row: Row, *, by, **data) -> None:
        summary = f"{self._called} {verb}: {self.described(row)}"
        record(f"{self.name}.{verb}", row, by=by, site=row.site, summary=summary, **data)

    def _check(self, row: Row) -> None:
        if row.valid_from.year not in YEARS:
            raise Refused(_("Give a day between 1970 and 2199."), code="out_of_range", field="valid_from")
        others = self.model.objects.filter(site=row.site_id, valid_from=row.valid_from).exclude(pk=row.pk)
        if others.exists():
            called = {"what": self.model._meta.verbose_name}
            raise Conflict(_("A %(what)s begins on this day already.") % called, code="overlaps", field="valid_from")
        self.check(row)
