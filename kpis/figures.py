"""Reading key figures: many assets, definitions and buckets at once, in a number of queries that does not grow.

Whole past production days come from the stored facts; the running day, cut days and days that have changed since
they were stored come straight from the records, so a figure is never stale.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from django.db import connection
from django.utils import timezone

from assets.models import Asset, DowntimeReason, Level
from core.errors import Refused
from core.models import Site
from kpis import formulas
from kpis.axis import EVER, FAR, epoch
from kpis.definitions import DEFINITIONS, LOSSES, REASONS, Definition
from kpis.facts import changes, live
from kpis.facts.plans import Plans
from kpis.facts.question import Ranges, literal, lives, merged
from kpis.facts.store import VERSION, Clock, events_touching
from kpis.formulas import Facts, Reason, Result, Status
from kpis.intervals import production_date
from kpis.models import FactState

DAY = timedelta(days=1)
BY = ("total", "day", "week", "month")
SCOPES = ("asset", "subtree", "leaves")
MOST_PENDING = 2000  # marks beyond which a whole site is read from its records
SUMS = (
    "planned_stop", "down", "off_schedule", "stops", "counts", "good", "scrap", "rework",
    "ideal_good", "ideal_scrap", "ideal_rework", "doubtful",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One answer: a value or the reason why there is none, with what it was computed from.

    `value` is a share or hours; `coverage` the share of scheduled time of the assets asked for whose state is known.
    """

    asset: Asset | None
    definition: Definition
    start: datetime
    end: datetime
    value: float | None
    status: str
    reason: str
    reason_code: str
    coverage: float | None
    inputs: dict
    interval: dict | None
    computed_at: datetime
    facts: Facts = field(repr=False, default=formulas.NO_FACTS)

    @property
    def unit(self) -> str:
        return self.definition.unit


@dataclass(slots=True)
class Pool:
    """The facts of one subject in one bucket: of all its observed assets, and of those with counts."""

    facts: Facts = formulas.NO_FACTS
    counted: Facts = formulas.NO_FACTS
    asked: float = 0.0  # scheduled time of all assets asked for, observed or not, s
    calendar: float = 0.0
    causes: dict[tuple[int | None, str], tuple[int, int]] = field(default_factory=dict)
    unobserved: list[int] = field(default_factory=list)


def read(
    assets: Sequence[Asset] | None, *, site: Site, start: datetime, end: datetime, by: str = "total",
    scope: str = "leaves", definitions: Sequence[str] = tuple(DEFINITIONS), now: datetime | None = None,
) -> list[Figure]:  # fmt: skip
    """Figures of each asset (or of the whole site: `assets=None`) for each bucket of [start, end) and definition.

    `scope`: the asset alone, its *leaves* (the machines at the end of its branches; itself if it has none), or
    everything in its *subtree*. Facts of several assets are added and the ratio is formed once.
    """
    now = now or timezone.now()
    wanted = [_definition(key) for key in definitions]
    buckets = cut(site, start, end, by)
    pools = pool(assets, site=site, buckets=buckets, scope=scope, now=now)
    subjects: Sequence[Asset | None] = [None] if assets is None else assets
    return [
        _figure(subject, definition, bucket, pools[position, number], site, now)
        for position, subject in enumerate(subjects)
        for number, bucket in enumerate(buckets)
        for definition in wanted
    ]


def losses(
    assets: Sequence[Asset] | None, *, site: Site, start: datetime, end: datetime, scope: str = "leaves",
    now: datetime | None = None,
) -> tuple[list[tuple[str, float]], list[tuple[str, float, int]]]:  # fmt: skip
    """The waterfall of the assets with counts, (label, seconds) that add up to planned production time, and lost
    seconds and stops by reason of all of them, the largest first."""
    found = pool(assets, site=site, buckets=[(start, end)], scope=scope, now=now or timezone.now())
    whole = list(found.values())
    counted = formulas.total(each.counted for each in whole)
    steps = [(str(LOSSES.get(loss.key, loss.key)), loss.seconds) for loss in formulas.waterfall(counted)]
    names = dict(DowntimeReason.objects.filter(site=site).values_list("pk", "name"))
    reasons: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for each in whole:
        for (reason, _loss), (seconds, stops) in each.causes.items():
            name = names.get(reason) or str(LOSSES["unclassified"])
            reasons[name] = (reasons[name][0] + seconds, reasons[name][1] + stops)
    pareto = sorted(((name, *sums) for name, sums in reasons.items() if sums[0]), key=lambda row: -row[1])
    return (steps if counted.counts else []), pareto


def cut(site: Site, start: datetime, end: datetime, by: str) -> list[tuple[datetime, datetime]]:
    """Buckets of [start, end) along production days: days, ISO weeks, calendar months, or all of it."""
    if by not in BY:
        raise Refused(f"by must be one of {', '.join(BY)}.", code="invalid", field="by")
    if end <= start:
        raise Refused("The window ends before it begins.", code="invalid", field="to")
    if by == "total":
        return [(start, end)]
    day, last = site.production_day(start), site.production_day(end - timedelta(microseconds=1))
    borders: list[date] = []
    while day <= last:
        if not borders or by == "day" or (by == "week" and day.weekday() == 0) or (by == "month" and day.day == 1):
            borders.append(day)
        day += DAY
    edges = [start, *(site.day_begins(border) for border in borders[1:]), end]
    return list(pairwise(edges))


def members(assets: Sequence[Asset] | None, *, site: Site, scope: str) -> list[list[int]]:
    """The ids of the assets that each subject stands for. One query."""
    if scope not in SCOPES:
        raise Refused(f"scope must be one of {', '.join(SCOPES)}.", code="invalid", field="scope")
    if assets is not None and scope == "asset":
        return [[asset.pk] for asset in assets]
    rows = list(Asset.objects.filter(site=site).order_by().values_list("pk", "parent", "path", "level"))
    if scope == "subtree" and assets is not None:
        return [[pk for pk, _parent, path, _level in rows if path.startswith(asset.path)] for asset in assets]
    branches = {parent for _pk, parent, _path, level in rows if level != Level.COMPONENT}
    ends = [(pk, path) for pk, _parent, path, level in rows if pk not in branches and level != Level.COMPONENT]
    if assets is None:
        return [[pk for pk, _path in ends]]
    return [[pk for pk, path in ends if path.startswith(asset.path)] or [asset.pk] for asset in assets]


def pool(
    assets: Sequence[Asset] | None,
    *,
    site: Site,
    buckets: Sequence[tuple[datetime, datetime]],
    scope: str,
    now: datetime,
) -> dict[tuple[int, int], Pool]:
    """(position of the subject, number of the bucket) → its facts."""
    groups = members(assets, site=site, scope=scope)
    return Reader(site, groups, buckets, now).pools()


class Reader:
    """One question: groups of assets, buckets, now."""

    def __init__(
        self, site: Site, groups: list[list[int]], buckets: Sequence[tuple[datetime, datetime]], now: datetime
    ):
        self.site, self.groups = site, groups
        self.clock = Clock.of(site, now)
        self.now = self.clock.now
        self.spans = [(epoch(start), min(epoch(end), self.now)) for start, end in buckets]
        self.ids = sorted({asset_id for group in groups for asset_id in group})
        self.lives = lives(self.ids, self.now) if self.ids else {}
        self.states = {state.asset_id: state for state in FactState.objects.filter(asset__in=self.ids)}
        self.observed = {pk for pk, state in self.states.items() if state.observed}
        self.observed |= recorded([pk for pk in self.ids if pk not in self.observed])
        self.facts: dict[tuple[int, int], Facts] = {}
        self.causes: dict[tuple[int, int], dict] = defaultdict(dict)
        self._days: dict[tuple[int, int], tuple[int, int]] = {}

    def pools(self) -> dict[tuple[int, int], Pool]:
        if self.ids:
            pending = changes.pending(self.site, MOST_PENDING)
            self._read_stored(pending)
            self._read_live(pending)
        lo = min(lo for lo, _ in self.spans)
        hi = max(hi for _, hi in self.spans)
        plans = Plans(self.site, self.ids, min(lo, hi), max(lo, hi))
        planned: dict[tuple, int] = {}
        found: dict[tuple[int, int], Pool] = {}
        for position, group in enumerate(self.groups):
            for number, (start, end) in enumerate(self.spans):
                each = found[position, number] = Pool()
                parts, counted = [], []
                for asset_id in group:
                    since, until = self.lives[asset_id]
                    begin, stop = max(start, since), min(end, until)
                    if stop <= begin:
                        continue
                    key = (plans.stretches(asset_id), begin, stop)
                    if key not in planned:
                        planned[key] = plans.scheduled(asset_id, begin, stop)
                    each.asked += planned[key]
                    each.calendar += stop - begin
                    facts = self.facts.get((asset_id, number))
                    if facts is None and asset_id not in self.observed:
                        each.unobserved.append(asset_id)
                        continue
                    whole = replace(
                        facts or formulas.NO_FACTS,
                        calendar=stop - begin,
                        scheduled=planned[key],
                        observed=planned[key],
                        recorded=1,
                    )
                    parts.append(whole)
                    if whole.counts:
                        counted.append(whole)
                    for cause, (seconds, stops) in self.causes.get((asset_id, number), {}).items():
                        before = each.causes.get(cause, (0, 0))
                        each.causes[cause] = (before[0] + seconds, before[1] + stops)
                each.facts, each.counted = formulas.total(parts), formulas.total(counted)
        return found

    # --- where facts come from -----------------------------------------------------------------

    def _through(self, asset_id: int, pending: Ranges | None) -> int:
        """The instant before which the stored facts of an asset may be used."""
        state = self.states.get(asset_id)
        if pending is None or asset_id in pending or state is None or state.through is None or state.version != VERSION:
            return EVER
        return self.clock.after(state.through)

    def _pieces(self, asset_id: int, pending: Ranges | None):
        """(bucket, from, to, whether stored) of an asset: whole stored days, and what is left around them."""
        through = self._through(asset_id, pending)
        since, until = self.lives[asset_id]
        for number, (start, end) in enumerate(self.spans):
            if end <= start or until <= start or since >= end:
                continue
            first, past = self._whole_days(start, min(end, through))
            if past <= first:
                yield number, start, end, False
                continue
            yield number, first, past, True
            if start < first:
                yield number, start, first, False
            if past < end:
                yield number, past, end, False

    def _whole_days(self, start: int, end: int) -> tuple[int, int]:
        """The whole production days inside [start, end), as instants."""
        key = (start, end)
        if key not in self._days:
            if end <= start:
                self._days[key] = (0, 0)
            else:
                low = epoch(self.site.day_begins(self._date(start)))
                if low < start:
                    low = epoch(self.site.day_begins(self._date(start) + DAY))
                self._days[key] = (low, epoch(self.site.day_begins(self._date(end))))
        return self._days[key]

    def _date(self, moment: int) -> date:
        return production_date(datetime.fromtimestamp(moment, self.site.zone), self.site.zone, self.site.day_start)

    def _read_stored(self, pending: Ranges | None) -> None:
        rows = [
            (asset_id, number, lo, hi)
            for asset_id in self.ids
            for number, lo, hi, stored in self._pieces(asset_id, pending)
            if stored
        ]
        if not rows:
            return
        days = {moment: self._date(moment) for _, _, lo, hi in rows for moment in (lo, hi)}
        parameters = {
            "assets": literal(row[0] for row in rows),
            "numbers": literal(row[1] for row in rows),
            "los": [days[row[2]] for row in rows],
            "his": [days[row[3]] for row in rows],
            "starts": literal(row[2] for row in rows),
            "ends": literal(row[3] for row in rows),
        }
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT w.asset_id, w.number, {", ".join(f"sum(f.{name})" for name in SUMS)}
                FROM unnest(%(assets)s::bigint[], %(numbers)s::int[], %(los)s::date[], %(his)s::date[])
                    AS w(asset_id, number, lo, hi)
                JOIN kpis_assetday f ON f.asset_id = w.asset_id AND f.day >= w.lo AND f.day < w.hi
                GROUP BY w.asset_id, w.number
                """,
                parameters,
            )
            for asset_id, number, *sums in cursor.fetchall():
                self._add(asset_id, number, Facts(**dict(zip(SUMS, sums, strict=True))))
            cursor.execute(
                """
                SELECT w.asset_id, w.number, f.reason_id, f.loss, sum(f.seconds), sum(f.stops)
                FROM unnest(%(assets)s::bigint[], %(numbers)s::int[], %(los)s::date[], %(his)s::date[])
                    AS w(asset_id, number, lo, hi)
                JOIN kpis_lossday f ON f.asset_id = w.asset_id AND f.day >= w.lo AND f.day < w.hi
                GROUP BY w.asset_id, w.number, f.reason_id, f.loss
                """,
                parameters,
            )
            for asset_id, number, reason, loss, seconds, stops in cursor.fetchall():
                self._lose(asset_id, number, {(reason, loss): (seconds, stops)})
            cursor.execute(
                """
                SELECT w.asset_id, w.number,
                    count(*) FILTER (WHERE NOT found), coalesce(sum(items) FILTER (WHERE NOT found), 0),
                    count(*) FILTER (WHERE found), count(restored) FILTER (WHERE NOT found),
                    coalesce(sum(date_part('epoch', restored - occurred)) FILTER (WHERE NOT found), 0),
                    count(*) FILTER (WHERE open AND NOT found)
                FROM unnest(%(assets)s::bigint[], %(numbers)s::int[], %(starts)s::bigint[], %(ends)s::bigint[])
                    AS w(asset_id, number, lo, hi)
                JOIN kpis_failureevent f ON f.asset_id = w.asset_id
                    AND f.occurred >= to_timestamp(w.lo) AND f.occurred < to_timestamp(w.hi)
                GROUP BY w.asset_id, w.number
                """,
                parameters,
            )
            for asset_id, number, events, items, found, restored, restoration, still in cursor.fetchall():
                facts = Facts(events=events, items=items, found=found, restored=restored, restoration=restoration)
                self._add(asset_id, number, replace(facts, open_events=still))

    def _read_live(self, pending: Ranges | None) -> None:
        cells, numbers = [], []
        for asset_id in self.ids:
            since, until = self.lives[asset_id]
            for number, lo, hi, stored in self._pieces(asset_id, pending):
                if not stored and min(hi, until) > max(lo, since):
                    cells.append((asset_id, max(lo, since), min(hi, until)))
                    numbers.append(number)
        if not cells:
            return
        watch = self._watch(cells, pending)
        found, events = live.compute(self.site, cells, watch, self.now)
        for position, facts in found.items():
            asset_id, number = cells[position][0], numbers[position]
            self._add(asset_id, number, Facts(**facts.sums))
            self._lose(asset_id, number, facts.causes)
        pieces = defaultdict(list)
        for (asset_id, lo, hi), number in zip(cells, numbers, strict=True):
            pieces[asset_id].append((lo, hi, number))
        for event in events:
            occurred = epoch(event.occurred)
            for lo, hi, number in pieces[event.asset_id]:
                if lo <= occurred < hi:
                    self._add(event.asset_id, number, counted(event))

    def _watch(self, cells: list[tuple[int, int, int]], pending: Ranges | None) -> Ranges:
        """Spans that hold the whole failure events of the cells: from the begin of one that is under way."""
        spans: Ranges = defaultdict(list)
        unsure = {asset_id for asset_id, _, _ in cells if self._through(asset_id, pending) == EVER}
        for asset_id, lo, hi in cells:
            spans[asset_id].append((self.lives[asset_id][0] if asset_id in unsure else lo, hi))
        edges = {
            asset_id: [(lo, lo + 1) for lo, _ in each] for asset_id, each in spans.items() if asset_id not in unsure
        }
        for asset_id, occurred, until in events_touching(edges) if edges else []:
            spans[asset_id].append((occurred, min(until, self.now, FAR)))
        return {asset_id: merged(each) for asset_id, each in spans.items()}

    def _add(self, asset_id: int, number: int, facts: Facts) -> None:
        before = self.facts.get((asset_id, number))
        self.facts[asset_id, number] = before + facts if before else facts

    def _lose(self, asset_id: int, number: int, causes: dict) -> None:
        kept = self.causes[asset_id, number]
        by_class: dict[str, float] = defaultdict(float)
        for cause, (seconds, stops) in causes.items():
            before = kept.get(cause, (0, 0))
            kept[cause] = (before[0] + seconds, before[1] + stops)
            by_class[cause[1]] += seconds
        self._add(asset_id, number, Facts(losses=dict(by_class)))


def recorded(asset_ids: list[int]) -> set[int]:
    """Those of the assets about which anything was ever recorded: of themselves, or of what stops them."""
    if not asset_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.id FROM assets_asset a WHERE a.id = ANY(%(assets)s::bigint[]) AND (
                EXISTS (SELECT FROM assets_downtime d WHERE d.asset_id = a.id)
                OR EXISTS (SELECT FROM assets_failure f WHERE f.asset_id = a.id)
                OR EXISTS (SELECT FROM production_count c WHERE c.asset_id = a.id)
                OR EXISTS (SELECT FROM assets_asset below JOIN assets_downtime d ON d.asset_id = below.id
                    WHERE below.path LIKE a.path || '%%' AND below.stops_parent))
            """,
            {"assets": literal(asset_ids)},
        )
        return {asset_id for (asset_id,) in cursor.fetchall()}


def counted(event: live.Event) -> Facts:
    """What one failure event adds."""
    if event.found:
        return Facts(found=1)
    took = (event.restored - event.occurred).total_seconds() if event.restored else 0.0
    return Facts(
        events=1,
        items=event.items,
        restored=int(event.restored is not None),
        restoration=took,
        open_events=int(event.open),
    )


def _definition(key: str) -> Definition:
    if key not in DEFINITIONS:
        raise Refused(f"definition must be one of {', '.join(DEFINITIONS)}.", code="invalid", field="definition")
    return DEFINITIONS[key]


def _figure(
    subject: Asset | None,
    definition: Definition,
    bucket: tuple[datetime, datetime],
    found: Pool,
    site: Site,
    now: datetime,
) -> Figure:
    facts = found.counted if definition.counted and found.counted.counts else found.facts
    if found.calendar and not facts.calendar:
        facts = replace(facts, calendar=found.calendar)  # in service, but nothing is known of it
    coverage = None
    if found.calendar:
        coverage = facts.scheduled / found.asked if found.asked and facts.recorded else 0.0
    result = definition.of(facts)
    if result.status == Status.OK and coverage is not None and coverage < site.coverage_threshold:
        result = Result(result.value, Status.PARTIAL, Reason.LOW_COVERAGE, result.bounds)
    bounds = result.bounds
    return Figure(
        asset=subject,
        definition=definition,
        start=bucket[0],
        end=bucket[1],
        value=result.value,
        status=str(result.status),
        reason=str(REASONS[result.reason]),
        reason_code=str(result.reason),
        coverage=coverage,
        inputs=inputs(facts),
        interval=bounds and {"confidence": bounds.confidence, "lower": bounds.lower, "upper": bounds.upper},
        computed_at=now,
        facts=facts,
    )


def inputs(facts: Facts) -> dict[str, float]:
    """The sums that went in, by name: seconds and numbers."""
    return {
        "calendar_time": facts.calendar,
        "scheduled_time": facts.scheduled,
        "planned_stops": facts.planned_stop,
        "planned_production_time": facts.planned_production,
        "unplanned_downtime": facts.down,
        "operating_time": facts.operating,
        "unplanned_downtime_off_schedule": facts.off_schedule,
        "stops": facts.stops,
        "failures": facts.events,
        "failed_items": facts.items,
        "found_in_maintenance": facts.found,
        "restored_failures": facts.restored,
        "restoration_time": facts.restoration,
        "open_failures": facts.open_events,
        "missing_restoration_times": facts.missing_restorations,
        "good": facts.good,
        "scrap": facts.scrap,
        "rework": facts.rework,
        "ideal_time": facts.ideal,
        "ideal_time_of_good": facts.ideal_good,
        "assets": facts.recorded,
    }
