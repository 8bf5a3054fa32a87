"""The net margin of a site, year by year: what cost of downtime is measured by.

Events: net_margin.set, net_margin.changed {changes}, net_margin.removed.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from assets.checks import check_version
from core.changes import apply
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from kpis.models import NetMargin
from people.permissions import require

FIELDS = ("amount", "valid_from")
YEARS = range(1970, 2200)


@transaction.atomic
def set_net_margin(site: Site, fields: Mapping[str, Any], *, by) -> NetMargin:
    """The net margin of a year, from a day on; Refused at the field, Conflict if one begins on that day already."""
    require(by, "manage", site)
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    margin = NetMargin(site=site, **fields)
    _check(margin)
    margin.save()
    record("net_margin.set", margin, by=by, site=site, summary=f"Net margin set: {described(margin)}")
    return margin


@transaction.atomic
def change_net_margin(margin: NetMargin, fields: Mapping[str, Any], *, by, version: int | None = None) -> NetMargin:
    """Another amount or day; Conflict if the row has another version by now."""
    require(by, "manage", margin.site)
    Site.objects.select_for_update(no_key=True).get(pk=margin.site_id)
    margin = NetMargin.objects.select_for_update(of=("self",)).select_related("site").get(pk=margin.pk)
    check_version(margin, version)
    if changes := apply(margin, {name: fields[name] for name in FIELDS if name in fields}):
        _check(margin)
        margin.version += 1
        margin.save()
        record(
            "net_margin.changed", margin, by=by, site=margin.site,
            summary=f"Net margin changed: {described(margin)}", changes=changes,
        )  # fmt: skip
    return margin


@transaction.atomic
def remove_net_margin(margin: NetMargin, *, by) -> None:
    """Take back a margin that was entered by mistake; the one before it holds on."""
    require(by, "manage", margin.site)
    record("net_margin.removed", margin, by=by, site=margin.site, summary=f"Net margin removed: {described(margin)}")
    margin.delete()


def described(margin: NetMargin) -> str:
    """ "4,800,000.00 EUR a year from 2026-01-01"."""
    return f"{margin.amount:,.2f} {margin.site.currency} a year from {margin.valid_from}"


def _check(margin: NetMargin) -> None:
    if margin.valid_from.year not in YEARS:
        raise Refused(_("Give a day between 1970 and 2199."), code="out_of_range", field="valid_from")
    others = NetMargin.objects.filter(site=margin.site_id, valid_from=margin.valid_from).exclude(pk=margin.pk)
    if others.exists():
        raise Conflict(_("A net margin begins on this day already."), code="overlaps", field="valid_from")
