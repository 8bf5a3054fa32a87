"""Cost of downtime on the Performance page: what an hour takes of a month's margin, and which assets cost most."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from django.utils import formats
from django.utils.translation import gettext as _

from assets.models import Asset
from core.kit.present import number_text
from kpis.definitions import DEFINITIONS
from kpis.facts.stated import earned_in
from kpis.figures import Figure, Period, same
from kpis.present import address_of, said

TILES = (
    "downtime_cost", "maintenance_cost", "downtime_cost_of_margin", "maintenance_cost_per_unit",
    "maintenance_cost_of_replacement_value",
)  # fmt: skip
OF_STOPS = ("downtime_cost", "downtime_cost_of_margin")  # of a line itself: work is done on its machines
MOST = 10  # assets of the ranking


@dataclass(frozen=True)
class Month:
    """The whole calendar month in which a window ends, and the site's net margin of it, if one holds."""

    first: date
    margin: float | None

    def __str__(self) -> str:
        return formats.date_format(self.first, "F Y")

    def share(self, amount: float) -> str:
        """ "0.24 %" of the month's margin; "" where there is none to take a share of."""
        if not self.margin:
            return ""
        share = amount / self.margin * 100
        return f"{number_text(share, 1 if share >= 10 else 2)}\u202f%"


def month_of(site, day: date) -> Month:
    first = day.replace(day=1)
    past = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    (earned,) = earned_in(site, [(site.day_begins(first), site.day_begins(past))])
    whole = earned.known == earned.whole and earned.amount > 0
    return Month(first, earned.amount if whole else None)


@dataclass(frozen=True)
class Line:
    """One asset: what its stops cost, what an hour down costs, and what that is of the month's margin."""

    asset: Asset
    url: str  # its own Performance page
    figure: Figure
    cost: str
    cost_url: str
    hour: str
    share: str


@dataclass(frozen=True)
class Money:
    """What stands beside the money tiles of a Period; the most expensive assets first, `MOST` at most."""

    answer: str
    ranking: list[Line]
    others: int
    month: Month
    apart: str = ""  # code of an asset to whose cost what is ranked does not add up: it is charged itself

    @property
    def has_margin(self) -> bool:
        return self.month.margin is not None


def money(whole: Period, *, month: Month, url: Callable[..., str]) -> Money:
    """`url(asset=pk)` gives the Performance page of an asset."""
    ranked = ranking(whole)
    lines = [_line(figure, month, url) for figure in ranked]
    cost, parts = whole.figure(DEFINITIONS["downtime_cost"]).value, sum(each.value or 0 for each in ranked)
    apart = whole.asset.code if whole.asset and ranked and cost is not None and not same(cost, parts) else ""
    return Money(_answer(whole, month), lines[:MOST], len(lines[MOST:]), month, apart)


def ranking(whole: Period) -> list[Figure]:
    """Cost of downtime of each asset that makes up that of the Period, or comes next below its own; most first."""
    found = whole.work.stood_apart(whole.place)
    base = whole.figure(DEFINITIONS["downtime_cost"])
    figures = []
    for asset, known in found:
        result = known.cost(whole.site.coverage_threshold)
        figures.append(
            replace(
                base, asset=asset, value=result.value, status=str(result.status),
                reason_code=str(result.reason), coverage=result.coverage, given=known.inputs,
            )
        )  # fmt: skip
    return sorted(figures, key=lambda each: (each.value is None, -(each.value or 0), each.asset.code))


def _answer(whole: Period, month: Month) -> str:
    """What stops cost in the window, and what one hour of this asset takes of the month."""
    cost, share = (whole.figure(DEFINITIONS[key]) for key in ("downtime_cost", "downtime_cost_of_margin"))
    if cost.value is None:
        words = [cost.reason if cost.reason_code != "no_hourly_cost" else _without(whole.asset)]
    elif share.value is None:
        words = [_("Stops cost %(cost)s.") % {"cost": said(cost)}]
    else:
        words = [
            _("Stops cost %(cost)s, %(share)s of the net margin of the site.")
            % {"cost": said(cost), "share": said(share)}
        ]
    if whole.asset is not None and whole.asset.downtime_cost is not None:
        words.append(_hour(whole.asset, month))
    return " ".join(words)


def _without(asset: Asset | None) -> str:
    if asset is None:
        return _("No asset has an hourly cost yet; enter it where the asset is edited (cost of one hour down).")
    return _("Neither %(asset)s nor anything below it has an hourly cost; enter it where the asset is edited.") % {
        "asset": asset.code
    }


def _hour(asset: Asset, month: Month) -> str:
    amount = float(asset.downtime_cost)
    words = {"asset": asset.code, "cost": _amount(asset), "month": month, "share": month.share(amount)}
    if not words["share"]:
        return _("One hour of %(asset)s costs %(cost)s.") % words
    return _("One hour of %(asset)s costs %(cost)s: %(share)s of the net margin of %(month)s.") % words


def _amount(asset: Asset) -> str:
    """What an hour costs today; "–" where it costs nothing any more."""
    if asset.downtime_cost is None:
        return "–"
    return f"{number_text(asset.downtime_cost, 0)}\u202f{asset.site.currency}"


def _line(figure: Figure, month: Month, url: Callable[..., str]) -> Line:
    asset = figure.asset
    return Line(
        asset,
        url(asset=asset.pk),
        figure,
        said(figure),
        address_of(figure, asset.site),
        _amount(asset),
        "" if asset.downtime_cost is None else month.share(float(asset.downtime_cost)),
    )
