"""Where the records behind a figure of work come from, and how long after the fact work was said to be done."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.urls import reverse

from assets.models import Asset, Source
from core.events import label_of
from core.models import Event
from kpis.facts.sources import DAY, NAMED, Given, Sources
from kpis.facts.work_rows import Record
from kpis.work import quantile
from workorders.models import Request, WorkOrder

PLAN = "plan"  # the source of orders that a preventive plan raised


@dataclass(frozen=True)
class Completions:
    """How long after the work had ended orders were completed, s; those that were completed before count as 0."""

    orders: int
    median: float
    ninth_decile: float  # nine of ten came sooner
    longest: float
    late: int  # more than a day
    longest_id: int

    @property
    def url(self) -> str:
        """The order that was completed last after its work."""
        return reverse("work-order", args=[self.longest_id])


def orders_of(records: Iterable[Record]) -> set[int]:
    """The orders among the records, and those of the occurrences among them."""
    ids: dict[str, set[int]] = defaultdict(set)
    for each in records:
        ids[each.kind].add(each.id)
    raised = WorkOrder.objects.filter(occurrence__in=ids["occurrence"]).values_list("pk", flat=True)
    return ids["work_order"] | set(raised if ids["occurrence"] else ())


def given_by(orders: Collection[int], records: Iterable[Record]) -> Sources:
    """Orders by what raised them, and requests, which people make; those with most records first."""
    found: dict[tuple[str, str], list[tuple]] = defaultdict(list)
    columns = "source", "occurrence_id", "created", "pk", "asset_id"
    for source, occurrence, *row in WorkOrder.objects.filter(pk__in=orders).values_list(*columns) if orders else ():
        found["order", PLAN if occurrence else source].append(tuple(row))
    requests = {each.id for each in records if each.kind == "request"}
    if requests:
        found["request", str(Source.OPERATOR)] = list(
            Request.objects.filter(pk__in=requests).values_list("reported_at", "pk", "asset_id")
        )
    assets = Asset.objects.only("code", "name").in_bulk({row[2] for rows in found.values() for row in rows})
    given = [_given(kind, source, rows, assets) for (kind, source), rows in found.items()]
    return Sources(sorted(given, key=lambda each: (each.kind, -each.records, each.source)), [], 0)


def _given(kind: str, source: str, rows: list[tuple], assets: dict[int, Asset]) -> Given:
    entered, last, last_asset = max(rows)
    numbers = Counter(asset_id for _, _, asset_id in rows)
    most = sorted(numbers.items(), key=lambda each: (-each[1], each[0]))
    shown = [(assets[asset_id], number) for asset_id, number in most[:NAMED]]
    return Given(kind, source, len(rows), entered, last, last_asset, shown, len(most))


def completions(orders: Collection[int]) -> Completions | None:
    """Of those orders that are completed; None without any whose completion was told."""
    done = dict(
        WorkOrder.objects.filter(pk__in=orders, completed_at__isnull=False).values_list("pk", "completed_at")
        if orders else ()
    )  # fmt: skip
    said = Event.objects.filter(verb="work_order.completed", object_type=label_of(WorkOrder), object_id__in=done)
    told = dict(said.order_by("at", "id").values_list("object_id", "at") if done else ())  # the last one of each order
    lags = {pk: max(0.0, (at - done[pk]).total_seconds()) for pk, at in told.items()}
    if not lags:
        return None
    longest = max(lags, key=lambda pk: (lags[pk], pk))
    late = sum(lag > DAY.total_seconds() for lag in lags.values())
    values = list(lags.values())
    return Completions(len(lags), quantile(values, 0.5), quantile(values, 0.9), lags[longest], late, longest)
