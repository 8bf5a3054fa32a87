"""Stops: an asset is down, is back, was down; corrected and removed without losing what was said before.

Every verb locks the row of the asset, so that two people who press at the same moment get one stop and one
clear answer. A stop that was a failure raises its Failure and keeps it in step.

Events, each with the facts of the stop in its data: downtime.opened, downtime.recorded, downtime.closed,
downtime.corrected {changes}, downtime.removed {why, downtime}. The last one is about the asset, which remains.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets import failures
from assets.checks import check_in_use, check_interval, check_reason, check_version, locked, noted, said
from assets.models import Asset, Downtime, DowntimeReason, Failure, Source
from core.changes import apply, plain
from core.errors import Conflict, DomainError, Refused
from core.events import record, record_many
from core.outcomes import Outcome
from people.permissions import require

FACTS = ("asset", "start", "end", "reason", "planned", "planned_end", "note", "source", "external_id")
CORRECTABLE = ("asset", "start", "end", "reason", "planned", "planned_end", "note")


@dataclass(frozen=True)
class StopEntry:
    """A stop as somebody reports it, [start, end); open without an end.

    None in `planned` takes it from the reason; None in `is_failure` says nothing about a failure.
    """

    asset: Asset
    start: datetime
    end: datetime | None = None
    reason: DowntimeReason | None = None
    planned: bool | None = None
    planned_end: datetime | None = None
    note: str = ""
    external_id: str = ""
    is_failure: bool | None = None


# --- Is down, is back ----------------------------------------------------------------------------------


def open_stop(
    asset: Asset,
    *,
    by,
    at: datetime | None = None,
    reason: DowntimeReason | None = None,
    planned: bool | None = None,
    planned_end: datetime | None = None,
    note: str = "",
    source: str = Source.OPERATOR,
    external_id: str = "",
    is_failure: bool | None = None,
) -> Downtime:
    """The asset "is down" since `at` (default: now). Conflict if it is down already."""
    entry = StopEntry(
        asset,
        at or timezone.now(),
        reason=reason,
        planned=planned,
        planned_end=planned_end,
        note=note,
        external_id=external_id,
        is_failure=is_failure,
    )
    return record_stop(entry, by=by, source=source).row


@transaction.atomic
def close_stop(
    asset: Asset,
    *,
    by,
    at: datetime | None = None,
    reason: DowntimeReason | None = None,
    note: str | None = None,
) -> Downtime:
    """The asset "is back" since `at` (default: now); a reason or note given here replaces that of the stop.

    Conflict if it is not down, with who brought it back and when.
    """
    require(by, "record", asset.site)
    asset = locked([asset.pk])[asset.pk]
    stop = Downtime.objects.open().filter(asset=asset).first()
    if stop is None:
        last = Downtime.objects.filter(asset=asset).order_by("-end").first()
        raise Conflict(
            _("%(code)s is up again since %(since)s.") % {"code": asset.code, "since": said(last.end, asset.site)}
            if last
            else _("%(code)s is not down.") % {"code": asset.code},
            code="not_down",
        )
    wanted: dict[str, Any] = {"end": at or timezone.now()}
    if reason is not None:
        wanted["reason"] = reason
    if note is not None:
        wanted["note"] = note
    _correct(stop, asset, wanted, by=by, verb="downtime.closed")
    return stop


@transaction.atomic
def end_stop(
    stop: Downtime,
    *,
    by,
    at: datetime | None = None,
    reason: DowntimeReason | None = None,
    note: str | None = None,
) -> Downtime:
    """The asset is back from this very stop; Conflict if it has ended already. Otherwise as `close_stop`."""
    require(by, "record", stop.asset.site)
    locked([stop.asset_id])
    if not Downtime.objects.open().filter(pk=stop.pk).exists():
        raise Conflict(_("This stop has ended already."), code="not_down")
    return close_stop(stop.asset, by=by, at=at, reason=reason, note=note)


# --- Record --------------------------------------------------------------------------------------------


@transaction.atomic
def record_stop(entry: StopEntry, *, by, source: str = Source.OPERATOR) -> Outcome:
    """One stop; raises what kept it out. The status says "unchanged" if the source sent the same row before."""
    outcome = record_stops([entry], by=by, source=source)[0]
    if outcome.error:
        raise outcome.error
    return outcome


@transaction.atomic
def record_stops(entries: Sequence[StopEntry], *, by, source: str = Source.OPERATOR) -> list[Outcome]:
    """Many stops in a constant number of statements, with one outcome per entry in the same order.

    A refused entry leaves the others alone. An `external_id` that the source sent before for this asset is
    never stored twice and never overwrites: the same facts are "unchanged", an end for a stop that was open
    closes it, anything else is a Conflict, since people may have corrected the stop here.
    """
    now = timezone.now()
    assets = locked({entry.asset.pk for entry in entries})
    batch = _Batch.load(entries, assets, source)
    outcomes = []
    for entry in entries:
        try:
            outcomes.append(batch.take(replace(entry, asset=assets[entry.asset.pk]), by=by, now=now))
        except DomainError as error:
            outcomes.append(Outcome("refused", error=error))
    batch.write(by=by)
    return outcomes


@dataclass
class _Batch:
    """The rows of one call: what is there already, and what will be written."""

    source: str
    known: dict[tuple[int, str], Downtime]
    open: dict[int, Downtime]
    failed: set[int]  # ids of known stops that have a failure
    new: list[Downtime] = field(default_factory=list)
    closed: dict[int, Downtime] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    @classmethod
    def load(cls, entries: Iterable[StopEntry], assets: Mapping[int, Asset], source: str) -> "_Batch":
        ids = {entry.external_id for entry in entries if entry.external_id}
        rows = Downtime.objects.filter(asset__in=assets)
        known = list(rows.filter(source=source, external_id__in=ids)) if ids else []
        failed = set(Failure.objects.filter(downtime__in=known).values_list("downtime_id", flat=True)) if known else ()
        return cls(
            source=source,
            known={(row.asset_id, row.external_id): row for row in known},
            open={row.asset_id: row for row in rows.open()},
            failed=set(failed),
        )

    def take(self, entry: StopEntry, *, by, now: datetime) -> Outcome:
        asset = entry.asset
        require(by, "record", asset.site)
        check_interval(asset, entry.start, entry.end, now=now)
        if entry.external_id and (known := self.known.get((asset.pk, entry.external_id))):
            return self.again(known, entry)
        check_in_use(asset)
        stop = Downtime(
            asset=asset,
            start=entry.start,
            end=entry.end,
            reason=entry.reason,
            planned=_planned(entry),
            planned_end=entry.planned_end,
            note=entry.note,
            source=self.source,
            external_id=entry.external_id,
            entered_at=now,
            entered_by=by,
        )
        _check(stop)
        if stop.end is None:
            if asset.pk in self.open:
                raise _already_down(self.open[asset.pk], asset)
            self.open[asset.pk] = stop
        self.new.append(stop)
        if stop.external_id:
            self.known[asset.pk, stop.external_id] = stop
        if entry.is_failure:
            self.failures.append(failures.raised_by(stop))
        return Outcome("created", stop)

    def again(self, known: Downtime, entry: StopEntry) -> Outcome:
        """The source sends a row that is known."""
        differing = []
        if known.start != entry.start:
            differing.append(_("start"))
        if entry.end and known.end and entry.end != known.end:
            differing.append(_("end"))
        if entry.reason and entry.reason.pk != known.reason_id:
            differing.append(_("reason"))
        if entry.planned is not None and entry.planned != known.planned:
            differing.append(_("planned"))
        if entry.note and entry.note != known.note:
            differing.append(_("note"))
        if entry.is_failure and known.pk not in self.failed and not self.fails_already(known):
            differing.append(_("failure"))
        if differing:
            raise Conflict(
                _("This stop is recorded here with another %(fields)s; correct it at its own address.")
                % {"fields": ", ".join(differing)},
                code="recorded_differently",
                field="external_id",
            )
        if entry.end is None or known.end is not None:
            return Outcome("unchanged", known)
        known.end = entry.end
        self.open.pop(known.asset_id, None)
        for failure in self.failures:
            if failure.downtime is known:
                failure.restored = known.end
        if known.pk:
            known.version += 1
            self.closed[known.pk] = known
        return Outcome("closed", known)

    def fails_already(self, stop: Downtime) -> bool:
        return any(failure.downtime is stop for failure in self.failures)

    def write(self, *, by) -> None:
        Downtime.objects.bulk_create(self.new, batch_size=2000)
        closed = list(self.closed.values())
        if closed:
            Downtime.objects.bulk_update(closed, ["end", "version"], batch_size=500)
            lasting = list(Failure.objects.filter(downtime__in=closed, restored=None).select_related("downtime"))
            for failure in lasting:
                failure.restored = failure.downtime.end
                failure.version += 1
            Failure.objects.bulk_update(lasting, ["restored", "version"], batch_size=500)
            record_many("downtime.closed", closed, by=by, summary=_back, data=facts)
        for failure in self.failures:
            failure.downtime_id = failure.downtime.pk
        Failure.objects.bulk_create(self.failures, batch_size=2000)
        for verb, rows in (
            ("downtime.opened", [stop for stop in self.new if stop.end is None]),
            ("downtime.recorded", [stop for stop in self.new if stop.end is not None]),
        ):
            if rows:
                record_many(verb, rows, by=by, summary=_down, data=facts)
        if self.failures:
            record_many("failure.recorded", self.failures, by=by, summary=failures.summary, data=failures.facts)


# --- Correct and remove --------------------------------------------------------------------------------


@transaction.atomic
def correct(
    stop: Downtime,
    changes: Mapping[str, Any],
    *,
    by,
    is_failure: bool | None = None,
    why: str = "",
    version: int | None = None,
) -> Downtime:
    """Set what was said wrongly: values of CORRECTABLE, and whether it was a failure (None: as it is).

    The event keeps old and new. `version` is the one that the caller saw: Conflict if it is another by now.
    An unset end opens the stop again. A stop that is moved to another asset stays at its site.
    """
    require(by, "record", stop.asset.site)
    unknown = sorted(set(changes) - set(CORRECTABLE))
    if unknown:
        raise ValueError(f"Not fields of a stop that may be corrected: {', '.join(unknown)}")
    target = changes.get("asset") or stop.asset
    assets = locked({stop.asset_id, target.pk})
    stop = Downtime.objects.get(pk=stop.pk)
    check_version(stop, version)
    asset = assets[target.pk]
    if asset.site_id != assets[stop.asset_id].site_id:
        raise Refused(_("This site has no such asset."), code="unknown_asset", field="asset")
    if asset.pk != stop.asset_id:
        check_in_use(asset)
    _correct(stop, asset, {**changes, "asset": asset}, by=by, is_failure=is_failure, why=why)
    return stop


@transaction.atomic
def remove(stop: Downtime, *, by, why: str = "", version: int | None = None) -> None:
    """Take back a stop that never was, and the failure that it raised; the events keep all facts of both."""
    site = stop.asset.site
    require(by, "record", site)
    locked([stop.asset_id])
    try:
        stop = Downtime.objects.select_related("asset__site", "reason").get(pk=stop.pk)
    except Downtime.DoesNotExist:
        raise Conflict(_("This stop was removed in the meantime."), code="removed") from None
    check_version(stop, version)
    for failure in stop.failures.select_related("asset"):
        failures.take_back(failure, by=by, why=why)
    summary = f"{stop.asset}: stop of {noted(stop.start, site)} removed"
    record("downtime.removed", stop.asset, by=by, site=site, summary=summary, why=why, downtime=stop.pk, **facts(stop))
    stop.delete()


def _correct(
    stop: Downtime,
    asset: Asset,
    wanted: Mapping[str, Any],
    *,
    by,
    verb: str = "downtime.corrected",
    is_failure: bool | None = None,
    why: str = "",
) -> None:
    """Check and write the new facts of a stop whose asset is locked, and keep its failure in step."""
    before, had_reason = (stop.start, stop.end), stop.reason_id
    reason = wanted.get("reason")
    if reason and reason.pk != had_reason and "planned" not in wanted:
        wanted = {**wanted, "planned": reason.planned}
    if wanted.get("planned") is False and "planned_end" not in wanted:
        wanted = {**wanted, "planned_end": None}
    changed = apply(stop, wanted)
    raised = list(stop.failures.all())
    turns = is_failure is not None and is_failure != bool(raised)
    if not changed and not turns:
        return
    stop.asset = asset
    check_interval(asset, stop.start, stop.end)
    _check(stop, kept=stop.reason_id == had_reason)
    if stop.end is None:
        other = Downtime.objects.open().filter(asset=asset).exclude(pk=stop.pk).first()
        if other:
            raise _already_down(other, asset)
    stop.version += 1
    stop.save()
    if turns and is_failure is False:
        for failure in raised:
            failures.take_back(failure, by=by, why=why)
        raised = []
    for failure in raised:
        failures.keep_in_step(failure, stop, before, by=by)
    if turns and is_failure:
        failure = failures.raised_by(stop)
        failure.save()
        record(
            "failure.recorded", failure, by=by, site=asset.site, summary=failures.summary(failure),
            **failures.facts(failure),
        )  # fmt: skip
    if turns:
        changed["is_failure"] = [not is_failure, is_failure]
    summary = (
        _back(stop) if verb == "downtime.closed" else f"{asset}: stop of {noted(stop.start, asset.site)} corrected"
    )
    more = {"why": why} if why else {}
    record(verb, stop, by=by, site=asset.site, summary=summary, changes=changed, **facts(stop), **more)


# --- What must hold, what events keep ------------------------------------------------------------------


def _planned(entry: StopEntry) -> bool:
    if entry.planned is not None:
        return entry.planned
    return entry.reason.planned if entry.reason else False


def _check(stop: Downtime, *, kept: bool = False) -> None:
    """What the row itself must hold; its times are checked before."""
    if stop.reason:
        check_reason(stop.reason, stop.asset, kept=kept)
    if stop.planned_end is not None:
        if not stop.planned:
            raise Refused(
                _("Only a planned stop has a planned end."), code="planned_end_of_unplanned", field="planned_end"
            )
        if timezone.is_naive(stop.planned_end):
            raise Refused(_("Give the time with its offset from UTC."), code="naive_time", field="planned_end")
        if stop.planned_end <= stop.start:
            raise Refused(
                _("The planned end lies before the start."), code="planned_end_before_start", field="planned_end"
            )
    try:
        stop.clean_fields(exclude=["asset", "reason", "entered_by"])
    except ValidationError as error:
        name, problems = next(iter(error.error_dict.items()))
        raise Refused(" ".join(problems[0].messages), code=problems[0].code or "invalid", field=name) from error


def _already_down(stop: Downtime, asset: Asset) -> Conflict:
    return Conflict(
        _("%(code)s is down already, since %(since)s; close that stop first, or give this one an end.")
        % {"code": asset.code, "since": said(stop.start, asset.site)},
        code="already_down",
        field="end",
    )


def _down(stop: Downtime) -> str:
    reason = f" ({stop.reason.name})" if stop.reason else ""
    since = noted(stop.start, stop.asset.site)
    if stop.end is None:
        return f"{stop.asset} is down since {since}{reason}"
    return f"{stop.asset} was down {since} to {noted(stop.end, stop.asset.site)}{reason}"


def _back(stop: Downtime) -> str:
    return f"{stop.asset} is back since {noted(stop.end, stop.asset.site)}"


def facts(stop: Downtime) -> dict[str, Any]:
    """What an event keeps of a stop."""
    return {name: plain(getattr(stop, f"{name}_id" if name in ("asset", "reason") else name)) for name in FACTS}
