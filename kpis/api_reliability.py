"""Reliability beyond the mean in the REST API."""

from rest_framework import serializers

from kpis.reliability import CrowAmsaa, Laplace, NotEnough, Verdict
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
