"""What callers send: references, moments, durations and free JSON."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework import serializers
from rest_framework.test import APIRequestFactory

from assets.models import Asset, Downtime, DowntimeReason
from assets.serializers import AssetReference
from core.api.fields import Instant, Json, Reference, Seconds
from core.api.serializers import RowSerializer, Strict
from core.models import Site
from core.serializers import SiteReference
from tests import plant as world


class StopSerializer(RowSerializer):
    asset = AssetReference()
    reason = Reference(DowntimeReason, within="asset", allow_null=True, required=False)

    class Meta:
        model = Downtime
        fields = ["asset", "start", "reason"]


class Loose(Strict):
    at = Instant(required=False)
    pause = Seconds(required=False)
    factor = serializers.FloatField(required=False)
    data = Json(required=False)


@pytest.fixture
def context(plant):
    request = APIRequestFactory().get("/")
    request.user = plant.planner
    return {"request": request}


def problems(serializer: serializers.Serializer) -> dict[str, str]:
    """Field → code of its first error."""
    assert not serializer.is_valid()
    return {name: errors[0].code for name, errors in serializer.errors.items()}


def stop(context, **sent) -> StopSerializer:
    return StopSerializer(data={"asset": "M1", "start": "2026-03-01T06:00:00+01:00", **sent}, context=context)


@pytest.mark.parametrize("given", [lambda row: row.pk, lambda row: row.code, lambda row: "m1",
                                   lambda row: {"id": row.pk}, lambda row: {"code": "M1"},
                                   lambda row: {"code": "M1", "site": "berlin"},
                                   lambda row: {"id": row.pk, "code": "M1", "name": "Filler"}])  # fmt: skip
def test_a_reference_is_given_by_id_or_code_or_as_it_was_answered(plant, context, given):
    reader = stop(context, asset=given(plant.filler))
    reader.is_valid(raise_exception=True)
    assert reader.validated_data["asset"] == plant.filler


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (True, "incorrect_type"),
        (1.5, "incorrect_type"),
        ([1], "incorrect_type"),
        ({}, "incorrect_type"),
        ({"code": True}, "incorrect_type"),
        ({"code": "M1", "site": 5}, "incorrect_type"),
        (0, "does_not_exist"),
        (2**63, "does_not_exist"),
        ("M\x00", "does_not_exist"),
        ("X1", "does_not_exist"),
        ({"code": "M1", "site": "chicago"}, "does_not_exist"),
        (None, "null"),
    ],
)
def test_a_reference_that_is_none_says_so(plant, context, given, code):
    assert problems(stop(context, asset=given)) == {"asset": code}


def test_a_code_that_several_sites_use_needs_its_site(plant, context):
    plant.planner.memberships.create(site=plant.chicago, role="planner")
    twin = world.asset(plant.chicago, "M1")
    assert problems(stop(context, asset="M1")) == {"asset": "ambiguous"}
    context.pop("references")
    reader = stop(context, asset={"code": "m1", "site": "chicago"})
    reader.is_valid(raise_exception=True)
    assert reader.validated_data["asset"] == twin


def test_a_reference_within_the_site_of_another_does_not_see_other_sites(plant, context):
    plant.planner.memberships.create(site=plant.chicago, role="planner")
    there = DowntimeReason.objects.create(site=plant.chicago, code="breakdown", name="Breakdown there")
    reader = stop(context, reason="breakdown")
    reader.is_valid(raise_exception=True)
    assert reader.validated_data["reason"] == plant.breakdown
    assert problems(stop(context, reason=there.pk)) == {"reason": "does_not_exist"}


def test_a_wrong_asset_leaves_the_error_at_the_asset_alone(plant, context):
    assert problems(stop(context, asset="nowhere", reason="breakdown")) == {"asset": "does_not_exist"}


def test_many_references_are_found_in_one_query_by_code_and_one_by_id(plant, context, django_assert_num_queries):
    plant.planner.site_ids  # noqa: B018 (read beforehand)
    field = StopSerializer(context=context).fields["asset"]
    with django_assert_num_queries(2):
        field.preload([plant.filler.pk, "M2", "m3", {"code": "L1"}, {"code": "nowhere"}, None, [], "X1"])
    with django_assert_num_queries(0):
        assert field.to_internal_value("M2") == plant.labeller
        assert field.to_internal_value(plant.filler.pk).site.code == "berlin"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("2026-03-01T06:00:00", "offset_required"),
        ("2026-03-01", "offset_required"),
        ("2026-02-30T06:00:00Z", "invalid"),
        ("yesterday", "invalid"),
        (1700000000, "invalid"),
        ("0001-01-01T00:00:00+14:00", "out_of_range"),
        ("9999-12-31T23:59:59-12:00", "out_of_range"),
    ],
)
def test_a_moment_has_its_offset(given, code):
    assert problems(Loose(data={"at": given})) == {"at": code}


def test_a_moment_keeps_its_instant():
    reader = Loose(data={"at": "2026-03-01T06:00:00+05:30"})
    reader.is_valid(raise_exception=True)
    assert reader.validated_data["at"] == datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


def test_a_duration_is_a_number_of_seconds():
    reader = Loose(data={"pause": 90.5})
    reader.is_valid(raise_exception=True)
    assert reader.validated_data["pause"] == timedelta(seconds=90.5)


@pytest.mark.parametrize("name", ["pause", "factor"])
@pytest.mark.parametrize(("given", "code"), [(float("inf"), "invalid"), (float("nan"), "invalid"), ("x", "invalid")])
def test_numbers_are_finite(name, given, code):
    assert problems(Loose(data={name: given})) == {name: code}


def test_a_duration_fits_into_a_calendar():
    assert problems(Loose(data={"pause": 1e300})) == {"pause": "out_of_range"}


@pytest.mark.parametrize("given", [{"a": ["\x00"]}, {"\ud800": 1}, "\udfff"])
def test_free_json_holds_only_what_can_be_kept(given):
    assert problems(Loose(data={"data": given})) == {"data": "characters"}


def test_names_that_nobody_knows_are_refused_with_the_rest():
    assert problems(Loose(data={"att": 1, "at": "x"})) == {"att": "unknown_field", "at": "invalid"}


def test_a_site_is_known_by_its_code(plant, context):
    class Input(Strict):
        site = SiteReference()

    reader = Input(data={"site": "berlin"}, context=context)
    reader.is_valid(raise_exception=True)
    assert reader.validated_data["site"] == Site.objects.get(code="berlin")
    assert problems(Input(data={"site": "chicago"}, context={**context, "references": {}})) == {
        "site": "does_not_exist"
    }
    assert Asset.objects.count() == 5
