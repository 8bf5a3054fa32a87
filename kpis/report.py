"""The report of a week: what page, PDF and e-mail say of a site, a line or a machine. Texts only; nothing is decided
where it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Asset
from core.kit.present import HOUR, number_text
from core.models import Site
from core.snapshot import one_snapshot
from kpis import counting, figures, money, targets
from kpis.definitions import DEFINITIONS
from kpis.facts.members import Scope
from kpis.figures import Figure
from kpis.models import FindingState
from kpis.present import TILES, address_of, agreed_for, aim_of, digits, gap_of, mark, rests_on, said, unit, why
from kpis.reasons import LOSSES
from kpis.report_records import (
    Broken,
    Found,
    Stop,
    doubts,
    longest,
    open_failures,
    open_findings,
    told_failure,
    told_finding,
    told_stop,
    unplanned,
)
from kpis.weeks import Week
from kpis.windows import FORMER

HEADLINES = (
    *TILES, "preventive_compliance", "schedule_compliance", "planned_work_share", "break_in_share", "backlog_hours",
    *money.TILES,
)  # fmt: skip
ITSELF = (*TILES, *money.OF_STOPS)  # of a line
SPEED_AND_QUALITY = ("reduced_speed", "scrap", "rework")
MOST_LOSSES, OPEN, FINDINGS = 6, 10, 5  # most of each


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
    losses_of: str = ""  # machines, where speed and quality are not of all
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
    def so_far(self) -> str:
        """Of a week that is not over, what its figures are of."""
        if not self.is_running:
            return ""
        return _(
            "This week is not over yet: its figures end when they were made, and stand against as much of the week"
            " before."
        )

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
    window = week.window
    former = window.compared(FORMER, now=now)
    line = counting.is_line(asset)
    scope = counting.scope_asked(scope, line=line)
    own = scope is Scope.ASSET
    (((before,), (whole,)),) = figures.beside(
        [([asset], [(former.start, former.end)], [(window.start, window.end)])], site=site, scope=scope, now=now
    )
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
        losses_of=counting.of_largest(whole),
        stops=[told_stop(each, whole) for each in longest(stops, whole)],
        open=[told_failure(each, site) for each in broken[:OPEN]],
        open_in_all=broken.count(),
        doubts=doubts(whole, stops, {figure.definition.key: figure for figure, _past in found}, findings_in_all),
        findings=[told_finding(each) for each in raised[:FINDINGS]],
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
        str(badge) if badge else "", why(figure), "" if figure.value is None else rests_on(figure), profile
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


# --- Losses ----------------------------------------------------------------------------------------


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
