"""How a figure reads: its value with unit, or the sentence that says why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor, log10
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.kit.badges import Badge
from core.kit.charts import Word
from core.kit.present import number_text
from kpis import effectiveness, targets
from kpis.definitions import DEFINITIONS
from kpis.windows import FORMER, YEAR

TILES = ("availability", "mtbf", "mttr", "oee")
WORK_TILES = (
    "preventive_compliance", "schedule_compliance", "planned_work_share", "break_in_share", "backlog_hours", "mtta",
)  # fmt: skip
MARKS = {"partial": ("watch", "eye-off"), "suspect": ("warn", "alert-triangle")}


def said(figure) -> str:
    """ "92.4 %", "310 h", "undefined" or "no data"; rounding happens here, at the last moment."""
    if figure.value is None:
        return _("undefined") if figure.status == "undefined" else _("no data")
    return f"{number_text(figure_value(figure), digits(figure))}\u202f{unit(figure)}"


def figure_value(figure) -> float | None:
    if figure.value is None:
        return None
    return figure.value * 100 if figure.unit == "share" else figure.value


def unit(figure) -> str:
    return "%" if figure.unit == "share" else figure.unit


def digits(figure) -> int:
    if figure.unit == "share":
        return 1
    if figure.definition.unit == "money":
        return 0
    if figure.definition.unit == "money per unit":
        return digits_of_price(figure.value)
    if figure.unit == "weeks" and figure.value is not None and figure.value < 1:
        return 2  # a backlog of hours is not none
    return 0 if figure.value is not None and abs(figure.value) >= 100 else 1


def digits_of_price(value: float | None) -> int:
    """Enough to tell a piece that costs next to nothing from none: three places that count, two after the point at
    least, eight at most."""
    if not value:
        return 2
    return min(8, max(2, 2 - floor(log10(abs(value)))))


def mark(figure) -> Badge | None:
    """A mark beside a figure that is not plainly right."""
    return badge_of(figure.status)


def badge_of(status: str) -> Badge | None:
    """The mark of what is not plainly right."""
    if status not in MARKS:
        return None
    tone, icon = MARKS[status]
    return Badge({"partial": _("Partial"), "suspect": _("Suspect")}[status], tone, icon)


def word(figure) -> Word:
    """What a table or a file says of a figure beside its value, or instead of it."""
    return Word(figure.status, "" if figure.value is not None else said(figure), figure.reason, mark(figure))


def address_of(figure, site, scope: str = "leaves") -> str:
    """The page that explains the figure of an asset (`scope` says what counts for it) or of the site."""
    whose = {"asset": figure.asset.pk, "scope": scope} if figure.asset else {"site": site.code}
    begin = _explained(figure.definition.key, figure.start.isoformat(), figure.end.isoformat())
    if figure.definition.version != DEFINITIONS[figure.definition.key].version:
        whose["definition_version"] = figure.definition.version
    return f"{begin}&{urlencode(whose)}"


@lru_cache(maxsize=1000)
def _explained(definition: str, start: str, end: str) -> str:
    """What the addresses of all figures of one definition and window begin with; a page has hundreds."""
    query = {"definition": definition, "from": start, "to": end}
    return f"{reverse('figure')}?{urlencode(query)}"


@dataclass(frozen=True)
class Tile:
    """One figure on the Performance page: value, interval or reason, and the change since the window before."""

    label: Any
    value: float | None
    missing: str  # what is said instead of a value
    unit: str
    digits: int
    badge: Badge | None
    note: str
    url: str
    goal: str = ""  # the target with its gap and owner
    goal_url: str = ""
    tone: str = ""
    decision: str = ""

    @classmethod
    def of(cls, figure, former, *, url: str, target=None, compared: str = FORMER) -> "Tile":
        goal = {} if target is None else goal_of(figure, targets.standing(target[0], figure.value, target[1]))
        return cls(
            figure.definition.name,
            figure_value(figure),
            "" if figure.value is not None else said(figure),
            unit(figure),
            digits(figure),
            mark(figure),
            note(figure, former, compared),
            url,
            **goal,
        )


def agreed_for(now, scope: str = "leaves") -> dict:
    """The targets that held on the first day of a Period for what counts in it, by definition."""
    alone = scope == "leaves" and now.alone
    return targets.on(now.site, now.asset, now.site.production_day(now.start), scope, alone=alone)


def tiles(
    now, former, keys: Sequence[str] = TILES, *, agreed: Mapping, compared: str = FORMER, scope: str = "leaves"
) -> list[Tile]:
    """Headline figures of a Period beside the one it is `compared` with (None: with none), and beside what was
    `agreed_for` it."""
    figures = [(now.figure(DEFINITIONS[key]), former and former.figure(DEFINITIONS[key])) for key in keys]
    return [
        Tile.of(
            figure, before, url=address_of(figure, now.site, scope), target=agreed.get(figure.definition.key),
            compared=compared,
        )
        for figure, before in figures
    ]  # fmt: skip


def goal_of(figure, standing: targets.Standing) -> dict:
    """What a tile says of the target: its value, the gap, who answers for it, and what was decided last."""
    target = standing.target
    aim, gap = aim_of(figure, standing), gap_of(figure, standing)
    parts = [_("Target %(aim)s") % {"aim": aim}, gap, str(target.owner)]
    found = {"goal": " · ".join(part for part in parts if part), "goal_url": target.get_absolute_url()}
    if standing.decision:
        found["decision"] = Truncator(standing.decision.body).chars(120)
    return found | {"tone": standing.tone}


def aim_of(figure, standing: targets.Standing) -> str:
    """The target's value as the figure reads."""
    return said(replace(figure, value=standing.target.value))


def gap_of(figure, standing: targets.Standing) -> str:
    """How far the figure is from its target, in words; "" without a value."""
    if standing.gap is None:
        return ""
    if standing.gap >= 0:
        return _("reached")
    short = -standing.gap * 100 if figure.unit == "share" else -standing.gap
    unit_ = _("points") if figure.unit == "share" else unit(figure)
    places = digits_of_price(short) if figure.definition.unit == "money per unit" else 1
    return _("%(gap)s %(unit)s to go") % {"gap": number_text(short, places), "unit": unit_}


def why(figure) -> str:
    """The reason of a figure without a plain value; without a failure also what its MTBF is above."""
    return " ".join(filter(None, [figure.reason, at_least(figure)]))


def at_least(figure) -> str:
    """The one-sided lower bound where nothing failed; "" where there is a value, or no bound."""
    if figure.value is not None or not figure.interval:
        return ""
    bound = replace(figure, value=figure.interval["lower"])
    return _("At least %(value)s with %(share)d %% confidence.") % {
        "value": said(bound), "share": round(figure.interval["confidence"] * 100),
    }  # fmt: skip


def note(figure, former, compared: str = FORMER) -> str:
    """The reason where there is no value, else the interval and what it was before."""
    if figure.value is None:
        return why(figure)
    parts = [aside] if (aside := rests_on(figure)) else []
    if figure.interval and figure.interval.get("lower") is not None:
        upper = figure.interval.get("upper")
        ends = [number_text(figure.interval["lower"], 0), number_text(upper, 0) if upper is not None else "∞"]
        parts.append(
            _("90 %% interval %(lower)s to %(upper)s %(unit)s")
            % {"lower": ends[0], "upper": ends[1], "unit": unit(figure)}
        )
    if figure.few_failures:
        parts.append(_("few failures"))
    if former is not None and former.value is not None:
        words = _("a year before: %(value)s") if compared == YEAR else _("before: %(value)s")
        parts.append(words % {"value": said(former)})
    return " · ".join(parts)


def rests_on(figure) -> str:
    """What a figure of work is made of, in a few words, and the factors of OEE; "" for all others."""
    sums = {name: int(value) for name, value in figure.inputs.items()}
    match figure.definition.key:
        case "preventive_compliance":
            return ngettext("of %(n)d occurrence", "of %(n)d occurrences", sums["judged"]) % {"n": sums["judged"]}
        case "schedule_compliance":
            return ngettext("of %(n)d agreed order", "of %(n)d agreed orders", sums["agreed_orders"]) % {
                "n": sums["agreed_orders"]
            }
        case "break_in_share":
            return _("of %(hours)s h of labour") % {
                "hours": number_text(figure.inputs["labour_in_agreed_weeks"] / 3600, 0)
            }
        case "planned_work_share":
            return _("of %(hours)s h of labour") % {"hours": number_text(figure.inputs["labour"] / 3600, 0)}
        case "backlog_hours":
            orders, missing = sums["open_orders"], sums["unestimated_orders"]
            words = ngettext("%(n)d open order", "%(n)d open orders", orders) % {"n": orders}
            return f"{words}, {_('%(n)d without an estimate') % {'n': missing}}" if missing else words
        case "maintenance_cost_per_unit":
            return ngettext("of %(n)s piece", "of %(n)s pieces", sums["pieces"]) % {"n": number_text(sums["pieces"], 0)}
        case "maintenance_cost_of_replacement_value":
            return _("of %(value)s; %(n)d of %(all)d machines") % {
                "value": f"{number_text(sums['replacement_value'], 0)}\u202f{figure.currency}",
                "n": sums["valued_machines"],
                "all": sums["machines"],
            }
        case "mtta":
            asked = sums["accepted_requests"]
            return ngettext("of %(n)d request", "of %(n)d requests", asked) % {"n": asked}
        case "oee":
            return str(effectiveness.factors(figure.facts, figure.profile) or "")
    return ""


def work_answer(period) -> str:
    """The figures of work of a Period in one sentence; what has no value is left to the tiles."""
    keys = ("preventive_compliance", "schedule_compliance", "planned_work_share", "backlog_hours")
    done, kept, planned, backlog = (period.figure(DEFINITIONS[key]) for key in keys)
    parts = []
    if done.value is not None:
        parts.append(_("%(share)s of the preventive work was done in time") % {"share": said(done)})
    if kept.value is not None:
        parts.append(_("%(share)s of what was agreed for its weeks was done in them") % {"share": said(kept)})
    if planned.value is not None:
        parts.append(_("%(share)s of the labour was planned") % {"share": said(planned)})
    if backlog.value is not None:
        parts.append(_("%(hours)s of estimated work were open at the end") % {"hours": said(backlog)})
    return ", ".join(parts) + "." if parts else _("No work was recorded in this window.")
