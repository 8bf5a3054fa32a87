"""The replacement value of an asset: entered on its form, over the REST API and by import, in the site's currency."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from assets import tree
from assets.models import Asset
from core.events import history
from tests.contracts.api import assert_problem, client_of
from tests.imports.conftest import bring_in as bring_in  # the fixtures
from tests.imports.conftest import make_file as make_file
from tests.imports.conftest import own_media as own_media
from tests.imports.conftest import reasons


def test_the_form_asks_for_it_in_the_currency_of_the_site_and_the_page_shows_it(client, plant):
    client.force_login(plant.planner)
    address = reverse("asset-edit", args=[plant.line.pk])
    page = client.get(address)
    assert "EUR, to buy and install the like of it today" in page.content.decode()
    form = page.context["form"]
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    sent = typed | {"replacement_value": "4500000", "version": plant.line.version}
    assert client.post(address, sent).status_code == 302
    plant.line.refresh_from_db()
    assert plant.line.replacement_value == 4_500_000
    assert "4\u202f500\u202f000" in client.get(plant.line.get_absolute_url()).content.decode()
    assert history(plant.line)[0].data["changes"]["replacement_value"][0] is None
    page = client.post(address, sent | {"replacement_value": "-1", "version": plant.line.version}).content.decode()
    assert "greater than or equal to 0" in page


def test_the_api_reads_writes_and_refuses_it(plant):
    caller, address = client_of(plant.planner), f"/api/v1/assets/{plant.line.pk}/"
    assert caller.get(address).json()["replacement_value"] is None
    assert caller.patch(address, {"replacement_value": 4500000.5}).json()["replacement_value"] == 4_500_000.5
    assert caller.patch(address, {"replacement_value": None}).json()["replacement_value"] is None
    for wrong in (-1, "much", 1e15):
        assert_problem(caller.patch(address, {"replacement_value": wrong}), 400, field="replacement_value")
    assert_problem(client_of(plant.technician).patch(address, {"replacement_value": 1}), 403)
    assert Asset.objects.get(pk=plant.line.pk).replacement_value is None


def test_it_comes_in_with_an_import(bring_in, plant):
    run = bring_in("assets", "code,name,RAV\nA1,One,250000\nB1,Two,\n")
    assert run.counts["accepted"] == 2
    assert dict(Asset.objects.filter(code__in=["A1", "B1"]).values_list("code", "replacement_value")) == {
        "A1": Decimal(250_000), "B1": None,
    }  # fmt: skip
    assert [line for line, column, _ in reasons(bring_in("assets", "code,name,RAV\nC1,Three,-5\n"))] == [2]


def test_no_path_writes_one_below_nought(plant):
    with pytest.raises(IntegrityError), transaction.atomic():
        Asset.objects.filter(pk=plant.line.pk).update(replacement_value=-1)
    tree.edit(plant.line, {"replacement_value": Decimal(0)}, by=plant.planner)
    assert Asset.objects.get(pk=plant.line.pk).replacement_value == 0
