"""Opening a site and changing what it is called and how its clock runs."""

from django.db import transaction

from core.errors import NotAllowed
from core.events import record
from core.models import Site
from people.models import Membership, User
from people.roles import Role


@transaction.atomic
def open_site(*, by: User | None, **fields) -> Site:
    """A new site; who opens it becomes its first administrator. Needs a superuser; `by=None` is the command line."""
    if by is not None and not by.is_superuser:
        raise NotAllowed("Only a superuser opens a site.")
    site = Site(**fields)
    site.full_clean()
    site.save()
    if by is not None:
        Membership.objects.create(user=by, site=site, role=Role.ADMINISTRATOR)
        by.__dict__.pop("roles", None)  # what this user may do has just changed
    record("site.opened", site, by=by, site=site, summary=f"Site {site.code} opened")
    return site


@transaction.atomic
def change_site(site: Site, *, by: User, **fields) -> Site:
    """Change some of a site's fields."""
    if not by.can("administer", site):
        raise NotAllowed("Only an administrator changes a site.")
    changes = {
        name: [str(getattr(site, name)), str(value)] for name, value in fields.items() if getattr(site, name) != value
    }
    for name, value in fields.items():
        setattr(site, name, value)
    site.full_clean()
    if changes:
        site.save(update_fields=list(changes))
        record("site.changed", site, by=by, site=site, summary=f"Site {site.code} changed", changes=changes)
    return site
