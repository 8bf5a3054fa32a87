"""Charts as data: ECharts options built and tested in Python, drawn by the `tandem-chart` element.

Colours are named by token (`var(--ok)`), so that a chart follows light and dark. A missing value is None and
stays a gap; it is never drawn as zero. Every chart carries its figures as a table for those who cannot see it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from core.kit import present
from core.kit.badges import Badge

Value = float | int | None


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


@dataclass(frozen=True)
class Chart:
    """A picture and the table behind it. `unit` and `digits` say how its numbers read in tips and on the axis.

    `words` are, by column of the table, whose they are and one for each row; a file has a column of them at its end,
    where they are somebody's.
    `mark` stands beside its title: what all of it is worth.
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
    mark: Badge | None = None

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
                present.date_text(label) if type(label) is date else label,
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
        shares.append(100 * running / total if total else None)
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
