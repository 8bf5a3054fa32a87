"""Finding a row by typing: one declaration per model serves the search page and the search boxes of forms.

lookups.register(Lookup("assets.Asset", ("code", "name"), icon="box", label=_("Assets")))
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Case, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Greatest

REGISTRY: dict[str, "Lookup"] = {}
ALIKE = 0.45  # trigram word similarity above which a typing error is forgiven


@dataclass(frozen=True)
class Lookup:
    """How rows of a model are found: the text fields to look in (most telling first) and how a hit is shown."""

    model: str
    fields: tuple[str, ...]
    label: Any = ""
    icon: str = "search"
    detail: Callable[[Any], Any] | None = None  # a second line for a hit
    related: tuple[str, ...] = ()
    order: int = 50  # on the search page, lowest first

    def rows(self, user) -> QuerySet:
        """The rows this user may see."""
        return apps.get_model(self.model)._default_manager.visible_to(user).select_related(*self.related)

    def find(self, rows: QuerySet, text: str) -> QuerySet:
        """Rows that contain every word, then rows that are spelt alike; a matching start comes first."""
        text = text.strip()
        if not text:
            return rows.none()
        columns = [Cast(name, TextField()) for name in self.fields]
        alike = [TrigramWordSimilarity(text, column) for column in columns]
        each_word = Q()
        for word in text.split():
            each_word &= reduce(or_, (Q(**{f"{name}__icontains": word}) for name in self.fields))
        starts = [When(Q(**{f"{name}__iexact": text}), then=Value(0)) for name in self.fields] + [
            When(Q(**{f"{name}__istartswith": text}), then=Value(1)) for name in self.fields
        ]
        return (
            rows.annotate(likeness=Greatest(*alike) if len(alike) > 1 else alike[0])
            .annotate(rank=Case(*starts, When(each_word, then=Value(2)), default=Value(3), output_field=IntegerField()))
            .filter(each_word | Q(likeness__gte=ALIKE))
            .order_by("rank", "-likeness", self.fields[0], "pk")
        )


def register(lookup: Lookup) -> None:
    REGISTRY[lookup.model.lower()] = lookup


def of(model: str) -> Lookup | None:
    """The declaration for a model label, or None."""
    return REGISTRY.get(model.lower())
