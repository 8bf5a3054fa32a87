"""Values over time, as lines or rows of bars: gaps, doubtful points marked, intervals around values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any

from django.utils.translation import gettext as _

from core.kit.badges import Badge
from core.kit.charts import Chart, Value, Word, base, number, tone

PALETTE = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)"]
CLIPPED = 2  # so many times the largest value: an interval that goes on above leaves the picture
WHISKERS = "path://M0,0h1v4h-1zM11,0h1v4h-1zM1,1.5h10v1h-10z"  # the legend's icon of intervals
LIMITS = "path://M1,6h10v1h-10zM5.5,2h1v4h-1zM3,3l3,-3l3,3z"  # the legend's icon of lower bounds
DASHES = "path://M0,0h5v4h-5zM7,0h5v4h-5z"  # the legend's icon of a dashed line
SHAPES = {"warn": ("triangle", "▲"), "watch": ("diamond", "◆")}  # of marked points, by tone, and in words


@dataclass(frozen=True)
class Series:
    """A line or a row of bars: a name and one value (or None) per label, and what is said of each, if anything.

    `bounds` are the ends of an interval around each value, whose name is `interval`; a dashed line has them in the
    table only. Where there is a lower end but no value, it is a bound that what is missing lies above, named `limit`.
    """

    name: Any
    values: Sequence[Value]
    tone: str = ""
    kind: str = "line"  # or "bar"
    dashed: bool = False
    extra: dict = field(default_factory=dict)
    words: Sequence[Word] = ()
    bounds: Sequence[tuple[Value, Value]] = ()
    interval: Any = ""
    limit: Any = ""

    @property
    def heads(self) -> list[str]:
        """What stands over its columns of the table: value, and the ends of its interval."""
        if not self.bounds:
            return [str(self.name)]
        ends = (_("lower"), _("upper"))
        return [str(self.name), *(f"{self.name}, {self.interval}, {end}" for end in ends)]

    def cells(self, place: int) -> list[Value]:
        return [self.values[place], *(self.bounds[place] if self.bounds else ())]

    def whiskers(self) -> list[tuple[int, float, float, float]]:
        """(place, lower, upper as drawn, upper) of each value whose interval is known."""
        top = CLIPPED * max((number(value) or 0 for value in self.values), default=0)
        return [
            (place, low, min(high, top), high)
            for place, (low, high) in enumerate(self.bounds)
            if None not in (self.values[place], low, high)
        ]

    def limits(self) -> list[tuple[int, float]]:
        """(place, bound) where only that is known."""
        return [
            (place, low)
            for place, (low, high) in enumerate(self.bounds)
            if number(self.values[place]) is None and low is not None and high is None
        ]

    def marked(self) -> dict[int, Badge]:
        """The badge of each place whose value has one."""
        return {
            place: word.badge
            for place, word in enumerate(self.words)
            if word.badge and number(self.values[place]) is not None
        }


def trend(
    title: Any,
    labels: Sequence[Any],
    series: Sequence[Series],
    *,
    unit: Any = "",
    digits: int = 1,
    target: Value = None,
    low: Value = None,
    high: Value = None,
    height: int = 280,
    stacked: bool = False,
) -> Chart:
    """Values over time (or any ordered labels), with an optional target line."""
    option = base(legend=len(series) > 1 or target is not None or any(each.bounds for each in series))
    option["xAxis"] = {
        "type": "category",
        "data": [str(label) for label in labels],
        "boundaryGap": any(each.kind == "bar" for each in series),
        "axisLabel": {"hideOverlap": True},
    }
    if not option["xAxis"]["boundaryGap"]:  # the last label stands at the very edge
        option["xAxis"]["axisLabel"] |= {"showMaxLabel": True, "alignMaxLabel": "right"}
    # Marks nearer to each other than the digits shown would read the same number twice.
    option["yAxis"] = {"type": "value", "scale": low is None, "min": low, "max": high, "minInterval": 10**-digits}
    option["series"] = []
    for place, each in enumerate(series):
        colour = tone(each.tone) if each.tone else PALETTE[place % len(PALETTE)]
        drawn = {
            "name": str(each.name),
            "type": each.kind,
            "data": [number(value) for value in each.values],
            "itemStyle": {"color": colour},
            "connectNulls": False,
        }
        if each.kind == "line":
            # A lone point between two gaps has no line to show it, so points stay visible on short series.
            drawn |= {
                "lineStyle": {"width": 2, "color": colour, "type": "solid"},
                "symbol": "circle",  # the hollow one is filled with white, in the dark as well
                "showSymbol": len(labels) <= 62 or lonely(each.values),
                "symbolSize": 5,
            }
            if each.dashed:  # points would fill the gaps between dashes
                drawn["lineStyle"] |= {"width": 1.5, "type": "dashed"}
                drawn |= {"showSymbol": lonely(each.values), "symbolSize": 3, "z": 1}
        else:
            drawn |= {"barMaxWidth": 28, "itemStyle": {"color": colour, "borderRadius": 0 if stacked else [3, 3, 0, 0]}}
        if each.kind == "line" and (marks := each.marked()):
            for at, badge in marks.items():
                shape, _sign = SHAPES[badge.tone]
                item = {"value": drawn["data"][at], "symbol": shape, "symbolSize": 6 if each.dashed else 9}
                drawn["data"][at] = item | {"itemStyle": {"color": tone(badge.tone)}}
            if not drawn["showSymbol"]:
                drawn |= {"symbol": "none", "showSymbol": True}
            drawn["showAllSymbol"] = True  # or those between two labels of the axis are not drawn
        if stacked:
            drawn["stack"] = "all"
        option["series"].append(drawn | each.extra)
        if each.bounds and not each.dashed:
            option["series"] += [drawn for drawn in (_intervals(each, colour), _limits(each, colour)) if drawn["data"]]
    if target is not None:
        option["series"].append(
            {
                "name": str(_("Target")),
                "type": "line",
                "data": [number(target)] * len(labels),
                "showSymbol": False,
                "lineStyle": {"width": 1.5, "type": "dashed", "color": "var(--idle)"},
                "itemStyle": {"color": "var(--idle)"},
            }
        )
    option["legend"]["data"] = [{"name": each["name"]} | _swatch(each) for each in option["series"]]
    rows = [[label, *chain(*(each.cells(place) for each in series))] for place, label in enumerate(labels)]
    heads = [head for each in series for head in each.heads]
    return Chart(
        title,
        option,
        ["", *(f"{head}, {unit}" if unit else head for head in heads)],
        rows,
        height=height,
        unit=unit,
        digits=digits,
        note=" ".join(filter(None, (_marks(series), _clipped(series)))),
        words=_words(series),
        empty=all(number(value) is None for each in series for value in each.values)
        and not any(each.limits() for each in series if not each.dashed),
    )


def _words(series: Sequence[Series]) -> dict[int, tuple[Any, Sequence[Word]]]:
    """What a trend's table says, by column; around nothing there is no interval."""
    found: dict[int, tuple[Any, Sequence[Word]]] = {}
    for column, each in zip(accumulate((len(each.heads) for each in series), initial=1), series, strict=False):
        if each.words:
            found[column] = each.name, each.words
        if each.bounds:
            found |= dict.fromkeys((column + 1, column + 2), ("", [Word(missing="–")] * len(each.values)))
    return found


def _clipped(series: Sequence[Series]) -> str:
    """That bars leave the picture, where they do."""
    if not any(high > top for each in series if not each.dashed for _place, _low, top, high in each.whiskers()):
        return ""
    return _("A bar without an end above goes on; the table says how far.")


def _swatch(drawn: dict) -> dict:
    """The legend's icon of a drawn series, where it is not the usual one."""
    if drawn["type"] == "custom":
        return {"icon": LIMITS if drawn["renderItem"] == "limits" else WHISKERS}
    return {"icon": DASHES} if drawn.get("lineStyle", {}).get("type") == "dashed" else {}


def _intervals(series: Series, colour: str) -> dict:
    """The intervals of a series as bars through its points, which show around a lone one too."""
    return {
        "name": f"{series.name}, {series.interval}",
        "type": "custom",
        "renderItem": "intervals",
        "data": [list(each) for each in series.whiskers()],
        "encode": {"x": 0, "y": [1, 2], "tooltip": [1, 3]},
        "itemStyle": {"color": colour},
        "clip": True,
        "z": 1,
    }


def _limits(series: Series, colour: str) -> dict:
    """What is known without a value, as a foot with an arrow: it lies somewhere above."""
    return {
        "name": f"{series.name}, {series.limit}",
        "type": "custom",
        "renderItem": "limits",
        "data": [list(each) for each in series.limits()],
        "encode": {"x": 0, "y": 1, "tooltip": 1},
        "itemStyle": {"color": colour},
        "clip": True,
        "z": 1,
    }


def _marks(series: Sequence[Series]) -> str:
    """What the marked points of a picture mean; "" where there are none."""
    found = {badge.tone: badge for each in series for badge in each.marked().values()}
    return " · ".join(f"{sign} {found[name]}" for name, (_shape, sign) in SHAPES.items() if name in found)


def lonely(values: Sequence[Value]) -> bool:
    """Whether some value stands between two gaps."""
    padded = [None, *values, None]
    return any(
        padded[place - 1] is None and padded[place] is not None and padded[place + 1] is None
        for place in range(1, len(padded) - 1)
    )
