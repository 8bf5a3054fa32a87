"""Key figures in the REST API: many at once, and the explanation of one."""

from dataclasses import asdict

from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response

from core.api.resource import Door
from core.errors import Refused
from core.models import OeeProfile
from core.snapshot import one_snapshot
from kpis import explaining, exporting, figures, inputs, questions, trusting
from kpis.api_explanation import PartySerializer, RecordsSerializer, party, records_row
from kpis.api_published import PublishedSerializer, published_row
from kpis.api_reliability import TrendSerializer, trend_row
from kpis.cutting import BY
from kpis.definitions import DEFINITIONS
from kpis.figures import SCOPES, Figure
from kpis.trust import Of

PARAMETERS = [
    OpenApiParameter(
        "asset", str, description="Ids or codes, separated by commas; without it the whole site is asked for."
    ),
    OpenApiParameter(
        "site", str, description="Id or code; needed without `asset`, and by codes that several sites have."
    ),
    OpenApiParameter(
        "from", str, required=True, description="Instant with offset, or a date (start of its production day)."
    ),
    OpenApiParameter("to", str, required=True, description="Instant with offset, or a date; not included."),
    OpenApiParameter("scope", str, enum=SCOPES, description="The asset alone, its machines, or everything below it."),
]
VERSION = OpenApiParameter(
    "definition_version",
    int,
    description="The version of the one definition asked for, where not the one that holds (`kpis/definitions/`).",
)
OF_ONE = [*PARAMETERS, OpenApiParameter("definition", str, required=True, enum=list(DEFINITIONS)), VERSION]


class IntervalSerializer(serializers.Serializer):
    confidence = serializers.FloatField()
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    few_failures = serializers.BooleanField(help_text="It rests on fewer than five failures and says little.")


FigureSerializer = type(
    "FigureSerializer",
    (serializers.Serializer,),
    {
        "asset": PartySerializer(allow_null=True),
        "site": PartySerializer(),
        "definition": serializers.ChoiceField(list(DEFINITIONS)),
        "version": serializers.IntegerField(),
        "from": serializers.DateTimeField(),
        "to": serializers.DateTimeField(),
        "value": serializers.FloatField(allow_null=True),
        "unit": serializers.CharField(),
        "status": serializers.CharField(),
        "reason": serializers.CharField(),
        "coverage": serializers.FloatField(allow_null=True),
        "inputs": serializers.DictField(child=serializers.FloatField()),
        "interval": IntervalSerializer(allow_null=True),
        "profile": serializers.ChoiceField(
            OeeProfile.choices,
            allow_null=True,
            help_text="Of OEE and its factors: which stops are performance losses at the site.",
        ),
        "computed_at": serializers.DateTimeField(),
        "__doc__": "One figure: a value, or the reason why there is none.",
    },
)


class CauseSerializer(serializers.Serializer):
    type = serializers.CharField()
    id = serializers.IntegerField(allow_null=True)
    summary = serializers.CharField()
    by = serializers.CharField(allow_null=True)


class RevisionSerializer(serializers.Serializer):
    """What the figure was until it was computed again, and what changed it."""

    until = serializers.DateTimeField()
    value = serializers.FloatField(allow_null=True)
    status = serializers.CharField()
    because = CauseSerializer()
    changes = serializers.IntegerField()


class ScoreSerializer(serializers.Serializer):
    part = serializers.CharField()
    value = serializers.FloatField()
    wrong = serializers.IntegerField()
    whole = serializers.IntegerField()
    of = serializers.ChoiceField(
        list(Of), allow_null=True, help_text="Of a figure of work: what the records are that this is about."
    )


class SensitivitySerializer(serializers.Serializer):
    """MTBF if the stops and corrective orders of which nobody said what they were had been failures."""

    unclassified = serializers.IntegerField()
    orders = serializers.IntegerField()
    value = serializers.FloatField()
    at_least = serializers.BooleanField(
        help_text="They were too many to see which would be a further item of another failure."
    )


class TrustSerializer(serializers.Serializer):
    """How far the figure may be trusted, A to D; `advice` is what would raise the grade most.

    Null for a window that has not begun, and for a figure of work without a value of which nothing was asked.
    """

    grade = serializers.CharField()
    value = serializers.FloatField()
    advice = serializers.CharField()
    scores = ScoreSerializer(many=True)
    sensitivity = SensitivitySerializer(allow_null=True)


SilentSerializer = type(
    "SilentSerializer",
    (serializers.Serializer,),
    {
        "asset": PartySerializer(),
        "from": serializers.DateField(allow_null=True, help_text="Null: before its first record."),
        "to": serializers.DateField(allow_null=True, help_text="The last of these days. Null: it lasts."),
        "days": serializers.IntegerField(help_text="For how many days it may be silent."),
        "set_at": serializers.ChoiceField(["asset", "site"], help_text="Whose setting that is."),
        "__doc__": "Production days on which the source of an asset was silent, so that nobody knows how it did.",
    },
)


class ExplanationSerializer(RecordsSerializer):
    """A figure with its formula, the records that went in, and what was left out."""

    figure = FigureSerializer()
    factors = FigureSerializer(many=True, help_text="Whose product OEE is; of other figures none.")
    beside = FigureSerializer(
        many=True,
        help_text="Of MTTR its median, 90th percentile and MTTR in scheduled hours; of MTBF that by items; else none.",
    )
    otherwise = FigureSerializer(many=True, help_text="The same as other versions of the definition have it.")
    formula = serializers.CharField()
    calculation = serializers.CharField()
    on_calendar_time = serializers.BooleanField(
        help_text="Of an MTBF: no operating calendar holds and no stop took time, so that operating time is all of it."
    )
    doc = serializers.CharField()
    rules = serializers.ListField(
        child=serializers.CharField(), help_text="Settings of the site that say what the figure counts, in words."
    )
    calendars = serializers.ListField(
        child=serializers.DictField(),
        help_text="`how` it is followed: own, inherited (`of` which asset), site, none (24/7).",
    )
    stops = serializers.ListField(child=serializers.DictField())
    failures = serializers.ListField(child=serializers.DictField())
    counts = serializers.ListField(child=serializers.DictField())
    records = serializers.ListField(child=serializers.DictField())
    left_out = serializers.ListField(child=serializers.CharField())
    unobserved = PartySerializer(many=True)
    silent = SilentSerializer(many=True)
    overlap = serializers.FloatField(
        help_text="Seconds by which `lost` of the listed stops adds up to more than they took, since they overlap."
    )
    open_stops = serializers.IntegerField()
    entered_late = serializers.IntegerField()
    revisions = RevisionSerializer(many=True)
    changing = serializers.BooleanField(
        help_text="Changed days wait to be computed again; `revisions` are told once they are."
    )
    untold = serializers.BooleanField(
        help_text="Parts of days of too many assets changed to form `revisions`; whole days or fewer assets have them."
    )
    published = PublishedSerializer(allow_null=True)
    trust = TrustSerializer(allow_null=True)
    truncated = serializers.BooleanField()
    trend = TrendSerializer(allow_null=True)


def as_row(figure: Figure, site) -> dict:
    return {
        "asset": party(figure.asset),
        "site": party(site),
        "definition": figure.definition.key,
        "version": figure.definition.version,
        "from": figure.start.astimezone(site.zone).isoformat(),
        "to": figure.end.astimezone(site.zone).isoformat(),
        "value": figure.value,
        "unit": figure.unit,
        "status": figure.status,
        "reason": figure.reason,
        "coverage": figure.coverage,
        "inputs": figure.inputs,
        "interval": figure.interval and figure.interval | {"few_failures": figure.few_failures},
        "profile": figure.profile or None,
        "computed_at": figure.computed_at.isoformat(),
    }


class Figures(Door):
    """Key figures of assets or of a site."""

    @extend_schema(
        operation_id="kpis_list",
        parameters=[
            *PARAMETERS,
            OpenApiParameter("by", str, enum=BY, description="How the window is cut."),
            OpenApiParameter("definition", str, description=f"Comma-separated; of {', '.join(DEFINITIONS)}."),
            VERSION,
        ],
        responses=FigureSerializer(many=True),
    )
    @one_snapshot()
    def get(self, request):
        """Key figures of many assets, definitions and buckets at once; a value, or the reason why there is none."""
        question = questions.asked(request.query_params, request.user)
        found = figures.read(
            question.assets, site=question.site, start=question.start, end=question.end, by=question.by,
            scope=question.scope if question.assets else "leaves", definitions=question.definitions,
            version=question.version,
        )  # fmt: skip
        return Response([as_row(figure, question.site) for figure in found])


def one_figure(request) -> tuple[questions.Question, dict]:
    """The question, and the arguments with which `kpis.explaining` answers it for one figure."""
    question = questions.asked(request.query_params, request.user)
    if len(question.definitions) != 1 or len(question.assets or [None]) != 1:
        raise Refused("Ask for one definition of one asset or site.", code="one_only", field="definition")
    return question, {
        "asset": question.assets[0] if question.assets else None,
        "site": question.site,
        "definition": figures.named(question.definitions[0], question.version).key,
        "version": question.version,
        "start": question.start,
        "end": question.end,
        "scope": question.scope if question.assets else "leaves",
        "now": timezone.now(),
    }


class Explanation(Door):
    """Why a figure is what it is."""

    @extend_schema(operation_id="kpis_explanation", parameters=OF_ONE, responses=ExplanationSerializer)
    @one_snapshot()
    def get(self, request):
        """One figure with its formula, the records that went in, the calendar used, and what was left out."""
        question, of_one = one_figure(request)
        why = explaining.explain(**of_one)
        figure = why.figure
        return Response(
            {
                "figure": as_row(figure, question.site),
                "factors": [as_row(each, question.site) for each in why.factors],
                "beside": [as_row(each, question.site) for each in why.beside],
                "otherwise": [as_row(each, question.site) for each in why.otherwise],
                "formula": str(figure.definition.formula),
                "calculation": why.calculation,
                "on_calendar_time": why.on_calendar_time,
                "doc": str(figure.definition.doc),
                "rules": why.rules,
                "calendars": [
                    {"name": each.name, "of": each.owner, "how": each.how, "from": each.start, "to": each.end}
                    for each in why.calendars
                ],
                "stops": [
                    {"id": stop.pk, "asset": stop.asset.code, "start": stop.start, "end": stop.end, "seconds": seconds,
                     "lost": lost, "planned": stop.planned, "reason": stop.reason and stop.reason.code,
                     "entered_at": stop.entered_at}
                    for stop, seconds, lost in why.stops
                ],
                "failures": [
                    {"id": row.pk, "asset": row.asset.code, "occurred": row.occurred, "restored": row.restored}
                    for row in why.failures
                ],
                "counts": [
                    {"id": row.pk, "asset": row.asset.code, "start": row.start, "end": row.end, "good": row.good,
                     "scrap": row.scrap, "rework": row.rework, "ideal_cycle": row.ideal_cycle}
                    for row in why.counts
                ],
                "records": [asdict(row) for row in why.work.records] if why.work else [],
                "left_out": why.work.left_out if why.work else [],
                "unobserved": [party(asset) for asset in why.unobserved],
                "silent": [
                    {"asset": party(each.asset), "from": each.since, "to": each.until, "days": each.days,
                     "set_at": "asset" if each.own else "site"}
                    for each in why.silent
                ],
                "overlap": why.overlap,
                "open_stops": why.open_stops,
                "entered_late": why.entered_late,
                "revisions": [
                    {"until": each.until, "value": each.before.value, "status": each.before.status,
                     "because": {"type": each.source, "id": each.source_id,
                                 "summary": each.because,
                                 "by": each.event.actor.username if each.event and each.event.actor else None},
                     "changes": each.changes}
                    for each in why.revisions
                ],
                "changing": why.changing,
                **records_row(why),
                "untold": why.untold,
                "published": why.published and published_row(why.published),
                "trust": why.trust and {
                    "grade": why.trust.grade, "value": why.trust.value,
                    "advice": trusting.advice(why.trust.first, figure.reason_code, why.silent),
                    "scores": [asdict(score) for score in why.trust.scores],
                    "sensitivity": why.sensitivity and asdict(why.sensitivity),
                },
                "truncated": why.more,
                "trend": why.trend and trend_row(why.trend),
            }
        )  # fmt: skip


class CsvRenderer(BaseRenderer):
    """Lets a caller ask for CSV; what is answered is streamed past it."""

    media_type, format, charset = "text/csv", "csv", "utf-8"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return JSONRenderer().render(data)  # a problem


class Inputs(Door):
    """The rows that a figure is made from."""

    renderer_classes = (CsvRenderer, JSONRenderer)

    @extend_schema(operation_id="kpis_inputs", parameters=OF_ONE, responses={(200, "text/csv"): OpenApiTypes.STR})
    @one_snapshot()
    def get(self, request):
        """The spans, failures, counts or records of work behind a figure as CSV, streamed; the file alone gives it."""
        question, of_one = one_figure(request)
        columns, found = explaining.inputs(**of_one)
        return inputs.download(question.site, of_one["asset"], of_one["definition"], question.start, found, columns)


class ParquetRenderer(CsvRenderer):
    """The same for Parquet."""

    media_type, format, charset = "application/vnd.apache.parquet", "parquet", None


class DayFacts(Door):
    """The additive facts of assets by production day."""

    renderer_classes = (CsvRenderer, ParquetRenderer, JSONRenderer)

    @extend_schema(
        operation_id="kpis_facts",
        parameters=PARAMETERS[:4],
        responses={
            (200, CsvRenderer.media_type): OpenApiTypes.STR,
            (200, ParquetRenderer.media_type): OpenApiTypes.BINARY,
        },
    )
    def get(self, request):
        """Times, counts and failures of every asset and production day; sums of any rows are right.

        OEE is formed from rows with `counted` 1, those of assets with counts in the window; pieces are empty on days
        without counts. CSV is streamed as it is computed, Parquet (`format=parquet`) once it is complete.
        """
        question = questions.asked(request.query_params, request.user)
        found = exporting.day_facts(question.site, question.assets, question.start, question.end, now=timezone.now())
        name = f"facts-{question.site.code}"
        if request.accepted_renderer.format == ParquetRenderer.format:
            kind = ParquetRenderer.media_type
            return FileResponse(
                exporting.as_parquet(found), as_attachment=True, filename=f"{name}.parquet", content_type=kind
            )
        response = StreamingHttpResponse(found, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
