"""Figures of work as they were reported: kept when a week or month is over, and told beside what they are today.

Orders, labour and occurrences are read as they stand now, so work completed with a date in the past, corrected
labour and answered requests change a week that was reported. What it was then stays, with the records behind it;
those that differ today, and what was said of them since, tell why.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime

from assets.models import Asset
from core.models import Event, Site
from core.runs import job_run, site_by_site
from core.snapshot import one_snapshot
from kpis import figures, weeks
from kpis.definitions import WORK, WorkDefinition
from kpis.facts.work_rows import MOST, Record, Rows
from kpis.figures import Figure, Period, same
from kpis.models import ReportSubscription, Target
from kpis.models.former import PublishedWork
from kpis.windows import Window, stepped
from workorders.models import WorkOrder

JOB = "kpis.publish_work"
SCOPE = "leaves"  # what pages ask for
KINDS = list(dict.fromkeys(each.records for each in WORK))
MOST_CHANGED = 10  # records told
OF_OPEN_ORDERS = ("backlog", "load")  # records, of which the remark is the state that an order has today
DAY = timedelta(days=1)


# --- Keeping ---------------------------------------------------------------------------------------------


def publish_due(*, now: datetime | None = None, by=None) -> int:
    """Keep the figures of every site's last week and month, once they are over; how many rows.

    Safe at any time and any number of times: what is kept is not written again. Of missed weeks only the newest is
    kept, since later nobody knows what the others were. A site with nothing to keep leaves no run behind.
    """
    now = now or timezone.now()
    due = {site: waiting for site in Site.objects.all() if (waiting := _waiting(site, now))}
    return site_by_site(lambda site: _publish(site, due[site], now, by), due)


def over(site: Site, now: datetime) -> list[Window]:
    """The last week and the last month whose reports are due."""
    week = weeks.newest_due(site, now)
    past = site.production_day(now).replace(day=1)
    while _due(site, past) > now:
        past = stepped(past, "month", -1)
    return [week.window, Window.of_days(site, stepped(past, "month", -1), past, unit="month")]


def _due(site: Site, past: date) -> datetime:
    """When the month before this day is reported: at the hour of weekly reports, or when its last day is over."""
    morning = datetime.combine(past, weeks.HOUR_DUE, tzinfo=site.zone)
    return max(morning, site.day_begins(past))


def _waiting(site: Site, now: datetime) -> list[tuple[Window, list[Asset | None]]]:
    """Windows with the subjects that they are not kept of."""
    found = []
    for window in over(site, now):
        kept = PublishedWork.objects.filter(site=site, first=window.first, past=window.past)
        done = set(kept.values_list("asset", flat=True))
        if missing := [each for each in _subjects(site, window) if (each and each.pk) not in done]:
            found.append((window, missing))
    return found


def _subjects(site: Site, window: Window) -> list[Asset | None]:
    """The site, and assets with a target that held in the window or a weekly report."""
    targets = Target.objects.filter(site=site, valid_from__lt=window.past).exclude(valid_to__lte=window.first)
    wanted = Q(pk__in=targets.values("asset")) | Q(
        pk__in=ReportSubscription.objects.filter(site=site).values("asset")
    )  # fmt: skip
    return [None, *Asset.objects.filter(wanted, site=site).order_by("pk")]


def _publish(site: Site, waiting: Iterable[tuple[Window, list[Asset | None]]], now: datetime, by) -> int:
    with job_run(JOB, site=site, by=by) as run, translation.override(settings.LANGUAGE_CODE):
        for window, subjects in waiting:
            for subject in subjects:
                rows = list(_kept(site, subject, window, now))
                run.rows += len(PublishedWork.objects.bulk_create(rows, ignore_conflicts=True))
        run.fact = f"{run.rows} kinds of records kept"
    return run.rows


@one_snapshot()
def _kept(site: Site, asset: Asset | None, window: Window, now: datetime) -> list[PublishedWork]:
    (period,) = figures.known([asset], [(window.start, window.end)], site=site, scope=SCOPE, now=now)
    return [
        PublishedWork(
            site=site, asset=asset, first=window.first, past=window.past, records=kind, at=now,
            figures={each.key: _figure(period.figure(each)) for each in WORK if each.records == kind},
            rows=[_plain(each) for each in _rows(period, kind)],
        )
        for kind in KINDS
    ]  # fmt: skip


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "version": figure.definition.version, "value": figure.value, "status": figure.status,
        "reason": figure.reason_code, "inputs": figure.inputs,
    }  # fmt: skip


def _rows(period: Period, kind: str) -> list[Record]:
    return [] if period.start >= period.now else Rows(period.work, period.place).of(kind)


def _plain(record: Record) -> dict[str, Any]:
    return asdict(record) | {"label": str(record.label), "remark": str(record.remark),
                             "at": record.at and record.at.isoformat()}  # fmt: skip


# --- Telling ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Changed:
    """A record behind the figure that is another one today: as it was (None: not among them) and as it is."""

    kind: str
    id: int
    before: Record | None
    after: Record | None
    event: Event | None

    @property
    def record(self) -> Record:
        return self.after or self.before


@dataclass(frozen=True)
class Published:
    """The figure as it was reported; `changed` are the records that differ today, where its value does."""

    at: datetime
    version: int  # of the definition then
    figure: Figure
    differs: bool
    changed: list[Changed]
    more: int  # further records that differ


def published(period: Period, figure: Figure, scope: str) -> Published | None:
    """What a figure of work of a past week or month was when it was reported; None where it never was."""
    window = Window(period.site, period.start, period.end)
    if not window.whole or (period.asset and scope != SCOPE):
        return None
    definition = figure.definition
    row = PublishedWork.objects.filter(
        site=period.site, asset=period.asset, first=window.first, past=window.past, records=definition.records
    ).first()  # fmt: skip
    if row is None or definition.key not in row.figures:
        return None
    then = row.figures[definition.key]
    before = replace(
        figure, value=then["value"], status=then["status"], reason_code=then["reason"], given=lambda: then["inputs"]
    )
    differs = not same(then["value"], figure.value)
    changed = list(_changed(row, period, definition)) if differs else []
    shown = _told(changed[:MOST_CHANGED], row)
    return Published(row.at, then["version"], before, differs, shown, len(changed) - len(shown))


def _changed(row: PublishedWork, period: Period, definition: WorkDefinition) -> Iterator[tuple]:
    """Kind and id of the records that differ, with the first of each that does, as it was and as it is."""
    with translation.override(settings.LANGUAGE_CODE):  # in which the former were kept
        today = _grouped(_plain(each) for each in _rows(period, definition.records))
    then = _grouped(row.rows)
    # Where only the newest are known, one that is missing may just be an older one.
    cut = MOST in (len(row.rows), sum(map(len, today.values())))
    for key in dict.fromkeys([*today, *then]):
        before, after = then.get(key, []), today.get(key, [])
        gone = [each for each in before if _sign(each, definition) not in {_sign(other, definition) for other in after}]
        new = [each for each in after if _sign(each, definition) not in {_sign(other, definition) for other in before}]
        if (gone or new) and not (cut and not (before and after)):
            yield *key, gone[0] if gone else None, new[0] if new else None


def _grouped(rows: Iterable[dict]) -> dict[tuple[str, int], list[dict]]:
    found = defaultdict(list)
    for each in rows:
        found[each["kind"], each["id"]].append(each)
    return found


def _sign(row: dict, definition: WorkDefinition) -> tuple:
    """What of a record a figure rests on. Overdue work is later every day, and an open order moves on: no change."""
    left_out = () if definition.key == "scheduled_maintenance_critical" else ("days_late",)
    numbers = tuple(sorted((name, value) for name, value in row["numbers"].items() if name not in left_out))
    return row["at"], row["counts"], numbers, "" if definition.records in OF_OPEN_ORDERS else row["remark"]


# Which events tell of a change of a record, by how its kind is named in events.
OBJECTS = {"work_order": "workorders.workorder", "request": "workorders.request", "asset": "assets.asset",
           "net_margin": "kpis.netmargin", "labour_capacity": "kpis.labourcapacity"}  # fmt: skip
# Told only where nothing else is: these come after what changed a figure, or change none.
CHATTER = ("work_order.step_answered", "work_order.steps_written", "work_order.unassigned", "work_order.verified")


def _told(changed: Sequence[tuple], row: PublishedWork) -> list[Changed]:
    """With what was said of each record since."""
    ids = defaultdict(set)
    for kind, pk, *_ in changed:
        ids[kind].add(pk)
    order_of = dict(
        WorkOrder.objects.filter(occurrence__in=ids["occurrence"]).values_list("occurrence_id", "pk")
    )  # fmt: skip
    objects = Q()
    for kind, name in OBJECTS.items():
        pks = ids[kind] | (set(order_of.values()) if kind == "work_order" else set())
        if pks:
            objects |= Q(object_type=name, object_id__in=pks)
    if ids["occurrence"]:
        objects |= Q(verb="preventive_plan.skipped", data__occurrence__in=list(ids["occurrence"]))
    events: dict[tuple, Event] = {}
    said = Event.objects.filter(objects, site=row.site, at__gt=row.at).select_related("actor").order_by("at", "id")
    for event in said if objects else ():
        skipped = event.verb == "preventive_plan.skipped"
        key = ("occurrence", event.data["occurrence"]) if skipped else (event.object_type, event.object_id)
        if key not in events or event.verb not in CHATTER:
            events[key] = event
    found = []
    for kind, pk, before, after in changed:
        event = events.get((OBJECTS.get(kind, kind), pk)) or events.get((OBJECTS["work_order"], order_of.get(pk, 0)))
        found.append(Changed(kind, pk, _record(before), _record(after), event))
    return found


def _record(row: dict | None) -> Record | None:
    return row and Record(**row | {"at": row["at"] and parse_datetime(row["at"])})
