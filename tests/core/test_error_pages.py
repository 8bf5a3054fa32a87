"""Pages for what went wrong: they say what to do, and never show a trace."""

import pytest
from django.test import Client

from tests.plant import PASSWORD

pytestmark = pytest.mark.usefixtures("sample_pages")


def test_an_unknown_address_is_said_to_be_one(client, plant):
    client.login(username="planner", password=PASSWORD)
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_a_mistake_of_ours_shows_no_trace(plant):
    client = Client(raise_request_exception=False)
    client.login(username="planner", password=PASSWORD)
    response = client.get("/sample/broken/")
    text = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong" in text
    assert "a mistake of ours" not in text
    assert "Traceback" not in text


def test_a_form_of_another_site_on_the_web_is_refused(plant):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"username": "planner", "password": PASSWORD})
    text = response.content.decode()
    assert response.status_code == 403
    assert "This page was open for too long" in text  # what it mostly is: a log-in in another tab
    assert "<style" not in text  # the policy would not let it through


def test_every_page_forbids_inline_scripts_and_styles(client, plant):
    policy = client.get("/login/")["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == "'self'"
    assert directives["style-src"] == "'self'"
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in policy
