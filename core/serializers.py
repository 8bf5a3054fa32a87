"""What the REST API reads and answers about the floor: references to sites and people, and events."""

from django.contrib.auth import get_user_model
from django.db.models import CharField, Expression, F, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from core.api.fields import Reference
from core.api.serializers import RowSerializer
from core.models import Event, Site


def full_name(prefix: str) -> Expression:
    """A person's name as pages show it: first and last name, or else the user name."""
    names = Concat(F(f"{prefix}first_name"), Value(" "), F(f"{prefix}last_name"), output_field=CharField())
    return Coalesce(NullIf(Trim(names), Value("")), F(f"{prefix}username"), output_field=CharField())


class SiteReference(Reference):
    """A site, by id or code."""

    model = Site


class PersonReference(Reference):
    """A user, by id or by user name as code."""

    model = get_user_model()
    code = "username"
    parts = {"id": "pk", "code": "username", "name": full_name}


class EventSerializer(RowSerializer):
    """One thing that happened; `actor` is null when a background job acted."""

    site = SiteReference(read_only=True)
    actor = PersonReference(read_only=True, allow_null=True)

    class Meta:
        model = Event
        fields = ["id", "at", "verb", "object_type", "object_id", "site", "actor", "summary", "data"]
        read_only_fields = fields
