"""Reliability: what failures teach about a machine, a kind of machines, a line or a site."""

from functools import cached_property
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Refused
from core.kit.charting import ChartPage
from core.snapshot import one_snapshot
from kpis import charts_reliability as charts
from kpis import lasting, present, questions, studying
from kpis.facts.members import Scope
from kpis.forms import CostForm
from kpis.lifetimes import Weibull
from kpis.reliability import NotEnough
from kpis.trending import missing


class Reliability(ChartPage):
    """One page for the site, with `?asset=` for an asset or what is below it, with `?kind=` for a kind of assets."""

    template_name = "kpis/reliability.html"
    title = gettext_lazy("Reliability")

    @one_snapshot()
    def get(self, request, *args, **kwargs):
        try:
            return super().get(request, *args, **kwargs)
        except Refused as error:
            raise Http404(error.message) from error

    @cached_property
    def subject(self) -> questions.Subject | None:
        if self.request.site is None and not self.request.GET.get("asset"):
            return None
        return questions.subject(self.request.GET, self.request.user, site=self.request.site)

    @property
    def asset(self):
        return self.subject and self.subject.asset

    def page_title(self) -> str:
        if self.asset:
            return _("Reliability of %(what)s") % {"what": self.asset}
        if self.subject and self.subject.kind:
            return _("Reliability of %(what)s") % {"what": self.subject.kind}
        return str(self.title)

    def file_name(self, chart) -> str:
        whose = self.asset or self.subject.kind or self.subject.site
        return f"{chart.key} {whose.code} {self.subject.site.production_day(timezone.now())}"

    def crumbs(self) -> list[tuple]:
        to_performance = (_("Performance"), reverse("performance"))
        if self.asset:
            asset = (str(self.asset), f"{reverse('performance')}?{urlencode({'asset': self.asset.pk})}")
            return [to_performance, asset]
        return [to_performance]

    def context(self) -> dict:
        if self.subject is None:
            return {"subject": None}
        form = CostForm(self.request.GET)
        study = studying.study(self.subject, now=timezone.now(), costs=form.costs)
        context = {
            "subject": self.subject,
            "study": study,
            "nothing": lasting.nothing(),
            "form": form,
            "kinds": [(kind, self.url(kind=kind.code)) for kind in studying.kinds_of(self.subject.site)],
            "site_url": self.url(),
            "asked": {key: self.request.GET[key] for key in ("asset", "kind", "site") if self.request.GET.get(key)},
        }
        return context if study is None else context | self._found(study)

    def _found(self, study: studying.Study) -> dict:
        lives = study.distribution if isinstance(study.distribution, Weibull) else None
        return {
            "answer": lasting.answer(study),
            "counted": lasting.counted(study),
            "mtbf": lasting.mtbf(study),
            "mtbf_mark": present.mark(study.mtbf),
            "mtbf_url": self._explained(study),
            "failures": charts.failures(study),
            "lives": lives,
            "lives_chart": charts.lives(study) if lives else None,
            "no_lives": lasting.no_distribution(study),
            "cautions": lasting.cautions(study),
            "b10": lives and lasting.between(lives.b10_bounds),
            "wear": lives and lasting.wear(lives),
            "replacement": study.replacement,
            "advice": study.replacement and lasting.advice(study.replacement, lives),
            "flat": study.replacement and lasting.flat(study.replacement),
            "next": [(each, lasting.model_of(each), self.url(asset=each.asset.pk)) for each in study.next],
            "next_apart": lasting.apart(study),
            "knife": charts.jack_knife(study),
            "no_knife": self._no_knife(study),
            "actors": charts.actors(study),
            "vital": [each for each in study.actors if each.vital],
        }

    def _explained(self, study: studying.Study) -> str:
        """The page that explains the same MTBF as a figure; of a kind there is none."""
        subject = study.subject
        if subject.kind:
            return ""
        whose = {"asset": subject.asset.pk, "scope": Scope.LEAVES} if subject.asset else {"site": subject.site.code}
        window = {"from": study.since.isoformat(), "to": study.now.isoformat()}
        return f"{reverse('figure')}?{urlencode({'definition': 'mtbf', **window, **whose})}"

    def _no_knife(self, study: studying.Study) -> str:
        if not isinstance(study.knife, NotEnough):
            return ""
        return missing(study.knife) if not study.knife.found else _("There is only one problem to compare.")

    def url(self, **query) -> str:
        return f"{reverse('reliability')}{'?' if query else ''}{urlencode(query)}"
