"""What an hour down cost in the past. The price of today is a field of the asset; a trigger keeps what it was before.

A former price speaks through its asset: asset.hourly_cost_changed {changes}.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_row, check_version
from assets.models import Asset, FormerHourlyCost
from assets.tree import locked_site
from core.changes import apply, plain
from core.errors import Conflict, Refused
from core.events import record
from people.permissions import require

FIELDS = ("until", "amount")
FIRST_YEAR = 1970


@transaction.atomic
def add_former_cost(asset: Asset, fields: Mapping[str, Any], *, by) -> FormerHourlyCost:
    """What an hour of the asset cost until a day; Conflict if another price ended on that day."""
    require(by, "edit", asset.site)
    locked_site(asset.site)
    row = FormerHourlyCost(asset=asset, **fields)
    _check(row)
    row.save()
    _record(row, {name: [None, plain(getattr(row, name))] for name in FIELDS}, by=by)
    return row


@transaction.atomic
def change_former_cost(
    row: FormerHourlyCost, fields: Mapping[str, Any], *, by, version: int | None = None
) -> FormerHourlyCost:
    """Another price or day; Conflict if the row has another version by now."""
    require(by, "edit", row.asset.site)
    locked_site(row.asset.site)
    row = _still_there(row)
    check_version(row, version)
    if changes := apply(row, {name: fields[name] for name in FIELDS if name in fields}):
        _check(row)
        row.version += 1
        row.save()
        _record(row, changes, by=by)
    return row


@transaction.atomic
def remove_former_cost(row: FormerHourlyCost, *, by) -> None:
    """Take it back: the price that came after it holds for its time as well."""
    require(by, "edit", row.asset.site)
    locked_site(row.asset.site)
    row = _still_there(row)
    _record(row, {name: [plain(getattr(row, name)), None] for name in FIELDS}, by=by)
    row.delete()


class Price(NamedTuple):
    """What an hour down costs from one day until before another; no day where it is the first, or that of today."""

    amount: Decimal | None
    since: date | None
    until: date | None


def prices(asset: Asset) -> list[Price]:
    """The prices of an asset, the oldest first; of many assets prefetch `former_hourly_costs`."""
    former = sorted(asset.former_hourly_costs.all(), key=attrgetter("until"))
    amounts = [*(row.amount for row in former), asset.downtime_cost]
    days = pairwise([None, *(row.until for row in former), None])
    return [Price(amount, *span) for amount, span in zip(amounts, days, strict=True)]


def _still_there(row: FormerHourlyCost) -> FormerHourlyCost:
    found = FormerHourlyCost.objects.select_related("asset__site").filter(pk=row.pk).first()
    if found is None:
        raise Conflict(_("Somebody removed this in the meantime."), code="stale")
    return found


def _check(row: FormerHourlyCost) -> None:
    if row.until.year < FIRST_YEAR:
        raise Refused(_("Give a day since %(year)d.") % {"year": FIRST_YEAR}, code="out_of_range", field="until")
    if row.until > row.asset.site.production_day(timezone.now()):
        raise Refused(
            _("This day lies ahead; the price of today is entered where the asset is edited."), code="in_the_future",
            field="until",
        )  # fmt: skip
    others = FormerHourlyCost.objects.filter(asset=row.asset_id, until=row.until).exclude(pk=row.pk)
    if others.exists():
        raise Conflict(_("Another price ended on this day."), code="overlaps", field="until")
    check_row(row)


def _record(row: FormerHourlyCost, changes: dict, *, by) -> None:
    asset = row.asset
    amount = _("none") if row.amount is None else f"{row.amount:,.2f} {asset.site.currency}"
    summary = f"{asset}: an hour down cost {amount} until {row.until}"
    record("asset.hourly_cost_changed", asset, by=by, site=asset.site, summary=summary, changes=changes)
