"""The report of a week: what page, PDF and e-mail say of a site, a line or a machine. Texts only; nothing is decided
where it is shown.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Case, Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest, Least
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Asset, Downtime, Failure
from core.kit.present import HOUR, duration_text, number_text
from core.models import Site
from core.snapshot import one_snapshot
from kpis import counting, figures, money, targets
from kpis.axis import epoch
from kpis.definitions import DEFINITIONS
from kpis.facts.evidence import reaching
from kpis.facts.members import Scope
from kpis.figures import DAY, Figure, Period
from kpis.models import Finding, FindingKind, FindingState
from kpis.present import TILES, address_of, agreed_for, aim_of, digits, gap_of, mark, rests_on, said, unit
from kpis.reasons import LOSSES
from kpis.silent_sources import silent_sources
from kpis.weeks import Week

HEADLINES = (*TILES, "preventive_compliance", "planned_work_share", "backlog_hours", *money.TILES)
ITSELF = (*TILES, *money.OF_STOPS)  # of a line
SPEED_AND_QUALITY = ("reduced_speed", "scrap", "rework")
MOST_LOSSES, STOPS, OPEN, NAMED, FINDINGS = 6, 10, 10, 8, 5  # most of each


@dataclass(frozen=True)
class Stated:
    """The figure of a row as it is reckoned with: not rounded, and by which version of which definition."""

    definition: str
    version: int
    value: float | None
    unit: str
    status: str
    reason: str  # its code
    coverage: float | None


@dataclass(frozen=True)
class Row:
    """One figure: its value or the words that stand for none, beside its target and the week before."""

    stated: Stated
    name: str
    value: str
    target: str
    gap: str
    change: str
    remark: str
    tone: str  # of the target: ok, warn, stop, idle; "" without one
    is_known: bool
    url: str


@dataclass(frozen=True)
class Loss:
    name: str
    hours: str
    stops: str


@dataclass(frozen=True)
class Stop:
    asset: str
    start: str
    lasted: str  # in the week
    reason: str
    url: str


@dataclass(frozen=True)
class Broken:
    """A failure that is not restored yet."""

    asset: str
    since: str
    problem: str
    url: str


@dataclass(frozen=True)
class Found:
    """An open finding."""

    asset: str
    what: str
    url: str


@dataclass(frozen=True)
class Report:
    site: Site
    asset: Asset | None
    week: Week
    whose: str
    answer: str
    rows: list[Row]
    losses: list[Loss]
    stops: list[Stop]
    open: list[Broken]
    open_in_all: int
    doubts: list[str]
    findings: list[Found]
    findings_in_all: int
    made: datetime
    counted: counting.Counted | None = None  # what the figures are of; None for a machine
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> bool:
        """Whether it is of a line itself, not of its machines."""
        return self.counted is not None and self.counted.own

    @property
    def scope(self) -> str:
        """What counts for a line."""
        return str(Scope.ASSET if self.own else Scope.LEAVES)

    @property
    def title(self) -> str:
        return f"{self.week.title}: {self.whose}"

    @property
    def others_open(self) -> int:
        """Open failures that are not named."""
        return self.open_in_all - len(self.open)

    @property
    def other_findings(self) -> int:
        """Open findings that are not named."""
        return self.findings_in_all - len(self.findings)

    @property
    def is_running(self) -> bool:
        """Whether the week is not over yet."""
        return self.week.window.end > self.made

    @property
    def file_name(self) -> str:
        return f"{(self.asset or self.site).code}{'-itself' if self.own else ''}-{self.week}".lower()


def address(name: str, site: Site, asset: Asset | None, **query) -> str:
    """A page about the site or the asset, wherever the reader has been before."""
    whose = {"asset": asset.pk} if asset else {"site": site.code}
    return f"{reverse(name)}?{urlencode(query | whose)}"


@one_snapshot()
def compose(site: Site, asset: Asset | None, week: Week, *, now: datetime, scope: str = Scope.LEAVES) -> Report:
    """The report of the week as the records stand now; a number of queries that does not grow.

    `scope`: what counts for a line, its machines or itself.
    """
    former, window = week.moved(-1).window, week.window
    two = [(former.start, former.end), (window.start, window.end)]
    line = counting.is_line(asset)
    scope = counting.scope_asked(scope, line=line)
    own = scope is Scope.ASSET
    before, whole = figures.known([asset], two, site=site, now=now, scope=scope)
    agreed = agreed_for(whole, scope)
    headlines = ITSELF if own else HEADLINES
    found = [(whole.figure(DEFINITIONS[key]), before.figure(DEFINITIONS[key])) for key in headlines]
    rows = [row_of(figure, past, agreed.get(figure.definition.key), site, scope) for figure, past in found]
    steps, reasons = figures.losses([whole])
    stops, broken, raised = unplanned(whole), open_failures(whole), open_findings(whole)
    findings_in_all = raised.count()
    itself = {"scope": str(Scope.ASSET)}
    kept, other = (itself, {}) if own else ({}, itself)
    return Report(
        site=site,
        asset=asset,
        week=week,
        whose=whose(site, asset, own=own),
        answer=answer(rows, steps[:-1], reasons),
        rows=rows,
        losses=largest(steps[:-1], reasons),
        stops=[_stop(each, whole) for each in longest(stops, whole)],
        open=[_broken(each, site) for each in broken[:OPEN]],
        open_in_all=broken.count(),
        doubts=doubts(whole, stops, {figure.definition.key: figure for figure, _past in found}, findings_in_all),
        findings=[_found(each) for each in raised[:FINDINGS]],
        findings_in_all=findings_in_all,
        made=now,
        counted=counting.counted(whole, scope, line=line, other=address("report", site, asset, week=week, **other)),
        urls=addresses(site, asset, week, **kept),
    )


def whose(site: Site, asset: Asset | None, *, own: bool) -> str:
    """Of whom the report is."""
    if asset is None:
        return site.name
    name = f"{asset.code} · {asset.name}"
    return _("%(asset)s, itself") % {"asset": name} if own else name


def addresses(site: Site, asset: Asset | None, week: Week, **query) -> dict[str, str]:
    """Where a report leads to; `query` is of the report itself."""
    scope = {name: query[name] for name in ("scope",) if name in query}
    return {
        "report": address("report", site, asset, week=week, **query),
        "pdf": address("report-pdf", site, asset, week=week, **query),
        "performance": address("performance", site, asset, **week.window.query, **scope),
        "findings": address("findings", site, None, state=FindingState.OPEN.value),
    }


# --- Figures ---------------------------------------------------------------------------------------


def row_of(figure: Figure, former: Figure, agreed: tuple | None, site: Site, scope: str = Scope.LEAVES) -> Row:
    standing = targets.standing(agreed[0], figure.value) if agreed else None
    badge = mark(figure)
    profile = site.get_oee_profile_display() if figure.profile and figure.value is not None else ""
    remarks = [
        str(badge) if badge else "", str(figure.reason), "" if figure.value is None else rests_on(figure), profile
    ]  # fmt: skip
    return Row(
        stated=Stated(
            figure.definition.key, figure.definition.version, figure.value, figure.unit, figure.status,
            figure.reason_code, figure.coverage,
        ),
        name=str(figure.definition.name),
        value=said(figure),
        target=aim_of(figure, standing) if standing else "",
        gap=gap_of(figure, standing) if standing else "",
        change=change(figure, former),
        remark=" · ".join(filter(None, remarks)),
        tone=standing.tone if standing else "",
        is_known=figure.value is not None,
        url=address_of(figure, site, scope),
    )  # fmt: skip


def change(figure: Figure, former: Figure) -> str:
    """Against the week before: "+1.2 points, better"; what has no value has no change."""
    if figure.value is None:
        return ""
    if former.value is None:
        return _("no value the week before")
    share = figure.unit == "share"
    difference = (figure.value - former.value) * (100 if share else 1)
    text = number_text(abs(difference), digits(figure))
    if text == number_text(0, digits(figure)):
        return _("as the week before")
    better = (difference > 0) is (figure.definition.better == "higher")
    return _("%(sign)s%(difference)s %(unit)s, %(word)s") % {
        "sign": "+" if difference > 0 else "−",
        "difference": text,
        "unit": _("points") if share else unit(figure),
        "word": _("better") if better else _("worse"),
    }


def answer(rows: Sequence[Row], steps: Sequence[tuple], reasons: Sequence[tuple]) -> str:
    """The week in a few words: targets reached, and where most of the time was lost."""
    if not any(row.is_known for row in rows):
        return _("Nothing was recorded in this week, so there is no figure to show.")
    words = []
    if aimed := [row for row in rows if row.tone]:
        reached = sum(row.tone == "ok" for row in aimed)
        words.append(
            ngettext("%(reached)d of %(n)d target is reached.", "%(reached)d of %(n)d targets are reached.", len(aimed))
            % {"reached": reached, "n": len(aimed)}
        )
    name, seconds, *_rest = max(steps or reasons, key=lambda loss: loss[1], default=("", 0))
    if round(seconds) > 0:
        hours = number_text(seconds / HOUR, 1)
        words.append(_("Largest loss: %(name)s, %(hours)s h.") % {"name": name, "hours": hours})
    if missing := sum(not row.is_known for row in rows):
        words.append(ngettext("%(n)d figure has no value.", "%(n)d figures have no value.", missing) % {"n": missing})
    return " ".join(words)


# --- Losses, stops and failures --------------------------------------------------------------------


def largest(steps: Sequence[tuple[str, float]], reasons: Sequence[tuple[str, float, int]]) -> list[Loss]:
    """The largest losses of the waterfall where there are counts, each stop reason on its own; most hours first."""
    names = {str(LOSSES[key]) for key in SPEED_AND_QUALITY}
    speed = [(name, seconds, None) for name, seconds in steps if name in names]
    found = sorted([*speed, *reasons], key=lambda loss: -loss[1])
    return [
        Loss(name, f"{number_text(seconds / HOUR, 1)}\u202fh", "" if stops is None else str(stops))
        for name, seconds, stops in found[:MOST_LOSSES]
        if round(seconds) > 0
    ]


def unplanned(whole: Period) -> QuerySet[Downtime]:
    """The unplanned stops that reach into the week, of everything that stood here in it or, of a line itself, of what
    can stop it."""
    start, end = whole.start, min(whole.end, whole.now)
    inside = Least(Coalesce("end", Value(end)), Value(end)) - Greatest("start", Value(start))
    return (
        Downtime.objects.filter(asset__in=list(held(whole)), planned=False)
        .touching(start, max(start, end))
        .annotate(inside=ExpressionWrapper(inside, DurationField()))
        .select_related("asset", "reason")
    )


def longest(stops: QuerySet[Downtime], whole: Period) -> list[Downtime]:
    """Those that lasted longest in the week while their asset stood here."""
    places = held(whole)

    def here(stop: Downtime) -> bool:
        start, end = epoch(stop.start), epoch(stop.end or whole.now)
        return any(start < until and end > since for since, until in places[stop.asset_id])

    return [stop for stop in stops.order_by("-inside", "start", "pk")[: STOPS * 5] if here(stop)][:STOPS]


def held(whole: Period) -> dict[int, list[tuple[int, int]]]:
    """The assets below, or of a line itself those that can stop it, and from when to when they stood there."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    if whole.work.scope is Scope.ASSET and whole.asset is not None:
        return {asset_id: [(epoch(whole.start), epoch(whole.end))] for asset_id in reaching([whole.asset.pk])}
    for each in whole.work.members:
        if each.root == whole.place[0]:
            found[each.asset_id].append((each.since, each.until))
    return found


def open_failures(whole: Period) -> QuerySet[Failure]:
    """Failures that occurred before the week's end and are not restored yet, the oldest first."""
    rows = Failure.objects.filter(asset__in=list(held(whole)), restored=None, occurred__lt=min(whole.end, whole.now))
    return rows.select_related("asset", "problem").order_by("occurred", "pk")


def _stop(stop: Downtime, whole: Period) -> Stop:
    lasted = duration_text(stop.inside)
    return Stop(
        asset=f"{stop.asset.code} · {stop.asset.name}",
        start=moment(stop.start, whole.site),
        lasted=_("%(lasted)s, still open") % {"lasted": lasted} if stop.end is None else lasted,
        reason=str(stop.reason or _("no reason yet")),
        url=stop.get_absolute_url(),
    )


def _broken(failure: Failure, site: Site) -> Broken:
    return Broken(
        asset=f"{failure.asset.code} · {failure.asset.name}",
        since=moment(failure.occurred, site),
        problem=str(failure.problem or _("problem not named")),
        url=reverse("failure", args=[failure.pk]),
    )


def moment(at: datetime, site: Site) -> str:
    return formats.date_format(site.local(at), "SHORT_DATETIME_FORMAT")


# --- Doubts ----------------------------------------------------------------------------------------


def open_findings(whole: Period) -> QuerySet[Finding]:
    """Those of everything that stood here in the week: what makes figures wrong first, of one kind the oldest."""
    weight = Case(*(When(kind=kind, then=Value(number)) for number, kind in enumerate(FindingKind)))
    rows = Finding.objects.filter(site=whole.site, asset__in=list(held(whole)), state=FindingState.OPEN)
    return rows.select_related("asset").order_by(weight, "found_at", "pk")


def _found(finding: Finding) -> Found:
    return Found(
        asset=f"{finding.asset.code} · {finding.asset.name}",
        what=finding.get_kind_display(),
        url=finding.get_absolute_url(),
    )


def doubts(whole: Period, stops: QuerySet[Downtime], found: dict[str, Figure], findings: int) -> list[str]:
    """What speaks against trusting the figures, in sentences."""
    coverage = found["availability"].coverage
    rows = {row.pk: row for row in Asset.objects.filter(pk__in=whole.assets).only("code", "silence_days")}
    never = sorted(rows[pk].code for pk in whole.unobserved)
    silent = list(dict.fromkeys(each.asset.code for each in silent_sources(whole, whole.members, rows)))
    known = stops.aggregate(
        all=Count("pk"),
        unnamed=Count("pk", filter=Q(reason=None)),
        open=Count("pk", filter=Q(end=None)),
        late=Count("pk", filter=Q(entered_at__gt=F("start") + DAY)),
    )
    backlog = found["backlog_hours"].inputs if "backlog_hours" in found else {}
    orders, unestimated = (backlog.get(name, 0) for name in ("open_orders", "unestimated_orders"))
    return [
        *([_("The state of the machines is known for %(share)s\u202f%% of the scheduled time.")
           % {"share": number_text(coverage * 100, 0)}] if coverage is not None and coverage < 1 else []),
        *([_("Nothing was ever recorded for %(assets)s.") % {"assets": _listed(never)}] if never else []),
        *([_("For too long nothing was recorded for %(assets)s; that time is unknown.")
           % {"assets": _listed(silent)}] if silent else []),
        *([_("%(n)d of %(all)d unplanned stops have no reason.") % {"n": known["unnamed"], "all": known["all"]}]
          if known["unnamed"] else []),
        *([_("%(n)d of %(all)d unplanned stops were entered more than a day late.")
           % {"n": known["late"], "all": known["all"]}] if known["late"] else []),
        *([_("%(n)d of %(all)d unplanned stops are still open and count until now.")
           % {"n": known["open"], "all": known["all"]}] if known["open"] else []),
        *([_("%(n)d of %(all)d open orders have no estimate.") % {"n": unestimated, "all": orders}]
          if unestimated else []),
        *([ngettext("%(n)d finding about the records is open.", "%(n)d findings about the records are open.", findings)
           % {"n": findings}] if findings else []),
        *([_("Some days are being computed again; figures may still change.")] if whole.recalculating else []),
    ]  # fmt: skip


def _listed(codes: list[str]) -> str:
    shown = ", ".join(codes[:NAMED])
    if len(codes) <= NAMED:
        return shown
    return _("%(codes)s and %(n)d more") % {"codes": shown, "n": len(codes) - NAMED}
