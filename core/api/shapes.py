"""What the API answers: one JSON text per row, built by PostgreSQL from the fields of a serializer.

Lists, details and the answers of writes all come from `Shape.texts(ids)`, so that they cannot differ. A list of
50 rows costs one statement and no Python per field. The statement is compiled once per process.
"""

from collections.abc import Iterable
from functools import cache

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, models
from django.db.models import Case, Expression, F, Func, OuterRef, Subquery, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from rest_framework import serializers
from rest_framework.relations import ManyRelatedField

from core.api.fields import Computed, Expressed, Minutes, Reference

_IDS = "the ids go here"  # placeholders among the compiled statement's parameters
_CALLERS_SITES = "the ids of the caller's sites go here"
_MOST_PAIRS = 50  # PostgreSQL functions take 100 arguments


class JsonObject(Func):
    """json_build_object over names and expressions."""

    function = "json_build_object"
    output_field = models.TextField()

    def __init__(self, pairs: dict[str, Expression]):
        if len(pairs) > _MOST_PAIRS:
            raise ValueError("Too many fields for one JSON object; nest some of them.")
        super().__init__(*(part for name, value in pairs.items() for part in (Value(name), value)))


class EpochSeconds(Func):
    """A duration as a number of seconds."""

    template = "extract(epoch from %(expressions)s)::float8"
    output_field = models.FloatField()


class EqualsAny(Func):
    """Whether a value is one of an array: of a few known values, so that their rows are sought by index."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()


class Shape:
    """The JSON of one resource's rows; `fields` limits it to some of the serializer's fields."""

    def __init__(self, serializer_class: type[serializers.ModelSerializer], *, without: Iterable[str] = ()):
        self.serializer_class = serializer_class
        self.model = serializer_class.Meta.model
        self.without = frozenset(without)
        self._compiled: tuple[str, tuple] | None = None

    def texts(self, ids: list, caller) -> list[str]:
        """The JSON text of each of these rows, in this order; rows that are gone are left out."""
        if not ids:
            return []
        if self._compiled is None:
            self._compiled = self._compile()
        sql, params = self._compiled
        if _CALLERS_SITES in params:
            params = [caller.site_ids if param is _CALLERS_SITES else param for param in params]
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(ids) if param is _IDS else param for param in params])
            found = dict(cursor.fetchall())
        return [found[pk] for pk in ids if pk in found]

    def _compile(self) -> tuple[str, tuple]:
        pairs = pairs_of(self.serializer_class(), self.model, without=self.without)
        rows = (
            self.model._base_manager.order_by()
            .filter(EqualsAny(F("pk"), Value(_IDS)))
            .values_list("pk", Cast(JsonObject(pairs), models.TextField()))
        )
        return rows.query.sql_with_params()


@cache
def shape_of(serializer_class: type[serializers.ModelSerializer], without: frozenset[str] = frozenset()) -> Shape:
    """The one Shape of a serializer in this process."""
    return Shape(serializer_class, without=without)


def pairs_of(
    serializer: serializers.BaseSerializer, model: type[models.Model], *, prefix: str = "", without=frozenset()
) -> dict[str, Expression]:
    """Name → expression for each readable field of the serializer, seen from `model` through `prefix`."""
    return {
        name: expression_of(field, model, prefix)
        for name, field in serializer.fields.items()
        if not field.write_only and name not in without
    }


def expression_of(field: serializers.Field, model: type[models.Model], prefix: str) -> Expression:
    """The expression that yields a field's value."""
    path = prefix + field.source.replace(".", "__")
    match field:
        case Computed() | Expressed():
            if prefix:
                raise TypeError(f"{field.field_name}: a computed value must stand in a row of its own model")
            return field.expression() if callable(field.expression) else field.expression
        case Minutes():
            return F(path) * 60
        case Reference():
            return reference(field, model, path)
        case ManyRelatedField(child_relation=Reference() as child):
            return related_rows(model, field.source, lambda inner: named(child))
        case serializers.ListSerializer(child=serializers.BaseSerializer() as child):
            callers = getattr(child.Meta, "only_at_callers_sites", None)
            return related_rows(model, field.source, lambda inner: JsonObject(pairs_of(child, inner)), within=callers)
        case serializers.BaseSerializer() if field.source == "*":
            return JsonObject(pairs_of(field, model, prefix=prefix))
        case serializers.BaseSerializer():
            pairs = pairs_of(field, model, prefix=f"{path}__")
            return Case(When(**{f"{path}__isnull": False}, then=JsonObject(pairs)), default=None)
    return column(model, path)


def column(model: type[models.Model], path: str) -> Expression:
    """One column; a duration becomes seconds, a decimal stays a number."""
    if isinstance(field_at(model, path), models.DurationField):
        return EpochSeconds(F(path))
    return F(path)


def reference(field: Reference, model: type[models.Model], path: str) -> Expression:
    """{id, code, name} of the row at `path`, or null.

    Each is a look-up of its own by primary key: with a join for each, planning would cost more than the answer.
    """
    related = field_at(model, path).related_model
    return Subquery(related._base_manager.order_by().filter(pk=OuterRef(path)).values_list(named(field)))


def named(field: Reference) -> Expression:
    """{id, code, name} of the row itself."""
    return JsonObject({name: part("") if callable(part) else F(part) for name, part in field.parts.items()})


def related_rows(model: type[models.Model], source: str, build, *, within: str | None = None) -> Expression:
    """A JSON array of the rows that a reverse or many-to-many relation leads to, in their own order.

    `within` is the path to a site: only rows at the caller's sites.
    """
    relation = model._meta.get_field(source) if source in forward_names(model) else reverse_relation(model, source)
    if relation.auto_created and not relation.concrete:
        back = relation.field.name
    else:
        back = relation.related_query_name()
    related = relation.related_model
    rows = related._base_manager.filter(**{back: OuterRef("pk")})
    if within:
        rows = rows.filter(**{f"{within}__in": RawSQL("SELECT unnest(%s::bigint[])", [_CALLERS_SITES])})
    rows = rows.order_by(*(related._meta.ordering or ["pk"]))
    return ArraySubquery(rows.values_list(build(related)))


def forward_names(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields() if field.concrete}


def reverse_relation(model: type[models.Model], accessor: str):
    for relation in model._meta.related_objects:
        if relation.get_accessor_name() == accessor:
            return relation
    raise LookupError(f"{model.__name__} has no relation {accessor!r}")


def field_at(model: type[models.Model], path: str) -> models.Field:
    """The model field at the end of a look-up path."""
    *steps, last = path.split("__")
    for step in steps:
        model = model._meta.get_field(step).related_model
    return model._meta.pk if last == "pk" else model._meta.get_field(last)
