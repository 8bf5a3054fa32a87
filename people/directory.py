"""Finding people by what they can do."""

from django.db.models import QuerySet

from core.models import Site
from people.models import User
from people.roles import roles_with


def people_who(capability: str, site: Site | int) -> QuerySet[User]:
    """Active users who have a role with the capability at the site, by name."""
    site_id = site if isinstance(site, int) else site.pk
    return (
        User.objects.filter(is_active=True, memberships__site=site_id, memberships__role__in=roles_with(capability))
        .distinct()
        .order_by("last_name", "first_name", "username")
    )
