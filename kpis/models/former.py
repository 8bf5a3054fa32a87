"""What was reported before: rows as they were, and the figures of work of past weeks and months."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.models import Site
from core.querysets import SiteScoped
from kpis.models.facts import asset_key

# Changes of these tables move scheduled time, or who counts; those of records are told by revised days.
PLAN = [
    "assets_asset", "assets_placement", "kpis_factstate", "production_operatingcalendar", "production_weeklyslot",
    "production_calendarexception", "production_exceptionslot", "kpis_silence",
]  # fmt: skip


class FormerRow(models.Model):
    """A row that figures rest on, as it was before a change: of calendars, placements, lives, and reported records.

    Triggers write it with the change; of silences, which are found and not recorded, what finds them does. The views of
    the schema `kpis_former` show the tables as they were before a moment (`kpis.facts.former`). `row` is None for a row
    that was not there. `asset` is whose it is, None for all of the site; `start` to `end` the time it is about.
    """

    at = models.DateTimeField(_("changed"), db_default=Now())
    site = models.ForeignKey(Site, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    asset = asset_key(null=True)
    kind = models.CharField(max_length=40)  # the table
    row_id = models.BigIntegerField()
    row = models.JSONField(null=True)
    start = models.DateTimeField(_("from"), null=True)  # null: since ever
    end = models.DateTimeField(_("to"), null=True)  # null: open
    source = models.CharField(max_length=60)  # named as events name it
    source_id = models.BigIntegerField()

    objects = SiteScoped.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "row_id", "at"], name="former_row_of_row"),
            models.Index(fields=["kind", "asset", "at"], name="former_row_of_asset"),
            models.Index(fields=["site", "at"], condition=Q(kind__in=PLAN), name="former_row_of_plan"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id} before {self.at:%Y-%m-%d %H:%M}"


class SettledChange(models.Model):
    """When all that changes of one moment at a site reach was computed again: until then nothing of it was reported.

    A trigger writes one for the former rows of a moment, whose `settled` comes with the run that works them off.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    at = models.DateTimeField(_("changed"))
    settled = models.DateTimeField(_("worked off"), null=True)

    objects = SiteScoped.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "at"], name="settled_change_once")]
        indexes = [models.Index(fields=["site"], condition=Q(settled=None), name="settled_change_open")]

    def __str__(self) -> str:
        return f"{self.site_id} {self.at:%Y-%m-%d %H:%M}"


class PublishedWork(models.Model):
    """Figures of work of one week or month as they were when it was over, of a site or of what is below one asset.

    One row for each kind of records (`kpis.definitions.WorkDefinition.records`): `figures` by definition have version,
    value, status and inputs; `rows` are the records behind them, as `kpis.facts.work_rows.Record`, the newest only
    where there are many. Never written again: what differs today is told beside it (`kpis.published`).
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, null=True, related_name="+")
    first = models.DateField(_("first production day"))
    past = models.DateField(_("day after the last"))
    records = models.CharField(max_length=20)
    figures = models.JSONField()
    rows = models.JSONField()
    at = models.DateTimeField(_("reported"))

    objects = SiteScoped.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "asset", "first", "past", "records"], nulls_distinct=False, name="published_work_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.records} {self.first} to {self.past}"
