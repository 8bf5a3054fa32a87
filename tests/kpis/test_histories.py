"""A state machine of a small plant: things happen and are corrected, time passes, days are computed, workers die.

Whatever happens, at any moment every window reads as the plain oracle says; and once the marks are worked off, what is
stored is what would be stored if everything were computed anew, and what the oracle says of each day.
"""

import os
from datetime import UTC, datetime, time, timedelta

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from assets.models import Asset, Downtime, DowntimeReason, Failure, Placement, RedundancyGroup
from core.models import Site
from kpis import oracle
from kpis import plain_records as plain
from kpis.computing import compute_site
from kpis.facts.records import shelf
from kpis.figures import known
from kpis.intervals import span
from production.models import CalendarException, Count, OperatingCalendar, WeeklySlot
from tests.kpis import scene
from tests.kpis.plants import begins
from tests.kpis.test_reading import assert_alike, without_record
from tests.kpis.test_sql_equals_oracle import assert_stored
from tests.kpis.world import Stored

GRID = timedelta(minutes=10)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
A_DAY = 144  # steps of the grid

ago = st.integers(0, A_DAY) | st.integers(0, 5 * A_DAY)
lengths = st.integers(0, 12) | st.integers(0, 2 * A_DAY)
which = st.integers(0, 1_000_000)  # of the rows that there are
hours = st.sampled_from([time(0), time(2, 30), time(6), time(14), time(22)])


class Killed(BaseException):
    """What a worker dies of."""


class Present(Stored):
    """What is written at the moment; assets and reasons go by their keys."""

    def reason(self, cause):
        return cause[0]


class History(RuleBasedStateMachine):
    """A line with a machine and its spare (a group), a part of the machine, and another line."""

    @initialize(
        begin=begins, day_start=st.sampled_from([time(0), time(6)]), grouped=st.booleans(), calendar=st.booleans(),
        stops=st.lists(st.tuples(which, ago, lengths, which, st.none() | lengths), min_size=5, max_size=12),
        failures=st.lists(st.tuples(which, which, ago, st.none() | lengths, st.booleans()), min_size=3, max_size=6),
        counts=st.lists(st.tuples(which, ago, st.integers(1, A_DAY), st.integers(0, 500)), min_size=1, max_size=4),
    )  # fmt: skip
    def opens(self, begin, day_start, grouped, calendar, stops, failures, counts):
        """Some days have passed and are stored."""
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.now = begin + timedelta(days=3)
        self.site = Site.objects.create(code="plant", name="Plant", time_zone="Europe/Berlin", day_start=day_start)
        self.assets = [
            Asset.objects.create(site=self.site, code=f"A{number}", name="Asset", short_stop_seconds=1200)
            for number in range(5)
        ]
        _other, line, machine, spare, part = self.assets
        self.groups = [RedundancyGroup.objects.create(parent=each, name="Group", needed=1) for each in (line, machine)]
        for asset, parent in ((machine, line), (spare, line), (part, machine)):
            group = self.groups[0] if grouped and parent == line else None
            Placement.objects.create(
                asset=asset, parent=parent, stops_parent=True, redundancy_group=group, valid=DateTimeTZRange(None, None)
            )
        DowntimeReason.objects.create(site=self.site, code="broken", name="Broken", loss_class="breakdown")
        for code, excluded in (("setup", False), ("lunch", True)):
            DowntimeReason.objects.create(site=self.site, code=code, name=code, planned=True, excluded=excluded)
        if calendar:
            self.agree(0, time(6), time(22), -9)
        for each in stops:
            self.enter_stop(*each)
        for each in failures:
            self.enter_failure(*each)
        for each in counts:
            self.enter_count(*each)
        compute_site(self.site, now=self.now)

    def teardown(self):
        if undone := getattr(self, "undone", None):
            try:
                self.works_off()
            finally:
                transaction.set_rollback(True)
                undone.__exit__(None, None, None)

    def before(self, steps: int) -> datetime:
        return self.now - steps * GRID

    def pick(self, model, number: int, **of):
        rows = model.objects.filter(**of).order_by("pk")
        return rows[number % count] if (count := rows.count()) else None

    # --- Stops, failures, counts ---------------------------------------------------------------------------

    @rule(asset=which, steps=ago, length=lengths, reason=which, planned_end=st.none() | lengths)
    def a_stop_is_entered(self, **said):
        self.enter_stop(**said)

    def enter_stop(self, asset, steps, length, reason, planned_end):
        start = self.before(steps)
        cause = self.pick(DowntimeReason, reason) if reason % 4 else None
        planned = bool(cause and cause.planned)
        Downtime.objects.create(
            asset=self.assets[asset % 5], start=start, end=min(start + length * GRID, self.now), reason=cause,
            planned=planned, planned_end=start + planned_end * GRID if planned and planned_end is not None else None,
        )  # fmt: skip

    @rule(asset=which, steps=ago)
    def an_asset_is_down(self, asset, steps):
        if not Downtime.objects.filter(asset=self.assets[asset % 5], end=None).exists():
            Downtime.objects.create(asset=self.assets[asset % 5], start=self.before(steps))

    @rule(stop=which, steps=ago)
    def an_asset_is_back(self, stop, steps):
        if row := self.pick(Downtime, stop, end=None):
            row.end = max(row.start, self.before(steps))
            row.save()

    @rule(stop=which, asset=which, steps=ago, length=lengths)
    def a_stop_is_corrected(self, stop, asset, steps, length):
        if row := self.pick(Downtime, stop, end__isnull=False):
            row.asset, row.start = self.assets[asset % 5], self.before(steps)
            row.end = min(row.start + length * GRID, self.now)
            row.save()

    @rule(stop=which)
    def a_stop_is_removed(self, stop):
        if row := self.pick(Downtime, stop):
            row.delete()

    @rule(stop=which, asset=which, steps=ago, lasted=st.none() | lengths, found=st.booleans())
    def a_failure_is_entered(self, **said):
        self.enter_failure(**said)

    def enter_failure(self, stop, asset, steps, lasted, found):
        row = self.pick(Downtime, stop) if stop % 3 else None
        occurred = row.start if row else self.before(steps)
        Failure.objects.create(
            asset=row.asset if row else self.assets[asset % 5], occurred=occurred,
            restored=None if lasted is None else min(occurred + lasted * GRID, self.now),
            downtime=row if stop % 2 else None, detection="maintenance" if found else "operation",
        )  # fmt: skip

    @rule(failure=which, steps=ago)
    def a_failure_is_restored(self, failure, steps):
        if row := self.pick(Failure, failure, restored=None):
            Failure.objects.filter(pk=row.pk).update(restored=max(row.occurred, self.before(steps)))

    @rule(failure=which)
    def a_failure_is_removed(self, failure):
        if row := self.pick(Failure, failure):
            row.delete()

    @rule(asset=which, steps=ago, length=st.integers(1, 2 * A_DAY), good=st.integers(0, 500))
    def pieces_are_counted(self, **said):
        self.enter_count(**said)

    def enter_count(self, asset, steps, length, good):
        start = self.before(max(1, steps))
        Count.objects.create(
            asset=self.assets[asset % 5], start=start, end=min(start + length * GRID, self.now), good=good, scrap=3,
            ideal_cycle=20,
        )  # fmt: skip

    @rule(count=which, cycle=st.none() | st.integers(1, 60))
    def a_count_is_corrected_or_removed(self, count, cycle):
        if row := self.pick(Count, count):
            if cycle is None:
                row.delete()
            else:
                Count.objects.filter(pk=row.pk).update(ideal_cycle=cycle)

    # --- The plant -----------------------------------------------------------------------------------------

    @rule(asset=which, parent=which, steps=ago, stops=st.booleans(), grouped=st.booleans())
    def an_asset_is_moved(self, asset, parent, steps, stops, grouped):
        """Below one that was there before it, so that nothing stands in itself."""
        row = self.pick(Placement, asset, valid__endswith=None)
        if row is None:
            return
        above = self.assets[parent % self.assets.index(row.asset)]
        group = next((each for each in self.groups if grouped and each.parent == above), None)
        moment = self.before(steps)
        if row.valid.lower is None or row.valid.lower < moment:
            row.valid = DateTimeTZRange(row.valid.lower, moment)
            row.save()
            row = Placement(asset=row.asset, valid=DateTimeTZRange(moment, None))
        row.parent, row.stops_parent, row.redundancy_group = above, stops, group
        row.save()

    @rule(owner=which, start=hours, end=hours, days=st.integers(-3, 3))
    def a_calendar_is_agreed_or_changed(self, **said):
        self.agree(**said)

    def agree(self, owner, start, end, days):
        asset = ([None, *self.assets])[owner % 6]
        valid_from = self.now.date() + timedelta(days)
        row = OperatingCalendar.objects.filter(asset=asset).first() or OperatingCalendar.objects.create(
            site=self.site, asset=asset, name="Hours", valid_from=valid_from
        )
        WeeklySlot.objects.filter(calendar=row).delete()
        WeeklySlot.objects.bulk_create(WeeklySlot(calendar=row, weekday=day, start=start, end=end) for day in range(7))

    @rule(calendar=which, days=st.integers(-4, 2), slot=st.none() | st.tuples(hours, hours))
    def a_date_is_another(self, calendar, days, slot):
        if row := self.pick(OperatingCalendar, calendar):
            exception, _new = CalendarException.objects.get_or_create(
                calendar=row, date=self.now.date() + timedelta(days)
            )
            exception.slots.all().delete()
            if slot:
                exception.slots.create(start=slot[0], end=slot[1])

    @rule(calendar=which)
    def a_calendar_is_removed(self, calendar):
        if row := self.pick(OperatingCalendar, calendar):
            row.delete()

    @rule(asset=which, commissioned=st.none() | ago, retired=st.none() | st.integers(1, 3 * A_DAY), short=st.booleans())
    def an_asset_is_another(self, asset, commissioned, retired, short):
        """Its short stop threshold, or its service life."""
        row = Asset.objects.filter(pk=self.assets[asset % 5].pk)
        if short:
            row.update(short_stop_seconds=60 * (retired or 0))
        else:
            since = None if commissioned is None else self.before(commissioned)
            until = None if retired is None else (since or self.before(2 * A_DAY)) + retired * GRID
            row.update(commissioned=since, retired=until)

    @rule(what=st.sampled_from(["group", "excluded", "loss", "overrun", "day"]), number=st.integers(0, 2))
    def something_is_settled(self, what, number):
        if what == "group":
            RedundancyGroup.objects.update(needed=max(1, number))
        elif what == "excluded":
            DowntimeReason.objects.filter(planned=True).update(excluded=bool(number))
        elif what == "loss":
            DowntimeReason.objects.update(loss_class=("breakdown", "setup", "other")[number])
        elif what == "overrun":
            self.site.overrun_is_unplanned = not self.site.overrun_is_unplanned
        else:
            self.site.day_start = (time(0), time(3, 30), time(6))[number]
        self.site.save()

    # --- Time, computing, reading --------------------------------------------------------------------------

    @rule(steps=st.integers(1, 2 * A_DAY), computed=st.booleans())
    def time_passes(self, steps, computed):
        self.now += steps * GRID
        if computed:
            compute_site(self.site, now=self.now)

    @rule(statements=st.integers(1, 60))
    def a_worker_dies(self, statements):
        """At any of its statements; with fewer it comes to its end."""
        left = [statements]

        def execute(run, *arguments):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return run(*arguments)

        try:
            with transaction.atomic(), connection.execute_wrapper(execute):
                compute_site(self.site, now=self.now)
        except Killed:
            return

    @rule(first=st.integers(-A_DAY, 5 * A_DAY), length=st.integers(1, 5 * A_DAY), cut=st.integers(1, 5 * A_DAY))
    def a_window_is_read(self, first, length, cut):
        start = self.before(first)
        end = start + length * GRID
        inner = start + cut * GRID
        self.assert_read([(start, end)] if inner >= end else [(start, inner), (inner, end)])

    @invariant()
    def all_so_far_is_read_right(self):
        if hasattr(self, "site"):
            self.assert_read([(self.before(9 * A_DAY), self.before(A_DAY)), (self.before(A_DAY), self.now)])

    @rule()
    def what_is_due_is_computed(self):
        self.works_off()

    @rule()
    def marks_are_worked_off(self):
        """Twice among the rules, so that few changes cover each other."""
        self.works_off()

    def works_off(self):
        stored = scene.work_off(self.site, self.now)
        for one, other in zip(stored, scene.computed_anew(self.site, self.now), strict=True):
            assert one == other
        assets = {asset.pk: asset for asset in self.assets}
        assert_stored(Present(self.records(), self.site, assets, {}, {}), self.site.day_start)

    def records(self) -> plain.Records:
        """Everything that is written at the moment."""
        found = shelf(self.site, [asset.pk for asset in self.assets], LONG_AGO, NEVER, self.now)
        stops, failures, counts = (
            [row for rows in kept.values() for row in rows] for kept in (found.stops, found.failures, found.counts)
        )
        return plain.Records(
            now=self.now, zone=self.site.zone, stops=stops, failures=failures, counts=counts,
            placements=found.placements, groups=found.groups, calendars=found.calendars, lives=found.lives,
            short_stops=found.short_stops, overrun_is_unplanned=self.site.overrun_is_unplanned,
        )  # fmt: skip

    def assert_read(self, windows):
        records = self.records()
        for each in known(self.assets, windows, site=self.site, scope="asset", now=self.now):
            asset, window = each.asset.pk, span(each.start, each.end)
            told = (each.asset.code, each.start, each.end)
            expected = oracle.facts(records, asset, window)
            assert_alike(without_record(each.answer.all), without_record(expected), told)
            assert {cause: sums for cause, sums in each.answer.causes.items() if any(sums)} == {
                cause: (lost.seconds, lost.stops)
                for cause, lost in oracle.causes(records, asset, window).items()
                if lost.seconds or lost.stops
            }, told


def test_at_any_moment_of_any_history_figures_are_what_the_oracle_says(db):
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=int(os.environ.get("KPI_EXAMPLES", 12)), stateful_step_count=25, deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink in the database would take minutes
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
