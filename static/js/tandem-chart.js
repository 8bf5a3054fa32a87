// <tandem-chart library="…">: draws the ECharts option in its JSON child, once it comes into view.
// An item with a `url` leads there.
// Colours such as "var(--ok)" follow the page's colours; the table behind the picture stays one tap away.
const loading = new Map();

function load(source) {
  if (window.echarts) return Promise.resolve(window.echarts);
  if (!loading.has(source)) {
    loading.set(
      source,
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = source;
        script.onload = () => resolve(window.echarts);
        script.onerror = reject;
        document.head.append(script);
      }),
    );
  }
  return loading.get(source);
}

// What an option names and only a function can do: how items are drawn, and what their tips say.
// "spans": items [row, from, to, seconds] on a time axis, as bars of a part of the row's height (`thickness`).
// "limits": items [place, lower bound] as a foot with an arrow: what is sought lies above.
// "intervals": items [place, lower, upper as drawn, upper] as upright bars; one that goes on above has no end there.
const ITEMS = {
  spans: (series) => (params, api) => {
    const [left, middle] = api.coord([api.value(1), api.value(0)]);
    const [right] = api.coord([api.value(2), api.value(0)]);
    const height = api.size([0, 1])[1] * series.thickness;
    const bar = { x: left, y: middle - height / 2, width: Math.max(right - left, series.least), height };
    const shape = window.echarts.graphic.clipRectByRect(bar, params.coordSys);
    return shape && { type: "rect", shape, style: { fill: api.visual("color") } };
  },
  limits: () => (params, api) => {
    const [x, y] = api.coord([api.value(0), api.value(1)]);
    const half = Math.min(4, api.size([1, 0])[0] / 4);
    const style = { stroke: api.visual("color"), fill: "none", lineWidth: 1 };
    const points = [[x - half, y - 6], [x, y - 10], [x + half, y - 6]];
    return {
      type: "group",
      children: [
        { type: "line", shape: { x1: x - half, y1: y, x2: x + half, y2: y }, style },
        { type: "line", shape: { x1: x, y1: y, x2: x, y2: y - 10 }, style },
        { type: "polyline", shape: { points }, style },
      ],
    };
  },
  intervals: () => (params, api) => {
    const [x, low] = api.coord([api.value(0), api.value(1)]);
    const [, high] = api.coord([api.value(0), api.value(2)]);
    const half = Math.min(4, api.size([1, 0])[0] / 4);
    const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: api.visual("color"), lineWidth: 1 } });
    const ends = api.value(3) > api.value(2) ? [low] : [low, high];
    return { type: "group", children: [line(x, low, x, high), ...ends.map((y) => line(x - half, y, x + half, y))] };
  },
};
const TIPS = {
  spans: (option, language) => {
    const clock = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
    return ({ seriesName, value: [row, from, to, seconds], name }) => {
      const minutes = Math.round(seconds / 60);
      const lasted = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}\u202fh`;
      return [`${option.yAxis.data[row]}: ${seriesName}`, name, clock.formatRange(from, to), lasted].filter(Boolean).join("\n");
    };
  },
};

// How many rows the names of a legend take.
function rowsOf(names, width, font) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = font;
  let rows = 1;
  let used = 0;
  for (const name of names) {
    const needed = pen.measureText(name).width + 27; // its swatch and the gap to the next one
    if (used && used + needed > width) {
      rows += 1;
      used = 0;
    }
    used += needed;
  }
  return rows;
}

class Chart extends HTMLElement {
  connectedCallback() {
    if (this.stage) return;
    this.option = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
    this.table = this.querySelector("details");
    this.stage = document.createElement("div");
    this.stage.className = "chart-stage";
    this.stage.style.height = `${this.getAttribute("height")}px`;
    this.stage.setAttribute("role", "img");
    this.stage.setAttribute("aria-label", this.getAttribute("name"));
    this.prepend(this.stage);
    this.tools();
    this.redraw = () => this.draw();
    document.addEventListener("tandem:theme", this.redraw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.redraw);
    this.sight = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.sight.disconnect();
      load(this.getAttribute("library")).then(() => this.draw(), () => (this.table.open = true));
    }, { rootMargin: "300px" });
    this.sight.observe(this);
    this.size = new ResizeObserver(() => {
      this.chart?.resize();
      this.room();
    });
    this.size.observe(this.stage);
  }

  disconnectedCallback() {
    document.removeEventListener("tandem:theme", this.redraw);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.redraw);
    this.sight?.disconnect();
    this.size?.disconnect();
    this.chart?.dispose();
  }

  tools() {
    const save = document.createElement("button");
    save.type = "button";
    save.className = "chart-tool";
    save.textContent = this.dataset.save;
    save.addEventListener("click", () => this.save());
    this.querySelector(".chart-tools").append(save);
    const summary = this.table.querySelector("summary");
    this.table.addEventListener("toggle", () => {
      summary.textContent = this.table.open ? this.dataset.picture : this.dataset.table;
      this.stage.hidden = this.table.open;
      if (!this.table.open) this.chart?.resize();
    });
  }

  draw() {
    if (!window.echarts) return;
    const css = getComputedStyle(this);
    const paint = (value) => {
      if (typeof value === "string") return value.replace(/var\((--[\w-]+)\)/g, (_, name) => css.getPropertyValue(name).trim());
      if (Array.isArray(value)) return value.map(paint);
      if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, paint(each)]));
      return value;
    };
    const digits = Number(this.getAttribute("digits") || 1);
    const unit = this.getAttribute("unit");
    const language = document.documentElement.lang;
    const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: digits });
    const say = (value) => {
      if (value === null || value === undefined || Number.isNaN(value)) return "–";
      if (Array.isArray(value)) return value.map(say).join(" · ");
      return typeof value === "number" ? `${numbers.format(value)}${unit ? `\u202f${unit}` : ""}` : String(value);
    };
    const option = paint(this.option);
    option.textStyle = { fontFamily: css.fontFamily, fontSize: 12, ...option.textStyle };
    option.aria = { enabled: true, ...option.aria };
    option.tooltip = {
      backgroundColor: paint("var(--surface)"), borderColor: paint("var(--line-strong)"), borderWidth: 1, padding: [8, 12],
      textStyle: { color: paint("var(--ink)"), fontSize: 12 }, valueFormatter: say, ...option.tooltip,
    };
    if (option.tooltip.formatter in TIPS) option.tooltip.formatter = TIPS[option.tooltip.formatter](option, language);
    const day = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", timeZone: "UTC" });
    const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
    const sayTime = (moment) => (moment % 86_400_000 ? clock : day).format(moment);
    for (const series of option.series || []) {
      if (series.renderItem in ITEMS) series.renderItem = ITEMS[series.renderItem](series);
      if (series.label?.show && !series.label.formatter) series.label.formatter = (point) => say(point.value);
      if (series.label) series.label = { color: paint("var(--ink-soft)"), ...series.label };
    }
    const ink = { color: paint("var(--ink-soft)") };
    const line = { lineStyle: { color: paint("var(--line)") } };
    const dress = (axis) => {
      const numeric = axis.type === "value" || axis.type === "log";
      return {
        ...axis,
        axisLabel: { ...ink, ...(axis.type === "time" ? { formatter: sayTime } : {}), ...(numeric ? { formatter: axis.name ? (value) => numbers.format(value) : say } : {}), ...axis.axisLabel },
        axisLine: { ...line, show: !numeric, ...axis.axisLine },
        axisTick: { show: false, ...axis.axisTick },
        splitLine: { ...line, show: numeric, ...axis.splitLine },
        nameTextStyle: ink,
      };
    };
    for (const name of ["xAxis", "yAxis"]) {
      if (option[name]) option[name] = Array.isArray(option[name]) ? option[name].map(dress) : dress(option[name]);
    }
    if (option.visualMap) option.visualMap = { textStyle: ink, ...option.visualMap };
    option.legend = { textStyle: ink, ...option.legend };
    if (!this.chart) {
      this.chart = window.echarts.init(this.stage, null, { renderer: "canvas" });
      this.chart.on("click", ({ data }) => data?.url && window.location.assign(data.url));
    }
    this.chart.setOption(option, { notMerge: true });
    this.room();
    this.dataset.drawn = "";
  }

  // A legend that wraps takes its rows from the picture.
  room() {
    const { legend, grid, series } = this.option;
    if (!this.chart || !legend?.show || !this.stage.clientWidth) return;
    const names = legend.data?.map((each) => each.name) ?? series.map((each) => each.name);
    const more = rowsOf(names, this.stage.clientWidth, `12px ${getComputedStyle(this).fontFamily}`) - 1;
    this.chart.setOption({ grid: { top: grid.top + 16 * more } });
  }

  save() {
    if (!this.chart) return;
    const link = document.createElement("a");
    link.download = `${this.dataset.file}.png`;
    link.href = this.chart.getDataURL({ pixelRatio: 2, backgroundColor: getComputedStyle(this).getPropertyValue("--surface").trim() });
    link.click();
  }
}

if (!customElements.get("tandem-chart")) customElements.define("tandem-chart", Chart);
