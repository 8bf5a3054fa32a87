"""What every key figure means, in the REST API."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from core.api.resource import Door
from kpis.definitions import DEFINITIONS, Definition
from kpis.versions import versions_of


class VersionSerializer(serializers.Serializer):
    """How a figure is, or was, defined: from `since` until before `until`."""

    version = serializers.IntegerField()
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True, help_text="The day on which the next version began; null: it holds.")
    changed = serializers.CharField(help_text="What it changed against the version before.")
    formula = serializers.CharField()
    doc = serializers.CharField()


class DefinitionSerializer(serializers.Serializer):
    """A key figure as it is defined now, and all of its versions, the present one first."""

    definition = serializers.CharField()
    name = serializers.CharField()
    formula = serializers.CharField()
    doc = serializers.CharField()
    unit = serializers.CharField(
        help_text="`share`: 0.95 is 95 %; `money`: in the currency of the site; `money per unit`: for each piece."
    )
    better = serializers.ChoiceField(["higher", "lower"])
    version = serializers.IntegerField()
    since = serializers.DateField(allow_null=True)
    versions = VersionSerializer(many=True)


class Definitions(Door):
    """What every key figure means."""

    @extend_schema(operation_id="kpis_definitions", responses=DefinitionSerializer(many=True))
    def get(self, request):
        """All definitions: name, formula in words, unit, which direction is good, and every version with its dates."""
        return Response([as_row(each) for each in DEFINITIONS.values()])


def as_row(definition: Definition) -> dict:
    versions = versions_of(definition.key)
    return {
        "definition": definition.key,
        "name": str(definition.name),
        "formula": str(definition.formula),
        "doc": str(definition.doc),
        "unit": definition.unit,
        "better": definition.better,
        "version": definition.version,
        "since": versions[0].since,
        "versions": [
            {
                "version": each.number,
                "since": each.since,
                "until": each.until,
                "changed": str(each.changed),
                "formula": str(each.definition.formula),
                "doc": str(each.definition.doc),
            }
            for each in versions
        ],
    }
