"""Importing production counts."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.importers import AssetsByCode, ends_at, valid
from assets.models import Source
from core.imports.kinds import MOMENT, NUMBER, Field, Importer, Job, Kind, Row, register
from production.counting import CountEntry, record_counts

QUANTITIES = ("good", "scrap", "rework")


class CountImport(Kind):
    slug, label, icon, capability = "counts", gettext_lazy("Production counts"), "packages", "record"
    lead = gettext_lazy("What an asset made between two moments, and how long one piece ideally takes.")
    identity_within = ("asset",)
    fields = [
        Field("asset", gettext_lazy("Asset"), required=True, synonyms=("asset code", "machine", "line", "anlage")),
        Field("start", gettext_lazy("Start"), MOMENT, required=True, synonyms=("from", "begin", "von", "shift start")),
        Field("end", gettext_lazy("End"), MOMENT, synonyms=("to", "until", "bis", "ende", "shift end")),
        Field("minutes", gettext_lazy("Duration in minutes"), NUMBER, smallest=0,
              help=gettext_lazy("Instead of an end."),
              synonyms=("duration", "dauer")),
        Field("total", gettext_lazy("Total pieces"), NUMBER, smallest=0, synonyms=("total", "produced", "gesamt"),
              help=gettext_lazy("Instead of the good ones, which are then what scrap and rework leave.")),
        Field("good", gettext_lazy("Good pieces"), NUMBER, smallest=0, synonyms=("good", "ok", "gut", "good count")),
        Field("scrap", gettext_lazy("Scrap"), NUMBER, smallest=0, synonyms=("rejects", "ausschuss", "nok")),
        Field("rework", gettext_lazy("Rework"), NUMBER, smallest=0, synonyms=("nacharbeit",)),
        Field("ideal_cycle", gettext_lazy("Ideal seconds per piece"), NUMBER,
              synonyms=("ideal cycle", "cycle time", "taktzeit", "ideal cycle time")),
        Field("ideal_rate", gettext_lazy("Ideal pieces per hour"), NUMBER, help=gettext_lazy("Instead of a cycle."),
              synonyms=("rate", "ideal rate", "nominal speed", "leistung")),
        Field("product", gettext_lazy("Product"), longest=80, synonyms=("article", "sku", "material", "artikel")),
        Field("external_id", gettext_lazy("External id"), longest=120, synonyms=("id", "record id")),
    ]  # fmt: skip

    def importer(self, job: Job) -> Importer:
        return CountImporter(job)


class CountImporter(Importer):
    def __init__(self, job: Job):
        super().__init__(job)
        self.assets = AssetsByCode(job.site)

    def take(self, rows: list[Row]) -> None:
        self.assets.of(rows)
        entries = []
        for row in valid(rows):
            entry = self.entry(row)
            if entry is not None and row.state == "new":
                entries.append((row, entry))
        outcomes = record_counts([entry for _row, entry in entries], by=self.job.by, source=Source.IMPORT)
        created = []
        for (row, _entry), outcome in zip(entries, outcomes, strict=True):
            if outcome.error:
                row.refuse(outcome.error.field or "", outcome.error.message)
            elif outcome.status == "unchanged":
                row.state = "unchanged"
            else:
                created.append(outcome.row)
        self.job.keep(created)

    def entry(self, row: Row) -> CountEntry | None:
        values = row.values
        end = ends_at(row)
        if end is None:
            row.refuse("end", _("give an end or a duration"))
        if not {"total", *QUANTITIES} & values.keys():
            row.refuse("good", _("no pieces are given"))
        made = {name: values.get(name, Decimal(0)) for name in QUANTITIES}
        if "total" in values:
            rest = values["total"] - made["scrap"] - made["rework"]
            if rest < 0:
                row.refuse("total", _("is less than scrap and rework together"))
            elif "good" in values and values["good"] != rest:
                row.refuse("total", _("does not agree with good, scrap and rework"))
            made["good"] = rest
        cycle = values.get("ideal_cycle")
        if cycle is None and values.get("ideal_rate"):
            cycle = round(Decimal(3600) / values["ideal_rate"], 6)
        if row.state != "new":
            return None
        return CountEntry(
            values["asset"], values["start"], end, **made, ideal_cycle=cycle, product=values.get("product", ""),
            external_id=row.external_id,
        )  # fmt: skip


register(CountImport())
