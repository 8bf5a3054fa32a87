"""What assets lived through: failure events on the operating-time axis, and failures by problem.

Operating time between two failures is that of the figures: stored days where they are whole, the records where a
failure cuts the day. So the histories of a window add up to its operating time and its failure events.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, Sum

from assets.models import Asset, Failure
from core.models import Site
from kpis.axis import EVER, epoch, instant
from kpis.facts.members import Scope, members
from kpis.facts.read import Reader
from kpis.facts.store import beginning
from kpis.facts.zones import Member, Stretch
from kpis.formulas import HOUR
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


def records_since(site: Site) -> datetime | None:
    """The site's first record, before which nothing is known; None without any."""
    first = beginning(site)
    return None if first is None else instant(first)


def of_subject(
    asset: Asset | None, *, site: Site, start: datetime, end: datetime, scope: str, now: datetime
) -> list[Record]:
    """Records of the assets that count for one asset (or the whole site) in a window, as its figures count them."""
    return records(site, members(site, [asset], start, end, Scope(scope)), start, end, now)


def of_assets(assets: Iterable[int], *, site: Site, start: datetime, end: datetime, now: datetime) -> list[Record]:
    """Records of these assets, each for itself, wherever they stood."""
    return records(site, [Member(0, asset_id) for asset_id in sorted(assets)], start, end, now)


def records(
    site: Site, counting: Sequence[Member], start: datetime, end: datetime, now: datetime
) -> list[Record]:  # fmt: skip
    """Records of the members in [start, end), by asset; assets of which nothing was ever recorded are left out.

    The number of queries does not depend on assets, failures or time.
    """
    bucket = (epoch(start), min(epoch(end), epoch(now)))
    if not counting or bucket[0] >= bucket[1]:
        return []
    whole = Reader(site, counting, [bucket], now)
    occurred: dict[int, list[int]] = defaultdict(list)
    for event in whole.events():
        if not event.found:
            occurred[event.asset_id].append(epoch(event.occurred))
    cuts = [_cut(each, bucket, occurred[each.member.asset_id]) for each in whole.stretches]
    pieces = [(each.member.asset_id, *span) for each, cut in zip(whole.stretches, cuts, strict=True) for span in cut]
    if not pieces:
        return []
    reader = Reader(site, [Member(root, *piece) for root, piece in enumerate(pieces)], [bucket], now)
    answers = reader.answers()
    operating = [answers[root, 0].all.operating / HOUR if (root, 0) in answers else 0.0 for root in range(len(pieces))]
    found = []
    taken = 0
    for each, cut in zip(whole.stretches, cuts, strict=True):
        hours = tuple(operating[taken : taken + len(cut)])
        taken += len(cut)
        if each.member.asset_id in reader.observed:
            from_new = max(each.member.since, EVER, bucket[0]) <= each.state.since
            moments = tuple(instant(begins) for begins, _ in cut[1:])
            found.append(Record(each.member.asset_id, hours, from_new, moments))
    return found


def _cut(stretch: Stretch, bucket: tuple[int, int], occurred: Iterable[int]) -> list[tuple[int, int]]:
    """The member's time in the window, cut at its failures.

    A failure at its first instant leaves a piece before it that is empty: `Member` may begin where it ends.
    """
    since, until = max(stretch.since, bucket[0]), min(stretch.until, bucket[1])
    inside = sorted(moment for moment in occurred if since <= moment < until)
    return list(pairwise([since, *inside, until]))


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
