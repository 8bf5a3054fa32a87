"""Asking the statement: which assets, which spans, and what the answer means."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from core.models import Site
from kpis.axis import EVER, FAR, NEVER, Axis, ProductionDays
from kpis.facts.held import LIFE_FROM, LIFE_TO, seconds
from kpis.facts.plans import Owners, Plans, Stretch
from kpis.facts.prepared import execute
from kpis.facts.ranges import Ranges, columns, literal, merged, widened
from kpis.facts.statement import ANSWER, ANSWER_EVENTS, STORE, TOLD, statement

FEW = 1000  # stretches; more are worth a plan of their own


def lives(asset_ids: Iterable[int], now: int) -> dict[int, tuple[int, int]]:
    """Service life of each asset, until now at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.id, {LIFE_FROM}, {LIFE_TO} FROM assets_asset a WHERE a.id = ANY(%(assets)s::bigint[])",
            {"assets": literal(asset_ids), "now": now, "far": FAR},
        )
        return {asset_id: (since, until) for asset_id, since, until in cursor.fetchall()}


def with_counts(asset_ids: Iterable[int]) -> set[int]:
    """The assets of which a count was ever recorded, each sought by an index: without an order the planner may read all
    counts for each, where few assets count."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.asset_id FROM unnest(%(assets)s::bigint[]) AS m(asset_id) CROSS JOIN LATERAL (
                SELECT FROM production_count c WHERE c.asset_id = m.asset_id ORDER BY c.start LIMIT 1) c
            """,
            {"assets": literal(asset_ids)},
        )
        return {asset_id for (asset_id,) in cursor.fetchall()}


def group_levels(site: Site) -> list[list[int]]:
    """The site's redundancy groups, deepest parents first; a group comes after all that can lie below it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE grouped AS MATERIALIZED (
                SELECT g.id, g.parent_id FROM assets_redundancygroup g
                JOIN assets_asset a ON a.id = g.parent_id WHERE a.site_id = %(site)s
            ), up(parent_id, above) AS (
                SELECT DISTINCT parent_id, parent_id FROM grouped
                UNION
                SELECT u.parent_id, p.parent_id FROM up u CROSS JOIN LATERAL (
                    SELECT parent_id FROM assets_placement WHERE asset_id = u.above OFFSET 0) p
                WHERE p.parent_id IS NOT NULL
            )
            SELECT g.id, count(*) FROM grouped g
                JOIN up USING (parent_id) JOIN (SELECT DISTINCT parent_id FROM grouped) a ON a.parent_id = up.above
            GROUP BY g.id ORDER BY 2 DESC, 1
            """,
            {"site": site.pk},
        )
        levels = defaultdict(list)
        for group_id, depth in cursor.fetchall():
            levels[depth].append(group_id)
    return list(levels.values())


@contextmanager
def calculating(memory: str = "64MB") -> Iterator[None]:
    """A transaction in which the statement runs, with memory for its sorts.

    Its commit does not wait for the disk: facts and the marks they clear go together, so a crash leaves both as before.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{memory}'; SET LOCAL synchronous_commit = off")
        yield


@contextmanager
def without_loops() -> Iterator[CursorWrapper]:
    """A cursor for statements of many steps, which the planner believes to be tiny and would join by nested loops.

    Where a loop over an index is meant, such a statement leaves the planner no choice.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield cursor
        cursor.execute("SET LOCAL enable_nestloop = on")


@dataclass(slots=True)
class Question:
    """What the statement is asked about one site. `cells` are asked directly; without them production days are."""

    site: Site
    now: int
    reach: Ranges
    watch: Ranges
    plans: Plans
    levels: list[list[int]]
    days: ProductionDays | None = None
    cells: Sequence[tuple[int, int, int, int]] = ()  # asset, from, to, number; below 1 not answered
    counts: bool = True  # False: none was ever recorded of these assets
    stretches: list[tuple[int, Stretch]] = field(init=False)
    lines: list[Axis] = field(init=False)  # the axes in use
    numbers: dict[Owners, int] = field(init=False)  # which of them is whose

    def __post_init__(self):
        self.stretches = [(asset_id, each) for asset_id in self.reach for each in self.plans.stretches(asset_id)]
        axes = {owners: self.plans.axis(owners) for owners in sorted({each.owners for _, each in self.stretches})}
        self.lines = list({id(line): line for line in axes.values()}.values())  # calendars alike share one
        places = {id(line): place for place, line in enumerate(self.lines)}
        self.numbers = {owners: places[id(line)] for owners, line in axes.items()}

    def parameters(self) -> dict:
        starts = {asset_id: [(lo - 1, hi) for lo, hi in spans] for asset_id, spans in self.reach.items()}
        return {
            "now": self.now,
            "far": FAR,
            "ever": EVER,
            "never": NEVER,
            "overrun": self.site.overrun_is_unplanned,
            "gap": self.site.failure_merge_gap * 60,
            **columns("reach", starts),
            **columns("watch", self.watch),
            **{f"groups_{level}": literal(ids) for level, ids in enumerate(self.levels, start=1)},
            **self._plan(),
            **self._axes(),
            **({"days": literal(self.days.borders), "first_day": self.days.first} if self.days else {}),
            "cell_asset": literal(cell[0] for cell in self.cells),
            "cell_lo": literal(cell[1] for cell in self.cells),
            "cell_hi": literal(cell[2] for cell in self.cells),
            "cell_no": literal(cell[3] for cell in self.cells),
        }

    def _plan(self) -> dict:
        return {
            "plan_asset": literal([asset_id for asset_id, _ in self.stretches]),
            "plan_lo": literal([each.start for _, each in self.stretches]),
            "plan_hi": literal([each.end for _, each in self.stretches]),
            "plan_shift": literal([each.shift for _, each in self.stretches]),
            "plan_axis": literal([self.numbers[each.owners] for _, each in self.stretches]),
        }

    def _axes(self) -> dict:
        """The axes in use, each as three texts; of cells, as far as they lie on them."""
        asked = merged({(lo, hi) for _, lo, hi, _ in self.cells})
        lines = self.lines if self.days else [line.around(asked) for line in self.lines]
        return {
            "axis": literal(range(len(lines))),
            **{
                f"axis_{name}": [None if line.always else literal(getattr(line, name)) for line in lines]
                for name in ("starts", "ends", "base")
            },
        }

    def rows(self) -> list[tuple]:
        """The answer for the cells and for the failure events of the watched spans."""
        with without_loops() as cursor:
            head = ANSWER + ANSWER_EVENTS if self.watch else ANSWER
            text = self._text(head, events=bool(self.watch))
            if len(self.stretches) > FEW:
                cursor.execute(text, self.parameters())
            else:
                execute(cursor, text, self.parameters())
            return cursor.fetchall()

    def told(self) -> list[tuple[int, int, bool]]:
        """Assets and days (from 1) of which something is told, and whether it is a count."""
        with without_loops() as cursor:
            execute(cursor, self._text(TOLD, events=False), self.parameters())
            return cursor.fetchall()

    def store(self, wanted: Ranges, events: Ranges, aside: str = "") -> tuple[int, list[int]]:
        """Write the wanted production days and the failure events of their spans.

        Says how many asset-days were written, and of which assets. `aside` are steps that keep a copy.
        """
        head = STORE.replace("{aside}", aside)
        with without_loops() as cursor:
            parameters = self.parameters() | columns("want", wanted) | columns("event", events)
            cursor.execute(self._text(head, events=True), parameters)
            written, assets = cursor.fetchone()
            return written, assets or []

    def _text(self, head: str, *, events: bool) -> str:
        return statement(
            head,
            days=self.days is not None,
            levels=len(self.levels),
            counts=self.counts,
            events=events,
        )


def reaching_counts(ranges: Ranges) -> Ranges:
    """The ranges widened by counts that cross their borders, whose split needs the operating time around them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT w.asset_id, {seconds("c.start")}, {seconds('c."end"')}
            FROM unnest(%(w_asset)s::bigint[], %(w_lo)s::bigint[], %(w_hi)s::bigint[]) AS w(asset_id, lo, hi)
            CROSS JOIN LATERAL (
                SELECT c.start, c."end" FROM production_count c WHERE c.asset_id = w.asset_id
                    AND c.start < to_timestamp(w.hi) AND c."end" > to_timestamp(w.lo)
                    AND c.start >= to_timestamp(w.lo - 86400) AND c."end" - c.start <= interval '24 hours'
                    AND (c.start < to_timestamp(w.lo) OR c."end" > to_timestamp(w.hi))
                UNION ALL
                SELECT c.start, c."end" FROM production_count c WHERE c.asset_id = w.asset_id
                    AND c.start < to_timestamp(w.hi) AND c."end" > to_timestamp(w.lo)
                    AND c."end" - c.start > interval '24 hours'
                    AND (c.start < to_timestamp(w.lo) OR c."end" > to_timestamp(w.hi))
            ) c
            """,
            columns("w", ranges),
        )
        return widened(ranges, ((asset_id, start, max(end, start + 1)) for asset_id, start, end in cursor.fetchall()))
