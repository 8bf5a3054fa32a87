"""What stands beside each other belongs together, although others write while it is read."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from assets.models import Downtime
from core.snapshot import one_snapshot
from kpis import explaining, figures
from kpis.computing import compute_site
from kpis.views.performance import Performance
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = datetime(2026, 3, 10, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def stopped(plant):
    """An hour of one day was lost."""
    Downtime.objects.create(asset=plant.filler, start=DAY + HOUR, end=DAY + 2 * HOUR)
    compute_site(plant.berlin, now=NOW)
    return plant


def lose_more(plant) -> None:
    """Somebody enters another stop of that day, and a worker computes it."""

    def enter():
        Downtime.objects.create(asset=plant.filler, start=DAY + 5 * HOUR, end=DAY + 7 * HOUR)
        compute_site(plant.berlin, now=NOW)

    assert together(enter) == [None]


def lost_hours(plant, *, meanwhile=lambda: None) -> tuple[float, float]:
    """As the headline says, and as the reasons add up, which are read later."""
    span = [(DAY, DAY + 24 * HOUR)]
    (whole,) = figures.known([plant.filler], span, site=plant.berlin, now=NOW)
    meanwhile()
    _steps, reasons = figures.losses([whole])
    return whole.answer.all.down / 3600, sum(seconds for _name, seconds, _stops in reasons) / 3600


def test_reasons_add_up_to_the_headline_while_a_worker_stores_another_stop(stopped):
    with one_snapshot():
        assert lost_hours(stopped, meanwhile=lambda: lose_more(stopped)) == (1, 1)
    assert lost_hours(stopped) == (3, 3)


def test_without_a_snapshot_they_would_not(stopped):
    """So that the test above can fail."""
    assert lost_hours(stopped, meanwhile=lambda: lose_more(stopped)) == (1, 3)


def test_the_performance_page_is_of_one_moment(stopped, client, monkeypatch):
    read = figures.beside

    def slowly(*args, **options):
        found = read(*args, **options)
        lose_more(stopped)
        return found

    monkeypatch.setattr(figures, "beside", slowly)
    shown = []
    context = Performance.context
    monkeypatch.setattr(Performance, "context", lambda page: shown.append(context(page)) or shown[0])
    client.force_login(stopped.manager)
    address = f"{reverse('performance')}?asset={stopped.filler.pk}&from=2026-03-11&to=2026-03-11"

    assert client.get(address).status_code == 200

    (stops,) = [chart for chart in shown[0]["charts"] if chart.key == "stops"]
    (row,) = stops.rows
    assert row[1] == 1


def test_the_inputs_of_a_figure_are_read_before_they_are_streamed(stopped):
    _columns, rows = explaining.inputs(
        stopped.filler, site=stopped.berlin, definition="availability", start=DAY, end=DAY + 24 * HOUR, scope="asset",
        now=NOW,
    )  # fmt: skip
    lose_more(stopped)
    assert sum(row["seconds"] for row in rows if row.get("record")) == 3600
