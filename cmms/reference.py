"""What describes the REST API: the OpenAPI schema for programs, and a page drawn from it for people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views import View
from drf_spectacular.generators import SchemaGenerator

from core.api.schema import REFERENCE_INPUT
from core.kit.badges import Action
from core.kit.views import Page

PREFIX = "/api/v1/"


@dataclass(frozen=True)
class Field:
    """One field of a body or one parameter of an address."""

    name: str
    type: str
    required: bool
    text: str


@dataclass(frozen=True)
class Operation:
    """One method at one address."""

    method: str
    path: str
    text: str
    parameters: list[Field]
    sent: list[Field]
    answered: list[Field]

    @property
    def anchor(self) -> str:
        return f"{self.method} {self.path}".lower().translate(str.maketrans(" /{}", "----")).strip("-")


@dataclass(frozen=True)
class Group:
    """A resource with its operations."""

    name: str
    operations: list[Operation]


class Reference(Page):
    """Every address of the REST API, what it takes and what it answers."""

    template_name = "cmms/api.html"
    title = gettext_lazy("REST API")

    def get(self, request):
        return self.draw(groups=groups(schema()), prefix=PREFIX)

    def actions(self) -> list[Action]:
        return [Action(_("OpenAPI schema"), url=reverse("api-schema"), icon="file-code")]


@method_decorator(login_not_required, name="dispatch")
class Schema(View):
    """The OpenAPI schema; open to everybody, as the source is."""

    def get(self, request):
        return JsonResponse(schema())


@cache
def schema() -> dict:
    """The OpenAPI schema, in English; worked out once per process."""
    with override("en"):
        return SchemaGenerator().get_schema(request=None, public=True)


def groups(schema: dict) -> list[Group]:
    """The schema, by resource."""
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(operation_of(schema, method, path, operation))
    return [Group(name, operations) for name, operations in sorted(found.items())]


def operation_of(schema: dict, method: str, path: str, operation: dict) -> Operation:
    success = next(answer for status, answer in sorted(operation["responses"].items()) if status[0] == "2")
    return Operation(
        method=method.upper(),
        path=path.removeprefix(PREFIX),
        text=operation.get("description", ""),
        parameters=[
            Field(row["name"], type_of(schema, row["schema"]), row.get("required", False), row.get("description", ""))
            for row in operation.get("parameters", [])
            if row["in"] == "query"
        ],
        sent=list(fields_of(schema, body_of(operation.get("requestBody", {})))),
        answered=list(fields_of(schema, body_of(success))),
    )


def body_of(part: dict) -> dict:
    """The schema of a JSON body; empty when there is none."""
    return part.get("content", {}).get("application/json", {}).get("schema", {})


def resolved(schema: dict, node: dict) -> dict:
    """The node itself, behind its references."""
    if len(node.get("allOf", ())) == 1:
        node = {**node["allOf"][0], **{key: value for key, value in node.items() if key != "allOf"}}
    if "$ref" in node:
        target = schema["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]]
        node = {**resolved(schema, target), **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def fields_of(schema: dict, node: dict, prefix: str = "") -> Iterator[Field]:
    """The fields of an object, nested ones with dots; of a page or a list those of its rows."""
    node = resolved(schema, node)
    if node.get("type") == "array":
        yield from fields_of(schema, node["items"], prefix)
        return
    rows = node.get("properties", {}).get("results")
    if rows and not prefix and "next" in node["properties"]:
        yield from fields_of(schema, rows)
        return
    for name, inner in node.get("properties", {}).items():
        required = name in node.get("required", ())
        inner = resolved(schema, inner)
        text = inner.get("title", "") if "enum" in inner else inner.get("description") or inner.get("title", "")
        yield Field(prefix + name, type_of(schema, inner), required, text)
        child = resolved(schema, inner["items"]) if inner.get("type") == "array" else inner
        if "properties" in child and not is_reference(child):
            yield from fields_of(schema, child, f"{prefix}{name}.")


def is_reference(node: dict) -> bool:
    return {"id", "code", "name"} >= set(node.get("properties", ())) > {"id"} or node.get("oneOf") == REFERENCE_INPUT[
        "oneOf"
    ]


def type_of(schema: dict, node: dict) -> str:
    """The type in words."""
    node = resolved(schema, node)
    if is_reference(node):
        return _("reference")
    if "enum" in node:
        return " · ".join(json.dumps(value).strip('"') for value in node["enum"] if value not in ("", None))
    if "oneOf" in node or "anyOf" in node:
        choices = [type_of(schema, choice) for choice in node.get("oneOf") or node["anyOf"]]
        return " · ".join(dict.fromkeys(choice for choice in choices if choice))
    kind = node.get("type", "")
    kinds = [kind] if isinstance(kind, str) else [each for each in kind if each != "null"]
    words = {
        "string": _("text"), "integer": _("whole number"), "number": _("number"), "boolean": _("true or false"),
        "object": _("object"), "date-time": _("moment"), "date": _("date"), "time": _("time of day"),
    }  # fmt: skip
    if kinds == ["array"]:
        return _("list of %(type)s") % {"type": type_of(schema, node["items"])}
    return " · ".join(words.get(node.get("format", ""), words.get(each, each)) for each in kinds) or _("any")
