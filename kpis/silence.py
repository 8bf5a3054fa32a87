"""When a source was silent: production days on which nothing tells whether an asset ran.

Pure. Days are numbers (`date.toordinal`). What is told of an asset are its *evidence* days: those on which a stop holds
it, on which something was counted, or on which it failed.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

EVER = date.min.toordinal()  # where a silence before the first record begins


class Silence(NamedTuple):
    """Days `since` to before `until` (None: no record since), of a source that may be silent for `limit` days."""

    since: int
    until: int | None
    limit: int


def silences(
    told: Sequence[int],
    limit: int | None,
    *,
    counted_from: int | None,
    last: int,
    begun: bool = False,
    followed: bool = False,
) -> list[Silence]:
    """The silences among evidence days, which are in order, those that begin after `last` left out.

    `begun`: there is evidence before these days; `followed`: there is after them.

    More than `limit` days after the last evidence an asset is silent until the next. What was never counted is so as
    well until `limit` days before its first evidence; what is counted is not before the first count (`counted_from`).
    """
    if counted_from is not None:
        told = [day for day in told if day >= counted_from]
    if not told or not limit:
        return []
    found = [] if begun or counted_from is not None else [Silence(EVER, told[0] - limit, limit)]
    found += [Silence(day + limit + 1, later, limit) for day, later in pairwise(told) if later - day > limit + 1]
    if not followed:
        found.append(Silence(told[-1] + limit + 1, None, limit))
    return [each for each in found if each.since <= last]


def between(told: Iterable[int], first: int, past: int) -> tuple[list[int], int | None, int | None]:
    """Evidence days from the last before `first` to the first from `past` on, in order, and these two."""
    days = sorted(set(told))
    before = max((day for day in days if day < first), default=None)
    after = min((day for day in days if day >= past), default=None)
    return [day for day in days if (before or EVER) <= day and (after is None or day <= after)], before, after
