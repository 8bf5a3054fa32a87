"""Writing the facts of past production days: for assets that have fallen behind, and for days that changed.

A day is past once its site's production day is over; figures take the running day straight from the records.
Facts depend only on records, never on other facts, so assets can be computed in any order and by any number of
workers; the row lock on `FactState` makes each asset's facts the work of one at a time.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from django.db import connection

from core.models import JobRun, Site
from kpis import silence
from kpis.axis import EVER, FAR, ProductionDays, epoch, instant
from kpis.facts import former, revisions, silences
from kpis.facts.clock import Clock, beginning
from kpis.facts.held import ASSET, LIFE_FROM, LIFE_TO, seconds
from kpis.facts.plans import Plans
from kpis.facts.question import Question, calculating, group_levels, reaching_counts
from kpis.facts.ranges import Ranges, clipped, columns, literal, merged, widened, within
from kpis.facts.silences import OF_SITE, UNSETTLED
from kpis.intervals import day_begins, production_date
from kpis.models import FactState, Occasion

VERSION = 5  # of the computation; raise it and every asset is computed again
CHUNK = 500  # assets of one transaction


def catch_up(site: Site, *, now: datetime | None = None, chunk: int = CHUNK, run: JobRun | None = None) -> int:
    """Complete the facts of the site's assets through yesterday; the number of asset-days written.

    An asset without facts, or with those of an older computation, is computed from its first record on. Assets
    that another worker holds are left to it.
    """
    clock = Clock.of(site, now)
    enter(site)
    written = last = 0
    while True:
        with calculating():
            behind = _hold_next(clock, BEHIND.format(yesterday="%(yesterday)s"), chunk, last)
            if not behind:
                break
            last = max(behind)
            spans = {
                asset_id: [(clock.after(state.through if state.version == VERSION else None), clock.frontier)]
                for asset_id, state in behind.items()
            }
            days, observed, _ = _write(clock, _with_events(clock, spans), behind)
            _complete(clock, spans, observed, Occasion.COMPLETED, run, through=clock.yesterday)
            _settle(clock, spans, behind, through=clock.yesterday)
            written += days
    settle_changed(clock, chunk=chunk)
    return written


def settle_changed(clock: Clock, *, chunk: int = CHUNK) -> None:
    """Find the silences again of assets that may be silent for another time than when theirs were found."""
    last = 0
    while True:
        with calculating():
            states = _hold_next(clock, f"s.through IS NOT NULL AND {UNSETTLED}", chunk, last)
            if not states:
                return
            last = max(states)
            _settle(clock, {asset_id: [(EVER, clock.frontier)] for asset_id in states}, states)


def recompute(
    site: Site, *, start: date | None = None, end: date | None = None, now: datetime | None = None,
    chunk: int = CHUNK, run: JobRun | None = None,
) -> int:  # fmt: skip
    """Compute the facts of production days `start` to `end` (inclusive; all by default) again, changed or not."""
    clock = Clock.of(site, now)
    enter(site)
    lo = EVER if start is None else epoch(day_begins(start, site.zone, site.day_start))
    hi = clock.frontier if end is None else min(clock.frontier, clock.after(end))
    if lo >= hi:
        return 0
    assets = list(FactState.objects.filter(asset__site=site).order_by("asset_id").values_list("asset_id", flat=True))
    written = 0
    for position in range(0, len(assets), chunk):
        with calculating():
            revisions.begin()
            states = lock(clock, assets[position : position + chunk])
            spans = {asset_id: [(lo, hi)] for asset_id in states}
            if start is None and end is None:
                days, observed, axis = _write(clock, _with_events(clock, spans), states, revising=True)
                _complete(clock, spans, observed, Occasion.AGAIN, run, through=clock.yesterday)
                _settle(clock, spans, states, through=clock.yesterday, causes=True)
                _note(axis)
                written += days
            else:
                written += rewrite(clock, spans, states, Occasion.AGAIN, run)
    former.settle(site)
    return written


def rewrite(clock: Clock, spans: Ranges, states: "States", occasion: Occasion, run: JobRun | None) -> int:
    """Compute again what of the spans is stored; later days are not, and nothing is lost by leaving them out.

    Days that come out otherwise leave a revision, kept aside since `revisions.begin`. The caller holds the locks
    of `states`.
    """
    _forget_unfinished(clock, [asset_id for asset_id in states if spans[asset_id][0][0] <= EVER])

    @cache  # most assets are stored through the same day
    def after(through: date | None) -> int:
        return min(clock.after(through), clock.frontier)

    cut = {}
    for asset_id, each in _with_events(clock, {asset_id: spans[asset_id] for asset_id in states}).items():
        if kept := within(each, EVER, after(states[asset_id].through)):
            cut[asset_id] = kept
    written, observed, axis = _write(clock, cut, states, revising=True)
    _complete(clock, cut, observed, occasion, run)
    _settle(clock, cut, states, causes=True)
    _note(axis)
    return written


def _forget_unfinished(clock: Clock, asset_ids: list[int]) -> None:
    """Delete what is stored of days that are not over: those that were, until the site's day was settled to begin later
    or on another clock."""
    if not asset_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM kpis_assetday WHERE asset_id = ANY(%(assets)s::bigint[]) AND day > %(yesterday)s;
            DELETE FROM kpis_lossday WHERE asset_id = ANY(%(assets)s::bigint[]) AND day > %(yesterday)s;
            DELETE FROM kpis_failureevent
            WHERE asset_id = ANY(%(assets)s::bigint[]) AND occurred >= to_timestamp(%(frontier)s)
            """,
            {"assets": literal(asset_ids), "yesterday": clock.yesterday, "frontier": clock.frontier},
        )


def _settle(
    clock: Clock, spans: Ranges, states: "States", *, through: date | None = None, causes: bool = False
) -> None:  # fmt: skip
    """Find the silences around the spans again, which were just written, and keep those of reported days that change.

    `causes`: what changed the days is kept aside (`revisions.begin`). Another version of the computation changes
    nothing that happened.
    """
    site = clock.site

    @cache
    def day(moment: int) -> int:
        return production_date(instant(moment), site.zone, site.day_start).toordinal()

    def ended(last: date | None) -> date | None:
        return last and min(last, clock.yesterday)

    kept = {asset_id: state.silent for asset_id, state in states.items()}
    known = {asset_id: last for asset_id in spans if (last := through or ended(states[asset_id].through))}
    hulls = {
        asset_id: (silence.EVER if each[0][0] <= EVER else day(each[0][0]), day(each[-1][1] - 1) + 1)
        for asset_id, each in spans.items()
        if each and (kept[asset_id].possible or kept[asset_id].changed)
    }
    reported = {
        asset_id: last
        for asset_id in hulls
        if states[asset_id].version == VERSION and (last := ended(states[asset_id].through))
    }
    silences.settle(clock, hulls, kept, known, reported, causes=causes)


class State(NamedTuple):
    """What is known of an asset whose facts one has the right to write."""

    through: date | None
    version: int
    counted: bool  # a count was ever recorded
    life: tuple[int, int]  # until now at most
    silent: silences.Kept


States = dict[int, State]

# States `s` that have fallen behind.
BEHIND = f"(s.through IS NULL OR s.through < {{yesterday}} OR s.version <> {VERSION})"


def lock(clock: Clock, asset_ids: Iterable[int]) -> States:
    """Take the right to write these assets' facts; those without a state are left out."""
    which = f"{ASSET.format(r='s')} {OF_SITE} WHERE s.asset_id = ANY(%(assets)s::bigint[])"
    return _hold(clock, which, "FOR UPDATE OF s", assets=literal(asset_ids))


def _hold_next(clock: Clock, which: str, chunk: int, last: int) -> States:
    """Lock the states of so many of the site's assets after the `last`, but for those that another worker holds."""
    return _hold(
        clock,
        f"""JOIN assets_asset a ON a.id = s.asset_id {OF_SITE}
            WHERE a.site_id = %(site)s AND s.asset_id > %(last)s AND {which}""",
        "LIMIT %(chunk)s FOR UPDATE OF s SKIP LOCKED",
        chunk=chunk,
        last=last,
    )


def _hold(clock: Clock, which: str, how: str, **parameters) -> States:
    """Lock states `s`, with their assets `a`, in one order, so that no two workers wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.asset_id, s.through, s.version,
                EXISTS (SELECT FROM production_count c WHERE c.asset_id = s.asset_id), {LIFE_FROM}, {LIFE_TO},
                n.counted, n.stopped, s.count_silence, s.stop_silence, s.counted_from
            FROM kpis_factstate s {which} ORDER BY s.asset_id {how}
            """,
            {"site": clock.site.pk, "yesterday": clock.yesterday, "now": clock.now, "far": FAR, **parameters},
        )
        return {
            row[0]: State(*row[1:4], life=row[4:6], silent=silences.Kept(*row[6:], with_counts=row[3]))
            for row in cursor.fetchall()
        }


def reaching(spans: Ranges, states: States) -> Ranges:
    """The spans of the states' assets, widened by counts that cross their borders (`reaching_counts`)."""
    counting = {asset_id: spans[asset_id] for asset_id in spans if asset_id in states and states[asset_id].counted}
    return spans | reaching_counts(counting) if counting else spans


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


def _complete(
    clock: Clock, asset_ids: Iterable[int], observed: list[int], occasion: Occasion, run: JobRun | None, *,
    through: date | None = None,
) -> None:  # fmt: skip
    """Note when, why and by which run the assets were computed; of those `observed` something was just written."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kpis_factstate s SET computed_at = %(now)s, occasion = %(occasion)s, run_id = %(run)s::bigint,
                version = coalesce(%(version)s, version),
                through = coalesce(%(through)s, least(through, %(yesterday)s)),
                observed = asset_id = ANY(%(observed)s::bigint[])
                    OR EXISTS (SELECT FROM kpis_assetday d WHERE d.asset_id = s.asset_id)
                    OR EXISTS (SELECT FROM kpis_failureevent e WHERE e.asset_id = s.asset_id)
            WHERE asset_id = ANY(%(assets)s::bigint[])
            """,
            {
                "now": instant(clock.now),
                "occasion": str(occasion),
                "run": run and run.pk,
                "version": VERSION if through else None,
                "through": through,
                "yesterday": clock.yesterday,
                "assets": literal(asset_ids),
                "observed": literal(observed),
            },
        )


def _note(days: ProductionDays | None) -> None:
    """Write revisions once all that changes with the days is written, so that it lies in the time they tell."""
    if days:
        revisions.note(days)


def _write(
    clock: Clock, spans: Ranges, states: States, *, revising: bool = False
) -> tuple[int, list[int], ProductionDays | None]:
    """Replace the facts of the spans (`_with_events`): failure events as whole ones, the others by production days.

    How many asset-days were written, of which assets, and the days of the revisions to note.
    """
    site = clock.site
    if not spans:
        return 0, [], None
    first = beginning(site, spans) if any(each[0][0] <= EVER for each in spans.values()) else EVER
    if first is None:
        _erase(clock, spans, spans)
        return 0, [], None
    lo = min(max(first, each[0][0]) for each in spans.values())
    days = ProductionDays.around(min(lo, clock.frontier), clock.frontier, site.zone, site.day_start)
    whole, replaced = {}, {}
    for asset_id, each in spans.items():
        whole[asset_id] = merged([days.whole(max(lo, first), hi) for lo, hi in each if hi > first])
        replaced[asset_id] = merged([*whole[asset_id], *each]) if each[0][0] < days.borders[0] else whole[asset_id]
    _erase(clock, replaced, spans, aside=days if revising else None)
    served = {asset_id: state.life for asset_id, state in states.items()}
    wanted = clipped(whole, served)
    written = _compute(clock, wanted, clipped(spans, served), states, revising) if wanted else (0, [])
    return *written, days if revising else None


def _compute(clock: Clock, wanted: Ranges, events: Ranges, states: States, revising: bool) -> tuple[int, list[int]]:
    """Write the days of `wanted` and the failure events that begin in `events`, spans inside those days."""
    site = clock.site
    reach, watch = dict(reaching(wanted, states)), dict(events)
    for asset_id, each in events.items():
        if each[-1][1] + site.failure_merge_gap * 60 >= clock.frontier:
            # What began on the last day may go on, or flap: its end is in the records of today.
            today = clock.frontier, states[asset_id].life[1]
            reach[asset_id] = merged([*reach[asset_id], today])
            watch[asset_id] = merged([*each, today])
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
        counts=any(states[asset_id].counted for asset_id in reach),
    )
    return question.store(wanted, events, revisions.COMING if revising else "")


def _with_events(clock: Clock, spans: Ranges) -> Ranges:
    """The spans and the stored failure events that they touch: a changed item changes the whole event."""
    frontier = clock.frontier
    touching = events_touching(clock.site, spans)
    return widened(spans, ((asset_id, lo, min(until, frontier)) for asset_id, lo, until in touching))


def events_touching(site: Site, spans: Ranges) -> list[tuple[int, int, int]]:
    """Asset, begin and end of the stored failure events that share an instant with the spans; open ones never end.

    One that what fails in a span could join, or be joined by, touches it as well; it is told with the time between.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT w.asset_id, least({seconds("e.occurred")}, w.hi),
                greatest({seconds("e.until")}, {seconds("e.occurred")} + 1, w.lo)
            FROM unnest(%(w_asset)s::bigint[], %(w_lo)s::bigint[], %(w_hi)s::bigint[]) AS w(asset_id, lo, hi)
            CROSS JOIN LATERAL (
                SELECT occurred, until FROM kpis_failureevent e
                WHERE e.asset_id = w.asset_id AND e.until >= to_timestamp(w.lo - %(gap)s) OFFSET 0
            ) e
            WHERE e.occurred < to_timestamp(w.hi + %(gap)s)
                AND (e.until > to_timestamp(w.lo - %(gap)s) OR e.occurred >= to_timestamp(w.lo))
            """,
            {**columns("w", spans), "gap": site.failure_merge_gap * 60},
        )
        return cursor.fetchall()


def _erase(clock: Clock, days: Ranges, events: Ranges, *, aside: ProductionDays | None = None) -> None:
    """Delete stored facts of whole days, and the failure events that begin in the spans of `events`.

    With `aside`, the days that events are counted by, their sums are kept for the revisions.
    """
    site = clock.site

    @cache
    def day(moment: int) -> date:
        return production_date(instant(moment), site.zone, site.day_start)

    rows = [(asset_id, day(lo), day(hi)) for asset_id, each in days.items() for lo, hi in each]
    parameters = {
        "assets": literal([row[0] for row in rows]),
        "firsts": literal([row[1] for row in rows]),
        "pasts": literal([row[2] for row in rows]),
        **columns("w", events),
        **({"days": literal(aside.borders), "first_day": aside.first} if aside else {}),
    }
    with connection.cursor() as cursor:
        cursor.execute(ERASE_LOSSES, parameters)
        if aside is None:
            cursor.execute(f"{ERASE_DAYS}; {ERASE_EVENTS}", parameters)
            return
        for erase, keep in (
            (ERASE_DAYS, revisions.kept("gone", "-")),
            (ERASE_EVENTS, revisions.kept_events("gone", "-")),
        ):
            cursor.execute(f"WITH gone AS ({erase} RETURNING f.*) {keep}", parameters)


_ERASE_DAYS = """
    DELETE FROM {table} f USING unnest(%(assets)s::bigint[], %(firsts)s::date[], %(pasts)s::date[])
        AS w(asset_id, first, past)
    WHERE f.asset_id = w.asset_id AND f.day >= w.first AND f.day < w.past"""
ERASE_DAYS, ERASE_LOSSES = (_ERASE_DAYS.format(table=table) for table in ("kpis_assetday", "kpis_lossday"))
ERASE_EVENTS = """
    DELETE FROM kpis_failureevent f
    USING unnest(%(w_asset)s::bigint[], %(w_lo)s::bigint[], %(w_hi)s::bigint[]) AS w(asset_id, lo, hi)
    WHERE f.asset_id = w.asset_id AND f.occurred >= to_timestamp(w.lo) AND f.occurred < to_timestamp(w.hi)"""
