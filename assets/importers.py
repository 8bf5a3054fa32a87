"""Importing assets and stops from other systems' tables."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models.functions import Upper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.criticality import settle_criticality
from assets.models import Asset, AssetKind, Criticality, DowntimeReason, Failure, Level, Placement, Source
from assets.stops import StopEntry, record_stops
from assets.tree import locked_site
from core.changes import differences
from core.copying import reserve_ids
from core.errors import Refused
from core.events import record_many
from core.imports.kinds import CHOICE, MOMENT, NUMBER, TRUTH, WHOLE, Field, Importer, Job, Kind, Option, Row, register
from core.models import Site


class AssetsByCode:
    """The assets of a site by code, each looked up once."""

    def __init__(self, site: Site):
        self.site = site
        self.found: dict[str, Asset | None] = {}

    def of(self, rows: list[Row], name: str = "asset") -> None:
        """Put the asset in place of its code; a row whose code is unknown is refused."""
        rows = [row for row in rows if isinstance(row.values.get(name), str)]
        wanted = {row.values[name].upper() for row in rows} - self.found.keys()
        self.found |= dict.fromkeys(wanted)
        rows_there = Asset.objects.at(self.site).annotate(folded=Upper("code")).filter(folded__in=wanted)
        for asset in rows_there.select_related("site"):
            self.found[asset.folded] = asset
        for row in rows:
            asset = self.found[row.values[name].upper()]
            if asset is None:
                row.refuse(name, _("the site has no asset with this code"))
            else:
                row.values[name] = asset

    def add(self, asset: Asset) -> None:
        self.found[asset.code.upper()] = asset


def valid(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.state == "new"]


# --- Assets ------------------------------------------------------------------------------------


def kinds_of_assets(site: Site) -> dict[str, str]:
    return dict(AssetKind.objects.values_list("code", "name"))


class AssetImport(Kind):
    slug, label, icon, capability = "assets", gettext_lazy("Assets"), "building-factory-2", "edit"
    lead = gettext_lazy("Areas, lines, machines and components; parents by code, in any order.")
    identity = "code"
    fields = [
        Field("code", gettext_lazy("Code"), required=True, longest=40,
              synonyms=("asset", "asset code", "asset id", "equipment", "tag", "kks", "anlage", "equipment number")),
        Field("name", gettext_lazy("Name"), required=True, longest=120,
              synonyms=("asset name", "designation", "bezeichnung", "equipment name", "title")),
        Field("parent", gettext_lazy("Parent"), synonyms=("parent code", "superior", "stands in", "übergeordnet")),
        Field("level", gettext_lazy("Level"), CHOICE, choices=dict(Level.choices), synonyms=("ebene",)),
        Field("kind", gettext_lazy("Kind"), CHOICE, choices=kinds_of_assets,
              synonyms=("type", "class", "equipment class", "art", "category")),
        Field("criticality", gettext_lazy("Criticality"), CHOICE, choices=dict(Criticality.choices),
              synonyms=("abc", "priority class", "kritikalität")),
        Field("stops_parent", gettext_lazy("Its stop stops its parent"), TRUTH),
        Field("manufacturer", gettext_lazy("Manufacturer"), longest=120, synonyms=("make", "hersteller", "vendor")),
        Field("model", gettext_lazy("Model"), longest=120, synonyms=("typ", "model number")),
        Field("serial_number", gettext_lazy("Serial number"), longest=120,
              synonyms=("serial", "serial no", "seriennummer")),
        Field("description", gettext_lazy("Description"), synonyms=("notes", "remarks", "beschreibung")),
        Field("commissioned", gettext_lazy("Commissioned"), MOMENT,
              synonyms=("start-up date", "in service", "installed", "inbetriebnahme")),
        Field("retired", gettext_lazy("Retired"), MOMENT, synonyms=("decommissioned", "ausser betrieb")),
        Field("downtime_cost", gettext_lazy("Cost of one hour down"), NUMBER, smallest=0),
        Field("replacement_value", gettext_lazy("Replacement value"), NUMBER, smallest=0,
              synonyms=("replacement asset value", "rav", "replacement cost", "wiederbeschaffungswert"),
              help=gettext_lazy("To buy and install the like of it today, with all that stands below it.")),
        Field("silence_days", gettext_lazy("Silence, days"), WHOLE, smallest=0,
              help=gettext_lazy("Unknown after so many days without a record. Empty: as the site says; 0: never.")),
        Field("external_id", gettext_lazy("External id"), longest=120, synonyms=("id in the other system",)),
    ]  # fmt: skip

    def importer(self, job: Job) -> Importer:
        return AssetImporter(job)


class AssetImporter(Importer):
    """Needs all rows before it can tell who stands where."""

    def __init__(self, job: Job):
        super().__init__(job)
        self.rows: dict[str, Row] = {}
        self.kinds = {kind.code: kind for kind in AssetKind.objects.all()}

    def take(self, rows: list[Row]) -> None:
        self.rows |= {row.values["code"].upper(): row for row in rows}

    def finish(self) -> None:
        if not self.rows:
            return
        site = locked_site(self.job.site)
        there = {asset.code.upper(): asset for asset in Asset.objects.at(site).select_related("parent", "kind", "site")}
        for code, row in self.rows.items():
            if code in there:
                self.compare(row, there[code])
        new = {code: row for code, row in self.rows.items() if row.state == "new"}
        made: list[Asset] = []
        for code in self.parents_first(new, there):
            asset = self.make(site, new[code], there)
            if asset:
                there[code] = asset
                made.append(asset)
        for asset, id_ in zip(made, reserve_ids(Asset, len(made)), strict=True):
            asset.pk = id_
            asset.parent = parent = asset.parent  # whose key is known by now: parents come first
            asset.path = f"{parent.path if parent else '/'}{id_}/"
        Asset.objects.bulk_create(made, batch_size=1000)
        places = Placement.objects.bulk_create(
            (
                Placement(asset=asset, parent=asset.parent, stops_parent=asset.stops_parent, valid=DateTimeTZRange())
                for asset in made
            ),
            batch_size=1000,
        )
        self.job.keep(made)
        self.job.keep(places)
        if made:
            record_many("asset.created", made, by=self.job.by, summary=lambda asset: f"{asset} imported", site=site)

    def compare(self, row: Row, asset: Asset) -> None:
        """An asset that is here already is not overwritten: people may have corrected it."""
        wanted = {name: value for name, value in row.values.items() if name not in ("parent", "code")}
        if "kind" in wanted:
            wanted["kind"] = self.kinds[wanted["kind"]]
        differing = [str(Asset._meta.get_field(name).verbose_name) for name in differences(asset, wanted)]
        parent = row.values.get("parent")
        if parent and parent.upper() != (asset.parent.code.upper() if asset.parent else ""):
            differing.append(_("parent"))
        if differing:
            fields = {"fields": ", ".join(differing)}
            row.refuse("code", _("is here already with another %(fields)s; change it on its own page") % fields)
        else:
            row.state = "unchanged"

    def parents_first(self, new: dict[str, Row], there: dict[str, Asset]) -> Iterator[str]:
        """Codes so that each comes behind its parent; rows in a circle, or below nothing, are refused."""
        done: set[str] = set()
        for code in new:
            chain: list[str] = []
            while code not in done and code in new:
                if code in chain:
                    circle = [*chain[chain.index(code) :], code]
                    words = {"way": " → ".join(new[each].values["code"] for each in circle)}
                    for each in set(circle):
                        new[each].refuse("parent", _("stands under itself: %(way)s") % words)
                        done.add(each)
                    break
                chain.append(code)
                code = new[code].values.get("parent", "").upper()
            for each in reversed(chain):
                if each in done:
                    continue
                done.add(each)
                if self.has_place(new, there, new[each]):
                    yield each

    def has_place(self, new: dict[str, Row], there: dict[str, Asset], row: Row) -> bool:
        parent = row.values.get("parent", "").upper()
        if not parent or parent in there:
            if parent and there[parent].archived_at:
                row.refuse("parent", _("is archived; restore it first"))
            return row.state == "new"
        reason = _("is rejected itself") if parent in self.rows else _("is neither in the file nor at the site")
        row.refuse("parent", reason)
        return False

    def make(self, site: Site, row: Row, there: dict[str, Asset]) -> Asset | None:
        values: dict[str, Any] = dict(row.values)
        values["parent"] = there[values["parent"].upper()] if "parent" in values else None
        if "kind" in values:
            values["kind"] = self.kinds[values["kind"]]
        chosen = {name: values.pop(name) for name in ("criticality",) if name in values}
        asset = Asset(site=site, **values)
        try:
            settle_criticality(asset, chosen)
            asset.clean_fields(exclude=["site", "parent", "kind", "redundancy_group", "path"])
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                row.refuse(name, " ".join(messages))
        except Refused as refusal:
            row.refuse(refusal.field or "", refusal.message)
        if asset.commissioned and asset.retired and asset.retired <= asset.commissioned:
            row.refuse("retired", _("is not after the commissioning"))
        if (values["parent"].path if values["parent"] else "").count("/") > 12:
            row.refuse("parent", _("stands too deep in the tree"))
        return asset if row.state == "new" else None


# --- Stops -------------------------------------------------------------------------------------


def reasons_of(site: Site) -> dict[str, str]:
    return dict(DowntimeReason.objects.at(site).filter(active=True).values_list("code", "name"))


class DowntimeImport(Kind):
    slug, label, icon, capability = "downtimes", gettext_lazy("Downtime"), "player-pause", "record"
    lead = gettext_lazy("Stops with their start and end. A stop without an end is open still.")
    identity_within = ("asset",)
    fields = [
        Field("asset", gettext_lazy("Asset"), required=True, synonyms=("asset code", "machine", "equipment", "anlage")),
        Field("start", gettext_lazy("Start"), MOMENT, required=True,
              synonyms=("from", "begin", "began", "start time", "stop time", "von", "beginn", "down since")),
        Field("end", gettext_lazy("End"), MOMENT,
              synonyms=("to", "until", "end time", "restart", "bis", "ende", "up since")),
        Field("minutes", gettext_lazy("Duration in minutes"), NUMBER, smallest=0,
              help=gettext_lazy("Instead of an end."),
              synonyms=("duration", "duration min", "dauer", "minutes down")),
        Field("reason", gettext_lazy("Reason"), CHOICE, choices=reasons_of,
              synonyms=("reason code", "cause", "grund", "category")),
        Field("planned", gettext_lazy("Planned"), TRUTH, synonyms=("is planned", "geplant")),
        Field("planned_end", gettext_lazy("Planned end"), MOMENT),
        Field("is_failure", gettext_lazy("It was a failure"), TRUTH, synonyms=("failure", "breakdown", "störung")),
        Field("note", gettext_lazy("Note"), longest=300, synonyms=("comment", "remark", "text", "bemerkung")),
        Field("external_id", gettext_lazy("External id"), longest=120, synonyms=("id", "record id", "event id")),
    ]  # fmt: skip
    options = [
        Option("failures", gettext_lazy("Every unplanned stop was a failure"),
               gettext_lazy("Otherwise only those that a column marks as such count in MTBF and MTTR.")),
    ]  # fmt: skip

    def importer(self, job: Job) -> Importer:
        return DowntimeImporter(job)


class DowntimeImporter(Importer):
    def __init__(self, job: Job):
        super().__init__(job)
        self.assets = AssetsByCode(job.site)
        self.reasons = {reason.code: reason for reason in DowntimeReason.objects.at(job.site)}

    def take(self, rows: list[Row]) -> None:
        self.assets.of(rows)
        entries = []
        for row in valid(rows):
            entry = self.entry(row)
            if row.state == "new":
                entries.append((row, entry))
        outcomes = record_stops([entry for _row, entry in entries], by=self.job.by, source=Source.IMPORT)
        created = []
        for (row, _entry), outcome in zip(entries, outcomes, strict=True):
            if outcome.error:
                row.refuse(outcome.error.field or "", outcome.error.message)
            elif outcome.status == "unchanged":
                row.state = "unchanged"
            elif outcome.status == "created":
                created.append(outcome.row)
        self.job.keep(created)
        self.job.keep(Failure.objects.filter(downtime__in=[stop.pk for stop in created]))

    def entry(self, row: Row) -> StopEntry:
        values = row.values
        end = ends_at(row)
        reason = self.reasons.get(values.get("reason", ""))
        planned = values.get("planned")
        is_failure = values.get("is_failure")
        if is_failure is None and "failures" in self.job.options:
            is_failure = not (planned if planned is not None else bool(reason and reason.planned))
        return StopEntry(
            values["asset"], values["start"], end, reason, planned, values.get("planned_end"), values.get("note", ""),
            row.external_id, is_failure,
        )  # fmt: skip


def ends_at(row: Row):
    """The end that the row gives, or its start plus its minutes; refused if both are given and disagree."""
    values = row.values
    minutes: Decimal | None = values.get("minutes")
    if minutes is None:
        return values.get("end")
    end = values["start"] + timedelta(seconds=float(minutes * 60))
    if "end" in values and abs((values["end"] - end).total_seconds()) >= 60:
        row.refuse("minutes", _("does not agree with the end"))
    return values.get("end", end)


register(AssetImport())
register(DowntimeImport())
