"""Reliability of an asset, of what is below it, of a kind, or of a site: all that its failures can teach.

Trend, lives and the next failure look at everything since the site's records began; problems and bad actors at the
last 365 days, since what was mended years ago is no reason to act.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from assets.models import Asset, AssetKind
from core.models import Site
from kpis import figures, formulas, trending
from kpis.facts import lives
from kpis.facts.lives import Lived, Record
from kpis.facts.members import Scope
from kpis.formulas import FEW_FAILURES, HOUR, Facts, Result
from kpis.lifetimes import Life, Model, NextFailure, Replacement, Weibull, next_failure, replacement, weibull
from kpis.questions import Subject
from kpis.reliability import Actor, JackKnife, Lack, NotEnough, bad_actors, jack_knife

RECENT = timedelta(days=365)
NOTHING_KNOWN = NotEnough(Lack.FAILURES, 0, 1)  # of lives
MOST_NEXT = 20  # assets whose next failure is estimated, the soonest first


class Barrier(StrEnum):
    """Why lives follow no one distribution, however many there are."""

    KINDS = "kinds"  # assets of several kinds
    TREND = "trend"  # lives become ever shorter or longer


@dataclass(frozen=True)
class Costs:
    """What replacing costs when planned and when it fails, and the present interval in operating hours."""

    planned: Decimal
    unplanned: Decimal
    present: Decimal | None = None


@dataclass(frozen=True)
class Next:
    """An asset with its next failure; `shared` says that its age was judged by the lives of others as well."""

    asset: Asset
    estimate: NextFailure
    shared: bool = False


@dataclass(frozen=True)
class Study:
    """What was found out about a subject; what the data do not allow is `NotEnough`, with what is missing."""

    subject: Subject
    since: datetime
    recent: datetime  # from when on problems and bad actors count
    now: datetime
    records: list[Record]
    facts: Facts  # time and failure events of all
    unrecorded: int  # assets of which nothing was ever recorded
    assets: dict[int, Asset]
    trend: trending.Trend
    barrier: Barrier | None
    costs: Costs | None
    knife: JackKnife | NotEnough
    without_problem: int  # failures that the jack-knife leaves out
    actors: tuple[Actor, ...]  # by code; hours lost

    @cached_property
    def lives(self) -> list[Life]:
        return [life for record in self.records for life in record.lives]

    @cached_property
    def distribution(self) -> Weibull | NotEnough | None:
        """The Weibull distribution of the lives; None where a barrier forbids one."""
        return None if self.barrier else weibull(self.lives)

    @property
    def replacement(self) -> Replacement | None:
        """When to replace in advance; None without costs or distribution."""
        if self.costs is None or not isinstance(self.distribution, Weibull):
            return None
        costs = self.costs
        return replacement(
            self.distribution,
            planned=float(costs.planned),
            unplanned=float(costs.unplanned),
            present=None if costs.present is None else float(costs.present),
        )

    @cached_property
    def next(self) -> list[Next]:
        """The next failures of the assets still in use, the soonest first.

        Where age matters by the lives of all, it is judged by these. Where it does not, or assets of several kinds have
        no lives in common, each of those that are named is judged by its own lives, as on its own page.
        """
        found = []
        several = len(self.records) > 1
        known = self.distribution or NOTHING_KNOWN
        for record in self.records:
            asset = self.assets[record.asset_id]
            if asset.archived_at or (asset.retired and asset.retired <= self.now):
                continue
            estimate = next_failure(record.history, record.age, known)
            if isinstance(estimate, NextFailure):
                found.append((record, Next(asset, estimate, several and estimate.model is Model.AGEING)))
        soonest = sorted(found, key=lambda each: order_of(each[1]))[:MOST_NEXT]
        if not several:
            return [each for _record, each in soonest]
        each_of = (each if each.shared else by_itself(record, each.asset) for record, each in soonest)
        return sorted(each_of, key=order_of)

    @property
    def failures(self) -> int:
        return self.facts.events

    @property
    def hours(self) -> float:
        """Operating hours of all."""
        return self.facts.operating / HOUR

    @cached_property
    def mtbf(self) -> Result:
        """MTBF of all together, hours: that of their figures since the site's first record."""
        return formulas.mtbf(self.facts, threshold=self.subject.site.coverage_threshold)

    @property
    def few_failures(self) -> bool:
        """Whether the interval of the MTBF rests on so few failures that it should be said."""
        return 0 < self.failures < FEW_FAILURES

    @property
    def first_unknown(self) -> int:
        """Lives that began before the records did, so that nobody knows how long they lasted."""
        return sum(not record.from_new for record in self.records)

    @property
    def timeless(self) -> int:
        return sum(record.timeless for record in self.records)


def order_of(each: Next) -> tuple[float, str]:
    return each.estimate.p50, each.asset.code


def by_itself(record: Record, asset: Asset) -> Next:
    """The next failure by the asset's own lives alone; of an asset that has failed there is one."""
    known = NOTHING_KNOWN if trending.trend([record]).misleads else weibull(record.lives)
    estimate = next_failure(record.history, record.age, known)
    assert isinstance(estimate, NextFailure)
    return Next(asset, estimate)


def study(subject: Subject, *, now: datetime, costs: Costs | None = None) -> Study | None:
    """All that the records teach about the subject; None where nothing was ever recorded."""
    since = lives.records_since(subject.site)
    lived = _lived(subject, since, now) if since and since < now else None
    if lived is None or not lived.records:
        return None
    records = lived.records
    rows = Asset.objects.filter(pk__in={record.asset_id for record in records}).select_related("kind")
    assets = {row.pk: row for row in rows}
    recent = max(since, now - RECENT)
    trend = trending.trend(records)
    found, left_out = lives.problems(assets, recent, now)
    return Study(
        subject=subject,
        since=since,
        recent=recent,
        now=now,
        records=records,
        facts=lived.facts,
        unrecorded=lived.unrecorded,
        assets=assets,
        trend=trend,
        barrier=_barrier(assets, trend),
        costs=costs,
        knife=jack_knife(found),
        without_problem=left_out,
        actors=_actors(subject.site, list(assets.values()), recent, now) if len(assets) > 1 else (),
    )


def kinds_of(site: Site) -> list[AssetKind]:
    """The kinds of which the site has assets."""
    return list(AssetKind.objects.filter(assets__site=site).distinct().order_by("name"))


def _lived(subject: Subject, since: datetime, now: datetime) -> Lived:
    window = {"site": subject.site, "start": since, "end": now, "now": now}
    if subject.kind is None:
        return lives.of_subject(subject.asset, scope=Scope.LEAVES, **window)
    assets = Asset.objects.filter(site=subject.site, kind=subject.kind)
    return lives.of_assets(assets.values_list("pk", flat=True), **window)


def _barrier(assets: dict[int, Asset], trend: trending.Trend) -> Barrier | None:
    if len(assets) > 1 and (len(kinds := {each.kind_id for each in assets.values()}) > 1 or None in kinds):
        return Barrier.KINDS
    return Barrier.TREND if trend.misleads else None


def _actors(site: Site, assets: list[Asset], start: datetime, end: datetime) -> tuple[Actor, ...]:
    """Assets by the unplanned hours that they were down."""
    if start >= end:
        return ()
    found = figures.known(assets, [(start, end)], site=site, scope=Scope.ASSET, now=end)
    return bad_actors((each.asset.code, each.answer.all.down / HOUR) for each in found if each.asset)
