"""Facts straight from the records: the running day, cut days, and days that have changed since they were stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.models import Site
from kpis.axis import ProductionDays, instant
from kpis.facts.plans import Plans
from kpis.facts.question import Question, calculating, group_levels, lives, reaching_counts, with_counts
from kpis.facts.ranges import Ranges, clipped, merged, minus
from kpis.facts.silences import Present

Cell = tuple[int, int, int]  # asset, from, to in seconds since 1970


@dataclass(slots=True)
class Event:
    """A failure event of an asset, as `kpis.models.FailureEvent` keeps it."""

    asset_id: int
    occurred: datetime
    until: datetime
    restored: datetime | None
    items: int
    open: bool
    found: bool
    already_down: bool

    @property
    def counts(self) -> bool:
        """Whether it is among the failure events that figures count."""
        return not (self.found or self.already_down)


@dataclass(slots=True)
class CellFacts:
    """Sums of one cell, named as the columns of `AssetDay`, and its lost time by (reason, loss class)."""

    sums: dict[str, float] = field(default_factory=dict)
    causes: dict[tuple[int | None, str], tuple[int, int]] = field(default_factory=dict)  # seconds, stops


COUNTING = "NOT (found OR already_down)"  # the stored events that figures count
NUMBERS = ("planned_stop", "down", "off_schedule", "stops", "counts")
FRACTIONS = ("good", "scrap", "rework", "ideal_good", "ideal_scrap", "ideal_rework", "doubtful")


def compute(
    site: Site,
    cells: Sequence[Cell],
    watch: Ranges,
    now: int,
    plans: Plans | None = None,
    served: dict[int, tuple[int, int]] | None = None,
) -> tuple[dict[int, CellFacts], list[Event]]:
    """Facts of the cells (by their position; quiet ones are left out) and the failure events of the watched spans.

    Cells of one asset must not overlap. A watched span must hold whole failure events: begin where none is under
    way. `plans` of the assets are used if they reach far enough, and what is known of their `lives` as well.
    """
    wanted: Ranges = {}
    for asset_id, lo, hi in cells:
        wanted.setdefault(asset_id, []).append((lo, hi))
    served = lives({*wanted, *watch}, now) if served is None else served
    wanted = clipped({asset_id: merged(spans) for asset_id, spans in wanted.items()}, served)
    watch = clipped(watch, served)
    # A member whose service life ended before its part of a day has nothing to look at.
    watch = {
        asset_id: kept for asset_id, spans in watch.items() if (kept := [each for each in spans if each[0] < each[1]])
    }
    if not wanted and not watch:
        return {}, []
    counting = with_counts(wanted)
    counted = reaching_counts({asset_id: wanted[asset_id] for asset_id in counting}) if counting else {}
    reach = wanted | counted
    for asset_id, spans in watch.items():
        reach[asset_id] = merged([*reach.get(asset_id, ()), *spans])
    numbered = [(asset_id, lo, hi, number) for number, (asset_id, lo, hi) in enumerate(cells, start=1) if lo < hi]
    own: Ranges = {}
    for asset_id, lo, hi, _ in numbered:
        own.setdefault(asset_id, []).append((lo, hi))
    # Around the cells lie others, not answered: counts that reach over are split by the operating time there.
    for asset_id, spans in reach.items():
        if spans is wanted.get(asset_id):
            continue
        around = minus(spans, sorted(own.get(asset_id, ())))
        numbered += [(asset_id, lo, hi, -number) for number, (lo, hi) in enumerate(around, start=1)]
    lo = min(spans[0][0] for spans in reach.values()) - 1
    hi = max(spans[-1][1] for spans in reach.values())
    if plans is None or not plans.first <= lo <= hi <= plans.last:
        plans = Plans(site, list(reach), lo, hi)
    question = Question(
        site=site,
        now=now,
        reach=reach,
        watch=watch,
        plans=plans,
        levels=group_levels(site),
        cells=numbered,
        counts=bool(counting),
    )
    with calculating(memory="16MB"):
        rows = question.rows()
    found: dict[int, CellFacts] = {}
    events: list[Event] = []
    for what, asset_id, cell, label, numbers, fractions in rows:
        if what == "event":
            events.append(_event(asset_id, *numbers))
            continue
        facts = found.setdefault(cell - 1, CellFacts())
        if what == "cause":
            reason, seconds, stops = numbers
            facts.causes[reason, label] = (seconds, stops)
        else:
            *times, stops, counts = numbers
            facts.sums = dict(zip(NUMBERS, (*map(float, times), stops, counts), strict=True))
            facts.sums |= {name: value or 0.0 for name, value in zip(FRACTIONS, fractions, strict=True)}
    return found, events


def told(clock: Present, spans: Ranges) -> dict[int, dict[int, bool]]:
    """Production days (as numbers) inside the spans on which a stop or a count of an asset is recorded; whether a count
    is among them. The spans are whole days, the last ends now at the latest.
    """
    site, now = clock.site, clock.now
    spans = clipped(spans, lives(spans, now))
    if not spans:
        return {}
    lo = min(each[0][0] for each in spans.values()) - 1
    hi = max(each[-1][1] for each in spans.values())
    days = ProductionDays.around(lo, hi, site.zone, site.day_start)
    question = Question(
        site=site,
        now=now,
        reach=spans,
        watch={},
        plans=Plans(site, list(spans), lo, hi),
        levels=group_levels(site),
        days=days,
        counts=bool(with_counts(spans)),
    )
    with calculating(memory="16MB"):
        rows = question.told()
    found: dict[int, dict[int, bool]] = {}
    for asset_id, cell, counted in rows:
        lo, hi = days.borders[cell - 1], days.borders[cell]
        if any(lo < end and hi > start for start, end in spans[asset_id]):
            found.setdefault(asset_id, {})[days.day(cell - 1).toordinal()] = counted
    return found


def _event(
    asset_id: int, occurred: int, until: int, restored: int | None, items: int, open: int, found: int, already_down: int
) -> Event:
    return Event(
        asset_id=asset_id,
        occurred=instant(occurred),
        until=instant(until),
        restored=None if restored is None else instant(restored),
        items=items,
        open=bool(open),
        found=bool(found),
        already_down=bool(already_down),
    )
