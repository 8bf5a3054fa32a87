"""Logging in and out, the pause after failures, changing one's password."""

import pytest
from django.core.cache import cache

from people import login
from tests.plant import PASSWORD


@pytest.fixture(autouse=True)
def own_cache(settings):
    """Tests that run beside this one must not share its counters."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "login"}}
    cache.clear()


def attempt(client, username: str = "planner", password: str = "wrong", address: str = "10.0.0.1"):
    return client.post("/login/", {"username": username, "password": password}, REMOTE_ADDR=address)


def message(response) -> str:
    return response.context["form"].non_field_errors()[0]


def test_the_right_password_leads_to_the_start_page(client, plant):
    response = attempt(client, password=PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/")


def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(client, plant):
    assert message(attempt(client)) == message(attempt(client, username="nobody"))
    assert "_auth_user_id" not in client.session


def test_five_failures_pause_even_the_right_password(client, plant):
    for _ in range(login.FAILURES_PER_NAME):
        attempt(client)
    assert message(attempt(client, password=PASSWORD)) == "Too many wrong passwords. Wait 5 minutes, then try again."
    assert "_auth_user_id" not in client.session


def test_the_pause_is_for_that_name_from_that_address_only(client, plant):
    for _ in range(login.FAILURES_PER_NAME):
        attempt(client)
    assert attempt(client, username="technician", password=PASSWORD).status_code == 302
    client.logout()
    assert attempt(client, password=PASSWORD, address="10.0.0.2").status_code == 302


def test_spelling_the_name_otherwise_does_not_escape_the_pause(client, plant):
    for name in ("planner", "PLANNER", " planner", "Planner", "planner "):
        attempt(client, username=name)
    assert "Too many" in message(attempt(client, password=PASSWORD))


def test_one_address_cannot_try_many_names(client, plant, monkeypatch):
    monkeypatch.setattr(login, "FAILURES_PER_ADDRESS", 3)
    for name in ("a", "b", "c"):
        attempt(client, username=name)
    assert "Too many" in message(attempt(client, password=PASSWORD))


def test_a_success_forgets_the_failures(client, plant):
    for _ in range(login.FAILURES_PER_NAME - 1):
        attempt(client)
    attempt(client, password=PASSWORD)
    client.logout()
    attempt(client)
    assert attempt(client, password=PASSWORD).status_code == 302


def test_a_made_up_forwarded_address_does_not_escape_the_pause(client, plant):
    for number in range(login.FAILURES_PER_NAME):
        client.post(
            "/login/", {"username": "planner", "password": "x"}, REMOTE_ADDR="10.0.0.1",
            HTTP_X_FORWARDED_FOR=f"1.2.3.{number}",
        )  # fmt: skip
    assert "Too many" in message(attempt(client, password=PASSWORD))


def test_behind_a_proxy_of_ours_the_address_is_what_the_proxy_saw(client, plant, settings):
    settings.TRUSTED_PROXIES = 1

    def forwarded(seen: str, password: str = "wrong"):
        fields = {"username": "planner", "password": password}
        return client.post("/login/", fields, REMOTE_ADDR="172.18.0.2", HTTP_X_FORWARDED_FOR=seen)

    for number in range(login.FAILURES_PER_NAME):
        forwarded(f"1.2.3.{number}, 10.0.0.1")  # the first entry is the caller's invention
    assert "Too many" in message(forwarded("10.0.0.1", PASSWORD))
    assert forwarded("10.0.0.9", PASSWORD).status_code == 302


def test_log_in_leads_to_where_one_wanted_to_go_but_not_out_of_the_house(client, plant):
    data = {"username": "planner", "password": PASSWORD}
    assert client.post("/login/", {**data, "next": "/search/?q=m1"})["Location"] == "/search/?q=m1"
    client.logout()
    assert client.post("/login/", {**data, "next": "https://evil.example/"})["Location"] == "/"


def test_logging_out_needs_a_post_and_ends_the_session(client, plant):
    attempt(client, password=PASSWORD)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/search/").status_code == 302


def test_a_new_password_counts_from_then_on(client, plant):
    attempt(client, password=PASSWORD)
    fields = {"old_password": PASSWORD, "new_password1": "horse staple 77", "new_password2": "horse staple 77"}
    assert client.post("/password/", fields)["Location"] == "/"
    client.logout()
    assert attempt(client, password=PASSWORD).status_code == 200
    assert attempt(client, password="horse staple 77").status_code == 302


def test_a_weak_or_mistyped_password_changes_nothing(client, plant):
    attempt(client, password=PASSWORD)
    for first, second in (("short", "short"), ("horse staple 77", "horse staple 78"), ("planner1234", "planner1234")):
        fields = {"old_password": PASSWORD, "new_password1": first, "new_password2": second}
        assert client.post("/password/", fields).status_code == 200
    plant.planner.refresh_from_db()
    assert plant.planner.check_password(PASSWORD)


def test_an_inactive_person_cannot_log_in(client, plant):
    plant.planner.is_active = False
    plant.planner.save()
    assert attempt(client, password=PASSWORD).status_code == 200
