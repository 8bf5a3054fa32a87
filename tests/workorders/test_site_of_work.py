"""Labour and costs know the site of their order, whoever writes them: they are sought by site and time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from workorders.models import Cost, Labour
from workorders.raising import raise_order

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def orders(plant):
    """One at each of two sites."""
    return [
        raise_order(asset=asset, by=None, summary="Repair") for asset in (plant.filler, plant.foreign)
    ]  # fmt: skip


def written(order, person, way: str) -> tuple[int, int]:
    """The ids of a labour entry and a cost that were written in this way."""
    hours = {"order": order, "person": person, "start": START, "end": START + HOUR}
    money = {"order": order, "source": "parts", "amount": 12}
    if way == "model":
        return Labour.objects.create(**hours).pk, Cost.objects.create(**money).pk
    if way == "bulk":
        return Labour.objects.bulk_create([Labour(**hours)])[0].pk, Cost.objects.bulk_create([Cost(**money)])[0].pk
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO workorders_labour (order_id, person_id, start, "end", note) VALUES (%s, %s, %s, %s, '')
               RETURNING id""",
            [order.pk, person.pk, START, START + HOUR],
        )
        labour = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO workorders_cost (order_id, source, amount, at, note) VALUES (%s, 'parts', 12, %s, '')"
            " RETURNING id",
            [order.pk, START],
        )
        return labour, cursor.fetchone()[0]


@pytest.mark.parametrize("way", ["model", "bulk", "SQL"])
def test_the_site_is_that_of_the_order(plant, orders, way):
    for order in orders:
        labour, cost = written(order, plant.technician, way)
        assert Labour.objects.get(pk=labour).site_id == Cost.objects.get(pk=cost).site_id == order.site_id


def test_it_follows_the_order_and_cannot_be_set(plant, orders):
    here, there = orders
    labour, cost = written(here, plant.technician, "model")
    Labour.objects.filter(pk=labour).update(site=there.site)
    Cost.objects.filter(pk=cost).update(site=None)
    assert Labour.objects.get(pk=labour).site_id == Cost.objects.get(pk=cost).site_id == here.site_id
    Labour.objects.filter(pk=labour).update(order=there)
    assert Labour.objects.get(pk=labour).site_id == there.site_id
    type(here).objects.filter(pk=here.pk).update(site=there.site, number=there.number + 1)
    assert Cost.objects.get(pk=cost).site_id == there.site_id


def test_who_sees_the_site_sees_its_labour_and_costs(plant, orders):
    here, there = (written(order, plant.technician, "model") for order in orders)
    assert [row.pk for row in Labour.objects.visible_to(plant.technician)] == [here[0]]
    assert [row.pk for row in Cost.objects.visible_to(plant.technician)] == [here[1]]
    assert there[0] and there[1]
