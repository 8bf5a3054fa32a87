"""Charts as data: gaps stay gaps, sums add up, and every picture has its table."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone
from openpyxl import load_workbook

from core.kit import charts, exports, trends
from core.kit.badges import Badge
from core.kit.charts import Step, Word
from core.kit.trends import Series


def test_a_missing_value_is_a_gap_and_never_zero():
    chart = trends.trend("A", ["Mon", "Tue", "Wed"], [Series("L1", [1, None, float("nan")])])
    assert chart.option["series"][0]["data"] == [1.0, None, None]
    assert chart.option["series"][0]["connectNulls"] is False
    assert chart.rows[1] == ["Tue", None]


def test_a_lone_point_between_gaps_is_visible():
    quiet = trends.trend("A", list(range(100)), [Series("L1", [1.0] * 100)])
    lone = trends.trend("A", list(range(100)), [Series("L1", [1.0, None] * 50)])
    assert quiet.option["series"][0]["showSymbol"] is False
    assert lone.option["series"][0]["showSymbol"] is True


def test_a_dashed_line_has_no_points_in_its_gaps_and_a_dashed_swatch():
    chart = trends.trend("A", ["Mon", "Tue"], [Series("now", [1, 2], "1"), Series("before", [2, 1], "1", dashed=True)])
    now, before = chart.option["series"]
    assert (now["lineStyle"]["type"], now["showSymbol"]) == ("solid", True)
    assert (before["lineStyle"]["type"], before["showSymbol"]) == ("dashed", False)
    assert chart.option["legend"]["data"] == [{"name": "now"}, {"name": "before", "icon": trends.DASHES}]
    lone = trends.trend("A", ["Mon", "Tue"], [Series("before", [2, None], dashed=True)])
    assert lone.option["series"][0]["showSymbol"] is True


def test_the_last_label_ends_where_the_picture_ends():
    line, bars = (trends.trend("A", ["Mon", "Tue"], [Series("L1", [1, 2], kind=kind)]) for kind in ("line", "bar"))
    assert line.option["xAxis"]["axisLabel"] == {"hideOverlap": True, "showMaxLabel": True, "alignMaxLabel": "right"}
    assert bars.option["xAxis"]["axisLabel"] == {"hideOverlap": True}


def test_what_is_said_of_a_value_stands_in_picture_table_and_file():
    words = [
        Word("ok"),
        Word("undefined", "undefined", "Nothing failed."),
        Word("suspect", badge=Badge("Suspect", "warn")),
    ]
    chart = trends.trend("A", ["Mon", "Tue", "Wed"], [Series("L1", [1.0, None, 3.0], words=words)])
    (line,) = chart.option["series"]
    assert line["data"][:2] == [1, None]
    assert (line["data"][2]["value"], line["data"][2]["symbol"]) == (3, "triangle")
    assert line["data"][2]["itemStyle"] == {"color": "var(--warn)"}
    assert chart.note == "▲ Suspect"
    assert chart.file_head() == ["A", "L1", "L1, status"]
    assert list(chart.file_rows()) == [
        ["Mon", 1, "ok"], ["Tue", None, "undefined: Nothing failed."], ["Wed", 3, "suspect"],
    ]  # fmt: skip
    html = Template("{% chart chart %}").render(Context({"chart": chart}))
    assert '<span class="no-data">undefined</span><span class="chart-why">Nothing failed.</span>' in html
    assert "Suspect" in html.split("<tbody>")[1]


def test_an_interval_is_a_bar_around_its_value_and_two_columns_and_a_gap_has_none():
    bounds = [(5.0, 12.0), (None, None), (6.0, 90.0)]
    series = Series("MTBF", [8.0, None, 10.0], "3", bounds=bounds, interval="90 % interval")
    chart = trends.trend("MTBF", ["Mon", "Tue", "Wed"], [series], unit="h")
    json.dumps(chart.option, allow_nan=False)
    line, bars = chart.option["series"]
    assert (bars["renderItem"], bars["itemStyle"]) == ("intervals", line["itemStyle"])
    assert bars["data"] == [[0, 5, 12, 12], [2, 6, 20, 90]]  # the last one does not flatten the line
    assert chart.note == "A bar without an end above goes on; the table says how far."
    assert chart.option["legend"]["data"] == [{"name": "MTBF"}, {"name": bars["name"], "icon": trends.WHISKERS}]
    assert chart.file_head() == ["MTBF", "MTBF, h", "MTBF, 90 % interval, lower, h", "MTBF, 90 % interval, upper, h"]
    assert next(chart.file_rows()) == ["Mon", 8, 5, 12]


def test_a_lower_bound_without_a_value_is_drawn_as_a_bound_and_no_point():
    names = {"interval": "90 % interval", "limit": "lower bound"}
    series = Series("MTBF", [8.0, None, None], "3", bounds=[(5.0, 12.0), (4.0, None), (None, None)], **names)
    chart = trends.trend("MTBF", ["Mon", "Tue", "Wed"], [series], unit="h")
    line, _bars, limits = chart.option["series"]
    assert line["data"] == [8, None, None]
    assert (limits["renderItem"], limits["name"], limits["data"]) == ("limits", "MTBF, lower bound", [[1, 4]])
    assert chart.option["legend"]["data"][-1] == {"name": "MTBF, lower bound", "icon": trends.LIMITS}
    assert chart.rows[1:] == [["Tue", None, 4, None], ["Wed", None, None, None]]
    never = trends.trend("MTBF", ["Tue"], [replace(series, values=[None], bounds=[(4.0, None)])])
    assert not never.empty, "A bound is something to see"
    assert [each.get("renderItem") for each in never.option["series"]] == [None, "limits"]


def test_of_a_dashed_line_intervals_are_in_the_table_only():
    series = Series("before", [8.0], dashed=True, bounds=[(5.0, 90.0)], interval="90 % interval")
    chart = trends.trend("MTBF", ["Mon"], [series])
    assert [each["type"] for each in chart.option["series"]] == ["line"]
    assert (chart.rows, chart.note) == ([["Mon", 8, 5, 90]], "")


def test_a_marked_point_is_seen_where_the_others_are_not():
    words = [Word()] * 99 + [Word("partial", badge=Badge("Partial", "watch"))]
    (line,) = trends.trend("A", list(range(100)), [Series("L1", [1.0] * 100, words=words)]).option["series"]
    assert (line["symbol"], line["showSymbol"], line["data"][99]["symbol"]) == ("none", True, "diamond")


def test_a_chart_without_any_value_says_so_instead_of_drawing():
    chart = trends.trend("Availability", ["Mon"], [Series("L1", [None])])
    html = Template("{% chart chart %}").render(Context({"chart": chart}))
    assert "No data for this period." in html
    assert "tandem-chart" not in html


def test_a_waterfall_hangs_each_loss_from_the_level_before():
    chart = charts.waterfall(
        "OEE", [Step("All", 100, total=True), Step("Stops", -30), Step("Gain", 5), Step("Left", 75, total=True)]
    )
    floors, bars = chart.option["series"]
    assert floors["data"] == [0, 70, 70, 0]
    assert [bar["value"] for bar in bars["data"]] == [100, 30, 5, 75]
    assert [bar["itemStyle"]["color"] for bar in bars["data"]] == [
        "var(--series-1)", "var(--stop)", "var(--ok)", "var(--series-1)",
    ]  # fmt: skip
    assert chart.rows[1] == ["Stops", -30]
    assert (chart.option["yAxis"]["data"], chart.option["yAxis"]["inverse"]) == (["All", "Stops", "Gain", "Left"], True)


def test_marks_of_an_axis_are_not_nearer_to_each_other_than_its_digits():
    chart = trends.trend("MTBF", ["Mon", "Tue"], [Series("L1", [22.6, 23.1])], unit="h", digits=0)
    assert chart.option["yAxis"]["minInterval"] == 1


def test_a_pareto_runs_up_to_everything():
    chart = charts.pareto("Stops", ["Sensor", "Jam"], [25, 75], unit="min")
    assert chart.rows == [["Jam", 75.0, 75.0], ["Sensor", 25.0, 100.0]]


def test_the_running_share_is_not_rounded():
    chart = charts.pareto("Stops", ["Jam", "Sensor"], [2, 1])
    assert [row[2] for row in chart.file_rows()] == [200 / 3, 100]
    assert chart.option["series"][1]["data"] == [200 / 3, 100]
    assert [cells[1] for _label, cells in chart.cells()] == [(200 / 3, 1, None), (100, 1, None)], "But where it is read"


def test_what_is_left_over_stands_last_in_a_pareto_however_large_it_is():
    chart = charts.pareto("Stops", ["Sensor", "Jam"], [10, 30], others=60)
    assert chart.rows == [["Jam", 30, 30], ["Sensor", 10, 40], ["All others", 60, 100]]
    assert chart.option["yAxis"]["data"][-1] == "All others"


def test_a_pareto_of_nothing_has_no_shares():
    chart = charts.pareto("Stops", ["Jam"], [0])
    assert (chart.empty, chart.rows) == (True, [["Jam", 0.0, None]])


def test_a_logarithmic_picture_leaves_out_what_it_cannot_draw_but_keeps_it_in_the_table():
    chart = charts.scatter("Actors", [("M1", 3, 20), ("M2", 0, 5)], x="Stops", y="Minutes", log=True)
    assert [point["name"] for point in chart.option["series"][0]["data"]] == ["M1"]
    assert [row[0] for row in chart.rows] == ["M1", "M2"]


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "a & b", "é"])
def test_an_option_cannot_leave_its_script_element(text):
    html = Template("{% chart chart %}").render(Context({"chart": charts.ranking("R", [text], [1])}))
    inner = html.split('<script type="application/json">')[1].split("</script>")[0]
    assert json.loads(inner)["yAxis"]["data"] == [text]


def test_every_chart_carries_its_figures_as_a_table():
    html = Template("{% chart chart %}").render(Context({"chart": charts.ranking("Stops", ["Jam"], [3.25], unit="h")}))
    assert '<th scope="row">Jam</th>' in html
    assert '<span class="num">3.2</span>' in html


def test_an_unknown_series_kind_of_colour_is_named_by_token():
    assert (charts.tone("stop"), charts.tone("2")) == ("var(--stop)", "var(--series-2)")


def test_the_table_as_a_file_has_the_title_for_a_head_without_a_word_and_units():
    chart = trends.trend(
        "MTBF", ["Mon", "Tue"], [Series("L1", [22.61234, None]), Series("L2", [float("nan"), 3])], unit="h"
    )
    assert chart.file_head() == ["MTBF", "L1, h", "L2, h"]
    assert list(chart.file_rows()) == [["Mon", 22.61234, None], ["Tue", None, 3]]


def test_files_are_offered_where_a_chart_has_a_key_and_a_page_answers():
    chart = replace(charts.ranking("Stops", ["Jam"], [3.25]), key="stops", files="/page/?asset=1")
    html = Template("{% chart chart %}").render(Context({"chart": chart}))
    assert 'href="/page/?asset=1&amp;chart=stops&amp;format=csv"' in html
    assert 'href="/page/?asset=1&amp;chart=stops&amp;format=xlsx"' in html
    without = Template("{% chart chart %}").render(Context({"chart": replace(chart, files="")}))
    assert "format=" not in without


@pytest.mark.parametrize("label", ["=1+1", "@SUM(1)"])
def test_a_head_is_never_run_as_a_formula(label):
    chart = trends.trend("T", ["Mon"], [Series(label, [1])])
    assert b"".join(exports.lines(chart)).decode("utf-8-sig").splitlines()[0] == f"T,'{label}"
    cell = load_workbook(io.BytesIO(exports.workbook(chart, "t"))).active["B1"]
    assert (cell.value, cell.data_type, cell.font.bold) == (label, "s", True)


def test_instants_in_a_file_are_on_the_clock_of_the_request_however_late_it_is_read():
    chart = charts.ranking("Stops", ["Jam"], [1])
    chart.rows[0].append(datetime(2026, 3, 2, 9, tzinfo=UTC))
    with timezone.override(ZoneInfo("Europe/Berlin")):
        lines = exports.lines(chart)
    assert b"".join(lines).decode("utf-8-sig").splitlines()[1] == "Jam,1,2026-03-02T10:00:00+01:00"
