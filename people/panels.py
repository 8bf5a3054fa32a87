"""The tabs of a person's page."""

from django.utils.translation import gettext_lazy as _

from core.kit.panels import Panel, register
from people.models import Membership


@register("people.User")
class PersonOverview(Panel):
    """How to reach a person, and the roles at the sites that both share."""

    slug, label, icon, order = "overview", _("Overview"), "user", 0
    template = "people/overview.html"

    def context(self, request, obj):
        shared = Membership.objects.visible_to(request.user).filter(user=obj).select_related("site")
        roles: dict = {}
        for membership in shared.order_by("site__name", "role"):
            roles.setdefault(membership.site, []).append(membership.get_role_display())
        return {"roles": roles.items()}
