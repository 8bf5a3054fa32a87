"""Forms of the asset tree: an asset, its place, a redundancy group."""

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.criticality import SCORES, Scores, assess
from assets.models import Asset, Criticality, RedundancyGroup
from core.kit.forms import Day, Form, ModelForm, SearchSelect

SCORE_WORDS = [
    ("", "–"),
    (1, _("1 · hardly matters")),
    (2, _("2 · a nuisance")),
    (3, _("3 · hurts")),
    (4, _("4 · serious")),
    (5, _("5 · worst")),
]
AS_SCORED = ("", _("As the scores say"))


class AssetForm(ModelForm):
    """An asset without its place."""

    criticality = forms.ChoiceField(
        label=_("Criticality"), choices=[AS_SCORED, *Criticality.choices], required=False,
        help_text=_("Another one than the scores say needs a reason."),
    )  # fmt: skip
    criticality_reason = forms.CharField(
        label=_("Reason for another criticality"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    groups = (
        ("", ("code", "name", "level", "kind", "parent", "stops_parent")),
        (_("Make"), ("manufacturer", "model", "serial_number", "description")),
        (_("How critical"), (*SCORES, "criticality", "criticality_reason")),
        (
            _("Service"),
            (
                "commissioned",
                "retired",
                "short_stop_seconds",
                "silence_days",
                "downtime_cost",
                "replacement_value",
                "external_id",
            ),
        ),
    )

    class Meta:
        model = Asset
        fields = [
            "code", "name", "level", "kind", "manufacturer", "model", "serial_number", "description", *SCORES,
            "criticality", "criticality_reason", "commissioned", "retired", "short_stop_seconds", "silence_days",
            "downtime_cost", "replacement_value", "external_id",
        ]  # fmt: skip
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        for name in SCORES:
            self.fields[name].widget = forms.Select(choices=SCORE_WORDS)
        words = _("%(currency)s. A change holds from today on; what happened before keeps the former cost.")
        self.fields["downtime_cost"].help_text = words % {"currency": self.site.currency if self.site else ""}
        words = _(
            "%(currency)s, to buy and install the like of it today with all that stands below; not its purchase price."
        )
        self.fields["replacement_value"].help_text = words % {"currency": self.site.currency if self.site else ""}
        verdict = assess(Scores(*(getattr(self.instance, name) for name in SCORES)))
        if verdict and verdict.criticality == self.instance.criticality:
            self.initial |= {"criticality": "", "criticality_reason": ""}

    @property
    def grouped(self) -> list[tuple]:
        """(heading, fields) for the template."""
        return [(heading, [self[name] for name in names if name in self.fields]) for heading, names in self.groups]

    def clean_criticality(self) -> str | None:
        return self.cleaned_data["criticality"] or None


class NewAssetForm(AssetForm):
    """A new asset with its first place."""

    class Meta(AssetForm.Meta):
        fields = [*AssetForm.Meta.fields, "parent", "stops_parent"]
        widgets = {**AssetForm.Meta.widgets, "parent": SearchSelect}

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["parent"].queryset = self.fields["parent"].queryset.filter(archived_at=None)
        self.fields["parent"].label = _("Stands in")


class PlaceForm(Form):
    """Where an asset stands and what its stop does there, from when on."""

    parent = forms.ModelChoiceField(
        label=_("Stands in"), queryset=Asset.objects.filter(archived_at=None), required=False, widget=SearchSelect,
        help_text=_("Empty: on top of the tree."),
    )  # fmt: skip
    stops_parent = forms.BooleanField(label=_("Its stop stops what it stands in"), required=False)
    redundancy_group = forms.ModelChoiceField(
        label=_("Redundancy group"), queryset=RedundancyGroup.objects.select_related("parent"), required=False,
        help_text=_("Of the group so many must be up, or the parent is down."),
    )  # fmt: skip
    at = forms.DateTimeField(
        label=_("Since"), required=False,
        help_text=_("What happened before stays with the former place. Empty: from now on."),
    )  # fmt: skip

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        group = self.fields["redundancy_group"]
        group.label_from_instance = lambda each: f"{each.parent.code}: {each}"
        if not group.queryset.exists():
            del self.fields["redundancy_group"]


class GroupForm(Form):
    """A redundancy group of what stands in an asset."""

    name = forms.CharField(label=_("Name"), max_length=80)
    needed = forms.IntegerField(label=_("So many must be up"), min_value=1, max_value=999)


class FormerCostForm(Form):
    """What an hour down cost before: until when, and how much."""

    amount = forms.DecimalField(
        label=_("Cost of one hour down"), min_value=0, max_digits=12, decimal_places=2, required=False,
        help_text=_("Empty: none was known."),
    )  # fmt: skip
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    until = forms.DateField(label=_("Until"), widget=Day, help_text=_("The first day on which it no longer held."))
