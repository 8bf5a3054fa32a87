"""The asset tree changes here, and nowhere else: create, edit, move, archive, restore.

`Asset` holds how things stand now, `Placement` how they stood at any time; both change together, under the
lock of the site's row, so that two moves at the same moment cannot close a cycle. The first placement of an
asset has no beginning: the service life says since when the asset is there, and history may be entered late.

Events: asset.created, asset.edited {changes}, asset.moved {at, changes}, asset.archived {assets},
asset.restored {assets}.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Max, Value
from django.db.models.functions import Concat, Length, Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_moment, check_row, check_version, said
from assets.criticality import SCORES, settle_criticality
from assets.models import Asset, Downtime, Failure, Placement, RedundancyGroup
from core.changes import apply
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from people.permissions import require

PLACE = ("parent", "stops_parent", "redundancy_group")
PLAIN = (
    "code", "name", "kind", "level", "manufacturer", "model", "serial_number", "description", "downtime_cost",
    "replacement_value", "short_stop_seconds", "silence_days", "commissioned", "retired", "external_id",
)  # fmt: skip
FIELDS = (*PLAIN, *SCORES, "criticality", "criticality_reason", *PLACE)


# --- Create and edit -----------------------------------------------------------------------------------


@transaction.atomic
def create(site: Site, fields: Mapping[str, Any], *, by) -> Asset:
    """A new asset of the site; `fields` are values of FIELDS, "code" and "name" at least.

    Raises NotAllowed, or Refused at the field: a code that the site has already, a parent of another site or an
    archived one, a group of another parent.
    """
    require(by, "edit", site)
    _check_names(fields)
    site = locked_site(site)
    asset = Asset(site=site, **{name: fields[name] for name in (*PLAIN, *SCORES) if name in fields})
    settle_criticality(asset, fields)
    parent, stops_parent, group = (
        fields.get("parent"),
        fields.get("stops_parent", False),
        fields.get("redundancy_group"),
    )
    parent = _check_place(asset, parent, stops_parent, group)
    asset.parent, asset.stops_parent, asset.redundancy_group = parent, stops_parent, group
    _check_code(asset)
    check_row(asset)
    asset.save()
    asset.path = f"{parent.path if parent else '/'}{asset.pk}/"
    _check_depth(asset.path)
    asset.save(update_fields=["path"])
    Placement.objects.create(
        asset=asset, parent=parent, stops_parent=stops_parent, redundancy_group=group, valid=DateTimeTZRange()
    )
    record("asset.created", asset, by=by, site=site, summary=f"{asset} created")
    return asset


@transaction.atomic
def edit(
    asset: Asset, changes: Mapping[str, Any], *, by, at: datetime | None = None, version: int | None = None
) -> Asset:
    """Set fields of FIELDS. A change of the place among them is a move, dated `at` (default: now).

    `version` is the one that the caller saw: Conflict if the row is another one by now. Nothing changed,
    nothing recorded. The row that is answered is fresh, `asset` itself stays as it was.
    """
    require(by, "edit", asset.site)
    _check_names(changes)
    site = locked_site(asset.site)
    asset = _fresh(asset, site)
    check_version(asset, version)
    wanted = {name: changes[name] for name in (*PLAIN, *SCORES) if name in changes}
    changed = apply(asset, wanted)
    changed |= settle_criticality(asset, changes, scored=not changed.keys().isdisjoint(SCORES))
    if "code" in changed:
        _check_code(asset)
    if changed:
        check_row(asset)
        _check_service_life(asset)
        _save(asset)
        named = ", ".join(sorted(changed))
        record("asset.edited", asset, by=by, site=site, summary=f"{asset} edited: {named}", changes=changed)
    if any(name in changes for name in PLACE):
        _place(asset, {name: changes[name] for name in PLACE if name in changes}, at=at, by=by)
    return asset


# --- Move ----------------------------------------------------------------------------------------------


@transaction.atomic
def move(
    asset: Asset,
    parent: Asset | None,
    *,
    by,
    at: datetime | None = None,
    stops_parent: bool = False,
    redundancy_group: RedundancyGroup | None = None,
    version: int | None = None,
) -> Asset:
    """The asset, with all below it, stands under `parent` from `at` on (None: on top of the site's tree).

    What happened before stays with the place where it happened. Refused at the field: a place below itself, a
    parent of another site or an archived one, a time in the future or before the last move.
    """
    require(by, "edit", asset.site)
    site = locked_site(asset.site)
    asset = _fresh(asset, site)
    check_version(asset, version)
    place = {"parent": parent, "stops_parent": stops_parent, "redundancy_group": redundancy_group}
    _place(asset, place, at=at, by=by)
    return asset


@transaction.atomic
def change_effect(
    asset: Asset,
    *,
    by,
    stops_parent: bool,
    redundancy_group: RedundancyGroup | None = None,
    at: datetime | None = None,
    version: int | None = None,
) -> Asset:
    """What a stop of the asset does to its parent, from `at` on; the place stays."""
    require(by, "edit", asset.site)
    site = locked_site(asset.site)
    asset = _fresh(asset, site)
    check_version(asset, version)
    _place(asset, {"stops_parent": stops_parent, "redundancy_group": redundancy_group}, at=at, by=by)
    return asset


def _place(asset: Asset, wanted: Mapping[str, Any], *, at: datetime | None, by) -> None:
    """Close the placement that holds and open the next one; the caller holds the site's lock."""
    site, at = asset.site, at or timezone.now()
    if "parent" in wanted and wanted["parent"] != asset.parent:
        # What it did to the former parent says nothing about the next one.
        wanted = {"stops_parent": False, "redundancy_group": None, **wanted}
    parent = wanted.get("parent", asset.parent)
    stops_parent = wanted.get("stops_parent", asset.stops_parent)
    group = wanted.get("redundancy_group", asset.redundancy_group)
    parent = _check_place(asset, parent, stops_parent, group)
    came_from = asset.parent
    changed = apply(asset, {"parent": parent, "stops_parent": stops_parent, "redundancy_group": group})
    if not changed:
        return
    check_moment(at, field="at")
    if asset.commissioned and at < asset.commissioned:
        raise Refused(
            _("%(code)s was commissioned on %(day)s; this is earlier.")
            % {"code": asset.code, "day": said(asset.commissioned, site)},
            code="before_commissioning",
            field="at",
        )
    if parent and "parent" in changed:
        _check_no_cycle_since(asset, parent, at)
    last = asset.placements.select_for_update(no_key=True).get(valid__upper_inf=True)
    since = last.valid.lower
    if since and at < since:
        raise Refused(
            _("It stands where it is since %(since)s; a change cannot be dated before that.")
            % {"since": said(since, site)},
            code="before_last_move",
            field="at",
        )
    if since == at:
        Placement.objects.filter(pk=last.pk).update(parent=parent, stops_parent=stops_parent, redundancy_group=group)
    else:
        Placement.objects.filter(pk=last.pk).update(valid=DateTimeTZRange(since, at))
        Placement.objects.create(
            asset=asset,
            parent=parent,
            stops_parent=stops_parent,
            redundancy_group=group,
            valid=DateTimeTZRange(at, None),
        )
    if "parent" in changed:
        _repath(asset, f"{parent.path if parent else '/'}{asset.pk}/")
        summary = f"{asset} moved from {came_from.code if came_from else 'the top'}"
        summary += f" to {parent.code if parent else 'the top'}"
    else:
        summary = f"{asset}: effect on its parent changed"
    _save(asset)
    record("asset.moved", asset, by=by, site=site, summary=summary, at=at.isoformat(), changes=changed)


def _repath(asset: Asset, path: str) -> None:
    """Give the asset and all below it their new paths, in one statement."""
    old = asset.path
    deepest = Asset.objects.under(asset).aggregate(length=Max(Length("path")))["length"]
    _check_depth(path, below=deepest - len(old))
    Asset.objects.under(asset).update(path=Concat(Value(path), Substr("path", len(old) + 1)))
    asset.path = path


# --- Archive and restore -------------------------------------------------------------------------------


@transaction.atomic
def archive(asset: Asset, *, by) -> Asset:
    """Take the asset and all below it out of sight; facts stay, `restore` brings them back.

    Refused while any of them is down: an end that nobody saw would be invented. Upper apps see to open work
    when they hear of it (asset.archived).
    """
    require(by, "edit", asset.site)
    site = locked_site(asset.site)
    asset = _fresh(asset, site)
    if asset.archived_at:
        raise Conflict(_("%(code)s is archived already.") % {"code": asset.code}, code="already_archived")
    rows = list(Asset.objects.under(asset).filter(archived_at=None).order_by("pk").select_for_update(no_key=True))
    down = Downtime.objects.open().filter(asset__in=rows).select_related("asset").order_by("start").first()
    if down:
        raise Refused(
            _("%(code)s is down since %(since)s; say that it is back, or correct that stop, and archive then.")
            % {"code": down.asset.code, "since": said(down.start, site)},
            code="asset_down",
        )
    asset.archived_at = timezone.now()
    ids = [row.pk for row in rows]
    Asset.objects.filter(pk__in=ids).update(archived_at=asset.archived_at, version=F("version") + 1)
    asset.version += 1
    record("asset.archived", asset, by=by, site=site, summary=f"{asset} archived", assets=ids)
    return asset


@transaction.atomic
def restore(asset: Asset, *, by) -> Asset:
    """Bring back an archived asset and what was archived together with it."""
    require(by, "edit", asset.site)
    site = locked_site(asset.site)
    asset = _fresh(asset, site)
    if not asset.archived_at:
        raise Conflict(_("%(code)s is not archived.") % {"code": asset.code}, code="not_archived")
    if asset.parent and asset.parent.archived_at:
        raise Refused(
            _("%(parent)s, where it stands, is archived; restore that first.") % {"parent": asset.parent.code},
            code="parent_archived",
            field="parent",
        )
    rows = Asset.objects.under(asset).filter(archived_at=asset.archived_at)
    ids = list(rows.values_list("pk", flat=True))
    rows.update(archived_at=None, version=F("version") + 1)
    asset.archived_at = None
    asset.version += 1
    record("asset.restored", asset, by=by, site=site, summary=f"{asset} restored", assets=ids)
    return asset


# --- What must hold ------------------------------------------------------------------------------------


def locked_site(site: Site) -> Site:
    """The site's row, locked: one change of its tree at a time."""
    return Site.objects.select_for_update(no_key=True).get(pk=site.pk)


def _fresh(asset: Asset, site: Site) -> Asset:
    row = Asset.objects.select_related("parent", "redundancy_group").select_for_update(of=["self"], no_key=True)
    found = row.get(pk=asset.pk)
    found.site = site
    return found


def _save(asset: Asset) -> None:
    asset.version += 1
    asset.save()


def _check_names(fields: Mapping[str, Any]) -> None:
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise ValueError(f"Not fields of an asset that may be set: {', '.join(unknown)}")


def _check_code(asset: Asset) -> None:
    taken = Asset.objects.filter(site=asset.site, code__iexact=asset.code).exclude(pk=asset.pk).first()
    if taken:
        raise Refused(
            _("This site already has an asset %(asset)s.") % {"asset": taken}
            + (" " + _("It is archived and can be restored.") if taken.archived_at else ""),
            code="code_taken",
            field="code",
        )


def _check_place(asset: Asset, parent: Asset | None, stops_parent: bool, group: RedundancyGroup | None) -> Asset | None:
    """The parent as it is now, if the asset may stand there and have this effect on it."""
    if parent is None:
        if stops_parent or group:
            raise Refused(
                _("An asset on top of the tree has no parent to stop."),
                code="no_parent",
                field="stops_parent" if stops_parent else "redundancy_group",
            )
        return None
    parent = Asset.objects.get(pk=parent.pk)
    if parent.site_id != asset.site_id:
        raise Refused(_("This site has no such asset."), code="unknown_parent", field="parent")
    if asset.pk and parent.path.startswith(asset.path):
        raise Refused(
            _("%(parent)s stands below %(code)s itself.") % {"parent": parent.code, "code": asset.code},
            code="cycle",
            field="parent",
        )
    if parent.archived_at and parent.pk != asset.parent_id:
        raise Refused(
            _("%(parent)s is archived; restore it first.") % {"parent": parent.code},
            code="parent_archived",
            field="parent",
        )
    if group and group.parent_id != parent.pk:
        raise Refused(
            _("This group does not belong to %(parent)s.") % {"parent": parent.code},
            code="group_of_other_parent",
            field="redundancy_group",
        )
    if group and stops_parent:
        raise Refused(
            _("Either its stop alone stops the parent, or the group decides; choose one."),
            code="stops_and_group",
            field="stops_parent",
        )
    return parent


def _check_no_cycle_since(asset: Asset, parent: Asset, at: datetime) -> None:
    """A move that is dated back must not put the asset below itself for a while in the past either."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE below (asset_id, valid) AS (
                SELECT asset_id, valid * tstzrange(%(at)s, NULL) FROM assets_placement
                WHERE parent_id = %(asset)s AND valid && tstzrange(%(at)s, NULL)
                UNION
                SELECT p.asset_id, p.valid * b.valid
                FROM below b JOIN assets_placement p ON p.parent_id = b.asset_id AND p.valid && b.valid
            )
            SELECT upper(valid) FROM below WHERE asset_id = %(parent)s ORDER BY upper(valid) DESC NULLS FIRST LIMIT 1
            """,
            {"asset": asset.pk, "parent": parent.pk, "at": at},
        )
        found = cursor.fetchone()
    if found:
        raise Refused(
            _("%(parent)s stood below %(code)s itself until %(until)s; date the move later.")
            % {"parent": parent.code, "code": asset.code, "until": said(found[0], asset.site) if found[0] else "…"},
            code="cycle",
            field="at",
        )


def _check_depth(path: str, *, below: int = 0) -> None:
    if len(path) + below > Asset._meta.get_field("path").max_length:
        raise Refused(_("The tree would become too deep."), code="too_deep", field="parent")


def _check_service_life(asset: Asset) -> None:
    """A new service life leaves out no stop and no failure."""
    stops, failures = Downtime.objects.filter(asset=asset), Failure.objects.filter(asset=asset)
    if asset.commissioned:
        early = stops.filter(start__lt=asset.commissioned).count()
        early += failures.filter(occurred__lt=asset.commissioned).count()
        if early:
            raise Refused(
                _("%(count)d stops or failures were recorded before this; correct them first.") % {"count": early},
                code="facts_outside_life",
                field="commissioned",
            )
    if asset.retired:
        if asset.retired > timezone.now():
            stops = stops.filter(end__gt=asset.retired)
        else:
            stops = stops.exclude(end__lte=asset.retired)
        late = stops.count() + failures.filter(occurred__gte=asset.retired).count()
        if late:
            raise Refused(
                _("%(count)d stops or failures go on after this; correct them first.") % {"count": late},
                code="facts_outside_life",
                field="retired",
            )
