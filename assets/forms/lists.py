"""Forms of the lists that people choose from."""

from assets.models import AssetKind, DowntimeReason, FailureCode
from core.kit.forms import ModelForm


class ReasonForm(ModelForm):
    class Meta:
        model = DowntimeReason
        fields = ["name", "code", "kind", "planned", "excluded", "loss_class", "active"]


class KindForm(ModelForm):
    class Meta:
        model = AssetKind
        fields = ["name", "code"]


class FailureCodeForm(ModelForm):
    class Meta:
        model = FailureCode
        fields = ["list", "name", "code", "kind"]
