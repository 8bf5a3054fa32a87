"""Whether failures of a figure's assets come faster or slower, as pages and API say it beside an MTBF."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.models import Asset
from core.kit.badges import Badge
from core.kit.present import number_text
from core.models import Site
from kpis.facts import lives
from kpis.facts.lives import Record
from kpis.reliability import CrowAmsaa, Lack, Laplace, NotEnough, Verdict, crow_amsaa, laplace

BADGES = {
    Verdict.BETTER: Badge(gettext_lazy("Getting better"), "ok", "trending-up"),
    Verdict.WORSE: Badge(gettext_lazy("Getting worse"), "warn", "trending-down"),
    Verdict.NO_TREND: Badge(gettext_lazy("No trend"), "idle", "equal"),
}


@dataclass(frozen=True)
class Trend:
    """Laplace's test and Crow-AMSAA growth of failures on the operating-time axis; each may be `NotEnough`."""

    test: Laplace | NotEnough
    growth: CrowAmsaa | NotEnough

    @property
    def verdict(self) -> Verdict | None:
        return self.test.verdict if isinstance(self.test, Laplace) else None

    @property
    def badge(self) -> Badge | None:
        return BADGES[self.verdict] if self.verdict else None

    @property
    def misleads(self) -> bool:
        """Whether a single MTBF misleads, because failures do not come at a constant rate."""
        return self.verdict in (Verdict.BETTER, Verdict.WORSE)

    @property
    def now(self) -> float | None:
        """MTBF as it is now, hours; only where there is a trend."""
        return self.growth.instantaneous if self.misleads and isinstance(self.growth, CrowAmsaa) else None

    @property
    def sentence(self) -> str:
        if isinstance(self.test, NotEnough):
            return missing(self.test)
        u = number_text(self.test.u, 2)
        if not self.misleads:
            return _("No trend (Laplace U = %(u)s, within ±1.96): failures come at an even rate.") % {"u": u}
        said = (
            _("Getting worse: a single MTBF misleads (Laplace U = %(u)s).")
            if self.verdict is Verdict.WORSE
            else _("Getting better: a single MTBF misleads (Laplace U = %(u)s).")
        ) % {"u": u}
        if self.now is None:
            return said
        return said + " " + _("As it is now, it is about %(hours)s h.") % {"hours": number_text(self.now, 0)}


def missing(lacking: NotEnough) -> str:
    """What a statistic lacks, in words."""
    numbers = {"found": lacking.found, "needed": lacking.needed}
    if lacking.lack is Lack.FAILURES:
        return _("Not enough data: %(found)d of the %(needed)d failures that this needs.") % numbers
    if lacking.lack is Lack.AGES:
        return _("Not enough data: all failures came at the same age.")
    return _("Not enough data: it failed before it had operated.")


def trend(records: Sequence[Record]) -> Trend:
    histories = [each.history for each in records if each.history.end > 0]
    return Trend(laplace(histories), crow_amsaa(histories))


def of_figure(
    asset: Asset | None, *, site: Site, start: datetime, end: datetime, scope: str, now: datetime
) -> Trend:  # fmt: skip
    """The trend of the failure events that a figure of this question counts."""
    return trend(lives.of_subject(asset, site=site, start=start, end=end, scope=scope, now=now).records)
