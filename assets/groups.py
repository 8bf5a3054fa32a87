"""Redundancy groups: of some children of an asset, so many must be up, or the asset is down (k of n).

A group speaks through its parent: asset.group_changed {group, changes}.
"""

from django.db import transaction

from assets.checks import check_row
from assets.models import Asset, RedundancyGroup
from assets.tree import locked_site
from core.changes import apply
from core.events import record
from people.permissions import require


@transaction.atomic
def create_group(parent: Asset, *, name: str, needed: int, by) -> RedundancyGroup:
    """A group of children of `parent` of which `needed` must be up; members join by `move` or `change_effect`."""
    require(by, "edit", parent.site)
    locked_site(parent.site)
    group = RedundancyGroup(parent=parent, name=name, needed=needed)
    check_row(group)
    group.save()
    _record_group(group, {"name": [None, name], "needed": [None, needed]}, by=by)
    return group


@transaction.atomic
def edit_group(group: RedundancyGroup, *, name: str, needed: int, by) -> RedundancyGroup:
    """Another name or number; the number holds for the past as well, since groups themselves are not dated."""
    require(by, "edit", group.parent.site)
    locked_site(group.parent.site)
    changed = apply(group, {"name": name, "needed": needed})
    if changed:
        check_row(group)
        group.save()
        _record_group(group, changed, by=by)
    return group


def _record_group(group: RedundancyGroup, changes: dict, *, by) -> None:
    record(
        "asset.group_changed",
        group.parent,
        by=by,
        site=group.parent.site,
        summary=f"{group.parent}: {group.needed} of group {group.name} needed",
        group=group.pk,
        changes=changes,
    )
