"""The real orders of two mining excavators go in by the page and by the command, and the totals come out."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models import Count, Max, Min, Q, Sum
from django.urls import reverse

from assets.models import Failure
from core.models import ImportRun, ImportState, Site
from kpis import computing
from people.roles import Role
from tests import plant as world
from tests.data import reference_file, reference_json
from workorders.models import State, WorkOrder

MEANINGS = {
    "PM01": "corrective", "PM02": "preventive", "PM04": "improvement", "PM05": "inspection", "PM06": "inspection",
}  # fmt: skip


@pytest.fixture
def mine(db) -> Site:
    Site.objects.create(code="mine", name="The mine", time_zone="Australia/Perth", currency="AUD")
    return Site.objects.get(code="mine")


def answers() -> dict:
    return reference_json("answers.json")["excavators_A_C"]


def check(mine: Site, run: ImportRun) -> None:
    """Everything that answers.json says of the file, exactly."""
    expected = answers()
    assert run.state == ImportState.DONE
    assert run.counts["rows"] == run.counts["accepted"] == expected["rows"]
    assert run.counts["rejected"] == 0
    assert run.counts["duplicates"] == expected["duplicate_rows"]
    orders = WorkOrder.objects.at(mine)
    assert float(orders.aggregate(total=Sum("costs__amount"))["total"]) == expected["total_cost"]
    found = orders.values("asset__code").annotate(
        wo=Count("pk", distinct=True), pm01=Count("pk", filter=Q(kind="corrective"), distinct=True),
        cost=Sum("costs__amount"), first=Min("reported_at"), last=Max("reported_at"),
    )  # fmt: skip
    assert {row["asset__code"]: _plain(mine, row) for row in found} == expected["per_asset"]
    assert set(orders.values_list("state", "started_at", "completed_at")) == {(State.CLOSED, None, None)}


def _plain(mine: Site, row: dict) -> dict:
    days = {name: mine.production_day(row[name]).isoformat() for name in ("first", "last")}
    return {"wo": row["wo"], "pm01": row["pm01"], "cost": float(row["cost"]), **days}


def test_by_the_page(mine, client):
    client.force_login(world.person("planner", mine, Role.PLANNER))
    upload = SimpleUploadedFile("excavators_A_C.csv", reference_file("excavators_A_C.csv").read_bytes(), "text/csv")
    answer = client.post(reverse("import-new"), {"kind": "work-orders", "file": upload})
    run = ImportRun.objects.get()
    mapping = reverse("import-mapping", args=[run.pk])
    assert answer.url == mapping
    form = client.get(mapping).context["form"]
    data = {name: form.initial.get(name, field.initial) or "" for name, field in form.fields.items()}
    assert (data["column_asset"], data["column_reported_at"], data["column_cost"]) == ("Asset", "BscStartDate", "Cost")
    assert data["date_format"] == "iso"
    data |= {name: MEANINGS[written] for name, (_field, written) in form.value_fields.items()}
    data["option_create_assets"] = "on"
    data.pop("option_failures")
    assert client.post(mapping, data).url == reverse("import", args=[run.pk])
    run.refresh_from_db()
    assert (run.state, WorkOrder.objects.count()) == (ImportState.CHECKED, 0)
    page = client.get(run.get_absolute_url())
    assert "1,143" in page.content.decode().replace("\u202f", ",")
    client.post(reverse("import-start", args=[run.pk]))
    run.refresh_from_db()
    check(mine, run)
    assert run.by.username == "planner"


def test_by_the_command_twice(mine):
    arguments = ["import", "work-orders", str(reference_file("excavators_A_C.csv")), "--site", "mine"]
    arguments += [f"--value-map=kind:{written}={meaning}" for written, meaning in MEANINGS.items()]
    out = io.StringIO()
    call_command(*arguments, "--option", "create_assets", "--option", "failures", stdout=out)
    assert "1,143 rows, 1,143 accepted, 0 rejected, 0 unchanged, 101 duplicates" in out.getvalue()
    check(mine, ImportRun.objects.get())
    assert Failure.objects.filter(restored=None).count() == Failure.objects.count() == 1045
    before = list(WorkOrder.objects.order_by("pk").values())
    again = io.StringIO()
    call_command(*arguments, "--option", "create_assets", "--option", "failures", stdout=again)
    assert "1,143 rows, 0 accepted, 0 rejected, 1,143 unchanged, 101 duplicates" in again.getvalue()
    assert list(WorkOrder.objects.order_by("pk").values()) == before
    assert Failure.objects.count() == 1045


def test_the_imported_orders_give_an_mtbf_but_no_mttr(mine, client):
    """The file has no end times: the product says so instead of inventing repair times, page and API alike."""
    arguments = ["import", "work-orders", str(reference_file("excavators_A_C.csv")), "--site", "mine"]
    arguments += [f"--value-map=kind:{written}={meaning}" for written, meaning in MEANINGS.items()]
    call_command(*arguments, "--option", "create_assets", "--option", "failures", stdout=io.StringIO())
    computing.compute_due()
    code, told = next(iter(answers()["per_asset"].items()))
    client.force_login(world.person("manager", mine, Role.MANAGER))

    question = {"asset": code, "site": "mine", "from": told["first"], "to": told["last"]}
    mttr, mtbf = client.get("/api/v1/kpis/", question | {"definition": "mttr,mtbf"}).json()
    assert (mttr["value"], mttr["status"], mttr["reason"]) == (None, "no data", "No restoration times were recorded.")
    assert 0 < mttr["inputs"]["missing_restoration_times"] == mtbf["inputs"]["failures"] <= told["pm01"]
    assert mtbf["status"] == "ok"
    page = client.get(reverse("performance"), {"asset": mttr["asset"]["id"], "from": told["first"], "to": told["last"]})
    assert "No restoration times were recorded." in page.content.decode()
