"""The edges of a window that somebody types: dates, times on the site's clock, or instants; and how they read."""

from datetime import UTC, date, datetime, time, timedelta

from django.utils import formats
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from core.errors import Refused
from core.models import Site

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
YEARS = range(1900, 3000)
TOLD = 2 * DAY  # windows up to this long say how long they are when the clock changes in them


def edge(site: Site, text: str, clock: str = "", *, last: bool = False) -> datetime:
    """A production day, the `last` one until its end; with `clock` that time of the date; or an instant with offset.

    Refused at `from` (or `from_time`) where it is none of them, and where the clock skips the time. Of a time that
    comes twice in autumn the window begins with the first and ends with the second, so that it holds the hour.
    """
    name = "to" if last else "from"
    text = text.strip().replace(" ", "+")  # a "+" that was not encoded arrives as a space
    try:
        if len(text) > 10 and not clock:
            moment = parse_datetime(text)
            if moment is not None and moment.tzinfo is not None and moment.year in YEARS:
                return moment
        elif (day := date.fromisoformat(text)).year in YEARS:
            if clock:
                return at(site, day, time_of(clock, f"{name}_time"), last=last, field=f"{name}_time")
            return site.day_begins(day + DAY if last else day)
    except ValueError:
        pass
    raise Refused(_("Give both dates as year-month-day, such as 2026-03-31."), code="invalid", field=name)


def time_of(text: str, field: str) -> time:
    try:
        found = time.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise Refused(_("Give times as hour and minute, such as 06:00."), code="invalid", field=field)
    return found


def at(site: Site, day: date, clock: time, *, last: bool, field: str) -> datetime:
    """When the site's clock shows this time of the day; of a time that comes twice the first, or the `last`."""
    local = datetime.combine(day, clock.replace(fold=int(last)), tzinfo=site.zone)
    moment = local.astimezone(UTC)
    if site.local(moment).replace(tzinfo=None, fold=0) != local.replace(tzinfo=None, fold=0):
        words = _("There was no %(time)s at the site on %(day)s: the clock was put forward.") % {
            "time": formats.date_format(local, "TIME_FORMAT"), "day": formats.date_format(day, "SHORT_DATE_FORMAT"),
        }  # fmt: skip
        raise Refused(words, code="skipped", field=field)
    return moment


def typed(site: Site, start: datetime, end: datetime) -> dict[str, str]:
    """A window's edges as the fields for dates and times show them."""
    edges = {"from": site.local(start), "to": site.local(end)}
    dates = {name: f"{each:%Y-%m-%d}" for name, each in edges.items()}
    return dates | {f"{name}_time": f"{each:%H:%M}" for name, each in edges.items()}


def said(site: Site, start: datetime, end: datetime) -> str:
    """ "31 Mar 2026 06:00 – 14:00"; an hour that comes twice with its offset, and how long it is if the clock
    changes in it."""
    first, last = site.local(start), site.local(end)
    same_day = first.date() == last.date()
    texts = [
        formats.date_format(each, "TIME_FORMAT" if same_day and each is last else "SHORT_DATETIME_FORMAT")
        + (f" ({offset(each)})" if twice(each) else "")
        for each in (first, last)
    ]
    text = " – ".join(texts)
    if first.utcoffset() == last.utcoffset() or end - start > TOLD:
        return text
    length = round((end - start) / HOUR, 2)
    hours = formats.number_format(int(length) if length == int(length) else length)
    return _("%(window)s (%(hours)s h, the clock changes)") % {"window": text, "hours": hours}


def twice(local: datetime) -> bool:
    """Whether the clock shows this time once more."""
    return local.replace(fold=0).utcoffset() > local.replace(fold=1).utcoffset()


def offset(local: datetime) -> str:
    """ "UTC+2"."""
    minutes = round((local.utcoffset() or timedelta()) / timedelta(minutes=1))
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
