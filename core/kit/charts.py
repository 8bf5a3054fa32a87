"""Charts as data: ECharts options built and tested in Python, drawn by the `tandem-chart` element.

Colours are named by token (`var(--ok)`), so that a chart follows light and dark. A missing value is None and
stays a gap; it is never drawn as zero. Every chart carries its figures as a table for those who cannot see it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any

from django.utils.translation import gettext as _

from core.kit import present
from core.kit.badges import Badge

PALETTE = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)"]
Value = float | int | None
CLIPPED = 2  # so many times the largest value: an interval that goes on above leaves the picture
WHISKERS = "path://M0,0h1v4h-1zM11,0h1v4h-1zM1,1.5h10v1h-10z"  # the legend's icon of intervals
DASHES = "path://M0,0h5v4h-5zM7,0h5v4h-5z"  # the legend's icon of a dashed line


def tone(name: str) -> str:
    """The colour of a tone ("ok", "watch", "warn", "stop", "idle"), or of the n-th series ("1" to "5")."""
    return f"var(--series-{name})" if name.isdigit() else f"var(--{name})"


@dataclass(frozen=True)
class Word:
    """How far a value may be trusted: its `status` in files, what a table says where it is `missing`, why, and a mark
    beside it."""

    status: str = ""
    missing: Any = ""
    reason: Any = ""
    badge: Badge | None = None

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.status, str(self.reason))))

    @property
    def shown(self) -> bool:
        """Whether a table says anything but the value."""
        return bool(self.missing or self.reason or self.badge)


SHAPES = {"warn": ("triangle", "▲"), "watch": ("diamond", "◆")}  # of marked points, by tone, and in words


@dataclass(frozen=True)
class Chart:
    """A picture and the table behind it. `unit` and `digits` say how its numbers read in tips and on the axis.

    `words` are, by column of the table, whose they are and one for each row; a file has a column of them at its end,
    where they are somebody's.
    With a `key` a `ChartPage` offers the table as a file; `files` is the address of that page, where it is another,
    and `file` then the name of its files without ending.
    """

    title: Any
    option: dict
    head: list
    rows: list[list]
    height: int = 280
    unit: Any = ""
    digits: int = 1
    note: Any = ""
    empty: bool = False
    key: str = ""
    files: str = ""
    file: str = ""
    words: dict[int, tuple[Any, Sequence[Word]]] = field(default_factory=dict)

    def file_head(self) -> list[str]:
        """The head of the table; what stands without a word on the page has the chart's title."""
        statuses = [_("%(what)s, status") % {"what": whose} for whose, _said in self.words.values() if whose]
        return [*(str(label) or str(self.title) for label in self.head), *statuses]

    def cells(self) -> Iterator[tuple[Any, list[tuple[Any, int, Word | None]]]]:
        """Each row as the page shows it: its label, and its values with their digits (a whole number has none) and
        what is said of them, if anything."""
        for place, (label, *values) in enumerate(self.rows):
            words = {column: each[place] for column, (_whose, each) in self.words.items()}
            said = {column: word for column, word in words.items() if word.shown}
            yield (
                label,
                [
                    (value, 0 if isinstance(value, int) else self.digits, said.get(column))
                    for column, value in enumerate(values, start=1)
                ],
            )

    def file_rows(self) -> Iterator[list]:
        """The rows unrounded, and what is said of them; what is missing is None, and an empty cell."""
        for place, row in enumerate(self.rows):
            values = [None if isinstance(value, float) and not math.isfinite(value) else value for value in row]
            yield [*values, *(str(words[place]) for whose, words in self.words.values() if whose)]


@dataclass(frozen=True)
class Series:
    """A line or a row of bars: a name and one value (or None) per label, and what is said of each, if anything.

    `bounds` are the ends of an interval around each value, whose name is `interval`; a dashed line has them in the
    table only.
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

    def marked(self) -> dict[int, Badge]:
        """The badge of each place whose value has one."""
        return {
            place: word.badge
            for place, word in enumerate(self.words)
            if word.badge and number(self.values[place]) is not None
        }


def number(value: Any) -> Value:
    """A number that JSON can carry; None and NaN are a gap."""
    if value is None:
        return None
    value = float(value)
    return None if math.isnan(value) or math.isinf(value) else value


def base(*, legend: bool = False) -> dict:
    """What all charts share: room for the axes, no animation that delays reading, tips drawn on the canvas.

    A tip made of HTML would need style attributes, which the Content-Security-Policy forbids.
    """
    return {
        "animation": False,
        "grid": {"left": 8, "right": 16, "top": 36 if legend else 16, "bottom": 8, "containLabel": True},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "legend": {"show": legend, "top": 0, "left": 0, "icon": "roundRect", "itemWidth": 12, "itemHeight": 4},
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
            option["series"].append(_intervals(each, colour))
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
        empty=all(number(value) is None for each in series for value in each.values),
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
        return {"icon": WHISKERS}
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


def ranking(
    title: Any,
    labels: Sequence[Any],
    values: Sequence[Value],
    *,
    unit: Any = "",
    digits: int = 1,
    tone_name: str = "1",
    height: int | None = None,
) -> Chart:
    """Horizontal bars, the longest on top."""
    pairs = sorted(zip(labels, values, strict=True), key=lambda pair: -(number(pair[1]) or 0))
    option = base()
    option["tooltip"]["axisPointer"] = {"type": "shadow"}
    option["xAxis"] = {"type": "value"}
    option["yAxis"] = {"type": "category", "inverse": True, "data": [str(label) for label, _value in pairs]}
    option["series"] = [
        {
            "type": "bar",
            "name": str(title),
            "data": [number(value) for _label, value in pairs],
            "barMaxWidth": 20,
            "itemStyle": {"color": tone(tone_name), "borderRadius": [0, 3, 3, 0]},
        }
    ]
    return Chart(
        title,
        option,
        ["", unit or title],
        [list(pair) for pair in pairs],
        unit=unit,
        digits=digits,
        height=height or max(120, 34 * len(pairs) + 48),
        empty=not pairs,
    )


def pareto(
    title: Any,
    labels: Sequence[Any],
    values: Sequence[float],
    *,
    others: float = 0,
    unit: Any = "",
    digits: int = 1,
    height: int | None = None,
) -> Chart:
    """Bars from the largest down with the running share of their sum; they lie, as those of a waterfall do.

    `others` is what is left over, put together: it stands last, however large it is.
    """
    pairs = sorted(zip(labels, (number(value) or 0 for value in values), strict=True), key=lambda pair: -pair[1])
    if others:
        pairs.append((_("All others"), others))
    total = sum(value for _label, value in pairs)
    running, shares = 0.0, []
    for _label, value in pairs:
        running += value
        shares.append(round(100 * running / total, 1) if total else None)
    option = base(legend=True)
    option["yAxis"] = {
        "type": "category",
        "inverse": True,
        "data": [str(label) for label, _value in pairs],
        "axisLabel": {"interval": 0, "width": 130, "overflow": "break", "lineHeight": 13},
    }
    option["xAxis"] = [
        {"type": "value", "splitNumber": 4, "axisLabel": {"hideOverlap": True}},
        {"type": "value", "min": 0, "max": 100, "interval": 50, "axisLabel": {"formatter": "{value} %"}}
        | {"splitLine": {"show": False}},
    ]
    option["series"] = [
        {
            "type": "bar",
            "name": str(title),
            "data": [value for _label, value in pairs],
            "barMaxWidth": 22,
            "itemStyle": {"color": "var(--series-1)", "borderRadius": [0, 3, 3, 0]},
        },
        {
            "type": "line",
            "name": str(_("Running share, %")),
            "xAxisIndex": 1,
            "data": shares,
            "symbol": "circle",
            "symbolSize": 5,
            "lineStyle": {"color": "var(--warn)", "width": 2},
            "itemStyle": {"color": "var(--warn)"},
        },
    ]
    rows = [[label, value, share] for (label, value), share in zip(pairs, shares, strict=True)]
    return Chart(
        title,
        option,
        ["", unit or title, _("Running share, %")],
        rows,
        height=height or max(200, 38 * len(pairs) + 80),
        unit=unit,
        digits=digits,
        empty=not total,
    )


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall: a `total` stands on the ground, a change hangs where the last bar ended."""

    label: Any
    value: float
    total: bool = False
    tone: str = ""


def waterfall(
    title: Any, steps: Sequence[Step], *, unit: Any = "", digits: int = 1, height: int | None = None
) -> Chart:
    """From a whole, on top, down to what is left of it: losses hang from the level before them.

    Its bars lie, for their names are long words and a phone is narrow.
    """
    level = 0.0
    floors, bars = [], []
    for step in steps:
        if step.total:
            level = step.value
            floors.append(0)
        else:
            floors.append(min(level, level + step.value))
            level += step.value
        colour = tone(step.tone or ("1" if step.total else "stop" if step.value < 0 else "ok"))
        said = present.number_text(step.value, digits) + (f"\u202f{unit}" if unit else "")
        bars.append({"value": abs(step.value), "itemStyle": {"color": colour}, "label": {"formatter": said}})
    option = base()
    option["tooltip"] |= {"trigger": "item"}
    option["grid"] |= {"right": 76}  # what the longest bar says stands beside it; each says its number, so no marks
    option["xAxis"] = {"type": "value", "max": "dataMax", "axisLabel": {"show": False}, "splitLine": {"show": False}}
    option["yAxis"] = {
        "type": "category",
        "inverse": True,
        "data": [str(step.label) for step in steps],
        "axisLabel": {"interval": 0, "width": 110, "overflow": "break", "lineHeight": 13},
    }
    invisible = {"color": "transparent", "borderColor": "transparent"}
    option["series"] = [
        {
            "type": "bar",
            "stack": "all",
            "data": floors,
            "silent": True,
            "itemStyle": invisible,
            "tooltip": {"show": False},
            "emphasis": {"disabled": True},
        },
        {
            "type": "bar",
            "stack": "all",
            "name": str(title),
            "data": bars,
            "barMaxWidth": 26,
            "label": {"show": True, "position": "right"},
        },
    ]
    rows = [[step.label, step.value] for step in steps]
    return Chart(
        title,
        option,
        ["", unit or title],
        rows,
        height=height or max(160, 34 * len(steps) + 48),
        unit=unit,
        digits=digits,
        empty=not steps,
    )


def scatter(
    title: Any,
    points: Sequence[tuple[Any, float, float]],
    *,
    x: Any,
    y: Any,
    log: bool = False,
    unit: Any = "",
    digits: int = 1,
    height: int = 360,
) -> Chart:
    """Named points, for frequency × duration pictures; `log` for logarithmic axes (values above 0 only)."""
    drawn = [point for point in points if not log or (point[1] > 0 and point[2] > 0)]
    option = base()
    option["tooltip"] |= {"trigger": "item"}
    kind = "log" if log else "value"
    option["xAxis"] = {"type": kind, "name": str(x), "nameLocation": "middle", "nameGap": 28}
    option["yAxis"] = {"type": kind, "name": str(y)}
    option["grid"] |= {"bottom": 28, "top": 36}
    option["series"] = [
        {
            "type": "scatter",
            "symbolSize": 11,
            "itemStyle": {"color": "var(--series-1)", "opacity": 0.8},
            "data": [{"name": str(name), "value": [number(a), number(b)]} for name, a, b in drawn],
        },
    ]
    return Chart(
        title,
        option,
        ["", x, y],
        [list(point) for point in points],
        height=height,
        unit=unit,
        digits=digits,
        empty=not drawn,
    )
