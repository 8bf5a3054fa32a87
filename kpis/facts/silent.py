"""Silences of the assets of a window, as of one moment: those that are stored, and those that the records tell.

What is stored holds for most; a record of the running day ends a silence now. Where days have changed since, or an
asset may be silent for another time, they are found anew from its days and records.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache

from django.db import connection

from kpis.axis import EVER, epoch, instant
from kpis.facts import live
from kpis.facts.clock import beginning
from kpis.facts.question import with_counts
from kpis.facts.ranges import Ranges, merged
from kpis.facts.silences import Span, told
from kpis.facts.zones import State, Zones
from kpis.intervals import production_date
from kpis.silence import Silence, between, silences

Silences = dict[int, list[Silence]]


def silences_in(zones: Zones) -> Silences:
    """The silences of each asset that share a day with the window; whole, and in order."""
    found = {asset_id: state for asset_id, state in zones.states.items() if any(state.limits)}
    anew = {
        asset_id: state
        for asset_id, state in found.items()
        if asset_id in zones.waiting or (not state.settled if state.observed else _is_new(zones, asset_id, state))
    }
    uncounted = [asset_id for asset_id, state in anew.items() if not state.limits[1]]
    for asset_id in {*uncounted} - (with_counts(uncounted) if uncounted else set()):
        del anew[asset_id], found[asset_id]
    result = _stored(zones, {asset_id: each for asset_id, each in found.items() if asset_id not in anew})
    return result | (_anew(zones, anew) if anew else {})


def _is_new(zones: Zones, asset_id: int, state: State) -> bool:
    """Whether the first that is told of an asset may be told of the days that are not stored yet."""
    return bool(state.limits[1]) and state.stored < zones.end and asset_id in zones.stirred


def spans_of(zones: Zones, found: Silences) -> Ranges:
    """The silences as spans inside the window."""
    days = zones.days
    first, length = days.first.toordinal(), len(days.borders) - 1
    spans = {}
    for asset_id, each in found.items():
        inside = [
            (
                max(days.borders[min(max(0, silence.since - first), length)], zones.start),
                min(days.borders[length if silence.until is None else min(max(0, silence.until - first), length)],
                    zones.end),
            )
            for silence in each
        ]  # fmt: skip
        if kept := merged(inside):
            spans[asset_id] = kept
    return spans


def _days(zones: Zones) -> Span:
    """The first day of the window, and the one past it, as numbers."""
    first = zones.days.first.toordinal()
    return first, first + len(zones.days.borders) - 1


def _within(zones: Zones, found: Sequence[Silence]) -> list[Silence]:
    first, past = _days(zones)
    return [each for each in found if each.since < past and (each.until is None or each.until > first)]


def _stored(zones: Zones, states: Mapping[int, State]) -> Silences:
    """Stored silences, of which a record of the days that are not stored yet ends the last."""
    if not states:
        return {}
    first, past = _days(zones)
    rows: Silences = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.asset_id, s.since - '0001-01-01'::date + 1, s.until - '0001-01-01'::date + 1, s.days
            FROM kpis_silence s JOIN assets_asset a ON a.id = s.asset_id
            WHERE a.site_id = %s AND s.since < '0001-01-01'::date + %s - 1
                AND (s.until IS NULL OR s.until > '0001-01-01'::date + %s - 1)
            ORDER BY 1, 2
            """,
            [zones.clock.site.pk, past, first],
        )
        for asset_id, *silence in cursor.fetchall():
            if asset_id in states:
                rows.setdefault(asset_id, []).append(Silence(*silence))
    open_ = {
        asset_id: [(states[asset_id].stored, zones.clock.now)]
        for asset_id, each in rows.items()
        if each[-1].until is None and states[asset_id].stored < zones.end
    }
    recent = {asset_id: each for asset_id, each in open_.items() if asset_id in zones.stirred} if open_ else {}
    for asset_id, days in _recent(zones, recent).items() if recent else ():
        since, _, limit = rows[asset_id].pop()
        before = since - limit - 1
        rows[asset_id] += silences([before, *days], limit, counted_from=None, last=past, begun=True)
    return {asset_id: kept for asset_id, each in rows.items() if (kept := _within(zones, each))}


def _recent(zones: Zones, spans: Ranges) -> dict[int, list[int]]:
    """Evidence days of assets since what is stored of them, in order."""
    clock, day = zones.clock, _day_of(zones)
    since = {asset_id: day(each[0][0]) for asset_id, each in spans.items()}
    recorded = live.told(clock, spans)
    failed = told(clock, {asset_id: (first, day(clock.now) + 1) for asset_id, first in since.items()})
    days = {
        asset_id: {*recorded.get(asset_id, ()), *(number for number in failed[asset_id].days if number >= first)}
        for asset_id, first in since.items()
    }
    return {asset_id: sorted(each) for asset_id, each in days.items() if each}


def _anew(zones: Zones, states: Mapping[int, State]) -> Silences:
    """Silences from stored days that hold, and from the records where none does."""
    clock, day = zones.clock, _day_of(zones)
    spans = {
        asset_id: [(state.stored, clock.now), *zones.waiting.get(asset_id, ())] for asset_id, state in states.items()
    }
    begun: int | None = EVER
    if any(lo <= EVER for each in spans.values() for lo, _ in each):
        begun = beginning(clock.site)
    if begun is None:
        return {}
    stale = {
        asset_id: merged(
            (day(max(lo, begun)), day(min(hi, clock.now) - 1) + 1)
            for lo, hi in each
            if max(lo, begun) < min(hi, clock.now)
        )
        for asset_id, each in spans.items()
    }
    begins = cache(lambda number: epoch(clock.site.day_begins(date.fromordinal(number))))
    recorded = live.told(
        clock, {asset_id: [(begins(lo), begins(hi)) for lo, hi in each] for asset_id, each in stale.items() if each}
    )
    first, past = _days(zones)
    window = first - max(limit or 0 for state in states.values() for limit in state.limits) - 1, past
    found: Silences = {}
    for asset_id, each in told(clock, dict.fromkeys(states, window), stale).items():
        own = recorded.get(asset_id, {})
        counted = [number for number, is_counted in own.items() if is_counted and number < day(clock.now)]
        counted_from = min([*counted, *([each.counted_from] if each.counted_from else [])], default=None)
        days, before, after = between([*each.days, *own], *window)
        limit = states[asset_id].limits[0 if counted_from is not None else 1]
        silent = silences(
            days,
            limit,
            counted_from=counted_from,
            last=past,
            begun=before is not None,
            followed=after is not None,
        )
        if kept := _within(zones, silent):
            found[asset_id] = kept
    return found


def _day_of(zones: Zones) -> Callable[[int], int]:
    """The number of the production day of an instant."""
    site = zones.clock.site

    @cache
    def day(moment: int) -> int:
        return production_date(instant(moment), site.zone, site.day_start).toordinal()

    return day
