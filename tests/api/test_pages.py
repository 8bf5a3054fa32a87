"""Keyset pages: missing values come last, cursors are opaque, and a late page costs what the first costs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assets.models import Asset, Placement
from core.api.pagination import SALT
from core.models import Event
from tests import plant as world
from tests.contracts.api import assert_problem, client_of, walk

ASSETS = "/api/v1/assets/"
FIRST = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(plant):
    return client_of(plant.planner)


@pytest.fixture
def many(plant):
    """Twelve assets: some commissioned on the same day, some who knows when."""
    Placement.objects.all().delete()
    Asset.objects.filter(site=plant.berlin).exclude(pk=plant.line.pk).delete()
    for number in range(11):
        asset = world.asset(plant.berlin, f"P{number:02}")
        when = None if number % 3 == 0 else FIRST + timedelta(days=number // 4)
        Asset.objects.filter(pk=asset.pk).update(commissioned=when)
    Asset.objects.filter(pk=plant.line.pk).update(commissioned=None)
    return list(Asset.objects.filter(site=plant.berlin))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("sign", ["", "-"])
def test_missing_values_come_last_in_both_directions(client, many, size, sign):
    rows = walk(client, f"{ASSETS}?ordering={sign}commissioned&page_size={size}")
    found = [row["id"] for row in rows]
    known = sorted((a for a in many if a.commissioned), key=lambda a: (a.commissioned, a.pk), reverse=bool(sign))
    unknown = sorted((a for a in many if not a.commissioned), key=lambda a: a.pk, reverse=bool(sign))
    assert found == [asset.pk for asset in known + unknown]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("name", ["commissioned", "-commissioned", "criticality", "-code"])
def test_all_the_way_and_back_again(client, many, size, name):
    pages, address = [], f"{ASSETS}?ordering={name}&page_size={size}"
    while address:
        page = client.get(address).json()
        pages.append(page)
        address = page["next"]
    for later, earlier in zip(reversed(pages), list(reversed(pages))[1:], strict=False):
        assert client.get(later["previous"]).json()["results"] == earlier["results"]
    assert pages[0]["previous"] is None


def test_a_page_that_is_exactly_full_has_no_next(client, many):
    page = client.get(f"{ASSETS}?page_size={len(many)}").json()
    assert (len(page["results"]), page["next"], page["previous"]) == (len(many), None, None)


def test_a_cursor_belongs_to_its_ordering(client, many):
    following = client.get(f"{ASSETS}?ordering=code&page_size=2").json()["next"]
    assert_problem(client.get(following.replace("ordering=code", "ordering=-name")), 400, "bad_cursor", "cursor")


def test_a_cursor_cannot_be_made_up(client, many):
    forged = signing.Signer(salt="mine").sign_object(["code", "after", "A", 1])
    assert_problem(client.get(f"{ASSETS}?cursor={forged}"), 400, "bad_cursor", "cursor")
    for odd in ([], ["code", "after", "A"], {"a": 1}, "text"):
        genuine = signing.Signer(salt=SALT).sign_object(odd)
        assert_problem(client.get(f"{ASSETS}?cursor={genuine}"), 400, "bad_cursor", "cursor")


def test_filters_stay_in_the_addresses_of_the_next_pages(plant, client, many):
    for number in range(3):
        world.asset(plant.berlin, f"C{number}", criticality="A")
    page = client.get("/api/v1/users/?role=technician&page_size=1").json()
    assert [row["code"] for row in page["results"]] == ["technician"]
    assert page["next"] is None
    page = client.get(f"{ASSETS}?ordering=-criticality&page_size=1").json()
    assert "ordering=-criticality" in page["next"]
    assert "page_size=1" in page["next"]


def test_a_late_page_is_an_index_range_and_reads_no_more_than_the_first(plant, client):
    Event.objects.bulk_create(
        Event(
            site=plant.berlin, verb="noise", object_type="core.site", object_id=1, summary=str(number),
            at=FIRST + timedelta(minutes=number // 7),
        )
        for number in range(3000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_event")
    late = signing.Signer(salt=SALT).sign_object(
        ["-at", "after", (FIRST + timedelta(minutes=20)).isoformat(), Event.objects.last().pk]
    )
    read = []
    for address in ("/api/v1/events/", f"/api/v1/events/?cursor={late}"):
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(address).json()["results"]) == 50
        [paging] = [query["sql"] for query in queries if "LIMIT 51" in query["sql"]]
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF) {paging}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            cursor.execute("SET LOCAL enable_seqscan = on")
        removed = re.search(r"Rows Removed by Filter: (\d+)", plan)
        assert removed is None or int(removed[1]) < 50, plan
        read.append(sum(int(float(rows)) for rows in re.findall(r"Scan.*actual time=\S+ rows=([\d.]+)", plan)))
    assert read[1] <= read[0] + 10
