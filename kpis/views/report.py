"""The weekly report: as a page, as a PDF, and who gets it by e-mail."""

from functools import cached_property

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from core.errors import Refused
from core.kit.badges import Action
from core.kit.views import ObjectPage, Page, go_to_site_of
from core.querysets import id_of
from core.snapshot import one_snapshot
from kpis import kept, questions, report, reporting, weeks
from kpis.facts.members import Scope
from kpis.models import KeptReport, ReportSubscription
from kpis.report_pdf import pdf


class WeeklyReport(Page):
    """A week of the site and, with `?asset=`, of an asset: its machines, or with `?scope=asset` itself; without
    `?week=` the last whole one.

    With `?sent=` as it was sent, beside what is known now.
    """

    template_name = "kpis/report.html"
    title = gettext_lazy("Weekly report")

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        if self.asset:
            go_to_site_of(self.asset, request)
        return self.draw()

    @cached_property
    def subject(self) -> questions.Subject | None:
        if self.request.site is None and not self.request.GET.get("asset"):
            return None
        try:
            found = questions.subject(self.request.GET, self.request.user, site=self.request.site)
        except Refused as error:
            raise Http404(error.message) from error
        if found.kind:
            raise Http404("A report is of a site or an asset.")
        return found

    @property
    def asset(self):
        return self.subject and self.subject.asset

    @cached_property
    def asked(self) -> tuple[weeks.Week, str]:
        return weeks.asked(self.subject.site, self.request.GET.get("week", ""), self.now)

    @cached_property
    def now(self):
        return timezone.now()

    @cached_property
    def kept(self) -> list[KeptReport]:
        """What was sent of this week."""
        return kept.kept(self.subject.site, self.asset, self.asked[0], self.composed.scope)

    @cached_property
    def sent(self) -> KeptReport | None:
        """The one of them that is asked for."""
        if not (text := self.request.GET.get("sent", "")):
            return None
        for row in self.kept:
            if row.pk == id_of(text):
                return row
        raise Http404("No such report was sent of this week.")

    @cached_property
    def composed(self) -> report.Report:
        """As it is known now."""
        return report.compose(self.subject.site, self.asset, self.asked[0], now=self.now, scope=self.scope)

    @property
    def scope(self) -> str:
        """What is to count for a line: its machines, or with `?scope=asset` itself."""
        return self.request.GET.get("scope", "")

    @cached_property
    def report(self) -> report.Report:
        return kept.opened(self.sent, self.asked[0]) if self.sent else self.composed

    def page_title(self) -> str:
        return self.report.title if self.subject else str(self.title)

    def crumbs(self) -> list[tuple]:
        if self.subject is None:
            return [(_("Performance"), reverse("performance"))]
        return [(_("Performance"), self.report.urls["performance"])]

    def actions(self) -> list[Action]:
        if self.subject is None:
            return []
        pdf_ = Action(_("PDF"), self.report.urls["pdf"], "file-download")
        own = Scope.ASSET if self.report.own else Scope.LEAVES
        return [pdf_, *mail_action(self.subject.site, self.asset, self.request.user, own)]

    def context(self) -> dict:
        if self.subject is None:
            return {"report": None}
        week, error = self.asked
        after = week.moved(1)
        return {
            "report": self.report,
            "answer": self.report.answer,
            "error": error,
            "subscriptions": reporting.own(self.request.user, self.subject.site),
            "to_log": not settings.EMAIL_HOST,
            "earlier": self.url(week.moved(-1)) if week.monday.year > weeks.FIRST_YEAR else "",
            "later": self.url(after) if after.window.start <= self.now else "",
            **self.as_sent(),
        }

    def as_sent(self) -> dict:
        """What was sent of this week, each with its address, and what has become of it since."""
        week, newest = self.asked[0], self.sent or next(iter(self.kept), None)
        before = kept.opened(newest, week).rows if newest else []
        return {
            "sent": self.sent,
            "kept": [(row, self.url(week, sent=row.pk), row.language != get_language()) for row in self.kept],
            "now_url": self.url(week),
            "rows": kept.known_now(self.report.rows, self.composed) if self.sent else [],
            "redefined": kept.redefined(self.report.rows, week, sent=before),
            "site_zone": self.subject.site.zone,
        }

    def url(self, week: weeks.Week, **query) -> str:
        own = {"scope": Scope.ASSET.value} if self.composed.own else {}
        return report.address("report", self.subject.site, self.asset, week=week, **own, **query)


class ReportPdf(WeeklyReport):
    """The same as a file; for a week that there is not, the page says so."""

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        if self.subject is None:
            raise Http404("No site.")
        if self.asked[1]:
            return HttpResponseRedirect(f"{reverse('report')}?{request.GET.urlencode()}")
        response = HttpResponse(pdf(self.report), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{self.report.file_name}.pdf"'
        return response


# --- By e-mail -------------------------------------------------------------------------------------


class Subscribe(Page):
    """Ask for the report of every week of a site, or of what is below an asset."""

    title = gettext_lazy("Weekly report")

    def post(self, request):
        try:
            found = questions.subject(request.POST, request.user, site=request.site)
            scope = request.POST.get("scope", Scope.LEAVES.value)
            row = reporting.subscribe(found.site, found.asset, scope=scope, by=request.user)
        except Refused as error:
            messages.error(request, error.message)
        else:
            words = _("The report of %(whose)s is sent to %(email)s every Monday from now on.")
            messages.success(request, words % {"whose": row, "email": request.user.email})
        return HttpResponseRedirect(self.back(reverse("report")))


class Unsubscribe(ObjectPage):
    """End one of one's own."""

    model = ReportSubscription

    def post(self, request, pk):
        words = _("The report of %(whose)s is sent to you no more.") % {"whose": self.object}
        reporting.unsubscribe(self.object, by=request.user)
        messages.success(request, words)
        return HttpResponseRedirect(self.back(reverse("report")))


@method_decorator([login_not_required, csrf_exempt], name="dispatch")
class Stop(View):
    """The link in a mail: a page that asks, for a mail program that only looks; a POST ends it, from a mail program
    too. Who has the link may, so neither log-in nor form token is wanted.
    """

    def get(self, request, token: str):
        return self._page(request, self._row(token))

    def post(self, request, token: str):
        if row := self._row(token):
            reporting.unsubscribe(row, by=row.user)
        return self._page(request, None)

    def _row(self, token: str) -> ReportSubscription | None:
        try:
            return reporting.of_token(token)
        except BadSignature as error:
            raise Http404("Not a link of ours.") from error

    def _page(self, request, row: ReportSubscription | None):
        return render(request, "kpis/report_stop.html", {"row": row, "email": row and row.user.email})


def mail_action(site, asset, user, scope: str = Scope.LEAVES) -> list[Action]:
    """The button that asks for the weekly mail of what counts, or ends it; for whoever may ask."""
    if not user.can("manage", site):
        return []
    if row := ReportSubscription.objects.visible_to(user).filter(site=site, asset=asset, scope=str(scope)).first():
        return [Action(_("No more weekly e-mail"), reverse("report-unsubscribe", args=[row.pk]), "mail-off", post=True)]
    whose = [("asset", str(asset.pk)), ("scope", str(scope))] if asset else [("site", site.code)]
    label = _("E-mail me this every week")
    return [Action(label, reverse("report-subscribe"), "mail-plus", post=True, fields=tuple(whose))]
