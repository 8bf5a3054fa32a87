"""Querysets that know whose rows they may show."""

from django.db import models


def id_of(text: str) -> int:
    """The id that a text names, or 0, which no row has: an address may hold anything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


class SiteScoped(models.QuerySet):
    """Rows that belong to a site; `site_path` is the look-up that leads to it."""

    site_path = "site"

    def visible_to(self, user) -> "SiteScoped":
        """Rows of the sites where the user has a role; nothing for anonymous callers."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(**{f"{self.site_path}__in": user.site_ids})

    def at(self, site) -> "SiteScoped":
        """Rows of one site."""
        return self.filter(**{self.site_path: site})


def scoped_by(path: str) -> type[SiteScoped]:
    """A SiteScoped base whose rows reach their site through `path` (such as "asset__site")."""
    return type("SiteScoped", (SiteScoped,), {"site_path": path})
