"""The weeks on which planners and production of the demo plant agreed, each on its Monday morning."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from cmms.demo.orders import Work
from cmms.demo.plant import Plant
from core.models import Site
from workorders.agreeing import scheduled_in
from workorders.models import AgreedOrder, AgreedWeek, State
from workorders.week import midnight

WEEKS = 26  # with the current one
HOUR = time(9)  # of the meeting


def promise(plant: Plant, works: list[Work]) -> int:
    """Agree on the last weeks, and on the current one; returns on how many."""
    made = 0
    for site in plant.sites.values():
        today = site.local(plant.now).date()
        here = [work for work in works if work.site.pk == site.pk and work.state != State.DRAFT]
        for number in range(WEEKS):
            monday = today - timedelta(days=today.weekday() + 7 * number)
            meeting = datetime.combine(monday, HOUR, site.zone)
            orders = {each.id: each.estimate for each in _scheduled(here, site, monday, meeting)}
            if not number:  # what the generator raised stands there as well
                preventive = scheduled_in(site, monday).filter(occurrence__isnull=False)
                orders |= {each.pk: each.minutes for each in preventive}
            if orders and meeting <= plant.now:
                _agree(plant, site, monday, meeting, orders)
                made += 1
    return made


def _scheduled(works: Iterable[Work], site: Site, monday: date, meeting: datetime) -> Iterable[Work]:
    """What was known and open when they met, and due or begun in the week."""
    start, end = midnight(site, monday), midnight(site, monday + timedelta(days=7))
    for work in works:
        ended = work.completed_at or (work.state_since if work.state == State.CANCELLED else None)
        if work.reported_at >= meeting or (ended and ended <= meeting):
            continue
        due = work.due_to is not None and start <= work.due_to < end
        if due or any(begin and start <= begin < end for _, begin, _ in work.assignments):
            yield work


def _agree(plant: Plant, site: Site, monday: date, meeting: datetime, orders: dict[int, int | None]) -> None:
    planner = plant.staff(site, "planner")[0]
    week = AgreedWeek.objects.create(site=site, monday=monday, agreed_at=meeting, agreed_by=planner)
    AgreedOrder.objects.bulk_create(AgreedOrder(week=week, order_id=pk, minutes=each) for pk, each in orders.items())
