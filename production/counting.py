"""Counts: what an asset made, recorded in batches, corrected and taken back.

Events, each with the facts of the count in its data: count.recorded, count.corrected {changes},
count.removed {why, count}. The last one is about the asset, which remains.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_in_use, check_interval, check_version, locked
from assets.models import Asset, Source
from core.changes import apply, plain
from core.errors import Conflict, DomainError, Refused
from core.events import record, record_many
from core.outcomes import Outcome
from people.permissions import require
from production.models import Count

QUANTITIES = ("good", "scrap", "rework")
FACTS = ("product", "start", "end", *QUANTITIES, "ideal_cycle", "source", "external_id")
CORRECTABLE = ("asset", "product", "start", "end", *QUANTITIES, "ideal_cycle")


@dataclass(frozen=True)
class CountEntry:
    """What an asset made during [start, end); `ideal_cycle` in seconds per piece.

    Without an ideal cycle that of the asset's latest count of this product is taken.
    """

    asset: Asset
    start: datetime
    end: datetime
    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)
    ideal_cycle: Decimal | None = None
    product: str = ""
    external_id: str = ""


@transaction.atomic
def record_count(entry: CountEntry, *, by, source: str = Source.OPERATOR) -> Outcome:
    """One count; raises what kept it out. The status says "unchanged" if the source sent the same row before."""
    outcome = record_counts([entry], by=by, source=source)[0]
    if outcome.error:
        raise outcome.error
    return outcome


@transaction.atomic
def record_counts(entries: Sequence[CountEntry], *, by, source: str = Source.OPERATOR) -> list[Outcome]:
    """Many counts in a constant number of statements, with one outcome per entry in the same order.

    A refused entry leaves the others alone. The same pieces are never counted twice: an `external_id` that the
    source sent before for this asset, or the same asset, product and times without one, is "unchanged" if all
    agrees, else a Conflict.
    """
    now = timezone.now()
    assets = locked({entry.asset.pk for entry in entries})
    ids = {entry.external_id for entry in entries if entry.external_id}
    rows = Count.objects.filter(asset__in=assets, source=source)
    known = {(row.asset_id, row.external_id): row for row in rows.filter(external_id__in=ids)} if ids else {}
    starts = {entry.start for entry in entries if not entry.external_id}
    same = {_key(row): row for row in rows.filter(start__in=starts)} if starts else {}
    cycles = _latest_cycles(assets, {entry.product for entry in entries if entry.ideal_cycle is None})
    new: list[Count] = []
    outcomes = []
    for entry in entries:
        entry = replace(entry, asset=assets[entry.asset.pk])
        if entry.ideal_cycle is None:
            entry = replace(entry, ideal_cycle=cycles.get((entry.asset.pk, entry.product)))
        try:
            count = _made(entry, by=by, source=source, now=now)
        except DomainError as error:
            outcomes.append(Outcome("refused", error=error))
            continue
        before = known.get((count.asset_id, count.external_id)) if count.external_id else same.get(_key(count))
        if before:
            outcomes.append(_again(before, count))
            continue
        known[count.asset_id, count.external_id] = same[_key(count)] = count
        new.append(count)
        outcomes.append(Outcome("created", count))
    Count.objects.bulk_create(new, batch_size=2000)
    if new:
        record_many("count.recorded", new, by=by, summary=_summary, data=facts)
    return outcomes


@transaction.atomic
def correct(count: Count, changes: Mapping[str, Any], *, by, why: str = "", version: int | None = None) -> Count:
    """Set values of CORRECTABLE; the event keeps old and new. Conflict if the row has another version by now."""
    require(by, "record", count.asset.site)
    unknown = sorted(set(changes) - set(CORRECTABLE))
    if unknown:
        raise ValueError(f"Not fields of a count that may be corrected: {', '.join(unknown)}")
    target = changes.get("asset") or count.asset
    assets = locked({count.asset_id, target.pk})
    asset, former = assets[target.pk], assets[count.asset_id]
    if asset.site_id != former.site_id:
        raise Refused(_("This site has no such asset."), code="unknown_asset", field="asset")
    if asset.pk != former.pk:
        check_in_use(asset)
    count = Count.objects.get(pk=count.pk)
    check_version(count, version)
    changed = apply(count, {**changes, "asset": asset})
    if not changed:
        return count
    count.asset = asset
    _check(count)
    count.version += 1
    count.save()
    more = {"why": why} if why else {}
    record(
        "count.corrected", count, by=by, site=asset.site, summary=f"{asset}: count corrected", changes=changed,
        **facts(count), **more,
    )  # fmt: skip
    return count


@transaction.atomic
def remove(count: Count, *, by, why: str = "", version: int | None = None) -> None:
    """Take back a count that was none; the event keeps its facts."""
    require(by, "record", count.asset.site)
    locked({count.asset_id})
    try:
        count = Count.objects.select_related("asset__site").get(pk=count.pk)
    except Count.DoesNotExist:
        raise Conflict(_("This count was removed in the meantime."), code="removed") from None
    check_version(count, version)
    record(
        "count.removed", count.asset, by=by, site=count.asset.site, summary=f"{count.asset}: count removed", why=why,
        count=count.pk, **facts(count),
    )  # fmt: skip
    count.delete()


def _latest_cycles(assets: Iterable[int], products: set[str]) -> dict[tuple[int, str], Decimal]:
    if not products:
        return {}
    rows = Count.objects.filter(asset__in=assets, product__in=products)
    rows = rows.order_by("asset", "product", "-start", "-id").distinct("asset", "product")
    return {(asset, product): cycle for asset, product, cycle in rows.values_list("asset", "product", "ideal_cycle")}


def _made(entry: CountEntry, *, by, source: str, now: datetime) -> Count:
    require(by, "record", entry.asset.site)
    count = Count(
        asset=entry.asset, product=entry.product, start=entry.start, end=entry.end, good=entry.good, scrap=entry.scrap,
        rework=entry.rework, ideal_cycle=entry.ideal_cycle, source=source, external_id=entry.external_id,
        entered_at=now,
    )  # fmt: skip
    check_in_use(entry.asset)
    _check(count, now=now)
    return count


def _check(count: Count, *, now: datetime | None = None) -> None:
    check_interval(count.asset, count.start, count.end, now=now)
    if count.end == count.start:
        raise Refused(_("The count ends when it starts."), code="end_before_start", field="end")
    if count.ideal_cycle is None:
        raise Refused(
            _("Give the ideal cycle time; this asset has no earlier count of this product."),
            code="required",
            field="ideal_cycle",
        )
    if count.ideal_cycle <= 0:
        raise Refused(_("The ideal cycle time is above zero."), code="not_positive", field="ideal_cycle")
    try:
        count.clean_fields(exclude=["asset"])
    except ValidationError as error:
        name, problems = next(iter(error.error_dict.items()))
        raise Refused(" ".join(problems[0].messages), code=problems[0].code or "invalid", field=name) from error


def _key(count: Count) -> tuple:
    return count.asset_id, count.product, count.start, count.end


def _again(known: Count, sent: Count) -> Outcome:
    """The source sends a row that is known."""
    names = ("start", "end", "product", *QUANTITIES, "ideal_cycle")
    differing = [name for name in names if getattr(known, name) != getattr(sent, name)]
    if not differing:
        return Outcome("unchanged", known)
    named = ", ".join(str(Count._meta.get_field(name).verbose_name) for name in differing)
    error = Conflict(
        _("This count is recorded here with another %(fields)s; correct it at its own address.") % {"fields": named},
        code="recorded_differently",
        field="external_id" if sent.external_id else "start",
    )
    return Outcome("refused", error=error)


def _summary(count: Count) -> str:
    return f"{count.asset} made {count.good:f} good, {count.scrap:f} scrap, {count.rework:f} rework"


def facts(count: Count) -> dict[str, Any]:
    """What an event keeps of a count."""
    return {"asset": count.asset_id, **{name: plain(getattr(count, name)) for name in FACTS}}
