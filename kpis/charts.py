"""The pictures of the Performance page, as data; a figure without a value stays a gap."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.kit import charts
from core.kit import trends as kit_trends
from core.kit.charts import Chart, Step, Word
from core.kit.present import date_text, number_text
from core.kit.trends import Series
from kpis.definitions import DEFINITIONS
from kpis.formulas import CONFIDENCE
from kpis.present import word

HOUR = 3600
NOTHING = 1e-6  # s: what floats leave of no loss at all
OF_LOSSES = frozenset({"losses", "stops"})  # keys of the pictures of where the time went


def shown(figure) -> float | None:
    """A figure's value as charts show it: shares in per cent, times in hours."""
    if figure is None or figure.value is None:
        return None
    return figure.value * 100 if figure.unit == "share" else figure.value


def file_name(key: str, whose, window) -> str:
    """The name of a chart's files without ending: which chart, of what (`code`) and of which window."""
    days = [f"{day}" for day in (window.first, window.last)]
    hours = [f"{window.site.local(edge):%Y-%m-%d %H%M}" for edge in (window.start, window.end)]
    return " ".join([key, whose.code, *(days if window.whole else hours)])


def labels(figures: Sequence, site, by: str) -> list[str]:
    """The beginning of each bucket on the site's calendar."""
    if by == "shift":
        return [formats.date_format(site.local(figure.start), "D H:i") for figure in figures]
    how = {"day": "j M", "week": "j M", "month": "M Y"}.get(by, "j M Y")
    return [date_text(site.local(figure.start).date(), how) for figure in figures]


def trend(
    title: Any, key: str, series: Sequence[tuple[Any, Sequence, str]], *, site, by: str, unit: str, digits: int = 1,
    former: Sequence[tuple[Any, Sequence, str]] = (), intervals: bool = False,
) -> Chart:  # fmt: skip
    """Figures over time; `series` are (name, figures of the buckets, tone). The table has whole dates,
    of shifts with the hour.

    `former` are the same of a compared period, dashed: the first bucket of one stands over the first of the other,
    and where the compared period is shorter the line ends. With `intervals` each value has that of its figure.
    """
    buckets = series[0][1]
    names = labels(buckets, site, by)
    lines = [line(name, figures, tone, intervals=intervals) for name, figures, tone in series]
    lines += [
        line(name, fitted(figures, len(names)), tone, dashed=True, intervals=intervals)
        for name, figures, tone in former
    ]
    chart = kit_trends.trend(title, names, lines, unit=unit, digits=digits)
    beginning = site.local if by == "shift" else site.production_day
    whole = [beginning(figure.start) for figure in buckets]
    return replace(chart, key=key, rows=[[each, *row[1:]] for each, row in zip(whole, chart.rows, strict=True)])


def fitted(figures: Sequence, number: int) -> list:
    """So many of them; None where there are fewer."""
    return [*figures[:number], *[None] * (number - len(figures))]


def line(name: Any, figures: Sequence, tone: str, *, dashed: bool = False, intervals: bool = False) -> Series:
    """Figures as one line, with what is said of each, and where asked for with their intervals."""
    words = [word_of(figure, intervals=intervals) for figure in figures]
    drawn = Series(name, [shown(figure) for figure in figures], tone, dashed=dashed, words=words)
    if not intervals:
        return drawn
    share = {"share": round(CONFIDENCE * 100)}
    interval, limit = _("%(share)d %% interval") % share, _("one-sided %(share)d %% lower bound") % share
    return replace(drawn, bounds=[ends(figure) for figure in figures], interval=interval, limit=limit)


def word_of(figure, *, intervals: bool) -> Word:
    """What is said of a bucket's figure; with `intervals` also that an end without a value is a one-sided bound."""
    if figure is None:
        return Word(missing="–")
    said = word(figure)
    if not intervals or ends(figure)[0] is None or figure.value is not None:
        return said
    return replace(said, reason=f"{said.reason} {_('The lower end is a one-sided bound.')}")


def ends(figure) -> tuple[float | None, float | None]:
    """The ends of the interval around a figure's value; without a failure the lower bound alone."""
    if figure is None or not figure.interval:
        return None, None
    lower, upper = (figure.interval[end] for end in ("lower", "upper"))
    return lower, upper


def trends(periods: Sequence, *, site, by: str, former: Sequence = (), compared: Any = "") -> tuple[Chart, Chart]:
    """Availability with OEE, and MTBF, over the buckets of one subject; `compared` names those of `former`."""
    drawn = []
    for title, key, keys, unit_, digits in (
        (_("Availability and OEE"), "availability-oee", {"availability": "1", "oee": "2"}, "%", 1),
        (_("MTBF"), "mtbf", {"mtbf": "3"}, "h", 0),
    ):
        now, before = (
            [
                (DEFINITIONS[name].name, [each.figure(DEFINITIONS[name]) for each in found], tone)
                for name, tone in keys.items()
            ]
            for found in (periods, former)
        )
        dashed = [(f"{name}, {compared}", figures, tone) for name, figures, tone in before if former]
        drawn.append(
            trend(
                title, key, now, site=site, by=by, unit=unit_, digits=digits, former=dashed, intervals="mtbf" in keys
            )
        )  # fmt: skip
    return drawn[0], drawn[1]


def coming(*, below: bool) -> list:
    """Titles of what follows once the page of figures is there; with what is `below`, if there is something."""
    return [_("Availability and OEE"), _("MTBF"), *([_("Bad actors"), _("Below")] if below else [])]


def losses(steps: Sequence[tuple[Any, float]], *, profile: Any = "", of: str = "") -> Chart:
    """From planned production time down to good time, in hours; `steps` are (label, seconds), the last is good time.

    Below it is said `of` how many machines it is, and by which `profile`: which stops are performance losses.
    """
    drawn: list[Step] = []
    if steps:
        *lost, good = steps
        planned = sum(seconds for _label, seconds in steps)
        drawn = [Step(_("Planned"), planned / HOUR, total=True)]
        drawn += [Step(label, -seconds / HOUR) for label, seconds in lost if abs(seconds) > NOTHING]
        drawn.append(Step(good[0], good[1] / HOUR, total=True, tone="ok"))
    said = [of, _("OEE profile: %(profile)s.") % {"profile": profile} if profile else ""] if steps else []
    chart = charts.waterfall(_("Where planned time went"), drawn, unit="h")
    return replace(chart, key="losses", note=" ".join(filter(None, said)))


def stops(reasons: Sequence[tuple[Any, float, int]], *, of: str = "", most: int = 12) -> Chart:
    """Lost hours by reason, the largest first; what is left over is put together, last. `of` is as of `losses`."""
    names, hours = [name for name, *_rest in reasons], [seconds / HOUR for _name, seconds, _n in reasons]
    chart = charts.pareto(_("Stops by reason"), names[:most], hours[:most], others=sum(hours[most:]), unit="h")
    return replace(chart, key="stops", note=of if reasons else "")


def judged(chart: Chart, figure) -> Chart:
    """The chart, and how far it may be trusted, as the figure: marked and explained on the page, by row in its file."""
    said = word(figure)
    whole = Word(str(said))  # below the picture it is said once, not in each row
    return replace(
        chart,
        mark=said.badge,
        note=" ".join(filter(None, [chart.note, str(said.reason)])),
        words={1: (chart.title, [whole] * len(chart.rows))},
    )


PLAIN = Word("ok")
WORST = ("ok", "partial", "suspect")
DWARFS = 4  # so many times the largest: a bar beside which no other can be seen


@dataclass(frozen=True)
class Actor:
    """An asset beside others, with its unplanned downtime in planned time and its failure events; `url` is its page,
    `word` how far they may be trusted."""

    name: str
    seconds: float
    failures: int
    url: str = ""
    word: Word = PLAIN


def actors(found: Sequence[Actor], *, unknown: Sequence[Actor] = (), most: int = 15) -> Chart:
    """Lost hours as bars and failures as points, the largest loss first; what is left over is put together, last.

    Of hundreds that is so much that no other bar could be seen; then it stands in the table alone. `unknown` others
    have no records: they are counted and stand last in the table, not drawn.
    """
    ranked = sorted(found, key=lambda each: (-each.seconds, -each.failures, each.name))
    rest = ranked[most:]
    listed = ranked[:most]
    if rest:
        lost_by_rest, failed = sum(each.seconds for each in rest), sum(each.failures for each in rest)
        listed.append(Actor(_("All others"), lost_by_rest, failed, word=least(each.word for each in rest)))
    shown = ranked[:most] if rest and listed[-1].seconds > DWARFS * ranked[0].seconds else listed
    lost, failed = _("Lost time, h"), _("Failures")
    option = charts.base(legend=True)
    option["tooltip"] |= {"axisPointer": {"type": "shadow"}}
    option["yAxis"] = {
        "type": "category",
        "inverse": True,
        "data": [each.name for each in shown],
        "axisLabel": {"interval": 0, "width": 110, "overflow": "truncate"},
    }
    option["xAxis"] = [
        {"type": "value", "splitNumber": 4, "axisLabel": {"hideOverlap": True}},
        {"type": "value", "minInterval": 1, "splitNumber": 3, "axisLabel": {"formatter": "{value}"}}
        | {"splitLine": {"show": False}},
    ]
    option["series"] = [
        {
            "type": "bar",
            "name": lost,
            "data": [{"value": each.seconds / HOUR, "url": each.url} for each in shown],
            "barMaxWidth": 20,
            "itemStyle": {"color": "var(--series-1)", "borderRadius": [0, 3, 3, 0]},
        },
        {
            "type": "line",
            "name": failed,
            "xAxisIndex": 1,
            "data": [each.failures for each in shown],
            "symbol": "diamond",
            "symbolSize": 9,
            "lineStyle": {"width": 0},
            "itemStyle": {"color": "var(--warn)"},
        },
    ]
    note = _("Unplanned downtime in planned time, the largest first.")
    if len(shown) < len(listed):
        words = ngettext("%(n)d other lost %(hours)s h.", "%(n)d others lost %(hours)s h together.", len(rest))
        note = f"{note} {words % {'n': len(rest), 'hours': number_text(listed[-1].seconds / HOUR, 0)}}"
    if unknown:
        number = len(unknown)
        said = ngettext("Of %(n)d nothing was ever recorded.", "Of %(n)d nothing was ever recorded.", number)
        note = f"{note} {said % {'n': number}}"
    words = [each.word for each in [*listed, *unknown]]
    return Chart(
        _("Bad actors"),
        option,
        [_("Asset"), lost, failed],
        [
            *([each.name, each.seconds / HOUR, each.failures] for each in listed),
            *([each.name, None, None] for each in unknown),
        ],
        height=max(180, 30 * len(shown) + 90),
        note=note,
        empty=not shown,
        key="actors",
        words={1: (_("Lost time"), words), 2: ("", [Word(missing=each.missing) for each in words])},
    )


def least(words: Iterable[Word]) -> Word:
    """What is said of several together: the worst."""
    return max(words, key=lambda each: WORST.index(each.status) if each.status in WORST else 0)
