"""Plain records written into the database, so that the SQL can be asked what the oracle is asked."""

from dataclasses import dataclass
from datetime import date, time, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from assets import models as assets
from core.models import Site
from kpis import oracle
from kpis import plain_records as plain
from kpis.axis import epoch
from kpis.facts.live import CellFacts, Event, compute
from kpis.formulas import Facts
from kpis.intervals import Span
from production import models as production


@dataclass
class Stored:
    """The site and, by their number in the records, the assets and reasons."""

    records: plain.Records
    site: Site
    assets: dict[int, assets.Asset]
    reasons: dict[tuple, assets.DowntimeReason]
    stops: dict[int, assets.Downtime]

    def reason(self, cause: tuple[int | None, str]) -> int | None:
        """The row's id of a reason as the oracle's causes name it."""
        rows = [row.pk for (number, _, loss), row in self.reasons.items() if number == cause[0]]
        return rows[0] if rows and cause[0] is not None else None

    def live(self, number: int, window: Span) -> tuple[Facts, CellFacts]:
        """Facts of the window computed from the rows, without anything stored."""
        records, asset = self.records, self.assets[number]
        served = oracle._served(records, number, window)
        lo, hi = epoch(served.start), epoch(served.end)
        watch = {asset.pk: [(first_instant(records), epoch(records.now))]}
        cells, events = compute(self.site, [(asset.pk, lo, hi)], watch, epoch(records.now))
        return facts_of(cells.get(0, CellFacts()), [e for e in events if window.covers(e.occurred)])


def facts_of(cell: CellFacts, events: list[Event]) -> tuple[Facts, CellFacts]:
    failures = [event for event in events if event.counts]
    restored = [event for event in failures if event.restored is not None]
    losses: dict[str, float] = {}
    for (_, loss), (seconds, _stops) in cell.causes.items():
        losses[loss] = losses.get(loss, 0.0) + seconds
    facts = Facts(
        **cell.sums,
        losses=losses,
        events=len(failures),
        items=sum(event.items for event in failures),
        found=sum(event.found for event in events),
        restored=len(restored),
        restoration=sum((event.restored - event.occurred).total_seconds() for event in restored),
        open_events=sum(event.open for event in failures),
    )
    return facts, cell


def first_instant(records: plain.Records) -> int:
    """Before all records, and before now; of none, a week before now."""
    starts = [each.start for each in records.stops]
    starts += [each.occurred for each in records.failures]
    starts += [each.span.start for each in records.counts]
    now = epoch(records.now)
    return min([now, *map(epoch, starts)] if starts else [now - 604_800]) - 1


def numbers_in(records: plain.Records) -> set[int]:
    """The assets that the records name."""
    named = {1, *records.lives, *(owner for owner in records.calendars if owner is not None)}
    for row in (*records.stops, *records.failures, *records.counts, *records.placements):
        named.add(row.asset)
    named |= {each.parent for each in records.placements if each.parent is not None}
    return named


def store(records: plain.Records, *, day_start: time = time(0), code: str = "plant", **settings) -> Stored:
    site = Site.objects.create(
        code=code,
        name=code,
        time_zone=records.zone.key,
        day_start=day_start,
        overrun_is_unplanned=records.overrun_is_unplanned,
        failure_merge_gap=records.merge_gap // timedelta(minutes=1),
        count_silence_days=records.count_silence_days,
        stop_silence_days=records.stop_silence_days,
        **settings,
    )
    rows = {number: _asset(records, site, number) for number in sorted(numbers_in(records))}
    groups = {
        group.id: assets.RedundancyGroup.objects.create(
            parent=rows[group.parent], name=str(group.id), needed=group.needed
        )
        for group in records.groups
    }
    for placement in records.placements:
        assets.Placement.objects.create(
            asset=rows[placement.asset],
            parent=rows.get(placement.parent),
            stops_parent=placement.stops_parent,
            redundancy_group=groups.get(placement.group),
            valid=DateTimeTZRange(
                None if placement.valid.start == plain.BEGINNING else placement.valid.start,
                None if placement.valid.end == plain.END else placement.valid.end,
            ),
        )
    _calendars(records, site, rows)
    reasons, stops = {}, {}
    for stop in sorted(records.stops, key=lambda each: each.reason or 0):
        _reason(site, stop, reasons)  # in the order in which the plain records number them
    for stop in records.stops:
        stops[stop.id] = assets.Downtime.objects.create(
            asset=rows[stop.asset],
            start=stop.start,
            end=stop.end,
            planned=stop.planned,
            planned_end=stop.planned_end,
            reason=_reason(site, stop, reasons),
        )
    for failure in records.failures:
        assets.Failure.objects.create(
            asset=rows[failure.asset],
            occurred=failure.occurred,
            restored=failure.restored,
            downtime=stops.get(failure.stop),
            detection="maintenance" if failure.found else "operation",
        )
    for count in records.counts:
        production.Count.objects.create(
            asset=rows[count.asset],
            start=count.span.start,
            end=count.span.end,
            good=count.good,
            scrap=count.scrap,
            rework=count.rework,
            ideal_cycle=count.ideal_cycle,
        )
    return Stored(records, site, rows, reasons, stops)


def _asset(records: plain.Records, site: Site, number: int) -> assets.Asset:
    life = records.lives.get(number)
    return assets.Asset.objects.create(
        site=site,
        code=f"A{number}",
        name=f"Asset {number}",
        short_stop_seconds=records.short_stops.get(number, 0),
        silence_days=records.silence_days.get(number),
        commissioned=life and life.start,
        retired=life and (None if life.end == plain.END else life.end),
    )


def _reason(site: Site, stop: plain.Stop, reasons: dict) -> assets.DowntimeReason | None:
    key = (stop.reason, stop.excluded, stop.loss)
    if key == (None, False, "unclassified"):
        return None
    if key not in reasons:
        reasons[key] = assets.DowntimeReason.objects.create(
            site=site,
            code=f"r{len(reasons)}",
            name=f"Reason {len(reasons)}",
            planned=stop.planned,
            excluded=stop.excluded,
            loss_class="other" if stop.loss == "unclassified" else stop.loss,
        )
    return reasons[key]


def _calendars(records: plain.Records, site: Site, rows: dict[int, assets.Asset]) -> None:
    for owner, calendars in records.calendars.items():
        for calendar in calendars:
            row = production.OperatingCalendar.objects.create(
                site=site,
                asset=rows.get(owner),
                name="calendar",
                valid_from=max(calendar.valid_from, date(1900, 1, 1)),
                valid_to=None if calendar.valid_to == date.max else calendar.valid_to,
            )
            for weekday, slots in calendar.weekly.items():
                for start, end in slots:
                    row.weekly.create(weekday=weekday, start=start, end=end)
            for day, slots in calendar.exceptions.items():
                exception = row.exceptions.create(date=day)
                for start, end in slots:
                    exception.slots.create(start=start, end=end)
