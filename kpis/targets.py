"""Targets of key figures: what was agreed, who answers for it, how a figure stands to it, what was decided last.

Events: target.set, target.changed {changes}, target.removed; a decision is a comment on the target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from assets.checks import check_version
from assets.models import Asset
from core.changes import apply
from core.comments import say
from core.errors import Conflict, Refused
from core.events import label_of, record
from core.models import Comment, Site
from kpis.definitions import DEFINITIONS
from kpis.models import Counts, Target
from people.models import User
from people.permissions import require

FIELDS = ("definition", "value", "watch", "owner", "valid_from", "valid_to")


@transaction.atomic
def set_target(site: Site, asset: Asset | None, fields: Mapping[str, Any], *, by) -> Target:
    """A new target of the site, or of an asset by what counts for it (`scope`); Refused at the field."""
    require(by, "manage", site)
    if asset is not None and asset.site_id != site.pk:
        raise Refused(_("This site has no such asset."), code="unknown_asset", field="asset")
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    target = Target(site=site, asset=asset, **fields)
    _check(target)
    target.save()
    record("target.set", target, by=by, site=site, summary=f"Target set: {described(target)}")
    return target


@transaction.atomic
def change_target(target: Target, fields: Mapping[str, Any], *, by, version: int | None = None) -> Target:
    """Another value, owner or period; Conflict if the target has another version by now."""
    require(by, "manage", target.site)
    Site.objects.select_for_update(no_key=True).get(pk=target.site_id)
    target = Target.objects.select_for_update(of=("self",)).select_related("site", "asset", "owner").get(pk=target.pk)
    check_version(target, version)
    if changes := apply(target, {name: fields[name] for name in FIELDS if name in fields}):
        _check(target)
        target.version += 1
        target.save()
        record(
            "target.changed", target, by=by, site=target.site, summary=f"Target changed: {described(target)}",
            changes=changes,
        )  # fmt: skip
    return target


@transaction.atomic
def remove_target(target: Target, *, by) -> None:
    """Take back a target that was set by mistake; one that no longer holds is ended instead."""
    require(by, "manage", target.site)
    record("target.removed", target, by=by, site=target.site, summary=f"Target removed: {described(target)}")
    target.delete()


def decide(target: Target, text: str, *, by) -> Comment:
    """Note what was decided about the figure; the latest decision stands beside it."""
    require(by, "manage", target.site)
    return say(target, text, by=by, site=target.site)


def _check(target: Target) -> None:
    check_scope(target.asset, target.scope)
    definition = DEFINITIONS.get(target.definition)
    if definition is None:
        message = _("Choose one of the figures: %(keys)s.") % {"keys": ", ".join(DEFINITIONS)}
        raise Refused(message, code="unknown_definition", field="definition")
    for name in ("value", "watch"):
        value = getattr(target, name)
        if value is not None and (not isfinite(value) or value < 0 or (definition.unit == "share" and value > 1)):
            message = _("A share lies between 0 and 1 (0 and 100 %), anything else is not negative.")
            raise Refused(message, code="out_of_range", field=name)
    if target.watch is not None and target.watch != target.value:
        worse = target.watch < target.value
        if worse is not (definition.better == "higher"):
            message = _("Near the target means a little worse than the target, not better.")
            raise Refused(message, code="wrong_side", field="watch")
    if target.valid_to is not None and target.valid_to <= target.valid_from:
        raise Refused(_("It ends before it begins."), code="ends_before_start", field="valid_to")
    if not User.objects.filter(pk=target.owner_id, is_active=True).with_role_at([target.site_id]).exists():
        raise Refused(_("The owner must have a role at this site."), code="not_at_site", field="owner")
    others = Target.objects.filter(
        site=target.site_id, asset=target.asset_id, scope=target.scope, definition=target.definition
    )
    others = others.exclude(pk=target.pk).filter(Q(valid_to=None) | Q(valid_to__gt=target.valid_from))
    if target.valid_to is not None:
        others = others.filter(valid_from__lt=target.valid_to)
    if other := others.first():
        message = _("There is a target from %(day)s already; end it first.") % {"day": other.valid_from}
        raise Conflict(message, code="overlaps", field="valid_from")


def check_scope(asset: Asset | None, scope: str) -> None:
    """Refused where that is no way of counting for it; a site has but its machines."""
    if scope not in Counts.values:
        message = _("What counts must be one of %(keys)s.") % {"keys": ", ".join(Counts.values)}
        raise Refused(message, code="invalid", field="scope")
    if asset is None and scope != Counts.LEAVES:
        raise Refused(
            _("A site counts by its machines; only an asset counts by itself."), code="no_asset", field="scope"
        )


def whose(target: Target) -> str:
    """ "L1", "L1 itself" or the code of the site."""
    if target.asset is None:
        return target.site.code
    return _("%(code)s itself") % {"code": target.asset.code} if target.scope == Counts.ASSET else target.asset.code


def described(target: Target) -> str:
    """ "Availability, L1: 92 %"."""
    definition = DEFINITIONS.get(target.definition)
    share = definition is not None and definition.unit == "share"
    value = f"{target.value * 100:g} %" if share else f"{target.value:g} {definition.unit if definition else ''}"
    return f"{definition.name if definition else target.definition}, {whose(target)}: {value.strip()}"


@dataclass(frozen=True)
class Standing:
    """How a figure stands to its target: `tone` ok, warn or stop (idle without a value); `gap` is negative when the
    figure is worse than the target."""

    target: Target
    tone: str
    gap: float | None
    decision: Comment | None


def standing(target: Target, value: float | None, decision: Comment | None = None) -> Standing:
    """The figure's value beside its target, in the unit of the definition."""
    if value is None:
        return Standing(target, "idle", None, decision)
    sign = 1 if DEFINITIONS[target.definition].better == "higher" else -1
    gap = (value - target.value) * sign
    watch = target.value if target.watch is None else target.watch
    tone = "ok" if gap >= 0 else "warn" if (value - watch) * sign >= 0 else "stop"
    return Standing(target, tone, gap, decision)


def on(
    site: Site, asset: Asset | None, day: date, scope: str = Counts.LEAVES, *, alone: bool = False
) -> dict[str, tuple[Target, Comment | None]]:
    """The targets that hold on the day for what counts, by definition, each with its latest decision; two queries.

    An asset that counts `alone` either way, as nothing but components is below it, has those of both.
    """
    found = Target.objects.filter(site=site, asset=asset, valid_from__lte=day).exclude(valid_to__lte=day)
    found = found if alone else found.filter(scope=scope)
    found = sorted(found.select_related("owner", "asset", "site"), key=lambda row: row.scope == scope)
    rows = {row.definition: row for row in found if row.definition in DEFINITIONS}
    said = {}
    if rows:
        ids = [row.pk for row in rows.values()]
        comments = Comment.objects.filter(object_type=label_of(Target()), object_id__in=ids)
        for comment in comments.select_related("author").order_by("at", "id"):
            said[comment.object_id] = comment
    return {key: (row, said.get(row.pk)) for key, row in rows.items()}
