"""Reading key figures: many assets, definitions and buckets at once, in a number of queries that does not grow.

Whole past production days come from the stored facts; the running day, cut days and days that have changed since
they were stored come straight from the records, so a figure is never stale (`kpis.facts.read`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial

from django.utils import timezone

from assets.models import Asset, DowntimeReason
from core.errors import Refused
from core.models import Site
from kpis import formulas
from kpis.axis import epoch, instant, span_of
from kpis.cutting import alike
from kpis.definitions import DEFINITIONS, FACTORS, OEE, Definition, WorkDefinition
from kpis.facts.members import Scope, members, moved
from kpis.facts.ranges import within
from kpis.facts.read import Answer, Reader
from kpis.facts.work import Work
from kpis.facts.zones import Cut, Member, Stretch
from kpis.formulas import FEW_FAILURES, Facts, Reason, Result, Status
from kpis.intervals import Spans
from kpis.profiles import in_performance
from kpis.reasons import LOSSES, REASONS
from kpis.silence import Silence
from kpis.versions import in_version

DAY = timedelta(days=1)
Buckets = Sequence[tuple[datetime, datetime]]
SCOPES = tuple(str(scope) for scope in Scope)
MOST = 200_000  # figures of one question


@dataclass(frozen=True)
class Figure:
    """One answer: a value or the reason why there is none, with what it was computed from.

    `value` is in the definition's unit; `coverage` the share of scheduled time of the assets asked for whose state is
    known, and of a figure of work the share of the records asked for that tell what it needs.
    """

    asset: Asset | None
    definition: Definition
    start: datetime
    end: datetime
    value: float | None
    status: str
    reason_code: str
    coverage: float | None
    given: Callable[[], dict[str, float]] = field(repr=False)  # the inputs, reckoned for those who look at them
    interval: dict | None
    computed_at: datetime
    facts: Facts = field(repr=False, default=formulas.NO_FACTS)
    currency: str = ""
    profile: str = ""  # the OEE profile of the site, of OEE and its factors

    @cached_property
    def inputs(self) -> dict[str, float]:
        """The sums that went in, by name."""
        return self.given()

    @property
    def begun(self) -> bool:
        """Whether the window has."""
        return self.reason_code != Reason.NOT_BEGUN

    @property
    def reason(self) -> str:
        """Why there is no plain value, in words."""
        return str(REASONS.get(self.reason_code, self.reason_code))

    @property
    def unit(self) -> str:
        if self.definition.unit == "money per unit":
            return f"{self.currency}/unit"
        return self.currency if self.definition.unit == "money" else self.definition.unit

    @property
    def few_failures(self) -> bool:
        """Whether the interval rests on so few failures that it should be said."""
        return self.interval is not None and 0 < self.facts.events < FEW_FAILURES


@dataclass(eq=False)  # not frozen: thousands are made at once
class Period:
    """All that is known of one subject (an asset, or None for the site) in one bucket; figures are made from it."""

    site: Site
    asset: Asset | None
    start: datetime
    end: datetime
    answer: Answer
    reader: Reader = field(repr=False)  # of all subjects and buckets that were asked for together
    now: datetime
    recalculating: bool
    work: Work = field(repr=False)
    place: tuple[int, int]  # of subject and bucket among them

    @property
    def members(self) -> list[Stretch]:
        """The assets that count, each for as long as it stood there."""
        return self.reader.of_root[self.place[0]]

    @cached_property
    def unobserved(self) -> list[int]:
        """Those without any record."""
        return self.reader.unobserved(self.place[0])

    @cached_property
    def machines(self) -> int:
        """How many assets count."""
        return len(self.reader.assets(self.place[0]))

    @property
    def alone(self) -> bool:
        """Whether nothing but the asset itself counts."""
        return self.asset is not None and self.reader.assets(self.place[0]) <= {self.asset.pk}

    def silent(self, asset_id: int) -> Spans:
        """When its source was silent, within all that was asked for together."""
        return tuple(span_of(*each) for each in self.reader.silent.get(asset_id, ()))

    def silences(self, member: Stretch) -> list[Silence]:
        """The silences of a member that share time with the period while it counts; whole, and in order."""
        asset_id = member.member.asset_id
        lo, hi = max(epoch(self.start), member.since), min(epoch(self.end), member.until)
        if asset_id not in self.reader.observed or not within(self.reader.silent.get(asset_id, []), lo, hi):
            return []
        first, last = (self.site.production_day(instant(moment)).toordinal() for moment in (lo, hi - 1))
        rows = self.reader.silences[asset_id]
        return [each for each in rows if each.since <= last and (each.until is None or each.until > first)]

    @property
    def assets(self) -> list[int]:
        return [each.member.asset_id for each in self.members]

    def counting(self, definition: Definition) -> list[Stretch]:
        """The members whose facts the figure is formed from."""
        if definition.counted and self.answer.counted.counts:
            return [each for each in self.members if each.member.asset_id in self.answer.counted_assets]
        return self.members

    def figure(self, definition: Definition) -> Figure:
        answer = self.answer
        threshold = self.site.coverage_threshold
        if isinstance(definition, WorkDefinition):
            known = self.work.of(definition.records, self.place)
            result, given = (
                definition.compute(known, threshold, answer.all),
                partial(definition.inputs, known, answer.all),
            )
            facts, coverage, computed_at = formulas.NO_FACTS, result.coverage, self.now
        else:
            facts = answer.counted if definition.counted and answer.counted.counts else answer.all
            moving = in_performance(self.site)
            result, given = definition.of(facts, threshold, moving), partial(inputs_of, definition, facts, moving)
            coverage, computed_at = (facts.coverage if facts.calendar else None), answer.computed_at or self.now
        if self.start >= self.now:
            result = Result(None, Status.UNDEFINED, Reason.NOT_BEGUN)
        bounds = result.bounds
        return Figure(
            asset=self.asset,
            definition=definition,
            start=self.start,
            end=max(self.start, min(self.end, self.now)),
            value=result.value,
            status=str(result.status),
            reason_code=str(result.reason),
            coverage=coverage,
            given=given,
            interval=bounds and {"confidence": bounds.confidence, "lower": bounds.lower, "upper": bounds.upper},
            computed_at=computed_at,
            facts=facts,
            currency=self.site.currency,
            profile=self.site.oee_profile if definition.key in (OEE, *FACTORS) else "",
        )


def read(
    assets: Sequence[Asset] | None, *, site: Site, start: datetime, end: datetime, by: str = "total",
    scope: str = "leaves", definitions: Sequence[str] = tuple(DEFINITIONS), version: int | None = None,
    now: datetime | None = None,
) -> list[Figure]:  # fmt: skip
    """Figures of each asset (or of the whole site: `assets=None`) for each bucket of [start, end) and definition.

    `scope`: the asset alone, its *leaves* (the machines at the end of its branches; itself if it has none), or
    everything in its *subtree*, each for as long as it stood there. Facts of several assets are added and the
    ratio is formed once. `version`: of the definition, where not the one that holds.
    """
    wanted = [named(key, version) for key in definitions]
    subjects = [None] if assets is None else assets
    groups = alike(site, subjects, start, end, by)
    if len(wanted) * sum(len(places) * len(buckets) for places, buckets in groups) > MOST:
        raise Refused(f"More than {MOST} figures at once; ask for a shorter window.", code="too_many", field="by")
    found = _in_groups(subjects, groups, site=site, scope=scope, now=now)
    expect(found, wanted)
    return [period.figure(definition) for period in found for definition in wanted]


def expect(found: Iterable[Period], definitions: Iterable[Definition]) -> None:
    """These figures of the periods will be wanted: those of work are read in one statement."""
    kinds = {each.records for each in definitions if isinstance(each, WorkDefinition)}
    for work in {id(period.work): period.work for period in found}.values():
        work.expect(kinds)


def periods(
    assets: Sequence[Asset | None] | None, *, site: Site, start: datetime, end: datetime, by: str = "total",
    scope: str = "leaves", now: datetime | None = None,
) -> list[Period]:  # fmt: skip
    """What is known of each asset (None or no list: the whole site) in each bucket of [start, end), in this order."""
    subjects = [None] if assets is None else assets
    return _in_groups(subjects, alike(site, subjects, start, end, by), site=site, scope=scope, now=now)


def _in_groups(
    subjects: Sequence[Asset | None], groups: Sequence[tuple[Sequence[int], Buckets]], *, site: Site, scope: str,
    now: datetime | None,
) -> list[Period]:  # fmt: skip
    """What is known of each subject, in their order, in the buckets of the group that names its place."""
    questions = [([subjects[place] for place in places], buckets) for places, buckets in groups]
    found: dict[int, list[Period]] = {}
    for (places, buckets), answers in zip(groups, together(questions, site=site, scope=scope, now=now), strict=True):
        for number, place in enumerate(places):
            found[place] = answers[number * len(buckets) : (number + 1) * len(buckets)]
    return [period for place in range(len(subjects)) for period in found[place]]


def known(
    subjects: Sequence[Asset | None], buckets: Buckets, *, site: Site, scope: str = "leaves",
    now: datetime | None = None,
) -> list[Period]:  # fmt: skip
    """What is known of each subject in each bucket; the buckets follow each other without a gap."""
    return together([(subjects, buckets)], site=site, scope=scope, now=now)[0]


def together(
    questions: Sequence[tuple[Sequence[Asset | None], Buckets]], *, site: Site, scope: str = "leaves",
    now: datetime | None = None,
) -> list[list[Period]]:  # fmt: skip
    """Several questions at once: each has subjects, and buckets that follow each other without a gap.

    Their facts are read together, so their windows should have most of their time in common. Work and lost time are
    read question by question, once somebody looks at them.
    """
    if scope not in SCOPES:
        raise Refused(f"scope must be one of {', '.join(SCOPES)}.", code="invalid", field="scope")
    now = now or timezone.now()
    cuts: list[Cut] = []
    counting: list[Member] = []
    of_each: list[list[Member]] = []  # question
    who: dict[tuple, tuple[int, list[Member]]] = {}  # the same subjects in the same span, and their first cut
    for subjects, buckets in questions:
        first = cuts[-1].roots.stop if cuts else 0
        spans = [(epoch(begin), max(epoch(past), epoch(begin) + 1)) for begin, past in buckets]
        key = (tuple(subject and subject.id for subject in subjects), buckets[0][0], buckets[-1][1])
        if key not in who:
            who[key] = len(cuts), members(site, subjects, buckets[0][0], buckets[-1][1], Scope(scope))
            counting += moved(who[key][1], first)
        like, there = who[key]
        cuts.append(Cut(range(first, first + len(subjects)), spans, like if like < len(cuts) else None))
        of_each.append(there)
    reader = Reader(site, counting, now=now, cuts=cuts)
    answers = reader.answers()
    found = []
    for (subjects, buckets), roots, own in zip(questions, cuts, of_each, strict=True):
        work = Work(
            site, subjects, buckets, Scope(scope), now=now, reader=reader, cut=roots, answers=answers, counting=own
        )
        found.append(
            [
                Period(
                    site=site,
                    asset=subject,
                    start=begin,
                    end=past,
                    answer=answers.get((root, number)) or Answer(),
                    reader=reader,
                    now=now,
                    recalculating=reader.recalculating,
                    work=work,
                    place=(root, number),
                )
                for root, subject in zip(roots.roots, subjects, strict=True)
                for number, (begin, past) in enumerate(buckets)
            ]
        )
    return found


def beside(
    questions: Sequence[tuple[Sequence[Asset | None], Buckets, Buckets]], *, site: Site, scope: str = "leaves",
    now: datetime,
) -> list[tuple[list[Period], list[Period]]]:  # fmt: skip
    """What is known of the subjects of each question in the buckets of a former window, and in those of this one.

    A question is subjects, former buckets (or none) and buckets. A former window that leads up to this one is read with
    it as one; what lies between the two otherwise is not read.
    """
    leads_up = [bool(former) and former[-1][1] == buckets[0][0] for _, former, buckets in questions]
    asked: list[tuple[Sequence[Asset | None], Buckets]] = []
    for (subjects, former, buckets), as_one in zip(questions, leads_up, strict=True):
        parts = [[*former, *buckets]] if as_one else filter(None, [former, buckets])
        asked += [(subjects, each) for each in parts]
    answered = iter(together(asked, site=site, scope=scope, now=now))
    found = []
    for (_, former, buckets), as_one in zip(questions, leads_up, strict=True):
        each = next(answered)
        if as_one:
            old, number = len(former), len(former) + len(buckets)
            before = [period for place, period in enumerate(each) if place % number < old]
            found.append((before, [period for place, period in enumerate(each) if place % number >= old]))
        else:
            found.append((each, next(answered)) if former else ([], each))
    return found


def losses(found: Sequence[Period]) -> tuple[list[tuple[str, float]], list[tuple[str, float, int]]]:
    """The waterfall of the assets with counts, (label, seconds) that add up to planned production time, and lost
    seconds and stops by reason of all of them, the largest first."""
    counted = formulas.total(each.answer.counted for each in found)
    moving = in_performance(found[0].site) if found else ()
    steps = [(str(LOSSES.get(loss.key, loss.key)), loss.seconds) for loss in formulas.waterfall(counted, moving)]
    names = dict(DowntimeReason.objects.filter(site__in={each.site for each in found}).values_list("pk", "name"))
    reasons: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for each in found:
        for (reason, _loss), (seconds, stops) in each.answer.causes.items():
            name = names.get(reason) or str(LOSSES["unclassified"])
            reasons[name] = (reasons[name][0] + seconds, reasons[name][1] + stops)
    pareto = sorted(((name, *sums) for name, sums in reasons.items() if sums[0]), key=lambda row: -row[1])
    return (steps if counted.counts else []), pareto


def same(one: float | None, other: float | None) -> bool:
    """Whether two values are one, but for the rounding of floats; None is the same as None alone."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * max(1.0, abs(one))


def named(key: str, version: int | None = None) -> Definition:
    """The definition of this name, and in this version, which somebody typed."""
    if key not in DEFINITIONS:
        raise Refused(f"definition must be one of {', '.join(DEFINITIONS)}.", code="invalid", field="definition")
    return in_version(key, version)


def inputs_of(definition: Definition, facts: Facts, moving: Collection[str] = ()) -> dict[str, float]:
    """Those of a figure of time and counts, under a profile that is `moving` losses to performance."""
    moved = definition.profiled and moving and facts.counts
    return inputs(facts) | ({"stop_time_in_performance": formulas.moved(facts, moving)} if moved else {})


def inputs(facts: Facts, *, counted: bool = False) -> dict[str, float]:
    """The sums that went in, by name: seconds and numbers; a figure about counts has no failures in it."""
    failures = {
        "failures": facts.events,
        "failed_items": facts.items,
        "found_in_maintenance": facts.found,
        "restored_failures": facts.restored,
        "restoration_time": facts.restoration,
        "open_failures": facts.open_events,
        "missing_restoration_times": facts.missing_restorations,
    }
    return {
        "calendar_time": facts.calendar,
        "scheduled_time": facts.scheduled,
        "planned_stops": facts.planned_stop,
        "planned_production_time": facts.planned_production,
        "unplanned_downtime": facts.down,
        "operating_time": facts.operating,
        "unplanned_downtime_off_schedule": facts.off_schedule,
        "stops": facts.stops,
        **({} if counted else failures),
        "good": facts.good,
        "scrap": facts.scrap,
        "rework": facts.rework,
        "ideal_time": facts.ideal,
        "ideal_time_of_good": facts.ideal_good,
        "assets": facts.recorded,
    }
