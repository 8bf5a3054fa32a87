"""Who can do the work: users, their roles per site, and the tokens of other systems."""

import hashlib
from datetime import timedelta
from functools import cached_property

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Site
from core.querysets import SiteScoped
from people.roles import CAPABILITIES, Role


class UserQuerySet(models.QuerySet):
    def visible_to(self, user) -> "UserQuerySet":
        """The caller, and everybody who has a role at one of the caller's sites."""
        if not user.is_authenticated:
            return self.none()
        colleagues = Membership.objects.filter(user=models.OuterRef("pk"), site__in=user.site_ids)
        return self.filter(models.Q(pk=user.pk) | models.Exists(colleagues))

    def with_role_at(self, sites) -> "UserQuerySet":
        """Those who have any role at one of the sites (or their ids)."""
        return self.filter(models.Exists(Membership.objects.filter(user=models.OuterRef("pk"), site__in=sites)))

    def in_charge_of(self, user) -> "UserQuerySet":
        """Those who have a role at a site that the user administers."""
        return self.with_role_at(user.sites_where("administer"))


class Users(UserManager.from_queryset(UserQuerySet)):
    use_in_migrations = False


class User(AbstractUser):
    """A person who logs in, or a system that calls the API with a token."""

    hourly_rate = models.DecimalField(
        _("hourly rate"),
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Cost of one hour of work."),
    )
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)

    objects = Users()

    class Meta(AbstractUser.Meta):
        ordering = ["username"]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_absolute_url(self) -> str:
        return reverse("person", args=[self.pk])

    @cached_property
    def roles(self) -> dict[int, frozenset[str]]:
        """Site id → roles there; one query per request."""
        found: dict[int, set[str]] = {}
        for site_id, role in self.memberships.order_by().values_list("site_id", "role"):
            found.setdefault(site_id, set()).add(role)
        return {site_id: frozenset(roles) for site_id, roles in found.items()}

    @property
    def site_ids(self) -> list[int]:
        """Ids of the sites where this user has any role."""
        return sorted(self.roles)

    def can(self, capability: str, site: Site | int) -> bool:
        """Whether a role at this site includes the capability (see `people.roles`)."""
        if not self.is_active:
            return False
        site_id = site if isinstance(site, int) else site.pk
        return any(capability in CAPABILITIES[role] for role in self.roles.get(site_id, ()))

    def sites_where(self, capability: str) -> list[int]:
        """Ids of the sites where this user has the capability."""
        return [site_id for site_id in self.site_ids if self.can(capability, site_id)]


class Membership(models.Model):
    """A role of a user at a site; a person may hold several."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)

    objects = SiteScoped.as_manager()

    class Meta:
        ordering = ["site", "user", "role"]
        constraints = [
            models.UniqueConstraint(fields=["user", "site", "role"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_known_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} @ {self.site.code}"


class TokenQuerySet(models.QuerySet):
    def visible_to(self, user) -> "TokenQuerySet":
        """The caller's own tokens, and those of colleagues at sites that the caller administers."""
        if not user.is_authenticated:
            return self.none()
        administered = Membership.objects.filter(user=models.OuterRef("user"), site__in=user.sites_where("administer"))
        return self.filter(models.Q(user=user) | models.Exists(administered))


class Token(models.Model):
    """A bearer token of the REST API; only its SHA-256 is kept."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("read and write")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope.choices, default=Scope.READ)
    created = models.DateTimeField(_("created"), default=timezone.now)
    expires = models.DateTimeField(_("expires"))
    last_used = models.DateTimeField(_("last used"), null=True)
    revoked = models.DateTimeField(_("revoked"), null=True)

    LIFETIME = timedelta(days=365)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name or f"token {self.pk}"

    @property
    def is_valid(self) -> bool:
        """Whether it opens the door now."""
        return self.revoked is None and self.expires > timezone.now() and self.user.is_active

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()
