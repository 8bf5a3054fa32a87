"""What a figure was when it was reported before, and what changed it since.

The day facts keep by how much each of their sums changed (`kpis.models.DayRevision`), and former rows of calendars,
placements, lives and silences what the time of assets rested on (`kpis.models.FormerRow`); taking the changes off
again, the newest first, gives what stood behind every earlier report (`kpis.recorded`, `kpis.reported`), and the figure
is formed from it anew.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self

from django.apps import apps
from django.utils.translation import gettext as _

from core.models import Event
from kpis.facts import former
from kpis.facts.evidence import reaching
from kpis.facts.former_silences import FormerSilences
from kpis.facts.kept_silences import FOUND_AGAIN
from kpis.figures import Figure, Period, inputs_of, same
from kpis.recorded import Asked, Delta
from kpis.reported import State

MOST = 20  # revisions shown
MOST_CHANGES = 100  # of which as many are looked at
MOST_STATES = 40  # changes of calendars, places, lives and silences that are looked at
SOON = timedelta(minutes=1)  # from an event to its change, in one transaction
FIRST_RECORD = "kpis.factstate"  # the source of a change of whether anything is recorded
OF_ASSET = (FIRST_RECORD, FOUND_AGAIN)  # whose record is the asset; they follow from another record, if there is one
OF_PLACES = "assets.asset"  # and of one of placements and service lives
# Removals are events of the asset, which remains: the verb, and under which name its data have the record.
REMOVED = {
    "assets.downtime": ("downtime.removed", "downtime"),
    "assets.failure": ("failure.removed", "failure"),
    "production.count": ("count.removed", "count"),
}


@dataclass(frozen=True)
class Revision:
    """The figure as it was until `until`, and the record whose change made it another one.

    `changes` counts the records that changed together; `record` is None when it is gone or when there were many.
    """

    until: datetime
    before: Figure
    after: Figure
    source: str
    source_id: int | None
    changes: int
    record: object | None
    event: Event | None

    @property
    def url(self) -> str:
        return self.record.get_absolute_url() if hasattr(self.record, "get_absolute_url") else ""

    @property
    def because(self) -> str:
        """What changed it, in words; nothing where only the record is known."""
        if self.event:
            return self.event.summary
        told = {FIRST_RECORD: _("First records of %(asset)s"), FOUND_AGAIN: _("Silence of %(asset)s judged anew")}
        return told[self.source] % {"asset": self.record} if self.source in told else ""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed from `since` until it was `settled`; in between no figure that it reaches was reported."""

    since: datetime
    settled: datetime
    causes: frozenset[tuple]  # when, whether it follows from records, source, its id
    first: datetime | None = None  # when the first of its days was computed again
    sources: int = 0

    @classmethod
    def of_plan(cls, each: former.Moment) -> Self:
        cause = (each.at, each.source in OF_ASSET, each.source, each.source_id)
        return cls(each.at, max(each.at, each.settled), frozenset([cause]))

    @classmethod
    def of_days(cls, each: Delta) -> Self:
        causes = frozenset([(each.changed, False, each.source, each.source_id)] if each.source else [])
        return cls(each.changed, each.at, causes, each.at, each.sources)

    def __or__(self, other: Self) -> Self:
        firsts = [each for each in (self.first, other.first) if each]
        return Change(
            min(self.since, other.since), max(self.settled, other.settled), self.causes | other.causes,
            min(firsts, default=None), max(self.sources, other.sources),
        )  # fmt: skip

    @property
    def cause(self) -> tuple[str, int | None]:
        """The record that changed first."""
        ordered = sorted(self.causes, key=lambda each: (each[1], each[0], each[3] or 0))
        return ordered[0][2:] if ordered else ("", None)

    @property
    def number(self) -> int:
        """How many records changed together."""
        return max(self.sources, len({each[2:] for each in self.causes if not each[1]}))


def revisions(period: Period, figure: Figure, scope: str) -> list[Revision]:
    """The earlier values of a figure of the period, the newest first.

    The period must hold no changed day that waits to be computed again.
    """
    silences = FormerSilences(period.reader.zones, period.reader.silences)
    asked = Asked(period.site, period.asset, period.start, period.end, scope, period.now, silences)
    moments = former.moments(period.site, period.asset, period.start, period.end, period.now)
    plans = merged(map(Change.of_plan, moments))[:MOST_STATES]
    states = [State(asked)]
    for each in plans:
        of = {source for _at, _first, source, _id in each.causes}
        states.append(State(asked, each.since, states[-1], moved=OF_PLACES in of, begun=FIRST_RECORD in of))
    records = {each for state in states for each in state.records}
    deltas = [each for known in {state.recorded for state in states} for each in known.deltas]
    changes = merged([*plans, *map(Change.of_plan, records), *(Change.of_days(each) for each in deltas)])
    found: list[tuple[Change, Figure, Figure]] = []
    after, first = figure, None
    for change in changes[:MOST_CHANGES]:
        first = min((each for each in (first, change.first) if each), default=None)
        state = next((each for each in reversed(states) if each.moment and each.moment >= change.since), states[0])
        facts = state.facts(figure.definition, change.since, first)
        result = figure.definition.of(facts, period.site.coverage_threshold)
        given = partial(inputs_of, figure.definition, facts)
        before = replace(
            figure, value=result.value, status=str(result.status), reason_code=str(result.reason), facts=facts,
            given=given,
        )  # fmt: skip
        if not same(before.value, after.value):
            found.append((change, before, after))
        after = before
        if len(found) == MOST:
            break
    return _told(found, period.assets)


def merged(changes: Iterable[Change]) -> list[Change]:
    """Changes that overlap as one, the newest first."""
    found: list[Change] = []
    for each in sorted(changes, key=lambda change: (change.since, change.settled)):
        if found and each.since <= found[-1].settled:
            found[-1] |= each
        else:
            found.append(each)
    return found[::-1]


def _told(found: Sequence[tuple[Change, Figure, Figure]], asset_ids: Sequence[int]) -> list[Revision]:
    """With the records that caused the changes and what was said of them, in a constant number of queries a kind."""
    keys = {change.cause for change, _before, _after in found if change.cause[1]}
    events: dict[tuple[str, int], list[Event]] = {}
    told = Event.objects.filter(
        object_type__in={source for source, _id in keys}, object_id__in={pk for _source, pk in keys}
    ).select_related("actor").order_by("at", "id")  # fmt: skip
    for event in told if keys else ():
        events.setdefault((event.object_type, event.object_id), []).append(event)
    records = {}
    for source in {source for source, _id in keys}:
        model = apps.get_model("assets.asset" if source in OF_ASSET else source)
        rows = model._base_manager.in_bulk([pk for each, pk in keys if each == source])
        records |= {(source, pk): row for pk, row in rows.items()}
    for key, event in _removals(keys - records.keys(), asset_ids):
        events.setdefault(key, []).append(event)
    return [
        Revision(
            until=change.since,
            before=before,
            after=after,
            source=change.cause[0],
            source_id=change.cause[1],
            changes=change.number,
            record=records.get(change.cause),
            event=_event(change, events.get(change.cause, ())),
        )
        for change, before, after in found
    ]


def _event(change: Change, events: Sequence[Event]) -> Event | None:
    """What was said of the change; of a calendar or a place nothing is, where somebody changed it in the database."""
    told = [each for each in events if each.at <= change.settled]
    if not change.first:
        told = [each for each in told if each.at >= change.since or _just_removed(each, change)]
    return told[-1] if told else None


def _just_removed(event: Event, change: Change) -> bool:
    """Of a removal it is said before it happens."""
    return event.verb.endswith(".removed") and event.at >= change.since - SOON


def _removals(gone: Set[tuple[str, int]], asset_ids: Sequence[int]) -> Iterator[tuple[tuple[str, int], Event]]:
    """What was said when these records, of the assets or of those that stop them, were removed."""
    around = reaching(asset_ids) if gone else []
    for source, (verb, name) in REMOVED.items():
        if ids := [pk for each, pk in gone if each == source]:
            told = Event.objects.filter(object_type="assets.asset", object_id__in=around, verb=verb)
            for event in told.filter(**{f"data__{name}__in": ids}).select_related("actor"):
                yield (source, event.data[name]), event
