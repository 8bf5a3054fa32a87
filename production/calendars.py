"""Which operating calendar holds for an asset, and when it is scheduled to run.

An asset takes its own calendar, else that of the nearest ancestor under which it stood at that time, else its
site's, else it runs around the clock. A slot belongs to the calendar that holds on the day on which it starts.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from assets.models import Asset
from core.models import Site
from production.models import OperatingCalendar
from production.timetable import DAY, Interval, Pattern, Slot, clipped, instant, merged

Why = Literal["own", "ancestor", "site", "none"]


@dataclass(frozen=True)
class Holding:
    """The calendar that holds for an asset, and why; None is around the clock. `owner_id`: whose it is."""

    calendar: OperatingCalendar | None
    owner_id: int | None
    why: Why


@dataclass(frozen=True)
class Span:
    """A calendar holds for slots that start on days of [first, last), as far as they lie in [start, end)."""

    calendar_id: int | None
    owner_id: int | None
    first: date
    last: date
    start: datetime
    end: datetime


def effective_calendar(asset: Asset, day: date | None = None) -> Holding:
    """What holds for the asset at the end of the local day (default: today)."""
    return effective_calendars([asset], day)[asset.pk]


def effective_calendars(assets: Iterable[Asset], day: date | None = None) -> dict[int, Holding]:
    """Asset id → what holds at the end of the local day (default: today), in a constant number of queries."""
    assets = list(assets)
    found: dict[int, Holding] = {}
    for site, rows in _by_site(assets).items():
        today = day or site.local(timezone.now()).date()
        start, end = instant(today, time(0), site.zone), instant(today + DAY, time(0), site.zone)
        schedule = Schedule.load(site, [row.pk for row in rows], start, end)
        for row in rows:
            spans = [span for span in schedule.spans(row.pk) if span.first <= today < span.last]
            latest = max(spans, key=lambda span: span.end)
            found[row.pk] = schedule.holding(row.pk, latest)
    return found


def scheduled_time(assets: Iterable[Asset], start: datetime, end: datetime) -> dict[int, list[Interval]]:
    """Asset id → the scheduled time inside [start, end), merged and in order, in a constant number of queries."""
    found: dict[int, list[Interval]] = {}
    for site, rows in _by_site(list(assets)).items():
        schedule = Schedule.load(site, [row.pk for row in rows], start, end)
        found |= {row.pk: schedule.intervals(row.pk) for row in rows}
    return found


def pattern_of(calendar: OperatingCalendar) -> Pattern:
    """The calendar as data; costs no query if weekly, exceptions and their slots are prefetched."""
    weekly: dict[int, list[Slot]] = defaultdict(list)
    for slot in calendar.weekly.all():
        weekly[slot.weekday].append(Slot(slot.start, slot.end))
    exceptions = {
        exception.date: tuple(Slot(slot.start, slot.end) for slot in exception.slots.all())
        for exception in calendar.exceptions.all()
    }
    return Pattern(
        calendar.valid_from,
        calendar.valid_to,
        {weekday: tuple(slots) for weekday, slots in weekly.items()},
        exceptions,
    )


class Schedule:
    """Calendars and placements of one site, loaded once for [start, end), and asked asset by asset."""

    def __init__(self, site: Site, start: datetime, end: datetime):
        self.zone: ZoneInfo = site.zone
        self.start, self.end = start, end
        # A slot that starts on the day before may reach into the window.
        self.first = start.astimezone(self.zone).date() - DAY
        self.last = end.astimezone(self.zone).date() + DAY
        self.calendars: dict[int, OperatingCalendar] = {}
        self.owned: dict[int | None, list[OperatingCalendar]] = defaultdict(list)
        self.placements: dict[int, list[tuple[int | None, datetime, datetime]]] = defaultdict(list)
        self._spans: dict[int | None, list[Span]] = {}
        self._dated: dict[int, list[tuple[date, datetime, datetime]]] = {}
        self._intervals: dict[tuple, list[Interval]] = {}

    @classmethod
    def load(cls, site: Site, assets: Iterable[int], start: datetime, end: datetime) -> "Schedule":
        """Five queries, however many assets."""
        schedule = cls(site, start, end)
        rows = OperatingCalendar.objects.at(site).filter(valid_from__lt=schedule.last)
        rows = rows.exclude(valid_to__lte=schedule.first).order_by("valid_from")
        for calendar in rows.prefetch_related("weekly", "exceptions__slots"):
            schedule.calendars[calendar.pk] = calendar
            schedule.owned[calendar.asset_id].append(calendar)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH RECURSIVE chain AS (
                    SELECT id, asset_id, parent_id, valid FROM assets_placement
                    WHERE asset_id = ANY(%(assets)s) AND valid && tstzrange(%(start)s, %(end)s)
                    UNION
                    SELECT p.id, p.asset_id, p.parent_id, p.valid
                    FROM chain JOIN assets_placement p ON p.asset_id = chain.parent_id
                    WHERE p.valid && tstzrange(%(start)s, %(end)s)
                )
                SELECT asset_id, parent_id, lower(valid), upper(valid) FROM chain ORDER BY lower(valid) NULLS FIRST
                """,
                {"assets": list(assets), "start": start, "end": end},
            )
            for asset_id, parent_id, since, until in cursor.fetchall():
                earlier = schedule.placements[asset_id]
                # The first place is taken to be the place since ever, as in assets.tree.
                since = max(since, start) if since and earlier else start
                earlier.append((parent_id, since, min(until or end, end)))
        return schedule

    def spans(self, asset_id: int) -> list[Span]:
        """What holds for the asset over the window, by day and by placement."""
        if asset_id not in self._spans:
            places = self.placements.get(asset_id) or [(None, self.start, self.end)]
            above = [
                _cut(span, since, until)
                for parent_id, since, until in places
                for span in (self._of_site() if parent_id is None else self.spans(parent_id))
                if span.start < until and span.end > since
            ]
            self._spans[asset_id] = self._over(self.owned.get(asset_id, []), asset_id, above)
        return self._spans[asset_id]

    def _of_site(self) -> list[Span]:
        if None not in self._spans:
            always = [Span(None, None, self.first, self.last, self.start, self.end)]
            self._spans[None] = self._over(self.owned.get(None, []), None, always)
        return self._spans[None]

    def _over(self, owned: list[OperatingCalendar], owner_id: int | None, below: list[Span]) -> list[Span]:
        """`owned` calendars take the days on which they are valid; `below` keeps the others."""
        found = []
        day = self.first
        for calendar in owned:
            first, last = max(calendar.valid_from, self.first), min(calendar.valid_to or self.last, self.last)
            found += [_days(span, day, first) for span in below if span.first < first and span.last > day]
            found.append(Span(calendar.pk, owner_id, first, last, self.start, self.end))
            day = last
        found += [_days(span, day, self.last) for span in below if span.last > day]
        return [span for span in found if span.first < span.last]

    def intervals(self, asset_id: int) -> list[Interval]:
        """The asset's scheduled time in the window, merged and in order."""
        spans = self.spans(asset_id)
        key = tuple((span.calendar_id, span.first, span.last, span.start, span.end) for span in spans)
        if key not in self._intervals:
            self._intervals[key] = merged(interval for span in spans for interval in self._of_span(span))
        return self._intervals[key]

    def _of_span(self, span: Span) -> list[Interval]:
        if span.calendar_id is None:
            whole = (instant(span.first, time(0), self.zone), instant(span.last, time(0), self.zone))
            return clipped([whole], span.start, span.end)
        dated = self._dated.get(span.calendar_id)
        if dated is None:
            pattern = pattern_of(self.calendars[span.calendar_id])
            dated = self._dated[span.calendar_id] = pattern.dated(self.first, self.last, self.zone)
        low, high = (bisect_left(dated, (day, _EARLIEST, _EARLIEST)) for day in (span.first, span.last))
        return clipped([(start, end) for _day, start, end in dated[low:high]], span.start, span.end)

    def holding(self, asset_id: int, span: Span) -> Holding:
        if span.calendar_id is None:
            return Holding(None, None, "none")
        why: Why = "own" if span.owner_id == asset_id else "site" if span.owner_id is None else "ancestor"
        return Holding(self.calendars[span.calendar_id], span.owner_id, why)


_EARLIEST = datetime.min.replace(tzinfo=UTC)


def _cut(span: Span, since: datetime, until: datetime) -> Span:
    return replace(span, start=max(span.start, since), end=min(span.end, until))


def _days(span: Span, first: date, last: date) -> Span:
    return replace(span, first=max(span.first, first), last=min(span.last, last))


def _by_site(assets: list[Asset]) -> dict[Site, list[Asset]]:
    found: dict[Site, list[Asset]] = defaultdict(list)
    for asset in assets:
        found[asset.site].append(asset)
    return found


def next_year(site: Site) -> tuple[date, date]:
    """The local days from today to a year ahead."""
    today = site.local(timezone.now()).date()
    return today, today + timedelta(days=366)
