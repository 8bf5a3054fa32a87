"""What a figure was when it was reported before, and what changed it since.

The day facts keep by how much each of their sums changed (`kpis.models.DayRevision`); taking the changes off
again, the newest first, gives the sums of every earlier report, and the figure is formed from them anew.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.apps import apps
from django.db import connection

from core.models import Event, Site
from kpis.axis import epoch, instant
from kpis.facts.evidence import reaching
from kpis.facts.ranges import literal
from kpis.facts.revisions import SUMS
from kpis.facts.zones import Stretch
from kpis.figures import Figure
from kpis.formulas import Facts

MOST = 20  # revisions shown
# Removals are events of the asset, which remains: the verb, and under which name its data have the record.
REMOVED = {
    "assets.downtime": ("downtime.removed", "downtime"),
    "assets.failure": ("failure.removed", "failure"),
    "production.count": ("count.removed", "count"),
}
DAY = timedelta(days=1)


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


def revisions(figure: Figure, members: Sequence[Stretch], site: Site) -> list[Revision]:
    """The earlier values of the figure, the newest first; only of days that lie in the window as a whole.

    They are taken off the figure's sums, which must hold no changed day that waits to be computed again.
    """
    facts, after = figure.facts, figure
    found = []
    for at, source, source_id, changes, *sums in _changes(figure, members, site):
        facts += Facts(**{name: -value for name, value in zip(SUMS, sums, strict=True)})
        result = figure.definition.of(facts, site.coverage_threshold)
        before = replace(figure, value=result.value, status=str(result.status), facts=facts)
        if not _same(before.value, after.value):
            found.append((at, before, after, source, source_id, changes))
        after = before
    return _told(found[:MOST], [each.member.asset_id for each in members])


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * max(1.0, abs(one))


def _changes(figure: Figure, members: Sequence[Stretch], site: Site) -> list[tuple]:
    """When, what and by how much the sums of the figure changed, the newest first."""
    rows = [(each.member.asset_id, *_whole_days(figure, each, site)) for each in members]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT r.at, r.source, r.source_id, max(r.sources), {", ".join(f"sum(r.{name})" for name in SUMS)}
            FROM unnest(%(asset)s::bigint[], %(first)s::date[], %(past)s::date[]) AS w(asset_id, first, past)
                JOIN kpis_dayrevision r ON r.asset_id = w.asset_id AND r.day >= w.first AND r.day < w.past
            GROUP BY r.at, r.source, r.source_id ORDER BY r.at DESC, min(r.id) DESC LIMIT 500
            """,
            {
                "asset": literal(row[0] for row in rows),
                "first": [row[1] for row in rows],
                "past": [row[2] for row in rows],
            },
        )
        return cursor.fetchall()


def _whole_days(figure: Figure, member: Stretch, site: Site) -> tuple[date, date]:
    """The production days that lie wholly in the window while the asset counts: the first, and past the last."""
    lo = instant(max(epoch(figure.start), member.member.since))
    hi = instant(min(epoch(figure.end), member.member.until))
    first = site.production_day(lo)
    return first + DAY * (site.day_begins(first) < lo), site.production_day(hi)


def _told(found: Sequence[tuple], asset_ids: Sequence[int]) -> list[Revision]:
    """With the records that caused the changes and what was said of them, in a constant number of queries a kind."""
    keys = {(source, pk) for _, _, _, source, pk, _ in found if source and pk}
    events: dict[tuple[str, int], list[Event]] = {}
    told = Event.objects.filter(
        object_type__in={source for source, _ in keys}, object_id__in={pk for _, pk in keys}
    ).select_related("actor").order_by("at", "id")  # fmt: skip
    for event in told if keys else ():
        events.setdefault((event.object_type, event.object_id), []).append(event)
    records = {}
    for source in {source for source, _ in keys}:
        rows = apps.get_model(source)._base_manager.in_bulk([pk for each, pk in keys if each == source])
        records |= {(source, pk): row for pk, row in rows.items()}
    for key, event in _removals(keys - records.keys(), asset_ids):
        events.setdefault(key, []).append(event)
    return [
        Revision(
            until=at,
            before=before,
            after=after,
            source=source,
            source_id=pk,
            changes=changes,
            record=records.get((source, pk)),
            event=next((event for event in reversed(events.get((source, pk), ())) if event.at <= at), None),
        )
        for at, before, after, source, pk, changes in found
    ]


def _removals(gone: Set[tuple[str, int]], asset_ids: Sequence[int]) -> Iterator[tuple[tuple[str, int], Event]]:
    """What was said when these records, of the assets or of those that stop them, were removed."""
    around = reaching(asset_ids) if gone else []
    for source, (verb, name) in REMOVED.items():
        if ids := [pk for each, pk in gone if each == source]:
            told = Event.objects.filter(object_type="assets.asset", object_id__in=around, verb=verb)
            for event in told.filter(**{f"data__{name}__in": ids}).select_related("actor"):
                yield (source, event.data[name]), event
