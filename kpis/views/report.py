"""The weekly report: as a page and as a PDF."""

from functools import cached_property

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Refused
from core.kit.badges import Action
from core.kit.views import Page, go_to_site_of
from kpis import questions, report, weeks
from kpis.report_pdf import pdf


class WeeklyReport(Page):
    """A week of the site and, with `?asset=`, of everything below an asset; without `?week=` the last whole one."""

    template_name = "kpis/report.html"
    title = gettext_lazy("Weekly report")

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
    def report(self) -> report.Report:
        return report.compose(self.subject.site, self.asset, self.asked[0], now=self.now)

    def page_title(self) -> str:
        return self.report.title if self.subject else str(self.title)

    def crumbs(self) -> list[tuple]:
        if self.subject is None:
            return [(_("Performance"), reverse("performance"))]
        return [(_("Performance"), self.report.urls["performance"])]

    def actions(self) -> list[Action]:
        if self.subject is None:
            return []
        return [Action(_("PDF"), self.report.urls["pdf"], "file-download")]

    def context(self) -> dict:
        if self.subject is None:
            return {"report": None}
        week, error = self.asked
        after = week.moved(1)
        return {
            "report": self.report,
            "answer": self.report.answer,
            "error": error,
            "earlier": self.url(week.moved(-1)) if week.monday.year > weeks.FIRST_YEAR else "",
            "later": self.url(after) if after.window.start <= self.now else "",
        }

    def url(self, week: weeks.Week) -> str:
        return report.address("report", self.subject.site, self.asset, week=week)


class ReportPdf(WeeklyReport):
    """The same as a file."""

    def get(self, request, *args, **kwargs):
        if self.subject is None:
            raise Http404("No site.")
        response = HttpResponse(pdf(self.report), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{self.report.file_name}.pdf"'
        return response
