"""Former costs of an hour down: kept by whatever changes the price, corrected on pages and over the REST API."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assets import hourly_costs, tree
from assets.models import Asset, FormerHourlyCost
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from tests.contracts.api import ApiContract, assert_problem, client_of
from tests.together import together

JANUARY = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def long_ago(plant):
    """When all assets were entered."""
    Asset.objects.update(created=timezone.now() - timedelta(days=400))


def today(plant) -> date:
    return plant.berlin.production_day(timezone.now())


def kept(asset) -> list[tuple]:
    return list(FormerHourlyCost.objects.filter(asset=asset).values_list("until", "amount"))


def by_verb(plant, amount):
    plant.filler.refresh_from_db()
    tree.edit(plant.filler, {"downtime_cost": amount}, by=plant.planner)


def by_api(plant, amount):
    answer = client_of(plant.planner).patch(f"/api/v1/assets/{plant.filler.pk}/", {"downtime_cost": amount})
    assert answer.status_code == 200, answer.content


def by_page(plant, amount):
    client = Client()
    client.force_login(plant.planner)
    address = reverse("asset-edit", args=[plant.filler.pk])
    form = client.get(address).context["form"]
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    version = Asset.objects.get(pk=plant.filler.pk).version
    assert client.post(address, {**typed, "downtime_cost": str(amount), "version": version}).status_code == 302


def in_bulk(plant, amount):
    Asset.objects.filter(site=plant.berlin).update(downtime_cost=amount)


PATHS = pytest.mark.parametrize("enter", [by_verb, by_page, by_api, in_bulk], ids=lambda path: path.__name__)


@PATHS
def test_a_changed_price_leaves_the_former_one_behind_by_every_path(plant, enter):
    in_bulk(plant, 50)
    assert kept(plant.filler) == [], "A first price holds for the past as well."
    enter(plant, Decimal(60))
    assert kept(plant.filler) == [(today(plant), 50)]
    enter(plant, Decimal(61))  # a slip of the same day
    assert kept(plant.filler) == [(today(plant), 50)]
    assert hourly_costs.prices(Asset.objects.get(pk=plant.filler.pk)) == [
        (50, None, today(plant)), (61, today(plant), None),
    ]  # fmt: skip


def test_a_slip_of_the_first_price_is_mended_for_the_past_as_well(plant):
    by_verb(plant, Decimal(5000))
    by_api(plant, 500)
    by_page(plant, 50)
    assert kept(plant.filler) == []
    Asset.objects.filter(pk=plant.labeller.pk).update(created=timezone.now(), downtime_cost=7)
    Asset.objects.filter(pk=plant.labeller.pk).update(downtime_cost=8)  # entered with its asset
    assert kept(plant.labeller) == []


def test_a_price_taken_away_and_given_again_leaves_its_gap(plant):
    in_bulk(plant, 50)
    in_bulk(plant, None)
    FormerHourlyCost.objects.update(until=today(plant) - timedelta(days=9))
    in_bulk(plant, 70)
    assert kept(plant.filler) == [(today(plant) - timedelta(days=9), 50), (today(plant), None)]


def test_the_day_is_that_of_the_site(plant):
    """In Auckland it is tomorrow long before it is in Chicago."""
    for site, zone in ((plant.berlin, "Pacific/Auckland"), (plant.chicago, "Pacific/Honolulu")):
        type(site).objects.filter(pk=site.pk).update(time_zone=zone)
        site.refresh_from_db()
        Asset.objects.filter(site=site).update(downtime_cost=1)
        Asset.objects.filter(site=site).update(downtime_cost=2)
        days = set(FormerHourlyCost.objects.filter(asset__site=site).values_list("until", flat=True))
        assert days == {site.production_day(timezone.now())}


def test_other_changes_of_an_asset_leave_nothing(plant):
    in_bulk(plant, 50)
    by_verb(plant, Decimal(50))
    tree.edit(Asset.objects.get(pk=plant.filler.pk), {"name": "Filler 2"}, by=plant.planner)
    assert kept(plant.filler) == []


# --- Corrections ---------------------------------------------------------------------------------


def test_a_former_price_is_entered_changed_and_removed_with_its_history(plant):
    fields = {"until": JANUARY, "amount": Decimal("40")}
    row = hourly_costs.add_former_cost(plant.filler, fields, by=plant.planner)
    row = hourly_costs.change_former_cost(row, {"amount": Decimal("45")}, by=plant.planner, version=1)
    with pytest.raises(Conflict):
        hourly_costs.change_former_cost(row, {"amount": Decimal("1")}, by=plant.planner, version=1)
    with pytest.raises(NotAllowed):
        hourly_costs.remove_former_cost(row, by=plant.technician)
    hourly_costs.remove_former_cost(row, by=plant.administrator)
    assert kept(plant.filler) == []
    assert [event.summary for event in history(plant.filler)][:3] == [
        "M1 · Filler: an hour down cost 45.00 EUR until 2026-01-01",
        "M1 · Filler: an hour down cost 45.00 EUR until 2026-01-01",
        "M1 · Filler: an hour down cost 40.00 EUR until 2026-01-01",
    ]


def test_two_prices_never_end_on_one_day_and_none_in_the_future(plant):
    fields = {"until": JANUARY, "amount": Decimal("40")}
    hourly_costs.add_former_cost(plant.filler, fields, by=plant.planner)
    with pytest.raises(Conflict):
        hourly_costs.add_former_cost(plant.filler, fields, by=plant.planner)
    with pytest.raises(IntegrityError), transaction.atomic():  # PostgreSQL holds it as well
        FormerHourlyCost.objects.create(asset=plant.filler, **fields)
    tomorrow = today(plant) + timedelta(days=1)
    wrongs = ({"until": tomorrow}, "until"), ({"until": date(1, 1, 1)}, "until"), ({"amount": Decimal(-1)}, "amount")
    for wrong, field in wrongs:
        with pytest.raises(Refused) as refused:
            hourly_costs.add_former_cost(plant.filler, {"until": date(2025, 1, 1), "amount": None} | wrong, by=None)
        assert refused.value.field == field


def test_the_page_of_an_asset_tells_former_prices_and_leads_to_their_correction(client, plant):
    in_bulk(plant, 50)
    row = hourly_costs.add_former_cost(plant.filler, {"until": JANUARY, "amount": Decimal(40)}, by=None)
    page = reverse("asset", args=[plant.filler.pk])
    change = reverse("former-cost", args=[plant.filler.pk, row.pk])
    new = reverse("former-cost-new", args=[plant.filler.pk])
    client.force_login(plant.technician)
    seen = client.get(page).content.decode()
    assert "until 1 Jan 2026" in seen and change not in seen
    assert client.get(change).status_code == 403
    client.force_login(plant.planner)
    seen = client.get(page).content.decode()
    assert change in seen and new in seen
    assert client.post(change, {"amount": "42", "until": "2026-02-01"}).url == page
    assert kept(plant.filler) == [(date(2026, 2, 1), 42)]
    wrong = client.post(new, {"amount": "", "until": "2026-02-01"})
    assert (wrong.status_code, "Another price ended on this day" in wrong.content.decode()) == (409, True)
    assert client.post(new, {"amount": "", "until": "2025-02-01"}).status_code == 302
    assert client.post(reverse("former-cost-remove", args=[plant.filler.pk, row.pk])).status_code == 302
    assert kept(plant.filler) == [(date(2025, 2, 1), None)]
    client.force_login(plant.stranger)
    for address in (change, new, reverse("former-cost-remove", args=[plant.filler.pk, row.pk])):
        assert client.get(address).status_code == 404


def test_two_people_at_one_former_price(client, plant):
    row = hourly_costs.add_former_cost(plant.filler, {"until": JANUARY, "amount": Decimal(40)}, by=None)
    address = reverse("former-cost", args=[plant.filler.pk, row.pk])
    client.force_login(plant.planner)
    typed = {"amount": "42", "until": "2026-01-01", "version": "1"}
    assert client.post(address, typed).status_code == 302
    late = client.post(address, typed | {"amount": "43"})
    assert (late.status_code, kept(plant.filler)) == (409, [(JANUARY, 42)])
    hourly_costs.remove_former_cost(row, by=plant.planner)
    with pytest.raises(Conflict):
        hourly_costs.remove_former_cost(row, by=plant.planner)
    with pytest.raises(Conflict):
        hourly_costs.change_former_cost(row, {"amount": None}, by=plant.planner)


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_enter_change_and_remove_a_former_price_once(plant):
    people = (plant.planner, plant.administrator)

    def refused(verb, *args, **options) -> list[str]:
        results = together(*(lambda by=by: verb(*args, by=by, **options) for by in people))
        assert all(isinstance(error, Conflict) for error in results if isinstance(error, Exception)), results
        return [error.code for error in results if isinstance(error, Conflict)]

    assert refused(hourly_costs.add_former_cost, plant.filler, {"until": JANUARY, "amount": 40}) == ["overlaps"]
    row = FormerHourlyCost.objects.get()
    assert refused(hourly_costs.change_former_cost, row, {"amount": 45}, version=1) == ["stale"]
    assert refused(hourly_costs.remove_former_cost, row) == ["stale"]
    assert len(history(plant.filler)) == 3


def test_what_may_not_be_entered_may_not_be_changed_to(plant):
    hourly_costs.add_former_cost(plant.filler, {"until": date(2025, 1, 1), "amount": None}, by=None)
    row = hourly_costs.add_former_cost(plant.filler, {"until": JANUARY, "amount": Decimal(40)}, by=None)
    with pytest.raises(Conflict):
        hourly_costs.change_former_cost(row, {"until": date(2025, 1, 1)}, by=plant.planner)
    wrongs = {"until": today(plant) + timedelta(days=1)}, {"until": date(1969, 12, 31)}, {"amount": Decimal(-1)}
    for wrong in wrongs:
        with pytest.raises(Refused):
            hourly_costs.change_former_cost(row, wrong, by=plant.planner)
    assert kept(plant.filler) == [(date(2025, 1, 1), None), (JANUARY, 40)]
    for day in (date(1970, 1, 1), today(plant)):
        row = hourly_costs.change_former_cost(row, {"until": day}, by=plant.planner)
        assert row.until == day
    assert row.version == 3


def test_a_former_price_of_another_asset_is_not_found_below_this_one(client, plant):
    row = hourly_costs.add_former_cost(plant.labeller, {"until": JANUARY, "amount": Decimal(40)}, by=None)
    client.force_login(plant.planner)
    for name in ("former-cost", "former-cost-remove"):
        address = reverse(name, args=[plant.filler.pk, row.pk])
        assert client.get(address).status_code == 404
        assert client.post(address, {"until": "2026-02-01"}).status_code == 404


class TestFormerHourlyCosts(ApiContract):
    resource = "former-hourly-costs"
    filters = {"asset": "M1"}
    create = {"asset": "M1", "amount": 500, "until": "2021-01-01"}
    change = {"amount": 700}
    may_write = frozenset({"planner", "administrator"})

    def rows(self, plant):
        if not FormerHourlyCost.objects.filter(asset__site=plant.berlin).exists():
            for asset in (plant.line, plant.filler, plant.labeller, plant.palletiser):
                hourly_costs.add_former_cost(asset, {"until": JANUARY, "amount": Decimal(5)}, by=None)
        return list(FormerHourlyCost.objects.filter(asset__site=plant.berlin))

    def more(self, plant):
        until = JANUARY - timedelta(days=FormerHourlyCost.objects.count())
        hourly_costs.add_former_cost(plant.labeller, {"until": until, "amount": Decimal(5)}, by=None)

    def foreign(self, plant):
        return hourly_costs.add_former_cost(plant.foreign, {"until": JANUARY, "amount": Decimal(5)}, by=None)


def test_a_former_price_stays_with_its_asset(plant):
    row = hourly_costs.add_former_cost(plant.filler, {"until": JANUARY, "amount": Decimal(40)}, by=None)
    answer = client_of(plant.planner).patch(f"/api/v1/former-hourly-costs/{row.pk}/", {"asset": "M2"})
    assert_problem(answer, 422, "owner_is_fixed", "asset")
