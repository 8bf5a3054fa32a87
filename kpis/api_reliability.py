"""Reliability beyond the mean in the REST API."""

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from core.api.resource import Door
from core.errors import Refused
from core.snapshot import one_snapshot
from kpis import lasting, questions, studying
from kpis.forms import CostForm
from kpis.lifetimes import Advice, Model, Replacement, Weibull
from kpis.reasons import REASONS
from kpis.reliability import CrowAmsaa, JackKnife, Laplace, NotEnough, Quadrant, Verdict
from kpis.trending import Trend


class MissingSerializer(serializers.Serializer):
    """What a statistic lacks: `found` where `needed` would be enough."""

    lack = serializers.CharField()
    found = serializers.IntegerField()
    needed = serializers.IntegerField()


class BoundsSerializer(serializers.Serializer):
    confidence = serializers.FloatField()
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)


class CrowAmsaaSerializer(serializers.Serializer):
    """Power-law growth of failures; times in operating hours."""

    beta = serializers.FloatField(help_text="Above 1 is getting worse.")
    beta_unbiased = serializers.FloatField()
    beta_interval = BoundsSerializer()
    mtbf = serializers.FloatField(help_text="Over all of the time.")
    mtbf_now = serializers.FloatField()
    p = serializers.FloatField(help_text="Of the MIL-HDBK-189 test, two-sided.")


class TrendSerializer(serializers.Serializer):
    """Laplace's trend test, and Crow-AMSAA growth beside it; `missing` where there are too few failures."""

    verdict = serializers.ChoiceField([str(each) for each in Verdict], allow_null=True)
    sentence = serializers.CharField()
    u = serializers.FloatField(allow_null=True)
    p = serializers.FloatField(allow_null=True)
    failures = serializers.IntegerField()
    crow_amsaa = CrowAmsaaSerializer(allow_null=True)
    missing = MissingSerializer(allow_null=True)


def trend_row(trend: Trend) -> dict:
    test = trend.test
    known = isinstance(test, Laplace)
    return {
        "verdict": trend.verdict and str(trend.verdict),
        "sentence": trend.sentence,
        "u": test.u if known else None,
        "p": test.p if known else None,
        "failures": test.failures if known else test.found,
        "crow_amsaa": crow_amsaa_row(trend.growth),
        "missing": missing_row(test),
    }


def crow_amsaa_row(growth: CrowAmsaa | NotEnough) -> dict | None:
    if isinstance(growth, NotEnough):
        return None
    return {
        "beta": growth.beta,
        "beta_unbiased": growth.unbiased,
        "beta_interval": bounds_row(growth.bounds),
        "mtbf": growth.mtbf,
        "mtbf_now": growth.instantaneous,
        "p": growth.p,
    }


def bounds_row(bounds) -> dict:
    return {"confidence": bounds.confidence, "lower": bounds.lower, "upper": bounds.upper}


def missing_row(found) -> dict | None:
    if not isinstance(found, NotEnough):
        return None
    return {"lack": str(found.lack), "found": found.found, "needed": found.needed}


# --- A whole study -------------------------------------------------------------------------------


class SubjectSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


class FleetMtbfSerializer(serializers.Serializer):
    """Operating hours of all assets ÷ their failure events: the MTBF of their figures since the site's first record."""

    value = serializers.FloatField(allow_null=True)
    status = serializers.CharField()
    reason = serializers.CharField()
    sentence = serializers.CharField()
    interval = BoundsSerializer(allow_null=True, help_text="Without a failure only its lower end is known.")
    few_failures = serializers.BooleanField(help_text="It rests on fewer than five failures and says little.")
    misleads = serializers.BooleanField(help_text="Failures do not come at an even rate; `trend` says how they do.")
    coverage = serializers.FloatField(help_text="Share of scheduled time whose state is known.")
    unrecorded = serializers.IntegerField(help_text="Assets asked for of which nothing was ever recorded.")


class WeibullSerializer(serializers.Serializer):
    """The distribution of lives between failures; ages in operating hours."""

    beta = serializers.FloatField()
    beta_interval = BoundsSerializer()
    beta_less_biased = serializers.FloatField(help_text="Without the bias of few failures.")
    eta = serializers.FloatField()
    b10 = serializers.FloatField(help_text="The age that a tenth fails before.")
    b10_interval = BoundsSerializer()
    mttf = serializers.FloatField()
    p_constant_rate = serializers.FloatField(help_text="Of the likelihood-ratio test of beta = 1.")
    failures = serializers.IntegerField()
    censored = serializers.IntegerField()


class ReplacementSerializer(serializers.Serializer):
    """When to replace in advance; costs per operating hour in the currency of the site."""

    advice = serializers.ChoiceField([str(each) for each in Advice])
    sentence = serializers.CharField()
    age = serializers.FloatField(allow_null=True)
    cost_rate = serializers.FloatField(allow_null=True)
    cost_rate_run_to_failure = serializers.FloatField()
    cost_rate_present = serializers.FloatField(allow_null=True)
    flat_from = serializers.FloatField(allow_null=True, help_text="From here to flat_to at most 2 % dearer.")
    flat_to = serializers.FloatField(allow_null=True)


class NextSerializer(serializers.Serializer):
    asset = SubjectSerializer()
    model = serializers.ChoiceField([str(each) for each in Model])
    p10 = serializers.FloatField(help_text="Operating hours from now.")
    p50 = serializers.FloatField()
    p90 = serializers.FloatField()
    shared_lives = serializers.BooleanField(help_text="Age was judged by the lives of all assets asked for.")


class ProblemSerializer(serializers.Serializer):
    name = serializers.CharField()
    failures = serializers.IntegerField()
    hours = serializers.FloatField()
    mean = serializers.FloatField()
    quadrant = serializers.ChoiceField([str(each) for each in Quadrant])


class JackKnifeSerializer(serializers.Serializer):
    """Problems of the last 365 days by number and mean hours to restoration, with the limits that part them."""

    often = serializers.FloatField()
    long = serializers.FloatField()
    left_out = serializers.IntegerField(help_text="Failures without a problem or a restoration time.")
    problems = ProblemSerializer(many=True)


class ActorSerializer(serializers.Serializer):
    asset = serializers.CharField()
    hours = serializers.FloatField(help_text="Unplanned hours down in the last 365 days.")
    share = serializers.FloatField()
    running = serializers.FloatField()
    vital = serializers.BooleanField(help_text="Among those that first make up 80 %.")


class StudySerializer(serializers.Serializer):
    """What the failures of an asset (or of what is below it), of a kind, or of a site teach."""

    site = SubjectSerializer()
    asset = SubjectSerializer(allow_null=True)
    kind = SubjectSerializer(allow_null=True)
    since = serializers.DateTimeField(allow_null=True, help_text="The site's first record.")
    assets = serializers.IntegerField()
    failures = serializers.IntegerField()
    operating_hours = serializers.FloatField()
    answer = serializers.CharField()
    mtbf = FleetMtbfSerializer(allow_null=True)
    trend = TrendSerializer(allow_null=True)
    weibull = WeibullSerializer(allow_null=True)
    weibull_missing = serializers.CharField(help_text="Why there is no distribution of lives.")
    replacement = ReplacementSerializer(allow_null=True, help_text="Only with both costs and a distribution.")
    next_failures = NextSerializer(many=True)
    jack_knife = JackKnifeSerializer(allow_null=True)
    bad_actors = ActorSerializer(many=True)


class Reliability(Door):
    """Reliability beyond the mean."""

    @extend_schema(
        operation_id="kpis_reliability",
        parameters=[
            OpenApiParameter("asset", str, description="Id or code; machines below it are studied instead of it."),
            OpenApiParameter("kind", str, description="Id or code; all assets of this kind at the site."),
            OpenApiParameter(
                "site", str, description="Id or code; needed without `asset`, and by a code that several sites have."
            ),
            OpenApiParameter("planned", OpenApiTypes.DECIMAL, description="Cost of a planned replacement."),
            OpenApiParameter("unplanned", OpenApiTypes.DECIMAL, description="Cost of a failure."),
            OpenApiParameter("present", OpenApiTypes.DECIMAL, description="Present interval in operating hours."),
        ],
        responses=StudySerializer,
    )
    @one_snapshot()
    def get(self, request):
        """Trend, lives, when to replace in advance, the next failures, problems and bad actors of one subject."""
        query = request.query_params
        if unknown := sorted(set(query) - PARAMETERS - {"format"}):
            raise Refused(
                f"Unknown parameter; known are {', '.join(sorted(PARAMETERS))}.", code="unknown", field=unknown[0]
            )
        subject = questions.subject(query, request.user)
        form = CostForm(query)
        costs = form.costs
        for name, errors in form.errors.items():
            raise Refused(errors[0], code="invalid", field=name)
        return Response(study_row(subject, studying.study(subject, now=timezone.now(), costs=costs)))


PARAMETERS = {"asset", "kind", "site", *CostForm.base_fields}


def study_row(subject: questions.Subject, study: studying.Study | None) -> dict:
    whose = {name: party(getattr(subject, name)) for name in ("site", "asset", "kind")}
    if study is None:
        return whose | {
            "since": None, "assets": 0, "failures": 0, "operating_hours": 0.0,
            "answer": lasting.nothing(), "mtbf": None, "trend": None, "weibull": None,
            "weibull_missing": lasting.nothing(), "replacement": None, "next_failures": [], "jack_knife": None,
            "bad_actors": [],
        }  # fmt: skip
    lives = study.distribution if isinstance(study.distribution, Weibull) else None
    knife = study.knife if isinstance(study.knife, JackKnife) else None
    return whose | {
        "since": study.since.astimezone(subject.site.zone).isoformat(),
        "assets": len(study.assets),
        "failures": study.failures,
        "operating_hours": study.hours,
        "answer": lasting.answer(study),
        "mtbf": mtbf_row(study),
        "trend": trend_row(study.trend),
        "weibull": lives and weibull_row(lives),
        "weibull_missing": lasting.no_distribution(study),
        "replacement": study.replacement and replacement_row(study.replacement, lives),
        "next_failures": [
            {"asset": party(each.asset), "model": str(each.estimate.model), "p10": each.estimate.p10,
             "p50": each.estimate.p50, "p90": each.estimate.p90, "shared_lives": each.shared}
            for each in study.next
        ],
        "jack_knife": knife and {
            "often": knife.often, "long": knife.long, "left_out": study.without_problem,
            "problems": [
                {"name": each.name, "failures": each.failures, "hours": each.hours, "mean": each.mean,
                 "quadrant": str(knife.quadrant(each))}
                for each in knife.problems
            ],
        },
        "bad_actors": [
            {"asset": each.name, "hours": each.value, "share": each.share, "running": each.running,
             "vital": each.vital}
            for each in study.actors
        ],
    }  # fmt: skip


def party(row) -> dict | None:
    return row and {"id": row.pk, "code": row.code, "name": row.name}


def mtbf_row(study: studying.Study) -> dict:
    found = study.mtbf
    return {
        "value": found.value, "status": str(found.status), "reason": str(REASONS[found.reason]),
        "sentence": lasting.mtbf(study), "interval": found.bounds and bounds_row(found.bounds),
        "few_failures": study.few_failures, "misleads": study.trend.misleads, "coverage": study.facts.coverage,
        "unrecorded": study.unrecorded,
    }  # fmt: skip


def weibull_row(lives: Weibull) -> dict:
    return {
        "beta": lives.beta, "beta_interval": bounds_row(lives.beta_bounds), "beta_less_biased": lives.beta_less_biased,
        "eta": lives.eta, "b10": lives.b10, "b10_interval": bounds_row(lives.b10_bounds), "mttf": lives.mttf,
        "p_constant_rate": lives.p_constant, "failures": lives.failures, "censored": lives.censored,
    }  # fmt: skip


def replacement_row(found: Replacement, lives: Weibull) -> dict:
    return {
        "advice": str(found.advice), "sentence": lasting.advice(found, lives), "age": found.age,
        "cost_rate": found.rate, "cost_rate_run_to_failure": found.run_to_failure, "cost_rate_present": found.present,
        "flat_from": found.flat_from, "flat_to": found.flat_to,
    }  # fmt: skip
