"""Sites, users, tokens and events over the REST API."""

from core.events import record
from core.models import Event, Site
from people import tokens
from people.models import Membership, Token
from people.roles import Role
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
    filters = {"role": "planner", "search": "tech"}

    def rows(self, plant):
        return [plant.requester, plant.technician, plant.planner, plant.manager, plant.administrator]

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
