"""What hangs on the wall of the shop floor: how every machine is doing now, today's figures, stops, open work."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, Count, Min, Q, QuerySet, When
from django.urls import reverse
from django.utils import formats
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assets.models import Asset, Downtime, DowntimeReason
from assets.states import DOWN, PLANNED_STOP
from core.errors import Refused
from core.kit.badges import Badge
from core.kit.present import when_text
from core.models import Site
from kpis import counting, figures, timeline, windows
from kpis import plain_records as plain
from kpis.axis import epoch
from kpis.facts.members import Scope, members
from kpis.facts.records import lasting_now
from kpis.intervals import Span
from kpis.present import Tile, agreed_for, tiles
from kpis.timeline import State
from workorders.models import WorkOrder
from workorders.priority import PRIORITY_BADGES
from workorders.states import Priority

KEYS = ("availability", "oee")
RECENT = timedelta(hours=8)
MOST_MACHINES, MOST_STOPS = 60, 24  # of which a screen shows as many as it has room for
FEW_STOPS = 6  # on a page that scrolls
ROOMY, DENSE = 14, 24  # machines
SECOND = timedelta(seconds=1)
OPEN_FIRST = Case(When(end=None, then=0), default=1)
RUNNING = Badge(gettext_lazy("Running"), "ok", "player-play")
NOT_SCHEDULED = Badge(gettext_lazy("Not scheduled"), "idle", "moon")
NO_DATA = Badge(gettext_lazy("No data"), "idle", "question-mark")


@dataclass(frozen=True)
class MachineNow:
    """One machine: its state, since when it is down, and why."""

    asset: Asset
    badge: Badge
    since: str = ""
    reason: str = ""


@dataclass(frozen=True)
class OpenWork:
    """Open orders of one priority."""

    badge: Badge
    orders: int
    overdue: int
    oldest: datetime
    url: str


@dataclass(frozen=True)
class Board:
    """All of it, as of one moment; `more` machines and stops are not told. Open stops come first."""

    now: datetime
    answer: str
    counted: counting.Counted | None  # what the figures are of; None for a machine
    today: list[Tile]
    shift: list[Tile]
    shift_words: str  # since when it runs, or why there is none
    lines: list[tuple[Asset | None, list[MachineNow]]]
    more_machines: int
    stops: list[Downtime]
    more_stops: int
    work: list[OpenWork] = field(default_factory=list)
    few_stops: int = FEW_STOPS

    @property
    def density(self) -> str:
        """How close the machines must stand so that a television shows them all."""
        machines = sum(len(rows) for _line, rows in self.lines)
        return "" if machines <= ROOMY else "dense" if machines <= DENSE else "tight"


def board(
    site: Site, asset: Asset | None, user, *, now: datetime, scope: Scope = Scope.LEAVES, line: bool | None = None,
    other: str = "",
) -> Board:  # fmt: skip
    """The board of a site, or of what stands below an asset, in a constant number of queries.

    `scope` says what its figures count, `line` whether machines stand below the asset (None: look), `other` is the
    address of the other way of counting.
    """
    line = counting.is_line(asset) if line is None else line
    day = windows.Window.of_days(site, (today := site.production_day(now)), today + windows.DAY)
    spans = [(day.start, day.end)]
    try:
        shift = windows.shift_at(site, asset, now)
        spans.append((shift.start, shift.end))
        shift_words = clock(shift.start, site, now)
    except Refused as error:
        shift_words = str(error.message)
    (whole,), *parts = figures.together([([asset], [each]) for each in spans], site=site, scope=scope, now=now)
    beside = {"agreed": agreed_for(whole, scope), "scope": scope}
    stops = _under(Downtime.objects.visible_to(user).at(site), asset, "asset__path").select_related("asset", "reason")
    machines, more = _machines(site, asset, stops.open(), now)
    everyone = whole if scope is Scope.LEAVES else figures.known([asset], spans[:1], site=site, now=now)[0]
    silent = [asset_id for asset_id, spans in everyone.reader.silent.items() if spans[-1][1] >= epoch(now)]
    states = machines_now(site, machines, now=now, unknown=[*everyone.unobserved, *silent])
    recent = stops.touching(now - RECENT, now).with_lasted().order_by(OPEN_FIRST, "-start", "-pk")
    return Board(
        now=now,
        answer=answer(states, more),
        counted=counting.counted(whole, scope, line=line, other=other),
        today=tiles(whole, None, KEYS, **beside),
        shift=[tile for (part,) in parts for tile in tiles(part, None, KEYS, **beside)],
        shift_words=shift_words,
        lines=_by_line(states),
        more_machines=more,
        stops=list(recent[:MOST_STOPS]),
        more_stops=max(0, recent.count() - MOST_STOPS),
        work=open_work(site, asset, user, now=now),
    )


# --- Machines --------------------------------------------------------------------------------------------


def _machines(site: Site, asset: Asset | None, open_stops: QuerySet, now: datetime) -> tuple[list[Asset], int]:
    """The machines to show, and how many are left out; of too many those that have an open stop come first."""
    ids = {each.asset_id for each in members(site, [asset], now - SECOND, now, Scope.LEAVES)}
    rows = list(Asset.objects.filter(pk__in=ids).active().select_related("parent", "site"))
    if len(rows) > MOST_MACHINES:
        paths = open_stops.values_list("asset__path", flat=True)
        touched = {int(part) for path in paths for part in path.split("/") if part}
        rows.sort(key=lambda row: (row.pk not in touched, row.code))
    shown = sorted(rows[:MOST_MACHINES], key=lambda row: (row.parent.code if row.parent else "", row.code))
    return shown, len(rows) - len(shown)


def machines_now(
    site: Site, machines: Sequence[Asset], *, now: datetime, unknown: Sequence[int] = ()
) -> list[MachineNow]:
    """How each machine is doing at this moment, by the same rules as its figures; of the `unknown` nobody knows."""
    shelf = lasting_now(site, [each.pk for each in machines], now)
    given = {stop.reason for stops in shelf.stops.values() for stop in stops}
    names = dict(DowntimeReason.objects.filter(pk__in=given).values_list("pk", "name"))
    return [_state(each, shelf.of(each.pk), site, names, known=each.pk not in set(unknown)) for each in machines]


def _state(machine: Asset, records: plain.Records, site: Site, names: dict[int, str], *, known: bool) -> MachineNow:
    moment = Span(records.now - SECOND, records.now)
    found = timeline.timeline(records, machine.pk, moment, known=known)
    outside = timeline.off_schedule(records, machine.pk, moment) if known else []
    span = found[-1] if found else None
    stop = outside[-1].stop if outside else span.stop if span else None
    if stop is not None:
        overrun = site.overrun_is_unplanned and stop.planned_end is not None and stop.planned_end <= records.now
        badge = PLANNED_STOP if stop.planned and not overrun else DOWN
        why = names.get(stop.reason) or _("no reason yet")
        return MachineNow(machine, badge, clock(stop.start, site, records.now), why)
    if not known:
        return MachineNow(machine, NO_DATA)
    scheduled = span is not None and span.state is State.OPERATING
    return MachineNow(machine, RUNNING if scheduled else NOT_SCHEDULED)


def clock(moment: datetime, site: Site, now: datetime) -> str:
    """The time of day; with its day, if it was not today."""
    local = site.local(moment)
    if local.date() == site.local(now).date():
        return formats.date_format(local, "TIME_FORMAT")
    return when_text(moment, relative=False, now=now)


def _by_line(states: Sequence[MachineNow]) -> list[tuple[Asset | None, list[MachineNow]]]:
    lines: dict[Asset | None, list[MachineNow]] = {}
    for each in states:
        lines.setdefault(each.asset.parent, []).append(each)
    return list(lines.items())


def answer(states: Sequence[MachineNow], more: int = 0) -> str:
    """How many are down, in words, of these and as many `more` that are not told."""
    if not states:
        return _("There is no machine here.")
    down = [each for each in states if each.badge is DOWN]
    if not down:
        return _("Nothing is down.")
    return ngettext("%(n)d machine of %(all)d is down.", "%(n)d machines of %(all)d are down.", len(down)) % {
        "n": len(down), "all": len(states) + more,
    }  # fmt: skip


# --- Work ------------------------------------------------------------------------------------------------


def open_work(site: Site, asset: Asset | None, user, *, now: datetime) -> list[OpenWork]:
    """Open orders by priority, the most urgent first; one query."""
    rows = _under(WorkOrder.objects.visible_to(user).at(site).open(), asset, "asset__path").order_by("priority")
    late = Count("pk", filter=Q(due_to__lt=now))
    below = {"ancestor": asset.pk} if asset else {}
    return [
        OpenWork(
            PRIORITY_BADGES[Priority(row["priority"])], row["orders"], row["overdue"], row["oldest"],
            f"{reverse('work-orders')}?{urlencode({'priority': row['priority'], **below})}",
        )
        for row in rows.values("priority").annotate(orders=Count("pk"), overdue=late, oldest=Min("created"))
    ]  # fmt: skip


def _under(rows: QuerySet, asset: Asset | None, path: str) -> QuerySet:
    return rows.filter(**{f"{path}__startswith": asset.path}) if asset else rows
