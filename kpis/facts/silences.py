"""Silences of assets as they are stored: found when facts are written, where days have come, gone or been told.

An asset without a limit costs nothing. One that is told of day by day has no row; one row is a silence, so that a
window is read by few of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import NamedTuple, Protocol

from django.db import connection

from core.models import Site
from kpis.axis import instant
from kpis.facts.kept_silences import keep, replaced
from kpis.facts.ranges import literal
from kpis.intervals import production_date
from kpis.silence import EVER, Silence, between, silences

AHEAD = 3  # days after the last stored one of which it is known whether they are silent if nothing is told of them
FAR = date.max.toordinal()


def limits(asset: str, site: str) -> str:
    """The days for which an asset may be silent, with counts and without; NULL is for ever."""
    return ", ".join(
        f"nullif(coalesce({asset}.silence_days, {site}.{name}), 0)"
        for name in ("count_silence_days", "stop_silence_days")
    )


# The limits `n` of the asset `a`, beside those that its stored silences follow (state `s`).
OF_SITE = f"""JOIN core_site p ON p.id = a.site_id
    CROSS JOIN LATERAL (SELECT {limits("a", "p")}) n(counted, stopped)"""
UNSETTLED = "(s.count_silence IS DISTINCT FROM n.counted OR s.stop_silence IS DISTINCT FROM n.stopped)"


class Kept(NamedTuple):
    """By what limits an asset's silences are to be found, and how those that are stored were."""

    counted: int | None
    stopped: int | None
    by_counted: int | None
    by_stopped: int | None
    counted_from: date | None
    with_counts: bool  # a count was ever recorded

    @property
    def changed(self) -> bool:
        return (self.counted, self.stopped) != (self.by_counted, self.by_stopped)

    @property
    def possible(self) -> bool:
        """Whether there is, or was, anything to be found."""
        return bool(self.stopped or (self.counted and self.with_counts) or self.counted_from)


class Present(Protocol):
    """As `kpis.facts.clock.Clock`."""

    @property
    def site(self) -> Site: ...
    @property
    def now(self) -> int: ...


Span = tuple[int, int]  # first and past day, as numbers


class Told(NamedTuple):
    """Evidence days of an asset, in order: those of a span, the last before and the first after it."""

    days: list[int]
    before: int | None
    after: int | None
    counted_from: int | None


def settle(
    clock: Present, spans: Mapping[int, Span], states: Mapping[int, Kept], through: Mapping[int, date],
    reported: Mapping[int, date], *, causes: bool,
) -> None:  # fmt: skip
    """Find silences again where the days of the spans were written; `through` is up to when an asset's days are.

    Where silences of days change that were `reported`, the former are kept, with the `causes` that were kept aside. The
    caller holds the locks of the states.
    """
    spans = {
        asset_id: (EVER, FAR) if states[asset_id].changed else span
        for asset_id, span in spans.items()
        if asset_id in through and (states[asset_id].changed or states[asset_id].possible)
    }
    if not spans:
        return
    asked = {asset_id: span for asset_id, span in spans.items() if states[asset_id].possible}
    last = {asset_id: day.toordinal() for asset_id, day in through.items()}
    known = dict.fromkeys(spans, Told([], None, None, None)) | (told(clock, asked, last=last) if asked else {})
    moved = {
        asset_id: (EVER, FAR)
        for asset_id, each in known.items()
        if each.counted_from != _number(states[asset_id].counted_from) and spans[asset_id] != (EVER, FAR)
    }
    if moved:  # what is before the first count follows another limit
        known |= told(clock, moved, last=last)
    gone, rows = [], []
    new: dict[int, list[Silence]] = {}
    for asset_id, each in known.items():
        state = states[asset_id]
        limit = state.stopped if each.counted_from is None else state.counted
        gone.append((asset_id, each.before or 0, FAR if each.after is None else each.after))
        found = silences(
            each.days,
            limit,
            counted_from=each.counted_from,
            last=last[asset_id] + AHEAD,
            begun=each.before is not None,
            followed=each.after is not None,
        )
        rows += [(asset_id, *silence) for silence in found]
        new[asset_id] = found
    former = _replace(gone, rows)
    days = {asset_id: day.toordinal() for asset_id, day in reported.items()}
    kept = [
        each
        for asset_id, day in days.items()
        if asset_id in new and (each := replaced(asset_id, former[asset_id], new[asset_id], day))
    ]
    keep(clock.site, kept, causes=causes)
    _note({asset_id: (states[asset_id], each.counted_from) for asset_id, each in known.items()})


def _number(day: date | None) -> int | None:
    return day and day.toordinal()


def _day(number: int | None) -> date | None:
    return None if number is None else date.fromordinal(number)


def _replace(
    gone: Sequence[tuple[int, int, int]], rows: Sequence[tuple[int, int, int | None, int]]
) -> dict[int, list[Silence]]:
    """Rows of (asset, since, until, limit) instead of those that begin after a day, up to another; these by asset."""
    former: dict[int, list[Silence]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM kpis_silence s USING unnest(%(asset)s::bigint[], %(lo)s::int[], %(hi)s::int[])
                AS w(asset_id, lo, hi)
            WHERE s.asset_id = w.asset_id AND s.since - '0001-01-01'::date + 1 > w.lo
                AND s.since - '0001-01-01'::date + 1 <= w.hi
            RETURNING s.asset_id, s.since - '0001-01-01'::date + 1, s.until - '0001-01-01'::date + 1, s.days
            """,
            {
                "asset": literal(row[0] for row in gone),
                "lo": literal(row[1] for row in gone),
                "hi": literal(row[2] for row in gone),
            },
        )
        for asset_id, *silence in sorted(cursor.fetchall(), key=lambda row: row[:2]):
            former[asset_id].append(Silence(*silence))
        if rows:
            cursor.execute(
                """
                INSERT INTO kpis_silence (asset_id, since, until, days)
                SELECT * FROM unnest(%(asset)s::bigint[], %(since)s::date[], %(until)s::date[], %(days)s::int[])
                """,
                {
                    "asset": literal(row[0] for row in rows),
                    "since": [_day(row[1]) for row in rows],
                    "until": [_day(row[2]) for row in rows],
                    "days": literal(row[3] for row in rows),
                },
            )
    return former


def _note(found: Mapping[int, tuple[Kept, int | None]]) -> None:
    """By which limits the silences were found, and from when on the assets are counted."""
    changed = {
        asset_id: (state, _day(counted_from))
        for asset_id, (state, counted_from) in found.items()
        if state.changed or state.counted_from != _day(counted_from)
    }
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kpis_factstate s
            SET counted_from = w.counted_from, count_silence = w.counted, stop_silence = w.stopped
            FROM unnest(%(asset)s::bigint[], %(from)s::date[], %(counted)s::int[], %(stopped)s::int[])
                AS w(asset_id, counted_from, counted, stopped)
            WHERE s.asset_id = w.asset_id
            """,
            {
                "asset": literal(changed),
                "from": [day for _, day in changed.values()],
                "counted": [state.counted for state, _ in changed.values()],
                "stopped": [state.stopped for state, _ in changed.values()],
            },
        )


# --- What is told of assets ----------------------------------------------------------------------------


def told(
    clock: Present,
    spans: Mapping[int, Span],
    stale: Mapping[int, Iterable[Span]] | None = None,
    *,
    last: Mapping[int, int] | None = None,
) -> dict[int, Told]:
    """What stored days and failures tell of assets in spans of days.

    Stored days that are `stale` are left out, and failures after the `last` day of an asset, or now.
    """
    rows = [(asset_id, *span) for asset_id, each in (stale or {}).items() for span in each]
    with connection.cursor() as cursor:
        cursor.execute(
            TOLD,
            {
                "asset": literal(spans),
                "first": literal(first for first, _ in spans.values()),
                "past": literal(past for _, past in spans.values()),
                "x_asset": literal(row[0] for row in rows),
                "x_first": literal(row[1] for row in rows),
                "x_past": literal(row[2] for row in rows),
                "now": instant(clock.now),
            },
        )
        found = cursor.fetchall()
    site = clock.site

    @cache
    def day_of(moment: datetime) -> int:
        return production_date(moment, site.zone, site.day_start).toordinal()

    result = {}
    for asset_id, days, before, after, failed, counted_from in found:
        failures = {day for day in map(day_of, failed) if last is None or day <= last[asset_id]}
        evidence = {*days, *(day for day in (before, after) if day is not None), *failures}
        result[asset_id] = Told(*between(evidence, *spans[asset_id]), counted_from)
    return result


NUMBER = "(f.day - '0001-01-01'::date + 1)"
DAYS = """kpis_assetday f WHERE f.asset_id = m.asset_id AND NOT EXISTS (
        SELECT FROM unnest(%(x_asset)s::bigint[], %(x_first)s::int[], %(x_past)s::int[]) AS x(asset_id, first, past)
        WHERE x.asset_id = f.asset_id AND f.day >= '0001-01-01'::date + x.first - 1
            AND f.day < '0001-01-01'::date + x.past - 1)"""
FIRST, PAST = ("'0001-01-01'::date + m.first - 1", "'0001-01-01'::date + m.past - 1")
# Each is sought by the key of the days; most assets have few failures.
TOLD = f"""
SELECT m.asset_id,
    ARRAY(SELECT {NUMBER} FROM {DAYS} AND f.day >= {FIRST} AND f.day < {PAST}),
    (SELECT {NUMBER} FROM {DAYS} AND f.day < {FIRST} ORDER BY f.day DESC LIMIT 1),
    (SELECT {NUMBER} FROM {DAYS} AND f.day >= {PAST} ORDER BY f.day LIMIT 1),
    ARRAY(SELECT f.occurred FROM assets_failure f WHERE f.asset_id = m.asset_id
        AND f.occurred >= coalesce(date_trunc('second', a.commissioned), '-infinity')
        AND f.occurred < least(date_trunc('second', a.retired), %(now)s)),
    CASE WHEN EXISTS (SELECT FROM production_count c WHERE c.asset_id = m.asset_id)
        THEN (SELECT {NUMBER} FROM {DAYS} AND f.counts > 0 ORDER BY f.day LIMIT 1) END
FROM unnest(%(asset)s::bigint[], %(first)s::int[], %(past)s::int[]) AS m(asset_id, first, past)
JOIN assets_asset a ON a.id = m.asset_id
"""
