"""Roles and what each may do at its site, as data; buttons, pages and API ask `user.can(...)`.

A capability is a short word: *report* a problem, *execute* work, *plan* it, *manage* (targets and
decisions), *administer* (people, assets' master data, imports, tokens of others).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    REQUESTER = "requester", _("Requester")
    TECHNICIAN = "technician", _("Technician")
    PLANNER = "planner", _("Planner")
    MANAGER = "manager", _("Manager")
    ADMINISTRATOR = "administrator", _("Administrator")


CAPABILITIES: dict[str, frozenset[str]] = {
    Role.REQUESTER: frozenset({"report"}),
    Role.TECHNICIAN: frozenset({"report", "execute", "record"}),
    Role.PLANNER: frozenset({"report", "execute", "record", "plan", "edit"}),
    Role.MANAGER: frozenset({"report", "manage"}),
    Role.ADMINISTRATOR: frozenset({"report", "execute", "record", "plan", "edit", "manage", "administer"}),
}
# "record" writes facts (stops, failures, counts), "edit" changes master data (assets, calendars, plans).


def roles_with(capability: str) -> list[str]:
    """The roles that include a capability."""
    return [role for role in Role.values if capability in CAPABILITIES[role]]
