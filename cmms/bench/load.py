"""A plant of a given size, loaded by COPY: sites, lines, machines, calendars, stops, failures, counts and orders."""

import io
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from assets.models import DowntimeReason, LossClass
from core.models import Site
from people.models import Membership, User
from people.roles import Role
from production.models import OperatingCalendar, WeeklySlot

ZONES = ["Europe/Berlin", "America/Chicago", "Asia/Kolkata", "America/Sao_Paulo", "Australia/Sydney"]
SHIFTS = ["06:00", "14:00", "22:00"]


@dataclass(frozen=True)
class Size:
    """How much to load; `days` is the length of the history."""

    assets: int = 10_000
    downtimes: int = 1_000_000
    orders: int = 100_000
    days: int = 730
    steps: int = 5


def null(value: object) -> str:
    return "\\N" if value is None else str(value)


def copy(table: str, columns: str, rows: Iterable[tuple]) -> None:
    """COPY rows into a table; values are text, None is NULL."""
    text = io.StringIO()
    with connection.cursor() as cursor:
        sql = f"COPY {table} ({columns}) FROM STDIN"
        for number, row in enumerate(rows, 1):
            text.write("\t".join(map(null, row)) + "\n")
            if number % 200_000 == 0:
                text.seek(0)
                cursor.copy_expert(sql, text)
                text = io.StringIO()
        text.seek(0)
        cursor.copy_expert(sql, text)


def fix_sequences(*tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))"
            )


def beginning(size: Size, now: datetime) -> datetime:
    """The first midnight of the history."""
    return (now - timedelta(days=size.days)).replace(hour=0, minute=0, second=0, microsecond=0)


@transaction.atomic
def load(size: Size, *, now: datetime) -> User:
    """Fill an empty database with everything but orders, and return a planner who may see every site."""
    begin = beginning(size, now)
    sites = [Site.objects.create(code=f"site{n}", name=f"Site {n}", time_zone=zone) for n, zone in enumerate(ZONES)]
    planner = User.objects.create(username="bench-planner", password="!")
    Membership.objects.bulk_create(Membership(user=planner, site=site, role=Role.PLANNER) for site in sites)
    people = [User(username=f"technician{n}", first_name=f"Technician {n}", password="!") for n in range(50)]
    User.objects.bulk_create(people)
    Membership.objects.bulk_create(
        Membership(user=person, site=sites[n % len(sites)], role=Role.TECHNICIAN) for n, person in enumerate(people)
    )
    load_assets(size, sites, begin)
    load_calendars(size, sites, begin)
    load_reasons(sites)
    return planner


def line_of(asset: int) -> int:
    """Assets come in tens: the first of each is the line of the other nine."""
    return (asset - 1) // 10 * 10 + 1


def load_assets(size: Size, sites: list[Site], begin: datetime) -> None:
    def rows():
        for pk in range(1, size.assets + 1):
            line = line_of(pk)
            site = sites[(line // 10) % len(sites)]
            is_line = pk == line
            yield (
                pk, site.pk, f"A{pk:06}", f"Asset {pk}", None if is_line else line, f"/{pk}/" if is_line else f"/{line}/{pk}/",
                "line" if is_line else "machine", not is_line and pk % 3 == 0, "ABC"[pk % 3], 300, begin, "", "", "", "", "", "", now_text(begin), 1,
            )  # fmt: skip

    copy(
        "assets_asset",
        "id, site_id, code, name, parent_id, path, level, stops_parent, criticality, short_stop_seconds, commissioned, "
        "criticality_reason, manufacturer, model, serial_number, description, external_id, created, version",
        rows(),
    )
    copy(
        "assets_placement",
        "asset_id, parent_id, stops_parent, valid",
        (
            (
                pk,
                None if pk == line_of(pk) else line_of(pk),
                pk != line_of(pk) and pk % 3 == 0,
                f"[{begin.isoformat()},)",
            )
            for pk in range(1, size.assets + 1)
        ),
    )
    fix_sequences("assets_asset", "assets_placement")


def now_text(moment: datetime) -> str:
    return moment.isoformat()


def load_calendars(size: Size, sites: list[Site], begin: datetime) -> None:
    """One three-shift calendar per site and a two-shift calendar for every seventh line."""
    day = (begin - timedelta(days=7)).date()
    lines = range(1, size.assets + 1, 70)
    calendars = [OperatingCalendar(site=site, name="Three shifts", valid_from=day) for site in sites]
    calendars += [
        OperatingCalendar(site=sites[(line // 10) % len(sites)], asset_id=line, name="Two shifts", valid_from=day)
        for line in lines
    ]
    OperatingCalendar.objects.bulk_create(calendars)
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=calendar, weekday=weekday, start=start, end=end)
        for calendar in calendars
        for weekday in range(6)
        for start, end in zip(SHIFTS, [*SHIFTS[1:], SHIFTS[0]], strict=True)
        if calendar.asset_id is None or (start != "22:00" and weekday < 5)
    )


def load_reasons(sites: list[Site]) -> None:
    """A breakdown, a setup and an excluded meal at every site, with ids in threes."""
    for site in sites:
        DowntimeReason.objects.create(site=site, code="breakdown", name="Breakdown", loss_class=LossClass.BREAKDOWN)
        DowntimeReason.objects.create(site=site, code="setup", name="Setup", planned=True, loss_class=LossClass.SETUP)
        DowntimeReason.objects.create(site=site, code="meal", name="Meal", planned=True, excluded=True)


def unchecked() -> None:
    """For this transaction, neither keys nor triggers where the role may say so: the rows fit together, and what the
    triggers would mark is computed from nothing. Checking ten million rows took longer than all that is measured."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles"
            " WHERE rolname = current_user AND rolsuper"
        )


@transaction.atomic
def load_stops(size: Size, *, begin: datetime, end: datetime, rows: int, now: datetime) -> None:
    """`rows` stops that start in [begin, end): some overlap, some are still open; every fifth unplanned one is a failure."""
    unchecked()
    rng = random.Random(int(begin.timestamp()))
    spread = int((end - begin).total_seconds())
    reasons = {reason.site_id: [] for reason in DowntimeReason.objects.all()}
    for reason in DowntimeReason.objects.order_by("pk"):
        reasons[reason.site_id].append(reason.pk)
    sites = sorted(reasons)

    def stops():
        opened: set[int] = set()
        for _ in range(rows):
            asset = rng.randrange(size.assets) + 1
            choice = reasons[sites[(line_of(asset) // 10) % len(sites)]]
            start = begin + timedelta(seconds=rng.randrange(spread))
            finish = start + timedelta(seconds=int(rng.expovariate(1 / 2400)) + 30)
            if finish > now:
                finish = None if asset not in opened else now
                opened.add(asset)
            chance = rng.random()
            reason = choice[0] if chance < 0.7 else choice[1] if chance < 0.85 else choice[2]
            yield (
                asset,
                start.isoformat(),
                finish and finish.isoformat(),
                chance >= 0.7,
                reason,
                "plc",
                "",
                "",
                start.isoformat(),
                1,
            )

    first = highest("assets_downtime") + 1
    copy(
        "assets_downtime",
        'asset_id, start, "end", planned, reason_id, source, external_id, note, entered_at, version',
        stops(),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO assets_failure (asset_id, component, occurred, restored, detection, downtime_id, note, source,
                                           external_id, entered_at, version)
               SELECT asset_id, '', start, "end", 'operation', id, '', 'plc', '', start, 1
               FROM assets_downtime WHERE mod(id, 5) = 0 AND NOT planned AND id >= %s""",
            [first],
        )


def highest(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        return cursor.fetchone()[0]


def analyze() -> None:
    """Tables as autovacuum and the checkpointer would have left them by the next night, so that neither works through
    what was loaded while something is measured."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')")
        if cursor.fetchone()[0]:
            cursor.execute("CHECKPOINT")


def moment() -> datetime:
    """The bench's now: the last full minute, so that all parts of a run agree."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
