"""Pages of people and sites: who sees whom, who gives which role where."""

from datetime import timedelta

import pytest
from django.conf import settings as project

from core.models import Event, Site
from people.models import Membership, User
from tests import plant as world

GOOD = "tall trees in november"


@pytest.fixture
def enter(client, plant):
    """`enter("planner")` logs somebody in and answers the client."""

    def log_in(who: str):
        client.force_login(getattr(plant, who))
        return client

    return log_in


@pytest.fixture
def both(plant) -> User:
    """A planner in Berlin who is also a technician in Chicago."""
    person = world.person("both", plant.berlin, "planner")
    Membership.objects.create(user=person, site=plant.chicago, role="technician")
    return person


def typed(plant, **more) -> dict:
    return {
        "username": "nadia",
        "first_name": "Nadia",
        "password": GOOD,
        f"roles_{plant.berlin.pk}": ["technician"],
        **more,
    }


def test_pages_of_people_are_for_administrators(enter, plant):
    for who in ("requester", "technician", "planner", "manager"):
        for address in ("/people/", "/people/new/", "/settings/sites/", f"/settings/sites/{plant.berlin.pk}/"):
            assert enter(who).get(address).status_code == 403, (who, address)
    client = enter("administrator")
    key = plant.technician.pk
    for address in (
        "/people/", "/people/new/", f"/people/{key}/", f"/people/{key}/edit/", f"/people/{key}/password/",
        f"/people/{key}/close/", "/profile/", "/settings/sites/", f"/settings/sites/{plant.berlin.pk}/",
    ):  # fmt: skip
        assert client.get(address).status_code == 200, address
    assert client.get("/settings/sites/new/").status_code == 403, "only a superuser opens a site"


def test_the_list_shows_the_people_of_the_chosen_site_with_their_roles_there(enter, plant, both):
    table = enter("administrator").get("/people/").context["table"]
    assert {user.username for user in table.rows} == {
        "requester", "technician", "planner", "manager", "administrator", "both",
    }  # fmt: skip
    roles = {user.username: [membership.role for membership in user.roles_here] for user in table.rows}
    assert roles["both"] == ["planner"], "not what the person is in Chicago"
    managers = enter("administrator").get("/people/?role=manager").context["table"].rows
    assert [user.username for user in managers] == ["manager"]
    technicians = enter("administrator").get("/people/?role=technician").context["table"].rows
    assert [user.username for user in technicians] == ["technician"], "a role elsewhere is not told"
    assert [user.username for user in enter("stranger").get("/people/").context["table"].rows] == ["both", "stranger"]


def test_the_list_costs_a_constant_number_of_queries(enter, plant, django_assert_max_num_queries):
    for number in range(15):
        world.person(f"p{number}", plant.berlin, "technician")
    client = enter("administrator")
    with django_assert_max_num_queries(8):
        client.get("/people/")


def test_colleagues_see_each_other_and_nobody_of_another_site(enter, plant):
    assert enter("requester").get(f"/people/{plant.planner.pk}/").status_code == 200
    assert b"Account and roles" not in enter("requester").get(f"/people/{plant.planner.pk}/").content
    client = enter("stranger")
    for part in ("", "edit/", "password/", "close/", "open/"):
        address = f"/people/{plant.technician.pk}/{part}"
        assert client.get(address).status_code == 404
        assert client.post(address, {"password": GOOD}).status_code in (404, 405)
    assert client.get(f"/settings/sites/{plant.berlin.pk}/").status_code == 404
    plant.technician.refresh_from_db()
    assert plant.technician.is_active
    assert plant.technician.check_password(world.PASSWORD)


def test_a_person_is_added_with_roles_and_logs_in(enter, plant, client):
    enter("administrator").post("/people/new/", typed(plant))
    nadia = User.objects.get(username="nadia")
    assert list(nadia.memberships.values_list("site__code", "role")) == [("berlin", "technician")]
    client.logout()
    assert client.post("/login/", {"username": "nadia", "password": GOOD}).status_code == 302
    assert GOOD not in str(list(Event.objects.values()))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"username": "PLANNER"}, None), ({"password": "short"}, "password"), ({"username": ""}, "username")],
)
def test_what_is_typed_wrongly_about_a_person_is_refused(enter, plant, wrong, field):
    before = User.objects.count()
    response = enter("administrator").post("/people/new/", typed(plant, **wrong))
    assert response.status_code == 422
    assert response.context["form"].errors.get(field) or response.context["form"].errors
    assert User.objects.count() == before


def test_a_person_without_a_role_is_refused(enter, plant):
    response = enter("administrator").post("/people/new/", typed(plant, **{f"roles_{plant.berlin.pk}": []}))
    assert response.status_code == 422
    assert not User.objects.filter(username="nadia").exists()


def test_an_administrator_grants_nothing_at_another_site(enter, plant, both):
    client = enter("administrator")
    page = client.get(f"/people/{both.pk}/edit/")
    assert [site.code for site in page.context["form"].role_sites] == ["berlin"]
    assert "username" not in page.context["form"].fields, "the person belongs to Chicago as well"
    client.post(
        f"/people/{both.pk}/edit/",
        {f"roles_{plant.berlin.pk}": ["manager"], f"roles_{plant.chicago.pk}": ["administrator"], "username": "hacked"},
    )
    both.refresh_from_db()
    assert both.username == "both"
    assert set(both.memberships.values_list("site__code", "role")) == {("berlin", "manager"), ("chicago", "technician")}
    for part in ("password/", "close/"):
        assert client.post(f"/people/{both.pk}/{part}", {"password": GOOD}).status_code == 403
    both.refresh_from_db()
    assert both.is_active
    assert both.check_password(world.PASSWORD)


def test_the_last_administrator_stays(enter, plant):
    key = plant.administrator.pk
    data = {"username": "administrator", f"roles_{plant.berlin.pk}": ["planner"]}
    response = enter("administrator").post(f"/people/{key}/edit/", data)
    assert response.status_code == 422
    assert plant.administrator.memberships.get().role == "administrator"
    assert not Event.objects.filter(verb="user.roles_changed").exists()


def test_an_account_is_closed_and_opened_again(enter, plant, client):
    admin = enter("administrator")
    admin.post(f"/people/{plant.technician.pk}/close/")
    assert not User.objects.get(pk=plant.technician.pk).is_active
    assert admin.post(f"/people/{plant.administrator.pk}/close/").status_code == 403, "not one's own"
    assert b"Closed" in admin.get("/people/?is_active=false").content
    client.logout()
    refused = client.post("/login/", {"username": "technician", "password": world.PASSWORD})
    assert refused.status_code == 200
    enter("administrator").post(f"/people/{plant.technician.pk}/open/")
    assert User.objects.get(pk=plant.technician.pk).is_active


def test_people_change_their_own_profile_and_language(enter, plant):
    client = enter("technician")
    response = client.post(
        "/profile/",
        {"first_name": "Tariq", "phone": "0151 1", "language": "de", "hourly_rate": "900", "username": "boss"},
    )
    plant.technician.refresh_from_db()
    assert (plant.technician.first_name, plant.technician.phone, plant.technician.language) == ("Tariq", "0151 1", "de")
    assert (plant.technician.username, plant.technician.hourly_rate) == ("technician", 40)
    assert response.cookies[project.LANGUAGE_COOKIE_NAME].value == "de"


def test_a_chosen_language_comes_along_with_the_log_in(plant, client):
    User.objects.filter(username="planner").update(language="de")
    response = client.post("/login/", {"username": "planner", "password": world.PASSWORD})
    assert response.cookies[project.LANGUAGE_COOKIE_NAME].value == "de"


def test_an_administrator_changes_the_site(enter, plant):
    client = enter("administrator")
    address = f"/settings/sites/{plant.berlin.pk}/"
    form = {"code": "berlin", "name": "Brewery Berlin", "time_zone": "Europe/Berlin", "currency": "EUR",
            "day_start": "06:00", "overrun_is_unplanned": "on", "failure_merge_gap": "10",
            "oee_profile": "short_stops_in_performance", "coverage_threshold": "0.9"}  # fmt: skip
    assert client.post(address, form).status_code == 302
    plant.berlin.refresh_from_db()
    assert (plant.berlin.name, plant.berlin.day_start.hour, plant.berlin.coverage_threshold) == (
        "Brewery Berlin",
        6,
        0.9,
    )
    assert (plant.berlin.merge_gap, plant.berlin.oee_profile) == (timedelta(minutes=10), "short_stops_in_performance")
    for wrong in (
        {"currency": "euro"}, {"time_zone": "Mars/Base"}, {"coverage_threshold": "2"}, {"failure_merge_gap": "-1"},
        {"failure_merge_gap": "1441"}, {"failure_merge_gap": ""}, {"oee_profile": "vdi"}, {"oee_profile": ""},
    ):  # fmt: skip
        assert client.post(address, {**form, **wrong}).status_code == 422, wrong
    assert Site.objects.get(pk=plant.berlin.pk).currency == "EUR"


def test_a_superuser_opens_a_site_and_becomes_its_administrator(enter, plant):
    User.objects.filter(pk=plant.administrator.pk).update(is_superuser=True)
    client = enter("administrator")
    form = {"code": "leipzig", "name": "Leipzig", "time_zone": "Europe/Berlin", "currency": "EUR", "day_start": "00:00",
            "failure_merge_gap": "0", "oee_profile": "recorded", "coverage_threshold": "0.8"}  # fmt: skip
    client.post("/settings/sites/new/", form)
    assert Membership.objects.get(site__code="leipzig").user == plant.administrator


def test_the_site_switcher_goes_over_to_the_chosen_site(enter, plant):
    Membership.objects.create(user=plant.planner, site=plant.chicago, role="planner")
    client = enter("planner")
    for code in ("chicago", "berlin"):
        assert client.get(f"/assets/?site={code}").context["frame"].site.code == code
        assert client.get("/assets/").context["frame"].site.code == code, "and stays there"
    assert enter("technician").get("/assets/?site=chicago").context["frame"].site == plant.berlin
