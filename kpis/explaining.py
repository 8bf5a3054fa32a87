"""Why a figure is what it is: the records behind it, what was left out and why, and which calendar was used."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import DurationField, ExpressionWrapper, Q, Value
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils.translation import gettext as _

from assets.models import Asset, Downtime, Failure
from assets.models.condition import DowntimeQuerySet
from core.kit.present import number_text
from core.models import Site
from kpis import effectiveness, figures, inputs_work, trending, trusting
from kpis.axis import epoch, instant
from kpis.calculations import hours
from kpis.definitions import BESIDE, DEFINITIONS, FACTORS, OEE, Definition, WorkDefinition
from kpis.excluded import LeftOut, left_out
from kpis.explaining_work import WorkExplained, explain_work
from kpis.facts.computed import Computed, computed
from kpis.facts.evidence import evidence, reaching, unsaid
from kpis.facts.plans import Plans
from kpis.facts.ranges import merged, minus
from kpis.facts.records import failed_below
from kpis.facts.sources import Lag, Sources, lag, sources
from kpis.facts.work_rows import Rows
from kpis.facts.work_sources import Completions, completions, given_by, orders_of
from kpis.facts.zones import Stretch
from kpis.figures import Figure, Period
from kpis.followed import Followed, How, followed
from kpis.grading import OF_STOPS, grade_of_work
from kpis.inputs import COLUMNS, rows
from kpis.lost_time import TimeWent, time_went
from kpis.published import Published, published
from kpis.recorded import TooManyParts
from kpis.revised import Revision, revisions
from kpis.rules import keeps_former_values, rules
from kpis.silent_sources import SilentSource, silent_sources
from kpis.supposing import Supposed, Unsaid
from kpis.trust import Evidence, Sensitivity, Trust, sensitivity
from kpis.versions import in_version, versions_of
from production.models import Count

MOST = 200  # rows of each kind on the page; the totals are of all
LOOKED_AT = 2000  # stops, the longest, of which those are told that took most of planned production
OF_FAILURES = ("mtbf", "mtbf_by_items", "mttr")


class Stopped(NamedTuple):
    """A stop with its seconds inside the window, and those of planned production that it alone would have taken."""

    stop: Downtime
    seconds: float
    lost: float


@dataclass(frozen=True)
class Explanation:
    """One figure with its inputs, at most `MOST` rows of a kind: stops by what they took, others newest first."""

    figure: Figure
    assets: list[Asset]
    unobserved: list[Asset]
    silent: list[SilentSource]  # time of these that is left out
    stops: list["Stopped"]
    failures: list[Failure]
    counts: list[Count]
    calendars: list[Followed]
    open_stops: int
    overlap: float  # seconds by which what each of `stops` took adds up to more than what all took
    entered_late: int  # stops entered more than a day after they began
    factors: list[Figure]  # of OEE
    rules: list[str]  # settings of the site that say what it counts
    computed: list[Computed]  # the runs that computed what is stored of it; none where all comes from the records now
    lag: Lag | None  # how late stops were entered; None without stops
    revisions: list[Revision]  # what it was when it was reported before; none while `changing`
    changing: bool = False  # changed days wait to be computed again, so that the present value is not reported yet
    untold: bool = False  # parts of days of too many assets changed to tell what it was
    trend: trending.Trend | None = None  # of an MTBF
    work: WorkExplained | None = None  # of a figure of work
    published: Published | None = None  # of a figure of work: what it was when its week or month was reported
    trust: Trust | None = None  # None of a window that has not begun, and of work of which nothing was asked
    sensitivity: Sensitivity | None = None  # of an MTBF
    beside: Sequence[Figure] = ()  # of a mean: median, 90th percentile, and the same counted otherwise
    otherwise: Sequence[Figure] = ()  # the same as other versions of the definition have it, the newest first
    sources: Sources | None = None
    completions: Completions | None = None  # of a figure of work: how late its orders were completed
    not_counted: LeftOut | None = None  # of a figure of time and counts
    uncounted: list[Asset] = field(default_factory=list)  # without counts, left out of a figure about them
    own: Sequence[int] = ()  # the assets that are in it, of a figure of time, counts or stops
    near: Sequence[int] = ()  # these and what can stop them
    went: TimeWent | None = None  # of OEE, its performance and quality, and TEEP, with counts

    @property
    def largest(self) -> Stopped | None:
        """The stop that took most of planned production."""
        return self.stops[0] if self.stops and self.stops[0].lost else None

    @property
    def on_calendar_time(self) -> bool:
        """Whether the operating time of an MTBF is calendar time: no calendar holds and no stop took any of it."""
        facts = self.figure.facts
        return (
            self.figure.definition.key in ("mtbf", "mtbf_by_items")
            and facts.operating > 0
            and not (facts.planned_stop or facts.down)
            and all(each.how is How.NONE for each in self.calendars)
        )

    @property
    def calculation(self) -> str:
        """The formula with this figure's numbers in it, and whether its time is calendar time."""
        words = sentence(self.figure)
        if self.on_calendar_time:
            words += ". " + _("Its time is calendar time: no operating calendar holds, and no stop took any of it.")
        return words

    @property
    def more(self) -> bool:
        return (self.work is not None and self.work.more) or MOST in (
            len(self.stops),
            len(self.failures),
            len(self.counts),
        )


def explain(
    asset: Asset | None, *, site: Site, definition: str, start: datetime, end: datetime, scope: str, now: datetime,
    version: int | None = None,
) -> Explanation:  # fmt: skip
    """The figure of one asset (or of the whole site) and everything it was made from."""
    subjects = [asset] if asset else None
    (found,) = figures.periods(subjects, site=site, start=start, end=end, scope=scope, now=now)
    figure = found.figure(in_version(definition, version))
    is_work = isinstance(figure.definition, WorkDefinition)
    # Figures of work show their own records; those of the cost of stops the stops as well.
    shown = figure.begun and (not is_work or figure.definition.records in OF_STOPS)
    ids = found.assets
    until = min(end, now)
    rows = {row.pk: row for row in Asset.objects.filter(pk__in=ids).order_by("code")}
    around = reaching(ids)
    counting = [] if is_work else found.counting(figure.definition)
    own = sorted(stopped(found, figure.definition, counting)) if shown else []
    near = around if own == sorted(set(ids)) else reaching(own)
    stops = Downtime.objects.filter(asset__in=near)
    listed, overlap = longest(stops.touching(start, until), site, start, until, together=len(own) == 1)
    may_have_failed = unsaid(counting, start, until) if shown and definition.startswith("mtbf") else []
    left = None if is_work else not_counted(found, figure.definition, counting, around, may_have_failed)
    only = left.touching if left and left.judged else None
    known = evidence(near, start, until, now, only=only, counting=counting) if shown and not is_work else None
    delay = lag(near, start, until) if shown else None
    changing = any(each.member.asset_id in found.reader.changing for each in counting)
    unkept = is_work or not keeps_former_values(figure.definition, site)
    told = [] if unkept or changing else revised(found, figure, scope)
    gone = silent_sources(found, counting, rows)
    mute = [each.asset.pk for each in gone]
    work = explain_work(found, figure.definition, figure.inputs) if is_work else None
    orders = orders_of(work.records) if work else set()
    return Explanation(
        figure=figure,
        assets=list(rows.values()),
        unobserved=[rows[pk] for pk in found.unobserved if pk in rows],
        silent=gone,
        stops=listed,
        overlap=overlap,
        failures=[] if is_work else failures(found, own, set(near) - set(own), until, left),
        counts=[] if is_work else list(
            Count.objects.filter(asset__in=own, start__lt=until, end__gt=start)
            .select_related("asset").order_by("-start", "-pk")[:MOST]
        ),
        calendars=followed(site, found.reader.plans, found.members, start, until),
        open_stops=delay.open if delay else 0,
        entered_late=delay.late if delay else 0,
        factors=[found.figure(DEFINITIONS[key]) for key in FACTORS] if figure.definition.key == OEE else [],
        rules=rules(figure.definition, site),
        revisions=told or [],
        untold=told is None,
        computed=computed(ids) if found.answer.computed_at and not is_work else [],
        lag=delay,
        changing=changing,
        trend=trending.of_figure(asset, site=site, start=start, end=end, scope=scope, now=now)
        if definition.startswith("mtbf") else None,
        own=own,
        near=near,
        work=work,
        published=published(found, figure, scope) if is_work else None,
        trust=grade_of_work(found, figure, around, near) if is_work
        else known and trusting.trust_in(figure, known, now=now),
        sensitivity=hanging_on(figure, known, left) if known and left and definition.startswith("mtbf") else None,
        beside=[found.figure(DEFINITIONS[key]) for key in BESIDE.get(figure.definition.key, ()) if figure.begun],
        otherwise=[
            found.figure(each.definition)
            for each in versions_of(definition)
            if each.number != figure.definition.version
        ],
        sources=given_by(orders, work.records)
        if work and not shown else sources(own, near, [*found.unobserved, *mute], start, until),
        completions=completions(orders),
        not_counted=left,
        uncounted=uncounted(found, counting, rows),
        went=time_went(found, figure.definition, counting) if figure.begun and not is_work else None,
    )  # fmt: skip


def stopped(period: Period, definition: Definition, counting: Sequence[Stretch]) -> set[int]:
    """The assets whose stops are in the figure: those counting in it, or those whose stops are charged."""
    if isinstance(definition, WorkDefinition):
        return Rows(period.work, period.place).charged(today=definition.records.endswith("_today"))
    return {each.member.asset_id for each in counting}


def not_counted(
    period: Period, definition: Definition, counting: Sequence[Stretch], around: Sequence[int],
    may_have_failed: Sequence[Unsaid] = (),
) -> LeftOut:  # fmt: skip
    """The records of the window that do not count, as far as the figure rests on such."""
    return left_out(
        period, counting, around, of_failures=definition.key in OF_FAILURES, by_items=definition.key == "mtbf_by_items",
        restored=definition.key == "mttr", unsaid=may_have_failed,
    )  # fmt: skip


def hanging_on(figure: Figure, known: Evidence, left: LeftOut) -> Sensitivity | None:
    """How much an MTBF hangs on what nobody said; where its records were too many to look at each, at least."""
    by_items = figure.definition.key == "mtbf_by_items"
    if left.judged:
        return sensitivity(figure.facts, left.supposed, by_items=by_items)
    more = known.unclassified + known.unsaid
    supposed = Supposed(known.unclassified, known.unsaid, more, more)
    return sensitivity(figure.facts, supposed, by_items=by_items, at_least=True)


def uncounted(period: Period, counting: Sequence[Stretch], rows: dict[int, Asset]) -> list[Asset]:
    """The assets with records that a figure about counts leaves out, because nothing was counted there."""
    if len(counting) == len(period.members):
        return []
    left = set(period.assets) - {each.member.asset_id for each in counting} - set(period.unobserved)
    return [rows[pk] for pk in sorted(left) if pk in rows]


def revised(found: Period, figure: Figure, scope: str) -> list[Revision] | None:
    try:
        return revisions(found, figure, scope)
    except TooManyParts:
        return None


def failures(
    period: Period, own: Sequence[int], below: set[int], until: datetime, left: LeftOut | None
) -> list[Failure]:  # fmt: skip
    """The newest failures of the period: of its `own` assets that are in the figure, and of those `below` that stopped
    them."""
    start = period.start
    which = Q(asset__in=own, occurred__gte=start, occurred__lt=until)
    if left and left.judged:
        which |= Q(pk__in=left.failed)
    elif below and Failure.objects.filter(asset__in=below, occurred__lt=until).exists():
        lo, hi, among = epoch(start), epoch(until), set(own)
        spans = [
            (each.member.asset_id, instant(max(lo, each.since)), instant(min(hi, each.until)))
            for each in period.members
            if each.member.asset_id in among
        ]
        which |= Q(pk__in=failed_below(period.site, spans, start, until, period.now))
    rows = Failure.objects.filter(which).select_related("asset", "problem")
    return list(rows.order_by("-occurred", "-pk")[:MOST])


def inputs(
    asset: Asset | None, *, site: Site, definition: str, start: datetime, end: datetime, scope: str, now: datetime,
    version: int | None = None,
) -> tuple[Sequence[str], Iterable[dict]]:  # fmt: skip
    """Columns and rows of the file that reproduces a figure; Refused where the rows would be too many."""
    subjects = [asset] if asset else None
    (found,) = figures.periods(subjects, site=site, start=start, end=end, scope=scope, now=now)
    asked = in_version(definition, version)
    if isinstance(asked, WorkDefinition):
        return inputs_work.columns_of(asked), inputs_work.rows(found, asked)
    counting = found.counting(asked)
    # A failure event of the window may go on after it, with further failed items.
    past = max([end, *(min(event.until, now) for event in found.reader.events())])
    found_rows = rows(
        site, counting, start, end, past=past, now=now, unobserved=found.unobserved, silent=found.silent
    )  # fmt: skip
    return COLUMNS, found_rows


def longest(
    stops: DowntimeQuerySet, site: Site, start: datetime, end: datetime, *, together: bool
) -> tuple[list[Stopped], float]:
    """The stops that took most of planned production, of the longest inside the window, and how far they overlap.

    That is by how many seconds what each of them took adds up to more than what they took as one: those of one asset,
    or all of them, which stopped one asset `together`.
    """
    inside = ExpressionWrapper(
        Least(Coalesce("end", Value(end)), Value(end)) - Greatest("start", Value(start)), output_field=DurationField()
    )
    ordered = stops.order_by(inside.desc(), "-start", "-pk")
    spans = {row[0]: (row[1], taken(*row[2:], site, start, end)) for row in ordered.values_list(*TAKEN)[:LOOKED_AT]}
    if not spans:
        return [], 0.0
    plans = Plans(site, sorted({asset_id for asset_id, _span in spans.values()}), epoch(start), epoch(end))
    lost = {pk: scheduled(plans, asset_id, [span]) for pk, (asset_id, span) in spans.items()}
    most = sorted(lost, key=lambda pk: -lost[pk])[:MOST]
    overlap = 0.0
    covered: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pk in most:
        asset_id, span = spans[pk]
        one = 0 if together else asset_id
        overlap += lost[pk] - scheduled(plans, asset_id, minus([span], covered[one]))
        covered[one] = merged([*covered[one], span])
    rows = Downtime.objects.select_related("asset", "reason").in_bulk(most)
    return [Stopped(rows[pk], clipped(rows[pk], start, end), lost[pk]) for pk in most if pk in rows], overlap


TAKEN = ("pk", "asset_id", "start", "end", "planned", "planned_end", "reason__excluded")


def taken(
    begin: datetime, finish: datetime | None, planned: bool, planned_end: datetime | None, excluded: bool | None,
    site: Site, start: datetime, end: datetime,
) -> tuple[int, int]:  # fmt: skip
    """The span of the window that a stop takes; of one with an excluded reason its overrun."""
    begun, past = max(begin, start), min(finish or end, end)
    if planned and excluded:
        overruns = site.overrun_is_unplanned and planned_end is not None
        begun = max(begun, planned_end) if overruns else past
    return epoch(begun), max(epoch(begun), epoch(past))


def scheduled(plans: Plans, asset_id: int, spans: Sequence[tuple[int, int]]) -> float:
    """Seconds of the spans in which the asset was scheduled."""
    return float(sum(plans.between(plans.stretches(asset_id), lo, hi) for lo, hi in spans))


def clipped(stop: Downtime, start: datetime, end: datetime) -> float:
    """Seconds of the stop inside the window; an open stop runs to its end."""
    return max(0.0, (min(stop.end or end, end) - max(stop.start, start)).total_seconds())


# What is divided by what, as `kpis.figures.inputs` names it; seconds are shown in hours.
DIVISIONS = {
    "availability": ("operating_time", "planned_production_time"),
    "mtbf": ("operating_time", "failures"),
    "mtbf_by_items": ("operating_time", "failed_items"),
    "mttr": ("restoration_time", "restored_failures"),
    "oee": ("ideal_time_of_good", "planned_production_time"),
    "oee_availability": ("operating_time", "planned_production_time"),
    "performance": ("ideal_time", "operating_time"),
    "quality": ("ideal_time_of_good", "ideal_time"),
    "quality_by_pieces": ("good", "pieces"),
    "teep": ("ideal_time_of_good", "calendar_time"),
}


def sentence(figure: Figure) -> str:
    """The formula with this figure's numbers in it."""
    sums = figure.inputs
    if isinstance(figure.definition, WorkDefinition):
        return figure.definition.calculation(sums)
    sums = {**sums, "pieces": sums["good"] + sums["scrap"] + sums["rework"]}

    def shown(name: str) -> str:
        if name == "operating_time" and "stop_time_in_performance" in sums:
            return f"({hours(sums[name])} + {hours(sums['stop_time_in_performance'])})"
        return f"{number_text(sums[name] / 3600, 2)} h" if "time" in name else f"{number_text(sums[name], 0)}"

    if figure.definition.key == "achieved_availability":
        whole = shown("scheduled_time")
        return f"({whole} − {hours(sums['planned_stops'] + sums['unplanned_downtime'])}) ÷ {whole}"
    words = " ÷ ".join(shown(name) for name in DIVISIONS[figure.definition.key])
    if figure.definition.key == "oee" and (found := effectiveness.factors(figure.facts, figure.profile)):
        words += f" = {found}"
    return words
