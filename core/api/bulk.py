"""`POST resource/bulk/`: many rows in one request, each with its own result.

The body is a list. Good rows are saved, bad ones are refused with their errors, and the answer (200) says for each
what became of it; rows that were there already (same source and external id) are *unchanged*.
"""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, transaction
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from core.api.fields import Reference
from core.api.problems import Problem, problem_of
from core.api.resource import Unchanged
from core.errors import DomainError

MOST_ROWS = 10_000


@dataclass
class Outcome:
    """What became of one row of a bulk."""

    status: str  # created, unchanged or refused
    id: int | None = None
    errors: list[dict] = field(default_factory=list)

    @classmethod
    def refused(cls, error: Exception) -> "Outcome":
        body = problem_of(error).data
        return cls(
            "refused", errors=body["errors"] or [{"field": None, "code": body["code"], "message": body["detail"]}]
        )


BulkResult = inline_serializer(
    "BulkResult",
    {
        "created": serializers.IntegerField(),
        "unchanged": serializers.IntegerField(),
        "refused": serializers.IntegerField(),
        "results": inline_serializer(
            "BulkRow",
            {
                "index": serializers.IntegerField(),
                "status": serializers.ChoiceField(["created", "unchanged", "refused"]),
                "id": serializers.IntegerField(allow_null=True),
                "errors": inline_serializer(
                    "BulkRowError",
                    {
                        "field": serializers.CharField(allow_null=True),
                        "code": serializers.CharField(),
                        "message": serializers.CharField(),
                    },
                    many=True,
                ),
            },
            many=True,
        ),
    },
)


class AddsInBulk:
    """Bulk create for a resource. `add_many` may be overridden by a set-based verb; it gets the valid rows only."""

    @extend_schema(responses=BulkResult)
    @action(detail=False, methods=["post"], url_path="bulk", filterset_class=None)
    def bulk(self, request, *args, **kwargs) -> Response:
        """Create many rows at once, each with its own result."""
        rows = request.data
        if not isinstance(rows, list):
            raise Problem(400, "list_expected", "Send a list of rows.")
        if len(rows) > MOST_ROWS:
            raise Problem(413, "too_many_rows", f"Send at most {MOST_ROWS} rows at once.")
        outcomes, valid = self._checked(rows)
        indexes = list(valid)
        for index, outcome in zip(indexes, self.add_many([valid[index] for index in indexes]), strict=True):
            outcomes[index] = outcome
        results = [
            {"index": index, "status": outcome.status, "id": outcome.id, "errors": outcome.errors}
            for index, outcome in sorted(outcomes.items())
        ]
        counts = {
            status: sum(result["status"] == status for result in results)
            for status in ("created", "unchanged", "refused")
        }
        return Response({**counts, "results": results})

    def add_many(self, rows: list[dict]) -> list[Outcome]:
        """One outcome per row, in their order. Here: one by one, each saved or refused as a whole."""
        return [self._add_one(data) for data in rows]

    def _checked(self, rows: list) -> tuple[dict[int, Outcome], dict[int, dict]]:
        """(Refusals, valid data), by index; references of all rows are looked up together."""
        context = self.get_serializer_context()
        for name, reference in self.serializer_class(context=context).fields.items():
            if isinstance(reference, Reference) and not reference.read_only:
                reference.preload(row[name] for row in rows if isinstance(row, dict) and row.get(name) is not None)
        outcomes, valid = {}, {}
        reader = self.serializer_class(context=context)
        for index, row in enumerate(rows):
            try:
                valid[index] = reader.run_validation(row)
            except ValidationError as error:
                outcomes[index] = Outcome.refused(error)
        return outcomes, valid

    def _add_one(self, data: dict) -> Outcome:
        try:
            with transaction.atomic():
                made = self.add(data)
        except (DomainError, ModelError, ValidationError, IntegrityError) as error:
            return Outcome.refused(error)
        if isinstance(made, Unchanged):
            return Outcome("unchanged", made.row.pk)
        return Outcome("created", made.pk)
