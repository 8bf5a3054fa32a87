"""What the report of a week names: its longest stops, failures that are still open, findings, and doubts."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest, Least
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Asset, Downtime, Failure
from core.kit.present import duration_text, number_text
from core.models import Site
from kpis.axis import epoch
from kpis.facts.evidence import reaching
from kpis.facts.members import Scope
from kpis.figures import DAY, Figure, Period
from kpis.models import Finding, FindingKind, FindingState
from kpis.silent_sources import silent_sources

STOPS, NAMED = 10, 8  # most of each


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


def told_stop(stop: Downtime, whole: Period) -> Stop:
    lasted = duration_text(stop.inside)
    return Stop(
        asset=f"{stop.asset.code} · {stop.asset.name}",
        start=moment(stop.start, whole.site),
        lasted=_("%(lasted)s, still open") % {"lasted": lasted} if stop.end is None else lasted,
        reason=str(stop.reason or _("no reason yet")),
        url=stop.get_absolute_url(),
    )


def told_failure(failure: Failure, site: Site) -> Broken:
    return Broken(
        asset=f"{failure.asset.code} · {failure.asset.name}",
        since=moment(failure.occurred, site),
        problem=str(failure.problem or _("problem not named")),
        url=reverse("failure", args=[failure.pk]),
    )


def moment(at: datetime, site: Site) -> str:
    return formats.date_format(site.local(at), "SHORT_DATETIME_FORMAT")


def open_findings(whole: Period) -> QuerySet[Finding]:
    """Those of everything that stood here in the week: what makes figures wrong first, of one kind the oldest."""
    weight = Case(*(When(kind=kind, then=Value(number)) for number, kind in enumerate(FindingKind)))
    rows = Finding.objects.filter(site=whole.site, asset__in=list(held(whole)), state=FindingState.OPEN)
    return rows.select_related("asset").order_by(weight, "found_at", "pk")


def told_finding(finding: Finding) -> Found:
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
