// Chart elements in SVG: bars, axes, lines and intervals.

/** Tick positions at round numbers between two values. */
function ticks(low, high, number) {
  const span = high - low || 1;
  const raw = span / number;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9) * step;
  const count = Math.floor((high - first) / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, i) => Number((first + i * step).toPrecision(12)));
}

/** A linear map from one range to another. */
function scale(from, to, low, high) {
  return (value) => low + ((value - from) / (to - from || 1)) * (high - low);
}

/** A horizontal bar overlaid with an interval whisker. */
function shareBar(value, interval, most) {
  const at = (share) => `${((share / (most || 1)) * 100).toFixed(2)}%`;
  const whisker = interval && [
    s("line", { class: "whisker", x1: at(interval[0]), x2: at(interval[1]), y1: 8, y2: 8 }),
    ...interval.map((end) => s("line", { class: "whisker", x1: at(end), x2: at(end), y1: 5, y2: 11 })),
  ];
  return s(
    "svg",
    { class: "bar", height: 16, "aria-hidden": "true" },
    s("rect", { class: "bar-value", x: 0, y: 3, height: 10, width: at(value), rx: 1.5 }),
    whisker,
  );
}

/**
 * A line chart.
 *
 * @param lines {points: [[x, y], …], band?: [[x, low, high], …], className}
 */
function lineChart({
  title,
  lines,
  xLabel,
  yLabel,
  xFormat = String,
  yFormat = String,
  xTicks = null,
  width = innerWidth < 600 ? 360 : 640,
  height = 260,
  fromZero = false,
}) {
  const margin = { top: 12, right: 16, bottom: 40, left: 72 };
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  const ys = lines.flatMap(({ points, band = [] }) => [
    ...points.map(([, y]) => y),
    ...band.flatMap(([, low, high]) => [low, high]),
  ]);
  const [yLow, yHigh] = [fromZero ? 0 : Math.min(...ys), Math.max(...ys)];
  const pad = (yHigh - yLow) * 0.05 || Math.abs(yHigh) * 0.05 || 1;
  const x = scale(Math.min(...xs), Math.max(...xs), margin.left, width - margin.right);
  const y = scale(fromZero ? 0 : yLow - pad, yHigh + pad, height - margin.bottom, margin.top);
  const path = (points) =>
    points.map(([px, py], i) => `${i ? "L" : "M"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join("");
  return s(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
    ticks(fromZero ? 0 : yLow - pad, yHigh + pad, 5).map((value) => [
      s("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }),
      s("text", { class: "tick", x: margin.left - 8, y: y(value) + 4, "text-anchor": "end" }, yFormat(value)),
    ]),
    (xTicks ?? ticks(Math.min(...xs), Math.max(...xs), width < 500 ? 5 : 8)).map((value) =>
      s(
        "text",
        { class: "tick", x: x(value), y: height - margin.bottom + 18, "text-anchor": "middle" },
        xFormat(value),
      ),
    ),
    s(
      "text",
      { class: "axis", x: (margin.left + width - margin.right) / 2, y: height - 4, "text-anchor": "middle" },
      xLabel,
    ),
    s(
      "text",
      {
        class: "axis",
        transform: `translate(12 ${(height - margin.bottom + margin.top) / 2}) rotate(-90)`,
        "text-anchor": "middle",
      },
      yLabel,
    ),
    lines.map(({ points, band, className = "" }) => [
      band &&
        s("path", {
          class: `band ${className}`,
          d: `${path(band.map(([px, low]) => [px, low]))}${path(band.toReversed().map(([px, , high]) => [px, high])).replace("M", "L")}Z`,
        }),
      s("path", { class: `line ${className}`, d: path(points) }),
      points.length < 60 &&
        points.map(([px, py]) =>
          s(
            "circle",
            { class: `point ${className}`, cx: x(px), cy: y(py), r: 3 },
            s("title", null, `${xFormat(px)}: ${yFormat(py)}`),
          ),
        ),
    ]),
  );
}

/**
 * A chart of estimates with intervals, one per row.
 *
 * @param rows {label, href?, value, low, high, note}
 */
function intervalRows(rows, { zero = false, format = percent } = {}) {
  const low = Math.min(zero ? 0 : Infinity, ...rows.map((row) => row.low), zero ? Infinity : 0);
  const high = Math.max(zero ? 0 : -Infinity, ...rows.map((row) => row.high));
  const at = (value) => `${scale(low, high, 1, 99)(value).toFixed(2)}%`;
  return h(
    "div",
    { class: "intervals" },
    rows.map(({ label, value, low: from, high: to, note }) =>
      h(
        "div",
        { class: "interval-row" },
        h("div", { class: "interval-label" }, label),
        s(
          "svg",
          { class: "interval", height: 22, "aria-hidden": "true" },
          zero && s("line", { class: "zero", x1: at(0), x2: at(0), y1: 0, y2: 22 }),
          s("line", { class: "whisker", x1: at(from), x2: at(to), y1: 11, y2: 11 }),
          s("circle", { class: "point", cx: at(value), cy: 11, r: 4.5 }),
        ),
        h(
          "div",
          { class: "interval-value" },
          format(value),
          h("span", { class: "muted" }, ` ${note ?? between(from, to, format)}`),
        ),
      ),
    ),
  );
}
