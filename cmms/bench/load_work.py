"""Orders for `cmms.bench.load`'s plant, by COPY: with labour and its cost, parts, requests and preventive work."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from cmms.bench.load import Size, beginning, copy, fix_sequences, line_of
from core.models import Site
from people.models import User
from workorders.models import JobPlan, PreventivePlan

FORMER = 10_000_000  # numbers of occurrences that no other part of the bench uses
TABLES = ("workorders_labour", "workorders_cost", "workorders_request", "workorders_planoccurrence")


@transaction.atomic
def load(size: Size, *, first: int, last: int, now: datetime) -> None:
    """Orders number `first` to `last` with their steps, one assignment each and what was recorded; one in ten is open."""
    rng = random.Random(first)
    sites = list(Site.objects.order_by("pk"))
    who = list(User.objects.filter(username__startswith="technician").order_by("pk").values_list("pk", flat=True))
    begin = beginning(size, now)
    spread = int((now - begin).total_seconds())
    kinds = ["corrective", "preventive", "inspection"]

    def orders():
        for pk in range(first, last + 1):
            asset = rng.randrange(size.assets) + 1
            site = sites[(line_of(asset) // 10) % len(sites)]
            raised = begin + timedelta(seconds=spread * pk // size.orders)
            closed = raised + timedelta(hours=rng.randrange(1, 200))
            closed = closed if pk % 10 and closed <= now else None
            state = "closed" if closed else rng.choice(["approved", "planned", "scheduled", "in_progress"])
            yield (
                pk, site.pk, pk, rng.choice(kinds), asset, f"Order {pk} on asset {asset}", "", state, 2, 2, pk % 4 + 1, "",
                (raised + timedelta(days=7)).isoformat(), 60, raised.isoformat(), raised.isoformat(), (closed or raised).isoformat(),
                closed and closed.isoformat(), closed and closed.isoformat(), "", "", "", "operator", "", 1,
            )  # fmt: skip

    copy(
        "workorders_workorder",
        "id, site_id, number, kind, asset_id, summary, description, state, consequence, likelihood, priority, "
        "priority_reason, due_to, estimate_minutes, reported_at, created, state_since, completed_at, closed_at, "
        "hold_reason, state_note, completion_note, source, external_id, version",
        orders(),
    )
    copy(
        "workorders_step",
        "order_id, position, kind, text, required, unit, choices, outcome, answer",
        (
            (pk, position, "check", f"Step {position}", "t", "", "{}", "ok" if pk % 10 else "", "")
            for pk in range(first, last + 1)
            for position in range(1, size.steps + 1)
        ),
    )
    copy(
        "workorders_assignment",
        "order_id, person_id, start, minutes",
        ((pk, who[pk % len(who)], (begin + timedelta(seconds=spread * pk // size.orders)).isoformat(), 60)
         for pk in range(first, last + 1)),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO workorders_numberseries (site_id, last) SELECT id, %s FROM core_site"
            " ON CONFLICT (site_id) DO UPDATE SET last = excluded.last",
            [last],
        )
    fix_sequences("workorders_workorder", "workorders_step", "workorders_assignment")
    records(first, last, who)


def records(first: int, last: int, who: list[int]) -> None:
    """Of orders number `first` to `last`: two people who worked on each closed one, parts for one in three, a request
    for one in four, and an occurrence for each preventive one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, site_id, asset_id, kind, reported_at, completed_at FROM workorders_workorder
               WHERE id BETWEEN %s AND %s ORDER BY id""",
            [first, last],
        )
        orders = cursor.fetchall()
    copy("workorders_labour", 'id, order_id, person_id, start, "end", hourly_rate, note', labour(orders, who))
    copy("workorders_cost", "order_id, source, amount, at, note, labour_id", costs(orders))
    copy(
        "workorders_request",
        "site_id, asset_id, summary, description, is_down, state, answer, reported_by_id, reported_at, answered_at,"
        " work_order_id, version",
        requests(orders, who),
    )
    copy(
        "workorders_planoccurrence",
        "plan_id, asset_id, sequence, due, interval_days, state, reason, done_at",
        occurrences(orders),
    )
    fix_sequences(*TABLES)
    agree(first, last)


def agree(first: int, last: int) -> None:
    """Each week of each site with two of three orders that were reported in it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO workorders_agreedweek (site_id, monday, agreed_at)
                   SELECT site_id, date_trunc('week', reported_at)::date, min(reported_at)
                   FROM workorders_workorder WHERE id BETWEEN %(first)s AND %(last)s GROUP BY 1, 2 ON CONFLICT DO NOTHING;
               INSERT INTO workorders_agreedorder (week_id, order_id, minutes)
                   SELECT a.id, w.id, 60 FROM workorders_workorder w
                   JOIN workorders_agreedweek a ON a.site_id = w.site_id AND a.monday = date_trunc('week', w.reported_at)::date
                   WHERE w.id BETWEEN %(first)s AND %(last)s AND mod(w.id, 3) > 0""",
            {"first": first, "last": last},
        )


def labour(orders: list[tuple], who: list[int]) -> Iterator[tuple]:
    for pk, *_, reported, completed in orders:
        for number in (0, 1) if completed else ():
            start = completed - timedelta(minutes=45 + 15 * number)
            yield 2 * pk + number, pk, who[(pk + number) % len(who)], max(start, reported), completed, 40, ""


def costs(orders: list[tuple]) -> Iterator[tuple]:
    for pk, *_, completed in orders:
        for number in (0, 1) if completed else ():
            yield pk, "labour", 30 + 10 * number, completed, "", 2 * pk + number
        if completed and pk % 3 == 0:
            yield pk, "parts", 100 + pk % 50, completed, "", None


def requests(orders: list[tuple], who: list[int]) -> Iterator[tuple]:
    for pk, site, asset, _, at, _ in orders:
        if pk % 4 == 0:
            answered, by = at + timedelta(hours=pk % 7), who[pk % len(who)]
            yield site, asset, f"Request {pk}", "", "f", "accepted", "", by, at, answered, pk, 1


def occurrences(orders: list[tuple]) -> Iterator[tuple]:
    plans: dict[int, int] = {}
    for pk, site, asset, kind, reported, completed in orders:
        if kind == "preventive":
            plan = plans.get(site) or plans.setdefault(site, plan_of(site, reported))
            due = reported + timedelta(days=2)
            yield plan, asset, FORMER + pk, due, 30, "done" if completed else "generated", "", completed


def plan_of(site: int, start: datetime) -> int:
    """A monthly plan of the site."""
    job, _ = JobPlan.objects.get_or_create(site_id=site, code="monthly", defaults={"title": "Lubricate and inspect"})
    plan, _ = PreventivePlan.objects.get_or_create(
        site_id=site, name="Monthly", defaults={"job_plan": job, "start": date(start.year, start.month, 1), "unit": "month"}
    )  # fmt: skip
    return plan.pk


def load_counts(now: datetime, *, days: int) -> None:
    """One machine of each line counts each shift."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO production_count (product, asset_id, start, "end", good, scrap, rework, ideal_cycle, source,
                                             external_id, entered_at, version)
               SELECT '', a.id, shift, past, 1000 + mod(a.id * 7 + extract(day FROM shift)::int * 11, 300), 10, 3, 20, 'plc',
                   '', past, 1
               FROM assets_asset a, generate_series(date_trunc('hour', %(now)s) - %(days)s * interval '1 day',
                   %(now)s - interval '8 hours', interval '8 hours') AS shift, LATERAL (SELECT shift + interval '8 hours') e(past)
               WHERE a.level = 'machine' AND mod(a.id, 10) = 5""",
            {"now": now, "days": days},
        )


def forget() -> None:
    """No order or count is left, and nothing that was recorded about one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE production_count, workorders_workorder, workorders_planoccurrence, workorders_preventiveplan,"
            " workorders_jobplan, workorders_agreedweek CASCADE"
        )
