"""The lists that people choose from: kinds of assets, reasons for stops, failure codes.

Reasons belong to a site and are kept by its administrators; one that was used is put out of use, never deleted.
Kinds and failure codes are shared, so that an administrator of any site keeps them.

Events: reason.changed, kind.changed, failure_code.changed, each {changes}; the same with .added and .removed.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from assets.checks import check_row
from assets.models import AssetKind, DowntimeReason, FailureCode
from core.changes import apply
from core.errors import NotAllowed, Refused
from core.events import record
from core.models import Site
from people.permissions import require

REASON_FIELDS = ("code", "name", "kind", "planned", "excluded", "loss_class", "active")
WORDS = {DowntimeReason: "reason", AssetKind: "kind", FailureCode: "failure_code"}


@transaction.atomic
def add_reason(site: Site, fields: Mapping[str, Any], *, by) -> DowntimeReason:
    """A new reason in the site's list; Refused at the field."""
    require(by, "administer", site)
    return _write(DowntimeReason(site=site), fields, by=by, site=site)


@transaction.atomic
def change_reason(reason: DowntimeReason, fields: Mapping[str, Any], *, by) -> DowntimeReason:
    """Other words or another meaning of a reason, for past stops as well; Refused at the field."""
    require(by, "administer", reason.site)
    return _write(_locked(reason), fields, by=by, site=reason.site)


@transaction.atomic
def remove_reason(reason: DowntimeReason, *, by) -> None:
    """Take a reason that was never used off the list."""
    require(by, "administer", reason.site)
    _remove(reason, by=by, site=reason.site)


@transaction.atomic
def keep_shared(row: AssetKind | FailureCode, fields: Mapping[str, Any], *, by) -> AssetKind | FailureCode:
    """Add (a row that is not saved) or change an entry of a list that all sites share; Refused at the field."""
    require_any(by)
    return _write(_locked(row) if row.pk else row, fields, by=by, site=None)


@transaction.atomic
def remove_shared(row: AssetKind | FailureCode, *, by) -> None:
    """Take an entry that was never used off a list that all sites share."""
    require_any(by)
    _remove(row, by=by, site=None)


def require_any(by) -> None:
    """NotAllowed unless `by` administers some site; None is a background job."""
    if by is not None and not by.sites_where("administer"):
        raise NotAllowed(_("Only administrators keep the lists."))


def _locked(row: models.Model) -> models.Model:
    return type(row)._default_manager.select_for_update().get(pk=row.pk)


def _write(row: models.Model, fields: Mapping[str, Any], *, by, site: Site | None) -> Any:
    new = row.pk is None
    changed = apply(row, fields)
    if isinstance(row, DowntimeReason) and row.excluded and not row.planned:
        raise Refused(
            _("Only a planned stop can be taken out of planned production."),
            code="excluded_unplanned",
            field="excluded",
        )
    if not changed and not new:
        return row
    check_row(row)
    row.save()
    word = WORDS[type(row)]
    verb, did = (f"{word}.added", "added") if new else (f"{word}.changed", "changed")
    record(verb, row, by=by, site=site, summary=f"{row._meta.verbose_name.capitalize()} {row} {did}", changes=changed)
    return row


def _remove(row: models.Model, *, by, site: Site | None) -> None:
    record(
        f"{WORDS[type(row)]}.removed", row, by=by, site=site,
        summary=f"{row._meta.verbose_name.capitalize()} {row} removed", code=row.code, name=row.name,
    )  # fmt: skip
    try:
        row.delete()
    except ProtectedError as error:
        raise Refused(_("“%(name)s” is in use and stays on the list.") % {"name": row.name}, code="in_use") from error
