"""Forms of accounts, roles and sites."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.kit.forms import Form, ModelForm
from core.models import Site
from people.models import Membership, User
from people.roles import Role

LANGUAGES = [("", _("As the browser says")), *settings.LANGUAGES]
ZONES = [(name, name) for name in sorted(available_timezones()) if "/" in name or name == "UTC"]


class RolesMixin:
    """One group of check boxes per site that the acting user administers."""

    def add_roles(self, person: User | None) -> None:
        had: dict[int, list[str]] = {}
        if person is not None:
            for site_id, role in Membership.objects.filter(user=person).values_list("site_id", "role"):
                had.setdefault(site_id, []).append(role)
        self.role_sites = list(Site.objects.filter(pk__in=self.user.sites_where("administer")))
        for site in self.role_sites:
            self.fields[f"roles_{site.pk}"] = forms.MultipleChoiceField(
                label=_("Roles at %(site)s") % {"site": site.name}, choices=Role.choices, required=False,
                widget=forms.CheckboxSelectMultiple, initial=had.get(site.pk, []),
            )  # fmt: skip

    @property
    def roles(self) -> set[tuple[Site, str]]:
        """(site, role) pairs that were ticked."""
        return {(site, role) for site in self.role_sites for role in self.cleaned_data[f"roles_{site.pk}"]}


class AccountForm(RolesMixin, ModelForm):
    """A person's account and roles; `charge` says whether more than the roles may be changed."""

    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False)

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "phone", "language", "hourly_rate"]

    def __init__(self, *args, charge: bool = True, **options):
        super().__init__(*args, **options)
        if not charge:
            self.fields.clear()
        self.add_roles(self.instance if self.instance.pk else None)

    @property
    def account(self) -> dict:
        """What was typed about the person, without the roles."""
        names = (*self.Meta.fields,)
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


class NewAccountForm(AccountForm):
    """A new person with a first password."""

    password = forms.CharField(
        label=_("First password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False,
        help_text=_("At least 10 characters; the person should change it after the first log-in."),
    )  # fmt: skip
    field_order = ["username", "password"]


class PasswordForm(Form):
    """A new password for somebody."""

    password = forms.CharField(
        label=_("New password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False,
        help_text=_("At least 10 characters."),
    )  # fmt: skip


class ProfileForm(ModelForm):
    """What people change about themselves."""

    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False)

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "phone", "language"]


class SiteForm(ModelForm):
    """A site's name, clock and rules."""

    time_zone = forms.ChoiceField(label=_("Time zone"), choices=ZONES)

    class Meta:
        model = Site
        fields = [
            "code", "name", "time_zone", "currency", "day_start", "overrun_is_unplanned",
            "failure_merge_gap", "oee_profile", "coverage_threshold", "count_silence_days", "stop_silence_days",
        ]  # fmt: skip
