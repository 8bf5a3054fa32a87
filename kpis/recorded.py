"""What is recorded today of those who count in a window, and how it changed after it was reported.

Of whole days that is told by their revisions (`kpis.models.DayRevision`); parts of days are computed from the tables as
they were (`kpis.facts.former`).
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.axis import epoch, instant
from kpis.facts import former
from kpis.facts.evidence import lasting
from kpis.facts.former_silences import FormerSilences
from kpis.facts.live import Cell, compute
from kpis.facts.question import lives
from kpis.facts.ranges import grouped
from kpis.facts.read import Answer, Reader, sums_of_event
from kpis.facts.revisions import SUMS
from kpis.facts.zones import Member
from kpis.models import DayRevision

DAY = timedelta(days=1)
MOST = 2000  # revisions of days looked at
MOST_CELLS = 200  # parts of days
RANGE = ("no", "asset", "first", "last", "whole", "past")
COUNTS = SUMS.index("counts")


class TooManyParts(Exception):
    """Parts of days of more assets changed than can be computed while somebody waits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the figure is about, as `kpis.figures.periods` takes it.

    `silences` are those of the assets that count today; former ones of others are not known.
    """

    site: Site
    asset: Asset | None
    start: datetime
    end: datetime
    scope: str
    now: datetime
    silences: FormerSilences


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


@dataclass(eq=False)
class Recorded:
    """Of the same members, whatever the moment."""

    asked: Asked
    members: list[Member]

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
    def cells(self) -> list[tuple[int, Cell]]:
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

    def of_cells(self, moment: datetime | None) -> list[dict[str, float]]:
        """The sums of the cells from the records as they were before the moment, or are."""
        site, now = self.asked.site, epoch(self.asked.now)
        site = former.site_before(site, moment) if moment else site
        with former.before(moment) if moment else nullcontext():
            ids = sorted({cell[0] for _, cell in self.cells})
            served = lives(ids, now)
            cells = [
                (asset_id, max(lo, served.get(asset_id, (hi, hi))[0]), min(hi, served.get(asset_id, (hi, hi))[1]))
                for _, (asset_id, lo, hi) in self.cells
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
    def cells_today(self) -> list[dict[str, float]]:
        return self.of_cells(None)

    def changed_cells(self, moment: datetime) -> list[Delta]:
        """By how much the cells have changed since the moment."""
        if not self.cells:
            return []
        return [
            Delta(member, moment, moment, "", None, 0, [now[name] - then[name] for name in SUMS])
            for (member, _), now, then in zip(self.cells, self.cells_today, self.of_cells(moment), strict=True)
        ]

    # --- Today

    @cached_property
    def roots(self) -> list[int]:
        """Assets whose counts may have changed, each with a root of its own, from 1 on."""
        return sorted(
            {self.members[each.member].asset_id for each in self.deltas if each.sums[COUNTS]}
            | {cell[0] for _, cell in self.cells}
        )

    @cached_property
    def today(self) -> dict[int, Answer]:
        """What is recorded today of the members: of assets whose counts changed each by itself, of others together."""
        asked = self.asked
        root = {asset_id: number for number, asset_id in enumerate(self.roots, start=1)}
        counting = sorted(each._replace(root=root.get(each.asset_id, 0)) for each in self.members)
        span = epoch(asked.start), max(epoch(asked.end), epoch(asked.start) + 1)
        reader = Reader(asked.site, counting, [span], asked.now)
        return {root: answer for (root, _), answer in reader.answers().items()}
