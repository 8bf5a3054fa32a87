"""Random edits of a plant, and whether stored facts are then what a computation from nothing gives."""

from datetime import datetime, time, timedelta

from django.db import connection
from django.db.models import Q
from hypothesis import strategies as st

from assets.models import Asset, Downtime, DowntimeReason, Failure, Placement, RedundancyGroup
from core.models import Site
from kpis.facts import store
from kpis.models import AssetDay, ChangedDay, FactState, FailureEvent, LossDay, Silence
from production.models import CalendarException, Count, OperatingCalendar, WeeklySlot
from tests.kpis.plants import GRID, STEPS, gaps

HOUR = timedelta(hours=1)


def snapshot(site: Site) -> list[tuple]:
    """Every stored fact, in an order and a shape that can be compared."""
    days = AssetDay.objects.filter(asset__site=site).values_list()
    losses = LossDay.objects.filter(asset__site=site).values_list("asset", "day", "reason", "loss", "seconds", "stops")
    events = FailureEvent.objects.filter(asset__site=site).values_list()
    states = FactState.objects.filter(asset__site=site).values_list("asset", "through", "observed", "counted_from")
    silences = Silence.objects.filter(asset__site=site).values_list("asset", "since", "until", "days")
    return [
        sorted(silences, key=str),
        sorted(tuple(round(each, 6) if isinstance(each, float) else each for each in row) for row in days),
        sorted(losses, key=str),
        sorted(events, key=str),
        sorted(states),
    ]


def assert_as_computed_anew(site: Site, now: datetime) -> None:
    refreshed = snapshot(site)
    assert not ChangedDay.objects.filter(Q(site=site) | Q(asset__site=site)).exists()
    store.recompute(site, now=now)
    for one, other in zip(refreshed, snapshot(site), strict=True):
        assert one == other


class Editor:
    """Random writes by every path: model saves, bulk updates, bulk creation, deletion, plain SQL."""

    def __init__(self, data, begin: datetime, site: Site):
        self.data, self.begin, self.site = data, begin, site
        self.assets = list(Asset.objects.filter(site=site).order_by("id"))

    def moment(self) -> datetime:
        return self.begin + self.data.draw(st.integers(0, STEPS)) * GRID

    def pick(self, rows):
        rows = list(rows)
        return self.data.draw(st.sampled_from(rows)) if rows else None

    def edit(self) -> None:
        verbs = [
            self.new_stop, self.moved_stop, self.shortened_stops, self.deleted_stop, self.excluded_reason,
            self.new_failure, self.deleted_failure, self.restored_failures, self.new_counts, self.deleted_counts,
            self.move, self.loosened_group, self.calendar, self.holiday, self.life, self.overrun, self.merge_gap,
            self.silence,
        ]  # fmt: skip
        self.data.draw(st.sampled_from(verbs))()

    def new_stop(self) -> None:
        start, length = self.moment(), self.data.draw(st.integers(0, 200))
        reason = self.pick([None, *DowntimeReason.objects.filter(site=self.site).order_by("id")])
        planned = reason.planned if reason else False
        asset = self.pick(self.assets)
        Downtime.objects.bulk_create(
            [Downtime(asset=asset, start=start, end=start + length * GRID, reason=reason, planned=planned)]
        )

    def moved_stop(self) -> None:
        if stop := self.pick(Downtime.objects.exclude(end=None).order_by("id")):
            stop.asset, stop.start = self.pick(self.assets), self.moment()
            stop.end = stop.start + self.data.draw(st.integers(0, 100)) * GRID
            stop.save()

    def shortened_stops(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE assets_downtime SET \"end\" = start + interval '1 hour' WHERE id IN ("
                "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS no FROM assets_downtime) d"
                " WHERE no % 2 = 0)"
            )

    def deleted_stop(self) -> None:
        if stop := self.pick(Downtime.objects.order_by("id")):
            stop.delete()

    def excluded_reason(self) -> None:
        DowntimeReason.objects.filter(planned=True).update(excluded=self.data.draw(st.booleans()))

    def new_failure(self) -> None:
        stop = self.pick([None, *Downtime.objects.order_by("id")])
        occurred = stop.start if stop else self.moment()
        asset = stop.asset if stop else self.pick(self.assets)
        restored = self.data.draw(st.sampled_from([None, occurred, occurred + 5 * GRID, occurred + 200 * GRID]))
        link = stop if self.data.draw(st.booleans()) else None
        Failure.objects.create(asset=asset, occurred=occurred, restored=restored, downtime=link)

    def deleted_failure(self) -> None:
        if failure := self.pick(Failure.objects.order_by("id")):
            failure.delete()

    def restored_failures(self) -> None:
        Failure.objects.filter(restored=None).update(restored=self.begin + STEPS * GRID)

    def new_counts(self) -> None:
        start = self.moment()
        Count.objects.bulk_create(
            Count(asset=asset, start=start, end=start + 50 * GRID, good=100, scrap=3, ideal_cycle=12)
            for asset in self.assets[:2]
        )

    def deleted_counts(self) -> None:
        Count.objects.all().delete()

    def move(self) -> None:
        """From a moment on a placement is another one."""
        placement = self.pick(Placement.objects.filter(parent__isnull=False).order_by("id"))
        moment = self.moment()
        lower, upper = placement.valid.lower, placement.valid.upper
        if (lower and moment <= lower) or (upper and moment >= upper):
            placement.stops_parent = not placement.stops_parent
            placement.save()
            return
        placement.valid = (lower, moment)
        placement.save()
        parent = self.pick(asset for asset in self.assets if asset.pk < placement.asset_id)
        Placement.objects.create(
            asset=placement.asset, parent=parent, stops_parent=self.data.draw(st.booleans()), valid=(moment, upper)
        )

    def loosened_group(self) -> None:
        RedundancyGroup.objects.update(needed=self.data.draw(st.integers(1, 3)))

    def calendar(self) -> None:
        if row := self.pick(OperatingCalendar.objects.order_by("id")):
            if self.data.draw(st.booleans()):
                row.delete()
            else:
                WeeklySlot.objects.filter(calendar=row).update(end=time(9, 30))
            return
        row = OperatingCalendar.objects.create(
            site=self.site, asset=self.pick([None, *self.assets]), name="new", valid_from=self.begin.date()
        )
        WeeklySlot.objects.bulk_create(
            WeeklySlot(calendar=row, weekday=day, start=time(6), end=time(2)) for day in range(7)
        )

    def holiday(self) -> None:
        if row := self.pick(OperatingCalendar.objects.order_by("id")):
            day = self.moment().date()
            if not CalendarException.objects.filter(calendar=row, date=day).exists():
                CalendarException.objects.create(calendar=row, date=day).slots.create(start=time(4), end=time(5))

    def life(self) -> None:
        asset = self.pick(self.assets)
        asset.commissioned, asset.retired = self.moment(), None
        asset.save()

    def overrun(self) -> None:
        self.site.overrun_is_unplanned = not self.site.overrun_is_unplanned
        self.site.save()

    def merge_gap(self) -> None:
        self.site.failure_merge_gap = self.data.draw(gaps) // timedelta(minutes=1)
        self.site.save()

    def silence(self) -> None:
        days = st.sampled_from([None, 1, 2, 3])
        self.site.count_silence_days, self.site.stop_silence_days = self.data.draw(days), self.data.draw(days)
        self.site.save()
        Asset.objects.filter(pk=self.pick(self.assets).pk).update(silence_days=self.data.draw(days))
