"""The engine checks itself: stored facts of a share of the assets against the plain records, week by week.

The check takes another way than the facts: `kpis.oracle` on plain records, not the set-based statement. A
difference is an error of the engine (or of a database that was changed behind its triggers): it fails the run,
which the jobs page shows, raises a finding at each asset, and the days are marked so that they are computed again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from assets.models import Asset
from core.models import Site
from core.runs import job_run
from kpis import findings, oracle
from kpis.axis import instant
from kpis.computing import compute_site
from kpis.facts.live import FRACTIONS, NUMBERS
from kpis.facts.records import Shelf, shelf
from kpis.facts.store import VERSION, Clock
from kpis.findings import Doubt
from kpis.intervals import Span, production_day
from kpis.models import AssetDay, ChangedDay, FactState, FailureEvent, FindingKind

JOB = "kpis.audit"
SHARES = 52  # every asset once a year
DAYS = 31  # of each asset, the latest
CHUNK = 100
SUMS = (*NUMBERS, *FRACTIONS)


class Differs(Exception):
    """Stored facts are not what the records give."""


@dataclass(frozen=True)
class Difference:
    """A day of an asset on which a stored sum is not what the records give."""

    asset_id: int
    day: date
    name: str
    stored: float
    right: float


def audit(*, now: datetime | None = None, share: int | None = None, days: int = DAYS, by=None) -> int:
    """Check the week's share of every site's assets; the number of asset-days, or `Differs` when some are wrong."""
    now = now or timezone.now()
    share = now.isocalendar().week % SHARES if share is None else share
    checked, wrong = 0, []
    for site in Site.objects.all():
        try:
            checked += audit_site(site, now=now, share=share, days=days, by=by)
        except Differs as error:
            wrong.append(f"{site.code}: {error}")
    if wrong:
        raise Differs("; ".join(wrong))
    return checked


def audit_site(site: Site, *, now: datetime, share: int, days: int = DAYS, shares: int = SHARES, by=None) -> int:
    """Check the assets whose number leaves `share` when divided by `shares`, after computing what is due."""
    compute_site(site, now=now)
    with job_run(JOB, site=site, by=by) as run:
        ids = [pk for pk in site.assets.order_by("pk").values_list("pk", flat=True) if pk % shares == share % shares]
        clock = Clock.of(site, now)
        checked, wrong = 0, []
        for position in range(0, len(ids), CHUNK):
            chunk = ids[position : position + CHUNK]
            checked += len(chunk) * days
            wrong += _for_certain(clock, chunk, days)
        run.rows = checked
        run.fact = _("%(days)d asset-days checked, %(wrong)d differences") % {"days": checked, "wrong": len(wrong)}
        if wrong:
            _mark(site, wrong)
            _raise(site, wrong, now)
            codes = dict(Asset.objects.filter(pk__in={each.asset_id for each in wrong[:5]}).values_list("pk", "code"))
            told = "; ".join(
                f"{codes[each.asset_id]} {each.day} {each.name}: {each.stored:g} stored, {each.right:g} right"
                for each in wrong[:5]
            )
            raise Differs(f"{len(wrong)} differences, such as {told}")
    return checked


def _for_certain(clock: Clock, asset_ids: list[int], days: int) -> list[Difference]:
    """Differences that stay once what was written meanwhile is computed."""
    if suspects := sorted({each.asset_id for each in differences(clock, asset_ids, days)}):
        compute_site(clock.site, now=instant(clock.now))
        return differences(clock, suspects, days)
    return []


def differences(clock: Clock, asset_ids: list[int], days: int) -> list[Difference]:
    """Where the stored days before today differ from the records."""
    states = FactState.objects.filter(asset__in=asset_ids, through__gte=clock.yesterday, version=VERSION)
    ids = sorted(states.values_list("asset_id", flat=True))
    first = clock.yesterday - timedelta(days=days - 1)
    spans = {day: production_day(day, clock.site.zone, clock.site.day_start) for day in _days(first, clock.yesterday)}
    now = instant(clock.now)
    known = shelf(clock.site, ids, spans[first].start, now, now)
    stored = {(row.asset_id, row.day): row for row in AssetDay.objects.filter(asset__in=ids, day__gte=first)}
    found = []
    for asset_id in ids:
        for day, span in spans.items():
            right = oracle.facts(known.of(asset_id), asset_id, span)
            row = stored.get((asset_id, day))
            for name in SUMS:
                is_, should = (float(getattr(row, name)) if row else 0.0), float(getattr(right, name))
                if abs(is_ - should) > 1e-6 * max(1.0, abs(should)):
                    found.append(Difference(asset_id, day, name, is_, should))
            if row and (stopped := oracle.stopped(known.of(asset_id), asset_id, span)):
                borders = {"stopped_from": stopped.start, "stopped_to": stopped.end}
                for name, moment in borders.items():
                    is_, should = getattr(row, name), (moment - span.start).total_seconds()
                    if is_ is None or abs(is_ - should) > 1:  # whole seconds; a stop of no length is given one
                        found.append(Difference(asset_id, day, name, is_ or 0, should))
    return found + list(_of_events(known, ids, spans))


def _of_events(known: Shelf, ids: list[int], spans: dict[date, Span]) -> Iterator[Difference]:
    whole = Span(min(span.start for span in spans.values()), max(span.end for span in spans.values()))
    rows = FailureEvent.objects.filter(asset__in=ids, occurred__gte=whole.start, occurred__lt=whole.end)
    stored = {(row.asset_id, row.occurred): row.items for row in rows}
    right = {
        (asset_id, event.occurred): event.items
        for asset_id in ids
        for event in oracle.events(known.of(asset_id), asset_id)
        if whole.covers(event.occurred)
    }
    for key in stored.keys() | right.keys():
        is_, should = stored.get(key, 0), right.get(key, 0)
        if is_ != should:
            day = next(day for day, span in spans.items() if span.covers(key[1]))
            yield Difference(key[0], day, "items", is_, should)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _mark(site: Site, wrong: list[Difference]) -> None:
    """So that the next run computes these days again."""
    ChangedDay.objects.bulk_create(
        ChangedDay(asset_id=asset_id, start=site.day_begins(day), end=site.day_begins(day + timedelta(days=1)))
        for asset_id, day in {(each.asset_id, each.day) for each in wrong}
    )


def _raise(site: Site, wrong: list[Difference], now: datetime) -> None:
    """A finding at each asset concerned."""
    for asset_id in sorted({each.asset_id for each in wrong}):
        sums = [each for each in wrong if each.asset_id == asset_id]
        such = f"{sums[0].day} {sums[0].name}: {sums[0].stored:g} / {sums[0].right:g}"
        findings.add(site, Doubt(asset_id, FindingKind.FACTS_DIFFER, {"sums": len(sums), "such": such}), now=now)
