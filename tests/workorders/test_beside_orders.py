"""What orders and requests add to pages around them: the machine's page, the search, the words of their forms."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from people.models import Membership
from people.roles import Role
from tests.workorders.orders import order
from workorders.raising import raise_order
from workorders.states import Kind, State


@pytest.fixture
def log_in(client):
    def as_(user):
        client.force_login(user)
        return client

    return as_


def address(name: str, *args) -> str:
    return reverse(name, args=args)


def test_whoever_scans_the_label_of_a_machine_reports_a_problem_with_one_tap(plant, log_in):
    page = log_in(plant.requester).get(plant.filler.get_absolute_url())
    report_it = f"{address('request-new')}?asset={plant.filler.pk}"
    assert page.context["actions"][0].url == report_it
    assert f'href="{report_it}"' in page.content.decode()


def test_an_order_past_its_due_day_says_that_day_and_not_the_later_start(plant, log_in):
    now = timezone.now()
    late = order(plant, State.SCHEDULED, due_to=now - timedelta(days=2))
    late.assignments.update(start=now + timedelta(hours=1))
    page = log_in(plant.technician).get(address("my-work")).content.decode()
    local = late.site.local
    card = page.split('class="work-top"')[1].split("</a>")[0]
    assert (
        f'<span class="work-time">due <time class="num" datetime="{local(late.due_to).isoformat(timespec="seconds")}"'
        in card
    )
    assert "Overdue" not in card


def test_the_figures_of_a_machine_elsewhere_go_over_to_its_site(plant, log_in):
    Membership.objects.create(user=plant.manager, site=plant.chicago, role=Role.MANAGER)
    client = log_in(plant.manager)
    assert client.get(reverse("performance"), {"asset": plant.filler.pk}).context["frame"].site == plant.berlin
    assert client.get(reverse("performance"), {"asset": plant.foreign.pk}).context["frame"].site == plant.chicago


def test_an_archived_machine_has_no_problems_to_report(plant, log_in):
    plant.filler.archived_at = timezone.now()
    plant.filler.save()
    page = log_in(plant.requester).get(plant.filler.get_absolute_url())
    assert "Report a problem" not in [action.label for action in page.context["actions"]]


def test_a_search_offers_machines_before_their_orders(plant, log_in):
    raise_order(asset=plant.filler, summary="Filler leaks", by=plant.planner)
    groups = log_in(plant.planner).get("/search/", {"q": "filler"}).context["groups"]
    assert [group["lookup"].model.lower() for group in groups] == ["assets.asset", "workorders.workorder"]


def test_a_closed_order_says_when_it_was_done(plant, log_in):
    row = order(plant, State.CLOSED)
    said = log_in(plant.planner).get(row.get_absolute_url()).context["answer"]
    assert said.startswith("Completed ")
    assert ", closed " in said


def test_nothing_chosen_is_a_word_and_not_a_row_of_dashes(plant, log_in):
    row = order(plant, State.IN_PROGRESS, kind=Kind.CORRECTIVE)
    page = log_in(plant.technician).get(address("work-order-move", row.pk, "completion")).content.decode()
    assert "none chosen" in page
    assert "---------" not in page
