"""A plant of which one source fell silent."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from kpis.computing import compute_site
from production.models import Count
from tests.plant import Plant

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def silent(plant, now) -> Plant:
    """The counter of M1 told something on two days, 50 and 49 days ago; M2 is counted until yesterday."""
    today = plant.berlin.day_begins(plant.berlin.production_day(now))
    for asset, days in ((plant.filler, (50, 49)), (plant.labeller, range(50, 0, -1))):
        Count.objects.bulk_create(
            Count(
                asset=asset, start=today - ago * DAY + 8 * HOUR, end=today - ago * DAY + 9 * HOUR, good=9, ideal_cycle=9
            )
            for ago in days
        )
    compute_site(plant.berlin, now=now)
    return plant
