"""Keyset pagination: page 1,000 costs what page 1 costs, and rows that arrive meanwhile shift nothing.

A page continues after the last row's (ordering value, id), which travels in an opaque signed cursor. Rows without
a value come last in both directions; they are a stretch of their own, so that every stretch is one index range.
There is no count.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core import signing
from django.db.models import BooleanField, F, Field, Func, Model, Q, QuerySet, Value
from rest_framework.pagination import BasePagination
from rest_framework.utils.urls import replace_query_param

from core.api.problems import BadParameter

SALT = "core.api.cursor"


class Row(Func):
    """A row constructor, so that (value, id) is compared as a whole."""

    template = "(%(expressions)s)"
    output_field = BooleanField()


def beyond(path: str, value, row_id, *, ascending: bool, field: Field) -> Func:
    """Whether (value, id) comes after a remembered pair (before it when descending): one index range."""
    return Func(
        Row(F(path), F("pk")),
        Row(Value(value, output_field=field), Value(row_id)),
        template="%(expressions)s",
        arg_joiner=" > " if ascending else " < ",
        output_field=BooleanField(),
    )


@dataclass(frozen=True)
class Ordering:
    """One way to sort a list: by a column, then by id in the same direction."""

    name: str  # as the caller writes it: "due_to" or "-due_to"
    path: str  # the look-up path of the column
    ascending: bool
    field: Field
    nullable: bool

    @classmethod
    def of(cls, model: type[Model], name: str, path: str) -> "Ordering":
        ascending = not name.startswith("-")
        nullable, at = False, model
        for step in path.split("__"):
            field = at._meta.pk if step == "pk" else at._meta.get_field(step)
            nullable = nullable or field.null
            at = field.related_model or at
        return cls(name, path, ascending, field, nullable)

    def stretches(self) -> list[Q]:
        """Rows with a value, then those without."""
        if not self.nullable:
            return [Q()]
        return [Q(**{f"{self.path}__isnull": False}), Q(**{f"{self.path}__isnull": True})]


class KeysetPagination(BasePagination):
    """Pages of primary keys; the view turns them into rows (`core.api.shapes`)."""

    page_size = 50
    most = 200

    def paginate_queryset(self, queryset: QuerySet, request, view=None) -> list:
        """The primary keys of the wanted page, in order."""
        self.request = request
        self.ordering = self.ordering_of(queryset.model, request, view)
        size = self.size_of(request)
        start, backwards = self.start_of(request)
        rows = self.rows_from(queryset, start, size + 1, backwards=backwards)
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        self.next = self.link(rows[-1], "after") if rows and (more or backwards) else None
        self.previous = self.link(rows[0], "before") if rows and (more if backwards else start) else None
        return [pk for pk, *_value in rows]

    def rows_from(self, queryset: QuerySet, start: tuple | None, wanted: int, *, backwards: bool) -> list[tuple]:
        """(id, value) of the rows after `start` (value, id), walking the stretches one after the other."""
        ordering = self.ordering
        ascending = ordering.ascending != backwards
        sign = "" if ascending else "-"
        stretches = list(enumerate(ordering.stretches()))
        if backwards:
            stretches.reverse()
        if start:
            here = 0 if start[0] is not None else len(stretches) - 1
            stretches = [(index, rows) for index, rows in stretches if (index <= here if backwards else index >= here)]
        found: list[tuple] = []
        for index, condition in stretches:
            rows = queryset.filter(condition)
            empty = ordering.nullable and index == 1
            if start and start[0] is not None and not empty:
                value, row_id = start
                rows = rows.filter(beyond(ordering.path, value, row_id, ascending=ascending, field=ordering.field))
            elif start and start[0] is None and empty:
                rows = rows.filter(**{"pk__gt" if ascending else "pk__lt": start[1]})
            by = [f"{sign}pk"] if empty or ordering.path in ("pk", "id") else [f"{sign}{ordering.path}", f"{sign}pk"]
            found += rows.order_by(*by).values_list("pk", ordering.path)[: wanted - len(found)]
            if len(found) == wanted:
                break
        return found

    def ordering_of(self, model: type[Model], request, view) -> Ordering:
        allowed = orderings_of(view)
        name = request.query_params.get("ordering") or getattr(view, "default_ordering", "-id")
        path = allowed.get(name.removeprefix("-"))
        if path is None:
            known = ", ".join(allowed)
            raise BadParameter("ordering", "unknown_ordering", f"Order by one of {known}, with - for descending.")
        return Ordering.of(model, name, path)

    def size_of(self, request) -> int:
        text = request.query_params.get("page_size")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= self.most):
            raise BadParameter("page_size", "page_size", f"page_size is a whole number from 1 to {self.most}.")
        return int(text)

    def start_of(self, request) -> tuple[tuple | None, bool]:
        """((value, id) to go on from, whether backwards), from the cursor."""
        text = request.query_params.get("cursor")
        if text is None:
            return None, False
        try:
            name, direction, value, row_id = signing.Signer(salt=SALT).unsign_object(text)
            if name != self.ordering.name:
                raise ValueError("cursor of another ordering")
            return (self.ordering.field.to_python(value), row_id), direction == "before"
        except (signing.BadSignature, ValueError, TypeError, LookupError):
            raise BadParameter(
                "cursor", "bad_cursor", "This cursor is not one of this list; start again without it."
            ) from None

    def link(self, row: tuple, direction: str) -> str:
        pk, value = row
        field = self.ordering.field
        kept = value if value is None or isinstance(value, (bool, int, float)) else str(field.get_prep_value(value))
        cursor = signing.Signer(salt=SALT).sign_object([self.ordering.name, direction, kept, pk])
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)

    def get_paginated_response_schema(self, schema: Mapping) -> dict:
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view) -> list[dict]:
        allowed = orderings_of(view)
        names = [sign + name for name in allowed for sign in ("", "-")]
        return [
            parameter("cursor", {"type": "string"}, "Where to go on; taken from next or previous."),
            parameter("page_size", {"type": "integer", "minimum": 1, "maximum": self.most, "default": self.page_size}),
            parameter(
                "ordering",
                {"type": "string", "enum": names, "default": getattr(view, "default_ordering", "-id")},
                "Rows without a value come last.",
            ),
        ]


def orderings_of(view) -> dict[str, str]:
    """The names by which a view's list may be ordered, and their columns."""
    declared = getattr(view, "orderings", ("id",))
    named = dict(declared) if isinstance(declared, Mapping) else {name: name for name in declared}
    return {"id": "id", **named}


def parameter(name: str, schema: dict, description: str = "") -> dict:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
