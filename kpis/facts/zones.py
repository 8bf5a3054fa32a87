"""Which part of a window is stored, and which must be computed from the records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from kpis.axis import EVER, FAR, ProductionDays
from kpis.facts import changes
from kpis.facts.question import Ranges, literal, merged, minus
from kpis.facts.statement import LIFE_FROM, LIFE_TO
from kpis.facts.store import VERSION, Clock, beginning, events_touching

PENDING_LIMIT = 5000  # marks; with more waiting, figures come from what is stored and say so

Bucket = tuple[int, int]  # from, to in seconds since 1970
Zone = tuple[list[tuple[int, int]], list[tuple[int, int]]]  # stored days as positions, spans to compute


@dataclass(frozen=True, slots=True)
class Member:
    """An asset that counts for a root (a position in the question) from `since` to `until`."""

    root: int
    asset_id: int
    since: int = -FAR
    until: int = FAR


@dataclass(frozen=True, slots=True)
class State:
    """What is known of an asset's stored facts."""

    since: int  # service life
    until: int
    stored: int  # the instant up to which days are stored
    observed: bool  # any record exists
    computed_at: datetime | None


@dataclass(slots=True)
class Stretch:
    """One member with the zones of each bucket; members alike share the list."""

    member: Member
    state: State
    zones: list[Zone]
    since: int = field(init=False)  # as a member in service
    until: int = field(init=False)

    def __post_init__(self):
        self.since = max(self.member.since, self.state.since)
        self.until = min(self.member.until, self.state.until)


class Zones:
    """The zones of members over buckets (in order, disjoint), as of one moment."""

    def __init__(self, clock: Clock, members: Sequence[Member], buckets: Sequence[Bucket]):
        self.clock, self.members, self.buckets = clock, members, buckets
        self.assets = sorted({member.asset_id for member in members})
        self.start = buckets[0][0]
        self.end = max(self.start + 1, min(clock.now, buckets[-1][1]))
        self.days = ProductionDays.around(self.start, self.end, clock.site.zone, clock.site.day_start)
        self.states = self._states()
        waiting = changes.pending(clock.site, PENDING_LIMIT)
        self.recalculating = waiting is None
        self.waiting: Ranges = waiting or {}

    def _states(self) -> dict[int, State]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT a.id, {LIFE_FROM}, {LIFE_TO}, CASE WHEN s.version = %(version)s THEN s.through END,
                    coalesce(s.observed, false)
                        OR EXISTS (SELECT FROM assets_downtime r WHERE r.asset_id = a.id)
                        OR EXISTS (SELECT FROM assets_failure r WHERE r.asset_id = a.id)
                        OR EXISTS (SELECT FROM production_count r WHERE r.asset_id = a.id), s.computed_at
                FROM assets_asset a LEFT JOIN kpis_factstate s ON s.asset_id = a.id
                WHERE a.id = ANY(%(assets)s::bigint[])
                """,
                {"assets": literal(self.assets), "version": VERSION, "now": self.clock.now, "far": FAR},
            )
            stored: dict = {}
            states = {}
            for asset_id, since, until, through, observed, computed_at in cursor.fetchall():
                if through not in stored:
                    stored[through] = self.clock.after(through)
                states[asset_id] = State(since, until, stored[through], observed, computed_at)
        return states

    def stretches(self) -> list[Stretch]:
        """Members whose life and membership touch the window."""
        known: dict[tuple, list[Zone]] = {}
        found = []
        for member in self.members:
            state = self.states[member.asset_id]
            stretch = Stretch(member, state, [])
            if stretch.since >= min(self.end, stretch.until) or stretch.until <= self.start:
                continue
            key = (
                max(member.since, self.start), min(member.until, self.end), max(state.since, self.start),
                min(state.until, self.end), state.stored, tuple(self.waiting.get(member.asset_id, ())),
            )  # fmt: skip
            if key not in known:
                known[key] = self._zones(stretch)
            stretch.zones = known[key]
            found.append(stretch)
        return found

    def _zones(self, stretch: Stretch) -> list[Zone]:
        """The zones of each bucket.

        A move cuts its day; service life does not, since nothing of the asset lies outside it.
        """
        member, state = stretch.member, stretch.state
        stale = [(state.stored, FAR)]
        for lo, hi in self.waiting.get(member.asset_id, ()):
            if lo < self.end and hi > self.start:
                stale.append(self.days.whole(max(lo, self.start), min(hi, self.end)))
        stale = merged(stale)
        zones: list[Zone] = []
        for start, end in self.buckets:
            start, end = max(start, member.since), min(end, member.until)
            lo, hi = max(start, state.since), min(end, state.until, self.clock.now)
            if lo >= hi:
                zones.append(([], []))
                continue
            whole = self._whole_days(start, end)
            kept = minus([whole], stale) if whole else []
            days = [(self.days.position(a), self.days.position(b - 1) + 1) for a, b in kept]
            zones.append((days, minus([(lo, hi)], kept)))
        return zones

    def _whole_days(self, start: int, end: int) -> Bucket | None:
        """The whole production days inside the span; None without any."""
        borders = self.days.borders
        first = self.days.position(start)
        first += borders[first] < start
        last = self.days.position(end) if end < borders[-1] else len(borders) - 1
        return (borders[first], borders[last]) if first < last else None

    def watch(self) -> tuple[Ranges, Ranges]:
        """Spans whose failure events must be computed, and those among them in which stored events do not count."""
        now = self.clock.now
        wanted = {
            asset_id: merged([(state.stored, now), *((lo, min(hi, now)) for lo, hi in waiting)])
            if (waiting := self.waiting.get(asset_id))
            else [(state.stored, now)]
            for asset_id, state in self.states.items()
            # Without changes, what is stored is right for a window that ends before the running day.
            if state.stored < self.end or asset_id in self.waiting
        }
        widened = {asset_id: list(spans) for asset_id, spans in wanted.items()}
        for asset_id, occurred, until in events_touching(wanted) if wanted else ():
            widened[asset_id].append((occurred, min(until, now)))
        first = EVER
        if any(lo <= EVER for spans in widened.values() for lo, _ in spans):
            first = beginning(self.clock.site) or now
        watch: Ranges = {}
        replaced: Ranges = {}
        for asset_id, spans in widened.items():
            state = self.states[asset_id]
            touching = [(lo, hi) for lo, hi in merged(spans) if lo < self.end and hi > self.start]
            if inside := merged((max(lo, first, state.since), hi) for lo, hi in touching):
                watch[asset_id] = inside
            if old := [span for span in touching if span[0] < state.stored]:
                replaced[asset_id] = old
        return watch, replaced
