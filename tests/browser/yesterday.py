"""The last whole production day of a site, whatever day it is, with numbers that come out even."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from core.models import Site


@dataclass(frozen=True)
class Yesterday:
    """From midnight to midnight, 23, 24 or 25 hours; a stop of three tenths of it begins at eight."""

    site: Site
    start: datetime
    end: datetime

    @classmethod
    def at(cls, site: Site) -> "Yesterday":
        today = site.production_day(timezone.now())
        return cls(site, site.day_begins(today - timedelta(days=1)), site.day_begins(today))

    @property
    def minutes(self) -> int:
        return int((self.end - self.start).total_seconds()) // 60

    @property
    def hours(self) -> float:
        return self.minutes / 60

    @property
    def stopped(self) -> timedelta:
        return timedelta(minutes=self.minutes * 3 // 10)

    @property
    def down(self) -> datetime:
        return self.site.local(self.start).replace(hour=8)

    @property
    def back(self) -> datetime:
        return self.down + self.stopped

    @property
    def days(self) -> tuple[str, str]:
        """Its date and the one after, as addresses name them."""
        return f"{self.site.local(self.start):%Y-%m-%d}", f"{self.site.local(self.end):%Y-%m-%d}"

    @property
    def window(self) -> dict[str, str]:
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}

    @property
    def made(self) -> dict[str, int]:
        """Pieces of one machine at a minute each: half of the day for good ones, a tenth for scrap."""
        return {"good": self.minutes // 2, "scrap": self.minutes // 10, "ideal_cycle": 60}

    def counted(self, *codes: str) -> bytes:
        """The same of several machines, as a file on the site's clock."""
        span = ",".join(f"{self.site.local(moment):%Y-%m-%d %H:%M}" for moment in (self.start, self.end))
        made = ",".join(map(str, self.made.values()))
        return "\n".join(
            ["asset,start,end,good,scrap,ideal cycle", *(f"{code},{span},{made}" for code in codes)]
        ).encode()
