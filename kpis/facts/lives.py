"""What assets lived through: failure events on the operating-time axis, and failures by problem.

Operating time between two failures is that of the figures: stored days where they are whole, the records where a
failure cuts the day. So the histories of a window add up to its operating time and its failure events.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, pairwise

from django.db import connection
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, Sum

from assets.models import Asset, Failure
from core.models import Site
from kpis.axis import EVER, epoch, instant
from kpis.facts.clock import beginning
from kpis.facts.live import compute
from kpis.facts.members import Scope, members
from kpis.facts.ranges import literal, within
from kpis.facts.read import Reader
from kpis.facts.zones import Member, Stretch
from kpis.formulas import HOUR, Facts
from kpis.lifetimes import Life
from kpis.reliability import History, Problem


@dataclass(frozen=True, slots=True)
class Record:
    """One asset in a window, cut at its failure events.

    `hours` are operating hours up to the first failure, between failures, and since the last one; `from_new` says
    that the first of them began when the asset was commissioned.
    """

    asset_id: int
    hours: tuple[float, ...]
    from_new: bool
    occurred: tuple[datetime, ...] = ()

    @property
    def history(self) -> History:
        """The failures on the axis of the asset's operating hours."""
        *failures, end = accumulate(self.hours)
        return History(tuple(failures), end)

    @property
    def lives(self) -> list[Life]:
        """Lives from new or from a failure, which restores, to the next failure or so far; those of no time apart."""
        last = len(self.hours) - 1
        return [
            Life(hours, failed=place < last)
            for place, hours in enumerate(self.hours)
            if hours > 0 and (place or self.from_new)
        ]

    @property
    def timeless(self) -> int:
        """Failures without operating time since the one before."""
        return sum(not hours for hours in self.hours[1:-1])

    @property
    def age(self) -> float | None:
        """Operating hours since the last failure, or since new; None where neither is known."""
        return self.hours[-1] if len(self.hours) > 1 or self.from_new else None


@dataclass(frozen=True, slots=True)
class Lived:
    """The records of assets by asset, and the time and failure events of all of them as figures sum them.

    Nothing is in `facts` of items, restorations, stops and pieces. `unrecorded` assets have no record; their scheduled
    time is unobserved.
    """

    records: list[Record]
    facts: Facts
    unrecorded: int


def records_since(site: Site) -> datetime | None:
    """The site's first record, before which nothing is known; None without any.

    Where that is a failure, records count from right after it: it would be one before any operating time.
    """
    first = beginning(site)
    if first is None:
        return None
    failed = Failure.objects.filter(asset__site=site, occurred__gte=instant(first), occurred__lt=instant(first + 1))
    return instant(first + int(failed.exists()))


def of_subject(asset: Asset | None, *, site: Site, start: datetime, end: datetime, scope: str, now: datetime) -> Lived:
    """What the assets lived through that count for one asset (or the whole site) in a window, as in its figures."""
    return lived(site, members(site, [asset], start, end, Scope(scope)), start, end, now)


def of_assets(assets: Iterable[int], *, site: Site, start: datetime, end: datetime, now: datetime) -> Lived:
    """What these assets lived through, each for itself, wherever they stood."""
    return lived(site, [Member(0, asset_id) for asset_id in sorted(assets)], start, end, now)


def lived(site: Site, counting: Sequence[Member], start: datetime, end: datetime, now: datetime) -> Lived:
    """What the members lived through in [start, end); assets of which nothing was ever recorded have no record.

    The number of queries does not depend on assets, failures or time.
    """
    bucket = (epoch(start), min(epoch(end), epoch(now)))
    if not counting or bucket[0] >= bucket[1]:
        return Lived([], Facts(), 0)
    reader = Reader(site, counting, [bucket], now)
    occurred: dict[int, list[int]] = defaultdict(list)
    for event in reader.events():
        if event.counts:
            occurred[event.asset_id].append(epoch(event.occurred))
    cuts = [Cut.of(each, reader, occurred[each.member.asset_id]) for each in reader.stretches]
    lost, planned, touched = _lost(reader, cuts)
    found, unrecorded = [], set()
    scheduled = unobserved = calendar = recorded = 0
    for each, cut, gone in zip(reader.stretches, cuts, lost, strict=True):
        asset_id, span = each.member.asset_id, (cut.borders[0], cut.borders[-1])
        whole = reader.plans.between(reader.plans.stretches(asset_id), *span)
        calendar += span[1] - span[0]
        if asset_id not in reader.observed and asset_id not in touched:
            unobserved += whole
            unrecorded.add(asset_id)
            continue
        known = [reader.known(asset_id, *border) for border in pairwise(cut.borders)]
        hours = tuple((time - part) / HOUR for time, part in zip(known, gone, strict=True))
        from_new = max(each.member.since, EVER, bucket[0]) <= each.state.since
        found.append(Record(asset_id, hours, from_new, tuple(map(instant, cut.borders[1:-1]))))
        scheduled += sum(known)
        unobserved += whole - sum(known)
        recorded += within(reader.silent.get(asset_id, []), *span) != [span]
    facts = Facts(
        calendar=calendar, scheduled=scheduled, unobserved=unobserved, recorded=recorded, planned_stop=planned,
        down=sum(map(sum, lost)) - planned, events=sum(len(each.occurred) for each in found),
    )  # fmt: skip
    return Lived(found, facts, len(unrecorded))


@dataclass(slots=True)
class Cut:
    """One member's time between `borders`: its begin, its failures, its end. The pieces in between are numbered.

    A stored day counts wholly for the piece in which it ends. What of that day lies before a failure is a cell: it
    is added to its piece and taken from the one in which the day ends.
    """

    asset_id: int
    borders: list[int]
    days: list[tuple[int, int, int]] = field(default_factory=list)  # piece, first and past position of stored days
    cells: list[tuple[int, int, int, int | None]] = field(default_factory=list)  # from, to, piece, taken from

    @classmethod
    def of(cls, stretch: Stretch, reader: Reader, occurred: Iterable[int]) -> "Cut":
        since, until = max(stretch.since, reader.zones.start), min(stretch.until, reader.zones.end)
        cut = cls(stretch.member.asset_id, [since, *sorted(t for t in occurred if since <= t < until), until])
        ((stored, live),) = stretch.zones
        days = reader.zones.days
        at = [*map(days.position, cut.borders[:-1]), days.position(until - 1) + 1]
        for piece, (begin, past) in enumerate(pairwise(cut.borders)):
            cut.days += [(piece, *span) for span in _shared((at[piece], at[piece + 1]), stored)]
            cut.cells += [(*span, piece, None) for span in _shared((begin, past), live)]
            day = at[piece + 1]
            if piece + 2 < len(cut.borders) and any(lo <= day < hi for lo, hi in stored):
                start = max(begin, days.borders[day])
                if start < past:
                    cut.cells.append((start, past, piece, bisect_right(at, day) - 1))
        return cut


def _shared(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    parts = [(max(span[0], lo), min(span[1], hi)) for lo, hi in others]
    return [part for part in parts if part[0] < part[1]]


def _lost(reader: Reader, cuts: Sequence[Cut]) -> tuple[list[list[int]], int, set[int]]:
    """Scheduled seconds in which each piece did not operate, how many of all were planned stops, and the assets of
    which records were seen."""
    planned = 0
    lost = [[0] * (len(cut.borders) - 1) for cut in cuts]
    cells = [(number, cell) for number, cut in enumerate(cuts) for cell in cut.cells]
    asked = [(cuts[number].asset_id, cell[0], cell[1]) for number, cell in cells]
    computed, _ = compute(reader.site, asked, {}, reader.clock.now)
    for position, facts in computed.items():
        number, (_, _, piece, taken) = cells[position]
        stopped = int(facts.sums.get("planned_stop", 0))
        seconds = stopped + int(facts.sums.get("down", 0))
        lost[number][piece] += seconds
        if taken is None:
            planned += stopped
        else:
            lost[number][taken] -= seconds
    days = reader.zones.days
    rows = [(number, *row) for number, cut in enumerate(cuts) for row in cut.days]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.cut, m.piece, sum(f.planned_stop + f.down), sum(f.planned_stop)
            FROM unnest(%(cut)s::int[], %(piece)s::int[], %(asset)s::bigint[], %(first)s::date[], %(past)s::date[])
                AS m(cut, piece, asset_id, first, past)
            CROSS JOIN LATERAL (
                SELECT planned_stop, down FROM kpis_assetday f
                WHERE f.asset_id = m.asset_id AND f.day >= m.first AND f.day < m.past OFFSET 0
            ) f GROUP BY 1, 2
            """,
            {
                "cut": literal(row[0] for row in rows),
                "piece": literal(row[1] for row in rows),
                "asset": literal(cuts[row[0]].asset_id for row in rows),
                "first": literal(days.day(row[2]) for row in rows),
                "past": literal(days.day(row[3]) for row in rows),
            },
        )
        for number, piece, seconds, stopped in cursor.fetchall():
            lost[number][piece] += int(seconds)
            planned += int(stopped)
    return lost, planned, {asked[position][0] for position in computed}


def problems(assets: Iterable[int], start: datetime, end: datetime) -> tuple[list[Problem], int]:
    """Failures of these assets in [start, end) by problem, and the number of those left out.

    Left out are failures without a problem or a restoration time; those found in maintenance are not counted at all.
    """
    rows = (
        Failure.objects.filter(asset__in=list(assets), occurred__gte=start, occurred__lt=end)
        .exclude(detection=Failure.Detection.MAINTENANCE)
        .values("problem__name")
        .annotate(
            number=Count("pk"),
            restored_number=Count("restored"),
            lasted=Sum(
                ExpressionWrapper(F("restored") - F("occurred"), DurationField()), filter=Q(restored__isnull=False)
            ),
        )
        .order_by("problem__name")
    )
    found: list[Problem] = []
    left_out = 0
    for row in rows:
        known = row["restored_number"] if row["problem__name"] else 0
        left_out += row["number"] - known
        if known:
            found.append(Problem(row["problem__name"], known, row["lasted"].total_seconds() / 3600))
    return found, left_out
