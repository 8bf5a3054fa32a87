"""The tree of a site as an outline: the rows in order, each with its depth, its marks and what is down below it."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import zip_longest

from assets import markers, states
from assets.models import Asset, Level
from core.kit.badges import Badge
from core.models import Site

OPEN_LEVELS = {Level.AREA, Level.LINE}


@dataclass
class Node:
    """One asset of the outline. `closes` has one item per list that ends after it."""

    asset: Asset
    depth: int
    marks: list[Badge] = field(default_factory=list)
    has_children: bool = False
    down_below: int = 0
    closes: range = range(0)

    @property
    def is_open(self) -> bool:
        """Areas and lines stand open, and whatever hides something that is down."""
        return self.asset.level in OPEN_LEVELS or self.down_below > 0


def outline(site: Site, user) -> list[Node]:
    """The whole site, parents before children, by code; one query besides those of the markers."""
    rows = Asset.objects.visible_to(user).at(site).filter(archived_at=None).with_state()
    rows = list(rows.order_by("code", "pk"))
    present = {row.pk for row in rows}
    children: dict[int | None, list[Asset]] = defaultdict(list)
    for row in rows:
        # What stands in an archived asset is shown on top rather than not at all.
        children[row.parent_id if row.parent_id in present else None].append(row)
    marks = markers.of(site, user)
    nodes: list[Node] = []
    waiting = [(row, 0) for row in reversed(children[None])]
    while waiting:
        row, depth = waiting.pop()
        state = states.state_of(row)
        below = children.get(row.pk, [])
        nodes.append(Node(row, depth, [state] if state else [], bool(below)))
        nodes[-1].marks += marks.get(row.pk, [])
        waiting += [(child, depth + 1) for child in reversed(below)]
    _count_down(nodes)
    for node, following in zip_longest(nodes, nodes[1:]):
        if not node.has_children:
            node.closes = range(node.depth - (following.depth if following else 0))
    return nodes


def _count_down(nodes: list[Node]) -> None:
    """How many assets below each are down."""
    above: list[Node] = []
    for node in nodes:
        del above[node.depth :]
        if node.asset.down_since is not None:
            for parent in above:
                parent.down_below += 1
        above.append(node)
