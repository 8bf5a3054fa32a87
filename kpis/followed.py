"""Which operating calendars the assets of a figure followed, and when."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from django.utils.translation import gettext as _

from core.models import Site
from kpis.axis import FAR, epoch, instant
from kpis.facts.plans import Plans
from kpis.facts.plans import Stretch as Chain
from kpis.facts.ranges import merged
from kpis.facts.zones import Stretch
from kpis.intervals import on_the_clock
from production.models import OperatingCalendar

Dated = dict[int | None, list[tuple[int, int, OperatingCalendar]]]  # from and to, by owner; None is the site


class How(StrEnum):
    """How an asset comes to a calendar."""

    OWN = "own"
    INHERITED = "inherited"
    SITE = "site"
    NONE = "none"


class Followed(NamedTuple):
    """A calendar that was followed from `start` to `end`, and the code of its asset or site; "" without any."""

    name: str
    owner: str
    how: How
    start: datetime
    end: datetime

    @property
    def whose(self) -> str:
        """Whose it is, as people say it."""
        return {
            How.OWN: _("of %(owner)s itself"),
            How.INHERITED: _("inherited from %(owner)s"),
            How.SITE: _("of the site %(owner)s"),
            How.NONE: _("no calendar holds"),
        }[self.how] % {"owner": self.owner}


def followed(site: Site, plans: Plans, members: Sequence[Stretch], start: datetime, end: datetime) -> list[Followed]:
    """The calendars of the members while they counted in [start, end), each for the spans in which one followed it.

    For each date that of the asset, else of its nearest ancestor as placed then, else of the site, else none.
    """
    dated = _dated(site)
    known: dict[tuple, list[tuple[OperatingCalendar | None, int, int]]] = {}
    spans: dict[tuple[OperatingCalendar | None, How], set[tuple[int, int]]] = defaultdict(set)
    for each in members:
        asset_id, chains = each.member.asset_id, plans.stretches(each.member.asset_id)
        key = id(chains), max(epoch(start), each.since), min(epoch(end), each.until)
        if key not in known:
            known[key] = list(_pieces(dated, chains, *key[1:]))
        for calendar, lo, hi in known[key]:
            spans[calendar, _how(calendar, asset_id)].add((lo, hi))
    found = [
        Followed(*_named(calendar, site), how, instant(lo), instant(hi))
        for (calendar, how), each in spans.items()
        for lo, hi in merged(each)
    ]
    return sorted(found, key=lambda each: (each.start, each.owner, each.how, each.end))


def _dated(site: Site) -> Dated:
    found: Dated = defaultdict(list)
    for calendar in OperatingCalendar.objects.filter(site=site).select_related("asset").order_by("valid_from"):
        since, until = _midnight(calendar.valid_from, site), calendar.valid_to and _midnight(calendar.valid_to, site)
        found[calendar.asset_id].append((since, until or FAR, calendar))
    return found


def _midnight(day: date, site: Site) -> int:
    return epoch(on_the_clock(day, time.min, site.zone))


def _pieces(
    dated: Dated, chains: Sequence[Chain], start: int, end: int
) -> Iterator[tuple[OperatingCalendar | None, int, int]]:
    """The calendar (None: none) of each part of [start, end), for an asset with these chains of owners."""
    for chain in chains:
        lo, hi = max(start, chain.start), min(end, chain.end)
        owned = [each for owner in (*chain.owners, None) for each in dated.get(owner, ())]
        borders = {moment for each in owned for moment in each[:2] if lo < moment < hi}
        for a, b in pairwise(sorted({lo, hi} | borders) if lo < hi else ()):
            yield next((each for since, until, each in owned if since <= a < until), None), a, b


def _how(calendar: OperatingCalendar | None, asset_id: int) -> How:
    if calendar is None:
        return How.NONE
    if calendar.asset_id is None:
        return How.SITE
    return How.OWN if calendar.asset_id == asset_id else How.INHERITED


def _named(calendar: OperatingCalendar | None, site: Site) -> tuple[str, str]:
    if calendar is None:
        return _("24 hours a day, 7 days a week"), ""
    return calendar.name, calendar.asset.code if calendar.asset else site.code
