"""In which hours of the week time is lost: unplanned downtime beside scheduled time, by the site's clock."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from kpis.axis import epoch, instant
from kpis.facts.plans import Plans
from kpis.facts.plans import Stretch as Following
from kpis.facts.ranges import within
from kpis.facts.records import Shelf
from kpis.figures import Period
from kpis.intervals import Span
from kpis.timeline import lost

HOUR = 3600
DAYS, HOURS = 7, 24
Place = tuple[int, int]  # weekday (Monday is 0) and hour


@dataclass(frozen=True)
class Week:
    """Seconds by hour of the week, of all machines and weeks together. Of machines without any record, and while the
    source of one was silent, scheduled time is `unknown`; the rest is `scheduled`. `passed` are the hours that the
    window holds until now."""

    lost: Counter[Place] = field(default_factory=Counter)
    scheduled: Counter[Place] = field(default_factory=Counter)
    unknown: Counter[Place] = field(default_factory=Counter)
    passed: set[Place] = field(default_factory=set)

    def share(self, place: Place) -> float | None:
        """The part of the hour's scheduled time that was lost; None where none was scheduled, or nothing is known."""
        return self.lost[place] / self.scheduled[place] if self.scheduled[place] else None

    def coverage(self, place: Place) -> float | None:
        """The part of the hour's scheduled time of which something is known; None where none was scheduled."""
        whole = self.scheduled[place] + self.unknown[place]
        return self.scheduled[place] / whole if whole else None


class Clock:
    """The hours of a span of time as the clock on the wall shows them; instants are seconds since 1970."""

    def __init__(self, start: int, end: int, zone: ZoneInfo):
        self.borders = [start]
        self.places: list[Place] = []
        while (moment := self.borders[-1]) < end:
            local = instant(moment).astimezone(zone)
            self.places.append((local.weekday(), local.hour))
            self.borders.append(min(end, moment + HOUR - local.minute * 60 - local.second))

    def cut(self, start: int, end: int) -> Iterator[tuple[Place, int, int]]:
        """The span by hours."""
        at = bisect_right(self.borders, start) - 1
        while start < end:
            until = min(end, self.borders[at + 1])
            yield self.places[at], start, until
            start, at = until, at + 1


def week(period: Period, known: Shelf) -> Week:
    """The hours of the week of the period's machines, each for as long as it stood there."""
    found = Week()
    start, end = epoch(period.start), epoch(min(period.end, period.now))
    if start >= end:
        return found
    clock = Clock(start, end, period.site.zone)
    found.passed.update(clock.places)
    plans = Plans(period.site, sorted(set(period.assets)), start, end)
    alike: Counter[tuple[tuple[Following, ...], int, int]] = Counter()  # machines that were scheduled alike
    silent: Counter[tuple[tuple[Following, ...], int, int]] = Counter()
    unobserved = set(period.unobserved)
    for each in period.members:
        asset_id = each.member.asset_id
        since, until = max(start, each.since), min(end, each.until)
        following = plans.stretches(asset_id)
        if asset_id in unobserved:
            silent[following, since, until] += 1
            continue
        alike[following, since, until] += 1
        for lo, hi in within(period.reader.silent.get(asset_id, []), since, until):
            alike[following, lo, hi] -= 1
            silent[following, lo, hi] += 1
        for span in lost(known.of(asset_id), asset_id, Span(instant(since), instant(until))):
            for place, lo, hi in clock.cut(epoch(span.start), epoch(span.end)):
                found.lost[place] += plans.between(following, lo, hi)
    for many, seconds in ((alike, found.scheduled), (silent, found.unknown)):
        for (following, since, until), number in many.items():
            for place, lo, hi in clock.cut(since, until):
                seconds[place] += number * plans.between(following, lo, hi)
    return found
