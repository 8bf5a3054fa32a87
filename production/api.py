"""Operating calendars and counts in the REST API: the door for production systems."""

from collections.abc import Mapping
from typing import Any

from assets import tree
from assets.api import OfAsset, keep_source, source_of
from core.api.bulk import AddsInBulk
from core.api.resource import Adds, Changes, Removes, Resource
from core.errors import Refused
from core.outcomes import Outcome
from production import agreeing, counting
from production.agreeing import Agreement
from production.counting import CountEntry
from production.filters import CalendarFilter, CountFilter
from production.models import Count, OperatingCalendar
from production.serializers import CalendarSerializer, CountSerializer
from production.timetable import Pattern, Slot


def agreement_from(data: Mapping[str, Any], before: Agreement | None = None) -> Agreement:
    """What was sent as an agreement; what was not sent stays as it was `before`."""
    known: dict[str, Any] = {"valid_to": None}
    weekly, exceptions, names = {}, {}, {}
    if before:
        pattern = before.pattern
        known = {"name": before.name, "valid_from": pattern.valid_from, "valid_to": pattern.valid_to}
        weekly, exceptions, names = pattern.weekly, pattern.exceptions, before.exception_names
    said = known | data
    if "weekly" in data:
        weekly = agreeing.slots_of([(each["weekday"], Slot(each["start"], each["end"])) for each in data["weekly"]])
    if "exceptions" in data:
        exceptions, names = agreeing.exceptions_of(
            [
                (each["date"], each.get("name", ""), [Slot(slot["start"], slot["end"]) for slot in each["slots"]])
                for each in data["exceptions"]
            ]
        )
    return Agreement(said["name"], Pattern(said["valid_from"], said["valid_to"], weekly, exceptions), names)


class Calendars(Adds, Changes, Removes, Resource):
    """Operating calendars of sites and assets. `on` asks for those that hold on a day."""

    model = OperatingCalendar
    serializer_class = CalendarSerializer
    filterset_class = CalendarFilter
    orderings = ("name", "valid_from")
    default_ordering = "name"

    def add(self, data):
        asset = data.pop("asset", None)
        site = data.pop("site", asset.site if asset else None)
        if site is None:
            raise Refused("Name the asset or the site that the calendar is for.", code="required", field="site")
        return agreeing.agree(site, asset, agreement_from(data), by=self.request.user)

    def change(self, calendar, data):
        for name in ("site", "asset"):
            if data.pop(name, getattr(calendar, name)) != getattr(calendar, name):
                raise Refused("A calendar stays with its site and asset.", code="owner_is_fixed", field=name)
        agreement = agreement_from(data, agreeing.agreement_of(calendar))
        agreeing.change(calendar, agreement, by=self.request.user)

    def remove(self, calendar):
        agreeing.remove(calendar, by=self.request.user)

    def lock(self, calendar):
        tree.locked_site(calendar.site)
        super().lock(calendar)


class Counts(Adds, AddsInBulk, Changes, Removes, OfAsset, Resource):
    """What assets made. `since` and `until` ask for counts that share time with [since, until)."""

    model = Count
    serializer_class = CountSerializer
    filterset_class = CountFilter
    orderings = ("start", "end", "entered_at")
    default_ordering = "-start"

    def add(self, data):
        return counting.record_count(entry_of(data), by=self.request.user, source=source_of(data))

    def add_many(self, rows) -> list[Outcome]:
        found: dict[int, Outcome] = {}
        for source in sorted({source_of(data) for data in rows}):
            chosen = [index for index, data in enumerate(rows) if source_of(data) == source]
            entries = [entry_of(rows[index]) for index in chosen]
            outcomes = counting.record_counts(entries, by=self.request.user, source=source)
            found |= dict(zip(chosen, outcomes, strict=True))
        return [found[index] for index in range(len(rows))]

    def change(self, count, data):
        keep_source(count, data)
        counting.correct(count, data, by=self.request.user)

    def remove(self, count):
        counting.remove(count, by=self.request.user)


def entry_of(data: Mapping[str, Any]) -> CountEntry:
    return CountEntry(**{name: value for name, value in data.items() if name != "source"})
