"""Pages of findings: doubts about the records, who looks into them, and what came of it."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import make_form
from core.kit.views import DetailPage, ListPage
from core.talk import AddComment
from kpis import doubts, findings
from kpis.filters import FindingFilter
from kpis.forms import AcceptForm, FindingForm
from kpis.models import Finding, FindingKind, FindingState
from kpis.tables import FindingTable, state_of

ACCEPTED_FOR = timedelta(days=90)


class FindingList(ListPage):
    model, table, filterset = Finding, FindingTable, FindingFilter
    title = _("Findings")
    parent = (_("Performance"), reverse_lazy("performance"))
    export_name = "findings"

    def rows(self):
        """Open ones first, then those settled last."""
        rows = super().rows().select_related("asset", "owner", "site")
        return rows.order_by(F("settled_at").desc(nulls_first=True), "-found_at", "-pk")

    def answer(self):
        still = self.rows().filter(state=FindingState.OPEN)
        number, nobodys = still.count(), still.filter(owner=None).count()
        if not number:
            return _now("Nothing is open: what was looked for in the records was not found.")
        said = ngettext("%(n)d finding is open", "%(n)d findings are open", number) % {"n": number}
        if nobodys:
            said += _now(", %(n)d without an owner") % {"n": nobodys}
        return f"{said}."


class FindingPage(DetailPage):
    """One finding: what was seen, whose it is, what was said and done."""

    model = Finding
    parent = (_("Findings"), reverse_lazy("findings"))

    def rows(self):
        return super().rows().select_related("asset", "owner", "site")

    def page_title(self):
        return f"{self.object.get_kind_display()} · {self.object.asset.code}"

    def badges(self):
        return [state_of(self.object)]

    def answer(self):
        return doubts.said(self.object.kind, self.object.numbers)

    def facts(self):
        found = self.object
        shown = [
            (_("Owner"), found.owner or _("nobody yet")),
            (_("Due"), found.due),
            (_("Found"), found.found_at),
            (_("Last seen"), found.seen_at),
        ]
        if found.settled_at:
            shown.append((_("Settled"), found.settled_at))
        if found.state == FindingState.ACCEPTED:
            shown += [(_("Accepted because"), found.reason), (_("Accepted until"), found.accepted_until)]
        return shown

    def actions(self):
        found = self.object
        where = Action(_("Go to the records"), evidence_of(found), "arrow-right", tone="primary")
        if found.state != FindingState.OPEN or not self.request.user.can("manage", found.site):
            return [where]
        return [
            where,
            Action(_("Owner and due date"), reverse("finding-edit", args=[found.pk]), "user"),
            Action(_("Accept"), reverse("finding-accept", args=[found.pk]), "check"),
        ]


def evidence_of(finding: Finding) -> str:
    """Where the records are that do not fit together."""
    match finding.kind:
        case FindingKind.OPEN_FOR_LONG:
            return reverse("downtime", args=[finding.numbers["downtime"]])
        case FindingKind.OVERLAP:
            return f"{finding.asset.get_absolute_url()}?{urlencode({'tab': 'downtime'})}"
        case FindingKind.TOO_FAST | FindingKind.COUNTED_WHILE_DOWN:
            return f"{finding.asset.get_absolute_url()}?{urlencode({'tab': 'counts'})}"
    return f"{reverse('performance')}?{urlencode({'asset': finding.asset_id})}"


class GiveFinding(FormPage):
    """Name who looks into it, and until when."""

    model, form_class = Finding, FindingForm
    parent = (_("Findings"), reverse_lazy("findings"))
    title = _("Owner and due date")

    def rows(self):
        return super().rows().select_related("asset", "owner", "site")

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def form(self, data=None):
        initial = {"owner": self.object.owner_id or self.request.user.pk, "due": self.object.due}
        return make_form(FindingForm, self.request, data, initial=initial, site=self.object.site)

    def save(self, form):
        return findings.change(self.object, form.cleaned_data, by=self.request.user, version=int(self.version))


class AcceptFinding(ActionPage):
    model = Finding
    title = _("Accept a finding")
    sentence = _("It is so, and it is right so. It is not raised again until the day you name.")
    submit = _("Accept")
    icon = "check"
    form_class = AcceptForm

    def rows(self):
        return super().rows().select_related("asset", "site")

    def may_object(self, user, obj):
        return user.can("manage", obj.site)

    def initial(self):
        return {"until": self.object.site.production_day(timezone.now()) + ACCEPTED_FOR}

    def do(self, obj, *, reason, until):
        findings.accept(obj, reason=reason, until=until, by=self.request.user)
        return _now("The finding is accepted.")


class SayOnFinding(AddComment):
    model = Finding
