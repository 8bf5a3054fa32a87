"""The base of every resource of the REST API: what it is and how it is changed is declared, the manners are here.

    class Sites(Changes, Resource):
        model = Site
        serializer_class = SiteSerializer      # reads input and declares the shape that is answered
        filterset_class = SiteFilter           # the same as the page's
        orderings = ("code", "name")

        def change(self, site, data):          # one call of a domain verb, which checks the capability
            sites.change(site, by=self.request.user, **data)

        @verb("closure", ClosureInput)         # POST sites/{id}/closure/
        def closure(self, site, data):
            site.close(by=self.request.user, **data)

Rows come from `Model.objects.visible_to(user)`: a row of another site is a 404. Each write runs in one transaction
with the row locked, honours `If-Match` and `Idempotency-Key`, and answers the new state with its ETag.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache, wraps

from django.db import IntegrityError, models, transaction
from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api import schema  # noqa: F401 (its extensions register themselves)
from core.api.etags import check_if_match, etag_of, is_unchanged
from core.api.idempotency import Claim
from core.api.pagination import KeysetPagination
from core.api.parsers import JSONParser
from core.api.problems import BadParameter, problem_of
from core.api.shapes import Shape, shape_of
from core.errors import DomainError
from core.outcomes import Outcome

PAGING = frozenset({"cursor", "page_size", "ordering"})


class Replay(Exception):
    """An earlier answer that is sent again."""

    def __init__(self, answer: HttpResponse):
        self.answer = answer


class Door(APIView):
    """Manners of every view: a write is one transaction, and a POST with an `Idempotency-Key` is done once."""

    parser_classes = (JSONParser,)
    metadata_class = None  # the schema says more than OPTIONS could
    claim: Claim | None = None
    names: Mapping[str, str] = {}  # of the body that was read last: name in the domain → name in the API

    def dispatch(self, request, *args, **kwargs):
        if request.method in SAFE_METHODS:
            return super().dispatch(request, *args, **kwargs)
        try:
            with transaction.atomic():
                response = super().dispatch(request, *args, **kwargs)
                if response.status_code >= 400:
                    transaction.set_rollback(True)
            return response
        except IntegrityError as error:  # a rule that PostgreSQL checks at the end of the transaction
            return self.finalize_response(self.request, problem_of(error))

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None:
            claim = Claim(request, key)
            if answer := claim.earlier_answer():
                raise Replay(answer)
            self.claim = claim

    def handle_exception(self, exc):
        if isinstance(exc, Replay):
            return exc.answer
        if isinstance(exc, DomainError):  # a verb speaks of its own names, the caller of the API's
            exc.field = self.names.get(exc.field, exc.field)
        return super().handle_exception(exc)

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.claim and response.status_code < 400:
            if isinstance(response, Response):
                response.render()
            self.claim.keep(response)
        return response

    def read(
        self, serializer_class: type[Serializer] | None, *, instance=None, partial: bool = False, data=None
    ) -> dict:
        """What the caller sent, checked."""
        if serializer_class is None:
            return {}
        serializer = serializer_class(
            instance,
            data=self.request.data if data is None else data,
            partial=partial,
            context=self.get_serializer_context(),
        )
        self.names = {field.source: field.field_name for field in serializer.fields.values()}
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def get_serializer_context(self) -> dict:
        return {"request": self.request, "view": self}


class Resource(Door, GenericViewSet):
    """A list and its rows."""

    model: type[models.Model]
    orderings: tuple[str, ...] | dict[str, str] = ("id",)
    default_ordering = "-id"
    list_without: tuple[str, ...] = ()  # fields too heavy for a list
    lookup_value_regex = "[0-9]{1,18}"
    pagination_class = KeysetPagination

    def get_queryset(self):
        return self.model.objects.visible_to(self.request.user)

    # --- Reading

    def list(self, request, *args, **kwargs) -> HttpResponse:
        """A page of rows."""
        self._check_parameters()
        ids = self.paginator.paginate_queryset(self.filter_queryset(self.get_queryset()), request, view=self)
        rows = ",".join(self.shape(without=self.list_without).texts(ids, request.user))
        following, previous = json.dumps(self.paginator.next), json.dumps(self.paginator.previous)
        return as_json(f'{{"next":{following},"previous":{previous},"results":[{rows}]}}')

    def retrieve(self, request, *args, **kwargs) -> HttpResponse:
        """One row, with its ETag."""
        text = self.text_of(self.visible_id())
        if is_unchanged(request.headers.get("If-None-Match"), text):
            return HttpResponse(status=304, headers={"ETag": etag_of(text)})
        return as_json(text, headers={"ETag": etag_of(text)})

    def filter_queryset(self, queryset):
        """A FilterSet only narrows, so that without its parameters it need not be built."""
        if not parameters_of(self.filterset_class).intersection(self.request.query_params):
            return queryset
        return super().filter_queryset(queryset)

    filterset_class = None

    def _check_parameters(self) -> None:
        known = parameters_of(self.filterset_class) | PAGING
        for name in self.request.query_params:
            if name not in known:
                raise BadParameter(name, "unknown_parameter", f"There is no parameter {name!r} here.")

    # --- Writing

    def visible_id(self):
        """The id in the address, if the caller may see that row."""
        pk = self.get_queryset().filter(pk=self.kwargs["pk"]).values_list("pk", flat=True).first()
        if pk is None:
            raise Http404
        return pk

    def row_to_change(self) -> models.Model:
        """The row in the address; with `If-Match` locked until the answer, and 412 when it is another state."""
        row = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if row is None:
            raise Http404
        if header := self.request.headers.get("If-Match"):
            self.lock(row)
            check_if_match(header, self.text_of(row.pk))
            row.refresh_from_db()
        return row

    def lock(self, row: models.Model) -> None:
        """Keep other writers of this row out until the answer; in the order in which the verbs lock."""
        rows = self.model._base_manager.order_by("pk")  # a model's own order may join tables that cannot be locked
        rows.select_for_update(no_key=True).filter(pk=row.pk).values_list("pk").first()

    def take_hung(self, data: dict) -> dict:
        """Takes the values of fields that upper apps hung on the row out of `data`, and locks the rows they name.

        First, because the verbs of upper apps lock their own row before they call those of lower apps.
        """
        hung = {name: data.pop(name) for name in self.serializer_class.writers if name in data}
        for value in hung.values():
            if isinstance(value, models.Model):
                type(value)._base_manager.select_for_update().filter(pk=value.pk).values_list("pk").first()
        return hung

    def write_hung(self, row: models.Model, hung: dict) -> None:
        for name, value in hung.items():
            self.serializer_class.writers[name](row, value, by=self.request.user)

    # --- Answering

    @classmethod
    def shape(cls, *, without: tuple[str, ...] = ()) -> Shape:
        return shape_of(cls.serializer_class, frozenset(without))

    def text_of(self, pk) -> str:
        """The row as JSON."""
        texts = self.shape().texts([pk], self.request.user)
        if not texts:
            raise Http404
        return texts[0]

    def answer(self, row: models.Model, *, status: int = 200) -> HttpResponse:
        """The row as it is now, with its ETag."""
        text = self.text_of(row.pk)
        response = as_json(text, status=status, headers={"ETag": etag_of(text)})
        if status == 201:
            address = self.request.path if "pk" not in self.kwargs else self.request.path.rsplit("/", 2)[0]
            response["Location"] = self.request.build_absolute_uri(f"{address}{row.pk}/")
        return response


class Adds:
    """`POST resource/`: `add(data)` makes the row, or answers an Outcome: a known one is 200 instead of 201."""

    def create(self, request, *args, **kwargs) -> HttpResponse:
        """Create a row."""
        made = self.add_with_hung(self.read(self.serializer_class))
        if made.error:
            raise made.error
        return self.answer(made.row, status=201 if made.status == "created" else 200)

    def add_with_hung(self, data: dict) -> Outcome:
        """`add`, then what upper apps do with the fields that they hung on the row."""
        hung = self.take_hung(data)
        made = outcome_of(self.add(data))
        if not made.error:
            self.write_hung(made.row, hung)
        return made


class Changes:
    """`PATCH resource/{id}/`: `change(row, data)` changes what was sent and leaves the rest."""

    def partial_update(self, request, *args, **kwargs) -> HttpResponse:
        """Change what is sent; the rest stays."""
        row = self.row_to_change()
        data = self.read(self.serializer_class, instance=row, partial=True)
        hung = self.take_hung(data)
        if data or not hung:
            self.change(row, data)
        self.write_hung(row, hung)
        return self.answer(row)


class Removes:
    """`DELETE resource/{id}/`: `remove(row)`."""

    def destroy(self, request, *args, **kwargs) -> HttpResponse:
        """Remove a row."""
        self.remove(self.row_to_change())
        return HttpResponse(status=204)


def verb(name: str, serializer_class: type[Serializer] | None = None) -> Callable:
    """A verb as sub-resource: `POST resource/{id}/name/` calls the method with the locked row and what was sent."""

    def decorate(method: Callable) -> Callable:
        @extend_schema(request=serializer_class)
        @action(detail=True, methods=["post"], url_path=name, filterset_class=None)
        @wraps(method)
        def handler(self, request, *args, **kwargs) -> HttpResponse:
            row = self.row_to_change()
            method(self, row, self.read(serializer_class, instance=row))
            return self.answer(row)

        return handler

    return decorate


def outcome_of(made: models.Model | Outcome) -> Outcome:
    return made if isinstance(made, Outcome) else Outcome("created", made)


def as_json(text: str, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(text, content_type="application/json", status=status, headers=headers)


@cache
def parameters_of(filterset_class) -> frozenset[str]:
    """The query parameters that a FilterSet reads."""
    names = set()
    for name, rule in (filterset_class.base_filters if filterset_class else {}).items():
        widget = rule.extra.get("widget") or rule.field_class.widget
        suffixes = getattr(widget, "suffixes", None)
        names |= {f"{name}_{suffix}" if suffix else name for suffix in suffixes} if suffixes else {name}
    return frozenset(names)
