"""What the REST API reads and answers about sites, users and tokens."""

from rest_framework import serializers

from core.api.fields import Instant
from core.api.serializers import RowSerializer, Strict
from core.models import Site
from core.serializers import PersonReference, SiteReference
from people.models import Membership, Token, User


class SiteSerializer(RowSerializer):
    """A plant at one place, its clock and currency."""

    class Meta:
        model = Site
        fields = [
            "id",
            "code",
            "name",
            "time_zone",
            "currency",
            "day_start",
            "overrun_is_unplanned",
            "failure_merge_gap",
            "oee_profile",
            "coverage_threshold",
            "count_silence_days",
            "stop_silence_days",
        ]


class MembershipSerializer(RowSerializer):
    """A role at a site."""

    site = SiteReference()

    class Meta:
        model = Membership
        fields = ["site", "role"]
        only_at_callers_sites = "site"


class UserSerializer(RowSerializer):
    """A person or a calling system; `code` is the user name, `roles` those at the caller's sites."""

    code = serializers.CharField(source="username", max_length=150, validators=[User.username_validator])
    password = serializers.CharField(write_only=True, required=False, max_length=128, trim_whitespace=False)
    hourly_rate = serializers.DecimalField(
        write_only=True, required=False, allow_null=True, max_digits=8, decimal_places=2, min_value=0
    )
    is_active = serializers.BooleanField(required=False)
    roles = MembershipSerializer(source="memberships", many=True)

    class Meta:
        model = User
        fields = [
            "id",
            "code",
            "first_name",
            "last_name",
            "email",
            "phone",
            "language",
            "is_active",
            "password",
            "hourly_rate",
            "roles",
        ]


class TokenSerializer(RowSerializer):
    """A bearer token, without its secret."""

    user = PersonReference(read_only=True)

    class Meta:
        model = Token
        fields = ["id", "user", "name", "scope", "created", "expires", "last_used", "revoked"]
        read_only_fields = fields


class NewToken(Strict):
    """What a new token is for."""

    name = serializers.CharField(max_length=80, required=False, default="")
    scope = serializers.ChoiceField(Token.Scope.choices, default=Token.Scope.READ)
    days = serializers.IntegerField(min_value=1, max_value=3650, default=Token.LIFETIME.days)


class IssuedToken(serializers.Serializer):
    """A new token; its secret is shown this once."""

    id = serializers.IntegerField()
    token = serializers.CharField(help_text="The secret.")
    scope = serializers.ChoiceField(Token.Scope.choices)
    expires = Instant()
