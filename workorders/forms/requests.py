"""Reporting a problem, and answering the report."""

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.kit.forms import Form, SearchSelect
from workorders.forms.orders import graded
from workorders.models import Request
from workorders.priority import CONSEQUENCES, LIKELIHOODS
from workorders.states import Kind


class ReportForm(Form):
    """What is wrong, where, and how it looks."""

    asset = forms.ModelChoiceField(
        Asset.objects.filter(archived_at=None), label=_("Which machine?"), widget=SearchSelect
    )
    summary = forms.CharField(label=_("What is wrong?"), max_length=200)
    is_down = forms.BooleanField(label=_("The machine stands still"), required=False)
    description = forms.CharField(
        label=_("More about it"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        widget=forms.ClearableFileInput(
            attrs={"accept": "image/*,application/pdf,video/mp4", "capture": "environment"}
        ),
    )


class AcceptForm(Form):
    """How a request becomes an order."""

    summary = forms.CharField(label=_("What is to be done"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=Kind.choices, initial=Kind.CORRECTIVE)
    consequence = forms.TypedChoiceField(label=_("If nothing is done"), coerce=int, choices=graded(CONSEQUENCES))
    likelihood = forms.TypedChoiceField(label=_("How likely"), coerce=int, choices=graded(LIKELIHOODS))
    due_to = forms.DateTimeField(label=_("Due by"), required=False)
    answer = forms.CharField(label=_("Answer to the reporter"), required=False, max_length=300)

    @staticmethod
    def start_with(request: Request) -> dict:
        """The first guess."""
        return {
            "summary": request.summary,
            "consequence": 3 if request.is_down else 2,
            "likelihood": 4 if request.is_down else 2,
        }


class DeclineForm(Form):
    """Why no order comes of it."""

    answer = forms.CharField(
        label=_("Answer to the reporter"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Tell the reporter why.")},
    )
