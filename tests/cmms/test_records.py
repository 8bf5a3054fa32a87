"""Jobs and audit trail: administrators see how background work went and who did what, at their own sites."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from assets.models import Asset
from cmms.schedule import JOBS
from core.events import record
from core.models import JobRun
from core.runs import job_run


@pytest.fixture
def as_administrator(client, plant):
    client.force_login(plant.administrator)
    return client


def test_the_jobs_page_says_what_runs_by_itself_and_how_it_went(as_administrator):
    with job_run("nightly") as run:
        run.rows, run.fact = 7, "7 orders generated"
    page = as_administrator.get(reverse("jobs")).content.decode()
    assert "7 orders generated" in page
    assert "No job is failing." in page
    assert all(escape(job.sentence) in page for job in JOBS)


def test_a_job_that_failed_and_has_not_succeeded_since_is_named(as_administrator):
    with pytest.raises(ZeroDivisionError), job_run("nightly"):
        raise ZeroDivisionError("of planned time")
    page = as_administrator.get(reverse("jobs")).content.decode()
    assert "nightly failed and has not succeeded since." in page
    assert "ZeroDivisionError: of planned time" in page


def test_a_run_at_another_site_is_not_shown(as_administrator, plant):
    JobRun.objects.create(name="nightly", site=plant.chicago, fact="Chicago's figures")
    assert "Chicago's figures" not in as_administrator.get(reverse("jobs")).content.decode()


@pytest.mark.parametrize("address", ["jobs", "audit"])
@pytest.mark.parametrize("role", ["requester", "technician", "planner", "manager"])
def test_only_an_administrator_opens_the_records(client, plant, role, address):
    client.force_login(getattr(plant, role))
    assert client.get(reverse(address)).status_code == 403


def test_the_audit_trail_names_what_an_event_is_about_and_leads_there(as_administrator, plant):
    record("asset.noted", plant.filler, by=plant.planner, site=plant.berlin, summary="It was noted")
    record("asset.noted", Asset(pk=999_999), by=plant.planner, site=plant.berlin, summary="It went")
    page = as_administrator.get(reverse("audit")).content.decode()
    assert f'<a href="{plant.filler.get_absolute_url()}">{plant.filler}</a>' in page
    assert "asset 999999" in page
    file = b"".join(as_administrator.get(reverse("audit"), {"format": "csv"}).streaming_content).decode()
    assert f"It was noted,{plant.filler}," in file


def test_the_audit_trail_costs_the_same_for_few_and_many_events(as_administrator, plant, django_assert_max_num_queries):
    for number in range(20):
        record("asset.noted", plant.filler, by=plant.planner, site=plant.berlin, summary=f"Noted {number}")
        record("site.noted", plant.berlin, by=plant.planner, site=plant.berlin, summary=f"Noted {number}")
    with django_assert_max_num_queries(10):
        as_administrator.get(reverse("audit"))


def test_the_audit_trail_shows_the_events_of_the_chosen_site_only(as_administrator, plant):
    record("asset.noted", plant.filler, by=plant.planner, site=plant.berlin, summary="Berlin's filler noted")
    record("asset.noted", plant.foreign, by=plant.stranger, site=plant.chicago, summary="Chicago's filler noted")
    page = as_administrator.get(reverse("audit")).content.decode()
    assert "Berlin&#x27;s filler noted" in page
    assert "Chicago" not in page
