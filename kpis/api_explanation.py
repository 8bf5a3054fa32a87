"""What the explanation of a figure tells of its records in the REST API: sources, delay of entry, what is left out."""

from rest_framework import serializers

from assets.models import Asset
from kpis import telling
from kpis.excluding import Why
from kpis.explaining import Explanation
from kpis.lost_time import TimeWent
from kpis.models import Occasion


class PartySerializer(serializers.Serializer):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


def party(row) -> dict | None:
    return row and {"id": row.pk, "code": row.code, "name": row.name}


class CoveredSerializer(PartySerializer):
    records = serializers.IntegerField()


class GivenSerializer(serializers.Serializer):
    """What one source gave of one kind of record in the window; `covers` assets, of which the first are listed."""

    kind = serializers.ChoiceField(list(telling.KINDS))
    source = serializers.ChoiceField(list(telling.SOURCES.items()))
    records = serializers.IntegerField()
    last_entered = serializers.DateTimeField()
    last = serializers.IntegerField(help_text="Id of the record that was entered last.")
    covers = serializers.IntegerField()
    assets = CoveredSerializer(many=True)


class LagSerializer(serializers.Serializer):
    """Seconds between the beginning of the window's stops and their entry; negative ones count as 0."""

    stops = serializers.IntegerField()
    median = serializers.FloatField()
    p90 = serializers.FloatField()
    longest = serializers.FloatField()
    longest_stop = serializers.IntegerField()
    later_than_a_day = serializers.IntegerField()


class CompletionsSerializer(serializers.Serializer):
    """Seconds between the end of the work on a figure's orders and their completion here; negative ones count as 0."""

    orders = serializers.IntegerField()
    median = serializers.FloatField()
    p90 = serializers.FloatField()
    longest = serializers.FloatField()
    longest_order = serializers.IntegerField()
    later_than_a_day = serializers.IntegerField()


class ComputedSerializer(serializers.Serializer):
    """A run that wrote the stored facts of `assets` of the assets last."""

    run = serializers.IntegerField(allow_null=True)
    occasion = serializers.ChoiceField(Occasion.choices, allow_null=True)
    first = serializers.DateTimeField()
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_blank=True)
    assets = serializers.IntegerField()


class TotalSerializer(serializers.Serializer):
    type = serializers.ChoiceField(["stop", "failure"])
    why = serializers.ChoiceField([(str(each), telling.WHY[each]) for each in Why])
    words = serializers.CharField()
    records = serializers.IntegerField()


class NotCountedRecordSerializer(serializers.Serializer):
    type = serializers.ChoiceField(["stop", "failure"])
    id = serializers.IntegerField()
    asset = serializers.CharField()
    at = serializers.DateTimeField()
    why = serializers.ChoiceField([(str(each), telling.WHY[each]) for each in Why])
    by = serializers.IntegerField(allow_null=True, help_text="The stop that has its time already.")


class NotCountedSerializer(serializers.Serializer):
    """Stops and failures of the window that do not count: exact totals by reason, and the newest hundred of each.

    `judged` is false where there are too many to look at each; then there are neither.
    """

    judged = serializers.BooleanField()
    totals = TotalSerializer(many=True)
    records = NotCountedRecordSerializer(many=True)


class WentSerializer(serializers.Serializer):
    """A part of the time: negative seconds are a gain; `lowers` names a figure, "" of the good time."""

    key = serializers.CharField()
    name = serializers.CharField()
    seconds = serializers.FloatField()
    share = serializers.FloatField()
    lowers = serializers.CharField(allow_blank=True)


class LoserSerializer(PartySerializer):
    """A machine and its part of the largest loss, of which it has this `share`."""

    seconds = serializers.FloatField()
    share = serializers.FloatField()


class TimeWentSerializer(serializers.Serializer):
    """Where the `seconds` of planned production time (of TEEP calendar time) went, in parts that add up to them.

    Losses come from the largest down, then the good time. `largest` is the key of the largest that lowers this figure;
    of reduced speed, scrap and rework `machines` are those that lost most by it, first; of too many none is named.
    """

    whole = serializers.ChoiceField(["planned_production_time", "calendar_time"])
    seconds = serializers.FloatField()
    parts = WentSerializer(many=True)
    largest = serializers.CharField(allow_null=True)
    machines = LoserSerializer(many=True)
    too_many = serializers.BooleanField()


class RecordsSerializer(serializers.Serializer):
    """What an explanation tells of the records as a whole."""

    computed = ComputedSerializer(many=True)
    sources = GivenSerializer(many=True)
    quiet = PartySerializer(many=True, help_text="Assets with records, but none in this window; 200 at most.")
    quiet_assets = serializers.IntegerField()
    entry_lag = LagSerializer(allow_null=True)
    completion_lag = CompletionsSerializer(allow_null=True)
    not_counted = NotCountedSerializer(allow_null=True)
    uncounted = PartySerializer(many=True, help_text="Assets that a figure about counts leaves out: without any.")
    time_went = TimeWentSerializer(
        allow_null=True, help_text="Of OEE, its performance and quality, and TEEP, where something was counted."
    )


def records_row(why: Explanation) -> dict:
    """The values of a `RecordsSerializer`."""
    return {
        "computed": [
            {"run": each.run, "occasion": each.occasion, "first": each.first, "at": each.at, "by": each.by,
             "assets": each.assets}
            for each in why.computed
        ],
        "sources": [
            {"kind": each.kind, "source": each.source, "records": each.records, "last_entered": each.last,
             "last": each.last_id, "covers": each.covers,
             "assets": [covered(asset, number) for asset, number in each.assets]}
            for each in (why.sources.given if why.sources else ())
        ],
        "quiet": [party(asset) for asset in why.sources.listed] if why.sources else [],
        "quiet_assets": why.sources.quiet if why.sources else 0,
        "entry_lag": why.lag and {
            "stops": why.lag.stops, "median": why.lag.median, "p90": why.lag.ninth_decile, "longest": why.lag.longest,
            "longest_stop": why.lag.longest_id, "later_than_a_day": why.lag.late,
        },
        "completion_lag": why.completions and {
            "orders": why.completions.orders, "median": why.completions.median, "p90": why.completions.ninth_decile,
            "longest": why.completions.longest, "longest_order": why.completions.longest_id,
            "later_than_a_day": why.completions.late,
        },
        "not_counted": why.not_counted and {
            "judged": why.not_counted.judged,
            "totals": [
                {"type": each.type, "why": each.why, "words": str(each.words), "records": each.records}
                for each in telling.totals(why.not_counted)
            ],
            "records": [
                {"type": each.type, "id": each.row.pk, "asset": each.row.asset.code, "at": each.at, "why": each.why,
                 "by": each.by and each.by.pk}
                for each in telling.rows(why.not_counted.rows)
            ],
        },
        "uncounted": [party(asset) for asset in why.uncounted],
        "time_went": why.went and time_went_row(why, why.went),
    }  # fmt: skip


def time_went_row(why: Explanation, went: TimeWent) -> dict:
    rows = {asset.pk: asset for asset in why.assets}
    return {
        "whole": went.whole,
        "seconds": went.seconds,
        "parts": [
            {"key": each.key, "name": str(each.name), "seconds": each.seconds, "share": each.share,
             "lowers": each.lowers}
            for each in went.parts
        ],
        "largest": went.largest and went.largest.key,
        "machines": [
            {**party(rows[each.asset]), "seconds": each.seconds, "share": each.share}
            for each in went.losers
            if each.asset in rows
        ],
        "too_many": went.too_many,
    }  # fmt: skip


def covered(asset: Asset, number: int) -> dict:
    return {**party(asset), "records": number}
