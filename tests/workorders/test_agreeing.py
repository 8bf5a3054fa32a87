"""Agreeing on a week: what is frozen, until when, by whom, and what became of it."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.errors import NotAllowed, Refused
from core.events import history
from core.weeks import name_of
from tests.contracts.api import ApiContract, assert_problem, client_of
from tests.workorders.orders import order
from workorders.agreeing import agree, agreement_of, last_call, scheduled_in, withdraw
from workorders.models import AgreedOrder, AgreedWeek, WorkOrder
from workorders.states import State
from workorders.week import midnight, week_of

MONDAY = date(2026, 3, 23)  # in Berlin its Sunday has 23 hours
BEFORE = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def placed(plant, *starts: datetime, state: str = State.SCHEDULED, **fields) -> WorkOrder:
    row = order(plant, state, **fields)
    row.assignments.all().delete()
    for number, start in enumerate(starts):
        row.assignments.create(person=plant.technician if number == 0 else plant.planner, start=start, minutes=30)
    return row


def agreed(plant, *, now=BEFORE, by=None) -> AgreedWeek:
    return agree(plant.berlin, MONDAY, by=by or plant.planner, now=now)


def test_what_is_frozen_is_open_and_begins_in_the_week_with_its_minutes_there(plant):
    start, end = midnight(plant.berlin, MONDAY), midnight(plant.berlin, MONDAY + 7 * DAY)
    first, last = placed(plant, start), placed(plant, end - timedelta(minutes=1))
    split = placed(plant, start + DAY, end + DAY)
    placed(plant, start - timedelta(minutes=1))
    placed(plant, end)
    placed(plant, start, state=State.DRAFT)
    for state in (State.COMPLETED, State.CLOSED, State.CANCELLED):
        placed(plant, start + DAY, state=state)
    both = placed(plant, start + 2 * DAY, start + 2 * DAY, state=State.IN_PROGRESS)

    week = agreed(plant)

    assert {each.order: each.minutes for each in week.orders.select_related("order")} == {
        first: 30, last: 30, split: 30, both: 60,
    }  # fmt: skip
    assert (week.agreed_by, week.agreed_at, str(week)) == (plant.planner, BEFORE, "2026-W13")
    assert [event.summary for event in history(week)] == ["2026-W13: 4 orders agreed"]


def test_it_is_agreed_again_until_its_monday_is_over_and_then_stays(plant):
    start = midnight(plant.berlin, MONDAY)
    first = placed(plant, start + DAY)
    week = agreed(plant)
    second = placed(plant, start + DAY)
    first.assignments.update(start=start + 8 * DAY)
    end_of_monday = last_call(plant.berlin, MONDAY)
    assert end_of_monday == start + DAY

    assert agreed(plant, now=end_of_monday - timedelta(seconds=1)) == week
    assert [each.order for each in week.orders.all()] == [second]

    for late in (agreed, lambda plant, now: withdraw(week, by=plant.planner, now=now)):
        with pytest.raises(Refused) as refused:
            late(plant, now=end_of_monday)
        assert refused.value.code == "week_has_begun"
    withdraw(week, by=plant.planner, now=end_of_monday - timedelta(seconds=1))
    assert (AgreedWeek.objects.count(), AgreedOrder.objects.count()) == (0, 0)


def test_what_cannot_be_agreed_is_refused(plant):
    with pytest.raises(Refused) as refused:
        agreed(plant)
    assert refused.value.code == "nothing_scheduled"
    placed(plant, midnight(plant.berlin, MONDAY))
    with pytest.raises(Refused) as refused:
        agree(plant.berlin, MONDAY + DAY, by=plant.planner, now=BEFORE)
    assert refused.value.code == "not_monday"
    for far in (date(2027, 3, 29), date(9999, 12, 27)):
        with pytest.raises(Refused) as refused:
            agree(plant.berlin, far, by=plant.planner, now=BEFORE)
        assert (refused.value.code, refused.value.field) == ("too_far", "monday")
    for person in (plant.technician, plant.requester):
        with pytest.raises(NotAllowed):
            agreed(plant, by=person)
    assert not AgreedWeek.objects.exists()


def test_what_became_of_each_order(plant):
    start, end = midnight(plant.berlin, MONDAY), midnight(plant.berlin, MONDAY + 7 * DAY)
    names = ("kept", "early", "late", "open_", "cancelled", "moved")
    rows = {name: placed(plant, start + DAY) for name in names}
    agreed(plant)
    other = placed(plant, start + 2 * DAY)
    rows["moved"].assignments.update(start=end + DAY)
    for name, at in (("kept", end - timedelta(seconds=1)), ("early", start - timedelta(seconds=1)), ("late", end)):
        WorkOrder.objects.filter(pk=rows[name].pk).update(state=State.COMPLETED, completed_at=at)
    WorkOrder.objects.filter(pk=rows["cancelled"].pk).update(state=State.CANCELLED)

    found = agreement_of(plant.berlin, MONDAY, week_of(plant.berlin, MONDAY).orders)

    assert {name: [each.done for each in found.promises if each.order == row] for name, row in rows.items()} == {
        "kept": [True], "early": [False], "late": [False], "open_": [False], "cancelled": [False], "moved": [False],
    }  # fmt: skip
    assert (found.done, found.broken_in) == (1, [other])
    assert {each.order for each in found.promises if not each.here} == {rows["moved"], rows["cancelled"]}
    assert agreement_of(plant.chicago, MONDAY, []) is None


@pytest.mark.django_db(transaction=True)
def test_two_planners_at_once_make_one_agreement(plant):
    for hour in range(3):
        placed(plant, midnight(plant.berlin, MONDAY) + timedelta(hours=hour))
    barrier, failures = Barrier(2), []

    def press() -> None:
        try:
            barrier.wait()
            agreed(plant)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (AgreedWeek.objects.count(), AgreedOrder.objects.count()) == (1, 3)


# --- Page ------------------------------------------------------------------------------------------------


def next_monday(site) -> date:
    today = site.local(timezone.now()).date()
    return today + timedelta(days=7 - today.weekday())


def page(client, monday: date) -> str:
    return client.get(reverse("planning"), {"week": name_of(monday)}).content.decode()


def test_a_planner_agrees_on_the_coming_week_and_sees_what_came_in_between(client, plant):
    monday = next_monday(plant.berlin)
    promised = placed(plant, midnight(plant.berlin, monday) + DAY)
    client.force_login(plant.planner)
    assert "Agree on this week" in page(client, monday)
    answer = client.post(reverse("week-agree", args=[name_of(monday)]), follow=True)
    assert "1 order is agreed." in answer.content.decode()
    placed(plant, midnight(plant.berlin, monday) + 2 * DAY, summary="Came later")

    text = page(client, monday)

    assert "0 of 1 order done" in text
    assert text.count("Not agreed<") == 2, "At the job in the week, and in the list of what was agreed"
    assert promised.get_absolute_url() in text.split("What was agreed")[1]
    answer = client.post(reverse("week-withdraw", args=[name_of(monday)]), follow=True)
    assert "The agreement is withdrawn." in answer.content.decode()
    assert "Agree on this week" in page(client, monday)


def test_a_past_week_says_that_it_was_not_agreed_and_takes_no_agreement(client, plant):
    monday = next_monday(plant.berlin) - timedelta(days=14)
    placed(plant, midnight(plant.berlin, monday) + DAY)
    client.force_login(plant.planner)
    text = page(client, monday)
    assert "This week was not agreed" in text
    assert reverse("week-agree", args=[name_of(monday)]) not in text
    answer = client.post(reverse("week-agree", args=[name_of(monday)]), follow=True)
    assert "A week is agreed until the end of its Monday" in answer.content.decode()
    assert not AgreedWeek.objects.exists()


@pytest.mark.parametrize("name", ["soon", "2026-W99", "0000-W01", "٢٠٢٦-W10"])
def test_a_name_that_is_no_week_is_not_found(client, plant, name):
    client.force_login(plant.planner)
    assert client.post(reverse("week-agree", args=[name])).status_code == 404


def test_others_neither_see_the_button_nor_may_press_it(client, plant):
    monday = next_monday(plant.berlin)
    placed(plant, midnight(plant.berlin, monday) + DAY)
    for person in (plant.technician, plant.requester, plant.manager, plant.stranger):
        client.force_login(person)
        expected = 302 if person == plant.stranger else 403  # whose own site has nothing scheduled
        assert client.post(reverse("week-agree", args=[name_of(monday)])).status_code == expected, person
    assert not AgreedWeek.objects.exists()


def test_the_week_asks_a_constant_number_of_questions(client, plant, django_assert_max_num_queries):
    monday = next_monday(plant.berlin)
    for hour in range(3):
        placed(plant, midnight(plant.berlin, monday) + timedelta(hours=hour))
    agree(plant.berlin, monday, by=plant.planner)
    client.force_login(plant.planner)
    with django_assert_max_num_queries(100) as few:
        page(client, monday)
    for hour in range(3, 9):
        placed(plant, midnight(plant.berlin, monday) + timedelta(hours=hour))
    agree(plant.berlin, monday, by=plant.planner)
    with django_assert_max_num_queries(len(few)):
        page(client, monday)


# --- REST API --------------------------------------------------------------------------------------------


class TestAgreedWeeks(ApiContract):
    resource = "agreed-weeks"
    filters = {"monday": "2026-03-30"}
    create = {"site": "berlin"}
    may_write = frozenset({"planner", "administrator"})

    def rows(self, plant):
        for number in range(4):
            monday = MONDAY + number * 7 * DAY
            if not AgreedWeek.objects.filter(site=plant.berlin, monday=monday).exists():
                placed(plant, midnight(plant.berlin, monday) + DAY)
                agree(plant.berlin, monday, by=plant.planner, now=BEFORE)
        return list(AgreedWeek.objects.filter(site=plant.berlin))

    def new(self, plant):
        monday = next_monday(plant.berlin)
        if not scheduled_in(plant.berlin, monday).exists():
            placed(plant, midnight(plant.berlin, monday) + DAY)
        return {"site": "berlin", "monday": monday.isoformat()}

    def more(self, plant):
        last = AgreedWeek.objects.filter(site=plant.berlin).order_by("-monday").first()
        monday = last.monday + 7 * DAY
        placed(plant, midnight(plant.berlin, monday) + DAY)
        agree(plant.berlin, monday, by=plant.planner, now=BEFORE)

    def foreign(self, plant):
        return AgreedWeek.objects.create(site=plant.chicago, monday=MONDAY)

    def test_it_is_answered_with_its_orders_and_withdrawn_until_its_monday_is_over(self, plant, writer):
        made = self.created(writer, plant)
        assert made.status_code == 201, made.content
        body = made.json()
        row = AgreedOrder.objects.get(week=body["id"])
        assert body["orders"] == [
            {"order": {"id": row.order_id, "number": row.order.number, "name": row.order.summary}, "duration": 1800}
            | {"done": False}
        ]
        assert writer.delete(f"{self.address}{body['id']}/").status_code == 204
        past = AgreedWeek.objects.create(site=plant.berlin, monday=MONDAY)
        assert_problem(writer.delete(self.of(past)), 422, "week_has_begun", "monday")
        assert_problem(writer.post(self.address, {"site": "berlin"}), 400, "invalid", "monday")
        for person in (plant.technician, plant.manager):
            assert client_of(person).delete(self.of(past)).status_code == 403

    def test_it_tells_which_orders_were_done_in_their_week(self, plant, writer, django_assert_num_queries):
        week = AgreedWeek.objects.create(site=plant.berlin, monday=MONDAY)
        end = midnight(plant.berlin, MONDAY + 7 * DAY)  # six days and 23 hours after its beginning

        def agreed(**fields) -> int:
            return AgreedOrder.objects.create(week=week, order=order(plant, **fields)).order_id

        def told() -> dict[int, bool]:
            return {each["order"]["id"]: each["done"] for each in writer.get(self.of(week)).json()["orders"]}

        late, done = (agreed(state=State.COMPLETED, completed_at=at) for at in (end, end - timedelta(seconds=1)))
        waiting = agreed()
        assert told() == {late: False, done: True, waiting: False}
        with CaptureQueriesContext(connection) as few:
            told()
        agreed()
        with django_assert_num_queries(len(few)):
            told()
