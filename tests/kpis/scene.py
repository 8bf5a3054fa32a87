"""A few days at the Berlin plant in which every kind of record that facts depend on changes some figure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from assets.models import Asset, Downtime, Failure, RedundancyGroup
from core.models import Site
from kpis.computing import compute_site
from kpis.facts import store
from kpis.models import AssetDay, ChangedDay, FactState, FailureEvent, LossDay
from production.models import Count, OperatingCalendar
from tests import plant as world

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = datetime(2026, 3, 10, tzinfo=UTC)  # a Tuesday; at noon of UTC it is one o'clock in Berlin
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return DAY + hours * HOUR


@dataclass
class Scene:
    """The plant, and the records that a path may change."""

    plant: world.Plant
    pumps: RedundancyGroup
    calendar: OperatingCalendar  # of the line, 06:00 to 22:00, on 12 March until 11:00

    @property
    def site(self) -> Site:
        return self.plant.berlin


def build(plant: world.Plant) -> Scene:
    line, filler = plant.line, plant.filler
    pumps = RedundancyGroup.objects.create(parent=line, name="Pumps", needed=1)
    pump, spare = (
        world.asset(plant.berlin, code, parent=line, redundancy_group=pumps, short_stop_seconds=0)
        for code in ("P1", "P2")
    )
    calendar = OperatingCalendar.objects.create(
        site=plant.berlin, asset=line, name="Hours", valid_from=date(2026, 3, 1)
    )
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start=time(6), end=time(22))
    calendar.exceptions.create(date=date(2026, 3, 12)).slots.create(start=time(8), end=time(11))
    stop = Downtime.objects.create(asset=filler, start=at(8), end=at(10), reason=plant.breakdown)
    Failure.objects.create(asset=filler, occurred=at(8), restored=at(10), downtime=stop)
    Failure.objects.create(asset=filler, occurred=at(12), restored=at(13))
    Downtime.objects.create(asset=pump, start=at(14), end=at(16))
    Downtime.objects.create(asset=spare, start=at(15), end=at(17))
    Downtime.objects.create(asset=plant.labeller, start=at(18), end=at(19))
    Downtime.objects.create(
        asset=filler, start=at(33), end=at(36), reason=plant.lunch, planned=True, planned_end=at(34)
    )
    Downtime.objects.create(asset=filler, start=at(38), end=at(38.05))
    Downtime.objects.create(asset=filler, start=at(57), end=at(59), reason=plant.setup, planned=True)
    Count.objects.create(asset=filler, start=at(20), end=at(32), good=600, scrap=10, rework=5, ideal_cycle=20)
    return Scene(plant, pumps, calendar)


def facts(site: Site) -> list[list[tuple]]:
    """Every stored fact of the site, row by row, in an order and a shape that can be compared."""

    def rows(model, *names: str) -> list[tuple]:
        found = model.objects.filter(asset__site=site).values_list(*names)
        return sorted(
            (tuple(round(each, 6) if isinstance(each, float) else each for each in row) for row in found), key=str
        )

    return [
        rows(AssetDay),
        rows(LossDay, "asset", "day", "reason", "loss", "seconds", "stops"),
        rows(FailureEvent),
        rows(FactState, "asset", "through", "observed"),
    ]


def computed_anew(site: Site, now: datetime = NOW) -> list[list[tuple]]:
    """What would be stored if nothing had been stored before; what is stored stays as it is."""
    with transaction.atomic():
        for model in (AssetDay, LossDay, FailureEvent, FactState):
            model.objects.filter(asset__site=site).delete()
        store.catch_up(site, now=now)
        found = facts(site)
        transaction.set_rollback(True)
    return found


def marks(site: Site) -> QuerySet:
    """What waits to be computed again."""
    return ChangedDay.objects.filter(Q(site=site) | Q(asset__site=site))


def work_off(site: Site, now: datetime = NOW) -> list[list[tuple]]:
    """The stored facts once nothing is marked any more."""
    compute_site(site, now=now)
    assert not marks(site).exists()
    return facts(site)


def asset_of(site: Site, code: str) -> Asset:
    return Asset.objects.get(site=site, code=code)
