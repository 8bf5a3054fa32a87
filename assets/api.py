"""Assets, their stops and failures, and the lists behind them in the REST API."""

from collections.abc import Mapping
from typing import Any

from assets import failures, hourly_costs, lists, stops, tree
from assets.filters import (
    AssetFilter,
    DowntimeFilter,
    FailureCodeFilter,
    FailureFilter,
    FormerHourlyCostFilter,
    KindFilter,
    ReasonFilter,
)
from assets.models import Asset, AssetKind, Downtime, DowntimeReason, Failure, FailureCode, FormerHourlyCost, Source
from assets.serializers import (
    AssetKindSerializer,
    AssetSerializer,
    Closure,
    DowntimeSerializer,
    FailureCodeSerializer,
    FailureSerializer,
    FormerHourlyCostSerializer,
    PlacementInput,
    ReasonSerializer,
)
from assets.stops import StopEntry
from core.api.bulk import AddsInBulk
from core.api.resource import Adds, Changes, Removes, Resource, verb
from core.errors import Refused
from core.outcomes import Outcome


class Assets(Adds, Changes, Resource):
    """Areas, lines, machines and components of the caller's sites."""

    model = Asset
    serializer_class = AssetSerializer
    filterset_class = AssetFilter
    orderings = ("code", "name", "criticality", "commissioned", "created")
    default_ordering = "code"

    def add(self, data):
        return tree.create(data.pop("site"), data, by=self.request.user)

    def change(self, asset, data):
        if data.pop("site", asset.site) != asset.site:
            raise Refused("An asset stays at its site.", code="site_is_fixed", field="site")
        tree.edit(asset, data, by=self.request.user)

    def lock(self, asset):
        tree.locked_site(asset.site)  # first the site, as every change of the tree does
        super().lock(asset)

    @verb("placement", PlacementInput)
    def placement(self, asset, data):
        """Move the asset, with all below it, from a moment on; what happened before stays where it happened."""
        tree.move(asset, data.pop("parent"), by=self.request.user, **data)

    @verb("archive")
    def archive(self, asset, data):
        """Take the asset and all below it out of sight; its history stays."""
        tree.archive(asset, by=self.request.user)

    @verb("restoration")
    def restoration(self, asset, data):
        """Bring back an archived asset and what was archived with it."""
        tree.restore(asset, by=self.request.user)


class FormerHourlyCosts(Adds, Changes, Removes, Resource):
    """What an hour of assets down cost before; the price of today is `downtime_cost` of the asset."""

    model = FormerHourlyCost
    serializer_class = FormerHourlyCostSerializer
    filterset_class = FormerHourlyCostFilter
    orderings = ("until",)
    default_ordering = "-until"

    def lock(self, row):
        tree.locked_site(row.asset.site)  # first the site, as the verbs do
        super().lock(row)

    def add(self, data):
        return hourly_costs.add_former_cost(data.pop("asset"), data, by=self.request.user)

    def change(self, row, data):
        if data.pop("asset", row.asset) != row.asset:
            raise Refused("A former cost stays with its asset.", code="owner_is_fixed", field="asset")
        hourly_costs.change_former_cost(row, data, by=self.request.user)

    def remove(self, row):
        hourly_costs.remove_former_cost(row, by=self.request.user)


# --- Stops and failures --------------------------------------------------------------------------------


def keep_source(row: Downtime | Failure, data: dict[str, Any]) -> None:
    """Who recorded a row stays; so does the name it gave to it."""
    for name in ("source", "external_id"):
        if data.pop(name, getattr(row, name)) != getattr(row, name):
            raise Refused("Who recorded a row, and under which name, stays.", code="source_is_fixed", field=name)


class OfAsset:
    """Rows whose verbs lock the asset first."""

    def lock(self, row):
        stops.locked([row.asset_id])
        super().lock(row)


class Downtimes(Adds, AddsInBulk, Changes, Removes, OfAsset, Resource):
    """Stops of assets. `since` and `until` ask for stops that share time with [since, until)."""

    model = Downtime
    serializer_class = DowntimeSerializer
    filterset_class = DowntimeFilter
    orderings = ("start", "end", "entered_at")
    default_ordering = "-start"

    def add(self, data):
        return stops.record_stop(entry_of(data), by=self.request.user, source=source_of(data))

    def add_many(self, rows) -> list[Outcome]:
        found: dict[int, Outcome] = {}
        for source in sorted({source_of(data) for data in rows}):
            chosen = [index for index, data in enumerate(rows) if source_of(data) == source]
            entries = [entry_of(rows[index]) for index in chosen]
            outcomes = stops.record_stops(entries, by=self.request.user, source=source)
            found |= dict(zip(chosen, outcomes, strict=True))
        return [found[index] for index in range(len(rows))]

    def change(self, stop, data):
        keep_source(stop, data)
        failed = data.pop("is_failure", None)
        stops.correct(stop, data, is_failure=failed, by=self.request.user)

    def remove(self, stop):
        stops.remove(stop, by=self.request.user)

    @verb("closure", Closure)
    def closure(self, stop, data):
        """The asset is back."""
        stops.end_stop(stop, by=self.request.user, at=data.pop("end", None), **data)


def source_of(data: Mapping[str, Any]) -> str:
    return data.get("source", Source.API)


def entry_of(data: Mapping[str, Any]) -> StopEntry:
    return StopEntry(**{name: value for name, value in data.items() if name != "source"})


class Failures(Adds, Changes, Removes, OfAsset, Resource):
    """Failures of assets. `since` and `until` ask for those that occurred in [since, until)."""

    model = Failure
    serializer_class = FailureSerializer
    filterset_class = FailureFilter
    orderings = ("occurred", "restored", "entered_at")
    default_ordering = "-occurred"

    def add(self, data):
        source = data.pop("source", Source.API)
        failure, new = failures.record_failure(data.pop("asset"), by=self.request.user, source=source, **data)
        return Outcome("created" if new else "unchanged", failure)

    def change(self, failure, data):
        keep_source(failure, data)
        failures.correct(failure, data, by=self.request.user)

    def remove(self, failure):
        failures.remove(failure, by=self.request.user)


# --- Lists ---------------------------------------------------------------------------------------------


class Reasons(Adds, Changes, Removes, Resource):
    """Reasons for stops; one that was used is put out of use (`active`), not removed."""

    model = DowntimeReason
    serializer_class = ReasonSerializer
    filterset_class = ReasonFilter
    orderings = ("name", "code")
    default_ordering = "name"

    def add(self, data):
        return lists.add_reason(data.pop("site"), data, by=self.request.user)

    def change(self, reason, data):
        if data.pop("site", reason.site) != reason.site:
            raise Refused("A reason stays at its site.", code="site_is_fixed", field="site")
        lists.change_reason(reason, data, by=self.request.user)

    def remove(self, reason):
        lists.remove_reason(reason, by=self.request.user)


class Shared(Adds, Changes, Removes, Resource):
    """Entries of a list that all sites share; administrators keep it."""

    orderings = ("name", "code")
    default_ordering = "name"

    def add(self, data):
        return lists.keep_shared(self.model(), data, by=self.request.user)

    def change(self, row, data):
        lists.keep_shared(row, data, by=self.request.user)

    def remove(self, row):
        lists.remove_shared(row, by=self.request.user)


class AssetKinds(Shared):
    """Kinds of assets."""

    model = AssetKind
    serializer_class = AssetKindSerializer
    filterset_class = KindFilter


class FailureCodes(Shared):
    """Problems, causes and remedies of failures."""

    model = FailureCode
    serializer_class = FailureCodeSerializer
    filterset_class = FailureCodeFilter
