"""Failures: record and correct the thing that MTBF counts; what a stop has to do with the failure it raised.

Events, each with the facts of the failure in its data: failure.recorded, failure.corrected {changes},
failure.removed {why, failure}. The last one is about the asset, which remains.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_code, check_in_use, check_interval, check_row, check_version, locked, noted, said
from assets.models import Asset, Downtime, Failure, FailureCode, Source
from core.changes import apply, plain
from core.errors import Conflict, Refused
from core.events import record
from people.permissions import require

CODES = ("problem", "cause", "remedy")
CORRECTABLE = ("asset", "component", "occurred", "restored", *CODES, "detection", "downtime", "note")


@transaction.atomic
def record_failure(
    asset: Asset,
    *,
    by,
    occurred: datetime | None = None,
    restored: datetime | None = None,
    component: str = "",
    problem: FailureCode | None = None,
    cause: FailureCode | None = None,
    remedy: FailureCode | None = None,
    detection: str = Failure.Detection.OPERATION,
    downtime: Downtime | None = None,
    note: str = "",
    source: str = Source.OPERATOR,
    external_id: str = "",
) -> tuple[Failure, bool]:
    """A failure of the asset and whether it is new; an `external_id` that its source sent before is not stored twice.

    Conflict if the row that is known differs; Refused at the field otherwise.
    """
    require(by, "record", asset.site)
    asset = locked([asset.pk])[asset.pk]
    failure = Failure(
        asset=asset, occurred=occurred or timezone.now(), restored=restored, component=component, problem=problem,
        cause=cause, remedy=remedy, detection=detection, downtime=downtime, note=note, source=source,
        external_id=external_id, entered_by=by,
    )  # fmt: skip
    known = Failure.objects.filter(asset=asset, source=source, external_id=external_id).first() if external_id else None
    if known:
        return _again(known, failure), False
    check_in_use(asset)
    _check(failure)
    failure.save()
    record("failure.recorded", failure, by=by, site=asset.site, summary=summary(failure), **facts(failure))
    return failure, True


@transaction.atomic
def correct(failure: Failure, changes: Mapping[str, Any], *, by, why: str = "", version: int | None = None) -> Failure:
    """Set values of CORRECTABLE; the event keeps old and new. Conflict if the row has another version by now."""
    require(by, "record", failure.asset.site)
    unknown = sorted(set(changes) - set(CORRECTABLE))
    if unknown:
        raise ValueError(f"Not fields of a failure that may be corrected: {', '.join(unknown)}")
    target = changes.get("asset") or failure.asset
    assets = locked([failure.asset_id, target.pk])
    failure = Failure.objects.get(pk=failure.pk)
    check_version(failure, version)
    asset, former = assets[target.pk], assets[failure.asset_id]
    if asset.site_id != former.site_id:
        raise Refused(_("This site has no such asset."), code="unknown_asset", field="asset")
    if asset.pk != former.pk:
        check_in_use(asset)
    changed = apply(failure, {**changes, "asset": asset})
    if not changed:
        return failure
    failure.asset = asset
    _check(failure)
    failure.version += 1
    failure.save()
    more = {"why": why} if why else {}
    record(
        "failure.corrected", failure, by=by, site=asset.site, summary=f"{asset}: failure corrected", changes=changed,
        **facts(failure), **more,
    )  # fmt: skip
    return failure


@transaction.atomic
def remove(failure: Failure, *, by, why: str = "", version: int | None = None) -> None:
    """Take back a failure that was none; the event keeps its facts. The stop, if there was one, stays."""
    require(by, "record", failure.asset.site)
    locked([failure.asset_id])
    try:
        failure = Failure.objects.select_related("asset__site").get(pk=failure.pk)
    except Failure.DoesNotExist:
        raise Conflict(_("This failure was removed in the meantime."), code="removed") from None
    check_version(failure, version)
    take_back(failure, by=by, why=why)


# --- The failure that a stop raised --------------------------------------------------------------------


def raised_by(stop: Downtime) -> Failure:
    """The failure (not saved) of a stop that was one: occurred at its start, restored at its end."""
    return Failure(
        asset=stop.asset, occurred=stop.start, restored=stop.end, downtime=stop, source=stop.source,
        entered_by=stop.entered_by,
    )  # fmt: skip


def keep_in_step(failure: Failure, stop: Downtime, before: tuple[datetime, datetime | None], *, by) -> None:
    """Where the failure's times were those of the stop (`before`), they stay those of the stop."""
    wanted: dict[str, Any] = {"asset": stop.asset}
    if failure.occurred == before[0]:
        wanted["occurred"] = stop.start
    if failure.restored == before[1]:
        wanted["restored"] = stop.end
    changed = apply(failure, wanted)
    if not changed:
        return
    if failure.restored and failure.restored < failure.occurred:
        raise Refused(
            _("The failure of this stop was restored at %(restored)s, before it now occurs; correct it first.")
            % {"restored": said(failure.restored, stop.asset.site)},
            code="restored_before_occurred",
            field="start",
        )
    for name in CODES:
        code = getattr(failure, name)
        if "asset" in changed and code and code.kind_id not in (None, stop.asset.kind_id):
            raise Refused(
                _("The failure of this stop has codes for another kind of asset; correct it first."),
                code="code_of_other_kind",
                field="asset",
            )
    failure.version += 1
    failure.save()
    record(
        "failure.corrected", failure, by=by, site=stop.asset.site, summary=f"{stop.asset}: failure kept in step",
        changes=changed, **facts(failure),
    )  # fmt: skip


def take_back(failure: Failure, *, by, why: str) -> None:
    """Delete the failure, whose asset the caller has locked, and record what it was."""
    record(
        "failure.removed", failure.asset, by=by, site=failure.asset.site, summary=f"{failure.asset}: failure removed",
        why=why, failure=failure.pk, **facts(failure),
    )  # fmt: skip
    failure.delete()


# --- What must hold, what events keep ------------------------------------------------------------------


def _check(failure: Failure) -> None:
    check_interval(
        failure.asset, failure.occurred, failure.restored, start_field="occurred", end_field="restored"
    )  # fmt: skip
    for name in CODES:
        code = getattr(failure, name)
        if code:
            check_code(code, failure.asset, field=name)
    if failure.downtime and failure.downtime.asset_id != failure.asset_id:
        raise Refused(
            _("This stop is one of another asset."), code="stop_of_other_asset", field="downtime"
        )  # fmt: skip
    check_row(failure)


def _again(known: Failure, sent: Failure) -> Failure:
    """The known row if the source says the same of it; an empty value of the source leaves ours alone."""
    differing = [
        str(Failure._meta.get_field(name).verbose_name)
        for name in ("occurred", "restored", "component", *CODES, "note")
        if getattr(sent, name) and getattr(sent, name) != getattr(known, name)
    ]
    if differing:
        raise Conflict(
            _("This failure is recorded here with another %(fields)s; correct it at its own address.")
            % {"fields": ", ".join(differing)},
            code="recorded_differently",
            field="external_id",
        )
    return known


def summary(failure: Failure) -> str:
    """The sentence of the event that records it."""
    problem = f" ({failure.problem.name})" if failure.problem else ""
    return f"{failure.asset} failed at {noted(failure.occurred, failure.asset.site)}{problem}"


def facts(failure: Failure) -> dict[str, Any]:
    """What an event keeps of a failure."""
    kept = {name: getattr(failure, f"{name}_id") for name in ("asset", *CODES, "downtime")}
    plainly = ("component", "occurred", "restored", "detection", "note", "source", "external_id")
    return kept | {name: plain(getattr(failure, name)) for name in plainly}
