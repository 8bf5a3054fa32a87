"""Any window of all assets, and of all lines with their machines, beside hand-written SQL on the records."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from assets.models import Asset
from cmms.bench import load, window_reference
from cmms.bench.measure import Report, interleaved, peak_mib, seconds
from cmms.bench.window_reference import LONGEST, Sums
from core.models import Site
from kpis import computing, figures
from kpis.axis import epoch, instant
from kpis.facts.live import compute
from kpis.facts.plans import Plans

ROUNDS = 3
SAMPLE = 100  # assets of the loop that asks one by one
TIMES_FASTER = 50
GROUPS = """
INSERT INTO assets_redundancygroup (parent_id, name, needed)
    SELECT id, 'Two of three', 2 FROM assets_asset WHERE parent_id IS NULL;
UPDATE assets_placement p SET redundancy_group_id = g.id
FROM assets_redundancygroup g, (
    SELECT id, row_number() OVER (PARTITION BY parent_id ORDER BY asset_id) AS no
    FROM assets_placement WHERE parent_id IS NOT NULL AND NOT stops_parent
) machine WHERE g.parent_id = p.parent_id AND machine.id = p.id AND machine.no <= 3;
ANALYZE assets_redundancygroup, assets_placement
"""


def measure(report: Report, *, size: load.Size, now: datetime) -> None:
    """`kpi_reference.full` has been run."""
    window_reference.prepare(now)
    for days in (30, min(365, size.days - 5)):
        every_asset(report, size=size, days=days, now=now)
    with grouped(now):
        roll_up(report, size=size, days=30, now=now)
    load.analyze()  # what was taken back leaves dead rows, which a change would have to step over


def span(days: int, now: datetime) -> tuple[int, int]:
    """A window that no production day begins or ends with."""
    hi = epoch(now) - 86_400 + 3_723
    return hi - days * 86_400, hi


Subjects = dict[Site, list[Asset]]


def subjects(*, lines: bool = False) -> Subjects:
    """Every asset, or every line, by site. To load them, and to walk through them in search of garbage, is not measured,
    neither here nor with the reference."""
    only = {"parent": None} if lines else {}
    found = {
        site: list(Asset.objects.filter(site=site, **only).order_by("pk").only("pk"))
        for site in Site.objects.order_by("pk")
    }
    gc.collect()
    gc.freeze()  # as web workers do with what start-up made (`cmms.gunicorn`)
    return found


def product(asked: Subjects, lo: int, hi: int, now: datetime) -> Sums:
    """All of them in [lo, hi) as pages and `kpis/` read it: stored days, and the records of the days in which a stop
    reaches over the cut."""
    found: Sums = {}
    for site, rows in asked.items():
        for period in figures.known(rows, [(instant(lo), instant(hi))], site=site, scope="asset", now=now):
            facts = period.answer.all
            sums = facts.scheduled + facts.unobserved, facts.planned_stop, facts.down, facts.off_schedule
            found[period.asset.pk] = (*map(int, sums), facts.stops, facts.events + facts.found)
    return found


def from_records(lo: int, hi: int, now: datetime) -> Sums:
    """The same of every asset without any stored day, as the first night and the weekly audit compute it."""
    found: Sums = {}
    for site in Site.objects.order_by("pk"):
        ids = list(Asset.objects.filter(site=site).order_by("pk").values_list("pk", flat=True))
        plans = Plans(site, ids, lo - LONGEST, hi)
        watch = {pk: [(lo - LONGEST, hi)] for pk in ids}  # no failure lasts longer, so that none is cut
        cells, events = compute(site, [(pk, lo, hi) for pk in ids], watch, epoch(now), plans)
        begun = dict.fromkeys(ids, 0)
        for event in events:
            begun[event.asset_id] += (event.counts or event.found) and lo <= epoch(event.occurred)
        for number, pk in enumerate(ids):
            sums = cells[number].sums if number in cells else {}
            known = [int(sums.get(name, 0)) for name in ("planned_stop", "down", "off_schedule", "stops")]
            found[pk] = (plans.between(plans.stretches(pk), lo, hi), *known, begun[pk])
    return found


def differing(one: Sums, other: Sums) -> int:
    return sum(one.get(pk) != other.get(pk) for pk in one.keys() | other.keys())


def every_asset(report: Report, *, size: load.Size, days: int, now: datetime) -> None:
    lo, hi = span(days, now)
    name = f"{days} days of {size.assets:,} assets, any window"
    rows = subjects()
    expected = window_reference.window(lo, hi)
    wrong = differing(product(rows, lo, hi, now), expected)
    report.add(f"{name}: assets that differ", product=wrong, bar="none", ok=wrong == 0, unit="rows")
    asked: list[Sums] = []
    alone = seconds(lambda: asked.append(from_records(lo, hi, now)))
    wrong = differing(asked.pop(), expected)
    report.add(f"{name}: the same from records alone", product=wrong, bar="none", ok=wrong == 0, unit="rows")
    rounds = ROUNDS if days <= 30 else 2
    took, by_hand = interleaved(lambda: product(rows, lo, hi, now), lambda: window_reference.window(lo, hi), rounds)
    report.add(name, product=took, reference=by_hand, most=1.5, detail=f"peak {peak_mib():.0f} MiB")
    report.add(
        f"{name}, from records alone", product=alone, reference=by_hand,
        detail="with lost time by reason, which the reference leaves out",
    )  # fmt: skip
    planned = window_reference.schedules()
    sample = sorted(planned)[:: max(1, size.assets // SAMPLE)]
    slow = seconds(lambda: asked.append(window_reference.one_by_one(sample, planned, lo, hi, now=epoch(now))))
    wrong = sum(asked[0][pk] != expected[pk] for pk in sample)
    report.add(f"{name}: sampled assets that differ", product=wrong, bar="none", ok=wrong == 0, unit="rows")
    whole = slow / len(sample) * size.assets
    report.add(
        f"{name}, beside one query per asset", product=took, reference=whole, bar=f"≥ {TIMES_FASTER}× faster",
        ok=whole / took >= TIMES_FASTER, detail=f"{whole / took:.0f}× faster; reckoned from {len(sample)} assets",
    )  # fmt: skip


@contextmanager
def grouped(now: datetime) -> Iterator[None]:
    """Of three machines of every line that do not stop it alone two must be up; taken back at the end."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(GROUPS)
        computing.compute_due(now=now)  # all days of all lines have changed
        yield
        transaction.set_rollback(True)


def roll_up(report: Report, *, size: load.Size, days: int, now: datetime) -> None:
    lo, hi = span(days, now)
    expected = window_reference.lines(lo, hi)
    name = f"{days} days of {len(expected):,} lines and their sites"
    rows = subjects(lines=True)
    found = product(rows, lo, hi, now)
    alone = window_reference.window(lo, hi)
    wrong = differing(found, expected)
    longer = sum(expected[pk][2] > alone[pk][2] for pk in expected)
    report.add(
        f"{name}: lines that differ", product=wrong, bar="none", ok=wrong == 0, unit="rows",
        detail=f"{longer:,} lines were stopped by a group as well",
    )  # fmt: skip
    took, by_hand = interleaved(
        lambda: by_site(product(rows, lo, hi, now)), lambda: by_site(window_reference.lines(lo, hi)), ROUNDS
    )
    report.add(f"{name}, stops_parent and 2 of 3", product=took, reference=by_hand, most=1.5)


def by_site(sums: Sums) -> dict[int, tuple[int, ...]]:
    """The lines of each site added up."""
    sites = dict(Asset.objects.filter(pk__in=sums).values_list("pk", "site_id"))
    found: dict[int, tuple[int, ...]] = {}
    for pk, each in sums.items():
        known = found.get(sites[pk], (0,) * len(each))
        found[sites[pk]] = tuple(a + b for a, b in zip(known, each, strict=True))
    return found
