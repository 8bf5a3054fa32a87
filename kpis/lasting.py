"""How a study of reliability reads: its answer in a sentence, and what its numbers mean for maintenance."""

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.kit.present import number_text
from kpis.formulas import Bounds, Reason
from kpis.lifetimes import Advice, Model, Replacement, Weibull
from kpis.reasons import REASONS
from kpis.reliability import JackKnife, NotEnough, Problem, Quadrant, Verdict
from kpis.studying import Barrier, Next, Study
from kpis.trending import missing

BARRIERS = {
    Barrier.KINDS: gettext_lazy(
        "These assets are of several kinds, whose lives have nothing in common; choose one kind."
    ),
    Barrier.TREND: gettext_lazy(
        "Lives become ever shorter or longer, so they follow no one distribution; the trend says what to expect."
    ),
}
MODELS = {
    Model.TREND: gettext_lazy("by its trend"),
    Model.AGEING: gettext_lazy("by its age"),
    Model.CONSTANT: gettext_lazy("at a constant rate"),
}
QUADRANTS = {
    Quadrant.BOTH: gettext_lazy("often and long"),
    Quadrant.CHRONIC: gettext_lazy("often"),
    Quadrant.ACUTE: gettext_lazy("long"),
    Quadrant.QUIET: gettext_lazy("neither often nor long"),
}
TRENDS = {
    Verdict.WORSE: gettext_lazy("failures come ever faster"),
    Verdict.BETTER: gettext_lazy("failures come ever more rarely"),
    Verdict.NO_TREND: gettext_lazy("failures come at an even rate"),
}


def nothing() -> str:
    return _(
        "Nothing was ever recorded here, so there is nothing to learn from yet. Stops and failures make this page."
    )


def hours(value: float | None) -> str:
    """ "425 h"; with a digit where it is below ten."""
    return _("unbounded") if value is None else f"{number_text(value, 0 if value >= 10 else 1)}\u202fh"


def between(bounds: Bounds) -> str:
    return _("%(lower)s to %(upper)s") % {"lower": hours(bounds.lower), "upper": hours(bounds.upper)}


def answer(study: Study) -> str:
    """The page's first line: how much is known, where it is going, and what to do."""
    since = formats.date_format(study.subject.site.local(study.since), "DATE_FORMAT")
    parts = [
        ngettext(
            "%(n)d failure in %(hours)s of operation since %(since)s",
            "%(n)d failures in %(hours)s of operation since %(since)s",
            study.failures,
        )
        % {"n": study.failures, "hours": hours(study.hours), "since": since}
    ]
    if study.trend.verdict:
        parts.append(str(TRENDS[study.trend.verdict]))
    said = ": ".join(parts) + "."
    if isinstance(study.distribution, Weibull):
        said += " " + wear(study.distribution)
    if len(study.assets) == 1 and study.next:
        said += " " + expects(study.next[0])
    return said


def counted(study: Study) -> str:
    """Which assets it is about; "" for one alone, and for a kind, which the title names."""
    subject, number = study.subject, len(study.assets)
    if subject.kind or set(study.assets) == {subject.asset and subject.asset.pk}:
        return ""
    return ngettext(
        "About the %(n)d machine of %(whose)s that has records, by itself.",
        "About the %(n)d machines of %(whose)s that have records, each by itself.",
        number,
    ) % {"n": number, "whose": subject.asset.code if subject.asset else subject.site.name}


def mtbf(study: Study) -> str:
    """The MTBF of all together, with what it is formed from, its interval, and how far to trust it."""
    result, number = study.mtbf, len(study.assets)
    whose = _("MTBF") if number == 1 else _("MTBF of the %(n)d assets together") % {"n": number}
    operated = hours(study.hours)
    if result.value is not None and result.bounds:
        failed = ngettext("%(n)s failure", "%(n)s failures", study.failures) % {"n": number_text(study.failures, 0)}
        said = [
            _("%(whose)s: %(hours)s of operation ÷ %(failures)s = %(mtbf)s (90 %% interval %(interval)s).")
            % {
                "whose": whose, "hours": operated, "failures": failed, "mtbf": of_mean(result.value),
                "interval": between(result.bounds),
            }
        ]  # fmt: skip
        if study.few_failures:
            said.append(_("Few failures: it says little."))
    elif result.bounds:
        said = [
            _("%(whose)s: undefined, nothing failed in %(hours)s of operation; above %(lower)s with 90 %% confidence.")
            % {"whose": whose, "hours": operated, "lower": hours(result.bounds.lower)}
        ]
    else:
        said = [_("%(whose)s: undefined.") % {"whose": whose}]
    if result.reason is not Reason.NO_FAILURES:
        said.append(str(REASONS[result.reason]))
    if study.unrecorded:
        said.append(
            ngettext(
                "%(n)d asset more has no records and is left out.",
                "%(n)d assets more have no records and are left out.",
                study.unrecorded,
            )
            % {"n": study.unrecorded}
        )
    return " ".join(filter(None, said))


def of_mean(value: float) -> str:
    """Hours of a mean, with a digit where it is below a hundred, as figures have it."""
    return f"{number_text(value, 0 if value >= 100 else 1)}\u202fh"


def wear(lives: Weibull) -> str:
    """What the shape of the distribution says about age."""
    if lives.constant_rate_possible:
        return _("Age does not matter as far as can be told.")
    if lives.beta > 1:
        return _("They wear out: a tenth fails before %(age)s.") % {"age": hours(lives.b10)}
    return _("New ones fail most: look at how they are installed and started.")


def expects(following: Next) -> str:
    estimate = following.estimate
    return _("The next failure is to be expected in %(from)s to %(to)s of operation (80 %%).") % {
        "from": hours(estimate.p10),
        "to": hours(estimate.p90),
    }


def model_of(following: Next) -> str:
    """What the estimate rests on."""
    if following.shared:
        return _("by its age, with the lives of all here")
    return str(MODELS[following.estimate.model])


def apart(study: Study) -> str:
    """Why the asset's own page may say otherwise; "" where it says the same."""
    if not any(each.shared for each in study.next):
        return ""
    return _(
        "By its age means by the lives of all assets of this page, which tell more of age than those of one; the page"
        " of an asset knows only its own, so there its next failure may differ."
    )


def no_distribution(study: Study) -> str:
    """Why there is no distribution of lives; empty where there is one."""
    if study.barrier:
        return str(BARRIERS[study.barrier])
    return missing(study.distribution) if isinstance(study.distribution, NotEnough) else ""


def cautions(study: Study) -> list[str]:
    """What the lives rest on, and what was left out of them."""
    said = [_("A failure is taken to restore the asset to as good as new.")]
    if study.first_unknown:
        said.append(
            ngettext(
                "The time before the first failure of %(n)d asset is left out, because it began before the records.",
                "The time before the first failure of %(n)d assets is left out, because it began before the records.",
                study.first_unknown,
            )
            % {"n": study.first_unknown}
        )
    if study.timeless:
        said.append(
            ngettext(
                "%(n)d failure without operating time since the one before is left out.",
                "%(n)d failures without operating time since the one before are left out.",
                study.timeless,
            )
            % {"n": study.timeless}
        )
    return said


def advice(found: Replacement, lives: Weibull) -> str:
    """When to replace in advance, or why not to."""
    if found.advice is Advice.FAILURE_IS_CHEAPER:
        return _("Run to failure: a planned replacement costs no less than a failure.")
    if found.advice is Advice.UNCERTAIN:
        return _("No advice: β may be 1 (%(beta)s), so an old one may be as good as a new one.") % {
            "beta": _("90 %% interval %(lower)s to %(upper)s")
            % {
                "lower": number_text(lives.beta_bounds.lower, 2),
                "upper": number_text(lives.beta_bounds.upper, 2),
            }
        }
    if found.advice is Advice.RUN_TO_FAILURE:
        return _("Run to failure: replacing in advance saves nothing.")
    said = _("Replace after %(age)s of operation: %(saving)s %% cheaper than running to failure.") % {
        "age": hours(found.age),
        "saving": number_text(100 * (found.saving or 0), 0),
    }
    if found.saving_on_present is None:
        return said
    return f"{said} " + _("Against the present interval it saves %(saving)s %%.") % {
        "saving": number_text(100 * found.saving_on_present, 0)
    }


def flat(found: Replacement) -> str:
    """The ages that cost as good as the least."""
    if found.flat_from is None:
        return ""
    if found.flat_to is None:
        return _("From %(from)s on the cost differs by less than 2 %%.") % {"from": hours(found.flat_from)}
    return _("Any age from %(from)s to %(to)s costs at most 2 %% more.") % {
        "from": hours(found.flat_from),
        "to": hours(found.flat_to),
    }


def quadrant(knife: JackKnife, problem: Problem) -> str:
    return str(QUADRANTS[knife.quadrant(problem)])
