"""Failures that are one event: what fails while the asset is still down, or within a merge gap after it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Failed:
    """One failed item: down from `occurred` to before `until` (equal when no end is known)."""

    item: int
    occurred: datetime
    until: datetime
    open: bool = False  # still down; `until` is now
    restored: bool = True  # `until` is a restoration time
    found: bool = False  # found in maintenance
    already_down: bool = False  # of what is below: a stop of another cause held the asset before and still does


@dataclass(frozen=True, slots=True)
class FailureEvent:
    """Failed items that are one failure, since a down item cannot fail again."""

    occurred: datetime
    restored: datetime | None
    items: int
    open: bool
    found: bool
    already_down: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is a failure of the asset: not one found in maintenance, nor one that found it down already."""
        return not (self.found or self.already_down)


def failure_events(failed: Iterable[Failed], gap: timedelta = timedelta(0)) -> tuple[FailureEvent, ...]:
    """Join items that occur at one instant, while an earlier one is down, or less than `gap` after it was.

    After an item that was found in maintenance there is no gap. The event is restored when its last item is; one item
    without an end leaves it without one. It was found in maintenance when its first item was, and found the asset down
    already when each of its items did.
    """
    groups: list[list[Failed]] = []
    until: datetime | None = None  # before which a further item joins
    for each in sorted(failed, key=lambda item: (item.occurred, item.found, item.until)):
        joins_before = each.until if each.found else each.until + gap
        if until is not None and (each.occurred < until or each.occurred == groups[-1][-1].occurred):
            groups[-1].append(each)
            until = max(until, joins_before)
        else:
            groups.append([each])
            until = joins_before
    return tuple(
        FailureEvent(
            occurred=group[0].occurred,
            restored=max(each.until for each in group) if all(e.restored and not e.open for e in group) else None,
            items=len({each.item for each in group}),
            open=any(each.open for each in group),
            found=group[0].found,
            already_down=all(each.already_down for each in group),
        )
        for group in groups
    )
