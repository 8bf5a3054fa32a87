"""Fields of serializers: how instants, durations, numbers and references to other rows are read.

Serializers only read; what the API answers is built by PostgreSQL from the same fields (`core.api.shapes`).
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from django.db.models import Expression, F, Model, QuerySet
from django.db.models.functions import Upper
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

MAX_ID = 2**63 - 1


class Instant(serializers.DateTimeField):
    """A moment with its offset: 2026-03-01T06:00:00+01:00. Without one it would mean another hour elsewhere."""

    default_error_messages = {
        "invalid": _("Give the moment as ISO 8601, for example 2026-03-01T06:00:00+01:00."),
        "offset_required": _("Give the moment with its offset, for example 2026-03-01T06:00:00+01:00."),
        "out_of_range": _("This moment is outside of the calendar."),
    }

    def to_internal_value(self, value) -> datetime:
        try:
            moment = value if isinstance(value, datetime) else parse_datetime(value)
        except (TypeError, ValueError):
            moment = None
        if moment is None:
            self.fail("offset_required" if is_plain_date(value) else "invalid")
        if moment.tzinfo is None:
            self.fail("offset_required")
        # Near year 1 and 9999 the same moment has no date in another zone.
        if not 1900 <= moment.year <= 2200:
            self.fail("out_of_range")
        return moment


class InstantOrDay(Instant):
    """A moment with its offset, or a plain date, which means the start of that production day at the site.

    `within` names the field that leads to the site: the site itself, or a row that has one.
    """

    def __init__(self, *, within: str = "site", **kwargs):
        self.within = within
        super().__init__(**kwargs)

    def to_internal_value(self, value) -> datetime | date:
        if is_plain_date(value):
            day = parse_date(value)
            if not 1900 <= day.year <= 2200:
                self.fail("out_of_range")
            return day
        return super().to_internal_value(value)

    def settle(self, value, attrs: dict, instance: Model | None):
        if isinstance(value, datetime) or value is None:
            return value
        site = site_of(self.within, attrs, instance)
        return site.day_begins(value) if site else None


def is_plain_date(value) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and parse_date(value) is not None
    except ValueError:
        return False


def site_of(within: str, attrs: dict, instance: Model | None):
    """The site to which a row will belong; None while the field that says so is itself wrong."""
    row = attrs.get(within) or (getattr(instance, within, None) if instance else None)
    return getattr(row, "site", row)


class Seconds(serializers.FloatField):
    """A duration in seconds."""

    default_error_messages = {"out_of_range": _("This is longer than three centuries.")}

    def to_internal_value(self, value) -> timedelta:
        seconds = super().to_internal_value(value)
        if abs(seconds) > 10**10:
            self.fail("out_of_range")
        return timedelta(seconds=seconds)


class Minutes(serializers.IntegerField):
    """A duration in seconds, kept in whole minutes."""

    default_error_messages = {"whole_minutes": _("Give whole minutes, in seconds: a multiple of 60.")}

    def __init__(self, **options):
        super().__init__(min_value=60, max_value=60 * 10**7, **options)

    def to_internal_value(self, value) -> int:
        minutes, rest = divmod(super().to_internal_value(value), 60)
        if rest:
            self.fail("whole_minutes")
        return minutes

    def run_validators(self, value: int) -> None:
        super().run_validators(value * 60)


class Json(serializers.JSONField):
    """Free JSON that PostgreSQL can keep: no NUL characters and no half surrogates."""

    default_error_messages = {"characters": _("The text holds characters that cannot be kept.")}

    def to_internal_value(self, value):
        value = super().to_internal_value(value)
        if any(not storable(text) for text in texts_of(value)):
            self.fail("characters")
        return value


def storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def texts_of(value) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


class Computed(serializers.ReadOnlyField):
    """A read-only value that PostgreSQL computes; `shape` is the serializer field that describes it.

    `expression` is a database expression over the serializer's model, or a function that returns one.
    """

    def __init__(self, expression: Expression | Callable[[], Expression], *, shape: serializers.Field, **kwargs):
        self.expression = expression
        self.shape = shape
        super().__init__(**kwargs)


class Expressed:
    """Mixin of fields that callers send, and that are answered by a database expression instead of a column."""

    def __init__(self, expression: Expression | Callable[[], Expression], **kwargs):
        self.expression = expression
        super().__init__(**kwargs)


class Told(Expressed, serializers.BooleanField):
    """A truth that callers send, answered by a database expression."""


class WallClock(serializers.TimeField):
    """A local time of day; "24:00" is the midnight at the end of the day."""

    def to_internal_value(self, value):
        return super().to_internal_value("00:00" if value in ("24:00", "24:00:00") else value)


class Reference(serializers.RelatedField):
    """Another row: read as its id, its code, or {"code": …} (with "site" where a code stands at several sites);
    answered as {id, code, name}.

    Only rows that the caller may see exist. With `within="asset"` the row must stand at the same site as the row
    in that field, which also says which of several equal codes is meant.
    """

    model: type[Model] | None = None
    parts: dict[str, str | Callable[[str], Expression]] = {"id": "pk", "code": "code", "name": "name"}
    code: str | None = "code"
    ignore_case = False
    select_related: tuple[str, ...] = ()

    default_error_messages = {
        "incorrect_type": _('Give an id or {{"code": …}}.'),
        "does_not_exist": _("There is no such row."),
        "ambiguous": _('Several sites have this code; give {{"code": …, "site": …}}.'),
    }

    def __init__(self, model: type[Model] | None = None, *, within: str | None = None, code: str | None = "", **kwargs):
        self.model = model or self.model
        self.within = within
        if code != "":
            self.code = code
        if "parts" in kwargs:
            self.parts = kwargs.pop("parts")
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet:
        """The rows that the caller may see."""
        rows = self.model._default_manager.all()
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(self.context["request"].user)
        return rows.select_related(*self.select_related)

    def to_internal_value(self, data) -> Model | list[Model]:
        key = self.key_of(data)
        known = self.context.setdefault("references", {}).setdefault(self.known_as, {})
        if key not in known:
            known.update(self.find([key]))
        found = known[key]
        if not found:
            self.fail("does_not_exist")
        if self.within:
            return found
        if len(found) > 1:
            self.fail("ambiguous")
        return found[0]

    def settle(self, found: list[Model], attrs: dict, instance: Model | None):
        """Choose the candidate at the site of the row in `within`."""
        if not self.within or found is None:
            return found
        if isinstance(found, Model):
            found = [found]
        site = site_of(self.within, attrs, instance)
        if site is None:
            return found[0]
        path = self.site_path
        here = [row for row in found if path is None or follow(row, path) == site]
        if not here:
            raise ValidationError(self.error_messages["does_not_exist"], code="does_not_exist")
        return here[0]

    def preload(self, values: Iterable) -> None:
        """Look up many values at once, for a bulk of rows; bad ones are left for their own row to refuse."""
        keys = set()
        for value in values:
            try:
                keys.add(self.key_of(value))
            except ValidationError:
                continue
        known = self.context.setdefault("references", {}).setdefault(self.known_as, {})
        known.update(self.find([key for key in keys if key not in known]))

    @property
    def known_as(self) -> tuple:
        return type(self), self.model

    @property
    def site_path(self) -> str | None:
        path = getattr(self.model._default_manager.all(), "site_path", None)
        return None if path in (None, "pk") else path

    def key_of(self, data) -> tuple:
        """(id, code, site) with None for what was not given."""
        pk, code, site = None, None, None
        match data:
            case bool():
                self.fail("incorrect_type")
            case int():
                pk = data
            case str() if self.code:
                code = data
            case {"id": int(value)} if not isinstance(value, bool):
                pk = value
            case {"code": str() | int() as value} if self.code and not isinstance(value, bool):
                code = str(value)
                site = data.get("site")
                if isinstance(site, dict):
                    site = site.get("code")
                if site is not None and not isinstance(site, str):
                    self.fail("incorrect_type")
            case _:
                self.fail("incorrect_type")
        if pk is not None and not 0 < pk <= MAX_ID:
            self.fail("does_not_exist")
        if code is not None and not storable(code):
            self.fail("does_not_exist")
        return pk, self.plain(code), site

    def plain(self, code: str | None) -> str | None:
        return code.upper() if code is not None and self.ignore_case else code

    def find(self, keys: list[tuple]) -> dict[tuple, list[Model]]:
        """Each key's rows, in at most two queries."""
        found: dict[tuple, list[Model]] = {key: [] for key in keys}
        ids = {pk for pk, _code, _site in keys if pk is not None}
        codes = {code for _pk, code, _site in keys if code is not None}
        queryset = self.get_queryset() if ids or codes else None
        by_id = {row.pk: row for row in queryset.filter(pk__in=ids)} if ids else {}
        by_code: dict[str, list[Model]] = {}
        if codes:
            for row in self.with_codes(queryset, codes):
                by_code.setdefault(self.plain(str(row.reference_code)), []).append(row)
        for pk, code, site in keys:
            if pk is not None:
                rows = [by_id[pk]] if pk in by_id else []
            else:
                rows = [row for row in by_code.get(code, []) if site in (None, getattr(row, "reference_site", None))]
            found[pk, code, site] = rows
        return found

    def with_codes(self, queryset: QuerySet, codes: set[str]) -> QuerySet:
        if self.site_path:
            queryset = queryset.annotate(reference_site=F(f"{self.site_path}__code"))
        field = self.model._meta.get_field(self.code)
        if field.get_internal_type().endswith("IntegerField"):
            codes = {int(code) for code in codes if code.isascii() and code.isdigit() and len(code) < 19}
        code = Upper(self.code) if self.ignore_case else F(self.code)
        return queryset.annotate(reference_code=code).filter(reference_code__in=codes)

    def to_representation(self, value):
        raise NotImplementedError("Answers are built by PostgreSQL; see core.api.shapes.")


def follow(row: Model, path: str):
    """The value at the end of a look-up path such as "asset__site"."""
    for name in path.split("__"):
        row = getattr(row, name)
    return row
