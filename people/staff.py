"""Who works where: adding people, changing what is known about them, giving and taking roles.

An administrator of a site gives and takes the roles there. What holds everywhere (the user name, whether a person
is active, the password, the hourly rate) is changed only by who administers all sites of that person, so that no
site's administrator takes over somebody else's. A site keeps at least one administrator.

Events: user.added, user.changed {changes}, user.roles_changed {roles}.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from core.changes import apply
from core.errors import NotAllowed, Refused
from core.events import record
from core.models import Site
from people.models import Membership, User
from people.permissions import require
from people.roles import Role

OWN = frozenset({"first_name", "last_name", "email", "phone", "language"})  # what people change about themselves
EVERYWHERE = frozenset({"username", "is_active", "hourly_rate"})

Wanted = Iterable[tuple[Site, str]]


@transaction.atomic
def add_person(*, by: User | None, roles: Wanted, password: str = "", **fields) -> User:
    """A new user with roles at sites that `by` administers; without a password only tokens let them in."""
    roles = set(roles)
    if not roles:
        raise Refused(_("Give at least one role."), code="roles_needed", field="roles")
    for site in {site for site, _role in roles}:
        require(by, "administer", site)
    user = User(**fields)
    _set_password(user, password)
    _check_username(user)
    user.full_clean(exclude=["password"])
    user.save()
    Membership.objects.bulk_create(Membership(user=user, site=site, role=role) for site, role in roles)
    for site in {site for site, _role in roles}:
        here = sorted(role for at, role in roles if at == site)
        record("user.added", user, by=by, site=site, summary=f"{user} added as {', '.join(here)}", roles=here)
    return user


@transaction.atomic
def change_person(user: User, changes: Mapping[str, Any], *, by: User, password: str = "") -> User:
    """Set values of OWN and EVERYWHERE, and a new password."""
    _check_may_change(user, set(changes), by=by, password=bool(password))
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    changed = apply(user, changes)
    if "username" in changed:
        _check_username(user)
    if "is_active" in changed and not user.is_active:
        for site_id in user.site_ids:
            _keep_an_administrator(site_id, without=user)
    if password:
        _set_password(user, password)
        changed["password"] = ["…", "…"]
    if changed:
        user.full_clean(exclude=["password"])
        user.save()
        for site_id in user.site_ids:
            record(
                "user.changed", user, by=by, site=Site(pk=site_id),
                summary=f"{user} changed: {', '.join(sorted(changed))}", changes=changed,
            )  # fmt: skip
    return user


@transaction.atomic
def set_roles(user: User, roles: Wanted, *, by: User) -> None:
    """These and no other roles at the sites that `by` administers; elsewhere they stay as they are."""
    wanted: dict[int, set[str]] = {}
    for site, role in roles:
        wanted.setdefault(site.pk, set()).add(role)
    administered = set(by.sites_where("administer"))
    for site in Site.objects.select_for_update(no_key=True).filter(pk__in=administered | set(wanted)).order_by("pk"):
        rows = user.memberships.filter(site=site)
        there = set(rows.values_list("role", flat=True))
        here = wanted.get(site.pk, set())
        if there == here:
            continue
        require(by, "administer", site)
        if Role.ADMINISTRATOR in there - here:
            _keep_an_administrator(site.pk, without=user)
        rows.exclude(role__in=here).delete()
        Membership.objects.bulk_create(Membership(user=user, site=site, role=role) for role in here - there)
        said = ", ".join(sorted(here)) or "none"
        record(
            "user.roles_changed", user, by=by, site=site, summary=f"Roles of {user} at {site.code}: {said}",
            roles=[sorted(there), sorted(here)],
        )  # fmt: skip
    user.__dict__.pop("roles", None)


def in_charge(by: User, user: User) -> bool:
    """Whether `by` may change everything about the person: administers all sites of the person."""
    if by.is_superuser:
        return True
    sites = set(user.site_ids)
    return not user.is_superuser and bool(sites) and set(by.sites_where("administer")) >= sites


def _check_may_change(user: User, names: set[str], *, by: User, password: bool) -> None:
    unknown = sorted(names - OWN - EVERYWHERE)
    if unknown:
        raise ValueError(f"Not fields of a user that may be changed: {', '.join(unknown)}")
    administered = set(by.sites_where("administer"))
    if in_charge(by, user) or not (names or password):
        return
    if user == by and names <= OWN and not password:
        return
    if names <= OWN and not password and administered & set(user.site_ids):
        return
    raise NotAllowed(_("Only an administrator of all sites of this person changes that."))


def _check_username(user: User) -> None:
    if User.objects.filter(username__iexact=user.username).exclude(pk=user.pk).exists():
        raise Refused(_("This user name is taken."), code="username_taken", field="code")


def _keep_an_administrator(site_id: int, *, without: User) -> None:
    others = Membership.objects.filter(site=site_id, role=Role.ADMINISTRATOR, user__is_active=True)
    others = others.exclude(user=without)
    if without.memberships.filter(site=site_id, role=Role.ADMINISTRATOR).exists() and not others.exists():
        raise Refused(_("The site needs at least one administrator."), code="last_administrator", field="roles")


def _set_password(user: User, password: str) -> None:
    if not password:
        if not user.pk:
            user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), code="weak_password", field="password") from None
    user.set_password(password)
