"""What orders and requests add to pages around them: the machine's page, the search, the words of their forms."""

import pytest
from django.urls import reverse
from django.utils import timezone

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
