"""By which runs the stored facts behind a figure were computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from kpis.facts.store import VERSION
from kpis.models import FactState, Occasion

MOST = 5


@dataclass(frozen=True)
class Computed:
    """What one run wrote last of the stored facts of `assets` assets; `run` is None where that was not noted.

    `by` is who started the run, "" when it ran by itself.
    """

    first: datetime
    at: datetime
    occasion: Occasion | None
    run: int | None
    by: str
    assets: int


def computed(asset_ids: Iterable[int]) -> list[Computed]:
    """The runs that wrote the stored facts of these assets last, the newest first, `MOST` at most."""
    states = FactState.objects.filter(asset__in=list(asset_ids), version=VERSION, computed_at__isnull=False)
    rows = states.values_list("occasion", "run", "run__started_by__username").annotate(
        first=Min("computed_at"), at=Max("computed_at"), assets=Count("pk")
    )
    return [
        Computed(first, at, Occasion(occasion) if occasion else None, run, by or "", assets)
        for occasion, run, by, first, at, assets in rows.order_by("-at", "-run")[:MOST]
    ]
