// Draws curves over each other with uPlot, zoomed together by mouse, finger or keyboard.
"use strict";

const CHART_HEIGHT = 230;
const TICKS = [1, 2, 5].flatMap((first) => Array.from({ length: 7 }, (_, power) => first * 10 ** power)).sort((a, b) => a - b);

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// The mean at each place where every seed has a value; a gap elsewhere.
function mean(seeds, places) {
  return places.map((_, place) => {
    const values = seeds.map((seed) => seed[place] ?? null);
    return values.length && values.every((value) => value !== null) ? values.reduce((sum, value) => sum + value) / values.length : null;
  });
}

// The curves of one measure; a line that has none is left out.
function linesOf({ lines }, { series }, name, factor) {
  const scaled = (values) => values.map((value) => (value === null ? null : factor * value));
  return lines.map((line) => ({ ...line, curves: (series[line.series][name] ?? []).map(scaled) })).filter(({ curves }) => curves.some((values) => values.some((value) => value !== null)));
}

const withSeeds = (lines) => lines.filter(({ seeds, curves }) => seeds && curves.length > 1);

function seriesOf(lines, unit, labels, { digits, fixed }) {
  const value = (_, at) => (at === null || at === undefined ? "–" : fixed ? at.toFixed(digits) : at.toPrecision(digits));
  const points = { size: 7, fill: () => color("--raised") };
  const seeds = withSeeds(lines).flatMap((line) =>
    line.curves.map(() => ({ stroke: () => color(line.color), width: 1, alpha: 0.55, dash: line.dash.length ? [4, 4] : [], class: "seed", points: { show: false } })),
  );
  const means = lines.map((line) => ({ label: line.name, stroke: () => color(line.color), width: line.width, dash: line.dash, value, class: "mean", points }));
  return [{ label: unit, value: (_, at) => (at === null ? "–" : (labels?.[at - 1] ?? at)) }, ...seeds, ...means];
}

function dataOf(lines, places) {
  const padded = (values) => places.map((_, place) => values[place] ?? null);
  return [places, ...withSeeds(lines).flatMap(({ curves }) => curves.map(padded)), ...lines.map(({ curves }) => mean(curves, places))];
}

// Seldom a single value, or none: then uPlot's own range would be far too wide.
function heightOf(_, low, high) {
  if (low === null) return [0, 1];
  return low === high ? [low - 0.05 * Math.abs(low) - 1e-9, high + 0.05 * Math.abs(high) + 1e-9] : uPlot.rangeNum(low, high, 0.1, false);
}

function markEpoch(chart, epoch) {
  const { ctx, bbox } = chart;
  const at = chart.valToPos(epoch, "x", true);
  if (epoch === null || Number.isNaN(at) || at < bbox.left || at > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = color("--quiet");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  ctx.fillStyle = color("--quiet");
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = at > bbox.left + bbox.width / 2 ? "right" : "left";
  ctx.fillText(" part ", at, bbox.top);
  ctx.restore();
}

// uPlot knows the mouse alone. One finger drawn sideways selects, too; up and down still scrolls the page.
function selectByTouch(chart) {
  const { over } = chart;
  let start = null;
  const ends = (event) => {
    const x = Math.min(Math.max(0, event.clientX - over.getBoundingClientRect().left), over.clientWidth);
    return [Math.min(start, x), Math.max(start, x)];
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") start = event.clientX - over.getBoundingClientRect().left;
  });
  over.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const [left, right] = ends(event);
    chart.setSelect({ left, width: right - left, top: 0, height: over.clientHeight }, false);
  });
  over.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [left, right] = ends(event);
    start = null;
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (right - left > 10) chart.setScale("x", { min: chart.posToVal(left, "x"), max: chart.posToVal(right, "x") });
  });
  over.addEventListener("pointercancel", () => {
    start = null;
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  });
}

// uPlot gives the marks of its legend the colours of the scheme that it starts with, and they know the mouse alone.
function ownLegend(box, chart) {
  box.querySelectorAll(".u-legend .u-series").forEach((row, place) => {
    const marker = row.querySelector(".u-marker");
    if (marker && place > 0) marker.style.borderColor = chart.series[place].stroke();
  });
  for (const head of box.querySelectorAll(".u-legend .mean th")) head.tabIndex = 0;
}

function pressed(event) {
  if (!event.target.matches(".u-legend th") || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  event.target.click();
}

function chartOf(box, lines, measure, { unit, places, labels, parts_at: partsAt }, zoomed) {
  const axis = { stroke: () => color("--quiet"), grid: { stroke: () => color("--line"), width: 1 }, ticks: { stroke: () => color("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
  const options = {
    width: Math.max(240, box.clientWidth),
    height: CHART_HEIGHT,
    scales: {
      x: { time: false, range: (_, low, high) => (places.length === 1 ? [places[0] - 0.5, places[0] + 0.5] : [low, high]) },
      y: measure.logarithmic ? { distr: 3 } : { range: heightOf },
    },
    axes: [{ ...axis, incrs: TICKS, space: 40 }, { ...axis, size: 58 }],
    series: seriesOf(lines, unit, labels, measure),
    cursor: { drag: { x: true, y: false } },
    legend: { markers: { dash: (drawn, place) => (drawn.series[place].dash?.length ? "dashed" : "solid") } },
    hooks: {
      draw: [(chart) => markEpoch(chart, partsAt ?? null)],
      setScale: [(chart, name) => name === "x" && zoomed(chart.scales.x.min, chart.scales.x.max)],
    },
  };
  const chart = new uPlot(options, dataOf(lines, places), box);
  ownLegend(box, chart);
  box.addEventListener("keydown", pressed);
  selectByTouch(chart);
  new ResizeObserver(() => box.clientWidth > 0 && chart.setSize({ width: box.clientWidth, height: CHART_HEIGHT })).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    chart.redraw(false, true);
    ownLegend(box, chart);
  });
  return chart;
}

// A drag ends between epochs: the zoom shows whole epochs, two of them at least, since one point is no curve.
function wholeEpochs(low, high, epochs) {
  const first = Math.max(1, Math.min(Math.round(low), epochs - 1));
  return [first, Math.min(epochs, Math.max(first + 1, Math.round(high)))];
}

function slider(words, epochs, value) {
  const input = element("input", { type: "range", min: 1, max: epochs, step: 1, value });
  return [element("label", {}, `${words} `, input), input];
}

function drawCurves(box, drawn, chart) {
  const { unit, places } = chart;
  const named = Object.entries(drawn.measures).map(([name, measure]) => ({ name, measure, lines: linesOf(chart, drawn, name, measure.factor) }));
  const shown = named.filter(({ lines }) => lines.length);
  if (shown.length === 0) {
    box.append(element("p", { class: "quiet" }, `There are no curves: no ${unit} was recorded.`));
    return;
  }
  const last = places.at(-1);
  const [fromLabel, from] = slider(`First ${unit}`, last, 1);
  const [toLabel, to] = slider(`Last ${unit}`, last, last);
  const reset = element("button", { type: "button" }, "Reset");
  const told = element("output");
  const charts = [];

  // The charts move together; what one is told by the other it must not tell back.
  let moving = false;
  const show = (left, right) => {
    if (moving) return;
    moving = true;
    const [low, high] = wholeEpochs(left, right, last);
    for (const each of charts) each.setScale("x", { min: low, max: high });
    moving = false;
    [from.value, to.value] = [low, high];
    told.value = `${unit}s ${low} to ${high} of ${last}`;
  };

  for (const { name, measure, lines } of shown) {
    const inner = element("div", { class: "chart" });
    box.append(element("figure", {}, element("figcaption", {}, measure.title), inner));
    charts.push(chartOf(inner, lines, measure, { ...chart, parts_at: name === "cost" ? chart.parts_at : null }, show));
  }
  if (last < 3) return;
  from.addEventListener("input", () => show(Math.min(Number(from.value), last - 1), Math.max(Number(to.value), Number(from.value) + 1)));
  to.addEventListener("input", () => show(Math.min(Number(from.value), Number(to.value) - 1), Math.max(Number(to.value), 2)));
  reset.addEventListener("click", () => show(1, last));
  box.append(element("div", { class: "zoom" }, fromLabel, toLabel, reset, told));
  show(1, last);
}
