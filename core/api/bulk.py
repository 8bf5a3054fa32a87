"""`POST resource/bulk/`: many rows in one request, each with its own result.

The body is a list. Good rows are saved, bad ones are refused with their errors, and the answer (200) says for each
what became of it; rows that were there already (same source and external id) are *unchanged*, and a stop that was
open and now comes with its end is *closed*.
"""

from collections import Counter
from typing import get_args, get_type_hints

from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, transaction
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from core.api.fields import Reference
from core.api.problems import Problem, problem_of
from core.errors import DomainError
from core.outcomes import Outcome

MOST_ROWS = 10_000
STATUSES = get_args(get_type_hints(Outcome)["status"])


BulkRowError = inline_serializer(
    "BulkRowError",
    {
        "field": serializers.CharField(allow_null=True),
        "code": serializers.CharField(),
        "message": serializers.CharField(),
    },
    many=True,
)
BulkRow = inline_serializer(
    "BulkRow",
    {
        "index": serializers.IntegerField(),
        "status": serializers.ChoiceField(STATUSES),
        "id": serializers.IntegerField(allow_null=True),
        "errors": BulkRowError,
    },
    many=True,
)
BulkResult = inline_serializer(
    "BulkResult", {**{status: serializers.IntegerField() for status in STATUSES}, "results": BulkRow}
)


class AddsInBulk:
    """Bulk create for a resource. `add_many` may be overridden by a set-based verb; it gets the valid rows only."""

    def add_many(self, rows: list[dict]) -> list[Outcome]:
        """One outcome per row, in their order. Here: one by one, each saved or refused as a whole."""
        return [self._add_one(data) for data in rows]

    @extend_schema(responses=BulkResult)
    @action(detail=False, methods=["post"], url_path="bulk", filterset_class=None)
    def bulk(self, request, *args, **kwargs) -> Response:
        """Create many rows at once, each with its own result."""
        rows = request.data
        if not isinstance(rows, list):
            raise Problem(400, "list_expected", "Send a list of rows.")
        if len(rows) > MOST_ROWS:
            raise Problem(413, "too_many_rows", f"Send at most {MOST_ROWS} rows at once.")
        valid, refusals = self._read_many(rows)
        # Rows with something for an upper app are saved and handed on one by one: each as a whole, or not at all.
        hung = self.serializer_class.writers.keys()
        indexes = [index for index, data in valid.items() if hung.isdisjoint(data)]
        outcomes = dict(zip(indexes, self.add_many([valid[index] for index in indexes]), strict=True))
        outcomes |= {index: self._add_one(data) for index, data in valid.items() if index not in outcomes}
        results = [
            refused(index, refusals[index]) if index in refusals else result_of(index, outcomes[index])
            for index in range(len(rows))
        ]
        counts = Counter(result["status"] for result in results)
        return Response({**{status: counts[status] for status in STATUSES}, "results": results})

    def _read_many(self, rows: list) -> tuple[dict[int, dict], dict[int, Exception]]:
        """(Valid data, refusals), by index; the references of all rows are looked up together."""
        reader = self.serializer_class(context=self.get_serializer_context())
        for name, reference in reader.fields.items():
            if isinstance(reference, Reference) and not reference.read_only:
                reference.preload(row[name] for row in rows if isinstance(row, dict) and row.get(name) is not None)
        valid, refusals = {}, {}
        for index, row in enumerate(rows):
            try:
                valid[index] = reader.run_validation(row)
            except ValidationError as error:
                refusals[index] = error
        return valid, refusals

    def _add_one(self, data: dict) -> Outcome:
        try:
            with transaction.atomic():
                return self.add_with_hung(data)
        except (DomainError, ModelError, ValidationError, IntegrityError) as error:
            return Outcome("refused", error=error)


def result_of(index: int, outcome: Outcome) -> dict:
    if outcome.error:
        return refused(index, outcome.error)
    return {"index": index, "status": outcome.status, "id": outcome.row.pk, "errors": []}


def refused(index: int, error: Exception) -> dict:
    body = problem_of(error).data
    errors = body["errors"] or [{"field": None, "code": body["code"], "message": body["detail"]}]
    return {"index": index, "status": "refused", "id": None, "errors": errors}
