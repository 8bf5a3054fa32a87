"""What every resource of the REST API keeps to. A resource gets these tests for a few lines:

    class TestAssets(ApiContract):
        resource = "assets"
        filters = {"criticality": "A"}           # each keeps some rows and drops others
        create = {"code": "M9", "name": "New", "site": "berlin"}
        change = {"name": "Renamed"}
        may_write = {"planner", "administrator"}

        def rows(self, plant):                   # four rows or more that Berlin sees
            return [plant.line, plant.filler, plant.labeller, plant.palletiser]

        def foreign(self, plant):                # a row that only Chicago sees
            return plant.foreign

`tests/api/test_router.py` insists that every resource of the router has a contract.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cmms.api import router
from core.api.pagination import orderings_of
from people import tokens
from people.roles import Role

ROLES = [role.value for role in Role]
PROBLEM_KEYS = {"type", "title", "status", "code", "detail", "errors"}


def client_of(user=None, *, scope: str = "write") -> APIClient:
    """An API client with a token of the user; without a user, an anonymous one."""
    return client_with(tokens.issue(user, by=None, scope=scope)[1]) if user else APIClient()


def client_with(secret: str) -> APIClient:
    """An API client with this token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def assert_problem(response, status: int, code: str | None = None, field: str | None = None) -> dict:
    """The answer is this problem, in the shape of RFC 9457; its body is returned."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body.keys() == PROBLEM_KEYS
    assert body["status"] == status
    if code is not None:
        assert body["code"] == code, body
    if field is not None:
        assert field in [error["field"] for error in body["errors"]], body
    return body


def walk(client: APIClient, address: str, *, between=None) -> list[dict]:
    """All rows from the first page to the last; `between()` runs after each page."""
    rows = []
    while address:
        page = client.get(address)
        assert page.status_code == 200, page.content
        rows += page.json()["results"]
        address = page.json()["next"]
        if between:
            between()
    return rows


@pytest.mark.django_db
class ApiContract:
    resource: str
    caller = "planner"  # who reads in these tests
    filters: dict[str, object] = {}
    search: str | None = None  # a text that finds some of the rows and no foreign one
    create: dict | None = None
    change: dict | None = None
    may_write: frozenset[str] | set[str] = frozenset()
    roles_see_all = True  # every role at the site sees the same rows
    shared = False  # all sites share the rows, so that there are no foreign ones

    def rows(self, plant) -> list:
        raise NotImplementedError

    def foreign(self, plant):
        raise NotImplementedError

    def more(self, plant) -> None:
        """Add one more row that Berlin sees, if rows can be made while somebody walks the pages."""

    # --- Helpers

    @property
    def address(self) -> str:
        return f"/api/v1/{self.resource}/"

    @property
    def view(self):
        return next(view for prefix, view, _name in router.registry if prefix == self.resource)

    def of(self, row) -> str:
        return f"{self.address}{row.pk}/"

    @pytest.fixture
    def reader(self, plant) -> APIClient:
        return client_of(getattr(plant, self.caller))

    @pytest.fixture
    def writer(self, plant) -> APIClient:
        return client_of(getattr(plant, min(self.may_write)))

    def created(self, client: APIClient, plant, **headers):
        return client.post(self.address, self.new(plant), headers=headers)

    def new(self, plant) -> dict:
        """What is sent to create a row; override where it needs ids."""
        return dict(self.create)

    # --- Who may read

    def test_strangers_to_the_house_are_turned_away(self, plant):
        row = self.rows(plant)[0]
        for answer in (client_of().get(self.address), client_of().get(self.of(row)), client_of().post(self.address)):
            assert_problem(answer, 401, "not_authenticated")
            assert answer["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("role", ROLES)
    def test_every_role_at_the_site_sees_its_rows_and_no_others(self, plant, role):
        rows = self.rows(plant)
        client = client_of(getattr(plant, role))
        seen = {row["id"] for row in walk(client, self.address)}
        if not self.shared:
            foreign = self.foreign(plant)
            assert foreign.pk not in seen
            assert_problem(client.get(self.of(foreign)), 404, "not_found")
        if self.roles_see_all:
            assert {row.pk for row in rows} <= seen

    def test_a_row_of_another_site_cannot_be_changed_and_does_not_exist(self, plant):
        if self.shared:
            return
        foreign = self.foreign(plant)
        client = client_of(plant.administrator)
        detail = next(route for route in router.routes if route.detail and not route.name.endswith("{url_name}"))
        for method in router.get_method_map(self.view, detail.mapping):
            if method != "get":
                assert_problem(getattr(client, method)(self.of(foreign), {}), 404, "not_found")
        for verb in self.view.get_extra_actions():
            if verb.detail:
                for method in verb.mapping:
                    answer = getattr(client, method)(f"{self.of(foreign)}{verb.url_path}/", {})
                    assert_problem(answer, 404, "not_found")

    # --- Lists

    def test_a_list_row_is_the_detail(self, plant, reader):
        self.rows(plant)
        without = set(self.view.list_without)
        for row in reader.get(self.address).json()["results"]:
            detail = reader.get(f"{self.address}{row['id']}/").json()
            assert row == {name: value for name, value in detail.items() if name not in without}

    def test_pages_show_each_row_once_in_every_ordering_and_both_ways(self, plant, reader):
        self.rows(plant)
        everything = {row["id"] for row in walk(reader, self.address)}
        assert len(everything) >= 4
        for name in orderings_of(self.view):
            one_way = [row["id"] for row in walk(reader, f"{self.address}?page_size=1&ordering={name}")]
            assert sorted(one_way) == sorted(everything), name
            other_way = [row["id"] for row in walk(reader, f"{self.address}?page_size=3&ordering=-{name}")]
            assert sorted(other_way) == sorted(everything), name

    def test_the_way_back_shows_the_same_pages(self, plant, reader):
        self.rows(plant)
        for name in orderings_of(self.view):
            first = reader.get(f"{self.address}?page_size=2&ordering={name}").json()
            second = reader.get(first["next"]).json()
            back = reader.get(second["previous"]).json()
            assert back["results"] == first["results"], name
            assert back["previous"] is None, name

    def test_rows_that_arrive_meanwhile_double_and_hide_none(self, plant, reader):
        self.rows(plant)
        before = [row["id"] for row in walk(reader, self.address)]
        seen = [row["id"] for row in walk(reader, f"{self.address}?page_size=2", between=lambda: self.once_more(plant))]
        assert len(seen) == len(set(seen))
        assert set(before) <= set(seen)

    def once_more(self, plant) -> None:
        if getattr(self, "_added", 0) < 3:
            self._added = getattr(self, "_added", 0) + 1
            self.more(plant)

    def test_a_page_costs_the_same_for_few_and_for_many_rows(self, plant, reader):
        self.rows(plant)
        reader.get(self.address)
        costs = []
        for size in (1, 4):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert reader.get(f"{self.address}?page_size={size}").status_code == 200
            costs.append(len(queries))
        assert costs[0] == costs[1]
        assert costs[0] <= 5, [query["sql"] for query in queries]

    def test_each_filter_narrows(self, plant, reader):
        self.rows(plant)
        everything = len(walk(reader, self.address))
        wanted = {**self.filters, **({"search": self.search} if self.search else {})}
        for name, value in wanted.items():
            kept = walk(reader, f"{self.address}?{name}={value}")
            assert 0 < len(kept) < everything, name

    def test_search_finds_nothing_of_other_sites(self, plant, reader):
        self.rows(plant)
        if self.search and not self.shared:
            foreign = self.foreign(plant)
            assert foreign.pk not in {row["id"] for row in walk(reader, f"{self.address}?search={self.search}")}

    def test_a_filter_set_without_parameters_changes_nothing(self, plant):
        self.rows(plant)
        if self.view.filterset_class:
            everything = self.view.model.objects.all()
            narrowed = self.view.filterset_class({}, queryset=everything).qs
            assert set(narrowed.values_list("pk", flat=True)) == set(everything.values_list("pk", flat=True))

    @pytest.mark.parametrize(
        ("query", "code", "field"),
        [
            ("colour=red", "unknown_parameter", "colour"),
            ("ordering=colour", "unknown_ordering", "ordering"),
            ("page_size=0", "page_size", "page_size"),
            ("page_size=201", "page_size", "page_size"),
            ("page_size=x", "page_size", "page_size"),
            ("cursor=x", "bad_cursor", "cursor"),
        ],
    )
    def test_a_bad_parameter_is_named(self, plant, reader, query, code, field):
        assert_problem(reader.get(f"{self.address}?{query}"), 400, code, field)

    # --- Rows

    def test_a_row_that_the_caller_has_already_is_not_sent_again(self, plant, reader):
        address = self.of(self.rows(plant)[0])
        etag = reader.get(address)["ETag"]
        again = reader.get(address, headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)

    def test_a_change_of_a_row_that_somebody_else_changed_is_refused(self, plant):
        if not self.change:
            return
        writer = client_of(getattr(plant, min(self.may_write)))
        address = self.of(self.rows(plant)[0])
        etag = writer.get(address)["ETag"]
        first = writer.patch(address, self.change, headers={"If-Match": etag})
        assert first.status_code == 200, first.content
        assert first["ETag"] not in ("", etag)
        assert first["ETag"] == writer.get(address)["ETag"]
        assert_problem(writer.patch(address, self.change, headers={"If-Match": etag}), 412, "changed_meanwhile")
        assert writer.get(address)["ETag"] == first["ETag"]

    # --- Writing

    def test_a_token_that_may_only_read_changes_nothing(self, plant):
        row = self.rows(plant)[0]
        client = client_of(plant.administrator, scope="read")
        assert client.get(self.of(row)).status_code in (200, 404)
        before = self.view.model.objects.count()
        assert_problem(client.post(self.address, self.create or {}), 403, "read_only_token")
        assert_problem(client.patch(self.of(row), self.change or {}), 403, "read_only_token")
        assert_problem(client.delete(self.of(row)), 403, "read_only_token")
        assert self.view.model.objects.count() == before

    @pytest.mark.parametrize("role", ROLES)
    def test_only_those_who_may_create_do(self, plant, role):
        if self.create is None:
            return
        before = self.view.model.objects.count()
        answer = self.created(client_of(getattr(plant, role)), plant)
        if role in self.may_write:
            assert answer.status_code == 201, answer.content
            assert answer["Location"].endswith(f"/{self.resource}/{answer.json()['id']}/")
            detail = client_of(getattr(plant, role)).get(answer["Location"])
            assert (detail.json(), detail["ETag"]) == (answer.json(), answer["ETag"])
        else:
            assert_problem(answer, 403)
            assert self.view.model.objects.count() == before

    @pytest.mark.parametrize("role", ROLES)
    def test_only_those_who_may_change_do(self, plant, role):
        if not self.change:
            return
        address = self.of(self.rows(plant)[0])
        client = client_of(getattr(plant, role))
        before = client.get(address).content
        answer = client.patch(address, self.change)
        if role in self.may_write:
            assert answer.status_code == 200, answer.content
            assert answer.content == client.get(address).content != before
        else:
            assert_problem(answer, 403)
            assert client.get(address).content == before

    def test_the_same_request_sent_twice_is_done_once(self, plant):
        if self.create is None:
            return
        writer = client_of(getattr(plant, min(self.may_write)))
        headers = {"Idempotency-Key": "order 66"}
        first = writer.post(self.address, self.new(plant), headers=headers)
        assert first.status_code == 201, first.content
        assert "Idempotency-Replayed" not in first
        count = self.view.model.objects.count()
        second = writer.post(self.address, self.new(plant), headers=headers)
        assert (second.status_code, second.content) == (201, first.content)
        assert second["Idempotency-Replayed"] == "true"
        assert (second["ETag"], second["Location"]) == (first["ETag"], first["Location"])
        other = writer.post(self.address, {**self.new(plant), "surprise": 1}, headers=headers)
        assert_problem(other, 422, "idempotency_key_reused")
        assert self.view.model.objects.count() == count

    def test_an_unknown_field_is_refused_by_name(self, plant):
        if self.create is None:
            return
        writer = client_of(getattr(plant, min(self.may_write)))
        before = self.view.model.objects.count()
        assert_problem(writer.post(self.address, {**self.new(plant), "colour": "red"}), 400, "invalid", "colour")
        assert self.view.model.objects.count() == before
