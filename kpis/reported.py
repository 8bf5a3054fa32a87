"""The sums behind a figure as they were reported before a change.

What was recorded of whole days is today's less the revisions of those days (`kpis.models.DayRevision`). Which assets
counted, for how long, when they were scheduled, and what was recorded in parts of days that changed is read from the
tables as they were (`kpis.facts.former`).
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.axis import epoch, instant
from kpis.definitions import Definition
from kpis.facts import former
from kpis.facts.evidence import lasting, reaching
from kpis.facts.live import Cell, compute
from kpis.facts.members import Scope, members
from kpis.facts.plans import Plans
from kpis.facts.question import lives
from kpis.facts.ranges import Ranges, grouped, within
from kpis.facts.read import Answer, Reader, sums_of_event
from kpis.facts.revisions import SUMS
from kpis.facts.tally import EMPTY, add_row, places
from kpis.facts.zones import Member
from kpis.formulas import SUMS as OF_FACTS
from kpis.formulas import Facts, sums_of
from kpis.models import DayRevision

DAY = timedelta(days=1)
MOST = 2000  # revisions of days looked at
MOST_CELLS = 200  # parts of days
RANGE = ("no", "asset", "first", "last", "whole", "past")
COUNTS = SUMS.index("counts")
EVERY, CHANGED = places(OF_FACTS), places(SUMS)


class TooManyParts(Exception):
    """Parts of days of more assets changed than can be computed while somebody waits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the figure is about, as `kpis.figures.periods` takes it.

    `silent` are the silences of the assets that count today; they stand for those of former reports as well.
    """

    site: Site
    asset: Asset | None
    start: datetime
    end: datetime
    scope: str
    now: datetime
    silent: Ranges = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """By how much the sums of one member changed together, and why."""

    member: int  # its position
    changed: datetime
    at: datetime
    source: str
    source_id: int | None
    sources: int
    sums: Sequence[float]  # of whole days


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
    """Who counted in the window and when they were scheduled, before a moment (None: today)."""

    asked: Asked
    moment: datetime | None = None

    def _then(self) -> AbstractContextManager:
        """In which everything is as it was."""
        return former.before(self.moment) if self.moment else nullcontext()

    @cached_property
    def members(self) -> list[Member]:
        asked = self.asked
        subjects = [asked.asset] if asked.asset else [None]
        with self._then():
            return members(asked.site, subjects, asked.start, asked.end, Scope(asked.scope))

    @cached_property
    def times(self) -> list[Time]:
        """Of each member."""
        with self._then():
            return self._times()

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
            gone = within(asked.silent.get(each.asset_id, []), lo, hi)
            silent = float(sum(plans.between(plan, *part) for part in gone))
            found.append(Time(float(hi - lo), known[key], silent, each.asset_id in seen and gone != [(lo, hi)]))
        return found

    @cached_property
    def deltas(self) -> list[Delta]:
        """How days of the members changed after they had been reported, the newest first."""
        site, rows = self.asked.site, []
        for number, each in enumerate(self.members):
            lo, hi = self._span(each)
            first, past = site.production_day(instant(lo)), site.production_day(instant(hi))
            whole = first + DAY * (epoch(site.day_begins(first)) < lo)
            last = past + DAY * (epoch(site.day_begins(past)) < hi)
            rows.append((number, each.asset_id, first, last, whole, past))
        inside = "r.day >= w.whole AND r.day < w.past"
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT w.no, coalesce(r.changed, r.at), r.at, r.source, r.source_id, max(r.sources),
                    {", ".join(f"coalesce(sum(r.{name}) FILTER (WHERE {inside}), 0)" for name in SUMS)}
                FROM unnest(%(no)s::int[], %(asset)s::bigint[], %(first)s::date[], %(last)s::date[], %(whole)s::date[],
                    %(past)s::date[]) AS w(no, asset_id, first, last, whole, past)
                JOIN kpis_dayrevision r ON r.asset_id = w.asset_id AND r.day >= w.first AND r.day < w.last
                GROUP BY 1, 2, 3, 4, 5 ORDER BY r.at DESC, min(r.id) DESC LIMIT {MOST}
                """,
                {name: [row[place] for row in rows] for place, name in enumerate(RANGE)},
            )
            return [Delta(*row[:6], sums=row[6:]) for row in cursor.fetchall()]

    def _span(self, member: Member) -> tuple[int, int]:
        """From when to when the asset counts in the window."""
        lo = max(epoch(self.asked.start), member.since)
        return lo, max(lo, min(epoch(self.asked.end), member.until))

    # --- Days that the window or a move cuts

    @cached_property
    def cut(self) -> list[tuple[int, Cell, date]]:
        """Members and the parts of days before the running one that count of them, with the day."""
        site, found = self.asked.site, []
        today = site.production_day(self.asked.now)
        for number, each in enumerate(self.members):
            lo, hi = self._span(each)
            for moment in {lo, hi} if lo < hi else ():
                day = site.production_day(instant(moment))
                begins, ends = epoch(site.day_begins(day)), epoch(site.day_begins(day + DAY))
                if moment != begins and day < today:
                    found.append((number, (each.asset_id, max(lo, begins), min(hi, ends)), day))
        return sorted(set(found))

    @cached_property
    def records(self) -> list[former.Moment]:
        """Changes of records on the days that are cut; a day as a whole need not have changed with its part."""
        if not self.cut:
            return []
        site = self.asked.site
        days = [(site.day_begins(day), site.day_begins(day + DAY)) for day in sorted({day for *_, day in self.cut})]
        with self._then():
            around = reaching(sorted({cell[0] for _, cell, _ in self.cut}))
        return former.of_records(site, around, days, self.asked.now)

    @cached_property
    def _cells(self) -> list[tuple[int, Cell]]:
        """Those parts that may have changed; of many only where their day as a whole did."""
        if len(self.cut) <= MOST_CELLS:
            return [(number, cell) for number, cell, _ in self.cut]
        days = {(cell[0], day) for _, cell, day in self.cut}
        rows = DayRevision.objects.filter(asset__in={each for each, _ in days}, day__in={day for _, day in days})
        changed = set(rows.values_list("asset", "day"))
        cells = [(number, cell) for number, cell, day in self.cut if (cell[0], day) in changed]
        if len(cells) > MOST_CELLS:
            raise TooManyParts
        return cells

    def _of_cells(self, moment: datetime | None) -> list[dict[str, float]]:
        """The sums of the cells from the records as they were before the moment, or are."""
        site, now = self.asked.site, epoch(self.asked.now)
        site = former.site_before(site, moment) if moment else site
        with former.before(moment) if moment else nullcontext():
            ids = sorted({cell[0] for _, cell in self._cells})
            served = lives(ids, now)
            cells = [
                (asset_id, max(lo, served.get(asset_id, (hi, hi))[0]), min(hi, served.get(asset_id, (hi, hi))[1]))
                for _, (asset_id, lo, hi) in self._cells
            ]
            watch = lasting(grouped(cells), now)
            computed, events = compute(site, cells, watch, now)
        found = []
        for position, (asset_id, lo, hi) in enumerate(cells):
            sums = dict.fromkeys(SUMS, 0.0) | (computed[position].sums if position in computed else {})
            for event in events:
                if event.asset_id == asset_id and lo <= epoch(event.occurred) < hi:
                    sums |= {name: sums[name] + value for name, value in sums_of_event(event).items()}
            found.append(sums)
        return found

    @cached_property
    def _cells_today(self) -> list[dict[str, float]]:
        return self._of_cells(None)

    def _cut(self, moment: datetime) -> list[Delta]:
        """By how much the cells have changed since the moment."""
        if not self._cells:
            return []
        return [
            Delta(member, moment, moment, "", None, 0, [now[name] - then[name] for name in SUMS])
            for (member, _), now, then in zip(self._cells, self._cells_today, self._of_cells(moment), strict=True)
        ]

    # --- The figure

    def facts(self, definition: Definition, moment: datetime, first: datetime | None) -> Facts:
        """The facts of the figure before the moment; `first` is when the first of the changes since was worked off."""
        changes = [each for each in self.deltas if first is not None and each.at >= first] + self._cut(moment)
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
            scheduled=sum(each.scheduled - each.unobserved for each in times),
            unobserved=sum(each.unobserved for each in times),
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
        """Assets whose counts may have changed, each with a root of its own, from 1 on."""
        return sorted(
            {self.members[each.member].asset_id for each in self.deltas if each.sums[COUNTS]}
            | {cell[0] for _, cell in self._cells}
        )

    @cached_property
    def _today(self) -> dict[int, Answer]:
        """What is recorded today of the members: of assets whose counts changed each by itself, of others together."""
        asked = self.asked
        root = {asset_id: number for number, asset_id in enumerate(self._roots, start=1)}
        counting = sorted(each._replace(root=root.get(each.asset_id, 0)) for each in self.members)
        span = epoch(asked.start), max(epoch(asked.end), epoch(asked.start) + 1)
        reader = Reader(asked.site, counting, [span], asked.now)
        return {root: answer for (root, _), answer in reader.answers().items()}
