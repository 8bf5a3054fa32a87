"""The week as people × days, with the backlog that nobody has yet."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import F, QuerySet
from django.utils.formats import number_format

from core.models import Site
from core.weeks import monday_named, name_of
from people.directory import people_who
from people.models import User
from people.roles import Role
from workorders.models import Assignment, WorkOrder
from workorders.states import State

MOST_WAITING = 100


@dataclass(frozen=True)
class Cell:
    """What one person has on one day."""

    day: date
    assignments: list[Assignment]

    @property
    def minutes(self) -> int:
        return sum(each.minutes or 0 for each in self.assignments)

    @property
    def hours(self) -> str:
        return said_hours(self.minutes)


@dataclass(frozen=True)
class Line:
    """One person's week."""

    person: User
    cells: list[Cell]

    @property
    def minutes(self) -> int:
        return sum(cell.minutes for cell in self.cells)

    @property
    def hours(self) -> str:
        return said_hours(self.minutes)


@dataclass(frozen=True)
class Week:
    """Seven days of a site, Monday first, on its clock."""

    site: Site
    days: list[date]
    lines: list[Line]
    backlog: list[WorkOrder]

    @property
    def name(self) -> str:
        return name_of(self.days[0])

    @property
    def previous(self) -> str:
        return name_of(self.days[0] - timedelta(days=7))

    @property
    def next(self) -> str:
        return name_of(self.days[0] + timedelta(days=7))

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.lines)

    @property
    def orders(self) -> list[WorkOrder]:
        """Each order that somebody has in this week, once."""
        found = {each.order_id: each.order for line in self.lines for cell in line.cells for each in cell.assignments}
        return list(found.values())

    @property
    def count(self) -> int:
        return sum(len(cell.assignments) for line in self.lines for cell in line.cells)


def said_hours(minutes: int) -> str:
    """Hours with one digit where they are not whole."""
    return number_format(round(minutes / 60, 1) if minutes % 60 else minutes // 60)


def monday_of(name: str, today: date) -> date:
    """The Monday of a week by name, or that of the current one."""
    return monday_named(name) or today - timedelta(days=today.weekday())


def midnight(site: Site, day: date) -> datetime:
    """The instant at which a calendar day begins at the site; a day may last 23, 24 or 25 hours."""
    return datetime.combine(day, time.min, site.zone).astimezone(UTC)


def week_of(site: Site, monday: date) -> Week:
    """Who does what on which day, in a constant number of queries."""
    days = [monday + timedelta(days=each) for each in range(7)]
    found = (
        Assignment.objects.filter(
            order__site=site,
            start__gte=midnight(site, monday),
            start__lt=midnight(site, monday + timedelta(days=7)),
        )
        .exclude(order__state=State.CANCELLED)
        .select_related("order__asset", "order__site", "person")
        .order_by("start", "pk")
    )
    placed: dict[tuple[int, date], list[Assignment]] = defaultdict(list)
    people = {person.pk: person for person in crew(site)}
    for assignment in found:
        people.setdefault(assignment.person_id, assignment.person)
        placed[assignment.person_id, site.local(assignment.start).date()].append(assignment)
    lines = [Line(person, [Cell(day, placed.get((person.pk, day), [])) for day in days]) for person in people.values()]
    return Week(site, days, lines, backlog(site))


def crew(site: Site) -> QuerySet[User]:
    """Those whose work the week is about: technicians. Others appear in the weeks in which they have work."""
    return people_who("execute", site).filter(memberships__site=site, memberships__role=Role.TECHNICIAN)


def backlog(site: Site) -> list[WorkOrder]:
    """Open orders that nobody has a time for, the most urgent first; drafts wait for approval at the end."""
    return list(
        WorkOrder.objects.at(site)
        .filter(state__in=[State.DRAFT, State.APPROVED, State.PLANNED])
        .exclude(assignments__start__isnull=False)
        .select_related("asset", "site")
        .order_by("priority", F("due_to").asc(nulls_last=True), "pk")[:MOST_WAITING]
    )
