"""The rows that stand still: sites, people, asset trees, reasons, failure codes and calendars."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.text import slugify

from assets.models import (
    Asset,
    AssetKind,
    DowntimeReason,
    FailureCode,
    Level,
    Placement,
    RedundancyGroup,
)
from cmms.demo import world
from cmms.demo.shifts import Shift, exceptions, pattern_days, round_the_clock, shifts
from core.models import Site
from people.models import Membership, User
from production.models import CalendarException, ExceptionSlot, OperatingCalendar, WeeklySlot

DAYS = 2 * 365


@dataclass
class Unit:
    """A machine of the demo plant: its figures, its row, its line (None for utilities) and when it is scheduled."""

    spec: world.Machine
    asset: Asset
    site: Site
    line: world.Line | None
    shifts: list[Shift]
    since: datetime
    until: datetime  # retired, or now

    @property
    def kind(self) -> world.Kind:
        return KINDS[self.spec.kind]


KINDS = {kind.code: kind for kind in world.KINDS}


@dataclass
class Plant:
    """Everything that the history is written about."""

    now: datetime
    first: date
    sites: dict[str, Site] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    reasons: dict[tuple[str, str], DowntimeReason] = field(default_factory=dict)
    codes: dict[tuple[str, str, str], FailureCode] = field(default_factory=dict)  # list, kind, name
    lines: dict[str, Asset] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    line_shifts: dict[str, list[Shift]] = field(default_factory=dict)

    @property
    def start(self) -> datetime:
        """When records begin: the first production day at the site that starts it first."""
        return min(site.day_begins(self.first) for site in self.sites.values())

    def staff(self, site: Site, role: str) -> list[User]:
        """People with the role at the site, in the order of the table."""
        return [
            self.people[username]
            for username, _first, _last, roles, _rate in world.PEOPLE
            if role in roles.get(site.code, ())
        ]

    def working(self, site: Site) -> list[Unit]:
        """Machines of the site that are in operation now."""
        return [
            unit
            for unit in self.units
            if unit.site is site and unit.until == self.now and unit.spec.code != world.NEW_MACHINE.code
        ]

    def at(self, share: float) -> datetime:
        """The moment when this share of the history has passed."""
        return self.start + share * (self.now - self.start)


def build(now: datetime, days: int = DAYS) -> Plant:
    """Sites, people, trees and calendars, opened `days` before `now`."""
    now = now.astimezone(UTC)
    plant = Plant(now=now, first=now.date() - timedelta(days=days))
    for spec in world.SITES:
        plant.sites[spec.code] = Site.objects.create(
            code=spec.code,
            name=spec.name,
            time_zone=spec.time_zone,
            currency=spec.currency,
            day_start="06:00",
            demo=True,
        )
        plant.sites[spec.code].refresh_from_db()
    _people(plant)
    _reasons(plant)
    kinds = _kinds(plant)
    trees = Trees(plant, kinds)
    trees.grow()
    _calendars(plant, trees)
    return plant


def _people(plant: Plant) -> None:
    password = make_password(world.PASSWORD)
    for username, first, last, roles, rate in world.PEOPLE:
        user = User.objects.create(
            username=username,
            first_name=first,
            last_name=last,
            email=f"{username}@brightwater.example",
            hourly_rate=rate,
            password=password,
        )
        plant.people[username] = user
        Membership.objects.bulk_create(
            Membership(user=user, site=plant.sites[site], role=role) for site, held in roles.items() for role in held
        )


def _reasons(plant: Plant) -> None:
    rows = [
        DowntimeReason(site=site, code=code, name=name, planned=planned, excluded=excluded, loss_class=loss)
        for site in plant.sites.values()
        for code, name, planned, excluded, loss in world.REASONS
    ]
    for row in DowntimeReason.objects.bulk_create(rows):
        plant.reasons[row.site.code, row.code] = row


def _kinds(plant: Plant) -> dict[str, AssetKind]:
    """Asset kinds and failure codes are shared by all sites, so those that exist already are taken as they are."""
    kinds = {}
    for spec in world.KINDS:
        kinds[spec.code], _new = AssetKind.objects.get_or_create(code=spec.code, defaults={"name": spec.name})
        for problem, _item, cause, remedy in spec.problems:
            for list_, name in (("problem", problem), ("cause", cause), ("remedy", remedy)):
                plant.codes[list_, spec.code, name] = FailureCode.objects.get_or_create(
                    list=list_, kind=kinds[spec.code], code=slugify(name)[:40], defaults={"name": name}
                )[0]
    return kinds


class Trees:
    """The asset trees of both sites, with their placements."""

    def __init__(self, plant: Plant, kinds: dict[str, AssetKind]):
        self.plant = plant
        self.kinds = kinds
        self.areas: dict[tuple[str, str], Asset] = {}
        self.placements: list[Placement] = []

    def grow(self) -> None:
        plant = self.plant
        for site in plant.sites.values():
            self.areas[site.code, "FILL"] = self.stand(site, "FILL", "Filling hall", None, Level.AREA, criticality="A")
            self.areas[site.code, "UT"] = self.stand(site, "UT", "Utilities", None, Level.AREA, criticality="A")
        for line in world.LINES:
            self.line(line)
        for site in plant.sites.values():
            self.utilities(site)
        Placement.objects.bulk_create(self.placements)

    def line(self, line: world.Line) -> None:
        plant, site = self.plant, self.plant.sites[line.site]
        row = self.stand(
            site, line.code, line.name, self.areas[site.code, line.area], Level.LINE,
            criticality=line.criticality, downtime_cost=line.hour_down,
            replacement_value=line.hour_down * world.VALUE_IN_HOURS,
        )  # fmt: skip
        plant.lines[line.code] = row
        spec = next(spec for spec in world.SITES if spec.code == line.site)
        plant.line_shifts[line.code] = shifts(line, spec, plant.first, site.production_day(plant.now))
        for machine in line.machines:
            self.machine(machine, site, row, line)
        if line.code == "L1":
            self.machine(world.RETIRED_MACHINE, site, row, line, until=plant.at(world.RETIRED_AFTER))
        if line.code == "L2":
            self.machine(world.NEW_MACHINE, site, row, line, since=plant.now - timedelta(days=world.NEW_MACHINE_DAYS))

    def utilities(self, site: Site) -> None:
        plant = self.plant
        area = self.areas[site.code, "UT"]
        always = round_the_clock(plant.first, site.production_day(plant.now), site.zone)
        for machine in world.UTILITIES[site.code]:
            self.machine(machine, site, area, None, worked=always)
        station = self.stand(site, "UT-AIR", "Compressed air station", area, Level.AREA, criticality="A")
        group = RedundancyGroup.objects.create(
            parent=station, name="Compressors", needed=world.COMPRESSORS_NEEDED[site.code]
        )
        for machine in world.COMPRESSORS[site.code]:
            self.machine(machine, site, station, None, worked=always, group=group)

    def machine(self, spec, site, parent, line, *, since=None, until=None, worked=None, group=None) -> None:
        """A machine with its components, and what the history needs to know of it."""
        plant = self.plant
        since = since or site.day_begins(plant.first)
        if spec.code == world.RETIRED_MACHINE.code:
            parent_then, moved = None, None
        else:
            parent_then, moved = self.former_place(spec)
        kind = KINDS[spec.kind]
        scores = SCORES[spec.criticality]
        row = self.stand(
            site, spec.code, spec.name, parent, Level.MACHINE, since=since, group=group, former=(parent_then, moved),
            kind=self.kinds[kind.code], criticality=spec.criticality, stops_parent=spec.stops,
            downtime_cost=spec.hour_down, retired=until, manufacturer=MAKERS[spec.kind],
            serial_number=f"{1000 + len(plant.units) * 37:05d}-{spec.code[-3:]}",
            criticality_reason=REASONING[spec.criticality], **scores,
        )  # fmt: skip
        for position, component in enumerate(spec.components, start=1):
            self.stand(site, f"{spec.code}.{position}", component, row, Level.COMPONENT, criticality=spec.criticality)
        worked = worked if worked is not None else plant.line_shifts[line.code]
        plant.units.append(
            Unit(
                spec, row, site, line,
                [shift for shift in worked if shift.start >= since and (until is None or shift.end <= until)],
                since, until or plant.now,
            )
        )  # fmt: skip

    def former_place(self, spec: world.Machine) -> tuple[Asset | None, datetime | None]:
        code, line, share = world.MOVED
        return (self.plant.lines[line], self.plant.at(share)) if spec.code == code else (None, None)

    def stand(self, site, code, name, parent, level, *, since=None, group=None, former=(None, None), **fields) -> Asset:
        """One asset with its place, or its two places when it was moved."""
        since = since or site.day_begins(self.plant.first)
        row = Asset(
            site=site, code=code, name=name, parent=parent, level=level, commissioned=since, created=since,
            redundancy_group=group, **fields,
        )  # fmt: skip
        row.save()
        row.path = f"{parent.path if parent else '/'}{row.pk}/"
        row.save(update_fields=["path"])
        place = {"asset": row, "stops_parent": row.stops_parent, "redundancy_group": group}
        former_parent, moved = former
        if moved:
            self.placements.append(
                Placement(asset=row, parent=former_parent, stops_parent=False, valid=DateTimeTZRange(since, moved))
            )
        self.placements.append(Placement(parent=parent, valid=DateTimeTZRange(moved or since, row.retired), **place))
        return row


SCORES = {
    "A": {"safety_score": 3, "environment_score": 2, "production_score": 5, "quality_score": 4, "cost_score": 4},
    "B": {"safety_score": 2, "environment_score": 1, "production_score": 3, "quality_score": 3, "cost_score": 3},
    "C": {"safety_score": 1, "environment_score": 1, "production_score": 2, "quality_score": 1, "cost_score": 2},
}
REASONING = {
    "A": "Its stop stands the line or the plant within minutes; no bypass.",
    "B": "The buffer before it lasts for a quarter of an hour; a slow bypass exists.",
    "C": "Can be bypassed or worked by hand for a shift.",
}
MAKERS = {
    "depalletiser": "Hallmann", "blow-moulder": "Petron", "washer": "Hallmann", "inspector": "Optiline",
    "filler": "Krantz", "capper": "Krantz", "seamer": "Angell", "pasteuriser": "Krantz", "labeller": "Etima",
    "coder": "Dotmark", "checkweigher": "Optiline", "packer": "Hallmann", "shrink-wrapper": "Filmatic",
    "palletiser": "Hallmann", "conveyor": "Regio Fördertechnik", "mixer": "Krantz", "compressor": "Boreas",
    "chiller": "Boreas", "boiler": "Thermax Kessel", "pump": "Sulzbach", "robot": "Armatec",
}  # fmt: skip


def _calendars(plant: Plant, trees: Trees) -> None:
    for line in world.LINES:
        spec = next(spec for spec in world.SITES if spec.code == line.site)
        site = plant.sites[line.site]
        last = site.production_day(plant.now)
        off = exceptions(line, spec, plant.first, last)
        for pattern, begin, end in pattern_days(line, plant.first, last):
            calendar = OperatingCalendar.objects.create(
                site=site, asset=plant.lines[line.code], name=pattern.name, valid_from=begin, valid_to=end
            )
            WeeklySlot.objects.bulk_create(
                WeeklySlot(calendar=calendar, weekday=int(weekday), start=start, end=stop)
                for weekdays, start, stop in pattern.slots
                for weekday in weekdays
            )
            held = [exc for day, exc in off.items() if begin <= day and (end is None or day < end)]
            rows = CalendarException.objects.bulk_create(
                CalendarException(calendar=calendar, date=exc.day, name=exc.name) for exc in held
            )
            ExceptionSlot.objects.bulk_create(
                ExceptionSlot(exception=row, start=start, end=stop)
                for row, exc in zip(rows, held, strict=True)
                for start, stop in exc.slots
            )
    for site in plant.sites.values():
        always = OperatingCalendar.objects.create(
            site=site, asset=trees.areas[site.code, "UT"], name="Round the clock", valid_from=plant.first
        )
        WeeklySlot.objects.bulk_create(
            WeeklySlot(calendar=always, weekday=weekday, start="06:00", end="06:00") for weekday in range(7)
        )
        week = OperatingCalendar.objects.create(site=site, name="Plant hours", valid_from=plant.first)
        WeeklySlot.objects.bulk_create(
            WeeklySlot(calendar=week, weekday=weekday, start="06:00", end="22:00") for weekday in range(5)
        )


__all__ = ["Plant", "Unit", "build"]
