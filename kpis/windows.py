"""The window of a page of figures: whole production days of a site, and how they are cut for a trend."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import QueryDict
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.models import Site

DAY = timedelta(days=1)
ROLLING = {"7d": 7, "30d": 30, "90d": 90, "365d": 365}
CHOICES = [
    ("day", gettext_lazy("Yesterday")),
    ("week", gettext_lazy("This week")),
    ("month", gettext_lazy("This month")),
    ("quarter", gettext_lazy("This quarter")),
    ("year", gettext_lazy("This year")),
    ("7d", gettext_lazy("7 days")),
    ("30d", gettext_lazy("30 days")),
    ("90d", gettext_lazy("90 days")),
    ("365d", gettext_lazy("365 days")),
]
DEFAULT = "30d"
LONGEST = 3660  # days


@dataclass(frozen=True)
class Window:
    """Production days `first` to before `past` of a site; `name` is a choice of the picker or "free"."""

    site: Site
    first: date
    past: date
    name: str = "free"
    error: str = ""

    @property
    def start(self) -> datetime:
        return self.site.day_begins(self.first)

    @property
    def end(self) -> datetime:
        return self.site.day_begins(self.past)

    @property
    def days(self) -> int:
        return (self.past - self.first).days

    @property
    def by(self) -> str:
        """How a trend of this window is cut."""
        return "day" if self.days <= 45 else "week" if self.days <= 200 else "month"

    @property
    def trend_start(self) -> datetime:
        """A trend shows at least two weeks, so that a single day has something to be compared with."""
        return self.site.day_begins(min(self.first, self.past - 14 * DAY))

    @property
    def last(self) -> date:
        """The last day, as people name it."""
        return self.past - DAY

    def __str__(self) -> str:
        first, last = (formats.date_format(day, "SHORT_DATE_FORMAT") for day in (self.first, self.last))
        return first if self.days == 1 else f"{first} – {last}"

    def moved(self, steps: int) -> "Window":
        """The window of the same length before (−1) or after (1) this one."""
        shift = steps * self.days * DAY
        return Window(self.site, self.first + shift, self.past + shift)

    @property
    def query(self) -> str:
        return f"from={self.first:%Y-%m-%d}&to={self.last:%Y-%m-%d}"


def asked(site: Site, query: QueryDict, *, now: datetime, default: str = DEFAULT) -> Window:
    """The window that the address asks for; a wrong date is said (`error`) and the default window shown."""
    today = site.production_day(now)
    if query.get("from") or query.get("to"):
        try:
            first, last = (date.fromisoformat(query.get(name) or "") for name in ("from", "to"))
        except ValueError:
            return _named(site, default, today, error=_("Give both dates as year-month-day, such as 2026-03-31."))
        if last < first:
            return _named(site, default, today, error=_("The last day lies before the first."))
        if (last - first).days > LONGEST:
            return _named(site, default, today, error=_("A window may be ten years long at most."))
        return Window(site, first, last + DAY)
    name = query.get("window", default)
    return _named(site, name if name in dict(CHOICES) else default, today)


def covering(site: Site, start: datetime, end: datetime) -> Window:
    """The whole production days that [start, end) touches."""
    last = site.production_day(max(start, end - timedelta(microseconds=1)))
    return Window(site, site.production_day(start), last + DAY)


def _named(site: Site, name: str, today: date, error: str = "") -> Window:
    past = today + DAY
    if name in ROLLING:
        # Rolling windows end with the last whole day: the running one would pull every figure about.
        return Window(site, today - ROLLING[name] * DAY, today, name, error)
    if name == "day":
        return Window(site, today - DAY, today, name, error)
    first = {
        "week": today - today.weekday() * DAY,
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "year": today.replace(month=1, day=1),
    }[name]
    return Window(site, first, past, name, error)
