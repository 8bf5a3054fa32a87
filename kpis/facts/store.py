"""Writing the facts of past production days: for assets that have fallen behind, and for days that changed.

A day is past once its site's production day is over; figures take the running day straight from the records.
Facts depend only on records, never on other facts, so assets can be computed in any order and by any number of
workers; the row lock on `FactState` makes each asset's facts the work of one at a time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from django.db import connection
from django.utils import timezone

from core.models import Site
from kpis.axis import EVER, ProductionDays, epoch, instant
from kpis.facts import revisions
from kpis.facts.plans import Plans
from kpis.facts.question import (
    Question,
    Ranges,
    calculating,
    clipped,
    columns,
    group_levels,
    literal,
    lives,
    merged,
    reaching_counts,
)
from kpis.facts.revisions import Cause
from kpis.facts.statement import seconds
from kpis.intervals import DAY, day_begins, production_date
from kpis.models import FactState

VERSION = 2  # of the computation; raise it and every asset is computed again
CHUNK = 500  # assets of one transaction


@dataclass(frozen=True, slots=True)
class Clock:
    """A site's present: now, and the instant up to which its production days are over."""

    site: Site
    now: int
    yesterday: date
    frontier: int

    @classmethod
    def of(cls, site: Site, now: datetime | None = None) -> "Clock":
        moment = now or timezone.now()
        today = production_date(moment, site.zone, site.day_start)
        return cls(site, epoch(moment), today - DAY, epoch(day_begins(today, site.zone, site.day_start)))

    def after(self, through: date | None) -> int:
        """The instant at which the day after `through` begins."""
        return EVER if through is None else epoch(day_begins(through + DAY, self.site.zone, self.site.day_start))


def beginning(site: Site) -> int | None:
    """Before everything that is recorded or stored of the site; None without anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT floor(date_part('epoch', min(least(d.start, f.occurred, c.start, k.day - interval '1 day'))))::bigint
            FROM assets_asset a
            LEFT JOIN LATERAL (SELECT min(start) AS start FROM assets_downtime WHERE asset_id = a.id) d ON true
            LEFT JOIN LATERAL (SELECT min(occurred) AS occurred FROM assets_failure WHERE asset_id = a.id) f ON true
            LEFT JOIN LATERAL (SELECT min(start) AS start FROM production_count WHERE asset_id = a.id) c ON true
            LEFT JOIN LATERAL (SELECT min(day) AS day FROM kpis_assetday WHERE asset_id = a.id) k ON true
            WHERE a.site_id = %s
            """,
            [site.pk],
        )
        return cursor.fetchone()[0]


def catch_up(site: Site, *, now: datetime | None = None, chunk: int = CHUNK) -> int:
    """Complete the facts of the site's assets through yesterday; the number of asset-days written.

    An asset without facts, or with those of an older computation, is computed from its first record on. Assets
    that another worker holds are left to it.
    """
    clock = Clock.of(site, now)
    enter(site)
    written = 0
    while True:
        with calculating():
            behind = list(
                FactState.objects.raw(
                    """
                    SELECT s.* FROM kpis_factstate s JOIN assets_asset a ON a.id = s.asset_id
                    WHERE a.site_id = %s AND (s.through IS NULL OR s.through < %s OR s.version <> %s)
                    ORDER BY s.asset_id LIMIT %s FOR UPDATE OF s SKIP LOCKED
                    """,
                    [site.pk, clock.yesterday, VERSION, chunk],
                )
            )
            if not behind:
                return written
            spans = {
                state.asset_id: [(clock.after(state.through if state.version == VERSION else None), clock.frontier)]
                for state in behind
            }
            written += _write(clock, spans)
            _complete(clock, [state.asset_id for state in behind], through=clock.yesterday)


def recompute(
    site: Site, *, start: date | None = None, end: date | None = None, now: datetime | None = None, chunk: int = CHUNK
) -> int:
    """Compute the facts of production days `start` to `end` (inclusive; all by default) again, changed or not."""
    clock = Clock.of(site, now)
    enter(site)
    lo = EVER if start is None else epoch(day_begins(start, site.zone, site.day_start))
    hi = clock.frontier if end is None else min(clock.frontier, clock.after(end))
    assets = list(FactState.objects.filter(asset__site=site).order_by("asset_id").values_list("asset_id", flat=True))
    written = 0
    for position in range(0, len(assets), chunk):
        with calculating():
            states = lock(assets[position : position + chunk])
            if start is None and end is None:
                written += _write(clock, {state.asset_id: [(lo, hi)] for state in states}, revising=True)
                _complete(clock, [state.asset_id for state in states], through=clock.yesterday)
            else:
                written += rewrite(clock, {state.asset_id: [(lo, hi)] for state in states}, states)
    return written


def rewrite(clock: Clock, spans: Ranges, states: Iterable[FactState], causes: Sequence[Cause] = ()) -> int:
    """Compute again what of the spans is stored; later days are not, and nothing is lost by leaving them out.

    Days that come out otherwise leave a revision. The caller holds the locks of `states`.
    """
    after = cache(clock.after)  # most assets are stored through the same day
    stored = {state.asset_id: after(state.through) for state in states}
    cut = {
        asset_id: kept
        for asset_id, each in _with_events(clock, spans).items()
        if (kept := merged((lo, min(hi, stored.get(asset_id, EVER))) for lo, hi in each))
    }
    written = _write(clock, cut, revising=True, causes=causes)
    _complete(clock, list(cut))
    return written


def lock(asset_ids: Iterable[int]) -> list[FactState]:
    """Take the right to write these assets' facts, in one order so that no two workers wait for each other."""
    return list(
        FactState.objects.filter(asset__in=list(asset_ids)).order_by("asset_id").select_for_update(of=("self",))
    )


def enter(site: Site) -> None:
    """Every asset has a state."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kpis_factstate (asset_id, version, observed) SELECT id, 0, false FROM assets_asset
            WHERE site_id = %s AND id NOT IN (SELECT asset_id FROM kpis_factstate) ON CONFLICT DO NOTHING
            """,
            [site.pk],
        )


def _complete(clock: Clock, asset_ids: list[int], *, through: date | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kpis_factstate s SET computed_at = %(now)s, version = coalesce(%(version)s, version),
                through = coalesce(%(through)s, through),
                observed = EXISTS (SELECT FROM kpis_assetday d WHERE d.asset_id = s.asset_id)
                    OR EXISTS (SELECT FROM kpis_failureevent e WHERE e.asset_id = s.asset_id)
            WHERE asset_id = ANY(%(assets)s::bigint[])
            """,
            {
                "now": instant(clock.now),
                "version": VERSION if through else None,
                "through": through,
                "assets": literal(asset_ids),
            },
        )


def _write(clock: Clock, spans: Ranges, *, revising: bool = False, causes: Sequence[Cause] = ()) -> int:
    """Replace the facts of the spans: their failure events as whole ones, everything else by production days."""
    site = clock.site
    spans = _with_events(clock, {asset_id: kept for asset_id, each in spans.items() if (kept := merged(each))})
    if not spans:
        return 0
    first = beginning(site) if any(each[0][0] <= EVER for each in spans.values()) else EVER
    if first is None:
        _erase(clock, spans, spans)
        return 0
    lo = min(max(first, each[0][0]) for each in spans.values())
    days = ProductionDays.around(min(lo, clock.frontier), clock.frontier, site.zone, site.day_start)
    whole = {
        asset_id: merged((days.whole(max(lo, first), hi)[0], days.whole(lo, hi)[1]) for lo, hi in each if hi > first)
        for asset_id, each in spans.items()
    }
    replaced = {asset_id: merged([*whole[asset_id], *each]) for asset_id, each in spans.items()}
    if revising:
        revisions.remember(days, replaced, spans)
    _erase(clock, replaced, spans)
    served = lives(spans, clock.now)
    wanted = clipped(whole, served)
    written = _compute(clock, wanted, clipped(spans, served)) if wanted else 0
    if revising:
        revisions.note(days, replaced, spans, causes)
    return written


def _compute(clock: Clock, wanted: Ranges, events: Ranges) -> int:
    """Write the days of `wanted` and the failure events that begin in `events`, spans inside those days."""
    site = clock.site
    reach, watch = reaching_counts(wanted), dict(events)
    for asset_id, each in events.items():
        if each[-1][1] >= clock.frontier:
            # What began on the last day may go on: its end is in the records of today.
            reach[asset_id] = merged([*reach[asset_id], (clock.frontier, clock.now)])
            watch[asset_id] = merged([*each, (clock.frontier, clock.now)])
    lo = min(each[0][0] for each in reach.values()) - 1
    hi = max(each[-1][1] for each in reach.values())
    question = Question(
        site=site,
        now=clock.now,
        reach=reach,
        watch=watch,
        plans=Plans(site, list(reach), lo, hi),
        levels=group_levels(site),
        days=ProductionDays.around(lo, hi, site.zone, site.day_start),
    )
    return question.store(wanted, events)


def _with_events(clock: Clock, spans: Ranges) -> Ranges:
    """The spans and the stored failure events that they touch: a changed item changes the whole event."""
    wide = {asset_id: list(each) for asset_id, each in spans.items()}
    for asset_id, occurred, until in events_touching(spans):
        wide[asset_id].append((occurred, min(until, clock.frontier)))
    return {asset_id: merged(each) for asset_id, each in wide.items()}


def events_touching(spans: Ranges) -> list[tuple[int, int, int]]:
    """Asset, begin and end of the stored failure events that share an instant with the spans; open ones never end."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT w.asset_id, {seconds("e.occurred")}, greatest({seconds("e.until")}, {seconds("e.occurred")} + 1)
            FROM unnest(%(w_asset)s::bigint[], %(w_lo)s::bigint[], %(w_hi)s::bigint[]) AS w(asset_id, lo, hi)
            CROSS JOIN LATERAL (
                SELECT occurred, until FROM kpis_failureevent e
                WHERE e.asset_id = w.asset_id AND e.until >= to_timestamp(w.lo) OFFSET 0
            ) e
            WHERE e.occurred < to_timestamp(w.hi)
                AND (e.until > to_timestamp(w.lo) OR e.occurred >= to_timestamp(w.lo))
            """,
            columns("w", spans),
        )
        return cursor.fetchall()


def _erase(clock: Clock, days: Ranges, events: Ranges) -> None:
    """Delete stored facts of whole days, and the failure events that begin in the spans of `events`."""
    site = clock.site

    @cache
    def day(moment: int) -> date:
        return production_date(instant(moment), site.zone, site.day_start)

    rows = [(asset_id, day(lo), day(hi)) for asset_id, each in days.items() for lo, hi in each]
    with connection.cursor() as cursor:
        for table in ("kpis_assetday", "kpis_lossday"):
            cursor.execute(
                f"""
                DELETE FROM {table} f
                USING unnest(%(assets)s::bigint[], %(los)s::date[], %(his)s::date[]) AS w(asset_id, lo, hi)
                WHERE f.asset_id = w.asset_id AND f.day >= w.lo AND f.day < w.hi
                """,
                {
                    "assets": literal(row[0] for row in rows),
                    "los": literal(row[1] for row in rows),
                    "his": literal(row[2] for row in rows),
                },
            )
        cursor.execute(
            """
            DELETE FROM kpis_failureevent e
            USING unnest(%(w_asset)s::bigint[], %(w_lo)s::bigint[], %(w_hi)s::bigint[]) AS w(asset_id, lo, hi)
            WHERE e.asset_id = w.asset_id AND e.occurred >= to_timestamp(w.lo) AND e.occurred < to_timestamp(w.hi)
            """,
            columns("w", events),
        )
