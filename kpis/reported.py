"""The sums behind a figure as they were reported before a change.

What was recorded of whole days is today's less the revisions of those days (`kpis.models.DayRevision`); which assets
counted, for how long, and when they were scheduled is read from the tables as they were (`kpis.facts.former`).
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.axis import epoch, instant
from kpis.definitions import Definition
from kpis.facts import former
from kpis.facts.members import Scope, members
from kpis.facts.plans import Plans
from kpis.facts.question import lives
from kpis.facts.ranges import literal
from kpis.facts.read import Answer, Reader
from kpis.facts.revisions import SUMS
from kpis.facts.tally import EMPTY, add_row, places
from kpis.facts.zones import Member
from kpis.formulas import SUMS as OF_FACTS
from kpis.formulas import Facts, sums_of

DAY = timedelta(days=1)
MOST = 2000  # revisions of days looked at
COUNTS = SUMS.index("counts")
EVERY, CHANGED = places(OF_FACTS), places(SUMS)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the figure is about, as `kpis.figures.periods` takes it."""

    site: Site
    asset: Asset | None
    start: datetime
    end: datetime
    scope: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Delta:
    """By how much the sums of one member changed together, and why."""

    member: int  # its position
    changed: datetime
    at: datetime
    source: str
    source_id: int | None
    sources: int
    sums: Sequence[float]


@dataclass(slots=True)
class Time:
    """Calendar and scheduled seconds of a member, and whether its state is known."""

    calendar: float = 0.0
    scheduled: float = 0.0
    observed: bool = False


@dataclass(eq=False)
class State:
    """Who counted in the window and when they were scheduled, before a moment (None: today)."""

    asked: Asked
    moment: datetime | None = None
    members: list[Member] = field(init=False)
    times: list[Time] = field(init=False)

    def __post_init__(self):
        asked = self.asked
        subjects = [asked.asset] if asked.asset else [None]
        with former.before(self.moment) if self.moment else nullcontext():
            self.members = members(asked.site, subjects, asked.start, asked.end, Scope(asked.scope))
            self.times = self._times()

    def _times(self) -> list[Time]:
        asked, now = self.asked, epoch(self.asked.now)
        start, end = epoch(asked.start), min(epoch(asked.end), now)
        ids = sorted({each.asset_id for each in self.members})
        if not ids or start >= end:
            return [Time() for _ in self.members]
        plans, served = Plans(asked.site, ids, start, end), lives(ids, now)
        seen = former.observed(ids, self.moment)
        known: dict[tuple, float] = {}  # assets with the same calendars are many
        found = []
        for each in self.members:
            since, until = served.get(each.asset_id, (0, 0))
            lo, hi = max(start, each.since, since), min(end, each.until, until)
            if lo >= hi:
                found.append(Time())
                continue
            plan = plans.stretches(each.asset_id)
            key = (id(plan), lo, hi)
            if key not in known:
                known[key] = float(plans.between(plan, lo, hi))
            found.append(Time(float(hi - lo), known[key], each.asset_id in seen))
        return found

    def _whole_days(self, member: Member) -> tuple[date, date]:
        """The production days that lie wholly in the window while the asset counts: the first, and past the last."""
        asked = self.asked
        lo = instant(max(epoch(asked.start), member.since))
        hi = instant(min(epoch(asked.end), member.until))
        first = asked.site.production_day(lo)
        return first + DAY * (asked.site.day_begins(first) < lo), asked.site.production_day(hi)

    @cached_property
    def deltas(self) -> list[Delta]:
        """How whole days of the members changed after they had been reported, the newest first."""
        days = [self._whole_days(each) for each in self.members]
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT w.no, coalesce(r.changed, r.at), r.at, r.source, r.source_id, max(r.sources),
                    {", ".join(f"sum(r.{name})" for name in SUMS)}
                FROM unnest(%(no)s::int[], %(asset)s::bigint[], %(first)s::date[], %(past)s::date[])
                    AS w(no, asset_id, first, past)
                JOIN kpis_dayrevision r ON r.asset_id = w.asset_id AND r.day >= w.first AND r.day < w.past
                GROUP BY 1, 2, 3, 4, 5 ORDER BY r.at DESC, min(r.id) DESC LIMIT {MOST}
                """,
                {
                    "no": literal(range(len(days))),
                    "asset": literal(each.asset_id for each in self.members),
                    "first": [first for first, _ in days],
                    "past": [past for _, past in days],
                },
            )
            return [Delta(*row[:6], sums=row[6:]) for row in cursor.fetchall()]

    def facts(self, definition: Definition, since: datetime | None) -> Facts:
        """The facts of the figure before all changes that were worked off at `since` or later; None takes none off."""
        changes = [each for each in self.deltas if since is not None and each.at >= since]
        counting = self._counting(changes) if definition.counted else set()
        row = EMPTY.copy()
        for root, answer in self._today.items():
            if not counting:
                add_row(row, EVERY, sums_of(answer.all))
            elif root == 0:
                add_row(row, EVERY, sums_of(answer.counted))
            elif self._roots[root - 1] in counting:
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
            scheduled=sum(each.scheduled for each in times if each.observed),
            unobserved=sum(each.scheduled for each in times if not each.observed),
            recorded=sum(each.observed for each in times),
        )

    def _counting(self, changes: Iterable[Delta]) -> set[int]:
        """The assets with counts once these changes are taken off."""
        left = {
            asset_id: self._today[root].all.counts if root in self._today else 0
            for root, asset_id in enumerate(self._roots, start=1)
        }
        for each in changes:
            if (asset_id := self.members[each.member].asset_id) in left:
                left[asset_id] -= int(each.sums[COUNTS])
        counted = {asset_id for asset_id, number in left.items() if number > 0}
        return counted | set(self._today[0].counted_assets if 0 in self._today else ())

    @cached_property
    def _roots(self) -> list[int]:
        """Assets whose counts changed, each with a root of its own, from 1 on."""
        return sorted({self.members[each.member].asset_id for each in self.deltas if each.sums[COUNTS]})

    @cached_property
    def _today(self) -> dict[int, Answer]:
        """What is recorded today of the members: of assets whose counts changed each by itself, of others together."""
        asked = self.asked
        root = {asset_id: number for number, asset_id in enumerate(self._roots, start=1)}
        counting = sorted(each._replace(root=root.get(each.asset_id, 0)) for each in self.members)
        span = epoch(asked.start), max(epoch(asked.end), epoch(asked.start) + 1)
        reader = Reader(asked.site, counting, [span], asked.now)
        return {root: answer for (root, _), answer in reader.answers().items()}
