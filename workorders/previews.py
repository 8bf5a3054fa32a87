"""What a trigger would bring in the next months, before anybody saves it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.utils import timezone

from core.models import Site
from workorders.forecast import Course
from workorders.models import OccurrenceState, PlanAsset, PlanOccurrence, PreventivePlan
from workorders.planning import beginnings, day_begins
from workorders.recurrence import Trigger, due_after, preview

MONTHS = 12


@dataclass(frozen=True)
class Due:
    """A moment at which work falls due for so many assets; `assumed` if it counts on earlier work done on its day."""

    due: datetime
    assets: int
    assumed: bool


@dataclass(frozen=True)
class Month:
    """What falls due in a month of the site's calendar."""

    begins: date
    dues: list[Due]
    minutes_each: int | None

    @property
    def orders(self) -> int:
        return sum(due.assets for due in self.dues)

    @property
    def seconds(self) -> int | None:
        return None if self.minutes_each is None else self.orders * self.minutes_each * 60


@dataclass(frozen=True)
class Preview:
    """The next months of a trigger for so many assets, in the site's clock."""

    trigger: Trigger
    site: Site
    since: datetime
    dues: list[Due]
    minutes_each: int | None

    @cached_property
    def months(self) -> list[Month]:
        """Every month of the preview in order, also those without work."""
        first = self.site.local(self.since).date().replace(day=1)
        begins = [
            date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(MONTHS + 1)
        ]
        found: dict[date, list[Due]] = {begin: [] for begin in begins}
        for due in self.dues:
            found[self.site.local(due.due).date().replace(day=1)].append(due)
        return [Month(begin, dues, self.minutes_each) for begin, dues in found.items()]

    @property
    def orders(self) -> int:
        return sum(due.assets for due in self.dues)

    @property
    def seconds(self) -> int | None:
        return None if self.minutes_each is None else self.orders * self.minutes_each * 60

    @property
    def assumes(self) -> bool:
        return any(due.assumed for due in self.dues)

    @property
    def not_made_up_for(self) -> bool:
        """Whether the start lies in the past, so that days before today are left out."""
        return not self.trigger.floating and self.trigger.start < self.site.local(self.since).date()


def of_trigger(
    trigger: Trigger,
    site: Site,
    *,
    assets: int = 1,
    minutes_each: int | None = None,
    now: datetime | None = None,
) -> Preview:
    """A plan that would take effect today."""
    since = day_begins(site, now or timezone.now())
    found = preview(trigger, site.zone, since=since, months=MONTHS)
    dues = [Due(each.due, assets, each.assumed) for each in found] if assets else []
    return Preview(trigger, site, since, dues, minutes_each)


def of_plan(
    plan: PreventivePlan,
    *,
    trigger: Trigger | None = None,
    asset_ids: Sequence[int] | None = None,
    minutes_each: int | None = None,
    now: datetime | None = None,
) -> Preview:
    """How a plan goes on, with its own trigger and assets or with those that an edit would give it.

    What has been generated, done or skipped stays; each asset goes on behind it, as `planning.replan` does. A floating
    plan whose order is open is shown as if the work were done when it is due.
    """
    now = now or timezone.now()
    course = Course.of(plan, trigger)
    since = day_begins(plan.site, now)
    if asset_ids is None:
        asset_ids = list(PlanAsset.objects.filter(plan=plan).values_list("asset_id", flat=True))
    mine = PlanOccurrence.objects.filter(plan=plan, asset__in=asset_ids)
    mine = mine.exclude(state=OccurrenceState.FORECAST, due__gt=now)
    begin = beginnings(course, asset_ids, mine, now=now, since=since)
    ahead = mine.filter(state__in=(OccurrenceState.GENERATED, OccurrenceState.FORECAST))
    ahead = list(ahead.values_list("asset_id", "due", "state"))
    waiting = {asset_id: due for asset_id, due, _state in ahead}
    # What fell due earlier today and waits for the generator; the rest follows from the trigger.
    found = Counter((due, False) for _, due, state in ahead if state == OccurrenceState.FORECAST and due >= since)
    groups = Counter((begin[asset_id], waiting.get(asset_id)) for asset_id in asset_ids)
    for (goes_on, waits_until), count in groups.items():
        for due, assumed in _dues(course, goes_on, waits_until, since=since, now=now):
            found[due, assumed] += count
    dues = [Due(due, count, assumed) for (due, assumed), count in sorted(found.items())]
    minutes = plan.job_plan.estimate_minutes if minutes_each is None else minutes_each
    return Preview(course.trigger, plan.site, since, dues, minutes)


def _dues(
    course: Course, goes_on: datetime | None, waits_until: datetime | None, *, since: datetime, now: datetime
) -> list[tuple[datetime, bool]]:
    """(due, assumed) for assets that have got equally far."""
    if not course.trigger.floating:
        first = due_after(course.trigger, course.zone, goes_on)
    elif goes_on is None:
        first = due_after(course.trigger, course.zone, max(waits_until, now))
    else:
        first = goes_on
    if first is None:
        return []
    shown = preview(course.trigger, course.zone, since=since, months=MONTHS, first=first)
    waiting = course.trigger.floating and goes_on is None
    return [(each.due, each.assumed or waiting) for each in shown]
