"""What the orders, occurrences, requests and costs of many assets tell about many windows, as of one moment.

One query for each kind of record, whatever the number of assets and buckets, asked when the first figure of its kind
is wanted. Orders stand on lines and components as well as on machines, so an asset's work is that of everything that
stood below it at that time; only the scope *asset* means the orders of the asset alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.db import connection

from assets.models import Asset
from core.models import Site
from kpis.agreed import BreakIn, Kept
from kpis.axis import EVER, NEVER
from kpis.backlog import Backlog, Closed, Spent, Stood
from kpis.crew import Crew, Load, Wrench
from kpis.facts.agreed import Agreed, agreed_in, over_in
from kpis.facts.members import Scope, members, moved
from kpis.facts.output import outputs
from kpis.facts.priced import stops_of_priced
from kpis.facts.ranges import literal
from kpis.facts.read import Answers, Reader
from kpis.facts.repairing import Told, repairs_of, told
from kpis.facts.stated import crews_in, earned_in
from kpis.facts.work_statements import IN_TIME, asked
from kpis.facts.worth import Replaced, replaced
from kpis.facts.zones import Cut, Member
from kpis.margin import Lens
from kpis.repairs import Repairs
from kpis.spending import Output, UnitCost, Upkeep
from kpis.work import REWORK, Between, Compliance, Labour, Preventive, Requests, place_of, preventive
from workorders.states import OPEN_STATES, Priority, State

NEEDED = {  # by kind of record, what is asked of the database
    "preventive": ("preventive",),
    "labour": ("labour",),
    "wrench": ("labour",),
    "agreed": ("kept",),
    "break_in": ("labour", "break_in"),
    "requests": ("requests",),
    "backlog": ("backlog", "recorded"),
    "load": ("backlog", "recorded"),
    "closed": ("closed",),
    "spent": ("costs", "labour", "recorded"),
    "unit_cost": ("costs", "labour", "recorded"),
    "upkeep": ("costs", "labour", "recorded"),
}
OF_WEEKS = {"kept", "break_in"}  # of what was agreed: without a week there is nothing to ask
READY = (State.PLANNED, State.SCHEDULED)  # everything is prepared; only time and a person are missing
Key = tuple[int, int]  # position of the subject, position of the bucket


class Work:
    """The work of one site's subjects (an asset, or None for the site) in buckets that follow each other.

    `cut` says which roots of the reader they are, and `answers` are what it read of the members `counting` (whose roots
    are positions of subjects).
    """

    def __init__(
        self, site: Site, subjects: Sequence[Asset | None], buckets: Sequence[tuple[datetime, datetime]],
        scope: Scope, *, now: datetime, reader: Reader, cut: Cut, answers: Answers | None = None,
        counting: Sequence[Member] = (),
    ):  # fmt: skip
        self.site, self.subjects, self.buckets, self.now, self.reader = site, subjects, buckets, now, reader
        self.cut, self.answers = cut, answers
        self.of_machines = scope is Scope.LEAVES
        self._counting = counting if self.of_machines else None
        self.scope = Scope.ASSET if scope is Scope.ASSET else Scope.SUBTREE
        self.start, self.end = buckets[0][0], min(buckets[-1][1], now)
        self._expected: set[str] = set()
        self._known: dict[str, list[tuple[Key, Any]]] = {}

    def expect(self, kinds: Iterable[str]) -> None:
        """These kinds of record will be wanted: the first one reads what is known of all."""
        self._expected = {question for kind in kinds for question in NEEDED.get(kind, ())}

    @cached_property
    def members(self) -> list[Member]:
        found = members(self.site, self.subjects, self.start, max(self.start, self.end), self.scope)
        return moved(found, self.cut.roots.start)

    @cached_property
    def preventive(self) -> dict[Key, Preventive]:
        """Occurrences by the bucket in which they were due."""
        return {
            key: Preventive({rule: Compliance(*sums[4 * i : 4 * i + 4]) for i, rule in enumerate(IN_TIME)}, *sums[-2:])
            for key, sums in self._ask("preventive")
        }

    @cached_property
    def labour(self) -> dict[Key, Labour]:
        """Labour by the buckets it reaches into; a running clock until now."""
        return {key: Labour(*sums) for key, sums in self._ask("labour")}

    @cached_property
    def weeks(self) -> list[Agreed]:
        """The weeks of the site whose schedule was agreed."""
        return agreed_in(self.site, self.start, max(self.start, self.end))

    @cached_property
    def agreed(self) -> dict[Key, Kept]:
        """What was promised, by the bucket in which the last day of its week began."""
        counted = dict(self._ask("kept"))
        found = {}
        for number, (start, end) in enumerate(self.buckets):
            past = min(end, self.now)
            weeks = sum(start <= each.last_day < past and each.end <= self.now for each in self.weeks)
            over = over_in(self.site, start, past, self.now)
            for root in self.cut.roots:
                found[root, number] = Kept(*counted.get((root, number), (0, 0)), weeks, over)
        return found

    @cached_property
    def break_in(self) -> dict[Key, BreakIn]:
        """Labour by the buckets it reaches into, beside what of it was agreed for its week."""
        agreed = dict(self._ask("break_in"))
        return {key: BreakIn(each.total, *agreed.get(key, (0.0, 0.0))) for key, each in self.labour.items()}

    @cached_property
    def requests(self) -> dict[Key, Requests]:
        """Requests by the bucket in which they were reported."""
        return {key: Requests(*sums) for key, sums in self._ask("requests")}

    @cached_property
    def backlog(self) -> dict[Key, Backlog]:
        """Orders open at the end of each bucket, or now. What is ready is known of now only."""
        found = {}
        for key, (*numbers, ages) in self._ask("backlog"):
            parts = [place_of(numbers[0], share)[1] for share in (0.5, 0.9)]
            median, ninth_decile = Between(*ages[:2], parts[0]), Between(*ages[2:], parts[1])
            found[key] = Backlog(*numbers, self._is_now(key[1]), median, ninth_decile, recorded=True)
        quiet = {
            (root, bucket): Backlog(ready_known=self._is_now(bucket), recorded=True) for root, bucket in self.recorded
        }
        return quiet | found

    @cached_property
    def crews(self) -> list[Crew]:
        """The hours of the site's crew in each bucket, as far as it has begun."""
        return crews_in(self.site, [(start, min(end, self.now)) for start, end in self.buckets])

    @cached_property
    def load(self) -> dict[Key, Load]:
        """The open orders beside what the crew can work in a week."""
        return {
            (root, bucket): Load(self.of("backlog", (root, bucket)), crew)
            for root in self.cut.roots
            for bucket, crew in enumerate(self.crews)
        }

    @cached_property
    def wrench(self) -> dict[Key, Wrench]:
        """Labour beside paid hours."""
        return {
            (root, bucket): Wrench(self.of("labour", (root, bucket)), crew, subject is None)
            for root, subject in zip(self.cut.roots, self.subjects, strict=True)
            for bucket, crew in enumerate(self.crews)
        }

    @cached_property
    def closed(self) -> dict[Key, Closed]:
        """Orders by the bucket in which they were closed."""
        return {key: Closed(*sums) for key, sums in self._ask("closed")}

    @cached_property
    def spent(self) -> dict[Key, Spent]:
        """Costs by the bucket of their day, beside the labour worked in it."""
        costs = dict(self._ask("costs"))
        worked = {key: each for key, each in self.labour.items() if each.total}
        return {
            key: Spent(
                **costs.get(key, {}),
                worked=worked.get(key, Labour()).total,
                priced=worked.get(key, Labour()).priced,
                recorded=True,
            )
            for key in {*self.recorded, *costs, *worked}
        }

    @cached_property
    def wide(self) -> "Work":
        """The work on each subject and everything below it, also where its own alone was asked for."""
        if self.scope is Scope.SUBTREE:
            return self
        return Work(
            self.site, self.subjects, self.buckets, Scope.SUBTREE, now=self.now, reader=self.reader, cut=self.cut
        )

    @cached_property
    def unit_cost(self) -> dict[Key, UnitCost]:
        """Costs of each subject with everything below it, beside the pieces that it made."""
        wide = self.wide
        made = outputs(self.site, wide.members, wide.machines, self.cut.buckets, self.now, wide.made)
        return {place: UnitCost(spent, made.get(place, Output())) for place, spent in wide.spent.items()}

    @cached_property
    def replaced(self) -> Replaced:
        """What it would cost to replace each subject with everything below it."""
        wide = self.wide
        return replaced(self.site, wide.members, wide.machines, self.cut.buckets, self.now)

    @cached_property
    def upkeep(self) -> dict[Key, Upkeep]:
        """Costs of each subject with everything below it, as far as it has a replacement value, beside that value."""
        wide = self.wide
        held, worth = self.replaced.held, self.replaced.worth
        costs = dict(self._ask("costs", held)) if held else {}
        found = {}
        for place, of in worth.items():
            whole = wide.of("spent", place)
            nothing = dict.fromkeys(("labour", "parts", "external", "undivided"), 0.0)
            found[place] = Upkeep(replace(whole, **nothing | costs.get(place, {})), of, whole.total)
        return found

    def machines(self) -> list[Member]:
        """The machines at the ends of the branches below each subject."""
        return self._ends

    @cached_property
    def _ends(self) -> list[Member]:
        found = self._counting
        if found is None:
            found = members(self.site, self.subjects, self.start, max(self.start, self.end), Scope.LEAVES)
        return moved(found, self.cut.roots.start)

    @property
    def made(self) -> Answers | None:
        """The facts of those machines, where they were read."""
        if self.answers is None or not self.of_machines:
            return None
        return {place: answer for place, answer in self.answers.items() if place[0] in self.cut.roots}

    @cached_property
    def stood(self) -> dict[Key, Stood]:
        """Stops of the assets with an hourly cost."""
        return stops_of_priced(self.site, self.members, self.cut.buckets, self.now)[0]

    def stood_apart(self, place: Key) -> list[tuple[Asset, Stood]]:
        """Those of each asset that makes up the cost of a subject, or comes next below it; read along with `stood`."""
        root, bucket = place
        self.__dict__["stood"], found = stops_of_priced(
            self.site,
            self.members,
            self.cut.buckets,
            self.now,
            apart=[root],
            but=self.subjects[root - self.cut.roots.start],
        )
        return found.get(bucket, [])

    @cached_property
    def stood_today(self) -> dict[Key, Stood]:
        """The same at the hourly costs of today."""
        return stops_of_priced(self.site, self.members, self.cut.buckets, self.now, today=True)[0]

    @cached_property
    def lens(self) -> dict[Key, Lens]:
        """What those stops cost, beside the net margin of the site."""
        return self._lens("stood")

    @cached_property
    def lens_today(self) -> dict[Key, Lens]:
        """The same at the hourly costs of today."""
        return self._lens("stood_today")

    def _lens(self, kind: str) -> dict[Key, Lens]:
        margins = earned_in(self.site, [(start, min(end, self.now)) for start, end in self.buckets])
        return {
            (root, bucket): Lens(self.of(kind, (root, bucket)), margin)
            for root in self.cut.roots
            for bucket, margin in enumerate(margins)
        }

    @cached_property
    def repairs(self) -> dict[Key, Repairs]:
        """Failure events by the bucket in which they occurred."""
        return repairs_of(self.reader, self.cut, self.told)

    @cached_property
    def told(self) -> list[Told]:
        """The failure events of all subjects in all buckets."""
        return told(self.reader)

    @cached_property
    def recorded(self) -> list[Key]:
        """Where an order had been raised by the end of the bucket: what is not there then, was none."""
        return [key for key, _ in self._ask("recorded")]

    def of(self, kind: str, key: Key) -> Any:
        """What is known of one kind of record of a subject in a bucket; of nothing recorded, nothing."""
        return getattr(self, kind).get(key) or EMPTY[kind]

    def _is_now(self, bucket: int) -> bool:
        return self.buckets[bucket][1] >= self.now

    def _ask(self, kind: str, of: Sequence[Member] | None = None) -> list[tuple[Key, Any]]:
        """The rows of all members, or of those members alone."""
        if of is not None:
            return self._read([kind], self._of(of))[kind]
        if kind not in self._known:
            self._known |= self._read(({kind} | self._expected) - self._known.keys(), self._parameters)
        return self._known[kind]

    def _read(self, kinds: Collection[str], parameters: dict) -> dict[str, list[tuple[Key, Any]]]:
        found: dict[str, list[tuple[Key, Any]]] = {kind: [] for kind in kinds}
        if not OF_WEEKS.isdisjoint(kinds):
            kinds = kinds if self.weeks else set(kinds) - OF_WEEKS
            parameters = parameters | self._agreed
        if not kinds:
            return found
        with connection.cursor() as cursor:
            cursor.execute(asked(kinds), parameters)
            for kind, root, bucket, numbers in cursor.fetchall():
                found[kind].append(((root, bucket), numbers))
        return found

    @cached_property
    def _agreed(self) -> dict:
        return {
            "agreed": [each.id for each in self.weeks],
            "agreed_from": [each.start for each in self.weeks],
            "agreed_to": [each.end for each in self.weeks],
            "agreed_last_day": [each.last_day for each in self.weeks],
        }

    @cached_property
    def _parameters(self) -> dict:
        if self.scope is not Scope.SUBTREE:
            return self._of(self.members)
        whole = {
            root for root, subject in zip(self.cut.roots, self.subjects, strict=True) if subject is None
        }  # fmt: skip
        others = [each for each in self.members if each.root not in whole] if len(whole) < len(self.subjects) else []
        return self._of(others, whole)

    def asking(self, root: int) -> dict:
        """The parameters of a statement about one subject alone."""
        if self.scope is Scope.SUBTREE and self.subjects[root - self.cut.roots.start] is None:
            return self._of((), {root})
        return self._of([each for each in self.members if each.root == root])

    def _of(self, members: Sequence[Member], whole: Collection[int] = ()) -> dict:
        spans: dict[tuple[int, int], str] = {}  # most members were there all the time
        for each in members:
            spans.setdefault((each.since, each.until), str(len(spans) + 1))
        begun = [(number, *each) for number, each in enumerate(self.buckets) if each[0] < self.now]
        return {
            "whole": literal(whole),
            "root": literal([each.root for each in members]),
            "asset": literal([each.asset_id for each in members]),
            "span": literal([spans[each.since, each.until] for each in members]),
            "since": literal(max(since, EVER) for since, _ in spans),
            "until": literal(min(until, NEVER) for _, until in spans),
            "number": [number for number, _, _ in begun],
            "from": [start for _, start, _ in begun],
            "to": [min(end, self.now) for _, _, end in begun],
            "first_end": min((min(end, self.now) for _, _, end in begun), default=self.now),
            "start": self.start,
            "end": self.end,
            "now": self.now,
            "zone": self.site.time_zone,
            "site": self.site.pk,
            "open": [str(state) for state in OPEN_STATES],
            "ready": [str(state) for state in READY],
            "emergency": int(Priority.EMERGENCY),
            "rework": REWORK,
        }


EMPTY = {
    "preventive": preventive((), date.min), "labour": Labour(), "requests": Requests(), "backlog": Backlog(),
    "closed": Closed(), "spent": Spent(), "stood": Stood(), "stood_today": Stood(), "lens": Lens(),
    "lens_today": Lens(), "unit_cost": UnitCost(), "upkeep": Upkeep(), "load": Load(), "wrench": Wrench(),
    "repairs": Repairs(), "agreed": Kept(), "break_in": BreakIn(),
}  # fmt: skip
