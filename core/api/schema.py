"""What the OpenAPI schema says beyond drf-spectacular: references, computed fields, manners and problems."""

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import ResolvedComponent

REFERENCE_INPUT = {
    "oneOf": [
        {"type": "integer", "minimum": 1, "description": "its id"},
        {"type": "string", "description": "its code"},
        {
            "type": "object",
            "required": ["code"],
            "properties": {
                "code": {"type": "string"},
                "site": {"type": "string", "description": "code of the site, where several sites use the code"},
            },
        },
        {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}}},
    ]
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For machines; stays stable."},
        "detail": {"type": "string", "description": "For people."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": ["string", "null"], "description": "Path into what was sent, with dots."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    "description": "The same request with the same key is done once and answered alike; kept for seven days.",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag that was read: 412 when somebody changed the row since.",
}


class ReferenceSchema(OpenApiSerializerFieldExtension):
    target_class = "core.api.fields.Reference"
    match_subclasses = True

    def map_serializer_field(self, auto_schema, direction):
        return REFERENCE_INPUT if direction == "request" else self._answer(auto_schema)

    def _answer(self, auto_schema) -> dict:
        """The component {id, code, name}; references without a code or a name have a component of their own."""
        names = list(self.target.parts)
        component = ResolvedComponent(
            name="Reference" + "".join(name.capitalize() for name in names if names != ["id", "code", "name"]),
            type=ResolvedComponent.SCHEMA,
            object="".join(names),
            schema={
                "type": "object",
                "required": names,
                "properties": {name: {"type": "integer" if name == "id" else "string"} for name in names},
            },
        )
        auto_schema.registry.register_on_missing(component)
        return component.ref


class ComputedSchema(OpenApiSerializerFieldExtension):
    target_class = "core.api.fields.Computed"

    def map_serializer_field(self, auto_schema, direction):
        return auto_schema._map_serializer_field(self.target.shape, direction)


def add_manners(result: dict, generator, request, public) -> dict:
    """Post-processing hook: headers of the manners, ETags of rows, and problem+json for every error."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    problem = {"$ref": "#/components/schemas/Problem"}
    components.setdefault("responses", {})["Problem"] = {
        "description": "What went wrong, as problem+json (RFC 9457).",
        "content": {"application/problem+json": {"schema": problem}},
    }
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            of_row = "{id}" in path
            parameters = operation.setdefault("parameters", [])
            if method == "post":
                parameters.append(KEY)
            if of_row and method in ("post", "patch", "put", "delete"):
                parameters.append(IF_MATCH)
            for status, response in operation["responses"].items():
                if of_row and status in ("200", "201"):
                    response.setdefault("headers", {})["ETag"] = {"schema": {"type": "string"}}
            operation["responses"]["4XX"] = {"$ref": "#/components/responses/Problem"}
    return result
