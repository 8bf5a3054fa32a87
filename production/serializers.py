"""What the REST API reads and answers about operating calendars and counts."""

from rest_framework import serializers

from assets.serializers import SENDERS, AssetReference
from core.api.fields import WallClock
from core.api.serializers import RowSerializer
from core.serializers import SiteReference
from production.models import CalendarException, Count, ExceptionSlot, OperatingCalendar, WeeklySlot


class WeeklySlotSerializer(RowSerializer):
    """Scheduled time on a weekday (0 is Monday), local wall clock; an end at or before the start is on the next day."""

    start = WallClock()
    end = WallClock()

    class Meta:
        model = WeeklySlot
        fields = ["weekday", "start", "end"]


class ExceptionSlotSerializer(RowSerializer):
    """Scheduled time on an exception's date."""

    start = WallClock()
    end = WallClock()

    class Meta:
        model = ExceptionSlot
        fields = ["start", "end"]


class ExceptionSerializer(RowSerializer):
    """A date whose intervals replace those of the week; none means closed."""

    intervals = ExceptionSlotSerializer(source="slots", many=True)

    class Meta:
        model = CalendarException
        fields = ["date", "name", "intervals"]


class CalendarSerializer(RowSerializer):
    """When an asset, or (without one) a whole site, is scheduled to run, from `valid_from` to before `valid_to`."""

    site = SiteReference(required=False, help_text="The asset's, unless sent; needed without an asset.")
    asset = AssetReference(required=False, allow_null=True)
    weekly = WeeklySlotSerializer(many=True, required=False)
    exceptions = ExceptionSerializer(many=True, required=False)

    class Meta:
        model = OperatingCalendar
        fields = ["id", "site", "asset", "name", "valid_from", "valid_to", "weekly", "exceptions", "version"]
        read_only_fields = ["version"]


class CountSerializer(RowSerializer):
    """What an asset made during [start, end); `ideal_cycle`: seconds per piece, as in the last count unless sent."""

    asset = AssetReference()
    ideal_cycle = serializers.DecimalField(max_digits=12, decimal_places=6, required=False)
    source = serializers.ChoiceField(choices=SENDERS, required=False, help_text="api unless sent; stays as it is.")

    class Meta:
        model = Count
        fields = [
            "id",
            "asset",
            "product",
            "start",
            "end",
            "good",
            "scrap",
            "rework",
            "ideal_cycle",
            "source",
            "external_id",
            "entered_at",
            "version",
        ]
        read_only_fields = ["entered_at", "version"]
