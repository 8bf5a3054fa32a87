"""Looking for records that cannot be right, every night: what is found has an owner and an outcome."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Asset
from core.kit.present import duration_text, number_text
from core.models import Site
from core.runs import job_run, site_by_site
from kpis import figures, findings, formulas
from kpis.axis import epoch
from kpis.computing import compute_site
from kpis.facts import doubts as facts
from kpis.findings import Doubt
from kpis.models import FindingKind

JOB = "kpis.doubts"
DAYS = 7  # finished production days looked at
LONG = timedelta(days=7)
MARGIN = 1.001  # a rounded ideal cycle is no finding
CHUNK = 200  # assets
MOST_OLDER = 60  # older days of a site that are looked at again in one night
LOOKED_FOR = (
    FindingKind.TOO_FAST, FindingKind.COUNTED_WHILE_DOWN, FindingKind.OVERLAP, FindingKind.OPEN_FOR_LONG,
    FindingKind.SILENT,
)  # fmt: skip


def look(*, now: datetime | None = None, by=None) -> int:
    """Look at every site; how many findings are new. One that fails does not keep the others waiting."""
    return site_by_site(lambda site: look_at(site, now=now, by=by), Site.objects.order_by("pk"))


def look_at(site: Site, *, now: datetime | None = None, by=None) -> int:
    """Look at the records of a site, after computing what is due, and bring its findings in line."""
    now = now or timezone.now()
    compute_site(site, now=now)
    with job_run(JOB, site=site, by=by) as run:
        seen = list(doubts(site, now))
        new = findings.observe(site, seen, kinds=LOOKED_FOR, now=now)
        run.rows, run.fact = len(seen), _("%(all)d doubts, %(new)d of them new") % {"all": len(seen), "new": new}
    return new


def doubts(site: Site, now: datetime) -> Iterator[Doubt]:
    """What cannot be right in the records of the last days, or in older ones that were entered in these days."""
    since = site.day_begins(site.production_day(now) - timedelta(days=DAYS))
    for asset_id, (stops, seconds) in facts.overlapping(site, since, now).items():
        yield Doubt(asset_id, FindingKind.OVERLAP, {"stops": stops, "seconds": seconds})
    for stop in facts.open_since(site, now - LONG):
        numbers = {"downtime": stop.pk, "since": stop.start.isoformat()}
        yield Doubt(stop.asset_id, FindingKind.OPEN_FOR_LONG, numbers, key=str(stop.pk))
    for asset_id, pieces in facts.counted_while_down(site, DAYS, now).items():
        yield Doubt(asset_id, FindingKind.COUNTED_WHILE_DOWN, {"pieces": pieces})
    yield from _too_fast(site, since, now)
    yield from _silent(site, now)


def _too_fast(site: Site, since: datetime, now: datetime) -> Iterator[Doubt]:
    """Of the last days together, else of the newest older day that was corrected in them."""
    until = site.day_begins(site.production_day(now))
    seen = set()
    for asset_id, rate in _rates(site, facts.counted(site, DAYS, now), since, until, now):
        seen.add(asset_id)
        yield Doubt(asset_id, FindingKind.TOO_FAST, {"performance": rate})
    for day, ids in facts.recounted(site, DAYS, now, MOST_OLDER).items():
        window = site.day_begins(day), site.day_begins(day + timedelta(days=1))
        for asset_id, rate in _rates(site, [each for each in ids if each not in seen], *window, now):
            seen.add(asset_id)
            yield Doubt(asset_id, FindingKind.TOO_FAST, {"performance": rate, "day": day.isoformat()})


def _rates(
    site: Site, ids: Sequence[int], start: datetime, end: datetime, now: datetime
) -> Iterator[tuple[int, float]]:
    """The assets whose performance rate in the window cannot be right."""
    assets = list(Asset.objects.filter(pk__in=ids).select_related("site").order_by("pk")) if ids else []
    for position in range(0, len(assets), CHUNK):
        chunk = assets[position : position + CHUNK]
        for period in figures.known(chunk, [(start, end)], site=site, scope="asset", now=now):
            # Against operating time, whatever the site's OEE profile: in a short stop nothing is made.
            rate = formulas.performance(period.answer.counted).value
            if rate is not None and rate > MARGIN:
                yield period.asset.pk, rate


def _silent(site: Site, now: datetime) -> Iterator[Doubt]:
    """Sources that have fallen silent while their machine was scheduled, and are so still."""
    silent = facts.fallen_silent(site, now)
    assets = list(Asset.objects.filter(pk__in=silent).select_related("site").order_by("pk"))
    for position in range(0, len(assets), CHUNK):
        chunk = assets[position : position + CHUNK]
        since = site.day_begins(date.fromordinal(min(silent[asset.pk] for asset in chunk)))
        for period in figures.known(chunk, [(since, now)], site=site, scope="asset", now=now):
            pk, reader = period.asset.pk, period.reader
            last = reader.silences.get(pk, [None])[-1]
            lasts = epoch(site.day_begins(date.fromordinal(silent[pk]))), epoch(now)
            if last and last.until is None and reader.plans.between(reader.plans.stretches(pk), *lasts):
                told = date.fromordinal(last.since - last.limit - 1)
                yield Doubt(pk, FindingKind.SILENT, {"told": told.isoformat(), "days": last.limit})


def said(kind: str, numbers: Mapping[str, Any]) -> str:
    """What was seen, with its numbers, and what to do about it."""
    match kind:
        case FindingKind.TOO_FAST:
            rate = number_text(numbers["performance"] * 100, 1)
            if day := numbers.get("day"):
                return _(
                    "The performance rate of %(day)s, which was corrected in the last %(days)d days, is %(rate)s %%:"
                    " the ideal cycle is too long, or a count or stop is wrong. Windows in which it stays above 100 %%"
                    " show OEE as suspect."
                ) % {"day": formats.date_format(date.fromisoformat(day)), "days": DAYS, "rate": rate}
            return _(
                "The performance rate of the last %(days)d days is %(rate)s %%: the ideal cycle is too long, or a count"
                " is wrong. OEE is marked as suspect until one of them is corrected."
            ) % {"days": DAYS, "rate": rate}
        case FindingKind.COUNTED_WHILE_DOWN:
            return _(
                "%(pieces)s pieces of the last %(days)d days, or of days that were corrected in them, were counted at"
                " times at which the machine was down or not scheduled: a stop has wrong times, the calendar is wrong,"
                " or the count is."
            ) % {"days": DAYS, "pieces": number_text(numbers["pieces"], 0)}
        case FindingKind.OVERLAP:
            stops = ngettext("%(n)d stop", "%(n)d stops", numbers["stops"]) % {"n": numbers["stops"]}
            return _(
                "%(stops)s began while another was not over, one of the two begun or entered in the last %(days)d days;"
                " %(time)s are recorded twice. Figures count them once; one of the records is probably wrong."
            ) % {"stops": stops, "days": DAYS, "time": duration_text(numbers["seconds"])}
        case FindingKind.SILENT:
            told = formats.date_format(date.fromisoformat(numbers["told"]), "DATE_FORMAT")
            return _(
                "Nothing has been recorded since %(told)s. After %(days)d days without a record nobody knows whether it"
                " runs, so its time no longer counts. Ask whether stops and counts still arrive; if it stands still,"
                " record the stop, and if it is gone, say when it was retired."
            ) % {"told": told, "days": numbers["days"]}
        case FindingKind.OPEN_FOR_LONG:
            return _("Its time runs on and lowers availability. Close it, or correct when it ended.")
        case FindingKind.FACTS_DIFFER:
            return _(
                "The weekly check found %(sums)d stored sums that the records do not give, such as %(such)s. The days"
                " are computed again; somebody should know why they were wrong."
            ) % {"sums": numbers["sums"], "such": numbers["such"]}
    return ""
