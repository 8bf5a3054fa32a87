"""How the REST API tells what a figure of work was when its week or month was reported."""

from dataclasses import asdict

from rest_framework import serializers

from kpis.published import Published


class ChangedRecordSerializer(serializers.Serializer):
    """A record that is another one today; `before` or `after` is null where it was not, or is no longer, among them."""

    kind = serializers.CharField()
    id = serializers.IntegerField()
    label = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    summary = serializers.CharField(help_text="What was said of it last, since it was reported.")
    by = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class PublishedSerializer(serializers.Serializer):
    """The figure as it was reported, and the records that make it another one today."""

    at = serializers.DateTimeField()
    version = serializers.IntegerField(help_text="Of the definition at that time.")
    value = serializers.FloatField(allow_null=True)
    status = serializers.CharField()
    inputs = serializers.DictField(child=serializers.FloatField(allow_null=True))
    differs = serializers.BooleanField()
    changed = ChangedRecordSerializer(many=True)
    more = serializers.IntegerField(help_text="Further records that differ.")


def published_row(found: Published) -> dict:
    return {
        "at": found.at,
        "version": found.version,
        "value": found.figure.value,
        "status": found.figure.status,
        "inputs": found.figure.inputs,
        "differs": found.differs,
        "changed": [
            {
                "kind": each.kind,
                "id": each.id,
                "label": each.record.label,
                "before": each.before and asdict(each.before),
                "after": each.after and asdict(each.after),
                "summary": each.event.summary if each.event else "",
                "by": each.event.actor.username if each.event and each.event.actor else None,
                "at": each.event and each.event.at,
            }
            for each in found.changed
        ],
        "more": found.more,
    }
