"""Spans of assets: sums, differences and parts of them, and how they are given to PostgreSQL."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

Ranges = dict[int, list[tuple[int, int]]]  # asset → disjoint spans in order, seconds since 1970


def literal(numbers: Iterable) -> str:
    """A PostgreSQL array; as a string it is read faster than an ARRAY expression of as many parameters."""
    return "{" + ",".join(map(str, numbers)) + "}"


def columns(name: str, ranges: Ranges) -> dict[str, str]:
    """Parameters `name`_asset, `name`_lo and `name`_hi."""
    return {
        f"{name}_asset": literal([asset_id for asset_id, spans in ranges.items() for _ in spans]),
        f"{name}_lo": literal([lo for spans in ranges.values() for lo, _ in spans]),
        f"{name}_hi": literal([hi for spans in ranges.values() for _, hi in spans]),
    }


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Disjoint spans in order that cover the same seconds; empty ones vanish."""
    found = [each for each in spans if each[0] < each[1]]
    if len(found) < 2:
        return found
    found.sort()
    result: list[tuple[int, int]] = []
    for lo, hi in found:
        if result and lo <= result[-1][1]:
            result[-1] = (result[-1][0], max(hi, result[-1][1]))
        else:
            result.append((lo, hi))
    return result


def grouped(rows: Iterable[tuple[int, int, int]]) -> Ranges:
    """Rows of asset, from and to as ranges; those of an asset are disjoint and in order."""
    ranges = defaultdict(list)
    for asset_id, lo, hi in rows:
        ranges[asset_id].append((lo, hi))
    return dict(ranges)


def widened(ranges: Ranges, more: Iterable[tuple[int, int, int]]) -> Ranges:
    """The ranges together with spans of (asset, from, to)."""
    return ranges | {asset_id: merged([*ranges[asset_id], *spans]) for asset_id, spans in grouped(more).items()}


def minus(spans: Sequence[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of the spans; both disjoint and in order."""
    left = []
    for lo, hi in spans:
        for start, end in taken:
            if start >= hi:
                continue
            if start > lo:
                left.append((lo, start))
            lo = max(lo, end)
        if lo < hi:
            left.append((lo, hi))
    return left


def parted(span: tuple[int, int], moment: int) -> list[tuple[int, int]]:
    """The span as two where the instant lies in it."""
    lo, hi = span
    return [(lo, moment), (moment, hi)] if lo < moment < hi else [span]


def clipped(ranges: Ranges, lives: dict[int, tuple[int, int]]) -> Ranges:
    """The ranges inside each asset's service life (which ends now); assets without any vanish."""
    cut = {}
    for asset_id, spans in ranges.items():
        since, until = lives[asset_id]
        if inside := within(spans, since, until):
            cut[asset_id] = inside
    return cut


def within(spans: list[tuple[int, int]], since: int, until: int) -> list[tuple[int, int]]:
    """What of disjoint spans in order lies between the instants."""
    if spans and spans[0][0] >= since and spans[-1][1] <= until:
        return spans
    return [(lo, hi) for lo, hi in ((max(lo, since), min(hi, until)) for lo, hi in spans) if lo < hi]
