"""Days and instants as other systems write them. The format is named by a person, never guessed.

`03/04/2026` is a day in April or in March; nothing in a file of such days says which. So a format is chosen from
those that fit all the values, each shown with what it makes of them. ISO 8601 is recognised as what it says it is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

_TIME = r"(?:[T ,]+(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<ap>[AaPp]\.?[Mm]\.?)?)?"
_OFFSET = r"\s*(?P<tz>Z|UTC|[+-]\d{2}:?\d{2})?"
MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
)} | {"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12}  # fmt: skip


@dataclass(frozen=True)
class DateFormat:
    """One way to write a day, with or without a time behind it."""

    slug: str
    example: str
    pattern: str

    def parts(self, text: str) -> re.Match | None:
        return re.fullmatch(self.pattern + _TIME + _OFFSET, text.strip())


ISO = DateFormat("iso", "2026-03-14 15:09", r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})")
FORMATS = {
    each.slug: each
    for each in (
        ISO,
        DateFormat("dmy.", "14.03.2026 15:09", r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"),
        DateFormat("dmy/", "14/03/2026 15:09", r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"),
        DateFormat("mdy/", "03/14/2026 3:09 PM", r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})"),
        DateFormat("dmy-", "14-03-2026 15:09", r"(?P<d>\d{1,2})-(?P<m>\d{1,2})-(?P<y>\d{4})"),
        DateFormat("mdy-", "03-14-2026 15:09", r"(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{4})"),
        DateFormat("ymd/", "2026/03/14 15:09", r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})"),
        DateFormat("ymd.", "2026.03.14 15:09", r"(?P<y>\d{4})\.(?P<m>\d{1,2})\.(?P<d>\d{1,2})"),
        DateFormat("ymd", "20260314", r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
        DateFormat("dmon", "14-Mar-2026", r"(?P<d>\d{1,2})[-. ]+(?P<mon>[A-Za-zä]{3})[a-z]*\.?[-. ]+(?P<y>\d{4})"),
        DateFormat("mond", "Mar 14, 2026", r"(?P<mon>[A-Za-zä]{3})[a-z]*\.?[ ]+(?P<d>\d{1,2}),?[ ]+(?P<y>\d{4})"),
        DateFormat("dmy.2", "14.03.26 15:09", r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{2})"),
        DateFormat("dmy/2", "14/03/26 15:09", r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{2})"),
        DateFormat("mdy/2", "03/14/26 15:09", r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{2})"),
    )
}


class NotADate(ValueError):
    """The text is no day in this format; the message says why."""


class DoesNotExist(NotADate):
    """The wall clock never showed this time: it was skipped when the clock went forward."""


@dataclass(frozen=True)
class Reading:
    """What a text says: a local wall clock time (or only its day), or an instant if it names its offset."""

    local: datetime
    has_time: bool
    offset: timedelta | None = None


def read(text: str, format_: DateFormat) -> Reading:
    """Read a text in a format. Raises NotADate."""
    found = format_.parts(text)
    if found is None:
        raise NotADate(_("not written like %(example)s") % {"example": format_.example})
    parts = found.groupdict()
    month = MONTHS.get(parts["mon"].lower(), 0) if parts.get("mon") else int(parts["m"])
    year = int(parts["y"])
    if len(parts["y"]) == 2:
        year += 2000 if year < 70 else 1900  # as POSIX reads two digits
    hour = int(parts["h"] or 0)
    if parts["ap"]:
        if not 1 <= hour <= 12:
            raise NotADate(_("no such time of day"))
        hour = hour % 12 + (12 if parts["ap"].lower().startswith("p") else 0)
    try:
        local = datetime(  # noqa: DTZ001 - a wall clock time; its zone is that of the site
            year, month, int(parts["d"]), hour, int(parts["mi"] or 0), int(parts["s"] or 0),
            int((parts["f"] or "0").ljust(6, "0")[:6]),
        )  # fmt: skip
    except ValueError:
        raise NotADate(_("no such day or time")) from None
    return Reading(local, parts["h"] is not None, _offset(parts["tz"]))


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text in ("Z", "UTC"):
        return timedelta(0)
    sign = -1 if text[0] == "-" else 1
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))


NEARLY_ALL = 0.9  # a few cells may hold nonsense; their rows are rejected later, with the line


def fitting(values: Iterable[str]) -> list[DateFormat]:
    """The formats in which all values can be read, but for a few that no format can make sense of."""
    texts = [value for value in values if value.strip()]
    reads = {format_: sum(_fits(text, format_) for text in texts) for format_ in FORMATS.values()}
    best = max(reads.values())
    if not best:
        return []
    return [format_ for format_, number in reads.items() if number >= best * NEARLY_ALL]


def _fits(text: str, format_: DateFormat) -> bool:
    try:
        read(text, format_)
    except NotADate:
        return False
    return True


def instant(local: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The instant of a wall clock time, and whether that time came twice (then the first is taken).

    Raises DoesNotExist for a time that was skipped.
    """
    moment = local.replace(tzinfo=zone, fold=0)
    found = moment.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != local:
        raise DoesNotExist(_("this time was skipped when the clocks of %(zone)s changed") % {"zone": zone.key})
    twice = moment.replace(fold=1).utcoffset() != moment.utcoffset()
    return found, twice


def as_reading(value: datetime | date) -> Reading:
    """A cell that is a date already (XLSX): midnight sharp is a day without a time."""
    if not isinstance(value, datetime):
        return Reading(datetime.combine(value, time()), False)
    # Excel keeps days as floating numbers, so seconds may be a hair off.
    rounded = (value + timedelta(milliseconds=500)).replace(microsecond=0)
    return Reading(rounded, rounded.time() != time())
