"""Sources that were silent, as pages and API tell of them: since when, until when, and by whose setting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Asset
from kpis.facts.zones import Stretch
from kpis.figures import Period
from kpis.silence import EVER, Silence

MOST = 20  # of one figure; more are not told of


@dataclass(frozen=True)
class SilentSource:
    """An asset of which nobody knows how it did from `since` to `until` (inclusive).

    `told` is the day of its last record before; without one nothing was told of it before `until`. Without `until` it
    lasts. `days` is for how many days it may be silent, `own` whether the asset says so itself and not its site.
    """

    asset: Asset
    told: date | None
    since: date | None
    until: date | None
    days: int
    own: bool

    @classmethod
    def of(cls, asset: Asset, silence: Silence) -> "SilentSource":
        begun = silence.since > EVER
        return cls(
            asset=asset,
            told=date.fromordinal(silence.since - silence.limit - 1) if begun else None,
            since=date.fromordinal(silence.since) if begun else None,
            until=None if silence.until is None else date.fromordinal(silence.until) - timedelta(days=1),
            days=silence.limit,
            own=asset.silence_days is not None,
        )

    @property
    def sentence(self) -> str:
        """What is said of the asset, behind its code."""
        words = {"told": _day(self.told), "since": _day(self.since), "until": _day(self.until)}
        if self.told is None:
            return _("told nothing before: unknown until %(until)s") % words
        if self.until is None:
            return _("has told nothing since %(told)s: unknown from %(since)s on") % words
        return _("told nothing after %(told)s: unknown from %(since)s to %(until)s") % words

    @property
    def rule(self) -> str:
        """The setting that it follows."""
        said = (
            _("more than %(days)d days without a record, as is set at the asset")
            if self.own
            else _("more than %(days)d days without a record, as the site says")
        )
        return said % {"days": self.days}


def _day(day: date | None) -> str:
    return formats.date_format(day, "SHORT_DATE_FORMAT") if day else ""


def silent_sources(period: Period, counting: Iterable[Stretch], rows: Mapping[int, Asset]) -> list[SilentSource]:
    """The silent sources among the assets that count, those that are silent still and the latest first."""
    found = {(each.member.asset_id, silence) for each in counting for silence in period.silences(each)}
    order = sorted(
        found, key=lambda each: (each[1].until is not None, -(each[1].until or 0), -each[1].since, rows[each[0]].code)
    )
    return [SilentSource.of(rows[asset_id], silence) for asset_id, silence in order[:MOST]]


def advice(silent: Sequence[SilentSource]) -> str:
    """What would raise coverage, where silence lowers it; empty where it does not."""
    if not silent:
        return ""
    lasting = [each for each in silent if each.until is None]
    first, more = (lasting or silent)[0], len(lasting) - 1
    words = {"asset": first.asset.code, "told": _day(first.told), "said": first.sentence, "n": more}
    if not lasting:
        return _("%(asset)s %(said)s. Enter what is missing.") % words
    if not more:
        return _("%(asset)s has told nothing since %(told)s: ask whether stops and counts still arrive.") % words
    return (
        ngettext(
            "%(asset)s has told nothing since %(told)s, nor has %(n)d other: ask whether stops and counts still"
            " arrive.",
            "%(asset)s has told nothing since %(told)s, nor have %(n)d others: ask whether stops and counts still"
            " arrive.",
            more,
        )
        % words
    )
