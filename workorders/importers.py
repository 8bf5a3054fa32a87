"""Importing the work orders of another system: what was done before Tandem, and what is still open."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets import tree
from assets.importers import AssetsByCode, valid
from assets.models import Failure, Placement, Source
from core.errors import DomainError
from core.events import record_many
from core.imports.kinds import CHOICE, MOMENT, NUMBER, TRUTH, Field, Importer, Job, Kind, Option, Row, register
from workorders.models import Cost, WorkOrder
from workorders.priority import judge
from workorders.raising import take_numbers
from workorders.states import Kind as WorkKind
from workorders.states import Priority, State

STATES = {
    state.value: state.label for state in (State.CLOSED, State.CANCELLED, State.DRAFT, State.APPROVED)
}  # the others need people, steps or labour, which a table does not bring


class WorkOrderImport(Kind):
    slug, label, icon, capability = "work-orders", gettext_lazy("Work orders"), "clipboard-list", "plan"
    lead = gettext_lazy("The orders of a former system, closed unless a column says otherwise, with their cost.")
    # Two orders may well say the same on the same day.
    keeps_repeated_rows = True
    fields = [
        Field("asset", gettext_lazy("Asset"), required=True,
              synonyms=("asset code", "machine", "equipment", "functional location", "anlage")),
        Field("summary", gettext_lazy("Summary"), required=True,
              synonyms=("short text", "shorttext", "original short text", "description", "title", "kurztext", "text")),
        Field("reported_at", gettext_lazy("Reported"), MOMENT, required=True,
              synonyms=("date", "created", "created on", "basic start date", "bsc start date", "start date", "raised",
                        "datum", "eckstart")),
        Field("kind", gettext_lazy("Kind"), CHOICE, choices=dict(WorkKind.choices),
              synonyms=("type", "order type", "pm type", "pmtype", "work type", "auftragsart")),
        Field("state", gettext_lazy("State"), CHOICE, choices=STATES, synonyms=("status",)),
        Field("description", gettext_lazy("Description"), synonyms=("long text", "details", "langtext")),
        Field("priority", gettext_lazy("Priority"), CHOICE,
              choices={str(value): label for value, label in Priority.choices}, synonyms=("priorität",)),
        Field("started_at", gettext_lazy("Started"), MOMENT, synonyms=("actual start", "work start", "iststart")),
        Field("completed_at", gettext_lazy("Completed"), MOMENT,
              synonyms=("finished", "actual finish", "closed", "completed on", "istende", "end date")),
        Field("due_to", gettext_lazy("Due by"), MOMENT, synonyms=("due", "due date", "required end", "fällig")),
        Field("cost", gettext_lazy("Cost"), NUMBER,
              synonyms=("total cost", "actual cost", "amount", "kosten", "total actual cost")),
        Field("completion_note", gettext_lazy("What was done"), synonyms=("resolution", "remedy", "work done")),
        Field("was_failure", gettext_lazy("It was a failure"), TRUTH, synonyms=("failure", "breakdown", "störung")),
        Field("external_id", gettext_lazy("External id"), longest=120,
              synonyms=("order", "order number", "work order", "wo", "wo number", "auftrag", "id")),
    ]  # fmt: skip
    options = [
        Option("create_assets", gettext_lazy("Create the assets that the site does not have"),
               gettext_lazy("As machines named by their code, to be put in their place later.")),
        Option("failures", gettext_lazy("Every corrective order was a failure"),
               gettext_lazy("They count in MTBF then. Without this, only those that a column marks as failures do.")),
    ]  # fmt: skip

    def importer(self, job: Job) -> Importer:
        return WorkOrderImporter(job)


class WorkOrderImporter(Importer):
    def __init__(self, job: Job):
        super().__init__(job)
        self.assets = AssetsByCode(job.site)
        self.now = timezone.now()

    def take(self, rows: list[Row]) -> None:
        if "create_assets" in self.job.options:
            self.create_assets(rows)
        self.assets.of(rows)
        ids = [row.external_id for row in rows]
        imported = WorkOrder.objects.at(self.job.site).filter(source=Source.IMPORT, external_id__in=ids)
        known = dict(imported.values_list("external_id", "summary"))
        orders: list[tuple[Row, WorkOrder]] = []
        for row in valid(rows):
            self.check(row)
            if row.state != "new":
                continue
            if row.external_id in known:
                self.again(row, known[row.external_id])
                continue
            orders.append((row, self.order(row)))
        self.write(orders)

    def create_assets(self, rows: list[Row]) -> None:
        probe = [Row(row.line, {"asset": row.values["asset"]}, "", []) for row in rows if "asset" in row.values]
        self.assets.of(probe)
        for code in dict.fromkeys(row.values["asset"] for row in probe if row.state == "rejected"):
            if self.assets.found.get(code.upper()):
                continue
            try:
                asset = tree.create(self.job.site, {"code": code, "name": code}, by=self.job.by)
            except DomainError:
                continue  # the row itself is refused for its unknown asset
            self.assets.add(asset)
            self.job.keep([asset, *Placement.objects.filter(asset=asset)])

    def check(self, row: Row) -> None:
        values = row.values
        if len(values["summary"]) > 200:
            rest = values["summary"]
            values["summary"] = rest[:199] + "…"
            values["description"] = f"{rest}\n\n{values.get('description', '')}".strip()
        for name in ("reported_at", "started_at", "completed_at"):
            if name in values and values[name] > self.now:
                row.refuse(name, _("lies in the future"))
        if "started_at" in values and "completed_at" in values and values["completed_at"] < values["started_at"]:
            row.refuse("completed_at", _("lies before the start of the work"))
        if self.state(values) in (State.DRAFT, State.APPROVED) and {"started_at", "completed_at"} & values.keys():
            row.refuse("state", _("an open order has neither start nor completion here"))
        if "was_failure" in values and values["was_failure"] and "completed_at" in values:
            self.after_report(row)

    def after_report(self, row: Row) -> None:
        if row.values["completed_at"] < row.values["reported_at"]:
            row.refuse("completed_at", _("lies before it was reported"))

    def again(self, row: Row, summary: str) -> None:
        """A row that was imported before; people may have worked on the order since, so only its text is compared."""
        if row.external_id.startswith("row-") or summary == row.values["summary"]:
            row.state = "unchanged"
        else:
            row.refuse("external_id", _("was imported before with the summary “%(summary)s”") % {"summary": summary})

    def state(self, values: dict[str, Any]) -> str:
        return values.get("state", State.CLOSED)

    def order(self, row: Row) -> WorkOrder:
        values = row.values
        state = self.state(values)
        kind = values.get("kind", WorkKind.CORRECTIVE)
        reported: datetime = values["reported_at"]
        completed: datetime | None = values.get("completed_at")
        known_last = completed or values.get("started_at") or reported
        was_failure = values.get("was_failure")
        if was_failure is None and "failures" in self.job.options:
            was_failure = kind == WorkKind.CORRECTIVE and state == State.CLOSED
        order = WorkOrder(
            site=self.job.site, asset=values["asset"], kind=kind, summary=values["summary"],
            description=values.get("description", ""), state=state, reported_at=reported, created=reported,
            state_since=known_last, started_at=values.get("started_at"), completed_at=completed,
            closed_at=known_last if state == State.CLOSED else None, due_to=values.get("due_to"),
            completion_note=values.get("completion_note", ""), was_failure=was_failure, source=Source.IMPORT,
            external_id=row.external_id, state_note=_("Imported") if state == State.CANCELLED else "",
        )  # fmt: skip
        order.priority = int(values["priority"]) if "priority" in values else self.priority(order)
        return order

    def priority(self, order: WorkOrder) -> int:
        judgement = judge(
            criticality=order.asset.criticality, consequence=order.consequence, likelihood=order.likelihood
        )
        return judgement.priority.value

    def write(self, orders: list[tuple[Row, WorkOrder]]) -> None:
        failures = {}
        for row, order in orders:
            if order.was_failure:
                failures[row.line] = Failure(
                    asset=order.asset, occurred=order.reported_at, restored=order.completed_at,
                    note=order.summary, source=Source.IMPORT, external_id=f"order-{row.external_id}"[:120],
                    entered_by=self.job.by,
                )  # fmt: skip
        self.job.keep(Failure.objects.bulk_create(failures.values(), batch_size=1000))
        numbers = take_numbers(self.job.site, len(orders))
        for (row, order), number in zip(orders, numbers, strict=True):
            order.number = number
            order.failure = failures.get(row.line)
        made = WorkOrder.objects.bulk_create((order for _row, order in orders), batch_size=1000)
        self.job.keep(made)
        costs = [
            Cost(
                order=order, source=Cost.Source.UNDIVIDED, amount=row.values["cost"],
                at=order.completed_at or order.reported_at,
            )
            for row, order in orders
            if row.values.get("cost")
        ]  # fmt: skip
        self.job.keep(Cost.objects.bulk_create(costs, batch_size=1000))
        if made:
            record_many(
                "work_order.imported", made, by=self.job.by, summary=lambda order: f"#{order.number} imported",
                site=self.job.site,
            )  # fmt: skip


register(WorkOrderImport())
