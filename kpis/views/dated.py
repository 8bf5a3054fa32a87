"""Pages of what holds of a site from a day on: a list, one with its history, a form, and taking it back."""

from datetime import date
from typing import Any, ClassVar

from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import make_form
from core.kit.views import DetailPage, ListPage
from kpis.dated import Verbs

PERFORMANCE = (_("Performance"), reverse_lazy("performance"))


class DatedList(ListPage):
    """`route` is the beginning of the names of the pages' addresses; `new` the words of the button."""

    parent = PERFORMANCE
    route: ClassVar[str]
    new: ClassVar[Any]

    def rows(self):
        return super().rows().select_related("site")

    def actions(self):
        if self.request.site and self.request.user.can("manage", self.request.site):
            return [Action(self.new, reverse(f"{self.route}-new"), "plus", tone="primary")]
        return []


class DatedPage(DetailPage):
    """One row and what happened to it."""

    route: ClassVar[str]

    def rows(self):
        return super().rows().select_related("site")

    def actions(self):
        if not self.request.user.can("manage", self.object.site):
            return []
        key = [self.object.pk]
        return [
            Action(_("Edit"), reverse(f"{self.route}-edit", args=key), "pencil"),
            Action(_("Remove"), reverse(f"{self.route}-remove", args=key), "trash"),
        ]


class DatedFormPage(FormPage):
    """A new row, or a change of one."""

    verbs: ClassVar[Verbs]

    def rows(self):
        return super().rows().select_related("site")

    def may(self, user):
        return self.object is not None or (self.request.site is not None and user.can("manage", self.request.site))

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def options(self, site) -> dict:
        """What the form is made with beside its values."""
        return {}

    def form(self, data=None):
        site = self.object.site if self.object else self.request.site
        if self.object:
            initial = {name: getattr(self.object, name) for name in self.verbs.fields}
        else:
            initial = {"valid_from": date(site.production_day(timezone.now()).year, 1, 1)}
        return make_form(self.form_class, self.request, data, initial=initial, **self.options(site))

    def save(self, form):
        if self.object:
            return self.verbs.change(self.object, form.cleaned_data, by=self.request.user, version=int(self.version))
        return self.verbs.set(self.request.site, form.cleaned_data, by=self.request.user)


class RemoveDated(ActionPage):
    verbs: ClassVar[Verbs]
    list_route: ClassVar[str]
    done: ClassVar[Any]
    submit = _("Remove")
    icon = "trash"
    tone = "stop"

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def do(self, obj):
        self.verbs.remove(obj, by=self.request.user)
        return _now(self.done)

    def success_url(self):
        return reverse(self.list_route)
