"""Findings: doubts about the records behind the figures, each with an owner, a due date and an outcome.

What is seen again stays the same finding; what is seen no longer is mended; what somebody accepts with a reason is
not raised again until the day they named.

Events: finding.raised, finding.changed {changes}, finding.accepted, finding.mended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_version
from core.changes import apply
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from kpis.models import Finding, FindingKind, FindingState
from people.models import User
from people.permissions import require

LONGEST = timedelta(days=366)  # for which a finding may be accepted
OPEN, MENDED, ACCEPTED = FindingState.OPEN, FindingState.MENDED, FindingState.ACCEPTED


@dataclass(frozen=True)
class Doubt:
    """What was seen at an asset; `numbers` say how much of it."""

    asset_id: int
    kind: FindingKind
    numbers: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    @property
    def identity(self) -> tuple[int, str, str]:
        return self.asset_id, str(self.kind), self.key


@transaction.atomic
def observe(site: Site, doubts: Iterable[Doubt], *, kinds: Iterable[FindingKind], now: datetime) -> int:
    """Bring the open findings of these kinds in line with what was seen just now; how many are new.

    Two at once raise nothing twice: the site is theirs one after the other. What somebody settles meanwhile stays
    settled, for the open ones are locked.
    """
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    rows = Finding.objects.filter(site=site, kind__in=list(kinds)).select_related("asset", "site")
    unsettled = rows.filter(state=OPEN).order_by("pk").select_for_update(of=("self",))
    standing = {(row.asset_id, row.kind, row.key): row for row in unsettled}
    today = site.production_day(now)
    accepted = set(rows.filter(state=ACCEPTED, accepted_until__gte=today).values_list("asset_id", "kind", "key"))
    seen = {doubt.identity: doubt for doubt in doubts}
    new = 0
    for identity, doubt in seen.items():
        if row := standing.get(identity):
            row.numbers, row.seen_at = dict(doubt.numbers), now
            row.save(update_fields=["numbers", "seen_at"])
        elif identity not in accepted:
            _raise(site, doubt, now)
            new += 1
    for identity in standing.keys() - seen.keys():
        _mend(standing[identity], now)
    return new


@transaction.atomic
def add(site: Site, doubt: Doubt, *, now: datetime) -> Finding | None:
    """Raise one finding, or renew the one that is open; for what is seen once and looked at by somebody."""
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    row = Finding.objects.filter(asset=doubt.asset_id, kind=doubt.kind, key=doubt.key, state=OPEN).first()
    if row is None:
        return _raise(site, doubt, now)
    row.numbers, row.seen_at = dict(doubt.numbers), now
    row.save(update_fields=["numbers", "seen_at"])
    return row


def _raise(site: Site, doubt: Doubt, now: datetime) -> Finding:
    row = Finding.objects.create(
        site=site, asset_id=doubt.asset_id, kind=doubt.kind, key=doubt.key, numbers=dict(doubt.numbers), found_at=now,
        seen_at=now,
    )  # fmt: skip
    record("finding.raised", row, by=None, site=site, summary=f"Found: {row.kind.replace('_', ' ')}")
    return row


def _mend(row: Finding, now: datetime) -> None:
    row.state, row.settled_at = MENDED, now
    row.version += 1
    row.save(update_fields=["state", "settled_at", "version"])
    record("finding.mended", row, by=None, site=row.site, summary="Is so no longer")


@transaction.atomic
def change(finding: Finding, fields: Mapping[str, Any], *, by, version: int | None = None) -> Finding:
    """Name who looks into it (`owner`), and until when (`due`)."""
    finding = _open(finding, by, version)
    owner = fields.get("owner", finding.owner)
    if owner and not User.objects.filter(pk=owner.pk, is_active=True).with_role_at([finding.site_id]).exists():
        raise Refused(_("The owner must have a role at this site."), code="not_at_site", field="owner")
    if changes := apply(finding, {name: fields[name] for name in ("owner", "due") if name in fields}):
        finding.version += 1
        finding.save()
        whose = finding.owner or "nobody"
        due = f", due {finding.due}" if finding.due else ""
        record("finding.changed", finding, by=by, site=finding.site, summary=f"Given to {whose}{due}", changes=changes)
    return finding


@transaction.atomic
def accept(finding: Finding, *, reason: str, until: date, by, version: int | None = None) -> Finding:
    """It is so, and it is right so: not raised again until that day."""
    finding = _open(finding, by, version)
    reason = reason.strip()
    if not reason:
        raise Refused(_("Say why; it stays in the history."), code="required", field="reason")
    today = finding.site.production_day(timezone.now())
    if not today < until <= today + LONGEST:
        raise Refused(_("Name a day after today, within a year."), code="out_of_range", field="until")
    finding.state, finding.settled_at = ACCEPTED, timezone.now()
    finding.reason, finding.accepted_until = reason, until
    finding.version += 1
    finding.save()
    record("finding.accepted", finding, by=by, site=finding.site, summary=f"Accepted until {until}: {reason}"[:300])
    return finding


def _open(finding: Finding, by, version: int | None) -> Finding:
    """The finding, locked; refused once it has an outcome."""
    require(by, "manage", finding.site)
    rows = Finding.objects.select_for_update(of=("self",)).select_related("site", "asset", "owner")
    finding = rows.get(pk=finding.pk)
    check_version(finding, version)
    if finding.state != OPEN:
        raise Conflict(_("This finding is settled already."), code="settled")
    return finding
