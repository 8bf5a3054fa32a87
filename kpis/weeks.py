"""ISO weeks of a site: seven production days from Monday on, and when a report of one is due."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils.translation import gettext as _

from core.models import Site
from core.weeks import name_of
from kpis.windows import Window

WEEK = timedelta(days=7)
HOUR_DUE = time(6)  # of the Monday after, at the site
NAME = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
FIRST_YEAR = 1970


@dataclass(frozen=True)
class Week:
    """The week that begins on a Monday."""

    site: Site
    monday: date

    def __str__(self) -> str:
        """As an address names it: 2026-W47."""
        return name_of(self.monday)

    @property
    def title(self) -> str:
        year, number, _day = self.monday.isocalendar()
        return _("Week %(number)d of %(year)d") % {"number": number, "year": year}

    @property
    def window(self) -> Window:
        return Window.of_days(self.site, self.monday, self.monday + WEEK, unit="week")

    @property
    def due(self) -> datetime:
        """When its report is sent: Monday at six, or when Sunday's production day is over where that is later."""
        morning = datetime.combine(self.monday + WEEK, HOUR_DUE, tzinfo=self.site.zone).astimezone(UTC)
        return max(morning, self.window.end)

    def moved(self, weeks: int) -> "Week":
        return Week(self.site, self.monday + weeks * WEEK)


def running(site: Site, now: datetime) -> Week:
    today = site.production_day(now)
    return Week(site, today - timedelta(days=today.weekday()))


def newest_due(site: Site, now: datetime) -> Week:
    """The latest week whose report is due."""
    week = running(site, now)
    while week.due > now:
        week = week.moved(-1)
    return week


def asked(site: Site, text: str, now: datetime) -> tuple[Week, str]:
    """The week that an address names, and what is wrong with it; without one, or a wrong one, the last whole week."""
    last = running(site, now).moved(-1)
    if not text:
        return last, ""
    found = NAME.fullmatch(text.strip())
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if found and monday is None and int(found[1]) >= FIRST_YEAR:
        weeks = date(int(found[1]), 12, 28).isocalendar().week  # the last week of a year has the 28th in it
        return last, _("%(year)s has the weeks 1 to %(weeks)d.") % {"year": found[1], "weeks": weeks}
    if monday is None or monday.year < FIRST_YEAR:
        return last, _("Give the week as year and number, such as 2026-W47.")
    if monday > last.monday + WEEK:
        return last, _("This week has not begun.")
    return Week(site, monday), ""
