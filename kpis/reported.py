"""The sums behind a figure as they were reported before a change.

What was recorded is today's less what changed since (`kpis.recorded`). Which assets counted, for how long, and when
they were scheduled is read from the tables as they were (`kpis.facts.former`).
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain, takewhile

from kpis.axis import epoch, instant
from kpis.definitions import Definition
from kpis.facts import former
from kpis.facts.evidence import reaching
from kpis.facts.members import Scope, members
from kpis.facts.plans import Plans
from kpis.facts.question import lives, reaching_counts
from kpis.facts.ranges import Ranges, grouped, merged, within
from kpis.facts.revisions import SUMS
from kpis.facts.tally import EMPTY, add_row, places
from kpis.facts.zones import Member
from kpis.formulas import SUMS as OF_FACTS
from kpis.formulas import Facts, sums_of
from kpis.recorded import COUNTS, DAY, Asked, Delta, Recorded

EVERY, CHANGED = places(OF_FACTS), places(SUMS)


@dataclass(slots=True)
class Time:
    """Calendar and scheduled seconds of a member, how many of these its source was silent, and whether its state is
    known."""

    calendar: float = 0.0
    scheduled: float = 0.0
    silent: float = 0.0
    observed: bool = False

    @property
    def unobserved(self) -> float:
        """Scheduled seconds in which its state is not known."""
        return self.silent if self.observed else self.scheduled


@dataclass(eq=False)
class State:
    """Who counted in the window and when they were scheduled, before a moment (None: today).

    `later` is the state after the change at that moment. Most changes leave places and lives as they are (`moved` is
    False) and make no first record (`begun` is False): what rests on these alone is that of the later state.
    """

    asked: Asked
    moment: datetime | None = None
    later: "State | None" = None
    moved: bool = True
    begun: bool = True
    _cut: dict[datetime | None, list[Delta]] = field(default_factory=dict, repr=False)

    def _then(self) -> AbstractContextManager:
        """In which everything is as it was."""
        return former.before(self.moment) if self.moment else nullcontext()

    @cached_property
    def members(self) -> list[Member]:
        if self.later and not self.moved:
            return self.later.members
        asked = self.asked
        subjects = [asked.asset] if asked.asset else [None]
        with self._then():
            found = members(asked.site, subjects, asked.start, asked.end, Scope(asked.scope))
        return self.later.members if self.later and self.later.members == found else found

    @cached_property
    def recorded(self) -> Recorded:
        """What is recorded of the members; states with the same share it."""
        if self.later and self.later.members is self.members:
            return self.later.recorded
        return Recorded(self.asked, self.members)

    # --- Times

    @cached_property
    def ids(self) -> list[int]:
        return sorted({each.asset_id for each in self.members})

    @cached_property
    def served(self) -> dict[int, tuple[int, int]]:
        """Service lives."""
        if self.later and not self.moved:
            return self.later.served
        with self._then():
            return lives(self.ids, epoch(self.asked.now))

    @cached_property
    def seen(self) -> set[int]:
        """The assets of which anything was recorded."""
        if self.later and not self.moved and not self.begun:
            return self.later.seen
        with self._then():
            return former.observed(self.ids, self.moment)

    @cached_property
    def silent(self) -> Ranges:
        """When sources were silent, in the window."""
        return self.asked.silences.before(self.moment)

    @cached_property
    def times(self) -> list[Time]:
        """Of each member."""
        asked = self.asked
        start, end = epoch(asked.start), min(epoch(asked.end), epoch(asked.now))
        if not self.ids or start >= end:
            return [Time() for _ in self.members]
        with self._then():
            plans = Plans(asked.site, self.ids, start, end)
        return list(self._times(plans, start, end))

    def _times(self, plans: Plans, start: int, end: int) -> Iterator[Time]:
        known: dict[tuple, float] = {}  # assets with the same calendars are many
        for each in self.members:
            since, until = self.served.get(each.asset_id, (0, 0))
            lo, hi = max(start, each.since, since), min(end, each.until, until)
            if lo >= hi:
                yield Time()
                continue
            plan = plans.stretches(each.asset_id)
            key = (id(plan), lo, hi)
            if key not in known:
                known[key] = float(plans.between(plan, lo, hi))
            gone = within(self.silent.get(each.asset_id, []), lo, hi)
            silent = float(sum(plans.between(plan, *part) for part in gone))
            yield Time(float(hi - lo), known[key], silent, each.asset_id in self.seen and gone != [(lo, hi)])

    # --- Days that the window or a move cuts

    @cached_property
    def around(self) -> list[int]:
        """What can stop the assets of the cut days."""
        if self.later and not self.moved:
            return self.later.around
        with self._then():
            return reaching(sorted({cell[0] for _, cell, _ in self.recorded.cut}))

    @cached_property
    def records(self) -> list[former.Moment]:
        """Changes of records on the days that are cut, the newest first; a day as a whole need not have changed with
        its part. A failure joins one that ended up to the merge gap before, and a count that reaches over the end of a
        day is split by all that the asset did in it.
        """
        if not self.recorded.cut:
            return []
        if self.later and self.later.recorded is self.recorded and self.later.around == self.around:
            return self.later.records
        site, gap = self.asked.site, self.asked.site.failure_merge_gap * 60
        days = grouped(
            (asset_id, epoch(site.day_begins(day)) - gap, epoch(site.day_begins(day + DAY)))
            for _, (asset_id, _, _), day in self.recorded.cut
        )
        spans = merged(chain.from_iterable(reaching_counts({key: merged(each) for key, each in days.items()}).values()))
        return former.of_records(site, self.around, [(instant(lo), instant(hi)) for lo, hi in spans], self.asked.now)

    def changed_cells(self, moment: datetime) -> list[Delta]:
        """By how much the parts of cut days have changed since the moment.

        That is the same until the next change of a record of theirs, and nothing where none follows and calendars and
        places are those of today.
        """
        after = next((each.at for each in reversed(self.records) if each.at >= moment), None)
        if after is None and self.moment is None:
            return []
        if len(self.records) == former.MOST and moment < self.records[-1].at:
            return self.recorded.changed_cells(moment)  # older ones are not known
        if after not in self._cut:
            self._cut[after] = self.recorded.changed_cells(moment)
        return self._cut[after]

    # --- The figure

    def facts(self, definition: Definition, moment: datetime, first: datetime | None) -> Facts:
        """The facts of the figure before the moment; `first` is when the first of the changes since was worked off."""
        known = self.recorded
        since = takewhile(lambda each: first is not None and each.at >= first, known.deltas)
        changes = [*since, *self.changed_cells(moment)]
        counting = self._counting(changes) if definition.counted else set()
        row = EMPTY.copy()
        for root, answer in known.today.items():
            if not counting:
                add_row(row, EVERY, sums_of(answer.all))
            elif root == 0:
                add_row(row, EVERY, sums_of(answer.counted))
            elif known.roots[root - 1] in counting:
                add_row(row, EVERY, sums_of(answer.all))
        for each in changes:
            if not counting or self.members[each.member].asset_id in counting:
                add_row(row, CHANGED, [-value for value in each.sums])
        times = [
            time
            for each, time in zip(self.members, self.times, strict=True)
            if time.calendar and (not counting or each.asset_id in counting)
        ]
        return replace(
            Facts(*row),
            calendar=sum(each.calendar for each in times),
            scheduled=sum(each.scheduled - each.unobserved for each in times),
            unobserved=sum(each.unobserved for each in times),
            recorded=sum(each.observed for each in times),
        )

    def _counting(self, changes: Iterable[Delta]) -> set[int]:
        """The assets with counts once these changes are taken off."""
        known = self.recorded
        left = {
            asset_id: known.today[root].all.counts if root in known.today else 0
            for root, asset_id in enumerate(known.roots, start=1)
        }
        for each in changes:
            if (asset_id := self.members[each.member].asset_id) in left:
                left[asset_id] -= int(each.sums[COUNTS])
        counted = {asset_id for asset_id, number in left.items() if number > 0}
        return counted | set(known.today[0].counted_assets if 0 in known.today else ())
