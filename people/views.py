"""Pages of people and sites: the list, a person, roles per site, one's own profile, sites."""

from functools import cached_property

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch
from django.http import HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django_filters import TypedChoiceFilter

from core.errors import Refused
from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import make_form
from core.kit.views import DetailPage, ListPage
from core.models import Site
from people import sites, staff
from people.filters import UserFilter
from people.forms import AccountForm, NewAccountForm, PasswordForm, ProfileForm, SiteForm
from people.login import speak
from people.models import Membership, User
from people.tables import CLOSED, PersonTable, SiteTable

PEOPLE = (_("People"), reverse_lazy("people"))
SITES = (_("Sites"), reverse_lazy("sites"))


class PersonFilter(UserFilter):
    """Those of the chosen site; a role is one that is held there."""

    site = None
    is_active = TypedChoiceFilter(
        label=_("Account"), choices=[("", _("any")), ("true", _("Open")), ("false", _("Closed"))], empty_value=None,
        coerce=lambda value: value == "true",
    )  # fmt: skip

    def with_role(self, rows, name, role):
        here = Membership.objects.filter(user=OuterRef("pk"), role=role, site=self.request.site)
        return rows.filter(Exists(here))


class PersonList(ListPage):
    model, table, filterset = User, PersonTable, PersonFilter
    title = _("People")
    export_name = "people"

    def may(self, user):
        return self.request.site is not None and user.can("administer", self.request.site)

    def rows(self):
        here = Prefetch(
            "memberships", Membership.objects.filter(site=self.request.site).order_by("role"), to_attr="roles_here"
        )
        return super().rows().with_role_at([self.request.site]).prefetch_related(here)

    def answer(self):
        return _("Who has a role at %(site)s.") % {"site": self.request.site.name}

    def actions(self):
        return [Action(_("New person"), reverse("person-new"), "user-plus", tone="primary")]


class PersonPage(DetailPage):
    """Colleagues see how to reach a person; administrators see what to change."""

    model = User

    def crumbs(self):
        site = self.request.site
        return [PEOPLE] if site is not None and self.request.user.can("administer", site) else []

    def badges(self):
        return [] if self.object.is_active else [CLOSED]

    def actions(self):
        person, user = self.object, self.request.user
        found = [Action(_("My profile"), reverse("profile"), "user-edit")] if person == user else []
        if User.objects.in_charge_of(user).filter(pk=person.pk).exists():
            found.append(Action(_("Account and roles"), reverse("person-edit", args=[person.pk]), "pencil"))
        if person != user and staff.in_charge(user, person):
            found.append(Action(_("Set password"), reverse("person-password", args=[person.pk]), "key"))
            if person.is_active:
                found.append(Action(_("Close account"), reverse("person-close", args=[person.pk]), "lock"))
            else:
                found.append(Action(_("Open again"), reverse("person-open", args=[person.pk]), "lock-open", post=True))
        return found


class NewPerson(FormPage):
    model, form_class = User, NewAccountForm
    title = _("New person")
    parent = PEOPLE

    def may(self, user):
        return bool(user.sites_where("administer"))

    def form(self, data=None):
        initial = {} if self.request.site is None else {f"roles_{self.request.site.pk}": []}
        return make_form(self.form_class, self.request, data, initial=initial)

    def save(self, form):
        return staff.add_person(
            by=self.request.user, roles=form.roles, password=form.cleaned_data["password"], **form.account
        )


class EditPerson(FormPage):
    model, form_class = User, AccountForm
    title = _("Account and roles")
    parent = PEOPLE

    def rows(self):
        return User.objects.in_charge_of(self.request.user)

    def form(self, data=None):
        charge = staff.in_charge(self.request.user, self.object)
        return make_form(self.form_class, self.request, data, instance=self.object, charge=charge)

    @property
    def lead(self):
        if staff.in_charge(self.request.user, self.object):
            return ""
        return _("%(person)s has roles at sites that you do not administer; only the roles here are yours to give.") % {
            "person": self.object
        }

    def save(self, form):
        person = User.objects.get(pk=self.object.pk)
        with transaction.atomic():
            staff.change_person(person, form.account, by=self.request.user)
            staff.set_roles(person, form.roles, by=self.request.user)
        return person


class Whole(ActionPage):
    """A verb about the person as a whole, for whoever administers all sites of that person."""

    def rows(self):
        return User.objects.in_charge_of(self.request.user)

    def may_object(self, user, obj):
        return obj != user and staff.in_charge(user, obj)


class SetPassword(Whole):
    model, form_class = User, PasswordForm
    title = _("Set password")
    submit = _("Set password")
    icon = "key"

    @property
    def sentence(self):
        return _("%(person)s is logged out everywhere and logs in with the new password.") % {"person": self.object}

    def do(self, obj, *, password):
        staff.change_person(obj, {}, by=self.request.user, password=password)
        return _("The new password of %(person)s counts from now on.") % {"person": obj}


class CloseAccount(Whole):
    model = User
    title = _("Close account")
    submit = _("Close account")
    icon = "lock"
    tone = "stop"

    @property
    def sentence(self):
        return _("%(person)s can no longer log in, and tokens stop working. What was done keeps the name.") % {
            "person": self.object
        }

    def do(self, obj):
        staff.change_person(obj, {"is_active": False}, by=self.request.user)
        return _("The account of %(person)s is closed.") % {"person": obj}


class OpenAccount(Whole):
    model = User
    title = _("Open account again")
    submit = _("Open again")
    icon = "lock-open"

    @property
    def sentence(self):
        return _("%(person)s can log in again, with the roles as before.") % {"person": self.object}

    def do(self, obj):
        staff.change_person(obj, {"is_active": True}, by=self.request.user)
        return _("The account of %(person)s is open again.") % {"person": obj}


class Profile(FormPage):
    """What people change about themselves."""

    model, form_class = User, ProfileForm
    title = _("My profile")
    done = _("Your profile is saved.")

    @cached_property
    def object(self) -> User:
        return User.objects.get(pk=self.request.user.pk)

    def crumbs(self):
        return []

    def save(self, form):
        return staff.change_person(self.object, form.cleaned_data, by=self.request.user)

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        if isinstance(response, HttpResponseRedirect):
            speak(response, User.objects.get(pk=request.user.pk).language)
        return response

    def success_url(self, obj):
        return self.back(reverse("profile"))


class SiteList(ListPage):
    model, table = Site, SiteTable
    title = _("Sites")
    parent = (_("Settings"), reverse_lazy("settings"))
    all_sites = True
    export_name = "sites"

    def may(self, user):
        return bool(user.sites_where("administer"))

    def rows(self):
        return super().rows().filter(pk__in=self.request.user.sites_where("administer"))

    def actions(self):
        if self.request.user.is_superuser:
            return [Action(_("Open a site"), reverse("site-new"), "plus", tone="primary")]
        return []


class SitePage(FormPage):
    """A site's settings, or a new site."""

    model, form_class = Site, SiteForm
    parent = SITES
    lead = _("Another time zone, start of the production day or silence changes the figures of past days as well.")

    def page_title(self):
        return self.object.name if self.object else _("Open a site")

    def crumbs(self):
        return [self.parent]

    def may(self, user):
        return "pk" in self.kwargs or user.is_superuser

    def may_object(self, user, obj):
        return user.can("administer", obj)

    def save(self, form):
        try:
            if self.object is None:
                return sites.open_site(by=self.request.user, **form.cleaned_data)
            site = Site.objects.get(pk=self.object.pk)
            return sites.change_site(site, by=self.request.user, **form.cleaned_data)
        except ValidationError as error:
            name, problems = next(iter(error.error_dict.items()))
            raise Refused(" ".join(problems[0].messages), code="invalid", field=name) from error

    def success_url(self, obj):
        return self.back(reverse("sites"))
