"""Every resource of the router keeps to the contract, and the schema tells the truth."""

import importlib
from pathlib import Path

from django.core.management import call_command

from cmms import reference
from cmms.api import router
from core.api.resource import Door, Resource, parameters_of
from core.api.shapes import shape_of
from tests.contracts.api import ApiContract

TESTS = Path(__file__).resolve().parents[1]
WITHOUT_CONTRACT: dict[str, str] = {}  # resource → why it has none


def contracts() -> set[str]:
    """The resources that a test anywhere in the tree holds to the contract."""
    for path in TESTS.rglob("test_*.py"):
        if "ApiContract" in path.read_text():
            importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))
    return {kind.resource for kind in ApiContract.__subclasses__()}


def test_every_resource_has_a_contract_or_says_why_not():
    missing = {prefix for prefix, _view, _name in router.registry} - contracts() - set(WITHOUT_CONTRACT)
    assert missing == set()


def test_every_view_has_the_manners():
    for prefix, view, _name in router.registry:
        assert issubclass(view, Door), prefix
        assert view.__doc__, prefix


def test_every_shape_compiles():
    for _prefix, view, _name in router.registry:
        if issubclass(view, Resource):
            assert shape_of(view.serializer_class)._compile()[0].startswith("SELECT")
            parameters_of(view.filterset_class)


def test_the_schema_is_valid_and_without_warnings(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_the_schema_is_open_to_everybody_and_the_page_is_not(client, db):
    answer = client.get("/api/schema/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["openapi"] == "3.1.0"
    page = client.get("/api/docs/")
    assert (page.status_code, page["Location"]) == (302, "/login/?next=/api/docs/")


def test_the_page_of_the_api_shows_each_operation_of_the_schema(plant, client):
    client.force_login(plant.planner)
    page = client.get("/api/docs/").content.decode()
    for group in reference.groups(reference.schema()):
        for operation in group.operations:
            assert f'id="{operation.anchor}"' in page


def test_the_schema_names_the_manners_of_a_write():
    operations = reference.schema()["paths"]["/api/v1/assets/{id}/placement/"]["post"]
    assert {row["name"] for row in operations["parameters"]} == {"id", "Idempotency-Key", "If-Match"}
    assert "ETag" in operations["responses"]["200"]["headers"]
    assert operations["responses"]["4XX"] == {"$ref": "#/components/responses/Problem"}
