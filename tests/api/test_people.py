"""Sites, users, tokens and events over the REST API."""

from core.events import record
from core.models import Event, Site
from people import tokens
from people.models import Membership, Token, User
from people.roles import Role
from tests import plant as world
from tests.contracts.api import ApiContract, assert_problem, client_of, client_with


class TestSites(ApiContract):
    resource = "sites"
    change = {"name": "Renamed"}
    may_write = frozenset({"administrator"})
    caller = "planner"
    roles_see_all = False  # only the planner is at all four

    def rows(self, plant):
        others = [Site.objects.create(code=f"works-{number}", name=f"Works {number}") for number in range(3)]
        for site in others:
            Membership.objects.create(user=plant.planner, site=site, role=Role.PLANNER)
        return [plant.berlin, *others]

    def more(self, plant):
        site = Site.objects.create(code=f"new-{Site.objects.count()}", name="New")
        Membership.objects.create(user=plant.planner, site=site, role=Role.PLANNER)

    def foreign(self, plant):
        return plant.chicago


class TestUsers(ApiContract):
    resource = "users"
    filters = {"role": "planner"}
    search = "tech"
    create = {
        "code": "petra",
        "first_name": "Petra",
        "roles": [{"site": "berlin", "role": "technician"}],
        "hourly_rate": 44,
    }
    change = {"phone": "030 1234"}
    may_write = frozenset({"administrator"})

    def rows(self, plant):
        quiet = world.person("quiet", plant.berlin, "requester")
        return [quiet, plant.requester, plant.technician, plant.planner, plant.manager, plant.administrator]

    def more(self, plant):
        world.person(f"new{User.objects.count()}", plant.berlin, "technician")

    def foreign(self, plant):
        return plant.stranger


class TestTokens(ApiContract):
    resource = "tokens"
    filters = {"scope": "read"}
    roles_see_all = False

    def rows(self, plant):
        return [tokens.issue(plant.planner, by=None, scope=scope)[0] for scope in ("read", "write", "read")]

    def more(self, plant):
        tokens.issue(plant.planner, by=None)

    def foreign(self, plant):
        return tokens.issue(plant.stranger, by=None)[0]


class TestEvents(ApiContract):
    resource = "events"
    filters = {"verb": "site.praised", "object_type": "people.user"}

    def rows(self, plant):
        for number in range(3):
            record("site.praised", plant.berlin, by=plant.planner, site=plant.berlin, summary=f"Well done {number}")
        record("user.praised", plant.planner, by=None, site=plant.berlin, summary="Well done")
        return list(Event.objects.filter(site=plant.berlin))

    def more(self, plant):
        record("site.praised", plant.berlin, by=plant.planner, site=plant.berlin, summary="Again")

    def foreign(self, plant):
        return record("site.praised", plant.chicago, by=plant.stranger, site=plant.chicago, summary="Well done")


def test_a_user_is_answered_with_roles_and_without_password(plant):
    client = client_of(plant.planner)
    row = client.get("/api/v1/users/me/").json()
    site = {"id": plant.berlin.pk, "code": "berlin", "name": "Bottling Berlin"}
    assert row == {
        "id": plant.planner.pk,
        "code": "planner",
        "first_name": "Planner",
        "last_name": "",
        "email": "planner@example.com",
        "phone": "",
        "language": "",
        "is_active": True,
        "roles": [{"site": site, "role": "planner"}],
    }


def test_a_new_token_opens_the_door_and_its_secret_is_kept_nowhere(plant):
    client = client_of(plant.technician)
    answer = client.post("/api/v1/tokens/", {"name": "PLC", "scope": "write", "days": 30})
    assert answer.status_code == 201
    secret = answer.json()["token"]
    assert client_with(secret).get("/api/v1/sites/").status_code == 200
    token = Token.objects.get(pk=answer.json()["id"])
    assert (token.name, token.scope, (token.expires - token.created).days) == ("PLC", "write", 30)
    assert token.digest == Token.digest_of(secret)
    kept = [str(value) for row in (*Token.objects.values(), *Event.objects.values()) for value in row.values()]
    assert not any(secret in value for value in kept)


def test_a_replayed_token_request_does_not_keep_the_secret(plant):
    client = client_of(plant.technician)
    headers = {"Idempotency-Key": "one"}
    first = client.post("/api/v1/tokens/", {"name": "PLC"}, headers=headers).json()
    second = client.post("/api/v1/tokens/", {"name": "PLC"}, headers=headers).json()
    assert first["token"].startswith("tandem_")
    assert (second["id"], second["token"]) == (first["id"], None)


def test_a_revoked_token_is_refused_and_stays_in_the_list(plant):
    client = client_of(plant.technician)
    made = client.post("/api/v1/tokens/", {}).json()
    assert client.delete(f"/api/v1/tokens/{made['id']}/").status_code == 204
    answer = client_with(made["token"]).get("/api/v1/sites/")
    assert_problem(answer, 401, "bad_token")
    assert client.get(f"/api/v1/tokens/{made['id']}/").json()["revoked"] is not None


def test_an_administrator_revokes_a_colleagues_token_and_a_planner_does_not_see_it(plant):
    token, _secret = tokens.issue(plant.technician, by=None)
    assert_problem(client_of(plant.planner).delete(f"/api/v1/tokens/{token.pk}/"), 404)
    assert client_of(plant.administrator).delete(f"/api/v1/tokens/{token.pk}/").status_code == 204
    token.refresh_from_db()
    assert token.revoked is not None


def roles_of(user: User) -> set[tuple[str, str]]:
    return set(user.memberships.values_list("site__code", "role"))


def test_roles_at_other_sites_are_not_shown(plant):
    Membership.objects.create(user=plant.technician, site=plant.chicago, role="planner")
    seen = client_of(plant.planner).get(f"/api/v1/users/{plant.technician.pk}/").json()["roles"]
    assert [(role["site"]["code"], role["role"]) for role in seen] == [("berlin", "technician")]
    own = client_of(plant.technician).get("/api/v1/users/me/").json()["roles"]
    assert [(role["site"]["code"], role["role"]) for role in own] == [("berlin", "technician"), ("chicago", "planner")]


def test_an_administrator_gives_and_takes_roles_at_the_own_site_only(plant):
    Membership.objects.create(user=plant.technician, site=plant.chicago, role="manager")
    client = client_of(plant.administrator)
    address = f"/api/v1/users/{plant.technician.pk}/"
    answer = client.patch(address, {"roles": [{"site": "berlin", "role": "planner"}]})
    assert answer.status_code == 200, answer.content
    assert roles_of(plant.technician) == {("berlin", "planner"), ("chicago", "manager")}
    event = Event.objects.get(verb="user.roles_changed")
    assert (event.site, event.data) == (plant.berlin, {"roles": [["technician"], ["planner"]]})
    assert_problem(client.patch(address, {"roles": [{"site": "chicago", "role": "planner"}]}), 400, "invalid")
    assert roles_of(plant.technician) == {("berlin", "planner"), ("chicago", "manager")}


def test_the_last_administrator_of_a_site_stays(plant):
    client = client_of(plant.administrator)
    address = f"/api/v1/users/{plant.administrator.pk}/"
    assert_problem(client.patch(address, {"roles": [{"site": "berlin", "role": "planner"}]}), 422, "last_administrator")
    assert_problem(client.patch(address, {"is_active": False}), 422, "last_administrator")
    plant.administrator.refresh_from_db()
    assert plant.administrator.is_active
    assert roles_of(plant.administrator) == {("berlin", "administrator")}


def test_nobody_takes_over_a_person_who_also_works_elsewhere_or_a_superuser(plant):
    client = client_of(plant.administrator)
    Membership.objects.create(user=plant.technician, site=plant.chicago, role="manager")
    User.objects.filter(pk=plant.manager.pk).update(is_superuser=True)
    for user in (plant.technician, plant.manager):
        before = User.objects.filter(pk=user.pk).values().get()
        for change in ({"password": "correct battery horse"}, {"is_active": False}, {"code": "mine"}):
            assert_problem(client.patch(f"/api/v1/users/{user.pk}/", change), 403, "not_allowed")
        assert User.objects.filter(pk=user.pk).values().get() == before


def test_people_change_how_they_are_reached_and_nothing_else(plant):
    client = client_of(plant.technician)
    address = f"/api/v1/users/{plant.technician.pk}/"
    assert client.patch(address, {"phone": "112"}).json()["phone"] == "112"
    assert_problem(client.patch(address, {"hourly_rate": 99}), 403)
    assert_problem(client.patch(address, {"roles": [{"site": "berlin", "role": "administrator"}]}), 403)
    assert_problem(client.patch(f"/api/v1/users/{plant.manager.pk}/", {"phone": "1"}), 403)
    assert roles_of(plant.technician) == {("berlin", "technician")}


def test_a_new_person_gets_in_with_a_good_password_and_with_none_not_at_all(plant, client):
    admin = client_of(plant.administrator)
    new = {"code": "petra", "roles": [{"site": "berlin", "role": "technician"}]}
    assert_problem(admin.post("/api/v1/users/", {**new, "password": "12345"}), 422, "weak_password", "password")
    assert_problem(admin.post("/api/v1/users/", {**new, "code": "Planner"}), 422, "username_taken", "code")
    assert_problem(admin.post("/api/v1/users/", {**new, "roles": []}), 422, "roles_needed", "roles")
    assert not User.objects.filter(username="petra").exists()
    assert admin.post("/api/v1/users/", {**new, "password": "rain on the roof"}).status_code == 201
    assert client.login(username="petra", password="rain on the roof")
    assert admin.post("/api/v1/users/", {**new, "code": "plc"}).status_code == 201
    assert not User.objects.get(username="plc").has_usable_password()


def test_only_a_superuser_opens_a_site_and_administers_it_from_then_on(plant):
    new = {"code": "lyon", "name": "Lyon", "time_zone": "Europe/Paris", "day_start": "05:00"}
    assert_problem(client_of(plant.administrator).post("/api/v1/sites/", new), 403, "not_allowed")
    User.objects.filter(pk=plant.manager.pk).update(is_superuser=True)
    answer = client_of(User.objects.get(username="manager")).post("/api/v1/sites/", new)
    assert (answer.status_code, answer.json()["day_start"]) == (201, "05:00:00")
    assert roles_of(plant.manager) == {("berlin", "manager"), ("lyon", "administrator")}


def test_a_site_with_a_wrong_clock_is_refused_at_the_field(plant):
    client = client_of(plant.administrator)
    answer = client.patch(f"/api/v1/sites/{plant.berlin.pk}/", {"time_zone": "Europe/Atlantis"})
    assert_problem(answer, 400, "invalid", "time_zone")
    plant.berlin.refresh_from_db()
    assert plant.berlin.time_zone == "Europe/Berlin"


def test_a_user_without_any_site_sees_nothing_but_himself(plant):
    client = client_of(User.objects.create_user("newcomer"))
    assert client.get("/api/v1/users/me/").json()["roles"] == []
    assert [row["code"] for row in client.get("/api/v1/users/").json()["results"]] == ["newcomer"]
    for resource in ("sites", "assets", "downtimes", "work-orders", "events"):
        assert client.get(f"/api/v1/{resource}/").json()["results"] == []
