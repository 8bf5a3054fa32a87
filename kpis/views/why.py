"""The page behind every figure: why it is what it is."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Refused
from core.kit.views import Page
from core.snapshot import one_snapshot
from kpis import counting, explaining, inputs, lost_time, questions, telling, trusting, windows
from kpis.definitions import DEFINITIONS, OEE
from kpis.explaining_work import difference
from kpis.facts.members import Scope
from kpis.figures import Figure
from kpis.models import Finding, FindingKind, FindingState
from kpis.present import address_of, mark, said
from kpis.versions import version_of

MOST_FINDINGS = 20


class WhyFigure(Page):
    """The explanation of one figure: formula, numbers, records, exclusions."""

    template_name = "kpis/figure.html"

    @cached_property
    def question(self) -> questions.Question:
        """What the address asks; Refused at the parameter that is wrong."""
        given = self.request.GET.copy()
        given.pop("next", None)  # the way back, no part of the question
        question = questions.asked(given, self.request.user)
        if len(question.definitions) != 1:
            raise Refused(_("Name one figure."), code="one_only", field="definition")
        if question.end <= question.start:
            raise Refused(_("The window ends before it begins."), code="invalid", field="to")
        return question

    @cached_property
    def why(self) -> explaining.Explanation:
        question = self.question
        return explaining.explain(
            question.assets[0] if question.assets else None, site=question.site, definition=question.definitions[0],
            start=question.start, end=question.end, scope=question.scope if question.assets else "leaves",
            version=question.version, now=timezone.now(),
        )  # fmt: skip

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        try:
            return self.draw()
        except Refused as error:
            return self.refused(error)

    def refused(self, error: Refused):
        """What is wrong with the question, and at which parameter of the address."""
        context = {
            "page": self, "title": _("This figure cannot be told"), "actions": [], "error": error,
            "crumbs": [(_("Performance"), reverse("performance"))],
            "given": self.request.GET.get(error.field or "", ""),
        }  # fmt: skip
        return render(self.request, "kpis/figure_refused.html", context, status=400)

    def page_title(self) -> str:
        figure = self.why.figure
        whose = figure.asset.code if figure.asset else self.question.site.name
        name = figure.definition.name
        if not version_of(figure.definition).is_current:
            name = _("%(figure)s (version %(number)d)") % {"figure": name, "number": figure.definition.version}
        return f"{name} · {whose}"

    def crumbs(self) -> list[tuple]:
        """Back to the page of ours that led here, else to where the figure stands: the same asset, the same window."""
        if came_from := self.back(""):
            return [(_("Back"), came_from)]
        question = self.question
        asset = question.assets[0] if question.assets else None
        window = windows.leading_back(question.site, asset, question.start, question.end, now=timezone.now())
        query = window.query | ({"asset": asset.pk} if asset else {})
        if asset and question.scope == Scope.ASSET:
            query["scope"] = question.scope
        return [(_("Performance"), f"{reverse('performance')}?{urlencode(query)}")]

    def context(self) -> dict:
        why = self.why
        return {
            "why": why,
            "figure": why.figure,
            "window_end": self.question.end,
            "said": said(why.figure),
            "mark": mark(why.figure),
            "sentence": why.calculation,
            "factors": self.linked(why.factors),
            "beside": [] if why.figure.value is None else self.linked(why.beside),
            "counted": self.counted(),
            "revisions": [(said(each.before), said(each.after), each) for each in why.revisions],
            "version": version_of(why.figure.definition),
            "otherwise": [(said(each), version_of(each.definition), self.in_version(each)) for each in why.otherwise],
            "was": why.published and said(why.published.figure),
            "changed": [
                (each, *difference(each.before, each.after, why.figure.currency)) for each in why.published.changed
            ]
            if why.published
            else [],
            **self.trusted(),
            "coming_back": urlencode({"next": self.request.get_full_path()}),
            "inputs_url": f"{reverse('figure-inputs')}?{self.request.GET.urlencode()}",
            "findings": self.findings(),
            **self.records(),
            **self.time_went(),
            "site_zone": self.question.site.zone,
            "percent": None if why.figure.coverage is None else why.figure.coverage * 100,
        }

    def linked(self, figures: Sequence[Figure]) -> list[tuple[Figure, str, str]]:
        """Other figures of the same question: how each reads, and the page that explains it."""
        return [(each, said(each), address_of(each, self.question.site, self.question.scope)) for each in figures]

    def counted(self) -> str:
        """Which assets a figure of time and counts is of; "" where it is of the asset asked for alone."""
        question, assets = self.question, self.why.assets
        if self.why.work or (question.assets and question.scope != Scope.ASSET and assets == question.assets):
            return ""
        if question.scope == Scope.ASSET and question.assets and not counting.is_line(question.assets[0]):
            return ""
        scope = Scope(question.scope) if question.assets else Scope.LEAVES
        words = counting.said(question.assets[0] if question.assets else question.site, scope, len(assets))
        number = len(self.why.own)
        if not self.why.figure.definition.counted or number == len(assets):
            return words
        of_them = _("The figure is of the %(n)d of %(all)d with counts.") % {"n": number, "all": len(assets)}
        return f"{words} {of_them}"

    def time_went(self) -> dict:
        """The loss or stop that caused the figure, where its time went, and which machines had the largest loss."""
        why, went = self.why, self.why.went
        if went is None:
            return {"stop": why.largest}
        largest, of_counts = went.largest, went.largest is not None and went.largest.key in lost_time.OF_COUNTS
        rows = {asset.pk: asset for asset in why.assets}
        itself = why.figure.asset and why.figure.asset.pk
        names = {key: each.name for key, each in DEFINITIONS.items()}
        return {
            "went": went,
            "stop": why.largest if largest and not of_counts and why.figure.definition.key in (OEE, "teep") else None,
            "largest_percent": largest and largest.share * 100,
            "time_parts": [
                {"name": each.name, "seconds": each.seconds, "percent": each.share * 100,
                 "lowers": names.get(each.lowers, "")}
                for each in went.parts
            ],
            "gained": any(each.seconds < 0 for each in went.parts),
            "losers": [
                {"asset": rows[each.asset], "seconds": each.seconds, "percent": each.share * 100,
                 "url": address_of(replace(why.figure, asset=rows[each.asset]), self.question.site, Scope.ASSET)}
                for each in went.losers
                if each.asset in rows and list(why.own) != [itself]
            ],
            "counts_of": why.figure.asset if of_counts and list(why.own) == [itself] else None,
        }  # fmt: skip

    def in_version(self, figure: Figure) -> str:
        """This page about the figure as another version of its definition has it."""
        query = self.request.GET.copy()
        query["definition_version"] = str(figure.definition.version)
        if version_of(figure.definition).is_current:
            del query["definition_version"]
        return f"{reverse('figure')}?{query.urlencode()}"

    def findings(self):
        """Open doubts about the records behind the figure, and about assets left out of it of which nothing comes."""
        why = self.why
        behind = Q(asset__in=why.near or why.assets) | Q(asset__in=why.assets, kind=FindingKind.SILENT)
        rows = Finding.objects.visible_to(self.request.user).filter(behind, state=FindingState.OPEN)
        return rows.select_related("asset")[:MOST_FINDINGS]

    def records(self) -> dict:
        """Which run computed it, where its records come from, and which do not count."""
        why = self.why
        left = why.not_counted
        return {
            "computed": [(telling.RUNS[each.occasion], each) for each in why.computed],
            "jobs_url": reverse("jobs") if self.request.user.can("administer", self.question.site) else "",
            "sources": [(telling.KINDS[each.kind], telling.SOURCES[each.source], each) for each in why.sources.given]
            if why.sources
            else [],
            "totals": telling.totals(left) if left else [],
            "not_counted": telling.rows(left.rows) if left else [],
        }

    def trusted(self) -> dict:
        """The grade, its parts and what would raise it; nothing where there is none."""
        why = self.why
        if why.trust is None:
            return {}
        return {
            "grade": trusting.BADGES[why.trust.grade],
            "advice": trusting.advice(why.trust.first, why.figure.reason_code, why.silent),
            "parts": [(trusting.name_of(each), each.value * 100) for each in why.trust.scores],
            "sensitivity": why.sensitivity and trusting.said(why.sensitivity, why.figure.value),
        }


class InputsOfFigure(WhyFigure):
    """The inputs of the figure as CSV that reproduces it in a spreadsheet."""

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        try:
            question = self.question
        except Refused as error:
            return self.refused(error)
        asset = question.assets[0] if question.assets else None
        (definition,) = question.definitions
        try:
            columns, found = explaining.inputs(
                asset, site=question.site, definition=definition, start=question.start, end=question.end,
                scope=question.scope if asset else "leaves", version=question.version, now=timezone.now(),
            )  # fmt: skip
        except Refused as error:
            messages.error(request, error.message)
            return redirect(f"{reverse('figure')}?{request.GET.urlencode()}")
        return inputs.download(question.site, asset, definition, question.start, found, columns)
