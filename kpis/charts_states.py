"""The pictures of the Timeline page as data: states of machines on the site's clock, lost time by hour of the week."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import product
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import dates
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.kit import charts, present
from core.kit.badges import Badge
from core.kit.charts import Chart, Word
from kpis.hours import DAYS, HOURS, Place, Week
from kpis.present import badge_of
from kpis.reasons import LOSSES
from kpis.states import STOPPED, Machine
from kpis.timeline import State, StateSpan

HOUR = 3600
ROW = 26  # px of one machine
STATES = {
    State.OPERATING: Badge(gettext_lazy("Running"), "ok", "player-play"),
    State.DOWN: Badge(gettext_lazy("Stopped"), "stop", "player-pause"),
    State.PLANNED_STOP: Badge(gettext_lazy("Planned stop"), "watch", "calendar-pause"),
    State.NOT_SCHEDULED: Badge(gettext_lazy("Not scheduled"), "idle", "moon"),
    State.UNKNOWN: Badge(gettext_lazy("Unknown"), "idle", "help"),
}
COLOURS = {State.NOT_SCHEDULED: "var(--line-strong)"}  # fainter than what is unknown
# Each state has a height of its own, as a part of the row: colour never stands alone.
HEIGHTS = {
    State.OPERATING: 0.35,
    State.DOWN: 0.85,
    State.PLANNED_STOP: 0.6,
    State.NOT_SCHEDULED: 0.08,
    State.UNKNOWN: 0.2,
}


def reason_of(reason_id: int | None, names: Mapping[int, str]) -> str:
    """The name of a stop's reason, or that it has none."""
    return (names.get(reason_id) if reason_id else None) or str(LOSSES["unclassified"])


def timeline(
    found: Sequence[Machine], *, start: datetime, end: datetime, zone: ZoneInfo, reasons: Mapping[int, str]
) -> Chart:
    """The states of the machines from `start` to `end`; `reasons` are names by id. A stop leads to its page.

    The axis knows no zones: it is given the site's clock as if that were UTC. Over a change of the clock an hour
    stays empty, or holds what happened in both; the tips tell the true times of each span.
    """
    option = charts.base(legend=True)
    option["useUTC"] = True
    option["aria"] = {"enabled": False}  # it would read milliseconds; the title and the table say more
    option["legend"] |= {"itemHeight": 12}
    option["grid"] |= {"top": 70}  # two lines of legend on a phone, and the clock
    option["tooltip"] |= {"trigger": "item", "formatter": "spans"}
    option["xAxis"] = {
        "type": "time",
        "position": "top",
        "min": on_the_axis(start, zone),
        "max": on_the_axis(end, zone),
        "splitLine": {"show": True},
        "axisLabel": {"hideOverlap": True},
    }
    option["yAxis"] = {
        "type": "category",
        "inverse": True,
        "data": [each.asset.code for each in found],
        "axisLabel": {"width": 76, "overflow": "truncate"},
    }
    option["series"] = [_series(found, state, zone, reasons) for state in STATES]
    option["series"] = [each for each in option["series"] if each["data"]]
    hours = [
        [machine.asset.code, *(None if (s := machine.seconds(state)) is None else s / HOUR for state in STATES)]
        for machine in found
    ]
    return Chart(
        _("State of each machine"),
        option,
        [_("Machine"), *(f"{badge.label}, h" for badge in STATES.values())],
        hours,
        height=ROW * len(found) + 100,
        unit="h",
        digits=2,
        empty=not option["series"],
        key="timeline",
    )


def on_the_axis(moment: datetime, zone: ZoneInfo) -> int:
    """Milliseconds of the clock on the wall."""
    return round(moment.astimezone(zone).replace(tzinfo=UTC).timestamp() * 1000)


def _series(found: Sequence[Machine], state: State, zone: ZoneInfo, reasons: Mapping[int, str]) -> dict:
    badge = STATES[state]
    return {
        "type": "custom",
        "renderItem": "spans",
        "name": str(badge.label),
        "itemStyle": {"color": COLOURS.get(state) or charts.tone(badge.tone)},
        "encode": {"x": [1, 2], "y": 0},
        "thickness": HEIGHTS[state],
        "least": 2 if state in STOPPED else 0,  # px: a short stop can still be seen
        "cursor": "pointer" if state in STOPPED else "default",
        "z": 3 if state in STOPPED else 2,
        "data": [
            _datum(row, each, zone, reasons)
            for row, machine in enumerate(found)
            for each in machine.spans
            if each.state is state
        ],
    }


def _datum(row: int, each: StateSpan, zone: ZoneInfo, reasons: Mapping[int, str]) -> list | dict:
    """Row, from, to and true length; a stop with its reason and its page."""
    start, end = on_the_axis(each.span.start, zone), on_the_axis(each.span.end, zone)
    value = [row, start, max(start, end), round(each.span.seconds)]
    if each.stop is None:
        return value
    return {
        "value": value,
        "name": reason_of(each.stop.reason, reasons),
        "url": reverse("downtime", args=[each.stop.id]),
    }


def hours_of_week(found: Week, *, threshold: float = 0.0) -> Chart:
    """Lost time by weekday and hour, as a share of what was scheduled then; hours without any stay empty, and those
    of which nothing is known are marked. Known for a smaller part than the `threshold` a share is partial."""
    days = [str(dates.WEEKDAYS_ABBR[day]) for day in range(DAYS)]
    hours = [f"{hour:02d}:00" for hour in range(HOURS)]
    said = cache(lambda value: present.number_text(value, 1))  # many hours have the same numbers
    of = {place: found.share(place) for place in product(range(DAYS), range(HOURS))}
    shares = {place: share * 100 for place, share in of.items() if share is not None}
    option = charts.base()
    option["aria"] = {"enabled": False}
    option["grid"] |= {"top": 24, "bottom": 56}
    option["tooltip"] |= {"trigger": "item", "formatter": "{b}"}
    option["xAxis"] = {"type": "category", "position": "top", "data": days, "axisLine": {"show": False}}
    option["yAxis"] = {"type": "category", "inverse": True, "data": hours, "axisLine": {"show": False}}
    most = max(shares.values(), default=0)
    option["visualMap"] = {
        "min": 0,
        "max": max(most, 1),
        "orient": "horizontal",
        "left": "center",
        "bottom": 0,
        "itemHeight": 120,
        "text": [f"{said(round(max(most, 1), 1))}\u202f%", "0\u202f%"],
        "inRange": {"color": ["var(--ok-tint)", "var(--warn)", "var(--stop)"]},
    }
    words = {place: _word(found.coverage(place), threshold, passed=place in found.passed) for place in of}
    option["series"] = [
        {
            "type": "heatmap",
            "name": str(_("Lost time by hour of the week")),
            "itemStyle": {"borderColor": "var(--surface)", "borderWidth": 1},
            "data": [
                {"value": [day, hour, share], "name": _told(found, (day, hour), share, said)}
                for (day, hour), share in shares.items()
            ]
            + [_blank(place, words[place]) for place, share in of.items() if share is None],
        }
    ]
    rows = [[label, *(shares.get((day, hour)) for day in range(DAYS))] for hour, label in enumerate(hours)]
    return Chart(
        _("Lost time by hour of the week"),
        option,
        [_("Hour"), *(f"{day}, %" for day in days)],
        rows,
        height=HOURS * 16 + 90,
        unit="%",
        note=_(
            "Unplanned downtime as a share of the known time scheduled in that hour. Empty: nothing was scheduled, or"
            " outside the window. ?: scheduled, but nothing is known."
        ),
        empty=not shares,
        key="hours",
        words={day + 1: (label, [words[day, hour] for hour in range(HOURS)]) for day, label in enumerate(days)},
    )


def _word(coverage: float | None, threshold: float, *, passed: bool) -> Word:
    """What is said of an hour of the window or not, known for so much of its scheduled time."""
    if coverage is None:
        outside = Word("outside the window", _("outside the window"))
        return Word("not scheduled", _("not scheduled")) if passed else outside
    if coverage == 0:
        return Word("no data", _("no data"))
    return Word("partial", badge=badge_of("partial")) if coverage < threshold else Word("ok")


def _blank(place: Place, word: Word) -> dict:
    """An hour without a share, with a tip; its third number is not drawn, but without one there is no cell."""
    day, hour = place
    unknown = word.status == "no data"
    cell = {"value": [day, hour, 0], "visualMap": False, "name": f"{_when(place)}\n{word.missing}"}
    if not unknown:
        return cell | {"itemStyle": {"color": "transparent", "borderColor": "transparent"}}
    label = {"show": True, "formatter": "?", "color": "var(--ink-soft)"}
    return cell | {"itemStyle": {"color": "var(--idle-tint)"}, "label": label}


def _when(place: Place) -> str:
    day, hour = place
    words = {"day": dates.WEEKDAYS[day], "from": f"{hour:02d}:00", "to": f"{hour + 1:02d}:00"}
    return _("%(day)s %(from)s to %(to)s") % words


def _told(found: Week, place: Place, share: float, said: Callable[[float], str]) -> str:
    words = _("%(when)s\n%(share)s\u202f%% lost\n%(lost)s\u202fh of %(scheduled)s\u202fh")
    told = words % {
        "when": _when(place),
        "share": said(round(share, 1)),
        "lost": said(round(found.lost[place] / HOUR, 1)),
        "scheduled": said(round(found.scheduled[place] / HOUR, 1)),
    }
    if not found.unknown[place]:
        return told
    more = _("%(unknown)s\u202fh more were scheduled, of which nothing is known")
    return f"{told}\n{more % {'unknown': said(round(found.unknown[place] / HOUR, 1))}}"
