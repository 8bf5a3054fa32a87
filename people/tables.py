"""Lists of people and sites."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.kit.badges import Badge
from core.kit.tables import BadgeColumn, Column, Empty, Table, WhenColumn
from people.models import User

CLOSED = Badge(_("Closed"), "idle", "lock")


def roles_of(user: User) -> str:
    """The roles that the page has read along, by name."""
    return ", ".join(str(membership.get_role_display()) for membership in user.roles_here)


class PersonTable(Table):
    name = Column(_("Name"), lambda user: str(user), link=True, order_by=("last_name", "first_name"), phone="title")
    username = Column(_("User name"), order_by="username", phone="subtitle")
    roles = Column(_("Roles here"), roles_of)
    state = BadgeColumn(_("Account"), lambda user: None if user.is_active else CLOSED, order_by="is_active")
    email = Column(_("Mail"), order_by="email", phone="hidden")
    phone = Column(_("Phone"))
    last_login = WhenColumn(_("Last log-in"), order_by="last_login", relative=True)

    default_sort = "name"
    empty = Empty(_("Nobody matches."), icon="users")


class SiteTable(Table):
    name = Column(_("Name"), link=lambda site: reverse("site", args=[site.pk]), order_by="name", phone="title")
    code = Column(_("Code"), order_by="code", phone="subtitle")
    time_zone = Column(_("Time zone"), order_by="time_zone")
    currency = Column(_("Currency"), order_by="currency")
    day_start = Column(_("Production day starts"), lambda site: f"{site.day_start:%H:%M}", order_by="day_start")

    default_sort = "name"
    empty = Empty(_("No site yet."), _("Open the first"), "site-new", "building-factory-2")
