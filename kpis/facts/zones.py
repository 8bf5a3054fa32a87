"""Which part of a window is stored, and which must be computed from the records."""

from bisect import bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from django.db import connection

from kpis.axis import EVER, FAR, ProductionDays
from kpis.facts import changes
from kpis.facts.clock import Clock, beginning
from kpis.facts.held import LIFE_FROM, LIFE_TO
from kpis.facts.quiet import stirred
from kpis.facts.ranges import Ranges, literal, merged, minus, parted
from kpis.facts.silences import AHEAD, OF_SITE, UNSETTLED
from kpis.facts.store import VERSION, events_touching

FEW = 100  # assets
RUNNING = 2 * 86_400  # s: the running day, and the one before until it is stored
PENDING_LIMIT = 5000  # marks; with more waiting, figures come from what is stored and say so

# Stored silences are those of the present limits, reach the running day, and know whether the asset is counted.
SETTLED = f"""(s.version = %(version)s AND s.through > %(yesterday)s - {AHEAD} AND NOT {UNSETTLED}
    AND NOT (s.through < %(yesterday)s AND s.counted_from IS NULL AND n.counted IS DISTINCT FROM n.stopped
        AND EXISTS (SELECT FROM production_count r WHERE r.asset_id = a.id))) IS TRUE"""

Bucket = tuple[int, int]  # from, to in seconds since 1970
Zone = tuple[list[tuple[int, int]], list[tuple[int, int]]]  # stored days as positions, spans to compute


class Member(NamedTuple):
    """An asset that counts for a root (a position in the question) from `since` to `until`."""

    root: int
    asset_id: int
    since: int = -FAR
    until: int = FAR


class State(NamedTuple):
    """What is known of an asset's stored facts."""

    since: int  # service life
    until: int
    stored: int  # the instant up to which days are stored
    observed: bool  # any record exists
    computed: float | None  # when, in seconds since 1970
    limits: tuple[int | None, int | None] = (None, None)  # days it may be silent, with counts and without
    settled: bool = True  # whether its stored silences hold for these limits


class Stretch(NamedTuple):
    """One member with the zones of each bucket."""

    member: Member
    state: State
    zones: list[Zone]
    since: int  # as a member in service
    until: int


@dataclass(slots=True, kw_only=True)
class Roster:
    """Assets, each with the root that it counts for."""

    roots: list[int] = field(default_factory=list)
    assets: list[int] = field(default_factory=list)
    _texts: tuple[str, str] | None = field(default=None, init=False)

    @property
    def texts(self) -> tuple[str, str]:
        """Roots and assets as elements of a `literal`, written once for all queries."""
        if self._texts is None:
            self._texts = ",".join(map(str, self.roots)), ",".join(map(str, self.assets))
        return self._texts

    def of_root(self, wanted: int) -> list[int]:
        """The assets of one root."""
        return [asset for root, asset in zip(self.roots, self.assets, strict=True) if root == wanted]


@dataclass(slots=True, kw_only=True)
class Alike(Roster):
    """Assets that count for a root in the same spans and are stored in the same way: what is reckoned is so once."""

    cut: int  # which list of buckets
    since: int  # as a member in service, inside the window
    until: int
    stale: list[tuple[int, int]]  # where what is stored does not hold
    changed: bool  # whether days have changed since they were stored
    zones: list[Zone]  # of each bucket

    def only(self, assets: Container[int]) -> "Alike":
        """Those of these assets."""
        there = [(root, asset) for root, asset in zip(self.roots, self.assets, strict=True) if asset in assets]
        return replace(self, roots=[root for root, _ in there], assets=[asset for _, asset in there])

    def is_stored(self, lo: int, hi: int) -> bool:
        """Whether the days that the span touches are stored and have not changed."""
        return all(hi <= start or lo >= end for start, end in self.stale)


@dataclass(frozen=True, slots=True)
class Cut:
    """Roots that are asked for in the same buckets, which are in order and disjoint."""

    roots: range
    buckets: list[Bucket]
    like: int | None = None  # an earlier cut of the same members in the same span of time, which stand there alone

    @property
    def borders(self) -> set[int]:
        return {moment for bucket in self.buckets for moment in bucket}


def only(groups: Iterable[Alike], assets: Container[int]) -> list[Alike]:
    """Those of these assets; groups without any are left out."""
    return [each for each in (alike.only(assets) for alike in groups) if each.assets]


class Zones:
    """The zones of members over the buckets of their root, as of one moment."""

    def __init__(self, clock: Clock, members: Sequence[Member], cuts: Sequence[Cut]):
        self.clock, self.members, self.cuts = clock, members, cuts
        self.assets = sorted({member.asset_id for member in members})
        self.start = min(cut.buckets[0][0] for cut in cuts)
        self.end = max(self.start + 1, min(clock.now, max(cut.buckets[-1][1] for cut in cuts)))
        self.days = ProductionDays.around(self.start, self.end, clock.site.zone, clock.site.day_start)
        self.states = self._states()
        waiting = changes.pending(clock, PENDING_LIMIT)
        self.recalculating = waiting is None
        self.waiting: Ranges = waiting or {}

    @cached_property
    def stirred(self) -> Container[int]:
        """The assets of which something may be told in the time that is not stored.

        It is looked for where many assets are asked for and that time is the running day.
        """
        behind = min((state.stored for state in self.states.values()), default=self.clock.now)
        if len(self.assets) <= FEW or self.clock.now - behind > RUNNING:
            return self.states.keys()
        return stirred(self.clock.site, behind, self.clock.now + 1)

    def _states(self) -> dict[int, State]:
        """By asset; most of a site have one in common."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT array_agg(a.id), {LIFE_FROM}, {LIFE_TO}, CASE WHEN s.version = %(version)s THEN s.through END,
                    coalesce(s.observed, false)
                        OR EXISTS (SELECT FROM assets_downtime r WHERE r.asset_id = a.id)
                        OR EXISTS (SELECT FROM assets_failure r WHERE r.asset_id = a.id)
                        OR EXISTS (SELECT FROM production_count r WHERE r.asset_id = a.id),
                    date_part('epoch', s.computed_at), n.counted, n.stopped, coalesce(s.observed, false), {SETTLED}
                FROM assets_asset a {OF_SITE} LEFT JOIN kpis_factstate s ON s.asset_id = a.id
                WHERE a.id = ANY(%(assets)s::bigint[]) GROUP BY {", ".join(map(str, range(2, 11)))}
                """,
                {
                    "assets": literal(self.assets),
                    "version": VERSION,
                    "now": self.clock.now,
                    "far": FAR,
                    "yesterday": self.clock.yesterday,
                },
            )
            states: dict[int, State] = {}
            for assets, since, until, through, observed, computed, *limits, kept, settled in cursor.fetchall():
                stored, settled = self.clock.after(through), settled and kept is observed
                alike = State(since, until, stored, observed, computed, tuple(limits), settled)
                states |= dict.fromkeys(assets, alike)
        return states

    @cached_property
    def cut_of(self) -> list[int]:
        """The number of each root's cut."""
        return [number for number, cut in enumerate(self.cuts) for _ in cut.roots]

    @cached_property
    def groups(self) -> list[Alike]:
        """Members whose life and membership touch the window, those alike together."""
        cuts = self.cut_of
        found: dict[tuple, Alike | None] = {}
        known: dict[tuple, Alike | None] = {}  # the same by spans that are not cut to the window
        states, waiting = self.states, self.waiting
        for root, asset_id, since, until in self.members:
            key = (cuts[root], since, until, *states[asset_id][:3], asset_id if asset_id in waiting else None)
            if key not in known:
                known[key] = self._alike(found, *key)
            if alike := known[key]:
                alike.roots.append(root)
                alike.assets.append(asset_id)
        for number, cut in enumerate(self.cuts):
            if cut.like is not None:
                by = cut.roots.start - self.cuts[cut.like].roots.start
                for (_, *key), like in [each for each in found.items() if each[0][0] == cut.like]:
                    if like and (alike := self._alike(found, number, *key)):
                        alike.roots, alike.assets = [root + by for root in like.roots], like.assets
        return [alike for alike in found.values() if alike]

    def _alike(
        self, found: dict[tuple, Alike | None], cut: int, since: int, until: int, served_since: int, served_until: int,
        stored: int, waiting: int | None,
    ) -> Alike | None:  # fmt: skip
        """The group of a member and state, None outside the window; `waiting` is an asset with changed days."""
        start = self.cuts[cut].buckets[0][0]
        end = max(start + 1, min(self.clock.now, self.cuts[cut].buckets[-1][1]))
        spans = max(since, start), min(until, end), max(served_since, start), min(served_until, end), stored
        key = (cut, *spans, waiting)
        if key not in found:
            since, until = max(spans[0], spans[2]), min(spans[1], spans[3])
            stale = self._stale(waiting, stored)
            if since < until:
                zones, changed = self._zones(stale, stored, cut, *spans[:4]), waiting is not None
                found[key] = Alike(cut=cut, since=since, until=until, stale=stale, changed=changed, zones=zones)
            else:
                found[key] = None
        return found[key]

    def coarser(self) -> dict[int, tuple[int, list[int]]]:
        """Cuts whose stored sums another's go into: which one's, and in which of its buckets each bucket lies.

        Finer buckets that have begun are parted by borders of production days, so that both have the same days stored.
        """
        found: dict[int, tuple[int, list[int]]] = {}
        for number, cut in enumerate(self.cuts):
            if cut.like is None or any(cut.like in (fine, other) for fine, (other, _) in found.items()):
                continue
            for coarse, fine in ((cut.like, number), (number, cut.like)):
                into, buckets = self.cuts[coarse], self.cuts[fine].buckets
                begun = {lo for lo, _ in buckets[1:] if lo < self.end}
                if into.borders <= self.cuts[fine].borders and begun <= set(self.days.borders):
                    found[fine] = coarse, [bisect_right(into.buckets, (lo, FAR)) - 1 for lo, _ in buckets]
                    break
        return found

    def stretches(self) -> list[Stretch]:
        """Those members one by one, in their order."""
        zones = {
            (root, asset_id, alike.since): alike.zones
            for alike in self.groups
            for root, asset_id in zip(alike.roots, alike.assets, strict=True)
        }
        starts = [self.cuts[number].buckets[0][0] for number in self.cut_of]
        likes = [each for each in self.cuts if each.like is not None]
        again = [
            member._replace(root=member.root + cut.roots.start - self.cuts[cut.like].roots.start)
            for cut in likes
            for member in self.members
            if self.cut_of[member.root] == cut.like
        ]
        found = []
        for member in chain(self.members, again):
            state = self.states[member.asset_id]
            since, until = max(member.since, state.since), min(member.until, state.until)
            key = (member.root, member.asset_id, max(since, starts[member.root]))
            if since < until and (each := zones.get(key)):
                found.append(Stretch(member, state, each, since, until))
        return found

    def _stale(self, waiting: int | None, stored: int) -> list[tuple[int, int]]:
        """What is not stored yet, and the changed days of the asset `waiting`."""
        stale = [(stored, FAR)]
        for lo, hi in self.waiting.get(waiting, ()):
            if lo < self.end and hi > self.start:
                stale.append(self.days.whole(max(lo, self.start), min(hi, self.end)))
        return merged(stale)

    def _zones(
        self,
        stale: list[tuple[int, int]],
        stored: int,
        cut: int,
        since: int,
        until: int,
        served_since: int,
        served_until: int,
    ) -> list[Zone]:
        """The zones of each bucket, for a member `since` to `until`, cut to the window.

        A move cuts its day; service life does not, since nothing of the asset lies outside it.
        """
        zones: list[Zone] = []
        for start, end in self.cuts[cut].buckets:
            start, end = max(start, since), min(end, until)
            lo, hi = max(start, served_since), min(end, served_until, self.clock.now)
            if lo >= hi:
                zones.append(([], []))
                continue
            whole = self._whole_days(start, end)
            kept = minus([whole], stale) if whole else []
            days = [(self.days.position(a), self.days.position(b - 1) + 1) for a, b in kept]
            spans = minus([(lo, hi)], kept)
            # What is not stored is apart from parts of days that are.
            zones.append((days, [each for span in spans for each in parted(span, stored)]))
        return zones

    def _whole_days(self, start: int, end: int) -> Bucket | None:
        """The whole production days inside the span; None without any."""
        borders = self.days.borders
        first = self.days.position(start)
        first += borders[first] < start
        last = self.days.position(end)
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
        for asset_id, occurred, until in events_touching(self.clock.site, wanted) if wanted else ():
            widened[asset_id].append((occurred, min(until, now)))
        # Without a record since then, what is stored of an event is right as well.
        stirred = self.stirred if wanted else ()
        widened = {key: spans for key, spans in widened.items() if key in stirred or key in self.waiting}
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
