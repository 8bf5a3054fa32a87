"""The window of a page of figures: days, calendar units or shifts of a site, and what it is compared with."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.http import QueryDict
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.models import Asset
from core.errors import Refused
from core.models import Site
from kpis import edges
from kpis.cutting import shift_starts
from kpis.intervals import on_the_clock

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
ROLLING = {"7d": 7, "30d": 30, "90d": 90, "365d": 365}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
SHIFTS = ("shift", "last-shift")
GROUPS = [
    (
        gettext_lazy("So far"),
        [
            ("today", gettext_lazy("Today so far")),
            ("shift", gettext_lazy("This shift")),
            ("week", gettext_lazy("This week")),
            ("month", gettext_lazy("This month")),
            ("quarter", gettext_lazy("This quarter")),
            ("year", gettext_lazy("This year")),
        ],
    ),
    (
        gettext_lazy("Whole"),
        [
            ("day", gettext_lazy("Yesterday")),
            ("last-shift", gettext_lazy("Last shift")),
            ("last-week", gettext_lazy("Last week")),
            ("last-month", gettext_lazy("Last month")),
            ("last-quarter", gettext_lazy("Last quarter")),
            ("last-year", gettext_lazy("Last year")),
        ],
    ),
    (
        gettext_lazy("Rolling"),
        [
            ("7d", gettext_lazy("7 days")),
            ("30d", gettext_lazy("30 days")),
            ("90d", gettext_lazy("90 days")),
            ("365d", gettext_lazy("365 days")),
        ],
    ),
]
NAMES = {name: label for _group, choices in GROUPS for name, label in choices}
DEFAULT = "30d"
FORMER, YEAR, NOTHING = "former", "year", "none"
COMPARISONS = {
    FORMER: gettext_lazy("The period before"),
    YEAR: gettext_lazy("The same period last year"),
    NOTHING: gettext_lazy("Nothing"),
}
LONGEST = 3660  # days
EDGES = ("from", "from_time", "to", "to_time")  # of a free window, in the address
SAME_WEEKDAY = 364  # days: a year back on the same weekday
TREND_DAYS = {"day": 14, "shift": 7}  # a trend shows at least so many, so that one day has others beside it
SHIFTS_AROUND = 28 * DAY  # how far a neighbouring shift is looked for


@dataclass(frozen=True)
class Window:
    """[start, end) of a site; `name` is a choice of the picker or "free".

    `unit` is what its neighbours are counted in (week, month, quarter, year, shift); without one, its own length.
    `around`, of a shift, are the beginnings of shifts before and after it.
    """

    site: Site
    start: datetime
    end: datetime
    name: str = "free"
    unit: str = ""
    error: str = ""
    around: tuple[datetime, ...] = field(default=(), repr=False)

    @classmethod
    def of_days(cls, site: Site, first: date, past: date, **fields: str) -> "Window":
        """Production days `first` to before `past`."""
        return cls(site, site.day_begins(first), site.day_begins(past), **fields)

    @property
    def first(self) -> date:
        return self.site.production_day(self.start)

    @property
    def last(self) -> date:
        """The last day, as people name it."""
        return self.site.production_day(max(self.start, self.end - INSTANT))

    @property
    def past(self) -> date:
        return self.last + DAY

    @property
    def days(self) -> int:
        """The production days that it touches."""
        return (self.past - self.first).days

    @property
    def whole(self) -> bool:
        """Whether it consists of whole production days."""
        return (self.start, self.end) == (self.site.day_begins(self.first), self.site.day_begins(self.past))

    @property
    def label(self) -> str:
        """How the picker calls it."""
        return str(NAMES.get(self.name) or (_("Shift") if self.unit == "shift" else _("Free dates")))

    @property
    def by(self) -> str:
        """How a trend of this window is cut."""
        if self.unit == "shift":
            return "shift"
        return "day" if self.days <= 45 else "week" if self.days <= 200 else "month"

    @property
    def query(self) -> dict[str, str]:
        """The address of just this window, whenever it is opened."""
        if self.whole and self.unit != "shift":
            return {"from": f"{self.first:%Y-%m-%d}", "to": f"{self.last:%Y-%m-%d}"}
        return {name: self.site.local(edge).isoformat() for name, edge in (("from", self.start), ("to", self.end))}

    def __str__(self) -> str:
        if self.whole and self.unit != "shift":
            days = [formats.date_format(day, "SHORT_DATE_FORMAT") for day in (self.first, self.last)]
            return days[0] if self.days == 1 else " – ".join(days)
        return edges.said(self.site, self.start, self.end)

    @property
    def typed(self) -> dict[str, str]:
        """Its dates, and its times unless it consists of whole production days, as the fields show them."""
        if self.whole and self.unit != "shift":
            return self.query
        return edges.typed(self.site, self.start, self.end)

    def moved(self, steps: int) -> "Window":
        """The window before (−1) or after (1) this one: the neighbouring unit, whole, or as many days or hours."""
        site = self.site
        if self.around:
            place = self.around.index(self.start) + steps
            if 0 <= place < len(self.around) - 1:
                start, end = self.around[place : place + 2]
                return Window(site, start, end, unit="shift", around=self.around)
        if self.unit in (*MONTHS, "week"):
            first = stepped(self.first, self.unit, steps)
            return Window.of_days(site, first, stepped(first, self.unit, 1), unit=self.unit)
        if self.whole:
            shift = steps * self.days * DAY
            return Window.of_days(site, self.first + shift, self.past + shift)
        length = steps * (self.end - self.start)
        return Window(site, self.start + length, self.end + length)

    def compared(self, how: str, *, now: datetime) -> "Window | None":
        """The window to hold beside this one; a running one is held beside as much of the other as has passed."""
        if how == NOTHING:
            return None
        other = self.moved(-1) if how == FORMER else self._a_year_before()
        if self.end <= now or self.start >= now:
            return other
        if not self.whole or self.unit == "shift":
            passed = other.start + (now - self.start)
        else:  # as many whole days, and of the next as much as has passed of the running one
            today = self.site.production_day(now)
            passed = self.site.day_begins(other.first + (today - self.first)) + (now - self.site.day_begins(today))
        return replace(other, end=min(passed, other.end))

    def _a_year_before(self) -> "Window":
        """Calendar units and dates go by the calendar; a day, a week or a shift keeps its weekday, 52 weeks back."""
        if self.unit in MONTHS:
            first = stepped(self.first, "month", -12)
            return Window.of_days(self.site, first, stepped(first, self.unit, 1), unit=self.unit)
        if self.unit or self.days == 1:
            return replace(self.back(SAME_WEEKDAY), unit=self.unit if self.unit == "week" else "")
        if self.whole:
            return Window.of_days(self.site, stepped(self.first, "month", -12), stepped(self.last, "month", -12) + DAY)
        return self._on_days(lambda day: stepped(day, "month", -12))

    def back(self, days: int) -> "Window":
        """So many days before, at the same time on the site's clock."""
        return self._on_days(lambda day: day - days * DAY)

    def _on_days(self, of_day) -> "Window":
        site = self.site
        if self.whole:
            return Window.of_days(site, of_day(self.first), of_day(self.past))
        start, end = (
            on_the_clock(of_day(local.date()), local.time(), site.zone)
            for local in (site.local(self.start), site.local(self.end))
        )
        return Window(site, start, max(start, end))

    # --- Its trend

    @property
    def trend(self) -> "Window":
        """What the trend shows: the window, with the days or shifts before it where it is short."""
        if self.unit == "shift":
            since = self.start - TREND_DAYS["shift"] * DAY
            start = next((each for each in self.around if each >= since), self.start)
            return Window(self.site, start, self.end, unit="shift")
        start = min(self.start, self.site.day_begins(self.past - TREND_DAYS["day"] * DAY))
        return self if start == self.start else Window(self.site, start, self.end)

    def compared_trend(self, how: str, *, now: datetime) -> "Window | None":
        """What the trend is held beside, bucket by bucket."""
        shown = self.trend
        if shown is self:
            beside = self.compared(how, now=now)
            if beside is None or not self.whole or self.unit == "shift":
                return beside
            return Window.of_days(self.site, beside.first, beside.past)  # day by day
        if how == NOTHING:
            return None
        return shown.back(SAME_WEEKDAY if how == YEAR else TREND_DAYS["shift" if self.unit == "shift" else "day"])


def stepped(day: date, unit: str, steps: int) -> date:
    """The day so many units away; where its month is too short, the month's last day."""
    if unit == "week":
        return day + steps * 7 * DAY
    months = day.year * 12 + day.month - 1 + steps * MONTHS[unit]
    first = date(months // 12, months % 12 + 1, 1)
    longest = (first.replace(day=28) + 4 * DAY).replace(day=1) - first
    return first + min(timedelta(day.day - 1), longest - DAY)


# --- What an address asks for ----------------------------------------------------------------------------


def asked(site: Site, query: QueryDict, *, now: datetime, asset: Asset | None = None, default: str = DEFAULT) -> Window:
    """The window that the address asks for; what is wrong is said (`error`) and the default window shown.

    Shifts are those of the calendar that the asset follows, else of the site's.
    """
    today = site.production_day(now)
    name = query.get("window") or default
    try:
        if any(query.get(each) for each in EDGES):
            return _free(site, query, today, now=now, asset=asset)
        if name in SHIFTS:
            running = shift_at(site, asset, now)
            return replace(running if name == "shift" else running.moved(-1), name=name)
        if name not in NAMES:
            known = _("There is no such window; choose one of %(known)s.") % {"known": ", ".join(NAMES)}
            raise Refused(known, code="invalid", field="window")
    except Refused as error:
        return replace(_named(site, default, today), error=error.message)
    return _named(site, name, today)


def comparison(query: QueryDict) -> str:
    """What the address wants the window to be compared with."""
    how = query.get("compare", FORMER)
    return how if how in COMPARISONS else FORMER


def shift_at(site: Site, asset: Asset | None, moment: datetime) -> Window:
    """The shift in which the moment lies; Refused where no calendar says so."""
    starts = shift_starts(site, asset, moment - SHIFTS_AROUND, moment + SHIFTS_AROUND)
    begun = [each for each in starts if each <= moment]
    if not begun or begun[-1] == starts[-1]:
        raise Refused(_("By the operating calendar no shift is near this time."), code="no_shift", field="window")
    start, end = starts[len(begun) - 1 : len(begun) + 1]
    return Window(site, start, end, unit="shift", around=tuple(starts))


def leading_back(site: Site, asset: Asset | None, start: datetime, end: datetime, *, now: datetime) -> Window:
    """The window in which a figure of [start, end) stands; that of a window still running had ended at the time."""
    exact = Window(site, start, end)
    if exact.whole or start >= end:
        return exact
    if exact.start == site.day_begins(exact.first) and exact.last == site.production_day(now):
        return Window.of_days(site, exact.first, exact.past)
    return _as_shift(exact, asset, now=now)


def _as_shift(window: Window, asset: Asset | None, *, now: datetime) -> Window:
    """The whole shift, where the window is one or its part up to a moment of the running one; else the window."""
    try:
        shift = shift_at(window.site, asset, window.start)
    except Refused:
        return window
    same = window.start == shift.start and (window.end == shift.end or window.end <= now < shift.end)
    return shift if same else window


def _free(site: Site, query: QueryDict, today: date, *, now: datetime, asset: Asset | None) -> Window:
    """From one date, time or instant to another; where the picker has a name for it, by that name."""
    texts = {each: query.get(each, "") for each in EDGES}
    start = edges.edge(site, texts["from"], texts["from_time"])
    end = edges.edge(site, texts["to"], texts["to_time"], last=True)
    if end <= start:
        of_days = not texts["from_time"] and not texts["to_time"] and len(texts["from"]) <= 10
        words = _("The last day lies before the first.") if of_days else _("The window ends before it begins.")
        raise Refused(words, code="invalid", field="to")
    if end - start > (LONGEST + 1) * DAY:
        raise Refused(_("A window may be ten years long at most."), code="too_long", field="to")
    window = Window(site, start, end)
    if not window.whole or len(texts["from"]) > 10:
        shift = _as_shift(window, asset, now=now) if end - start < SHIFTS_AROUND else window
        running = shift.start <= now < shift.end
        return replace(shift, name="shift") if shift.unit and running else shift
    for name in NAMES:
        if name not in SHIFTS and (named := _named(site, name, today)) == replace(named, start=start, end=end):
            return named
    return replace(window, unit=_unit(window))


def _unit(window: Window) -> str:
    """Which calendar unit whole days make up."""
    first, past = window.first, window.past
    if first.weekday() == 0 and window.days == 7:
        return "week"
    for unit, months in MONTHS.items():
        if first.day == 1 and (first.month - 1) % months == 0 and past == stepped(first, unit, 1):
            return unit
    return ""


def _named(site: Site, name: str, today: date) -> Window:
    if name in ROLLING:
        # Rolling windows end with the last whole day: the running one would pull every figure about.
        return Window.of_days(site, today - ROLLING[name] * DAY, today, name=name)
    if name in ("day", "today"):
        first = today if name == "today" else today - DAY
        return Window.of_days(site, first, first + DAY, name=name)
    unit = name.removeprefix("last-")
    first = {
        "week": today - today.weekday() * DAY,
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "year": today.replace(month=1, day=1),
    }[unit]
    if unit == name:
        return Window.of_days(site, first, today + DAY, name=name, unit=unit)
    return Window.of_days(site, stepped(first, unit, -1), first, name=name, unit=unit)
