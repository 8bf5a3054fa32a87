"""The engine checks itself: stored facts of a share of the assets against the plain records, week by week.

The check takes another way than the facts: `kpis.oracle` on plain records, not the set-based statement. A
difference is an error of the engine (or of a database that was changed behind its triggers): it fails the run,
which the jobs page shows, raises a finding at each asset, and the days are marked so that they are computed again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.models import Asset
from core.models import Site
from core.runs import job_run
from kpis import findings, oracle
from kpis.axis import instant
from kpis.computing import compute_site
from kpis.facts.clock import Clock, beginning
from kpis.facts.live import FRACTIONS, NUMBERS
from kpis.facts.records import shelf, silence_records
from kpis.facts.store import VERSION
from kpis.findings import Doubt
from kpis.intervals import Span, clip, production_day
from kpis.models import AssetDay, ChangedDay, FactState, FailureEvent, FindingKind, LossDay, Silence
from kpis.plain_records import Records

JOB = "kpis.audit"
SHARES = 52  # every asset once a year
DAYS = 31  # of each asset: the latest, and as many of those before
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
        for piece in pieces(clock, days):
            for position in range(0, len(ids), CHUNK):
                chunk = ids[position : position + CHUNK]
                checked += len(chunk) * len(piece)
                wrong += _for_certain(clock, chunk, piece)
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


def pieces(clock: Clock, days: int) -> list[list[date]]:
    """The days that are checked this week: the latest, and a piece of those before, back to the first record."""
    since = clock.yesterday - timedelta(days=days - 1)
    latest, begun = _days(since, clock.yesterday), beginning(clock.site)
    first = clock.yesterday if begun is None else clock.site.production_day(instant(begun))
    if first >= since:
        return [latest]
    return [latest, older(first, since - timedelta(days=1), days=days, week=clock.yesterday.toordinal() // 7)]


def older(first: date, last: date, *, days: int, week: int) -> list[date]:
    """A piece of the days from `first` to `last`: another one each week, and another one of the same assets when
    their turn comes again."""
    numbers = range(first.toordinal() // days, last.toordinal() // days + 1)
    number = numbers[(week + week // SHARES) % len(numbers)]
    begin, end = number * days, (number + 1) * days - 1
    return _days(date.fromordinal(max(begin, first.toordinal())), date.fromordinal(min(end, last.toordinal())))


def _for_certain(clock: Clock, asset_ids: list[int], days: list[date]) -> list[Difference]:
    """Differences that stay once what was written meanwhile is computed."""
    if suspects := sorted({each.asset_id for each in differences(clock, asset_ids, days)}):
        compute_site(clock.site, now=instant(clock.now))
        return differences(clock, suspects, days)
    return []


def differences(clock: Clock, asset_ids: list[int], days: list[date]) -> list[Difference]:
    """Where these stored days, which follow each other, differ from the records."""
    states = FactState.objects.filter(asset__in=asset_ids, through__gte=clock.yesterday, version=VERSION)
    ids = sorted(states.values_list("asset_id", flat=True))
    spans = {day: production_day(day, clock.site.zone, clock.site.day_start) for day in days}
    whole, now = Span(spans[days[0]].start, spans[days[-1]].end), instant(clock.now)
    events = list(FailureEvent.objects.filter(asset__in=ids, occurred__gte=whole.start, occurred__lt=whole.end))
    # A failure of these days may go on after them, with further failed items.
    past = max([whole.end, *(min(event.until, now) for event in events)]) + clock.site.merge_gap
    known = shelf(clock.site, ids, whole.start, past, now)
    of_days = {"asset__in": ids, "day__range": (days[0], days[-1])}
    stored = {(row.asset_id, row.day): row for row in AssetDay.objects.filter(**of_days)}
    lost: dict[tuple[int, date], list[LossDay]] = defaultdict(list)
    for row in LossDay.objects.filter(**of_days):
        lost[row.asset_id, row.day].append(row)
    began: dict[int, list[FailureEvent]] = defaultdict(list)
    for event in events:
        began[event.asset_id].append(event)
    found: list[Difference] = []
    for asset_id in ids:
        records = known.of(asset_id)
        for day, span in spans.items():
            of_day, key = _of_day(records, span), (asset_id, day)
            found += _of_sums(of_day, asset_id, day, span, stored.get(key))
            found += _of_causes(of_day, asset_id, day, span, lost[key])
        found += _of_events(records, asset_id, spans, whole, began[asset_id])
    return found + list(_of_silences(clock, list(states.exclude(count_silence=None, stop_silence=None)), spans))


def _of_silences(clock: Clock, states: list[FactState], spans: dict[date, Span]) -> Iterator[Difference]:
    """Days of these assets on which their source was silent, as stored and by the plain records."""
    ids = {state.asset_id for state in states if state.stop_silence or state.counted_from}
    if not ids:
        return
    days = list(spans)
    stored: dict[int, set[date]] = defaultdict(set)
    for row in Silence.objects.filter(Q(until=None) | Q(until__gt=days[0]), asset__in=ids, since__lte=days[-1]):
        stored[row.asset_id] |= {day for day in days if row.since <= day and (row.until is None or day < row.until)}
    for asset_id, records in silence_records(clock.site, ids, days[0], days[-1], instant(clock.now)):
        silent = oracle.silences(records, asset_id)
        right = {day for day, span in spans.items() if clip(silent, span) == (span,)}
        for day in sorted(stored[asset_id] ^ right):
            yield Difference(asset_id, day, "silent", float(day in stored[asset_id]), float(day in right))


def _of_day(records: Records, day: Span) -> Records:
    """What of the records the sums of a day are made of: stops as far as its counts reach, and no failures."""
    counts = [each for each in records.counts if clip((each.span,), day)]
    first = min([day.start, *(each.span.start for each in counts)])
    past = max([day.end, *(each.span.end for each in counts)])
    stops = [each for each in records.stops if each.start < past and (each.end is None or each.end >= first)]
    return replace(records, stops=stops, counts=counts, failures=())


def _of_sums(records: Records, asset_id: int, day: date, span: Span, row: AssetDay | None) -> Iterator[Difference]:
    right = oracle.facts(records, asset_id, span)
    for name in SUMS:
        is_, should = (float(getattr(row, name)) if row else 0.0), float(getattr(right, name))
        if abs(is_ - should) > 1e-6 * max(1.0, abs(should)):
            yield Difference(asset_id, day, name, is_, should)
    if row and (stopped := oracle.stopped(records, asset_id, span)):
        borders = {"stopped_from": stopped.start, "stopped_to": stopped.end}
        for name, moment in borders.items():
            is_, should = getattr(row, name), (moment - span.start).total_seconds()
            if is_ is None or abs(is_ - should) > 1:  # whole seconds; a stop of no length is given one
                yield Difference(asset_id, day, name, is_ or 0, should)


def _of_causes(records: Records, asset_id: int, day: date, span: Span, rows: Iterable[LossDay]) -> Iterator[Difference]:
    """Lost seconds and stops by reason and loss class."""
    nothing = oracle.Cause(0, 0)
    stored: dict[tuple[int | None, str], oracle.Cause] = {}
    for row in rows:
        cause = stored.get((row.reason_id, row.loss), nothing)
        stored[row.reason_id, row.loss] = oracle.Cause(cause.seconds + row.seconds, cause.stops + row.stops)
    right = oracle.causes(records, asset_id, span)
    for reason, loss in sorted(stored.keys() | right.keys(), key=str):
        is_, should = stored.get((reason, loss), nothing), right.get((reason, loss), nothing)
        name = f"{loss} of reason {reason}" if reason else loss
        if is_.seconds != should.seconds:
            yield Difference(asset_id, day, f"{name}, seconds", is_.seconds, should.seconds)
        if is_.stops != should.stops:
            yield Difference(asset_id, day, f"{name}, stops", is_.stops, should.stops)


def _of_events(
    records: Records, asset_id: int, spans: dict[date, Span], whole: Span, rows: Iterable[FailureEvent]
) -> Iterator[Difference]:
    """Failed items and restoration of the failures that began on these days."""
    stored = {row.occurred: row for row in rows}
    right = {event.occurred: event for event in oracle.events(records, asset_id) if whole.covers(event.occurred)}
    for occurred in sorted(stored.keys() | right.keys()):
        is_, should = stored.get(occurred), right.get(occurred)
        day = next(day for day, span in spans.items() if span.covers(occurred))
        items = (is_.items if is_ else 0), (should.items if should else 0)
        counts = (is_ is not None and is_.counts), (should is not None and should.counts)
        if items[0] != items[1]:
            yield Difference(asset_id, day, "items", *items)
        elif counts[0] != counts[1]:
            yield Difference(asset_id, day, "failures", *counts)
        elif is_ and should and is_.restored != should.restored:
            lasted = (((each.restored or occurred) - occurred).total_seconds() for each in (is_, should))
            yield Difference(asset_id, day, "restored", *lasted)


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
