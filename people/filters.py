"""How lists of people are narrowed, on pages and in the API."""

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from core.filters import RowFilter
from core.models import Site
from people.models import Membership, Token, User
from people.roles import Role


class UserFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(label=_("Name"), method="by_text")
    site = RowFilter(Site, label=_("Site"), method="at_site")
    role = django_filters.ChoiceFilter(label=_("Role"), choices=Role.choices, method="with_role", empty_label=_("any"))

    class Meta:
        model = User
        fields = ["is_active"]

    def at_site(self, rows, name, site):
        return rows.filter(Exists(Membership.objects.filter(user=OuterRef("pk"), site=site)))

    def with_role(self, rows, name, role):
        return rows.filter(Exists(Membership.objects.filter(user=OuterRef("pk"), role=role)))

    def by_text(self, rows, name, value):
        for word in value.split():
            rows = rows.filter(
                Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
            )
        return rows


class TokenFilter(django_filters.FilterSet):
    class Meta:
        model = Token
        fields = ["scope"]
