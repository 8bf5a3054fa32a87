"""The pictures of the Reliability page, as data."""

from bisect import bisect_left
from dataclasses import replace
from itertools import accumulate, count
from math import ceil, floor, log10

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.kit import charts
from core.kit.charts import Chart
from kpis.lasting import quadrant
from kpis.lifetimes import Weibull, failed_shares
from kpis.reliability import CrowAmsaa, JackKnife, Quadrant
from kpis.studying import Study

STEPS = 60  # points of a curve
MOST_POINTS = 200  # of what was seen
MOST_ACTORS = 15
MOST_NAMES = 6  # problems named in the picture if there is room, those of the most hours; the others on a tap
TONES = {Quadrant.BOTH: "stop", Quadrant.CHRONIC: "warn", Quadrant.ACUTE: "watch", Quadrant.QUIET: "idle"}


def failures(study: Study) -> Chart:
    """Failures of an asset over its operating hours; of several, the mean of one."""
    ends = sorted(record.history.end for record in study.records)
    moments = sorted(time for record in study.records for time in record.history.failures)
    means = list(accumulate(1 / (len(ends) - bisect_left(ends, time)) for time in moments))
    steps = _thinned(list(zip(count(1), moments, means, strict=False)))
    last, reached = ends[-1], means[-1] if means else 0.0
    name = _("Failures so far") if len(ends) == 1 else _("Failures of one so far, mean")
    drawn = [(0.0, 0.0), *((time, mean) for _number, time, mean in steps), (last, reached)]
    series = [_line(name, drawn, "1", step="end")]
    head = [_("Failure"), _("Operating hours, h"), name]
    rows = [list(step) for step in steps]
    growth = study.trend.growth
    if len(ends) == 1 and isinstance(growth, CrowAmsaa):
        curve = [(last * place / STEPS, growth.cumulative(last * place / STEPS)) for place in range(STEPS + 1)]
        series.append(_line(_("Crow-AMSAA"), curve, "2", dashed=True))
        head.append(_("Crow-AMSAA"))
        rows = [[*row, growth.cumulative(row[1])] for row in rows]
    return _hours_chart("failures", _("Failures over operating time"), series, head, rows, most=None, empty=not moments)


def lives(study: Study) -> Chart:
    """The share that failed by each age, as it was and as the Weibull distribution says."""
    found = study.distribution
    if not isinstance(found, Weibull):
        return _hours_chart("lives", _("Share failed by age"), [], [], [], most=100, empty=True)
    points = _thinned([(age, 100 * share) for age, share in failed_shares(study.lives)])
    last = 1.1 * max(life.age for life in study.lives)
    ages = [last * place / STEPS for place in range(STEPS + 1)]
    curve = [(age, 100 * (1 - found.surviving(age))) for age in ages]
    seen = {
        "type": "scatter", "name": str(_("As it was, %")), "symbolSize": 7, "data": _pairs(points),
        "itemStyle": {"color": "var(--series-1)"},
    }  # fmt: skip
    series = [seen, _line(_("Weibull, %"), curve, "2")]
    head = [_("Failure"), _("Age, h"), _("As it was, %"), _("Weibull, %")]
    rows = [[place, age, share, 100 * (1 - found.surviving(age))] for place, (age, share) in enumerate(points, start=1)]
    return _hours_chart("lives", _("Share failed by age"), series, head, rows, most=100)


def jack_knife(study: Study) -> Chart | None:
    """Problems by number and mean duration on logarithmic axes, with the limits and lines of equal downtime."""
    knife = study.knife
    if not isinstance(knife, JackKnife):
        return None
    known = [problem for problem in knife.problems if problem.hours > 0]
    x, y = _("Failures"), _("Mean, h")
    chart = charts.scatter(
        _("Problems by number and duration"), [(each.name, each.failures, each.mean) for each in known], x=x, y=y,
        log=True,
    )  # fmt: skip
    if chart.empty:
        return chart
    left, right = _decades([each.failures for each in known] + [knife.often])
    bottom, top = _decades([each.mean for each in known] + [knife.long])
    option = chart.option
    option["xAxis"] |= {"min": left, "max": right}
    option["yAxis"] |= {"min": bottom, "max": top}
    option["legend"] |= {"show": False}
    (points,) = option["series"]
    for place, (point, problem) in enumerate(zip(points["data"], known, strict=True)):
        point["itemStyle"] = {"color": charts.tone(TONES[knife.quadrant(problem)])}
        point["label"] = {"show": place < MOST_NAMES}
    rim = {"textBorderColor": "var(--surface)", "textBorderWidth": 2}  # a name may stand on other points
    points["label"] = {"show": True, "formatter": "{b}", "position": "top"} | rim
    points["labelLayout"] = {"hideOverlap": True}  # shifted names stand at other points, and on each other
    points["z"] = 3
    option["series"] += [
        _guide(_("Often"), [(knife.often, bottom), (knife.often, top)], "solid"),
        _guide(_("Long"), [(left, knife.long), (right, knife.long)], "solid"),
        *_equal_downtime((left, right), (bottom, top)),
    ]
    rows = [[f"{each.name} ({quadrant(knife, each)})", each.failures, each.mean, each.hours] for each in knife.problems]
    head = [_("Problem"), x, y, _("Together, h")]
    return replace(chart, key="problems", head=head, rows=rows, note=_knife_note(study))


def actors(study: Study) -> Chart | None:
    """Unplanned hours down by asset, the largest first; what is left over is put together, last."""
    if not study.actors:
        return None
    head, rest = study.actors[:MOST_ACTORS], study.actors[MOST_ACTORS:]
    names, values = [each.name for each in head], [each.value for each in head]
    others = sum(each.value for each in rest)
    chart = charts.pareto(_("Unplanned hours down by asset"), names, values, others=others, unit="h")
    return replace(chart, key="actors")


def _hours_chart(
    key: str, title, series: list[dict], head: list, rows: list, *, most: float | None, empty: bool = False
) -> Chart:
    option = charts.base(legend=len(series) > 1)
    option["xAxis"] = {
        "type": "value", "min": 0, "name": str(_("Operating hours")), "nameLocation": "middle", "nameGap": 28,
        "splitLine": {"show": False}, "axisLabel": {"hideOverlap": True},
    }  # fmt: skip
    option["yAxis"] = {"type": "value", "min": 0, "max": most}
    option["grid"] |= {"bottom": 28, "right": 28}
    option["tooltip"] |= {"trigger": "item"}
    option["series"] = series
    return Chart(title, option, head, rows, height=320, empty=empty, key=key)


def _line(name, points: list[tuple[float, float]], tone: str, *, step: str = "", dashed: bool = False) -> dict:
    colour = charts.tone(tone)
    return {
        "type": "line", "name": str(name), "data": _pairs(points), "step": step or False, "showSymbol": False,
        "lineStyle": {"width": 2, "color": colour, "type": "dashed" if dashed else "solid"},
        "itemStyle": {"color": colour},
    }  # fmt: skip


def _guide(name, points: list[tuple[float, float]], kind: str) -> dict:
    """A line that is not data: no tip, no symbol."""
    return {
        "type": "line", "name": str(name), "data": _pairs(points), "showSymbol": False, "silent": True,
        "tooltip": {"show": False}, "lineStyle": {"width": 1, "type": kind, "color": "var(--idle)"}, "z": 1,
    }  # fmt: skip


def _equal_downtime(across: tuple[float, float], upright: tuple[float, float]) -> list[dict]:
    """Dotted lines on which number × duration is the same, one per power of ten, cut to the picture."""
    (left, right), (bottom, top) = across, upright
    found = []
    for power in range(round(log10(left * bottom)) + 1, round(log10(right * top))):
        hours = 10.0**power
        ends = [max(left, hours / top), min(right, hours / bottom)]
        line = _guide(f"{hours:g} h", [(x, hours / x) for x in ends], "dotted")
        words = {"show": True, "formatter": f"{hours:g}\u202fh", "position": "insideBottomRight", "fontSize": 10}
        line["data"][-1] = {"value": line["data"][-1], "label": words | {"color": "var(--ink-soft)"}}
        found.append(line | {"showSymbol": True, "symbol": "circle", "symbolSize": 0.1})  # a label needs a symbol
    return found


def _decades(values: list[float]) -> tuple[float, float]:
    """Powers of ten around the values."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _thinned(points: list) -> list:
    """At most about `MOST_POINTS` of them, with the last: more cannot be told apart."""
    every = ceil(len(points) / MOST_POINTS)
    return points if every <= 1 else [*points[every - 1 :: every], *(points[-1:] if len(points) % every else [])]


def _pairs(points: list[tuple[float, float]]) -> list[list[float]]:
    return [[x, y] for x, y in points]


def _knife_note(study: Study) -> str:
    said = _(
        "Of the last 365 days. Lines: mean of the problems (often) and of the failures (long); dotted: equal hours."
    )
    if study.without_problem:
        said += " " + ngettext(
            "%(n)d failure has no problem or no restoration time and is left out.",
            "%(n)d failures have no problem or no restoration time and are left out.",
            study.without_problem,
        ) % {"n": study.without_problem}
    return said
