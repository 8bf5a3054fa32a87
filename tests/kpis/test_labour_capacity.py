"""The hours a week of a crew: backlog in weeks, wrench time, and who may state them."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Site
from kpis import labour_capacity
from kpis.backlog import Backlog
from kpis.crew import Crew, Load, Weekly, Wrench, crew
from kpis.formulas import HOUR, Reason, Status
from kpis.intervals import span
from kpis.models import LabourCapacity
from kpis.work import Labour, Lack
from tests.contracts.api import ApiContract, client_of
from tests.kpis.test_work_database import at, order, read

BERLIN = Site(time_zone="Europe/Berlin", day_start=time(0))
MARCH = date(2026, 3, 1)
DAY = timedelta(days=1)


def capacity(plant, net="6", paid="8", valid_from=date(2020, 1, 1)) -> LabourCapacity:
    values = {"net": Decimal(net), "paid": paid and Decimal(paid), "valid_from": valid_from}
    return labour_capacity.VERBS.set(plant.berlin, values, by=plant.manager)


def of(rates: list[Weekly], first: date, past: date) -> Crew:
    return crew(rates, span(BERLIN.day_begins(first), BERLIN.day_begins(past)), BERLIN.day_begins)


# --- Arithmetic ----------------------------------------------------------------------------------


def test_paid_hours_count_by_time_and_capacity_is_that_of_the_end():
    rates = [Weekly(MARCH + 7 * DAY, 100, 140), Weekly(MARCH, 40, 70)]
    assert of(rates, MARCH, MARCH + 7 * DAY) == Crew(40 * HOUR, 70 * HOUR, 7 * 86_400, 7 * 86_400)
    both = of(rates, MARCH + 6 * DAY, MARCH + 8 * DAY)
    assert (both.net, both.paid) == (100 * HOUR, pytest.approx((10 + 20) * HOUR))
    assert of(rates, MARCH - DAY, MARCH).net is None
    assert of(rates, MARCH - DAY, MARCH + DAY) == Crew(40 * HOUR, pytest.approx(10 * HOUR), 86_400, 2 * 86_400)
    assert of([Weekly(MARCH, 40)], MARCH, MARCH + DAY) == Crew(40 * HOUR, 0, 0, 86_400)
    assert of([], MARCH, MARCH + DAY) == Crew(whole=86_400)


def test_a_day_of_23_hours_has_its_share_of_a_week():
    assert of([Weekly(MARCH, 40, 168)], date(2026, 3, 29), date(2026, 3, 30)).paid == pytest.approx(23 * HOUR)


PAID = Crew(net=30 * HOUR, paid=80 * HOUR, known=100, whole=100)
LABOUR = Labour(total=20 * HOUR)


@pytest.mark.parametrize(
    ("known", "value", "status", "reason"),
    [
        (Wrench(LABOUR, PAID, True), 0.25, Status.OK, Reason.NONE),
        (Wrench(LABOUR, PAID, False), None, Status.UNDEFINED, Lack.PAID_BY_SITE),
        (Wrench(LABOUR, Crew(30 * HOUR, 0, 0, 100), True), None, Status.NO_DATA, Lack.NO_PAID_HOURS),
        (Wrench(LABOUR, Crew(30 * HOUR, 40 * HOUR, 99, 100), True), None, Status.NO_DATA, Lack.PAID_HOURS_LATER),
        (Wrench(Labour(), PAID, True), None, Status.NO_DATA, Lack.NO_LABOUR),
    ],
)
def test_wrench_time_or_the_reason_why_there_is_none(known, value, status, reason):
    found = known.time()
    assert (found.value, found.status, found.reason) == (value, status, reason)


def test_a_backlog_without_orders_is_no_weeks_whatever_the_crew():
    assert Load(Backlog(), PAID).weeks().reason == Lack.NO_ORDERS
    assert Load(Backlog(recorded=True), PAID).weeks().value == 0


# --- Figures ---------------------------------------------------------------------------------------


def test_wrench_time_is_of_the_site_and_follows_its_paid_hours(plant):
    capacity(plant, paid="28")
    row = order(plant.filler, at(1))
    row.labour.create(person=plant.technician, start=at(2), end=at(8))
    window = {"start": at(0), "end": at(48)}
    (figure,) = read(plant.berlin, "wrench_time", **window)
    assert (figure.value, figure.inputs) == (pytest.approx(6 / 8), {"labour": 6 * HOUR, "paid_labour": 8 * HOUR})
    (figure,) = read(plant.filler, "wrench_time", **window)
    assert (figure.value, figure.reason_code) == (None, "paid_by_site")


def test_each_bucket_has_the_capacity_of_its_end(plant):
    capacity(plant, net="10", paid=None)
    capacity(plant, net="5", valid_from=date(2026, 3, 9))
    order(plant.filler, at(1), estimate_minutes=600)
    weeks = read(plant.berlin, "backlog_weeks", by="week", start=at(0), end=at(14 * 24))
    assert [figure.value for figure in weeks] == [1, 2]


def test_the_explanation_of_wrench_time_names_each_capacity_of_the_window(client, plant):
    rows = [capacity(plant, valid_from=MARCH + number * 7 * DAY) for number in range(3)]
    order(plant.filler, at(1)).labour.create(person=plant.technician, start=at(2), end=at(8))
    client.force_login(plant.manager)
    question = {"site": "berlin", "definition": "wrench_time", "from": "2026-03-08", "to": "2026-03-15"}
    why = client.get("/api/v1/kpis/explanation/", question).json()
    stated = [each for each in why["records"] if each["kind"] == "labour_capacity"]
    assert [each["id"] for each in stated] == [rows[1].pk], "The one before had ended, the one after had not begun"
    assert rows[1].get_absolute_url() in client.get(reverse("figure"), question).content.decode()


# --- What is stated ----------------------------------------------------------------------------------


def test_a_capacity_is_stated_changed_and_removed_with_its_history(plant):
    row = capacity(plant)
    labour_capacity.VERBS.change(row, {"net": Decimal(7)}, by=plant.manager, version=1)
    assert [event.summary for event in history(row)] == [
        "Labour capacity changed: 7.0 h a week, 8.0 h paid, from 2020-01-01",
        "Labour capacity set: 6.0 h a week, 8.0 h paid, from 2020-01-01",
    ]
    with pytest.raises(Conflict):
        labour_capacity.VERBS.change(row, {"net": Decimal(1)}, by=plant.manager, version=1)
    with pytest.raises(Conflict):
        capacity(plant)
    with pytest.raises(NotAllowed):
        labour_capacity.VERBS.remove(row, by=plant.planner)
    labour_capacity.VERBS.remove(row, by=plant.manager)
    assert not LabourCapacity.objects.exists()


@pytest.mark.parametrize(("net", "paid", "field"), [("0", "8", "net"), ("6", "5.9", "paid"), ("6", "0", "paid")])
def test_hours_that_cannot_be_are_refused_at_their_field(plant, net, paid, field):
    with pytest.raises(Refused) as refused:
        capacity(plant, net, paid)
    assert refused.value.field == field


def test_only_managers_state_a_capacity_and_only_at_their_site(client, plant):
    row = capacity(plant)
    client.force_login(plant.planner)
    assert "6.0\u202fh" in client.get(reverse("labour-capacities")).content.decode()
    assert client.get(reverse("labour-capacity-new")).status_code == 403
    client.force_login(plant.manager)
    typed = {"net": "9", "paid": "5", "valid_from": "2027-01-01"}
    page = client.post(reverse("labour-capacity-new"), typed)
    assert (page.status_code, "Paid hours hold meetings" in page.content.decode()) == (422, True)
    assert client.post(reverse("labour-capacity-new"), typed | {"paid": ""}).status_code == 302
    edited = {"net": "10", "paid": "12", "valid_from": "2020-01-01", "version": row.version}
    assert client.post(reverse("labour-capacity-edit", args=[row.pk]), edited).status_code == 302
    assert "10.0\u202fh" in client.get(row.get_absolute_url()).content.decode()
    assert client.post(reverse("labour-capacity-remove", args=[row.pk])).status_code == 302
    client.force_login(plant.stranger)
    assert client.get(LabourCapacity.objects.get().get_absolute_url()).status_code == 404


class TestLabourCapacities(ApiContract):
    resource = "labour-capacities"
    caller = "manager"
    filters = {"until": "2024-06-01"}
    create = {"site": "berlin", "net": 120, "paid": 160, "valid_from": "2031-01-01"}
    change = {"net": 7}
    may_write = frozenset({"manager", "administrator"})

    def rows(self, plant):
        if not LabourCapacity.objects.filter(site=plant.berlin).exists():
            for year in (2023, 2024, 2025, 2026):
                capacity(plant, valid_from=date(year, 1, 1))
        return list(LabourCapacity.objects.filter(site=plant.berlin))

    def more(self, plant):
        capacity(plant, valid_from=date(2022, 1, 1) - DAY * LabourCapacity.objects.count())

    def foreign(self, plant):
        values = {"net": Decimal(5), "valid_from": date(2026, 1, 1)}
        return labour_capacity.VERBS.set(plant.chicago, values, by=None)


def test_the_api_says_which_field_is_wrong(plant):
    answer = client_of(plant.manager).post(
        "/api/v1/labour-capacities/", {"site": "berlin", "net": -1, "valid_from": "2026-01-01"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "net"
